//! What a state remembers of itself: who it is, its runs, its own instants.

use std::collections::BTreeMap;

use jiff::Timestamp;
use rusqlite::params;

use super::{
    codec,
    db::{Db, Sql, Tx},
};
use crate::error::Result;

/// When the clock was last believed.
const BELIEVED: &str = "clock/believed";
/// When a target last agreed with it.
const WITNESSED: &str = "clock/witnessed";
/// By which heartbeats tell this state from another one.
const IDENTITY: &str = "identity";
/// The newest attempt when the state was last put back from a copy.
const RESTORED: &str = "restored/attempt";

/// What is told of a copy that was put back, for `target`: a number by its word.
fn told_of(target: &str, word: &str) -> String {
    format!("restored/{word}/{target}")
}

/// What is told of a copy that was put back: the words under which it is kept.
const TOLD: [&str; 4] = ["known", "outside", "at", "apart"];

/// Identities that there are; an integer measure holds each.
const IDENTITIES: u64 = 999_999;

/// Under which the runs at `target` are counted.
fn runs_at(target: &str) -> String {
    format!("runs/{target}")
}

/// That a writer of this number was this state, before it was put back.
fn was(identity: u32) -> String {
    format!("was/{identity}")
}

/// The identity that `random` stands for.
fn drawn(random: u64) -> u32 {
    u32::try_from(random % IDENTITIES).unwrap_or_default() + 1
}

impl Db {
    fn remembered(&self, name: &str) -> Result<Option<i64>> {
        let sql = Sql::seeks("SELECT value FROM counter WHERE name = ?1");
        self.find(sql, [name], |row| Ok(row.get(0)?))
    }

    /// When the clock was last believed.
    pub(crate) fn clock_believed(&self) -> Result<Option<Timestamp>> {
        self.remembered(BELIEVED)?.map(codec::timestamp).transpose()
    }

    /// When a target last agreed with the clock.
    pub(crate) fn clock_witnessed(&self) -> Result<Option<Timestamp>> {
        self.remembered(WITNESSED)?.map(codec::timestamp).transpose()
    }

    /// Runs at a target so far.
    pub(crate) fn runs(&self, target: &str) -> Result<u64> {
        let runs = self.remembered(&runs_at(target))?;
        Ok(runs.and_then(|runs| u64::try_from(runs).ok()).unwrap_or_default())
    }

    /// Runs at each target so far.
    pub(crate) fn all_runs(&self) -> Result<BTreeMap<String, u64>> {
        let sql = Sql::walks(
            "SELECT substr(name, 6), value FROM counter WHERE name >= 'runs/' AND name < 'runs0'",
            "the list that was asked for: as long as the configuration",
        );
        self.all(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
    }

    /// The newest attempt when the state was last put back from a copy.
    pub(crate) fn restored_after(&self) -> Result<Option<i64>> {
        self.remembered(RESTORED)
    }

    /// What was kept of a copy that was put back, for a target, until a walk that sends has
    /// told it: runs known, runs outside, the instant of the last, whether it is told apart.
    pub(crate) fn restored_told(&self, target: &str) -> Result<Option<[i64; 4]>> {
        let mut told = [0; 4];
        for (at, word) in TOLD.into_iter().enumerate() {
            let Some(value) = self.remembered(&told_of(target, word))? else { return Ok(None) };
            told[at] = value;
        }
        Ok(Some(told))
    }

    /// Whether a writer of this number is this state, now or before.
    pub(crate) fn is_us(&self, identity: u32) -> Result<bool> {
        Ok(self.remembered(IDENTITY)? == Some(identity.into())
            || self.remembered(&was(identity))?.is_some())
    }

    /// The instant of the truth that a target was last given.
    pub(crate) fn last_truth(&self, target: &str) -> Result<Option<Timestamp>> {
        let sql = Sql::walks(
            "SELECT as_of FROM cycle WHERE target = ?1 ORDER BY counter DESC LIMIT 1",
            "the newest first, one a target and cycle",
        );
        self.find(sql, [target], |row| codec::at(row, 0))
    }
}

impl Tx<'_> {
    fn remember(&self, name: &str, value: i64) -> Result<()> {
        let sql = Sql::seeks(
            "INSERT INTO counter VALUES (?1, ?2)
             ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        );
        self.run(sql, params![name, value])?;
        Ok(())
    }

    /// The clock is believed at `now`.
    pub(crate) fn believe_clock(&self, now: Timestamp) -> Result<()> {
        self.remember(BELIEVED, codec::micros(now))
    }

    /// A target agrees with the clock at `now`.
    pub(crate) fn witness_clock(&self, now: Timestamp) -> Result<()> {
        self.remember(WITNESSED, codec::micros(now))
    }

    /// Counts runs at a target up to `run`.
    pub(crate) fn count_runs(&self, target: &str, run: u64) -> Result<()> {
        self.remember(&runs_at(target), i64::try_from(run).unwrap_or(i64::MAX))
    }

    /// The number of this state, made of `random` when it has none yet.
    pub(crate) fn identity(&self, random: u64) -> Result<u32> {
        let sql = Sql::seeks("INSERT OR IGNORE INTO counter VALUES ('identity', ?1)");
        self.run(sql, [drawn(random)])?;
        self.number(Sql::seeks("SELECT value FROM counter WHERE name = 'identity'"), [])
    }

    /// The state was put back from a copy, whose newest attempt is `attempt`.
    pub(crate) fn restored(&self, attempt: i64) -> Result<()> {
        self.remember(RESTORED, attempt)
    }

    /// Keeps what is told of a copy that was put back.
    pub(crate) fn tell_restored(&self, target: &str, told: [i64; 4]) -> Result<()> {
        let mut all = TOLD.into_iter().zip(told);
        all.try_for_each(|(word, value)| self.remember(&told_of(target, word), value))
    }

    /// What is told of a copy that was put back has been told.
    pub(crate) fn forget_restored(&self, target: &str) -> Result<()> {
        let sql = Sql::seeks("DELETE FROM counter WHERE name = ?1");
        TOLD.into_iter().try_for_each(|word| self.run(sql, [told_of(target, word)]).map(drop))
    }

    /// Another number than all before.
    pub(crate) fn renew_identity(&self, random: u64) -> Result<()> {
        let before = self.identity(random)?;
        self.remember(&was(before), before.into())?;
        let mut next = random;
        while self.remembered(&was(drawn(next)))?.is_some() {
            next = next.wrapping_add(1);
        }
        self.remember(IDENTITY, drawn(next).into())
    }

    /// Lets truth from `to` on be taken in by the cells of a scope that have
    /// later truth; how many those are. Their stamps run out with it.
    pub(crate) fn lower_truth(&self, scope: i64, to: Timestamp) -> Result<usize> {
        let sql = Sql::walks(
            "UPDATE cell SET as_of = ?2, valid_until = MIN(valid_until, ?2)
             WHERE as_of > ?2 AND grp IN (SELECT id FROM cell_group WHERE scope = ?1)",
            "every cell of the scope, when a person takes truth back",
        );
        self.run(sql, params![scope, codec::micros(to)])
    }

    /// Forgets pauses that end later than `latest`.
    pub(crate) fn drop_pauses_after(&self, latest: Timestamp) -> Result<()> {
        let sql = Sql::walks("DELETE FROM pause WHERE until > ?1", "one row a tenant");
        self.run(sql, [codec::micros(latest)])?;
        Ok(())
    }
}
