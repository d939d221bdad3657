//! Build: streams the difference between wanted and seen.
//!
//! The header comes first and tells what follows, so the ledger is walked
//! twice on one snapshot: once to count, once to write. Nothing but one cell
//! group and the sizes of the batches is ever in memory.

use std::io::Write;

use jiff::Timestamp;
use planthread_contracts::Name;
use planthread_kit::{Capabilities, Together};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    GroupDecision, PlanCounts, PlanHeader, PlanLine, Policy, Prediction, SeenBasis,
    carriers::{self, Carriers},
    decide,
    file::PlanWriter,
    pace::Pace,
    packer::{Packed, Packer},
    predict::{self, BatchSize},
    scan,
};
use crate::{
    Reader,
    error::Result,
    ledger::{CellView, Why, view::Holds},
    store::{Db, cells::Cell, names::GroupRef},
};

/// What a plan is made for.
#[derive(Debug, Clone)]
pub struct PlanRequest<'a> {
    /// The policy of the scope. It is judged at `as_of`.
    pub policy: &'a Policy,
    /// The instant that the plan is of.
    pub as_of: Timestamp,
    /// Digest of the configuration.
    pub config: &'a str,
    /// What the target's connector can do.
    pub capabilities: &'a Capabilities,
    /// Only cells that are due for this reason (and what they carry along).
    pub only: Option<Why>,
}

/// What was planned.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct PlanSummary {
    /// The plan's first line.
    #[serde(flatten)]
    pub header: PlanHeader,
    /// The plan's digest.
    pub sha256: String,
}

/// Writes the plan of a scope to `out`. Law 18: the same ledger, configuration
/// and `as_of` give the same bytes.
///
/// # Errors
/// When the state can't be read, or `out` refuses.
pub fn build(
    reader: &Reader,
    request: &PlanRequest<'_>,
    out: &mut dyn Write,
) -> Result<PlanSummary> {
    reader.at_once(|db| {
        let policy = request.policy.at(request.as_of);
        let scope = db.scope(&policy.target, policy.scope.name())?;
        let policy = match scope {
            Some(scope) => policy.with_questions(db, scope)?,
            None => policy,
        };
        let walk =
            Walk { db, scope, policy: &policy, only: request.only, by: request.capabilities };
        let (counts, prediction) = count(&walk)?;
        let header = PlanHeader {
            planthread_plan: 1,
            target: policy.target.clone(),
            scope: policy.scope.name().to_owned(),
            as_of: request.as_of,
            counter: db.counter()?,
            config: request.config.to_owned(),
            counts,
            prediction,
        };
        let mut writer = PlanWriter::new(out);
        writer.line(&header)?;
        if header.counts.groups > 0 {
            walk.run(|cells, decision| write_group(&mut writer, cells, decision))?;
        }
        Ok(PlanSummary { header, sha256: writer.finish()? })
    })
}

struct Walk<'a> {
    db: &'a Db,
    scope: Option<i64>,
    policy: &'a Policy,
    only: Option<Why>,
    by: &'a Capabilities,
}

impl Walk<'_> {
    fn run(&self, mut each: impl FnMut(&[CellView], &GroupDecision) -> Result<()>) -> Result<()> {
        let Some(scope) = self.scope else { return Ok(()) };
        let holds = Holds::load(self.db, self.policy.now)?;
        let look = |group: &GroupRef, cells: &[(&Name, Cell)]| {
            // Most groups of a quiet ledger have nothing to say: not even a view.
            if cells.iter().all(|(_, cell)| settled(cell.state)) {
                return Ok(());
            }
            let view = |(measure, cell): &(&Name, _)| CellView::new(group, measure, cell, &holds);
            let views: Vec<CellView> = cells.iter().map(view).collect();
            let mut decision = decide(&views, self.policy);
            if self.only.is_some_and(|why| !decision.due.iter().any(|n| views[*n].why == why)) {
                decision = GroupDecision::default();
            }
            each(&views, &decision)
        };
        match self.by.carriage.together {
            Together::Place => scan::groups_by_place(self.db, scope, self.policy.today, look),
            _ => scan::groups(self.db, scope, self.policy.today, look),
        }
    }
}

const fn settled(state: planthread_contracts::RevisionState) -> bool {
    use planthread_contracts::RevisionState as S;
    matches!(state, S::Seen | S::Withdrawn)
}

fn count(walk: &Walk<'_>) -> Result<(PlanCounts, Prediction)> {
    let capabilities = walk.by;
    let mut counts = PlanCounts::default();
    let most = Pace::planned(capabilities, walk.policy);
    let mut packer = Packer::new(capabilities, most);
    let mut carriers = Carriers::new(capabilities);
    let mut complete: Vec<Packed<u32>> = Vec::new();
    walk.run(|views, decision| {
        for (_, reason) in &decision.held {
            *counts.held.entry(reason.word().to_owned()).or_default() += 1;
        }
        for place in &decision.due {
            *counts.reasons.entry(views[*place].why.word().to_owned()).or_default() += 1;
        }
        let size = decision.due.len() + decision.carried.len();
        if size > 0 {
            counts.groups += 1;
            counts.cells += wide(decision.due.len());
            counts.carried += wide(decision.carried.len());
            let sent = decision.due.iter().chain(&decision.carried);
            let sent: Vec<_> = sent.map(|place| &views[*place].key).collect();
            let kin = packer.kin(sent.iter().copied());
            complete.extend(packer.add(kin, carriers.of(&sent)));
        }
        Ok(())
    })?;
    complete.extend(packer.finish());
    let size = |batch: &Packed<u32>| BatchSize {
        cells: batch.items.len(),
        groups: batch.groups,
        carriers: carriers::sizes(&batch.items),
    };
    let sizes: Vec<BatchSize> = complete.iter().map(size).collect();
    Ok((counts, predict::predict(&sizes, walk.policy.slots(capabilities), capabilities)))
}

fn write_group(
    writer: &mut PlanWriter<'_>,
    views: &[CellView],
    decision: &GroupDecision,
) -> Result<()> {
    for (place, view) in views.iter().enumerate() {
        let carried = decision.carried.contains(&place);
        if carried || decision.due.contains(&place) {
            writer.line(&PlanLine {
                cell: view.key.clone(),
                revision: view.revision,
                value: view.value,
                seen: view.basis().map(|value| SeenBasis { value }),
                reason: view.why,
                carried,
            })?;
        }
    }
    Ok(())
}

fn wide(n: usize) -> u64 {
    u64::try_from(n).unwrap_or(u64::MAX)
}
