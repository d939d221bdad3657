//! Probing an agreement: one cell group, through a plan, read back.
//!
//! A person answers for it. Until the probe has ended, or ten minutes have
//! passed, the gate lets one cell group of the target out, and no more.

use std::{
    collections::BTreeSet,
    fs::File,
    io::{BufReader, BufWriter},
    path::Path,
};

use jiff::{SignedDuration, Timestamp};
use planthread_contracts::{CellKey, RevisionState};
use planthread_engine::{
    ledger::{self, CellView},
    plan,
    verify::SweepReport,
};
use planthread_kit::agreement::{
    Evidence, Kept, Standing, State,
    evidence::{Act, Contradicted, Probing},
};
use serde::Serialize;

use super::{Bridge, Course, OpenTarget, steps::TargetCycle};
use crate::failure::{Exit, Failure};

/// How long a probe may take.
const PROBE: SignedDuration = SignedDuration::from_mins(10);

/// What came of a probe.
#[derive(Debug, Serialize)]
pub struct Probed {
    /// The configured target.
    pub target: String,
    /// How its agreement stands now.
    pub agreement: Standing,
    /// The cells that were written.
    pub cells: Vec<String>,
    /// How many of them were read back as written.
    pub seen: usize,
    /// What the walk did.
    pub cycle: TargetCycle,
}

/// The agreement of a target that has one.
///
/// # Errors
/// When the target's vendor publishes how it is written, so that it has none.
pub fn standing(target: &OpenTarget, now: Timestamp) -> Result<Standing, Failure> {
    let gate = target.connector.info().agreement.as_ref();
    gate.map(|gate| gate.standing(now)).ok_or_else(|| {
        Failure::usage(format!("{} is written without an agreement", target.name))
            .cure("its vendor publishes how; there is nothing to sign")
    })
}

/// Why a target may not be written, where it may not.
pub(super) fn missing(target: &OpenTarget, now: Timestamp) -> Option<Failure> {
    let standing = target.connector.info().agreement.as_ref()?.standing(now);
    let shut = !standing.may_write() && !standing.probing;
    shut.then(|| {
        Failure::new(Exit::Held, format!("nothing is sent to {}: {standing}", target.name))
            .cure(standing.cure.clone())
            .explain("agreement")
    })
}

/// The evidence of an agreement that `is` so, and where it is kept.
fn kept(
    target: &OpenTarget,
    now: Timestamp,
    is: impl Fn(State, &Evidence) -> bool,
) -> Result<(Kept, Evidence), Failure> {
    let standing = standing(target, now)?;
    let read = |kept: Kept| Some((kept.read().ok()?, kept));
    let found = standing.evidence.clone().and_then(read);
    match found.filter(|(evidence, _)| is(standing.state, evidence)) {
        Some((evidence, kept)) => Ok((kept, evidence)),
        None => Err(Failure::new(Exit::Held, format!("{}: {standing}", target.name))
            .cure(standing.cure)
            .explain("agreement")),
    }
}

fn keep(evidence: &Evidence, kept: &Kept) -> Result<(), Failure> {
    evidence.keep(&kept.file).map_err(|reason| {
        Failure::usage(reason).cure("let this user write beside the agreement's file")
    })
}

impl Bridge {
    /// Lets a person's probe out, and keeps what came of it.
    ///
    /// # Errors
    /// When the agreement can't be probed, there is nothing to write, or the
    /// evidence can't be kept.
    pub async fn probe(&self, name: Option<&str>, who: &str) -> Result<Probed, Failure> {
        let name = self.target(name)?.name;
        let now = self.clock.now();
        let (kept, mut evidence) = kept(&self.target(Some(&name))?, now, |state, evidence| {
            matches!(state, State::Contracted | State::Probed)
                || (state == State::Suspended && evidence.contradicted.is_some())
        })?;
        let until = now.saturating_add(PROBE).unwrap_or(now);
        evidence.probing = Some(Probing { who: who.to_owned(), until });
        keep(&evidence, &kept)?;
        let walked = self.one_group(&name).await;
        evidence.probing = None;
        let (cells, cycle) = match walked {
            Ok(walked) => walked,
            Err(failure) => {
                keep(&evidence, &kept)?;
                return Err(failure);
            }
        };
        let seen = self.seen(&cells)?;
        if seen == cells.len() {
            evidence.probed = Some(Act { who: who.to_owned(), at: self.clock.now() });
            evidence.cells = cells.iter().map(ToString::to_string).collect();
            // Who let it be written before did not know of it.
            if evidence.contradicted.take().is_some() {
                evidence.enabled = None;
            }
        }
        keep(&evidence, &kept)?;
        let agreement = standing(&self.target(Some(&name))?, self.clock.now())?;
        let cells = cells.iter().map(ToString::to_string).collect();
        Ok(Probed { target: name, agreement, cells, seen, cycle })
    }

    /// Plans, sends the first cell group of the plan, and reads it back.
    async fn one_group(&self, name: &str) -> Result<(Vec<CellKey>, TargetCycle), Failure> {
        let target = self.target(Some(name))?;
        let truth = self.truth(self.as_of())?;
        let whole = self.state.dir().join("plans").join(format!("{name}.whole.ndjson"));
        let part = self.state.dir().join("plans").join(format!("{name}.probe.ndjson"));
        let folder = self.state.dir().join("plans");
        std::fs::create_dir_all(&folder)
            .map_err(|error| Failure::io("make the folder", &folder, &error))?;
        let planned = self.walk(&target, Course::Plan { truth: &truth, file: Some(&whole) }).await;
        if let Some(failure) = planned.stopped {
            return Err(failure);
        }
        let cells = excerpt(&target, &whole, &part)?;
        if cells.is_empty() {
            return Err(Failure::new(
                Exit::Held,
                "there is nothing to write: a probe needs one cell",
            )
            .cure("`planthread plan` says what is held, and why"));
        }
        let course = Course::Given { file: &part, as_of: truth.as_of, only_unmoved: false };
        Ok((cells, self.walk(&target, course).await))
    }

    /// How many of `cells` were read back as they are wanted.
    fn seen(&self, cells: &[CellKey]) -> Result<usize, Failure> {
        let wanted: BTreeSet<&CellKey> = cells.iter().collect();
        let mut seen = 0;
        ledger::cells(&self.reader()?, self.clock.now(), &mut |cell: CellView| {
            let landed = cell.state == RevisionState::Seen && wanted.contains(&cell.key);
            seen += usize::from(landed);
            Ok(())
        })?;
        Ok(seen)
    }
}

fn excerpt(target: &OpenTarget, whole: &Path, part: &Path) -> Result<Vec<CellKey>, Failure> {
    let read = File::open(whole).map_err(|error| Failure::io("read the plan", whole, &error))?;
    let made = File::create(part).map_err(|error| Failure::io("write the plan", part, &error))?;
    let capabilities = &target.connector.info().capabilities;
    let (mut read, mut made) = (BufReader::new(read), BufWriter::new(made));
    Ok(plan::first_group(&mut read, capabilities, &mut made)?)
}

/// Keeps that a person lets a probed target be written.
///
/// # Errors
/// When nobody probed it, or the evidence can't be kept.
pub fn enable(target: &OpenTarget, who: &str, at: Timestamp) -> Result<(), Failure> {
    let (kept, evidence) = kept(target, at, |state, _| state == State::Probed)?;
    keep(&Evidence { enabled: Some(Act { who: who.to_owned(), at }), ..evidence }, &kept)
}

/// Suspends an enabled agreement where a read-back contradicts it: rows that the
/// target said it took and does not hold, or holds with other decimals or at another
/// level. What somebody else may have written is no contradiction.
///
/// # Errors
/// When it can't be kept.
pub(super) fn weigh(
    target: &OpenTarget,
    swept: &SweepReport,
    now: Timestamp,
) -> Result<(), Failure> {
    let Some(why) = contradiction(swept) else { return Ok(()) };
    let enabled = |state: State, _: &Evidence| state == State::Enabled;
    let Ok((kept, evidence)) = kept(target, now, enabled) else { return Ok(()) };
    tracing::error!(target = target.name, why, "the agreement is suspended");
    keep(&Evidence { contradicted: Some(Contradicted { why, at: now }), ..evidence }, &kept)
}

fn contradiction(swept: &SweepReport) -> Option<String> {
    let first = swept.lost_cells.iter().find(|cell| cell.accepted);
    let named = first.map(|cell| format!(", first {}", cell.key)).unwrap_or_default();
    if swept.dropped > 0 {
        return Some(format!("{} cells were taken and are not there{named}", swept.dropped));
    }
    let case = ["rounding", "level"].into_iter().find(|case| swept.cases.contains_key(*case))?;
    Some(format!("{} cells stand there with another {case}", swept.cases[case]))
}
