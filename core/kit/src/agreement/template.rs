//! A request with typed slots.
//!
//! Text of a template is the customer's, values are ours; a value enters only
//! through a slot of its type, and only if it can't be read as anything else. A
//! name with a bracket, quote, brace or semicolon is refused, not escaped: how
//! such names are escaped is not public.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt::Write as _,
};

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::document::Profile;

/// Stands in a body for all rows of the request.
const ROWS: &str = "rows";
/// Characters of a member's name at most.
const MEMBER_MAX: usize = 200;

/// The request of one write.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Operation {
    /// `POST`, `PUT` or `PATCH`.
    pub method: String,
    /// Path below the host; slots are percent-encoded.
    pub path: String,
    /// The body. The text `{rows}` stands for all rows: a list where a row is an
    /// object, a text where it is a text.
    pub body: Value,
    /// One row: one cell.
    pub row: Value,
    /// Between rows that are texts.
    #[serde(default)]
    pub separator: String,
    /// Type of each slot.
    pub slots: BTreeMap<String, SlotKind>,
    /// Whether the same request twice is the same as once.
    pub repeatable: bool,
}

/// What may stand in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SlotKind {
    /// The name of a member, known from a map or a catalogue.
    Member,
    /// A decimal number, as text.
    Decimal,
    /// An id of ours: letters, digits, dash, dot, underscore.
    Token,
}

/// A value for a slot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Slot {
    /// The name of a member.
    Member(String),
    /// A number.
    Decimal(Decimal),
    /// An id.
    Token(String),
}

/// Values by slot.
pub type Filled = BTreeMap<String, Slot>;

/// A request as it goes out.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Written {
    /// The method.
    pub method: String,
    /// The path, with its query.
    pub path: String,
    /// The body.
    pub body: Value,
}

impl Slot {
    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> SlotKind {
        match self {
            Self::Member(_) => SlotKind::Member,
            Self::Decimal(_) => SlotKind::Decimal,
            Self::Token(_) => SlotKind::Token,
        }
    }

    /// Its text, if nothing in it can be read as anything but a value.
    ///
    /// # Errors
    /// Says what can't stand there.
    pub fn text(&self) -> Result<String, String> {
        match self {
            Self::Decimal(number) => Ok(number.to_string()),
            Self::Member(name) => plain(name).map(|()| name.clone()),
            Self::Token(id) => {
                let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"-._".contains(&byte);
                match !id.is_empty() && id.bytes().all(fits) {
                    true => Ok(id.clone()),
                    false => Err(format!("`{id}` is no id")),
                }
            }
        }
    }
}

/// Whether a name can stand in a statement or a body as it is.
fn plain(name: &str) -> Result<(), String> {
    let bad = |c: char| c.is_control() || "[]{}\"'`;\\".contains(c);
    match name.chars().find(|c| bad(*c)) {
        Some(c) => Err(format!("the name `{}` holds {c:?}", name.escape_debug())),
        None if name.is_empty() || name.chars().count() > MEMBER_MAX => {
            Err(format!("a name has 1 to {MEMBER_MAX} characters"))
        }
        None if name.trim() != name => Err(format!("the name `{name}` has blanks at its ends")),
        None => Ok(()),
    }
}

/// A piece of a template.
enum Piece<'a> {
    Text(String),
    Slot(&'a str),
}

/// Cuts a text into pieces; `{{` and `}}` are braces.
fn pieces(text: &str) -> Result<Vec<Piece<'_>>, String> {
    let (mut found, mut plain, mut rest) = (Vec::new(), String::new(), text);
    while let Some(at) = rest.find(['{', '}']) {
        plain.push_str(&rest[..at]);
        let (here, double) = (&rest[at..=at], rest[at..].starts_with("{{"));
        if double || rest[at..].starts_with("}}") {
            plain.push_str(here);
            rest = &rest[at + 2..];
            continue;
        }
        let inside = rest[at + 1..].split_once('}').filter(|_| here == "{");
        let (name, after) =
            inside.ok_or_else(|| format!("`{text}` has a brace without its pair"))?;
        found.push(Piece::Text(std::mem::take(&mut plain)));
        found.push(Piece::Slot(name));
        rest = after;
    }
    plain.push_str(rest);
    found.push(Piece::Text(plain));
    Ok(found)
}

/// The slots of every text inside a value.
fn slots(value: &Value, into: &mut Vec<String>) -> Result<(), String> {
    match value {
        Value::String(text) => {
            let named = pieces(text)?.into_iter().filter_map(|piece| match piece {
                Piece::Slot(name) => Some(name.to_owned()),
                Piece::Text(_) => None,
            });
            into.extend(named);
            Ok(())
        }
        Value::Array(items) => items.iter().try_for_each(|item| slots(item, into)),
        Value::Object(fields) => fields.values().try_for_each(|field| slots(field, into)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}

impl Profile {
    /// Checks the templates against what a connector offers, as slot and type.
    /// All of `each_row` must stand in the row: a place that is not fixed there
    /// would write many cells at once.
    ///
    /// # Errors
    /// Says which slot is wrong.
    pub fn validate(&self, offered: &[(&str, SlotKind)], each_row: &[&str]) -> Result<(), String> {
        let request = &self.request;
        if !["POST", "PUT", "PATCH"].contains(&request.method.as_str()) {
            return Err(format!("`{}` is no method that writes", request.method));
        }
        if self.reply.taken.is_empty() {
            return Err("it does not say what an answer holds where all was taken".to_owned());
        }
        if !request.path.starts_with('/') {
            return Err("the path begins at the host, with a slash".to_owned());
        }
        let named = |value: &Value| -> Result<Vec<String>, String> {
            let mut names = Vec::new();
            slots(value, &mut names).map(|()| names)
        };
        let path = named(&Value::from(request.path.as_str()))?;
        let (body, row) = (named(&request.body)?, named(&request.row)?);
        if body.iter().filter(|name| *name == ROWS).count() != 1 {
            return Err("the body must name {rows} once".to_owned());
        }
        let all: BTreeSet<&String> =
            path.iter().chain(&row).chain(body.iter().filter(|name| *name != ROWS)).collect();
        for name in all {
            let kind = request.slots.get(name);
            let offer = offered.iter().find(|(offer, _)| offer == name).map(|(_, kind)| *kind);
            match (self.constants.contains_key(name), kind, offer) {
                (true, None, None) => {}
                (false, Some(kind), Some(offer)) if *kind == offer => {}
                (_, _, None) => return Err(format!("nothing offers a value for `{{{name}}}`")),
                _ => return Err(format!("`{{{name}}}` must be declared as {:?}", offer)),
            }
        }
        match each_row.iter().find(|name| !row.iter().any(|there| there == *name)) {
            Some(missing) => Err(format!("a row does not fix `{{{missing}}}`")),
            None => Ok(()),
        }
    }

    /// The request that writes `rows`; `head` has the values outside of them.
    ///
    /// # Errors
    /// When a value can't stand in its slot: then nothing is rendered.
    pub fn render(&self, head: &Filled, rows: &[Filled]) -> Result<Written, String> {
        let request = &self.request;
        let path = self.text(&request.path, head, &|value| {
            utf8_percent_encode(&value, NON_ALPHANUMERIC).to_string()
        })?;
        let rendered: Result<Vec<Value>, String> =
            rows.iter().map(|row| self.value(&request.row, row, None)).collect();
        let body = self.value(&request.body, head, Some(&rendered?))?;
        Ok(Written { method: request.method.clone(), path, body })
    }

    fn value(
        &self,
        template: &Value,
        with: &Filled,
        rows: Option<&[Value]>,
    ) -> Result<Value, String> {
        let inner = |part: &Value| self.value(part, with, rows);
        Ok(match template {
            Value::String(text) => match (text == "{rows}").then_some(rows).flatten() {
                Some(rows) if rows.iter().all(Value::is_string) => {
                    let texts: Vec<&str> = rows.iter().filter_map(Value::as_str).collect();
                    Value::from(texts.join(&self.request.separator))
                }
                Some(rows) => Value::from(rows.to_vec()),
                None => Value::from(self.text(text, with, &|value| value)?),
            },
            Value::Array(items) => Value::Array(items.iter().map(inner).collect::<Result<_, _>>()?),
            Value::Object(fields) => {
                let field = |(name, part): (&String, &Value)| Ok((name.clone(), inner(part)?));
                Value::Object(fields.iter().map(field).collect::<Result<_, String>>()?)
            }
            plain => plain.clone(),
        })
    }

    fn text(
        &self,
        template: &str,
        with: &Filled,
        form: &dyn Fn(String) -> String,
    ) -> Result<String, String> {
        let mut text = String::new();
        for piece in pieces(template)? {
            let part = match piece {
                Piece::Text(plain) => plain,
                Piece::Slot(name) => {
                    let value = match (self.constants.get(name), with.get(name)) {
                        (Some(constant), _) => Slot::Member(constant.clone()),
                        (None, Some(value)) => value.clone(),
                        (None, None) => return Err(format!("`{{{name}}}` has no value")),
                    };
                    form(value.text().map_err(|reason| format!("`{{{name}}}`: {reason}"))?)
                }
            };
            let _ = write!(text, "{part}");
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::agreement::samples::{NEEDED, OFFERED, profile, row};

    #[test]
    fn rows_are_a_list_or_a_text_as_the_row_is() {
        let head = Filled::from([("attempt".to_owned(), Slot::Token("a-1".to_owned()))]);
        let listed = profile().render(&head, &[row("LINE 1", "1.50"), row("LINE-2", "0")]).unwrap();
        assert_eq!(listed.path, "/rules/Capacity%20Rule");
        assert_eq!(
            listed.body,
            json!({ "Id": "a-1", "Rows": [
                { "Resource": "LINE 1", "Value": "1.50" }, { "Resource": "LINE-2", "Value": "0" },
            ] })
        );
        let mut texts = profile();
        texts.request.row = json!("update {{x}}@([{resource}]) = {value};");
        texts.request.separator = "\n".to_owned();
        let body = texts.render(&head, &[row("A", "1"), row("B", "2")]).unwrap().body;
        assert_eq!(body["Rows"], "update {x}@([A]) = 1;\nupdate {x}@([B]) = 2;");
    }

    #[test]
    fn a_template_must_fix_every_place_and_name_what_is_offered() {
        profile().validate(&OFFERED, &NEEDED).unwrap();
        let fault = |change: fn(&mut Profile)| {
            let mut profile = profile();
            change(&mut profile);
            profile.validate(&OFFERED, &NEEDED).unwrap_err()
        };
        assert!(fault(|p| p.request.row = json!({ "Value": "{value}" })).contains("{resource}"));
        assert!(fault(|p| p.request.path = "/x/{tenant}".to_owned()).contains("{tenant}"));
        assert!(fault(|p| p.request.body = json!({})).contains("{rows}"));
        assert!(fault(|p| p.request.method = "DELETE".to_owned()).contains("DELETE"));
        assert!(fault(|p| p.request.row = json!("{resource} {value} {")).contains("brace"));
        let retyped = fault(|p| {
            p.request.slots.insert("value".to_owned(), SlotKind::Token);
        });
        assert!(retyped.contains("{value}"), "{retyped}");
    }

    proptest! {
        /// Law: what a value is made of never changes what a statement says.
        #[test]
        fn a_name_that_could_be_read_as_syntax_is_refused(
            before in "[A-Za-z0-9 ]{0,5}", after in "[A-Za-z0-9 ]{0,5}",
            c in prop::sample::select(vec!['[', ']', '{', '}', '"', '\'', ';', '\\', '\n', '\r', '\t']),
        ) {
            let name = format!("{before}{c}{after}");
            let error = profile().render(&Filled::new(), &[row(&name, "1")]).unwrap_err();
            prop_assert!(error.contains("{resource}"), "{}", error);
        }

        #[test]
        fn a_name_of_letters_comes_out_as_it_went_in(name in "[A-Za-z0-9/&+-]{1,20}") {
            let head = Filled::from([("attempt".to_owned(), Slot::Token("a".to_owned()))]);
            let written = profile().render(&head, &[row(&name, "1")]).unwrap();
            prop_assert_eq!(&written.body["Rows"][0]["Resource"], &json!(name));
        }
    }
}
