//! One cycle: everything from new records to proven landings, in order. What
//! fails at one target does not stop the others.

use std::{
    fs::{self, File},
    io::{BufReader, BufWriter, Write as _},
    path::PathBuf,
};

use jiff::Timestamp;
use planthread_engine::{
    deliver::{Applied, Recovered},
    fallback::Manifest,
    ledger::Screened,
    plan::PlanSummary,
    verify::{SweepReport, Which},
};
use serde::Serialize;

use super::{Bridge, OpenTarget, Truth, WantReport, policy};
use crate::{failure::Failure, serve::files::FileReport};

/// What one cycle did.
#[derive(Debug, Serialize)]
pub struct Cycle {
    /// The instant that it spoke for.
    pub as_of: Timestamp,
    /// What came in.
    pub intake: Vec<FileReport>,
    /// Target by target.
    pub targets: Vec<TargetCycle>,
}

/// What one cycle did at one target.
#[derive(Debug, Default, Serialize)]
pub struct TargetCycle {
    /// The configured target.
    pub target: String,
    /// What a crash had left open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Recovered>,
    /// What became of the figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub want: Option<WantReport>,
    /// What was planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanSummary>,
    /// What was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied: Option<Applied>,
    /// What was read back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<SweepReport>,
    /// What a policy holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub screened: Option<Screened>,
    /// The pack that was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pack: Option<Manifest>,
    /// Why it ended early; nothing is dropped, the next cycle goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Failure>,
}

impl Bridge {
    /// Runs the whole way once, for `as_of`.
    ///
    /// # Errors
    /// When the journal can't be read or derived. What fails at a source or at a
    /// target stands in its part of the answer.
    pub async fn cycle(&self, targets: &[OpenTarget], as_of: Timestamp) -> Result<Cycle, Failure> {
        let intake = self.ingest()?;
        let truth = self.truth(as_of)?;
        // Side by side: a target that does not answer holds nobody else up.
        let all = targets.iter().map(|target| self.target_cycle(target, &truth));
        let targets = futures_util::future::join_all(all).await;
        Ok(Cycle { as_of, intake, targets })
    }

    async fn target_cycle(&self, target: &OpenTarget, truth: &Truth) -> TargetCycle {
        let mut done = TargetCycle { target: target.name.clone(), ..TargetCycle::default() };
        if let Err(failure) = self.steps(target, truth, &mut done).await {
            done.stopped = Some(failure);
        }
        done
    }

    /// recover → want → read → plan → apply → verify → screen → pack
    async fn steps(
        &self,
        target: &OpenTarget,
        truth: &Truth,
        done: &mut TargetCycle,
    ) -> Result<(), Failure> {
        if let Some(quiet) = policy::quiet(target, self.clock.now())? {
            // Wanted moves on, and `status` shows what waits for what.
            done.want = Some(self.want(target, truth)?);
            done.screened = Some(self.screen(target, self.clock.now())?);
            done.stopped = Some(quiet);
            return Ok(());
        }
        done.recovered = Some(self.recover(target).await?);
        done.want = Some(self.want(target, truth)?);
        // What stands there is the basis of the plan, and what an undo returns to.
        if let Some(error) = self.verify(target, Which::Unread).await?.error {
            return Err(error.into());
        }
        let file = self.plan_file(target)?;
        let mut out = BufWriter::new(create(&file)?);
        let summary = self.plan(target, truth.as_of, None, &mut out)?;
        out.flush().map_err(|error| Failure::io("write the plan", &file, &error))?;
        drop(out);
        if summary.header.counts.groups > 0 {
            // The ledger may move between plan and apply only through people's
            // verbs; what moved stays for the next cycle.
            let mut plan = BufReader::new(open(&file)?);
            let applied = self.apply(target, &mut plan, true).await?;
            done.stopped = applied.stopped.clone().map(Failure::from);
            done.applied = Some(applied);
        }
        done.plan = Some(summary);
        let mut report = self.verify(target, Which::Expired).await?;
        if let Some(error) = report.error.take() {
            done.stopped.get_or_insert(error.into());
        }
        done.verified = Some(report);
        done.screened = Some(self.screen(target, truth.as_of)?);
        if done.stopped.is_none() {
            done.pack = self.pack(target, truth.as_of)?;
        }
        Ok(())
    }

    /// Where the last plan of a target is kept.
    fn plan_file(&self, target: &OpenTarget) -> Result<PathBuf, Failure> {
        let folder = self.state.dir().join("plans");
        fs::create_dir_all(&folder)
            .map_err(|error| Failure::io("make the folder", &folder, &error))?;
        Ok(folder.join(format!("{}.ndjson", target.name)))
    }
}

fn create(file: &std::path::Path) -> Result<File, Failure> {
    File::create(file).map_err(|error| Failure::io("write the plan", file, &error))
}

fn open(file: &std::path::Path) -> Result<File, Failure> {
    File::open(file).map_err(|error| Failure::io("read the plan", file, &error))
}
