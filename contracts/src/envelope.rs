//! The CloudEvents 1.0 envelope around every record that comes in.
//!
//! `source` + `id` names a record; an equal pair is the same record again.
//! Extension attributes are kept, as the standard demands; what stands in
//! `data` belongs to the contract that `type` names.

use std::collections::BTreeMap;

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Map, Value};

use crate::{
    strict_json,
    violation::{Check, Violation},
};

/// Media type of one event.
pub const MEDIA_TYPE: &str = "application/cloudevents+json";
/// Media type of a JSON array of events.
pub const BATCH_MEDIA_TYPE: &str = "application/cloudevents-batch+json";

/// One event. Its fields are the CloudEvents context attributes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct CloudEvent {
    /// Unique in its source.
    pub id: String,
    /// The twin instance, as a URI reference.
    pub source: String,
    /// Always `1.0`.
    #[schemars(regex(pattern = r"^1\.0$"))]
    pub specversion: String,
    /// `planthread.NAME.v1`.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The resource, where the sender names it here too.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// When it was issued, RFC 3339 with offset.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<Timestamp>,
    /// A JSON media type; JSON when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub datacontenttype: Option<String>,
    /// URI of the data's schema.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dataschema: Option<String>,
    /// The record.
    #[schemars(extend("type" = "object"))]
    pub data: Value,
    /// Extension attributes, as they came.
    #[serde(flatten)]
    pub extensions: BTreeMap<String, Value>,
}

impl CloudEvent {
    /// An event without optional attributes.
    #[must_use]
    pub fn new(
        source: impl Into<String>,
        id: impl Into<String>,
        event_type: impl Into<String>,
        data: Value,
    ) -> Self {
        Self {
            id: id.into(),
            source: source.into(),
            specversion: "1.0".into(),
            event_type: event_type.into(),
            subject: None,
            time: None,
            datacontenttype: None,
            dataschema: None,
            data,
            extensions: BTreeMap::new(),
        }
    }

    /// Reads one event from its JSON bytes. `data` is not looked into.
    ///
    /// # Errors
    ///
    /// Every violation of the envelope, each with its field.
    pub fn parse(bytes: &[u8]) -> Result<Self, Vec<Violation>> {
        let value = strict_json::parse(bytes).map_err(|violation| vec![violation])?;
        Self::from_value(value)
    }

    /// Reads a batch: a JSON array of events. A bad event does not hold back
    /// the good ones; its violations stand in its place, without its index.
    ///
    /// # Errors
    ///
    /// One violation when the bytes are no JSON array at all.
    pub fn parse_batch(bytes: &[u8]) -> Result<Vec<Result<Self, Vec<Violation>>>, Violation> {
        match strict_json::parse(bytes)? {
            Value::Array(events) => Ok(events.into_iter().map(Self::from_value).collect()),
            other => Err(Violation::new(
                "",
                format!("a batch is a JSON array, not {}", kind(&other)),
                format!("send [event, ...], or one event as {MEDIA_TYPE}"),
            )),
        }
    }

    /// Reads one event from a JSON value.
    ///
    /// # Errors
    ///
    /// Every violation of the envelope, each with its field.
    pub fn from_value(value: Value) -> Result<Self, Vec<Violation>> {
        let Value::Object(object) = value else {
            return Err(vec![Violation::new(
                "",
                format!("an event is a JSON object, not {}", kind(&value)),
                "send one CloudEvents 1.0 object",
            )]);
        };
        let mut fields = Fields { object, check: Check::default() };
        let event = Self {
            id: fields.required("id"),
            source: fields.required("source"),
            specversion: fields.required("specversion"),
            event_type: fields.required("type"),
            subject: fields.optional("subject"),
            time: fields.time(),
            datacontenttype: fields.optional("datacontenttype"),
            dataschema: fields.optional("dataschema"),
            data: fields.data(),
            extensions: BTreeMap::new(),
        };
        let Fields { object, mut check } = fields;
        event.check_fixed(&mut check);
        check_extensions(&mut check, &object);
        let found = check.done();
        if found.is_empty() {
            Ok(Self { extensions: object.into_iter().collect(), ..event })
        } else {
            Err(found)
        }
    }

    fn check_fixed(&self, check: &mut Check) {
        if !self.specversion.is_empty() && self.specversion != "1.0" {
            check.fail(
                "specversion",
                format!("`{}` is not 1.0", self.specversion),
                "send CloudEvents 1.0",
            );
        }
        let Some(media_type) = &self.datacontenttype else { return };
        let essence = media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        if essence != "application/json" && !essence.ends_with("+json") {
            check.fail(
                "datacontenttype",
                format!("`{media_type}` is not JSON"),
                "send the data as JSON and call it application/json",
            );
        }
    }
}

fn check_extensions(check: &mut Check, object: &Map<String, Value>) {
    for (name, value) in object {
        if !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit()) {
            check.fail(
                name,
                "is no attribute name: CloudEvents names are lower-case letters and digits",
                "correct the spelling, or move the field into data",
            );
        } else if value.is_object() || value.is_array() {
            check.fail(name, "is not a simple value", "move structured fields into data");
        }
    }
}

/// Takes attributes out of the object; what is left are extensions.
struct Fields {
    object: Map<String, Value>,
    check: Check,
}

impl Fields {
    fn required(&mut self, name: &str) -> String {
        if matches!(self.object.get(name), None | Some(Value::Null)) {
            self.object.remove(name);
            self.check.fail(name, "is missing", "CloudEvents 1.0 requires it");
            return String::new();
        }
        self.optional(name).unwrap_or_default()
    }

    fn optional(&mut self, name: &str) -> Option<String> {
        match self.object.remove(name)? {
            Value::Null => None,
            Value::String(text) => {
                self.check.text(name, &text);
                Some(text)
            }
            other => {
                self.check.fail(name, format!("is {}, not text", kind(&other)), "send a string");
                None
            }
        }
    }

    fn time(&mut self) -> Option<Timestamp> {
        let text = self.optional("time")?;
        text.parse()
            .inspect_err(|_| {
                self.check.fail(
                    "time",
                    format!("`{text}` is no RFC 3339 instant"),
                    "send date, time and offset, such as 2026-10-25T23:00:00Z",
                );
            })
            .ok()
    }

    fn data(&mut self) -> Value {
        if self.object.remove("data_base64").is_some() {
            self.check.fail("data_base64", "is not taken", "send the record as JSON in data");
        }
        match self.object.remove("data") {
            Some(data @ Value::Object(_)) => data,
            None | Some(Value::Null) => {
                self.check.fail("data", "is missing", "send the record in data");
                Value::Null
            }
            Some(other) => {
                let reason = format!("is {}, not an object", kind(&other));
                self.check.fail("data", reason, "send the record as a JSON object");
                Value::Null
            }
        }
    }
}

const fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn event() -> Value {
        json!({"id": "1", "source": "urn:twin:press-3", "specversion": "1.0",
            "type": "planthread.oee.v1", "time": "2026-10-25T23:00:00+01:00",
            "traceparent": "00-ab-cd-01", "data": {"pbt_s": 1}})
    }

    fn paths(value: Value) -> Vec<String> {
        CloudEvent::from_value(value).unwrap_err().into_iter().map(|found| found.path).collect()
    }

    #[test]
    fn an_event_round_trips_with_its_extensions() {
        let parsed = CloudEvent::parse(event().to_string().as_bytes()).unwrap();
        assert_eq!(parsed.extensions["traceparent"], "00-ab-cd-01");
        assert_eq!(parsed.time.unwrap().to_string(), "2026-10-25T22:00:00Z");
        let again = serde_json::to_vec(&parsed).unwrap();
        assert_eq!(CloudEvent::parse(&again).unwrap(), parsed);
    }

    #[test]
    fn every_missing_attribute_is_named_at_once() {
        assert_eq!(paths(json!({})), ["id", "source", "specversion", "type", "data"]);
        assert_eq!(paths(json!([])), [""]);
    }

    #[test]
    fn one_broken_attribute_is_named() {
        for (name, value) in [
            ("id", json!("")),
            ("id", json!(7)),
            ("source", json!(" x")),
            ("specversion", json!("0.3")),
            ("time", json!("2026-10-25T23:00:00")),
            ("datacontenttype", json!("text/csv")),
            ("data", json!("text")),
            ("data_base64", json!("AA==")),
            ("specVersion", json!("1.0")),
            ("extension", json!({"a": 1})),
        ] {
            let mut broken = event();
            broken[name] = value;
            assert_eq!(paths(broken), [name]);
        }
    }

    #[test]
    fn a_bad_event_does_not_hold_back_the_batch() {
        let batch = json!([event(), {"id": "2"}, event()]).to_string();
        let parsed = CloudEvent::parse_batch(batch.as_bytes()).unwrap();
        assert_eq!(parsed.iter().map(Result::is_ok).collect::<Vec<_>>(), [true, false, true]);
        assert!(CloudEvent::parse_batch(event().to_string().as_bytes()).is_err());
    }
}
