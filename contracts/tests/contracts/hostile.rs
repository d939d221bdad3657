//! Whatever a sender does to one field, the answer is a list of violations:
//! never a panic, and never a path that leads nowhere.

use planthread_contracts::{CONTRACTS, CloudEvent, catalogue};
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::examples::{Example, VALID};

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
        let here = format!("{at}/{}", key.replace('~', "~0").replace('/', "~1"));
        into.push(here.clone());
        pointers(child, &here, into);
    }
}

fn hostile() -> Vec<Value> {
    vec![
        json!(null),
        json!(true),
        json!(-1),
        json!(0),
        json!(1e308),
        json!(u64::MAX),
        json!("79228162514264337593543950335"),
        json!("-79228162514264337593543950335"),
        json!("0.0000000000000000000000000001"),
        json!("NaN"),
        json!(""),
        json!(" \u{0} "),
        json!("9999-12-30T22:00:00Z"),
        json!("-009999-01-02T02:00:00Z"),
        json!("9999-W52"),
        json!([]),
        json!([[], {}]),
        json!({}),
        json!({"point": {"value": "-79228162514264337593543950335"}}),
    ]
}

/// Whether `path` names a node of `value`, or a missing child of one.
fn leads_somewhere(value: &Value, path: &str) -> bool {
    let pointer = format!("/{}", path.replace('[', ".").replace(']', "").replace('.', "/"));
    let parent = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    path.is_empty() || value.pointer(&pointer).is_some() || value.pointer(parent).is_some()
}

fn parse(example: &Example) -> Value {
    serde_json::from_str(example.text).expect("examples are JSON")
}

#[test]
fn one_hostile_field_never_panics_and_unknown_ones_are_named() {
    for example in VALID {
        let entry = catalogue::find(example.contract).expect("listed");
        let good = parse(example);
        let mut nodes = Vec::new();
        pointers(&good, "", &mut nodes);
        for node in nodes {
            for value in hostile() {
                let mut bad = good.clone();
                *bad.pointer_mut(&node).expect("listed") = value;
                for found in (entry.check)(&bad) {
                    assert!(!found.reason.is_empty() && !found.cure.is_empty(), "{found:?}");
                    assert!(leads_somewhere(&bad, &found.path), "{}: {found}", example.name);
                }
            }
        }
        if entry.name != "envelope" {
            let mut typo = good.clone();
            typo["typo"] = json!(1);
            assert_eq!((entry.check)(&typo)[0].path, "typo", "{}", entry.name);
        }
    }
}

proptest! {
    #[test]
    fn any_two_hostile_fields_at_once(
        example in 0..VALID.len(), first: prop::sample::Index, second: prop::sample::Index,
        values: [prop::sample::Index; 2],
    ) {
        let example = &VALID[example];
        let mut bad = parse(example);
        for (index, value) in [first, second].into_iter().zip(values) {
            let mut nodes = Vec::new();
            pointers(&bad, "", &mut nodes);
            let hostile = hostile();
            *bad.pointer_mut(&nodes[index.index(nodes.len())]).unwrap() =
                hostile[value.index(hostile.len())].clone();
        }
        let entry = catalogue::find(example.contract).unwrap();
        let _ = (entry.check)(&bad);
    }

    #[test]
    fn any_bytes_are_an_answer(bytes: Vec<u8>) {
        let _ = CloudEvent::parse(&bytes);
        let _ = CloudEvent::parse_batch(&bytes);
    }
}

#[test]
fn a_record_of_the_wrong_kind_is_refused_everywhere() {
    for entry in &CONTRACTS {
        for value in [json!(null), json!([]), json!("x"), json!(1)] {
            assert!(!(entry.check)(&value).is_empty(), "{} {value}", entry.name);
        }
    }
}
