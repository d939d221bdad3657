//! Keeps the page of each connector true: its option table comes from the
//! schema, and its example is read by the same code as a real configuration.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    fs,
    path::{Path, PathBuf},
};

use planthread::{
    config,
    registry::{Registered, TARGETS},
};
use planthread_contracts::MeasureDecl;
use planthread_kit::target::TargetFactory;
use serde_json::Value;

const BEGIN: &str = "<!-- options: begin (a test writes this table) -->\n";
const END: &str = "<!-- options: end -->";

fn page(factory: &TargetFactory) -> PathBuf {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    root.join("connectors").join(factory.name).join("README.md")
}

/// One line for each option, groups flattened to dotted names.
fn table(factory: &TargetFactory) -> String {
    let schema = (factory.schema)();
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

/// The measures of the target's example.
fn measures(registered: &Registered) -> Vec<MeasureDecl> {
    let folder = format!("{}-sandbox", registered.target.name);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let file = root.join("examples").join(folder).join("planthread.yaml");
    let loaded = config::read(&file, None).unwrap();
    loaded.config.targets[registered.target.starter.name()].measures.clone()
}

#[test]
fn every_option_table_is_fresh() {
    let mut stale = Vec::new();
    for Registered { target, .. } in TARGETS {
        let text = fs::read_to_string(page(target)).unwrap();
        let (head, rest) = text.split_once(BEGIN).unwrap();
        let (_, tail) = rest.split_once(END).unwrap();
        let fresh = format!("{head}{BEGIN}{}{END}{tail}", table(target));
        if fresh != text {
            fs::write(page(target), fresh).unwrap();
            stale.push(target.name);
        }
    }
    assert!(
        stale.is_empty(),
        "stale option tables of {stale:?}; they are written now, look at them and commit them"
    );
}

#[test]
fn every_example_is_a_configuration() {
    for registered in TARGETS {
        let text = fs::read_to_string(page(registered.target)).unwrap();
        let (_, rest) = text.split_once("```yaml\n").unwrap();
        let (example, _) = rest.split_once("```").unwrap();
        let settings: Value = serde_saphyr::from_str(example).unwrap();
        (registered.target.validate)(&settings, &measures(registered))
            .unwrap_or_else(|fault| panic!("{}: {fault:?}", registered.target.name));
    }
}
