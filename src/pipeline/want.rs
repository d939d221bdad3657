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
    ledger::{self, LockKind, Want, Wanted, Why},
    plan::{self, PlanRequest, PlanSummary},
};
use serde::Serialize;

use super::{
    Bridge, OpenTarget, Truth, mapped, policy,
    portions::Portions,
    released::{self, Counted},
};
use crate::{config::Loaded, failure::Failure};

/// What became of the figures at one target.
#[derive(Debug, Serialize)]
pub struct WantReport {
    /// The configured target.
    pub target: String,
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
        let plant = &self.loaded.config.plant;
        let writable = policy::writable(&self.loaded, target, truth.as_of)?;
        let heartbeat = Some(self.state.identity(self.clock.random())?.into());
        let portions =
            Portions { heartbeat, ..Portions::of(&self.loaded, truth, target, &writable) };
        let next_cut = self.next_cut(truth.as_of)?;
        let taken = self.taken_by_people(target, truth.as_of)?;
        let measures = &target.config.measures;
        let valid = i64::from(plant.rules.valid_hours);
        let want = Want {
            target: target.name.clone(),
            as_of: truth.as_of,
            measures: target.config.measures.clone(),
            mapped: mapped::mapped(plant, &target.config),
            // A stamp is renewed in the last third of its life: early enough
            // that a missed cycle or two turns nothing grey.
            refresh_within: SignedDuration::from_hours(valid / 3),
            complete: vec![policy::complete(&self.loaded, target, truth.as_of)?],
        };
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
            ledger::want(&self.state, want, cells, self.clock.now())
        })??;
        withheld.sort();
        let Counted { reasons: released, kept } = truth.released.clone();
        Ok(WantReport { target: target.name.clone(), wanted, withheld, released, kept })
    }

    /// The cells of `target` that people hold at `at`, by place: their value
    /// stands there.
    fn taken_by_people(
        &self,
        target: &OpenTarget,
        at: Timestamp,
    ) -> Result<HashMap<Place, BTreeSet<CellKey>>, Failure> {
        let here = |key: &CellKey| key.target == target.name && key.scope == target.scope.name();
        let mut taken: HashMap<Place, BTreeSet<CellKey>> = HashMap::new();
        for lock in ledger::locks(&self.reader()?, at)? {
            if lock.kind == LockKind::Send && here(&lock.key) {
                taken.entry(place(&lock.key)).or_default().insert(lock.key);
            }
        }
        Ok(taken)
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
