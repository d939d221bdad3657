//! Reading one node of a schema: what its keywords say, without comparing.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// Keywords that only people read.
pub(super) const PROSE: [&str; 8] =
    ["$schema", "$id", "$defs", "$comment", "title", "description", "examples", "default"];
pub(super) fn reference(node: &Value) -> String {
    node.get("$ref").and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// Rules that stand beside a `$ref`; a node without one counts as none.
pub(super) fn rules_beside_reference(node: &Value) -> Vec<(&String, &Value)> {
    let object = node.as_object().filter(|object| object.contains_key("$ref"));
    object
        .into_iter()
        .flatten()
        .filter(|(name, _)| *name != "$ref" && !PROSE.contains(&name.as_str()))
        .collect()
}

pub(super) fn resolve<'a>(root: &'a Value, node: &'a Value) -> Option<&'a Value> {
    let mut node = node;
    // A chain longer than any real schema's is a circle.
    for _ in 0..32 {
        let Some(target) = node.get("$ref").and_then(Value::as_str) else { return Some(node) };
        node = root.pointer(target.strip_prefix('#')?)?;
    }
    None
}

/// The number of keywords that refuse anything.
pub(super) fn rules(node: &Map<String, Value>) -> usize {
    node.keys().filter(|name| !PROSE.contains(&name.as_str())).count()
}

/// The alternatives of a node; a node without a union is its own only one.
/// `None` when it carries rules beside the union, or both kinds of union.
pub(super) fn union(node: &Map<String, Value>) -> Option<Vec<Value>> {
    let lists: Vec<&Vec<Value>> =
        ["anyOf", "oneOf"].iter().filter_map(|name| node.get(*name)?.as_array()).collect();
    match lists.as_slice() {
        [] => Some(vec![Value::Object(node.clone())]),
        [list] if rules(node) == 1 => Some((*list).clone()),
        _ => None,
    }
}

pub(super) fn types(node: &Map<String, Value>) -> Option<BTreeSet<&str>> {
    match node.get("type")? {
        Value::String(one) => Some(BTreeSet::from([one.as_str()])),
        Value::Array(many) => Some(many.iter().filter_map(Value::as_str).collect()),
        _ => None,
    }
}

pub(super) fn may_be(node: &Map<String, Value>, kind: &str) -> bool {
    types(node).is_none_or(|kinds| kinds.contains(kind))
}

pub(super) fn words(node: &Map<String, Value>) -> Option<Vec<&Value>> {
    match (node.get("const"), node.get("enum")) {
        (Some(one), _) => Some(vec![one]),
        (None, Some(Value::Array(many))) => Some(many.iter().collect()),
        _ => None,
    }
}

pub(super) fn properties(node: &Map<String, Value>) -> Option<&Map<String, Value>> {
    node.get("properties")?.as_object()
}

pub(super) fn required(node: &Map<String, Value>) -> BTreeSet<&str> {
    let list = node.get("required").and_then(Value::as_array);
    list.into_iter().flatten().filter_map(Value::as_str).collect()
}

/// Whether `one` requires a property that the closed object `other` refuses.
pub(super) fn demands_unknown(one: &Map<String, Value>, other: &Map<String, Value>) -> bool {
    other.get("additionalProperties") == Some(&Value::Bool(false))
        && required(one)
            .iter()
            .any(|name| properties(other).is_none_or(|known| !known.contains_key(*name)))
}

/// A short name of an alternative, for people.
pub(super) fn label(node: &Value) -> String {
    if let Some(word) = node.get("const") {
        return word.to_string();
    }
    match node.get("required").and_then(Value::as_array).map(Vec::as_slice) {
        Some([one]) => format!("{{{one}: ..}}"),
        _ => node
            .get("$ref")
            .or_else(|| node.get("type"))
            .map_or_else(|| "an alternative".to_owned(), ToString::to_string),
    }
}
