//! What is wrong with a configuration, gathered with its paths.

use std::collections::BTreeSet;

use planthread_contracts::Violation;

use crate::calendar::zone;

/// Collects violations with their paths.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<Violation>);

impl Findings {
    pub(super) fn add(&mut self, path: String, reason: impl Into<String>, cure: impl Into<String>) {
        self.0.push(Violation::new(path, reason, cure));
    }

    pub(super) fn zone(&mut self, path: String, name: &str) {
        if zone(name).is_err() {
            self.add(
                path,
                format!("`{name}` is no IANA time zone"),
                "write a name such as Europe/Berlin or UTC",
            );
        }
    }

    pub(super) fn unique<'a>(
        &mut self,
        list: &str,
        field: &str,
        names: impl Iterator<Item = &'a str>,
    ) {
        let mut seen = BTreeSet::new();
        for (index, name) in names.enumerate() {
            let path = format!("{list}[{index}].{field}");
            if name.trim().is_empty() {
                self.add(path, "is empty", "name it");
            } else if !seen.insert(name) {
                self.add(path, format!("`{name}` is there twice"), "give each its own name");
            }
        }
    }

    pub(super) fn done(self) -> Vec<Violation> {
        self.0
    }
}
