//! The sandbox at the end of the wire: everything that came through is kept,
//! and everything that can go wrong there is arranged here.

use bytes::Bytes;
use http::{HeaderValue, Method, Request, header::AUTHORIZATION};
use jiff::Timestamp;
use planthread_mocks::{
    Change, Cut, Fault, Faulty, Reply, Rule, Simulator, StoredCell,
    faults::When,
    sap_ibp::{Options, SapIbp},
};
use serde_json::Value;
use std::time::Duration;

/// Credentials that the sandbox knows.
pub(crate) const SANDBOX_BASIC: &str = "Basic cGxhbnRocmVhZDpwbGFudGhyZWFk";

/// Whether a request had its effect before the bridge died.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effect {
    /// It never arrived.
    Before,
    /// It was handled, and nobody heard the answer.
    After,
}

/// One request as the target saw it.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) at: Timestamp,
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) line: String,
    /// Rows of the body, for a staging request.
    pub(crate) rows: usize,
    /// Transaction and columns, for a staging request.
    pub(crate) columns: Option<(String, String)>,
}

/// Where somebody on the way repeats what he was sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Spot {
    /// The text of an error, in JSON.
    Error,
    /// Its code.
    Code,
    /// The text of an error, in XML.
    Xml,
    /// A page in place of an answer, with an error's status.
    Page,
    /// A page in place of an answer, with 200.
    LoginPage,
    /// Where a redirect leads.
    Location,
    /// A name and a value in an answer that is no answer.
    Field,
    /// The messages about refused rows.
    Message,
    /// The labels of the metadata.
    Label,
}

impl Spot {
    pub(crate) const ALL: [Self; 9] = [
        Self::Error,
        Self::Code,
        Self::Xml,
        Self::Page,
        Self::LoginPage,
        Self::Location,
        Self::Field,
        Self::Message,
        Self::Label,
    ];

    fn put(self, answer: &mut http::Response<Bytes>, text: &str) {
        let page = || format!("<html><title>{text}</title><body>Log on, {text}</body></html>");
        let error = |code: &str, text: &str| serde_json::json!({ "error": { "code": code, "message": { "value": text } } });
        let (status, body) = match self {
            Self::Error => (400, error("X/1", &format!("who is {text}?")).to_string()),
            Self::Code => (403, error(text, "no rights").to_string()),
            Self::Xml => {
                let text = text.replace('&', "&amp;").replace('<', "&lt;");
                (500, format!("<error><code>X</code><message>{text}</message></error>"))
            }
            Self::Page => (502, page()),
            Self::LoginPage => (200, page()),
            Self::Location => (302, String::new()),
            Self::Field => (200, serde_json::json!({ text: { text: text } }).to_string()),
            Self::Message => return say(answer, text),
            Self::Label => return label(answer, text),
        };
        *answer.status_mut() = http::StatusCode::from_u16(status).unwrap();
        *answer.body_mut() = Bytes::from(body);
        let location = HeaderValue::try_from(format!("https://idp.example/logon?who={text}"));
        if let (Self::Location, Ok(location)) = (self, location) {
            answer.headers_mut().insert(http::header::LOCATION, location);
        }
    }
}

/// The messages of an answer all say `text`.
fn say(answer: &mut http::Response<Bytes>, text: &str) {
    if let Ok(mut body) = serde_json::from_slice::<Value>(answer.body()) {
        replace(&mut body, "MsgText", text);
        *answer.body_mut() = Bytes::from(body.to_string());
    }
}

/// All labels begin with `text`.
fn label(answer: &mut http::Response<Bytes>, text: &str) {
    let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('"', "&quot;");
    if let Ok(body) = std::str::from_utf8(answer.body())
        && body.starts_with('<')
    {
        let labels = body.replace("sap:label=\"", &format!("sap:label=\"{text} "));
        *answer.body_mut() = Bytes::from(labels);
    }
}

/// Every field called `name` says `text`.
fn replace(value: &mut Value, name: &str, text: &str) {
    match value {
        Value::Object(fields) => {
            for (key, inner) in fields {
                if key.eq_ignore_ascii_case(name) {
                    *inner = Value::from(text);
                } else {
                    replace(inner, name, text);
                }
            }
        }
        Value::Array(all) => all.iter_mut().for_each(|inner| replace(inner, name, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Resource and first day of a row that is lost after its 201.
pub(crate) type Forgotten = (String, String);

/// The sandbox with a watch on it.
#[derive(Debug)]
pub(crate) struct Wire {
    pub(crate) faulty: Faulty<SapIbp>,
    pub(crate) heard: Vec<Heard>,
    /// Nobody answers.
    pub(crate) down: bool,
    /// Rows that are dropped after the target said that it took them.
    pub(crate) forget: Option<Forgotten>,
    /// The `Authorization` that must come, in place of the sandbox's own.
    pub(crate) basic: String,
    /// Every answer but a success repeats the caller's credentials.
    pub(crate) echo: bool,
    /// What is put into every answer, and where.
    pub(crate) says: Option<(Spot, String)>,
    /// The bridge dies at this request, counted from when it was set.
    kill: Option<(usize, Effect)>,
    pub(crate) killed: bool,
}

impl Wire {
    pub(crate) fn new(options: Options) -> Self {
        Self {
            faulty: Faulty::new(SapIbp::new(options), [], 7),
            heard: Vec::new(),
            down: false,
            forget: None,
            basic: SANDBOX_BASIC.to_owned(),
            echo: false,
            says: None,
            kill: None,
            killed: false,
        }
    }

    /// The bridge dies at request `nth` from now (from 1).
    pub(crate) const fn kill_at(&mut self, nth: usize, effect: Effect) {
        (self.kill, self.killed) = (Some((nth, effect)), false);
    }

    /// Nobody dies any more; says whether somebody did.
    pub(crate) const fn revive(&mut self) -> bool {
        self.kill = None;
        std::mem::replace(&mut self.killed, false)
    }

    /// Goes wrong once, at request `nth` from now (from 1).
    pub(crate) fn fault_at(&mut self, nth: usize, fault: Fault) {
        let nth = nth as u64;
        self.faulty.schedule(Rule { fault, matches: None, when: When::Range(nth, nth) });
    }

    /// Requests by method since `from`.
    pub(crate) fn count(&self, from: usize, method: &Method) -> usize {
        self.heard[from..].iter().filter(|heard| heard.method == *method).count()
    }

    fn dies_now(&mut self) -> Option<Effect> {
        let (left, effect) = self.kill.as_mut()?;
        *left -= 1;
        if *left > 0 {
            return None;
        }
        let effect = *effect;
        (self.kill, self.killed) = (None, true);
        Some(effect)
    }

    fn log(&mut self, at: Timestamp, request: &Request<Bytes>) {
        let line = request.uri().path_and_query().map(ToString::to_string).unwrap_or_default();
        let rows = rows(request.body()).len();
        let columns = columns(request.body());
        self.heard.push(Heard { at, method: request.method().clone(), line, rows, columns });
    }
}

/// The rows of a staging body; empty for every other request.
pub(crate) fn rows(body: &[u8]) -> Vec<Value> {
    let Ok(Value::Object(fields)) = serde_json::from_slice::<Value>(body) else {
        return Vec::new();
    };
    fields.into_iter().find_map(|(_, value)| value.as_array().cloned()).unwrap_or_default()
}

/// Transaction and columns of a staging body.
fn columns(body: &[u8]) -> Option<(String, String)> {
    let body = serde_json::from_slice::<Value>(body).ok()?;
    let text = |name: &str| body[name].as_str().map(str::to_owned);
    text("Transactionid").zip(text("AggregationLevelFieldsString"))
}

/// The body without the rows of `lost`.
fn without(body: &Bytes, lost: &Forgotten) -> Bytes {
    let Ok(mut value) = serde_json::from_slice::<Value>(body) else { return body.clone() };
    for rows in value.as_object_mut().into_iter().flatten().filter_map(|(_, v)| v.as_array_mut()) {
        rows.retain(|row| {
            let text = row.to_string();
            !(row["RESID"] == *lost.0 && text.contains(&lost.1))
        });
    }
    Bytes::from(value.to_string())
}

impl Simulator for Wire {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        self.log(at, request);
        // Long enough that whoever waits for it has been dropped before.
        const NEVER: Duration = Duration::from_hours(24 * 365);
        let lost = || Reply::new(http::Response::new(Bytes::new()));
        let effect = self.dies_now();
        if effect == Some(Effect::Before) {
            return lost().after(NEVER);
        }
        if self.down {
            return Reply { cut: Cut::BeforeHandling, ..lost() };
        }
        let mut inner = request.clone();
        let credentials = inner.headers_mut().remove(AUTHORIZATION);
        if credentials.as_ref().is_some_and(|sent| *sent == self.basic) {
            inner.headers_mut().insert(AUTHORIZATION, HeaderValue::from_static(SANDBOX_BASIC));
        }
        if let (Some(lost), true) = (&self.forget, request.method() == Method::POST) {
            *inner.body_mut() = without(request.body(), lost);
        }
        let mut reply = self.faulty.handle(at, &inner);
        if self.echo && !reply.response.status().is_success() {
            let sent = credentials.map(|sent| format!("{sent:?}")).unwrap_or_default();
            let text =
                format!("Logon failed: Authorization: {} is not known", sent.trim_matches('"'));
            *reply.response.body_mut() = Bytes::from(text);
        }
        if let Some((spot, text)) = &self.says {
            spot.put(&mut reply.response, text);
        }
        if effect == Some(Effect::After) { reply.after(NEVER) } else { reply }
    }

    fn stored(&self) -> Vec<StoredCell> {
        self.faulty.stored()
    }

    fn history(&self) -> Vec<Change> {
        self.faulty.history()
    }

    fn expire_sessions(&mut self) {
        self.faulty.expire_sessions();
    }
}
