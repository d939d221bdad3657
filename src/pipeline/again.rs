//! What was wanted at each target last, and of what it was made: the same makes the
//! same (law 18), so a cycle without news derives, projects and compares nothing.
//!
//! Kept in memory only, beside the one writer of the state. Whatever may move cells of
//! a target, other than a want, forgets it: what leaves wanted, and how, depends on
//! what became of the cells.

use std::{
    collections::HashMap,
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use planthread_contracts::MeasureDecl;
use planthread_engine::ledger::{Lock, Want, Wanted};
use rust_decimal::Decimal;

use super::want::WantReport;

/// Everything that a want is made of, besides what one process is configured with.
#[derive(Debug, PartialEq)]
pub(super) struct Basis {
    /// The instant of the truth.
    pub(super) as_of: Timestamp,
    /// How far the journal was read for it.
    pub(super) position: u64,
    /// The number of this writer.
    pub(super) heartbeat: Option<Decimal>,
    /// The measures, with whom they may be written for.
    pub(super) writable: Vec<MeasureDecl>,
    /// What is told of the cells as a whole.
    pub(super) want: Want,
    /// What people hold, by either kind of lock.
    pub(super) held: Vec<Lock>,
}

/// The last want of a target.
#[derive(Debug)]
struct Last {
    basis: Basis,
    report: WantReport,
}

/// The last want of each target.
#[derive(Debug, Default)]
pub(super) struct Wants(Mutex<HashMap<String, Last>>);

impl Wants {
    fn all(&self) -> MutexGuard<'_, HashMap<String, Last>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is to be said of a want of `basis`, where the last one had the same: its
    /// cells are what they were.
    pub(super) fn same(&self, basis: &Basis) -> Option<WantReport> {
        let all = self.all();
        let Last { report, .. } =
            all.get(&basis.want.target).filter(|last| last.basis == *basis)?;
        let Wanted { made, unchanged, older, pinned, .. } = report.wanted;
        let wanted = Wanted { unchanged: made + unchanged, older, pinned, ..Wanted::default() };
        Some(WantReport { wanted, no_news: true, released: [].into(), ..report.clone() })
    }

    /// Keeps what a want of `basis` did.
    pub(super) fn keep(&self, basis: Basis, report: &WantReport) {
        self.all().insert(basis.want.target.clone(), Last { basis, report: report.clone() });
    }

    /// Cells of `target` may have moved.
    pub(super) fn forget(&self, target: &str) {
        self.all().remove(target);
    }
}
