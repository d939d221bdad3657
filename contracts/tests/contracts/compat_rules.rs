//! Each rule of the compatibility check has an example that fails, and the
//! published contracts are compatible with themselves.

use planthread_contracts::{CONTRACTS, Direction};
use serde_json::{Value, json};

use crate::{
    compat::{Rule, breaks},
    examples::VALID,
};

fn record(properties: Value, required: &[&str]) -> Value {
    let mut schema = json!({"type": "object", "required": required,
        "additionalProperties": false});
    schema["properties"] = properties;
    schema
}

/// One property `x` of the given schema, required.
fn with(schema: Value) -> Value {
    let mut properties = json!({});
    properties["x"] = schema;
    record(properties, &["x"])
}

fn found(direction: Direction, old: &Value, new: &Value) -> Vec<(String, Rule)> {
    breaks(direction, old, new).into_iter().map(|one| (one.path, one.rule)).collect()
}

/// `narrow` takes less than `wide`. Inbound may only widen, outbound may only
/// narrow.
fn check(narrow: &Value, wide: &Value, path: &str, rule: Rule) {
    let expected = [(path.to_owned(), rule)];
    assert_eq!(found(Direction::Inbound, wide, narrow), expected, "inbound narrowed");
    assert_eq!(found(Direction::Inbound, narrow, wide), [], "inbound widened");
    assert_eq!(found(Direction::Outbound, narrow, wide), expected, "outbound widened");
    assert_eq!(found(Direction::Outbound, wide, narrow), [], "outbound narrowed");
}

#[test]
fn a_required_property_is_added_inbound_or_dropped_outbound() {
    let narrow = record(json!({"x": {"type": "string"}}), &["x"]);
    let wide = record(json!({"x": {"type": "string"}}), &[]);
    check(&narrow, &wide, "x", Rule::RequiredByReader);
}

#[test]
fn a_property_is_unknown_to_a_strict_reader() {
    let narrow = record(json!({"x": {"type": "string"}}), &["x"]);
    let wide = record(json!({"x": {"type": "string"}, "y": {"type": "string"}}), &["x"]);
    check(&narrow, &wide, "y", Rule::UnknownToReader);
    let open = json!({"type": "object", "properties": {"x": {"type": "string"}},
        "required": ["x"]});
    check(&narrow, &open, "", Rule::UnknownToReader);
}

#[test]
fn a_type_changes() {
    check(
        &with(json!({"type": "string"})),
        &with(json!({"type": ["string", "number"]})),
        "x",
        Rule::TypeRefused,
    );
    check(
        &with(json!({"type": "integer"})),
        &with(json!({"type": "number"})),
        "x",
        Rule::TypeRefused,
    );
    check(&with(json!({"type": "string"})), &with(json!(true)), "x", Rule::TypeRefused);
    let (old, new) = (with(json!({"type": "string"})), with(json!({"type": "boolean"})));
    for direction in [Direction::Inbound, Direction::Outbound] {
        assert_eq!(found(direction, &old, &new), [("x".to_owned(), Rule::TypeRefused)]);
    }
}

#[test]
fn a_word_is_removed_inbound_or_added_outbound() {
    let few = with(json!({"type": "string", "enum": ["HUR"]}));
    let many = with(json!({"type": "string", "enum": ["HUR", "MIN"]}));
    check(&few, &many, "x", Rule::WordRefused);
    check(&few, &with(json!({"type": "string"})), "x", Rule::WordRefused);
    check(&with(json!({"const": 1})), &with(json!({"enum": [1, 2]})), "x", Rule::WordRefused);
}

#[test]
fn a_bound_is_narrowed_inbound_or_widened_outbound() {
    for (narrow, wide) in [
        (json!({"minimum": 0}), json!({"minimum": -1})),
        (json!({"maximum": 6}), json!({"maximum": 8})),
        (json!({"maxLength": 40}), json!({"type": "string"})),
        (json!({"minItems": 1}), json!({"minItems": 0})),
    ] {
        let (mut narrow, wide) = (narrow, wide);
        if let Some(kind) = wide.get("type") {
            narrow["type"] = kind.clone();
        }
        check(&with(narrow), &with(wide), "x", Rule::BoundNarrower);
    }
}

#[test]
fn a_pattern_or_format_is_added() {
    let free = with(json!({"type": "string"}));
    check(
        &with(json!({"type": "string", "pattern": "^[A-Z]+$"})),
        &free,
        "x",
        Rule::TextRuleDiffers,
    );
    check(
        &with(json!({"type": "string", "format": "date-time"})),
        &free,
        "x",
        Rule::TextRuleDiffers,
    );
}

#[test]
fn an_alternative_disappears_or_appears() {
    let form = |name: &str| {
        let mut properties = json!({});
        properties[name] = json!({"type": "number"});
        record(properties, &[name])
    };
    let few = with(json!({"oneOf": [form("point"), form("mean")]}));
    let many = with(json!({"oneOf": [form("point"), form("mean"), form("scenarios")]}));
    check(&few, &many, "x", Rule::AlternativeRefused);
    check(&with(form("point")), &few, "x", Rule::AlternativeRefused);
}

#[test]
fn what_the_check_does_not_know_is_reported() {
    let old = with(json!({"type": "object", "propertyNames": {"maxLength": 3}}));
    let new = with(json!({"type": "object", "propertyNames": {"maxLength": 4}}));
    assert_eq!(found(Direction::Inbound, &old, &new), [("x".to_owned(), Rule::Undecided)]);
    let beside = |most: u32| {
        with(json!({"type": "number", "oneOf": [{"multipleOf": 2}, {"maximum": most}]}))
    };
    let found_beside = found(Direction::Inbound, &beside(8), &beside(6));
    assert_eq!(found_beside, [("x".to_owned(), Rule::Undecided)]);
    let lost = with(json!({"$ref": "#/$defs/Gone"}));
    assert_eq!(found(Direction::Inbound, &lost, &lost), [("x".to_owned(), Rule::Undecided)]);
}

#[test]
fn references_lists_and_recursion_are_followed() {
    let tree = |kind: &str| {
        json!({"$ref": "#/$defs/Node", "$defs": {"Node": {"type": "object",
            "properties": {"value": {"type": kind},
                "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}}},
            "additionalProperties": false}}})
    };
    check(&tree("integer"), &tree("number"), "value", Rule::TypeRefused);
    let list = |kind: &str| with(json!({"type": "array", "items": {"type": kind}}));
    check(&list("integer"), &list("number"), "x[]", Rule::TypeRefused);
}

#[test]
fn published_contracts_are_compatible_with_themselves() {
    for entry in &CONTRACTS {
        let schema = (entry.schema)();
        for direction in [Direction::Inbound, Direction::Outbound] {
            let found = breaks(direction, &schema, &schema);
            assert!(found.is_empty(), "{}: {found:?}", entry.name);
        }
    }
}

/// The check agrees with a real validator: whatever property of a valid example
/// is removed from the new schema, the check sees it and the example breaks.
#[test]
fn a_real_contract_that_loses_a_property_breaks_its_examples() {
    for entry in CONTRACTS.iter().filter(|entry| entry.name != "envelope") {
        let old = (entry.schema)();
        let names: Vec<String> = old["properties"].as_object().unwrap().keys().cloned().collect();
        for name in names {
            let mut new = old.clone();
            new["properties"].as_object_mut().unwrap().remove(&name);
            new["required"].as_array_mut().unwrap().retain(|one| *one != name);
            let found = breaks(Direction::Inbound, &old, &new);
            assert_eq!(found.len(), 1, "{}.{name}: {found:?}", entry.name);
            assert_eq!((&found[0].path, found[0].rule), (&name, Rule::UnknownToReader));
            let reader = jsonschema::validator_for(&new).unwrap();
            for one in VALID.iter().filter(|one| one.contract == entry.name) {
                let value: Value = serde_json::from_str(one.text).unwrap();
                assert_eq!(reader.is_valid(&value), value.get(&name).is_none(), "{name}");
            }
        }
    }
}

/// JSON pointers of every node below the root.
fn pointers(value: &Value, at: &str, into: &mut Vec<String>) {
    let children: Vec<(String, &Value)> = match value {
        Value::Object(map) => map.iter().map(|(key, child)| (key.clone(), child)).collect(),
        Value::Array(list) => {
            list.iter().enumerate().map(|(i, child)| (i.to_string(), child)).collect()
        }
        _ => return,
    };
    for (key, child) in children {
        let here = format!("{at}/{key}");
        into.push(here.clone());
        pointers(child, &here, into);
    }
}

fn without(schema: &Value, pointer: &str) -> Value {
    let mut schema = schema.clone();
    let (parent, key) = pointer.rsplit_once('/').expect("below the root");
    match schema.pointer_mut(parent) {
        Some(Value::Object(map)) => drop(map.remove(key)),
        Some(Value::Array(list)) => drop(list.remove(key.parse().expect("an index"))),
        _ => {}
    }
    schema
}

/// Soundness: when the check finds nothing, a real validator takes every old
/// example with the new schema, whichever single node of it has changed.
#[test]
fn silence_means_that_every_old_example_is_taken() {
    let (mut silent, mut loud) = (0, 0);
    // The contract with unions, references, lists and optional records.
    let name = "availability-forecast";
    let old = (planthread_contracts::catalogue::find(name).unwrap().schema)();
    let mut nodes = Vec::new();
    pointers(&old, "", &mut nodes);
    let instead = [json!(false), json!("boolean"), json!(["x"]), json!({}), json!(["object"])];
    nodes.retain(|node| !node.ends_with("/description"));
    for (node, value) in nodes.iter().zip(instead.iter().cycle()) {
        let mut new = old.clone();
        new.pointer_mut(node).unwrap().clone_from(value);
        let changed = [without(&old, node), new];
        for new in changed {
            if !breaks(Direction::Inbound, &old, &new).is_empty() {
                loud += 1;
                continue;
            }
            let Ok(reader) = jsonschema::validator_for(&new) else { continue };
            silent += 1;
            for one in VALID.iter().filter(|one| one.contract == name) {
                let value: Value = serde_json::from_str(one.text).unwrap();
                assert!(reader.is_valid(&value), "{name} {node}: {}", one.name);
            }
        }
    }
    assert!(silent > 100 && loud > 100, "{silent} silent, {loud} loud");
}
