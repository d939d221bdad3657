//! TLS for a sandbox: self-made or given certificates, optional client ones.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};
use rustls::{
    RootCertStore, ServerConfig,
    crypto::ring,
    server::WebPkiClientVerifier,
    version::{TLS12, TLS13},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};

/// A server's TLS set-up.
#[derive(Debug, Clone)]
pub struct Tls {
    config: Arc<ServerConfig>,
}

/// The TLS set-up can't be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM text can't be read.
    #[error("{what}: {reason}; give PEM with BEGIN/END lines")]
    Pem {
        /// Which of the texts.
        what: &'static str,
        /// Why.
        reason: String,
    },
    /// Certificate and key don't make a server.
    #[error("TLS set-up: {0}")]
    Config(String),
    /// A certificate can't be made.
    #[error("can't make a certificate: {0}")]
    Make(#[from] rcgen::Error),
}

impl Tls {
    /// From PEM texts: certificate chain, private key, and the authority whose
    /// client certificates are welcome. Clients without one may still connect:
    /// they need Basic.
    ///
    /// # Errors
    /// When a text is no PEM, or the parts don't fit together.
    pub fn from_pem(chain: &str, key: &str, client_ca: Option<&str>) -> Result<Self, TlsError> {
        let chain = certificates("certificate chain", chain)?;
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|error| TlsError::Pem { what: "private key", reason: error.to_string() })?;
        let provider = Arc::new(ring::default_provider());
        let builder = ServerConfig::builder_with_provider(provider.clone())
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(config)?;
        let builder = match client_ca {
            None => builder.with_no_client_auth(),
            Some(pem) => {
                let mut roots = RootCertStore::empty();
                for certificate in certificates("client authority", pem)? {
                    roots.add(certificate).map_err(config)?;
                }
                let verifier =
                    WebPkiClientVerifier::builder_with_provider(Arc::new(roots), provider)
                        .allow_unauthenticated()
                        .build()
                        .map_err(config)?;
                builder.with_client_cert_verifier(verifier)
            }
        };
        let config = builder.with_single_cert(chain, key).map_err(config)?;
        Ok(Self { config: Arc::new(config) })
    }

    pub(super) fn config(&self) -> Arc<ServerConfig> {
        self.config.clone()
    }
}

fn config(error: impl std::fmt::Display) -> TlsError {
    TlsError::Config(error.to_string())
}

fn certificates(what: &'static str, pem: &str) -> Result<Vec<CertificateDer<'static>>, TlsError> {
    let read: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
    match read {
        Ok(list) if !list.is_empty() => Ok(list),
        Ok(_) => Err(TlsError::Pem { what, reason: "no certificate in it".into() }),
        Err(error) => Err(TlsError::Pem { what, reason: error.to_string() }),
    }
}

/// A self-made authority for one sandbox: signs its server and its clients.
#[derive(Debug)]
pub struct TestAuthority {
    pem: String,
    issuer: Issuer<'static, KeyPair>,
}

/// A certificate with its key.
#[derive(Debug, Clone)]
pub struct Identity {
    /// Certificate, PEM.
    pub certificate_pem: String,
    /// Private key, PEM. Worth nothing outside of the sandbox that made it.
    pub key_pem: String,
    der: Vec<u8>,
}

impl Identity {
    /// The certificate, DER.
    #[must_use]
    pub fn certificate_der(&self) -> &[u8] {
        &self.der
    }
}

impl TestAuthority {
    /// Makes a new authority.
    ///
    /// # Errors
    /// When no key can be made.
    pub fn new() -> Result<Self, TlsError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "sandbox authority");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let pem = params.self_signed(&key)?.pem();
        Ok(Self { pem, issuer: Issuer::new(params, key) })
    }

    /// The authority's certificate, PEM: what clients trust.
    #[must_use]
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// A server certificate for `localhost` and the loopback addresses.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn server(&self) -> Result<Identity, TlsError> {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        self.sign("localhost", names.to_vec(), ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A client certificate with this common name.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn client(&self, common_name: &str) -> Result<Identity, TlsError> {
        self.sign(common_name, Vec::new(), ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// A server set-up that takes this authority's clients.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn tls(&self) -> Result<Tls, TlsError> {
        let server = self.server()?;
        Tls::from_pem(&server.certificate_pem, &server.key_pem, Some(&self.pem))
    }

    fn sign(
        &self,
        common_name: &str,
        names: Vec<String>,
        purpose: ExtendedKeyUsagePurpose,
    ) -> Result<Identity, TlsError> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(names)?;
        params.distinguished_name = rcgen::DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, common_name);
        params.is_ca = IsCa::ExplicitNoCa;
        params.extended_key_usages = vec![purpose];
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Identity {
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            der: certificate.der().to_vec(),
        })
    }
}
