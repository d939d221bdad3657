//! The way to a target: proxy and private authority.

use std::path::{Path, PathBuf};

use schemars::JsonSchema;
use serde::Deserialize;
use url::Url;

use super::SettingsFault;
use crate::{SecretRef, TransportOptions, files, transport_reqwest::trusted};

/// Proxy and private authority of the way to a target. A client certificate
/// belongs to the connector's `auth`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Network {
    /// HTTP proxy, such as `http://proxy.example:3128`.
    #[serde(deserialize_with = "address")]
    #[schemars(with = "Option<String>")]
    pub proxy: Option<Url>,
    /// User at the proxy.
    pub proxy_user: Option<String>,
    /// Reference to the password at the proxy.
    pub proxy_password: Option<SecretRef>,
    /// Hosts that are reached without the proxy, separated by commas.
    pub no_proxy: String,
    /// PEM file of a private certificate authority.
    pub private_ca: Option<PathBuf>,
    /// Trust only `private_ca`, not the system's authorities.
    pub only_private_ca: bool,
}

impl Network {
    /// Checks proxy and proxy user against each other.
    ///
    /// # Errors
    /// The first fault, by field. The proxy's address is not repeated: it may
    /// hold a password.
    pub fn validate(&self) -> Result<(), SettingsFault> {
        if let Some(proxy) = &self.proxy {
            if !proxy.username().is_empty() || proxy.password().is_some() {
                let reason = "the address carries a user or a password";
                return Err(SettingsFault::new("proxy", reason).cure(
                    "keep them in `proxy_user` and `proxy_password`, the password as a reference",
                ));
            }
            if proxy.scheme() != "http" {
                return Err(SettingsFault::new("proxy", "is not a plain http address")
                    .cure("write http://HOST:PORT"));
            }
        }
        if self.proxy_user.is_some() != self.proxy_password.is_some() {
            let reason = "user and password at the proxy belong together, and one is missing";
            return Err(SettingsFault::new("proxy_user", reason)
                .cure("write both `proxy_user` and `proxy_password`, or neither"));
        }
        Ok(())
    }

    /// The certificates of the private authority below `folder`, in DER; none where none is
    /// named.
    ///
    /// # Errors
    /// A file that can't be read, or that holds no authority.
    pub fn authorities(&self, folder: &Path) -> Result<Vec<Vec<u8>>, SettingsFault> {
        let Some(file) = &self.private_ca else { return Ok(Vec::new()) };
        let found = trusted(&read("private_ca", &folder.join(file))?);
        let found = found
            .map_err(|error| SettingsFault::new("private_ca", error.reason).cure(error.cure))?;
        Ok(found.into_iter().map(|one| one.to_vec()).collect())
    }

    /// The transport's options, with what it refers to read from below
    /// `folder`. When nothing will be sent, no secret is asked for.
    pub(super) fn options(
        &self,
        folder: &Path,
        offline: bool,
    ) -> Result<TransportOptions, SettingsFault> {
        let mut options = TransportOptions { proxy: self.proxy.clone(), ..Default::default() };
        options.no_proxy.clone_from(&self.no_proxy);
        if let Some(file) = &self.private_ca {
            options.private_ca = Some(read("private_ca", &folder.join(file))?);
            options.only_private_ca = self.only_private_ca;
        }
        if let (Some(user), Some(password), false) =
            (&self.proxy_user, &self.proxy_password, offline)
        {
            let password = password.resolve(folder).map_err(|error| error.of("proxy_password"))?;
            options.proxy_login = Some((user.clone(), password));
        }
        Ok(options)
    }
}

/// The bytes of a file that `field` names.
pub(super) fn read(field: &str, file: &Path) -> Result<Vec<u8>, SettingsFault> {
    files::read(file).map_err(|error| {
        SettingsFault::new(field, format!("{} can't be read: {error}", file.display()))
            .cure("put the PEM file there, or correct the path; it begins at the configuration")
    })
}

/// An address is never repeated in a fault: it may carry a password.
fn address<'de, D: serde::Deserializer<'de>>(reader: D) -> Result<Option<Url>, D::Error> {
    let text = Option::<String>::deserialize(reader)?;
    text.map(|text| text.parse())
        .transpose()
        .map_err(|error| serde::de::Error::custom(format!("is no address: {error}")))
}
