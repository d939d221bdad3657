//! Probing an agreement: one cell group, through a plan, read back, and what stood
//! beside it as it stood before.
//!
//! A person answers for it. Until the probe has ended, or ten minutes have
//! passed, the gate lets one cell group of the target out at a time, and no more.
//! Where nothing stood beside the first one, nothing shows what a write does to
//! others: then a second one follows, and the first must stay.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs::File,
    io::{BufReader, BufWriter},
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp, ToSpan as _};
use planthread_contracts::{Carries, CellKey, Period, RevisionState};
use planthread_engine::{
    ledger::{self, CellView},
    plan,
    push::Applied,
    verify::SweepReport,
};
use planthread_kit::{
    CellWrite, Class, Discovery, Selection,
    agreement::{
        AgreementStatus, Evidence, Kept, State,
        evidence::{Act, Contradicted, Probing},
        gate,
    },
    http::Lane,
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

pub use fits::fits;
pub use render::{Draft, Rendered};

use super::{Bridge, Course, OpenTarget, steps::TargetCycle};
use crate::failure::{Exit, Failure};

mod fits;
mod render;

/// How long a probe may take.
const PROBE: SignedDuration = SignedDuration::from_mins(10);

/// What came of a probe.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Probed {
    /// The configured target.
    pub target: String,
    /// How its agreement stands now.
    pub agreement: AgreementStatus,
    /// The cells that were written.
    pub cells: Vec<String>,
    /// How many of them were read back as written.
    pub seen: usize,
    /// Cells that stood beside them, of other rows.
    pub beside: usize,
    /// Those of them that did not stay as they were.
    pub changed: Vec<String>,
    /// What the walk did.
    pub cycle: TargetCycle,
}

impl Probed {
    /// Whether it showed what a probe is for, and the agreement holds after it. How far
    /// the agreement was before, or has come since, says nothing of that: a sandbox is
    /// enabled at once, and one that was probed earlier stays so after a probe that failed.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        let holds = matches!(self.agreement.state, State::Probed | State::Enabled);
        holds && proves(self.cells.len(), self.seen, self.beside, &self.changed)
    }
}

/// Whether a probe proves its agreement: all that it wrote was read back, and what stood
/// beside it stayed.
fn proves(written: usize, seen: usize, beside: usize, changed: &[String]) -> bool {
    seen == written && beside > 0 && changed.is_empty()
}

/// The agreement of a target that has one.
///
/// # Errors
/// When the target's vendor publishes how it is written, so that it has none.
pub fn standing(target: &OpenTarget, now: Timestamp) -> Result<AgreementStatus, Failure> {
    let gate = target.connector.info().agreement.as_ref();
    gate.map(|gate| gate.status(now)).ok_or_else(|| {
        let text =
            format!("{} needs no agreement: its settings write by what is known", target.name);
        Failure::usage(text).cure(
            "there is nothing to sign; `planthread setup` names where each behaviour is known from",
        )
    })
}

/// Why a target may not be written, where it may not.
pub(super) fn missing(target: &OpenTarget, now: Timestamp) -> Option<Failure> {
    let standing = target.connector.info().agreement.as_ref()?.status(now);
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
        None if standing.may_write() => {
            let text = format!("{}: {standing}: it may be written already", target.name);
            Err(Failure::new(Exit::Held, text)
                .cure("nothing is left to do here: `planthread apply` writes it")
                .explain("agreement"))
        }
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
        let walked = self.groups(&name).await;
        evidence.probing = None;
        let Walked { cells, beside, changed, cycle } = match walked {
            Ok(walked) => walked,
            Err(failure) => {
                keep(&evidence, &kept)?;
                return Err(failure);
            }
        };
        let (seen, at) = (self.seen(&cells)?, self.clock.now());
        let named: Vec<String> = cells.iter().map(ToString::to_string).collect();
        if let Some(first) = changed.first() {
            let why = format!(
                "a probe changed {} cells that it did not send, first {first}",
                changed.len()
            );
            evidence.contradicted = Some(Contradicted { why, at });
        } else if proves(cells.len(), seen, beside, &changed) {
            match self.target(Some(&name))?.connector.discover().await {
                Ok(offered) => {
                    evidence.prove(who, at, Some(offered.fingerprint));
                    evidence.cells.clone_from(&named);
                }
                // What it offers is what drift is told from later: without it nothing is proven.
                Err(error) => {
                    keep(&evidence, &kept)?;
                    return Err(error.into());
                }
            }
        }
        keep(&evidence, &kept)?;
        let agreement = standing(&self.target(Some(&name))?, self.clock.now())?;
        Ok(Probed { target: name, agreement, cells: named, seen, beside, changed, cycle })
    }

    /// Looks at what a target offers before it is written, once a day: another offer
    /// than the one that was probed suspends its agreement.
    ///
    /// # Errors
    /// When it can't be kept. A target that can't be looked at is written under what was
    /// seen last; the write itself finds what is wrong.
    pub(super) async fn look_before_writing(&self, target: &OpenTarget) -> Result<(), Failure> {
        let now = self.clock.now();
        let due = |state: State, evidence: &Evidence| {
            state == State::Enabled && evidence.is_due_to_be_looked_at(now)
        };
        if target.connector.info().agreement.is_none() || kept(target, now, due).is_err() {
            return Ok(());
        }
        let _doing = self.board.doing(&target.name, "looking at what it offers");
        let found = target.offers().await;
        self.keep_quotas()?;
        match found {
            Ok(mut found) => looked(target, &mut found, now),
            Err(error) => {
                tracing::warn!(target = target.name, %error, "what it offers can't be looked at");
                Ok(())
            }
        }
    }

    /// Writes one cell group, and another one where nothing stood beside the first.
    async fn groups(&self, name: &str) -> Result<Walked, Failure> {
        let mut first = self.one_group(name).await?;
        let landed = self.seen(&first.cells)? == first.cells.len();
        if first.beside > 0 || !landed || first.cycle.stopped.is_some() {
            return Ok(first);
        }
        match self.one_group(name).await {
            Ok(second) => {
                first.cells.extend(second.cells);
                Ok(Walked { cells: first.cells, ..second })
            }
            // There is no second one: what the first did is said all the same.
            Err(failure) if failure.exit == Exit::Held => Ok(first),
            Err(failure) => Err(failure),
        }
    }

    /// The first cell group of a plan of now: its cells, none where nothing is to be
    /// written, and the file of a plan that holds nothing else.
    async fn first_group(&self, target: &OpenTarget) -> Result<(Vec<CellWrite>, Part), Failure> {
        let name = &target.name;
        let truth = self.truth(self.as_of())?;
        let whole = self.state.dir().join("plans").join(format!("{name}.whole.ndjson"));
        let part = self.state.dir().join("plans").join(format!("{name}.probe.ndjson"));
        let folder = self.state.dir().join("plans");
        std::fs::create_dir_all(&folder)
            .map_err(|error| Failure::io("make the folder", &folder, &error))?;
        let planned = self.walk(target, Course::Plan { truth: &truth, file: Some(&whole) }).await;
        if let Some(failure) = planned.stopped {
            return Err(failure);
        }
        let cells = excerpt(target, &whole, &part)?;
        Ok((cells, Part { file: part, as_of: truth.as_of }))
    }

    /// Plans, sends the first cell group of the plan, and reads it back with what
    /// stands beside it.
    async fn one_group(&self, name: &str) -> Result<Walked, Failure> {
        let target = self.target(Some(name))?;
        let (cells, part) = self.first_group(&target).await?;
        let cells: Vec<CellKey> = cells.into_iter().map(|cell| cell.key).collect();
        let Some(first) = cells.first() else {
            let text = "there is nothing to write, and one cell is needed";
            return Err(
                Failure::new(Exit::Held, text).cure("`planthread plan` says what is held, and why")
            );
        };
        let selection = around(&target, first);
        let mut before = standing_there(&target, &selection).await?;
        before.retain(|key, _| key.group() != first.group());
        let course = Course::Given { file: &part.file, as_of: part.as_of, only_unmoved: false };
        let cycle = self.walk(&target, course).await;
        let after = standing_there(&target, &selection).await?;
        let stayed = |(key, value): &(&CellKey, &Decimal)| after.get(*key) == Some(*value);
        let changed = before.iter().filter(|one| !stayed(one)).map(|(key, _)| key.to_string());
        let (beside, changed) = (before.len(), changed.collect());
        Ok(Walked { cells, beside, changed, cycle })
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

/// A plan of one cell group.
struct Part {
    file: PathBuf,
    as_of: Timestamp,
}

/// What one probe did.
struct Walked {
    cells: Vec<CellKey>,
    beside: usize,
    changed: Vec<String>,
    cycle: TargetCycle,
}

/// Other places that are looked at beside the one of a probe.
const PLACES: usize = 7;
/// Days before and after the period of a probe in which others are looked at.
const DAYS: i64 = 70;

/// What may be harmed by a write of `cell`: its measures, in places and periods near
/// it.
fn around(target: &OpenTarget, cell: &CellKey) -> Selection {
    let own = (cell.resource.to_string(), cell.location.to_string());
    let rows = target.config.mapping.rows.iter();
    let others: BTreeSet<_> =
        rows.map(|row| (row.resource.clone(), row.location.clone())).collect();
    let others = others.into_iter().filter(|place| *place != own).take(PLACES);
    // What is calculated may follow from what was written.
    let measures = target.config.measures.iter();
    let measures = measures.filter(|measure| measure.carries != Carries::Observed);
    let day = |days: i64| cell.period.start().saturating_add(days.days());
    let near = |days| Period::containing(cell.period.kind(), day(days));
    Selection {
        target: target.name.clone(),
        scope: target.scope.clone(),
        measures: measures.map(|measure| measure.name.clone()).collect(),
        resources: others.chain([own.clone()]).collect(),
        from: near(-DAYS),
        to: near(DAYS),
        lane: Lane::Routine,
    }
}

/// The values that stand in a selection.
async fn standing_there(
    target: &OpenTarget,
    selection: &Selection,
) -> Result<BTreeMap<CellKey, Decimal>, Failure> {
    let cells = target.read(selection).await?;
    Ok(cells.into_iter().filter_map(|cell| Some((cell.key, cell.value?))).collect())
}

fn excerpt(target: &OpenTarget, whole: &Path, part: &Path) -> Result<Vec<CellWrite>, Failure> {
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

/// Keeps what a plan's batches met under an agreement: an answer that it does not
/// explain, or a target that is not as it was. Two in a row suspend it.
///
/// # Errors
/// When it can't be kept.
pub(super) fn met(target: &OpenTarget, applied: &Applied, now: Timestamp) -> Result<(), Failure> {
    let enabled = |state: State, _: &Evidence| state == State::Enabled;
    let Ok((kept, mut evidence)) = kept(target, now, enabled) else { return Ok(()) };
    match &applied.stopped {
        Some(error) if error.class == Class::Drift => {
            evidence.surprise(Contradicted { why: error.message.clone(), at: now });
        }
        None if applied.accepted > 0 && evidence.surprised.is_some() => evidence.surprised = None,
        _ => return Ok(()),
    }
    keep(&evidence, &kept)
}

/// Compares what a target offers with what it offered when it was probed, and says
/// so on the sheet. Another offer suspends its agreement.
///
/// # Errors
/// When it can't be kept.
pub fn looked(target: &OpenTarget, found: &mut Discovery, now: Timestamp) -> Result<(), Failure> {
    let probed = |state: State, _: &Evidence| matches!(state, State::Probed | State::Enabled);
    let Ok((kept, mut evidence)) = kept(target, now, probed) else { return Ok(()) };
    let other = evidence.offered(&found.fingerprint, now);
    keep(&evidence, &kept)?;
    if !other {
        return Ok(());
    }
    let standing = standing(target, now)?;
    for finding in found.findings.iter_mut().filter(|finding| finding.line == gate::LINE) {
        (finding.ok, finding.text) = (false, standing.to_string());
        finding.cure.clone_from(&standing.cure);
    }
    Ok(())
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
