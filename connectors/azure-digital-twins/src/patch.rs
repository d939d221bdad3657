//! Pure: what a twin holds and what it shall hold, to the bodies of a PATCH.
//!
//! `add` is an upsert, an unset map has no path (section 1.4 and its
//! corrections): the first write of a map carries the whole of it, a later one
//! the changed keys, or the whole map where that is shorter. What is equal
//! already is not sent. Past keys leave with a change of their map.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde_json::{Map, Value};

use crate::encode::{Change, number};

/// Bytes of one request, and of a twin (section 1.13).
pub(crate) const BYTES_MAX: usize = 32 * 1_024;

/// What is to be sent to one twin.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) struct Patch {
    /// Bodies, in their order: one, unless the limit of a request cuts them.
    pub(crate) bodies: Vec<String>,
    /// By how many bytes the twin grows, with what is kept beside each map.
    pub(crate) grows: i64,
    /// Values that are sent.
    pub(crate) values: usize,
    /// Each changed map as a member of the component, whole: what a file carries.
    pub(crate) maps: Vec<String>,
}

/// The patch that brings `changes` into the component of a twin.
pub(crate) fn patch<'a>(
    component: &str,
    component_held: &Value,
    changes: impl Iterator<Item = &'a Change>,
    source_time: Option<&str>,
    is_past: impl Fn(&str) -> bool,
) -> Patch {
    let mut maps: BTreeMap<&str, BTreeMap<&str, &Change>> = BTreeMap::new();
    for change in changes {
        maps.entry(&change.property).or_default().insert(&change.key, change);
    }
    let mut ops = Vec::new();
    let mut patch = Patch::default();
    for (property, wanted) in &maps {
        let held = component_held.get(property).and_then(Value::as_object);
        let differs = |change: &Change| {
            let value = held.and_then(|map| decimal(map.get(&change.key)?));
            value != Some(change.value)
        };
        let changed: Vec<&Change> = wanted.values().copied().filter(|one| differs(one)).collect();
        if changed.is_empty() {
            continue;
        }
        let past = |key: &str| is_past(key) && !wanted.contains_key(key);
        let whole = whole(held, wanted, &past);
        patch.maps.push(format!("\"{property}\":{whole}"));
        let path = format!("/{component}/{property}");
        let replaced = vec![add(&path, &whole)];
        let single = held.map(|held| {
            let keep =
                changed.iter().map(|one| add(&format!("{path}/{}", one.key), &number(one.value)));
            let gone = held.keys().filter(|key| past(key));
            let gone = gone.map(|key| format!(r#"{{"op":"remove","path":"{path}/{key}"}}"#));
            keep.chain(gone).collect::<Vec<_>>()
        });
        let before = held.map_or(0, |held| Value::Object(held.clone()).to_string().len());
        let beside = &component_held["$metadata"][property];
        patch.grows +=
            length(whole.len()) - length(before) + stamped(beside, property, source_time);
        if held.is_none() {
            patch.grows += named(property);
        }
        let size = |ops: &[String]| ops.iter().map(String::len).sum::<usize>();
        match single.filter(|single| size(single) < size(&replaced)) {
            Some(single) => {
                patch.values += changed.len();
                ops.extend(single);
            }
            None => {
                patch.values += whole.matches(':').count();
                ops.extend(replaced);
            }
        }
        if let Some(time) = source_time {
            let path = format!("/{component}/$metadata/{property}/sourceTime");
            ops.push(add(&path, &format!("\"{time}\"")));
        }
    }
    patch.bodies = bodies(ops);
    patch
}

/// The whole map after the change, as JSON.
fn whole(
    held: Option<&Map<String, Value>>,
    wanted: &BTreeMap<&str, &Change>,
    past: &impl Fn(&str) -> bool,
) -> String {
    let kept = held.into_iter().flatten().filter(|(key, _)| !past(key));
    let mut all: BTreeMap<&str, String> =
        kept.map(|(key, value)| (key.as_str(), value.to_string())).collect();
    all.extend(wanted.iter().map(|(key, one)| (*key, number(one.value))));
    let pairs: Vec<String> =
        all.into_iter().map(|(key, value)| format!("{}:{value}", Value::from(key))).collect();
    format!("{{{}}}", pairs.join(","))
}

fn add(path: &str, value: &str) -> String {
    format!(r#"{{"op":"add","path":"{path}","value":{value}}}"#)
}

/// As few bodies as the limit of a request allows.
fn bodies(ops: Vec<String>) -> Vec<String> {
    let mut bodies: Vec<String> = Vec::new();
    for op in ops {
        match bodies.last_mut() {
            Some(body) if body.len() + op.len() + 2 <= BYTES_MAX => {
                body.push(',');
                body.push_str(&op);
            }
            _ => bodies.push(format!("[{op}")),
        }
    }
    bodies.iter_mut().for_each(|body| body.push(']'));
    bodies
}

/// Bytes by which the service's notes of a map grow: when it was changed, and the time
/// of its source. `held` is what they are now.
fn stamped(held: &Value, property: &str, source_time: Option<&str>) -> i64 {
    let Some(held) = held.as_object() else {
        let source = source_time.map_or(0, |time| named("sourceTime") + quoted(time));
        return named(property)
            + quoted("lastUpdateTime")
            + quoted(STAMP)
            + length("{:}".len())
            + source;
    };
    let new = source_time.map_or(0, |time| match held.get("sourceTime") {
        Some(there) => quoted(time) - length(there.to_string().len()),
        None => named("sourceTime") + quoted(time),
    });
    let before = held.get("lastUpdateTime").map_or(0, |there| length(there.to_string().len()));
    new + quoted(STAMP) - before
}

/// A time as the service writes it.
const STAMP: &str = "2026-11-22T00:00:00.0000000Z";

/// Bytes of a member's name, with its colon and comma.
fn named(name: &str) -> i64 {
    quoted(name) + 2
}

fn quoted(text: &str) -> i64 {
    length(text.len()) + 2
}

fn length(bytes: usize) -> i64 {
    i64::try_from(bytes).unwrap_or(i64::MAX)
}

/// A number of a twin, exactly as it is written there.
pub(crate) fn decimal(value: &Value) -> Option<Decimal> {
    let text = value.as_number()?.to_string();
    text.parse().or_else(|_| Decimal::from_scientific(&text)).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn change(property: &str, key: &str, value: &str) -> Change {
        let value: Decimal = value.parse().unwrap();
        let (property, key) = (property.to_owned(), key.to_owned());
        Change { property, key, value, cell: 0 }
    }

    fn patched(held: &Value, changes: &[Change], past: &str) -> Patch {
        patch("capacity", held, changes.iter(), Some("2026-11-22T00:00:00Z"), |key| key < past)
    }

    #[test]
    fn the_first_write_carries_the_whole_map_and_the_next_only_what_changed() {
        let changes = [change("hours", "W2026_49", "38.50"), change("hours", "W2026_50", "36.25")];
        let first = patched(&json!({ "$metadata": {} }), &changes, "");
        insta::assert_snapshot!(first.bodies.concat(), @r#"[{"op":"add","path":"/capacity/hours","value":{"W2026_49":38.5,"W2026_50":36.25}},{"op":"add","path":"/capacity/$metadata/hours/sourceTime","value":"2026-11-22T00:00:00Z"}]"#);
        let weeks = |n: u32| (format!("W2027_{n:02}"), json!(30.0));
        let mut held: Map<String, Value> = (1..=20).map(weeks).collect();
        held.insert("W2026_49".into(), json!(38.5));
        let next = patched(&json!({ "hours": held }), &changes, "");
        insta::assert_snapshot!(next.bodies.concat(), @r#"[{"op":"add","path":"/capacity/hours/W2026_50","value":36.25},{"op":"add","path":"/capacity/$metadata/hours/sourceTime","value":"2026-11-22T00:00:00Z"}]"#);
        assert_eq!(next.values, 1);
    }

    #[test]
    fn what_is_held_already_is_not_sent() {
        let held = json!({ "hours": { "W2026_49": 38.5 }, "status": { "W2026_49": 1 } });
        let same = [change("hours", "W2026_49", "38.50"), change("status", "W2026_49", "1")];
        assert_eq!(patched(&held, &same, ""), Patch::default());
    }

    #[test]
    fn past_keys_leave_and_the_shorter_form_goes_out() {
        let old = (1..=40).map(|n| (format!("W2025_{n:02}"), json!(30.25)));
        let held = json!({ "hours": old.collect::<Map<_, _>>() });
        let one = [change("hours", "W2026_49", "38.50")];
        let body = patched(&held, &one, "W2026").bodies.concat();
        assert!(body.contains(r#""value":{"W2026_49":38.5}"#), "the whole map is shorter: {body}");
        let few = json!({ "hours": { "W2025_01": 1.5, "W2026_50": 2.5, "W2026_51": 2.5,
            "W2026_52": 2.5, "W2026_53": 2.5, "W2027_01": 2.5, "W2027_02": 2.5, "W2027_03": 2.5 } });
        let body = patched(&few, &one, "W2026").bodies.concat();
        assert!(!body.contains("W2025_01\":"), "{body}");
    }

    /// What the service makes of a component: the operations, and its notes beside each
    /// map that they touch.
    fn carried_out(component: &Value, bodies: &[String]) -> Value {
        let mut after = component.clone();
        for op in bodies.iter().flat_map(|body| serde_json::from_str::<Vec<Value>>(body).unwrap()) {
            let path: Vec<&str> = op["path"].as_str().unwrap().split('/').skip(2).collect();
            let (removes, value) = (op["op"] == "remove", op["value"].clone());
            match path.as_slice() {
                [map] => after[*map] = value,
                ["$metadata", map, time] => after["$metadata"][*map][*time] = value,
                [map, key] if removes => _ = after[*map].as_object_mut().unwrap().remove(*key),
                [map, key] => after[*map][*key] = value,
                other => unreachable!("{other:?}"),
            }
            if path[0] != "$metadata" {
                after["$metadata"][path[0]]["lastUpdateTime"] = json!(STAMP);
            }
        }
        after
    }

    proptest! {
        #[test]
        fn a_twin_grows_by_what_was_foretold(
            maps in proptest::collection::vec((0_u32..40, 0_u32..40, 0_u32..30), 1..5),
            dated in any::<bool>(),
            timed in any::<bool>(),
            past in 0_u32..40,
        ) {
            let mut held = json!({ "$metadata": {} });
            let mut changes = Vec::new();
            for (at, (from, count, wanted)) in maps.iter().enumerate() {
                let map = format!("map{at}");
                for key in *from..from + count {
                    held[&map][format!("W2026_{key:02}")] = json!(1.5);
                    let mut note = json!({ "lastUpdateTime": STAMP });
                    if dated {
                        note["sourceTime"] = json!("2026-11-22T00:00:00Z");
                    }
                    held["$metadata"][&map] = note;
                }
                changes.extend((0..*wanted).map(|key| change(&map, &format!("W2026_{:02}", key * 2), "12.25")));
            }
            let time = timed.then_some("2026-11-29T00:00:00Z");
            let limit = format!("W2026_{past:02}");
            let patch = patch("capacity", &held, changes.iter(), time, |key| key < limit.as_str());
            let after = carried_out(&held, &patch.bodies);
            let grown = length(after.to_string().len()) - length(held.to_string().len());
            // A first member of its object has no comma before it.
            prop_assert!((0..=9).contains(&(patch.grows - grown)), "{} foretold, {grown} grown", patch.grows);
        }
    }

    #[test]
    fn a_request_is_cut_at_its_limit_and_no_map_is_lost() {
        let changes: Vec<Change> = (0..40)
            .flat_map(|map| {
                (0..90)
                    .map(move |n| change(&format!("map{map:02}"), &format!("W{n:04}_01"), "1.25"))
            })
            .collect();
        let patch = patched(&json!({}), &changes, "");
        assert!(patch.bodies.len() > 1);
        let read = |body: &String| serde_json::from_str::<Vec<Value>>(body).unwrap().len();
        assert_eq!(patch.bodies.iter().map(read).sum::<usize>(), 80, "a map and its time each");
        assert!(patch.bodies.iter().all(|body| body.len() <= BYTES_MAX));
    }
}
