//! What a target is built from, and the one place where authentication, network
//! and limits become a request stack.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use http::HeaderName;
use planthread_contracts::{MeasureDecl, Scope};
use serde::de::DeserializeOwned;
use serde_json::Value;
use url::Url;

use super::{
    Known, SettingsFault,
    auth::{Auth, ClientIn, ExchangeClient, Takes},
    network::{Network, read},
};
use crate::{
    Carries, Clock, Fence, Flow, FlowBook, Leased, Origin, Permit, QuotaBook, QuotaConfig,
    ReqwestTransport, Secret, SecretRef, TenantKey, Transport, TransportOptions,
    http::{
        Anonymous, Authenticator, Basic, ClientCredentials, FixedHeader, HttpSettings, HttpStack,
        TokenBook, TokenRequest, TokenSource,
    },
};

/// What a target is built from.
#[derive(Debug, Clone)]
pub struct TargetContext<'a> {
    /// The target's name.
    pub target: &'a str,
    /// The connector's own settings.
    pub settings: &'a Value,
    /// Where its cells live.
    pub scope: Scope,
    /// The measures that it holds.
    pub measures: &'a [MeasureDecl],
    /// Folder of the configuration: files and secret files begin here.
    pub folder: &'a Path,
    /// Time.
    pub clock: &'a Arc<dyn Clock>,
    /// Quotas by tenant.
    pub quotas: &'a QuotaBook,
    /// Tokens by tenant.
    pub tokens: &'a TokenBook,
    /// What the ledger knows to stand there.
    pub known: Arc<dyn Known>,
    /// Our share of this tenant's.
    pub quota: &'a QuotaConfig,
    /// Proxy and private authority.
    pub network: &'a Network,
    /// Limits of the requests.
    pub http: &'a HttpSettings,
    /// The network, when it is not the real one: tests and drills.
    pub transport: Option<Arc<dyn Transport>>,
    /// Without which nothing goes out, where several bridges share a lease.
    pub permit: Option<&'a Arc<Permit>>,
    /// Where connections are noted that this target asks for.
    pub flows: &'a FlowBook,
    /// Nothing will be sent: secrets are not asked for.
    pub offline: bool,
}

/// Who we are: in each request, or in the handshake.
struct Credentials {
    authenticator: Arc<dyn Authenticator>,
    certificate: Option<Secret>,
}

impl TargetContext<'_> {
    /// The request stack towards `host` and whoever issues its tokens, and nobody else, as `auth` says who we are, with the
    /// connector's own `http` limits (those of the context, or those with what
    /// its vendor needs).
    ///
    /// # Errors
    /// A secret or file that can't be read, a quota or network that can't be;
    /// the field is the path below the target.
    pub fn stack(
        &self,
        host: &str,
        auth: &Auth,
        takes: &Takes,
        http: &HttpSettings,
    ) -> Result<HttpStack, SettingsFault> {
        let policy = http.policy();
        let tenant = TenantKey::of(host, &auth.identity());
        let credentials = self
            .credentials(&tenant, auth, takes, http)
            .map_err(|fault| fault.inside("settings.auth"))?;
        let transport = match &self.transport {
            Some(transport) => Arc::clone(transport),
            None => self.real(credentials.certificate, http)?,
        };
        let transport = match self.permit {
            Some(permit) => Arc::new(Leased::new(transport, Arc::clone(permit))),
            None => transport,
        };
        let flows = flows(host, auth, takes, http)?;
        let transport = Arc::new(Fence::new(transport, &flows));
        self.flows.note(flows);
        let mut quota = self.quota.clone();
        quota.published_per_minute = quota.published_per_minute.or(takes.requests_per_minute);
        let quota = self
            .quotas
            .for_tenant(tenant, quota)
            .map_err(|error| SettingsFault::new("quota", error.to_string()))?;
        let clock = Arc::clone(self.clock);
        Ok(HttpStack::new(transport, clock, quota, credentials.authenticator, policy))
    }

    fn real(
        &self,
        client_certificate: Option<Secret>,
        http: &HttpSettings,
    ) -> Result<Arc<dyn Transport>, SettingsFault> {
        let way = self.network.options(self.folder, self.offline);
        let options = TransportOptions {
            client_certificate,
            connect_timeout: std::time::Duration::from_secs(http.connect_seconds),
            answer_max: http.answer_max(),
            ..way.map_err(|fault| fault.inside("network"))?
        };
        let made = ReqwestTransport::new(&options);
        let transport = made.map_err(|error| SettingsFault::new("network", error.to_string()))?;
        Ok(Arc::new(transport))
    }

    fn credentials(
        &self,
        tenant: &TenantKey,
        auth: &Auth,
        takes: &Takes,
        http: &HttpSettings,
    ) -> Result<Credentials, SettingsFault> {
        let secret = |field: &str, reference: &SecretRef| {
            reference.resolve(self.folder).map_err(|error| error.of(field))
        };
        let by = |authenticator: Arc<dyn Authenticator>| {
            Ok(Credentials { authenticator, certificate: None })
        };
        // Whoever asks in the same way as the same identity shares the token.
        let shared = |secret: &Secret, source: Arc<dyn TokenSource>| {
            let way = serde_json::to_string(auth)
                .map_err(|error| SettingsFault::new("", error.to_string()))?;
            by(Arc::new(self.tokens.of(tenant, &way, secret, || source)))
        };
        match auth {
            _ if self.offline => by(Arc::new(Anonymous)),
            Auth::None {} => by(Arc::new(Anonymous)),
            Auth::Basic { user, password } => {
                by(Arc::new(Basic::new(user.clone(), secret("password", password)?)))
            }
            Auth::Bearer { token } => {
                let value = format!("Bearer {}", secret("token", token)?.expose());
                by(fixed("token", "authorization", &value)?)
            }
            Auth::ApiKey { header, form, key } => {
                let value = form.replace("{key}", secret("key", key)?.expose());
                by(fixed("key", header, &value)?)
            }
            Auth::ClientCertificate { certificate, private_key } => {
                let chain = read("certificate", &self.folder.join(certificate))?;
                let key = secret("private_key", private_key)?;
                let both = format!("{}\n{}", String::from_utf8_lossy(&chain), key.expose());
                let certificate = Some(Secret::new(both));
                Ok(Credentials { authenticator: Arc::new(Anonymous), certificate })
            }
            Auth::Oauth2ClientCredentials { client_secret, .. } => {
                let client_secret = secret("client_secret", client_secret)?;
                shared(&client_secret, granted(auth, client_secret.clone(), http)?)
            }
            Auth::MachineIdentity { client_id, parameters } => {
                let nothing = Secret::new("");
                let client = (client_id.as_deref(), nothing.clone());
                shared(&nothing, exchanged(takes, client, parameters, http)?)
            }
            Auth::TokenExchange { client_id, client_secret, parameters } => {
                let client_secret = secret("client_secret", client_secret)?;
                let client = (Some(client_id.as_str()), client_secret.clone());
                shared(&client_secret, exchanged(takes, client, parameters, http)?)
            }
        }
    }
}

/// Where tokens of client credentials come from.
fn granted(
    auth: &Auth,
    client_secret: Secret,
    http: &HttpSettings,
) -> Result<Arc<dyn TokenSource>, SettingsFault> {
    let Auth::Oauth2ClientCredentials {
        token_url, client_id, scope, client_in, parameters, ..
    } = auth
    else {
        return Err(SettingsFault::new("kind", "grants no token to a client"));
    };
    let token_url = Url::parse(token_url)
        .map_err(|error| SettingsFault::new("token_url", error.to_string()))?;
    let scopes = scope.iter().flat_map(|scope| scope.split_whitespace());
    Ok(Arc::new(ClientCredentials::new(TokenRequest {
        token_url,
        client_id: client_id.clone(),
        client_secret,
        scopes: scopes.map(str::to_owned).collect(),
        extra: parameters.clone().into_iter().collect(),
        credentials_in_body: *client_in == ClientIn::Form,
        timeout: http.policy().read_timeout,
    })))
}

/// The connections that a stack makes.
fn flows(
    host: &str,
    auth: &Auth,
    takes: &Takes,
    http: &HttpSettings,
) -> Result<Vec<Flow>, SettingsFault> {
    let nothing = || Secret::new("");
    let issuer = match auth {
        Auth::Oauth2ClientCredentials { token_url, .. } => Some(token_url.clone()),
        Auth::MachineIdentity { client_id, parameters } => {
            let client = (client_id.as_deref(), nothing());
            Some(exchanged(takes, client, parameters, http)?.address().to_owned())
        }
        Auth::TokenExchange { client_id, parameters, .. } => {
            let client = (Some(client_id.as_str()), nothing());
            Some(exchanged(takes, client, parameters, http)?.address().to_owned())
        }
        _ => None,
    };
    let own = match issuer {
        Some(_) => "token of the log-in".to_owned(),
        None => auth.credential(),
    };
    let targets = [Some((host.to_owned(), Carries::Figures, own))];
    let issuers = [issuer.map(|address| (address, Carries::Login, auth.credential()))];
    let flow = |(address, carries, credential): (String, Carries, String)| {
        let origin = Origin::of(&address).ok_or_else(|| {
            SettingsFault::new("settings", "an address has no scheme, name or port")
                .cure("write it as https://NAME")
        })?;
        let path = Origin::path_of(&address);
        Ok(Flow { origin, path, carries, credential })
    };
    targets.into_iter().chain(issuers).flatten().map(flow).collect()
}

fn exchanged(
    takes: &Takes,
    (client_id, client_secret): (Option<&str>, Secret),
    parameters: &BTreeMap<String, String>,
    http: &HttpSettings,
) -> Result<Arc<dyn TokenSource>, SettingsFault> {
    let exchange = takes
        .exchange
        .ok_or_else(|| SettingsFault::new("kind", "this connector has no exchange of tokens"))?;
    let client_id = client_id.unwrap_or_default().to_owned();
    let (parameters, patience) = (parameters.clone(), http.policy().read_timeout);
    let client = ExchangeClient { client_id, client_secret, parameters, patience };
    Ok(exchange(client))
}

fn fixed(field: &str, name: &str, value: &str) -> Result<Arc<dyn Authenticator>, SettingsFault> {
    let name = HeaderName::try_from(name)
        .map_err(|_| SettingsFault::new("header", "is no name of a header"))?;
    let header = FixedHeader::new(name, value).map_err(|error| SettingsFault {
        cure: error.cure,
        ..SettingsFault::new(field, error.message)
    })?;
    Ok(Arc::new(header))
}

/// Reads settings as `T`, a wrong field by its path.
///
/// # Errors
/// Names the field that is unknown, missing or of another type.
pub fn typed<T: DeserializeOwned>(settings: &Value) -> Result<T, SettingsFault> {
    serde_path_to_error::deserialize(settings).map_err(|error| {
        let path = error.path().to_string();
        let field = if path == "." { String::new() } else { path };
        SettingsFault::new(field, error.inner().to_string())
    })
}

#[cfg(test)]
mod tests;
