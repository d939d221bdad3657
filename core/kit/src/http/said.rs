//! What a target says when it refuses: its code and its text.

use serde_json::Value;

use crate::{ConnectorError, redact};

/// Characters of a refusal that are kept.
const KEPT: usize = 500;
/// Names under which interfaces write their texts, in the order of trust.
const TEXTS: [&str; 6] =
    ["message", "detail", "error_description", "description", "title", "Message"];
const CODES: [&str; 4] = ["code", "errorCode", "error_code", "type"];

/// Code and text of a refusal.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Said {
    /// The vendor's own code, where the body has one.
    pub code: Option<String>,
    /// Its text in one line, shortened, without secrets; empty when none came.
    pub text: String,
}

impl Said {
    /// Hands the code on to `error`.
    #[must_use]
    pub fn code_of(&self, error: ConnectorError) -> ConnectorError {
        match &self.code {
            Some(code) => error.vendor_code(code.clone()),
            None => error,
        }
    }
}

/// Reads the usual shapes: an `error` object, problem details (RFC 9457), a list
/// of errors, or plain text. A connector whose vendor writes others brings its
/// own reader.
#[must_use]
pub fn said(body: &[u8]) -> Said {
    let text = String::from_utf8_lossy(body);
    match serde_json::from_str::<Value>(&text) {
        Ok(value) => in_json(&value),
        Err(_) => Said { code: None, text: redact::up_to(&text, KEPT) },
    }
}

fn in_json(value: &Value) -> Said {
    let inner = match value.get("error") {
        Some(Value::String(text)) if value.get("error_description").is_none() => {
            return Said { code: None, text: redact::up_to(text, KEPT) };
        }
        Some(inner @ Value::Object(_)) => inner,
        _ => value,
    };
    let first = |names: &[&str]| names.iter().find_map(|name| plain(inner.get(*name)?));
    let mut text = first(&TEXTS).unwrap_or_default();
    if text.is_empty() {
        let lists =
            ["errors", "messages"].into_iter().filter_map(|name| inner.get(name)?.as_array());
        let texts = lists.flatten().filter_map(|item| {
            plain(item).or_else(|| TEXTS.iter().find_map(|name| plain(item.get(*name)?)))
        });
        text = texts.take(3).collect::<Vec<_>>().join("; ");
    }
    Said { code: first(&CODES).filter(|code| !code.is_empty()), text: redact::up_to(&text, KEPT) }
}

/// Code and text of refusals that a success carries inside, at most `most`: one object,
/// a list of them, or nothing.
#[must_use]
pub fn listed(value: &Value, most: usize) -> Vec<String> {
    let one = |value: &Value| {
        let first = |names: &[&str]| names.iter().find_map(|name| plain(value.get(*name)?));
        let text = first(&TEXTS)?;
        Some(match first(&["Code"]).or_else(|| first(&CODES)) {
            Some(code) => format!("{code}: {text}"),
            None => text,
        })
    };
    let all = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    all.iter().take(most).filter_map(one).collect()
}

/// A text, also one that is wrapped as `{"value": text}`, or a number.
fn plain(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Object(map) => map.get("value")?.as_str().map(str::to_owned),
        Value::Null | Value::Bool(_) | Value::Array(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_usual_shapes() {
        for (body, code, text) in [
            (r#"{"error":{"code":"A1","message":"no such row"}}"#, Some("A1"), "no such row"),
            (
                r#"{"error":{"message":{"lang":"de","value":"gibt es nicht"}}}"#,
                None,
                "gibt es nicht",
            ),
            (r#"{"error":"locked"}"#, None, "locked"),
            (
                r#"{"type":"about:blank","title":"Bad","detail":"row 3"}"#,
                Some("about:blank"),
                "row 3",
            ),
            (r#"{"errors":[{"message":"row 1"},{"message":"row 2"}]}"#, None, "row 1; row 2"),
            ("try later", None, "try later"),
            ("{}", None, ""),
            ("", None, ""),
        ] {
            let found = said(body.as_bytes());
            assert_eq!((found.code.as_deref(), found.text.as_str()), (code, text), "{body}");
        }
        let secret = said(br#"{"message":"bad token=abc123"}"#).text;
        assert!(!secret.contains("abc123"), "{secret}");
    }

    proptest! {
        #[test]
        fn no_body_breaks_it(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(said(&body).text.chars().count() <= KEPT + 3);
        }
    }
}
