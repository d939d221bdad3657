//! The certificates that a configuration names.

use std::path::Path;

use planthread_kit::target::{Auth, Certificates};

use crate::config::{Loaded, Target, Webhook};

/// Those of the target called `name`. A connector's `auth` stands in its settings under
/// that name.
#[must_use]
pub fn certificates(loaded: &Loaded, name: &str, target: &Target) -> Vec<Certificates> {
    let folder = loaded.file.parent().unwrap_or(Path::new("."));
    let auth = serde_json::from_value::<Auth>(target.settings["auth"].clone()).ok();
    Certificates::of(name, auth.as_ref(), &target.network, folder)
}

/// Those of the ways by which people are told.
#[must_use]
pub fn certificates_of_alerts(loaded: &Loaded) -> Vec<Certificates> {
    let folder = loaded.file.parent().unwrap_or(Path::new("."));
    let mut all = Vec::new();
    if let Some(alerts) = &loaded.config.run.alerts {
        if let Some(Webhook { auth, network, .. }) = &alerts.webhook {
            all.extend(Certificates::of("run.alerts.webhook", Some(auth), network, folder));
        }
        if let Some(email) = &alerts.email {
            all.extend(Certificates::of("run.alerts.email", None, &email.network, folder));
        }
    }
    all
}
