//! What was known of a target's cells as of an instant, beside what is known as of
//! another one: from the ledger alone, which keeps every value that was ever wanted.

use jiff::{Timestamp, tz::TimeZone};
use planthread_contracts::{Carries, CellKey, MeasureDecl};
use planthread_domain::project::cut_off;
use planthread_engine::{EngineError, Reader, ledger};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Difference, Each, Instants, MeasureTotal, Totals, asked, no_measure};
use crate::{
    config::{Loaded, Target},
    failure::Failure,
    pipeline::moves::{Moves, Stood},
};

/// What was known of one target then, and is known now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AsOf {
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// Zone of the plant.
    pub zone: String,
    /// The instants of the truth that is compared; each is the last one at or before the
    /// instant that was asked for.
    pub as_of: Instants,
    /// Measure by measure.
    pub measures: Vec<MeasureTotal>,
    /// Cells that left the plan, and of which is not kept when: they are compared with
    /// nothing.
    pub left: u64,
}

/// What is compared, of each target.
#[derive(Debug, Clone, Copy)]
pub struct Between<'a> {
    /// Before.
    pub was: Timestamp,
    /// After; what is known now where none is given.
    pub is: Option<Timestamp>,
    /// The one measure that is asked for.
    pub measure: Option<&'a str>,
    /// Now.
    pub now: Timestamp,
}

/// Compares what was known of the cells of `names` of the configured targets as of two
/// instants. Each difference is given to `each`.
///
/// # Errors
/// When the state can't be read, no target has the measure, or `each` refuses.
pub fn asof(
    loaded: &Loaded,
    names: &[String],
    between: Between<'_>,
    each: Each<'_>,
) -> Result<Vec<AsOf>, Failure> {
    // One reads on while the other is asked about each cell.
    let (walk, ask) = (Reader::open(&loaded.config.state)?, Reader::open(&loaded.config.state)?);
    let mut found = Vec::new();
    for name in names {
        let Some(target) = loaded.config.targets.get(name) else { continue };
        let one = Asked::of(loaded, &ask, (name, target), between)?;
        found.push(one.compare(&walk, between.now, each)?);
    }
    match between.measure {
        Some(only) if found.iter().all(|one| one.measures.is_empty()) => Err(no_measure(only)),
        _ => Ok(found),
    }
}

/// One target, and where the two instants lie in its ledger.
struct Asked<'a> {
    loaded: &'a Loaded,
    name: &'a str,
    target: &'a Target,
    measures: Vec<&'a MeasureDecl>,
    moves: Moves<'a>,
    /// The ledger's counter; nothing where nothing was known.
    was: Option<u64>,
    is: Option<u64>,
}

/// The counter of whatever is in the ledger.
const NOW: u64 = u64::MAX;

/// How a cell stood on the two sides.
enum Found {
    Same,
    /// On no side.
    Nowhere,
    /// It left the plan, and when is not kept.
    Left,
    Moved(Box<Difference>),
}

impl<'a> Asked<'a> {
    fn of(
        loaded: &'a Loaded,
        reader: &'a Reader,
        (name, target): (&'a str, &'a Target),
        between: Between<'_>,
    ) -> Result<Self, Failure> {
        let moves = Moves::of(loaded, reader, name, target)?;
        let is = between.is.map_or(Some(NOW), |at| moves.counter_at(at));
        let was = moves.counter_at(between.was);
        let measures = asked(&target.measures, between.measure).collect();
        Ok(Self { loaded, name, target, measures, moves, was, is })
    }

    fn compare(self, walk: &Reader, now: Timestamp, each: Each<'_>) -> Result<AsOf, Failure> {
        let scope = self.target.scope();
        let mut totals = Totals::of(self.measures.iter().copied());
        let (mut left, mut broken) = (0, None);
        let read = ledger::cells_of(walk, now, (self.name, scope.name()), |cell| {
            let key = &cell.key;
            let mut measures = self.measures.iter();
            let Some(measure) = measures.find(|one| one.name == key.measure.as_str()) else {
                return Ok(());
            };
            let told = self.cell(key, measure).and_then(|found| match found {
                Found::Moved(one) => {
                    totals.put(&one);
                    each(&one)
                }
                Found::Same => {
                    totals.same(&measure.name);
                    Ok(())
                }
                Found::Left => {
                    left += 1;
                    Ok(())
                }
                Found::Nowhere => Ok(()),
            });
            told.map_err(|failure| {
                let said = EngineError::Refused(failure.message.clone());
                broken = Some(failure);
                said
            })
        });
        match (broken, read) {
            (Some(failure), _) => return Err(failure),
            (None, read) => read?,
        }
        let at = |counter: Option<u64>| counter.and_then(|at| self.moves.as_of(at));
        Ok(AsOf {
            target: self.name.to_owned(),
            scope: scope.name().to_owned(),
            zone: self.loaded.config.plant.zone.clone(),
            as_of: Instants { was: at(self.was), is: at(self.is) },
            measures: totals.end(),
            left,
        })
    }

    fn cell(&self, key: &CellKey, measure: &MeasureDecl) -> Result<Found, Failure> {
        let all = self.moves.revisions(key, measure.unit)?;
        let at = |counter: Option<u64>| {
            all.iter().rev().find(|one| counter.is_some_and(|at| one.since <= at))
        };
        let (from, to) = (at(self.was), at(self.is));
        // When the last revision was withdrawn is not kept, but until when it was wanted.
        let is_left = |one: &Stood, counter: Option<u64>| {
            let as_of = counter.and_then(|at| self.moves.as_of(at));
            let now = counter == Some(NOW);
            one.withdrawn && (now || as_of.is_some_and(|as_of| as_of > one.as_of))
        };
        let stood = |one: Option<&Stood>| one.map(|one| one.value);
        let (was, is) = match (from, to) {
            (Some(from), _) if is_left(from, self.was) => return Ok(Found::Left),
            (from, Some(to)) if is_left(to, self.is) => (stood(from), None),
            (from, to) => (stood(from), stood(to)),
        };
        if was == is {
            return Ok(if was.is_some() { Found::Same } else { Found::Nowhere });
        }
        let mut one = Difference::of(key, measure, was, is);
        if measure.carries == Carries::AttainableClockHours
            && let (Some(from), Some(to), Some(_)) = (from, to, is)
        {
            one.split = self.moves.between(key, measure, from, to)?;
        }
        one.remark = self.remark(&one)?;
        Ok(Found::Moved(Box::new(one)))
    }

    fn remark(&self, one: &Difference) -> Result<String, Failure> {
        Ok(match (one.was, one.is) {
            (None, _) => "new: it came into sight since".to_owned(),
            (_, None) => "left the plan since".to_owned(),
            _ if one.carries == Carries::PlanCut => self.taken_anew()?,
            _ => String::new(),
        })
    }

    /// Whether what is firm was taken anew between the two.
    fn taken_anew(&self) -> Result<String, Failure> {
        let plant = &self.loaded.config.plant;
        let cut = |counter: Option<u64>| {
            let as_of = counter.and_then(|at| self.moves.as_of(at));
            let cut = as_of.map(|as_of| cut_off(plant, as_of)).transpose();
            cut.map_err(|error| Failure::usage(error.to_string()).explain("config"))
        };
        let (was, is) = (cut(self.was)?, cut(self.is)?);
        Ok(match is {
            Some(is) if Some(is) != was => {
                let zone = TimeZone::get(&plant.zone).unwrap_or(TimeZone::UTC);
                let day = is.to_zoned(zone).strftime("%Y-%m-%d %H:%M");
                format!("taken anew at the cut-off of {day}")
            }
            _ => "the same cut-off, by another calendar, rule or mapping".to_owned(),
        })
    }
}

impl AsOf {
    /// How many cells are others.
    #[must_use]
    pub fn differing(&self) -> u64 {
        self.measures.iter().map(MeasureTotal::differing).sum()
    }
}
