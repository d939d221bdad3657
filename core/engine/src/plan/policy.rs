//! What a guard needs to know besides the cell: all of it data.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use jiff::{SignedDuration, Timestamp, civil::Date};
use planthread_contracts::{MeasureDecl, Scope, WriteGrant};
use planthread_kit::Capabilities;
use rust_decimal::Decimal;

use super::{
    plausible::{Answer, Fault},
    questions::{self, Waits},
};
use crate::{
    error::Result,
    ledger::{CaseKind, Unadopted},
    store::Db,
};

/// A time in which nothing is sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// From, inclusive.
    pub from: Timestamp,
    /// Until, exclusive.
    pub until: Timestamp,
    /// Why, for people.
    pub why: String,
}

/// The policy of one scope of one target at one instant.
#[derive(Debug, Clone)]
pub struct Policy {
    /// The configured target.
    pub target: String,
    /// The scope.
    pub scope: Scope,
    /// The target's measures.
    pub measures: Vec<MeasureDecl>,
    /// What may be written in the scope.
    pub grants: Vec<WriteGrant>,
    /// The instant at which is judged: `as_of` for a plan, the clock's now for
    /// an apply.
    pub now: Timestamp,
    /// The plant's civil day at `now`: near periods are counted from it.
    pub today: Date,
    /// Periods that end on or before this day are closed; `None` leaves all
    /// open.
    pub closed_before: Option<Date>,
    /// Periods that start before this day keep their plan cut.
    pub frozen_before: Option<Date>,
    /// Times in which nothing is sent.
    pub blackouts: Vec<Window>,
    /// Smallest difference worth sending, by measure, in its unit.
    pub significance: BTreeMap<String, Decimal>,
    /// How long the target may take until a write can be read back.
    pub settle_window: SignedDuration,
    /// The longest time that one batch may take; batches are cut so that none
    /// comes near it.
    pub batch_limit: Duration,
    /// Most batches that are out at once, over disjoint cell groups.
    pub side_by_side: usize,
    /// Why nothing is sent to the target at all (`pause`, `stop`).
    pub paused: Option<String>,
    /// Who else writes the scope.
    pub second_writer: Option<String>,
    /// Measures that held values before us, as the ledger found them.
    pub unadopted: BTreeMap<String, Unadopted>,
    /// Measures that a named person has adopted.
    pub adopted: BTreeSet<String>,
    /// Why our clock is in doubt.
    pub clock: Option<String>,
    /// How many units of each place work side by side; no bound where it is not
    /// known.
    pub units: BTreeMap<String, Decimal>,
    /// What stands behind each resource and location, by its name in the plant.
    pub sources: Arc<BTreeMap<(String, String), String>>,
    /// Where a first landing would go, in words; absent where nobody is asked about one.
    pub first_landing: Option<String>,
    /// What people have answered of what is out of proportion.
    pub answers: Vec<Answer>,
    /// Places that wait for such an answer, by measure.
    pub questions: Waits,
}

impl Policy {
    /// A policy that holds nothing but what the laws hold.
    #[must_use]
    pub fn open(
        target: &str,
        scope: Scope,
        measures: Vec<MeasureDecl>,
        grants: Vec<WriteGrant>,
        now: Timestamp,
        today: Date,
    ) -> Self {
        Self {
            target: target.to_owned(),
            scope,
            measures,
            grants,
            now,
            today,
            closed_before: None,
            frozen_before: None,
            blackouts: Vec::new(),
            significance: BTreeMap::new(),
            settle_window: SignedDuration::from_mins(15),
            batch_limit: Duration::from_mins(30),
            side_by_side: 1,
            paused: None,
            second_writer: None,
            unadopted: BTreeMap::new(),
            adopted: BTreeSet::new(),
            clock: None,
            units: BTreeMap::new(),
            sources: Arc::default(),
            first_landing: None,
            answers: Vec::new(),
            questions: Waits::new(),
        }
    }

    /// The same policy at another instant.
    #[must_use]
    pub fn at(&self, now: Timestamp) -> Self {
        Self { now, ..self.clone() }
    }

    /// Batches that are out at once: no more than the target takes.
    pub(crate) fn slots(&self, capabilities: &Capabilities) -> usize {
        self.side_by_side.min(capabilities.side_by_side).max(1)
    }

    /// The declaration of a measure.
    #[must_use]
    pub fn decl(&self, measure: &str) -> Option<&MeasureDecl> {
        self.measures.iter().find(|decl| decl.name == measure)
    }

    /// Whether a grant covers the measure in this scope at this instant.
    #[must_use]
    pub fn granted(&self, measure: &str) -> bool {
        self.grants.iter().any(|grant| {
            grant.measure() == measure
                && *grant.scope() == self.scope
                && grant.promotion().is_none_or(|promotion| self.now < promotion.until())
        })
    }

    /// The same policy, with what the ledger knows of others in the scope (a second
    /// writer, and values from before us) and of a doubt about our clock.
    pub(crate) fn with_others(&self, db: &Db, scope: i64) -> Result<Self> {
        let second_writer = db.open_case(scope, CaseKind::SecondWriter)?;
        let clock = db.open_case(scope, CaseKind::Clock)?;
        Ok(Self {
            second_writer: second_writer.or_else(|| self.second_writer.clone()),
            clock: clock.or_else(|| self.clock.clone()),
            unadopted: db.unadopted(scope)?,
            ..self.clone()
        })
    }

    /// [`Self::with_others`], and what is out of proportion in the scope: asked once
    /// for a plan, not again for each of its batches.
    pub(crate) fn with_questions(&self, db: &Db, scope: i64) -> Result<Self> {
        let mut policy = self.with_others(db, scope)?;
        policy.questions.clear();
        let asked = questions::of_scope(db, scope, &policy)?.verdicts.asked;
        // Before a first landing is answered for, nothing goes of what has no figures of
        // its own to compare either.
        let first = asked.iter().find(|asked| asked.fault == Fault::First);
        let first = first.map(|first| first.places.clone()).unwrap_or_default();
        for decl in policy.measures.iter().filter(|_| !first.is_empty()) {
            if !questions::is_figure(decl) {
                policy.questions.insert(decl.name.clone(), first.clone());
            }
        }
        for asked in asked {
            policy.questions.entry(asked.measure).or_default().extend(asked.places);
        }
        Ok(policy)
    }
}
