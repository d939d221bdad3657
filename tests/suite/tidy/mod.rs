//! Ratchets: the house rules that a machine can check.

mod arrows;
mod packages;
mod size;
mod sources;
mod tree;

use std::{
    fs,
    path::{Path, PathBuf},
};

/// One source file of the repository.
struct Source {
    /// Path relative to the repository, with forward slashes.
    path: String,
    text: String,
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every file below `dir` whose name ends with `suffix`, build output left out.
fn files(dir: &Path, suffix: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut open = vec![dir.to_path_buf()];
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if path.is_dir() {
                let built = path == root().join("target") || path.join("CACHEDIR.TAG").exists();
                if !built && ![".git", "node_modules"].contains(&name.as_str()) {
                    open.push(path);
                }
            } else if name.ends_with(suffix) {
                found.push(path);
            }
        }
    }
    found.sort();
    found
}

fn sources(suffix: &str) -> Vec<Source> {
    let read = |path: PathBuf| Source {
        text: fs::read_to_string(&path).unwrap_or_default(),
        path: path.strip_prefix(root()).unwrap().to_string_lossy().replace('\\', "/"),
    };
    files(root(), suffix).into_iter().map(read).collect()
}

/// Fails with every finding at once, so that one run shows all the work.
fn assert_none(rule: &str, findings: &[String]) {
    assert!(findings.is_empty(), "{rule}\n  {}", findings.join("\n  "));
}
