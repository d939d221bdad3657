//! Whom a bridge that runs tells what must not wait for somebody to look.

use std::path::Path;

use jiff::civil::Time;
use planthread_kit::{
    SecretRef,
    target::{Auth, Network, Takes, address, auth::Kind},
};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{email::Email, locate::Faults};

/// How a webhook lets us in.
pub(crate) const TAKES: Takes = Takes::only(&[
    Kind::None,
    Kind::Basic,
    Kind::Bearer,
    Kind::ApiKey,
    Kind::ClientCertificate,
    Kind::Oauth2ClientCredentials,
]);

/// Most minutes between two messages: a day.
const LEAST_MAX: u32 = 1_440;

/// Messages about what must not wait: at once when something urgent begins or ends
/// (an outage, a hold, a second writer, a restored state, a state that can't be
/// written), and one digest a day for each owner while something is open. They go by
/// webhook, by e-mail, or by both: one that fails does not hold the other.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Alerts {
    /// Where they are posted.
    #[serde(default)]
    pub webhook: Option<Webhook>,
    /// Who takes them as e-mails.
    #[serde(default)]
    pub email: Option<Email>,
    /// When the digest is due, in the zone of the plant, such as `07:00:00`.
    #[serde(default = "digest_at")]
    #[schemars(with = "String")]
    pub digest_at: Time,
    /// Fewest minutes between two messages to one owner; what happens meanwhile goes
    /// with the next one. 0 sends each at once.
    #[serde(default = "least_minutes")]
    #[schemars(range(max = 1_440))]
    pub least_minutes: u32,
}

/// An address that takes a CloudEvent (`application/cloudevents+json`) by POST.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Webhook {
    /// The address, or a reference to it (`${file:PATH}`): that of many services is a
    /// secret.
    pub url: String,
    /// Who we are there.
    #[serde(default = "nobody")]
    pub auth: Auth,
    /// Proxy and private authority of the way there.
    #[serde(default)]
    pub network: Network,
}

const fn digest_at() -> Time {
    Time::constant(7, 0, 0, 0)
}

const fn least_minutes() -> u32 {
    15
}

const fn nobody() -> Auth {
    Auth::None {}
}

impl Webhook {
    /// The reference to the address, where it is one.
    #[must_use]
    pub fn reference(&self) -> Option<SecretRef> {
        self.url.parse().ok()
    }
}

impl Webhook {
    fn check(&self, faults: &mut Faults<'_>) {
        let url = match self.reference() {
            Some(_) => Ok(()),
            None => address::endpoint("url", &self.url),
        };
        let found = [
            url,
            self.auth.validate(&TAKES).map_err(|fault| fault.inside("auth")),
            self.network.validate().map_err(|fault| fault.inside("network")),
        ];
        for fault in found.into_iter().filter_map(Result::err) {
            faults.add_told(&format!("run.alerts.webhook.{}", fault.field), fault);
        }
        if let Some(file) = &self.network.private_ca {
            faults.add_unreadable("run.alerts.webhook.network.private_ca", file);
        }
    }
}

impl Alerts {
    /// Makes every path absolute, beginning at `folder`.
    pub(super) fn anchor(&mut self, folder: &Path) {
        let webhook = self.webhook.as_mut().map(|webhook| &mut webhook.network);
        let email = self.email.as_mut().map(|email| &mut email.network);
        for path in [webhook, email].into_iter().flatten().filter_map(|one| one.private_ca.as_mut())
        {
            *path = folder.join(&path);
        }
    }

    /// What can't be meant.
    pub(super) fn check(&self, faults: &mut Faults<'_>) {
        if self.webhook.is_none() && self.email.is_none() {
            let reason = "neither `webhook` nor `email` is there: nobody would be told";
            let cure = "write `webhook: { url: https://... }`, or `email:` with `host`, `from` and \
                        `to`, or both; or remove `run.alerts`";
            faults.add("run.alerts", reason, cure);
        }
        if let Some(webhook) = &self.webhook {
            webhook.check(faults);
        }
        if let Some(email) = &self.email {
            email.check(faults);
        }
        if self.least_minutes > LEAST_MAX {
            let reason = format!("{} is more than {LEAST_MAX}", self.least_minutes);
            let cure = "write the fewest minutes between two messages, 15 by default";
            faults.add("run.alerts.least_minutes", reason, cure);
        }
    }
}
