//! What was released of the plant's figures, kept for the next decision.
//!
//! The engine keeps it and does not read it: what a release says is told by
//! whoever decides it.

use jiff::civil::Date;
use planthread_contracts::{Name, Period};

use crate::{Reader, State, error::Result};

/// What was released of one resource in one period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleasedRow {
    /// The plant's resource or line.
    pub resource: Name,
    /// The period.
    pub period: Period,
    /// What was released, in the words of whoever decides it.
    pub told: String,
    /// How it moved from what was released before; absent where there was nothing.
    pub moved: Option<String>,
}

/// How what was released moved once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MovedRow {
    /// The ledger's counter then: cells that were taken in up to it know nothing of it.
    pub counter: u64,
    /// How it moved, in the words of whoever decided it.
    pub told: String,
}

/// How what was released of one resource in one period moved, the oldest first. The
/// newest 64 moves are kept.
///
/// # Errors
/// When the state can't be read.
pub fn moved(reader: &Reader, resource: &str, period: Period) -> Result<Vec<MovedRow>> {
    reader.db().moved(resource, period)
}

/// What is released of one resource in one period, in the words of whoever decided
/// it.
///
/// # Errors
/// When the state can't be read.
pub fn released(reader: &Reader, resource: &str, period: Period) -> Result<Option<String>> {
    reader.db().released(resource, period)
}

/// Keeps what was released anew, durably, and forgets the periods that begin
/// before `first`.
///
/// # Errors
/// When the disk refuses.
pub fn release(state: &State, rows: Vec<ReleasedRow>, first: Date) -> Result<()> {
    state.change(move |tx| {
        tx.delete_released(first)?;
        rows.iter().try_for_each(|row| tx.put_released(row))
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{TempDir, now};

    #[test]
    fn the_newest_moves_are_kept_in_order_and_go_with_their_period() {
        let dir = TempDir::new("moved");
        let state = State::open(dir.path(), now()).unwrap();
        let period: Period = "2026-W48".parse().unwrap();
        let keep = |nth: u64, first: &str| {
            let moved = (nth > 0).then(|| nth.to_string());
            let (resource, told) = ("M1".into(), "{}".to_owned());
            let row = ReleasedRow { resource, period, told, moved };
            release(&state, vec![row], first.parse().unwrap()).unwrap();
        };
        (0..=70).for_each(|nth| keep(nth, "2026-11-01"));
        let reader = state.reader().unwrap();
        let told = |resource: &str| -> Vec<u64> {
            let all = moved(&reader, resource, period).unwrap();
            all.iter().map(|one| one.told.parse().unwrap()).collect()
        };
        assert_eq!(told("M1"), (7..=70).collect::<Vec<_>>());
        assert!(told("M2").is_empty());
        release(&state, Vec::new(), "2026-12-01".parse().unwrap()).unwrap();
        assert!(told("M1").is_empty());
    }
}
