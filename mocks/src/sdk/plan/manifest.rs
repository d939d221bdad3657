//! The manifest of a pack, as an importer holds the files of its folder against it.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::sdk::web;

/// Its name in the folder.
pub const NAME: &str = "manifest.json";

/// The files that the manifest of a folder names, when each is there as it says. `file`
/// finds one of the folder; `mark` is one that only ends the copying.
///
/// # Errors
/// Names what is missing, damaged or half copied.
pub fn whole<'a>(
    file: impl Fn(&str) -> Option<&'a str>,
    mark: Option<&str>,
) -> Result<Vec<String>, String> {
    let manifest = file(NAME)
        .ok_or_else(|| format!("{NAME} is missing: nothing says whether the files are whole"))?;
    let manifest: Value =
        serde_json::from_str(manifest).map_err(|error| format!("{NAME}: {error}"))?;
    let files = manifest["files"].as_array().filter(|files| !files.is_empty());
    let files = files.ok_or_else(|| format!("{NAME} names no file"))?;
    let mut names = Vec::new();
    for entry in files {
        let name = entry["name"].as_str().unwrap_or_default();
        if mark == Some(name) {
            continue;
        }
        let text = file(name).ok_or_else(|| format!("{name} is missing"))?;
        if entry["sha256"] != web::digest(text) {
            return Err(format!("{name} is not what {NAME} says: it is damaged or half copied"));
        }
        names.push(name.to_owned());
    }
    Ok(names)
}

/// Files of a pack by their names.
pub type Files = BTreeMap<String, String>;

/// Files that a person drops, one by one, until the one that ends the copying.
#[derive(Debug, Default)]
pub struct Dropped(Files);

impl Dropped {
    /// Keeps a file, where its name `may` be one of a pack. When it is `last`, the files
    /// of the pack, if all of it is whole; nothing is kept then.
    ///
    /// # Errors
    /// Names what is missing, damaged, half copied, or not of the pack.
    pub fn keep(
        &mut self,
        (name, text): (&str, &str),
        last: &str,
        may: impl Fn(&str) -> bool,
    ) -> Result<Option<Files>, String> {
        if name != NAME && name != last && !may(name) {
            return Err(format!("`{name}` is no file that is imported: leave it out"));
        }
        self.0.insert(name.to_owned(), text.to_owned());
        if name != last {
            return Ok(None);
        }
        let mut files = std::mem::take(&mut self.0);
        let named = whole(|name| files.get(name).map(String::as_str), Some(last))?;
        files.retain(|name, _| name != NAME && name != last);
        match files.keys().find(|name| !named.contains(name)) {
            Some(other) => Err(format!("{other} is none of this pack: {NAME} does not name it")),
            None => Ok(Some(files)),
        }
    }
}
