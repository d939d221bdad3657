//! Mapped: by which mapping the cells of a target were made, and what was changed
//! in it since: from what and to what, so that a plan can say it.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{Reader, error::Result, store::codec};

/// What the cells of a target depend on besides the facts, in short texts: part
/// (`rows`, `measures`, anything else for all cells), name, field.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Mapped(pub BTreeMap<String, BTreeMap<String, BTreeMap<String, String>>>);

/// One change of the mapping.
#[derive(Debug, Clone, PartialEq, Eq, JsonSchema, Serialize, Deserialize)]
pub struct Edit {
    /// `rows`, `measures`, or what else it is part of.
    pub part: String,
    /// Which of them: a place (`resource@location`), a measure, ...
    pub name: String,
    /// Its field.
    pub field: String,
    /// What it was; empty when it is new.
    pub from: String,
    /// What it is; empty when it is gone.
    pub to: String,
}

/// The mapping in force, and what was changed in it the last time.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Remapped {
    /// The mapping in force.
    #[serde(skip)]
    pub held: Mapped,
    /// The last changes.
    pub edits: Vec<Edit>,
    /// The instant that the first cells after them speak for.
    pub since: Timestamp,
}

impl Remapped {
    /// Digest of the mapping in force: 16 hex digits.
    #[must_use]
    pub fn digest(&self) -> String {
        // Maps in order of their keys: the same mapping is the same text.
        let text = serde_json::to_vec(&self.held.told()).unwrap_or_default();
        codec::hex(&Sha256::digest(text)[..8])
    }
}

/// By which mapping the cells of a target were made; `None` before the first.
///
/// # Errors
/// When the state can't be read.
pub fn remapped(reader: &Reader, target: &str) -> Result<Option<Remapped>> {
    reader.db().mapped(target)
}

/// What was changed in the mapping of a target, the oldest first, each with the ledger's
/// counter before the cells were taken in that were made by it.
///
/// # Errors
/// When the state can't be read.
pub fn edited(reader: &Reader, target: &str) -> Result<Vec<(u64, Vec<Edit>)>> {
    reader.db().edited(target)
}

/// The part whose names are places.
pub const ROWS: &str = "rows";
/// The part whose names are measures.
pub const MEASURES: &str = "measures";
/// The part that no plan tells: how the target is written, as a digest.
pub const ENCODING: &str = "encoding";

/// What the cells of a target depend on, one by one.
pub(crate) struct Behind<'a> {
    mapped: &'a Mapped,
    /// Of what all of them depend on.
    all: Sha256,
}

impl Behind<'_> {
    /// Digest of what the cells of `measure` at `place` depend on: 16 hex digits.
    pub(crate) fn of(&self, place: &str, measure: &str) -> String {
        let mut digest = self.all.clone();
        for (part, name) in [(ROWS, place), (MEASURES, measure)] {
            let fields = self.mapped.0.get(part).and_then(|names| names.get(name));
            digest.update(serde_json::to_vec(&fields).unwrap_or_default());
        }
        codec::hex(&digest.finalize()[..8])
    }
}

impl Mapped {
    /// Notes a field.
    pub fn put(&mut self, part: &str, name: &str, field: &str, value: impl fmt::Display) {
        let names = self.0.entry(part.to_owned()).or_default();
        names.entry(name.to_owned()).or_default().insert(field.to_owned(), value.to_string());
    }

    /// Without the part that no plan tells.
    fn told(&self) -> BTreeMap<&String, &BTreeMap<String, BTreeMap<String, String>>> {
        self.0.iter().filter(|(part, _)| *part != ENCODING).collect()
    }

    /// What the cells depend on, one by one.
    pub(crate) fn behind(&self) -> Behind<'_> {
        let all = |part: &&String| ![ROWS, MEASURES].contains(&part.as_str());
        let parts: BTreeMap<_, _> = self.0.iter().filter(|(part, _)| all(part)).collect();
        let text = serde_json::to_vec(&parts).unwrap_or_default();
        Behind { mapped: self, all: Sha256::new_with_prefix(text) }
    }

    /// What is different in `self` since `before`, in order; how the target is written
    /// is not told.
    #[must_use]
    pub fn edits(&self, before: &Self) -> Vec<Edit> {
        let mut edits = Vec::new();
        let (now, then) = (self.fields(), before.fields());
        for (key, to) in &now {
            let from = then.get(key).copied().unwrap_or_default();
            if from != *to {
                edits.push(Edit::new(*key, from, to));
            }
        }
        for (key, from) in then.iter().filter(|(key, _)| !now.contains_key(*key)) {
            edits.push(Edit::new(*key, from, ""));
        }
        edits
    }

    fn fields(&self) -> BTreeMap<(&str, &str, &str), &str> {
        let names = self.told().into_iter().flat_map(|(part, names)| {
            names.iter().map(move |(name, fields)| (part.as_str(), name.as_str(), fields))
        });
        names
            .flat_map(|(part, name, fields)| {
                fields
                    .iter()
                    .map(move |(field, value)| ((part, name, field.as_str()), value.as_str()))
            })
            .collect()
    }
}

impl Edit {
    fn new((part, name, field): (&str, &str, &str), from: &str, to: &str) -> Self {
        Self {
            part: part.to_owned(),
            name: name.to_owned(),
            field: field.to_owned(),
            from: from.to_owned(),
            to: to.to_owned(),
        }
    }

    /// Whether it can move the cells of `measure` at `place`.
    #[must_use]
    pub fn touches(&self, place: &str, measure: &str) -> bool {
        match self.part.as_str() {
            ROWS => self.name == place,
            MEASURES => self.name == measure,
            _ => true,
        }
    }
}

/// `measures live: unit was HUR, is MIN`
impl fmt::Display for Edit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { part, name, field, from, to } = self;
        write!(f, "{part} {name}: ")?;
        match (from.is_empty(), to.is_empty()) {
            (true, _) => write!(f, "{field} is {to}, and was not there"),
            (_, true) => write!(f, "{field} was {from}, and is gone"),
            _ => write!(f, "{field} was {from}, is {to}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mapped(unit: &str, source: &str) -> Mapped {
        let mut mapped = Mapped::default();
        mapped.put(MEASURES, "live", "unit", unit);
        mapped.put(ROWS, "LINE-1@1010", "source", source);
        mapped
    }

    #[test]
    fn a_change_is_told_with_what_it_was_and_touches_only_its_cells() {
        let before = mapped("HUR", "M1");
        assert_eq!(before.edits(&before), []);
        let edits = mapped("MIN", "M2").edits(&before);
        let words: Vec<String> = edits.iter().map(Edit::to_string).collect();
        assert_eq!(
            words,
            ["measures live: unit was HUR, is MIN", "rows LINE-1@1010: source was M1, is M2"]
        );
        assert!(edits[0].touches("LINE-9@1010", "live") && !edits[0].touches("LINE-1@1010", "low"));
        assert!(edits[1].touches("LINE-1@1010", "low") && !edits[1].touches("LINE-9@1010", "low"));
        let gone = Mapped::default().edits(&before);
        assert!(gone[1].to_string().ends_with("source was M1, and is gone"), "{gone:?}");
    }
}
