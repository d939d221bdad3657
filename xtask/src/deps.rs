//! Licence, duplicate-version and banned-crate checks over `Cargo.lock`, offline.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use serde_json::Value;

/// Licences that go with Apache-2.0 distribution. One alternative of an `OR`
/// must be on the list; all parts of an `AND` must.
const LICENCES: [&str; 12] = [
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "CDLA-Permissive-2.0",
    "ISC",
    "MIT",
    "MIT-0",
    "NCSA",
    "Unicode-3.0",
    "Unlicense",
    "Zlib",
];

/// Crates that must not come in, and why.
const BANNED: [(&str, &str); 8] = [
    ("aws-lc-rs", "ring is the one TLS provider"),
    ("aws-lc-sys", "ring is the one TLS provider"),
    ("openssl-sys", "rustls is the one TLS stack"),
    ("native-tls", "rustls is the one TLS stack"),
    ("serde_yaml", "retired; serde-saphyr reads configuration"),
    ("chrono-tz", "jiff is the one calendar"),
    ("async-std", "tokio is the one runtime"),
    (
        "icu_normalizer",
        "it takes a tenth of a cold build; `cargo update -p idna_adapter --precise 1.1.0` chooses \
         the smaller Unicode tables",
    ),
];

/// Crates whose older versions have a known fault: the first good version.
const AT_LEAST: [(&str, [u64; 3], &str); 1] =
    [("rustls-webpki", [0, 103, 13], "older ones check certificates wrongly")];

/// Versions that stand twice because somebody else's crate is behind. The list
/// only shrinks: an entry that is no longer needed fails the check.
const TWICE: [(&str, &str); 13] = [
    ("base64", "0.22 by reqwest and oauth2, 0.23 by hyper-util"),
    ("bit-set", "0.8 by jsonschema's fancy-regex, 0.11 by proptest"),
    ("bit-vec", "0.8 by jsonschema's fancy-regex, 0.9 and 0.10 by proptest"),
    ("cpufeatures", "0.2 by sha2, 0.3 by proptest's rand"),
    ("getrandom", "0.2 by ring, 0.3 by jsonschema's ahash, 0.4 by proptest"),
    ("hashbrown", "0.16 by governor, 0.17 by indexmap"),
    ("nom", "7 by rcgen's x509-parser, which is not compiled, 8 by lettre"),
    ("rand", "0.8 by oauth2, 0.9 and 0.10 by proptest"),
    ("rand_chacha", "0.3 by oauth2, 0.9 by proptest"),
    ("rand_core", "0.6 by oauth2, 0.9 and 0.10 by proptest"),
    ("syn", "2 by thiserror 1 and tracing, 3 by serde"),
    ("thiserror", "1 by oauth2"),
    ("thiserror-impl", "1 by oauth2"),
];

/// Runs the four checks.
///
/// # Errors
/// The findings, one a line.
pub(crate) fn check() -> Result<String, String> {
    let metadata = metadata()?;
    let packages = metadata["packages"].as_array().ok_or("cargo metadata holds no packages")?;
    let mut findings = licences(packages);
    findings.extend(bans(packages));
    findings.extend(outdated(packages));
    findings.extend(duplicates(&metadata, packages));
    if findings.is_empty() {
        let count = packages.len();
        return Ok(format!("{count} packages: licences, bans and duplicate versions are in order"));
    }
    Err(findings.join("\n"))
}

fn metadata() -> Result<Value, String> {
    let arguments = ["metadata", "--format-version", "1", "--locked", "--offline"];
    let platform = ["--filter-platform", env!("TARGET_TRIPLE")];
    let output = Command::new("cargo")
        .args(arguments)
        .args(platform)
        .output()
        .map_err(|error| format!("cargo metadata: {error}"))?;
    if !output.status.success() {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    }
    serde_json::from_slice(&output.stdout).map_err(|error| format!("cargo metadata: {error}"))
}

fn text<'a>(package: &'a Value, field: &str) -> &'a str {
    package[field].as_str().unwrap_or_default()
}

fn licences(packages: &[Value]) -> Vec<String> {
    let refused = packages.iter().filter(|package| !permitted(text(package, "license")));
    refused
        .map(|package| {
            let (name, version) = (text(package, "name"), text(package, "version"));
            format!("licence: {name} {version} says `{}`", text(package, "license"))
        })
        .collect()
}

/// Reads an SPDX expression as far as crates use it: `AND` of `OR`s or the
/// other way round, with or without parentheses and exceptions.
fn permitted(expression: &str) -> bool {
    let plain = expression.replace(['(', ')'], " ").replace('/', " OR ");
    if plain.trim().is_empty() {
        return false;
    }
    plain.split(" AND ").all(|part| {
        part.split(" OR ").any(|licence| {
            let name = licence.split(" WITH ").next().unwrap_or_default().trim();
            LICENCES.contains(&name)
        })
    })
}

fn bans(packages: &[Value]) -> Vec<String> {
    let mut findings = Vec::new();
    for package in packages {
        for (name, why) in BANNED {
            if text(package, "name") == name {
                findings.push(format!("banned: {name}: {why}"));
            }
        }
    }
    findings
}

fn outdated(packages: &[Value]) -> Vec<String> {
    let mut findings = Vec::new();
    for package in packages {
        let version = text(package, "version");
        for (name, least, why) in AT_LEAST {
            if text(package, "name") == name && parts(version) < least {
                let [major, minor, patch] = least;
                findings.push(format!(
                    "outdated: {name} {version}: {why}; take {major}.{minor}.{patch} or newer"
                ));
            }
        }
    }
    findings
}

/// Major, minor and patch of a version; what is no number counts as 0.
fn parts(version: &str) -> [u64; 3] {
    let mut numbers = version.split(['.', '-', '+']).map(|part| part.parse().unwrap_or(0));
    [(); 3].map(|()| numbers.next().unwrap_or(0))
}

fn duplicates(metadata: &Value, packages: &[Value]) -> Vec<String> {
    let used: BTreeSet<&str> = metadata["resolve"]["nodes"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|node| text(node, "id"))
        .collect();
    let mut versions: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for package in packages.iter().filter(|package| used.contains(text(package, "id"))) {
        versions.entry(text(package, "name")).or_default().insert(text(package, "version"));
    }
    versions.retain(|_, versions| versions.len() > 1);
    let known: BTreeMap<&str, &str> = TWICE.into_iter().collect();
    let mut findings: Vec<String> = versions
        .iter()
        .filter(|(name, _)| !known.contains_key(*name))
        .map(|(name, versions)| format!("duplicate: {name} {versions:?}"))
        .collect();
    for name in known.keys().filter(|name| !versions.contains_key(*name)) {
        findings.push(format!("duplicate: {name} stands once now: take it off the list"));
    }
    findings
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_banned_crate_and_an_old_version_are_found() {
        let packages = [
            json!({"name": "openssl-sys", "version": "0.9.1"}),
            json!({"name": "rustls-webpki", "version": "0.103.12"}),
            json!({"name": "rustls-webpki", "version": "0.103.13"}),
            json!({"name": "rustls-webpki", "version": "1.0.0"}),
        ];
        assert_eq!(bans(&packages).len(), 1);
        assert_eq!(outdated(&packages).len(), 1);
        assert!(outdated(&packages)[0].contains("0.103.12"));
    }
}
