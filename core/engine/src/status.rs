//! Status: one view of the four facts, for people and for `--json`.

use std::collections::{BTreeMap, HashMap};

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use planthread_contracts::{CellKey, Name, Period, PeriodKind, RevisionState};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use crate::{
    Reader,
    error::Result,
    ledger::{RejectState, rejections::standing},
    plan::HoldReason,
    store::{Db, rejections::Rejected},
};

/// How one scope of one target stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ScopeStatus {
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// Cells that are wanted.
    pub wanted: u64,
    /// Of them, those whose wanted revision the target said it took.
    pub accepted: u64,
    /// Of them, those that were read back as wanted.
    pub seen: u64,
    /// Of them, those that drive the target's plan.
    pub in_use: u64,
    /// Revisions by state; they add up to all that were ever made.
    pub states: BTreeMap<&'static str, u64>,
    /// Held cells by reason.
    pub held: BTreeMap<String, u64>,
    /// Since when the oldest unsent revision is wanted.
    pub oldest_pending: Option<Timestamp>,
    /// When the least recently read landed cell was read.
    pub oldest_seen: Option<Timestamp>,
    /// Landed cells whose end has passed.
    pub stale: u64,
    /// Attempts without an end.
    pub open_attempts: u64,
    /// Open cases.
    pub open_cases: u64,
    /// Locks that have not ended.
    pub locks: u64,
    /// Cells that left the plan and were left counts.
    pub withdrawn: Withdrawn,
}

/// Cells that left wanted while the target holds what we sent, as far as it
/// was read. Nobody renews them; past periods are nobody's business any more.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Withdrawn {
    /// How many.
    pub cells: u64,
    /// One of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example: Option<CellKey>,
}

/// How everything stands.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Status {
    /// The ledger's counter.
    pub counter: u64,
    /// When truth was last taken in, and as of when.
    pub last_cycle: Option<(Timestamp, Timestamp)>,
    /// Each scope.
    pub scopes: Vec<ScopeStatus>,
}

/// One row that the target refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Reject {
    /// The cell.
    pub key: CellKey,
    /// The revision that was refused.
    pub revision: u64,
    /// Its value.
    pub value: Decimal,
    /// The reason in the vendor's words.
    pub reason: String,
    /// The vendor's code.
    pub vendor_code: Option<String>,
    /// What a person can do about it; then `retry`.
    pub cure: String,
    /// Who is asked.
    pub owner: String,
    /// The attempt.
    pub attempt: String,
    /// When.
    pub at: Timestamp,
    /// What has become of it.
    pub state: RejectState,
    /// When it ended, as far as that was noted.
    pub ended_at: Option<Timestamp>,
    /// Who ended it; empty where no person did.
    pub who: String,
    /// Why it ended; empty where it did not, or landed.
    pub why: String,
    /// Items of master data behind it that the target did not list when they were read
    /// last.
    pub missing: Vec<String>,
}

/// How everything stands at `now`.
///
/// # Errors
/// When the state can't be read.
pub fn status(reader: &Reader, now: Timestamp) -> Result<Status> {
    reader.at_once(|db| {
        let mut status = Status { counter: db.counter()?, ..Status::default() };
        status.last_cycle = db.taken_in(1)?.first().map(|cycle| (cycle.at, cycle.as_of));
        for (id, target, scope) in db.scopes()? {
            status.scopes.push(one(db, id, target, scope, now)?);
        }
        Ok(status)
    })
}

fn one(db: &Db, id: i64, target: String, scope: String, now: Timestamp) -> Result<ScopeStatus> {
    let counts = db.scope_counts(id, now)?;
    let mut states: BTreeMap<&str, u64> =
        RevisionState::ALL.iter().map(|state| (state.word(), 0)).collect();
    let tally: Vec<(RevisionState, u64)> = db.tally(id)?;
    states.extend(tally.into_iter().map(|(state, n)| (state.word(), n)));
    let mut held = BTreeMap::new();
    for (reason, cells) in db.held_by_reason(id)? {
        held.insert(reason.map_or("", HoldReason::word).to_owned(), cells);
    }
    Ok(ScopeStatus {
        target,
        scope,
        wanted: counts.wanted,
        accepted: counts.accepted,
        seen: counts.seen,
        in_use: counts.in_use,
        states,
        held,
        oldest_pending: counts.oldest_pending,
        oldest_seen: counts.oldest_seen,
        stale: counts.stale,
        open_attempts: db.open_attempt_count(id)?,
        open_cases: db.case_count(id)?,
        locks: db.lock_count(id, now)?,
        withdrawn: withdrawn_of(db, id, now)?,
    })
}

/// What was left standing in one scope of one target at `now`.
///
/// # Errors
/// When the state can't be read.
pub fn withdrawn(reader: &Reader, target: &str, scope: &str, now: Timestamp) -> Result<Withdrawn> {
    let db = reader.db();
    match db.scope(target, scope)? {
        Some(id) => withdrawn_of(db, id, now),
        None => Ok(Withdrawn::default()),
    }
}

fn withdrawn_of(db: &Db, scope: i64, now: Timestamp) -> Result<Withdrawn> {
    let today = now.to_zoned(TimeZone::UTC).date();
    // A period begins at most 31 days before it ends.
    let from = Period::containing(PeriodKind::Day, today.saturating_sub(31.days()));
    let mut found = Withdrawn::default();
    db.left_standing(scope, from, |group, measure| {
        if group.key.period.end() > today {
            found.cells += 1;
            found.example.get_or_insert_with(|| group.cell(&measure));
        }
        Ok(())
    })?;
    Ok(found)
}

/// Every cell whose wanted revision the target refused, and that waits for somebody.
///
/// # Errors
/// When the state can't be read.
pub fn rejects(reader: &Reader) -> Result<Vec<Reject>> {
    let mut all = rejections(reader, Timestamp::MAX)?;
    all.retain(|reject| reject.state == RejectState::Open);
    Ok(all)
}

/// The newest revision of each cell that its target refused, where it has not ended, or
/// ended at `since` or later.
///
/// # Errors
/// When the state can't be read.
pub fn rejections(reader: &Reader, since: Timestamp) -> Result<Vec<Reject>> {
    let mut all = reader.at_once(|db| {
        let mut all = Vec::new();
        let names = db.measures()?;
        for (scope, ..) in db.scopes()? {
            let mut newest = BTreeMap::new();
            let both = db.ended_rejections(scope, since)?.into_iter().chain(db.rejections(scope)?);
            for one in both {
                let known = newest.entry((one.id.grp, one.id.measure)).or_insert(one.clone());
                if one.rev >= known.rev {
                    *known = one;
                }
            }
            for one in newest.into_values() {
                all.extend(reject(db, &names, one)?);
            }
        }
        Ok(all)
    })?;
    all.sort_by(|a, b| (a.state, &a.key).cmp(&(b.state, &b.key)));
    Ok(all)
}

/// A rejection as its cell stands now.
fn reject(db: &Db, names: &HashMap<i64, Name>, one: Rejected) -> Result<Option<Reject>> {
    let refused = db.refusal(one.attempt, one.id)?;
    let (Some(refused), Some(cell), Some(name)) =
        (refused, db.cell(one.id)?, names.get(&one.id.measure))
    else {
        return Ok(None);
    };
    let (state, why) = match one.ended_at {
        Some(_) => (one.state, one.why),
        None => {
            let (state, why) = standing(one.rev, &cell);
            (state, why.to_owned())
        }
    };
    let past = if cell.rev == one.rev { None } else { db.past_value(one.id, one.rev)? };
    let group = db.group(one.id.grp)?;
    let key = group.cell(name.clone());
    Ok(Some(Reject {
        revision: one.rev,
        value: past.unwrap_or(cell.value),
        reason: refused.rejection.reason,
        vendor_code: refused.rejection.vendor_code,
        cure: refused.rejection.cure,
        owner: format!("owner of {}", key.target),
        attempt: refused.attempt,
        at: one.at,
        state,
        ended_at: one.ended_at,
        who: one.who,
        why,
        missing: one.master.missing(),
        key,
    }))
}

pub use crate::ledger::{cases, locks};
