//! Sweep: reads selections back and gathers what they mean.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use planthread_contracts::{CellKey, Period};
use planthread_kit::{Breakers, Clock, Connector, Operation};

use super::{
    Which, judge,
    observe::{self, Observation, Observed},
    pattern::{Foreign, Levels},
    policy::SweepPolicy,
    report::SweepReport,
    select,
};
use crate::{State, error::Result, store::names::CellId};

/// Reads back what the policy selects, and writes down what it means.
///
/// Who wrote what is not ours is told from how the changes lie. So a sweep that
/// meets any reads all the rest before it judges: a load found in portions would
/// look like many people, and a target that lost everything like one lost row.
/// What was read before an error is judged when it is met again.
///
/// # Errors
/// When the state can't be read or written. An error of the connector ends the
/// sweep and stands in the report.
pub async fn sweep(
    state: &Arc<State>,
    connector: &dyn Connector,
    breakers: &Breakers,
    clock: &dyn Clock,
    policy: &SweepPolicy,
) -> Result<SweepReport> {
    let began = clock.now();
    let mut sweep = Sweep { state, connector, breakers, clock, found: Findings::default() };
    sweep.read(policy).await?;
    let some = policy.which != Which::All;
    if some && sweep.found.report.error.is_none() && sweep.found.asks_for_all() {
        let all = SweepPolicy { which: Which::Since(began), ..policy.clone() };
        sweep.read(&all).await?;
    }
    let Findings { mut report, foreign, levels, doubled, .. } = sweep.found;
    if report.error.is_none() {
        let foreign = foreign.into_values().collect();
        judge::foreign(state, policy, clock.now(), foreign, levels, &mut report)?;
    }
    judge::own(state, policy, clock.now(), doubled, &mut report)?;
    judge::unlanded(state, policy)?;
    Ok(report)
}

struct Sweep<'a> {
    state: &'a Arc<State>,
    connector: &'a dyn Connector,
    breakers: &'a Breakers,
    clock: &'a dyn Clock,
    found: Findings,
}

/// What a sweep has found so far.
#[derive(Default)]
struct Findings {
    report: SweepReport,
    /// By group and measure: a cell may be read twice.
    foreign: BTreeMap<CellId, Foreign>,
    levels: Levels,
    doubled: Option<String>,
    gone: bool,
}

impl Findings {
    /// Periods and places of which all is known: what is foreign there keeps its
    /// old age, and need not be read once more.
    fn places(&self) -> BTreeSet<(Period, select::Place)> {
        let place = |key: &CellKey| (key.resource.to_string(), key.location.to_string());
        self.foreign.values().map(|cell| (cell.key.period, place(&cell.key))).collect()
    }

    fn asks_for_all(&self) -> bool {
        let nothing_left = self.report.lost > 0 && self.report.landed == 0;
        !self.foreign.is_empty() || self.gone || nothing_left
    }
}

impl Sweep<'_> {
    async fn read(&mut self, policy: &SweepPolicy) -> Result<()> {
        let known = self.found.places();
        let (reader, now) = (self.state.reader()?, self.clock.now());
        let selections = select::selections_but(&reader, policy, now, &known)?;
        drop(reader);
        for selection in selections {
            let read_after = self.state.reader()?.db().newest_attempt()?;
            let question = self.connector.read(&selection);
            let read = match self.breakers.ask(Operation::Read, self.clock, question).await {
                Ok(read) => read,
                Err(error) => {
                    self.found.report.error = Some(error);
                    return Ok(());
                }
            };
            self.found.report.selections += 1;
            let observation = Observation {
                selection,
                read,
                read_after,
                follows: policy.follows,
                measures: policy.measures.clone(),
                observed: policy.observed.clone(),
                settle_window: policy.settle_window,
                in_use: policy.in_use.clone(),
                written: policy.written.clone(),
            };
            let now = self.clock.now();
            self.note(self.state.change(move |tx| observe::run(tx, &observation, now))?);
        }
        Ok(())
    }

    fn note(&mut self, observed: Observed) {
        let found = &mut self.found;
        found.report.add(observed.report);
        found.gone |= observed.gone;
        found.doubled = found.doubled.take().or(observed.doubled);
        found.foreign.extend(observed.foreign.into_iter().map(|cell| (cell.id, cell)));
        found.levels.merge(observed.levels);
    }
}
