//! The one place that names connectors and sandboxes: plain tables.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use planthread_contracts::{MeasureDecl, Scope};
use planthread_kit::{
    Clock, Connector, QuotaBook, ReqwestTransport, Secret, SecretRef, TenantKey, Transport,
    TransportOptions,
    http::{
        Anonymous, Authenticator, Basic, ClientCredentials, HttpStack, RequestPolicy, TokenRequest,
        Tokens,
    },
};
use planthread_sap_ibp as sap_ibp;
use serde_json::Value;
use url::Url;

use crate::{
    config::{Network, Target},
    failure::Failure,
};

/// One connector.
#[derive(Debug)]
pub struct Entry {
    /// Its name in the configuration.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// JSON Schema of its settings.
    pub schema: fn() -> Value,
    /// Checks settings and measures without touching the target.
    pub check: fn(&Value, &[MeasureDecl]) -> Result<(), SettingsFault>,
    /// Fields of the settings that name a file, and the file; what can't be
    /// read has none.
    pub files: fn(&Value) -> Vec<(&'static str, PathBuf)>,
    /// Puts a connector together.
    pub build: fn(&Parts<'_>) -> Result<Arc<dyn Connector>, Failure>,
}

/// What is wrong with a connector's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsFault {
    /// Path of the field below `settings`; empty when several play together.
    pub field: String,
    /// What is wrong.
    pub reason: String,
    /// What to do, when the connector knows.
    pub cure: Option<String>,
}

/// What a connector is put together from.
#[derive(Debug)]
pub struct Parts<'a> {
    /// The target's name.
    pub name: &'a str,
    /// Its configuration.
    pub target: &'a Target,
    /// Folder of the configuration: secret files begin here.
    pub folder: &'a Path,
    /// Time.
    pub clock: &'a Arc<dyn Clock>,
    /// Quotas by tenant.
    pub quotas: &'a QuotaBook,
    /// The network, when it is not the real one.
    pub transport: Option<Arc<dyn Transport>>,
    /// Nothing will be sent: secrets are not asked for.
    pub offline: bool,
}

/// Every connector.
pub const CONNECTORS: &[Entry] = &[Entry {
    name: "sap-ibp",
    about: "SAP IBP, time-series planning areas, through PLANNING_DATA_API_SRV",
    schema: || schemars::schema_for!(sap_ibp::Config).to_value(),
    check: sap_ibp_check,
    files: sap_ibp_files,
    build: sap_ibp_build,
}];

/// The connector called `name`.
#[must_use]
pub fn find(name: &str) -> Option<&'static Entry> {
    CONNECTORS.iter().find(|entry| entry.name == name)
}

/// The names of all connectors.
#[must_use]
pub fn names() -> Vec<&'static str> {
    CONNECTORS.iter().map(|entry| entry.name).collect()
}

/// Scope of a target: `base`, or a name.
#[must_use]
pub fn scope(name: &str) -> Scope {
    if name == "base" { Scope::base() } else { Scope::named(name) }
}

fn sap_ibp_check(settings: &Value, measures: &[MeasureDecl]) -> Result<(), SettingsFault> {
    let config: sap_ibp::Config = typed(settings)?;
    config.validate(measures).map_err(|error| SettingsFault {
        field: String::new(),
        reason: error.message,
        cure: error.cure,
    })?;
    let mut addresses = vec![("host", &config.host)];
    if let sap_ibp::config::Auth::Oauth2ClientCredentials { token_url, .. } = &config.auth {
        addresses.push(("auth.token_url", token_url));
    }
    for (field, text) in addresses {
        Url::parse(text).map_err(|error| SettingsFault {
            field: field.to_owned(),
            reason: format!("is no address: {error}"),
            cure: Some("write a scheme and a name: https://NAME".to_owned()),
        })?;
    }
    Ok(())
}

fn sap_ibp_files(settings: &Value) -> Vec<(&'static str, PathBuf)> {
    match typed::<sap_ibp::Config>(settings).map(|config| config.auth) {
        Ok(sap_ibp::config::Auth::ClientCertificate { certificate, .. }) => {
            vec![("auth.certificate", certificate)]
        }
        _ => Vec::new(),
    }
}

fn typed<T: serde::de::DeserializeOwned>(settings: &Value) -> Result<T, SettingsFault> {
    serde_path_to_error::deserialize(settings).map_err(|error| {
        let field = match error.path().to_string().as_str() {
            "." => String::new(),
            path => path.to_owned(),
        };
        SettingsFault { field, reason: error.inner().to_string(), cure: None }
    })
}

fn sap_ibp_build(parts: &Parts<'_>) -> Result<Arc<dyn Connector>, Failure> {
    let target = parts.target;
    let config = sap_ibp::Config::read(target.settings.clone())?;
    let identity = config.auth.identity();
    let credentials = sap_ibp_credentials(&config.auth, parts)?;
    let transport = match &parts.transport {
        Some(transport) => Arc::clone(transport),
        None => real_transport(&target.network, credentials.certificate, parts)?,
    };
    let tenant = TenantKey::of(&config.host, &identity);
    let quota = parts
        .quotas
        .for_tenant(tenant, target.quota.clone())
        .map_err(|error| wrong(parts, "quota", &error))?;
    let stack = HttpStack::new(
        transport,
        Arc::clone(parts.clock),
        quota,
        credentials.authenticator,
        RequestPolicy::default(),
    );
    let measures = target.measures.clone();
    let connector =
        sap_ibp::SapIbp::new(parts.name, config, scope(&target.scope), measures, stack)?;
    Ok(Arc::new(connector))
}

/// Who we are: in each request, or in the handshake.
struct Credentials {
    authenticator: Arc<dyn Authenticator>,
    certificate: Option<Secret>,
}

fn sap_ibp_credentials(
    auth: &sap_ibp::config::Auth,
    parts: &Parts<'_>,
) -> Result<Credentials, Failure> {
    use sap_ibp::config::Auth;
    let secret = |reference: &SecretRef| {
        reference.resolve(parts.folder).map_err(|error| wrong(parts, "settings.auth", &error))
    };
    let by =
        |authenticator: Arc<dyn Authenticator>| Credentials { authenticator, certificate: None };
    match auth {
        _ if parts.offline => Ok(by(Arc::new(Anonymous))),
        Auth::Basic { user, password } => {
            Ok(by(Arc::new(Basic::new(user.clone(), secret(password)?))))
        }
        Auth::ClientCertificate { certificate, private_key } => {
            let file = parts.folder.join(certificate);
            let chain = std::fs::read_to_string(&file)
                .map_err(|error| Failure::io("read the certificate", &file, &error))?;
            let both = format!("{chain}\n{}", secret(private_key)?.expose());
            let certificate = Some(Secret::new(both));
            Ok(Credentials { authenticator: Arc::new(Anonymous), certificate })
        }
        Auth::Oauth2ClientCredentials { token_url, client_id, client_secret, scope, .. } => {
            let token_url = Url::parse(token_url)
                .map_err(|error| wrong(parts, "settings.auth.token_url", &error))?;
            Ok(by(Arc::new(Tokens::new(Arc::new(ClientCredentials::new(TokenRequest {
                token_url,
                client_id: client_id.clone(),
                client_secret: secret(client_secret)?,
                scopes: scope.iter().cloned().collect(),
                extra: Vec::new(),
                credentials_in_body: false,
                timeout: RequestPolicy::default().read_timeout,
            }))))))
        }
    }
}

fn real_transport(
    network: &Network,
    client_certificate: Option<Secret>,
    parts: &Parts<'_>,
) -> Result<Arc<dyn Transport>, Failure> {
    let mut options = TransportOptions { client_certificate, ..TransportOptions::default() };
    if let Some(file) = &network.private_ca {
        let pem = std::fs::read(file)
            .map_err(|error| Failure::io("read the private authority", file, &error))?;
        options.private_ca = Some(pem);
        options.only_private_ca = network.only_private_ca;
    }
    options.proxy = network.proxy.clone();
    options.no_proxy = network.no_proxy.clone();
    if let (Some(user), Some(password), false) =
        (&network.proxy_user, &network.proxy_password, parts.offline)
    {
        let password = password
            .resolve(parts.folder)
            .map_err(|error| wrong(parts, "network.proxy_password", &error))?;
        options.proxy_login = Some((user.clone(), password));
    }
    let transport =
        ReqwestTransport::new(&options).map_err(|error| wrong(parts, "network", &error))?;
    Ok(Arc::new(transport))
}

/// A fault that shows only when a connector is put together.
fn wrong(parts: &Parts<'_>, field: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::usage(format!("targets.{}.{field}: {error}", parts.name)).explain("config")
}
