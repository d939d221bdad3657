//! What goes wrong with time: a wrong clock, a long outage, a source that is silent.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp, tz::TimeZone};
use planthread_contracts::Carries;
use planthread_kit::Clock as _;
use rust_decimal::Decimal;

use crate::{
    drill::{
        Drill,
        judge::{self, Place, Verdict},
        room::{CYCLE, Room, STARTS},
        tenant::Tenant,
    },
    failure::Failure,
};

/// How far a clock is set wrong.
const DAYS: SignedDuration = SignedDuration::from_hours(40 * 24);
/// Hours of an outage.
const OUTAGE: u64 = 72;
/// Requests that may be sent to each target in an hour in which nobody answers: a cycle
/// asks for up to four things, and sends each request four times at most.
const ASKED: usize = 16;
/// Days of silence.
const SILENT: u64 = 21;

pub(super) fn clock_skew(tenant: &Tenant, drill: &Drill<'_>) -> Result<Verdict, Failure> {
    let mut room = Room::landed(tenant, drill)?;
    let mut verdict = Verdict::default();
    let (mut written, mut asked, mut waited) = (Vec::new(), 0, 0);
    for ahead in [DAYS, -DAYS] {
        room.hour()?;
        room.die();
        let (before, since) = (judge::stored(&room), room.clock.now());
        let from = room.gate().heard.len();
        room.machine.set_ahead(ahead);
        room.cycle()?;
        room.die();
        room.machine.set_ahead(SignedDuration::ZERO);
        let changed = judge::effects(&room, since).into_iter();
        written.extend(
            changed.map(|change| format!("{ahead:?}: {} at {}", change.cell.value, change.at)),
        );
        if judge::stored(&room) != before {
            written.push(format!("{ahead:?}: the target holds something else"));
        }
        asked += room.gate().heard.len() - from;
        room.clock.advance(CYCLE);
        let since = room.clock.now();
        verdict.count("cycles until all had landed", room.until_landed(STARTS)?);
        // What the right clock wrote then was there to be written by the wrong one.
        waited += judge::effects(&room, since).len();
    }
    verdict.happened("requests by a wrong clock", asked);
    verdict.happened("changes that waited for the right clock", waited);
    verdict.none("values written by a wrong clock", written);
    verdict.at_the_end(&mut room)?;
    Ok(verdict)
}

pub(super) fn outage(tenant: &Tenant, drill: &Drill<'_>) -> Result<Verdict, Failure> {
    let mut room = Room::landed(tenant, drill)?;
    let mut verdict = Verdict::default();
    let before = judge::stored(&room);
    room.gate().down = true;
    let (mut asked, mut worst) = (0, 0);
    for _ in 0..OUTAGE {
        room.hour()?;
        let from = room.gate().heard.len();
        room.cycle()?;
        let in_this_hour = room.gate().heard.len() - from;
        (asked, worst) = (asked + in_this_hour, worst.max(in_this_hour));
    }
    verdict.happened("requests while nobody answered", asked);
    verdict.count("of them in the worst hour", worst);
    let most = ASKED * room.loaded.config.targets.len();
    if worst > most {
        verdict.findings.push(format!("{worst} requests in an hour: that is hammering"));
    }
    if judge::stored(&room) != before {
        verdict
            .findings
            .push("the target holds something else, and nobody could reach it".to_owned());
    }
    verdict.always(&mut room)?;
    room.gate().down = false;
    let since = room.clock.now();
    verdict.count("cycles until all had landed", room.until_landed(STARTS)?);
    let (after, beats) =
        (judge::stored(&room), judge::surfaces(&room, |one| one == Carries::Heartbeat));
    let changed = |(place, value): &(&Place, &Decimal)| {
        before.get(*place) != Some(*value) && !beats.contains(&place.measure)
    };
    verdict.happened("cells that changed meanwhile", after.iter().filter(changed).count());
    verdict.count("changes that took effect", judge::effects(&room, since).len());
    verdict.none("cells changed more than once", judge::more_than(&room, since, 1));
    verdict.at_the_end(&mut room)?;
    Ok(verdict)
}

/// Whether a figure is hopeful when it rises, or when it falls; nothing where it is
/// no figure.
const fn hopeful_up(carries: Carries) -> Option<bool> {
    match carries {
        Carries::AttainableClockHours
        | Carries::DemonstratedStandardHours
        | Carries::PlanCut
        | Carries::LowHours
        | Carries::GoodUnits
        | Carries::Covered => Some(true),
        Carries::ExpectedLostHours | Carries::Severity | Carries::HoursAtRisk | Carries::Status => {
            Some(false)
        }
        Carries::DecidedHours
        | Carries::AsOf
        | Carries::ValidUntil
        | Carries::Heartbeat
        | Carries::Observed => None,
    }
}

pub(super) fn silence(tenant: &Tenant, drill: &Drill<'_>) -> Result<Verdict, Failure> {
    let mut room = Room::landed(tenant, drill)?;
    let mut verdict = Verdict::default();
    let last_word = judge::stored(&room);
    let since = room.clock.now();
    let mut hopeful = Vec::new();
    for _ in 0..SILENT {
        room.clock.advance(Duration::from_hours(24));
        room.cycle()?;
        hopeful.extend(moved(&room, &last_word, room.clock.now()));
    }
    hopeful.sort();
    hopeful.dedup();
    verdict.count("days of silence", SILENT);
    // Figures fall back and stamps run out: where nothing moves, nobody noticed.
    verdict.happened("changes that took effect", judge::effects(&room, since).len());
    verdict.none("figures of the time ahead that became more hopeful", hopeful);
    verdict.always(&mut room)?;
    room.hour()?;
    verdict.count("cycles until the source was heard again", room.until_landed(STARTS)?);
    verdict.at_the_end(&mut room)?;
    Ok(verdict)
}

/// Figures of periods ahead of `now` that are more hopeful than the last word.
fn moved(room: &Room, last_word: &BTreeMap<Place, Decimal>, now: Timestamp) -> Vec<String> {
    let up = judge::surfaces(room, |carries| hopeful_up(carries) == Some(true));
    let down = judge::surfaces(room, |carries| hopeful_up(carries) == Some(false));
    let today = now.to_zoned(TimeZone::UTC).date();
    let mut found = Vec::new();
    for (place, value) in judge::stored(room) {
        let Some(before) = last_word.get(&place).filter(|_| place.period.start() > today) else {
            continue;
        };
        let better = if value > *before { &up } else { &down };
        if value != *before && better.contains(&place.measure) {
            found.push(format!("{place}: {before} became {value}"));
        }
    }
    found
}
