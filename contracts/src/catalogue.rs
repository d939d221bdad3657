//! The catalogue of all contracts: names, types, schemas, checks.
//!
//! A contract that is not in [`CONTRACTS`] does not exist: schemas, examples
//! and the compatibility check walk this table.

use jiff::Timestamp;
use schemars::{JsonSchema, generate::SchemaSettings};
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::{
    AvailableCapacity, CloudEvent, ConstraintSeverity, MaintenanceRiskHorizon,
    outputs::{
        availability_forecast::AvailabilityForecast, constraint_map::ConstraintMap, oee::Oee,
        production_state::ProductionState, simulation_result::SimulationResult,
        throughput::Throughput,
    },
    violation::{Violation, join},
};

/// A record with a published schema and rules beyond it.
pub trait Contract: DeserializeOwned + JsonSchema {
    /// All broken rules, with paths from the record's root.
    fn violations(&self) -> Vec<Violation>;
}

/// Which way the records of a contract go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// A twin writes, Planthread reads.
    Inbound,
    /// Planthread writes, others read.
    Outbound,
}

/// One contract of the catalogue.
#[derive(Debug, Clone, Copy)]
pub struct Entry {
    /// The name in file names: `availability-forecast`.
    pub name: &'static str,
    /// The CloudEvents type; empty for the envelope itself.
    pub event_type: &'static str,
    /// Which way it goes.
    pub direction: Direction,
    /// All violations of a JSON value: shape first, then rules.
    pub check: fn(&Value) -> Vec<Violation>,
    /// Its JSON Schema (draft 2020-12).
    pub schema: fn() -> Value,
}

const fn entry<T: Contract>(
    name: &'static str,
    event_type: &'static str,
    direction: Direction,
) -> Entry {
    Entry { name, event_type, direction, check: check::<T>, schema: schema::<T> }
}

/// Every contract: six twin outputs, three planning signals, the envelope.
pub const CONTRACTS: [Entry; 10] = [
    entry::<Oee>("oee", "planthread.oee.v1", Direction::Inbound),
    entry::<Throughput>("throughput", "planthread.throughput.v1", Direction::Inbound),
    entry::<AvailabilityForecast>(
        "availability-forecast",
        "planthread.availability-forecast.v1",
        Direction::Inbound,
    ),
    entry::<ConstraintMap>("constraint-map", "planthread.constraint-map.v1", Direction::Inbound),
    entry::<SimulationResult>(
        "simulation-result",
        "planthread.simulation-result.v1",
        Direction::Inbound,
    ),
    entry::<ProductionState>(
        "production-state",
        "planthread.production-state.v1",
        Direction::Inbound,
    ),
    entry::<AvailableCapacity>(
        "available-capacity",
        "planthread.available-capacity.v1",
        Direction::Outbound,
    ),
    entry::<ConstraintSeverity>(
        "constraint-severity",
        "planthread.constraint-severity.v1",
        Direction::Outbound,
    ),
    entry::<MaintenanceRiskHorizon>(
        "maintenance-risk-horizon",
        "planthread.maintenance-risk-horizon.v1",
        Direction::Outbound,
    ),
    Entry {
        name: "envelope",
        event_type: "",
        direction: Direction::Inbound,
        check: |value| CloudEvent::from_value(value.clone()).err().unwrap_or_default(),
        schema: schema_of::<CloudEvent>,
    },
];

/// Finds a contract by its name (`oee`) or type (`planthread.oee.v1`).
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    const ALL: &[Entry] = &CONTRACTS;
    ALL.iter().find(|entry| {
        entry.name == name || (!entry.event_type.is_empty() && entry.event_type == name)
    })
}

/// All published schemas: file name and text, in the order of the catalogue.
#[must_use]
pub fn schemas() -> Vec<(String, String)> {
    CONTRACTS
        .iter()
        .map(|entry| {
            let text = format!("{:#}\n", (entry.schema)());
            (format!("{}.v1.schema.json", entry.name), text)
        })
        .collect()
}

/// Decodes a record and checks its rules.
///
/// # Errors
///
/// The first fault of shape, or all broken rules.
pub fn decode<T: Contract>(value: &Value) -> Result<T, Vec<Violation>> {
    let record: T = serde_path_to_error::deserialize(value).map_err(|error| vec![fault(&error)])?;
    let found = record.violations();
    if found.is_empty() { Ok(record) } else { Err(found) }
}

fn check<T: Contract>(value: &Value) -> Vec<Violation> {
    decode::<T>(value).err().unwrap_or_default()
}

fn schema<T: Contract>() -> Value {
    schema_of::<T>()
}

fn schema_of<T: JsonSchema>() -> Value {
    let generator = SchemaSettings::draft2020_12().into_generator();
    let mut schema = generator.into_root_schema_for::<T>().to_value();
    // Sorted here, because another crate of a build may ask the JSON library to
    // keep insertion order, and a published text must not depend on that.
    schema.sort_all_objects();
    schema
}

/// Turns a decoder's error into words with a cure.
fn fault(error: &serde_path_to_error::Error<serde_json::Error>) -> Violation {
    let reason = error.inner().to_string();
    let mut path = match error.path().to_string() {
        root if root == "." => String::new(),
        path => path,
    };
    if let Some(name) = reason.strip_prefix("missing field `").and_then(|it| it.split('`').next()) {
        path = join(&path, name);
    }
    let field = path.rsplit('.').next().unwrap_or_default();
    let cure = if reason.starts_with("missing field") {
        "send the field; what is not known has no default"
    } else if reason.starts_with("unknown field") && is_quantile_letter(field, &reason) {
        "quantile letters mean opposite things: send {probability_not_exceeded, value}"
    } else if reason.starts_with("unknown field") {
        "correct the spelling; version 1 takes no other fields"
    } else if reason.starts_with("unknown variant") {
        "use one of the words in the list"
    } else if reason.starts_with("unknown unit") {
        "ratios are fractions 0..1 with unit C62; percent is not a unit here"
    } else if looks_like_time(&reason) {
        "send date, time and offset, such as 2026-10-25T23:00:00Z; a time without offset \
         is never guessed"
    } else {
        "send the type that the schema names"
    };
    Violation::new(path, reason, cure)
}

fn is_quantile_letter(field: &str, reason: &str) -> bool {
    let named = reason.split('`').nth(1).unwrap_or(field);
    named.strip_prefix(['p', 'P', 'q', 'Q']).is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || c == '_')
    })
}

/// The decoder of instants names the type it wanted, or fails like the same
/// text parsed as an instant does.
fn looks_like_time(reason: &str) -> bool {
    let sample = "x".parse::<Timestamp>().map_err(|error| error.to_string());
    reason.contains("timestamp")
        || reason.contains("offset")
        || sample.is_err_and(|text| text == reason)
}

/// Implements [`Contract`] by the record's own `validate`.
mod rules {
    use super::*;

    impl Contract for Oee {
        fn violations(&self) -> Vec<Violation> {
            self.validate()
        }
    }
    impl Contract for Throughput {
        fn violations(&self) -> Vec<Violation> {
            self.validate()
        }
    }
    impl Contract for AvailabilityForecast {
        fn violations(&self) -> Vec<Violation> {
            self.validate()
        }
    }
    impl Contract for ConstraintMap {
        fn violations(&self) -> Vec<Violation> {
            self.validate()
        }
    }
    impl Contract for SimulationResult {
        fn violations(&self) -> Vec<Violation> {
            self.validate()
        }
    }
    impl Contract for ProductionState {
        fn violations(&self) -> Vec<Violation> {
            self.validate()
        }
    }
    impl Contract for AvailableCapacity {
        fn violations(&self) -> Vec<Violation> {
            self.validate()
        }
    }
    impl Contract for ConstraintSeverity {
        fn violations(&self) -> Vec<Violation> {
            self.validate()
        }
    }
    impl Contract for MaintenanceRiskHorizon {
        fn violations(&self) -> Vec<Violation> {
            self.validate()
        }
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    #[test]
    fn names_and_types_agree() {
        for entry in &CONTRACTS {
            if entry.name != "envelope" {
                assert_eq!(entry.event_type, format!("planthread.{}.v1", entry.name));
                assert_eq!(find(entry.event_type).unwrap().name, entry.name);
            }
            assert_eq!(find(entry.name).unwrap().name, entry.name);
        }
        assert!(find("").is_none());
    }

    #[test]
    fn a_bound_of_the_reader_stands_in_the_schema() {
        let schema = |name: &str| {
            let path = format!("{}/schema/{name}.v1.schema.json", env!("CARGO_MANIFEST_DIR"));
            serde_json::from_str::<Value>(&fs::read_to_string(path).unwrap()).unwrap().to_string()
        };
        let bounded = |name: &str, field: &str, bounds: &str| {
            let text = schema(name);
            let at = text.find(&format!("\"{field}\":{{")).unwrap();
            let end = at + text[at..].find('}').unwrap();
            for bound in bounds.split(' ') {
                assert!(text[at..end].contains(bound), "{name} {field}: {}", &text[at..end]);
            }
        };
        bounded("oee", "pbt_s", "\"minimum\":0");
        bounded("constraint-map", "share_sole", "\"minimum\":0 \"maximum\":1");
        bounded("availability-forecast", "failure_probability", "\"minimum\":0 \"maximum\":1");
    }

    /// Writes the fresh schemas when `PLANTHREAD_UPDATE=1`, and fails when the
    /// committed ones differ.
    #[test]
    fn published_schemas_are_fresh() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schema");
        let update = std::env::var_os("PLANTHREAD_UPDATE").is_some_and(|value| value == "1");
        let mut expected: Vec<String> = Vec::new();
        for (file, fresh) in schemas() {
            let path = folder.join(&file);
            if update {
                fs::create_dir_all(&folder).unwrap();
                fs::write(&path, &fresh).unwrap();
            }
            let published = fs::read_to_string(&path).unwrap_or_default();
            assert!(published == fresh, "{file} is stale: PLANTHREAD_UPDATE=1 cargo test");
            expected.push(file);
        }
        let mut found: Vec<String> = fs::read_dir(&folder)
            .unwrap()
            .map(|file| file.unwrap().file_name().into_string().unwrap())
            .collect();
        found.sort();
        expected.sort();
        assert_eq!(found, expected, "a file without a contract, or the other way round");
    }
}
