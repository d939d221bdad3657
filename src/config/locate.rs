//! From a path in the document to its line in the file.

use std::path::{Path, PathBuf};

use planthread_kit::target::SettingsFault;
use serde::de::DeserializeOwned;
use serde_json::Value;
use serde_path_to_error::Segment;

use super::{
    error::ConfigError,
    tree::{Node, Step},
};

/// Turns paths into places.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Locator<'a> {
    pub(super) file: &'a Path,
    /// Every file of the configuration; the main one first.
    pub(super) files: &'a [PathBuf],
    pub(super) tree: &'a Node,
}

impl Locator<'_> {
    /// The folder at which relative paths begin.
    pub(crate) fn folder(&self) -> &Path {
        self.file.parent().unwrap_or(Path::new("."))
    }

    /// A fault of the field that `path` reaches.
    pub(crate) fn fault(&self, path: &[Step<'_>], reason: impl Into<String>) -> ConfigError {
        let place = self.tree.locate(path.iter().copied());
        let file = self.files.get(place.file).map_or(self.file, PathBuf::as_path);
        ConfigError::at(file, place, spell(path.iter().copied()), reason)
    }

    /// Reads `value`, which stands at `at` in the document, as a `T`.
    pub(crate) fn typed<T: DeserializeOwned>(
        &self,
        value: &Value,
        at: &[Step<'_>],
    ) -> Result<T, ConfigError> {
        serde_path_to_error::deserialize(value).map_err(|error| {
            let inner = error.path().iter().filter_map(|segment| match segment {
                Segment::Seq { index } => Some(Step::Index(*index)),
                Segment::Map { key } => Some(Step::Key(key)),
                Segment::Enum { variant } => Some(Step::Key(variant)),
                Segment::Unknown => None,
            });
            let path: Vec<Step<'_>> = at.iter().copied().chain(inner).collect();
            let reason = error.inner().to_string();
            self.fault(&path, reason)
        })
    }

    /// A fault at a path that is written out: `plant.sources[0].file`.
    pub(crate) fn fault_at(&self, field: &str, reason: impl Into<String>) -> ConfigError {
        self.fault(&steps(field), reason)
    }
}

/// The faults that were found so far.
pub(super) struct Faults<'a> {
    pub(super) locate: &'a Locator<'a>,
    pub(super) all: Vec<ConfigError>,
}

impl Faults<'_> {
    /// Adds a fault of a field that is written out: its reason, and what helps.
    pub(super) fn add(
        &mut self,
        field: impl AsRef<str>,
        reason: impl Into<String>,
        cure: impl Into<String>,
    ) {
        self.all.push(self.locate.fault_at(field.as_ref(), reason).cure(cure));
    }

    /// Adds a fault of the field that `path` reaches: names of people may be in it.
    pub(super) fn add_at(
        &mut self,
        path: &[Step<'_>],
        reason: impl Into<String>,
        cure: impl Into<String>,
    ) {
        self.all.push(self.locate.fault(path, reason).cure(cure));
    }

    /// Adds what a connector or a room of settings says of `field`; the usual cure
    /// where it knows none.
    pub(super) fn add_told(&mut self, field: &str, fault: SettingsFault) {
        let here = self.locate.fault_at(field.trim_end_matches('.'), fault.reason);
        self.all.push(match fault.cure {
            Some(cure) => here.cure(cure),
            None => here,
        });
    }

    /// Adds a note where the file that `field` names can't be read now, and that is no
    /// fault yet.
    pub(super) fn add_absent(&mut self, field: &str, file: &Path, cure: &str) {
        let path = self.locate.folder().join(file);
        if let Err(error) = planthread_kit::files::open(&path) {
            self.add(field, format!("{} can't be read: {error}", path.display()), cure);
        }
    }

    /// Adds a fault where the file that `field` names can't be read.
    pub(super) fn add_unreadable(&mut self, field: &str, file: &Path) {
        let path = self.locate.folder().join(file);
        if let Err(error) = planthread_kit::files::open(&path) {
            let cure = "put the file there, or correct the path; it begins at the configuration";
            self.add(field, format!("{} can't be read: {error}", path.display()), cure);
        }
    }
}

/// `targets.ibp.measures[0]`
fn spell<'a>(path: impl Iterator<Item = Step<'a>>) -> String {
    let mut text = String::new();
    for step in path {
        match step {
            Step::Key(key) if text.is_empty() => text.push_str(key),
            Step::Key(key) => {
                text.push('.');
                text.push_str(key);
            }
            Step::Index(at) => text.push_str(&format!("[{at}]")),
        }
    }
    text
}

/// The steps of a path that is written out.
fn steps(field: &str) -> Vec<Step<'_>> {
    let parts = field.split(['.', '[', ']']).filter(|part| !part.is_empty());
    parts.map(|part| part.parse().map_or(Step::Key(part), Step::Index)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_spelt_and_read_alike() {
        let field = "targets.ibp.measures[2].unit";
        assert_eq!(spell(steps(field).into_iter()), field);
    }
}
