//! Whether an agreement that was just signed would hold: the gate of a target that it is
//! for says so, by the rule by which it says so later.

use std::path::Path;

use planthread_kit::agreement::document::Signed;
use serde_json::{Value, json};

use super::super::Opener;
use crate::{config::Loaded, failure::Failure};

/// The first target of `loaded` that `signed` in `file` fits, once its settings name the file
/// and the signer's key; `None` where no target of its connector is configured, or none
/// that can be opened: then nobody can say. `opener` opens without a connection.
///
/// # Errors
/// When it holds at none of them: what the first one says.
pub fn fits(
    loaded: &Loaded,
    opener: &Opener,
    (file, signed): (&Path, &Signed),
) -> Result<Option<String>, Failure> {
    let mut refused = None;
    let targets = loaded.config.targets.iter();
    for (name, _) in targets.filter(|(_, of)| signed.document["connector"] == *of.connector) {
        let mut named = loaded.clone();
        let Some(target) = named.config.targets.get_mut(name) else { continue };
        name_file(&mut target.settings, file, &signed.signature.key);
        let Ok(target) = opener.open(&named, Some(name)) else { continue };
        let Some(gate) = &target.connector.info().agreement else { continue };
        if gate.agreement().is_some() {
            return Ok(Some(name.clone()));
        }
        let why = gate.broken_by().unwrap_or_default();
        refused.get_or_insert_with(|| format!("{name} would not be written under it: {why}"));
    }
    match refused {
        None => Ok(None),
        Some(why) => Err(Failure::usage(why).cure(
            "correct it, then sign it; where it is for a target of another configuration, sign it \
             with that one: `--config FILE`",
        )),
    }
}

/// Names the signed file in the settings of a target, and trusts the key that signed it.
fn name_file(settings: &mut Value, file: &Path, key: &str) {
    settings["agreement"]["file"] = json!(file);
    let trusts = &mut settings["agreement"]["trusts"];
    let known = trusts.as_object().is_some_and(|all| all.values().any(|one| *one == *key));
    if !known {
        trusts["who signs it"] = json!(key);
    }
}
