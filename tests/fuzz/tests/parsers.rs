//! Each parser, fed its seeds, seeds changed by chance, and what was once found.

use std::{collections::BTreeSet, fs, path::Path};

use planthread::registry::TARGETS;
use planthread_fuzz::{chance::Chance, parsers};

/// Changed seeds of each parser.
const CHANGED: usize = 60;

#[test]
fn no_parser_stumbles_over_changed_seeds() {
    let mut chance = Chance(20_261_127);
    for parser in parsers() {
        let seeds = (parser.seeds)();
        for seed in &seeds {
            (parser.feed)(seed);
        }
        for _ in 0..CHANGED {
            let seed = &seeds[chance.below(seeds.len())];
            let other = &seeds[chance.below(seeds.len())];
            (parser.feed)(&chance.changed(seed, other));
        }
    }
}

/// `tests/fuzz/found/PARSER/` holds bytes over which a parser once stumbled.
#[test]
fn what_was_found_once_is_mended() {
    for parser in parsers() {
        let found = Path::new(env!("CARGO_MANIFEST_DIR")).join("found").join(parser.name);
        for file in fs::read_dir(found).into_iter().flatten() {
            (parser.feed)(&fs::read(file.unwrap().path()).unwrap());
        }
    }
}

#[test]
fn each_target_has_its_answers_fed_and_no_two_parsers_share_a_name() {
    let names: BTreeSet<&str> = parsers().iter().map(|parser| parser.name).collect();
    assert_eq!(names.len(), parsers().len());
    for one in TARGETS {
        let name = format!("answers-{}", one.target.name);
        assert!(names.contains(name.as_str()), "{name} is missing in tests/fuzz/src/answers.rs");
    }
}
