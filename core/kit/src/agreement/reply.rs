//! What an answer says of each row, by the words that the agreement states.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Response;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    http::{answer::is_page, is_after_unclear},
    redact,
};

/// Characters of a row's refusal that are kept.
const KEPT: usize = 300;

/// How an answer is read.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reply {
    /// All of these hold where everything was taken; at least one, so that not every
    /// answer is a receipt.
    pub taken: Vec<Says>,
    /// Where refused rows are named.
    #[serde(default)]
    pub refused: Option<RowErrors>,
    /// Where the target says that it took this very request before.
    #[serde(default)]
    pub repeated: Option<Says>,
    /// HTTP statuses with which the target itself says that it took nothing of the
    /// request; a golden exchange shows each of them. What is not stated proves nothing:
    /// only a read-back then tells what became of the rows.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub nothing_taken: Vec<u16>,
}

/// A member of the answer, and the words that it may have.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Says {
    /// JSON pointer.
    pub at: String,
    /// One of these; `[]` and `{}` are an empty list and an empty object.
    pub any_of: Vec<String>,
}

/// A list that names refused rows.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RowErrors {
    /// JSON pointer to the list.
    pub list: String,
    /// Pointer to the row's id, in an entry.
    pub id: String,
    /// Pointer to the text, in an entry.
    pub text: String,
    /// Pointer to the vendor's code, in an entry.
    #[serde(default)]
    pub code: Option<String>,
}

/// Why a row was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refused {
    /// The target's text.
    pub text: String,
    /// The target's code.
    pub code: Option<String>,
}

/// What an answer said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Everything was taken.
    Taken,
    /// These rows were refused; what became of the others only a read-back tells.
    Refused(BTreeMap<String, Refused>),
    /// It was taken before; what became of its rows only a read-back tells.
    Repeated,
}

/// A number, a word, or what is empty, as a text.
fn word(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        Value::Array(items) => items.is_empty().then(|| "[]".to_owned()),
        Value::Object(fields) => fields.is_empty().then(|| "{}".to_owned()),
        Value::Null => None,
    }
}

/// JSON that came as a text of JSON, as itself.
#[must_use]
pub fn unwrapped(value: Value) -> Value {
    match &value {
        Value::String(text) => serde_json::from_str(text).unwrap_or(value),
        _ => value,
    }
}

impl Reply {
    /// Whether an answer that is no success says, as it was agreed, that nothing of the
    /// request was taken. A page for people is somebody else's answer, and one after an
    /// earlier try of the same request whose end is not known speaks of the last try only.
    #[must_use]
    pub fn took_nothing(&self, answer: &Response<Bytes>) -> bool {
        let stated = self.nothing_taken.contains(&answer.status().as_u16());
        stated && !is_page(answer) && !is_after_unclear(answer)
    }

    /// Reads the body of an answer to rows with these `ids`.
    ///
    /// # Errors
    /// When it is none of the shapes that the agreement states; the text says
    /// what came.
    pub fn judge(&self, body: Value, ids: &[String]) -> Result<Verdict, String> {
        let body = unwrapped(body);
        let mut refused = BTreeMap::new();
        if let Some(errors) = &self.refused {
            let listed = body.pointer(&errors.list).and_then(Value::as_array);
            for entry in listed.into_iter().flatten() {
                let at = |pointer: &str| entry.pointer(pointer).and_then(word);
                let id = at(&errors.id).filter(|id| ids.contains(id));
                let id = id.ok_or("it refuses a row that was not sent")?;
                let text = at(&errors.text).unwrap_or_default();
                let code = errors.code.as_deref().and_then(at);
                let text = redact::up_to(&text, KEPT);
                refused.insert(id, Refused { text, code });
            }
        }
        if !refused.is_empty() {
            return Ok(Verdict::Refused(refused));
        }
        let says = |says: &Says| body.pointer(&says.at).and_then(word);
        if let Some(repeated) = &self.repeated
            && says(repeated).is_some_and(|said| repeated.any_of.contains(&said))
        {
            return Ok(Verdict::Repeated);
        }
        for says in &self.taken {
            let said = body.pointer(&says.at).and_then(word);
            let said = said.ok_or_else(|| format!("it has no `{}`", says.at))?;
            if !says.any_of.contains(&said) {
                let said = redact::up_to(&said, KEPT);
                return Err(format!("`{}` is `{said}`, and it names no row", says.at));
            }
        }
        Ok(Verdict::Taken)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::agreement::samples::profile;

    fn judge(body: Value) -> Result<Verdict, String> {
        profile().reply.judge(body, &["1".to_owned(), "2".to_owned()])
    }

    #[test]
    fn only_the_stated_words_count() {
        assert_eq!(judge(json!({ "Status": "Success" })), Ok(Verdict::Taken));
        assert_eq!(judge(json!(r#"{"Status":"Success"}"#)), Ok(Verdict::Taken), "a text of JSON");
        assert!(judge(json!({ "Status": "Queued" })).unwrap_err().contains("Queued"));
        assert!(judge(json!({ "State": "Success" })).unwrap_err().contains("/Status"));
        assert!(judge(json!("<html>")).is_err());
    }

    #[test]
    fn what_is_empty_can_be_stated_as_such() {
        let reply: Reply =
            serde_json::from_value(json!({ "taken": [{ "at": "/Meta", "any_of": ["[]"] }] }))
                .unwrap();
        let judge = |body| reply.judge(body, &["1".to_owned()]);
        assert_eq!(judge(json!({ "Meta": [], "Data": [] })), Ok(Verdict::Taken));
        for other in [json!({ "Meta": [1] }), json!({ "Meta": {} }), json!({ "Error": "no" })] {
            assert!(judge(other.clone()).is_err(), "{other}");
        }
    }

    #[test]
    fn refused_rows_are_told_by_their_ids_and_a_foreign_one_by_nobody() {
        let body =
            json!({ "Status": "Partial", "Rows": [{ "Id": "2", "Message": "no such line" }] });
        let Ok(Verdict::Refused(rows)) = judge(body) else { panic!("rows are named") };
        assert_eq!(rows.keys().collect::<Vec<_>>(), ["2"]);
        assert_eq!(rows["2"].text, "no such line");
        let foreign = json!({ "Status": "Success", "Rows": [{ "Id": "9", "Message": "x" }] });
        assert!(judge(foreign).is_err());
    }
}
