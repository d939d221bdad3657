//! What a target says when it refuses: its code and its text.

use serde_json::Value;

use crate::{ConnectorError, redact};

/// Characters of a refusal that are kept.
const KEPT: usize = 500;
/// Names under which interfaces write their texts, in the order of trust.
const TEXTS: [&str; 6] =
    ["message", "detail", "error_description", "description", "title", "Message"];
const CODES: [&str; 5] = ["Code", "code", "errorCode", "error_code", "type"];

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
    pub(crate) fn code_of(&self, error: ConnectorError) -> ConnectorError {
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
    let mut text = first(inner, &TEXTS).unwrap_or_default();
    if text.is_empty() {
        let lists =
            ["errors", "messages"].into_iter().filter_map(|name| inner.get(name)?.as_array());
        let texts = lists.flatten().filter_map(|item| {
            let (code, text) = refusal(item);
            text.or(code)
        });
        text = texts.take(3).collect::<Vec<_>>().join("; ");
    }
    Said { code: first(inner, &CODES), text: redact::up_to(&text, KEPT) }
}

/// Code and text of refusals that a success carries inside, at most `most`: one object,
/// a list of them, or nothing.
#[must_use]
pub fn listed(value: &Value, most: usize) -> Vec<String> {
    let one = |value: &Value| match refusal(value) {
        (Some(code), Some(text)) => Some(format!("{code}: {text}")),
        (code, text) => text.or(code),
    };
    let all = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    all.iter().filter_map(one).take(most).collect()
}

/// Code and text of one refusal of a list, which may be a text alone.
fn refusal(value: &Value) -> (Option<String>, Option<String>) {
    (first(value, &CODES), first(value, &TEXTS).or_else(|| plain(value)))
}

/// The first of these members that is a text, and not empty.
fn first(value: &Value, names: &[&str]) -> Option<String> {
    names.iter().find_map(|name| plain(value.get(*name)?))
}

/// A text that is not empty, also one that is wrapped as `{"value": text}`, or a number.
fn plain(value: &Value) -> Option<String> {
    let text = match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => number.to_string(),
        Value::Object(map) => map.get("value")?.as_str()?.to_owned(),
        Value::Null | Value::Bool(_) | Value::Array(_) => return None,
    };
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

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
            (r#"{"errors":[{"code":"A1"},{},"row 2"]}"#, None, "A1; row 2"),
            (r#"{"Code":"E1","Message":"no right"}"#, Some("E1"), "no right"),
            (r#"{"message":"","detail":"row 3"}"#, None, "row 3"),
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
        /// A refusal that says anything is told, whether by code, text, or both; those that
        /// say nothing take no place.
        #[test]
        fn no_refusal_of_a_list_is_dropped(
            refusals in proptest::collection::vec(
                (proptest::option::of("[A-Z]{0,2}"), proptest::option::of("[a-z]{0,2}"), any::<bool>()),
                0..6,
            ),
            most in 0_usize..7,
        ) {
            let (mut list, mut told) = (Vec::new(), Vec::new());
            for (code, text, bare) in refusals {
                if let (Some(text), true) = (&text, bare) {
                    list.push(json!(text));
                    told.extend(Some(text.clone()).filter(|text| !text.is_empty()));
                    continue;
                }
                list.push(json!({ "Code": code, "Message": text }));
                let parts: Vec<String> =
                    [code, text].into_iter().flatten().filter(|part| !part.is_empty()).collect();
                told.extend(Some(parts.join(": ")).filter(|_| !parts.is_empty()));
            }
            told.truncate(most);
            prop_assert_eq!(listed(&Value::Array(list.clone()), most), told);
            if let [one] = list.as_slice() {
                prop_assert_eq!(listed(one, most), listed(&Value::Array(list.clone()), most));
            }
        }

        #[test]
        fn no_body_breaks_it(body in proptest::collection::vec(any::<u8>(), 0..400)) {
            prop_assert!(said(&body).text.chars().count() <= KEPT + 3);
        }
    }
}
