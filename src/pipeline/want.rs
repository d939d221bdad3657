//! From truth to wanted cells and a plan: project, want, plan.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    io::Write,
};

use jiff::{SignedDuration, Timestamp};
use planthread_contracts::{Carries, CellKey, DesiredCell, MeasureDecl, Name};
use planthread_domain::{
    project::{self, Projection, Withheld},
    significance::Reason,
};
use planthread_engine::{
    Reader,
    ledger::{self, Lock, LockKind, Want, Wanted, Why},
    plan::{self, PlanRequest, PlanSummary},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    Bridge, OpenTarget, Truth,
    again::Basis,
    mapped, policy,
    portions::Portions,
    released::{self, Counted},
};
use crate::{config::Loaded, failure::Failure};

/// What became of the figures at one target.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct WantReport {
    /// The configured target.
    pub target: String,
    /// Whether everything that it is made of is what it was the last time: then it
    /// was not derived again.
    pub no_news: bool,
    /// What changed in the ledger.
    #[serde(flatten)]
    pub wanted: Wanted,
    /// Figures that do not land, each with its reason.
    pub withheld: Vec<Withheld>,
    /// Resources and periods whose figures were released anew, by reason.
    pub released: BTreeMap<Reason, u64>,
    /// Those that differ from what is derived now, but not by enough.
    pub kept: u64,
}

impl Bridge {
    /// Takes `truth` into the ledger as what is wanted at `target`.
    ///
    /// # Errors
    /// When the mapping refuses (a loss counted twice, two figures of capacity
    /// mixed), or the ledger can't be written.
    pub fn want(&self, target: &OpenTarget, truth: &Truth) -> Result<WantReport, Failure> {
        self.bind(target)?;
        let _doing = self.board.doing(&target.name, "taking in what is wanted");
        self.no_later_truth(target, truth)?;
        let now = self.clock.now();
        let basis = self.basis(target, truth, now)?;
        if let Some(mut report) = self.wants.same(&basis) {
            let (state, wanted) = (&self.state, &mut report.wanted);
            let cells = wanted.unchanged + wanted.older + wanted.pinned;
            wanted.counter = ledger::want_same(state, &target.name, truth.as_of, cells, now)?;
            return Ok(report);
        }
        let (wanted, mut withheld) = self.want_anew(target, truth, &basis, now)?;
        withheld.sort();
        let (name, no_news) = (target.name.clone(), false);
        let Counted { reasons: released, kept } = truth.released.clone();
        let report = WantReport { target: name, no_news, wanted, withheld, released, kept };
        self.wants.keep(basis, &report);
        Ok(report)
    }

    /// What a want of `truth` at `target` is made of.
    fn basis(&self, target: &OpenTarget, truth: &Truth, now: Timestamp) -> Result<Basis, Failure> {
        let plant = &self.loaded.config.plant;
        let as_of = truth.as_of;
        let mut held = ledger::locks(&self.reader()?, as_of.min(now))?;
        let here = |key: &CellKey| key.target == target.name && key.scope == target.scope.name();
        held.retain(|lock| {
            let at = if lock.kind == LockKind::Pin { now } else { as_of };
            lock.until > at && here(&lock.key)
        });
        let valid = i64::from(plant.rules.valid_hours);
        let want = Want {
            target: target.name.clone(),
            as_of,
            measures: target.config.measures.clone(),
            mapped: mapped::mapped(plant, &target.config),
            // A stamp is renewed in the last third of its life: early enough
            // that a missed cycle or two turns nothing grey.
            refresh_within: SignedDuration::from_hours(valid / 3),
            complete: vec![policy::complete(&self.loaded, target, as_of)?],
        };
        Ok(Basis {
            as_of,
            position: truth.position,
            heartbeat: Some(self.state.identity(self.clock.random())?.into()),
            writable: policy::writable(&self.loaded, target, as_of)?,
            want,
            held,
        })
    }

    /// Derives and projects everything that lands at `target`, and takes it into the
    /// ledger. What changed there, and the figures that do not land.
    fn want_anew(
        &self,
        target: &OpenTarget,
        truth: &Truth,
        basis: &Basis,
        now: Timestamp,
    ) -> Result<(Wanted, Vec<Withheld>), Failure> {
        let portions = Portions {
            heartbeat: basis.heartbeat,
            ..Portions::of(&self.loaded, truth, target, &basis.writable)
        };
        let next_cut = self.next_cut(truth.as_of)?;
        let taken = taken_by_people(&basis.held);
        let measures = &target.config.measures;
        let mut withheld = Vec::new();
        let wanted = portions.each(released::readers(&self.state)?, |portions| {
            let cells = portions.map(|portion| {
                let Projection { mut cells, withheld: held } = portion?;
                withheld.extend(held);
                keep_cut_until(next_cut, measures, &mut cells);
                if let Some(taken) = cells.first().and_then(|cell| taken.get(&place(&cell.key))) {
                    project::say_planner(&mut cells, measures, taken);
                }
                Ok::<_, Failure>(cells)
            });
            ledger::want(&self.state, basis.want.clone(), cells, now)
        })??;
        Ok((wanted, withheld))
    }

    fn next_cut(&self, as_of: Timestamp) -> Result<Timestamp, Failure> {
        let cut = |at| {
            project::cut_off(&self.loaded.config.plant, at)
                .map_err(|error| Failure::usage(error.to_string()).explain("config"))
        };
        let last = cut(as_of)?;
        // Cuts are monthly: the next one is never more than 31 days away.
        for days in 1..=32 {
            let then = as_of.saturating_add(SignedDuration::from_hours(24 * days));
            let next = cut(then.unwrap_or(Timestamp::MAX))?;
            if next > last {
                return Ok(next);
            }
        }
        Ok(last)
    }

    /// Writes the plan of `target` to `out`; costs only reads.
    ///
    /// # Errors
    /// When the state can't be read, or `out` refuses.
    pub fn plan(
        &self,
        target: &OpenTarget,
        as_of: Timestamp,
        only: Option<Why>,
        out: &mut dyn Write,
    ) -> Result<PlanSummary, Failure> {
        let _doing = self.board.doing(&target.name, "planning");
        plan_of_ledger(&self.loaded, &self.reader()?, target, as_of, only, out)
    }
}

/// Resource, location and product at the target.
type Place = (Name, Name, Option<Name>);

/// The cells that people hold, by place: their value stands there.
fn taken_by_people(held: &[Lock]) -> HashMap<Place, BTreeSet<CellKey>> {
    let mut taken: HashMap<Place, BTreeSet<CellKey>> = HashMap::new();
    for lock in held.iter().filter(|lock| lock.kind == LockKind::Send) {
        taken.entry(place(&lock.key)).or_default().insert(lock.key.clone());
    }
    taken
}

fn place(key: &CellKey) -> Place {
    (key.resource.clone(), key.location.clone(), key.product.clone())
}

/// A plan cut is firm until the next one: it does not grow stale before.
fn keep_cut_until(next: Timestamp, measures: &[MeasureDecl], cells: &mut [DesiredCell]) {
    let is_cut = |name: &str| {
        let mut measures = measures.iter();
        measures.any(|m| m.name == name && m.carries == Carries::PlanCut)
    };
    for cell in cells.iter_mut().filter(|cell| is_cut(&cell.key.measure)) {
        cell.valid_until = cell.valid_until.max(next);
    }
}

/// Writes the plan of what the ledger has; works beside a writer.
///
/// # Errors
/// When the state can't be read, or `out` refuses.
pub fn plan_of_ledger(
    loaded: &Loaded,
    reader: &Reader,
    target: &OpenTarget,
    as_of: Timestamp,
    only: Option<Why>,
    out: &mut dyn Write,
) -> Result<PlanSummary, Failure> {
    let mut policy = policy::policy(loaded, target, as_of)?;
    // A quiet window delays what a plan says, and is asked when it is applied:
    // the wall clock changes no plan (law 18).
    policy.blackouts.clear();
    let request = PlanRequest {
        policy: &policy,
        as_of,
        config: &loaded.digest,
        capabilities: &target.connector.info().capabilities,
        only,
    };
    Ok(plan::build(reader, &request, out)?)
}
