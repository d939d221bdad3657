//! From facts to figures: what each resource and line could do, and will.
//!
//! Pure: the same plant, facts and `as_of` give the same figures, byte for
//! byte (law 18). Past periods are measured; the current one is measured to
//! `as_of` and foretold for the rest; later ones are scheduled time, less
//! planned stops, × demonstrated availability, or × what a twin foretold.

mod backtest;
mod clock;
mod compose;
mod cut;
mod events;
pub mod explain;
pub mod figures;
mod forecast;
mod line;
mod line_figures;
mod machine;
mod period;
mod pool;
mod prepare;
mod remark;
pub mod signals;

use jiff::Timestamp;
use planthread_contracts::{Period, PeriodKind, Status, TwinSource};
use serde::Serialize;

pub use backtest::BackTest;
pub use compose::{Level, at_most};
pub use cut::{cut_off, derive_cut};
pub use explain::{Explanation, Step, explain, name as figure_name};
pub use figures::{
    Demonstrated, Elements, Figures, Foreseen, Good, Loaded, Phase, PoolWeek, Rate, RestsOn, Risk,
    RiskPart, Severity,
};
pub use line_figures::{LineFigures, LinePool, Load};
pub use remark::{About, Remark};
pub use signals::Signals;

use crate::{
    calendar::{LocalTimeError, Span, periods},
    decode::Facts,
    model::Plant,
};

/// Everything that was derived, and the recipe of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Derivation {
    /// The instant that it speaks for.
    pub as_of: Timestamp,
    /// Figures: resources in the plant's order, then lines; each by kind and
    /// period.
    pub figures: Vec<Figures>,
    /// What was doubtful or set aside, in the order of the figures.
    pub remarks: Vec<Remark>,
    /// Digest of the facts that went in.
    pub input_window: String,
    /// Twins, and sources of rows, that spoke.
    pub sources: Vec<TwinSource>,
    /// Last observation that went in; absent without any.
    pub observed_until: Option<Timestamp>,
    /// Version of the plant's rules and of this code's.
    pub rules_version: String,
    /// Which clock changes were assumed.
    pub tzdb_version: String,
}

/// Version of the arithmetic, in provenance beside the plant's own version.
pub const ARITHMETIC: &str = "5";

impl Derivation {
    /// The figures of one resource or line and period.
    #[must_use]
    pub fn get(&self, resource: &str, period: Period) -> Option<&Figures> {
        self.figures.iter().find(|one| one.resource == resource && one.period == period)
    }
}

/// Derives the figures of all resources and lines for the periods of `kinds`
/// in the plant's horizon around `as_of`. `facts` must be sealed.
///
/// # Errors
/// When a zone is unknown, or a local time can't be placed.
pub fn derive(
    plant: &Plant,
    facts: &Facts,
    as_of: Timestamp,
    kinds: &[PeriodKind],
) -> Result<Derivation, LocalTimeError> {
    let now = as_of.as_millisecond();
    let facts = facts.until(now);
    let clock = clock::Clock::new(plant, &facts, now)?;
    let machines = prepare::machines(plant, &facts, &clock)?;
    let mut figures = Vec::new();
    for (index, machine) in machines.iter().enumerate() {
        let outlook = prepare::outlook(plant, &facts, now, index, machine.demonstrated.as_deref());
        let names = period::Names::of(plant, &machine.resource.id, &machine.resource.calendar);
        for (period, window) in windows(kinds, &machine.bounds, &clock)? {
            let asked = period::Asked { plant, names: &names, clock: &clock, period, window };
            figures.extend(period::figures(&asked, machine, &outlook));
        }
    }
    for (index, line) in plant.lines.iter().enumerate() {
        let position = plant.resources.len() + index;
        let outlook = prepare::outlook(plant, &facts, now, position, None);
        let names = period::Names::of(plant, &line.id, &line.calendar);
        let line = line::LineView::new(plant, line, &machines, &clock)?;
        for (period, window) in windows(kinds, &line.bounds, &clock)? {
            let asked = period::Asked { plant, names: &names, clock: &clock, period, window };
            figures.extend(line.figures(&asked, &outlook));
        }
    }
    let remarks =
        machines.iter().flat_map(|machine| remark::remarks(plant, machine, clock.first, now));
    Ok(Derivation {
        as_of,
        figures,
        remarks: remarks.collect(),
        input_window: facts.digest(),
        sources: clock.sources(plant, &facts),
        observed_until: clock.observed_until(&facts),
        rules_version: format!("{}+{ARITHMETIC}", plant.rules.version),
        tzdb_version: clock.tzdb_version(plant)?,
    })
}

fn windows(
    kinds: &[PeriodKind],
    bounds: &crate::calendar::Bounds,
    clock: &clock::Clock,
) -> Result<Vec<(Period, Span)>, LocalTimeError> {
    kinds
        .iter()
        .flat_map(|kind| periods(*kind, clock.from, clock.to))
        .map(|period| Ok((period, bounds.span(period)?)))
        .collect()
}

/// Whether a figure may land at all: nothing that is unknown does. Of a machine of
/// which only the counter speaks the good parts are known, and no hour.
#[must_use]
pub fn is_known(figures: &Figures) -> bool {
    let hours = figures.attainable_hours.is_some();
    figures.status != Status::Unknown && (hours || figures.good_units.is_some())
}

#[cfg(test)]
mod tests;
