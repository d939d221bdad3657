//! Rules about single source files: size, docs, words.

use super::{Source, assert_none, sources};

const LINES_MAX: usize = 500;
const FUNCTION_LINES_MAX: usize = 70;

#[test]
fn every_file_says_what_it_is_for() {
    let silent: Vec<String> = sources(".rs")
        .into_iter()
        .filter(|source| !source.text.trim_start().starts_with("//!"))
        .map(|source| source.path)
        .collect();
    assert_none("a file starts with a `//!` line that says what it is for", &silent);
}

#[test]
fn files_fit_one_sitting() {
    let long: Vec<String> = sources(".rs")
        .into_iter()
        .map(|source| (source.text.lines().count(), source.path))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .map(|(lines, path)| format!("{path}: {lines} lines"))
        .collect();
    assert_none("no file is longer than 500 lines: split it by meaning", &long);
}

#[test]
fn functions_fit_one_screen() {
    let long: Vec<String> = sources(".rs").iter().flat_map(long_functions).collect();
    assert_none("no function is longer than 70 lines", &long);
}

/// rustfmt puts a function's closing brace at the indentation of its `fn`.
fn long_functions(source: &Source) -> Vec<String> {
    let lines: Vec<&str> = source.text.lines().collect();
    let mut found = Vec::new();
    for (start, line) in lines.iter().enumerate() {
        let code = line.trim_start();
        let indent = line.len() - code.len();
        let signature_end = lines[start..].iter().find(|line| line.ends_with(['{', ';', '}']));
        if !is_function(code) || !signature_end.is_some_and(|line| line.ends_with('{')) {
            continue;
        }
        let closing = format!("{}}}", " ".repeat(indent));
        let end = lines[start..].iter().position(|line| **line == closing);
        if let Some(length) = end.map(|end| end + 1).filter(|length| *length > FUNCTION_LINES_MAX) {
            found.push(format!("{}:{}: {length} lines", source.path, start + 1));
        }
    }
    found
}

fn is_function(code: &str) -> bool {
    let mut words = code.split_whitespace();
    words
        .find(|word| {
            !word.starts_with("pub") && !["async", "const", "unsafe", "extern"].contains(word)
        })
        .is_some_and(|word| word == "fn")
}

#[test]
fn law_16_vendor_words_stay_out_of_contracts_and_core() {
    let words =
        ["sap", "ibp", "o9", "kinaxis", "azure", "siemens", "odata", "rapidresponse", "maestro"];
    let mut found = Vec::new();
    for source in sources(".rs") {
        if !source.path.starts_with("contracts/") && !source.path.starts_with("core/") {
            continue;
        }
        for (number, line) in source.text.lines().enumerate() {
            let lower = line.to_lowercase();
            // A protocol that several vendors speak is the name of its own room.
            let own = |word: &&str| *word == "odata" && source.path.starts_with("core/odata/");
            let hit = lower
                .split(|c: char| !c.is_ascii_alphanumeric())
                .find(|word| words.contains(word) && !own(word));
            if let Some(word) = hit {
                found.push(format!("{}:{}: {word}", source.path, number + 1));
            }
        }
    }
    assert_none("vendor words stay out of contracts/ and core/", &found);
}

#[test]
fn sql_stays_in_the_store() {
    // Statements are written in capitals; each of these words begins one.
    let verbs = ["SELECT", "INSERT", "UPDATE", "DELETE", "PRAGMA", "CREATE", "REPLACE", "VACUUM"];
    let mut found = Vec::new();
    for source in sources(".rs") {
        if source.path.starts_with("core/engine/src/store/") || source.path.contains("/tidy/") {
            continue;
        }
        for (number, line) in source.text.lines().enumerate() {
            let text = line.trim_start().trim_start_matches(|c| c != '"').trim_start_matches('"');
            let statement = verbs
                .iter()
                .any(|verb| text.strip_prefix(verb).is_some_and(|rest| rest.starts_with(' ')));
            // A graph's own query language begins like SQL, and never reaches a store of ours.
            let of_twins = line.to_ascii_lowercase().contains("from digitaltwins");
            if (statement && !of_twins) || line.contains("rusqlite") {
                found.push(format!("{}:{}", source.path, number + 1));
            }
        }
    }
    assert_none("only core/engine/src/store/ speaks SQL, and names what does", &found);
}

#[test]
fn nothing_unfinished_is_committed() {
    let marks = [concat!("FIX", "ME"), concat!("todo", "!("), concat!("unimplemented", "!(")];
    let mut found = Vec::new();
    for source in sources(".rs") {
        for (number, line) in source.text.lines().enumerate() {
            if marks.iter().any(|mark| line.contains(mark)) {
                found.push(format!("{}:{}", source.path, number + 1));
            }
        }
    }
    assert_none("finish it, or leave it out", &found);
}

#[test]
fn no_macros_of_our_own() {
    let own: Vec<String> = sources(".rs")
        .into_iter()
        .filter(|source| source.text.contains(concat!("macro_", "rules!")))
        .map(|source| source.path)
        .collect();
    assert_none("no macros of our own", &own);
}

#[test]
fn no_path_of_a_machine() {
    let marks = [concat!("/wo", "rk/"), concat!("/ho", "me/"), concat!("/ro", "ot/")];
    let mut found = Vec::new();
    for suffix in [".rs", ".md", ".toml", ".yaml", ".sh", ".html", ".js", ".json"] {
        for source in sources(suffix) {
            for (number, line) in source.text.lines().enumerate() {
                if marks.iter().any(|mark| line.contains(mark)) {
                    found.push(format!("{}:{}", source.path, number + 1));
                }
            }
        }
    }
    assert_none("no path of a machine is committed", &found);
}
