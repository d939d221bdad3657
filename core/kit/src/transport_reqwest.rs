//! The real transport: the only place that opens sockets towards a target.
//!
//! One sending is one request: no redirects, no retries, no cookies, no
//! proxies from the environment. What a connector wants of those it does
//! itself, where it can be seen.

use std::{error::Error, fmt::Write as _, time::Duration};

use bytes::{Bytes, BytesMut};
use http::{Request, Response};
use reqwest::{Certificate, Client, Identity, NoProxy, Proxy, redirect};
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};
use url::Url;

use crate::{BoxFuture, Secret, SendError, Sent, Transport, http::HttpSettings, redact};

/// How to reach a target.
#[derive(Debug, Clone)]
pub struct TransportOptions {
    /// Certificates of a private authority, PEM.
    pub private_ca: Option<Vec<u8>>,
    /// Trust only `private_ca`, not the system's authorities; without one,
    /// trust nobody (plain HTTP still works, also where no authorities are
    /// installed).
    pub only_private_ca: bool,
    /// Client certificate chain and its unencrypted private key, both PEM, one
    /// after the other.
    pub client_certificate: Option<Secret>,
    /// HTTP proxy for all requests: `http://proxy.example:3128`.
    pub proxy: Option<Url>,
    /// User and password at the proxy.
    pub proxy_login: Option<(String, Secret)>,
    /// Hosts that are reached without the proxy, separated by commas.
    pub no_proxy: String,
    /// How long name resolution, connection and handshake may take.
    pub connect_timeout: Duration,
    /// Longest answer that is taken, unpacked, in bytes: a few packed kilobytes
    /// can stand for terabytes.
    pub answer_max: usize,
}

impl Default for TransportOptions {
    fn default() -> Self {
        Self {
            private_ca: None,
            only_private_ca: false,
            client_certificate: None,
            proxy: None,
            proxy_login: None,
            no_proxy: String::new(),
            connect_timeout: Duration::from_secs(15),
            answer_max: HttpSettings::default().answer_max(),
        }
    }
}

/// The options make no transport.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{option}: {reason}; {cure}")]
pub struct TransportError {
    /// Which option.
    pub option: &'static str,
    /// What is wrong with it. Never its content.
    pub reason: String,
    /// What to do about it.
    pub cure: &'static str,
}

/// HTTP/1.1 over TCP and TLS (rustls with ring), with a connection pool.
#[derive(Debug, Clone)]
pub struct ReqwestTransport {
    client: Client,
    answer_max: usize,
}

impl ReqwestTransport {
    /// A transport with its own connection pool.
    ///
    /// # Errors
    /// When a certificate, key or proxy address can't be read.
    pub fn new(options: &TransportOptions) -> Result<Self, TransportError> {
        // The process has one provider. Somebody else's is as good as ours.
        let _ = rustls::crypto::ring::default_provider().install_default();
        #[expect(clippy::disallowed_methods, reason = "this is the kit's transport")]
        let mut builder = Client::builder()
            .no_proxy()
            .redirect(redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .gzip(true)
            .connect_timeout(options.connect_timeout);
        let roots = options.private_ca.as_deref().map_or(Ok(Vec::new()), authorities)?;
        if options.only_private_ca {
            builder = builder.tls_certs_only(roots);
        } else {
            builder = builder.tls_certs_merge(roots);
        }
        if let Some(pem) = &options.client_certificate {
            builder = builder.identity(identity(pem)?);
        }
        if let Some(url) = &options.proxy {
            builder = builder.proxy(proxy(url, options)?);
        }
        let client = builder.build().map_err(|error| TransportError {
            option: "transport",
            reason: chain(&error),
            cure: "install the system's CA certificates, or trust only a private CA",
        })?;
        Ok(Self { client, answer_max: options.answer_max })
    }
}

impl Transport for ReqwestTransport {
    fn send(&self, request: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
        Box::pin(async move {
            let request = reqwest::Request::try_from(request).map_err(lost)?;
            let answer = self.client.execute(request).await.map_err(lost)?;
            let mut response = Response::new(Bytes::new());
            *response.status_mut() = answer.status();
            *response.version_mut() = answer.version();
            *response.headers_mut() = answer.headers().clone();
            *response.body_mut() = self.body(answer).await?;
            Ok(response)
        })
    }
}

impl ReqwestTransport {
    /// The whole body, or an error as soon as it is longer than it may be.
    async fn body(&self, mut answer: reqwest::Response) -> Result<Bytes, SendError> {
        let mut body = BytesMut::new();
        while let Some(part) = answer.chunk().await.map_err(lost)? {
            if body.len() + part.len() > self.answer_max {
                let message = format!("the answer is longer than {} bytes", self.answer_max);
                return Err(SendError::lost(Sent::Maybe, message));
            }
            body.extend_from_slice(&part);
        }
        Ok(body.freeze())
    }
}

/// Certain is only what failed before the request left: its building, or the
/// way to the peer (name, connection, proxy, handshake).
fn lost(error: reqwest::Error) -> SendError {
    if let Some(untrusted) = untrusted(&error) {
        return untrusted;
    }
    let sent = if error.is_builder() || error.is_connect() { Sent::No } else { Sent::Maybe };
    SendError::lost(sent, redact::text(&chain(&error.without_url())))
}

/// What to say where we did not trust the certificate of the peer, if that is the cause
/// of `error`: of ours, or of a library that speaks another protocol over TLS.
#[must_use]
pub fn untrusted(error: &(dyn Error + 'static)) -> Option<SendError> {
    bad_certificate(error).map(|fault| SendError::untrusted(&redact::text(&fault.to_string())))
}

/// Why the certificate of the peer was refused, when that is the cause.
fn bad_certificate<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a rustls::CertificateError> {
    let mut next = Some(error);
    while let Some(cause) = next {
        if let Some(rustls::Error::InvalidCertificate(fault)) = cause.downcast_ref() {
            return Some(fault);
        }
        // An IO error hides what it holds from `source`, and it may hold another.
        let held = cause.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref);
        next = held.map(|held| held as &(dyn Error + 'static)).or_else(|| cause.source());
    }
    None
}

/// The error and its causes in one line.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        let _ = write!(text, ": {inner}");
        cause = inner.source();
    }
    text
}

// Both PEM texts are tried out here, because the client's builder would not
// say which of them is bad.

fn authorities(pem: &[u8]) -> Result<Vec<Certificate>, TransportError> {
    trusted(pem)?;
    Certificate::from_pem_bundle(pem).map_err(|error| no_authority(chain(&error)))
}

fn no_authority(reason: String) -> TransportError {
    TransportError {
        option: "private_ca",
        reason,
        cure: "give a PEM file with one or more BEGIN CERTIFICATE blocks",
    }
}

/// The certificates of a private authority, in DER.
pub(crate) fn trusted(pem: &[u8]) -> Result<Vec<CertificateDer<'static>>, TransportError> {
    let found: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| no_authority("a certificate can't be read".to_owned()))?;
    if found.is_empty() {
        return Err(no_authority("it holds no certificate".to_owned()));
    }
    for certificate in &found {
        let added = RootCertStore::empty().add(certificate.clone());
        added.map_err(|error| no_authority(format!("a certificate is no authority: {error}")))?;
    }
    Ok(found)
}

fn identity(pem: &Secret) -> Result<Identity, TransportError> {
    let fault = |reason| TransportError {
        option: "client_certificate",
        reason,
        cure: "give one PEM text with the certificate chain and its unencrypted private key",
    };
    let pem = pem.expose().as_bytes();
    let shown: Vec<_> = CertificateDer::pem_slice_iter(pem)
        .collect::<Result<_, _>>()
        .map_err(|_| fault("a certificate can't be read".to_owned()))?;
    let key = PrivateKeyDer::from_pem_slice(pem)
        .map_err(|_| fault("it holds no unencrypted private key".to_owned()))?;
    ClientConfig::builder()
        .with_root_certificates(RootCertStore::empty())
        .with_client_auth_cert(shown, key)
        .map_err(|error| fault(format!("certificate and key don't go together: {error}")))?;
    Identity::from_pem(pem).map_err(|error| fault(chain(&error)))
}

fn proxy(url: &Url, options: &TransportOptions) -> Result<Proxy, TransportError> {
    let fault = |reason| TransportError {
        option: "proxy",
        reason,
        cure: "write http://HOST:PORT and keep user and password in proxy_user and proxy_password",
    };
    if url.scheme() != "http" || !url.username().is_empty() || url.password().is_some() {
        return Err(fault("it is not a plain http address".to_owned()));
    }
    // Plain HTTP is for this machine, and no proxy reaches that.
    let mut proxy =
        Proxy::https(url.clone()).map_err(|error| fault(chain(&error.without_url())))?;
    if let Some((user, password)) = &options.proxy_login {
        proxy = proxy.basic_auth(user, password.expose());
    }
    Ok(proxy.no_proxy(NoProxy::from_string(&options.no_proxy)))
}

#[cfg(test)]
mod tests;
