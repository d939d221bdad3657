//! JSON Patch as the service takes it: `add`, `replace`, `remove`, nothing else.
//!
//! `add` is an upsert, `replace` needs something to replace, a path needs its
//! parent (section 1.4).

use jiff::Timestamp;
use serde_json::{Map, Value};

use super::wire::Refusal;

/// One operation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Op {
    pub(super) kind: Kind,
    /// The path, cut and unescaped.
    pub(super) path: Vec<String>,
    pub(super) value: Value,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Add,
    Replace,
    Remove,
}

/// Reads the operations of a body.
pub(super) fn read(body: &Value) -> Result<Vec<Op>, Refusal> {
    let Value::Array(items) = body else {
        return Err(Refusal::unreadable("The JSON value could not be converted to a patch."));
    };
    items.iter().map(op).collect()
}

fn op(item: &Value) -> Result<Op, Refusal> {
    if !item.is_object() {
        return Err(Refusal::unreadable("The JSON value could not be converted to an operation."));
    }
    let kind = match item["op"].as_str().unwrap_or_default() {
        "" => return Err(Refusal::patch("Parameter op must not be empty")),
        "add" => Kind::Add,
        "replace" => Kind::Replace,
        "remove" => Kind::Remove,
        other => return Err(Refusal::patch(format!("Unsupported operation type {other}"))),
    };
    let path = item["path"].as_str().unwrap_or_default();
    let Some(rest) = path.strip_prefix('/').filter(|rest| !rest.is_empty()) else {
        return Err(Refusal::patch("Parameter path must be a JSON pointer"));
    };
    let path = rest.split('/').map(|part| part.replace("~1", "/").replace("~0", "~")).collect();
    let value = item.get("value").cloned().unwrap_or_default();
    if kind != Kind::Remove && item.get("value").is_none() {
        return Err(Refusal::patch("Parameter value must not be empty"));
    }
    Ok(Op { kind, path, value })
}

/// Carries one operation out on a document.
pub(super) fn apply(document: &mut Map<String, Value>, op: &Op) -> Result<(), Refusal> {
    let wrong = |text: String| Refusal::patch(text);
    let shown = format!("/{}", op.path.join("/"));
    let (last, parents) =
        op.path.split_last().ok_or_else(|| wrong("a path is empty".to_owned()))?;
    let mut at = document;
    for name in parents {
        at = at
            .get_mut(name)
            .and_then(Value::as_object_mut)
            .ok_or_else(|| wrong(format!("The parent of the path {shown} does not exist.")))?;
    }
    match op.kind {
        Kind::Add => {
            at.insert(last.clone(), op.value.clone());
        }
        Kind::Replace | Kind::Remove if !at.contains_key(last) => {
            return Err(wrong(format!("The path {shown} does not exist.")));
        }
        Kind::Replace => {
            at.insert(last.clone(), op.value.clone());
        }
        Kind::Remove => {
            at.remove(last);
        }
    }
    Ok(())
}

/// The source time that an operation sets; `None` where it is removed.
pub(super) fn source_time(op: &Op) -> Result<Option<String>, Refusal> {
    if op.kind == Kind::Remove {
        return Ok(None);
    }
    let text = op.value.as_str().filter(|text| text.parse::<Timestamp>().is_ok());
    text.map(|text| Some(text.to_owned()))
        .ok_or_else(|| Refusal::patch("sourceTime must be an ISO 8601 time with a zone"))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn patched(body: &Value) -> Result<Value, Refusal> {
        let mut document = json!({ "a": 1, "map": { "k": 1 } }).as_object().unwrap().clone();
        for op in read(body)? {
            apply(&mut document, &op)?;
        }
        Ok(Value::Object(document))
    }

    #[test]
    fn add_writes_over_and_replace_needs_what_it_replaces() {
        let add = json!([{ "op": "add", "path": "/a", "value": 2 },
            { "op": "add", "path": "/map/x~1y", "value": 3 },
            { "op": "remove", "path": "/map/k" }]);
        assert_eq!(patched(&add).unwrap(), json!({ "a": 2, "map": { "x/y": 3 } }));
        let absent = json!([{ "op": "replace", "path": "/b", "value": 2 }]);
        assert_eq!(patched(&absent).unwrap_err().code, "JsonPatchInvalid");
        let no_parent = json!([{ "op": "add", "path": "/none/k", "value": 2 }]);
        assert_eq!(patched(&no_parent).unwrap_err().code, "JsonPatchInvalid");
    }

    #[test]
    fn what_the_service_was_seen_to_refuse() {
        for (body, says) in [
            (json!([{ "op": "move", "path": "/a" }]), "Unsupported operation type move"),
            (json!([{}]), "Parameter op must not be empty"),
        ] {
            assert_eq!(patched(&body).unwrap_err().message, says);
        }
        assert_eq!(patched(&json!([["x"]])).unwrap_err().code, "", "the framework answers");
    }
}
