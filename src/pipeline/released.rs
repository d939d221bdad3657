//! What is released, between the state that keeps it and the domain that decides.

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_contracts::Period;
use planthread_domain::{
    Derivation, Deriver,
    lanes::in_order,
    model::Significance,
    significance::{Change, Outcome, Reason, Released, Releases, release},
};
use planthread_engine::{
    Reader, State,
    ledger::{self, ReleasedRow},
};

use serde::{Deserialize, Serialize};

use super::Truth;
use crate::{
    config::{DecisionsTaken, Target},
    failure::{Exit, Failure},
};

/// Releases that are kept in one commit.
const KEPT_AT_ONCE: usize = 4_096;

/// How a release moved the attainable hours of one before it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Move {
    /// The instant that it speaks for.
    pub(super) as_of: Timestamp,
    /// By what; absent where the layers of one of them are not known.
    pub(super) change: Option<Change>,
}

impl Move {
    /// What is kept of `released`; nothing of the first release of a period.
    fn of(released: &Released) -> Option<Self> {
        let first = released.reason == Reason::New && released.change.is_none();
        (!first).then(|| Self { as_of: released.as_of, change: released.change.clone() })
    }
}

/// How what was released of `source` in `period` moved, the oldest first, each with the
/// ledger's counter then.
///
/// # Errors
/// When the state can't be read.
pub(super) fn moves(
    reader: &Reader,
    source: &str,
    period: Period,
) -> Result<Vec<(u64, Move)>, Failure> {
    let all = ledger::moved(reader, source, period)?;
    let told = |row: ledger::MovedRow| Ok((row.counter, serde_json::from_str(&row.told)?));
    all.into_iter()
        .map(told)
        .collect::<Result<_, serde_json::Error>>()
        .map_err(|error| Failure::internal(format!("a move is not readable: {error}")))
}

/// How many figures were released anew, and how many were not worth it.
#[derive(Debug, Clone, Default)]
pub(super) struct Counted {
    /// Released, by reason.
    pub(super) reasons: BTreeMap<Reason, u64>,
    /// Those that differ from what is derived, but not by enough.
    pub(super) kept: u64,
}

/// What was released of `sources` in `periods`.
///
/// # Errors
/// When the state can't be read.
pub(super) fn releases<'a>(
    reader: &Reader,
    sources: impl IntoIterator<Item = &'a str>,
    periods: &[Period],
) -> Result<Releases, Failure> {
    let mut releases = Releases::default();
    for source in sources {
        for period in periods {
            let Some(told) = ledger::released(reader, source, *period)? else { continue };
            let told: Released = serde_json::from_str(&told).map_err(|error| {
                Failure::internal(format!("a release is not readable: {error}"))
            })?;
            releases.put(source.into(), *period, told);
        }
    }
    Ok(releases)
}

/// What `truth` released of `sources`.
///
/// # Errors
/// When the state can't be read, or holds what a later truth released: then nothing
/// of this one is wanted any more.
pub(super) fn of_truth<'a>(
    reader: &Reader,
    truth: &Truth,
    sources: impl IntoIterator<Item = &'a str>,
) -> Result<Releases, Failure> {
    let releases = releases(reader, sources, &truth.live.origin().all_periods())?;
    let known: (Timestamp, u64) = (truth.as_of, truth.position);
    match releases.latest() {
        Some((as_of, position)) if as_of > known.0 || position > known.1 => {
            let words = format!("the truth of {} is overtaken by that of {as_of}", truth.as_of);
            Err(Failure::new(Exit::Transient, words).cure("nothing: the next cycle derives anew"))
        }
        _ => Ok(releases),
    }
}

/// What is released at `target`, of what is derived there: where what is proposed counts,
/// it moves the figures that were `released` of what is confirmed. Nothing of it is kept:
/// the same facts give the same.
pub(super) fn at(
    target: &Target,
    derivation: &Derivation,
    position: u64,
    rules: &Significance,
    released: Releases,
) -> Releases {
    match target.decisions {
        DecisionsTaken::Confirmed => released,
        DecisionsTaken::Proposed => release(derivation, position, rules, released).releases,
    }
}

/// Decides what is worth releasing of `live`, which was derived up to `position` of
/// the journal, resource by resource, and keeps it. Kept twice it is the same.
///
/// # Errors
/// When the state can't be read or written.
pub(super) fn decide(
    state: &State,
    live: &Deriver<'_>,
    position: u64,
    rules: &Significance,
) -> Result<Counted, Failure> {
    let periods = live.origin().all_periods();
    let Some(first) = periods.iter().map(|period| period.start()).min() else {
        return Ok(Counted::default());
    };
    let one = |reader: &mut Reader, name: &&str| -> Result<_, Failure> {
        let before = releases(reader, [*name], &periods)?;
        let Outcome { releases, changed, reasons, kept } =
            release(&live.of([*name]), position, rules, before);
        let rows = changed.into_iter().filter_map(|(resource, period)| {
            let one = releases.get(&resource, period)?;
            let moved = Move::of(one).map(|one| serde_json::to_string(&one)).transpose();
            let told = serde_json::to_string(one);
            Some(told.and_then(|told| Ok(ReleasedRow { resource, period, told, moved: moved? })))
        });
        let rows = rows
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| Failure::internal(format!("a release can't be written: {error}")))?;
        Ok((rows, Counted { reasons, kept }))
    };
    let names: Vec<&str> = live.names().collect();
    in_order(readers(state)?, &names, one, |all| {
        let (mut counted, mut rows) = (Counted::default(), Vec::new());
        for one in all {
            let (more, Counted { reasons, kept }) = one?;
            counted.kept += kept;
            for (reason, count) in reasons {
                *counted.reasons.entry(reason).or_default() += count;
            }
            rows.extend(more);
            if rows.len() >= KEPT_AT_ONCE {
                ledger::release(state, std::mem::take(&mut rows), first)?;
            }
        }
        if !rows.is_empty() {
            ledger::release(state, rows, first)?;
        }
        Ok(counted)
    })
}

/// How many things are made side by side.
#[must_use]
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, std::num::NonZero::get)
}

/// A reader for each core: what is made side by side reads by itself.
///
/// # Errors
/// When the state can't be read.
pub(super) fn readers(state: &State) -> Result<Vec<Reader>, Failure> {
    Ok((0..cores()).map(|_| state.reader()).collect::<Result<_, _>>()?)
}
