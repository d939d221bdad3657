//! Tokens under the virtual clock: `/token` is the issuer, `/rows` the target.

use std::sync::Arc;

use bytes::Bytes;
use futures_util::future::join_all;
use http::{Request, header::RETRY_AFTER};

use super::*;
use crate::{
    Quota, VirtualClock,
    http::{Call, HttpStack, RequestPolicy, Safety, Tokens},
    testing::{Reply, Script, clock},
};

fn request() -> TokenRequest {
    TokenRequest {
        token_url: "https://issuer.example/token".parse().unwrap(),
        client_id: "planthread".to_owned(),
        client_secret: Secret::new("hunter2"),
        scopes: vec!["cells".to_owned()],
        extra: Vec::new(),
        credentials_in_body: false,
        timeout: Duration::from_secs(10),
    }
}

fn stack(clock: &VirtualClock, script: &Script) -> HttpStack {
    let time: Arc<dyn Clock> = Arc::new(clock.clone());
    let quota = Arc::new(Quota::unlimited(Arc::clone(&time)));
    let auth = Arc::new(Tokens::new(Arc::new(ClientCredentials::new(request()))));
    HttpStack::new(Arc::new(script.clone()), time, quota, auth, RequestPolicy::default())
}

fn call() -> Call {
    let request = Request::post("https://h.example/rows").body(Bytes::new()).unwrap();
    Call::new("stage rows", Safety::Once, request)
}

fn token(name: usize, life: u64) -> Reply {
    let body = format!(r#"{{"access_token":"t{name}","token_type":"bearer","expires_in":{life}}}"#);
    Reply::json(&body).after(2)
}

/// Requests to the issuer and to the target.
fn counts(script: &Script) -> (usize, usize) {
    let arrived = script.arrived();
    let issuer = arrived.iter().filter(|a| a.path == "/token").count();
    (issuer, arrived.len() - issuer)
}

#[test]
fn one_token_serves_everybody_until_shortly_before_its_end() {
    let clock = clock();
    let script = Script::new(&clock, |n, arrived| match arrived.path.as_str() {
        "/token" => token(n, 3_600),
        _ => Reply::status(200),
    });
    let stack = stack(&clock, &script);
    let send = |times| clock.block_on(join_all((0..times).map(|_| stack.send(call()))));
    assert!(send(8).iter().all(Result::is_ok));
    assert_eq!(counts(&script), (1, 8));
    let arrived = script.arrived();
    assert_eq!(arrived[0].authorization, "Basic cGxhbnRocmVhZDpodW50ZXIy");
    assert_eq!(arrived[8].authorization, "Bearer t0");

    clock.advance(Duration::from_secs(3_600 - 60 - 3));
    send(1);
    assert_eq!(counts(&script), (1, 9), "still good");
    clock.advance(Duration::from_secs(3));
    send(1);
    assert_eq!(counts(&script), (2, 10), "replaced before it ends");
}

#[test]
fn a_refused_token_is_replaced_once_for_all_who_used_it() {
    let clock = clock();
    let script = Script::new(&clock, |n, arrived| match arrived.path.as_str() {
        "/token" => token(n, 3_600),
        _ if arrived.authorization == "Bearer t0" => Reply::status(401).after(1),
        _ => Reply::status(201),
    });
    let stack = stack(&clock, &script);
    let results = clock.block_on(join_all((0..4).map(|_| stack.send(call()))));
    assert!(results.iter().all(Result::is_ok), "a 401 stages nothing, so writes go again");
    assert_eq!(counts(&script), (2, 8));
}

#[test]
fn a_second_refusal_is_final() {
    let clock = clock();
    let script = Script::new(&clock, |n, arrived| match arrived.path.as_str() {
        "/token" => token(n, 3_600),
        _ => Reply::status(401),
    });
    let error = clock.block_on(stack(&clock, &script).send(call())).unwrap_err();
    assert_eq!(error.class, Class::Auth);
    assert_eq!(counts(&script), (2, 2));
}

#[test]
fn an_issuer_that_asks_to_wait_is_left_alone() {
    let clock = clock();
    let script = Script::new(&clock, |n, arrived| match arrived.path.as_str() {
        "/token" if n == 0 => Reply::status(429).header(RETRY_AFTER, "300"),
        "/token" => token(n, 3_600),
        _ => Reply::status(200),
    });
    let stack = stack(&clock, &script);
    for left in [300, 200] {
        let error = clock.block_on(stack.send(call())).unwrap_err();
        assert_eq!(error.class, Class::Throttled { after: Duration::from_secs(left) });
        clock.advance(Duration::from_secs(100));
    }
    assert_eq!(counts(&script), (1, 0));
    clock.advance(Duration::from_secs(100));
    clock.block_on(stack.send(call())).unwrap();
    assert_eq!(counts(&script), (2, 1));
}

#[test]
fn an_issuer_that_is_down_is_asked_a_few_times_and_nothing_is_sent() {
    let clock = clock();
    for answer in [|| Reply::status(500), || Reply::status(200).after(600)] {
        let script = Script::new(&clock, move |_, _| answer());
        let error = clock.block_on(stack(&clock, &script).send(call())).unwrap_err();
        assert_eq!(error.class, Class::Transient { sent: Sent::No }, "the call never went out");
        assert_eq!(counts(&script), (4, 0));
    }
}

#[test]
fn a_refused_client_is_an_auth_error_without_its_secret() {
    let clock = clock();
    let bodies = [
        (400, r#"{"error":"invalid_client","error_description":"hunter2"}"#),
        (200, r#"{"access_token":"hunter2"}"#),
        (200, "hunter2"),
    ];
    for (status, body) in bodies {
        let script = Script::new(&clock, move |_, _| Reply::json(body).code(status));
        let stack = stack(&clock, &script);
        let error = clock.block_on(stack.send(call())).unwrap_err();
        assert_eq!(error.class, Class::Auth);
        assert_eq!(error.vendor_code.as_deref(), (status == 400).then_some("invalid_client"));
        let shown = format!("{error} {error:?} {stack:?}");
        assert!(!shown.contains("hunter2"), "{shown}");
        assert_eq!(counts(&script), (1, 0));
    }
}

#[test]
fn a_refusal_names_the_fields_that_it_proves_and_no_other() {
    let clock = clock();
    let refused = |status: u16, body: &'static str| {
        let script = Script::new(&clock, move |_, _| Reply::json(body).code(status));
        let error = clock.block_on(stack(&clock, &script).send(call())).unwrap_err();
        assert_eq!(error.class, Class::Auth);
        (error.message, error.cure.unwrap())
    };
    let (_, cure) = refused(400, r#"{"error":"invalid_scope"}"#);
    assert!(cure.contains("`auth.scope`") && !cure.contains("client_secret"), "{cure}");
    let (_, cure) = refused(401, r#"{"error":"invalid_client"}"#);
    assert!(cure.contains("`auth.client_secret`") && !cure.contains("auth.scope"), "{cure}");
    // What is no refusal of OAuth 2.0 is told as it is worded.
    let (text, cure) = refused(403, r#"{"Message":"the user already has a session"}"#);
    assert!(text.contains("HTTP 403: the user already has a session"), "{text}");
    assert!(!cure.contains("auth.client"), "{cure}");
    let (text, _) = refused(404, "nothing is there");
    assert!(text.contains("HTTP 404"), "{text}");
}
