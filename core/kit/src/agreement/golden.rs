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
    rows::RowKey,
};

/// Texts by their names.
pub type Texts = BTreeMap<String, String>;

/// One recorded exchange.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Golden {
    /// What it shows.
    pub name: String,
    /// Values outside the rows.
    pub head: Texts,
    /// Values of each row.
    pub rows: Vec<Texts>,
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
        self.holds(self.rendered(profile), || self.meant(profile, id))
    }

    /// Whether it is what a program renders and reads: `rendered` from its values, and
    /// `meant` by its answer.
    ///
    /// # Errors
    /// Says where it differs.
    pub fn holds(
        &self,
        rendered: Result<Written, String>,
        meant: impl FnOnce() -> Meaning,
    ) -> Result<(), String> {
        let differs = |reason: String| format!("golden exchange `{}`: {reason}", self.name);
        if rendered.map_err(&differs)? != self.request {
            return Err(differs("this program renders another request".to_owned()));
        }
        match meant() {
            meant if meant == self.means => Ok(()),
            meant => Err(differs(format!("its answer reads as {meant:?}, not {:?}", self.means))),
        }
    }

    /// What the answer means where every documented success takes everything.
    #[must_use]
    pub fn succeeds(&self) -> Meaning {
        let taken = |answer| receipt("replay", &answer, Expect::json(""), Sent::Maybe, said);
        match self.answer().map(taken) {
            Ok(Ok(_)) => Meaning::Taken,
            Ok(Err(_)) | Err(_) => Meaning::Error,
        }
    }

    /// Its rows, each named by `resource`, `location` and `period`, and the texts of
    /// its other values by their names.
    ///
    /// # Errors
    /// When a row is not named so.
    pub fn named_rows(&self) -> Result<Vec<(RowKey, Texts)>, String> {
        let named = |row: &Texts| {
            let mut values = row.clone();
            let mut take = |name: &str| {
                values.remove(name).ok_or_else(|| format!("a row of `{}` has no {name}", self.name))
            };
            let (resource, location, period) =
                (take("resource")?, take("location")?, take("period")?);
            let period = period.parse().map_err(|_| format!("`{period}` is no period"))?;
            let (resource, location) = (resource.into(), location.into());
            Ok((RowKey { resource, location, product: None, period }, values))
        };
        self.rows.iter().map(named).collect()
    }

    /// The recorded answer, as it would arrive.
    fn answer(&self) -> Result<Response<Bytes>, String> {
        let text = match &self.response.body {
            Value::String(text) => text.clone(),
            body => body.to_string(),
        };
        let answer = Response::builder().status(self.response.status).body(Bytes::from(text));
        answer.map_err(|error| error.to_string())
    }

    fn rendered(&self, profile: &Profile) -> Result<Written, String> {
        let fill = |values: &Texts| -> Result<Filled, String> {
            let slot = |(name, text): (&String, &String)| {
                let kind = profile.request.slots.get(name).copied();
                Ok((name.clone(), typed(kind, name, text)?))
            };
            values.iter().map(slot).collect()
        };
        let rows: Result<Vec<Filled>, String> = self.rows.iter().map(fill).collect();
        fill(&self.head).and_then(|head| profile.render(&head, &rows?))
    }

    fn meant(&self, profile: &Profile, id: &str) -> Meaning {
        let ids: Vec<String> = self.rows.iter().filter_map(|row| row.get(id).cloned()).collect();
        let Ok(answer) = self.answer() else { return Meaning::Error };
        let body = receipt("replay", &answer, Expect::json(""), Sent::Maybe, said);
        match body.map(|body| profile.reply.judge(body, &ids)) {
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
