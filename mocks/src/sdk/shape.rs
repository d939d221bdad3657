//! The shape of a configured target, in words that any vendor's sandbox can read.
//!
//! It is filled from a configuration, so that a team rehearses against its own
//! names before it has a tenant. Credentials are no part of it.

use planthread_contracts::{Carries, MeasureDecl, Scope, Unit};
use serde_json::Value;

/// What a sandbox is to look like.
#[derive(Debug, Clone, PartialEq)]
pub struct SandboxShape {
    /// The target's name in the configuration.
    pub target: String,
    /// The scope that the target writes.
    pub scope: Scope,
    /// The connector's settings: the names that a tenant gives to things stand
    /// there, under the paths of the connector's published schema.
    pub settings: Value,
    /// What lands, with the names of the target.
    pub measures: Vec<MeasureDecl>,
    /// The measure that drives the target's plan, as the target calls it.
    pub driver: Option<String>,
    /// The measure that holds the load of the target's plan, as the target calls it.
    pub load: Option<String>,
    /// Our measure that should drive it, as the target calls it.
    pub driven_by: Option<String>,
    /// How: `none`, `job`, `calculation`, `direct`.
    pub wiring: String,
    /// The resources, with their locations.
    pub resources: Vec<ShapeResource>,
}

/// A resource of the target.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct ShapeResource {
    /// Its name.
    pub resource: String,
    /// Where it stands.
    pub location: String,
    /// What people call it; may be empty.
    pub description: String,
}

impl ShapeResource {
    /// `count` resources of the demo plant: odd ones at 1010, even ones at 1020.
    pub fn demo(count: u64) -> impl Iterator<Item = Self> {
        (1..=count).map(|n| Self {
            resource: format!("LINE-{n}"),
            location: if n % 2 == 1 { "1010" } else { "1020" }.to_owned(),
            description: format!("Assembly line {n}"),
        })
    }
}

/// A file of resources can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct ShapeError {
    /// Line in the file; the header is 1.
    pub line: u64,
    /// What is wrong, and what would be right.
    pub reason: String,
}

impl SandboxShape {
    /// The text that stands in the settings under a path such as
    /// `attributes.resource`; `None` where none is given.
    #[must_use]
    pub fn setting(&self, path: &str) -> Option<&str> {
        let found = path.split('.').try_fold(&self.settings, |value, key| value.get(key));
        found.and_then(Value::as_str).filter(|text| !text.is_empty())
    }

    /// The unit of the plan's capacity: that of the measure that drives it, else that of
    /// ours; hours where nothing says so.
    #[must_use]
    pub fn unit(&self) -> Unit {
        let drives = |measure: &&MeasureDecl| Some(&measure.surface) == self.driver.as_ref();
        let ours = |measure: &&MeasureDecl| {
            matches!(measure.carries, Carries::PlanCut | Carries::AttainableClockHours)
        };
        let found = self.measures.iter().find(drives).or_else(|| self.measures.iter().find(ours));
        found.map_or(Unit::Hour, |measure| measure.unit)
    }

    /// The resources of a shape, or `demo` ones of the demo plant where there is none.
    #[must_use]
    pub(crate) fn resources_or_demo(shape: Option<&Self>, demo: u64) -> Vec<ShapeResource> {
        shape.map_or_else(|| ShapeResource::demo(demo).collect(), |shape| shape.resources.clone())
    }

    /// Adds resources; one that is there keeps its place and may get a
    /// description.
    pub fn add(&mut self, more: Vec<ShapeResource>) {
        for one in more {
            let known = self
                .resources
                .iter_mut()
                .find(|known| known.resource == one.resource && known.location == one.location);
            match known {
                Some(known) if known.description.is_empty() => known.description = one.description,
                Some(_) => {}
                None => self.resources.push(one),
            }
        }
    }
}

/// Reads resources from CSV: `resource`, `location`, and `description` if it is
/// there, in any order; other columns are left alone.
///
/// # Errors
/// When a column is missing, or a row has no resource or location.
pub fn read_resources(text: &str) -> Result<Vec<ShapeResource>, ShapeError> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let broken = |line: u64, error: &csv::Error| {
        let line = error.position().map_or(line, csv::Position::line);
        ShapeError { line, reason: format!("is no CSV: {error}") }
    };
    let header = reader.headers().map_err(|error| broken(1, &error))?.clone();
    let at = |name: &str| header.iter().position(|column| column.eq_ignore_ascii_case(name));
    let needed = |name: &str| {
        at(name).ok_or_else(|| ShapeError {
            line: 1,
            reason: format!("has no column `{name}`: write resource,location,description"),
        })
    };
    let (resource, location, description) =
        (needed("resource")?, needed("location")?, at("description"));
    let mut found = Vec::new();
    for (n, record) in reader.records().enumerate() {
        let record = record.map_err(|error| broken(n as u64 + 2, &error))?;
        let line = record.position().map_or(n as u64 + 2, csv::Position::line);
        let field = |column: usize| record.get(column).unwrap_or_default().to_owned();
        let one = ShapeResource {
            resource: field(resource),
            location: field(location),
            description: description.map(field).unwrap_or_default(),
        };
        if one.resource.is_empty() || one.location.is_empty() {
            let reason = "names no resource, or no location".to_owned();
            return Err(ShapeError { line, reason });
        }
        found.push(one);
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_may_stand_in_any_order_and_a_description_may_be_absent() {
        let one = |description: &str| ShapeResource {
            resource: "PRS-1".into(),
            location: "1010".into(),
            description: description.into(),
        };
        let read = read_resources("location,plant,Description,RESOURCE\n1010,x, Press 1 ,PRS-1\n");
        assert_eq!(read.unwrap(), [one("Press 1")]);
        assert_eq!(read_resources("resource,location\nPRS-1,1010\n").unwrap(), [one("")]);
    }

    #[test]
    fn a_fault_names_its_line() {
        for (text, line, says) in [
            ("resource,plant\nA,1\n", 1, "`location`"),
            ("resource,location\nA,1010\n,1010\n", 3, "no resource"),
            ("resource,location\nA,1010\nB\n", 3, "no CSV"),
        ] {
            let error = read_resources(text).unwrap_err();
            assert_eq!(error.line, line, "{error}");
            assert!(error.reason.contains(says), "{error}");
        }
    }
}
