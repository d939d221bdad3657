//! The plan behind an interface: measures, cells with their history, a nightly
//! load, and the page on which a planner looks at it.
//!
//! It stands for the planning system itself, so it knows no protocol. None of it
//! is a vendor's behaviour: what the page needs is the same everywhere.

mod erp;
mod grid;
pub mod manifest;
mod model;
pub mod planner;
mod sites;
mod store;

use jiff::{Timestamp, civil::Date};
use planthread_contracts::PeriodKind;

pub use erp::{COPY_JOB, NIGHTLY_JOB, SUPPLY_RUN};
pub use model::{
    Measure, Model, Part, STORAGE, StorageError, Wiring, WiringError, storage, unit_name,
};
pub use planner::Route;
pub use sites::Sites;
pub use store::{Cell, CellStore, Row, RowKey, Totals};

/// Which resources stand where, in the master data of a sandbox.
pub trait Places {
    /// Resources with their locations in a scope, in order; empty is base.
    fn pairs(&self, scope: &str) -> Vec<(String, String)>;

    /// Whether a resource stands at a location in a scope.
    fn has_pair(&self, scope: &str, resource: &str, location: &str) -> bool;

    /// What a resource is called; empty when nobody said.
    fn resource(&self, id: &str) -> &str;

    /// What a location is called; empty when nobody said.
    fn location(&self, id: &str) -> &str;
}

/// One plan.
#[derive(Debug)]
pub struct Plan {
    /// What people call it.
    pub title: String,
    /// What they call a scope: version, scenario.
    pub scope_word: &'static str,
    /// What it stores.
    pub model: Model,
    /// What is stored.
    pub store: CellStore,
    /// How landed capacity drives it.
    pub wiring: Wiring,
    /// Level at which measures are stored.
    pub storage: PeriodKind,
    /// Weeks before and after the first request's day that the ERP has loaded.
    pub weeks: (u32, u32),
    /// Hour (UTC) at which the nightly job runs by itself.
    pub nightly_hour: Option<i8>,
    /// Whether a measure that a scope doesn't have can't be written there.
    pub strict_scopes: bool,
    /// Whether the nightly load writes over landed capacity.
    pub spoils: bool,
    /// Decides the load.
    pub seed: u64,
    seeded_at: Option<Timestamp>,
    nightly_on: Option<Date>,
}

impl Plan {
    /// An empty plan; the ERP's data is loaded as of the first request.
    #[must_use]
    pub fn new(title: &str, model: Model, storage: PeriodKind) -> Self {
        let store = CellStore::new(&model);
        Self {
            title: title.to_owned(),
            scope_word: "Version",
            model,
            store,
            wiring: Wiring::None,
            storage,
            weeks: (8, 78),
            nightly_hour: None,
            strict_scopes: true,
            spoils: false,
            seed: 1,
            seeded_at: None,
            nightly_on: None,
        }
    }

    /// Whether a measure is calculated, so that nobody can write it.
    #[must_use]
    pub fn calculated(&self, measure: usize) -> bool {
        let part = self.model.measures[measure].part;
        part == Part::Utilisation || (part == Part::Assumed && self.wiring == Wiring::Calculation)
    }

    /// Whether values of a measure can be written in a scope; empty is base.
    #[must_use]
    pub fn assigned(&self, scope: &str, measure: usize) -> bool {
        scope.is_empty() || self.model.measures[measure].in_scopes || !self.strict_scopes
    }
}
