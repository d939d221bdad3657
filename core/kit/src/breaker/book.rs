//! Who shares which breaker, and what stands around a question.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;

use super::{Breaker, BreakerMemory, BreakerPolicy, BreakerStanding, Kept, Operation, Permit};
use crate::{Class, Clock, ConnectorError};

/// The breakers of one target, one an operation.
#[derive(Debug)]
pub struct Breakers([Breaker; Operation::ALL.len()]);

impl Breakers {
    /// Closed breakers that nobody remembers.
    #[must_use]
    pub fn new(policy: BreakerPolicy) -> Self {
        Self(Operation::ALL.map(|one| Breaker::new(policy, one, Kept::default(), None)))
    }

    fn of(&self, operation: Operation) -> &Breaker {
        &self.0[operation as usize]
    }

    /// May `operation` be asked at `now`?
    ///
    /// # Errors
    /// How long to leave the target alone.
    pub fn admit(&self, operation: Operation, now: Timestamp) -> Result<Permit<'_>, Duration> {
        self.of(operation).admit(now)
    }

    /// How `operation` stands at `now`. Asking changes nothing.
    #[must_use]
    pub fn standing(&self, operation: Operation, now: Timestamp) -> BreakerStanding {
        self.of(operation).standing(now)
    }

    /// How the operation stands at `now` that is furthest from closed.
    #[must_use]
    pub fn worst(&self, now: Timestamp) -> BreakerStanding {
        let all = Operation::ALL.map(|operation| self.standing(operation, now));
        let mut worst = [BreakerStanding::Open, BreakerStanding::HalfOpen].into_iter();
        worst.find(|standing| all.contains(standing)).unwrap_or(BreakerStanding::Closed)
    }

    /// Asks, unless `operation` is left alone, and counts how that ended.
    ///
    /// # Errors
    /// What the target said, or for how long it is left alone.
    pub async fn ask<T>(
        &self,
        operation: Operation,
        clock: &dyn Clock,
        question: impl Future<Output = Result<T, ConnectorError>> + Send,
    ) -> Result<T, ConnectorError> {
        let permit = match self.admit(operation, clock.now()) {
            Ok(permit) => permit,
            Err(left) => return Err(left_alone(operation, left)),
        };
        let answer = question.await;
        permit.ended(&answer, clock.now());
        answer
    }
}

/// What is told in place of an answer while a target is left alone.
pub(crate) fn left_alone(operation: Operation, left: Duration) -> ConnectorError {
    let step = match operation {
        Operation::Read => "read cells",
        Operation::Write => "submit batch",
        Operation::Poll => "poll attempt",
    };
    let message = format!("the target was down; left alone for another {} s", left.as_secs());
    ConnectorError::new(Class::Throttled { after: left }, step, message)
}

/// All breakers of the process.
#[derive(Debug, Default)]
pub struct BreakerBook {
    memory: Option<Arc<dyn BreakerMemory>>,
    targets: Mutex<BTreeMap<String, Arc<Breakers>>>,
    /// What an earlier process kept.
    before: Mutex<BTreeMap<(String, Operation), Kept>>,
}

impl BreakerBook {
    /// An empty book of breakers that are kept in `memory` as they change.
    #[must_use]
    pub fn kept_in(memory: Arc<dyn BreakerMemory>) -> Self {
        Self { memory: Some(memory), ..Self::default() }
    }

    /// Takes over what an earlier process kept, before any breaker is handed out.
    pub fn remember(&self, kept: impl IntoIterator<Item = ((String, Operation), Kept)>) {
        self.before.lock().unwrap_or_else(PoisonError::into_inner).extend(kept);
    }

    /// The breakers of `target`: the same ones for everybody who asks, by the `policy` of
    /// who asked first.
    #[must_use]
    pub fn of_target(&self, target: &str, policy: BreakerPolicy) -> Arc<Breakers> {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(breakers) = targets.get(target) {
            return Arc::clone(breakers);
        }
        let before = self.before.lock().unwrap_or_else(PoisonError::into_inner);
        let breakers = Arc::new(Breakers(Operation::ALL.map(|operation| {
            let kept = before.get(&(target.to_owned(), operation)).copied().unwrap_or_default();
            let memory = self.memory.as_ref().map(|one| (target.to_owned(), Arc::clone(one)));
            Breaker::new(policy, operation, kept, memory)
        })));
        targets.insert(target.to_owned(), Arc::clone(&breakers));
        breakers
    }
}
