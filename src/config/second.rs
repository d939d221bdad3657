//! The second place of a pack: a folder on another machine, over SFTP.

use std::{fmt, path::PathBuf};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest time that a copy may be given, in seconds.
const LIMIT_MAX: u64 = 3_600;

/// A folder on another machine to which each pack is copied as well, by the `sftp` of
/// OpenSSH that this machine has. The host must be known before: an unknown key, or
/// another one, is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SftpPlace {
    /// The machine.
    pub host: String,
    /// Its port.
    #[serde(default = "port")]
    #[schemars(range(min = 1))]
    pub port: u16,
    /// Who logs in there.
    pub user: String,
    /// The folder there in which the packs of this target stand, as `current` and
    /// `previous`; the folder above it must be there.
    pub path: String,
    /// The file of the private key, which only its owner may read. It has no
    /// passphrase: nobody is there to type one.
    pub key_file: PathBuf,
    /// The file of known hosts, as `ssh-keyscan` prints it, once somebody has compared
    /// the key.
    pub known_hosts: PathBuf,
    /// Seconds that a copy may take. After that it is given up until the next cycle.
    #[serde(default = "limit")]
    #[schemars(range(min = 1, max = 3_600))]
    pub limit_seconds: u64,
}

const fn port() -> u16 {
    22
}

const fn limit() -> u64 {
    60
}

impl SftpPlace {
    /// The fields that can't be meant, each with the reason. What is let through is no
    /// option and no command of the client.
    #[must_use]
    pub fn faults(&self) -> Vec<(&'static str, &'static str)> {
        let name = |text: &str| {
            let plain = |c: char| c.is_ascii_alphanumeric() || "._-:@%".contains(c);
            !text.is_empty() && !text.starts_with('-') && text.chars().all(plain)
        };
        let path = self.path.trim_end_matches('/');
        let told = |c: char| c.is_control() || "\"\\*?[]".contains(c);
        [
            ("host", !name(&self.host), "it is no name or address of a machine"),
            ("user", !name(&self.user) || self.user.contains('@'), "it is no name of a user"),
            ("path", path.is_empty() || path.contains(told), "it is no plain path of a folder"),
            ("port", self.port == 0, "it is no port"),
            (
                "limit_seconds",
                !(1..=LIMIT_MAX).contains(&self.limit_seconds),
                "it is not 1 to 3600 seconds",
            ),
        ]
        .into_iter()
        .filter_map(|(field, wrong, why)| wrong.then_some((field, why)))
        .collect()
    }
}

impl fmt::Display for SftpPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.path.starts_with('/') { "" } else { "/~/" };
        write!(f, "sftp://{}@{}:{}{slash}{}", self.user, self.host, self.port, self.path)
    }
}
