//! The commands of one copy, in their order. Pure.

use std::path::PathBuf;

/// Commands that copy `files` into `folder` of the other machine: aside first, then by
/// two renames. One that begins with `-` may fail. `None` when a path is no text, or can't
/// be told to the client.
pub(super) fn commands(folder: &str, files: &[PathBuf]) -> Option<String> {
    let folder = folder.trim_end_matches('/');
    let at = |name: &str| quoted(&format!("{folder}/{name}"));
    let (part, current, previous) = (at(".part")?, at("current")?, at("previous")?);
    let mut lines = vec![
        format!("-mkdir {}", quoted(folder)?),
        // What a copy has left that did not end.
        format!("-rm {part}/*"),
        format!("-rmdir {part}"),
        format!("mkdir {part}"),
    ];
    for file in files {
        let name = file.file_name()?.to_str()?;
        let to = at(&format!(".part/{name}"))?;
        lines.push(format!("put {} {to}", quoted(file.to_str()?)?));
    }
    lines.extend([
        // A complete pack is there under one of the three names at any moment.
        format!("-rm {previous}/*"),
        format!("-rmdir {previous}"),
        format!("-rename {current} {previous}"),
        format!("rename {part} {current}"),
    ]);
    Some(lines.join("\n") + "\n")
}

/// A path as one word of the client, in which nothing stands for something else.
fn quoted(path: &str) -> Option<String> {
    let odd = |c: char| c.is_control() || c == '"' || c == '\\';
    (!path.contains(odd)).then(|| format!("\"{path}\""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pack_is_copied_aside_and_named_when_it_is_whole() {
        let files = ["/p/current/cells.csv", "/p/current/manifest.json"].map(PathBuf::from);
        let said = commands("in box/", &files).unwrap();
        let lines: Vec<&str> = said.lines().collect();
        assert_eq!(lines[4], "put \"/p/current/cells.csv\" \"in box/.part/cells.csv\"");
        let rename = lines.iter().position(|line| line.starts_with("rename")).unwrap();
        assert_eq!(rename, lines.len() - 1, "{said}");
        assert_eq!(lines[rename], "rename \"in box/.part\" \"in box/current\"");
        // Only what may be missing may fail.
        let may: Vec<&str> = lines.iter().filter(|line| line.starts_with('-')).copied().collect();
        assert!(may.iter().all(|line| !line.contains("put")), "{may:?}");
        for name in ["a\nrm x", "a\"b", "a\\b"] {
            assert_eq!(commands(name, &files), None, "{name:?}");
            assert_eq!(commands("in", &[PathBuf::from(format!("/p/{name}"))]), None);
        }
    }
}
