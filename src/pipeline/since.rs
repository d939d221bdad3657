//! What people decided after a backup was made: a restore takes some of it back.
//!
//! The audit trail knows every decision, and belongs to the folder: it is read before the
//! state is replaced. Records of decisions (pauses, promotions, adoptions, answers,
//! endings) stay in force; what a decision had changed in the database goes with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

use jiff::Timestamp;
use planthread_engine::{
    Reader,
    audit_trail::{self, Entry},
    backup::BackupManifest,
    ledger,
};
use schemars::JsonSchema;
use serde::Serialize;

use crate::failure::Failure;

/// One decision of a person.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DecisionSince {
    /// Its place in the audit trail.
    pub entry: u64,
    /// When.
    pub at: Timestamp,
    /// Who.
    pub who: String,
    /// The command line.
    pub line: String,
}

/// What people decided since a backup, and what it did not know of them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SinceBackup {
    /// Decisions whose effect stood in the state before and is gone: decide again what
    /// still holds.
    pub gone: Vec<DecisionSince>,
    /// Decisions that are kept as records, and stay in force.
    pub stay: Vec<DecisionSince>,
    /// Locks of cells that the backup does not know, each with its owner and reason.
    pub locks: Vec<String>,
}

/// Verbs whose effect is in the database, by how they begin in the trail.
const IN_STATE: [&str; 6] =
    ["release cell", "keep cell", "release case", "rejects ", "take-back", "undo"];
/// Verbs that leave a record, which a restore keeps.
const KEPT: [&str; 9] = [
    "pause",
    "resume",
    "promote",
    "adopt",
    "attempt end",
    "fallback enter",
    "fallback leave",
    "release question",
    "agreement ",
];

impl SinceBackup {
    /// Reads in the state in `state`, before it is replaced, what was decided after the
    /// backup in `from` was made.
    ///
    /// # Errors
    /// When the backup or the trail can't be read.
    pub fn of(state: &Path, from: &Path) -> Result<Self, Failure> {
        let made_at = BackupManifest::read(from)?.made_at;
        let known = match audit_trail::head(from)? {
            Some(head) if audit_trail::holds(state, &head.digest)? => Some(head.number),
            _ => None,
        };
        // Where the backup has no trail of this folder, only the clock tells.
        let is_since = |entry: &Entry| match known {
            Some(number) => entry.number > number,
            None => entry.act.at >= made_at,
        };
        let mut since = Vec::new();
        audit_trail::check(state, None, |entry| {
            since.extend(is_since(entry).then(|| entry.clone()));
            Ok(())
        })?;
        Ok(sorted(since))
    }

    /// Notes the locks that `before` names and the state that was put back does not.
    #[must_use]
    pub fn without(mut self, before: &BTreeMap<String, String>, now: &BTreeSet<String>) -> Self {
        let lost = before.iter().filter(|(cell, _)| !now.contains(*cell));
        self.locks = lost.map(|(cell, why)| format!("{cell}: {why}")).collect();
        self
    }
}

/// The locks that hold in a state, with owner and reason.
///
/// # Errors
/// When the state can't be read.
pub fn locks(reader: &Reader, now: Timestamp) -> Result<BTreeMap<String, String>, Failure> {
    let told = |lock: ledger::Lock| {
        (lock.key.to_string(), format!("{}, {}, since {}", lock.owner, lock.reason, lock.since))
    };
    Ok(ledger::locks(reader, now)?.into_iter().map(told).collect())
}

/// Which of `entries` are decisions that were carried out, and what becomes of each.
fn sorted(entries: Vec<Entry>) -> SinceBackup {
    let failed: BTreeSet<String> = entries
        .iter()
        .filter(|entry| entry.act.act == "end")
        .filter(|entry| entry.act.about.get("exit").is_none_or(|exit| exit != "0" && exit != "1"))
        .filter_map(|entry| entry.act.about.get("entry").cloned())
        .collect();
    let mut since = SinceBackup::default();
    for Entry { number, act, .. } in entries {
        let begins = |words: &[&str]| words.iter().any(|word| act.act.starts_with(word));
        let list = match () {
            () if failed.contains(&number.to_string()) => continue,
            () if begins(&IN_STATE) => &mut since.gone,
            () if begins(&KEPT) => &mut since.stay,
            () => continue,
        };
        let line = act.about.get("line").cloned().unwrap_or(act.act);
        list.push(DecisionSince { entry: number, at: act.at, who: act.who, line });
    }
    since
}

#[cfg(test)]
mod tests {
    use planthread_engine::audit_trail::Act;

    use super::*;

    fn entry(number: u64, act: &str, about: &[(&str, &str)]) -> Entry {
        let about = about.iter().map(|(word, text)| ((*word).to_owned(), (*text).to_owned()));
        let act = Act {
            at: Timestamp::UNIX_EPOCH,
            who: "Ada".to_owned(),
            account: "uid 1".to_owned(),
            act: act.to_owned(),
            about: about.collect(),
        };
        Entry { number, previous: String::new(), act }
    }

    #[test]
    fn what_a_decision_changed_in_the_state_goes_and_its_record_stays() {
        let since = sorted(vec![
            entry(1, "release cell", &[("line", "release cell a/b")]),
            entry(2, "end", &[("entry", "1"), ("exit", "0")]),
            entry(3, "pause", &[("line", "pause ibp")]),
            entry(4, "rejects dismiss", &[("line", "rejects dismiss 7")]),
            entry(5, "end", &[("entry", "4"), ("exit", "2")]),
            entry(6, "rejects dismiss", &[("line", "rejects dismiss 8")]),
            entry(7, "run", &[]),
            entry(8, "send", &[]),
        ]);
        let lines = |list: &[DecisionSince]| -> Vec<(u64, String)> {
            list.iter().map(|one| (one.entry, one.line.clone())).collect()
        };
        let told = |number, line: &str| (number, line.to_owned());
        // What was refused changed nothing; of what was cut off nobody knows the end.
        assert_eq!(lines(&since.gone), [told(1, "release cell a/b"), told(6, "rejects dismiss 8")]);
        assert_eq!(lines(&since.stay), [told(3, "pause ibp")]);
        let before = [("c", "Bo"), ("d", "Bo")].map(|(a, b)| (a.to_owned(), b.to_owned())).into();
        let now = ["d".to_owned()].into();
        assert_eq!(since.without(&before, &now).locks, ["c: Bo"]);
    }
}
