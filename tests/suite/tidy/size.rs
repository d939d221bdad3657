//! How large a connector and its sandbox may be.
//!
//! Where one needs more, the SDK lacks something that others will need as well.

use std::collections::BTreeMap;

use super::{Source, assert_none, sources};

/// Lines of code of one connector, and of one sandbox.
const CODE_LINES_MAX: usize = 2_500;

/// Rooms that are larger, and how large they are; they may only shrink. This vendor
/// publishes its interface: metadata, master data, conversions and calendars are
/// checked line by line, and the sandbox answers them in two formats.
const LARGER: [(&str, usize); 2] = [("connectors/sap-ibp", 3_720), ("mocks/src/sap_ibp", 4_150)];

/// Lines that are neither empty nor a comment, nor of a test.
fn code_lines(text: &str) -> usize {
    let mut lines = text.lines();
    let mut count = 0;
    while let Some(line) = lines.next() {
        let code = line.trim();
        if line == "#[cfg(test)]" {
            // The item that follows: to its end at the margin, or a line.
            let item = lines.next().unwrap_or_default();
            if item.ends_with('{') {
                lines.find(|line| *line == "}");
            }
        } else if !code.is_empty() && !code.starts_with("//") {
            count += 1;
        }
    }
    count
}

/// The connector or sandbox that a file belongs to; `None` where it holds tests only.
fn room(path: &str) -> Option<String> {
    let mut parts = path.split('/');
    let test = |part: &str| ["tests", "tests.rs", "samples.rs"].contains(&part);
    let room = match (parts.next()?, parts.next()?, parts.next()?) {
        ("connectors", name, "src") => format!("connectors/{name}"),
        ("mocks", "src", name) => {
            format!("mocks/src/{}", name.strip_suffix(".rs").unwrap_or(name))
        }
        _ => return None,
    };
    (!parts.any(test) && !["mocks/src/sdk", "mocks/src/lib"].contains(&room.as_str()))
        .then_some(room)
}

#[test]
fn connectors_and_sandboxes_stay_small() {
    let mut rooms: BTreeMap<String, usize> = BTreeMap::new();
    for Source { path, text } in sources(".rs") {
        if let Some(room) = room(&path) {
            *rooms.entry(room).or_default() += code_lines(&text);
        }
    }
    assert!(rooms.len() >= 8, "four connectors and their sandboxes: {rooms:?}");
    let most = |room: &str| {
        let larger = LARGER.iter().find(|(name, _)| *name == room);
        larger.map_or(CODE_LINES_MAX, |(_, most)| *most)
    };
    let large: Vec<String> = rooms
        .iter()
        .filter(|(room, lines)| **lines > most(room))
        .map(|(room, lines)| format!("{room}: {lines} lines of code, at most {}", most(room)))
        .collect();
    assert_none(
        "a connector and its sandbox stay small: what they lack belongs in the SDK",
        &large,
    );
}

#[test]
fn only_code_is_counted() {
    let text = "//! Doc.\n\nfn a() {\n    // why\n    1\n}\n#[cfg(test)]\nmod samples;\nfn b() {}\n\
                #[cfg(test)]\nmod tests {\n    fn t() {\n    }\n}\nfn c() {}\n";
    assert_eq!(code_lines(text), 5);
    assert_eq!(room("connectors/o9/src/read.rs").as_deref(), Some("connectors/o9"));
    assert_eq!(room("mocks/src/o9.rs").as_deref(), Some("mocks/src/o9"));
    for none in ["connectors/o9/src/samples.rs", "mocks/src/o9/tests.rs", "mocks/src/sdk/page.rs"] {
        assert_eq!(room(none), None, "{none}");
    }
}
