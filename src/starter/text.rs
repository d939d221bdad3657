//! The text of a starting configuration: one plant, and the section of each
//! target that was asked for.

use std::fmt::Write as _;

use planthread_mocks::SandboxFactory;

use crate::registry::Registered;

/// The plant, from the version of the file to its sources.
const PLANT: &str = include_str!("plant.yaml");

/// The commented configuration of a small plant with these targets, each
/// looking for its sandbox where that listens by default.
#[must_use]
pub fn config(targets: &[&Registered]) -> String {
    let mut text = heading(targets);
    text.push_str(PLANT);
    text.push_str("targets:\n");
    let sections: Vec<&str> = targets.iter().map(|one| one.target.starter.section).collect();
    text.push_str(&sections.join("\n"));
    text.push_str(
        "\n# The HTTP door for CloudEvents, on this machine only:\n\
         # intake:\n\
         #   http: { listen: 127.0.0.1:8787 }\n\
         \n\
         # One file for every environment: `planthread --profile qa plan`\n\
         profiles:\n  qa:\n    # State and packs of its own: what was seen there says nothing of here.\n    \
         state: qa-state\n    targets:\n",
    );
    for target in targets {
        let starter = target.target.starter;
        // Writing to a string cannot fail.
        let _ = writeln!(text, "      {}: {}", starter.name(), starter.qa);
    }
    text
}

/// The command that starts the sandbox so that the starting point fits it.
#[must_use]
pub fn mock(sandbox: &SandboxFactory) -> String {
    let default = |name: &str| {
        let option = sandbox.options.iter().find(|option| option.name == name);
        option.map(|option| option.default)
    };
    let mut command = format!("planthread mock {} --listen {}", sandbox.name, sandbox.listen);
    // How a tenant is wired is its own choice; a starting point wires nothing.
    for (name, value) in sandbox.demo.iter().filter(|(name, _)| *name != "wiring") {
        if default(name) != Some(*value) {
            let _ = write!(command, " --{name} {value}");
        }
    }
    command
}

/// What to do with the file, in the order in which it is done.
fn heading(targets: &[&Registered]) -> String {
    let mut text =
        String::from("# A starting point: one small plant, and sandboxes as its targets.\n#\n");
    text.push_str("# A sandbox in a terminal of its own:\n");
    for target in targets {
        let _ = writeln!(text, "#   {}", mock(target.sandbox));
    }
    text.push_str("# The page where a planner sees the numbers:\n");
    for target in targets {
        let _ = writeln!(text, "#   http://{}/planner", target.sandbox.listen);
    }
    text.push_str("# Then here:\n#   planthread validate      is this file right?\n");
    for target in targets {
        let check = format!("planthread check {}", target.target.starter.name());
        let _ = writeln!(text, "#   {check:<24} is the target prepared?");
    }
    text.push_str(
        "#   planthread ingest        take the records in\n\
         #   planthread plan          what would change, cell by cell\n\
         #   planthread apply         write it\n\
         #   planthread verify        read it back: the only proof\n\
         #\n\
         # Every field: `planthread schema config`. Every path begins at this file.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::{config, registry::TARGETS};

    /// Else the page shows other periods than those that land, and nothing in them.
    #[test]
    fn each_example_starts_its_sandbox_so_that_the_starting_point_fits_it() {
        for target in TARGETS {
            let page = format!("examples/{}-sandbox/README.md", target.target.name);
            let page = Path::new(env!("CARGO_MANIFEST_DIR")).join(page);
            let text = std::fs::read_to_string(&page).unwrap();
            let command = format!("{}  ", mock(target.sandbox));
            assert!(text.contains(&command), "{}: {command}", page.display());
        }
    }

    #[test]
    fn each_target_begins_with_a_file_that_is_right_and_so_do_all_together() {
        let one = TARGETS.iter().map(|target| vec![target]);
        for chosen in one.chain([TARGETS.iter().collect()]) {
            let text = config(&chosen);
            // Files that it names are looked for.
            let folder = std::env::temp_dir().join("planthread-starter-files");
            for (name, text) in chosen.iter().flat_map(|one| one.target.starter.files) {
                let file = folder.join(name);
                std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                std::fs::write(file, text).unwrap();
            }
            let file = folder.join("planthread.yaml");
            for profile in [None, Some("qa")] {
                let loaded = config::parse(&text, &file, profile);
                let loaded = loaded.unwrap_or_else(|faults| panic!("{faults:?}\n{text}"));
                assert!(loaded.config.targets.len() >= chosen.len());
                for target in &chosen {
                    let name = target.target.starter.name();
                    assert_eq!(loaded.config.targets[name].connector, target.target.name);
                }
            }
            for target in &chosen {
                let host = format!("http://{}", target.sandbox.listen);
                assert!(text.contains(&host), "{}: {host}", target.target.name);
            }
        }
    }

    #[test]
    fn the_examples_are_what_init_writes() {
        for target in TARGETS {
            let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
            let folder = folder.join(format!("{}-sandbox", target.target.name));
            let made = config(&[target]);
            let named = target.target.starter.files.iter().map(|(name, text)| (*name, *text));
            for (name, text) in named.chain([("planthread.yaml", made.as_str())]) {
                let file = folder.join(name);
                let kept = std::fs::read_to_string(&file).unwrap_or_default();
                if kept != text && std::env::var_os("UPDATE_EXAMPLES").is_some() {
                    std::fs::create_dir_all(file.parent().unwrap()).unwrap();
                    std::fs::write(&file, text).unwrap();
                    continue;
                }
                let file = file.display();
                assert!(kept == text, "{file}: run this test again with UPDATE_EXAMPLES=1");
            }
        }
    }
}
