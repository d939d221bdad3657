//! How a verb ends when it does not end well: a message, a cure, an exit code.

use std::{fmt, io::ErrorKind};

use planthread_engine::EngineError;
use planthread_kit::{Class, ConnectorError, Sent, table};
use schemars::JsonSchema;
use serde::Serialize;

/// How the program ends (the table is in `planthread explain exit-codes`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Exit {
    /// Done.
    Ok,
    /// Done, and there is something to look at: findings, rejects.
    Findings,
    /// The call or the configuration is wrong.
    Usage,
    /// The other side is not there, asks to wait, or the end is not proven.
    Transient,
    /// A policy or an owner holds it.
    Held,
    /// Our own fault.
    Internal,
}

impl Exit {
    /// All of them, for the page that explains them.
    pub const ALL: [Self; 6] =
        [Self::Ok, Self::Findings, Self::Usage, Self::Transient, Self::Held, Self::Internal];

    /// The number the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Ok => 0,
            Self::Findings => 1,
            Self::Usage => 2,
            Self::Transient => 3,
            Self::Held => 4,
            Self::Internal => 70,
        }
    }

    /// The exit code of a connector's error class, by the kit's table.
    #[must_use]
    pub fn of_class(class: Class) -> Self {
        Self::of_code(table::treatment(class).exit_code)
    }

    fn of_code(code: u8) -> Self {
        Self::ALL.into_iter().find(|exit| exit.code() == code).unwrap_or(Self::Internal)
    }
}

/// Why a verb stopped.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Failure {
    /// The exit code.
    #[serde(serialize_with = "as_code")]
    #[schemars(with = "u8")]
    pub exit: Exit,
    /// What happened, naming file, line, field where there are any.
    pub message: String,
    /// What to do about it.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub cure: String,
    /// The page of `planthread explain` that says more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub explain: Option<&'static str>,
    /// The class of the error that a target's answer, or its absence, was.
    #[serde(skip)]
    pub class: Option<Class>,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "the signature is serde's")]
fn as_code<S: serde::Serializer>(exit: &Exit, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_u8(exit.code())
}

impl Failure {
    /// The page about a state that another process writes.
    pub const WRITER: &'static str = "writer";
    /// The page about a disk without space.
    pub const DISK_FULL: &'static str = "disk_full";

    /// A failure that ends the program with `exit`.
    #[must_use]
    pub fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), cure: String::new(), explain: None, class: None }
    }

    /// The call or the configuration is wrong.
    #[must_use]
    pub fn usage(message: impl Into<String>) -> Self {
        Self::new(Exit::Usage, message)
    }

    /// A file could not be read or written.
    #[must_use]
    pub fn io(what: &str, path: &std::path::Path, error: &std::io::Error) -> Self {
        let message = format!("can't {what} {}: {error}", path.display());
        if matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded) {
            return Self::new(Exit::Transient, message).cure(FREE_SPACE).explain(Self::DISK_FULL);
        }
        Self::usage(message)
    }

    /// Something that must not happen did.
    #[must_use]
    pub fn internal(message: impl Into<String>) -> Self {
        Self::new(Exit::Internal, message)
            .cure("this is a fault of Planthread: please report it with the command you ran")
    }

    /// Says which target, file or room it is about.
    #[must_use]
    pub fn about(mut self, what: &str) -> Self {
        self.message = format!("{what}: {}", self.message);
        self
    }

    /// Adds the cure.
    #[must_use]
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = cure.into();
        self
    }

    /// Names the page of `planthread explain`.
    #[must_use]
    pub const fn explain(mut self, page: &'static str) -> Self {
        self.explain = Some(page);
        self
    }
}

/// What helps when a disk is full.
const FREE_SPACE: &str = "free space, then run this again: nothing that was acknowledged is lost";

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        if !self.cure.is_empty() {
            write!(f, "\n  cure: {}", self.cure)?;
        }
        if let Some(page) = self.explain {
            write!(f, "\n  more: planthread explain {page}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Failure {}

impl From<ConnectorError> for Failure {
    fn from(error: ConnectorError) -> Self {
        let mut message = format!("{}: {}", error.operation, error.message);
        if let Some(code) = &error.vendor_code {
            message.push_str(&format!(" (the target says {code})"));
        }
        let cure = error.cure.unwrap_or_else(|| usual_cure(error.class).to_owned());
        let failure = Self::new(Exit::of_class(error.class), message).cure(cure);
        Self { class: Some(error.class), ..failure.explain(error.class.word()) }
    }
}

/// What usually helps, where the connector knows nothing better.
const fn usual_cure(class: Class) -> &'static str {
    match class {
        Class::Transient { sent: Sent::No } => {
            "see that the target is up, and its address, proxy and network in the configuration; \
             then run this again"
        }
        Class::Transient { sent: Sent::Maybe } => {
            "run this again: what was sent is settled and read back first"
        }
        Class::Throttled { .. } => "run this again later; nothing is lost meanwhile",
        Class::NotYet => "run this again once that stands there; nothing is lost meanwhile",
        Class::Auth => "see user, credential and rights; `planthread check` names what is missing",
        Class::Drift => "compare with `planthread discover`, then correct the configuration",
        Class::Fatal => "",
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        if let EngineError::Connector(inner) = error {
            return inner.into();
        }
        let exit = Exit::of_code(error.exit_code());
        if let (true, EngineError::Io { .. }) = (error.disk_full(), &error) {
            return Self::new(exit, error.to_string()).cure(FREE_SPACE).explain(Self::DISK_FULL);
        }
        // The engine says what happened and what to do in one sentence.
        let text = error.to_string();
        let (message, cure) = text.split_once("; ").unwrap_or((&text, ""));
        let failure = Self::new(exit, message).cure(cure);
        if matches!(error, EngineError::WriterHeld { .. }) {
            return failure.explain(Self::WRITER);
        }
        if error.disk_full() {
            return failure.explain(Self::DISK_FULL);
        }
        failure
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refused_login_is_configuration_and_says_where_to_read_on() {
        let error = ConnectorError::new(Class::Auth, "fetch token", "user or password is wrong")
            .cure("check the communication user");
        let failure = Failure::from(error);
        assert_eq!(failure.exit.code(), 2);
        let text = failure.to_string();
        assert!(text.contains("cure: check") && text.contains("explain auth"), "{text}");
    }

    #[test]
    fn a_full_disk_passes_when_somebody_frees_space() {
        let full = || std::io::Error::from(ErrorKind::StorageFull);
        let path = std::path::PathBuf::from("plans/ibp.ndjson");
        for failure in [
            Failure::io("write the plan", &path, &full()),
            EngineError::Io { path, source: full() }.into(),
            EngineError::DiskFull.into(),
        ] {
            let text = failure.to_string();
            assert_eq!(failure.exit, Exit::Transient, "{text}");
            let cure = "cure: free space, then run this again: nothing that was acknowledged";
            assert!(text.contains(cure) && text.contains("explain disk_full"), "{text}");
        }
    }
}
