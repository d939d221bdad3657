//! What the program is made of, as a bill of materials in CycloneDX 1.5: every crate
//! that is linked into it or builds it, with version, licence and digest.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::Command,
};

use serde_json::{Value, json};

/// The bill of the program for `target`, of `commit` at `time` (seconds since 1970).
pub(super) fn of(root: &Path, target: &str, commit: &str, time: &str) -> Result<String, String> {
    let output = Command::new(std::env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
        .current_dir(root)
        .args(["metadata", "--format-version=1", "--locked", "--filter-platform", target])
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    let metadata: Value =
        serde_json::from_slice(&output.stdout).map_err(|error| format!("metadata: {error}"))?;
    let lock = fs::read_to_string(root.join("Cargo.lock"))
        .map_err(|error| format!("Cargo.lock: {error}"))?;
    let seconds: i64 = time.parse().map_err(|_| format!("{time} is no time"))?;
    let at = jiff::Timestamp::from_second(seconds).map_err(|error| error.to_string())?;
    let bill = bill(&metadata, &checksums(&lock), commit, &at.to_string())?;
    Ok(format!("{bill:#}\n"))
}

fn bill(
    metadata: &Value,
    checksums: &BTreeMap<(String, String), String>,
    commit: &str,
    at: &str,
) -> Result<Value, String> {
    let packages = metadata["packages"].as_array().ok_or("metadata without packages")?;
    let ours = packages
        .iter()
        .find(|package| package["name"] == "planthread")
        .ok_or("metadata without the program")?;
    let uses = uses(metadata);
    let used = reached(text(ours, "id"), &uses);
    let reference = |id: &str| packages.iter().find(|package| package["id"] == id).map(url_of);
    let mut components = Vec::new();
    let mut dependencies = Vec::new();
    for package in packages.iter().filter(|package| used.contains(text(package, "id"))) {
        if package["name"] != "planthread" {
            components.push(component(package, checksums));
        }
        let direct = uses.get(text(package, "id")).into_iter().flatten();
        let on: BTreeSet<String> = direct.filter_map(|id| reference(id)).collect();
        dependencies.push(json!({ "ref": url_of(package), "dependsOn": on }));
    }
    Ok(json!({
        "bomFormat": "CycloneDX",
        "specVersion": "1.5",
        "version": 1,
        "metadata": {
            "timestamp": at,
            "component": {
                "type": "application",
                "bom-ref": url_of(ours),
                "name": "planthread",
                "version": text(ours, "version"),
                "licenses": [{ "expression": text(ours, "license") }],
                "properties": [{ "name": "commit", "value": commit }],
            },
        },
        "components": components,
        "dependencies": dependencies,
    }))
}

fn component(package: &Value, checksums: &BTreeMap<(String, String), String>) -> Value {
    let (name, version) = (text(package, "name"), text(package, "version"));
    let mut component = json!({
        "type": "library",
        "bom-ref": url_of(package),
        "name": name,
        "version": version,
        "purl": url_of(package),
        "licenses": [{ "expression": text(package, "license").replace('/', " OR ") }],
    });
    if let Some(digest) = checksums.get(&(name.to_owned(), version.to_owned())) {
        component["hashes"] = json!([{ "alg": "SHA-256", "content": digest }]);
    }
    component
}

/// The package's address in the words of the package URL specification.
fn url_of(package: &Value) -> String {
    format!("pkg:cargo/{}@{}", text(package, "name"), text(package, "version"))
}

/// What each package needs to be built or linked; what only its tests need is not in
/// the program.
fn uses(metadata: &Value) -> BTreeMap<&str, Vec<&str>> {
    let nodes = metadata["resolve"]["nodes"].as_array().into_iter().flatten();
    nodes.map(|node| (text(node, "id"), dependencies_of(node))).collect()
}

fn dependencies_of(node: &Value) -> Vec<&str> {
    let deps = node["deps"].as_array().into_iter().flatten();
    let needed = deps.filter(|dep| {
        let kinds = dep["dep_kinds"].as_array().into_iter().flatten();
        kinds.into_iter().any(|kind| kind["kind"] != "dev")
    });
    needed.map(|dep| text(dep, "pkg")).collect()
}

/// Everything that is reached from `first`, itself included.
fn reached<'a>(first: &'a str, uses: &BTreeMap<&'a str, Vec<&'a str>>) -> BTreeSet<&'a str> {
    let mut reached = BTreeSet::new();
    let mut open = vec![first];
    while let Some(id) = open.pop() {
        if reached.insert(id) {
            open.extend(uses.get(id).into_iter().flatten());
        }
    }
    reached
}

/// The digests that the lock file states, by name and version.
fn checksums(lock: &str) -> BTreeMap<(String, String), String> {
    let value = |part: &str, name: &str| {
        let line = part.lines().find_map(|line| line.strip_prefix(name))?;
        Some(line.trim_start_matches(" = ").trim_matches('"').to_owned())
    };
    lock.split("[[package]]")
        .filter_map(|part| {
            Some(((value(part, "name")?, value(part, "version")?), value(part, "checksum")?))
        })
        .collect()
}

fn text<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_bill_names_what_is_linked_with_its_digest_and_not_what_tests_need() {
        let package = |name: &str, license: &str| json!({ "name": name, "version": "1.0.0", "id": name, "license": license });
        let dep = |name: &str, kind: Value| json!({ "pkg": name, "dep_kinds": [{ "kind": kind }] });
        let metadata = json!({
            "packages": [
                package("planthread", "Apache-2.0"), package("linked", "MIT/Apache-2.0"),
                package("builds", "MIT"), package("tests", "MIT"), package("deep", "Zlib"),
            ],
            "resolve": { "nodes": [
                { "id": "planthread", "deps": [dep("linked", Value::Null),
                    dep("builds", "build".into()), dep("tests", "dev".into())] },
                { "id": "linked", "deps": [dep("deep", Value::Null)] },
                { "id": "builds", "deps": [] }, { "id": "tests", "deps": [] },
                { "id": "deep", "deps": [] },
            ] },
        });
        let lock = "[[package]]\nname = \"linked\"\nversion = \"1.0.0\"\nchecksum = \"abc\"\n";
        let bill = bill(&metadata, &checksums(lock), "c0ffee", "2026-11-27T00:00:00Z").unwrap();
        let components = bill["components"].as_array().unwrap();
        let names: Vec<&str> = components.iter().map(|one| text(one, "name")).collect();
        assert_eq!(names, ["linked", "builds", "deep"]);
        assert_eq!(components[0]["hashes"][0]["content"], "abc");
        assert_eq!(components[0]["licenses"][0]["expression"], "MIT OR Apache-2.0");
        assert_eq!(bill["dependencies"][0]["dependsOn"].as_array().unwrap().len(), 2);
    }
}
