//! What is told while a verb runs, as one JSON object a line on standard error, for
//! whoever collects logs (`--log-format json`).
//!
//! A line has `time`, `level` and `what`; `target` where it is about one target, and
//! `module` and `fields` where it comes from inside the program (`-v`). Nothing on it
//! is a secret of ours: it leaves by the one door that masks.

use std::{
    fmt,
    io::Write as _,
    sync::{Arc, OnceLock},
};

use jiff::Timestamp;
use planthread_kit::Clock;
use serde::Serialize;
use serde_json::{Map, Value};
use tracing::{Event, Level, Subscriber, field::Field, span};
use tracing_subscriber::{Layer, layer, registry::LookupSpan};

use super::screen;

/// How lines on standard error look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Format {
    /// Text for people.
    #[default]
    Text,
    /// One JSON object a line; `run` then tells its rounds and cycles there, too.
    Json,
}

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Weight {
    /// Of libraries.
    Trace,
    /// A detail.
    Debug,
    /// As it should be.
    Info,
    /// Somebody should look.
    Warn,
    /// It stopped something.
    Error,
}

impl From<&Level> for Weight {
    fn from(level: &Level) -> Self {
        match *level {
            Level::TRACE => Self::Trace,
            Level::DEBUG => Self::Debug,
            Level::INFO => Self::Info,
            Level::WARN => Self::Warn,
            Level::ERROR => Self::Error,
        }
    }
}

/// One line.
#[derive(Debug, Serialize)]
struct Line<'a> {
    time: Timestamp,
    level: Weight,
    #[serde(skip_serializing_if = "str::is_empty")]
    target: &'a str,
    what: &'a str,
    #[serde(skip_serializing_if = "str::is_empty")]
    module: &'a str,
    #[serde(skip_serializing_if = "Map::is_empty")]
    fields: Map<String, Value>,
}

/// The clock of the lines, where they are JSON. A process has one standard error.
static CLOCK: OnceLock<Arc<dyn Clock>> = OnceLock::new();

/// From here on what is told is JSON.
pub(super) fn begin(clock: &Arc<dyn Clock>) {
    // A second context in the same process (a test) keeps the first.
    let _ = CLOCK.set(Arc::clone(clock));
}

/// Whether what is told is JSON.
pub(super) fn is_json() -> bool {
    CLOCK.get().is_some()
}

/// Tells `what` of `target` as JSON, with more to it; `false` where lines are text.
pub(super) fn told(level: Weight, target: &str, what: &str, fields: Map<String, Value>) -> bool {
    let Some(clock) = CLOCK.get() else { return false };
    write(&Line { time: clock.now(), level, target, what, module: "", fields });
    true
}

fn write(line: &Line<'_>) {
    let text = serde_json::to_string(line).unwrap_or_default();
    let text = screen::json_visible(&text) + "\n";
    // Nobody to tell when standard error is gone.
    let _ = screen::errors().write_all(text.as_bytes());
}

/// Fields of an event or a span.
#[derive(Debug, Default, Clone)]
struct Fields(Map<String, Value>);

impl tracing::field::Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name().to_owned(), format!("{value:?}").into());
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.0.insert(field.name().to_owned(), value.into());
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.0.insert(field.name().to_owned(), value.into());
    }
}

/// Writes traces as lines, each with the fields of what it happens in.
#[derive(Debug)]
pub(super) struct Traces(pub(super) Arc<dyn Clock>);

impl<S: Subscriber + for<'a> LookupSpan<'a>> Layer<S> for Traces {
    fn on_new_span(&self, new: &span::Attributes<'_>, id: &span::Id, of: layer::Context<'_, S>) {
        if let Some(span) = of.span(id) {
            let mut fields = Fields::default();
            new.record(&mut fields);
            span.extensions_mut().insert(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, of: layer::Context<'_, S>) {
        let mut fields = Fields::default();
        for span in of.event_scope(event).into_iter().flat_map(|scope| scope.from_root()) {
            let of_span = span.extensions().get::<Fields>().cloned().unwrap_or_default();
            fields.0.extend(of_span.0);
        }
        event.record(&mut fields);
        let Fields(mut fields) = fields;
        let mut take = |name: &str| match fields.remove(name) {
            Some(Value::String(text)) => text,
            Some(other) => other.to_string(),
            None => String::new(),
        };
        let (target, what) = (take("target"), take("message"));
        let meta = event.metadata();
        write(&Line {
            time: self.0.now(),
            level: meta.level().into(),
            target: &target,
            what: &what,
            module: meta.target(),
            fields,
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_only_what_there_is_to_say() {
        let time: Timestamp = "2026-11-27T04:00:00Z".parse().unwrap();
        let (level, fields) = (Weight::Warn, Map::new());
        let line = Line { time, level, target: "", what: "a \"word\"\n", module: "", fields };
        assert_eq!(
            serde_json::to_string(&line).unwrap(),
            r#"{"time":"2026-11-27T04:00:00Z","level":"warn","what":"a \"word\"\n"}"#
        );
    }
}
