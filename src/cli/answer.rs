//! Who answers for what a verb changes: arguments that such verbs share.

use jiff::{SignedDuration, Timestamp};

use crate::{config::Config, failure::Failure};

/// Who answers for it.
#[derive(Debug, clap::Args)]
pub(super) struct Who {
    /// Who answers for it; without it, the `identity` of the configuration
    #[arg(long, value_name = "NAME", value_parser = said)]
    who: Option<String>,
}

impl Who {
    /// The person, or the identity of `config`.
    ///
    /// # Errors
    /// When nobody is named: what a person decides is answered for.
    pub(super) fn name(&self, config: &Config) -> Result<String, Failure> {
        let name = self.who.as_ref().or(config.identity.as_ref());
        name.cloned().ok_or_else(|| {
            Failure::usage("nobody answers for it").cure(
                "name somebody with `--who NAME`, or write an `identity` into the configuration",
            )
        })
    }
}

/// Who answers for it, and why.
#[derive(Debug, clap::Args)]
pub(super) struct Answer {
    #[command(flatten)]
    by: Who,
    /// Why, for the record
    #[arg(long, alias = "reason", value_parser = said)]
    pub(super) why: String,
}

impl Answer {
    /// The person, or the identity of `config`.
    ///
    /// # Errors
    /// When nobody is named.
    pub(super) fn who(&self, config: &Config) -> Result<String, Failure> {
        self.by.name(config)
    }
}

/// Until when it holds.
#[derive(Debug, clap::Args)]
pub(super) struct Until {
    /// Until when it holds, such as 2026-12-01T00:00:00Z; for some weeks by default
    #[arg(long, value_name = "INSTANT")]
    until: Option<Timestamp>,
}

impl Until {
    /// The instant; where nobody said one, `holds` after `now`.
    pub(super) fn or(&self, now: Timestamp, holds: SignedDuration) -> Timestamp {
        self.until.unwrap_or_else(|| now.saturating_add(holds).unwrap_or(Timestamp::MAX))
    }
}

/// Which target it is about.
#[derive(Debug, clap::Args)]
pub(super) struct OneTarget {
    /// The configured target; may be left out when there is only one
    #[arg(long, value_name = "NAME")]
    target: Option<String>,
}

impl OneTarget {
    /// Its name, where one is given.
    pub(super) fn name(&self) -> Option<&str> {
        self.target.as_deref()
    }
}

/// A word that answers for something: it says something.
pub(super) fn said(text: &str) -> Result<String, &'static str> {
    match text.trim() {
        "" => Err("it is empty; what a person decides is answered for"),
        // A line break would make a line of its own wherever it is printed.
        text if text.contains(char::is_control) => Err("it holds a line break or a control sign"),
        text => Ok(text.to_owned()),
    }
}
