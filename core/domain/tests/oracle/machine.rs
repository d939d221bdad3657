//! One machine, step by step: what all sources together say, what of it is
//! scheduled, and what its pool shows (ADR 16, steps 3 to 5, 8 and 9).

use jiff::{ToSpan as _, civil::Date};
use planthread_contracts::EquipmentState;

use super::{
    decline::{Given, taken_off},
    grid::Grid,
    output::Output,
    voice::{Class, Said, Voice, class, voices},
    world::{HOUR, Kind, SLOT, Verdict, World},
};

/// What a machine does in one step of its scheduled time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// Not scheduled.
    Off,
    Planned,
    Down,
    Unknown,
    Up {
        standby: bool,
        unasked: bool,
    },
    Ahead,
}

/// Sums of steps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Sums {
    pub(crate) scheduled: i64,
    pub(crate) planned: i64,
    pub(crate) down: i64,
    pub(crate) standby: i64,
    pub(crate) unknown: i64,
    pub(crate) ahead: i64,
    pub(crate) conflicting: i64,
}

impl Sums {
    pub(crate) fn add(&mut self, step: Step, conflicting: bool) {
        self.scheduled += i64::from(step != Step::Off);
        self.planned += i64::from(step == Step::Planned);
        self.down += i64::from(step == Step::Down);
        self.unknown += i64::from(step == Step::Unknown);
        self.ahead += i64::from(step == Step::Ahead);
        self.standby += i64::from(matches!(step, Step::Up { standby: true, .. }));
        self.conflicting += i64::from(conflicting);
    }

    fn base(&self) -> i64 {
        self.scheduled - self.planned - self.unknown
    }

    /// Whether four fifths of it were seen.
    const fn is_full(&self) -> bool {
        (self.scheduled - self.unknown) * 5 >= self.scheduled * 4
    }

    /// Attainable hours, where a share is known for what nobody knows.
    pub(crate) fn attainable(&self, share: Option<f64>) -> Option<f64> {
        let open = self.unknown + self.ahead;
        let told = hours(self.scheduled - self.planned - self.down - open);
        if open == 0 { Some(told) } else { Some(told + hours(open) * share?) }
    }
}

pub(crate) fn hours(slots: i64) -> f64 {
    let (slots, an_hour) = (i32::try_from(slots).unwrap(), i32::try_from(HOUR / SLOT).unwrap());
    f64::from(slots) / f64::from(an_hour)
}

/// What the machine has shown.
#[derive(Debug, Clone)]
pub(crate) struct Pool {
    pub(crate) share: f64,
    /// The share that is not reached with probability 0.1: the least of all pools that
    /// have weeks enough for one.
    pub(crate) low: Option<f64>,
    /// What was taken off because its weeks get worse.
    pub(crate) taken: f64,
}

/// One machine.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) steps: Vec<Step>,
    pub(crate) conflicts: Vec<bool>,
    pub(crate) pool: Option<Pool>,
    pub(crate) output: Option<Output>,
    /// Parts an hour.
    pub(crate) rate: Option<f64>,
    /// When anybody first spoke of it.
    pub(crate) since: Option<i64>,
    /// Until when its strongest voice is proven; of several the one that ends first.
    pub(crate) heard: Option<i64>,
    /// Hours without proof after which the first of them is no longer live.
    pub(crate) live_hours: i64,
}

impl Machine {
    pub(crate) fn new(world: &World, grid: &Grid, machine: usize) -> Self {
        let voices = voices(world, machine);
        let judged: Vec<Verdict> =
            world.verdicts.iter().filter(|one| one.machine == machine).copied().collect();
        let merged = merge(grid, &voices, &judged);
        let tells_planned = voices.is_empty() || voices.iter().any(tells_planned);
        let calendar = world.machines[machine].calendar;
        let mut steps = Vec::with_capacity(grid.slots);
        for slot in 0..grid.slots {
            let at = grid.time(slot);
            let mut stops = world.stops.iter().filter(|stop| stop.machine == machine);
            let declared = stops.any(|stop| stop.start <= at && at < stop.end);
            let told = merged.get(slot).map(|(state, _)| *state);
            steps.push(match (told, grid.works(calendar, slot)) {
                (_, false) => Step::Off,
                (None, _) => {
                    if declared {
                        Step::Planned
                    } else {
                        Step::Ahead
                    }
                }
                (Some(state), _) => step(state, declared, tells_planned),
            });
        }
        let conflict = |(step, (_, conflict)): (&Step, &(_, bool))| *step != Step::Off && *conflict;
        let conflicts = steps.iter().zip(&merged).map(conflict).collect();
        let (heard, live_hours) = heard(&voices, world.now);
        let mut one = Self {
            steps,
            conflicts,
            pool: None,
            output: Output::of(world, grid, machine),
            rate: None,
            since: voices.iter().map(Voice::starts).min(),
            heard,
            live_hours,
        };
        one.pool = one.pool(world, grid, machine);
        one.rate = one.rate(world, grid);
        one
    }

    pub(crate) fn share(&self) -> Option<f64> {
        self.pool.as_ref().map(|pool| pool.share)
    }

    pub(crate) fn sums(&self, (first, last): (usize, usize)) -> Sums {
        let mut sums = Sums::default();
        for slot in first..last {
            let conflicting = self.conflicts.get(slot).is_some_and(|conflict| *conflict);
            sums.add(self.steps[slot], conflicting);
        }
        sums
    }

    /// The least that any pool shows that time may choose (step 5).
    fn pool(&self, world: &World, grid: &Grid, machine: usize) -> Option<Pool> {
        let standard = world.machines[machine].standard.map(hundredths);
        let pools = self.heard.map(|heard| self.pools(world, grid, (heard, standard)));
        let pools = pools.unwrap_or_default();
        let low = pools.iter().filter_map(|pool| pool.low).min_by(f64::total_cmp);
        let least = pools.into_iter().min_by(|a, b| a.share.total_cmp(&b.share));
        let least = least.map(|pool| Pool { low, ..pool });
        least.or_else(|| of_master_data(standard))
    }

    fn pools(
        &self,
        world: &World,
        grid: &Grid,
        (heard, standard): (i64, Option<f64>),
    ) -> Vec<Pool> {
        let length = usize::try_from(world.pool_weeks).unwrap();
        let (last, now) = (grid.monday(heard.min(world.now)), grid.monday(world.now));
        let of = |mondays: &[Date], full: bool| -> Vec<(Date, Sums)> {
            let weeks = mondays.iter().map(|monday| (*monday, self.sums(grid.week(*monday))));
            weeks.filter(|(_, sums)| sums.base() > 0 && sums.is_full() == full).collect()
        };
        // The newest full weeks before the last word, of a pool and eight weeks.
        let mut pool = of(&weeks_before(last, world.pool_weeks + 8), true);
        let full = !pool.is_empty();
        let up = |sums: &Sums| -> Given { (hours(sums.base() - sums.down), hours(sums.base())) };
        let given: Vec<Given> = pool.iter().map(|(_, sums)| up(sums)).collect();
        if !full {
            pool = of(&weeks_before(last, world.pool_weeks), false);
        }
        pool.drain(..pool.len().saturating_sub(length));
        // One week may go for each that has gone by since, if it is older than a pool.
        let mut since = Vec::new();
        let mut next = last;
        while next < now {
            since.push(next);
            next = next.saturating_add(7.days());
        }
        let young = now.saturating_sub((7 * world.pool_weeks).days());
        let old = pool.iter().filter(|(monday, _)| *monday < young).count();
        let old = old.min(since.len()).min(pool.len().saturating_sub(1));
        let mut pools: Vec<Vec<(Date, Sums)>> =
            (0..=old).map(|gone| pool[gone..].to_vec()).collect();
        // The weeks after the last word of which nothing is unknown join one by one.
        let mut joined = if full { pool } else { Vec::new() };
        let kept = pools.len();
        for week in of(&since, true).into_iter().filter(|(_, sums)| sums.unknown == 0) {
            joined.push(week);
            let first = joined.len().saturating_sub(length);
            pools.push(joined[first..].to_vec());
        }
        let shown = pools.iter().enumerate().filter_map(|(at, weeks)| {
            let weeks: Vec<Sums> = weeks.iter().map(|(_, sums)| *sums).collect();
            let mut found = show(&weeks, full || at >= kept, standard)?;
            // The pool of the last word is lowered, and no other.
            if full && at == 0 {
                found.taken = taken_off(&given, found.share);
                found.share -= found.taken;
                found.low = found.low.map(|low| (low - found.taken).max(0.0));
            }
            Some(found)
        });
        // Where nothing was seen before the last word, the master data stand in first.
        let first = of_master_data(standard).filter(|_| !full && pools[0].is_empty());
        // Nor does a low figure come of silence.
        let lows = |pool: Pool| Pool { low: pool.low.filter(|_| full), ..pool };
        first.into_iter().chain(shown).map(lows).collect()
    }

    /// Parts an hour of the time that was counted and seen, less standby.
    fn rate(&self, world: &World, grid: &Grid) -> Option<f64> {
        let output = self.output.as_ref()?;
        let until = self.heard.map_or(output.until, |heard| heard.min(output.until));
        let newest = weeks_before(grid.monday(until.min(world.now)), world.pool_weeks + 8);
        let mut weeks = Vec::new();
        for monday in newest.into_iter().rev() {
            let (first, last) = grid.week(monday);
            let (mut parts, mut slots, mut seen) = (None, 0, 0);
            for slot in first..last {
                let Some(made) = output.made[slot] else { continue };
                let step = self.steps[slot];
                if self.heard.is_none() || step != Step::Unknown {
                    parts = Some(parts.unwrap_or(0.0) + made);
                    seen += i64::from(step != Step::Off);
                }
                slots += match step {
                    Step::Up { standby, .. } => i64::from(!standby),
                    Step::Unknown => i64::from(self.heard.is_none()),
                    _ => 0,
                };
            }
            let works = self.steps[first..last].iter().filter(|step| **step != Step::Off).count();
            let full = seen * 5 >= i64::try_from(works).unwrap() * 4;
            weeks.push(parts.map(|parts| ((parts, slots), full)));
        }
        least_of_newest(&weeks, world.pool_weeks)
    }
}

/// A week: what was made in it, in how many steps, and whether it was seen fully.
pub(crate) type Week = ((f64, i64), bool);

/// What an hour gives by the newest weeks that were seen fully; where there are fewer of
/// them than a pool has, no more than by all that was seen; where there are none, by what
/// was seen of as many weeks as a pool has.
pub(crate) fn least_of_newest(newest_first: &[Option<Week>], length: i64) -> Option<f64> {
    let length = usize::try_from(length).unwrap();
    let an_hour = |weeks: &[(f64, i64)]| {
        let slots = weeks.iter().map(|(_, slots)| slots).sum::<i64>();
        (slots > 0).then(|| weeks.iter().map(|(made, _)| made).sum::<f64>() / hours(slots))
    };
    let full = newest_first.iter().flatten().filter(|(_, full)| *full);
    let full: Vec<_> = full.map(|(week, _)| *week).take(length).collect();
    let reach = if full.is_empty() { length } else { newest_first.len() };
    let seen = newest_first.iter().take(reach).flatten();
    let seen: Vec<_> = seen.map(|(week, _)| *week).collect();
    let all = if full.len() < length { an_hour(&seen) } else { None };
    an_hour(&full).into_iter().chain(all).min_by(f64::total_cmp)
}

fn of_master_data(standard: Option<f64>) -> Option<Pool> {
    Some(Pool { share: standard?, low: None, taken: 0.0 })
}

/// What the weeks of one pool show together.
///
/// `full` says whether they were seen fully enough.
fn show(weeks: &[Sums], full: bool, standard: Option<f64>) -> Option<Pool> {
    let base: i64 = weeks.iter().map(Sums::base).sum();
    let down: i64 = weeks.iter().map(|sums| sums.down).sum();
    if base == 0 {
        return None;
    }
    let share = 1.0 - hours(down) / hours(base);
    let most = standard.filter(|_| !full).unwrap_or(1.0);
    let weeks = weeks.iter().map(|sums| 1.0 - hours(sums.down) / hours(sums.base()));
    let weeks: Vec<f64> = weeks.collect();
    let low = low_share(&weeks);
    Some(Pool { share: share.min(most), low, taken: 0.0 })
}

/// The predictive quantile of weekly availability, type 6 of Hyndman and Fan.
fn low_share(weeks: &[f64]) -> Option<f64> {
    if weeks.len() < 7 {
        return None;
    }
    let mut weeks = weeks.to_vec();
    weeks.sort_by(f64::total_cmp);
    let place = 0.1 * hours(4 * i64::try_from(weeks.len() + 1).unwrap());
    if place <= 1.0 {
        return weeks.first().copied();
    }
    let below = (1..=weeks.len()).take_while(|at| f64::from(u8::try_from(*at).unwrap()) <= place);
    let below = below.last()?;
    let above = weeks.get(below).copied().unwrap_or(weeks[below - 1]);
    let part = place - f64::from(u8::try_from(below).unwrap());
    Some(weeks[below - 1] + (above - weeks[below - 1]) * part)
}

pub(crate) fn hundredths(of: i64) -> f64 {
    f64::from(i32::try_from(of).unwrap()) / 100.0
}

/// The Mondays of the last weeks before the one that begins on `monday`, in order.
pub(crate) fn weeks_before(monday: Date, weeks: i64) -> Vec<Date> {
    (1..=weeks).rev().map(|back| monday.saturating_sub((7 * back).days())).collect()
}

fn step(state: EquipmentState, declared: bool, tells_planned: bool) -> Step {
    // Seen running, a declared stop did not happen, where anybody could tell.
    let happened = declared && (!tells_planned || class(state) != Class::Up);
    match class(state) {
        _ if happened => Step::Planned,
        Class::Planned => Step::Planned,
        Class::Down => Step::Down,
        Class::Unknown => Step::Unknown,
        Class::Up => Step::Up {
            standby: state.is_standby(),
            unasked: matches!(
                state,
                EquipmentState::StandbyNoOrder | EquipmentState::StandbyNoOperator
            ),
        },
    }
}

fn tells_planned(voice: &Voice<'_>) -> bool {
    let planned = |state: &EquipmentState| class(*state) == Class::Planned;
    voice.source.kind == Kind::Twin || voice.source.tells.iter().any(planned)
}

/// The state of each step before `now`, and whether sources differ in it.
fn merge(grid: &Grid, voices: &[Voice<'_>], verdicts: &[Verdict]) -> Vec<(EquipmentState, bool)> {
    let says: Vec<Vec<Said>> = (0..voices.len())
        .map(|at| {
            let others = voices.iter().enumerate().filter(|(other, _)| *other != at);
            voices[at].says(grid, &others.map(|(_, other)| other).collect::<Vec<_>>())
        })
        .collect();
    let at_slot = |slot: usize| {
        let words: Vec<(&Voice<'_>, Said)> =
            voices.iter().zip(&says).map(|(voice, said)| (voice, said[slot])).collect();
        let at = grid.time(slot);
        judged(&words, verdicts, at).unwrap_or_else(|| decide(&words, at))
    };
    (0..grid.now).map(at_slot).collect()
}

/// What the source says that a person called right, of several the last one, where it
/// tells.
fn judged(
    words: &[(&Voice<'_>, Said)],
    verdicts: &[Verdict],
    at: i64,
) -> Option<(EquipmentState, bool)> {
    let inside = verdicts.iter().filter(|one| one.start <= at && at < one.end);
    let last = inside.max_by_key(|one| one.given)?;
    let (_, said) = words.iter().find(|(voice, _)| voice.at == last.source)?;
    if let Said::Told(state) = said { Some((*state, false)) } else { None }
}

/// What holds in one step.
fn decide(words: &[(&Voice<'_>, Said)], at: i64) -> (EquipmentState, bool) {
    let rank = |voice: &Voice<'_>| voice.source.authority;
    let telling = words.iter().filter(|(_, said)| matches!(said, Said::Told(_)));
    let lowest = |states: &[EquipmentState]| {
        let lowest = states.iter().map(|state| class(*state)).max()?;
        states.iter().filter(|state| class(**state) == lowest).min().copied()
    };
    let Some(strongest) = telling.map(|(voice, _)| rank(voice)).min() else {
        let left = words.iter().filter_map(|(_, said)| match said {
            Said::Left(state) => Some(*state),
            _ => None,
        });
        let left = lowest(&left.collect::<Vec<_>>());
        return (left.unwrap_or(EquipmentState::Unknown), false);
    };
    let told: Vec<EquipmentState> = words
        .iter()
        .filter(|(voice, _)| rank(voice) == strongest)
        .filter_map(|(_, said)| if let Said::Told(state) = said { Some(*state) } else { None })
        .collect();
    let left: Vec<EquipmentState> = words
        .iter()
        .filter(|(voice, _)| rank(voice) <= strongest)
        .filter_map(|(_, said)| if let Said::Left(state) = said { Some(*state) } else { None })
        .collect();
    let lower = lowest(&told).unwrap();
    let differ = told.iter().any(|state| class(*state) != class(lower));
    if let Some(left) = lowest(&left).filter(|left| class(*left) > class(lower)) {
        return (left, false);
    }
    let silent = words.iter().any(|(voice, _)| rank(voice) <= strongest && voice.is_silent(at));
    if silent && class(lower) == Class::Up {
        return (EquipmentState::Unknown, false);
    }
    (lower, differ)
}

/// Until when the strongest voices are proven; of several the proof that ends first.
pub(crate) fn heard(voices: &[Voice<'_>], now: i64) -> (Option<i64>, i64) {
    let speaking = || voices.iter().filter(|voice| !voice.is_handed_over(now));
    let Some(rank) = speaking().map(|voice| voice.source.authority).min() else {
        return (voices.iter().map(|voice| voice.proof).max(), 0);
    };
    let strongest = speaking().filter(|voice| voice.source.authority == rank);
    let first = strongest.min_by_key(|voice| voice.proof);
    first.map_or((None, 0), |voice| (Some(voice.proof), voice.source.live_hours))
}
