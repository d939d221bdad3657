//! One place of the target at a time: its cells need no other place, so that a
//! plant of any size is projected in the memory of one resource.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use planthread_contracts::{Carries, CellKey, DesiredCell, MeasureDecl, Name, Period, PeriodKind};

use super::{
    Draft, Mapping, Place, Projection, Request, Together, Withheld, merge, missing_parts, ours,
    recipe, released,
    rounding::{self, Anchors, Grid, Parts},
    stamp, status_cells, together, value,
};
use crate::{
    derive::{Derivation, Figures},
    model::MapRow,
};

/// The figures of a request where they are looked for: by resource.
pub(super) struct Sources<'a> {
    live: Told<'a>,
    cut: Option<Told<'a>>,
    /// Every period that was derived, by its kind.
    pub(super) periods: &'a BTreeMap<PeriodKind, BTreeSet<Period>>,
}

/// One derivation by resource.
struct Told<'a> {
    derivation: &'a Derivation,
    recipe: Name,
    by_resource: HashMap<&'a str, &'a [Figures]>,
}

impl<'a> Told<'a> {
    fn of(derivation: &'a Derivation, mapping: &Mapping) -> Self {
        // A derivation has the figures of a resource side by side.
        let chunks = derivation.figures.chunk_by(|a, b| a.resource == b.resource);
        let by_resource = chunks.map(|chunk| (chunk[0].resource.as_str(), chunk)).collect();
        Self { derivation, recipe: recipe(&derivation.origin, mapping).into(), by_resource }
    }

    fn of_source(&self, source: &str) -> &'a [Figures] {
        self.by_resource.get(source).copied().unwrap_or_default()
    }
}

impl<'a> Sources<'a> {
    pub(super) fn of(request: &Request<'a>) -> Self {
        Self {
            live: Told::of(request.live, request.mapping),
            cut: request.cut.map(|cut| Told::of(cut, request.mapping)),
            periods: &request.live.origin.periods,
        }
    }
}

/// A place of the target, and the rows of the mapping that land there.
#[derive(Debug, Clone)]
pub struct Landing<'a> {
    pub(super) place: Place<'a>,
    pub(super) rows: Vec<&'a MapRow>,
}

impl<'a> Landing<'a> {
    /// All that `mapping` names, by place.
    #[must_use]
    pub fn all(mapping: &'a Mapping) -> Vec<Self> {
        let mut places: BTreeMap<Place<'_>, Vec<&MapRow>> = BTreeMap::new();
        for row in &mapping.rows {
            let place = (row.resource.as_str(), row.location.as_str(), row.product.as_deref());
            places.entry(place).or_default().push(row);
        }
        places.into_iter().map(|(place, rows)| Self { place, rows }).collect()
    }

    /// Resource, location and product of the target.
    #[must_use]
    pub const fn place(&self) -> (&'a str, &'a str, Option<&'a str>) {
        self.place
    }

    /// The rows of the mapping that land there.
    #[must_use]
    pub fn rows(&self) -> &[&'a MapRow] {
        &self.rows
    }

    /// The key of one of its cells.
    #[must_use]
    pub fn key(&self, target: &str, scope: &str, period: Period, measure: &str) -> CellKey {
        let (resource, location, product) = self.place;
        CellKey {
            target: target.into(),
            scope: scope.into(),
            resource: resource.into(),
            location: location.into(),
            product: product.map(Name::from),
            period,
            measure: measure.into(),
        }
    }

    /// The resources and lines that land there.
    pub fn sources(&self) -> impl Iterator<Item = &'a str> {
        self.rows.iter().map(|row| row.source.as_str())
    }
}

/// One place, with what stands behind it.
pub(super) struct Portion<'a> {
    pub(super) request: &'a Request<'a>,
    pub(super) sources: &'a Sources<'a>,
    pub(super) rows: &'a [&'a MapRow],
    target: Name,
    scope: Name,
    resource: Name,
    location: Name,
    product: Option<Name>,
}

impl<'a> Portion<'a> {
    pub(super) fn new(
        request: &'a Request<'a>,
        sources: &'a Sources<'a>,
        (resource, location, product): Place<'_>,
        rows: &'a [&'a MapRow],
    ) -> Self {
        let (target, scope) = (request.target.into(), request.scope.into());
        let (resource, location) = (resource.into(), location.into());
        let product = product.map(Name::from);
        Self { request, sources, rows, target, scope, resource, location, product }
    }

    /// The cells of the place, by key, and what is held back there.
    pub(super) fn projection(&self) -> Projection {
        let mut withheld = Vec::new();
        let mut cells = Vec::new();
        for measure in ours(self.request).filter(|measure| !measure.carries.vouches()) {
            cells.extend(self.cells(measure, &mut withheld));
        }
        // Stamps never land without a value that they speak of.
        let valued = self.valued(&cells);
        cells.retain(|cell| valued.contains(&cell.key.period));
        cells.extend(status_cells::cells(self, &valued));
        cells.sort_by(|a, b| a.key.cmp(&b.key));
        Projection { cells, withheld }
    }

    /// The cells of one measure.
    pub(super) fn cells(
        &self,
        measure: &MeasureDecl,
        withheld: &mut Vec<Withheld>,
    ) -> Vec<DesiredCell> {
        let drafts = self.drafts(measure, measure.level, withheld);
        let parts = self.parts(measure, &drafts);
        let name = Name::from(&measure.name);
        rounding::cells(measure, drafts, parts.as_ref(), |period| self.key(&name, period))
    }

    /// The parts that the values of `measure` are summed from; `None` where each
    /// stands by itself.
    fn parts(&self, measure: &MeasureDecl, own: &BTreeMap<Period, Draft>) -> Option<Parts> {
        let kinds: BTreeSet<PeriodKind> = self.sources.periods.keys().copied().collect();
        let grid = Grid::of(&kinds).filter(|_| rounding::adds_up(measure))?;
        let of = |level| match level == measure.level {
            true => own.clone(),
            false => self.drafts(measure, level, &mut Vec::new()),
        };
        let months = match grid.anchors {
            Anchors::Months => of(PeriodKind::Month),
            Anchors::Weeks => BTreeMap::new(),
        };
        Some(Parts::round(&of(grid.part), &months, grid.anchors, measure.scale))
    }

    /// The periods in which a value of ours lands.
    pub(super) fn valued(&self, cells: &[DesiredCell]) -> BTreeSet<Period> {
        let values: BTreeSet<&str> = self
            .request
            .measures
            .iter()
            .filter(|measure| !measure.carries.accompanies())
            .map(|measure| measure.name.as_str())
            .collect();
        let of_values = cells.iter().filter(|cell| values.contains(cell.key.measure.as_str()));
        of_values.map(|cell| cell.key.period).collect()
    }

    /// The numbers of one measure in the periods of `level`, before they are
    /// rounded.
    pub(super) fn drafts(
        &self,
        measure: &MeasureDecl,
        level: PeriodKind,
        withheld: &mut Vec<Withheld>,
    ) -> BTreeMap<Period, Draft> {
        let cut = measure.carries == Carries::PlanCut;
        let told = if cut { self.sources.cut.as_ref() } else { Some(&self.sources.live) };
        let Some(told) = told else { return BTreeMap::new() };
        let mut drafts: BTreeMap<Period, Draft> = BTreeMap::new();
        let mut broken: BTreeSet<Period> = BTreeSet::new();
        let mut parts: BTreeMap<Period, BTreeSet<&str>> = BTreeMap::new();
        for row in self.rows {
            let figures = told.of_source(&row.source).iter();
            for one in figures.filter(|one| one.period.kind() == level) {
                match value(self.request, measure, row, one) {
                    Ok(Some(derived)) => {
                        parts.entry(one.period).or_default().insert(&row.source);
                        let draft = Draft {
                            derived,
                            value: released(self.request, measure, row, one, derived),
                            status: one.status,
                            // The instant that the derivation speaks for, which only
                            // grows. A source that falls silent makes truth older
                            // (its as-of lands as a measure), not its revision.
                            as_of: told.derivation.origin.as_of,
                            valid_until: stamp::runs_out(measure.carries, one),
                            recipe: told.recipe.clone(),
                        };
                        merge(&mut drafts, measure, one.period, draft);
                    }
                    Ok(None) => {}
                    Err(reason) => {
                        let (source, measure) = (row.source.clone(), measure.name.clone());
                        withheld.push(Withheld { source, period: one.period, measure, reason });
                        broken.insert(one.period);
                    }
                }
            }
        }
        // A sum without one of its parts would be another number: it does not land.
        drafts.retain(|period, _| !broken.contains(period));
        if together(measure.carries) == Together::Add {
            let mapped: BTreeSet<&str> = self.rows.iter().map(|row| row.source.as_str()).collect();
            let name = Name::from(&measure.name);
            drafts.retain(|period, _| {
                let key = self.key(&name, *period);
                let missing = missing_parts(measure, &key, &mapped, parts.get(period));
                let whole = missing.is_empty();
                withheld.extend(missing);
                whole
            });
        }
        drafts
    }

    /// The key of one of the place's cells.
    pub(super) fn key(&self, measure: &Name, period: Period) -> CellKey {
        CellKey {
            target: self.target.clone(),
            scope: self.scope.clone(),
            resource: self.resource.clone(),
            location: self.location.clone(),
            product: self.product.clone(),
            period,
            measure: measure.clone(),
        }
    }

    /// What is told of a source now.
    pub(super) fn live(&self, source: &str) -> &'a [Figures] {
        self.sources.live.of_source(source)
    }

    /// The recipe of what is told now.
    pub(super) const fn recipe(&self) -> &Name {
        &self.sources.live.recipe
    }
}
