//! The run counter and its witness: a restored copy of the state is noticed.
//!
//! Around every delivery the state counts a run, and the same number is written
//! to a second place: the folder of the target's packs. A state that finds a
//! later number there than its own is a copy that somebody put back. What it
//! believes to have seen may have been replaced since by values that it does not
//! know and that are its own: so it forgets what it has seen, ends what it held
//! for open, takes another identity, and reads everything before it sends.
//!
//! The state counts first. A crash between the two leaves it ahead, which proves
//! as much; so does a second place that can't be written for a while.

use std::{
    fs::{self, File},
    io::{ErrorKind, Write as _},
    path::Path,
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp};
use planthread_kit::{AttemptEnd, files};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::written::Written;
use crate::{
    Reader, State,
    error::Result,
    ledger::{CaseKind, attempts, bind},
    store::{Db, Tx, codec, holds::Found, sync_dir},
};

/// How long a push that was open in a copy may still take effect.
const STILL_BUSY: SignedDuration = SignedDuration::from_mins(15);

/// The file beside the packs.
const FILE: &str = "witness.json";

/// What stands in the second place.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mark {
    /// Format version.
    pub planthread_witness: u32,
    /// The configured target.
    pub target: String,
    /// The writer, by the number that its heartbeats carry.
    pub identity: u32,
    /// Its runs at the target so far.
    pub run: u64,
    /// When the last one was counted.
    pub at: Timestamp,
}

/// How state and witness stand to each other.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Continuity {
    /// The witness knows of no run that the state does not know.
    Proven,
    /// There is no witness yet, or none that can be read: the next delivery
    /// writes one.
    Beginning,
    /// No second place is configured: a restored copy can't be noticed.
    Unwitnessed,
    /// The state is a copy that was put back.
    Broken {
        /// Runs that the state knows.
        known: u64,
        /// Runs that there were.
        outside: u64,
        /// When the last of them was.
        at: Timestamp,
    },
}

/// That a state was put back from a copy, told until a walk that sends has told it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Restored {
    /// Runs that the state knew.
    pub known: u64,
    /// Runs that there were.
    pub outside: u64,
    /// When the last of them was.
    pub at: Timestamp,
    /// Whether what we wrote since is noted outside, so that what stands there and is not
    /// ours is known for somebody else's. Without it all that differs is taken for ours.
    pub told_apart: bool,
}

impl Restored {
    /// As it is kept.
    fn numbers(&self) -> [i64; 4] {
        let count = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        [count(self.known), count(self.outside), codec::micros(self.at), self.told_apart.into()]
    }
}

/// Compares the runs that the state knows with those outside, whose writer is
/// `us`, now or before. Pure.
const fn compare(us: bool, known: u64, outside: &Mark) -> Continuity {
    match (us, known) {
        // A state that never ran believes nothing that could be wrong.
        (false, 0) => Continuity::Beginning,
        (true, _) if outside.run <= known => Continuity::Proven,
        _ => Continuity::Broken { known, outside: outside.run, at: outside.at },
    }
}

/// How the state stands to the witness in `folder`, without changing anything.
///
/// # Errors
/// When the state can't be read.
pub fn continuity(reader: &Reader, target: &str, folder: Option<&Path>) -> Result<Continuity> {
    let Some(folder) = folder else { return Ok(Continuity::Unwitnessed) };
    match read(folder, target) {
        Some(mark) => Ok(of(reader.db(), target, &mark)?),
        None => Ok(Continuity::Beginning),
    }
}

fn of(db: &Db, target: &str, outside: &Mark) -> Result<Continuity> {
    Ok(compare(db.is_us(outside.identity)?, db.runs(target)?, outside))
}

/// Compares, and lets a copy that was put back begin anew: what it had seen has
/// expired, and it is another writer from now on. `random` makes its identity. Tells
/// that it was, until [`told_restored`].
///
/// # Errors
/// When the state can't be read or written.
pub fn resume(
    state: &Arc<State>,
    target: &str,
    folder: Option<&Path>,
    random: u64,
    now: Timestamp,
) -> Result<Option<Restored>> {
    let found = continuity(&state.reader()?, target, folder)?;
    let (Some(folder), Some(mark)) = (folder, folder.and_then(|folder| read(folder, target)))
    else {
        return Ok(None);
    };
    let restored = match found {
        Continuity::Proven => return told(state.reader()?.db(), target),
        Continuity::Unwitnessed => return Ok(None),
        Continuity::Beginning => None,
        Continuity::Broken { known, outside, at } => {
            let told_apart = Written::new(folder.to_owned()).is_there();
            Some(Restored { known, outside, at, told_apart })
        }
    };
    let (name, new, outside) = (target.to_owned(), restored.clone(), mark.run);
    let mark = state.change(move |tx| {
        if let Some(restored) = &new {
            begin_anew(tx, random, now)?;
            record(tx, &name, restored, now)?;
            tx.tell_restored(&name, restored.numbers())?;
        }
        count(tx, &name, outside, random, now)
    })?;
    keep(folder, &mark);
    Ok(restored)
}

/// What is told of a copy that was put back, until a walk that sends has told it.
fn told(db: &Db, target: &str) -> Result<Option<Restored>> {
    let Some([known, outside, at, apart]) = db.restored_told(target)? else { return Ok(None) };
    let count = |n: i64| u64::try_from(n).unwrap_or_default();
    let at = codec::timestamp(at)?;
    let (known, outside, told_apart) = (count(known), count(outside), apart != 0);
    Ok(Some(Restored { known, outside, at, told_apart }))
}

/// A walk that sends has told that the state was put back.
///
/// # Errors
/// When the state can't be written.
pub fn told_restored(state: &State, target: &str) -> Result<()> {
    let target = target.to_owned();
    state.change(move |tx| tx.forget_restored(&target))
}

/// Counts a run, inside and then outside. Called before anything is sent and at the
/// end of a walk, so that no copy of the state that was made between knows less than it.
///
/// # Errors
/// When the state can't be written. A second place that can't be written stops
/// nobody: the state is ahead of it then.
pub fn advance(
    state: &Arc<State>,
    target: &str,
    folder: Option<&Path>,
    random: u64,
    now: Timestamp,
) -> Result<()> {
    let Some(folder) = folder else { return Ok(()) };
    let name = target.to_owned();
    let mark = state.change(move |tx| count(tx, &name, 0, random, now))?;
    keep(folder, &mark);
    Ok(())
}

/// The next run after all that are known here and `outside`.
fn count(tx: &Tx<'_>, target: &str, outside: u64, random: u64, now: Timestamp) -> Result<Mark> {
    let run = tx.runs(target)?.max(outside) + 1;
    tx.count_runs(target, run)?;
    let identity = tx.identity(random)?;
    Ok(Mark { planthread_witness: 1, target: target.to_owned(), identity, run, at: now })
}

/// What a state that began anew does not believe any more.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Begun {
    /// Values that it had seen.
    pub expired: u64,
    /// Pushes that were open: their end is unclear.
    pub unclear: u64,
}

/// Lets a state that is known to be put back from a copy begin anew, without a
/// witness; `text` tells the owner of the bridge.
///
/// # Errors
/// When the state can't be read or written.
pub fn anew(state: &State, text: String, random: u64, now: Timestamp) -> Result<Begun> {
    state.change(move |tx| {
        let begun = begin_anew(tx, random, now)?;
        let runs = tx.all_runs()?;
        for (scope, target, _) in tx.scopes()? {
            let runs = runs.get(&target).copied().unwrap_or_default();
            let example = format!("it knew {runs} runs");
            tx.file_case(scope, &Found { example, ..restored(&text) }, now)?;
        }
        Ok(begun)
    })
}

/// Nothing that was seen is believed, nothing is open, and another writer writes.
fn begin_anew(tx: &Tx<'_>, random: u64, now: Timestamp) -> Result<Begun> {
    let until = now.checked_add(STILL_BUSY).unwrap_or(Timestamp::MAX);
    let mut begun = Begun::default();
    for (scope, target, _) in tx.scopes()? {
        begun.expired += tx.scope_counts(scope, now)?.seen;
        for open in tx.open_attempts(&target)? {
            let reason = "the state was put back from a copy".to_owned();
            let end = AttemptEnd::Unknown { until, reason };
            attempts::close(tx, &open.record.id, &end, now)?;
            begun.unclear += 1;
        }
        bind::expire(tx, scope)?;
    }
    tx.restored(tx.newest_attempt()?)?;
    tx.renew_identity(random)?;
    Ok(begun)
}

/// The case of a state that was put back.
fn restored(text: &str) -> Found {
    Found {
        kind: CaseKind::Restored,
        owner: "operator of the bridge".to_owned(),
        text: text.to_owned(),
        example: String::new(),
        cells: 0,
    }
}

fn record(tx: &Tx<'_>, name: &str, told: &Restored, now: Timestamp) -> Result<()> {
    let Restored { known, outside, at, told_apart } = told;
    let apart = if *told_apart {
        "what stands there and is not ours counts as a person's"
    } else {
        "what a person wrote there since can't be told from ours, and is written over"
    };
    let text = format!(
        "the state was put back from a copy: what it had seen is read anew, and {apart}; was that \
         meant? Stop what still runs on the other one, and say again what people decided since: \
         locks, pauses, answers"
    );
    let example = format!("it knew {known} runs, and the last of {outside} was at {at}");
    let found = Found { example, ..restored(&text) };
    for (scope, target, _) in tx.scopes()? {
        if target == name {
            tx.file_case(scope, &found, now)?;
        }
    }
    Ok(())
}

/// The mark in `folder`; `None` where there is none that can be read.
fn read(folder: &Path, target: &str) -> Option<Mark> {
    let file = folder.join(FILE);
    let text = match files::read(&file) {
        Ok(text) => text,
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                tracing::warn!(file = %file.display(), %error, "the witness can't be read");
            }
            return None;
        }
    };
    match serde_json::from_slice::<Mark>(&text) {
        Ok(mark) if mark.target == target => Some(mark),
        Ok(mark) => {
            tracing::warn!(target, other = mark.target, "the witness is another target's");
            None
        }
        Err(error) => {
            tracing::warn!(file = %file.display(), %error, "the witness can't be understood");
            None
        }
    }
}

/// Writes the mark, whole or not at all.
fn keep(folder: &Path, mark: &Mark) {
    let aside = folder.join(".witness.part");
    let write = || -> std::io::Result<()> {
        fs::create_dir_all(folder)?;
        let mut file = File::create(&aside)?;
        file.write_all(serde_json::to_string_pretty(mark)?.as_bytes())?;
        file.sync_all()?;
        fs::rename(&aside, folder.join(FILE))
    };
    let written = write().map_err(|error| error.to_string());
    let synced = written.and_then(|()| sync_dir(folder).map_err(|error| error.to_string()));
    if let Err(error) = synced {
        let (run, folder) = (mark.run, folder.display());
        tracing::warn!(%folder, run, error, "the witness can't be written");
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{super::note_written, *};
    use crate::testing::{TempDir, now};

    proptest! {
        /// Whoever knows less than the witness is a copy, unless it knows nothing.
        #[test]
        fn a_state_is_believed_while_it_knows_all_runs(
            known in 0_u64..20, outside in 0_u64..20, us: bool,
        ) {
            let (target, at) = ("t".to_owned(), now());
            let mark = Mark { planthread_witness: 1, target, identity: 7, run: outside, at };
            let found = compare(us, known, &mark);
            prop_assert_eq!(found == Continuity::Proven, us && known >= outside);
            prop_assert_eq!(found == Continuity::Beginning, !us && known == 0);
        }
    }

    #[test]
    fn a_copy_that_is_put_back_is_noticed_once_and_another_writer_then() {
        let (dir, copy, second) =
            (TempDir::new("runs"), TempDir::new("copy"), TempDir::new("second"));
        let folder = Some(second.path());
        let file = |dir: &TempDir| dir.path().join("state.db");
        let open = |dir: &TempDir| Arc::new(State::open(dir.path(), now()).unwrap());
        let state = open(&dir);
        let first = state.identity(41).unwrap();
        assert_eq!(resume(&state, "t", None, 1, now()).unwrap(), None);
        assert_eq!(resume(&state, "t", folder, 1, now()).unwrap(), None);
        advance(&state, "t", folder, 1, now()).unwrap();
        drop(state);
        fs::copy(file(&dir), file(&copy)).unwrap();
        let state = open(&dir);
        assert_eq!(resume(&state, "t", folder, 1, now()).unwrap(), None);
        advance(&state, "t", folder, 1, now()).unwrap();
        drop(state);
        let restored = open(&copy);
        let seen = continuity(&restored.reader().unwrap(), "t", folder).unwrap();
        assert_eq!(seen, Continuity::Broken { known: 1, outside: 2, at: now() });
        let told = Restored { known: 1, outside: 2, at: now(), told_apart: false };
        assert_eq!(resume(&restored, "t", folder, 41, now()).unwrap(), Some(told.clone()));
        assert_ne!(restored.identity(41).unwrap(), first);
        assert_eq!(resume(&restored, "t", folder, 1, now()).unwrap(), Some(told.clone()));
        // The one that was replaced comes back: it is a copy now.
        note_written(&restored.reader().unwrap(), "t", folder).unwrap();
        let old = open(&dir);
        let told = Restored { known: 2, outside: 3, told_apart: true, ..told };
        assert_eq!(resume(&old, "t", folder, 5, now()).unwrap(), Some(told));
    }

    #[test]
    fn a_second_place_that_is_gone_stops_nobody() {
        let (dir, second) = (TempDir::new("gone"), TempDir::new("gone-second"));
        let blocked = second.path().join("file");
        fs::write(&blocked, "no folder").unwrap();
        let state = Arc::new(State::open(dir.path(), now()).unwrap());
        advance(&state, "t", Some(&blocked), 1, now()).unwrap();
        note_written(&state.reader().unwrap(), "t", Some(&blocked)).unwrap();
        assert_eq!(resume(&state, "t", Some(&blocked), 1, now()).unwrap(), None);
    }
}
