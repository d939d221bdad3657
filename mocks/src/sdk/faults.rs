//! Faults around any simulator, by request number or predicate, seeded.
//!
//! Text form, as the command line takes it: `FAULT[:MATCH][@WHEN]`.
//!
//! | FAULT | effect |
//! |---|---|
//! | `429`, `503`, `429=7` | that status before handling; `=7` adds `Retry-After: 7` |
//! | `502-after` | handled, then answered with that status |
//! | `drop-before`, `drop-after` | connection dropped before or after the effect |
//! | `slow=2.5` | answered 2.5 s later |
//! | `drip=0.5` | the body of the answer comes byte by byte, each 0.5 s later |
//! | `truncate=40` | only 40 body bytes arrive |
//! | `expire-token` | all sessions end, then handled |
//! | `rename=Value>Wert` | a field of the answer has another name |
//! | `error-inside-200` | not handled; status 200 with an error body |
//! | `login-page`, `login-page=201` | not handled; 200 (or that status) with an HTML page to log in on, as a proxy sends it |
//! | `multipart-400`, `multipart-400=201` | not handled; 200 (or that status) with a multipart whose only part is a 400 |
//! | `redirect`, `redirect=307` | not handled; 302 (or that status) to a page to log in on elsewhere |
//!
//! MATCH is a part of `METHOD /path?query` (`*` is any). WHEN counts matching
//! requests: `@3`, `@2-4`, `@3+`, `@all`, or `@20%` by the seed. Default `@1`.

use std::{str::FromStr, time::Duration};

use bytes::Bytes;
use http::{HeaderValue, Request, Response, StatusCode, header};
use jiff::Timestamp;

use crate::simulator::{Change, Cut, Reply, Simulator, StoredCell};

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A status instead of an answer; `after` says whether the request had its
    /// effect first.
    Status {
        /// The status code.
        code: u16,
        /// `Retry-After`, in seconds.
        retry_after: Option<u32>,
        /// Whether the request is handled before the status replaces the answer.
        after: bool,
    },
    /// The connection drops before the effect.
    DropBefore,
    /// The connection drops after the effect.
    DropAfter,
    /// The answer comes this much later.
    Slow(Duration),
    /// The body of the answer comes byte by byte, each of them this much later.
    Drip(Duration),
    /// Only this many bytes of the body arrive.
    TruncatedBody(usize),
    /// All sessions end before the request is handled.
    ExpireToken,
    /// A field of the answer is called something else.
    RenameField {
        /// The documented name.
        from: String,
        /// The name that arrives.
        to: String,
    },
    /// Status 200, and an error in the body. The request has no effect.
    ErrorInside200,
    /// An HTML page to log in on, with this status. The request has no effect.
    LoginPage(u16),
    /// A multipart body whose only part is a 400, with this status. The request
    /// has no effect.
    Multipart400(u16),
    /// This status, and the address of a page to log in on. The request has no
    /// effect.
    Redirect(u16),
}

/// Which of the matching requests are hit; numbers count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// First to last matching request, inclusive.
    Range(u64, u64),
    /// This share of the matching requests, decided by the seed.
    Percent(u8),
}

/// One line of the schedule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// What goes wrong.
    pub fault: Fault,
    /// Part of `METHOD /path?query`; `None` is any request.
    pub matches: Option<String>,
    /// Which matching requests.
    pub when: When,
}

/// The text names no fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a fault: write FAULT[:MATCH][@WHEN], for example `drop-after:commit`, \
     `429=7:Trans@2`, `truncate=40:GET@all`, `503@20%`"
)]
pub struct FaultError(pub String);

impl FromStr for Rule {
    type Err = FaultError;

    fn from_str(text: &str) -> Result<Self, FaultError> {
        parse(text).ok_or_else(|| FaultError(text.to_owned()))
    }
}

fn parse(text: &str) -> Option<Rule> {
    let (rest, when) = match text.rsplit_once('@') {
        Some((rest, when)) => (rest, parse_when(when)?),
        None => (text, When::Range(1, 1)),
    };
    let (fault, matches) = match rest.split_once(':') {
        Some((fault, "" | "*")) => (fault, None),
        Some((fault, part)) => (fault, Some(part.to_owned())),
        None => (rest, None),
    };
    Some(Rule { fault: parse_fault(fault)?, matches, when })
}

fn parse_when(text: &str) -> Option<When> {
    if text == "all" {
        return Some(When::Range(1, u64::MAX));
    }
    if let Some(percent) = text.strip_suffix('%') {
        return percent.parse().ok().filter(|p| (1..=100).contains(p)).map(When::Percent);
    }
    let (first, last) = match (text.strip_suffix('+'), text.split_once('-')) {
        (Some(first), _) => (first.parse().ok()?, u64::MAX),
        (None, Some((first, last))) => (first.parse().ok()?, last.parse().ok()?),
        (None, None) => (text.parse().ok()?, text.parse().ok()?),
    };
    (first >= 1 && first <= last).then_some(When::Range(first, last))
}

fn parse_fault(text: &str) -> Option<Fault> {
    let (name, value) = match text.split_once('=') {
        Some((name, value)) => (name, Some(value)),
        None => (text, None),
    };
    match (name, value) {
        ("drop-before", None) => Some(Fault::DropBefore),
        ("drop-after", None) => Some(Fault::DropAfter),
        ("expire-token", None) => Some(Fault::ExpireToken),
        ("error-inside-200", None) => Some(Fault::ErrorInside200),
        ("login-page", status) => success(status).map(Fault::LoginPage),
        ("multipart-400", status) => success(status).map(Fault::Multipart400),
        ("redirect", status) => {
            let code = status.map_or(Some(302), |text| text.parse().ok())?;
            [301, 302, 303, 307, 308].contains(&code).then_some(Fault::Redirect(code))
        }
        ("slow", Some(text)) => seconds(text).map(Fault::Slow),
        ("drip", Some(text)) => seconds(text).map(Fault::Drip),
        ("truncate", Some(bytes)) => bytes.parse().ok().map(Fault::TruncatedBody),
        ("rename", Some(names)) => {
            let (from, to) = names.split_once('>')?;
            Some(Fault::RenameField { from: from.to_owned(), to: to.to_owned() })
        }
        (status, retry_after) => {
            let (code, after) = match status.strip_suffix("-after") {
                Some(code) => (code, true),
                None => (status, false),
            };
            let code = code.parse().ok().filter(|code| (400..600).contains(code))?;
            let retry_after = retry_after.map(str::parse).transpose().ok()?;
            Some(Fault::Status { code, retry_after, after })
        }
    }
}

fn seconds(text: &str) -> Option<Duration> {
    Duration::try_from_secs_f64(text.parse().ok()?).ok()
}

/// The status of an answer that looks like a success: 200 unless told.
fn success(text: Option<&str>) -> Option<u16> {
    let code = text.map_or(Some(200), |text| text.parse().ok())?;
    (200..300).contains(&code).then_some(code)
}

/// A simulator with a schedule of faults around it.
#[derive(Debug)]
pub struct Faulty<S> {
    inner: S,
    rules: Vec<(Rule, u64)>,
    seed: u64,
    requests: u64,
}

impl<S: Simulator> Faulty<S> {
    /// Wraps `inner`. Print the seed where a test fails: it decides `@20%`.
    pub fn new(inner: S, rules: impl IntoIterator<Item = Rule>, seed: u64) -> Self {
        let rules = rules.into_iter().map(|rule| (rule, 0)).collect();
        Self { inner, rules, seed, requests: 0 }
    }

    /// The simulator inside.
    pub const fn inner(&self) -> &S {
        &self.inner
    }

    /// The simulator inside, to change its state.
    pub const fn inner_mut(&mut self) -> &mut S {
        &mut self.inner
    }

    /// Requests seen so far.
    pub const fn requests(&self) -> u64 {
        self.requests
    }

    /// Adds a rule; it counts matching requests from now on.
    pub fn schedule(&mut self, rule: Rule) {
        self.rules.push((rule, 0));
    }

    /// The faults that hit this request, in schedule order.
    fn due(&mut self, request: &Request<Bytes>) -> Vec<Fault> {
        self.requests += 1;
        let line = format!("{} {}", request.method(), request.uri());
        let (seed, number) = (self.seed, self.requests);
        let mut faults = Vec::new();
        for (rule, hits) in &mut self.rules {
            if rule.matches.as_ref().is_some_and(|part| !line.contains(part.as_str())) {
                continue;
            }
            *hits += 1;
            let hit = match rule.when {
                When::Range(first, last) => (first..=last).contains(hits),
                When::Percent(percent) => mix(seed ^ number) % 100 < u64::from(percent),
            };
            if hit {
                faults.push(rule.fault.clone());
            }
        }
        faults
    }
}

/// One step of splitmix64: enough to spread a seed.
const fn mix(seed: u64) -> u64 {
    let z = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl<S: Simulator> Simulator for Faulty<S> {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        let faults = self.due(request);
        for fault in &faults {
            match fault {
                Fault::Status { code, retry_after, after: false } => {
                    return Reply::new(status(*code, *retry_after));
                }
                Fault::DropBefore => {
                    let mut reply = Reply::new(status(502, None));
                    reply.cut = Cut::BeforeHandling;
                    return reply;
                }
                Fault::ErrorInside200 => return Reply::new(error_inside_200()),
                Fault::LoginPage(code) => return Reply::new(login_page(*code)),
                Fault::Multipart400(code) => return Reply::new(multipart_400(*code)),
                Fault::Redirect(code) => return Reply::new(redirect(*code)),
                Fault::ExpireToken => self.inner.expire_sessions(),
                Fault::Status { after: true, .. }
                | Fault::DropAfter
                | Fault::Slow(_)
                | Fault::Drip(_)
                | Fault::TruncatedBody(_)
                | Fault::RenameField { .. } => {}
            }
        }
        let reply = self.inner.handle(at, request);
        faults.iter().fold(reply, spoil)
    }

    fn stored(&self) -> Vec<StoredCell> {
        self.inner.stored()
    }

    fn history(&self) -> Vec<Change> {
        self.inner.history()
    }

    fn expire_sessions(&mut self) {
        self.inner.expire_sessions();
    }
}

/// Applies a fault that shows only in the answer.
fn spoil(mut reply: Reply, fault: &Fault) -> Reply {
    match fault {
        Fault::DropAfter => reply.cut = Cut::AfterHandling,
        Fault::Slow(more) => reply.delay += *more,
        Fault::Drip(every) => reply.drip = Some(*every),
        Fault::TruncatedBody(bytes) => reply.cut = Cut::TruncatedBody(*bytes),
        Fault::Status { code, retry_after, after: true } => {
            reply.response = status(*code, *retry_after);
        }
        Fault::RenameField { from, to } => {
            if let Ok(body) = std::str::from_utf8(reply.response.body()) {
                let json = body.replace(&format!("\"{from}\":"), &format!("\"{to}\":"));
                let both = json
                    .replace(&format!("<d:{from}>"), &format!("<d:{to}>"))
                    .replace(&format!("</d:{from}>"), &format!("</d:{to}>"));
                *reply.response.body_mut() = both.into();
            }
        }
        Fault::Status { .. }
        | Fault::DropBefore
        | Fault::ExpireToken
        | Fault::ErrorInside200
        | Fault::LoginPage(_)
        | Fault::Multipart400(_)
        | Fault::Redirect(_) => {}
    }
    reply
}

/// Where a redirect leads, and where the form of the login page goes.
pub(crate) const LOGIN_ADDRESS: &str = "https://login.sandbox.invalid/sso";

fn answer(code: u16, kind: &'static str, body: impl Into<Bytes>) -> Response<Bytes> {
    let mut response = Response::new(body.into());
    *response.status_mut() = StatusCode::from_u16(code).unwrap_or(StatusCode::BAD_GATEWAY);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    response
}

fn status(code: u16, retry_after: Option<u32>) -> Response<Bytes> {
    let mut response = answer(code, "text/plain", "injected fault");
    if let Some(seconds) = retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, seconds.into());
    }
    response
}

fn error_inside_200() -> Response<Bytes> {
    let body = r#"{"error":{"code":"SANDBOX/FAULT","message":{"lang":"en","value":"injected: an error inside a 200"}}}"#;
    answer(200, "application/json", body)
}

fn login_page(code: u16) -> Response<Bytes> {
    let body = format!(
        "<!DOCTYPE html><html><head><title>Log on</title></head><body><form method=\"post\" \
         action=\"{LOGIN_ADDRESS}\"><input name=\"user\"><input name=\"password\" \
         type=\"password\"><button>Log on</button></form></body></html>"
    );
    answer(code, "text/html;charset=utf-8", body)
}

fn multipart_400(code: u16) -> Response<Bytes> {
    let body = "--sandbox\r\nContent-Type: application/http\r\n\
                Content-Transfer-Encoding: binary\r\n\r\nHTTP/1.1 400 Bad Request\r\n\
                Content-Type: application/json\r\n\r\n\
                {\"error\":{\"code\":\"SANDBOX/FAULT\",\"message\":{\"lang\":\"en\",\
                \"value\":\"injected: a 400 inside a multipart\"}}}\r\n--sandbox--\r\n";
    answer(code, "multipart/mixed; boundary=sandbox", body)
}

fn redirect(code: u16) -> Response<Bytes> {
    let mut response = answer(code, "text/plain", "");
    let location = HeaderValue::from_static(LOGIN_ADDRESS);
    response.headers_mut().insert(header::LOCATION, location);
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Default)]
    struct Counter {
        handled: u64,
        expired: u64,
    }

    impl Simulator for Counter {
        fn handle(&mut self, _: Timestamp, _: &Request<Bytes>) -> Reply {
            self.handled += 1;
            Reply::new(Response::new(Bytes::from_static(br#"{"Value":1}"#)))
        }
        fn stored(&self) -> Vec<StoredCell> {
            Vec::new()
        }
        fn history(&self) -> Vec<Change> {
            Vec::new()
        }
        fn expire_sessions(&mut self) {
            self.expired += 1;
        }
    }

    fn run(rules: &[&str], requests: usize) -> (Vec<Reply>, u64, u64) {
        let rules = rules.iter().map(|text| text.parse().unwrap());
        let mut faulty = Faulty::new(Counter::default(), rules, 7);
        let request = |n: usize| {
            let path = if n.is_multiple_of(2) { "/commit?x=1" } else { "/read" };
            Request::post(path).body(Bytes::new()).unwrap()
        };
        let replies =
            (0..requests).map(|n| faulty.handle(Timestamp::UNIX_EPOCH, &request(n))).collect();
        (replies, faulty.inner().handled, faulty.inner().expired)
    }

    #[test]
    fn a_drop_after_has_its_effect_and_a_drop_before_has_none() {
        let (replies, handled, _) = run(&["drop-after:commit"], 1);
        assert_eq!((replies[0].cut, handled), (Cut::AfterHandling, 1));
        let (replies, handled, _) = run(&["drop-before:commit"], 1);
        assert_eq!((replies[0].cut, handled), (Cut::BeforeHandling, 0));
    }

    #[test]
    fn only_the_counted_matching_requests_are_hit() {
        let (replies, handled, _) = run(&["429=7:/commit@2"], 4);
        let codes: Vec<_> = replies.iter().map(|r| r.response.status().as_u16()).collect();
        assert_eq!((codes, handled), (vec![200, 200, 429, 200], 3));
        assert_eq!(replies[2].response.headers()["retry-after"], "7");
        let (replies, handled, _) = run(&["502-after@2+"], 3);
        assert_eq!((replies[2].response.status().as_u16(), handled), (502, 3));
    }

    #[test]
    fn answers_are_spoilt_as_the_schedule_says() {
        let (replies, _, expired) =
            run(&["slow=1.5", "drip=0.5", "truncate=3", "rename=Value>Wert", "expire-token"], 1);
        assert_eq!(replies[0].delay, Duration::from_millis(1500));
        assert_eq!(replies[0].drip, Some(Duration::from_millis(500)));
        assert_eq!(replies[0].cut, Cut::TruncatedBody(3));
        assert_eq!(replies[0].response.body().as_ref(), br#"{"Wert":1}"#);
        assert_eq!(expired, 1);
        let (replies, handled, _) = run(&["error-inside-200"], 1);
        assert!(replies[0].response.body().starts_with(b"{\"error\"") && handled == 0);
    }

    #[test]
    fn what_looks_like_a_success_has_no_effect() {
        for (rule, status, kind, inside) in [
            ("login-page", 200, "text/html;charset=utf-8", "<form"),
            ("login-page=201", 201, "text/html;charset=utf-8", "<form"),
            ("multipart-400=201", 201, "multipart/mixed; boundary=sandbox", "HTTP/1.1 400"),
            ("redirect", 302, "text/plain", ""),
        ] {
            let (replies, handled, _) = run(&[rule], 1);
            let response = &replies[0].response;
            assert_eq!((response.status().as_u16(), handled), (status, 0), "{rule}");
            assert_eq!(response.headers()["content-type"], kind, "{rule}");
            assert!(std::str::from_utf8(response.body()).unwrap().contains(inside), "{rule}");
            assert_eq!(response.headers().contains_key("location"), rule == "redirect", "{rule}");
        }
    }

    #[test]
    fn a_seed_repeats_itself() {
        let codes = || {
            let (replies, ..) = run(&["503@30%"], 200);
            replies.iter().map(|r| r.response.status().as_u16()).collect::<Vec<_>>()
        };
        let hits = codes().iter().filter(|code| **code == 503).count();
        assert!((30..90).contains(&hits), "{hits} of 200 at 30 %");
        assert_eq!(codes(), codes());
    }

    #[test]
    fn garbage_is_refused_with_a_cure() {
        for text in [
            "",
            "explode",
            "200",
            "429=x",
            "slow=-1",
            "drip",
            "drop-after@0",
            "503@0%",
            "503@5-2",
            "login-page=404",
            "multipart-400=x",
            "redirect=304",
        ] {
            let error = text.parse::<Rule>().unwrap_err().to_string();
            assert!(error.contains("drop-after:commit"), "{text}");
        }
    }
}
