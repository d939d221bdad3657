//! The packs of a target as they lie in their folder, and how old each of them is.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use planthread_engine::fallback::Manifest;

use super::second_pack;
use crate::{config::Target, failure::Failure};

/// The folder of the pack that a person would load now, and what it says of itself;
/// `None` where none is configured, or none was written yet.
///
/// # Errors
/// When what is there can't be read.
pub fn current_pack(name: &str, target: &Target) -> Result<Option<(PathBuf, Manifest)>, Failure> {
    let Some(pack) = &target.pack else { return Ok(None) };
    let folder = pack.folder.join(name).join("current");
    let manifest = manifest(&folder)?;
    Ok(manifest.map(|manifest| (folder, manifest)))
}

fn manifest(folder: &Path) -> Result<Option<Manifest>, Failure> {
    let file = folder.join("manifest.json");
    let text = match fs::read(&file) {
        Ok(text) => text,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(Failure::io("read", &file, &error)),
    };
    let manifest = serde_json::from_slice(&text).map_err(|error| {
        Failure::usage(format!("{} is no manifest of a pack: {error}", file.display()))
            .cure("the next cycle writes the pack anew; do not load this one")
    })?;
    Ok(Some(manifest))
}

/// Of which instants the packs of a target are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackTimes {
    /// The configured target.
    pub target: String,
    /// The one in its folder; none where there is none that can be read.
    pub here: Option<Timestamp>,
    /// Its second place, where one is configured, and the one that is known to be there.
    pub second: Option<(String, Option<Timestamp>)>,
}

impl PackTimes {
    /// Those of `target`; `None` where it has no packs. What can't be read is not there:
    /// nobody could load it.
    #[must_use]
    pub fn of(name: &str, target: &Target) -> Option<Self> {
        let pack = target.pack.as_ref()?;
        let here = current_pack(name, target).ok().flatten();
        let second = pack.sftp.as_ref().map(|place| {
            let known = second_pack(name, target).ok().flatten();
            (place.to_string(), known.and_then(|known| known.pack_of))
        });
        let here = here.map(|(_, manifest)| manifest.as_of);
        Some(Self { target: name.to_owned(), here, second })
    }
}
