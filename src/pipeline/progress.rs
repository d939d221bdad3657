//! Progress: what is under way at this moment, for whoever watches.
//!
//! Steps write on the board, and nobody waits for a reader. A terminal, a log or
//! a page looks at it when it likes.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use jiff::Timestamp;
use planthread_kit::Clock;

/// One thing that is under way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Doing {
    /// The target that it is about; empty for the factory's side.
    pub who: String,
    /// What is done, in words: `reading back`.
    pub what: &'static str,
    /// Since when.
    pub since: Timestamp,
    /// How far: so many, of so many where that is known, of what.
    pub steps: Option<Steps>,
    /// How long it should take in all, in milliseconds, where that is known.
    pub expected_ms: Option<u64>,
    /// What it waits for; empty when there is nothing to say.
    pub note: String,
}

/// How far something is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Steps {
    /// Steps behind it, or the one it is in.
    pub at: u64,
    /// All steps, where that is known.
    pub of: Option<u64>,
    /// What a step is: `batch`, `record`.
    pub unit: &'static str,
}

/// Everything that is under way.
#[derive(Debug)]
pub struct Board {
    clock: Arc<dyn Clock>,
    next: AtomicU64,
    doing: Mutex<BTreeMap<u64, Doing>>,
}

impl Board {
    /// An empty board.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, next: AtomicU64::new(0), doing: Mutex::default() })
    }

    /// Writes that `what` is being done for `who`, until the entry is dropped.
    #[must_use]
    pub fn doing(self: &Arc<Self>, who: &str, what: &'static str) -> Entry {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let (who, since) = (who.to_owned(), self.clock.now());
        let note = String::new();
        let doing = Doing { who, what, since, steps: None, expected_ms: None, note };
        self.lock().insert(number, doing);
        Entry { board: Arc::clone(self), number }
    }

    /// What is under way, the longest first.
    #[must_use]
    pub fn now(&self) -> Vec<Doing> {
        self.lock().values().cloned().collect()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<u64, Doing>> {
        self.doing.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One line of the board; it is wiped off when this is dropped, also where a
/// walk is dropped on its way.
#[derive(Debug)]
pub struct Entry {
    board: Arc<Board>,
    number: u64,
}

impl Entry {
    /// Says how far it is.
    pub fn at(&self, at: u64, of: Option<u64>, unit: &'static str) {
        self.change(|doing| doing.steps = Some(Steps { at, of, unit }));
    }

    /// Says how long it should take in all.
    pub fn expected(&self, ms: u64) {
        self.change(|doing| doing.expected_ms = Some(ms));
    }

    /// Says what it waits for.
    pub fn note(&self, note: String) {
        self.change(|doing| doing.note = note);
    }

    fn change(&self, change: impl FnOnce(&mut Doing)) {
        if let Some(doing) = self.board.lock().get_mut(&self.number) {
            change(doing);
        }
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        self.board.lock().remove(&self.number);
    }
}

#[cfg(test)]
mod tests {
    use planthread_kit::VirtualClock;

    use super::*;

    #[test]
    fn what_is_over_is_wiped_off_and_the_longest_stands_first() {
        let board = Board::new(Arc::new(VirtualClock::new(Timestamp::UNIX_EPOCH, 1)));
        let first = board.doing("", "reading the files of the sources");
        let second = board.doing("ibp", "reading back");
        second.at(2, Some(9), "selection");
        first.note("a slow disk".to_owned());
        let now = board.now();
        assert_eq!((now[0].note.as_str(), now[1].who.as_str()), ("a slow disk", "ibp"));
        assert_eq!(now[1].steps, Some(Steps { at: 2, of: Some(9), unit: "selection" }));
        drop(first);
        assert_eq!(board.now().len(), 1);
        drop(second);
        assert!(board.now().is_empty());
    }
}
