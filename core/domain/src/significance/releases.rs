//! Releases that stand, and what a derivation changes of those of its resources.

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_contracts::{Carries, Name, Period};
use rust_decimal::Decimal;

use super::{Change, Reason, Released, decide};
use crate::{derive::Derivation, model::Significance};

/// Releases that stand, by resource and period.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Releases(BTreeMap<Name, BTreeMap<Period, Released>>);

impl Releases {
    /// What is released of one resource and period.
    #[must_use]
    pub fn get(&self, resource: &str, period: Period) -> Option<&Released> {
        self.0.get(resource)?.get(&period)
    }

    /// The latest instant and position of the journal of all of them.
    #[must_use]
    pub fn latest(&self) -> Option<(Timestamp, u64)> {
        let all = || self.0.values().flat_map(BTreeMap::values);
        let position = all().map(|one| one.position).max()?;
        Some((all().map(|one| one.as_of).max()?, position))
    }

    /// Puts what is released of one resource and period.
    pub fn put(&mut self, resource: Name, period: Period, released: Released) {
        self.0.entry(resource).or_default().insert(period, released);
    }

    /// One released figure; `None` where nothing was released, or not this figure.
    #[must_use]
    pub(crate) fn figure(&self, resource: &str, period: Period, what: Carries) -> Option<Decimal> {
        self.get(resource, period)?.figures.get(&what).copied()
    }
}

/// What became of the releases of the resources that were derived.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// What stands of them now: of each period that was derived, and no other.
    pub releases: Releases,
    /// What is new of it.
    pub changed: Vec<(Name, Period)>,
    /// How many were released, by reason.
    pub reasons: BTreeMap<Reason, u64>,
    /// How many stay that differ from what is derived now.
    pub kept: u64,
}

/// Decides of each figure of `derivation`, derived up to `position` of the journal,
/// whether it is released in place of what stands `before`. A release of a period
/// that was not derived stands no more.
#[must_use]
pub fn release(
    derivation: &Derivation,
    position: u64,
    rules: &Significance,
    mut before: Releases,
) -> Outcome {
    let mut decided = Outcome::default();
    for one in &derivation.figures {
        let mut now = Released::candidate(derivation, position, one);
        let resource = before.0.get_mut(one.resource.as_str());
        let standing = resource.and_then(|periods| periods.remove(&one.period));
        let released = match (decide(standing.as_ref(), &now, one.period, rules), standing) {
            (None, Some(standing)) => {
                decided.kept += u64::from(standing.figures != now.figures);
                standing
            }
            (reason, standing) => {
                now.change = standing.and_then(|standing| Change::between(&standing, &now));
                now.reason = reason.unwrap_or(Reason::New);
                *decided.reasons.entry(now.reason).or_default() += 1;
                decided.changed.push((one.resource.clone(), one.period));
                now
            }
        };
        decided.releases.put(one.resource.clone(), one.period, released);
    }
    decided
}
