//! The certificates that a configuration names.

use std::path::Path;

use planthread_kit::target::{Auth, Certificates};

use crate::config::{Loaded, Target};

/// Those of the target called `name`. A connector's `auth` stands in its settings under
/// that name.
#[must_use]
pub fn certificates(loaded: &Loaded, name: &str, target: &Target) -> Vec<Certificates> {
    let folder = loaded.file.parent().unwrap_or(Path::new("."));
    let auth = serde_json::from_value::<Auth>(target.settings["auth"].clone()).ok();
    Certificates::of(name, auth.as_ref(), &target.network, folder)
}
