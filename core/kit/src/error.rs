//! A connector returns a class of error, never a decision.

use std::{borrow::Cow, error::Error, fmt, sync::Arc, time::Duration};

use serde::{Deserialize, Serialize};

use crate::{SendError, mask};

/// Whether a request may have taken effect at the target.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Sent {
    /// Provably not.
    No,
    /// Perhaps: settle before anything is sent again.
    Maybe,
}

/// The class of an error. It decides; everything else is only for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// Likely to pass: connection, timeout, 5xx.
    Transient {
        /// Whether the write may have happened.
        sent: Sent,
    },
    /// The target asks to wait. From a push it also says that nothing of the
    /// attempt took or will take effect.
    Throttled {
        /// How long, from now.
        after: Duration,
    },
    /// Something else must stand there first, such as what lands by another target of
    /// ours. The target is well, and nothing of the attempt took or will take effect.
    NotYet,
    /// Not allowed: credentials, rights, locked user.
    Auth,
    /// The target's surface is not what the configuration says.
    Drift,
    /// Wrong by itself: configuration, broken invariant.
    Fatal,
}

impl Class {
    /// The word in reports and the page of `explain`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Transient { sent: Sent::No } => "transient",
            Self::Transient { sent: Sent::Maybe } => "transient-maybe-sent",
            Self::Throttled { .. } => "throttled",
            Self::NotYet => "not-yet",
            Self::Auth => "auth",
            Self::Drift => "drift",
            Self::Fatal => "fatal",
        }
    }
}

/// What a connector says when it could not do its verb.
///
/// `message` and `cure` are shown to people: never put URLs with queries,
/// headers, bodies or secrets into them. Secrets of ours that a target repeats
/// are masked here.
#[derive(Debug, Clone)]
pub struct ConnectorError {
    /// Decides what happens next.
    pub class: Class,
    /// The step that failed, as a verb: `fetch token`, `stage rows`.
    pub operation: &'static str,
    /// Lower case, no final stop.
    pub message: String,
    /// The vendor's own code, where it gave one.
    pub vendor_code: Option<String>,
    /// The cure, when one is known.
    pub cure: Option<String>,
    /// Whether nothing of the push took or will take effect, whatever the
    /// class is: the connector knows, because what takes effect was never sent.
    pub took_nothing: bool,
    /// What it was caused by: a transport's, a store's or a parser's error.
    pub source: Option<Arc<dyn Error + Send + Sync>>,
}

impl ConnectorError {
    /// An error of `class` in `operation`.
    #[must_use]
    pub fn new(class: Class, operation: &'static str, message: impl Into<String>) -> Self {
        let message = masked(message);
        Self {
            class,
            operation,
            message,
            vendor_code: None,
            cure: None,
            took_nothing: false,
            source: None,
        }
    }

    /// Adds the vendor's code.
    #[must_use]
    pub fn vendor_code(mut self, code: impl Into<String>) -> Self {
        self.vendor_code = Some(masked(code));
        self
    }

    /// The same error after an earlier request of the same push may have had
    /// an effect: "this request was not sent" or "come back later" no longer
    /// means that nothing happened. `Auth`, `Drift` and `Fatal` stay; the push
    /// stack treats the effect of those as unknown anyway, unless they say
    /// [`Self::took_nothing`].
    #[must_use]
    pub const fn after_effect(mut self) -> Self {
        self.took_nothing = false;
        self.class = match self.class {
            Class::Transient { .. } | Class::Throttled { .. } | Class::NotYet => {
                Class::Transient { sent: Sent::Maybe }
            }
            Class::Auth => Class::Auth,
            Class::Drift => Class::Drift,
            Class::Fatal => Class::Fatal,
        };
        self
    }

    /// The same error of write `nth` of a push, from 0: what the earlier ones wrote stays.
    #[must_use]
    pub const fn of_write(self, nth: usize) -> Self {
        if nth > 0 { self.after_effect() } else { self }
    }

    /// The same error of a push of which provably nothing took or will take
    /// effect. Only `Auth`, `Drift` and `Fatal` need to say so: the other
    /// classes have their own word for it.
    #[must_use]
    pub const fn took_nothing(mut self) -> Self {
        self.took_nothing = true;
        self
    }

    /// The error of a request that has no effect on values, whatever became of its
    /// answer: a read, or rows that were only staged.
    #[must_use]
    pub const fn without_effect(mut self) -> Self {
        if let Class::Transient { .. } = self.class {
            self.class = Class::Transient { sent: Sent::No };
        }
        self.took_nothing()
    }

    /// Whether provably no request reached anybody, whoever was asked: a closed port, a
    /// name that nobody has, a handshake that failed.
    #[must_use]
    pub fn unreached(&self) -> bool {
        let lost = self.source.as_ref().and_then(|source| source.downcast_ref::<SendError>());
        lost.is_some_and(|lost| lost.sent == Sent::No)
    }

    /// Adds what it was caused by. Its text is shown to people like the message:
    /// no URLs with queries, headers, bodies or secrets.
    #[must_use]
    pub fn caused_by(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.source = Some(Arc::from(source.into()));
        self
    }

    /// Adds the cure.
    #[must_use]
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(masked(cure));
        self
    }
}

fn masked(text: impl Into<String>) -> String {
    let text = text.into();
    match mask::text(&text) {
        Cow::Borrowed(_) => text,
        Cow::Owned(masked) => masked,
    }
}

impl fmt::Display for ConnectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {} [{}]", self.operation, self.message, self.class.word())?;
        if let Some(code) = &self.vendor_code {
            write!(f, " ({code})")?;
        }
        if let Some(cure) = &self.cure {
            write!(f, "; {cure}")?;
        }
        Ok(())
    }
}

impl Error for ConnectorError {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|source| source as &(dyn Error + 'static))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_asked_took_nothing() {
        let lost = ConnectorError::new(Class::Transient { sent: Sent::Maybe }, "read", "lost");
        let error = lost.without_effect();
        assert!(error.class == Class::Transient { sent: Sent::No } && error.took_nothing);
        assert_eq!(
            ConnectorError::new(Class::Auth, "read", "x").without_effect().class,
            Class::Auth
        );
    }

    #[test]
    fn the_cause_can_be_followed() {
        let lost = SendError::lost(Sent::Maybe, "connection reset");
        let error = ConnectorError::new(Class::Fatal, "commit", "no answer").caused_by(lost);
        let cause = error.source().and_then(|source| source.downcast_ref::<SendError>());
        assert_eq!(cause.map(|lost| lost.sent), Some(Sent::Maybe));
        assert!(error.clone().after_effect().source().is_some(), "whatever becomes of it");
        assert!(ConnectorError::new(Class::Fatal, "commit", "x").source().is_none());
    }
}
