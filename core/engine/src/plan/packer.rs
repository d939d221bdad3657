//! Packing: cell groups to batches, the same way when a plan is predicted and
//! when it is applied.
//!
//! Some targets take only rows of one form in one import: the same measures at
//! the same period kind. Closing a batch whenever the form changes would make
//! a batch of every second row, so a batch of each form stays open, and all of
//! them together hold no more than one batch may. Where a request holds one place,
//! a batch ends before a place that does not fit whole, so that none is asked twice.

use planthread_contracts::{CellKey, Name, PeriodKind};
use planthread_kit::{Capabilities, Together};

/// What all groups of a batch have in common where the target wants that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form {
    kind: PeriodKind,
    by_product: bool,
    measures: Vec<Name>,
}

impl Form {
    /// The form of a group with these cells.
    fn of<'k>(mut cells: impl Iterator<Item = &'k CellKey>) -> Option<Self> {
        let first = cells.next()?;
        let mut measures = vec![first.measure.clone()];
        measures.extend(cells.map(|cell| cell.measure.clone()));
        measures.sort();
        Some(Self { kind: first.period.kind(), by_product: first.product.is_some(), measures })
    }
}

/// What a group has in common with others.
#[derive(Debug)]
pub(crate) struct Kin {
    /// What all of its batch must have.
    form: Option<Form>,
    /// Resource and location, where a request holds those of one place.
    place: Option<(Name, Name)>,
}

/// One batch: what its cells carry, and how many groups they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Packed<T> {
    /// One entry for each cell.
    pub(crate) items: Vec<T>,
    /// Cell groups.
    pub(crate) groups: usize,
}

/// A batch that takes more.
#[derive(Debug)]
struct Open<T> {
    form: Option<Form>,
    batch: Packed<T>,
    /// The place of its last groups.
    place: Option<(Name, Name)>,
    /// Items and groups before those of that place.
    before: (usize, usize),
}

/// Cuts groups into batches of so many cells and groups at most. A group stays
/// whole; one that is larger than a batch goes alone.
#[derive(Debug)]
pub(crate) struct Packer<T> {
    cells: usize,
    groups: usize,
    uniform: bool,
    by_place: bool,
    open: Vec<Open<T>>,
}

impl<T> Packer<T> {
    /// A packer of batches of at most so many cells, and no more than the target
    /// takes.
    pub(crate) fn new(capabilities: &Capabilities, most_cells: usize) -> Self {
        Self {
            cells: most_cells.min(capabilities.cells_per_batch),
            groups: capabilities.groups_per_batch,
            uniform: capabilities.uniform_batches,
            by_place: capabilities.carriage.together == Together::Place,
            open: Vec::new(),
        }
    }

    /// From now on a batch has at most so many cells.
    pub(crate) const fn at_most(&mut self, cells: usize) {
        self.cells = cells;
    }

    /// What a group with these cells has in common with others.
    pub(crate) fn kin<'k>(&self, mut cells: impl Iterator<Item = &'k CellKey> + Clone) -> Kin {
        let form = if self.uniform { Form::of(cells.clone()) } else { None };
        let first = cells.next().filter(|_| self.by_place);
        Kin { form, place: first.map(|key| (key.resource.clone(), key.location.clone())) }
    }

    /// Adds a group, an item for each cell; answers the batches that are complete
    /// by it.
    pub(crate) fn add(&mut self, kin: Kin, items: Vec<T>) -> Vec<Packed<T>> {
        let Kin { form, place } = kin;
        let mut complete = Vec::new();
        while !self.open.is_empty() && !self.fits(items.len()) {
            complete.push(self.fullest(place.as_ref()));
        }
        match self.open.iter_mut().find(|open| open.form == form) {
            Some(open) => {
                if open.place != place {
                    open.before = (open.batch.items.len(), open.batch.groups);
                    open.place = place;
                }
                open.batch.items.extend(items);
                open.batch.groups += 1;
            }
            None => {
                let batch = Packed { items, groups: 1 };
                self.open.push(Open { form, batch, place, before: (0, 0) });
            }
        }
        complete
    }

    /// What is left, in the order in which it was begun.
    pub(crate) fn finish(self) -> Vec<Packed<T>> {
        self.open.into_iter().map(|open| open.batch).collect()
    }

    /// Whether one more group fits beside all that is open.
    fn fits(&self, cells: usize) -> bool {
        let open = || self.open.iter().map(|open| &open.batch);
        open().map(|batch| batch.items.len()).sum::<usize>() + cells <= self.cells
            && open().map(|batch| batch.groups).sum::<usize>() < self.groups
    }

    /// Takes out the open batch with the most cells; of two the older. What it has
    /// of `place`, which goes on, stays open, unless it has nothing else.
    fn fullest(&mut self, place: Option<&(Name, Name)>) -> Packed<T> {
        let cells = |at: &usize| (self.open[*at].batch.items.len(), usize::MAX - at);
        let at = (0..self.open.len()).max_by_key(cells).unwrap_or_default();
        let open = &mut self.open[at];
        let (items, groups) = std::mem::take(&mut open.before);
        if items == 0 || open.place.as_ref() != place {
            return self.open.remove(at).batch;
        }
        let rest = open.batch.items.split_off(items);
        let rest = Packed { items: rest, groups: open.batch.groups - groups };
        Packed { groups, ..std::mem::replace(&mut open.batch, rest) }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn packer<T>(limit: usize, uniform: bool) -> Packer<T> {
        Packer { cells: limit, groups: usize::MAX, uniform, by_place: false, open: Vec::new() }
    }

    fn key(period: &str, measure: usize) -> CellKey {
        CellKey {
            target: "t".into(),
            scope: "".into(),
            resource: "LINE-1".into(),
            location: "1010".into(),
            product: None,
            period: period.parse().unwrap(),
            measure: format!("m{measure}").into(),
        }
    }

    /// Adds a group of the first `cells` measures; sizes of what is complete.
    fn add(packer: &mut Packer<u32>, period: &str, cells: usize) -> Vec<usize> {
        let keys: Vec<CellKey> = (0..cells).map(|measure| key(period, measure)).collect();
        let kin = packer.kin(keys.iter());
        let complete = packer.add(kin, vec![0; cells]);
        complete.iter().map(|batch| batch.items.len()).collect()
    }

    #[test]
    fn groups_stay_whole() {
        let mut packer = packer(10, false);
        let complete: Vec<Vec<usize>> =
            [4, 4, 4, 12, 1, 9].map(|cells| add(&mut packer, "2026-W02", cells)).to_vec();
        assert_eq!(complete, [vec![], vec![], vec![8], vec![4], vec![12], vec![]]);
        let left = packer.finish();
        assert_eq!((left.len(), left[0].items.len(), left[0].groups), (1, 10, 2));
    }

    #[test]
    fn forms_that_take_turns_make_one_batch_each() {
        let mut packer = packer(100, true);
        for (period, cells) in
            [("2026-W02", 3), ("2026-01", 3), ("2026-W02", 2), ("2026-W03", 3), ("2026-W03", 2)]
        {
            assert!(add(&mut packer, period, cells).is_empty());
        }
        let sizes: Vec<_> =
            packer.finish().iter().map(|batch| (batch.items.len(), batch.groups)).collect();
        assert_eq!(sizes, [(6, 2), (3, 1), (4, 2)]);
    }

    #[test]
    fn the_fullest_goes_when_all_together_hold_a_batch() {
        let mut packer = packer(6, true);
        assert!(add(&mut packer, "2026-W02", 1).is_empty());
        assert!(add(&mut packer, "2026-W02", 2).is_empty());
        assert!(add(&mut packer, "2026-W03", 2).is_empty());
        assert_eq!(add(&mut packer, "2026-W04", 2), [4]);
        assert_eq!(packer.finish().len(), 2);
    }

    proptest! {
        /// A place stands in one batch, unless it alone is larger than that; nothing
        /// is lost, and the order stays.
        #[test]
        fn a_place_is_asked_once(
            places in prop::collection::vec(prop::collection::vec(1..5usize, 1..12), 1..20),
            limit in 4..40usize,
        ) {
            let mut packer = Packer { groups: 17, by_place: true, ..packer(limit, false) };
            let (mut batches, mut all) = (Vec::new(), Vec::new());
            for (line, groups) in places.iter().enumerate() {
                let number = u32::try_from(line).unwrap();
                for cells in groups {
                    let place = |key: CellKey| CellKey { resource: format!("L{line}").into(), ..key };
                    let keys: Vec<_> = (0..*cells).map(|measure| place(key("2026-W02", measure))).collect();
                    let kin = packer.kin(keys.iter());
                    batches.extend(packer.add(kin, vec![number; *cells]));
                    all.extend(vec![number; *cells]);
                }
            }
            batches.extend(packer.finish());
            prop_assert_eq!(batches.iter().flat_map(|batch| batch.items.clone()).collect::<Vec<_>>(), all);
            let groups: usize = batches.iter().map(|batch| batch.groups).sum();
            prop_assert_eq!(groups, places.iter().map(Vec::len).sum::<usize>());
            for batch in &batches {
                prop_assert!(batch.items.len() <= limit && (1..=17).contains(&batch.groups));
            }
            for (line, groups) in (0_u32..).zip(&places) {
                let asked = batches.iter().filter(|batch| batch.items.contains(&line)).count();
                let fits = groups.iter().sum::<usize>() <= limit && groups.len() <= 17;
                prop_assert!(asked == 1 || !fits, "L{line} stands in {asked} batches");
            }
        }

        /// Every cell stands in one batch, no batch is too large, and where
        /// the target wants it all groups of a batch have one form.
        #[test]
        fn nothing_is_lost_and_no_batch_mixes(
            groups in prop::collection::vec((1..5usize, any::<bool>()), 1..60),
            limit in 4..20usize,
            uniform in any::<bool>(),
        ) {
            let mut packer = Packer { groups: 7, ..packer(limit, uniform) };
            let mut batches = Vec::new();
            for (number, (cells, weekly)) in groups.iter().enumerate() {
                let period = if *weekly { "2026-W02" } else { "2026-01" };
                let keys: Vec<CellKey> = (0..*cells).map(|measure| key(period, measure)).collect();
                let kin = packer.kin(keys.iter());
                batches.extend(packer.add(kin, vec![number; *cells]));
            }
            batches.extend(packer.finish());
            let mut seen: Vec<usize> = Vec::new();
            for batch in &batches {
                prop_assert!(batch.items.len() <= limit && batch.groups <= 7);
                let mut numbers = batch.items.clone();
                numbers.dedup();
                prop_assert_eq!(numbers.len(), batch.groups);
                let forms = numbers.iter().map(|number| groups[*number]);
                prop_assert!(!uniform || forms.clone().all(|form| form == groups[numbers[0]]));
                seen.extend(&batch.items);
            }
            seen.sort_unstable();
            let all: Vec<usize> = groups
                .iter()
                .enumerate()
                .flat_map(|(number, (cells, _))| vec![number; *cells])
                .collect();
            prop_assert_eq!(seen, all);
        }
    }
}
