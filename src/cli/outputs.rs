//! What `--json` prints, verb by verb: a version and a schema for each answer.
//!
//! `published/` holds the schemas as they were when a version was published: a
//! reader that was written against one of them understands every later answer of
//! that version.

use jiff::Timestamp;
use schemars::{JsonSchema, Schema, SchemaGenerator, generate::SchemaSettings};
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::{
    adopt, attempt, audit, backup, export, fallback, init, man, mock, pause, promote, release,
    schema, setup, validate,
};
use crate::{
    demo::Once,
    failure::{Exit, Failure},
    operate::{Health, Ready, alerts::Alert},
    pipeline::{
        Cycle, Probed, Rendered, Retried, Traced,
        compared::Difference,
        locked::{Answered, Locked},
    },
    report::{
        TextTable, Tone, View, accuracy, agreement, applied, compared, cycled, derived, drill,
        explain, fallback as fallback_view, flows, gap, intake, locked, mapping, plans, rejects,
        skew, status, target, text_table::time, verified,
    },
};
use planthread_engine::continuity::TakenBack;

/// An answer as `--json` prints it.
#[derive(Serialize)]
struct Versioned<'a, V: View> {
    output: &'static str,
    version: u32,
    #[serde(flatten)]
    view: &'a V,
}

/// The JSON of an answer, on one line.
pub(crate) fn json_of<V: View>(view: &V) -> serde_json::Result<String> {
    serde_json::to_string(&Versioned { output: V::OUTPUT, version: V::VERSION, view })
}

/// What stands on standard error when a verb stopped.
#[derive(Serialize, JsonSchema)]
pub(super) struct Stopped<'a> {
    /// When it was told, by a verb that goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) at: Option<Timestamp>,
    /// Why, and what to do about it.
    pub(super) error: &'a Failure,
}

impl View for Stopped<'_> {
    const OUTPUT: &'static str = "error";

    fn write(&self, text_table: &mut TextTable) {
        let error = text_table.tint(Tone::Bad, "error:");
        text_table.line(format!("{}{error} {}", time(self.at), self.error));
    }

    fn exit(&self) -> Exit {
        self.error.exit
    }
}

/// One kind of JSON document that a verb prints.
#[derive(Debug, Clone, Copy)]
pub struct Output {
    /// The verb; empty for what every verb may print.
    pub verb: &'static str,
    /// What stands in `output`.
    pub name: &'static str,
    /// What stands in `version`.
    pub version: u32,
    view: fn(&mut SchemaGenerator) -> Schema,
}

const fn of<V: View>(verb: &'static str) -> Output {
    Output { verb, name: V::OUTPUT, version: V::VERSION, view: V::json_schema }
}

/// Every answer of every verb. `completions` and `schema NAME` print what is no
/// answer of ours, `derive --signals` the contracts.
pub const OUTPUTS: [Output; 74] = [
    of::<Stopped<'static>>(""),
    of::<accuracy::Accuracy>("accuracy"),
    of::<adopt::Adopted>("adopt"),
    of::<agreement::Report>("agreement"),
    of::<Probed>("agreement"),
    of::<Rendered>("agreement"),
    of::<agreement::Key>("agreement"),
    of::<agreement::SignedAs>("agreement"),
    of::<applied::Deliveries>("apply"),
    of::<Difference>("asof"),
    of::<compared::AsOfView>("asof"),
    of::<attempt::Open>("attempt"),
    of::<attempt::Ended>("attempt"),
    of::<audit::Audited>("audit"),
    of::<audit::Listed>("audit"),
    of::<backup::BackupMade>("backup"),
    of::<target::Checked>("check"),
    of::<intake::Collected>("collect"),
    of::<intake::Delivered>("deliver"),
    of::<Once>("demo"),
    of::<Cycle>("demo"),
    of::<derived::DerivedLine>("derive"),
    of::<derived::Explained>("derive"),
    of::<derived::ExplainedCells>("derive"),
    of::<gap::digest::Digest>("digest"),
    of::<target::Offer>("discover"),
    of::<drill::Drilled>("drill"),
    of::<explain::Page>("explain"),
    of::<export::Exported>("export"),
    of::<fallback_view::Fallback>("fallback"),
    of::<fallback_view::PackChecked>("fallback"),
    of::<fallback::Feeding>("fallback"),
    of::<flows::Flows>("flows"),
    of::<gap::Gap>("gap"),
    of::<intake::Ingested>("ingest"),
    of::<init::Written>("init"),
    of::<Locked>("locks"),
    of::<locked::Written>("locks"),
    of::<Answered>("locks"),
    of::<man::Manual>("man"),
    of::<mapping::Covered>("map"),
    of::<mapping::Suggested>("map"),
    of::<mock::Listening>("mock"),
    of::<pause::Decided>("pause"),
    of::<plans::Plans>("plan"),
    of::<promote::Promoted>("promote"),
    of::<rejects::Rejects>("rejects"),
    of::<rejects::Decided>("rejects"),
    of::<rejects::Dismissed>("rejects"),
    of::<rejects::Believed>("rejects"),
    of::<rejects::Answered>("rejects"),
    of::<rejects::Written>("rejects"),
    of::<release::Released>("release"),
    of::<Difference>("replay"),
    of::<compared::ReplayedView>("replay"),
    of::<backup::PutBack>("restore"),
    of::<pause::Decided>("resume"),
    of::<Retried>("retry"),
    of::<Cycle>("run"),
    of::<cycled::Taken<'static>>("run"),
    of::<cycled::Walked<'static>>("run"),
    of::<Alert>("run"),
    of::<Health>("run"),
    of::<Ready>("run"),
    of::<schema::Names>("schema"),
    of::<target::Sheet>("setup"),
    of::<setup::Pushed>("setup"),
    of::<status::StatusView>("status"),
    of::<skew::Skew>("status"),
    of::<TakenBack>("take-back"),
    of::<Traced>("trace"),
    of::<applied::UndoneView>("undo"),
    of::<validate::Validated>("validate"),
    of::<verified::Verifications>("verify"),
];

impl Output {
    /// Its JSON Schema.
    #[must_use]
    pub fn schema(&self) -> Value {
        schema(&[self])
    }

    /// The same, with the two fields that every answer has, and without what it
    /// refers to.
    fn part(&self, generator: &mut SchemaGenerator) -> Value {
        let mut part = (self.view)(generator).to_value();
        if let Some(object) = part.as_object_mut() {
            say(object, "output", &json!(self.name), "Which answer it is.");
            say(object, "version", &json!(self.version), "Version of its fields.");
        }
        part
    }
}

/// Adds a field that is always there and always says `value`.
fn say(object: &mut Map<String, Value>, name: &str, value: &Value, about: &str) {
    let fields = object.entry("properties").or_insert_with(|| json!({}));
    if let Some(fields) = fields.as_object_mut() {
        fields.insert(name.to_owned(), json!({ "const": value, "description": about }));
    }
    let always = object.entry("required").or_insert_with(|| json!([]));
    if let Some(always) = always.as_array_mut() {
        always.push(name.into());
    }
}

/// The JSON Schema of each document that `verb` prints, or of one answer by its name
/// (`run once`; `error` for what stands on standard error); `None` when there is no such verb, or it has no answer of ours.
#[must_use]
pub fn schema_of(verb: &str) -> Option<Value> {
    let mut all: Vec<&Output> = OUTPUTS.iter().filter(|one| one.verb == verb).collect();
    if all.is_empty() {
        all.extend(OUTPUTS.iter().find(|one| one.name == verb));
    }
    (!all.is_empty()).then(|| schema(&all))
}

/// The JSON Schema of every document that any verb prints.
#[must_use]
pub fn everything() -> Value {
    schema(&OUTPUTS.iter().collect::<Vec<_>>())
}

fn schema(all: &[&Output]) -> Value {
    let mut generator = SchemaSettings::draft2020_12().for_serialize().into_generator();
    let mut parts: Vec<Value> = all.iter().map(|one| one.part(&mut generator)).collect();
    let mut whole = match (parts.pop(), parts.is_empty()) {
        (Some(only), true) => only,
        (last, _) => json!({ "oneOf": parts.into_iter().chain(last).collect::<Vec<_>>() }),
    };
    if let Some(object) = whole.as_object_mut() {
        object.insert("$schema".to_owned(), "https://json-schema.org/draft/2020-12/schema".into());
        object.insert("$defs".to_owned(), Value::Object(generator.take_definitions(true)));
    }
    whole
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What no other test runs the program for.
    #[test]
    fn an_answered_export_is_as_its_schema_says() {
        let view = rejects::Answered { file: "days.csv".to_owned(), retracted: 3 };
        let document: Value = serde_json::from_str(&json_of(&view).unwrap()).unwrap();
        let schema = schema_of("rejects").unwrap();
        assert!(jsonschema::is_valid(&schema, &document), "{document}");
        assert!(!jsonschema::is_valid(&schema, &json!({ "output": "rejects export" })));
    }
}
