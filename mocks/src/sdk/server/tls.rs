//! TLS for a sandbox: given certificates, optional client ones.

use std::sync::Arc;

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
