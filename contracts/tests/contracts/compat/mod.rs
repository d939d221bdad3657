//! Compatibility of two versions of a schema, as a pure function.
//!
//! *Inbound* (a twin writes, we read): the new reader must take every old
//! valid record. *Outbound* (we write, others read): the old reader must take
//! every new valid record. Both are one question, asked in two directions:
//! does the reader's schema take all that the writer's schema allows?
//!
//! The check compares structure: type, properties, enumerations, bounds,
//! patterns, alternatives. Where it can't tell, it reports the difference: a
//! finding too many is read by a person, a finding too few breaks a plant.

mod node;

use std::{collections::BTreeSet, fmt};

use serde_json::{Map, Value};

use self::node::{
    PROSE, demands_unknown, label, may_be, properties, reference, required, resolve, rules,
    rules_beside_reference, types, union, words,
};
use planthread_contracts::Direction;

/// The rule that a change breaks, in the order of the check.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rule {
    /// The reader requires a property that the writer may leave out.
    RequiredByReader,
    /// The writer may send a property that the strict reader refuses.
    UnknownToReader,
    /// The writer may send a type that the reader refuses.
    TypeRefused,
    /// The writer may send a word that the reader's list lacks.
    WordRefused,
    /// The reader's bound is narrower than the writer's.
    BoundNarrower,
    /// The reader demands another text pattern, format or constant.
    TextRuleDiffers,
    /// The writer may send an alternative that the reader lacks.
    AlternativeRefused,
    /// A part of the schema that the check doesn't know has changed.
    Undecided,
}

/// One break of compatibility.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Break {
    /// The property at fault, as a path; `[]` stands for every item.
    pub(crate) path: String,
    /// The rule.
    pub(crate) rule: Rule,
    /// What differs.
    pub(crate) detail: String,
}

impl fmt::Display for Break {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = if self.path.is_empty() { "record" } else { &self.path };
        write!(f, "{path}: {} ({:?})", self.detail, self.rule)
    }
}

/// All breaks between an old and a new version of one contract's schema.
#[must_use]
pub(crate) fn breaks(direction: Direction, old: &Value, new: &Value) -> Vec<Break> {
    let (reader, writer) = match direction {
        Direction::Inbound => (new, old),
        Direction::Outbound => (old, new),
    };
    let mut walk = Walk { reader, writer, open: BTreeSet::new(), found: Vec::new() };
    walk.node("", reader, writer);
    walk.found.sort();
    walk.found.dedup();
    walk.found
}

/// Bounds whose larger value takes less.
const LOWER: [&str; 5] = ["minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties"];
/// Bounds whose smaller value takes less.
const UPPER: [&str; 5] = ["maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties"];
/// Rules that must be equal, because nothing tells which one is narrower.
const EQUAL: [&str; 4] = ["pattern", "format", "multipleOf", "uniqueItems"];
/// Combinations: compared as unions where they stand alone, else as text.
const COMBINED: [&str; 4] = ["anyOf", "oneOf", "allOf", "not"];
/// Keywords that have a rule of their own.
const KNOWN: [&str; 11] = [
    "type",
    "enum",
    "const",
    "properties",
    "required",
    "additionalProperties",
    "items",
    "anyOf",
    "oneOf",
    "allOf",
    "$ref",
];

struct Walk<'a> {
    reader: &'a Value,
    writer: &'a Value,
    /// Pairs of references that are being compared: recursion ends here.
    open: BTreeSet<(String, String)>,
    found: Vec<Break>,
}

impl Walk<'_> {
    fn fail(&mut self, path: &str, rule: Rule, detail: impl Into<String>) {
        self.found.push(Break { path: path.to_owned(), rule, detail: detail.into() });
    }

    fn node(&mut self, path: &str, reader: &Value, writer: &Value) {
        let pair = (reference(reader), reference(writer));
        let named = !pair.0.is_empty() || !pair.1.is_empty();
        if named && !self.open.insert(pair.clone()) {
            return;
        }
        if named && rules_beside_reference(reader) != rules_beside_reference(writer) {
            self.fail(path, Rule::Undecided, "the rules beside a reference differ");
        }
        let (reader_root, writer_root) = (self.reader, self.writer);
        match (resolve(reader_root, reader), resolve(writer_root, writer)) {
            (Some(reader), Some(writer)) => self.resolved(path, reader, writer),
            _ => self.fail(path, Rule::Undecided, "a reference leads nowhere"),
        }
        if named {
            self.open.remove(&pair);
        }
    }

    fn resolved(&mut self, path: &str, reader: &Value, writer: &Value) {
        let (reader, writer) = match (reader, writer) {
            (Value::Bool(true), _) | (_, Value::Bool(false)) => return,
            (Value::Object(reader), _) if rules(reader) == 0 => return,
            (Value::Object(reader), Value::Object(writer)) => (reader, writer),
            (Value::Object(reader), Value::Bool(true)) => (reader, &Map::new()),
            _ => return self.fail(path, Rule::TypeRefused, "the reader takes nothing here"),
        };
        if self.alternatives(path, reader, writer) {
            return;
        }
        self.types(path, reader, writer);
        self.words(path, reader, writer);
        self.bounds(path, reader, writer);
        self.texts(path, reader, writer);
        self.object(path, reader, writer);
        if let Some(items) = reader.get("items") {
            let theirs = writer.get("items").unwrap_or(&Value::Bool(true));
            if may_be(writer, "array") {
                self.node(&format!("{path}[]"), items, theirs);
            }
        }
        self.unknown_keywords(path, reader, writer);
    }

    /// Unions: each alternative of the writer needs one of the reader's that
    /// takes it whole. Returns whether there was a union.
    fn alternatives(
        &mut self,
        path: &str,
        reader: &Map<String, Value>,
        writer: &Map<String, Value>,
    ) -> bool {
        let (Some(mine), Some(theirs)) = (union(reader), union(writer)) else {
            return false;
        };
        if mine.len() == 1 && theirs.len() == 1 {
            return false;
        }
        for their in theirs {
            let trials: Vec<Vec<Break>> =
                mine.iter().map(|my| self.trial(path, my, &their)).collect();
            let Some((best, found)) =
                trials.into_iter().enumerate().min_by_key(|(_, found)| found.len())
            else {
                self.fail(path, Rule::AlternativeRefused, "the reader has no alternative");
                continue;
            };
            if let Some(first) = found.first() {
                let detail = format!("{} is taken by no alternative: {first}", label(&their));
                // Of a list whose words are explained, a word is an alternative by itself.
                let word = |one: &Break| one.rule == Rule::WordRefused && one.path == path;
                let is_word = found.iter().all(word);
                let rule = if is_word { Rule::WordRefused } else { Rule::AlternativeRefused };
                self.fail(path, rule, detail);
            }
            // `oneOf` refuses what two of its alternatives take.
            let others = mine.iter().enumerate().filter(|(i, _)| *i != best);
            if reader.contains_key("oneOf")
                && !others.into_iter().all(|(_, my)| self.apart(my, &their))
            {
                let detail = format!("{} may fit two alternatives of a oneOf", label(&their));
                self.fail(path, Rule::Undecided, detail);
            }
        }
        true
    }

    fn trial(&self, path: &str, reader: &Value, writer: &Value) -> Vec<Break> {
        let mut walk = Walk {
            reader: self.reader,
            writer: self.writer,
            open: self.open.clone(),
            found: Vec::new(),
        };
        walk.node(path, reader, writer);
        walk.found
    }

    /// Whether surely no value fits both alternatives.
    fn apart(&self, reader: &Value, writer: &Value) -> bool {
        let (mine, theirs) = match (resolve(self.reader, reader), resolve(self.writer, writer)) {
            (Some(Value::Object(mine)), Some(Value::Object(theirs))) => (mine, theirs),
            (mine, theirs) => return [mine, theirs].contains(&Some(&Value::Bool(false))),
        };
        if let (Some(mine), Some(theirs)) = (words(mine), words(theirs)) {
            return !mine.iter().any(|word| theirs.contains(word));
        }
        let (Some(my_types), Some(their_types)) = (types(mine), types(theirs)) else {
            return false;
        };
        let numbers = |kinds: &BTreeSet<&str>| kinds.contains("number") | kinds.contains("integer");
        if my_types.is_disjoint(&their_types) {
            return !(numbers(&my_types) && numbers(&their_types));
        }
        their_types == BTreeSet::from(["object"])
            && (demands_unknown(mine, theirs) || demands_unknown(theirs, mine))
    }

    fn types(&mut self, path: &str, reader: &Map<String, Value>, writer: &Map<String, Value>) {
        let Some(mine) = types(reader) else { return };
        let Some(theirs) = types(writer) else {
            if !writer.contains_key("enum") && !writer.contains_key("const") {
                self.fail(path, Rule::TypeRefused, "the writer may send any type");
            }
            return;
        };
        for kind in theirs {
            let taken = mine.contains(kind) || (kind == "integer" && mine.contains("number"));
            if !taken {
                self.fail(path, Rule::TypeRefused, format!("type {kind} is not taken"));
            }
        }
    }

    fn words(&mut self, path: &str, reader: &Map<String, Value>, writer: &Map<String, Value>) {
        let Some(mine) = words(reader) else { return };
        let Some(theirs) = words(writer) else {
            return self.fail(path, Rule::WordRefused, "the writer may send any word");
        };
        for word in theirs.iter().filter(|word| !mine.contains(word)) {
            self.fail(path, Rule::WordRefused, format!("{word} is not in the reader's list"));
        }
    }

    fn bounds(&mut self, path: &str, reader: &Map<String, Value>, writer: &Map<String, Value>) {
        for (names, lower) in [(LOWER, true), (UPPER, false)] {
            for name in names {
                let Some(mine) = reader.get(name).and_then(Value::as_f64) else { continue };
                let theirs = writer.get(name).and_then(Value::as_f64);
                let wide = theirs
                    .is_some_and(|theirs| if lower { theirs >= mine } else { theirs <= mine });
                if !wide {
                    let theirs = theirs.map_or_else(|| "none".to_owned(), |it| it.to_string());
                    let detail = format!("{name} {mine} of the reader against {theirs}");
                    self.fail(path, Rule::BoundNarrower, detail);
                }
            }
        }
    }

    fn texts(&mut self, path: &str, reader: &Map<String, Value>, writer: &Map<String, Value>) {
        for name in EQUAL {
            if let Some(mine) = reader.get(name)
                && writer.get(name) != Some(mine)
            {
                self.fail(path, Rule::TextRuleDiffers, format!("{name} {mine} is the reader's"));
            }
        }
    }

    fn object(&mut self, path: &str, reader: &Map<String, Value>, writer: &Map<String, Value>) {
        if !may_be(writer, "object") || words(writer).is_some() {
            return;
        }
        let nothing = Map::new();
        let mine = properties(reader).unwrap_or(&nothing);
        let theirs = properties(writer).unwrap_or(&nothing);
        let always = required(writer);
        for name in required(reader).difference(&always) {
            let detail = "the reader requires it, the writer may leave it out";
            self.fail(&join(path, name), Rule::RequiredByReader, detail);
        }
        let closed = Value::Bool(false);
        let rest = reader.get("additionalProperties").unwrap_or(&Value::Bool(true));
        for (name, their) in theirs {
            let at = join(path, name);
            match mine.get(name) {
                Some(my) => self.node(&at, my, their),
                None if *rest == closed => {
                    self.fail(&at, Rule::UnknownToReader, "the reader takes no such property");
                }
                None => self.node(&at, rest, their),
            }
        }
        let their_rest = writer.get("additionalProperties").unwrap_or(&Value::Bool(true));
        if *their_rest == closed {
            return;
        }
        if *rest == closed {
            self.fail(path, Rule::UnknownToReader, "the writer may send any property");
        } else {
            self.node(&join(path, "*"), rest, their_rest);
        }
    }

    fn unknown_keywords(
        &mut self,
        path: &str,
        reader: &Map<String, Value>,
        writer: &Map<String, Value>,
    ) {
        let names: BTreeSet<&String> = reader.keys().chain(writer.keys()).collect();
        for name in names {
            let handled = [&PROSE[..], &LOWER, &UPPER, &EQUAL, &KNOWN]
                .iter()
                .any(|list| list.contains(&name.as_str()));
            let combined = COMBINED.contains(&name.as_str());
            // The same text may lead to other definitions.
            let same = reader.get(name) == writer.get(name)
                && (!combined || self.reader.get("$defs") == self.writer.get("$defs"));
            if (!handled || combined) && !same {
                self.fail(path, Rule::Undecided, format!("`{name}` differs"));
            }
        }
    }
}

/// Joins two paths; an index (`[3]`) needs no dot.
fn join(outer: &str, inner: &str) -> String {
    match (outer.is_empty(), inner.is_empty()) {
        (true, _) => inner.to_owned(),
        (_, true) => outer.to_owned(),
        _ if inner.starts_with('[') => format!("{outer}{inner}"),
        _ => format!("{outer}.{inner}"),
    }
}
