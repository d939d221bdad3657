//! Send: batches of a plan, cut again while the target is slower than thought.

use std::{collections::VecDeque, sync::Arc};

use planthread_contracts::RowOutcome;
use planthread_kit::{Batch, CellWrite, Class, ConnectorError, PushEnd, PushOutcome, Sent};

use super::{
    DurableLog,
    apply::{Applied, Delivery},
    check::Checker,
    log::Stop,
    told::told,
};
use crate::{
    EngineError, Reader,
    error::Result,
    ledger::want::same_group,
    plan::{PlanLine, Policy, pace::Pace},
};

/// Sends the batches of one plan.
pub(super) struct Sender<'a> {
    delivery: &'a Delivery<'a>,
    log: DurableLog,
    state: Reader,
    policy: Policy,
    stop: Stop,
}

impl<'a> Sender<'a> {
    /// A slot for batches of `plan`, which sends until a slot that shares `stop` was
    /// stopped.
    pub(super) fn new(
        delivery: &'a Delivery<'a>,
        policy: Policy,
        plan: &str,
        stop: Stop,
    ) -> Result<Self> {
        let clock = Arc::clone(delivery.clock);
        let log = DurableLog::of_plan(Arc::clone(delivery.state), clock, plan, policy.clone());
        let log = log.until(stop.clone());
        Ok(Self { delivery, log, state: delivery.state.reader()?, policy, stop })
    }

    /// Sends `lines`, adds what became of them to `part`, and is free again.
    pub(super) async fn carry(
        mut self,
        lines: Vec<PlanLine>,
        mut part: Applied,
    ) -> Result<(Self, Applied)> {
        self.send(lines, &mut part).await?;
        Ok((self, part))
    }

    /// The target's pace, from what its last attempts took.
    pub(super) fn pace(&self) -> Result<Pace<'a>> {
        let now = self.delivery.clock.now();
        let tried = self.state.at_once(|db| db.tried(&self.policy.target, now))?;
        let capabilities = &self.delivery.connector.info().capabilities;
        let slots = self.policy.slots(capabilities);
        Ok(Pace::new(capabilities, self.policy.batch_limit, slots, tried))
    }

    /// Sends `lines` in one batch, or in several when the target is too slow
    /// for so many.
    async fn send(&mut self, lines: Vec<PlanLine>, applied: &mut Applied) -> Result<()> {
        let mut queue = VecDeque::from([lines]);
        while let Some(lines) = queue.pop_front() {
            // What stopped another slot would only be met again.
            if self.stop.is_set() {
                break;
            }
            let pace = self.pace()?;
            if lines.len() > pace.most_cells()
                && let Some(at) = middle(&lines)
            {
                halve(lines, at, &mut queue);
                continue;
            }
            // A plan may take hours: what a window, a promotion or a second
            // writer says is asked at this hour.
            self.policy = self.policy.at(self.delivery.clock.now());
            let lines = self.standing(lines, applied)?;
            if let Some(error) = self.push(&lines, applied).await? {
                match middle(&lines) {
                    Some(at) => halve(lines, at, &mut queue),
                    None => applied.stopped = Some(error),
                }
            }
            if applied.stopped.is_some() {
                self.stop.set();
            }
        }
        Ok(())
    }

    /// The lines of a batch that may go: whole groups, or nothing of them.
    fn standing(&self, mut lines: Vec<PlanLine>, applied: &mut Applied) -> Result<Vec<PlanLine>> {
        self.state.at_once(|db| {
            let policy = match db.scope(&self.policy.target, self.policy.scope.name())? {
                Some(scope) => &self.policy.with_others(db, scope)?,
                None => &self.policy,
            };
            let mut checker = Checker::new(db, policy)?;
            let mut stands = Vec::with_capacity(lines.len());
            for group in lines.chunk_by(|a, b| same_group(&a.cell, &b.cell)) {
                let moved = checker.moved(group)?;
                if !moved.is_empty() {
                    applied.left += wide(group.len() - moved.len());
                    applied.moved(moved.iter().map(|line| &line.cell));
                }
                stands.resize(stands.len() + group.len(), moved.is_empty());
            }
            let mut stands = stands.into_iter();
            lines.retain(|_| stands.next().unwrap_or_default());
            Ok(lines)
        })
    }

    /// Pushes one batch. Answers the error of one that was too large.
    async fn push(
        &mut self,
        lines: &[PlanLine],
        applied: &mut Applied,
    ) -> Result<Option<ConnectorError>> {
        if lines.is_empty() {
            return Ok(None);
        }
        let cells: Vec<CellWrite> = lines.iter().map(CellWrite::from).collect();
        let count = wide(cells.len());
        let batch = Batch::new(self.policy.scope.clone(), &self.policy.grants, cells)
            .map_err(|error| EngineError::Refused(error.to_string()))?;
        let batch = match self.delivery.connector.info().capabilities.tells {
            true => batch.telling(self.state.at_once(|db| told(db, &self.policy, lines))?),
            false => batch,
        };
        let end = self.delivery.stack(&self.log).push(&batch).await;
        let moved = self.log.take_moved();
        if !moved.is_empty() {
            // Law 5: the batch dissolves; the next plan computes the diff again.
            applied.moved(moved.iter());
            applied.left += count - wide(moved.len());
            return Ok(None);
        }
        match end {
            PushEnd::Empty => return Ok(None),
            PushEnd::TooLarge { error } => return Ok(Some(error)),
            PushEnd::Done { outcome, .. } => done(outcome, count, applied),
            PushEnd::Unproven { .. } => applied.unproven += count,
            PushEnd::Parked { error, open, .. } => {
                applied.stopped = Some(error);
                if open.is_none() {
                    return Ok(None);
                }
                applied.unproven += count;
            }
        }
        applied.batches += 1;
        applied.sent += count;
        Ok(None)
    }
}

fn done(outcome: PushOutcome, count: u64, applied: &mut Applied) {
    for row in &outcome.rows {
        match row {
            RowOutcome::Accepted => applied.accepted += 1,
            RowOutcome::Rejected(_) => applied.rejected += 1,
            RowOutcome::Unproven => applied.unproven += 1,
        }
    }
    applied.refused_unnamed += wide(outcome.refused_unnamed);
    if outcome.failed {
        applied.failed += count;
        applied.stopped = Some(job_failed(&outcome.receipt.verdict));
    }
    applied.receipts.push(outcome.receipt.handle);
}

/// A job that fails as a whole has a cause beside its rows: the batches after
/// it would only meet it again.
fn job_failed(verdict: &str) -> ConnectorError {
    let class = Class::Transient { sent: Sent::Maybe };
    ConnectorError::new(class, "import batch", format!("the target's job failed: {verdict}"))
        .cure("cure what the target names, then run this again: what is unchanged goes out anew")
}

/// Where two parts of about the same size meet, groups kept whole; `None` for one
/// group.
fn middle(lines: &[PlanLine]) -> Option<usize> {
    let new_group = |at: &usize| !same_group(&lines[at - 1].cell, &lines[*at].cell);
    let middle = lines.len() / 2;
    (middle.max(1)..lines.len())
        .find(new_group)
        .or_else(|| (1..middle.max(1)).rev().find(new_group))
}

/// Both parts go next, the first one first.
fn halve(mut lines: Vec<PlanLine>, at: usize, queue: &mut VecDeque<Vec<PlanLine>>) {
    let rest = lines.split_off(at);
    queue.push_front(rest);
    queue.push_front(lines);
}

pub(super) fn wide(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
