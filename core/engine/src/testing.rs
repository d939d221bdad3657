//! Small helpers of this crate's own tests.

use std::{
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
};

use jiff::{SignedDuration, Timestamp};
use planthread_contracts::{
    CellKey, DesiredCell, MeasureDecl, Period, PeriodKind, RevisionState, Status,
};

use crate::{
    EngineError, State,
    ledger::{Want, revision_tally::RevisionTally, want},
};

static NEXT: AtomicU32 = AtomicU32::new(0);

/// A folder of its own, removed when dropped.
#[derive(Debug)]
pub(crate) struct TempDir(PathBuf);

impl TempDir {
    pub(crate) fn new(name: &str) -> Self {
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let unique = format!("planthread-{name}-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(unique);
        std::fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TempDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

/// A fixed instant.
pub(crate) fn now() -> Timestamp {
    "2026-11-22T22:00:00Z".parse().unwrap()
}

/// A weekly measure in hours that Planthread owns.
pub(crate) fn decl(name: &str, carries: &str, role: &str) -> MeasureDecl {
    serde_json::from_value(serde_json::json!({
        "name": name, "surface": name.to_uppercase(), "carries": carries, "unit": "HUR",
        "scale": 2, "level": "week", "over_time": "sum", "over_resources": "sum",
        "owner": "bridge", "role": role }))
    .unwrap()
}

/// Wants so many cells of a measure at the target `t`, over twenty weeks.
pub(crate) fn wanted(state: &State, measure: &MeasureDecl, cells: usize) {
    let first = Period::containing(PeriodKind::Week, "2026-11-23".parse().unwrap());
    let periods = std::iter::successors(Some(first), |period| Some(period.next()));
    let periods: Vec<Period> = periods.take(20).collect();
    let cell = |number: usize| DesiredCell {
        key: CellKey {
            target: "t".into(),
            scope: "".into(),
            resource: format!("LINE-{}", number / 20).into(),
            location: "1010".into(),
            product: None,
            period: periods[number % 20],
            measure: (&measure.name).into(),
        },
        value: 100.into(),
        unrounded: 100.into(),
        status: Status::Live,
        as_of: now(),
        valid_until: now(),
        recipe: "recipe".into(),
    };
    let all = Want {
        target: "t".to_owned(),
        as_of: now(),
        measures: vec![measure.clone()],
        mapped: Default::default(),
        refresh_within: SignedDuration::ZERO,
        complete: Vec::new(),
    };
    want(state, all, [Ok::<_, EngineError>((0..cells).map(cell).collect())], now()).unwrap();
}

/// The same, and marks them as seen through the tally, as after a peaceful run.
pub(crate) fn landed(state: &State, measure: &MeasureDecl, cells: usize) {
    wanted(state, measure, cells);
    let seen = state.change(|tx| {
        let scope = tx.scope("t", "")?.unwrap();
        let mut tally = RevisionTally::default();
        let mut wanted = Vec::new();
        for group in tx.waiting_groups(scope)? {
            wanted.extend(tx.cells_of_group(group)?);
        }
        for mut cell in wanted {
            cell.step(&mut tally, scope, RevisionState::Seen)?;
            (cell.sent_rev, cell.accepted_rev) = (cell.rev, cell.rev);
            (cell.seen, cell.seen_at) = (Some(cell.value), Some(now()));
            tx.put_cell(&cell)?;
        }
        tally.flush(tx)
    });
    seen.unwrap();
}
