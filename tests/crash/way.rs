//! Other ways to set up a target than its starting point: each `way-NAME.json`
//! beside a connector's crate is one. What a test does for every target, it does
//! for each of its ways.

use std::{fs, path::PathBuf};

use planthread::registry::Registered;
use planthread_mocks::Setup;
use serde_json::Value;

/// One way. The plain one is the starting point as it is written.
#[derive(Debug, Clone, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Way {
    /// Its name; empty for the starting point.
    #[serde(skip)]
    pub(crate) name: String,
    /// Texts of the starting point that are others here.
    rewrite: Vec<(String, String)>,
    /// What goes on top of its targets, by name.
    pub(crate) targets: Value,
    /// Options of the sandbox on top of those of the demo.
    pub(crate) sandbox: Vec<(String, String)>,
    /// Behaviours of the sandbox that are on.
    pub(crate) on: Vec<String>,
}

impl Way {
    /// The starting point of a kind of target, then its other ways by name.
    pub(crate) fn all(registered: &Registered) -> Vec<Self> {
        let folder =
            format!("{}/connectors/{}", env!("CARGO_MANIFEST_DIR"), registered.target.name);
        let files = fs::read_dir(&folder).unwrap_or_else(|error| panic!("{folder}: {error}"));
        let named = files.filter_map(|file| {
            let path = file.ok()?.path();
            let name = path.file_name()?.to_string_lossy().into_owned();
            let name = name.strip_prefix("way-")?.strip_suffix(".json")?.to_owned();
            Some(Self { name, ..Self::read(&path) })
        });
        let mut ways: Vec<Self> = named.chain([Self::default()]).collect();
        ways.sort_by(|one, other| one.name.cmp(&other.name));
        ways
    }

    fn read(path: &PathBuf) -> Self {
        let text = fs::read_to_string(path).unwrap();
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }

    /// The starting point's text as it is here.
    pub(crate) fn rewritten(&self, mut text: String) -> String {
        for (from, to) in &self.rewrite {
            assert!(text.contains(from), "{}: {from} is not in the starting point", self.name);
            text = text.replace(from, to);
        }
        text
    }

    /// How the sandbox is started: as the demo starts it, and what this way needs.
    pub(crate) fn setup(&self, registered: &Registered, setup: Setup) -> Setup {
        let demo = registered.sandbox.demo.iter();
        let demo = demo.map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        let own = [self.sandbox.clone(), setup.options].concat();
        let plain = demo.filter(|(name, _)| own.iter().all(|(other, _)| other != name));
        let options = plain.chain(own.clone()).collect();
        let on = setup.on.into_iter().chain(self.on.clone()).collect();
        Setup { options, on, ..setup }
    }

    /// Target and way in a word.
    pub(crate) fn of(&self, registered: &Registered) -> String {
        let dash = if self.name.is_empty() { "" } else { "-" };
        format!("{}{dash}{}", registered.target.name, self.name)
    }
}
