//! What was published keeps its promise: a twin that kept to an old contract is
//! still understood, and who reads what we write understands the new one.
//!
//! `published/v1/` is written once, when a version is published, and never again;
//! a break there needs `published/v2/`, and a migration line in the changelog.

use std::{fs, path::PathBuf};

use planthread_contracts::{CONTRACTS, Direction};
use serde_json::Value;

use crate::{compat::breaks, examples::VALID};

fn published(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("published/v1").join(name)
}

fn json(path: &PathBuf) -> Value {
    let text = fs::read_to_string(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    serde_json::from_str(&text).expect("what was published is JSON")
}

#[test]
fn no_contract_breaks_what_was_published() {
    for entry in &CONTRACTS {
        let old = json(&published(entry.name).join("schema.json"));
        let found = breaks(entry.direction, &old, &(entry.schema)());
        let found: Vec<String> = found.iter().map(ToString::to_string).collect();
        assert!(
            found.is_empty(),
            "{}: {found:#?}\nkeep the old form, or publish a new version of the contract",
            entry.name
        );
    }
}

#[test]
fn the_new_reader_takes_every_old_valid_record() {
    let mut read = 0;
    for entry in &CONTRACTS {
        for file in fs::read_dir(published(entry.name).join("examples")).unwrap() {
            let path = file.unwrap().path();
            let found = (entry.check)(&json(&path));
            assert!(found.is_empty(), "{}: {found:?}", path.display());
            read += 1;
        }
    }
    assert!(read >= 2 * CONTRACTS.len(), "{read} records");
}

#[test]
fn the_old_reader_takes_every_new_record_of_ours() {
    for entry in CONTRACTS.iter().filter(|entry| entry.direction == Direction::Outbound) {
        let old = json(&published(entry.name).join("schema.json"));
        let old = jsonschema::validator_for(&old).unwrap();
        let ours: Vec<_> = VALID.iter().filter(|one| one.contract == entry.name).collect();
        assert!(!ours.is_empty(), "{}", entry.name);
        for one in ours {
            let record: Value = serde_json::from_str(one.text).unwrap();
            let fault = old.validate(&record).err();
            let fault = fault.map(|error| error.to_string());
            assert_eq!(fault, None, "{}/{}", one.contract, one.name);
        }
    }
}
