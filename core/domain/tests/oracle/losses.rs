//! Losses of information (law 8): from an instant on some sources say nothing more of
//! some machines, or say that they know nothing; a counter may come back after a gap.
//! What twins foretold grows old.

use planthread_contracts::EquipmentState;
use planthread_domain::decode::Foretold;

use super::{
    dice::Dice,
    machine::heard,
    random::drop_open_ends,
    voice::{Voice, voices},
    world::{Foretelling, HOUR, Kind, SLOT, Word, World},
};

const WEEK: i64 = 168 * HOUR;

/// A world at several instants, and what is lost from the first on.
#[derive(Debug)]
pub(crate) struct Loss {
    /// Derived at each: what lands at one must not be bettered at the next.
    pub(crate) steps: Vec<World>,
    pub(crate) name: String,
}

/// One loss of a world, at any moment of its history.
pub(crate) fn loss(full: &World, dice: &mut Dice) -> Loss {
    let t0 = full.now - (1 + full.history() / SLOT * dice.range(1, 60) / 100) * SLOT;
    let t1 = t0 + dice.range(1, (full.now - t0) / SLOT) * SLOT;
    let mut lossy = full.clone();
    // A person who hands over moves figures; that is no loss.
    for source in &mut lossy.sources {
        source.handed_over = source.handed_over.filter(|at| *at <= t0);
    }
    // So is a person's word of a source.
    lossy.verdicts.retain(|verdict| verdict.given <= t0);
    foretell(&mut lossy, (t0, dice));
    let mut before = lossy.at(t0);
    drop_open_ends(&mut before);
    let name = lose(&before, &mut lossy, (t0, dice));
    drop_open_ends(&mut lossy);
    let mut steps = vec![before, lossy.at(t1)];
    match dice.range(0, 9) {
        0..=2 if t1 < full.now => steps.push(lossy.at(full.now)),
        3..=4 => steps.push(much_later(lossy, dice)),
        _ => {}
    }
    Loss { steps, name }
}

/// Weeks or months on: nobody has said anything since, or one source goes on for one
/// machine.
fn much_later(mut lossy: World, dice: &mut Dice) -> World {
    lossy.now += dice.range(1, 40) * WEEK + dice.range(0, 600) * SLOT;
    if dice.percent(50) {
        let source = dice.below(lossy.sources.len());
        let machine = dice.below(lossy.machines.len());
        if lossy.sources[source].kind != Kind::Counter {
            let (at, state) = (lossy.now - SLOT, Some(EquipmentState::Productive));
            lossy.words.push(Word { source, machine, at, state, unless_down: false });
        }
    }
    lossy
}

/// What sources foretold until `t0`, for machines and lines: of windows that overlap,
/// valid for hours or weeks. Nobody foretells anything later.
fn foretell(world: &mut World, (t0, dice): (i64, &mut Dice)) {
    use Foretold::{FailureProbability, LowUpFraction, RepairHours, Severity, UpFraction};
    let subjects = world.machines.len() + world.lines.len();
    let many = if dice.percent(50) { dice.range(1, 12) } else { 0 };
    for _ in 0..many {
        let (source, subject) = (dice.below(world.sources.len()), dice.below(subjects));
        let start = (t0 / WEEK + dice.range(-2, 2)) * WEEK + dice.range(0, 13) * 12 * HOUR;
        let end = start + dice.pick(&[24 * HOUR, WEEK, WEEK, 2 * WEEK]);
        let issued = t0 - dice.range(0, 20) * 24 * HOUR;
        let valid_until = issued + dice.range(1, 40) * 24 * HOUR;
        let mut say = |what, hundredths| {
            let one =
                Foretelling { source, subject, what, start, end, issued, valid_until, hundredths };
            world.forecasts.push(one);
        };
        match dice.range(0, 3) {
            0 => say(Severity, dice.range(0, 100)),
            1 => {
                say(FailureProbability, dice.range(0, 100));
                say(RepairHours, dice.range(1, 3_000));
            }
            _ => {
                let up = dice.range(0, 100);
                say(UpFraction, up);
                say(LowUpFraction, up * dice.range(0, 100) / 100);
            }
        }
    }
}

/// Takes away what some sources say of some machines after `t0`.
fn lose(before: &World, lossy: &mut World, (t0, dice): (i64, &mut Dice)) -> String {
    let (sources, machines) = (lossy.sources.len(), lossy.machines.len());
    let kind = dice.range(0, 4);
    let mut silent = vec![vec![false; machines]; sources];
    for (source, of) in silent.iter_mut().enumerate() {
        let whole = dice.percent(60);
        for gone in of.iter_mut() {
            *gone = match kind {
                0 => whole,
                1 => source == 0 || whole,
                2 => dice.percent(50),
                3 => source > 0,
                _ => true,
            };
        }
    }
    let gone = |source: usize, machine: usize| silent[source][machine];
    // A counter may come back after its gap.
    let back = if dice.percent(30) { t0 + dice.range(1, 120) * HOUR } else { i64::MAX };
    lossy.words.retain(|one| one.at <= t0 || !gone(one.source, one.machine));
    lossy.readings.retain(|one| one.end <= t0 || one.end > back || !gone(one.source, one.machine));
    let mut unknown = 0;
    for machine in 0..machines {
        if !dice.percent(30) {
            continue;
        }
        for voice in voices(before, machine).iter().filter(|voice| gone(voice.at, machine)) {
            let (source, at) = (voice.at, t0 + dice.range(0, (lossy.now - t0) / SLOT) * SLOT);
            let state = Some(EquipmentState::Unknown);
            lossy.words.push(Word { source, machine, at, state, unless_down: false });
            unknown += 1;
        }
    }
    format!("loss of kind {kind} at {t0}, {unknown} explicit unknowns, counters back at {back}")
}

/// What of a machine nothing more was told between two derivations.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Lost {
    /// Its strongest voice is proven no longer than before, and nobody new speaks: what
    /// others say caps the time ahead, and never lifts it.
    pub(crate) ahead: bool,
    /// Nor has a voice gone on that outranks another one, and may contradict a stop that
    /// the other told, or one that fills time of which another one knew nothing.
    pub(crate) hours: bool,
    /// Nor has any voice gone on.
    pub(crate) all: bool,
    /// Its counter tells nothing new.
    pub(crate) count: bool,
    /// Nobody ever spoke of its stops.
    pub(crate) unspoken: bool,
}

pub(crate) fn lost(before: &World, after: &World, machine: usize) -> Lost {
    let (was, is) = (voices(before, machine), voices(after, machine));
    let count = |world: &World| world.readings.iter().filter(|one| one.machine == machine).count();
    let speakers =
        |voices: &[Voice<'_>]| -> Vec<usize> { voices.iter().map(|voice| voice.at).collect() };
    let proven = heard(&was, before.now).0;
    let same = proven == heard(&is, after.now).0 && speakers(&was) == speakers(&is);
    let ahead = proven.is_some() && same;
    let rank = |voice: &Voice<'_>| voice.source.authority;
    let weakest = is.iter().map(rank).max();
    let mut gone_on = was.iter().zip(&is).filter(|(was, is)| was.proof != is.proof).peekable();
    let all = ahead && gone_on.peek().is_none();
    let unknown = |word: &Word| word.state == Some(EquipmentState::Unknown);
    let gaps = after.words.iter().any(|word| word.machine == machine && unknown(word));
    let caps = !gaps && gone_on.all(|(_, is)| Some(rank(is)) == weakest);
    Lost {
        ahead,
        all,
        hours: all || (ahead && caps),
        count: count(before) == count(after),
        unspoken: is.is_empty(),
    }
}
