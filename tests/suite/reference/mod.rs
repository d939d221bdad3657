//! The pages of `docs/reference/` are what the program says of itself: the help of
//! every verb, and every schema. `UPDATE_EXAMPLES=1` writes them anew.

mod commands;
mod metrics;
mod schema;

use std::{collections::BTreeMap, fs, path::Path};

use planthread::{cli::outputs, config, registry};
use planthread_contracts::catalogue::{self, Direction};

const FOLDER: &str = "docs/reference";

/// Name and text of each page.
fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::from([
        ("commands.md".to_owned(), commands::page()),
        ("metrics.md".to_owned(), metrics::page()),
        ("configuration.md".to_owned(), {
            let about = "The file `planthread.yaml`, field by field. `planthread schema config` \
                         prints its JSON Schema, for editors.";
            schema::page("Configuration", about, &config::schema())
        }),
        ("answers.md".to_owned(), {
            let about = "What each verb prints under `--json`, one document a line. `output` says \
                         which answer it is, `version` which version of it. A version gains \
                         fields and words; a field that leaves or means something else raises \
                         it. `planthread schema output VERB` prints the JSON Schema. Not among them: the \
                         events of `derive --signals`, which are contracts, and what `export -o -`, \
                         `completions` and `schema NAME` print as it is.";
            schema::answers("Answers in JSON", about, &outputs::everything())
        }),
    ]);
    for one in registry::TARGETS {
        let (name, title) = (one.target.name, format!("Settings of {}", one.target.name));
        let about = format!("`targets.NAME.settings` where `connector` is `{name}`.");
        pages.insert(
            format!("settings-{name}.md"),
            schema::page(&title, &about, &(one.target.schema)()),
        );
    }
    for one in catalogue::CONTRACTS {
        let about = match (one.event_type, one.direction) {
            ("", _) => "The CloudEvents envelope of every event.".to_owned(),
            (kind, Direction::Inbound) => format!("Data of an event that is taken in as `{kind}`."),
            (kind, Direction::Outbound) => format!("Data of an event given out as `{kind}`."),
        };
        let page = schema::page(&format!("Contract {}", one.name), &about, &(one.schema)());
        pages.insert(format!("contract-{}.md", one.name), page);
    }
    pages
}

#[test]
fn the_reference_says_what_the_program_says() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join(FOLDER);
    let pages = pages();
    let update = std::env::var_os("UPDATE_EXAMPLES").is_some();
    if update {
        fs::create_dir_all(&folder).unwrap();
    }
    let mut stale = Vec::new();
    for (name, text) in &pages {
        let file = folder.join(name);
        if fs::read_to_string(&file).unwrap_or_default() != *text {
            if update {
                fs::write(&file, text).unwrap();
            }
            stale.push(format!("{FOLDER}/{name}"));
        }
    }
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        if !pages.contains_key(&name) {
            stale.push(format!("{FOLDER}/{name} is of nothing any more: delete it"));
        }
    }
    let cure = "run this test again with UPDATE_EXAMPLES=1, and look at the difference";
    assert!(update || stale.is_empty(), "{}\n{cure}", stale.join("\n"));
}

#[test]
fn the_map_of_the_docs_leads_to_every_page() {
    let map = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/README.md"));
    let map = map.unwrap();
    let missing: Vec<String> =
        pages().into_keys().filter(|name| !map.contains(&format!("(reference/{name})"))).collect();
    assert!(missing.is_empty(), "docs/README.md does not lead to {missing:?}");
}
