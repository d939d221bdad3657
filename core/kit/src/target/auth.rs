//! Who we are towards a target, as data: one form for every connector.
//!
//! A connector says which kinds its vendor takes ([`Takes`]) and embeds
//! [`Auth`] in its settings; schema, checks and credentials follow from that.

use std::{collections::BTreeMap, path::PathBuf, sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{SettingsFault, address::endpoint};
use crate::{Secret, SecretRef, http::TokenSource};

/// Who we are towards the target. Secrets are references, never values.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// Nobody asks.
    None {},
    /// User and password in each request.
    Basic {
        /// The user.
        user: String,
        /// Reference to the password.
        password: SecretRef,
    },
    /// A token that somebody made and that stays the same.
    Bearer {
        /// Reference to the token.
        token: SecretRef,
    },
    /// A key in a header.
    ApiKey {
        /// The header.
        #[serde(default = "authorization")]
        header: String,
        /// The header's value; `{key}` stands for the key: `ApiKey {key}`.
        #[serde(default = "bare")]
        form: String,
        /// Reference to the key.
        key: SecretRef,
    },
    /// X.509 client certificate, shown in the handshake.
    ClientCertificate {
        /// File with the certificate chain (PEM).
        certificate: PathBuf,
        /// Reference to the private key (PEM).
        private_key: SecretRef,
    },
    /// OAuth 2.0 client credentials (RFC 6749 section 4.4).
    Oauth2ClientCredentials {
        /// Token endpoint.
        token_url: String,
        /// Client id.
        client_id: String,
        /// Reference to the client secret.
        client_secret: SecretRef,
        /// Scopes to ask for, separated by spaces, if the issuer wants any.
        #[serde(default)]
        scope: Option<String>,
        /// Where client id and secret stand in the token request.
        #[serde(default)]
        client_in: ClientIn,
        /// Further fields that the issuer wants (`audience`, `resource`).
        #[serde(default)]
        parameters: BTreeMap<String, String>,
        /// Must be `true` where OAuth 2.0 is unconfirmed for this connector:
        /// says that you know.
        #[serde(default)]
        unconfirmed_oauth2: bool,
    },
    /// A token that the machine on which this runs is given for its own identity:
    /// there is no secret.
    MachineIdentity {
        /// Id of one of several identities of the machine; its own without it.
        #[serde(default)]
        client_id: Option<String>,
        /// What the vendor wants besides; the connector says which.
        #[serde(default)]
        parameters: BTreeMap<String, String>,
    },
    /// The vendor's own exchange of a client for a token.
    TokenExchange {
        /// Client id.
        client_id: String,
        /// Reference to the client secret.
        client_secret: SecretRef,
        /// What the vendor wants besides; the connector says which.
        #[serde(default)]
        parameters: BTreeMap<String, String>,
    },
}

/// Where client id and secret stand in a token request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientIn {
    /// In the `Authorization` header.
    #[default]
    Header,
    /// In the form.
    Form,
}

/// Kinds of authentication.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Nobody asks.
    None,
    /// User and password.
    Basic,
    /// A token that stays the same.
    Bearer,
    /// A key in a header.
    ApiKey,
    /// X.509 client certificate.
    ClientCertificate,
    /// OAuth 2.0 client credentials.
    Oauth2ClientCredentials,
    /// The machine's own identity.
    MachineIdentity,
    /// The vendor's own exchange.
    TokenExchange,
}

impl Kind {
    /// The word in the settings.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Basic => "basic",
            Self::Bearer => "bearer",
            Self::ApiKey => "api_key",
            Self::ClientCertificate => "client_certificate",
            Self::Oauth2ClientCredentials => "oauth2_client_credentials",
            Self::MachineIdentity => "machine_identity",
            Self::TokenExchange => "token_exchange",
        }
    }
}

/// A client that a vendor exchanges for a token.
#[derive(Debug, Clone)]
pub struct ExchangeClient {
    /// Client id.
    pub client_id: String,
    /// Client secret; empty for a machine's own identity.
    pub client_secret: Secret,
    /// What the vendor wants besides.
    pub parameters: BTreeMap<String, String>,
    /// How long the exchange may take: as long as a read.
    pub patience: Duration,
}

/// What a connector's vendor takes: kinds of authentication, and how many requests.
#[derive(Debug, Clone, Copy)]
pub struct Takes {
    /// The kinds.
    pub kinds: &'static [Kind],
    /// Why OAuth 2.0 is unconfirmed at this vendor, where it is; it then needs
    /// its switch (law 17).
    pub unconfirmed_oauth2: Option<&'static str>,
    /// How the vendor exchanges a client for a token.
    pub exchange: Option<fn(ExchangeClient) -> Arc<dyn TokenSource>>,
    /// Requests a minute that the vendor publishes for a tenant: the quota's rate where
    /// the configuration names none. `None` where it publishes none.
    pub requests_per_minute: Option<u32>,
}

impl Takes {
    /// These kinds, without any further condition.
    #[must_use]
    pub const fn only(kinds: &'static [Kind]) -> Self {
        Self { kinds, unconfirmed_oauth2: None, exchange: None, requests_per_minute: None }
    }
}

fn authorization() -> String {
    "authorization".to_owned()
}

fn bare() -> String {
    "{key}".to_owned()
}

impl Auth {
    /// Which kind it is.
    #[must_use]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::None {} => Kind::None,
            Self::Basic { .. } => Kind::Basic,
            Self::Bearer { .. } => Kind::Bearer,
            Self::ApiKey { .. } => Kind::ApiKey,
            Self::ClientCertificate { .. } => Kind::ClientCertificate,
            Self::Oauth2ClientCredentials { .. } => Kind::Oauth2ClientCredentials,
            Self::MachineIdentity { .. } => Kind::MachineIdentity,
            Self::TokenExchange { .. } => Kind::TokenExchange,
        }
    }

    /// Who shares a quota, and shows at the target as the sender. A reference
    /// stands for a secret that has no name.
    #[must_use]
    pub fn identity(&self) -> String {
        match self {
            Self::None {} => "anonymous".to_owned(),
            Self::Basic { user, .. } => user.clone(),
            Self::Bearer { token } => token.to_string(),
            Self::ApiKey { key, .. } => key.to_string(),
            Self::ClientCertificate { certificate, .. } => certificate.display().to_string(),
            Self::MachineIdentity { client_id, .. } => {
                client_id.clone().unwrap_or_else(|| "machine".to_owned())
            }
            Self::Oauth2ClientCredentials { client_id, .. }
            | Self::TokenExchange { client_id, .. } => client_id.clone(),
        }
    }

    /// Who we are, and where the secret is kept; never the secret.
    #[must_use]
    pub fn credential(&self) -> String {
        match self {
            Self::None {} => "none".to_owned(),
            Self::Basic { user, password } => format!("user {user}, password {password}"),
            Self::Bearer { token } => format!("token {token}"),
            Self::ApiKey { key, .. } => format!("key {key}"),
            Self::ClientCertificate { certificate, private_key } => {
                format!("certificate {}, key {private_key}", certificate.display())
            }
            Self::Oauth2ClientCredentials { client_id, client_secret, .. }
            | Self::TokenExchange { client_id, client_secret, .. } => {
                format!("client {client_id}, secret {client_secret}")
            }
            Self::MachineIdentity { .. } => {
                format!("identity of the machine ({})", self.identity())
            }
        }
    }

    /// Files that it names, by field.
    #[must_use]
    pub fn files(&self) -> Vec<(&'static str, PathBuf)> {
        match self {
            Self::ClientCertificate { certificate, .. } => {
                vec![("certificate", certificate.clone())]
            }
            _ => Vec::new(),
        }
    }

    /// Checks what one field alone can't show, and that the vendor takes it.
    ///
    /// # Errors
    /// The first fault, by field.
    pub fn validate(&self, takes: &Takes) -> Result<(), SettingsFault> {
        if !takes.kinds.contains(&self.kind()) {
            let known: Vec<&str> = takes.kinds.iter().map(|kind| kind.word()).collect();
            let reason = format!("`{}` is not what this target takes", self.kind().word());
            return Err(SettingsFault::new("kind", reason)
                .cure(format!("write one of: {}", known.join(", "))));
        }
        match self {
            Self::Basic { user, .. } if user.is_empty() || user.contains(':') => {
                Err(SettingsFault::new("user", "must not be empty nor contain a colon")
                    .cure("write the name of the user alone"))
            }
            Self::ApiKey { header, form, .. } => in_header(header, form),
            Self::Oauth2ClientCredentials { token_url, client_id, unconfirmed_oauth2, .. } => {
                if let (Some(why), false) = (takes.unconfirmed_oauth2, unconfirmed_oauth2) {
                    let reason = format!("is not set, and OAuth 2.0 is unconfirmed: {why}");
                    return Err(SettingsFault::new("unconfirmed_oauth2", reason).cure(
                        "use another kind, or set `auth.unconfirmed_oauth2: true` when yours offers \
                         it",
                    ));
                }
                named("client_id", client_id)?;
                endpoint("token_url", token_url)
            }
            Self::TokenExchange { client_id, .. } => named("client_id", client_id),
            Self::None {} | Self::Basic { .. } | Self::Bearer { .. } => Ok(()),
            Self::ClientCertificate { .. } | Self::MachineIdentity { .. } => Ok(()),
        }
    }
}

fn named(field: &str, name: &str) -> Result<(), SettingsFault> {
    if !name.trim().is_empty() {
        return Ok(());
    }
    Err(SettingsFault::new(field, "is empty").cure("write the id that the issuer knows"))
}

fn in_header(header: &str, form: &str) -> Result<(), SettingsFault> {
    if HeaderName::try_from(header).is_err() {
        return Err(SettingsFault::new("header", format!("`{header}` is no name of a header"))
            .cure("write a name like authorization or x-api-key"));
    }
    let places = form.matches("{key}").count();
    if places != 1 || HeaderValue::try_from(form).is_err() {
        return Err(SettingsFault::new("form", "must name {key} once and be one line")
            .cure("write `{key}` alone, or with the vendor's word before it: ApiKey {key}"));
    }
    Ok(())
}

/// JSON Schema of a connector's settings `T`, in which `Auth` has only the kinds
/// that the vendor takes.
#[must_use]
pub fn schema<T: JsonSchema>(takes: &Takes) -> Value {
    let mut schema = schemars::schema_for!(T).to_value();
    let kinds: Vec<&str> = takes.kinds.iter().map(|kind| kind.word()).collect();
    if let Some(Value::Array(all)) = schema.pointer_mut("/$defs/Auth/oneOf") {
        all.retain(|one| {
            let kind = one.pointer("/properties/kind/const").and_then(Value::as_str);
            kind.is_some_and(|kind| kinds.contains(&kind))
        });
    }
    schema
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ALL: Takes = Takes::only(&[
        Kind::None,
        Kind::Basic,
        Kind::Bearer,
        Kind::ApiKey,
        Kind::ClientCertificate,
        Kind::Oauth2ClientCredentials,
    ]);

    fn fault(auth: Value, takes: &Takes) -> SettingsFault {
        let auth: Auth = serde_json::from_value(auth).unwrap();
        auth.validate(takes).unwrap_err()
    }

    #[test]
    fn faults_name_their_field_and_never_the_secret() {
        let oauth = json!({"kind": "oauth2_client_credentials", "token_url": "http://far.example/t",
            "client_id": "me", "client_secret": "${env:S}"});
        for (auth, field) in [
            (json!({"kind": "basic", "user": "a:b", "password": "${env:P}"}), "user"),
            (json!({"kind": "api_key", "header": "a b", "key": "${env:K}"}), "header"),
            (json!({"kind": "api_key", "form": "ApiKey", "key": "${env:K}"}), "form"),
            (json!({"kind": "api_key", "form": "{key}\n{key}", "key": "${env:K}"}), "form"),
            (oauth.clone(), "token_url"),
            (
                json!({"kind": "token_exchange", "client_id": "a", "client_secret": "${env:S}"}),
                "kind",
            ),
        ] {
            assert_eq!(fault(auth, &ALL).field, field);
        }
        let unsure = Takes { unconfirmed_oauth2: Some("nobody saw it"), ..ALL };
        let fault = fault(oauth, &unsure);
        assert_eq!(fault.field, "unconfirmed_oauth2");
        assert!(fault.reason.contains("nobody saw it"));
        let literal = json!({"kind": "bearer", "token": "hunter2"});
        let error = serde_json::from_value::<Auth>(literal).unwrap_err().to_string();
        assert!(error.contains("${env:NAME}") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn every_kind_is_read_by_its_word_and_refuses_a_field_too_many() {
        for auth in [
            json!({"kind": "none"}),
            json!({"kind": "basic", "user": "a", "password": "${env:P}"}),
            json!({"kind": "bearer", "token": "${env:T}"}),
            json!({"kind": "api_key", "header": "x-api-key", "key": "${env:K}"}),
            json!({"kind": "client_certificate", "certificate": "c.pem", "private_key": "${file:k}"}),
            json!({"kind": "oauth2_client_credentials", "token_url": "https://i.example/t",
                "client_id": "a", "client_secret": "${env:S}", "client_in": "form"}),
        ] {
            let read: Auth = serde_json::from_value(auth.clone()).unwrap();
            read.validate(&ALL).unwrap();
            assert_eq!(auth["kind"], read.kind().word());
            let mut more = auth;
            more["pasword"] = json!("x");
            let error = serde_json::from_value::<Auth>(more).unwrap_err().to_string();
            assert!(error.contains("pasword"), "{error}");
        }
    }

    #[test]
    fn the_schema_shows_only_what_the_vendor_takes() {
        #[derive(JsonSchema)]
        #[expect(dead_code, reason = "only its schema is looked at")]
        struct Settings {
            auth: Auth,
        }
        let text = schema::<Settings>(&Takes::only(&[Kind::Bearer])).to_string();
        assert!(text.contains("\"bearer\"") && !text.contains("\"basic\""), "{text}");
    }
}
