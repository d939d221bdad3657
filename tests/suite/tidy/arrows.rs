//! The direction of dependencies, as ARCHITECTURE.md draws it.

use std::{collections::BTreeMap, process::Command};

use serde_json::Value;

use super::{assert_none, root};

/// What each package of ours may depend on, ours and outside, tests left out.
fn allowed(package: &str) -> &'static [&'static str] {
    match package {
        "planthread-contracts" => &[],
        "planthread-domain" | "planthread-kit" | "planthread-mocks" => &["planthread-contracts"],
        "planthread-engine" | "planthread-conformance" => {
            &["planthread-contracts", "planthread-kit"]
        }
        "planthread" | "xtask" => &[
            "planthread-contracts",
            "planthread-domain",
            "planthread-kit",
            "planthread-engine",
            "planthread-mocks",
            "planthread-support",
            "planthread",
        ],
        // It feeds the parsers of every room, and nobody depends on it.
        "planthread-fuzz" => &[
            "planthread-contracts",
            "planthread-domain",
            "planthread-kit",
            "planthread-odata",
            "planthread-engine",
            "planthread-mocks",
            "planthread",
        ],
        "planthread-support" => &["planthread-mocks"],
        "planthread-odata" => &["planthread-kit"],
        _ => &["planthread-contracts", "planthread-kit", "planthread-odata"],
    }
}

/// The packages in `connectors/`: the program composes whatever lies there.
fn connectors() -> Vec<String> {
    let folders = std::fs::read_dir(root().join("connectors")).unwrap();
    let names = folders.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.map(|name| format!("planthread-{name}")).collect()
}

/// Package → its normal dependencies, by `cargo metadata`, offline.
fn dependencies() -> BTreeMap<String, Vec<String>> {
    let output = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let normal = |package: &Value| {
        let all = package["dependencies"].as_array().unwrap().iter();
        all.filter(|dependency| dependency["kind"].is_null()).map(name).collect()
    };
    let packages = metadata["packages"].as_array().unwrap().iter();
    packages.map(|package| (name(package), normal(package))).collect()
}

#[test]
fn arrows_point_one_way() {
    let connectors = connectors();
    let mut wrong = Vec::new();
    for (package, dependencies) in dependencies() {
        for dependency in dependencies {
            let ours = dependency.starts_with("planthread") || dependency == "xtask";
            let composed = package == "planthread" && connectors.contains(&dependency);
            if ours && !composed && !allowed(&package).contains(&dependency.as_str()) {
                wrong.push(format!("{package} -> {dependency}"));
            }
        }
    }
    assert_none(
        "contracts <- domain; contracts <- kit <- odata <- connectors; the program composes",
        &wrong,
    );
}

#[test]
fn only_the_registry_names_connectors() {
    let crates: Vec<String> = connectors().iter().map(|name| name.replace('-', "_")).collect();
    let mut wrong = Vec::new();
    for source in super::sources(".rs") {
        let program = source.path.starts_with("src/") && source.path != "src/registry.rs";
        let named = crates.iter().find(|name| source.text.contains(name.as_str()));
        if let Some(name) = named.filter(|_| program) {
            wrong.push(format!("{}: {name}", source.path));
        }
    }
    assert_none("only src/registry.rs names the crate of a connector", &wrong);
}

#[test]
fn only_the_kit_opens_connections() {
    let clients = ["reqwest", "hyper", "oauth2", "governor"];
    let mut wrong = Vec::new();
    for (package, dependencies) in dependencies() {
        for dependency in dependencies {
            if clients.contains(&dependency.as_str()) && package != "planthread-kit" {
                wrong.push(format!("{package} -> {dependency}"));
            }
        }
    }
    assert_none("only planthread-kit depends on an HTTP client, OAuth or a rate limiter", &wrong);
}

#[test]
fn packages_are_named_after_their_folders() {
    let mut wrong = Vec::new();
    for path in super::files(root(), "Cargo.toml") {
        let folder = path.parent().unwrap();
        let leaf = folder.file_name().unwrap().to_string_lossy().into_owned();
        let text = std::fs::read_to_string(&path).unwrap();
        let expected = match leaf.as_str() {
            _ if folder == root() => "planthread".to_owned(),
            "xtask" => "xtask".to_owned(),
            leaf => format!("planthread-{leaf}"),
        };
        if !text.contains(&format!("name = \"{expected}\"")) {
            wrong.push(format!("{}: expected {expected}", path.display()));
        }
    }
    assert_none("a package is named planthread-<folder>", &wrong);
}
