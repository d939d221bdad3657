//! Who did what, for the audit trail of a state directory.

use std::{collections::BTreeMap, path::Path};

use jiff::Timestamp;
use planthread_engine::audit_trail::{self, Act, Head};

use crate::{config::Config, failure::Failure};

/// Who answers for what this process does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// A person by `--who`, else the configured identity, else the account.
    pub who: String,
    /// The account of the operating system.
    pub account: String,
}

impl Actor {
    /// Whoever `said` names; without it the identity of `config`.
    #[must_use]
    pub fn new(said: Option<&str>, config: &Config) -> Self {
        let account = account();
        let who = said.or(config.identity.as_deref()).unwrap_or(&account).to_owned();
        Self { who, account }
    }

    /// Appends what is done, `act` with what it is `about`, to the trail in `state`.
    ///
    /// # Errors
    /// When it can't be kept: then it must not be done.
    pub fn does<const N: usize>(
        &self,
        state: &Path,
        now: Timestamp,
        act: &str,
        about: [(&str, String); N],
    ) -> Result<Head, Failure> {
        let about = about.into_iter().map(|(word, text)| (word.to_owned(), text));
        let (who, account) = (self.who.clone(), self.account.clone());
        let about = about.collect::<BTreeMap<_, _>>();
        let act = Act { at: now, who, account, act: act.to_owned(), about };
        Ok(audit_trail::append(state, act)?)
    }
}

/// The account under which this process runs: its number and, where the machine knows
/// one, its name.
fn account() -> String {
    match number() {
        Some(number) => match name(number) {
            Some(name) => format!("{name} (uid {number})"),
            None => format!("uid {number}"),
        },
        // Only what the environment says, which anybody can set.
        None => ["USERNAME", "USER"]
            .into_iter()
            .find_map(|name| std::env::var(name).ok())
            .map_or_else(|| "unknown".to_owned(), |name| format!("{name} (by its environment)")),
    }
}

/// The number of the account, where the system shows processes as files.
fn number() -> Option<u32> {
    #[cfg(target_os = "linux")]
    return Some(std::os::linux::fs::MetadataExt::st_uid(&std::fs::metadata("/proc/self").ok()?));
    #[cfg(not(target_os = "linux"))]
    None
}

/// The name of an account of this machine.
fn name(number: u32) -> Option<String> {
    let accounts = std::fs::read_to_string("/etc/passwd").ok()?;
    accounts.lines().find_map(|line| {
        let mut fields = line.split(':');
        let (name, id) = (fields.next()?, fields.nth(1)?);
        (id.parse() == Ok(number)).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_told_whatever_is_configured() {
        let account = account();
        assert!(!account.is_empty() && account != "unknown", "{account}");
    }
}
