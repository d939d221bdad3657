//! What was told so far: since when each situation lasts, and by each way what was told
//! to whom.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::{Alert, Found, Open, Seen, Situation, digest};

/// By which a message goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Way {
    /// A CloudEvent by POST.
    Webhook,
    /// An e-mail by SMTP.
    Email,
}

impl Way {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Webhook, Self::Email];

    /// As it is called in the configuration and in the metrics.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Webhook => "webhook",
            Self::Email => "email",
        }
    }
}

/// What was told so far.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Kept")]
pub(super) struct Told {
    /// Since when each situation lasts, by its key: the same by every way.
    since: BTreeMap<String, Timestamp>,
    /// What each way has told.
    ways: BTreeMap<Way, ByWay>,
}

/// What one way has told.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ByWay {
    /// When the first look for it was.
    pub(super) began: Timestamp,
    /// What was told to each owner.
    pub(super) owners: BTreeMap<String, OwnerTold>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OwnerTold {
    /// Urgent situations of which was told that they began.
    pub(super) open: BTreeMap<String, Situation>,
    /// When the last message went.
    pub(super) last: Option<Timestamp>,
    /// When the last digest went.
    pub(super) digest: Option<Timestamp>,
}

/// As a state may hold it: `began` and `owners` are of the webhook, from when there was no
/// other way.
#[derive(Deserialize)]
struct Kept {
    #[serde(default)]
    since: BTreeMap<String, Timestamp>,
    #[serde(default)]
    ways: BTreeMap<Way, ByWay>,
    #[serde(default)]
    began: Option<Timestamp>,
    #[serde(default)]
    owners: BTreeMap<String, OwnerTold>,
}

impl From<Kept> for Told {
    fn from(kept: Kept) -> Self {
        let Kept { since, mut ways, began, owners } = kept;
        if let Some(began) = began {
            ways.entry(Way::Webhook).or_insert(ByWay { began, owners });
        }
        Self { since, ways }
    }
}

impl Told {
    /// What was told by `way`, of which the first look is at `now` if there was none.
    pub(super) fn by(&mut self, way: Way, now: Timestamp) -> &mut ByWay {
        let nothing = || ByWay { began: now, owners: BTreeMap::new() };
        self.ways.entry(way).or_insert_with(nothing)
    }

    /// What was found at `now`, with the instant since when each of it lasts. What is
    /// younger than its kind asks for is left out.
    pub(super) fn know(&mut self, found: Found, now: Timestamp) -> Seen {
        let Found { open, whole } = found;
        let mut since = BTreeMap::new();
        let mut situations = Vec::new();
        for Open { kind, of, owner, target, what, since: own } in open {
            let key = format!("{} {of}", kind.word).trim_end().to_owned();
            let known = self.since.get(&key).copied();
            let begun = own.or(known).unwrap_or(now);
            since.insert(key.clone(), begun);
            if now.duration_since(begun) >= kind.after {
                let (id, cure) = (digest(&[&key, &begun.to_string()]), kind.cure.to_owned());
                let urgent = kind.urgent;
                situations.push(Situation {
                    key,
                    id,
                    owner,
                    target,
                    urgent,
                    what,
                    cure,
                    since: begun,
                });
            }
        }
        if !whole {
            // Half a look ends nothing.
            for (key, at) in std::mem::take(&mut self.since) {
                since.entry(key).or_insert(at);
            }
        }
        self.since = since;
        Seen { situations, whole }
    }
}

impl ByWay {
    /// Notes that `alert` was sent at `now`.
    pub(super) fn sent(&mut self, alert: &Alert, now: Timestamp) {
        let owner = self.owners.entry(alert.owner.clone()).or_default();
        for one in &alert.begins {
            owner.open.insert(one.key.clone(), one.clone());
        }
        for one in &alert.ends {
            owner.open.remove(&one.key);
        }
        owner.last = Some(now);
        if alert.digest {
            owner.digest = Some(now);
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_was_told_before_there_were_two_ways_was_told_by_the_webhook() {
        let anna = json!({ "open": {}, "last": "2026-11-27T08:05:00Z", "digest": null });
        let old = json!({
            "began": "2026-11-27T08:00:00Z",
            "since": { "away ibp": "2026-11-27T08:01:00Z" },
            "owners": { "anna": anna },
        });
        let told: Told = serde_json::from_value(old).unwrap();
        let kept = json!({
            "since": { "away ibp": "2026-11-27T08:01:00Z" },
            "ways": { "webhook": { "began": "2026-11-27T08:00:00Z", "owners": { "anna": anna } } },
        });
        assert_eq!(serde_json::to_value(&told).unwrap(), kept);
        assert_eq!(serde_json::from_value::<Told>(kept).unwrap(), told);
    }

    #[test]
    fn a_way_that_comes_later_begins_when_it_comes() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (first, second) = (at("2026-11-27T08:00:00Z"), at("2026-12-27T08:00:00Z"));
        let mut told = Told::default();
        told.by(Way::Webhook, first);
        assert_eq!(told.by(Way::Email, second).began, second);
        assert_eq!(told.by(Way::Webhook, second).began, first);
        let kept = serde_json::to_value(&told).unwrap();
        assert_eq!(kept["ways"]["email"]["began"], "2026-12-27T08:00:00Z");
    }
}
