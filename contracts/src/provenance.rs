//! Provenance and quality: which twin said so, from what, and how well seen.

use jiff::Timestamp;
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::violation::{Check, Violation};

/// The four kinds of digital twin.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum TwinKind {
    /// One machine or tool.
    Asset,
    /// A flow of work over several resources.
    Process,
    /// Key figures over assets and processes.
    Performance,
    /// A product's or an order's thread through the plant.
    Thread,
}

/// Names a model and its version.
#[derive(
    Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(deny_unknown_fields)]
pub struct ModelRef {
    /// The model, as the twin calls it.
    pub id: String,
    /// Its version.
    pub version: String,
}

/// What a twin says about itself with every output.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TwinSource {
    /// The twin instance, stable over restarts.
    pub twin_id: String,
    /// Its kind.
    pub twin_kind: TwinKind,
    /// The model behind the numbers; absent for plain readings.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<ModelRef>,
    /// The run of the model, where the twin numbers its runs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub run_id: Option<String>,
    /// Digest of the input that the twin used, where it computes one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub input_digest: Option<String>,
    /// Last instant of observation that went in.
    pub observed_until: Timestamp,
}

/// The recipe of a derived signal: the same recipe gives the same signal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Provenance {
    /// The twins whose outputs went in; empty only when nothing but the
    /// calendar is known.
    pub sources: Vec<TwinSource>,
    /// Digest of the journal records that went in (hexadecimal SHA-256).
    pub input_window: String,
    /// Last instant of observation that went in; absent without observation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub observed_until: Option<Timestamp>,
    /// Version of the derivation rules.
    pub rules_version: String,
    /// Version (digest) of the mapping and of the state maps.
    pub mapping_version: String,
    /// Version of the time zone database: rule changes move future periods.
    pub tzdb_version: String,
}

/// How good the worst observation was.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum QualityLevel {
    /// Trustworthy.
    Good,
    /// Usable with care.
    Uncertain,
    /// Observed, but too old.
    Stale,
    /// Not usable.
    Bad,
}

/// An interval in which nothing was observed. Lost telemetry is a gap, never
/// downtime.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Gap {
    /// First instant without observation.
    pub start: Timestamp,
    /// First instant with observation again.
    pub end: Timestamp,
}

/// How well the input of a number was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Quality {
    /// Observed scheduled time / scheduled time, a fraction 0..1.
    #[schemars(range(min = 0, max = 1))]
    pub coverage: Decimal,
    /// The worst level inside the input window.
    pub worst: QualityLevel,
    /// The intervals that are missing, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
}

impl TwinSource {
    /// All broken rules.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut check = Check::default();
        check.text("twin_id", &self.twin_id);
        if let Some(model) = &self.model {
            check.text("model.id", &model.id);
            check.text("model.version", &model.version);
        }
        check.opt_text("run_id", self.run_id.as_deref());
        check.opt_text("input_digest", self.input_digest.as_deref());
        check.done()
    }
}

impl Provenance {
    /// All broken rules: a recipe that can't be repeated is none.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut check = Check::default();
        for (i, source) in self.sources.iter().enumerate() {
            check.part(&format!("sources[{i}]"), source.validate());
            if self.observed_until.is_none_or(|until| until < source.observed_until) {
                check.fail(
                    "observed_until",
                    format!("is before the observation of sources[{i}]"),
                    "state the last instant of all sources",
                );
            }
        }
        check.text("input_window", &self.input_window);
        check.text("rules_version", &self.rules_version);
        check.text("mapping_version", &self.mapping_version);
        check.text("tzdb_version", &self.tzdb_version);
        check.done()
    }
}

impl Quality {
    /// Seen completely, and good.
    #[must_use]
    pub const fn full() -> Self {
        Self { coverage: Decimal::ONE, worst: QualityLevel::Good, gaps: Vec::new() }
    }

    /// Nothing was seen.
    #[must_use]
    pub const fn none() -> Self {
        Self { coverage: Decimal::ZERO, worst: QualityLevel::Bad, gaps: Vec::new() }
    }

    /// All broken rules.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut check = Check::default();
        check.fraction("coverage", self.coverage);
        for (i, gap) in self.gaps.iter().enumerate() {
            check.ordered(&format!("gaps[{i}].end"), gap.start, gap.end);
            let before = i.checked_sub(1).and_then(|before| self.gaps.get(before));
            if before.is_some_and(|before| gap.start < before.end) {
                check.fail(
                    &format!("gaps[{i}].start"),
                    "overlaps the gap before",
                    "unite overlapping gaps, so that no hour counts twice",
                );
            }
        }
        check.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn overlapping_gaps_are_named() {
        let gap = |start: &str, end: &str| Gap {
            start: start.parse().unwrap(),
            end: end.parse().unwrap(),
        };
        let quality = Quality {
            gaps: vec![
                gap("2026-10-19T00:00:00Z", "2026-10-19T02:00:00Z"),
                gap("2026-10-19T01:00:00Z", "2026-10-19T03:00:00Z"),
            ],
            ..Quality::full()
        };
        assert_eq!(quality.validate()[0].path, "gaps[1].start");
        assert_eq!(Quality::none().validate(), []);
    }
}
