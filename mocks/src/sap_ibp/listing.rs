//! Small sets (messages, transactions, master data): filter, order, select, page.
//!
//! The two services spell their properties differently (section 3), so a name
//! that the set's type doesn't have is a 400: an empty list would read as "no
//! rejects".

use std::cmp::Ordering;

use super::{
    filter::{Comparison, Filter, Literal},
    predicate::mistyped,
    query::{Query, orderby, page},
    wire::{Entry, Format, Prop, Refusal, many},
};

/// What a set's type declares.
pub(super) struct Declared<'a> {
    /// The set.
    pub(super) set: &'a str,
    /// Properties of its type.
    pub(super) names: &'a [&'a str],
    /// The navigation property that is expanded, if one is.
    pub(super) nav: Option<&'a str>,
}

impl Declared<'_> {
    /// Answers with those of `entries` that the query asks for.
    pub(super) fn answer(
        &self,
        mut entries: Vec<Entry>,
        query: &Query,
        root: &str,
        format: Format,
    ) -> Result<http::Response<bytes::Bytes>, Refusal> {
        if let Some(filter) = self.filter(query)? {
            entries.retain(|entry| filter.holds(&|c| holds(entry, c)));
        }
        for (name, descending) in orderby(query)?.into_iter().rev() {
            self.known(name, "$orderby")?;
            entries.sort_by(|left, right| {
                let order = order(property(left, name), property(right, name));
                if descending { order.reverse() } else { order }
            });
        }
        let select = query.list("$select");
        for name in select.iter().filter(|name| Some(**name) != self.nav) {
            self.known(name, "$select")?;
        }
        let count = query.counts().then_some(entries.len());
        let mut entries = page(entries, query)?;
        for entry in entries.iter_mut().filter(|_| !select.is_empty()) {
            entry.props.retain(|(name, _)| select.contains(&&**name));
        }
        Ok(many(root, self.set, &entries, count, format))
    }

    /// The filter, once its names and the types of its literals are known.
    fn filter(&self, query: &Query) -> Result<Option<Filter>, Refusal> {
        let filter = query.get("$filter").map(Filter::parse).transpose().map_err(Refusal::bad)?;
        let mut checked = Ok(());
        if let Some(filter) = &filter {
            filter.each(&mut |c| {
                if checked.is_ok() {
                    checked = self.known(&c.field, "$filter").and_then(|()| typed(c));
                }
            });
        }
        checked.map(|()| filter)
    }

    fn known(&self, name: &str, option: &str) -> Result<(), Refusal> {
        if self.names.contains(&name) {
            return Ok(());
        }
        let text = format!("Property '{name}' of {option} is unknown in {}", self.set);
        Err(Refusal::bad(text))
    }
}

/// All properties of these sets are text, but for one.
fn typed(c: &Comparison) -> Result<(), Refusal> {
    let fits = match &c.literal {
        Literal::Text(_) => c.field != "DoCommit",
        Literal::Bool(_) => c.field == "DoCommit",
        Literal::Null => true,
        Literal::Number(_) | Literal::Date(_) | Literal::Instant(_) => false,
    };
    if fits { Ok(()) } else { Err(mistyped(c)) }
}

fn holds(entry: &Entry, c: &Comparison) -> bool {
    match (property(entry, &c.field), &c.literal) {
        (Some(Prop::Text(value)), Literal::Text(text)) => c.op.holds_text(value, text),
        (Some(Prop::Bool(value)), Literal::Bool(wanted)) => c.op.holds(value, wanted),
        _ => false,
    }
}

fn property<'a>(entry: &'a Entry, name: &str) -> Option<&'a Prop> {
    entry.props.iter().find(|(property, _)| **property == *name).map(|(_, value)| value)
}

fn order(left: Option<&Prop>, right: Option<&Prop>) -> Ordering {
    match (left, right) {
        (Some(Prop::Text(left)), Some(Prop::Text(right))) => left.cmp(right),
        (Some(Prop::Bool(left)), Some(Prop::Bool(right))) => left.cmp(right),
        _ => Ordering::Equal,
    }
}
