//! What must be true, told from the store of the sandbox and from the ledger. What the
//! bridge says of itself decides nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use jiff::Timestamp;
use planthread_contracts::{Carries, CellKey, Period, RevisionState};
use planthread_engine::ledger::{self, CellView};
use planthread_kit::Clock as _;
use planthread_mocks::{Change, Simulator as _, StoredCell, Writer};
use rust_decimal::Decimal;

use super::room::Room;
use crate::{failure::Failure, report::drill::Count};

/// A cell as the target names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Place {
    pub(super) scope: String,
    pub(super) resource: String,
    pub(super) location: String,
    pub(super) period: Period,
    pub(super) measure: String,
}

impl Place {
    /// Where a stored cell stands.
    pub(super) fn of(cell: &StoredCell) -> Self {
        let StoredCell { scope, resource, location, period, measure, .. } = cell.clone();
        Self { scope, resource, location, period, measure }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {} in {}", self.measure, self.resource, self.period)
    }
}

/// The values that each cell had.
pub(super) type Wanted = BTreeMap<Place, BTreeSet<Decimal>>;

/// Findings that are named one by one; the others are counted.
const NAMED: usize = 3;

/// What a rehearsal came to.
#[derive(Debug, Default)]
pub(super) struct Verdict {
    /// What was counted.
    pub(super) seen: Vec<Count>,
    /// What is otherwise than promised.
    pub(super) findings: Vec<String>,
    /// Why it could not be rehearsed before this target.
    pub(super) not_applicable: Option<String>,
}

impl Verdict {
    /// Writes a number down.
    pub(super) fn count(&mut self, what: &str, count: impl TryInto<u64>) {
        let count = count.try_into().unwrap_or(u64::MAX);
        self.seen.push(Count { what: what.to_owned(), count });
    }

    /// Writes down how often that which is rehearsed took place. Where it did not, nothing
    /// was proven, and that is no pass.
    pub(super) fn happened(&mut self, what: &str, count: usize) {
        self.count(what, count);
        if count == 0 {
            self.findings.push(format!("did not happen: 0 {what}"));
        }
    }

    /// Says that it took place less often than it was arranged.
    pub(super) fn all_of(&mut self, happened: usize, arranged: usize) {
        if happened < arranged {
            self.findings.push(format!("did not happen: {} of {arranged}", arranged - happened));
        }
    }

    /// Writes a number down that must be zero.
    pub(super) fn none(&mut self, what: &str, found: Vec<String>) {
        self.count(what, found.len() as u64);
        let more = found.len().saturating_sub(NAMED);
        self.findings.extend(found.into_iter().take(NAMED).map(|one| format!("{what}: {one}")));
        if more > 0 {
            self.findings.push(format!("{what}: and {more} more"));
        }
    }

    /// Everything that must hold when all is over: all that is wanted stands at the
    /// target and is known to, and the books balance.
    pub(super) fn at_the_end(&mut self, room: &mut Room) -> Result<(), Failure> {
        self.count("cells wanted", cells(room)?.len());
        self.none("cells that did not land", missing(room)?);
        self.always(room)
    }

    /// Everything that must hold at any moment.
    pub(super) fn always(&mut self, room: &mut Room) -> Result<(), Failure> {
        self.none("cells called seen that stand otherwise", lies(room)?);
        self.none("values of ours that nobody wanted", foreign(room)?);
        room.balance()?;
        self.none("faults in the books", std::mem::take(&mut room.unbalanced));
        Ok(())
    }
}

/// Every cell of the ledger that is wanted.
pub(super) fn cells(room: &mut Room) -> Result<Vec<CellView>, Failure> {
    let (reader, now) = (room.reader()?, room.clock.now());
    let mut all = Vec::new();
    ledger::cells(&reader, now, |cell| {
        if cell.state != RevisionState::Withdrawn {
            all.push(cell);
        }
        Ok(())
    })?;
    Ok(all)
}

/// What a cell carries, and where it stands at the target.
fn place(room: &Room, key: &CellKey) -> Option<(Carries, Place)> {
    let target = room.loaded.config.targets.get(key.target.as_str())?;
    let measure = target.measures.iter().find(|measure| measure.name == key.measure)?;
    let texts = [&key.scope, &key.resource, &key.location].map(ToString::to_string);
    let [scope, resource, location] = texts;
    let (period, measure_there) = (key.period, measure.surface.clone());
    let place = Place { scope, resource, location, period, measure: measure_there };
    Some((measure.carries, place))
}

/// What the target holds.
pub(super) fn stored(room: &Room) -> BTreeMap<Place, Decimal> {
    room.gate().stored().iter().map(|cell| (Place::of(cell), cell.value)).collect()
}

fn named(cell: &CellView, stands: Option<&Decimal>) -> String {
    let stands = stands.map_or_else(|| "nothing".to_owned(), ToString::to_string);
    format!(
        "{} is {} with {}, and the target holds {stands}",
        cell.key,
        cell.state.word(),
        cell.value
    )
}

/// Cells that are not both at the target and known to be there.
pub(super) fn missing(room: &mut Room) -> Result<Vec<String>, Failure> {
    let all = cells(room)?;
    let held = stored(room);
    if all.is_empty() {
        return Ok(vec!["nothing is wanted".to_owned()]);
    }
    let landed = |cell: &&CellView| {
        let stands = place(room, &cell.key).and_then(|(_, place)| held.get(&place).copied());
        cell.state != RevisionState::Seen || stands != Some(cell.value)
    };
    let of = |cell: &CellView| {
        let at = place(room, &cell.key).map(|(_, place)| place);
        named(cell, at.and_then(|place| held.get(&place)))
    };
    Ok(all.iter().filter(landed).map(of).collect())
}

/// Cells that are called seen, and stand otherwise.
fn lies(room: &mut Room) -> Result<Vec<String>, Failure> {
    let all = cells(room)?;
    let held = stored(room);
    let lie = |cell: &CellView| {
        let stands = place(room, &cell.key).and_then(|(_, place)| held.get(&place));
        (cell.state == RevisionState::Seen && stands != Some(&cell.value))
            .then(|| named(cell, stands))
    };
    Ok(all.iter().filter_map(lie).collect())
}

/// Changes through the target's interface since `since`, but for heartbeats: those
/// that changed something.
pub(super) fn effects(room: &Room, since: Timestamp) -> Vec<Change> {
    let beats: BTreeSet<String> = surfaces(room, |carries| carries == Carries::Heartbeat);
    let ours = |change: &Change| {
        matches!(change.cell.writer, Writer::Integration(_))
            && change.at >= since
            && change.before != Some(change.cell.value)
            && !beats.contains(&change.cell.measure)
    };
    room.gate().history().into_iter().filter(ours).collect()
}

/// The target's names of measures.
pub(super) fn surfaces(room: &Room, of: impl Fn(Carries) -> bool) -> BTreeSet<String> {
    let measures = room.loaded.config.targets.values().flat_map(|target| &target.measures);
    measures.filter(|one| of(one.carries)).map(|one| one.surface.clone()).collect()
}

/// Cells whose value was changed more than `times` since `since`.
pub(super) fn more_than(room: &Room, since: Timestamp, times: u64) -> Vec<String> {
    let mut each = BTreeMap::<Place, u64>::new();
    for Change { cell, .. } in effects(room, since) {
        *each.entry(Place::of(&cell)).or_default() += 1;
    }
    let often = each.into_iter().filter(|(_, count)| *count > times);
    often.map(|(place, count)| format!("{place} changed {count} times")).collect()
}

/// Values that came through the target's interface, and that no revision of their
/// cell ever had.
fn foreign(room: &mut Room) -> Result<Vec<String>, Failure> {
    let wanted = ever_wanted(room)?;
    let ours = effects(room, Timestamp::MIN);
    let mut found = Vec::new();
    for Change { cell, .. } in ours {
        let place = Place::of(&cell);
        if !wanted.get(&place).is_some_and(|values| values.contains(&cell.value)) {
            found.push(format!("{} as {place}", cell.value));
        }
    }
    Ok(found)
}

/// All values that any revision of a cell ever had, also in a state that was put back
/// since.
pub(super) fn ever_wanted(room: &mut Room) -> Result<Wanted, Failure> {
    let (reader, now) = (room.reader()?, room.clock.now());
    let mut keys = Vec::new();
    ledger::cells(&reader, now, |cell| {
        keys.push(cell.key);
        Ok(())
    })?;
    let mut wanted = room.wanted_before.clone();
    for key in &keys {
        let Some((_, place)) = place(room, key) else { continue };
        let trace = ledger::trace(&reader, key, now)?;
        let values = trace.revisions.iter().map(|revision| revision.value);
        wanted.entry(place).or_default().extend(values);
    }
    Ok(wanted)
}

/// Values of ours that took effect since `since`, but for those that stand in `newest`,
/// and for what only accompanies a figure.
pub(super) fn other_than(
    room: &Room,
    since: Timestamp,
    newest: &BTreeMap<Place, Decimal>,
) -> Vec<String> {
    let stamps = surfaces(room, Carries::accompanies);
    let changes = effects(room, since).into_iter().map(|change| change.cell);
    let others = changes.filter(|cell| {
        !stamps.contains(&cell.measure) && newest.get(&Place::of(cell)) != Some(&cell.value)
    });
    others.map(|cell| format!("{} as {}", cell.value, Place::of(&cell))).collect()
}

/// Requests of which the answer was lost on its way, since request `from`.
pub(super) fn unanswered(room: &Room, from: usize) -> usize {
    room.gate().heard[from..].iter().filter(|one| one.status.is_none()).count()
}

/// Requests that came while an answer asked to wait.
pub(super) fn inside_waits(room: &Room, from: usize) -> Vec<String> {
    let gate = room.gate();
    let heard = gate.heard.get(from..).unwrap_or_default();
    let mut until: Option<Timestamp> = None;
    let mut told_at = None;
    let mut found = Vec::new();
    for one in heard {
        // What was on its way at the same instant can't be called back.
        if until.is_some_and(|until| one.at < until) && told_at != Some(one.at) {
            found.push(format!("{} at {}", one.line, one.at));
        }
        if let Some(wait) = one.wait {
            let end = one.at.saturating_add(wait).unwrap_or(Timestamp::MAX);
            if until.is_none_or(|until| end > until) {
                (until, told_at) = (Some(end), Some(one.at));
            }
        }
    }
    found
}
