//! A configuration in several files: `include` lists further ones.
//!
//! What they say is put together with what includes them: mappings by their keys,
//! lists one behind the other. A value that two files say is refused: nobody could
//! tell which one holds. Paths of included files begin at the file that includes
//! them; all other paths begin at the main file, wherever they are written.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::{
    error::ConfigError,
    load,
    tree::{Kind, Node, Position},
};

/// Most files of one configuration.
const FILES_MAX: usize = 1_000;
const WRITE: &str = "write a list of paths, each relative to this file";

/// Puts the files that `tree` includes into it; `files` are those that were read so
/// far, and begin with its own.
///
/// # Errors
/// The first file that can't be read, includes itself, or says again what another
/// one said.
pub(super) fn resolve(tree: &mut Node, files: &mut Vec<PathBuf>) -> Result<(), ConfigError> {
    let mut open = files.clone();
    into(tree, files, &mut open)
}

fn into(
    tree: &mut Node,
    files: &mut Vec<PathBuf>,
    open: &mut Vec<PathBuf>,
) -> Result<(), ConfigError> {
    let Some(list) = tree.take("include") else { return Ok(()) };
    let own = open.last().cloned().unwrap_or_default();
    let wrong = |place: Position, reason: String, cure: &str| {
        ConfigError::at(&own, place, "include", reason).cure(cure)
    };
    let items = match list.kind {
        Kind::List(items) => items,
        Kind::Scalar(Value::Null) => return Ok(()),
        Kind::Scalar(_) | Kind::Map(_) => {
            return Err(wrong(list.place, "is no list of files".into(), WRITE));
        }
    };
    for item in items {
        let Kind::Scalar(Value::String(name)) = &item.kind else {
            return Err(wrong(item.place, "is no path".into(), WRITE));
        };
        let path = clean(&own.parent().unwrap_or(Path::new(".")).join(name));
        if open.contains(&path) {
            let reason = format!("`{name}` includes itself, directly or through others");
            return Err(wrong(item.place, reason, "take one of the includes out"));
        }
        if files.contains(&path) {
            let reason = format!("`{name}` is included twice");
            return Err(wrong(item.place, reason, "take one of the includes out"));
        }
        if files.len() >= FILES_MAX {
            let reason = format!("more than {FILES_MAX} files");
            return Err(wrong(item.place, reason, "put some of them together"));
        }
        let (text, _) = load::named_text(&path).map_err(|fault| {
            wrong(item.place, format!("`{name}` {}", fault.reason), "correct the path")
        })?;
        let mut found = load::document(&text, &path)?;
        found.belongs_to(files.len());
        files.push(path.clone());
        if !matches!(found.kind, Kind::Map(_) | Kind::Scalar(Value::Null)) {
            let reason = "is no mapping of fields";
            return Err(ConfigError::at(&path, found.place, "", reason)
                .cure("write what it adds as it would stand in the main file: `plant:` ..."));
        }
        open.push(path);
        into(&mut found, files, open)?;
        open.pop();
        add(tree, found, String::new(), files)?;
    }
    Ok(())
}

/// The path without `.` and `name/..`, so that one file has one spelling.
fn clean(path: &Path) -> PathBuf {
    use std::path::Component;
    let mut clean = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if clean.file_name().is_some() => {
                clean.pop();
            }
            other => clean.push(other),
        }
    }
    clean
}

/// Adds what another file says at `field`.
fn add(tree: &mut Node, more: Node, field: String, files: &[PathBuf]) -> Result<(), ConfigError> {
    match (&mut tree.kind, more.kind) {
        (Kind::Map(entries), Kind::Map(found)) => {
            for (key, at, node) in found {
                let below = if field.is_empty() { key.clone() } else { format!("{field}.{key}") };
                match entries.iter_mut().find(|(known, ..)| *known == key) {
                    Some((.., known)) => add(known, node, below, files)?,
                    None => entries.push((key, at, node)),
                }
            }
        }
        (Kind::List(items), Kind::List(found)) => items.extend(found),
        (_, Kind::Scalar(Value::Null)) => {}
        (Kind::Scalar(Value::Null), kind) => *tree = Node { place: more.place, kind },
        _ => {
            let name = |place: Position| files.get(place.file).map(PathBuf::as_path);
            let first = name(tree.place).unwrap_or(Path::new("")).display();
            let reason = format!("stands in {first}:{} already", tree.place.line);
            let second = name(more.place).unwrap_or(Path::new(""));
            return Err(ConfigError::at(second, more.place, field, reason).cure(
                "keep one of the two; what differs by environment belongs under `profiles:`",
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str, files: &[(&str, &str)]) -> Self {
            let name = format!("planthread-include-{name}-{}", std::process::id());
            let folder = std::env::temp_dir().join(name);
            let _ = fs::remove_dir_all(&folder);
            for (file, text) in files {
                let path = folder.join(file);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, text).unwrap();
            }
            Self(folder)
        }

        fn tree(&self) -> Result<(Value, Vec<PathBuf>), ConfigError> {
            let (text, main) = load::text_of(&self.0.join("main.yaml")).unwrap();
            let mut tree = load::document(&text, &main)?;
            let mut files = vec![main];
            resolve(&mut tree, &mut files)?;
            Ok((tree.value(), files))
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn mappings_meet_by_key_and_lists_follow_each_other() {
        let folder = Folder::new(
            "meet",
            &[
                (
                    "main.yaml",
                    "version: 1\ninclude: [sites/a.yaml, ./b.yaml]\nplant:\n  lines: [x]\n",
                ),
                ("sites/a.yaml", "include: [../c.yaml]\nplant:\n  lines: [a]\n"),
                ("b.yaml", "plant:\n  lines: [b]\n  zone: Etc/UTC\n"),
                ("c.yaml", "plant:\n  lines: [c]\n"),
            ],
        );
        let (value, files) = folder.tree().unwrap();
        let said = serde_json::json!({ "version": 1,
            "plant": { "lines": ["x", "a", "c", "b"], "zone": "Etc/UTC" } });
        assert_eq!((value, files.len()), (said, 4));
    }

    #[test]
    fn each_fault_names_its_file_and_line() {
        let with = |name: &str, b: &str| {
            let main = "version: 1\ninclude:\n  - b.yaml\n";
            let folder = Folder::new(name, &[("main.yaml", main), ("b.yaml", b)]);
            folder.tree().unwrap_err()
        };
        for (name, b, file, line, said) in [
            ("cycle", "include: [main.yaml]\n", "b.yaml", 1, "includes itself"),
            ("twice", "state: x\nversion: 2\n", "b.yaml", 2, "main.yaml:1 already"),
            ("gone", "include:\n  - c.yaml\n", "b.yaml", 2, "can't be read"),
            ("list", "- x\n", "b.yaml", 1, "no mapping"),
            ("yaml", "a: [1\n", "b.yaml", 2, ""),
        ] {
            let found = with(name, b);
            assert!(found.file.ends_with(file), "{name}: {found}");
            assert!(found.line == line && found.reason.contains(said), "{name}: {found}");
        }
    }
}
