//! Golden exchanges: what was sent and answered once, replayed before an
//! agreement counts.
//!
//! The profile must render the recorded request exactly, and must read the
//! recorded answer as the integration team says that it is meant. So a profile
//! that was edited, or a program that renders otherwise, is noticed before
//! anything is sent.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::Response;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{
    document::Profile,
    reply::Verdict,
    template::{Filled, Slot, SlotKind, Written},
};
use crate::{
    Sent,
    http::{Expect, answer::receipt, said::said},
};

/// One recorded exchange.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// What it shows.
    pub name: String,
    /// Values outside the rows.
    pub head: BTreeMap<String, String>,
    /// Values of each row.
    pub rows: Vec<BTreeMap<String, String>>,
    /// What went out.
    pub request: Written,
    /// What came back.
    pub response: Answer,
    /// What that means.
    pub means: Meaning,
}

/// A recorded answer.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// The body: JSON, or a text.
    pub body: Value,
}

/// What an answer means.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Meaning {
    /// All rows were taken.
    Taken,
    /// The rows with these ids were refused.
    Refused(Vec<String>),
    /// The target took this very request before.
    Repeated,
    /// It is no answer to a write: rights, an error, another shape.
    Error,
}

impl Golden {
    /// Replays it on a profile; `id` is the slot that names a row.
    ///
    /// # Errors
    /// Says where it differs.
    pub fn replay(&self, profile: &Profile, id: &str) -> Result<(), String> {
        let differs = |reason: String| format!("golden exchange `{}`: {reason}", self.name);
        let fill = |values: &BTreeMap<String, String>| -> Result<Filled, String> {
            let slot = |(name, text): (&String, &String)| {
                let kind = profile.request.slots.get(name).copied();
                Ok((name.clone(), typed(kind, name, text)?))
            };
            values.iter().map(slot).collect()
        };
        let rows: Result<Vec<Filled>, String> = self.rows.iter().map(fill).collect();
        let rendered =
            fill(&self.head).and_then(|head| profile.render(&head, &rows?)).map_err(&differs)?;
        if rendered != self.request {
            return Err(differs("the profile renders another request".to_owned()));
        }
        let ids: Vec<String> = self.rows.iter().filter_map(|row| row.get(id).cloned()).collect();
        let meant = self.meant(profile, &ids);
        match meant == self.means {
            true => Ok(()),
            false => Err(differs(format!("its answer reads as {meant:?}, not {:?}", self.means))),
        }
    }

    fn meant(&self, profile: &Profile, ids: &[String]) -> Meaning {
        let text = match &self.response.body {
            Value::String(text) => text.clone(),
            body => body.to_string(),
        };
        let answer = Response::builder().status(self.response.status).body(Bytes::from(text));
        let Ok(answer) = answer else { return Meaning::Error };
        let body = receipt("replay", &answer, Expect::json(""), Sent::Maybe, said);
        match body.map(|body| profile.reply.judge(body, ids)) {
            Ok(Ok(Verdict::Taken)) => Meaning::Taken,
            Ok(Ok(Verdict::Repeated)) => Meaning::Repeated,
            Ok(Ok(Verdict::Refused(rows))) => Meaning::Refused(rows.into_keys().collect()),
            Ok(Err(_)) | Err(_) => Meaning::Error,
        }
    }
}

fn typed(kind: Option<SlotKind>, name: &str, text: &str) -> Result<Slot, String> {
    match kind {
        Some(SlotKind::Member) => Ok(Slot::Member(text.to_owned())),
        Some(SlotKind::Token) => Ok(Slot::Token(text.to_owned())),
        Some(SlotKind::Decimal) => {
            let number = text.parse::<Decimal>();
            number.map(Slot::Decimal).map_err(|_| format!("`{{{name}}}`: `{text}` is no number"))
        }
        None => Err(format!("`{{{name}}}` is no slot of the profile")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::agreement::samples::{golden, profile};

    #[test]
    fn recorded_exchanges_hold_until_either_side_changes() {
        for one in golden() {
            one.replay(&profile(), "row").unwrap();
        }
        let mut edited = profile();
        edited.request.body["More"] = json!(1);
        assert!(golden()[0].replay(&edited, "row").unwrap_err().contains("another request"));
        let mut other = golden();
        other[0].response.body = json!({ "Status": "Queued" });
        assert!(other[0].replay(&profile(), "row").unwrap_err().contains("reads as Error"));
        other[1].means = Meaning::Taken;
        assert!(other[1].replay(&profile(), "row").is_err());
    }
}
