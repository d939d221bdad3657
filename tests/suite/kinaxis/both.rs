//! A target that commits waits for what another one lands, and for nothing else: it
//! walks again when that one has sent something, and is not taken for one that is down.

use std::{sync::Arc, time::Duration};

use futures_util::future::{join_all, join3};
use planthread::{
    failure::Exit,
    pipeline::{Bridge, OpenTarget, Rounds, Stop, Waits, refused},
    report::View as _,
};
use planthread_engine::{
    Reader, fallback,
    status::{self, ScopeStatus},
};
use planthread_kit::{Class, Clock as _};
use planthread_mocks::Setup;
use tokio::sync::mpsc::unbounded_channel;

use super::registered;
use crate::{site::Site, way::Way};

fn site() -> Site {
    let site = Site::of((registered(), &Way::default()), Setup::default(), |sandbox| sandbox);
    site.shorten();
    site
}

fn assert_landed(site: &Site) {
    let reader = Reader::open(&site.folder.join("planthread-state")).unwrap();
    let scopes = status::status(&reader, site.clock.now()).unwrap().scopes;
    assert_eq!(scopes.len(), 2);
    let whole = |scope: &ScopeStatus| scope.wanted > 0 && scope.wanted == scope.seen;
    assert!(scopes.iter().all(whole), "{scopes:?}");
}

fn targets(bridge: &Bridge, order: &[&str]) -> Vec<OpenTarget> {
    order.iter().map(|name| bridge.targets(Some(name)).unwrap().remove(0)).collect()
}

#[test]
fn one_cycle_lands_both_in_any_order() {
    for order in [["maestro", "maestro-baseline"], ["maestro-baseline", "maestro"]] {
        let site = site();
        let bridge = site.bridge();
        let targets = targets(&bridge, &order);
        let cycle = site.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
        for done in &cycle.targets {
            assert!(done.stopped.is_none(), "{order:?}: {:?}", done.stopped);
            assert!(done.want.as_ref().unwrap().wanted.made > 0, "{order:?}: {}", done.target);
        }
        assert_landed(&site);
    }
}

#[test]
fn what_nobody_lands_is_not_waited_for_and_is_no_outage() {
    let site = site();
    let bridge = site.bridge();
    let alone = targets(&bridge, &["maestro-baseline"]);
    let began = site.clock.now();
    // More than fail in a row before a target that is down is left alone.
    for _ in 0..8 {
        let cycle = site.clock.block_on(bridge.cycle(&alone, bridge.as_of())).unwrap();
        let stopped = cycle.targets[0].stopped.as_ref().unwrap();
        assert_eq!(stopped.class, Some(Class::NotYet), "{stopped:?}");
    }
    assert!(site.clock.now().duration_since(began).as_secs() < 60, "nobody waits in a walk");
    let outage = fallback::outage(&bridge.reader().unwrap(), "maestro-baseline").unwrap();
    assert!(outage.is_none(), "{outage:?}");
}

#[test]
fn who_waits_behind_refused_cells_says_so_and_ends_as_with_a_refusal() {
    let options = vec![("resources".to_owned(), "2".to_owned())];
    let setup = Setup { options, ..Setup::default() };
    let site = Site::of((registered(), &Way::default()), setup, |sandbox| sandbox);
    site.shorten();
    let bridge = site.bridge();
    let targets = targets(&bridge, &["maestro", "maestro-baseline"]);
    let cycle = || site.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
    let stands = || {
        let reader = bridge.reader().unwrap();
        Waits::at(&bridge.loaded, &reader, &targets[1], site.clock.now()).unwrap().upstream
    };
    // Nobody knows yet which rows were refused: it is waited for.
    let first = cycle();
    let stopped = first.targets[1].stopped.as_ref().unwrap();
    assert_eq!((stopped.class, stopped.exit), (Some(Class::NotYet), Exit::Transient), "{stopped}");
    assert_eq!(stands(), None);
    site.clock.advance(Duration::from_mins(16));
    for _ in 0..2 {
        let done = cycle();
        let open = refused(&bridge.loaded, &bridge.reader().unwrap(), &[]).unwrap();
        let found = stands().unwrap();
        assert_eq!((found.target.as_str(), found.cells), ("maestro", open.len() as u64));
        assert!(open.iter().any(|one| one.key == found.example), "{found:?}");
        let stopped = done.targets[1].stopped.as_ref().unwrap();
        assert_eq!((stopped.class, stopped.exit), (Some(Class::NotYet), Exit::Findings));
        let told = format!("{} cells were refused at maestro", open.len());
        assert!(stopped.message.contains(&told), "{stopped}");
        assert!(stopped.cure.contains("rejects --where target=maestro"), "{stopped}");
        assert_eq!(done.exit(), Exit::Findings, "as with any refused cell");
    }
}

#[test]
fn a_loop_that_waits_walks_again_when_another_has_sent_and_waits_for_no_round() {
    let site = site();
    let (ask, stop) = Stop::new();
    let (news, _told) = unbounded_channel();
    let bridge = site.bridge();
    let targets = targets(&bridge, &["maestro-baseline", "maestro"]);
    let rounds = Rounds::new(Arc::new(bridge), news, stop);
    let loops: Vec<_> = targets.into_iter().map(|target| rounds.target(target).run()).collect();
    let asked = async {
        site.clock.sleep(Duration::from_mins(10)).await;
        ask.send_replace(true);
    };
    let day = Duration::from_hours(24);
    site.clock.block_on(join3(join_all(loops), rounds.run(day), asked));
    assert_landed(&site);
}
