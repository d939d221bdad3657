//! How the SQLite that ships runs every statement of the store.
//!
//! The statements are found in the sources of this folder, so none can be
//! forgotten. One that says that it seeks must use every equality term by an
//! index; one that walks says what bounds it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

use rusqlite::Connection;

use super::*;
use crate::testing::{TempDir, now};

/// A statement as it stands in the sources.
struct Found {
    place: String,
    text: String,
    walks: bool,
}

/// Every statement of this folder.
fn statements() -> Vec<Found> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store");
    let mut all = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if !name.ends_with(".rs") || name == "db.rs" || name == "plans.rs" {
            continue;
        }
        let source = fs::read_to_string(&path).unwrap();
        for (at, _) in source.match_indices("Sql::") {
            let place = format!("{name}:{}", source[..at].lines().count());
            let rest = &source[at + 5..];
            let walks = rest.starts_with("walks(");
            assert!(walks || rest.starts_with("seeks("), "{place}: neither seeks nor walks");
            let (text, rest) = literal(&rest[6..], &place);
            if walks {
                let (why, _) = literal(rest.trim_start_matches(','), &place);
                assert!(why.len() > 6, "{place}: it walks, and does not say what bounds it");
            }
            all.push(Found { place, text, walks });
        }
    }
    all
}

/// The string literal that comes next, and what follows it.
fn literal<'s>(source: &'s str, place: &str) -> (String, &'s str) {
    let source = source.trim_start();
    assert!(source.starts_with('"'), "{place}: a statement is a literal in its place");
    let end = source[1..].find('"').unwrap() + 1;
    let text = &source[1..end];
    assert!(!text.contains('\\'), "{place}: a statement needs no escapes");
    (text.to_owned(), &source[end + 1..])
}

/// Words, names with their table, parameters and signs of a statement.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens: Vec<String> = Vec::new();
    let mut rest = text.trim_start();
    let word = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '.' | '?');
    while let Some(first) = rest.chars().next() {
        let length = match first {
            '\'' => rest[1..].find('\'').unwrap() + 2,
            c if word(c) => rest.find(|c| !word(c)).unwrap_or(rest.len()),
            '<' | '>' | '!' if rest[1..].starts_with(['=', '>', '<']) => 2,
            _ => 1,
        };
        tokens.push(rest[..length].to_ascii_lowercase());
        rest = rest[length..].trim_start();
    }
    tokens
}

const WORDS: [&str; 15] = [
    "select",
    "where",
    "on",
    "order",
    "group",
    "limit",
    "set",
    "values",
    "having",
    "returning",
    "join",
    "left",
    "from",
    "union",
    "indexed",
];

/// Alias → table of everything that a statement reads or changes.
fn tables(tokens: &[String]) -> BTreeMap<String, String> {
    let mut tables = BTreeMap::new();
    for (at, token) in tokens.iter().enumerate() {
        let names = matches!(token.as_str(), "from" | "join" | "into" | "update");
        let Some(table) = tokens.get(at + 1).filter(|table| names && *table != "(") else {
            continue;
        };
        let alias = tokens.get(at + 2).filter(|next| {
            next.chars().all(|c| c.is_ascii_alphanumeric()) && !WORDS.contains(&next.as_str())
        });
        tables.insert(alias.unwrap_or(table).clone(), table.clone());
    }
    tables
}

/// An equality term: a column of a table, and the table of the other side when
/// that is a column, too.
struct Term {
    table: String,
    column: String,
    other: Option<String>,
}

/// Terms of the conditions; not those of what is selected or set.
fn terms(tokens: &[String], tables: &BTreeMap<String, String>) -> Vec<Term> {
    let name = |at: usize, beside: Option<&String>| -> Option<(String, String)> {
        let computed =
            beside.is_some_and(|sign| ["+", "-", "*", "/", "|", "&"].contains(&sign.as_str()));
        let token = tokens.get(at).filter(|token| {
            !computed && token.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
        })?;
        match token.split_once('.') {
            Some((table, column)) => Some((table.to_owned(), column.to_owned())),
            None if tables.len() == 1 => Some((tables.keys().next()?.clone(), token.clone())),
            None => Some((String::new(), token.clone())),
        }
    };
    let mut all = Vec::new();
    let (mut condition, mut outer) = (false, Vec::new());
    for (at, token) in tokens.iter().enumerate() {
        match token.as_str() {
            "(" => outer.push(condition),
            ")" => condition = outer.pop().unwrap_or(false),
            "where" | "on" => condition = true,
            "conflict" => condition = false,
            word if WORDS[2..10].contains(&word) || word == "select" => condition = false,
            "=" if condition => {
                let left = name(at - 1, at.checked_sub(2).and_then(|n| tokens.get(n)));
                let right = name(at + 1, tokens.get(at + 2));
                let table = |side: &Option<(String, String)>| side.as_ref().map(|s| s.0.clone());
                for (side, other) in [(&left, table(&right)), (&right, table(&left))] {
                    if let Some((table, column)) = side.clone() {
                        all.push(Term { table, column, other });
                    }
                }
            }
            "in" if condition => {
                let side = name(at - 1, None);
                all.extend(side.map(|(table, column)| Term { table, column, other: None }));
            }
            _ => {}
        }
    }
    all
}

/// Whether these columns, each equal to something, are at most one row.
fn unique(conn: &Connection, table: &str, detail: &str, used: &BTreeSet<String>) -> bool {
    if detail.contains("INTEGER PRIMARY KEY") {
        return used.contains("rowid");
    }
    let columns = |query: String| -> Vec<String> {
        let mut statement = conn.prepare(&query).unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    };
    let key = match detail.split("INDEX ").nth(1) {
        Some(index) => {
            let index = index.split(' ').next().unwrap();
            let only = format!(
                "SELECT name FROM pragma_index_list('{table}') WHERE name = '{index}' AND \"unique\""
            );
            if columns(only).is_empty() {
                return false;
            }
            columns(format!("SELECT name FROM pragma_index_info('{index}')"))
        }
        None => columns(format!("SELECT name FROM pragma_table_info('{table}') WHERE pk > 0")),
    };
    key.iter().all(|column| used.contains(column))
}

/// What a statement looks at beyond what its keys name.
fn faults(conn: &Connection, text: &str) -> Vec<String> {
    let tokens = tokens(text);
    let tables = tables(&tokens);
    let terms = terms(&tokens, &tables);
    let mut statement = conn.prepare(&format!("EXPLAIN QUERY PLAN {text}")).unwrap();
    let mut rows = statement.raw_query();
    let (mut visited, mut faults) = (BTreeSet::new(), Vec::new());
    while let Some(row) = rows.next().unwrap() {
        let detail: String = row.get(3).unwrap();
        let mut words = detail.split(' ');
        let (what, alias) = (words.next().unwrap(), words.next().unwrap_or_default());
        if detail.contains("AUTOMATIC") || (what == "SCAN" && alias != "CONSTANT") {
            faults.push(detail.clone());
        }
        if what != "SEARCH" {
            continue;
        }
        if !tables.contains_key(alias) {
            faults.push(format!("{detail}: which table?"));
        }
        let used = detail.split_once('(').map_or("", |(_, rest)| rest.trim_end_matches(')'));
        let used = used.split(" AND ").filter_map(|term| term.strip_suffix("=?"));
        let used: BTreeSet<String> = used.map(str::to_owned).collect();
        let table = tables.get(alias).map_or(alias, String::as_str);
        let bound = |term: &&Term| {
            let known = term.other.as_ref().is_none_or(|other| visited.contains(other));
            known && (term.table == alias || term.table.is_empty())
        };
        let unused = terms.iter().filter(bound).find(|term| !used.contains(&term.column));
        if let Some(term) = unused.filter(|_| !unique(conn, table, &detail, &used)) {
            faults.push(format!("{detail}: `{}` is not used", term.column));
        }
        visited.insert(alias.to_owned());
    }
    faults
}

#[test]
fn every_statement_seeks_by_all_that_it_names_or_says_what_bounds_it() {
    let dir = TempDir::new("plans");
    let _state = State::open(dir.path(), now()).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    let conn = reader.db().conn();
    let statements = statements();
    assert!(statements.len() > 80, "{} statements were found", statements.len());
    let mut wrong = Vec::new();
    for Found { place, text, walks } in &statements {
        let faults =
            if text.starts_with("PRAGMA") { vec![text.clone()] } else { faults(conn, text) };
        if !walks && !faults.is_empty() {
            wrong.push(format!("{place}: {}\n    {text}", faults.join("; ")));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_seek_on_half_a_key_and_a_walk_are_found() {
    let dir = TempDir::new("half-key");
    let _state = State::open(dir.path(), now()).unwrap();
    let reader = Reader::open(dir.path()).unwrap();
    let found = |text: &str| faults(reader.db().conn(), text);
    let half = "UPDATE attempt_cell INDEXED BY sqlite_autoindex_attempt_cell_1 SET reason = ?4
        WHERE attempt = ?1 AND grp = ?2 AND measure = ?3";
    assert_eq!(found(half).len(), 1, "{:?}", found(half));
    let joined = "SELECT 1 FROM cell_group g JOIN place p ON p.id = g.place
        WHERE g.scope = ?1 AND p.resource = ?2";
    assert!(!found("SELECT 1 FROM cell WHERE rev = ?1").is_empty());
    assert!(found("SELECT 1 FROM cell WHERE grp = ?1 AND measure = ?2 AND rev = ?3").is_empty());
    assert!(!found("SELECT 1 FROM cell WHERE grp = ?1 AND rev = ?2").is_empty());
    assert!(found(joined).is_empty(), "one place for each group: {:?}", found(joined));
}
