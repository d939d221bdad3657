//! The page of a bridge that runs: read once a round on the bridge's own connection, and
//! never by whoever opens it; as old as it says.

use std::{sync::Arc, time::Duration};

use futures_util::future::join3;
use planthread::{
    pipeline::{
        self, PauseRecord, Rounds, Stop,
        gap::{GapBoard, Proof},
    },
    report::gap::{GapRow, Served},
    serve::page::Shows as _,
};
use planthread_kit::Clock as _;
use planthread_mocks::{Fault, sap_ibp::Options};
use tokio::sync::mpsc::unbounded_channel;

use crate::{
    gap::{compared, config},
    world::{Live, World},
};

const HOUR: Duration = Duration::from_hours(1);

/// Runs the loops of a bridge for so many hourly rounds, and somebody beside it who does
/// `meanwhile` half an hour after each; the page that is left.
fn run(world: &World, live: Live, rounds: u32, meanwhile: impl Fn(u32, &Served)) -> Served {
    let (ask, stop) = Stop::new();
    let (news, _told) = unbounded_channel();
    let Live { bridge, target } = live;
    let board = Arc::new(GapBoard::new(std::slice::from_ref(&target)));
    let served = Served::new(Arc::clone(&board), Arc::new(world.clock.clone()), HOUR);
    let running = Rounds::new(Arc::new(bridge), news, stop).noting(Some(board));
    let looping = running.target(target);
    let beside = async {
        for round in 1..=rounds {
            world.clock.sleep(HOUR / 2).await;
            meanwhile(round, &served);
            if round < rounds {
                world.clock.sleep(HOUR / 2).await;
            }
        }
        ask.send_replace(true);
    };
    world.clock.block_on(join3(looping.run(), running.run(HOUR), beside));
    served
}

/// How often the load was read from the target.
fn loads_read(world: &World) -> usize {
    let wire = world.wire();
    wire.heard.iter().filter(|heard| heard.line.contains("CAPADEMAND")).count()
}

#[test]
fn a_round_reads_the_plan_once_and_whoever_opens_the_page_asks_the_target_nothing() {
    let world = World::new(&config(), Options::default());
    let live = world.open();
    let before = live.bridge.tenants().len();
    let served = run(&world, live, 3, |round, served| {
        assert_eq!(loads_read(&world), round as usize, "once a round");
        let mark = world.mark();
        for _ in 0..5 {
            let page = served.page();
            let half_an_hour = ["29", "30"].map(|so| format!("The target was read {so} min ago"));
            assert!(half_an_hour.iter().any(|told| page.contains(told)), "{page}");
        }
        assert_eq!(world.mark(), mark, "opening it asks nothing");
    });
    assert_eq!(before, 1, "one book of quotas");
    // The page has the figures of the verb.
    let live = world.open();
    let verb = compared(&world, &live);
    let (page, verb) = (served.view(), &verb.targets[0]);
    let page = &page.targets[0];
    assert_eq!(page.headline, verb.headline);
    let rows = |rows: &[GapRow]| -> Vec<_> {
        rows.iter().map(|one| (one.row.clone(), one.verdict, one.proven)).collect()
    };
    assert_eq!(rows(&page.rows), rows(&verb.rows));
    let proof = |row: &GapRow| row.data.as_ref().map(|data| data.proof);
    assert!(page.rows.iter().any(|row| proof(row) == Some(Proof::Proven)));
}

#[test]
fn what_nobody_reads_any_more_says_how_old_it_is_and_proves_nothing() {
    let world = World::new(&config(), Options::default());
    let served = run(&world, world.open(), 1, |_, _| {});
    assert!(!served.page().contains("<strong>Old"), "{}", served.page());
    let mark = world.mark();
    world.clock.block_on(world.clock.sleep(3 * HOUR));
    let page = served.page();
    assert!(page.contains("<strong>Old, 3 h:</strong> no newer reading came"), "{page}");
    assert_eq!(world.mark(), mark);
}

#[test]
fn a_target_that_refuses_keeps_its_last_reading_with_the_reason() {
    let world = World::new(&config(), Options::default());
    let served = run(&world, world.open(), 2, |round, served| {
        if round == 1 {
            assert!(served.page().contains("The target was read 29 min ago"));
            let refuse = Fault::Status { code: 401, retry_after: None, after: false };
            (0..20).for_each(|nth| world.wire().fault_at(nth, refuse.clone()));
        } else {
            let page = served.page();
            assert!(page.contains("<strong>Old, 89 min:</strong>"), "{page}");
            assert!(page.contains("401"), "{page}");
        }
    });
    let rows = &served.view().targets[0].rows;
    assert!(rows.iter().any(|row| row.row.live.is_some()), "the last reading stands");
}

#[test]
fn a_paused_target_is_not_read_and_the_page_says_who_paused_it() {
    let world = World::new(&config(), Options::default());
    let live = world.open();
    let state = live.bridge.loaded.config.state.clone();
    let (who, why) = ("mara".to_owned(), "month end".to_owned());
    let record = PauseRecord { who, why, paused: true, until: None, by_hand: true, at: None };
    pipeline::pause(&state, "ibp", &record, world.clock.now()).unwrap();
    let served = run(&world, live, 2, |_, _| {});
    let page = served.page();
    assert!(
        page.contains("<strong>Not read yet:</strong> paused (fed by hand, mara: month end)"),
        "{page}"
    );
    assert_eq!(world.mark(), 0, "it is asked nothing");
}
