//! Which new figures are worth releasing, decided once for all targets.
//!
//! Derived figures move with every hour that passes and every reading that comes
//! in. What lands moves only when it matters: the figures of a resource and
//! period are released together, and stay until there is a reason to release
//! newer ones ([`Reason`]). The decision is made unrounded, before anything is
//! projected, and rests on three things alone: what was released, what is derived
//! now, and the plant's rules (`docs/adr/0017-what-is-worth-releasing.md`).

mod change;
mod releases;
mod split;

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use planthread_contracts::{Carries, Period, Status};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use change::{Cause, Change, Layers};
pub use releases::{Outcome, Releases, release};
pub use split::{Known, Split};

use crate::{
    derive::{Derivation, Figures, Phase},
    model::Significance,
};

/// Why figures were released. The first one that holds is told.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, JsonSchema, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// Nothing was released of this resource and period, or only later truth,
    /// which was taken back.
    New,
    /// Status, or which figures are known, changed: a change of class always
    /// passes.
    Class,
    /// People decided: scheduled hours, what stands behind the figure, or rules changed
    /// (law 9).
    Decided,
    /// The period ended: its measured figures are final.
    Ended,
    /// A figure moved to its unhopeful side by more than its band (law 8).
    Worse,
    /// A figure moved to its hopeful side by more than its band, records have come
    /// in since, and what was released had stood for its least time.
    Better,
}

impl Reason {
    /// The word in reports.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Class => "class",
            Self::Decided => "decided",
            Self::Ended => "ended",
            Self::Worse => "worse",
            Self::Better => "better",
        }
    }

    /// What it means, for people.
    #[must_use]
    pub const fn line(self) -> &'static str {
        match self {
            Self::New => "the first figures of this period",
            Self::Class => "its status, or which figures are known, changed",
            Self::Decided => {
                "people changed the scheduled hours, the machines behind it or the rules"
            }
            Self::Ended => "the period ended, and this is what was measured",
            Self::Worse => "it got worse by more than its band",
            Self::Better => "it got better by more than its band, and had stood long enough",
        }
    }
}

/// What was released of one resource in one period.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Released {
    /// The instant that the figures speak for.
    pub as_of: Timestamp,
    /// The journal's position up to which they were derived.
    pub position: u64,
    /// Why.
    pub reason: Reason,
    /// How far they can be trusted.
    pub status: Status,
    /// Whether the period was over.
    pub ended: bool,
    /// Hours that the calendar schedules.
    pub scheduled: Decimal,
    /// Version of the rules.
    pub rules: String,
    /// What stands behind the resource or line: its machines, stage by stage. Absent in
    /// releases of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub behind: Option<String>,
    /// The figures, unrounded, in hours, parts, or as fractions.
    pub figures: BTreeMap<Carries, Decimal>,
    /// What the attainable hours are made of; absent where they are not known, and in
    /// releases of before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub layers: Option<Layers>,
    /// Why they are others than those of the release before; absent where there was none,
    /// or its layers are not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub change: Option<Change>,
}

/// The figures that are released; a plan cut is firm by itself.
pub const RELEASED: [Carries; 7] = [
    Carries::AttainableClockHours,
    Carries::DemonstratedStandardHours,
    Carries::LowHours,
    Carries::ExpectedLostHours,
    Carries::GoodUnits,
    Carries::Severity,
    Carries::HoursAtRisk,
];

impl Released {
    /// What would be released of `one` now.
    fn candidate(derivation: &Derivation, position: u64, one: &Figures) -> Self {
        let figures = RELEASED.into_iter().filter_map(|what| Some((what, one.carried(what)?)));
        Self {
            as_of: derivation.origin.as_of,
            position,
            reason: Reason::New,
            status: one.status,
            ended: one.phase == Phase::Past,
            scheduled: one.scheduled_hours(),
            rules: derivation.origin.rules_version.clone(),
            behind: derivation.behind.get(&one.resource).cloned(),
            figures: figures.collect(),
            layers: Layers::of(one),
            change: None,
        }
    }

    /// Whether something else stands behind `now`, as far as both say what does.
    fn is_rerouted(&self, now: &Self) -> bool {
        self.behind.as_ref().zip(now.behind.as_ref()).is_some_and(|(was, is)| was != is)
    }
}

impl Change {
    /// From what `before` derives of the attainable hours of a resource in a period to what
    /// `now` does; `None` where one of them does not know them.
    #[must_use]
    pub fn derived(
        before: &Derivation,
        now: &Derivation,
        resource: &str,
        period: Period,
    ) -> Option<Self> {
        let of = |one: &Derivation| Some(Released::candidate(one, 0, one.get(resource, period)?));
        Self::between(&of(before)?, &of(now)?)
    }
}

/// Decides whether `now` replaces what was released before; `None` where that
/// stays. Pure.
#[must_use]
pub fn decide(
    before: Option<&Released>,
    now: &Released,
    period: Period,
    rules: &Significance,
) -> Option<Reason> {
    let Some(before) = before.filter(|before| before.as_of <= now.as_of) else {
        return Some(Reason::New);
    };
    if before.status != now.status || !before.figures.keys().eq(now.figures.keys()) {
        return Some(Reason::Class);
    }
    if (before.scheduled, &before.rules) != (now.scheduled, &now.rules) || before.is_rerouted(now) {
        return Some(Reason::Decided);
    }
    if now.ended && !before.ended && before.figures != now.figures {
        return Some(Reason::Ended);
    }
    let moves = || {
        before.figures.iter().zip(now.figures.values()).map(|((what, from), to)| {
            let up = if hopeful_up(*what) { *to - *from } else { *from - *to };
            (up, band(*what, before, now.as_of, period, rules))
        })
    };
    if moves().any(|(up, band)| -up > band) {
        return Some(Reason::Worse);
    }
    let stands = SignedDuration::from_hours(i64::from(rules.stand_hours));
    let stood = now.as_of.duration_since(before.as_of) >= stands;
    // Where nobody has told anything since, only time has passed.
    let told = now.position > before.position;
    (stood && told && moves().any(|(up, band)| up > band)).then_some(Reason::Better)
}

/// Capacity and output are hopeful when they rise, losses and risks when they fall.
const fn hopeful_up(what: Carries) -> bool {
    !matches!(what, Carries::ExpectedLostHours | Carries::Severity | Carries::HoursAtRisk)
}

/// The largest move of a figure that is not worth releasing.
fn band(
    what: Carries,
    before: &Released,
    as_of: Timestamp,
    period: Period,
    rules: &Significance,
) -> Decimal {
    let own = |otherwise: Decimal| rules.bands.get(&what).copied().unwrap_or(otherwise);
    let near = match what {
        Carries::Severity => own(rules.ratio),
        Carries::GoodUnits => {
            let units = before.figures.get(&what).copied().unwrap_or_default();
            units.abs() * own(rules.units_share)
        }
        _ => before.scheduled * own(rules.hours_share),
    };
    near * Decimal::from(distance(as_of, period, rules))
}

/// How many times wider the band of `period` is than that of the next weeks:
/// twice beyond `near_weeks`, four times beyond three times as many.
fn distance(as_of: Timestamp, period: Period, rules: &Significance) -> u32 {
    let today = as_of.to_zoned(jiff::tz::TimeZone::UTC).date();
    let days = today.until(period.start()).map_or(0, |span| span.get_days());
    let near = i32::try_from(rules.near_weeks.saturating_mul(7)).unwrap_or(i32::MAX);
    match days {
        days if days <= near => 1,
        days if days <= near.saturating_mul(3) => 2,
        _ => 4,
    }
}

#[cfg(test)]
mod tests;
