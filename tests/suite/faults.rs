//! Every fault at every request, and a crash at every request: run again, and
//! everything was seen, nothing is doubled, the books balance.

use planthread_kit::Clock as _;
use planthread_mocks::{
    Fault,
    sap_ibp::{Options, Switch},
};
use serde_json::{Value, json};

use crate::{
    wire::Effect,
    world::{World, plan_of},
};

/// Three machines over six weeks, in posts of three rows, two transactions and
/// pages of eight rows, so that every kind of request comes more than once.
pub(crate) fn chunked() -> Value {
    let mut config = plan_of(3, 5);
    let settings = &mut config["targets"]["ibp"]["settings"];
    settings["transaction"] = json!({ "values_per_post": 6, "segment_rows": 12 });
    settings["reading"] = json!({ "page_size": 8 });
    config
}

/// The requests of a clean cycle, as lines.
pub(crate) fn clean() -> Vec<String> {
    let world = World::new(&chunked(), Options::default());
    world.cycle(&world.open());
    let wire = world.wire();
    wire.heard.iter().map(|heard| format!("{} {}", heard.method, heard.line)).collect()
}

/// One fault at request `nth`, then a second cycle.
fn survives(nth: usize, line: &str, fault: &Fault) {
    let when = format!("{fault:?} at request {nth}, {line}");
    let world = World::new(&chunked(), Options::default());
    let live = world.open();
    world.wire().fault_at(nth, fault.clone());
    let first = world.cycle(&live);
    live.assert_conserved(&when);
    let landed = live.status();
    if first.stopped.is_none() && first.verified.as_ref().is_some_and(|v| v.lost == 0) {
        assert_eq!(landed.rejected(), 0, "{when}: a fault of the wire is no refusal");
    }
    world.pass(20);
    let second = world.cycle(&live);
    assert!(second.stopped.is_none(), "{when}: {:?}", second.stopped);
    world.assert_landed(&live, &when);
    assert_eq!(live.status().open_attempts, 0, "{when}");
    assert_eq!(live.status().locks, 0, "{when}: nobody else was here");
}

trait Rejected {
    fn rejected(&self) -> u64;
}

impl Rejected for planthread_engine::status::ScopeStatus {
    fn rejected(&self) -> u64 {
        self.states.get("rejected").copied().unwrap_or_default()
    }
}

fn everywhere(faults: &[Fault]) {
    let requests = clean();
    let count = |part: &str| requests.iter().filter(|line| line.contains(part)).count();
    assert_eq!(count("PTDEMOTrans"), 6, "{requests:#?}");
    assert_eq!(count("commit"), 2, "{requests:#?}");
    for fault in faults {
        for (at, line) in requests.iter().enumerate() {
            survives(at + 1, line, fault);
        }
    }
}

const fn status(code: u16, retry_after: Option<u32>, after: bool) -> Fault {
    Fault::Status { code, retry_after, after }
}

#[test]
fn law_12_a_connection_lost_before_each_request() {
    everywhere(&[Fault::DropBefore]);
}

#[test]
fn law_12_a_connection_lost_after_each_request() {
    everywhere(&[Fault::DropAfter]);
}

#[test]
fn law_12_an_error_of_the_service_before_and_after_each_request() {
    everywhere(&[status(500, None, false), status(502, None, true)]);
}

#[test]
fn law_12_a_busy_service_at_each_request() {
    everywhere(&[status(429, Some(30), false), status(503, Some(90), false)]);
}

#[test]
fn law_12_a_truncated_answer_at_each_request() {
    everywhere(&[Fault::TruncatedBody(20)]);
}

#[test]
fn law_2_a_page_of_somebody_in_between_at_each_request_is_no_receipt() {
    everywhere(&[
        Fault::LoginPage(200),
        Fault::LoginPage(201),
        Fault::Multipart400(201),
        Fault::Redirect(302),
    ]);
}

#[test]
fn law_2_one_page_among_the_posts_of_rows_lands_nothing_and_is_named_at_once() {
    let requests = clean();
    let row = requests.iter().position(|line| line.contains("PTDEMOTrans")).unwrap();
    for fault in [Fault::LoginPage(201), Fault::Multipart400(201)] {
        let world = World::new(&chunked(), Options::default());
        let live = world.open();
        let before = world.clock.now();
        world.wire().fault_at(row + 2, fault.clone());
        let first = world.cycle(&live);
        let told = format!("{:?}", first.stopped);
        assert!(told.contains("instead of"), "{fault:?}: {told}");
        let commits =
            world.wire().heard.iter().filter(|heard| heard.line.contains("commit")).count();
        assert_eq!((commits, world.stored().len()), (0, 0), "{fault:?}");
        assert!(world.clock.now().duration_since(before).as_secs() < 30, "{fault:?}");
    }
}

#[test]
fn fronts_that_want_a_length_and_a_type_let_writes_pass() {
    let mut options = Options::default();
    options.switches =
        options.switches.with(Switch::LengthRequired, true).with(Switch::ParametersNeedType, true);
    let world = World::new(&chunked(), options);
    let live = world.open();
    let done = world.cycle(&live);
    assert!(done.stopped.is_none(), "{:?}", done.stopped);
    world.assert_landed(&live, "behind a front");
}

#[test]
fn law_12_an_expired_token_at_each_request() {
    everywhere(&[Fault::ExpireToken]);
}

#[test]
fn law_12_nothing_goes_out_inside_an_announced_wait() {
    for nth in 1..=clean().len() {
        let world = World::new(&chunked(), Options::default());
        let live = world.open();
        world.wire().fault_at(nth, status(429, Some(45), false));
        world.cycle(&live);
        let wire = world.wire();
        let (told, next) = (wire.heard[nth - 1].at, wire.heard.get(nth).map(|heard| heard.at));
        // A request that was on its way at the same instant can't be called back.
        let on_its_way = |at| at == told;
        let first_later =
            wire.heard[nth..].iter().map(|heard| heard.at).find(|at| !on_its_way(*at));
        let early = first_later.is_some_and(|at| at.duration_since(told).as_secs() < 45);
        assert!(!early, "request {nth}: told at {told}, next at {next:?}");
    }
}

#[test]
fn law_12_the_bridge_dies_at_each_request_and_starts_again_from_its_disk() {
    let requests = clean();
    for effect in [Effect::Before, Effect::After] {
        for (at, line) in requests.iter().enumerate() {
            let when = format!("died {effect:?} request {}, {line}", at + 1);
            let world = World::new(&chunked(), Options::default());
            let live = world.open();
            world.wire().kill_at(at + 1, effect);
            let targets = std::slice::from_ref(&live.target);
            let cycle = live.bridge.cycle(targets, live.bridge.as_of());
            assert!(world.until_killed(cycle).is_none(), "{when}: it went on");
            drop(live);
            assert!(world.wire().revive());
            world.pass(20);
            let live = world.open();
            live.assert_conserved(&when);
            let again = world.cycle(&live);
            assert!(again.stopped.is_none(), "{when}: {:?}", again.stopped);
            world.assert_landed(&live, &when);
            assert_eq!(live.status().open_attempts, 0, "{when}");
            assert_eq!(live.status().locks, 0, "{when}");
        }
    }
}

#[test]
fn law_12_two_faults_at_once_and_a_crash_between_two_cycles() {
    let requests = clean().len();
    for nth in 1..=requests {
        let world = World::new(&chunked(), Options::default());
        let live = world.open();
        world.wire().fault_at(nth, Fault::DropAfter);
        world.wire().fault_at(nth + 1, status(500, None, false));
        world.cycle(&live);
        drop(live);
        world.pass(3);
        world.wire().kill_at(4, Effect::After);
        let live = world.open();
        let targets = std::slice::from_ref(&live.target);
        world.until_killed(live.bridge.cycle(targets, live.bridge.as_of()));
        drop(live);
        world.wire().revive();
        world.pass(20);
        let live = world.open();
        world.cycle(&live);
        world.pass(20);
        let last = world.cycle(&live);
        assert!(last.stopped.is_none(), "{nth}: {:?}", last.stopped);
        world.assert_landed(&live, &format!("faults at {nth} and {}, crash at 4", nth + 1));
    }
}
