//! One machine, step by step: what all sources together say, what of it is
//! scheduled, and what its pool shows (ADR 16, steps 3 to 5, 8 and 9).

use jiff::{ToSpan as _, civil::Date};
use planthread_contracts::EquipmentState;

use super::{
    grid::Grid,
    output::Output,
    voice::{Class, Said, Voice, class, voices},
    world::{HOUR, Kind, SLOT, World},
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
    /// Weeks that were seen fully enough; else the parts that were seen of some.
    pub(crate) full: bool,
    /// The share of each week.
    pub(crate) weeks: Vec<f64>,
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
    /// Whether it is down without plan now, scheduled or not.
    is_down: bool,
}

impl Machine {
    pub(crate) fn new(world: &World, grid: &Grid, machine: usize) -> Self {
        let voices = voices(world, machine);
        let merged = merge(grid, &voices);
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
            is_down: merged.last().is_some_and(|(state, _)| class(*state) == Class::Down),
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
        let weeks = world.pool_weeks;
        let mut shown: Vec<Pool> = Vec::new();
        if let Some(heard) = self.heard {
            let mondays = weeks_before(grid.monday(heard.min(world.now)), weeks);
            let of_now = weeks_before(grid.monday(world.now), weeks);
            let too_old = mondays.iter().filter(|monday| **monday < of_now[0]).count();
            for gone in 0..=too_old.min(mondays.len() - 1) {
                shown.extend(self.shown(grid, &mondays[gone..], standard));
            }
            if self.is_down && heard < world.now {
                shown.extend(self.shown(grid, &of_now, standard));
            }
        }
        let least = shown.into_iter().min_by(|a, b| a.share.total_cmp(&b.share));
        let of_master_data = || Some(Pool { share: standard?, full: false, weeks: Vec::new() });
        least.or_else(of_master_data)
    }

    fn shown(&self, grid: &Grid, mondays: &[Date], standard: Option<f64>) -> Option<Pool> {
        let sums = mondays.iter().map(|monday| self.sums(grid.week(*monday)));
        let sums: Vec<Sums> = sums.filter(|sums| sums.base() > 0).collect();
        let enough = |sums: &&Sums| (sums.scheduled - sums.unknown) * 5 >= sums.scheduled * 4;
        let full: Vec<Sums> = sums.iter().filter(enough).copied().collect();
        let is_full = !full.is_empty();
        let pooled = if is_full { full } else { sums };
        let base: i64 = pooled.iter().map(Sums::base).sum();
        let down: i64 = pooled.iter().map(|sums| sums.down).sum();
        if base == 0 {
            return None;
        }
        let share = 1.0 - hours(down) / hours(base);
        let most = standard.filter(|_| !is_full).unwrap_or(1.0);
        let weeks = pooled.iter().map(|sums| 1.0 - hours(sums.down) / hours(sums.base()));
        Some(Pool { share: share.min(most), full: is_full, weeks: weeks.collect() })
    }

    /// Parts an hour of the time that was counted and seen, less standby.
    fn rate(&self, world: &World, grid: &Grid) -> Option<f64> {
        let output = self.output.as_ref()?;
        let until = self.heard.map_or(output.until, |heard| heard.min(output.until));
        let (mut parts, mut slots) = (0.0, 0);
        for monday in weeks_before(grid.monday(until.min(world.now)), world.pool_weeks) {
            let (first, last) = grid.week(monday);
            for slot in first..last {
                let Some(made) = output.made[slot] else { continue };
                let step = self.steps[slot];
                if self.heard.is_none() || step != Step::Unknown {
                    parts += made;
                }
                slots += match step {
                    Step::Up { standby, .. } => i64::from(!standby),
                    Step::Unknown => i64::from(self.heard.is_none()),
                    _ => 0,
                };
            }
        }
        (slots > 0).then(|| parts / hours(slots))
    }

    /// The predictive quantile of weekly availability, type 6 of Hyndman and Fan.
    pub(crate) fn low_share(&self) -> Option<f64> {
        let pool = self.pool.as_ref().filter(|pool| pool.full && pool.weeks.len() >= 7)?;
        let mut weeks = pool.weeks.clone();
        weeks.sort_by(f64::total_cmp);
        let place = 0.1 * hours(4 * i64::try_from(weeks.len() + 1).unwrap());
        if place <= 1.0 {
            return weeks.first().copied();
        }
        let below =
            (1..=weeks.len()).take_while(|at| f64::from(u8::try_from(*at).unwrap()) <= place);
        let below = below.last()?;
        let above = weeks.get(below).copied().unwrap_or(weeks[below - 1]);
        let part = place - f64::from(u8::try_from(below).unwrap());
        Some(weeks[below - 1] + (above - weeks[below - 1]) * part)
    }
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
fn merge(grid: &Grid, voices: &[Voice<'_>]) -> Vec<(EquipmentState, bool)> {
    let says: Vec<Vec<Said>> = (0..voices.len())
        .map(|at| {
            let others = voices.iter().enumerate().filter(|(other, _)| *other != at);
            voices[at].says(grid, &others.map(|(_, other)| other).collect::<Vec<_>>())
        })
        .collect();
    let at_slot = |slot: usize| {
        let words: Vec<(&Voice<'_>, Said)> =
            voices.iter().zip(&says).map(|(voice, said)| (voice, said[slot])).collect();
        decide(&words, grid.time(slot))
    };
    (0..grid.now).map(at_slot).collect()
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
fn heard(voices: &[Voice<'_>], now: i64) -> (Option<i64>, i64) {
    let speaking = || voices.iter().filter(|voice| !voice.is_handed_over(now));
    let Some(rank) = speaking().map(|voice| voice.source.authority).min() else {
        return (voices.iter().map(|voice| voice.proof).max(), 0);
    };
    let strongest = speaking().filter(|voice| voice.source.authority == rank);
    let first = strongest.min_by_key(|voice| voice.proof);
    first.map_or((None, 0), |voice| (Some(voice.proof), voice.source.live_hours))
}
