//! Apply: sends exactly what a plan says, or nothing.

use std::{
    io::{BufRead, Seek, SeekFrom},
    sync::Arc,
};

use planthread_contracts::CellKey;
use planthread_kit::{
    Breakers, Class, Clock, Connector, ConnectorError, PushPolicy, PushStack, Sent,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{DurableLog, check::Checker, slots::Slots};
use crate::{
    EngineError, State,
    error::Result,
    ledger::{open_attempts, want::same_group},
    plan::{PlanHeader, PlanLine, Policy, file::PlanReader, packer::Packer},
};

/// Cells that are named in a report; the others are counted.
const NAMED: usize = 20;

/// Everything around one target's delivery.
#[derive(Debug, Clone, Copy)]
pub struct Delivery<'a> {
    /// The state.
    pub state: &'a Arc<State>,
    /// The target.
    pub connector: &'a dyn Connector,
    /// Time.
    pub clock: &'a Arc<dyn Clock>,
    /// How often and how long a batch is tried.
    pub push: &'a PushPolicy,
    /// The target's breakers; shared by everything that asks it.
    pub breakers: &'a Breakers,
}

impl Delivery<'_> {
    pub(super) fn stack<'s>(&'s self, log: &'s DurableLog) -> PushStack<'s> {
        PushStack {
            connector: self.connector,
            log,
            policy: self.push,
            breakers: self.breakers,
            clock: self.clock.as_ref(),
        }
    }
}

/// What became of a plan.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Applied {
    /// The plan's first line.
    pub plan: PlanHeader,
    /// The plan's digest.
    pub sha256: String,
    /// Cells that are not what the plan says any more, or are held now.
    pub moved: u64,
    /// Some of them by name.
    pub moved_cells: Vec<CellKey>,
    /// Unmoved cells that stayed behind with moved ones of their group.
    pub left: u64,
    /// Whether the plan was refused because of moved cells: nothing was sent.
    pub refused: bool,
    /// Batches that were sent.
    pub batches: u64,
    /// Cells in them.
    pub sent: u64,
    /// Cells that the target says it took.
    pub accepted: u64,
    /// Cells that it refused.
    pub rejected: u64,
    /// Cells of which only a read-back can tell.
    pub unproven: u64,
    /// Of them, cells of a job that the target ended as failed.
    pub failed: u64,
    /// Rows that it refused without naming them; the read-back finds which.
    pub refused_unnamed: u64,
    /// Handles of the receipts.
    pub receipts: Vec<String>,
    /// Why it ended before the plan did; the rest stays pending.
    #[serde(skip)]
    pub stopped: Option<ConnectorError>,
}

impl Applied {
    /// A plan of which nothing was sent yet.
    #[must_use]
    pub const fn new(plan: PlanHeader, sha256: String) -> Self {
        Self {
            plan,
            sha256,
            moved: 0,
            moved_cells: Vec::new(),
            left: 0,
            refused: false,
            batches: 0,
            sent: 0,
            accepted: 0,
            rejected: 0,
            unproven: 0,
            failed: 0,
            refused_unnamed: 0,
            receipts: Vec::new(),
            stopped: None,
        }
    }

    /// Adds what became of a part of the plan.
    pub(super) fn add(&mut self, part: Self) {
        self.moved += part.moved;
        let room = NAMED.saturating_sub(self.moved_cells.len());
        self.moved_cells.extend(part.moved_cells.into_iter().take(room));
        self.left += part.left;
        self.batches += part.batches;
        self.sent += part.sent;
        self.accepted += part.accepted;
        self.rejected += part.rejected;
        self.unproven += part.unproven;
        self.failed += part.failed;
        self.refused_unnamed += part.refused_unnamed;
        self.receipts.extend(part.receipts);
        self.stopped = self.stopped.take().or(part.stopped);
    }

    pub(super) fn moved<'k>(&mut self, cells: impl Iterator<Item = &'k CellKey>) {
        for key in cells {
            self.moved += 1;
            if self.moved_cells.len() < NAMED {
                self.moved_cells.push(key.clone());
            }
        }
    }
}

/// Applies a plan. It is read twice: once to prove it and to find cells that
/// have moved, once to send it.
///
/// An attempt is opened only while every cell of its batch is what the plan
/// says; that is asked again for every retry, so a batch that has waited while
/// truth moved on dissolves instead of sending an old value (law 5). An attempt
/// that stays open is settled by [`super::recover`], to be called before the
/// next plan; where the target takes no further job beside it, nothing goes out.
///
/// A plan with moved cells is refused as a whole; with `only_unmoved` the
/// groups without one go, and never with another value. Law 1.
///
/// # Errors
/// When the plan can't be trusted or is another target's, a cell is not
/// granted, or the state can't be read or written. What the target says is in
/// the report.
pub async fn apply<R: BufRead + Seek + Send>(
    delivery: &Delivery<'_>,
    plan: &mut R,
    policy: &Policy,
    only_unmoved: bool,
) -> Result<Applied> {
    let mut policy = policy.at(delivery.clock.now());
    let mut applied = prove(delivery, plan, &mut policy)?;
    if applied.moved > 0 && !only_unmoved {
        applied.refused = true;
        return Ok(applied);
    }
    (applied.moved, applied.left) = (0, 0);
    applied.moved_cells.clear();
    plan.seek(SeekFrom::Start(0)).map_err(EngineError::io("plan"))?;
    let mut reader = Groups { reader: PlanReader::open(plan)?, next: None };
    let capabilities = &delivery.connector.info().capabilities;
    let open = open_attempts(&delivery.state.reader()?, &policy.target)?.len();
    let most = policy.slots(capabilities);
    if open >= most && applied.plan.counts.groups > 0 {
        applied.stopped = Some(no_slot(open, most));
        return Ok(applied);
    }
    let free = most.saturating_sub(open).max(1);
    let mut slots = Slots::new(delivery, &policy, &applied.sha256, free)?;
    let mut packer = Some(Packer::new(capabilities, slots.most_cells()?));
    while packer.is_some() && applied.stopped.is_none() {
        let complete = match (reader.next()?, &mut packer) {
            (Some(group), Some(packer)) => {
                let kin = packer.kin(group.iter().map(|line| &line.cell));
                packer.add(kin, group)
            }
            (_, packer) => packer.take().map(Packer::finish).unwrap_or_default(),
        };
        for batch in complete {
            slots.send(batch.items, &mut applied).await?;
            if let Some(packer) = &mut packer {
                packer.at_most(slots.most_cells()?);
            }
        }
    }
    slots.end(&mut applied).await?;
    Ok(applied)
}

/// What still runs at the target keeps its slot, whoever began it.
fn no_slot(open: usize, most: usize) -> ConnectorError {
    let class = Class::Transient { sent: Sent::Maybe };
    let text = format!("{open} of earlier pushes have no end yet, and {most} may be out at once");
    ConnectorError::new(class, "submit batch", text).cure(
        "nothing is lost: `apply` and `run` ask what became of them; `planthread attempt list` shows \
         them, and which one a person may end",
    )
}

/// Reads the plan to its end, and counts what has moved.
fn prove<R: BufRead + Seek + Send>(
    delivery: &Delivery<'_>,
    plan: &mut R,
    policy: &mut Policy,
) -> Result<Applied> {
    plan.seek(SeekFrom::Start(0)).map_err(EngineError::io("plan"))?;
    let mut reader = Groups { reader: PlanReader::open(plan)?, next: None };
    let header = reader.reader.header().clone();
    if header.target != policy.target || header.scope != policy.scope.name() {
        return Err(EngineError::Plan {
            line: 1,
            reason: format!(
                "it is for target `{}`, scope `{}`, not for `{}`, `{}`",
                header.target,
                header.scope,
                policy.target,
                policy.scope.name()
            ),
        });
    }
    let mut applied = Applied::new(header, String::new());
    let state = delivery.state.reader()?;
    state.at_once(|db| {
        if let Some(scope) = db.scope(&policy.target, policy.scope.name())? {
            *policy = policy.with_questions(db, scope)?;
        }
        let mut checker = Checker::new(db, policy)?;
        while let Some(group) = reader.next()? {
            let moved = checker.moved(&group)?;
            applied.moved(moved.iter().map(|line| &line.cell));
        }
        Ok(())
    })?;
    applied.sha256 = reader.reader.digest().cloned().unwrap_or_default();
    Ok(applied)
}

/// A plan, one cell group at a time.
struct Groups<'a> {
    reader: PlanReader<'a>,
    next: Option<PlanLine>,
}

impl Groups<'_> {
    fn next(&mut self) -> Result<Option<Vec<PlanLine>>> {
        let first = match self.next.take() {
            Some(line) => line,
            None => match self.reader.next()? {
                Some(line) => line,
                None => return Ok(None),
            },
        };
        let mut group = vec![first];
        while let Some(line) = self.reader.next()? {
            if !same_group(&line.cell, &group[0].cell) {
                self.next = Some(line);
                break;
            }
            group.push(line);
        }
        Ok(Some(group))
    }
}
