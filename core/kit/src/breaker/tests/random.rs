//! Whatever happens, in whatever order: ends of requests, deaths of the process,
//! steps of the wall clock.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const FAILURES: u32 = POLICY.failures;
const OPEN: i64 = 60;

/// How a request ends.
#[derive(Debug, Clone, Copy)]
enum End {
    Well,
    Down,
    /// The target says no, in one of its ways.
    SaysNo(u8),
    /// Nobody waits for it any more.
    Dropped,
}

#[derive(Debug, Clone)]
enum Event {
    /// A request begins, where it may.
    Ask(usize),
    /// One of those that are out ends.
    Ends(usize, End),
    /// So many in a row begin and end.
    Series(usize, u8, End),
    /// Time passes, in seconds.
    Passes(i64),
    /// The wall clock is set back by so many seconds.
    SetBack(i64),
    /// The process dies, or ends in order, and another one begins.
    Restart { killed: bool },
}

fn event() -> impl Strategy<Value = Event> {
    let end = prop_oneof![
        2 => Just(End::Well),
        6 => Just(End::Down),
        2 => any::<u8>().prop_map(End::SaysNo),
        1 => Just(End::Dropped),
    ];
    let of = 0..Operation::ALL.len();
    prop_oneof![
        3 => of.clone().prop_map(Event::Ask),
        4 => (any::<usize>(), end.clone()).prop_map(|(which, end)| Event::Ends(which, end)),
        3 => (of, 1..6_u8, end).prop_map(|(of, n, end)| Event::Series(of, n, end)),
        4 => prop_oneof![0..20_i64, 40..80_i64, Just(100_000)].prop_map(Event::Passes),
        1 => prop_oneof![0..90_i64, Just(1_000_000)].prop_map(Event::SetBack),
        2 => any::<bool>().prop_map(|killed| Event::Restart { killed }),
    ]
}

/// What outlives a process.
#[derive(Debug, Default)]
struct Disk(Mutex<BTreeMap<(String, Operation), Kept>>);

impl BreakerMemory for Disk {
    fn keep(&self, target: &str, operation: Operation, kept: Kept) {
        let before = self.0.lock().unwrap().insert((target.to_owned(), operation), kept);
        assert_ne!(before, Some(kept), "written without need");
    }
}

/// One operation as an onlooker sees it: time is what has really passed.
#[derive(Debug, Default, Clone, Copy)]
struct Onlooker {
    failures: u32,
    /// Since when it is to be left alone; none while it is not.
    quiet_since: Option<i64>,
    /// Whether one is out that finds out.
    probing: bool,
}

struct World {
    disk: Arc<Disk>,
    breakers: &'static Breakers,
    wall: i64,
    passed: i64,
    seen: [Onlooker; Operation::ALL.len()],
    out: Vec<(usize, bool, Permit<'static>)>,
}

fn opened(disk: &Arc<Disk>) -> &'static Breakers {
    let memory: Arc<dyn BreakerMemory> = Arc::clone(disk) as _;
    let book = BreakerBook::kept_in(memory);
    book.remember(disk.0.lock().unwrap().clone());
    let target = book.of_target("t", POLICY);
    assert!(Arc::ptr_eq(&target, &book.of_target("t", POLICY)), "one breaker for everybody");
    Box::leak(Box::new(target))
}

impl World {
    fn new() -> Self {
        let disk = Arc::default();
        let breakers = opened(&disk);
        let (wall, passed) = (2_000_000, 0);
        Self { disk, breakers, wall, passed, seen: Default::default(), out: Vec::new() }
    }

    fn ask(&mut self, of: usize) {
        let answer = self.breakers.admit(Operation::ALL[of], at(self.wall));
        let (now, seen) = (self.passed, &mut self.seen[of]);
        match answer {
            Ok(permit) => {
                if let Some(since) = seen.quiet_since {
                    assert!(!seen.probing, "two find out at once");
                    assert!(now - since >= OPEN, "asked {} s after it opened", now - since);
                    (seen.probing, seen.quiet_since) = (true, Some(now));
                }
                self.out.push((of, seen.probing, permit));
            }
            Err(left) => {
                assert!(seen.quiet_since.is_some(), "refused, and nothing is wrong");
                assert!(left <= POLICY.open_for, "{left:?}");
            }
        }
    }

    fn ends(&mut self, which: usize, end: End) {
        if self.out.is_empty() {
            return;
        }
        let (of, probe, permit) = self.out.swap_remove(which % self.out.len());
        let after = Duration::from_secs(1);
        let (now, seen) = (self.passed, &mut self.seen[of]);
        let counts = probe || seen.quiet_since.is_none();
        match end {
            End::Well => {
                permit.succeeded();
                if counts {
                    *seen = Onlooker::default();
                }
            }
            End::Down => {
                permit.failed(DOWN, at(self.wall));
                if counts {
                    seen.failures += 1;
                    if probe || seen.failures >= FAILURES {
                        (seen.quiet_since, seen.probing) = (Some(now), false);
                    }
                }
            }
            End::SaysNo(which) => {
                let no = [Class::Auth, Class::Drift, Class::Fatal, Class::Throttled { after }];
                permit.failed(no[usize::from(which) % no.len()], at(self.wall));
                seen.freed(probe);
            }
            End::Dropped => {
                drop(permit);
                seen.freed(probe);
            }
        }
    }

    fn restart(&mut self, killed: bool) {
        for (of, probe, permit) in self.out.drain(..) {
            if killed {
                // It is out for all that the next process knows.
                std::mem::forget(permit);
                self.seen[of].probing &= !probe;
            } else {
                drop(permit);
                self.seen[of].freed(probe);
            }
        }
        self.breakers = opened(&self.disk);
    }

    fn happens(&mut self, event: &Event) {
        match *event {
            Event::Ask(of) => self.ask(of),
            Event::Ends(which, end) => self.ends(which, end),
            Event::Series(of, n, end) => {
                for _ in 0..n {
                    let before = self.out.len();
                    self.ask(of);
                    if self.out.len() > before {
                        self.ends(before, end);
                    }
                }
            }
            Event::Passes(seconds) => {
                self.wall += seconds;
                self.passed += seconds;
            }
            Event::SetBack(seconds) => self.wall = (self.wall - seconds).max(0),
            Event::Restart { killed } => self.restart(killed),
        }
    }
}

impl Onlooker {
    /// A request said nothing about the target: another one may find out.
    const fn freed(&mut self, probe: bool) {
        if probe {
            self.probing = false;
            self.quiet_since = Some(i64::MIN / 2);
        }
    }
}

proptest! {
    /// Never a request while it is open, never two that find out, open as soon as
    /// enough have failed, and never for nothing.
    #[test]
    fn a_target_that_is_down_is_asked_by_one_at_a_time(
        events in proptest::collection::vec(event(), 1..120)
    ) {
        let mut world = World::new();
        events.iter().for_each(|event| world.happens(event));
        // It comes back by itself: a clock that stands still for nobody is enough.
        world.restart(true);
        for of in 0..Operation::ALL.len() {
            world.ask(of);
        }
        world.restart(false);
        world.happens(&Event::Passes(OPEN));
        for (of, operation) in Operation::ALL.into_iter().enumerate() {
            let left = world.out.len();
            world.ask(of);
            prop_assert!(world.out.len() > left, "{} is left alone for ever", operation.word());
            world.ends(left, End::Well);
            prop_assert_eq!(world.breakers.standing(operation, at(world.wall)).word(), "closed");
        }
    }
}
