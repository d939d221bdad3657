//! What arrived from each source since the program started, for whoever operates it.

use std::{
    collections::BTreeMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use planthread_contracts::{RawRecord, RejectedRecord};
use planthread_domain::model::Plant;

/// What arrived from one source.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Arrived {
    /// Records that were understood and kept, or had been kept before.
    pub taken: u64,
    /// Records that were refused.
    pub refused: u64,
    /// When the newest one that was understood arrived.
    pub newest: Option<Timestamp>,
}

/// What arrived, by source; under the empty name what came over HTTP and could not be
/// told a source of.
#[derive(Debug, Default)]
pub struct Arrivals(Mutex<BTreeMap<String, Arrived>>);

impl Arrivals {
    /// Remembers when each source was heard last, as the journal says.
    pub fn remember(&self, newest: BTreeMap<String, Timestamp>) {
        let mut all = self.lock();
        for (source, at) in newest {
            let one = all.entry(source).or_default();
            one.newest = one.newest.max(Some(at));
        }
    }

    /// Counts what is on the disk by now.
    pub(super) fn count(&self, taken: &[Taken], refused: &[String]) {
        let mut all = self.lock();
        for Taken { source, at } in taken {
            let one = all.entry(source.clone()).or_default();
            one.taken += 1;
            one.newest = one.newest.max(Some(*at));
        }
        for source in refused {
            all.entry(source.clone()).or_default().refused += 1;
        }
    }

    /// What arrived so far.
    #[must_use]
    pub fn so_far(&self) -> BTreeMap<String, Arrived> {
        self.lock().clone()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Arrived>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A record that was understood.
#[derive(Debug, Clone)]
pub(super) struct Taken {
    source: String,
    at: Timestamp,
}

impl From<&RawRecord> for Taken {
    fn from(record: &RawRecord) -> Self {
        Self { source: record.source.clone(), at: record.received_at }
    }
}

/// The source of a refused record: the one whose file it stands in.
pub(super) fn source_of(plant: &Plant, refused: &RejectedRecord) -> String {
    let reads = |files: &[String]| files.contains(&refused.origin.place);
    let source = plant.sources.iter().find(|source| reads(&source.files));
    source.map_or_else(String::new, |source| source.name.clone())
}
