//! Keeps the README true: its option table comes from the schema, and its
//! example is read by the same code as a real configuration.

use std::{collections::BTreeMap, fmt::Write as _, fs, path::PathBuf};

use serde_json::Value;

const BEGIN: &str = "<!-- options: begin (a test writes this table) -->\n";
const END: &str = "<!-- options: end -->";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("README.md")
}

/// One line for each option, groups flattened to dotted names.
fn table() -> String {
    let schema = (crate::FACTORY.schema)();
    let mut text = "| option | default | meaning |\n|---|---|---|\n".to_owned();
    rows(&schema, &schema, "", &mut text);
    text
}

fn rows(schema: &Value, node: &Value, prefix: &str, text: &mut String) {
    let Some(properties) = node["properties"].as_object() else { return };
    let ordered: BTreeMap<_, _> = properties.iter().collect();
    for (name, option) in ordered {
        let reference = option["$ref"].as_str().or(option["allOf"][0]["$ref"].as_str());
        let target = reference.and_then(|path| schema.pointer(path.trim_start_matches('#')));
        let path = format!("{prefix}{name}");
        match target {
            Some(group) if group["properties"].is_object() && prefix.is_empty() => {
                rows(schema, group, &format!("{path}."), text);
            }
            _ => {
                let meaning = option["description"]
                    .as_str()
                    .or(target.and_then(|t| t["description"].as_str()));
                let meaning = meaning.unwrap_or_default().replace('\n', " ").replace('|', "\\|");
                let _ =
                    writeln!(text, "| `{path}` | {} | {meaning} |", default(option, node, name));
            }
        }
    }
}

fn default(option: &Value, node: &Value, name: &str) -> String {
    let required = node["required"].as_array().is_some_and(|all| all.iter().any(|one| one == name));
    match &option["default"] {
        _ if required => "required".to_owned(),
        Value::Null => String::new(),
        value => {
            let text = value.to_string().replace('|', "\\|");
            format!("`{text}`")
        }
    }
}

#[test]
fn the_option_table_is_fresh() {
    let text = fs::read_to_string(path()).unwrap();
    let (head, rest) = text.split_once(BEGIN).unwrap();
    let (_, tail) = rest.split_once(END).unwrap();
    let fresh = format!("{head}{BEGIN}{}{END}{tail}", table());
    if fresh != text {
        fs::write(path(), fresh).unwrap();
        panic!(
            "the option table of README.md was stale; it is written now, look at it and commit it"
        );
    }
}

#[test]
fn the_example_is_a_configuration() {
    let text = fs::read_to_string(path()).unwrap();
    let (_, rest) = text.split_once("```yaml\n").unwrap();
    let (example, _) = rest.split_once("```").unwrap();
    let settings: Value = serde_saphyr::from_str(example).unwrap();
    let config = serde_json::from_value::<crate::Config>(settings).unwrap();
    config.validate(&crate::samples::measures()).unwrap();
}
