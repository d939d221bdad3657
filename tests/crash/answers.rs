//! Every JSON document that the program prints validates against the schema that
//! `schema output VERB` prints.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

use jsonschema::Validator;
use planthread::cli::outputs::{OUTPUTS, schema_of};
use serde_json::Value;

/// The schema of an answer, and that of its verb.
type Schemas = (Validator, Validator);

static KNOWN: Mutex<BTreeMap<&'static str, Schemas>> = Mutex::new(BTreeMap::new());

/// The documents of `text`, one a line, each as it must be. What has a contract of
/// its own (the events of `derive --signals`) names no output.
#[track_caller]
pub(crate) fn valid(text: &str) -> Vec<Value> {
    let documents = text.lines().filter(|line| line.starts_with('{')).map(|line| {
        let document = serde_json::from_str(line);
        document.unwrap_or_else(|error| panic!("{error} in {line}"))
    });
    documents.inspect(assert_valid).collect()
}

#[track_caller]
fn assert_valid(document: &Value) {
    let Some(name) = document["output"].as_str() else {
        assert!(document["specversion"].is_string(), "neither answer nor event: {document}");
        return;
    };
    let output = OUTPUTS.iter().find(|output| output.name == name);
    let output = output.unwrap_or_else(|| panic!("`{name}` is no published answer"));
    let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
    let (own, of_verb) = known.entry(output.name).or_insert_with(|| {
        let verb = if output.verb.is_empty() { output.name } else { output.verb };
        [output.schema(), schema_of(verb).unwrap()]
            .map(|schema| jsonschema::validator_for(&schema).unwrap())
            .into()
    });
    let faults: Vec<String> = own
        .iter_errors(document)
        .map(|error| format!("{}: {error}", error.instance_path()))
        .collect();
    assert!(faults.is_empty(), "{name}: {faults:#?}\n{document}");
    assert!(of_verb.is_valid(document), "{name} is none of the answers of its verb\n{document}");
}
