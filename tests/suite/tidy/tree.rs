//! Rules about the tree: what lies where.

use std::fs;

use super::{assert_none, files, root};

#[test]
fn the_top_of_the_tree_is_known() {
    let known = [
        ".cargo",
        ".ci",
        ".git",
        ".gitignore",
        "ARCHITECTURE.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "Cargo.lock",
        "Cargo.toml",
        "LICENSE",
        "NOTICE",
        "README.md",
        "SECURITY.md",
        "STYLE.md",
        "clippy.toml",
        "connectors",
        "contracts",
        "core",
        "docs",
        "examples",
        "mocks",
        "packaging",
        "rustfmt.toml",
        "src",
        "target",
        "tests",
        "xtask",
    ];
    let strange: Vec<String> = fs::read_dir(root())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
        .filter(|name| !known.contains(&name.as_str()))
        .collect();
    assert_none("the top of the tree holds only what ARCHITECTURE.md names", &strange);
}

#[test]
fn no_large_blobs() {
    let large: Vec<String> = files(root(), "")
        .into_iter()
        .filter_map(|path| {
            let size = fs::metadata(&path).ok()?.len();
            (size > 256 * 1024).then(|| format!("{}: {size} bytes", path.display()))
        })
        .collect();
    assert_none("no file is larger than 256 KiB", &large);
}

#[test]
fn every_connector_has_the_agreed_files() {
    let mut missing = Vec::new();
    for entry in fs::read_dir(root().join("connectors")).unwrap() {
        let folder = entry.unwrap().path();
        for name in ["Cargo.toml", "README.md", "conformance.json", "src/lib.rs"] {
            if !folder.join(name).exists() {
                missing.push(format!("{}: {name}", folder.display()));
            }
        }
        if !["src/config.rs", "src/config/mod.rs"].iter().any(|name| folder.join(name).exists()) {
            missing.push(format!("{}: src/config", folder.display()));
        }
    }
    assert_none(
        "a connector has config, lib, README, and what the conformance cases need",
        &missing,
    );
}
