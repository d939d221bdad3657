//! Every shared example does what it says: rules, schema and folder agree.

use std::{collections::BTreeSet, fs, path::Path};

use serde_json::{Value, json};

use planthread_contracts::{CONTRACTS, CloudEvent, Direction, TwinOutput, catalogue};

use crate::examples::{INVALID, VALID};

fn json(text: &str) -> Value {
    serde_json::from_str(text).expect("examples are JSON")
}

#[test]
fn every_contract_has_examples() {
    for entry in &CONTRACTS {
        let good = VALID.iter().filter(|one| one.contract == entry.name).count();
        let bad = INVALID.iter().filter(|one| one.contract == entry.name).count();
        assert!(good >= 2 && bad >= 3, "{}: {good} valid, {bad} invalid", entry.name);
    }
}

#[test]
fn valid_examples_pass_rules_and_schema() {
    for one in VALID {
        let entry = catalogue::find(one.contract).unwrap();
        let value = json(one.text);
        let found = (entry.check)(&value);
        assert!(found.is_empty(), "{}/{}: {found:?}", one.contract, one.name);
        let schema = jsonschema::validator_for(&(entry.schema)()).unwrap();
        let fault = schema.validate(&value).err().map(|error| error.to_string());
        assert_eq!(fault, None, "{}/{}", one.contract, one.name);
    }
}

#[test]
fn invalid_examples_are_refused_by_path() {
    for one in INVALID {
        let entry = catalogue::find(one.contract).unwrap();
        let found = (entry.check)(&json(one.text));
        let expect = json(one.expect);
        let hit = found.iter().any(|violation| {
            let words = format!("{} {}", violation.reason, violation.cure);
            violation.path == expect["path"]
                && words.contains(expect["reason"].as_str().unwrap())
                && !violation.cure.is_empty()
        });
        assert!(hit, "{}/{}: {found:#?}", one.contract, one.name);
        assert_eq!(found.len(), 1, "one fault an example: {}/{}", one.contract, one.name);
    }
}

/// What the schema can say, it says: the shape faults are refused without
/// our decoder too.
#[test]
fn the_schema_alone_refuses_faults_of_shape() {
    for (contract, name) in [
        ("oee", "ratio-instead-of-elements"),
        ("oee", "unknown-unit"),
        ("throughput", "basis-missing"),
        ("availability-forecast", "quantile-letter"),
        ("production-state", "vendor-state"),
        ("envelope", "old-version"),
    ] {
        let one = INVALID.iter().find(|one| (one.contract, one.name) == (contract, name));
        let schema = (catalogue::find(contract).unwrap().schema)();
        let text = one.unwrap().text;
        assert!(!jsonschema::validator_for(&schema).unwrap().is_valid(&json(text)), "{name}");
    }
}

#[test]
fn inbound_examples_arrive_in_an_envelope() {
    for one in VALID.iter().filter(|one| one.contract != "envelope") {
        let entry = catalogue::find(one.contract).unwrap();
        let event = json!({"specversion": "1.0", "id": one.name, "source": "urn:twin:test",
            "type": entry.event_type, "data": json(one.text)});
        let event = CloudEvent::parse(event.to_string().as_bytes()).unwrap();
        let output = TwinOutput::from_event(&event);
        assert_eq!(output.is_ok(), entry.direction == Direction::Inbound, "{}", one.name);
    }
    let broken = INVALID.iter().find(|one| one.name == "negative-time").unwrap();
    let event = CloudEvent::new("s", "1", "planthread.oee.v1", json(broken.text));
    assert_eq!(TwinOutput::from_event(&event).unwrap_err()[0].path, "data.apt_s");
}

#[test]
fn tables_and_folders_agree() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut on_disk = BTreeSet::new();
    for kind in ["valid", "invalid"] {
        for folder in fs::read_dir(root.join(kind)).unwrap().map(Result::unwrap) {
            for file in fs::read_dir(folder.path()).unwrap().map(Result::unwrap) {
                let contract = folder.file_name().into_string().unwrap();
                on_disk.insert((kind, contract, file.file_name().into_string().unwrap()));
            }
        }
    }
    let good = VALID.iter().map(|one| ("valid", one.contract, format!("{}.json", one.name)));
    let bad = INVALID.iter().flat_map(|one| {
        ["json", "expect.json"].map(|end| ("invalid", one.contract, format!("{}.{end}", one.name)))
    });
    let listed: BTreeSet<_> =
        good.chain(bad).map(|(kind, contract, file)| (kind, contract.to_owned(), file)).collect();
    assert_eq!(on_disk, listed);
}
