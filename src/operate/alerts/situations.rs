//! What is open now, from where it is kept.

use jiff::Timestamp;
use planthread_engine::{
    fallback::{self, Outage},
    gauges::{self, Gauges},
    ledger::{self, Case, CaseKind},
};

use super::{Seen, Situation};
use crate::{failure::Failure, operate::Watch};

/// Who operates the bridge: whoever reads the messages that are nobody else's.
const OPERATOR: &str = "operator";

impl Watch {
    /// Everything that a person should know at `now`.
    pub(super) fn open(&self, now: Timestamp) -> Seen {
        let mut situations: Vec<Situation> = self.unwritten(now).into_iter().collect();
        match self.kept(now) {
            Ok(kept) => {
                situations.extend(kept);
                Seen { situations, whole: true }
            }
            Err(failure) => {
                let cure = "see the disk under the state, and `planthread status`".to_owned();
                let what = format!("the state can't be read: {}", failure.message);
                situations.push(Situation { what, cure, ..about("unread", "", true, now) });
                Seen { situations, whole: false }
            }
        }
    }

    /// A state that refuses what is written.
    fn unwritten(&self, now: Timestamp) -> Option<Situation> {
        let fault = self.bridge.state.last_fault()?;
        let what = format!("the last write to the state was not kept: {fault}");
        let cure = "make room on its disk: nothing is lost, and nothing is acknowledged".to_owned();
        Some(Situation { what, cure, ..about("unwritten", "", true, now) })
    }

    /// What the state says.
    fn kept(&self, now: Timestamp) -> Result<Vec<Situation>, Failure> {
        let reader = self.bridge.reader()?;
        let is_ours = |name: &str| self.targets.iter().any(|target| target.name == name);
        let mut all = Vec::new();
        // A target that a person feeds by hand is paused, and was not asked.
        let is_away = |one: &Outage| one.class != fallback::BY_HAND && is_ours(&one.target);
        for outage in fallback::outages(&reader)?.into_iter().filter(is_away) {
            let what = format!("{} is away: {}", outage.target, outage.last_said);
            let cure = "`planthread fallback status` says what can be loaded by hand".to_owned();
            let key = format!("away {}", outage.target);
            let about = about(&key, &outage.target, true, outage.began);
            all.push(Situation { what, cure, ..about });
        }
        let is_open = |case: &Case| case.closed.is_none() && is_ours(&case.target);
        all.extend(ledger::cases(&reader)?.iter().filter(|case| is_open(case)).filter_map(of_case));
        for target in &self.targets {
            if let Some(why) = self.paused(target, now) {
                let name = &target.name;
                let what = format!("{name} is paused ({why})");
                let cure = format!("`planthread resume {name}` lets it go");
                all.push(Situation {
                    what,
                    cure,
                    ..about(&format!("paused {name}"), name, false, now)
                });
            }
        }
        for one in self.certificates() {
            if let Some((what, cure)) = one.remark(now) {
                let key = format!("certificate {} {}", one.what, one.target);
                let about = about(&key, &one.target, false, now);
                all.push(Situation { what, cure: cure.to_owned(), ..about });
            }
        }
        all.extend(counted(&gauges::gauges(&reader, now)?, is_ours, now));
        Ok(all)
    }
}

/// A situation that the operator owns, before it is said what it is.
fn about(key: &str, target: &str, urgent: bool, since: Timestamp) -> Situation {
    let (key, owner, target) = (key.to_owned(), OPERATOR.to_owned(), target.to_owned());
    Situation { key, owner, target, urgent, what: String::new(), cure: String::new(), since }
}

/// A question: urgent where cells are held by it, or the state is a copy.
fn of_case(case: &Case) -> Option<Situation> {
    if case.kind == CaseKind::TakenBack {
        return None;
    }
    let urgent = case.kind.holds() || case.kind == CaseKind::Restored;
    let about = about(&format!("case {}", case.id), &case.target, urgent, case.opened_at);
    let what = format!("{}: {}", case.target, case.text);
    let cure = "`planthread status` shows it, `planthread release` answers it".to_owned();
    Some(Situation { owner: case.owner.clone(), what, cure, ..about })
}

/// What is counted, and not told one by one.
fn counted(gauges: &Gauges, is_ours: impl Fn(&str) -> bool, now: Timestamp) -> Vec<Situation> {
    let mut all = Vec::new();
    let cure = "`planthread rejects` lists them with reason and cure".to_owned();
    for scope in gauges.scopes.iter().filter(|scope| is_ours(&scope.target)) {
        let refused = scope.states.get("rejected").copied().unwrap_or_default();
        if refused > 0 {
            let target = &scope.target;
            let about = about(&format!("rejected {target} {}", scope.scope), target, false, now);
            let what = format!("{target} refuses {refused} cells");
            let owner = format!("owner of {target}");
            all.push(Situation { owner, what, cure: cure.clone(), ..about });
        }
    }
    let records: u64 = gauges.waiting.iter().map(|(_, n)| n).sum();
    if records > 0 {
        let what = format!("{records} records wait for a person");
        all.push(Situation { what, cure, ..about("records", "", false, now) });
    }
    all
}
