//! What to read: few, contiguous selections instead of many cells.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use planthread_contracts::{Period, PeriodKind, RevisionState};
use planthread_kit::{Selection, http::Lane};

use super::policy::SweepPolicy;
use crate::{
    Reader,
    error::Result,
    store::{Db, scope_counts::Due},
};

/// Which cells a sweep is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// What was sent and not yet read back.
    Unproven,
    /// That, and whatever was seen too long ago.
    Expired,
    /// What is to be sent, and was never read or not just now: the basis of a
    /// plan. Whatever a person did there since shows before it is overwritten.
    Unread,
    /// Everything.
    All,
    /// Everything that was not read since this instant.
    Since(Timestamp),
}

pub(super) type Place = (String, String);

/// A clock that was set by less is still the same clock.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_mins(5);

/// The selections that a sweep would read now, near periods first.
///
/// # Errors
/// When the state can't be read.
pub fn selections(reader: &Reader, policy: &SweepPolicy, now: Timestamp) -> Result<Vec<Selection>> {
    selections_but(reader, policy, now, &BTreeSet::new())
}

/// The same, without the periods and places in `known`.
pub(super) fn selections_but(
    reader: &Reader,
    policy: &SweepPolicy,
    now: Timestamp,
    known: &BTreeSet<(Period, Place)>,
) -> Result<Vec<Selection>> {
    reader.at_once(|db| {
        let Some(scope) = db.scope(&policy.target, policy.scope.name())? else {
            return Ok(Vec::new());
        };
        let mut due = due(db, scope, policy, now)?;
        due.retain(|period, places| {
            places.retain(|place| !known.contains(&(*period, place.clone())));
            !places.is_empty()
        });
        Ok(rectangles(&due, db.places(scope)?, policy))
    })
}

/// Period and places that have something to read.
fn due(
    db: &Db,
    scope: i64,
    policy: &SweepPolicy,
    now: Timestamp,
) -> Result<BTreeMap<Period, BTreeSet<Place>>> {
    use RevisionState as S;
    const WANTED: &[S] = &[S::Pending, S::Held, S::InFlight, S::Unproven, S::Seen, S::Rejected];
    let (always, when_old): (&[S], &[S]) = match policy.which {
        Which::Unproven => (&[S::Unproven], &[]),
        Which::Expired => (&[S::Unproven], &[S::Seen, S::Rejected]),
        Which::Unread => (&[], &[S::Pending, S::Held]),
        Which::All => (WANTED, &[]),
        Which::Since(_) => (&[], WANTED),
    };
    let before = |age: SignedDuration| now.checked_sub(age).unwrap_or(Timestamp::MIN);
    let (near_old, far_old) = match policy.which {
        Which::Unread => (before(policy.basis_age), before(policy.basis_age)),
        Which::Since(at) => {
            let just_before = at.checked_sub(SignedDuration::from_micros(1)).unwrap_or(at);
            (just_before, just_before)
        }
        Which::Unproven | Which::Expired | Which::All => {
            (before(policy.near_age), before(policy.far_age))
        }
    };
    let near_end = policy.today.saturating_add(policy.near_days.days());
    let near = Period::containing(PeriodKind::Day, near_end);
    // Read in the future: the clock was set back since, so nobody knows when.
    let soon = before(-CLOCKS_DIFFER);
    let mut due: BTreeMap<Period, BTreeSet<Place>> = BTreeMap::new();
    let ages = Due { always, when_old, near, near_old, far_old, soon };
    db.due_groups(scope, &ages, |period, place| {
        due.entry(period).or_default().insert(place);
    })?;
    Ok(due)
}

/// Runs of adjoining periods; in each, every place that is due in one of them,
/// or all places when that is most of them anyway. Pure.
fn rectangles(
    due: &BTreeMap<Period, BTreeSet<Place>>,
    places: usize,
    policy: &SweepPolicy,
) -> Vec<Selection> {
    let width = policy.measures.len().max(1);
    let mut found: Vec<(Period, Period, usize, BTreeSet<Place>)> = Vec::new();
    for (period, here) in due {
        if let Some((_, to, periods, union)) = found.last_mut() {
            let grown = union.union(here).count() * (*periods + 1) * width;
            if to.next() == *period && grown <= policy.cells_per_selection {
                *to = *period;
                *periods += 1;
                union.extend(here.iter().cloned());
                continue;
            }
        }
        found.push((*period, *period, 1, here.clone()));
    }
    let ended = |period: &Period| period.end() <= policy.today;
    found.sort_by_key(|(from, to, ..)| (ended(to), *from));
    let lane = match policy.which {
        Which::Unproven | Which::Unread => Lane::Verify,
        Which::Expired | Which::All | Which::Since(_) => Lane::Sweep,
    };
    let selection = |(from, to, _, union): (Period, Period, usize, BTreeSet<Place>)| Selection {
        target: policy.target.clone(),
        scope: policy.scope.clone(),
        measures: policy.names(from.kind()),
        resources: if union.len() * 2 > places && !policy.by_place {
            Vec::new()
        } else {
            union.into_iter().collect()
        },
        from,
        to,
        lane,
    };
    found.into_iter().map(selection).collect()
}
