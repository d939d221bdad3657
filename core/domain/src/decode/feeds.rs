//! Which figures a kept record feeds, and which record feeds none.

use std::borrow::Cow;

use schemars::JsonSchema;
use serde::Serialize;

use super::{Facts, Foretold};
use crate::model::SourceFormat;

/// What becomes of a record that was understood.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
pub struct Feeds {
    /// The contract's name, or the kind of rows.
    pub kind: &'static str,
    /// The figures that it feeds; none when it is only kept.
    pub figures: Cow<'static, [&'static str]>,
    /// Why it feeds none, or which part of it does not.
    #[serde(skip_serializing_if = "str::is_empty")]
    pub note: Cow<'static, str>,
}

impl Feeds {
    pub(super) fn figures(kind: &'static str, figures: &'static [&'static str]) -> Self {
        Self { kind, figures: figures.into(), note: "".into() }
    }

    pub(super) fn nothing(kind: &'static str, why: impl Into<Cow<'static, str>>) -> Self {
        Self { kind, figures: (&[]).into(), note: why.into() }
    }

    pub(super) fn rows(reader: &SourceFormat) -> Self {
        match reader {
            SourceFormat::MachineEvents(_) => Self::figures("machine event", &["attainable hours"]),
            SourceFormat::Counts(counts) if counts.good_parts => {
                Self::figures("count", &["good output"])
            }
            SourceFormat::Counts(_) => Self::nothing("count", "gross parts are never good output"),
            SourceFormat::Cloudevents(_) => Self::figures("event", &[]),
            SourceFormat::Decisions(_) => Self::figures("decision sheet", &["scheduled hours"]),
        }
    }

    /// What the facts of one availability forecast feed.
    pub(super) fn forecast(found: &Facts) -> Self {
        let tells = |what| found.forecasts.iter().any(|forecast| forecast.what == what);
        let kind = "availability-forecast";
        let at_risk = tells(Foretold::FailureProbability) && tells(Foretold::RepairHours);
        let all = [
            (tells(Foretold::UpFraction), "attainable hours"),
            (tells(Foretold::LowUpFraction), "low hours"),
            (at_risk, "hours at risk"),
        ];
        let figures: Vec<&str> =
            all.iter().filter(|(told, _)| *told).map(|(_, name)| *name).collect();
        if figures.is_empty() {
            return Self::nothing(
                kind,
                "nothing is scheduled in its periods, as the twin knows them",
            );
        }
        Self { kind, figures: figures.into(), note: "".into() }
    }
}
