//! Who we are to the tenant: Basic, client certificate, or (behind a switch)
//! OAuth 2.0 client credentials.

use std::path::PathBuf;

use planthread_kit::{ConnectorError, secret::SecretRef};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{encrypted, fatal};

/// Credentials of the inbound communication user (scenario SAP_COM_0720).
/// Secrets are references, never values.
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Auth {
    /// Technical communication user with a password: used by every public
    /// sample.
    Basic {
        /// Communication user.
        user: String,
        /// Reference to its password.
        password: SecretRef,
    },
    /// X.509 client certificate, presented by the transport.
    ClientCertificate {
        /// File with the certificate chain (PEM).
        certificate: PathBuf,
        /// Reference to the private key (PEM).
        private_key: SecretRef,
    },
    /// Unconfirmed for this scenario.
    Oauth2ClientCredentials {
        /// Token endpoint.
        token_url: String,
        /// Client id.
        client_id: String,
        /// Reference to the client secret.
        client_secret: SecretRef,
        /// Scope to ask for, if the issuer wants one.
        #[serde(default)]
        scope: Option<String>,
        /// Must be `true`: says that you know that this is unconfirmed.
        #[serde(default)]
        unconfirmed_oauth2: bool,
    },
}

impl Auth {
    /// The identity that shares a quota and shows as the job's owner.
    #[must_use]
    pub fn identity(&self) -> String {
        match self {
            Self::Basic { user, .. } => user.clone(),
            Self::ClientCertificate { certificate, .. } => certificate.display().to_string(),
            Self::Oauth2ClientCredentials { client_id, .. } => client_id.clone(),
        }
    }

    pub(super) fn validate(&self) -> Result<(), ConnectorError> {
        match self {
            Self::Basic { user, .. } if user.is_empty() || user.contains(':') => {
                Err(fatal("`auth.user` must not be empty nor contain a colon"))
            }
            Self::Oauth2ClientCredentials { unconfirmed_oauth2: false, .. } => Err(fatal(
                "`auth`: OAuth 2.0 is unconfirmed for the inbound side of SAP_COM_0720: a blog post \
                 of 2023-08-07 states and shows that it is not offered there, later lists claim \
                 otherwise",
            )
            .cure(
                "use basic or client_certificate, or set `auth.unconfirmed_oauth2: true` when your \
                 tenant offers it",
            )),
            Self::Oauth2ClientCredentials { token_url, .. } => {
                encrypted("auth.token_url", token_url)
            }
            Self::Basic { .. } | Self::ClientCertificate { .. } => Ok(()),
        }
    }
}
