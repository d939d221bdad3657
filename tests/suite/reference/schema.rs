//! A JSON Schema as tables: a section for each type, a row for each field.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::Value;

use super::commands::{cell, one_line};

/// The page of one schema.
pub(super) fn page(title: &str, about: &str, schema: &Value) -> String {
    let mut page =
        format!("# {title}\n\n{about} This page is made from its schema; a test keeps it fresh.\n");
    body(&mut page, schema);
    parts(&mut page, schema);
    page
}

/// The page of all answers, by the names that they give themselves.
pub(super) fn answers(title: &str, about: &str, schema: &Value) -> String {
    let mut page = format!(
        "# {title}\n\n{about} This page is made from their schemas; a test keeps it fresh.\n"
    );
    let of = |one: &Value| one["properties"]["output"]["const"].as_str().map(str::to_owned);
    for one in schema["oneOf"].as_array().into_iter().flatten() {
        let _ = write!(page, "\n## Answer `{}`\n", of(one).unwrap_or_default());
        body(&mut page, one);
    }
    parts(&mut page, schema);
    page
}

/// What a schema refers to.
fn parts(page: &mut String, schema: &Value) {
    for (name, one) in object(schema, "$defs") {
        let _ = write!(page, "\n## {name}\n");
        body(page, one);
    }
}

/// The members of `schema.field`, in order of their names, whatever the build keeps.
fn object<'a>(schema: &'a Value, field: &str) -> BTreeMap<&'a String, &'a Value> {
    schema[field].as_object().into_iter().flatten().collect()
}

fn body(page: &mut String, schema: &Value) {
    let about = text_of(schema);
    if !about.is_empty() {
        let _ = write!(page, "\n{about}\n");
    }
    let (fields, forms) = (fields(schema), forms(schema));
    if !fields.is_empty() {
        let _ = write!(page, "\n| field | type | default | meaning |\n|---|---|---|---|\n{fields}");
    }
    if !forms.is_empty() {
        let _ = write!(page, "\n| one of | meaning |\n|---|---|\n{forms}");
    }
    if fields.is_empty() && forms.is_empty() {
        let _ = write!(page, "\nWritten as {}.\n", kind(schema));
    }
}

/// The description; a link to a type of the code is its name.
fn text_of(schema: &Value) -> String {
    let text = one_line(schema["description"].as_str().unwrap_or_default());
    text.replace("[`crate::", "`").replace("[`", "`").replace("`]", "`")
}

fn fields(schema: &Value) -> String {
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let row = |(name, one): (&String, &Value)| {
        let default = match (&one["default"], required.contains(&name.as_str())) {
            (_, true) => "required".to_owned(),
            (Value::Null, false) => String::new(),
            (default, false) => format!("`{default}`"),
        };
        let (kind, about) = (cell(&kind(one)), cell(&text_of(one)));
        format!("| `{name}` | {kind} | {} | {about} |\n", cell(&default))
    };
    object(schema, "properties").into_iter().map(row).collect()
}

/// Alternatives that have names: values of an enumeration, or forms with fields.
fn forms(schema: &Value) -> String {
    let all = schema["oneOf"].as_array().into_iter().flatten();
    let row = |one: &Value| {
        let name = match (&one["const"], one["properties"].is_object()) {
            (Value::Null, true) => form(one),
            (Value::Null, false) => kind(one),
            (value, _) => format!("`{}`", value.as_str().map_or(value.to_string(), str::to_owned)),
        };
        format!("| {} | {} |\n", cell(&name), cell(&format!("{}{}", text_of(one), told(one, ""))))
    };
    let listed = schema["enum"].as_array().into_iter().flatten();
    let listed = listed.filter_map(Value::as_str).map(|value| format!("| `{value}` | |\n"));
    all.map(row).chain(listed).collect()
}

/// The fields of a form, those that say which one it is with their value.
fn form(one: &Value) -> String {
    let field = |(name, field): (&String, &Value)| match field["const"].as_str() {
        Some(tag) => format!("`{name}: {tag}`"),
        None => format!("`{name}`"),
    };
    object(one, "properties").into_iter().map(field).collect::<Vec<_>>().join(", ")
}

/// What the fields of a form mean, and those within them.
fn told(one: &Value, before: &str) -> String {
    let mut said = String::new();
    for (name, field) in object(one, "properties") {
        if field["const"].is_null() {
            let _ = write!(said, " `{before}{name}` ({}): {}", kind(field), text_of(field));
            said.push_str(&told(field, &format!("{before}{name}.")));
        }
    }
    said
}

/// What is written there, in words.
fn kind(schema: &Value) -> String {
    if let Some(name) = schema["$ref"].as_str().and_then(|name| name.rsplit('/').next()) {
        return format!("[{name}](#{})", name.to_lowercase());
    }
    for alternatives in ["anyOf", "oneOf"] {
        if let Some(all) = schema[alternatives].as_array() {
            let each =
                all.iter().filter(|one| one["type"] != "null").map(|one| match &one["const"] {
                    Value::Null => kind(one),
                    value => format!("`{value}`"),
                });
            return each.collect::<Vec<_>>().join(" or ");
        }
    }
    if !schema["const"].is_null() {
        return format!("`{}`", schema["const"]);
    }
    if let Some(values) = schema["enum"].as_array() {
        return values.iter().map(|one| format!("`{one}`")).collect::<Vec<_>>().join(", ");
    }
    let types = match &schema["type"] {
        Value::Array(all) => {
            all.iter().filter_map(Value::as_str).filter(|one| *one != "null").collect()
        }
        one => one.as_str().into_iter().collect::<Vec<_>>(),
    };
    match types.as_slice() {
        ["array"] => format!("list of {}", kind(&schema["items"])),
        ["object"] if schema["additionalProperties"].is_object() => {
            format!("mapping of names to {}", kind(&schema["additionalProperties"]))
        }
        ["object"] => "mapping".to_owned(),
        [] => "any value".to_owned(),
        several => format!("{}{}", several.join(" or "), bounds(schema)),
    }
}

fn bounds(schema: &Value) -> String {
    let format =
        schema["format"].as_str().filter(|one| !one.starts_with(['u', 'i']) || *one == "uri");
    let mut said: Vec<String> = format.map(str::to_owned).into_iter().collect();
    match (&schema["minimum"], &schema["maximum"]) {
        (Value::Null, Value::Null) => {}
        (from, Value::Null) => said.push(format!("from {from}")),
        (Value::Null, to) => said.push(format!("to {to}")),
        (from, to) => said.push(format!("{from} to {to}")),
    }
    if said.is_empty() { String::new() } else { format!(" ({})", said.join(", ")) }
}
