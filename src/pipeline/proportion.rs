//! Proportion: what is held because it looks like the fault of a mapping, who
//! answered for it, and what was changed in the mapping.
//!
//! An answer stands in the state folder, one file each, so that it can be written
//! while a bridge runs, and read by whoever audits it.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};
use planthread_domain::model::Plant;
use planthread_engine::{
    Reader,
    ledger::mapped::{Edit, remapped},
    plan::{
        self,
        plausible::{Answer, Asked, Fault, Noted},
    },
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::{OpenTarget, policy, records};
use crate::{
    config::{Loaded, Target},
    failure::Failure,
};

/// How long a plan names what was changed in the mapping.
const TOLD: SignedDuration = SignedDuration::from_hours(7 * 24);

/// What is out of proportion at one target.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct Proportion {
    /// The configured target.
    pub target: String,
    /// What waits for a named person.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<Asked>,
    /// What is worth a word beside it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub noted: Vec<Noted>,
    /// What was changed in the mapping lately.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub edits: Vec<Edit>,
    /// Digest of the mapping, which an answer names.
    #[serde(skip)]
    pub mapping: String,
}

impl Proportion {
    /// What is out of proportion at `target` at `at`; costs only reads.
    ///
    /// # Errors
    /// When the state or a record can't be read.
    pub fn of(
        loaded: &Loaded,
        reader: &Reader,
        target: &OpenTarget,
        at: Timestamp,
    ) -> Result<Self, Failure> {
        let policy = policy::policy(loaded, target, at)?;
        let plan::Questions { verdicts, mapping } = plan::questions(reader, &policy)?;
        let lately =
            remapped(reader, &target.name)?.filter(|mapped| at.duration_since(mapped.since) < TOLD);
        Ok(Self {
            target: target.name.clone(),
            asked: verdicts.asked,
            noted: verdicts.noted,
            edits: lately.map(|mapped| mapped.edits).unwrap_or_default(),
            mapping,
        })
    }

    /// Whether there is nothing to say.
    #[must_use]
    pub const fn is_quiet(&self) -> bool {
        self.asked.is_empty() && self.noted.is_empty() && self.edits.is_empty()
    }

    /// The questions about `measure` that look like `fault`; about all measures where it is
    /// called `all`.
    ///
    /// # Errors
    /// When nobody is asked that; the message says what is.
    pub fn questions(&self, measure: &str, fault: Fault) -> Result<Vec<&Asked>, Failure> {
        let meant = |one: &&Asked| one.measure == measure || measure == "all";
        let found = self.asked.iter().filter(|one| one.fault == fault).filter(meant);
        let found: Vec<&Asked> = found.collect();
        if found.is_empty() {
            let open: Vec<String> = self
                .asked
                .iter()
                .map(|one| format!("{} {}", one.measure, one.fault.word()))
                .collect();
            let open = if open.is_empty() { "none".to_owned() } else { open.join(", ") };
            let what = format!("nothing of `{measure}` waits for `{}`", fault.word());
            let cure = format!("open questions at {}: {open}", self.target);
            return Err(Failure::usage(what).cure(cure));
        }
        Ok(found)
    }
}

fn folder(state: &Path, target: &str) -> PathBuf {
    state.join("answers").join(target)
}

/// What people have answered at `target`.
///
/// # Errors
/// When a record can't be read.
pub(super) fn answers(state: &Path, target: &str) -> Result<Vec<Answer>, Failure> {
    records::read(&folder(state, target), Answer::read)
}

/// Keeps an answer for `target`, and says where.
///
/// # Errors
/// When the record leaves something empty, or can't be written.
pub fn answer(
    state: &Path,
    target: &str,
    answer: &Answer,
    now: Timestamp,
) -> Result<PathBuf, Failure> {
    let record = serde_json::to_string(answer)
        .map_err(|error| Failure::internal(format!("an answer: {error}")))?;
    Answer::read(&record).map_err(|error| Failure::usage(error.to_string()))?;
    records::keep(&folder(state, target), &record, now)
}

/// How many units of each place of the target work side by side, by their shares.
pub(super) fn units(plant: &Plant, target: &Target) -> BTreeMap<String, Decimal> {
    let mut units: BTreeMap<String, Decimal> = BTreeMap::new();
    for row in &target.mapping.rows {
        let place = plan::place_name(&row.resource, &row.location, row.product.as_deref());
        let of_source = plant.resource(&row.source).map_or(1, |resource| resource.parallel_units);
        *units.entry(place).or_default() += Decimal::from(of_source) * row.share;
    }
    units
}
