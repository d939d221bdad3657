//! What somebody in between answers is no receipt: a login page, a proxy's
//! page, a part of a multipart answer.

use planthread_kit::{Class, Poll, Sent};

use super::*;

const MAYBE: Class = Class::Transient { sent: Sent::Maybe };

fn is_not_taken(world: &World) -> bool {
    matches!(world.poll(&two()), Ok(Poll::NotTaken { .. }))
}

fn page(kind: &str, body: &str) -> Reply {
    let builder = Response::builder().status(200).header("content-type", kind);
    Reply::Answer(builder.body(Bytes::from(body.to_owned())).unwrap())
}

fn login() -> Reply {
    page("text/html; charset=utf-8", "<!DOCTYPE html><html><form>Log on</form></html>")
}

fn four() -> Batch {
    batch((1..=4).map(|n| cell("live", &format!("LINE-{n}"), "2026-W02", "1")).collect())
}

#[test]
fn one_page_among_four_posts_abandons_all_four() {
    let multipart = "--b\r\nContent-Type: application/http\r\n\r\nHTTP/1.1 400 Bad Request\r\n";
    let other = answer(201, &json!({"d": {"Transactionid": "ffff"}}));
    for fault in [login(), page("multipart/mixed; boundary=b", multipart), text(204, ""), other] {
        let told = format!("{fault:?}");
        let steps = vec![
            ("GET ", token(1)),
            ("POST ZPATrans", created()),
            ("POST ZPATrans", fault),
            ("POST ZPATrans", created()),
            ("POST ZPATrans", created()),
        ];
        let world = World::with(steps, |settings| {
            settings["transaction"] = json!({"values_per_post": 1, "parallel_posts": 1});
        });
        let error = world.push(&four()).unwrap_err();
        assert_eq!((error.class, error.took_nothing), (Class::Drift, true), "{told}");
        assert_eq!((world.heard().len(), world.elapsed()), (3, 0), "no commit, at once: {told}");
        assert!(is_not_taken(&world), "{told}");
    }
}

#[test]
fn the_refusal_is_named_for_who_reads_it() {
    let world = World::new(vec![("GET ", token(1)), ("POST ZPATrans", login())]);
    let error = world.push(&two()).unwrap_err().to_string();
    assert!(error.contains("a web page instead of JSON, such as a login page"), "{error}");
    let world = World::new(vec![("GET ", login())]);
    let error = world.push(&two()).unwrap_err().to_string();
    assert!(error.contains("a web page") && error.contains("PLANNING_DATA_API_SRV"), "{error}");
}

#[test]
fn a_page_instead_of_a_commit_leaves_it_unclear_and_the_service_is_asked() {
    for (word, is) in [("PROCESSED", true), ("INITIAL", false)] {
        let world = World::new(vec![
            ("GET ", token(1)),
            ("POST ZPATrans", created()),
            ("POST commit", login()),
            ("GET getExportResult", login()),
            ("GET getExportResult", status(word)),
        ]);
        let error = world.push(&two()).unwrap_err();
        assert_eq!(error.class, MAYBE);
        assert!(error.message.contains("a web page"), "{error}");
        assert_eq!(world.elapsed(), 0, "nothing is polled for a commit that nobody took");
        let page = world.poll(&two()).unwrap_err();
        assert!(page.message.contains("a web page"), "not the service's word: {page}");
        world.clock.advance(Duration::from_secs(121));
        let settled = world.poll(&two()).unwrap();
        assert_eq!(matches!(settled, Poll::Done(_)), is, "{settled:?}");
        assert_eq!(matches!(settled, Poll::NotTaken { .. }), !is);
    }
}

#[test]
fn a_front_that_refuses_the_form_of_a_commit_refuses_it() {
    for status in [411, 413, 414, 415] {
        let world = World::new(vec![
            ("GET ", token(1)),
            ("POST ZPATrans", created()),
            ("POST commit", text(status, "<html>Length Required</html>")),
        ]);
        let error = world.push(&two()).unwrap_err();
        assert_eq!((error.class, error.took_nothing), (Class::Drift, true), "{status}");
        assert!(error.cure.is_some(), "{error}");
        assert!(is_not_taken(&world), "{status}: without asking");
    }
}

#[test]
fn a_token_that_is_refused_twice_is_a_lost_session_and_no_lack_of_rights() {
    let world = World::new(vec![
        ("GET ", token(1)),
        ("POST ZPATrans", token_required()),
        ("GET ", token(2)),
        ("POST ZPATrans", token_required()),
    ]);
    let error = world.push(&two()).unwrap_err();
    assert!(matches!(error.class, Class::Transient { .. }), "{error}");
    let text = format!("{error} {error:?}");
    assert!(text.contains("drops cookies") && !text.contains("token-2"), "{text}");
    assert!(!text.contains("SAP_COM_0720"), "{text}");
    assert!(is_not_taken(&world));
}
