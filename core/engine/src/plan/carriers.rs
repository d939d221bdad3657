//! Which cells of a plan travel together: what its requests are counted by.

use std::collections::BTreeMap;

use planthread_contracts::{CellKey, Name};
use planthread_kit::{Capabilities, Together};

/// Numbers what travels together, in the order in which it comes.
#[derive(Debug)]
pub(crate) struct Carriers<'a> {
    together: &'a Together,
    known: BTreeMap<Vec<Name>, u32>,
}

impl<'a> Carriers<'a> {
    pub(crate) const fn new(capabilities: &'a Capabilities) -> Self {
        Self { together: &capabilities.carriage.together, known: BTreeMap::new() }
    }

    /// The carrier of each cell of one group.
    pub(crate) fn of(&mut self, group: &[&CellKey]) -> Vec<u32> {
        match self.together {
            Together::Batch => vec![0; group.len()],
            Together::Place => {
                let place =
                    group.first().map(|key| vec![key.resource.clone(), key.location.clone()]);
                vec![self.number(place.unwrap_or_default()); group.len()]
            }
            Together::Columns(tables) => {
                let list = |key: &CellKey| {
                    let table =
                        tables.iter().find(|table| table.iter().any(|one| key.measure == *one));
                    let mine = |other: &&&CellKey| {
                        table.is_some_and(|table| table.iter().any(|one| other.measure == *one))
                    };
                    group.iter().filter(mine).map(|other| other.measure.clone()).collect()
                };
                group.iter().map(|key| self.number(list(key))).collect()
            }
        }
    }

    fn number(&mut self, names: Vec<Name>) -> u32 {
        let next = u32::try_from(self.known.len()).unwrap_or(u32::MAX);
        *self.known.entry(names).or_insert(next)
    }
}

/// Cells of each carrier in a batch.
pub(crate) fn sizes(carriers: &[u32]) -> Vec<usize> {
    let mut sizes: BTreeMap<u32, usize> = BTreeMap::new();
    for carrier in carriers {
        *sizes.entry(*carrier).or_default() += 1;
    }
    sizes.into_values().collect()
}

#[cfg(test)]
mod tests {
    use planthread_contracts::CellKey;
    use planthread_kit::{Carriage, Cost};

    use super::*;

    fn carried(together: Together, groups: &[(&str, &[&str])]) -> Vec<usize> {
        let cost = Cost {
            overhead_requests: 0,
            overhead_ms: 0,
            cells_per_request: 1,
            groups_per_request: 1,
            request_ms: 0,
            cell_us: 0,
            parallel_requests: 1,
            cells_per_read: 1,
            read_ms: 0,
            parallel_reads: 1,
        };
        let capabilities = Capabilities {
            cells_per_batch: 1,
            groups_per_batch: 1,
            uniform_batches: false,
            measures: Vec::new(),
            names_rejected_rows: true,
            tells: false,
            lists_master_data: false,
            takes_from: None,
            side_by_side: 1,
            cost,
            carriage: Carriage { together, ..Carriage::plain("") },
        };
        let mut carriers = Carriers::new(&capabilities);
        let key = |resource: &str, measure: &str| CellKey {
            target: "t".into(),
            scope: "".into(),
            resource: resource.into(),
            location: "1010".into(),
            product: None,
            period: "2026-W49".parse().unwrap(),
            measure: measure.into(),
        };
        let group = |(resource, measures): &(&str, &[&str])| {
            let keys: Vec<CellKey> = measures.iter().map(|one| key(resource, one)).collect();
            carriers.of(&keys.iter().collect::<Vec<_>>())
        };
        sizes(&groups.iter().flat_map(group).collect::<Vec<u32>>())
    }

    #[test]
    fn cells_travel_by_batch_by_place_or_by_the_columns_of_their_table() {
        let groups: [(&str, &[&str]); 3] =
            [("L1", &["rate", "live", "low"]), ("L2", &["rate", "live"]), ("L1", &["live", "low"])];
        let tables = [vec!["rate".to_owned()], vec!["live".to_owned(), "low".to_owned()]];
        assert_eq!(carried(Together::Batch, &groups), [7]);
        assert_eq!(carried(Together::Place, &groups), [5, 2]);
        // `rate` of two groups, `live, low` of two, `live` alone of one.
        assert_eq!(carried(Together::Columns(tables.into()), &groups), [2, 4, 1]);
    }
}
