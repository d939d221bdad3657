//! Audit: counts everything again, and compares it with the tally.

use std::{collections::BTreeMap, path::Path};

use schemars::JsonSchema;
use serde::Serialize;
use sha2::{Digest as _, Sha256};

use crate::{
    Reader,
    audit_trail::{Checked, Fault},
    error::Result,
    store::{Db, audit::Digested, swap},
};

/// What a full count found. `findings` is empty when all is well.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Audit {
    /// Revisions ever made, by the tally.
    pub made: i64,
    /// Revisions found, in whatever state.
    pub counted: i64,
    /// Records whose bytes were compared with their digests: those of the
    /// journal, and those that wait or were refused beside it.
    pub records: u64,
    /// Whether the database file is sound in itself.
    pub database: bool,
    /// What does not agree, in words.
    pub findings: Vec<String>,
    /// The trail of who did what, where it was checked beside the database.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trail: Option<Checked>,
}

/// Findings of one kind that are named one by one.
const NAMED: u64 = 20;

/// Counts every revision of every cell again, reads every value, compares every
/// record with its digest, and asks SQLite whether the file is sound.
///
/// # Errors
/// When the state can't be read.
pub fn audit(reader: &Reader) -> Result<Audit> {
    reader.at_once(run)
}

/// What in the state in `dir` was done by somebody and stands in no entry, where its audit
/// trail has none: pushes and records of decisions. Both were written down there first. A
/// state that a restore kept aside has its trail in the folder above.
///
/// # Errors
/// When the state can't be read.
pub fn done_without_trail(reader: &Reader, dir: &Path) -> Result<Option<Fault>> {
    if swap::is_kept_aside(dir) {
        return Ok(None);
    }
    let pushes = !reader.at_once(|db| db.receipts(1))?.is_empty();
    let decided = swap::decisions(dir)?.len();
    if !pushes && decided == 0 {
        return Ok(None);
    }
    let what = match (pushes, decided) {
        (true, 0) => "pushes".to_owned(),
        (true, decided) => format!("pushes and records of decisions ({decided})"),
        (false, decided) => format!("records of decisions ({decided})"),
    };
    let reason = format!(
        "there is none, and the state holds {what}, which were written down in the trail before they \
         were done: the trail was emptied or taken away"
    );
    Ok(Some(Fault { number: 1, reason }))
}

fn run(db: &Db) -> Result<Audit> {
    let (made, counted) = (db.revisions()?.0, db.count_revisions()?);
    let mut audit = Audit { made, counted, ..Audit::default() };
    let faults = db.check_file()?;
    audit.database = faults.is_empty();
    audit.findings.extend(faults.iter().map(|word| format!("the database file: {word}")));
    digests(db, &mut audit)?;
    values(db, &mut audit)?;
    if made != counted {
        audit.findings.push(format!(
            "{made} revisions were made, {counted} are there: some are lost or invented"
        ));
    }
    for (scope, state, off) in db.tally_faults()? {
        audit.findings.push(format!("scope {scope}, state {state}: the books are off by {off}"));
    }
    for (found, what) in db.faults()? {
        if found > 0 {
            audit.findings.push(format!("{found} {what}"));
        }
    }
    Ok(audit)
}

/// Reads every value that the ledger vouches for.
fn values(db: &Db, audit: &mut Audit) -> Result<()> {
    let mut damaged: BTreeMap<&str, u64> = BTreeMap::new();
    db.unreadable(|what, told| {
        let count = damaged.entry(what).or_default();
        *count += 1;
        if *count <= NAMED {
            audit.findings.push(format!("{what} of {told}"));
        }
    })?;
    more_of_the_kind(audit, damaged);
    Ok(())
}

/// Counts those that are not named one by one.
fn more_of_the_kind(audit: &mut Audit, damaged: BTreeMap<&str, u64>) {
    for (what, count) in damaged.into_iter().filter(|(_, count)| *count > NAMED) {
        audit.findings.push(format!("{what}: {} more of the kind", count - NAMED));
    }
}

/// Compares the bytes of every row with their digest.
fn digests(db: &Db, audit: &mut Audit) -> Result<()> {
    let mut damaged: BTreeMap<&str, u64> = BTreeMap::new();
    db.digested(|row| {
        audit.records += 1;
        let Digested { what, number, source, id, body, digest } = row;
        let body = body.unwrap_or_default();
        if digest.as_deref() == Some(Sha256::digest(&body).as_slice()) {
            return Ok(());
        }
        let count = damaged.entry(what).or_default();
        *count += 1;
        if *count <= NAMED {
            audit.findings.push(format!(
                "{what} {number} ({source}, {id}) is not what was kept: its digest differs"
            ));
        }
        Ok(())
    })?;
    more_of_the_kind(audit, damaged);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        State,
        testing::{TempDir, decl, now, wanted},
    };

    #[test]
    fn a_value_that_is_none_is_found_in_every_column_that_holds_one() {
        for column in ["value", "unrounded", "status", "why", "as_of", "seen", "hold", "state"] {
            let dir = TempDir::new("audit-values");
            let state = State::open(dir.path(), now()).unwrap();
            wanted(&state, &decl("live", "attainable_clock_hours", "value"), 3);
            assert!(audit(&state.reader().unwrap()).unwrap().findings.is_empty());
            let file = dir.path().join("state.db");
            drop(state);
            crate::store::forge::spoil_cells(&file, column);
            let state = State::open(dir.path(), now()).unwrap();
            let findings = audit(&state.reader().unwrap()).unwrap().findings;
            let named = findings.iter().filter(|found| found.starts_with("cell of ")).count();
            assert_eq!(named, 3, "{column}: {findings:?}");
            assert!(findings[0].contains("live"), "{findings:?}");
        }
    }

    #[test]
    fn a_trail_that_is_empty_beside_a_decision_was_taken_away() {
        let dir = TempDir::new("audit-no-trail");
        let state = State::open(dir.path(), now()).unwrap();
        let fault = || {
            let found = done_without_trail(&state.reader().unwrap(), dir.path()).unwrap();
            found.map(|fault| fault.reason)
        };
        assert_eq!(fault(), None, "nothing was done yet");
        let folder = dir.path().join("pauses").join("plan");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(".20261126T100000000Z-1.part"), "").unwrap();
        assert_eq!(fault(), None, "half a record is none");
        std::fs::write(folder.join("20261126T100000000Z.json"), "{}").unwrap();
        let said = fault().unwrap();
        assert!(said.contains("holds records of decisions (1)"), "{said}");
        // What a restore kept aside has its trail in the folder above, while that is there.
        let aside = dir.path().join("replaced-20261126T100000Z");
        std::fs::create_dir_all(aside.join("pauses/plan")).unwrap();
        std::fs::write(aside.join("pauses/plan/20261126T100000000Z.json"), "{}").unwrap();
        let fault = || done_without_trail(&state.reader().unwrap(), &aside).unwrap();
        assert!(fault().is_some());
        std::fs::write(dir.path().join("audit.ndjson"), "{}\n").unwrap();
        assert_eq!(fault(), None);
    }
}
