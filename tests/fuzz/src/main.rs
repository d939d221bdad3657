//! The driver: `PLANTHREAD_FUZZ` names the parser, the arguments are those of the
//! driver. With `PLANTHREAD_SEEDS` it writes the seeds of all parsers into that folder
//! instead. `cargo xtask fuzz` calls it.

#![no_main]
#![allow(clippy::unwrap_used, reason = "a test may stop where its own set-up is wrong")]

use std::{env, fs, path::Path, sync::OnceLock};

use planthread_fuzz::{Parser, parser, parsers};

fn chosen() -> Parser {
    static CHOSEN: OnceLock<Parser> = OnceLock::new();
    *CHOSEN.get_or_init(|| {
        let name = env::var("PLANTHREAD_FUZZ").unwrap_or_default();
        parser(&name).unwrap_or_else(|| panic!("PLANTHREAD_FUZZ: no parser is called `{name}`"))
    })
}

/// A folder for each parser.
fn write_seeds(folder: &Path) {
    for parser in parsers() {
        let own = folder.join(parser.name);
        fs::create_dir_all(&own).unwrap();
        for (number, seed) in (parser.seeds)().iter().enumerate() {
            fs::write(own.join(number.to_string()), seed).unwrap();
        }
    }
}

libfuzzer_sys::fuzz_target!(
    init: {
        if let Some(folder) = env::var_os("PLANTHREAD_SEEDS") {
            write_seeds(Path::new(&folder));
            std::process::exit(0);
        }
    },
    |bytes: &[u8]| (chosen().feed)(bytes)
);
