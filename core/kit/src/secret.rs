//! Secrets, and the references by which a configuration names them.
//!
//! A configuration never holds a secret, only `${env:NAME}`, `${file:PATH}` or
//! `${cmd:COMMAND}`. Parsing is pure; only [`SecretRef::resolve`] reads.

mod command;

use std::{
    fmt,
    io::{ErrorKind, Read as _},
    path::{Path, PathBuf},
    str::FromStr,
};

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{files, mask, target::SettingsFault};

/// A secret value. Debug and display show `***`; dropping wipes it, but for the
/// forms by which [`crate::mask`] finds it where somebody repeats it.
#[derive(Clone)]
pub struct Secret(SecretString);

impl Secret {
    /// Wraps a value. From now on it is masked wherever it comes back.
    #[must_use]
    pub fn new(value: impl Into<String>) -> Self {
        let value = value.into();
        mask::know(&value);
        Self(SecretString::from(value))
    }

    /// The value itself: only for the line that puts it on the wire.
    #[must_use]
    pub fn expose(&self) -> &str {
        self.0.expose_secret()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(***)")
    }
}

impl fmt::Display for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// Where a secret is kept, as a configuration writes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub enum SecretRef {
    /// `${env:NAME}`: an environment variable.
    Env(String),
    /// `${file:PATH}`: a file; relative to the configuration's folder.
    File(String),
    /// `${cmd:COMMAND}`: what a shell command prints, where this machine allows it.
    Cmd(String),
}

/// A secret reference can't be read or resolved. Names the reference, never
/// the value.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SecretError {
    /// Not a reference. The text is not repeated: it may be the secret.
    #[error(
        "a secret must be a reference; write ${{env:NAME}}, ${{file:PATH}} or ${{cmd:COMMAND}}"
    )]
    NotAReference,
    /// The reference leads nowhere.
    #[error("{reference}: {reason}; {cure}")]
    Unresolved {
        /// The reference, as it was written.
        reference: String,
        /// What was found instead of a secret.
        reason: String,
        /// What to do about it.
        cure: &'static str,
    },
}

impl SecretError {
    /// The same fault, of the setting `field`.
    #[must_use]
    pub fn of(self, field: &str) -> SettingsFault {
        match self {
            Self::NotAReference => SettingsFault::new(field, self.to_string()),
            Self::Unresolved { reference, reason, cure } => {
                SettingsFault::new(field, format!("{reference}: {reason}")).cure(cure)
            }
        }
    }
}

impl FromStr for SecretRef {
    type Err = SecretError;

    fn from_str(text: &str) -> Result<Self, SecretError> {
        let inner = text.trim().strip_prefix("${").and_then(|rest| rest.strip_suffix('}'));
        let (kind, name) =
            inner.and_then(|i| i.split_once(':')).ok_or(SecretError::NotAReference)?;
        let name = name.trim();
        if name.is_empty() {
            return Err(SecretError::NotAReference);
        }
        match kind {
            "env" => Ok(Self::Env(name.to_owned())),
            "file" => Ok(Self::File(name.to_owned())),
            "cmd" => Ok(Self::Cmd(name.to_owned())),
            _ => Err(SecretError::NotAReference),
        }
    }
}

impl TryFrom<String> for SecretRef {
    type Error = SecretError;

    fn try_from(text: String) -> Result<Self, SecretError> {
        text.parse()
    }
}

impl From<SecretRef> for String {
    fn from(reference: SecretRef) -> Self {
        reference.to_string()
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "${{env:{name}}}"),
            Self::File(path) => write!(f, "${{file:{path}}}"),
            Self::Cmd(command) => write!(f, "${{cmd:{command}}}"),
        }
    }
}

impl SecretRef {
    /// The file in which the owner of this machine allows commands.
    #[must_use]
    pub fn allowed_commands() -> PathBuf {
        command::list()
    }

    /// Fetches the secret. One trailing line break is dropped, as editors and
    /// commands add it. `base` is the folder of the configuration.
    ///
    /// # Errors
    /// When there is no such variable or file, the command fails, or the
    /// value is empty or no text.
    pub fn resolve(&self, base: &Path) -> Result<Secret, SecretError> {
        let text = match self {
            Self::Env(name) => self.read_env(name)?,
            Self::File(path) => self.read_file(&base.join(path))?,
            Self::Cmd(command) => {
                command::may_run(self, command, base, &command::list())?;
                command::run(self, command, base, command::LIMIT)?
            }
        };
        let text = text.strip_suffix('\n').unwrap_or(&text);
        let text = text.strip_suffix('\r').unwrap_or(text);
        if text.is_empty() {
            return Err(self.fault("it is empty", "put the secret there"));
        }
        Ok(Secret::new(text))
    }

    fn read_env(&self, name: &str) -> Result<String, SecretError> {
        std::env::var(name).map_err(|fault| match fault {
            std::env::VarError::NotPresent => {
                self.fault("no such variable", "set it for the user that runs this program")
            }
            std::env::VarError::NotUnicode(_) => self.fault(NO_TEXT, ENCODE),
        })
    }

    fn read_file(&self, path: &Path) -> Result<String, SecretError> {
        let mut bytes = Vec::new();
        files::open(path).and_then(|file| file.take(READ_MAX).read_to_end(&mut bytes)).map_err(
            |fault| match fault.kind() {
                ErrorKind::NotFound => self.fault("there is no such file", PUT),
                ErrorKind::PermissionDenied => self.fault("nobody lets us read it", LET),
                ErrorKind::InvalidInput => self.fault(&fault.to_string(), FILE),
                _ => self.fault(&fault.to_string(), "check the path and its rights"),
            },
        )?;
        if bytes.len() > SECRET_BYTES_MAX {
            return Err(self.too_long("it"));
        }
        String::from_utf8(bytes).map_err(|_| self.fault(NO_TEXT, ENCODE))
    }

    fn too_long(&self, what: &str) -> SecretError {
        let long = format!("{what} is longer than {SECRET_BYTES_MAX} bytes");
        self.fault(&long, "name what holds the secret and nothing else")
    }

    fn fault(&self, reason: &str, cure: &'static str) -> SecretError {
        SecretError::Unresolved { reference: self.to_string(), reason: reason.to_owned(), cure }
    }
}

const PUT: &str = "put the secret into that file, or correct the path; it begins at the folder of \
                   the configuration";
const FILE: &str = "name a file that holds the secret, or a link to one";
const LET: &str = "let the user that runs this program read the file";

/// Longest secret, in bytes: a certificate with its chain and key fits.
const SECRET_BYTES_MAX: usize = 64 << 10;
/// One more tells that there is more.
const READ_MAX: u64 = (64 << 10) + 1;
const NO_TEXT: &str = "it is not UTF-8 text";
const ENCODE: &str = "store it as UTF-8";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_data_and_come_back_as_written() {
        for text in ["${env:PT_PASSWORD}", "${file:secrets/pw}", "${cmd:pass show a:b}"] {
            let reference: SecretRef = text.parse().unwrap();
            assert_eq!(reference.to_string(), text);
            let json = serde_json::to_string(&reference).unwrap();
            assert_eq!(serde_json::from_str::<SecretRef>(&json).unwrap(), reference);
        }
    }

    #[test]
    fn a_literal_is_refused_and_not_repeated() {
        for text in ["hunter2", "${env:}", "${vault:hunter2}", "${env}", ""] {
            let error = text.parse::<SecretRef>().unwrap_err();
            assert_eq!(error, SecretError::NotAReference);
            assert!(!error.to_string().contains("hunter2"));
        }
    }

    #[test]
    fn printing_shows_nothing() {
        let secret = Secret::new("hunter2");
        assert_eq!(format!("{secret} {secret:?}"), "*** Secret(***)");
        assert_eq!(secret.expose(), "hunter2");
    }

    #[test]
    fn each_kind_resolves() {
        let folder = std::env::temp_dir().join(format!("planthread-kit-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("pw"), "hunter2\n").unwrap();
        std::fs::write(folder.join("empty"), "\n").unwrap();
        let get = |text: &str| text.parse::<SecretRef>().unwrap().resolve(&folder);

        assert_eq!(get("${file:pw}").unwrap().expose(), "hunter2");
        assert!(!get("${env:PATH}").unwrap().expose().is_empty());
        let empty = get("${file:empty}").unwrap_err().to_string();
        assert_eq!(empty, "${file:empty}: it is empty; put the secret there");
        let missing = get("${env:PT_NO_SUCH_VARIABLE}").unwrap_err().to_string();
        assert!(missing.starts_with("${env:PT_NO_SUCH_VARIABLE}: no such variable; set it"));
        assert!(get("${file:none}").is_err());
        std::fs::remove_dir_all(&folder).unwrap();
    }
}
