//! What to read: few, contiguous selections instead of many cells.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use planthread_contracts::{Period, PeriodKind};
use planthread_kit::{Selection, http::Lane};
use rusqlite::{Connection, params};

use super::policy::SweepPolicy;
use crate::{Reader, error::Result, ledger::names, store::codec};

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
    reader.snapshot(|conn| {
        let target = policy.target.as_str();
        let Some(scope) = names::find_scope(conn, target, policy.scope.name())? else {
            return Ok(Vec::new());
        };
        let mut due = due(conn, scope, policy, now)?;
        due.retain(|period, places| {
            places.retain(|place| !known.contains(&(*period, place.clone())));
            !places.is_empty()
        });
        let all = "SELECT COUNT(DISTINCT place) FROM cell_group WHERE scope = ?1";
        let places: usize = conn.query_row(all, [scope], |row| row.get(0))?;
        Ok(rectangles(&due, places, policy))
    })
}

/// Period and places that have something to read.
fn due(
    conn: &Connection,
    scope: i64,
    policy: &SweepPolicy,
    now: Timestamp,
) -> Result<BTreeMap<Period, BTreeSet<Place>>> {
    let near_end = policy.today.saturating_add(policy.near_days.days());
    let near = codec::period_code(Period::containing(PeriodKind::Day, near_end));
    let before =
        |age: SignedDuration| codec::micros(now.checked_sub(age).unwrap_or(Timestamp::MIN));
    // 3 unproven, 4 seen, 5 rejected, 8 withdrawn.
    let condition = match policy.which {
        Which::Unproven => "c.state = 3",
        Which::Expired => "(c.state = 3 OR c.state IN (4, 5) AND old)",
        // 0 pending, 1 held.
        Which::Unread => "c.state IN (0, 1) AND old",
        Which::All => "c.state <> 8",
        Which::Since(_) => "c.state <> 8 AND old",
    };
    let (near_old, far_old) = match policy.which {
        Which::Unread => (before(policy.basis_age), before(policy.basis_age)),
        Which::Since(at) => (codec::micros(at) - 1, codec::micros(at) - 1),
        Which::Unproven | Which::Expired | Which::All => {
            (before(policy.near_age), before(policy.far_age))
        }
    };
    // Read in the future: the clock was set back since, so nobody knows when.
    let query = format!(
        "SELECT DISTINCT g.period, p.resource, p.location,
         c.seen_at IS NULL OR c.seen_at > ?5
         OR c.seen_at <= CASE WHEN g.period < ?2 THEN ?3 ELSE ?4 END AS old
         FROM cell_group g JOIN place p ON p.id = g.place JOIN cell c ON c.grp = g.id
         WHERE g.scope = ?1 AND {condition}"
    );
    let mut statement = conn.prepare_cached(&query)?;
    let soon = before(-CLOCKS_DIFFER);
    let ages = params![scope, near, near_old, far_old, soon];
    let mut rows = statement.query(ages)?;
    let mut due: BTreeMap<Period, BTreeSet<Place>> = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let period = codec::period(row.get(0)?)?;
        due.entry(period).or_default().insert((row.get(1)?, row.get(2)?));
    }
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
        resources: if union.len() * 2 > places { Vec::new() } else { union.into_iter().collect() },
        from,
        to,
        lane,
    };
    found.into_iter().map(selection).collect()
}
