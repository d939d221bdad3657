//! Each target walks in a loop of its own: who hangs misses rounds, takes the
//! newest truth when it comes back, and delays nobody. A stop ends a walk where
//! it waits, and loses nothing.

use std::{future::poll_fn, sync::Arc, task::Poll, time::Duration};

use futures_util::future::{join_all, join3};
use jiff::Timestamp;
use planthread::pipeline::{self, GRACE, News, OpenTarget, PauseRecord, Rounds, Stop};
use planthread_engine::status;
use planthread_kit::{BoxFuture, Clock as _, SendError, Transport};
use planthread_mocks::sap_ibp::Options;
use serde_json::json;
use tokio::sync::mpsc::unbounded_channel;

use crate::plant::plan_of;
use crate::{
    wire::Effect,
    world::{Live, World},
};

const MINUTE: Duration = Duration::from_mins(1);

/// Takes every request and never says a word.
#[derive(Debug)]
struct Silent;

impl Transport for Silent {
    fn send(
        &self,
        _: http::Request<bytes::Bytes>,
    ) -> BoxFuture<'_, Result<http::Response<bytes::Bytes>, SendError>> {
        Box::pin(std::future::pending())
    }
}

/// Runs the loops of `targets` with a round every minute until `end`, which asks
/// for the stop. What was told, and how long the loops took from there.
fn run(
    world: &World,
    live: Live,
    targets: Vec<OpenTarget>,
    end: impl Future<Output = ()>,
) -> (Vec<News>, Duration) {
    let (ask, stop) = Stop::new();
    let (news, mut told) = unbounded_channel();
    let rounds = Rounds::new(Arc::new(live.bridge), news, stop);
    drop(live.target);
    let loops: Vec<_> = targets.into_iter().map(|target| rounds.target(target).run()).collect();
    let asked = async {
        end.await;
        ask.send_replace(true);
        world.clock.now()
    };
    let all = join3(join_all(loops), rounds.run(MINUTE), asked);
    let (_, (), asked) = world.clock.block_on(all);
    let took = world.clock.now().duration_since(asked).unsigned_abs();
    (std::iter::from_fn(|| told.try_recv().ok()).collect(), took)
}

#[test]
fn who_never_answers_misses_rounds_and_delays_nobody() {
    let mut config = plan_of(3, 5);
    config["plant"]["horizon"]["cycle_minutes"] = json!(1);
    config["targets"]["a-black-hole"] = config["targets"]["ibp"].clone();
    config["targets"]["a-black-hole"]["settings"]["host"] = json!("http://localhost");
    let world = World::new(&config, Options::default());
    let live = world.open_with("a-black-hole", Arc::new(Silent));
    let targets = live.bridge.targets(None).unwrap();
    // Its reads have failed five times by then, it was left alone, and one finds out.
    let end = world.clock.sleep(32 * MINUTE + MINUTE / 2);
    let (told, took) = run(&world, live, targets, end);
    assert!(took <= GRACE, "{took:?}");

    let rounds: Vec<Timestamp> = told.iter().filter_map(round).collect();
    let walked = |name: &str| -> Vec<Timestamp> {
        told.iter().filter_map(|news| walk(news, name)).collect()
    };
    assert_eq!(rounds.len(), 33);
    assert_eq!(walked("ibp"), rounds, "every round, each at its time");
    let black = walked("a-black-hole");
    assert!((1..20).contains(&black.len()), "{black:?}");
    // Each walk takes the newest round there was when the one before had ended.
    let (mut newest, mut at_least) = (None, None);
    for news in &told {
        newest = round(news).or(newest);
        if let Some(as_of) = walk(news, "a-black-hole") {
            assert!(Some(as_of) >= at_least, "{as_of} was overtaken by {at_least:?}");
            at_least = newest;
        }
    }
    assert!(matches!(told.last(), Some(News::Cut(name)) if name == "a-black-hole"), "{told:?}");
}

fn round(news: &News) -> Option<Timestamp> {
    match news {
        News::Round { round, .. } => Some(round.truth.as_of),
        News::Failed { .. } | News::Walked { .. } | News::Paused { .. } | News::Cut(_) => None,
    }
}

fn walk(news: &News, name: &str) -> Option<Timestamp> {
    match news {
        News::Walked { as_of, done, .. } if done.target == name => Some(*as_of),
        News::Round { .. }
        | News::Failed { .. }
        | News::Walked { .. }
        | News::Paused { .. }
        | News::Cut(_) => None,
    }
}

#[test]
fn law_12_a_stop_while_a_target_hangs_leaves_the_push_open_and_loses_nothing() {
    let config = crate::faults::chunked();
    let requests = crate::faults::clean().len();
    let mut left_open = 0;
    for nth in 1..=requests {
        let effect = if nth % 2 == 0 { Effect::After } else { Effect::Before };
        let when = format!("hung at request {nth}, its effect {effect:?}");
        let world = World::new(&config, Options::default());
        let live = world.open();
        let targets = vec![live.target.clone()];
        world.wire().kill_at(nth, effect);
        let hangs = poll_fn(|_| if world.wire().killed { Poll::Ready(()) } else { Poll::Pending });
        let (told, took) = run(&world, live, targets, hangs);
        assert_eq!(took, GRACE, "{when}");
        assert!(matches!(told.last(), Some(News::Cut(_))), "{when}: {told:?}");
        assert!(world.wire().revive());
        let live = world.open();
        let now = world.clock.now();
        let scopes = status::status(&live.bridge.reader().unwrap(), now).unwrap().scopes;
        left_open += scopes.iter().map(|scope| scope.open_attempts).sum::<u64>();
        world.pass(20);
        let again = world.cycle(&live);
        assert!(again.stopped.is_none(), "{when}: {:?}", again.stopped);
        world.assert_landed(&live, &when);
        assert_eq!(live.status().open_attempts, 0, "{when}");
    }
    assert!(left_open > 1, "some of them were in the middle of a push");
}

#[test]
fn a_pause_ends_a_push_that_hangs_sends_nothing_more_and_loses_nothing() {
    let world = World::new(&crate::faults::chunked(), Options::default());
    let live = world.open();
    let (targets, state) = (vec![live.target.clone()], live.bridge.loaded.config.state.clone());
    let decide = |paused| {
        let (who, why) = ("mara".to_owned(), "month end".to_owned());
        let record = PauseRecord { who, why, paused, until: None, by_hand: false, at: None };
        pipeline::pause(&state, "ibp", &record, world.clock.now()).unwrap();
    };
    let rows = || world.wire().heard.iter().map(|heard| heard.rows).sum::<usize>();
    world.wire().kill_at(4, Effect::After);
    let end = async {
        poll_fn(|_| if world.wire().killed { Poll::Ready(()) } else { Poll::Pending }).await;
        decide(true);
        // Until it is looked at, and the grace is over.
        world.clock.sleep(GRACE + Duration::from_secs(2)).await;
        assert!(world.wire().revive());
        let sent = rows();
        world.clock.sleep(5 * MINUTE).await;
        assert_eq!(rows(), sent, "nothing is sent while it is paused");
        // Beside the rounds, which come at each full minute.
        world.clock.sleep(MINUTE / 4).await;
        decide(false);
        world.clock.sleep(Duration::from_secs(5)).await;
        assert!(rows() > sent, "it is let go, and waits for no round");
        world.clock.sleep(5 * MINUTE).await;
    };
    let (told, _) = run(&world, live, targets, end);
    let paused =
        |news: &&News| matches!(news, News::Paused { why, .. } if why == "mara: month end");
    assert_eq!(told.iter().filter(paused).count(), 1, "{told:?}");
    let held = |news: &&News| match news {
        News::Walked { done, .. } => done.paused.is_some() && done.applied.is_none(),
        _ => false,
    };
    assert!(told.iter().filter(held).count() >= 4, "{told:?}");
    let live = world.open();
    world.assert_landed(&live, "after the pause");
    assert_eq!(live.status().open_attempts, 0);
}

#[test]
fn fed_by_hand_is_obeyed_at_once_and_left_without_waiting_for_a_round() {
    let mut config = plan_of(3, 5);
    config["targets"]["ibp"]["pack"] = json!({ "folder": "packs" });
    let world = World::new(&config, Options::default());
    let live = world.open();
    let (targets, state) = (vec![live.target.clone()], live.bridge.loaded.config.state.clone());
    let decide = |by_hand| {
        let (who, why) = ("mara".to_owned(), "the tenant moves".to_owned());
        let record = PauseRecord { who, why, paused: by_hand, until: None, by_hand, at: None };
        pipeline::pause(&state, "ibp", &record, world.clock.now()).unwrap();
    };
    let end = async {
        world.clock.sleep(MINUTE / 2).await;
        decide(true);
        world.clock.sleep(Duration::from_secs(1)).await;
        let mark = world.mark();
        world.clock.sleep(5 * MINUTE).await;
        assert_eq!(world.mark(), mark, "it is asked nothing, a second later");
        decide(false);
        world.clock.sleep(Duration::from_secs(5)).await;
        assert!(world.mark() > mark, "it is read, and waits for no round");
    };
    let (told, _) = run(&world, live, targets, end);
    let held = |news: &&News| match news {
        News::Walked { done, .. } => done.pack.is_some() && done.paused.is_some(),
        _ => false,
    };
    assert!(told.iter().filter(held).count() >= 4, "the pack is renewed: {told:?}");
    world.assert_landed(&world.open(), "after");
}
