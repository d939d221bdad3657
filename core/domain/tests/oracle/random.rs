//! Random worlds: small, and full of what plants do.

use jiff::ToSpan as _;
use planthread_contracts::EquipmentState::{self, *};

use super::{
    dice::Dice,
    grid::monday,
    plant::zone,
    world::{
        Alive, Calendar, HOUR, Kind, Line, Machine, Reading, SLOT, Source, Stop, Verdict, Word,
        World,
    },
};

/// Monday 2026-01-05 00:00 UTC.
const FIRST: i64 = 1_767_571_200_000;
const DAY: i64 = 24 * HOUR;
const STOPS: [EquipmentState; 10] = [
    UnscheduledDown,
    UnscheduledDown,
    UnscheduledDown,
    UnscheduledDown,
    ScheduledDown,
    NonScheduled,
    StandbyStarved,
    StandbyNoOrder,
    StandbyNoOperator,
    Setup,
];

/// The world of one seed.
pub(crate) fn world(seed: u64) -> World {
    made(&mut Dice::new(seed), false)
}

/// One with so many weeks behind it that a decline can show, and in which persons have
/// judged sources.
pub(crate) fn old_world(seed: u64) -> World {
    let mut dice = Dice::new(seed);
    let mut world = made(&mut dice, true);
    judge(&mut dice, &mut world);
    world
}

/// Persons say of some time which source is right.
pub(crate) fn judge(dice: &mut Dice, world: &mut World) {
    let begin = world.now - world.history();
    for nth in 0..dice.range(1, 5) {
        let start = begin + dice.range(0, (world.now - begin) / SLOT) * SLOT;
        let (source, machine) = (dice.below(world.sources.len()), dice.below(world.machines.len()));
        let end = start + dice.range(1, 900) * SLOT;
        let given = world.now - dice.range(0, 40) * HOUR - nth;
        world.verdicts.push(Verdict { source, machine, start, end, given });
    }
}

fn made(dice: &mut Dice, old: bool) -> World {
    let zone_name = dice.pick(&["Europe/Berlin", "Europe/Berlin", "UTC", "America/New_York"]);
    let long = dice.percent(8) || old;
    let mut world = World {
        zone: zone_name,
        day_start: dice.pick(&[0, 0, 0, 6]),
        now: FIRST + dice.range(9, 60) * 7 * DAY + dice.range(0, 7 * 96 - 1) * SLOT,
        past_weeks: dice.range(1, 3),
        future_weeks: dice.range(1, 2),
        pool_weeks: if long { 8 } else { dice.range(1, 3) },
        ..World::default()
    };
    let weeks = match (old, long) {
        (true, _) => dice.range(13, 20),
        (false, true) => dice.range(8, 10),
        (false, false) => dice.range(2, 4),
    };
    let begin = world.now - weeks * 7 * DAY - dice.range(0, 95) * SLOT;
    calendars(dice, &mut world);
    for _ in 0..dice.range(1, 4) {
        let calendar = dice.below(world.calendars.len());
        let cycle_seconds = (!dice.percent(10)).then(|| 30 * dice.range(1, 6));
        let standard = dice.percent(25).then(|| dice.range(60, 98));
        world.machines.push(Machine { calendar, cycle_seconds, standard });
    }
    stops(dice, &mut world, begin);
    sources(dice, &mut world, begin);
    let wear = if old { dice.range(1, 12) } else { 0 };
    let truths: Vec<_> =
        world.machines.iter().map(|_| truth(dice, (begin, world.now), wear)).collect();
    for source in 0..world.sources.len() {
        for (machine, truth) in truths.iter().enumerate() {
            match world.sources[source].kind {
                Kind::Counter => count(dice, &mut world, (source, machine), truth, begin),
                Kind::Events | Kind::Twin => speak(dice, &mut world, (source, machine), truth),
            }
        }
    }
    silence(dice, &mut world, begin);
    drop_open_ends(&mut world);
    lines(dice, &mut world);
    debug_assert!(zone(&world).iana_name().is_some());
    world
}

fn calendars(dice: &mut Dice, world: &mut World) {
    for _ in 0..dice.range(1, 2) {
        let round_the_clock = dice.percent(50);
        let last = dice.pick(&[4, 4, 5, 6]);
        let shifts = match dice.range(0, 2) {
            0 => vec![(6, 14, last), (14, 22, last)],
            1 => vec![(6, 14, last), (22, 6, last)],
            _ => vec![(7, 17, last)],
        };
        let shifts = if round_the_clock { Vec::new() } else { shifts };
        let day = monday(world).saturating_add(dice.range(-20, 12).days());
        let closed = if dice.percent(25) { vec![day] } else { Vec::new() };
        world.calendars.push(Calendar { round_the_clock, shifts, closed });
    }
}

fn stops(dice: &mut Dice, world: &mut World, begin: i64) {
    for machine in 0..world.machines.len() {
        for _ in 0..dice.range(0, 2) {
            let from = dice.range(0, (world.now + 14 * DAY - begin) / SLOT);
            let start = begin + from * SLOT;
            world.stops.push(Stop { machine, start, end: start + dice.range(1, 160) * SLOT });
        }
    }
}

fn sources(dice: &mut Dice, world: &mut World, begin: i64) {
    let events = dice.below(3) + 1;
    let all: Vec<usize> = (0..world.machines.len()).collect();
    let equal = dice.percent(50);
    for at in 0..=events {
        let kind = match at {
            0 => Kind::Counter,
            _ if dice.percent(15) => Kind::Twin,
            _ => Kind::Events,
        };
        let begins = (kind == Kind::Events && dice.percent(40))
            .then(|| (begin, dice.pick(&[Productive, Productive, UnscheduledDown, Unknown])));
        let mut listed = all.clone();
        listed.retain(|_| kind != Kind::Counter && dice.percent(40));
        let alive = match dice.range(0, 9) {
            0..=4 => Alive::OwnRows,
            5..=7 => Alive::AnyRow,
            _ => Alive::RowsOf(dice.below(events + 1)),
        };
        let gone = begin + (world.now - begin) / SLOT * 6 / 10 * SLOT;
        let live_hours = dice.pick(&[4, 24, 24]);
        world.sources.push(Source {
            kind,
            authority: if equal { 100 } else { 100 + u32::try_from(dice.range(0, 2)).unwrap() },
            begins,
            listed,
            alive,
            live_hours,
            time_to_live_hours: live_hours * dice.pick(&[1, 3, 3]),
            handed_over: (kind != Kind::Counter && dice.percent(12))
                .then(|| gone + dice.range(0, (world.now - gone) / SLOT) * SLOT),
            tells: tells(dice),
            opening: dice.percent(50).then_some(0),
        });
    }
}

/// The states that a file can tell: planned stops and standby only in some.
fn tells(dice: &mut Dice) -> Vec<EquipmentState> {
    let mut tells = vec![Productive, UnscheduledDown, Unknown];
    if dice.percent(65) {
        tells.extend([ScheduledDown, NonScheduled]);
    }
    if dice.percent(65) {
        tells.extend([StandbyStarved, StandbyNoOrder, StandbyNoOperator, Setup]);
    }
    tells
}

/// What a machine really did: changes of state, in order. Its stops are `wear` times
/// longer in the end than they were.
fn truth(dice: &mut Dice, (begin, end): (i64, i64), wear: i64) -> Vec<(i64, EquipmentState)> {
    let mut at = begin + dice.range(0, 20) * SLOT;
    let mut truth = Vec::new();
    while at <= end {
        truth.push((at, Productive));
        at += dice.range(8, 200) * SLOT;
        if at <= end {
            truth.push((at, dice.pick(&STOPS)));
        }
        let worn = (1 + wear * (at - begin).max(0) / (end - begin)).min(6);
        let long = dice.percent(10);
        at += if long { dice.range(100, 300) } else { dice.range(1, 40) * worn } * SLOT;
    }
    truth
}

/// What a source makes of the truth: most words, some of them late or never, and
/// now and then that it knows nothing.
fn speak(
    dice: &mut Dice,
    world: &mut World,
    (source, machine): (usize, usize),
    truth: &[(i64, EquipmentState)],
) {
    if dice.percent(25) {
        return;
    }
    let tells = world.sources[source].tells.clone();
    let is_twin = world.sources[source].kind == Kind::Twin;
    let (lost, late, unknown) =
        (dice.pick(&[0, 0, 15]), dice.pick(&[0, 0, 30]), dice.pick(&[0, 0, 6]));
    let mut say = |at: i64, state: Option<EquipmentState>, unless_down: bool| {
        if at <= world.now {
            world.words.push(Word { source, machine, at, state, unless_down });
        }
    };
    for (at, state) in truth {
        let at = at + if dice.percent(late) { dice.range(1, 6) * SLOT } else { 0 };
        if dice.percent(lost) {
            continue;
        }
        let instead = if matches!(state, ScheduledDown | NonScheduled) {
            UnscheduledDown
        } else {
            Productive
        };
        let state = if is_twin || tells.contains(state) { *state } else { instead };
        say(at, Some(state), state == ScheduledDown && dice.percent(50));
        if dice.percent(unknown) {
            say(at + dice.range(1, 12) * SLOT, Some(Unknown), false);
        }
        if dice.percent(5) {
            say(at + dice.range(1, 12) * SLOT, None, false);
        }
    }
}

/// An hourly counter: rows are missing, the link is down, the count begins again.
fn count(
    dice: &mut Dice,
    world: &mut World,
    (source, machine): (usize, usize),
    truth: &[(i64, EquipmentState)],
    begin: i64,
) {
    if dice.percent(35) {
        return;
    }
    let seconds = world.machines[machine].cycle_seconds.unwrap_or(60);
    let rate = (3_600 / seconds) * dice.range(60, 100) / 100;
    let (missing, bad) = (dice.pick(&[0, 4, 4]), dice.pick(&[0, 0, 3]));
    let mut total = world.sources[source].opening.unwrap_or(dice.range(0, 900));
    let (mut was_bad, mut was_good) = (true, 0);
    let first = begin.div_euclid(HOUR) * HOUR + dice.range(0, 30) * HOUR;
    for end in (1..).map(|hour| first + hour * HOUR).take_while(|end| *end <= world.now) {
        let quarters = (1..=4).filter(|back| is_productive(truth, end - back * SLOT)).count();
        let parts = rate * i64::try_from(quarters).unwrap() / 4;
        // After a bad reading a count that begins again looks like the count that
        // returns.
        let restarted = was_good > 2 && total > rate * 48 && dice.percent(1);
        total = if restarted { parts } else { total + parts };
        let is_bad = !restarted && !was_bad && total > rate * 48 && dice.percent(bad);
        if !restarted && !is_bad && end > first + HOUR && dice.percent(missing) {
            continue;
        }
        was_bad = is_bad || restarted;
        was_good = if is_bad { 0 } else { was_good + 1 };
        let shown = if is_bad { 0 } else { total };
        world.readings.push(Reading { source, machine, end, total: shown, bad: is_bad, restarted });
    }
}

fn is_productive(truth: &[(i64, EquipmentState)], at: i64) -> bool {
    truth.iter().rfind(|(since, _)| *since <= at).is_some_and(|(_, state)| *state == Productive)
}

/// Some sources fall silent, wholly or for one machine.
fn silence(dice: &mut Dice, world: &mut World, begin: i64) {
    for source in 0..world.sources.len() {
        for machine in 0..world.machines.len() {
            let from = begin
                + dice.range((world.now - begin) / SLOT / 3, (world.now - begin) / SLOT) * SLOT;
            if dice.percent(15) {
                world
                    .words
                    .retain(|one| (one.source, one.machine) != (source, machine) || one.at < from);
                world
                    .readings
                    .retain(|one| (one.source, one.machine) != (source, machine) || one.end < from);
            }
            if dice.percent(6) {
                world.words.retain(|one| one.source != source || one.at < from);
                world.readings.retain(|one| one.source != source || one.end < from);
            }
        }
    }
}

/// The last reading of a counter is a good one: of a bad one nobody knows yet whether
/// the count returns.
pub(crate) fn drop_open_ends(world: &mut World) {
    let last = |world: &World, machine: usize| {
        let good = world.readings.iter().filter(|one| one.machine == machine && !one.bad);
        good.map(|one| one.end).max().unwrap_or(0)
    };
    let ends: Vec<i64> = (0..world.machines.len()).map(|at| last(world, at)).collect();
    world.readings.retain(|one| one.end <= ends[one.machine]);
}

fn lines(dice: &mut Dice, world: &mut World) {
    if dice.percent(30) {
        return;
    }
    let mut machines: Vec<usize> = (0..world.machines.len()).collect();
    dice.shuffle(&mut machines);
    let mut stages: Vec<Vec<usize>> = Vec::new();
    for machine in machines {
        if stages.is_empty() || (stages.len() < 3 && dice.percent(60)) {
            stages.push(Vec::new());
        }
        stages.last_mut().unwrap().push(machine);
    }
    let counter = stages.last().unwrap()[0];
    let calendar = dice.below(world.calendars.len());
    let cycle_seconds = 30 * dice.range(1, 4);
    world.lines.push(Line { calendar, stages, counter, cycle_seconds });
}
