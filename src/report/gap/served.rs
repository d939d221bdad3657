//! The page of a bridge that runs: what was read last, with its age as of now.
//!
//! A number turns grey by itself: figures are judged against the instant at which the
//! page is opened, and a reading that no newer one replaced proves nothing.

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use jiff::{SignedDuration, Timestamp};
use planthread_kit::Clock;

use super::{Gap, TargetGap};
use crate::{
    pipeline::gap::{GapBoard, Reading},
    serve::page::Shows,
};

/// How much longer than two rounds a reading may stand.
const SLACK: SignedDuration = SignedDuration::from_mins(10);

/// How old a reading is, and why it is no newer.
#[derive(Debug)]
pub(super) struct Age {
    /// When the target was read.
    pub(super) read_at: Timestamp,
    /// Why it proves nothing any more; absent while it is of the newest round.
    pub(super) late: Option<String>,
}

/// The page of what a board holds.
pub struct Served {
    board: Arc<GapBoard>,
    clock: Arc<dyn Clock>,
    every: SignedDuration,
}

impl fmt::Debug for Served {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Served").field("every", &self.every).finish_non_exhaustive()
    }
}

impl Served {
    /// The page of `board`, whose rounds begin every `every`.
    #[must_use]
    pub fn new(board: Arc<GapBoard>, clock: Arc<dyn Clock>, every: Duration) -> Self {
        let every = SignedDuration::try_from(every).unwrap_or(SignedDuration::MAX);
        Self { board, clock, every }
    }

    /// The view of what was read last.
    #[must_use]
    pub fn view(&self) -> Gap {
        let now = self.clock.now();
        let mut gap = Gap { at: now, targets: Vec::new(), unread: Vec::new(), all: true };
        for (name, reading) in self.board.readings() {
            let late = self.late(now, &reading);
            match reading.last {
                Some((read_at, found)) => {
                    let found = (*found).clone();
                    gap.targets.push(TargetGap::of(now, found).aged(Age { read_at, late }));
                }
                None => gap.unread.push((name, reading.missed)),
            }
        }
        gap
    }

    fn late(&self, now: Timestamp, reading: &Reading) -> Option<String> {
        let (read_at, _) = reading.last.as_ref()?;
        let most = self.every.saturating_mul(2).saturating_add(SLACK);
        let old = now.duration_since(*read_at).abs() > most;
        let missed = reading.missed.clone();
        missed.or_else(|| old.then(|| "no newer reading came".to_owned()))
    }
}

impl Shows for Served {
    fn page(&self) -> String {
        self.view().html()
    }
}

impl TargetGap {
    /// The same, as old as `age` says: what is late proves nothing.
    pub(super) fn aged(mut self, age: Age) -> Self {
        if age.late.is_some() {
            self.rows.iter_mut().for_each(|row| row.proven = false);
            let firm = self.rows.iter().filter(|row| row.row.known.firm.is_some());
            let lines: BTreeSet<_> = firm.map(|row| row.row.line.clone()).collect();
            self.firm_not_proven = lines.into_iter().collect();
        }
        self.age = Some(age);
        self
    }
}
