//! Messages to people about what must not wait for somebody to look.
//!
//! `decide` is pure: from what is open now and what was told before it makes the
//! messages that are due. What was told is kept in the state, for the webhook and for
//! e-mail by itself, so a bridge that starts anew says nothing twice, and one way that
//! fails does not hold the other. A crash between the answer of the other side and the
//! commit is the one exception: that message comes again, with the same id.

mod hook;
pub mod kinds;
mod letter;
mod mail;
mod one_line;
mod refusals;
mod rests;
mod sender;
mod situations;
mod told;

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use planthread_kit::target::SettingsFault;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use crate::{
    failure::Failure,
    report::{TextTable, View},
};

use self::{
    kinds::Kind,
    told::{ByWay, OwnerTold, Told},
};
pub(crate) use hook::flows;
pub(crate) use mail::flow as mail_flow;
pub use refusals::Refusals;
pub use sender::{Alerts, Counts, LAST_WORD};
pub use told::Way;

/// Situations that one message lists of each kind.
const LISTED: usize = 100;

/// Something that a person should know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Situation {
    /// What it is and of what: `away ibp`. While it lasts it is the same.
    pub key: String,
    /// The same in every message for as long as it lasts, and another one when it
    /// comes back later.
    #[serde(default)]
    pub id: String,
    /// Whose it is.
    pub owner: String,
    /// The configured target that it is about; empty where it is about none.
    pub target: String,
    /// Whether it must not wait for the digest.
    pub urgent: bool,
    /// What it is, in a sentence.
    pub what: String,
    /// What a person can do about it.
    pub cure: String,
    /// Since when.
    pub since: Timestamp,
}

/// One message to one owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Alert {
    /// The same for the same message, also when it comes again.
    pub id: String,
    /// Whom it is for.
    pub owner: String,
    /// The plant.
    pub plant: String,
    /// What is urgent and began.
    pub begins: Vec<Situation>,
    /// What was urgent and is over.
    pub ends: Vec<Situation>,
    /// Whether it is the digest of a day.
    pub digest: bool,
    /// In a digest, everything that is open.
    pub open: Vec<Situation>,
    /// Situations that are not listed, because there are too many.
    pub not_listed: usize,
}

impl View for Alert {
    const OUTPUT: &'static str = "run alert";

    fn write(&self, text_table: &mut TextTable) {
        for (word, list) in [("begins", &self.begins), ("over", &self.ends), ("open", &self.open)] {
            for one in list {
                text_table.line(format!("{word}: {}", one.what));
            }
        }
    }
}

/// Something that is open, as it was found.
#[derive(Debug, Clone)]
pub(super) struct Open {
    pub(super) kind: Kind,
    /// What it is of; empty where there is one only.
    pub(super) of: String,
    pub(super) owner: String,
    pub(super) target: String,
    pub(super) what: String,
    /// Since when, where the state knows; else since it was found first.
    pub(super) since: Option<Timestamp>,
}

/// Everything that is open, as it was found.
#[derive(Debug, Clone)]
pub(super) struct Found {
    pub(super) open: Vec<Open>,
    /// Whether nothing is missing.
    pub(super) whole: bool,
}

/// What is open now.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Seen {
    pub(super) situations: Vec<Situation>,
    /// Whether nothing is missing: else nobody is told that something is over.
    pub(super) whole: bool,
}

/// When messages may go.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pace {
    /// Fewest time between two messages to one owner.
    pub(super) least: SignedDuration,
    /// The last instant at which digests were due.
    pub(super) digest_due: Timestamp,
}

/// The messages that are due at `now` by the way that has told `told`, one an owner at
/// most.
fn decide(seen: &Seen, told: &ByWay, pace: Pace, plant: &str, now: Timestamp) -> Vec<Alert> {
    let owners: BTreeSet<&String> =
        seen.situations.iter().map(|one| &one.owner).chain(told.owners.keys()).collect();
    let nothing = OwnerTold::default();
    let mut due = Vec::new();
    for owner in owners {
        let known = told.owners.get(owner).unwrap_or(&nothing);
        if known.last.is_some_and(|last| now.duration_since(last).abs() < pace.least) {
            continue;
        }
        let open: Vec<&Situation> =
            seen.situations.iter().filter(|one| one.owner == *owner).collect();
        let lasts = |key: &String| open.iter().any(|one| one.key == *key);
        let is_new = |one: &&Situation| one.urgent && !known.open.contains_key(&one.key);
        let begins = open.iter().copied().filter(is_new).cloned().collect();
        let is_over = |(key, _): &(&String, &Situation)| seen.whole && !lasts(key);
        let ends = known.open.iter().filter(is_over).map(|(_, one)| one.clone()).collect();
        let digest = !open.is_empty() && known.digest.unwrap_or(told.began) < pace.digest_due;
        let open = if digest { open.into_iter().cloned().collect() } else { Vec::new() };
        due.extend(alert(owner, plant, [begins, ends, open], (digest, pace.digest_due)));
    }
    due
}

/// The message, where there is something to say.
fn alert(
    owner: &str,
    plant: &str,
    lists: [Vec<Situation>; 3],
    (digest_of, due): (bool, Timestamp),
) -> Option<Alert> {
    if lists.iter().all(Vec::is_empty) {
        return None;
    }
    let not_listed = lists.iter().map(|list| list.len().saturating_sub(LISTED)).sum();
    let [begins, ends, open] = lists.map(|list| list.into_iter().take(LISTED).collect::<Vec<_>>());
    let word = |word: &str, one: &Situation| format!("{word} {} {}", one.key, one.since);
    let mut parts = vec![owner.to_owned()];
    parts.extend(begins.iter().map(|one| word("begins", one)));
    parts.extend(ends.iter().map(|one| word("ends", one)));
    parts.extend(digest_of.then(|| due.to_string()));
    let id = digest(&parts.iter().map(String::as_str).collect::<Vec<_>>());
    let digest = digest_of;
    let (owner, plant) = (owner.to_owned(), plant.to_owned());
    Some(Alert { id, owner, plant, begins, ends, digest, open, not_listed })
}

/// Half of the SHA-256 of `parts`, in hex.
fn digest(parts: &[&str]) -> String {
    let hash = Sha256::digest(parts.join("\0"));
    hash.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// A fault that shows only when a way is put together.
fn not_built(way: Way, fault: SettingsFault) -> Failure {
    let field = format!("run.alerts.{}.{}", way.word(), fault.field);
    let failure = Failure::usage(format!("{field}: {}", fault.reason));
    failure.cure(fault.cure.unwrap_or_default()).explain("config")
}

#[cfg(test)]
mod tests;
