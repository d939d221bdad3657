//! From facts to figures: what each resource and line could do, and will.
//!
//! Pure: the same plant, facts and `as_of` give the same figures, byte for
//! byte (law 18), whatever else is asked for beside them. Past periods are measured; the current one is measured to
//! `as_of` and foretold for the rest; later ones are scheduled time, less
//! planned stops, × demonstrated availability, or × what a twin foretold.

mod as_of;
mod compose;
mod cut;
mod decline;
mod events;
pub mod explain;
pub mod figures;
mod forecast;
mod happened;
mod line;
mod line_figures;
mod machine;
mod period;
mod pool;
mod prepare;
mod remark;
pub mod signals;

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use jiff::Timestamp;
use planthread_contracts::{Name, Period, PeriodKind, Status, TwinSource};

pub use compose::{Level, at_most};
pub use cut::cut_off;
pub use decline::{Account, Decline};
pub use events::Flows;
pub use explain::{Explanation, Step, doubts, explain, name as figure_name};
pub use figures::{
    Demonstrated, Elements, Figures, Foreseen, Good, Loaded, Phase, PoolWeek, Rate, RestsOn, Risk,
    RiskPart, Severity,
};
pub use happened::Happened;
pub use line_figures::{LineFigures, LinePool, Load};
pub use remark::{About, Remark};
pub use signals::Signals;

use crate::{
    calendar::{LocalTimeError, Spans},
    decode::{DecidedHours, Facts, Subject},
    model::{Line, Plant},
};
use machine::Machine;

/// What was derived of some resources and lines, and what it was derived from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Derivation {
    /// What the figures have in common with all others of the same instant.
    pub origin: Arc<Origin>,
    /// Figures: resources in the plant's order, then lines; each by kind and
    /// period.
    pub figures: Vec<Figures>,
    /// What stands behind each of them: the machines of a line, stage by stage, or how many
    /// units work side by side.
    pub behind: BTreeMap<Name, String>,
    /// What was doubtful or set aside about these resources, and about the machines
    /// of these lines, machine by machine.
    pub remarks: Vec<Remark>,
}

/// What all figures of one instant share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Origin {
    /// The instant that they speak for.
    pub as_of: Timestamp,
    /// The periods that are derived, by their kind. What lies before the first word
    /// of anybody is left out.
    pub periods: BTreeMap<PeriodKind, BTreeSet<Period>>,
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
    /// What people decided of the hours of lines and machines, confirmed or proposed.
    pub decided: Vec<DecidedHours>,
}

/// Version of the arithmetic, in provenance beside the plant's own version.
pub const ARITHMETIC: &str = "7";

impl Origin {
    /// Every period that is derived, kind by kind.
    #[must_use]
    pub fn all_periods(&self) -> Vec<Period> {
        self.periods.values().flatten().copied().collect()
    }
}

impl Derivation {
    /// The figures of one resource or line and period.
    #[must_use]
    pub fn get(&self, resource: &str, period: Period) -> Option<&Figures> {
        self.figures.iter().find(|one| one.resource == resource && one.period == period)
    }
}

/// Derives the figures of all resources and lines at once: of a small plant. Of a
/// large one ask a [`Deriver`] for one resource after the other. `facts` must be
/// sealed.
///
/// # Errors
/// As [`Deriver::new`].
pub fn derive(
    plant: &Plant,
    facts: &Facts,
    as_of: Timestamp,
    kinds: &[PeriodKind],
) -> Result<Derivation, LocalTimeError> {
    let (plant, facts) = (Cow::Borrowed(plant), Cow::Borrowed(facts));
    Ok(Deriver::new(plant, facts, as_of, kinds)?.all())
}

/// One instant of a plant, prepared: the figures of each resource or line are made
/// when they are asked for, and nothing of one stays when the next is made. So the
/// memory of whoever takes them one by one grows neither with the horizon nor with
/// what was derived before.
#[derive(Debug)]
pub struct Deriver<'a> {
    plant: Cow<'a, Plant>,
    facts: Cow<'a, Facts>,
    clock: as_of::AsOf,
    /// Declared stops of each machine.
    stops: HashMap<String, Spans>,
    /// Where each resource and line stands: resources first, then lines.
    positions: HashMap<String, usize>,
    origin: Arc<Origin>,
}

impl<'a> Deriver<'a> {
    /// Prepares the periods of `kinds` in the plant's horizon around `as_of`.
    /// `facts` must be sealed.
    ///
    /// # Errors
    /// When a zone is unknown, or a local time can't be placed.
    pub fn new(
        plant: Cow<'a, Plant>,
        facts: Cow<'a, Facts>,
        as_of: Timestamp,
        kinds: &[PeriodKind],
    ) -> Result<Self, LocalTimeError> {
        let horizon = (plant.horizon.past_weeks, plant.horizon.future_weeks);
        Self::over(horizon, plant, facts, as_of, kinds)
    }

    /// The same over so many weeks before the current one, and behind it.
    pub(crate) fn over(
        horizon: (u32, u32),
        plant: Cow<'a, Plant>,
        facts: Cow<'a, Facts>,
        as_of: Timestamp,
        kinds: &[PeriodKind],
    ) -> Result<Self, LocalTimeError> {
        let now = as_of.as_millisecond();
        let facts = facts.until(now).map_or(facts, Cow::Owned);
        let clock = as_of::AsOf::new(&plant, &facts, (now, horizon), kinds)?;
        let origin = Origin {
            as_of,
            periods: clock.periods(),
            input_window: facts.digest(),
            sources: clock.sources(&plant, &facts),
            observed_until: clock.observed_until(&facts),
            rules_version: format!("{}+{ARITHMETIC}", plant.rules.version),
            tzdb_version: clock.tzdb_version(&plant)?,
            decided: facts.decided.clone(),
        };
        let mut positions = HashMap::new();
        for (position, name) in names(&plant).enumerate() {
            positions.entry(name.to_owned()).or_insert(position);
        }
        let (stops, origin) = (prepare::declared_stops(&plant)?, Arc::new(origin));
        Ok(Self { plant, facts, clock, stops, positions, origin })
    }

    /// What all figures of this instant share.
    #[must_use]
    pub const fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }

    /// The resources in the plant's order, then the lines.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        names(&self.plant)
    }

    /// Derives everything at once: of a small plant.
    #[must_use]
    pub fn all(&self) -> Derivation {
        self.of(self.names())
    }

    /// Derives the figures of the resources and lines of these names, whatever
    /// their order. A name that the plant does not have gives nothing.
    #[must_use]
    pub fn of<'n>(&self, names: impl IntoIterator<Item = &'n str>) -> Derivation {
        let asked: BTreeSet<usize> =
            names.into_iter().filter_map(|name| self.positions.get(name).copied()).collect();
        let (resources, lines) = (&self.plant.resources, &self.plant.lines);
        let line = |position: &usize| lines.get(position.checked_sub(resources.len())?);
        let members = asked.iter().filter_map(line).flat_map(|line| &line.stages);
        let members = members.flat_map(|stage| &stage.machines);
        let members = members.filter_map(|id| self.positions.get(id.as_str()).copied());
        let needed: BTreeSet<usize> = asked.iter().copied().chain(members).collect();
        let machines: BTreeMap<usize, Machine<'_>> = needed
            .into_iter()
            .filter_map(|position| Some((position, self.machine(position)?)))
            .collect();
        let (mut figures, mut behind) = (Vec::new(), BTreeMap::new());
        for position in &asked {
            if let Some(line) = line(position) {
                behind.insert(line.id.as_str().into(), line.routing());
            } else if let Some(resource) = resources.get(*position) {
                behind.insert(resource.id.as_str().into(), resource.routing());
            }
            match (machines.get(position), line(position)) {
                (Some(machine), _) => self.of_machine(*position, machine, &mut figures),
                (None, Some(line)) => self.of_line(*position, line, &machines, &mut figures),
                (None, None) => {}
            }
        }
        let remarks =
            machines.iter().flat_map(|(position, machine)| self.remarks_on(*position, machine));
        let (origin, remarks) = (Arc::clone(&self.origin), remarks.collect());
        Derivation { origin, figures, behind, remarks }
    }

    /// What there is to know about the machine of this name, without its figures; none
    /// of a line, and of a name that the plant does not have.
    #[must_use]
    pub fn remarks(&self, name: &str) -> Vec<Remark> {
        let position = self.positions.get(name).copied();
        let found = position.and_then(|at| Some(self.remarks_on(at, &self.machine(at)?)));
        found.unwrap_or_default()
    }

    fn remarks_on(&self, position: usize, machine: &Machine<'_>) -> Vec<Remark> {
        let subject = u32::try_from(position).map_or(Subject(u32::MAX), Subject);
        let verdicts = prepare::verdicts(&self.facts, subject);
        let said = self.said_by_each(machine, subject);
        let window = (self.clock.first, self.clock.now);
        remark::remarks(&self.plant, machine, (verdicts, &said), window)
    }

    fn of_machine(&self, position: usize, machine: &Machine<'_>, figures: &mut Vec<Figures>) {
        let (plant, clock, now) = (&*self.plant, &self.clock, self.clock.now);
        let of = (&machine.days.schedule.scheduled, machine.demonstrated.as_deref());
        let outlook = prepare::outlook(plant, &self.facts, now, position, of);
        let names = period::Names::of(plant, &machine.resource.id, &machine.resource.calendar);
        figures.reserve(machine.days.periods.len());
        for &(period, window) in &machine.days.periods {
            let asked = period::Asked { plant, names: &names, clock, period, window };
            figures.extend(period::figures(&asked, machine, &outlook));
        }
    }

    fn of_line(
        &self,
        position: usize,
        line: &Line,
        machines: &BTreeMap<usize, Machine<'_>>,
        figures: &mut Vec<Figures>,
    ) {
        let (plant, clock) = (&*self.plant, &self.clock);
        let names = period::Names::of(plant, &line.id, &line.calendar);
        let find = |id: &str| machines.get(self.positions.get(id)?);
        let line = line::LineView::new(plant, line, &find, clock);
        let of = (&line.days.schedule.scheduled, None);
        let outlook = prepare::outlook(plant, &self.facts, clock.now, position, of);
        figures.reserve(line.days.periods.len());
        for &(period, window) in &line.days.periods {
            let asked = period::Asked { plant, names: &names, clock, period, window };
            figures.extend(line.figures(&asked, &outlook));
        }
    }
}

fn names(plant: &Plant) -> impl Iterator<Item = &str> {
    let resources = plant.resources.iter().map(|one| one.id.as_str());
    resources.chain(plant.lines.iter().map(|one| one.id.as_str()))
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
