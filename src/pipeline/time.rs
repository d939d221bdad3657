//! Continuity, composed: who vouches for our clock, and for this state.

use jiff::Timestamp;
use planthread_contracts::Period;
use planthread_engine::continuity::{self, ClockPolicy, Restored, TakeBack, TakenBack, Time};
use planthread_kit::{
    Selection,
    http::{Lane, Witness},
};

use super::{Bridge, OpenTarget, Truth, policy};
use crate::{
    config::{Loaded, Target},
    failure::{Exit, Failure},
    serve::files::FileReport,
};

impl Bridge {
    /// Makes sure of our clock before anything is wanted by it: after a pause, or
    /// the first time, the target is asked.
    ///
    /// # Errors
    /// When the clock is in doubt, or the state can't be read or written.
    pub async fn on_time(&self, target: &OpenTarget) -> Result<(), Failure> {
        let (now, limits) = (self.clock.now(), limits(&self.loaded));
        let last = continuity::last_instant(&self.reader()?)?;
        if continuity::wants_witness(now, last, &self.witnesses(), &limits)
            && let Some(selection) = one_cell(&self.loaded, target, now)?
        {
            // What it answers does not matter, only when.
            if let Err(error) = target.read(&selection).await {
                tracing::info!(target = target.name, %error, "asked for the time");
            }
        }
        self.believe_clock()
    }

    /// Takes in what is new, unless our clock is in doubt. One that is behind would
    /// call what machines say now a thing of the future, and a person would have
    /// to answer for each record; after a long pause nothing speaks against it.
    pub(super) fn intake(&self) -> Result<Vec<FileReport>, Failure> {
        let (now, limits) = (self.clock.now(), limits(&self.loaded));
        let last = continuity::last_instant(&self.reader()?)?;
        match continuity::judge(now, last, &self.witnesses(), &limits) {
            Time::Witnessed | Time::Unwitnessed => self.ingest(),
            Time::Jumped { by } if by.is_positive() => self.ingest(),
            time @ (Time::Off { .. } | Time::Jumped { .. }) => {
                tracing::warn!(reason = time.line(), "nothing is taken in");
                Ok(Vec::new())
            }
        }
    }

    /// Judges our clock by what was heard so far, and writes it down.
    ///
    /// # Errors
    /// When the clock is in doubt, or the state can't be read or written.
    pub(super) fn believe_clock(&self) -> Result<(), Failure> {
        let (now, limits) = (self.clock.now(), limits(&self.loaded));
        let last = continuity::last_instant(&self.reader()?)?;
        let time = continuity::judge(now, last, &self.witnesses(), &limits);
        continuity::note(&self.state, time, now)?;
        if time.holds() { Err(in_doubt(time)) } else { Ok(()) }
    }

    /// Refuses truth of an instant that is still to come, and truth of now where
    /// the target was given later truth.
    pub(super) fn no_later_truth(&self, target: &OpenTarget, truth: &Truth) -> Result<(), Failure> {
        if self.loaded.config.plant.as_of.is_some() {
            // A configured instant may be any.
            return Ok(());
        }
        let (now, limits) = (self.clock.now(), limits(&self.loaded));
        if truth.as_of.duration_since(now) > limits.tolerance {
            let words = format!("truth of {} was derived before the clock went back", truth.as_of);
            return Err(Failure::new(Exit::Held, words)
                .cure("nothing: the next cycle derives anew")
                .explain("clock"));
        }
        let later = continuity::later_truth(&self.reader()?, &target.name, now, &limits)?;
        later.map_or(Ok(()), |later| Err(came_too_early(&target.name, later, now)))
    }

    /// Takes back truth of a later instant than `request.to`.
    ///
    /// # Errors
    /// When the clock is in doubt, nobody answers for it, or there is nothing to
    /// take back.
    pub fn take_back(&self, request: TakeBack) -> Result<TakenBack, Failure> {
        self.believe_clock()?;
        self.wants.forget(&request.target);
        Ok(continuity::take_back(&self.state, request, self.clock.now())?)
    }

    /// Notices a state that was put back from a copy, before anything of it is
    /// believed.
    pub(super) fn resume(&self, target: &OpenTarget) -> Result<Option<Restored>, Failure> {
        let folder = second_place(&target.name, &target.config);
        let (random, now) = (self.clock.random(), self.clock.now());
        let found = continuity::resume(&self.state, &target.name, folder.as_deref(), random, now)?;
        if let Some(Restored { known, outside, at, .. }) = &found {
            let target = &target.name;
            tracing::warn!(%target, known, outside, %at, "restored: everything is read anew");
        }
        Ok(found)
    }

    /// Notes outside of the state what is about to leave it, so that after a copy was put
    /// back nobody else's value is taken for ours.
    pub(super) fn note_written(&self, target: &OpenTarget) -> Result<(), Failure> {
        let folder = second_place(&target.name, &target.config);
        Ok(continuity::note_written(&self.reader()?, &target.name, folder.as_deref())?)
    }

    /// Counts a run: before something is sent, and when a walk has ended.
    pub(super) fn count_run(&self, target: &OpenTarget) -> Result<(), Failure> {
        let folder = second_place(&target.name, &target.config);
        let (random, now) = (self.clock.random(), self.clock.now());
        Ok(continuity::advance(&self.state, &target.name, folder.as_deref(), random, now)?)
    }

    fn witnesses(&self) -> Vec<Witness> {
        self.opener.witnesses()
    }
}

/// The folder outside of the state in which the runs at a target are counted.
#[must_use]
pub fn second_place(name: &str, target: &Target) -> Option<std::path::PathBuf> {
    target.pack.as_ref().map(|pack| pack.folder.join(name))
}

fn limits(loaded: &Loaded) -> ClockPolicy {
    let said = &loaded.config.clock;
    ClockPolicy {
        tolerance: jiff::SignedDuration::from_mins(said.tolerance_minutes.into()),
        leap: jiff::SignedDuration::from_hours(said.leap_hours.into()),
        ..ClockPolicy::default()
    }
}

/// The smallest question that a target answers: one cell of today.
fn one_cell(
    loaded: &Loaded,
    target: &OpenTarget,
    now: Timestamp,
) -> Result<Option<Selection>, Failure> {
    let (Some(measure), Some(row)) =
        (target.config.measures.first(), target.config.mapping.rows.first())
    else {
        return Ok(None);
    };
    let today = Period::containing(measure.level, policy::today(loaded, now)?);
    Ok(Some(Selection {
        target: target.name.clone(),
        scope: target.scope.clone(),
        measures: vec![measure.name.clone()],
        resources: vec![(row.resource.clone(), row.location.clone())],
        from: today,
        to: today,
        lane: Lane::Verify,
    }))
}

fn in_doubt(time: Time) -> Failure {
    Failure::new(Exit::Held, format!("{}; nothing is derived or sent by it", time.line()))
        .cure(
            "put the clock right; it goes on by itself when a target agrees. If the clock is right \
             and no target can say so: `planthread release case`",
        )
        .explain("clock")
}

fn came_too_early(target: &str, later: Timestamp, now: Timestamp) -> Failure {
    Failure::new(
        Exit::Held,
        format!(
            "{target} was given truth of {later}, and this machine's clock says {now}: older truth \
             never replaces newer"
        ),
    )
    .cure(format!(
        "if the clock was ahead then, take it back: `planthread take-back {target} --who NAME \
         --why REASON`; if it is behind now, put it right"
    ))
    .explain("later_truth")
}
