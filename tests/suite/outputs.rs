//! What `--json` prints keeps its promise: who reads an answer of a version
//! understands every later answer of it.
//!
//! `src/cli/published/` is written once for each answer and version, and never
//! again. `UPDATE_EXAMPLES=1` writes what is missing there.

#[path = "../../contracts/tests/contracts/compat/mod.rs"]
mod compat;

use std::{collections::BTreeSet, fs, path::Path};

use planthread::cli::outputs::{OUTPUTS, Output, schema_of};
use planthread_contracts::Direction;
use serde_json::Value;

use compat::{Rule, breaks};

const FOLDER: &str = "src/cli/published";

fn file(output: &Output) -> String {
    format!("{}.v{}.json", output.name.replace(' ', "-"), output.version)
}

#[test]
fn no_answer_breaks_what_was_published() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    let update = std::env::var_os("UPDATE_EXAMPLES").is_some();
    for output in &OUTPUTS {
        let path = folder.join(file(output));
        let new = output.schema();
        if update && !path.exists() {
            fs::create_dir_all(&folder).unwrap();
            fs::write(&path, format!("{new:#}\n")).unwrap();
        }
        let old = fs::read_to_string(&path).unwrap_or_else(|error| {
            panic!("{}: {error}; UPDATE_EXAMPLES=1 publishes it", path.display())
        });
        let old: Value = serde_json::from_str(&old).unwrap();
        // A reader of ours must bear a word that it does not know.
        let found = breaks(Direction::Outbound, &old, &new);
        let found = found.iter().filter(|one| one.rule != Rule::WordRefused);
        let found: Vec<String> = found.map(ToString::to_string).collect();
        assert!(
            found.is_empty(),
            "{}: {found:#?}\nkeep the old form, or raise `VERSION` of the view",
            output.name
        );
    }
}

#[test]
fn every_verb_says_what_its_json_is() {
    let verbs: BTreeSet<String> = planthread::cli::command()
        .get_subcommands()
        .map(|verb| verb.get_name().to_owned())
        .filter(|verb| verb != "help")
        .collect();
    let silent: Vec<&String> = verbs.iter().filter(|verb| schema_of(verb).is_none()).collect();
    assert_eq!(silent, ["completions"], "what they print has no schema");
    let unknown: Vec<&str> = OUTPUTS
        .iter()
        .map(|one| one.verb)
        .filter(|verb| !verb.is_empty() && !verbs.contains(*verb))
        .collect();
    assert!(unknown.is_empty(), "no such verbs: {unknown:?}");
    let names: BTreeSet<(&str, &str)> = OUTPUTS.iter().map(|one| (one.verb, one.name)).collect();
    assert_eq!(names.len(), OUTPUTS.len(), "an answer stands there twice");
}
