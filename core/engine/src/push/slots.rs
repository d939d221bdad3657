//! Slots: batches of one plan that are out side by side, as many as its policy says.
//!
//! A plan names each cell group once and a batch holds whole groups, so two batches
//! never share a cell: what is older of a cell can't overtake what is newer. Who
//! stops waiting drops the slots; each leaves at most one attempt open. Where one is
//! stopped the others come to the end of the attempt that they have, and begin none.

use futures_util::stream::{FuturesUnordered, StreamExt as _};
use planthread_kit::BoxFuture;

use super::{
    apply::{Applied, Delivery},
    log::Stop,
    send::Sender,
};
use crate::{
    error::Result,
    plan::{PlanLine, Policy},
};

/// The slots of one plan. Between two calls one of them is free.
pub(super) struct Slots<'a> {
    free: Vec<Sender<'a>>,
    busy: FuturesUnordered<BoxFuture<'a, Result<(Sender<'a>, Applied)>>>,
}

impl<'a> Slots<'a> {
    pub(super) fn new(
        delivery: &'a Delivery<'a>,
        policy: &Policy,
        plan: &str,
        slots: usize,
    ) -> Result<Self> {
        let stop = Stop::default();
        let free = (0..slots).map(|_| Sender::new(delivery, policy.clone(), plan, stop.clone()));
        Ok(Self { free: free.collect::<Result<_>>()?, busy: FuturesUnordered::new() })
    }

    /// Most cells of the next batch.
    pub(super) fn most_cells(&self) -> Result<usize> {
        self.free.last().map_or(Ok(1), |slot| Ok(slot.pace()?.most_cells()))
    }

    /// Sends `lines` on a free slot, and waits until one is free again. Once one was
    /// stopped nothing more goes out.
    pub(super) async fn send(&mut self, lines: Vec<PlanLine>, applied: &mut Applied) -> Result<()> {
        if applied.stopped.is_some() {
            return Ok(());
        }
        if let Some(slot) = self.free.pop() {
            let part = Applied::new(applied.plan.clone(), String::new());
            self.busy.push(Box::pin(slot.carry(lines, part)));
        }
        while self.free.is_empty() {
            self.wait(applied).await?;
        }
        Ok(())
    }

    /// Waits for all that is out.
    pub(super) async fn end(&mut self, applied: &mut Applied) -> Result<()> {
        while !self.busy.is_empty() {
            self.wait(applied).await?;
        }
        Ok(())
    }

    /// Waits for the next that comes back.
    async fn wait(&mut self, applied: &mut Applied) -> Result<()> {
        if let Some(done) = self.busy.next().await {
            let (slot, part) = done?;
            self.free.push(slot);
            applied.add(part);
        }
        Ok(())
    }
}
