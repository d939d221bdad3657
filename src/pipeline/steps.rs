//! The steps of one target, in their order: the one place that knows it.
//!
//! ```text
//! bind → clock → recover → want → read the basis → plan → apply → verify → master data → hold → pack
//! ```
//!
//! Every verb walks them. `plan` stops after the plan, `apply FILE` enters with
//! one, `apply` and `run` go to the end; what each of them shows is a view of the
//! same [`TargetCycle`].

use std::{
    fs::{self, File},
    io::{BufRead as _, BufReader},
    path::{Path, PathBuf},
};

use jiff::Timestamp;
use planthread_engine::{
    continuity::{self, Restored},
    fallback::{self, Manifest},
    ledger::PolicyHolds,
    plan::{PlanHeader, PlanLine, PlanSummary},
    push::{Applied, Recovered},
    verify::{SweepReport, Which},
};
use planthread_kit::{Class, agreement::AgreementStatus};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Bridge, MasterRead, OpenTarget, SecondPlace, Truth, WantReport, agreement,
    finish::{self, Missed},
    pauses,
    plan_output::PlanOutput,
    policy,
};
use crate::failure::Failure;

/// What a verb asks of a target.
#[derive(Debug, Clone, Copy)]
pub enum Course<'a> {
    /// Says what would be sent; nothing is.
    Plan {
        /// What the factory says.
        truth: &'a Truth,
        /// Where the plan is kept; nowhere when it is only looked at.
        file: Option<&'a Path>,
    },
    /// Sends a plan that somebody has looked at.
    Given {
        /// The plan file.
        file: &'a Path,
        /// The instant that the plan is of.
        as_of: Timestamp,
        /// Whether the rest goes when some of its cells have moved.
        only_unmoved: bool,
    },
    /// Plans what the factory says now, and sends it.
    Land {
        /// What the factory says.
        truth: &'a Truth,
        /// Whether the rest goes when some cells have moved since the plan.
        only_unmoved: bool,
        /// What is read back at the end.
        read_back: Which,
    },
    /// Reads back, and writes down what it means.
    Verify {
        /// What is read back.
        read_back: Which,
    },
}

/// What one walk did at one target.
#[derive(Debug, Default, Serialize, JsonSchema)]
pub struct TargetCycle {
    /// The configured target.
    pub target: String,
    /// That the state was put back from a copy: everything was read before the plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored: Option<Restored>,
    /// What a crash had left open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Recovered>,
    /// What became of the figures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub want: Option<WantReport>,
    /// What was planned.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<PlanSummary>,
    /// The first lines of the plan.
    #[serde(skip)]
    pub first: Vec<PlanLine>,
    /// Whether everything at the target was read.
    #[serde(skip)]
    pub read_all: bool,
    /// Since when it reads, where all was read before the plan.
    #[serde(skip)]
    pub reads_since: Option<Timestamp>,
    /// What was sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub applied: Option<Applied>,
    /// What was read back.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub verified: Option<SweepReport>,
    /// What was read of the master data behind refused cells.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub master: Option<MasterRead>,
    /// What a policy holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policy_holds: Option<PolicyHolds>,
    /// The pack that was written.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pack: Option<Manifest>,
    /// What became of it at its second place.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second: Option<SecondPlace>,
    /// Under which agreement the target is written, where it needs one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<AgreementStatus>,
    /// Why nothing is sent to the target at all.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// What is missing, where its time was over before its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub missed: Option<Missed>,
    /// Why it ended early; nothing is dropped, the next cycle goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Failure>,
}

impl TargetCycle {
    /// Whether it ended because something else must stand at the target first.
    pub(super) fn waits(&self) -> bool {
        self.stopped.as_ref().is_some_and(|failure| failure.class == Some(Class::NotYet))
    }

    /// Whether it sent anything that another one may wait for. Who waits itself
    /// wakes nobody: else two could wake each other without an end.
    pub(super) fn wakes(&self) -> bool {
        !self.waits() && self.applied.as_ref().is_some_and(|applied| applied.sent > 0)
    }

    /// Tells with this walk what the one right before it settled and moved.
    fn follow(&mut self, before: Self) {
        self.restored = before.restored.or(self.restored.take());
        self.recovered = before.recovered.or(self.recovered.take());
        self.want = before.want.or(self.want.take());
    }
}

impl Course<'_> {
    pub(super) const fn truth(&self) -> Option<&Truth> {
        match self {
            Self::Plan { truth, .. } | Self::Land { truth, .. } => Some(truth),
            Self::Given { .. } | Self::Verify { .. } => None,
        }
    }

    /// Whether it takes our clock's word for what is wanted or may be sent.
    const fn is_of_now(&self) -> bool {
        !matches!(self, Self::Verify { .. })
    }

    const fn sends(&self) -> bool {
        matches!(self, Self::Given { .. } | Self::Land { .. })
    }
}

impl Bridge {
    /// Walks `course` at each of `targets`, side by side: one that does not
    /// answer holds nobody else up. Who waits for what another one lands walks once
    /// more when something was sent.
    pub async fn walk_all(&self, targets: &[OpenTarget], course: Course<'_>) -> Vec<TargetCycle> {
        self.walk_all_by(targets, course, None).await
    }

    /// The same; each walk has ended by an instant, or says what is missing.
    pub(super) async fn walk_all_by(
        &self,
        targets: &[OpenTarget],
        course: Course<'_>,
        by: Option<Timestamp>,
    ) -> Vec<TargetCycle> {
        let walks = targets.iter().map(|target| self.walk_by(target, course, by));
        let mut cycles = futures_util::future::join_all(walks).await;
        if cycles.iter().any(TargetCycle::wakes) {
            let again = targets.iter().zip(&mut cycles).filter(|(_, done)| done.waits());
            let again = again.map(|(target, done)| async {
                let before = std::mem::replace(done, self.walk_by(target, course, by).await);
                done.follow(before);
            });
            futures_util::future::join_all(again).await;
        }
        cycles
    }

    /// Walks `course` at `target`. What stopped it stands in the answer.
    pub async fn walk(&self, target: &OpenTarget, course: Course<'_>) -> TargetCycle {
        self.walk_by(target, course, None).await
    }

    async fn walk_by(
        &self,
        target: &OpenTarget,
        course: Course<'_>,
        by: Option<Timestamp>,
    ) -> TargetCycle {
        let mut done = TargetCycle { target: target.name.clone(), ..TargetCycle::default() };
        target.heard.clear();
        // A record that can't be read is told where the policy is made of it.
        done.paused = pauses::paused(&self.loaded, target).ok().flatten();
        let gate = target.connector.info().agreement.as_ref();
        done.agreement = gate.map(|gate| gate.status(self.clock.now()));
        let steps = self.steps(target, course, &mut done);
        let ended = finish::until(&*self.clock, by, steps).await;
        let ended = match (ended, by) {
            (None, Some(by)) => self.cut(target, course, by, &mut done),
            (ended, _) => ended.unwrap_or(Ok(())),
        };
        if let Err(failure) = ended {
            done.stopped = Some(failure);
        }
        if let Err(failure) = self.in_turn() {
            // That nothing went out says nothing about the target.
            done.stopped = Some(failure);
            return done;
        }
        let told = self.say_what_it_waits_for(target, &mut done);
        let restored = done.restored.is_some() && course.sends() && done.stopped.is_none();
        if restored && let Err(failure) = continuity::told_restored(&self.state, &target.name) {
            done.stopped = Some(failure.into());
        }
        // What was learned and decided since a copy was made shows by its count.
        let told = told.and_then(|()| self.count_run(target));
        if let Err(failure) = told.and_then(|()| self.note_outage(target, &done)) {
            done.stopped.get_or_insert(failure);
        }
        done
    }

    /// Notes that the target was away, or is back. A walk that our own side stopped
    /// says nothing about the target, nor does one that asked nothing or waits for what
    /// another one lands; a job that the target still works on is an answer.
    fn note_outage(&self, target: &OpenTarget, done: &TargetCycle) -> Result<(), Failure> {
        let pack_of = done.pack.as_ref().map(|pack| pack.as_of);
        if done.waits() || self.by_hand(target, pack_of)?.is_some() {
            return Ok(());
        }
        let (name, now) = (target.name.as_str(), self.clock.now());
        let class = done.stopped.as_ref().map(|failure| failure.class);
        // Whoever refuses what is written can be read all the time.
        let outage = fallback::outage(&self.reader()?, name)?;
        let refuses = outage.as_ref().is_some_and(|outage| outage.reads);
        // Who could not be asked is back when all of it was read, and not before: part of it
        // says nothing of what somebody loaded there by hand.
        let unread = outage.is_some_and(|outage| !outage.reads) && !done.read_all;
        let nothing = done.plan.as_ref().is_some_and(|plan| plan.header.counts.groups == 0);
        match (class, target.heard.answered()) {
            (Some(Some(class)), Some(false)) => {
                let said = done.stopped.as_ref().map_or("", |failure| failure.message.as_str());
                let reads = target.heard.reads();
                let cause = fallback::Cause { class: class.word(), said, reads, pack_of };
                fallback::away(&self.state, name, cause, now)?;
            }
            _ if unread => {}
            (None | Some(Some(_)), Some(true)) if !refuses || nothing || target.heard.wrote() => {
                fallback::back(&self.state, name, now)?;
            }
            // What it had refused is not wanted any more.
            (None, None) if refuses && nothing => fallback::back(&self.state, name, now)?,
            _ => {}
        }
        Ok(())
    }

    /// Reads what a plan is made on: what was never read, and everything where the
    /// target could not be reached or the state was put back from a copy. Somebody may
    /// have loaded a pack by hand, or put back a copy there. Why it could not be read, where it could not.
    async fn read_basis(
        &self,
        target: &OpenTarget,
        done: &mut TargetCycle,
    ) -> Result<Option<Failure>, Failure> {
        let outage = fallback::outage(&self.reader()?, &target.name)?;
        let away = outage.is_some_and(|outage| !outage.reads);
        let whole = away || done.restored.is_some();
        let which = if whole { Which::All } else { Which::Unread };
        done.reads_since = whole.then(|| self.clock.now());
        let mut read = self.verify(target, which).await?;
        let error = read.error.take();
        if whole {
            done.read_all = error.is_none();
            if away && read.read > 0 && error.is_none() {
                fallback::back(&self.state, &target.name, self.clock.now())?;
            }
            // What somebody did there meanwhile is told by this very cycle; what had not
            // come yet is read once more at its end.
            done.verified = Some(SweepReport { not_yet: 0, ..read });
        }
        Ok(error.map(Failure::from))
    }

    async fn steps(
        &self,
        target: &OpenTarget,
        course: Course<'_>,
        done: &mut TargetCycle,
    ) -> Result<(), Failure> {
        self.in_turn()?;
        done.restored = self.bind(target)?;
        let by_hand = self.by_hand(target, None)?;
        let on_time = match by_hand {
            Some(_) => self.believe_clock(),
            None => self.on_time(target).await,
        };
        if let (Err(doubt), true) = (on_time, course.is_of_now()) {
            done.policy_holds = Some(self.hold_by_policy(target, self.clock.now())?);
            return Err(doubt);
        }
        // Wanted moves on in a quiet window and while a job of hours is waited for, and
        // `status` shows what waits. To wait first would be to want of a truth that a
        // later round has overtaken.
        if let Some(truth) = course.truth() {
            done.want = Some(self.want(target, truth)?);
        }
        let quiet = policy::quiet(target, self.clock.now())?.or(by_hand);
        if course.sends() && quiet.is_none() {
            done.recovered = Some(self.recover(target).await?);
        }
        done.stopped = match (quiet, course) {
            (None, Course::Verify { read_back }) => {
                return self.read(target, read_back, done).await;
            }
            (Some(quiet), _) => Some(quiet),
            // What stands there is the basis of the plan, and what an undo returns to.
            (None, _) => self.read_basis(target, done).await?,
        };
        // The answers said what time it is there.
        let mut on_time = true;
        if course.is_of_now() && done.stopped.is_none() {
            done.stopped = self.believe_clock().err();
            on_time = done.stopped.is_none();
        }
        match course {
            Course::Verify { .. } => Ok(()),
            // What could not be read is not known, and the plan says so.
            Course::Plan { truth, file } => self.plan_to(target, truth, file, done),
            Course::Land { .. } | Course::Given { .. } if done.stopped.is_some() => {
                done.policy_holds = Some(self.hold_by_policy(target, self.clock.now())?);
                // The day on which nobody answers is the day of the way by hand.
                if let (Some(truth), true) = (course.truth(), on_time) {
                    self.leave_pack(target, truth.as_of, done).await?;
                }
                Ok(())
            }
            Course::Given { file, as_of, only_unmoved } => {
                self.send(target, file, only_unmoved, done).await?;
                self.prove(target, Which::Unproven, as_of, done).await?;
                self.say_what_is_missing(target, done);
                Ok(())
            }
            Course::Land { truth, only_unmoved, read_back } => {
                let file = self.plan_file(target)?;
                self.plan_to(target, truth, Some(&file), done)?;
                self.send(target, &file, only_unmoved, done).await?;
                self.prove(target, read_back, truth.as_of, done).await?;
                self.say_what_is_missing(target, done);
                Ok(())
            }
        }
    }

    fn plan_to(
        &self,
        target: &OpenTarget,
        truth: &Truth,
        file: Option<&Path>,
        done: &mut TargetCycle,
    ) -> Result<(), Failure> {
        let mut out = PlanOutput::to(file)?;
        done.plan = Some(self.plan(target, truth.as_of, None, &mut out)?);
        done.first = out.first();
        Ok(())
    }

    async fn send(
        &self,
        target: &OpenTarget,
        file: &Path,
        only_unmoved: bool,
        done: &mut TargetCycle,
    ) -> Result<(), Failure> {
        let empty = done.plan.as_ref().is_some_and(|plan| plan.header.counts.groups == 0);
        if !empty {
            self.look_before_writing(target).await?;
        }
        // What may not be written is read, planned and packed all the same.
        if empty || agreement::missing(target, self.clock.now()).is_some() {
            return Ok(());
        }
        let mut plan = BufReader::new(open(file)?);
        let applied = self.apply(target, &mut plan, only_unmoved).await?;
        done.stopped = applied.stopped.clone().map(Failure::from);
        done.applied = Some(applied);
        Ok(())
    }

    /// A target that may not be written was not sent what is planned for it.
    fn say_what_is_missing(&self, target: &OpenTarget, done: &mut TargetCycle) {
        let empty = done.plan.as_ref().is_some_and(|plan| plan.header.counts.groups == 0);
        let missing = agreement::missing(target, self.clock.now());
        if let (false, None, Some(missing)) = (empty, &done.stopped, missing) {
            done.stopped = Some(missing);
        }
    }

    /// verify → master data → hold → pack: what landed, what waits, and the way by hand.
    async fn prove(
        &self,
        target: &OpenTarget,
        read_back: Which,
        as_of: Timestamp,
        done: &mut TargetCycle,
    ) -> Result<(), Failure> {
        self.read(target, read_back, done).await?;
        let unsettled = done.recovered.as_ref().and_then(|recovered| recovered.error.clone());
        if let Some(error) = unsettled {
            done.stopped.get_or_insert(error.into());
        }
        // Whoever does not answer, or asks to wait, is asked no more in this walk.
        if done.stopped.is_none() {
            done.master = self.read_master(target).await?;
        }
        done.policy_holds = Some(self.hold_by_policy(target, as_of)?);
        self.leave_pack(target, as_of, done).await
    }

    /// The way by hand, here and at its second place.
    async fn leave_pack(
        &self,
        target: &OpenTarget,
        as_of: Timestamp,
        done: &mut TargetCycle,
    ) -> Result<(), Failure> {
        self.in_turn()?;
        done.pack = self.pack(target, as_of)?;
        if let Some(pack) = &done.pack {
            done.second = self.ship(target, pack).await?;
        }
        Ok(())
    }

    async fn read(
        &self,
        target: &OpenTarget,
        read_back: Which,
        done: &mut TargetCycle,
    ) -> Result<(), Failure> {
        let mut report = self.verify_after(target, read_back, done.reads_since).await?;
        match report.error.take() {
            Some(error) => {
                done.stopped.get_or_insert(error.into());
            }
            None => done.read_all |= read_back == Which::All,
        }
        match &mut done.verified {
            Some(before) => before.follow(report),
            None => done.verified = Some(report),
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

/// The first line of a plan file: whose it is.
///
/// # Errors
/// When the file can't be read, or is no plan.
pub fn plan_header(file: &Path) -> Result<PlanHeader, Failure> {
    let mut first = String::new();
    BufReader::new(open(file)?)
        .read_line(&mut first)
        .map_err(|error| Failure::io("read the plan", file, &error))?;
    serde_json::from_str(&first).map_err(|error| {
        Failure::usage(format!("{} is no plan: {error}", file.display()))
            .cure("make one with `planthread plan TARGET -o FILE`")
    })
}

fn open(file: &Path) -> Result<File, Failure> {
    File::open(file).map_err(|error| Failure::io("read the plan", file, &error))
}
