//! Two or three parties on one folder, with delays, pauses, deaths and clocks that have
//! nothing in common: never may two of them send at once, and somebody may in the end.

use std::{collections::BTreeMap, fs, sync::Arc};

use planthread_kit::{Clock as _, Permit, Steady, SteadyClock, SystemClock};
use proptest::prelude::*;

use super::*;
use crate::testing::{TempDir, now};

/// Milliseconds of a step of the world, and of the lease.
const STEP: u64 = 250;
const LENGTH: u64 = 10_000;
/// Steps of a run: five minutes.
const STEPS: u64 = 300_000 / STEP;

/// A random number from a seed.
struct Chance(u64);

impl Chance {
    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    fn below(&mut self, n: u64) -> u64 {
        self.next() % n
    }

    /// How long something takes: mostly nothing, at times longer than a lease lasts.
    fn delay(&mut self, pauses: u64) -> u64 {
        if self.below(100) < pauses { self.below(3 * LENGTH) } else { self.below(3 * STEP) }
    }
}

/// What is being done at the folder for one party.
struct Doing {
    ask: Ask,
    began: u64,
    /// When its first and its second half take effect, and when it is told.
    halves: [u64; 2],
    told: u64,
    first: Option<Half>,
}

#[derive(Clone)]
enum Half {
    Newest(Option<u64>),
    Written(bool),
    Answer(Answer),
}

struct One {
    party: Party,
    name: u64,
    beat: u64,
    offset: u64,
    rests: u64,
    dead: bool,
    doing: Option<Doing>,
}

impl One {
    fn clock(&self, at: u64) -> Duration {
        Duration::from_millis(at + self.offset)
    }

    fn may_send(&self, at: u64) -> bool {
        !self.dead && self.party.turn().is_some_and(|turn| turn.holds(self.clock(at)))
    }
}

type Files = BTreeMap<u64, Vec<u8>>;

fn newest(files: &Files) -> Option<u64> {
    files.last_key_value().map(|(term, _)| *term)
}

fn record(one: &One, released: bool) -> Record {
    Record {
        machine: "m".into(),
        pid: 1,
        holder: format!("{:016x}", one.name),
        seconds: LENGTH / 1_000,
        beat: one.beat,
        at: now(),
        released,
    }
}

/// The half of `ask` that takes effect now.
fn effect(files: &mut Files, ask: Ask, first: Option<&Half>, bytes: &[u8]) -> Half {
    match (ask, first) {
        (Ask::Look | Ask::Compare { .. }, None) => Half::Newest(newest(files)),
        (Ask::Look, Some(Half::Newest(term))) => {
            let found = term.map(|term| files.get(&term).map(|bytes| (term, bytes.clone())));
            Half::Answer(match found {
                Some(None) => Answer::Failed,
                found => Answer::Looked(found.flatten()),
            })
        }
        (Ask::Compare { old }, Some(Half::Newest(newest))) => {
            let old = old.and_then(|term| files.get(&term).cloned());
            Half::Answer(Answer::Compared { newest: *newest, old })
        }
        (Ask::Claim { term }, None) => {
            let free = !files.contains_key(&term);
            files.entry(term).or_default();
            Half::Answer(Answer::Claimed(free))
        }
        (Ask::Renew { term }, None) => {
            let found = files.get_mut(&term);
            Half::Written(found.map(|file| bytes.clone_into(file)).is_some())
        }
        (Ask::Renew { .. }, Some(Half::Written(is_there))) => {
            Half::Answer(Answer::Renewed(newest(files).filter(|_| *is_there)))
        }
        (_, Some(done)) => done.clone(),
        (Ask::Nothing, None) => Half::Answer(Answer::Failed),
    }
}

/// One step of one party.
fn step(one: &mut One, files: &mut Files, chance: &mut Chance, (at, pauses): (u64, u64)) {
    let Some(mut doing) = one.doing.take() else {
        if one.rests <= at && !one.dead {
            let ask = one.party.ask();
            let first = at + chance.delay(pauses);
            let second = first + chance.delay(pauses);
            let told = second + chance.delay(pauses);
            one.beat += u64::from(matches!(ask, Ask::Renew { .. }));
            one.doing = Some(Doing { ask, began: at, halves: [first, second], told, first: None });
        }
        return;
    };
    let bytes = record(one, false).bytes();
    for half in &mut doing.halves {
        if *half <= at {
            doing.first = Some(effect(files, doing.ask, doing.first.as_ref(), &bytes));
            *half = u64::MAX;
        }
    }
    if doing.told > at {
        one.doing = Some(doing);
        return;
    }
    let lost = chance.below(20) == 0;
    let answer = match doing.first {
        Some(Half::Answer(answer)) if !lost => answer,
        _ => Answer::Failed,
    };
    let (began, ended) = (one.clock(doing.began), one.clock(at));
    if !one.dead {
        one.party.told(answer, began, ended);
    }
    let pause = u64::try_from(one.party.pause().as_millis()).unwrap();
    one.rests = at + pause + chance.delay(pauses);
}

fn begin(name: u64, offset: u64) -> One {
    let party = Party::new(Duration::from_millis(LENGTH));
    One { party, name, beat: 0, offset, rests: 0, dead: false, doing: None }
}

/// Lives through a world of `parties`; says for how many steps somebody could send, and
/// how many terms there were.
fn live(seed: u64, parties: u64, pauses: u64) -> Result<(u64, u64), String> {
    let (mut chance, mut files, mut sent) = (Chance(seed), Files::new(), 0);
    let mut all: Vec<One> = (0..parties).map(|n| begin(n, chance.below(1 << 40))).collect();
    for n in 0..STEPS {
        let at = n * STEP;
        for one in &mut all {
            step(one, &mut files, &mut chance, (at, pauses));
            // Whoever lost begins anew; others die, and what they do at the folder ends.
            if one.party.lost().is_some() || chance.below(2_000) == 0 {
                if chance.below(2) == 0 && one.may_send(at) && one.doing.is_none() {
                    let term = one.party.turn().map_or(0, |turn| turn.term);
                    let bytes = record(one, true).bytes();
                    files.entry(term).and_modify(|file| bytes.clone_into(file));
                }
                *one = begin(one.name + 100, chance.below(1 << 40));
            }
        }
        let senders: Vec<u64> =
            all.iter().filter(|one| one.may_send(at)).map(|one| one.name).collect();
        if senders.len() > 1 {
            return Err(format!("seed {seed}: {senders:?} may send at {at} ms: {files:?}"));
        }
        sent += senders.len() as u64;
        while files.len() > 3 {
            files.pop_first();
        }
    }
    Ok((sent, newest(&files).unwrap_or_default()))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn never_may_two_send_at_once(seed: u64, parties in 2_u64..4, pauses in 0_u64..30) {
        prop_assert!(live(seed, parties, pauses).map_err(TestCaseError::fail)?.0 <= STEPS);
    }
}

#[test]
fn where_nobody_pauses_somebody_sends_nearly_all_the_time_and_others_take_over() {
    let (mut sent, mut terms) = (0, 0);
    for seed in 0..20 {
        let (steps, newest) = live(seed, 3, 0).unwrap();
        sent += steps;
        terms += newest;
    }
    assert!(sent > 20 * STEPS * 6 / 10, "{sent} of {}", 20 * STEPS);
    assert!(terms > 20, "{terms} terms");
}

#[test]
fn a_waiter_takes_over_no_sooner_than_a_length_after_it_saw_the_last_renewal() {
    let seconds = Duration::from_secs;
    let mut waiter = Party::new(seconds(10));
    let held = |beat| {
        let one = One { beat, ..begin(1, 0) };
        Some((4, record(&one, false).bytes()))
    };
    waiter.told(Answer::Looked(held(1)), seconds(0), seconds(1));
    waiter.told(Answer::Looked(held(2)), seconds(9), seconds(10));
    waiter.told(Answer::Looked(held(2)), seconds(19), seconds(21));
    assert_eq!((waiter.ask(), waiter.alive()), (Ask::Look, true));
    waiter.told(Answer::Looked(held(2)), seconds(20), seconds(21));
    assert_eq!(waiter.ask(), Ask::Claim { term: 5 });
    waiter.told(Answer::Claimed(true), seconds(22), seconds(23));
    assert_eq!((waiter.ask(), waiter.turn()), (Ask::Compare { old: Some(4) }, None));
    // Its term was taken away long ago, and later ones are somebody else's.
    let mut late = waiter.clone();
    let old = held(2).map(|(_, bytes)| bytes);
    late.told(Answer::Compared { newest: Some(7), old }, seconds(24), seconds(24));
    assert_eq!((late.ask(), late.turn()), (Ask::Look, None));
    // It lives: nothing is sent before its last renewal is over in any case.
    let mut careful = waiter.clone();
    let old = held(3).map(|(_, bytes)| bytes);
    careful.told(Answer::Compared { newest: Some(5), old }, seconds(24), seconds(24));
    careful.told(Answer::Renewed(Some(5)), seconds(32), seconds(32));
    assert!(!careful.turn().unwrap().holds(seconds(32)));
    assert!(careful.turn().unwrap().holds(seconds(34)));
    let old = held(2).map(|(_, bytes)| bytes);
    waiter.told(Answer::Compared { newest: Some(5), old }, seconds(24), seconds(24));
    assert!(
        waiter.turn().unwrap().holds(seconds(24)) && !waiter.turn().unwrap().holds(seconds(30))
    );
    waiter.told(Answer::Renewed(Some(6)), seconds(25), seconds(25));
    assert_eq!((waiter.lost(), waiter.turn(), waiter.ask()), (Some(5), None, Ask::Nothing));
}

/// The lease ends a length after the last renewal; its 60 seconds begin there.
#[test]
fn a_dead_holder_is_replaced_within_two_looks_of_the_end_of_its_lease() {
    for length in [LEAST_SECONDS, 20, MOST_SECONDS] {
        let mut waiter = Party::new(Duration::from_secs(length));
        let dead = Record { seconds: length, ..record(&begin(1, 0), false) };
        let mut at = Duration::ZERO;
        let turn = loop {
            let answer = match waiter.ask() {
                Ask::Look => Answer::Looked(Some((1, dead.bytes()))),
                Ask::Claim { .. } => Answer::Claimed(true),
                _ => Answer::Compared { newest: Some(2), old: Some(dead.bytes()) },
            };
            waiter.told(answer, at, at);
            if let Some(turn) = waiter.turn() {
                break turn;
            }
            at += waiter.pause();
        };
        // The last renewal may have come right after a look.
        let looks = 2 * Party::new(Duration::from_secs(length)).pause();
        assert!(turn.from >= Duration::from_secs(length), "{turn:?}");
        assert!(turn.from <= Duration::from_secs(length) + looks, "{turn:?}");
        assert!(looks < Duration::from_secs(60));
    }
}

#[test]
fn a_term_that_nobody_can_read_is_left_alone_for_the_longest_lease() {
    let seconds = Duration::from_secs;
    let mut waiter = Party::new(seconds(5));
    for at in [0, 6, MOST_SECONDS - 1] {
        waiter.told(Answer::Looked(Some((1, vec![]))), seconds(at), seconds(at));
        assert_eq!(waiter.ask(), Ask::Look, "{at}");
    }
    waiter.told(Answer::Looked(Some((1, vec![]))), seconds(MOST_SECONDS), seconds(MOST_SECONDS));
    assert_eq!(waiter.ask(), Ask::Claim { term: 2 });
}

#[test]
fn a_record_has_one_size_whoever_writes_it() {
    let long = Record { machine: "\"ä\\".repeat(400), ..record(&begin(1, 0), false) };
    let (long, short) = (long.bytes(), record(&begin(u64::MAX, 0), true).bytes());
    assert_eq!((long.len(), short.len()), (WIDTH, WIDTH));
    assert!(Record::of(&long).is_some_and(|record| !record.released));
    assert!(Record::of(&short[..100]).is_none(), "torn");
}

/// A permit on the real clocks.
fn permit() -> Arc<Permit> {
    let steady: Arc<dyn Steady> = Arc::new(SteadyClock::start());
    Arc::new(Permit::new(steady, Arc::new(SystemClock::new())))
}

fn mine(seconds: u64) -> Record {
    let holder = format!("{:016x}", SystemClock::new().random());
    let (machine, pid, at) = ("here".to_owned(), std::process::id(), now());
    Record { machine, pid, holder, seconds, beat: 0, at, released: false }
}

/// Waits until a keeper stands as `is` says.
fn until(keeper: &Keeper, is: impl Fn(&Standing) -> bool) -> Standing {
    let (_keep, never) = std::sync::mpsc::channel::<()>();
    for _ in 0..2_000 {
        let standing = keeper.standing();
        if is(&standing) {
            return standing;
        }
        let _ = never.recv_timeout(Duration::from_millis(10));
    }
    panic!("it stands so: {:?}", keeper.standing());
}

#[test]
fn a_lease_that_was_given_back_is_taken_at_once_and_by_one() {
    let dir = TempDir::new("lease");
    let folder = dir.path().join("lease");
    let holds = |standing: &Standing| matches!(standing, Standing::Holding { .. });
    let first = Keeper::start(&folder, mine(300), permit()).unwrap();
    assert_eq!(until(&first, holds), Standing::Holding { term: 1 });
    assert!(first.permit().left().is_some());
    let second = Keeper::start(&folder, mine(300), permit()).unwrap();
    let seen = |standing: &Standing| matches!(standing, Standing::Waiting { seen: Some(_), .. });
    until(&second, seen);
    assert_eq!(second.permit().left(), None);
    let kept = Arc::clone(first.permit());
    drop((first, second));
    assert_eq!(kept.left(), None, "whoever still has it sends nothing");
    let (term, record) = folder::holder(&folder).unwrap().unwrap();
    assert!(term == 1 && record.unwrap().released);
    let third = Keeper::start(&folder, mine(300), permit()).unwrap();
    assert_eq!(until(&third, holds), Standing::Holding { term: 2 });
    // Somebody who writes a later term is obeyed, and one who takes the folder away, too.
    folder::claim(&folder, 3).unwrap();
    drop(third);
    assert_eq!(folder::newest(&folder).unwrap(), Some(3));
    fs::remove_dir_all(&folder).unwrap();
    assert!(folder::newest(&folder).is_err());
}
