//! Rules and dashboard name numbers that `/metrics` prints, and no others.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use planthread::operate::{
    alerts::kinds::{KINDS, ONLY_FROM_OUTSIDE},
    metrics::FAMILIES,
};

/// Numbers that a file names.
fn named(file: &str) -> BTreeSet<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/monitoring").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{file}: {error}"));
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with("planthread_")).map(str::to_owned).collect()
}

#[test]
fn rules_and_dashboard_name_numbers_that_are_printed() {
    let known: BTreeSet<&str> = FAMILIES.iter().map(|family| family.name).collect();
    let mut wrong = Vec::new();
    for file in ["planthread.rules.yml", "planthread.test.yml", "dashboard.json"] {
        let names = named(file);
        assert!(names.len() > 10, "{file} names {names:?}");
        let unknown = names.iter().filter(|name| !known.contains(name.as_str()));
        wrong.extend(unknown.map(|name| format!("{file}: {name}")));
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn every_rule_is_tried_and_says_what_to_do() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/monitoring");
    let rules = fs::read_to_string(folder.join("planthread.rules.yml")).unwrap();
    let tests = fs::read_to_string(folder.join("planthread.test.yml")).unwrap();
    let rules: Vec<&str> = rules.split("- alert: ").skip(1).collect();
    assert!(rules.len() > 10, "{} rules", rules.len());
    for rule in rules {
        let name = rule.lines().next().unwrap();
        assert!(tests.contains(name), "{name} has no unit test");
        assert!(rule.contains("summary:") && rule.contains("action:"), "{name}");
        let severe = ["severity: page", "severity: ticket"].iter().any(|one| rule.contains(one));
        assert!(severe, "{name} has no known severity");
    }
}

/// The text of a field of a rule, without its quotes.
fn field<'a>(rule: &'a str, name: &str) -> &'a str {
    let line = rule.lines().find_map(|line| line.trim().strip_prefix(name));
    line.unwrap_or_else(|| panic!("no {name} in {rule}")).trim().trim_matches('"')
}

#[test]
fn rules_and_messages_are_of_one_list() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/monitoring");
    let text = fs::read_to_string(folder.join("planthread.rules.yml")).unwrap();
    let rules: BTreeMap<&str, &str> =
        text.split("- alert: ").skip(1).map(|rule| (rule.lines().next().unwrap(), rule)).collect();
    let listed: BTreeSet<&str> =
        KINDS.iter().map(|kind| kind.rule).chain(ONLY_FROM_OUTSIDE).collect();
    assert_eq!(rules.keys().copied().collect::<BTreeSet<_>>(), listed);
    for kind in &KINDS {
        let rule = rules[kind.rule];
        assert_eq!(field(rule, "action:"), kind.cure, "{}", kind.rule);
        assert!(kind.urgent || !rule.contains("severity: page"), "{} wakes nobody here", kind.rule);
    }
}

#[test]
fn the_dashboard_is_json_and_asks_on_every_panel() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/monitoring");
    let text = fs::read_to_string(folder.join("dashboard.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&text).unwrap();
    let panels = dashboard["panels"].as_array().unwrap();
    let ids: BTreeSet<_> = panels.iter().map(|panel| panel["id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), panels.len(), "each panel has its own number");
    for panel in panels {
        let expressions = panel["targets"].as_array().unwrap();
        let asks = |one: &serde_json::Value| one["expr"].as_str().unwrap().contains("planthread_");
        assert!(!expressions.is_empty() && expressions.iter().all(asks), "{}", panel["title"]);
    }
}
