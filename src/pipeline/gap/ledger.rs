//! What the ledger says of each line and week: the figures of ours, and how they stand.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date};
use planthread_contracts::{
    Carries, CellKey, MeasureDecl, Period, PeriodKind, RevisionState, Status,
};
use planthread_domain::gap::Line;
use planthread_engine::{
    Reader,
    ledger::{self, CellView},
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::Measures;
use crate::{config::Target, failure::Failure, pipeline::OpenTarget};

/// Whether a figure of ours stands at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Proof {
    /// It was read back: the target holds our figure.
    Proven,
    /// It was not read back yet.
    NotRead,
    /// The target holds something else.
    Differs,
    /// Nothing of ours is wanted there.
    Nothing,
}

/// How a figure of ours stands in a week: what a line can do, or what is firm.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Standing {
    /// How far it can be trusted.
    pub status: Status,
    /// The instant of the truth behind it; of several the oldest.
    pub as_of: Timestamp,
    /// From here on it is old; of several the earliest.
    pub valid_until: Timestamp,
    /// Whether it stands at the target.
    pub proof: Proof,
    /// When it was read back.
    pub seen_at: Option<Timestamp>,
    /// Who took the cell, and until when: then the target holds that person's value.
    pub taken: Option<Taken>,
}

/// A cell that a person took.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Taken {
    /// Who answers for it.
    pub owner: String,
    /// Why.
    pub reason: String,
    /// It ends by itself.
    pub until: Timestamp,
}

impl Standing {
    /// Of two parts of a week, what holds for the whole.
    fn and(self, other: Self) -> Self {
        Self {
            status: self.status.max(other.status),
            as_of: self.as_of.min(other.as_of),
            valid_until: self.valid_until.min(other.valid_until),
            proof: self.proof.max(other.proof),
            seen_at: self.seen_at.zip(other.seen_at).map(|(a, b)| a.min(b)),
            taken: self.taken.or(other.taken),
        }
    }
}

/// A cell's line.
pub(super) fn line(key: &CellKey) -> Line {
    Line { plant: key.location.clone(), line: key.resource.clone() }
}

/// The lines that the mapping names.
pub(super) fn mapped(target: &Target) -> BTreeSet<Line> {
    let rows = target.mapping.rows.iter();
    let line =
        |resource: &str, location: &str| Line { plant: location.into(), line: resource.into() };
    rows.map(|row| line(&row.resource, &row.location)).collect()
}

/// The measure of what is firm for this cycle.
pub(super) fn firm(target: &Target) -> Option<&MeasureDecl> {
    carrying(target, Carries::PlanCut)
}

/// The measure of the good units that a line makes.
pub(super) fn output(target: &Target) -> Option<&MeasureDecl> {
    carrying(target, Carries::GoodUnits)
}

fn carrying(target: &Target, carries: Carries) -> Option<&MeasureDecl> {
    target.measures.iter().find(|measure| measure.carries == carries)
}

/// The cells of ours of the periods that are not over.
#[derive(Debug, Default)]
pub(super) struct Ours {
    cells: BTreeMap<(Line, Period), BTreeMap<String, CellView>>,
    periods: BTreeSet<Period>,
}

impl Ours {
    pub(super) fn of(
        reader: &Reader,
        target: &OpenTarget,
        measures: &Measures<'_>,
        today: Date,
        now: Timestamp,
    ) -> Result<Self, Failure> {
        let mut ours = Self::default();
        let Some(level) = measures.live.map(|live| live.level) else { return Ok(ours) };
        // Parts of the current week that are over belong to it.
        let first = match level {
            PeriodKind::Day | PeriodKind::TechnicalWeek => {
                Period::containing(PeriodKind::Week, today).start()
            }
            PeriodKind::Week | PeriodKind::Month => Period::containing(level, today).start(),
        };
        ledger::cells_of(reader, now, (&target.name, target.scope.name()), |cell| {
            let key = &cell.key;
            let here = key.period.kind() == level
                && key.period.start() >= first
                && key.product.is_none()
                // What left the plan still stands there, and is no figure of ours.
                && cell.state != RevisionState::Withdrawn;
            if here {
                ours.periods.insert(key.period);
                let at = (line(key), key.period);
                ours.cells.entry(at).or_default().insert(key.measure.to_string(), cell);
            }
            Ok(())
        })?;
        Ok(ours)
    }

    /// First and last period that is known.
    pub(super) fn span(&self) -> Option<(Period, Period)> {
        self.periods.first().copied().zip(self.periods.last().copied())
    }

    pub(super) const fn periods(&self) -> &BTreeSet<Period> {
        &self.periods
    }

    fn cell(&self, at: &(Line, Period), measure: Option<&MeasureDecl>) -> Option<&CellView> {
        self.cells.get(at)?.get(&measure?.name)
    }

    /// What is wanted of `measure` there; nothing where that is not known.
    pub(super) fn wanted(
        &self,
        at: &(Line, Period),
        measure: Option<&MeasureDecl>,
    ) -> Option<Decimal> {
        let known = self.cell(at, measure).filter(|cell| cell.status != Status::Unknown);
        known.map(|cell| cell.value)
    }

    /// How the figures of `measure` stand, by line and week. `there` is what was just read
    /// of one, and when; the ledger's own reading counts where nothing was.
    pub(super) fn standing(
        &self,
        measure: Option<&MeasureDecl>,
        there: impl Fn(&(Line, Period)) -> Option<(Option<Decimal>, Timestamp)>,
    ) -> BTreeMap<(Line, Period), Standing> {
        let mut found: BTreeMap<(Line, Period), Standing> = BTreeMap::new();
        for (at, cells) in &self.cells {
            let own = self.cell(at, measure);
            // Where no hours are known, the status beside them says so.
            let Some(any) = own.or_else(|| cells.values().next()) else { continue };
            let known = own.and_then(|own| {
                let kept = own.seen.as_ref().filter(|seen| seen.current);
                there(at).or_else(|| kept.map(|seen| (seen.value, seen.at)))
            });
            let proof = match (own, &known) {
                (None, _) => Proof::Nothing,
                (Some(_), None) => Proof::NotRead,
                (Some(own), Some((value, _))) if *value == Some(own.value) => Proof::Proven,
                (Some(_), Some(_)) => Proof::Differs,
            };
            let taken = own.and_then(|own| own.lock.clone());
            let one = Standing {
                // The plan holds a person's value there, however fresh ours is.
                status: taken.as_ref().map_or(any.status, |_| any.status.max(Status::Planner)),
                as_of: any.as_of,
                valid_until: any.valid_until,
                proof,
                seen_at: known.map(|(_, when)| when),
                taken: taken.map(|(owner, reason, until)| Taken { owner, reason, until }),
            };
            let whole = match at.1.kind() {
                PeriodKind::Day | PeriodKind::TechnicalWeek => {
                    Period::containing(PeriodKind::Week, at.1.start())
                }
                PeriodKind::Week | PeriodKind::Month => at.1,
            };
            let at = (at.0.clone(), whole);
            let both = match found.remove(&at) {
                Some(other) => other.and(one),
                None => one,
            };
            found.insert(at, both);
        }
        found
    }
}
