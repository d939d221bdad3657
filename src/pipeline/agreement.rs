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

use jiff::SignedDuration;
use planthread_contracts::{CellKey, RevisionState};
use planthread_engine::{
    ledger::{self, CellView},
    plan,
};
use planthread_kit::agreement::{
    Evidence, Kept, Standing, State,
    evidence::{Act, Probing},
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
pub fn standing(target: &OpenTarget) -> Result<Standing, Failure> {
    target.connector.info().agreement.clone().ok_or_else(|| {
        Failure::usage(format!("{} is written without an agreement", target.name))
            .cure("its vendor publishes how; there is nothing to sign")
    })
}

/// Why a target may not be written, where it may not.
pub(super) fn missing(target: &OpenTarget) -> Option<Failure> {
    let standing = target.connector.info().agreement.as_ref()?;
    let shut = !standing.may_write() && !standing.probing;
    shut.then(|| {
        Failure::new(Exit::Held, format!("nothing is sent to {}: {standing}", target.name))
            .cure(standing.cure.clone())
            .explain("agreement")
    })
}

/// Where the evidence is kept, of an agreement that is in one of `states`.
fn kept(target: &OpenTarget, states: &[State]) -> Result<Kept, Failure> {
    let standing = standing(target)?;
    match standing.evidence.clone().filter(|_| states.contains(&standing.state)) {
        Some(kept) => Ok(kept),
        None => Err(Failure::new(Exit::Held, format!("{}: {standing}", target.name))
            .cure(standing.cure)
            .explain("agreement")),
    }
}

fn evidence(kept: &Kept) -> Result<Evidence, Failure> {
    Evidence::read(&kept.file, &kept.agreement, &kept.host).map_err(Failure::usage)
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
        let kept = kept(&self.target(Some(&name))?, &[State::Contracted, State::Probed])?;
        let now = self.clock.now();
        let mut evidence = evidence(&kept)?;
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
        }
        keep(&evidence, &kept)?;
        let agreement = standing(&self.target(Some(&name))?)?;
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
pub fn enable(target: &OpenTarget, who: &str, at: jiff::Timestamp) -> Result<(), Failure> {
    let kept = kept(target, &[State::Probed])?;
    let act = Some(Act { who: who.to_owned(), at });
    keep(&Evidence { enabled: act, ..evidence(&kept)? }, &kept)
}
