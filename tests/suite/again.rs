//! Law 18 for a bridge that runs on: a cycle that wants nothing anew leaves what a
//! bridge would have made that knows of no cycle before.
//!
//! Random stories of news, time, locks, undos and promotions; after each step the two
//! bridges hold the same cells, tell the same, and plan the same.

use jiff::{SignedDuration, Timestamp};
use planthread::pipeline::{WantReport, policy};
use planthread_contracts::{Period, PeriodKind};
use planthread_engine::{
    ledger::{self, CellView, Lock, LockKind},
    undo::UndoRequest,
};
use planthread_kit::{Clock as _, VirtualClock};
use planthread_mocks::sap_ibp::Options;
use rust_decimal::Decimal;
use serde_json::{Value, json};

use crate::world::{Live, World, measure, plan_of, start};

const STORIES: u64 = 6;
const STEPS: usize = 9;

/// Something that happens before a cycle.
#[derive(Debug, Clone)]
enum Event {
    /// Nothing but time.
    Nothing,
    /// A machine will be up for this many hundredths of the next week.
    News(u32, i64),
    /// A person takes this cell, or gives it back.
    Lock(usize, bool),
    /// The last landing is undone.
    Undo,
    /// A measure of somebody else is promoted.
    Promote,
}

/// A bridge, its target, and the last landing.
struct Side {
    world: World,
    live: Option<Live>,
    receipt: Option<String>,
}

impl Side {
    fn new(config: &Value) -> Self {
        Self { world: World::new(config, Options::default()), live: None, receipt: None }
    }

    /// Lives through `event` at `at`, then a cycle of a bridge that runs on, or of a
    /// new one.
    fn lives(&mut self, at: Timestamp, event: &Event, runs_on: bool) -> WantReport {
        let Self { world, live, receipt } = self;
        let wait = at.duration_since(world.clock.now());
        assert!(wait.is_positive(), "the last cycle took too long");
        world.clock.advance(wait.unsigned_abs());
        if !runs_on {
            *live = None;
        }
        let live = live.get_or_insert_with(|| world.open());
        let (state, until) = (&live.bridge.state, at + SignedDuration::from_mins(95));
        match event {
            Event::Nothing => {}
            Event::News(machine, share) => {
                let week = Period::containing(PeriodKind::Week, "2026-12-02".parse().unwrap());
                world.foretell(*machine, &[(week, Decimal::new(*share, 2))]);
            }
            Event::Lock(nth, takes) => {
                let key = live.cells()[*nth].key.clone();
                let (owner, reason) = ("planner".to_owned(), "decided".to_owned());
                let kind = LockKind::Send;
                if *takes {
                    let lock = Lock { key, kind, owner, reason, since: at, until };
                    ledger::lock(state, lock).unwrap();
                } else {
                    ledger::unlock(state, key).unwrap();
                }
            }
            Event::Undo => {
                let (who, why) = ("planner".to_owned(), "wrong".to_owned());
                let measures = live.target.config.measures.clone();
                let (target, receipt) = ("ibp".to_owned(), receipt.clone().unwrap());
                let request = UndoRequest { target, receipt, who, why, until, measures };
                live.bridge.undo(request).unwrap();
            }
            Event::Promote => {
                let record = json!({ "who": "Ms Okafor", "why": "the ERP load is down",
                    "scope": "", "measures": ["erp"], "until": until });
                let folder = &live.bridge.loaded.config.state;
                policy::promote(folder, "ibp", &record.to_string(), at).unwrap();
            }
        }
        let done = world.cycle(live);
        assert!(done.stopped.is_none(), "{:?}", done.stopped);
        let landed = done.applied.and_then(|applied| applied.receipts.last().cloned());
        *receipt = landed.or(receipt.take());
        done.want.unwrap()
    }

    /// What the ledger says of each cell; when it was sent and read may differ.
    fn cells(&self) -> Vec<CellView> {
        let plain = |cell: CellView| CellView { sent_at: None, seen: None, ..cell };
        self.live.as_ref().unwrap().cells().into_iter().map(plain).collect()
    }

    fn plan(&self) -> String {
        String::from_utf8(self.live.as_ref().unwrap().plan()).unwrap()
    }
}

/// The next event of a story.
fn event(chance: &VirtualClock, step: usize) -> Event {
    let pick = |of: u64| chance.random() % of;
    // At the beginning there is nothing to hold or to undo.
    match pick(if step == 0 { 4 } else { 10 }) {
        0..=2 => Event::Nothing,
        3..=5 => {
            let share = 10 + i64::try_from(pick(90)).unwrap();
            Event::News(1 + u32::from(pick(2) == 0), share)
        }
        6 | 7 => Event::Lock(usize::try_from(pick(4)).unwrap(), pick(3) > 0),
        8 => Event::Undo,
        _ => Event::Promote,
    }
}

/// A story; how many of its cycles had no news.
fn story(number: u64) -> usize {
    let mut config = plan_of(2, 2);
    let mut erps = measure("erp", "CAPASUPPLY", "attainable_clock_hours", "value");
    erps["owner"] = json!({ "other": "nightly ERP load" });
    config["targets"]["ibp"]["measures"].as_array_mut().unwrap().push(erps);
    let (mut one, mut other) = (Side::new(&config), Side::new(&config));
    let chance = VirtualClock::new(start(), number);
    let (mut at, mut quiet) = (start(), 0);
    for step in 0..STEPS {
        let happens = event(&chance, step);
        let minutes = [4, 10, 30, 90][usize::try_from(chance.random() % 4).unwrap()];
        at += SignedDuration::from_mins(minutes);
        let when = format!("story {number}, step {step} at {at}: {happens:?}");
        let (said, anew) = (one.lives(at, &happens, true), other.lives(at, &happens, false));
        assert!(!anew.no_news, "{when}");
        if said.no_news {
            quiet += 1;
            assert_eq!((anew.wanted.made, anew.wanted.withdrawn), (0, 0), "{when}");
        }
        let told = |want: &WantReport| {
            let wanted = &want.wanted;
            let counts = [wanted.made, wanted.unchanged, wanted.pinned, wanted.older, want.kept];
            (counts, want.withheld.clone())
        };
        assert_eq!(told(&said), told(&anew), "{when}");
        assert_eq!(one.cells(), other.cells(), "{when}");
        assert_eq!(one.plan(), other.plan(), "{when}");
        assert_eq!(one.world.stored(), other.world.stored(), "{when}");
    }
    quiet
}

#[test]
fn law_18_a_cycle_without_news_leaves_what_would_be_computed_anew() {
    let quiet: usize = (1..=STORIES).map(story).sum();
    let all = usize::try_from(STORIES).unwrap() * STEPS;
    assert!(quiet > all / 10 && quiet < all, "{quiet} of {all} cycles without news");
}
