//! A certificate authority for one test: signs a server and its clients.

use std::{fs, io, path::Path};

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose,
};

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
    pub fn new() -> Result<Self, rcgen::Error> {
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
    pub fn server(&self) -> Result<Identity, rcgen::Error> {
        let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
        self.sign("localhost", names.to_vec(), ExtendedKeyUsagePurpose::ServerAuth)
    }

    /// A client certificate with this common name.
    ///
    /// # Errors
    /// When it can't be made.
    pub fn client(&self, common_name: &str) -> Result<Identity, rcgen::Error> {
        self.sign(common_name, Vec::new(), ExtendedKeyUsagePurpose::ClientAuth)
    }

    /// Leaves in `folder` what a sandbox with TLS and its clients need: the
    /// authority (`ca.pem`), the server's certificate and key (`server.pem`,
    /// `server-key.pem`), and those of the client `planthread` (`client.pem`,
    /// `client-key.pem`).
    ///
    /// # Errors
    /// When no key can be made, or the folder can't be written.
    pub fn leave_in(folder: &Path) -> io::Result<Self> {
        let authority = Self::new().map_err(io::Error::other)?;
        let server = authority.server().map_err(io::Error::other)?;
        let client = authority.client("planthread").map_err(io::Error::other)?;
        fs::create_dir_all(folder)?;
        for (name, pem) in [
            ("ca.pem", &authority.pem),
            ("server.pem", &server.certificate_pem),
            ("server-key.pem", &server.key_pem),
            ("client.pem", &client.certificate_pem),
            ("client-key.pem", &client.key_pem),
        ] {
            fs::write(folder.join(name), pem)?;
        }
        Ok(authority)
    }

    fn sign(
        &self,
        common_name: &str,
        names: Vec<String>,
        purpose: ExtendedKeyUsagePurpose,
    ) -> Result<Identity, rcgen::Error> {
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
