//! The request stack under the virtual clock, against a scripted target.

use std::sync::Mutex;

use futures_util::future::{join, join_all};
use http::header::{DATE, RETRY_AFTER};
use jiff::{SignedDuration, Timestamp};
use proptest::prelude::*;

use super::*;
use crate::{
    Secret, VirtualClock,
    http::{Anonymous, Basic, Lane, Safety},
    testing::{Reply, Script, clock},
};

fn quota(clock: &VirtualClock) -> Arc<Quota> {
    Arc::new(Quota::unlimited(Arc::new(clock.clone())))
}

fn stack(clock: &VirtualClock, script: &Script, quota: &Arc<Quota>) -> HttpStack {
    let (transport, clock) = (Arc::new(script.clone()), Arc::new(clock.clone()));
    let policy = RequestPolicy::default();
    HttpStack::new(transport, clock, Arc::clone(quota), Arc::new(Anonymous), policy)
}

fn call(safety: Safety) -> Call {
    let request = Request::get("https://h.example/rows?$filter=x").body(Bytes::new()).unwrap();
    Call::new("read rows", safety, request)
}

/// Sends one call; returns its result, the number of requests and the seconds.
fn one(
    safety: Safety,
    answer: impl Fn(usize) -> Reply + Send + Sync + 'static,
) -> (Result<u16, ConnectorError>, usize, f64) {
    let clock = clock();
    let script = Script::new(&clock, move |n, _| answer(n));
    let started = clock.now();
    let result = clock.block_on(stack(&clock, &script, &quota(&clock)).send(call(safety)));
    let took = clock.now().duration_since(started).as_secs_f64();
    (result.map(|response| response.status().as_u16()), script.arrived().len(), took)
}

fn class(result: Result<u16, ConnectorError>) -> Class {
    result.unwrap_err().class
}

#[test]
fn any_status_is_the_connectors_to_read() {
    for code in [200, 201, 302, 400, 403, 404, 409, 500] {
        let (result, requests, _) = one(Safety::Read, move |_| Reply::status(code));
        assert_eq!((result.unwrap(), requests), (code, 1));
    }
}

#[test]
fn a_certificate_that_is_not_trusted_is_configuration_and_not_tried_again() {
    let (result, requests, _) = one(Safety::Read, |_| Reply::untrusted("UnknownIssuer"));
    let error = result.unwrap_err();
    assert_eq!((error.class, requests), (Class::Auth, 1));
    assert!(error.cure.unwrap().contains("network.private_ca"));
}

#[test]
fn what_was_not_sent_is_sent_again_but_not_for_ever() {
    let refused = || Reply::lost(Sent::No, "connection refused");
    let (result, requests, _) =
        one(Safety::Once, move |n| if n < 2 { refused() } else { Reply::status(201) });
    assert_eq!((result.unwrap(), requests), (201, 3));

    let (result, requests, took) = one(Safety::Once, move |_| refused());
    assert_eq!(class(result), Class::Transient { sent: Sent::No });
    assert_eq!(requests, 4);
    assert!(took <= 0.25 + 0.5 + 1.0, "{took}");
}

#[test]
fn a_write_that_may_have_arrived_goes_out_once() {
    let (result, requests, took) = one(Safety::Once, |_| Reply::status(201).after(3_600));
    assert_eq!(class(result), UNCLEAR);
    assert_eq!((requests, took), (1, 60.0));
    let (result, requests, _) = one(Safety::Once, |_| Reply::lost(Sent::Maybe, "reset"));
    assert_eq!((class(result), requests), (UNCLEAR, 1));
}

#[test]
fn a_read_that_may_have_arrived_goes_out_again() {
    let slow_once = |n| Reply::status(200).after(if n == 0 { 3_600 } else { 1 });
    let (result, requests, _) = one(Safety::Read, slow_once);
    assert_eq!((result.unwrap(), requests), (200, 2));
    let (result, requests, _) = one(Safety::Repeatable, |_| Reply::lost(Sent::Maybe, "reset"));
    assert_eq!((class(result), requests), (UNCLEAR, 4));
    let (result, requests, _) = one(Safety::Read, |_| Reply::status(502));
    assert_eq!((result.unwrap(), requests), (502, 4), "the last answer is shown");
}

#[test]
fn an_earlier_sending_that_may_have_arrived_is_not_forgotten() {
    let first = [
        || Reply::lost(Sent::Maybe, "reset"),
        || Reply::status(200).after(3_600),
        || Reply::status(504),
    ];
    let then =
        [|| Reply::lost(Sent::No, "refused"), || Reply::status(429).header(RETRY_AFTER, "9999")];
    for first in first {
        for then in then {
            let answer = move |n| if n == 0 { first() } else { then() };
            assert_eq!(class(one(Safety::Repeatable, answer).0), UNCLEAR);
            assert_ne!(class(one(Safety::Read, answer).0), UNCLEAR, "a read has no effect");
        }
    }
}

#[test]
fn a_refused_password_is_never_tried_again() {
    let clock = clock();
    let script = Script::new(&clock, |_, _| Reply::status(401));
    let auth = Arc::new(Basic::new("planthread", Secret::new("hunter2")));
    let (transport, time) = (Arc::new(script.clone()), Arc::new(clock.clone()));
    let stack = HttpStack::new(transport, time, quota(&clock), auth, RequestPolicy::default());
    let error = clock.block_on(stack.send(call(Safety::Read))).unwrap_err();
    assert_eq!(error.class, Class::Auth);
    let arrived = script.arrived();
    assert_eq!(arrived.len(), 1, "a second try may lock the user");
    assert_eq!(arrived[0].authorization, "Basic cGxhbnRocmVhZDpodW50ZXIy");
    let shown = format!("{error} {error:?} {stack:?}");
    assert!(!shown.contains("hunter2") && !shown.contains("cGxhbnR"), "{shown}");
}

#[test]
fn lost_requests_are_reported_without_their_secrets() {
    let text = "error sending to https://u:hunter2@h.example/rows?sig=hunter2";
    let (result, _, _) = one(Safety::Once, move |_| Reply::lost(Sent::Maybe, text));
    let error = result.unwrap_err().to_string();
    assert_eq!(
        error,
        "read rows: error sending to https://h.example/rows?*** [transient-maybe-sent]"
    );
}

#[test]
fn too_long_a_wait_comes_back_and_holds_everybody() {
    let clock = clock();
    let script = Script::new(&clock, |_, _| Reply::status(429).header(RETRY_AFTER, "3600"));
    let shared = quota(&clock);
    let (first, second) = (stack(&clock, &script, &shared), stack(&clock, &script, &shared));
    for stack in [first, second] {
        let error = clock.block_on(stack.send(call(Safety::Repeatable))).unwrap_err();
        assert_eq!(error.class, Class::Throttled { after: Duration::from_secs(3_600) });
    }
    assert_eq!(script.arrived().len(), 1, "the second did not even ask");
    assert_eq!(shared.counters().refusals, 1);
}

#[test]
fn who_asks_to_wait_holds_everybody_but_a_write_is_settled_first() {
    for status in [429, 503] {
        let clock = clock();
        let script = Script::new(&clock, move |n, _| match n {
            0 => Reply::status(status).header(RETRY_AFTER, "30"),
            _ => Reply::status(200),
        });
        let stack = stack(&clock, &script, &quota(&clock));
        let error = clock.block_on(stack.send(call(Safety::Once))).unwrap_err();
        assert_eq!(error.class, UNCLEAR, "{status}: somebody in between may have said it");
        assert_eq!(script.arrived().len(), 1, "{status}: not sent again by itself");
        clock.block_on(stack.send(call(Safety::Read))).unwrap();
        let arrived = script.arrived();
        assert_eq!(arrived[1].at.duration_since(arrived[0].at).as_secs(), 30);
    }
}

#[test]
fn throttling_without_a_time_backs_off_and_gives_up() {
    let (result, requests, _) = one(Safety::Repeatable, |_| Reply::status(429));
    assert!(matches!(class(result), Class::Throttled { .. }));
    assert_eq!(requests, 4);
}

/// Fetches its credentials slowly, and can't get others.
#[derive(Debug)]
struct SlowAuth(Duration);

impl Authenticator for SlowAuth {
    fn authorize<'a>(
        &'a self,
        _: &'a mut Request<Bytes>,
        _: &'a dyn Transport,
        clock: &'a dyn Clock,
    ) -> crate::BoxFuture<'a, Result<(), ConnectorError>> {
        Box::pin(async move {
            clock.sleep(self.0).await;
            Ok(())
        })
    }

    fn refresh<'a>(
        &'a self,
        _: Option<&'a HeaderValue>,
        _: &'a dyn Transport,
        _: &'a dyn Clock,
    ) -> crate::BoxFuture<'a, Result<bool, ConnectorError>> {
        Box::pin(async { Ok(false) })
    }
}

#[test]
fn a_pause_that_comes_while_a_token_is_fetched_holds_too() {
    let clock = clock();
    let script = Script::new(&clock, |n, _| match n {
        0 => Reply::status(429).header(RETRY_AFTER, "90"),
        _ => Reply::status(200),
    });
    let shared = quota(&clock);
    let fast = stack(&clock, &script, &shared);
    let auth = Arc::new(SlowAuth(Duration::from_secs(30)));
    let (transport, time) = (Arc::new(script.clone()), Arc::new(clock.clone()));
    let slow = HttpStack::new(transport, time, Arc::clone(&shared), auth, RequestPolicy::default());
    // The slow one is admitted first, before anybody knows of a pause.
    let (one, two) =
        clock.block_on(join(slow.send(call(Safety::Once)), fast.send(call(Safety::Read))));
    assert!(one.is_ok() && two.is_ok());
    let arrived = script.arrived();
    assert!(arrived[1..].iter().all(|a| a.at.duration_since(arrived[0].at).as_secs() >= 90));
    assert_eq!(shared.counters().inside_pause, 0);
}

/// How a target spells the end of its pause.
#[derive(Debug, Clone, Copy)]
enum Spelling {
    Seconds,
    Date,
    /// With its own clock, off by so many seconds.
    DateBesideOwn(i64),
}

fn announce(code: u16, wait: i64, spelling: Spelling, now: Timestamp) -> Reply {
    let date = |skew: i64, plus: i64| {
        let at = now + SignedDuration::from_secs(skew + plus);
        at.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
    };
    let reply = Reply::status(code);
    match spelling {
        Spelling::Seconds => reply.header(RETRY_AFTER, &wait.to_string()),
        // Whole seconds only: the target rounds up, or its window is shorter.
        Spelling::Date => reply.header(RETRY_AFTER, &date(0, wait + 1)),
        Spelling::DateBesideOwn(skew) => {
            reply.header(DATE, &date(skew, 0)).header(RETRY_AFTER, &date(skew, wait + 1))
        }
    }
}

fn spelling() -> impl Strategy<Value = Spelling> {
    prop_oneof![
        Just(Spelling::Seconds),
        Just(Spelling::Date),
        (-7_200_i64..7_200).prop_map(Spelling::DateBesideOwn),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    /// Several users of one tenant, on several stacks; the target announces
    /// pauses at random and looks at every request that comes after.
    #[test]
    fn no_request_starts_inside_an_announced_window(
        pauses in prop::collection::vec((0_usize..30, 1_i64..50, spelling(), any::<bool>()), 1..6),
        gaps in prop::collection::vec(0_u64..20, 4..8),
    ) {
        let clock = clock();
        let windows: Arc<Mutex<Vec<(Timestamp, Timestamp)>>> = Arc::default();
        let announced = Arc::clone(&windows);
        let script = Script::new(&clock, move |n, arrived| {
            match pauses.iter().find(|pause| pause.0 == n) {
                Some(&(_, wait, spelling, busy)) => {
                    let until = arrived.at + SignedDuration::from_secs(wait);
                    announced.lock().unwrap().push((arrived.at, until));
                    announce(if busy { 429 } else { 503 }, wait, spelling, arrived.at)
                }
                None => Reply::status(200),
            }
        });
        let shared = quota(&clock);
        let users = gaps.iter().map(|gap| {
            let (stack, clock) = (stack(&clock, &script, &shared), clock.clone());
            async move {
                for _ in 0..5 {
                    clock.sleep(Duration::from_millis(gap * 777)).await;
                    let _ = stack.send(call(Safety::Read).lane(Lane::Verify)).await;
                }
            }
        });
        clock.block_on(join_all(users));
        let windows = windows.lock().unwrap();
        for arrived in script.arrived() {
            for (from, until) in &*windows {
                prop_assert!(arrived.at <= *from || arrived.at >= *until, "{arrived:?} {windows:?}");
            }
        }
        prop_assert_eq!(shared.counters().inside_pause, 0);
        prop_assert_eq!(shared.counters().refusals, windows.len() as u64);
    }
}

#[test]
fn an_answer_after_a_try_whose_end_nobody_knows_says_so() {
    let after = |first: fn() -> Reply| {
        let clock = clock();
        let answer = move |n| if n == 0 { first() } else { Reply::status(404) };
        let script = Script::new(&clock, move |n, _| answer(n));
        let http = stack(&clock, &script, &quota(&clock));
        is_after_unclear(&clock.block_on(http.send(call(Safety::Repeatable))).unwrap())
    };
    assert!(after(|| Reply::lost(Sent::Maybe, "reset")) && after(|| Reply::status(502)));
    assert!(!after(|| Reply::lost(Sent::No, "refused")) && !after(|| Reply::status(404)));
}
