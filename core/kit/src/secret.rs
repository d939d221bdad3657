//! Secrets, and the references by which a configuration names them.
//!
//! A configuration never holds a secret, only `${env:NAME}`, `${file:PATH}` or
//! `${cmd:COMMAND}`. Parsing is pure; only [`SecretRef::resolve`] reads.

use std::{
    fmt,
    io::{ErrorKind, Read as _},
    path::Path,
    process::{Child, ChildStdout, ExitStatus, Stdio},
    str::FromStr,
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use schemars::JsonSchema;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::{mask, target::SettingsFault};

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
    /// `${cmd:COMMAND}`: what a shell command prints.
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
            Self::Cmd(command) => self.run_command(command, base, COMMAND_LIMIT)?,
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
        std::fs::File::open(path)
            .and_then(|file| file.take(READ_MAX).read_to_end(&mut bytes))
            .map_err(|fault| match fault.kind() {
                ErrorKind::NotFound => self.fault("there is no such file", PUT),
                ErrorKind::PermissionDenied => self.fault("nobody lets us read it", LET),
                _ => self.fault(&fault.to_string(), "check the path and its rights"),
            })?;
        if bytes.len() > SECRET_BYTES_MAX {
            return Err(self.too_long("it"));
        }
        String::from_utf8(bytes).map_err(|_| self.fault(NO_TEXT, ENCODE))
    }

    /// Runs `command` for `limit` at most. A command that asks a person, or a
    /// vault that does not answer, would otherwise hold every verb for ever.
    fn run_command(
        &self,
        command: &str,
        base: &Path,
        limit: Duration,
    ) -> Result<String, SecretError> {
        let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
        let failed = |fault: std::io::Error| self.fault(&fault.to_string(), TRY);
        let mut child = std::process::Command::new(shell)
            .args([flag, command])
            .current_dir(if base.as_os_str().is_empty() { Path::new(".") } else { base })
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .map_err(failed)?;
        let printed = child.stdout.take().map(read_aside);
        let ended = ended(&mut child, printed.as_ref(), limit).map_err(failed)?;
        if let Some((_, text)) = &ended
            && text.len() > SECRET_BYTES_MAX
        {
            return Err(self.too_long("what the command prints"));
        }
        let Some((status, text)) = ended else {
            // It may have ended by itself meanwhile: nothing is left to do then.
            let _ = child.kill();
            let _ = child.wait();
            let late = format!("the command did not end within {} s", limit.as_secs());
            return Err(self.fault(&late, LATE));
        };
        if !status.success() {
            // What it printed stays out: it may be the secret.
            return Err(self.fault(&format!("the command ended with {status}"), TRY));
        }
        String::from_utf8(text).map_err(|_| self.fault(NO_TEXT, ENCODE))
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
const LET: &str = "let the user that runs this program read the file";

/// Longest secret, in bytes: a certificate with its chain and key fits.
const SECRET_BYTES_MAX: usize = 64 << 10;
/// One more tells that there is more.
const READ_MAX: u64 = (64 << 10) + 1;
/// How long a command may take to print its secret.
const COMMAND_LIMIT: Duration = Duration::from_secs(30);
/// Between two looks at a command that has closed its output.
const LOOK: Duration = Duration::from_millis(10);

/// What is printed, read to its end beside us, or as far as a secret reaches: who
/// prints more finds the pipe closed.
fn read_aside(output: ChildStdout) -> Receiver<std::io::Result<Vec<u8>>> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let read = output.take(READ_MAX).read_to_end(&mut text).map(|_| text);
        // Nobody listens any more when it took too long.
        let _ = tell.send(read);
    });
    told
}

/// How the child ended, and what it printed; nothing when `limit` has passed.
fn ended(
    child: &mut Child,
    printed: Option<&Receiver<std::io::Result<Vec<u8>>>>,
    limit: Duration,
) -> std::io::Result<Option<(ExitStatus, Vec<u8>)>> {
    let Some(printed) = printed else { return Ok(None) };
    let Ok(text) = printed.recv_timeout(limit) else { return Ok(None) };
    let text = text?;
    // The output is closed, so this is the end, but for a command that closes
    // it and goes on.
    for _ in 0..limit.as_millis() / LOOK.as_millis() {
        if let Some(status) = child.try_wait()? {
            return Ok(Some((status, text)));
        }
        std::thread::park_timeout(LOOK);
    }
    Ok(None)
}

const TRY: &str = "run it by hand as the same user";
const LATE: &str =
    "run it by hand as the same user; it must print the secret without asking anybody";
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

    #[cfg(unix)]
    #[test]
    fn a_failing_command_does_not_leak_what_it_printed() {
        let get = |text: &str| text.parse::<SecretRef>().unwrap().resolve(Path::new(""));
        assert_eq!(get("${cmd:printf 'a\\n'}").unwrap().expose(), "a");
        let error = get("${cmd:printf hunt; printf er2 >&2; exit 3}").unwrap_err().to_string();
        assert!(error.contains("exit status: 3"), "{error}");
        assert!(!error.contains("er2;") && !error.contains("hunter2"), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn what_is_longer_than_a_secret_is_refused_before_it_fills_the_memory() {
        for text in ["${cmd:yes hunter2}", "${file:/dev/zero}"] {
            let error = text.parse::<SecretRef>().unwrap().resolve(Path::new("")).unwrap_err();
            let said = error.to_string().replace(text, "REFERENCE");
            assert!(said.contains("longer than 65536 bytes; name what"), "{said}");
        }
    }

    #[cfg(unix)]
    #[test]
    fn a_command_that_does_not_end_is_ended() {
        let limit = Duration::from_millis(200);
        for command in ["printf hunter2; exec sleep 60", "printf hunter2; exec >&-; exec sleep 60"]
        {
            let reference = SecretRef::Cmd(command.to_owned());
            let error = reference.run_command(command, Path::new(""), limit).unwrap_err();
            let said = error.to_string().replace(&reference.to_string(), "REFERENCE");
            assert!(said.starts_with("REFERENCE: the command did not end within"), "{said}");
            assert!(said.contains("without asking") && !said.contains("hunter2"), "{said}");
        }
        // It takes as long as it takes, within the limit.
        let slow: SecretRef = "${cmd:sleep 0.1; echo a}".parse().unwrap();
        assert_eq!(slow.resolve(Path::new("")).unwrap().expose(), "a");
    }
}
