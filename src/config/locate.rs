//! From a path in the document to its line in the file.

use std::path::{Path, PathBuf};

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
