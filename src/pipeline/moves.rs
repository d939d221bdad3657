//! Why the hours of a cell are others than before: from one of its revisions to another,
//! by the releases behind it and the changes of its mapping between them.
//!
//! Order is the ledger's counter: what was released, or changed in the mapping, before a
//! revision was taken in and not before the older one, lies between them.

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_contracts::{Carries, CellKey, MeasureDecl, Period, RevisionState, Status, Unit};
use planthread_domain::{
    calendar::periods,
    gap::hours,
    model::MapRow,
    project,
    significance::{Known, Split},
};
use planthread_engine::{
    Reader,
    ledger::{
        self, RevisionTrace,
        mapped::{self, Edit, MEASURES, ROWS},
    },
    plan::{PlanLine, place_name},
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::{OpenTarget, released, truth::levels};
use crate::{
    config::{Loaded, Target},
    failure::Failure,
};

/// What is asked to split the changes of one target's cells.
pub(super) struct Moves<'a> {
    loaded: &'a Loaded,
    reader: &'a Reader,
    target: &'a Target,
    /// When truth was taken in, and the ledger's counter after it.
    taken_in: BTreeMap<Timestamp, u64>,
    /// The instants of that truth, by counter.
    as_of: BTreeMap<u64, Timestamp>,
    edited: Vec<(u64, Vec<Edit>)>,
}

/// A revision of a cell, as far as it is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Stood {
    /// Its hours, as the target holds them; absent where nothing is known, or nothing of
    /// ours is wanted.
    pub(super) hours: Option<Decimal>,
    /// The ledger's counter since which it stands.
    pub(super) since: u64,
    /// What the target holds.
    pub(super) value: Decimal,
    /// Whether nothing of ours is wanted there any more.
    pub(super) withdrawn: bool,
    /// The instant of the truth behind it; of the current one the newest that said so.
    pub(super) as_of: Timestamp,
}

/// How a cell of a plan moves, from what the target holds to what is wanted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlanMove {
    /// The cell.
    pub cell: CellKey,
    /// Its hours, and by what they move.
    #[serde(flatten)]
    pub split: Split,
}

/// How the cells of `lines`, of a plan for `target`, move, as far as they hold hours that
/// are split and the target holds what we wanted once.
///
/// # Errors
/// When the state can't be read.
pub fn plan_moves(
    loaded: &Loaded,
    reader: &Reader,
    target: &OpenTarget,
    lines: &[PlanLine],
) -> Result<Vec<PlanMove>, Failure> {
    let moves = Moves::of(loaded, reader, &target.name, &target.config)?;
    let mut all = Vec::new();
    for line in lines {
        let Some(value) = line.seen.and_then(|seen| seen.value) else { continue };
        if let Some(split) = moves.since_value(&line.cell, value)? {
            all.push(PlanMove { cell: line.cell.clone(), split });
        }
    }
    Ok(all)
}

/// How a cell moved last.
#[derive(Debug)]
pub(super) struct LastMove {
    /// The instant of the truth that it was taken in with.
    pub(super) as_of: Timestamp,
    /// By what.
    pub(super) split: Split,
    /// Whether its mapping was changed.
    pub(super) remapped: bool,
}

/// How many units of a resource work side by side: its figures are those of one.
pub(super) fn side_by_side(loaded: &Loaded, source: &str) -> Decimal {
    let mut resources = loaded.config.plant.resources.iter();
    let found = resources.find(|one| one.id == source);
    found.map_or(Decimal::ONE, |one| Decimal::from(one.parallel_units))
}

impl<'a> Moves<'a> {
    /// Those of the target called `name`.
    ///
    /// # Errors
    /// When the state can't be read.
    pub(super) fn of(
        loaded: &'a Loaded,
        reader: &'a Reader,
        name: &str,
        target: &'a Target,
    ) -> Result<Self, Failure> {
        let (mut taken_in, mut as_of) = (BTreeMap::new(), BTreeMap::new());
        // Newest first: of two at one instant the last one counts.
        for one in ledger::taken_in(reader, i64::MAX.unsigned_abs())? {
            if one.target == name {
                taken_in.entry(one.at).or_insert(one.counter);
                as_of.insert(one.counter, one.as_of);
            }
        }
        let edited = mapped::edited(reader, name)?;
        Ok(Self { loaded, reader, target, taken_in, as_of, edited })
    }

    /// The ledger's counter up to which its cells say what was known as of `at`; `None`
    /// where nothing was. Truth is of a whole hour: of several of one hour it is the last
    /// that was taken in by `at`, else the first.
    pub(super) fn counter_at(&self, at: Timestamp) -> Option<u64> {
        let (last, of) = self.as_of.iter().rev().find(|(_, as_of)| **as_of <= at)?;
        let by_then = self.taken_in_by(at).unwrap_or_default();
        let hour = self.as_of.range(..=last).rev().take_while(|(_, as_of)| *as_of == of);
        let counters: Vec<u64> = hour.map(|(counter, _)| *counter).collect();
        counters.iter().find(|counter| **counter <= by_then).or(counters.last()).copied()
    }

    /// The ledger's counter up to which its cells say what was known at the instant `at`:
    /// what was taken in by then, or, where nothing was (a past that is walked later), what
    /// was known as of it.
    pub(super) fn known_at(&self, at: Timestamp) -> Option<u64> {
        self.taken_in_by(at).or_else(|| self.counter_at(at))
    }

    fn taken_in_by(&self, at: Timestamp) -> Option<u64> {
        self.taken_in.range(..=at).next_back().map(|(_, counter)| *counter)
    }

    /// The instant of the truth that the ledger's counter `at` took in.
    pub(super) fn as_of(&self, at: u64) -> Option<Timestamp> {
        self.as_of.range(..=at).next_back().map(|(_, as_of)| *as_of)
    }

    /// The revisions of `key`, the oldest first; none where the ledger does not know it.
    ///
    /// # Errors
    /// When the state can't be read.
    pub(super) fn revisions(&self, key: &CellKey, unit: Unit) -> Result<Vec<Stood>, Failure> {
        let all = match ledger::revisions(self.reader, key) {
            Err(planthread_engine::EngineError::UnknownCell(_)) => Vec::new(),
            all => all?,
        };
        let stood = |one: RevisionTrace| {
            let withdrawn = one.state == RevisionState::Withdrawn;
            let known = one.status != Status::Unknown && !withdrawn;
            let since = self.taken_in.range(..=one.made_at).next_back()?;
            let hours = hours(one.value, unit).filter(|_| known);
            let (since, value, as_of) = (*since.1, one.value, one.as_of);
            Some(Stood { hours, since, value, withdrawn, as_of })
        };
        Ok(all.into_iter().filter_map(stood).collect())
    }

    /// What moved `key` of `measure` between two of its revisions; `None` where one of them
    /// has no hours.
    ///
    /// # Errors
    /// When the state can't be read.
    pub(super) fn between(
        &self,
        key: &CellKey,
        measure: &MeasureDecl,
        from: &Stood,
        to: &Stood,
    ) -> Result<Option<Split>, Failure> {
        let Some((was, is)) = from.hours.zip(to.hours) else { return Ok(None) };
        let mut known = Known {
            complete: measure.carries == Carries::AttainableClockHours,
            mapping: self.is_remapped(key, from, to),
            ..Known::default()
        };
        if known.complete {
            for row in self.rows(key) {
                for part in self.parts(measure, key.period) {
                    self.add(&mut known, row, part, (from.since, to.since))?;
                }
            }
        }
        let step = measure.unit.convert(Decimal::new(1, measure.scale), Unit::Hour);
        Ok(Some(Split::of(was, is, &known, step.unwrap_or_default())))
    }

    /// Whether the mapping was ever changed.
    pub(super) const fn ever_edited(&self) -> bool {
        !self.edited.is_empty()
    }

    /// What moved `key` last, as far as hours were known before and after.
    ///
    /// # Errors
    /// When the state can't be read.
    pub(super) fn last(&self, key: &CellKey) -> Result<Option<LastMove>, Failure> {
        let mut measures = self.target.measures.iter();
        let measure = measures.find(|one| one.name == key.measure && !one.is_stamp());
        let Some(measure) = measure.filter(|one| one.carries == Carries::AttainableClockHours)
        else {
            return Ok(None);
        };
        let all = self.revisions(key, measure.unit)?;
        let [.., from, to] = all.as_slice() else { return Ok(None) };
        let split = self.between(key, measure, from, to)?;
        let as_of = self.as_of.get(&to.since).copied();
        let remapped = self.is_remapped(key, from, to);
        Ok(split.zip(as_of).map(|(split, as_of)| LastMove { as_of, split, remapped }))
    }

    /// What moves `key` from `value`, which the target holds, to what is wanted.
    ///
    /// # Errors
    /// When the state can't be read.
    pub(super) fn since_value(
        &self,
        key: &CellKey,
        value: Decimal,
    ) -> Result<Option<Split>, Failure> {
        let mut measures = self.target.measures.iter();
        let measure = measures.find(|one| one.name == key.measure);
        let Some(measure) = measure.filter(|one| one.carries == Carries::AttainableClockHours)
        else {
            return Ok(None);
        };
        let all = self.revisions(key, measure.unit)?;
        let Some((to, before)) = all.split_last() else { return Ok(None) };
        let from = before.iter().rev().find(|one| one.value == value);
        from.map_or(Ok(None), |from| self.between(key, measure, from, to))
    }

    /// Adds what the releases of one part moved between two counters.
    fn add(
        &self,
        known: &mut Known,
        row: &MapRow,
        part: Period,
        (from, to): (u64, u64),
    ) -> Result<(), Failure> {
        for (counter, moved) in released::moves(self.reader, &row.source, part)? {
            if counter < from || counter >= to {
                continue;
            }
            let Some(change) = moved.change else {
                known.complete = false;
                continue;
            };
            let share = side_by_side(self.loaded, &row.source) * row.share;
            for (cause, hours) in change.parts {
                *known.parts.entry(cause).or_default() += hours * share;
            }
        }
        Ok(())
    }

    /// What stands behind a cell.
    fn rows(&self, key: &CellKey) -> impl Iterator<Item = &MapRow> {
        self.target.mapping.rows.iter().filter(|row| {
            row.resource == key.resource
                && row.location == key.location
                && row.product.as_deref() == key.product.as_deref()
        })
    }

    /// The periods of which the figures of a cell are released.
    fn parts(&self, measure: &MeasureDecl, whole: Period) -> Vec<Period> {
        let part = project::part(measure, &levels(self.loaded));
        let inside = |one: &Period| whole.start() <= one.start() && one.end() <= whole.end();
        periods(part, whole.start(), whole.end()).filter(inside).collect()
    }

    /// Whether what stands behind `key`, or how it is stored, was changed between them. The
    /// machines of a line are told by its releases.
    fn is_remapped(&self, key: &CellKey, from: &Stood, to: &Stood) -> bool {
        let place = place_name(&key.resource, &key.location, key.product.as_deref());
        let cell = |edit: &Edit| {
            [ROWS, MEASURES, "target"].contains(&edit.part.as_str())
                && edit.touches(&place, &key.measure)
        };
        let mut edited = self.edited.iter();
        edited.any(|(counter, edits)| {
            (from.since..to.since).contains(counter) && edits.iter().any(cell)
        })
    }
}
