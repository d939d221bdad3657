//! What another configuration would land from the same records: both are derived at one
//! instant, place by place, and compared cell by cell.
//!
//! Nothing is released, wanted or sent: each side is what its figures say at that instant,
//! as if all of them were worth releasing. So what differs is the rule, and not what an
//! earlier cycle held back.

use std::{borrow::Cow, collections::BTreeMap};

use jiff::Timestamp;
use planthread_contracts::{Carries, CellKey, DesiredCell, MeasureDecl, Period};
use planthread_domain::{
    Deriver,
    calendar::periods,
    derive::Derivation,
    lanes::in_order,
    project::{self, Landing, Projection, Request, Withheld},
    significance::{Change, Known, Split},
};
use planthread_engine::{
    Reader,
    ledger::mapped::{Edit, MEASURES, Mapped, ROWS},
    plan::place_name,
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Difference, Each, MeasureTotal, Totals, asked, no_measure};
use crate::{
    config::{Loaded, Target},
    failure::Failure,
    pipeline::{
        mapped::mapped,
        policy::writable_of,
        portions::refused_by,
        released::cores,
        truth::{
            Journaled, derive_facts, derive_proposed, derive_taken_cut, facts_of_journal_until,
            levels, supposes,
        },
    },
};

/// What two configurations would land at one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Replayed {
    /// The target, as both call it.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// Zone of the plant.
    pub zone: String,
    /// Measure by measure.
    pub measures: Vec<MeasureTotal>,
    /// What is different in the mapping, the measures and the resources.
    pub edits: Vec<Edit>,
    /// Figures that land by neither, or by one of them alone, each with its reason, as far
    /// as the other configuration holds them back: the first ones.
    pub withheld: Vec<Withheld>,
    /// How many there are of them.
    pub withheld_count: u64,
}

/// Reasons that are named one by one.
const WITHHELD_NAMED: usize = 20;

/// One configuration, and what the journal says under it.
#[derive(Debug)]
pub struct Side<'a> {
    loaded: &'a Loaded,
    facts: Journaled,
}

impl<'a> Side<'a> {
    /// Decodes what the journal of `reader` held by `until`; all of it where that is absent.
    ///
    /// # Errors
    /// When the journal can't be read, or a source can't be read as declared.
    pub fn read(
        loaded: &'a Loaded,
        reader: &Reader,
        as_of: Timestamp,
        until: Option<Timestamp>,
    ) -> Result<Self, Failure> {
        Ok(Self { loaded, facts: facts_of_journal_until(loaded, reader, as_of, until)? })
    }

    /// Records that it can't read as its sources say.
    #[must_use]
    pub const fn undecoded(&self) -> u64 {
        self.facts.undecoded
    }
}

/// Derives both sides at `as_of`, and compares what would land at the targets of `names`
/// that both have. Each difference is given to `each`, place by place.
///
/// # Errors
/// When a calendar makes no sense, a mapping refuses, no target has the measure, or `each`
/// refuses.
pub fn replay(
    (was, is): (&Side<'_>, &Side<'_>),
    names: &[String],
    (as_of, measure): (Timestamp, Option<&str>),
    each: Each<'_>,
) -> Result<Vec<Replayed>, Failure> {
    let (was, is) = (Derived::of(was, as_of)?, Derived::of(is, as_of)?);
    let mut found = Vec::new();
    for name in names {
        let lands = |side: &Derived<'_>| -> Result<Option<(Target, Vec<MeasureDecl>)>, Failure> {
            let Some(target) = side.loaded.config.targets.get(name) else { return Ok(None) };
            let measures = writable_of(side.loaded, name, target, as_of)?;
            Ok(Some((target.clone(), measures)))
        };
        let (Some(before), Some(after)) = (lands(&was)?, lands(&is)?) else { continue };
        let before = Lands { side: &was, name, target: before.0, measures: before.1 };
        let after = Lands { side: &is, name, target: after.0, measures: after.1 };
        found.push(Both::of(before, after).compare(measure, each)?);
    }
    match measure {
        Some(only) if found.iter().all(|one| one.measures.is_empty()) => Err(no_measure(only)),
        _ => Ok(found),
    }
}

/// A side at one instant.
struct Derived<'a> {
    loaded: &'a Loaded,
    live: Deriver<'a>,
    proposed: Option<Deriver<'a>>,
    cut: Deriver<'a>,
}

impl<'a> Derived<'a> {
    fn of(side: &'a Side<'_>, as_of: Timestamp) -> Result<Self, Failure> {
        let Side { loaded, facts } = side;
        let live = derive_facts(loaded, &facts.all, as_of)?;
        let plant = Cow::Borrowed(&loaded.config.plant);
        let proposed = derive_proposed(loaded, plant, &facts.all, as_of)?;
        let cut = derive_taken_cut(loaded, &facts.at_cut, as_of)?;
        Ok(Self { loaded, live, proposed, cut })
    }

    /// What gives the figures of now that land at `target`.
    fn live_at(&self, target: &Target) -> &Deriver<'a> {
        self.proposed.as_ref().filter(|_| supposes(target)).unwrap_or(&self.live)
    }
}

/// What a side lands at one target.
struct Lands<'a> {
    side: &'a Derived<'a>,
    name: &'a str,
    target: Target,
    measures: Vec<MeasureDecl>,
}

/// What a side says of one place.
struct Place {
    live: Derivation,
    cut: Derivation,
    projection: Projection,
}

impl Lands<'_> {
    fn mapped(&self) -> Mapped {
        mapped(&self.side.loaded.config.plant, &self.target)
    }

    fn declared(&self) -> Result<(), Failure> {
        let refused = project::declared(&self.target.mapping, &self.measures);
        if refused.is_empty() { Ok(()) } else { Err(refused_by(self.name, &refused)) }
    }

    /// What lands at a place, and the figures of all `sources` that stand behind it on
    /// either side.
    fn place(&self, landing: &Landing<'_>, sources: &[&str]) -> Result<Place, Failure> {
        let of = |deriver: &Deriver<'_>| deriver.of(sources.iter().copied());
        let (live, cut) = (of(self.side.live_at(&self.target)), of(&self.side.cut));
        let scope = self.target.scope();
        let request = Request {
            plant: &self.side.loaded.config.plant,
            live: &live,
            cut: Some(&cut),
            released: None,
            target: self.name,
            scope: scope.name(),
            mapping: &self.target.mapping,
            measures: &self.measures,
            heartbeat: None,
        };
        let projection = project::portion(&request, landing);
        let projection = projection.map_err(|refused| refused_by(self.name, &refused))?;
        Ok(Place { live, cut, projection })
    }
}

/// One target on both sides.
struct Both<'a> {
    was: Lands<'a>,
    is: Lands<'a>,
    edits: Vec<Edit>,
}

/// What was found at one place.
struct Found {
    /// Cells that are the same, by measure.
    same: Vec<String>,
    differ: Vec<Difference>,
    withheld: Vec<Withheld>,
}

impl<'a> Both<'a> {
    fn of(was: Lands<'a>, is: Lands<'a>) -> Self {
        let edits = is.mapped().edits(&was.mapped());
        Self { was, is, edits }
    }

    fn compare(self, only: Option<&str>, each: Each<'_>) -> Result<Replayed, Failure> {
        self.was.declared()?;
        self.is.declared()?;
        let measures = self.measures(only);
        let mut totals = Totals::of(&measures);
        let mut places: BTreeMap<_, [Option<Landing<'_>>; 2]> = BTreeMap::new();
        for (at, lands) in [&self.was, &self.is].into_iter().enumerate() {
            for landing in Landing::all(&lands.target.mapping) {
                let at_place = landing.place();
                places.entry(at_place).or_default()[at] = Some(landing);
            }
        }
        let places: Vec<_> = places.into_values().collect();
        let (mut withheld, mut withheld_count) = (Vec::new(), 0);
        let make = |(): &mut (), both: &[Option<Landing<'_>>; 2]| self.place(both, &measures);
        in_order(vec![(); cores()], &places, make, |all| {
            for found in all {
                let Found { same, differ, withheld: held } = found?;
                same.iter().for_each(|measure| totals.same(measure));
                for one in differ {
                    totals.put(&one);
                    each(&one)?;
                }
                withheld_count += held.len() as u64;
                let room = WITHHELD_NAMED - withheld.len();
                withheld.extend(held.into_iter().take(room));
            }
            Ok::<_, Failure>(())
        })?;
        Ok(Replayed {
            target: self.is.name.to_owned(),
            scope: self.is.target.scope().name().to_owned(),
            zone: self.is.side.loaded.config.plant.zone.clone(),
            measures: totals.end(),
            edits: self.edits,
            withheld,
            withheld_count,
        })
    }

    /// The measures of both, as the other configuration declares them.
    fn measures(&self, only: Option<&str>) -> Vec<MeasureDecl> {
        let mut all: Vec<MeasureDecl> = asked(&self.is.measures, only).cloned().collect();
        for one in asked(&self.was.measures, only) {
            if all.iter().all(|other| other.name != one.name) {
                all.push(one.clone());
            }
        }
        all
    }

    fn place(
        &self,
        [was, is]: &[Option<Landing<'_>>; 2],
        measures: &[MeasureDecl],
    ) -> Result<Found, Failure> {
        let sources: Vec<&str> =
            [was, is].into_iter().flatten().flat_map(Landing::sources).collect();
        let of = |lands: &Lands<'_>, landing: &Option<Landing<'_>>| {
            landing.as_ref().map(|landing| lands.place(landing, &sources)).transpose()
        };
        let (before, after) = (of(&self.was, was)?, of(&self.is, is)?);
        let mut cells: BTreeMap<CellKey, [Option<DesiredCell>; 2]> = BTreeMap::new();
        let mut withheld: [Vec<Withheld>; 2] = Default::default();
        let sides = [&before, &after].map(Option::as_ref);
        for (at, place) in sides.into_iter().enumerate() {
            let Some(place) = place else { continue };
            for cell in &place.projection.cells {
                // The scope is the target's on each side, and no difference of a cell.
                let key =
                    CellKey { scope: self.is.target.scope().name().into(), ..cell.key.clone() };
                cells.entry(key).or_default()[at] = Some(cell.clone());
            }
            withheld[at].clone_from(&place.projection.withheld);
        }
        let [held_before, mut held] = withheld;
        held.retain(|one| !held_before.contains(one));
        let mut found = Found { same: Vec::new(), differ: Vec::new(), withheld: held };
        for (key, [was_cell, is_cell]) in cells {
            let Some(measure) = measures.iter().find(|one| one.name == key.measure.as_str()) else {
                continue;
            };
            let value = |cell: &Option<DesiredCell>| cell.as_ref().map(|cell| cell.value);
            let (was_value, is_value) = (value(&was_cell), value(&is_cell));
            let otherwise = self.stored_otherwise(&key);
            if was_value == is_value && otherwise.is_none() {
                found.same.push(measure.name.clone());
                continue;
            }
            let mut one = Difference::of(&key, measure, was_value, is_value);
            one.remark = self.remark(&one);
            if let Some(edit) = otherwise.filter(|_| one.change.is_some()) {
                (one.change, one.remark) = (None, edit);
            } else if let (Some(before), Some(after), Some(landing)) = (&before, &after, is) {
                one.split = self.split(&one, &key, measure, (before, after, landing));
            }
            found.differ.push(one);
        }
        Ok(found)
    }

    fn remark(&self, one: &Difference) -> String {
        match (one.was, one.is) {
            (None, _) => "only by the other configuration".to_owned(),
            (_, None) => "not by the other configuration".to_owned(),
            _ => String::new(),
        }
    }

    /// In which words the two store a cell otherwise: unit or decimals.
    fn stored_otherwise(&self, key: &CellKey) -> Option<String> {
        let of = |measures: &[MeasureDecl]| {
            let one = measures.iter().find(|one| one.name == key.measure.as_str())?;
            Some(one.unit)
        };
        let (was, is) = (of(&self.was.measures)?, of(&self.is.measures)?);
        (was != is).then(|| format!("stored otherwise: before in {was}, by the other in {is}"))
    }

    /// By what attainable hours moved, live or firm.
    fn split(
        &self,
        one: &Difference,
        key: &CellKey,
        measure: &MeasureDecl,
        (before, after, landing): (&Place, &Place, &Landing<'_>),
    ) -> Option<Split> {
        let figure = project::figure(measure, &self.is.target.mapping);
        if figure != Carries::AttainableClockHours {
            return None;
        }
        let hour = |value: Decimal| planthread_domain::gap::hours(value, measure.unit);
        let (was, is) = (hour(one.was?)?, hour(one.is?)?);
        let cut = measure.carries == Carries::PlanCut;
        let (from, to) = if cut { (&before.cut, &after.cut) } else { (&before.live, &after.live) };
        let mut known =
            Known { complete: true, mapping: self.is_remapped(key, landing), ..Known::default() };
        for row in landing.rows() {
            for part in self.parts(measure, key.period) {
                let Some(change) = Change::derived(from, to, &row.source, part) else {
                    known.complete = false;
                    continue;
                };
                let units = to.get(&row.source, part).map_or(1, |figures| figures.units);
                for (cause, hours) in change.parts {
                    *known.parts.entry(cause).or_default() +=
                        hours * Decimal::from(units) * row.share;
                }
            }
        }
        let step =
            measure.unit.convert(Decimal::new(1, measure.scale), planthread_contracts::Unit::Hour);
        Some(Split::of(was, is, &known, step.unwrap_or_default()))
    }

    /// The periods of which the figures of a cell are made.
    fn parts(&self, measure: &MeasureDecl, whole: Period) -> Vec<Period> {
        let part = project::part(measure, &levels(self.is.side.loaded));
        let inside = |one: &Period| whole.start() <= one.start() && one.end() <= whole.end();
        periods(part, whole.start(), whole.end()).filter(inside).collect()
    }

    fn is_remapped(&self, key: &CellKey, landing: &Landing<'_>) -> bool {
        let place = place_name(&key.resource, &key.location, key.product.as_deref());
        self.edits.iter().any(|edit| {
            [ROWS, MEASURES, "target"].contains(&edit.part.as_str())
                && edit.touches(&place, &key.measure)
                || is_counted_anew(edit, landing)
        })
    }
}

/// Whether another number of units works side by side behind a place.
fn is_counted_anew(edit: &Edit, landing: &Landing<'_>) -> bool {
    (edit.part.as_str(), edit.field.as_str()) == ("resources", "parallel_units")
        && landing.sources().any(|source| source == edit.name)
}

impl Replayed {
    /// How many cells are others.
    #[must_use]
    pub fn differing(&self) -> u64 {
        self.measures.iter().map(MeasureTotal::differing).sum()
    }
}
