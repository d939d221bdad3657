//! One world: a state on disk, a target, a clock, and everybody's daily verbs.

use std::{
    collections::BTreeSet,
    io::Cursor,
    path::{Path, PathBuf},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use futures_util::future::{Either, select};
use jiff::{SignedDuration, Timestamp, civil::Date};
use planthread_contracts::{
    CellKey, DesiredCell, MeasureDecl, RevisionState, Scope, Status, WriteGrant,
};
use planthread_engine::{
    EngineError, Reader, State,
    ledger::{self, Want, Wanted},
    plan::{PlanHeader, PlanRequest, Policy, build},
    push::{Applied, Delivery, Ending, Recovered, apply, end_attempt, recover},
    status::{ScopeStatus, status},
    verify::{SweepPolicy, SweepReport, Which, sweep},
};
use planthread_kit::{
    AttemptId, BreakerPolicy, Breakers, Clock, Connector, PushPolicy, VirtualClock,
};
use rust_decimal::Decimal;

use crate::fake::Fake;

pub(crate) const TARGET: &str = "plan";
/// How long a process lives when nothing else is said.
const LIFE_MINUTES: u64 = 20;
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Everything that a test needs.
pub(crate) struct World {
    pub(crate) dir: PathBuf,
    pub(crate) clock: VirtualClock,
    pub(crate) fake: Fake,
    pub(crate) state: Option<Arc<State>>,
    /// Batches that its policy lets out at once.
    pub(crate) side_by_side: usize,
    breakers: Breakers,
    push: PushPolicy,
}

/// An empty state as it is made, so that it is made once.
fn fresh() -> &'static [u8] {
    static FRESH: OnceLock<Vec<u8>> = OnceLock::new();
    FRESH.get_or_init(|| {
        let dir = std::env::temp_dir().join(format!("planthread-fresh-{}", std::process::id()));
        drop(State::open(&dir, start()).unwrap());
        let bytes = std::fs::read(dir.join("state.db")).unwrap();
        std::fs::remove_dir_all(&dir).unwrap();
        bytes
    })
}

impl Drop for World {
    fn drop(&mut self) {
        self.state = None;
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

pub(crate) fn start() -> Timestamp {
    "2026-11-22T22:00:00Z".parse().unwrap()
}

pub(crate) fn today() -> Date {
    "2026-11-22".parse().unwrap()
}

pub(crate) fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

pub(crate) fn decl(name: &str, carries: &str, role: &str) -> MeasureDecl {
    serde_json::from_value(serde_json::json!({
        "name": name, "surface": name.to_uppercase(), "carries": carries, "unit": "HUR",
        "scale": 2, "level": "week", "over_time": "none", "over_resources": "none",
        "owner": "bridge", "role": role }))
    .unwrap()
}

pub(crate) fn measures() -> Vec<MeasureDecl> {
    vec![
        decl("live", "attainable_clock_hours", "value"),
        decl("lost", "expected_lost_hours", "value"),
        decl("asof", "as_of", "stamp"),
        decl("validto", "valid_until", "stamp"),
    ]
}

pub(crate) fn key(resource: &str, week: u32, measure: &str) -> CellKey {
    serde_json::from_value(serde_json::json!({
        "target": TARGET, "scope": "", "resource": resource, "location": "1010",
        "period": format!("2026-W{week:02}"), "measure": measure }))
    .unwrap()
}

impl World {
    pub(crate) fn new() -> Self {
        Self::with_batches(8)
    }

    pub(crate) fn with_batches(cells_per_batch: usize) -> Self {
        let number = NEXT.fetch_add(1, Ordering::SeqCst);
        let name = format!("planthread-laws-{}-{number}", std::process::id());
        // Where nothing waits for a disk, if the machine has such a place.
        let memory = Path::new("/dev/shm");
        let dir = if memory.is_dir() { memory.to_owned() } else { std::env::temp_dir() }.join(name);
        std::fs::create_dir_all(&dir).unwrap();
        std::fs::write(dir.join("state.db"), fresh()).unwrap();
        let clock = VirtualClock::new(start(), 7);
        let fake = Fake::new(&clock, measures(), cells_per_batch);
        let state = Some(Arc::new(State::open(&dir, clock.now()).unwrap()));
        let breakers = Breakers::new(BreakerPolicy::default());
        Self { dir, clock, fake, state, side_by_side: 1, breakers, push: PushPolicy::default() }
    }

    pub(crate) fn state(&self) -> &Arc<State> {
        self.state.as_ref().unwrap()
    }

    pub(crate) fn reader(&self) -> Reader {
        self.state().reader().unwrap()
    }

    pub(crate) fn advance(&self, minutes: u64) {
        self.clock.advance(Duration::from_mins(minutes));
    }

    pub(crate) fn policy(&self) -> Policy {
        let grants = measures()
            .iter()
            .map(|m| WriteGrant::bridge_owned(m, &Scope::base()).unwrap())
            .collect();
        let now = self.clock.now();
        let policy = Policy::open(TARGET, Scope::base(), measures(), grants, now, today());
        Policy { side_by_side: self.side_by_side, ..policy }
    }

    pub(crate) fn sweep_policy(&self, which: Which) -> SweepPolicy {
        SweepPolicy::new(TARGET, Scope::base(), measures(), which, today())
    }

    /// Wants `live` (and `lost` = 168 − live, and stamps) for resource and week.
    pub(crate) fn want(&self, cells: &[(&str, u32, &str)]) -> Wanted {
        self.want_at(cells, self.clock.now())
    }

    pub(crate) fn want_at(&self, cells: &[(&str, u32, &str)], as_of: Timestamp) -> Wanted {
        let cells: Vec<DesiredCell> =
            cells.iter().flat_map(|(r, w, v)| desired(r, *w, d(v), as_of)).collect();
        self.fake.inside().known.extend(cells.iter().map(|cell| cell.key.clone()));
        let want = Want {
            target: TARGET.into(),
            as_of,
            measures: measures(),
            mapped: Default::default(),
            refresh_within: SignedDuration::from_hours(2),
            complete: Vec::new(),
        };
        ledger::want(self.state(), want, [Ok::<_, EngineError>(cells)], self.clock.now()).unwrap()
    }

    pub(crate) fn plan(&self) -> (PlanHeader, Vec<u8>) {
        self.plan_with(&self.policy())
    }

    pub(crate) fn plan_with(&self, policy: &Policy) -> (PlanHeader, Vec<u8>) {
        let mut bytes = Vec::new();
        let request = PlanRequest {
            policy,
            as_of: policy.now,
            config: "c0ffee",
            capabilities: &self.fake.info().capabilities,
            only: None,
        };
        let summary = build(&self.reader(), &request, &mut bytes).unwrap();
        (summary.header, bytes)
    }

    fn with_delivery<T>(
        &self,
        minutes: u64,
        run: impl for<'d> FnOnce(Delivery<'d>) -> planthread_kit::BoxFuture<'d, T>,
    ) -> Option<T> {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let delivery = Delivery {
            state: self.state(),
            connector: &self.fake,
            clock: &clock,
            push: &self.push,
            breakers: &self.breakers,
        };
        // Whoever is not done by then has been killed.
        let limit = self.clock.sleep(Duration::from_mins(minutes));
        match self.clock.block_on(select(run(delivery), limit)) {
            Either::Left((done, _)) => Some(done),
            Either::Right(_) => None,
        }
    }

    /// Applies a plan; `None` when the process died on the way.
    pub(crate) fn apply(&self, bytes: &[u8], only_unmoved: bool) -> Option<Applied> {
        self.apply_with(bytes, only_unmoved, &self.policy())
    }

    pub(crate) fn apply_with(&self, bytes: &[u8], only: bool, policy: &Policy) -> Option<Applied> {
        self.apply_within(bytes, only, policy, LIFE_MINUTES)
    }

    /// Applies a plan in a process that lives for so many minutes.
    pub(crate) fn apply_for(&self, bytes: &[u8], minutes: u64) -> Option<Applied> {
        self.apply_within(bytes, false, &self.policy(), minutes)
    }

    fn apply_within(
        &self,
        bytes: &[u8],
        only: bool,
        policy: &Policy,
        minutes: u64,
    ) -> Option<Applied> {
        let (mut plan, policy) = (Cursor::new(bytes.to_vec()), policy.clone());
        self.with_delivery(minutes, |delivery| {
            Box::pin(async move { apply(&delivery, &mut plan, &policy, only).await.unwrap() })
        })
    }

    pub(crate) fn recover(&self) -> Recovered {
        self.recover_with(Vec::new())
    }

    /// Recovers where people have recorded `endings`.
    pub(crate) fn recover_with(&self, endings: Vec<Ending>) -> Recovered {
        let policy = self.sweep_policy(Which::Unproven);
        self.with_delivery(LIFE_MINUTES, |delivery| {
            Box::pin(async move { recover(&delivery, &policy, &endings).await.unwrap() })
        })
        .unwrap()
    }

    /// A person ends an open attempt.
    pub(crate) fn end_attempt(&self, id: &AttemptId) -> Result<Recovered, EngineError> {
        let (policy, ending) = (self.sweep_policy(Which::Unproven), ended_by_mara(id));
        self.with_delivery(LIFE_MINUTES, |delivery| {
            Box::pin(async move { end_attempt(&delivery, &policy, &ending).await })
        })
        .unwrap()
    }

    /// The process dies and is started again, from what is on the disk.
    pub(crate) fn crash(&mut self) -> Recovered {
        self.state = None;
        self.state = Some(Arc::new(State::open(&self.dir, self.clock.now()).unwrap()));
        self.recover()
    }

    pub(crate) fn verify(&self, which: Which) -> SweepReport {
        self.verify_with(&self.sweep_policy(which))
    }

    pub(crate) fn verify_with(&self, policy: &SweepPolicy) -> SweepReport {
        let sweep = sweep(self.state(), &self.fake, &self.breakers, &self.clock, policy);
        self.clock.block_on(sweep).unwrap()
    }

    /// Plan, apply, verify.
    pub(crate) fn land(&self) -> (PlanHeader, Applied, SweepReport) {
        let (header, bytes) = self.plan();
        let applied = self.apply(&bytes, false).unwrap();
        (header, applied, self.verify(Which::Unproven))
    }

    pub(crate) fn status(&self) -> ScopeStatus {
        status(&self.reader(), self.clock.now()).unwrap().scopes.remove(0)
    }

    pub(crate) fn audit(&self) {
        let found = ledger::unbalanced(&self.reader(), self.clock.now()).unwrap();
        assert!(found.is_empty(), "{found:?}");
        self.audit_sent();
    }

    /// What is found by the tally and the groups is what a walk over all cells finds.
    fn audit_sent(&self) {
        let (reader, now) = (self.reader(), self.clock.now());
        let (mut walked, mut found) = (BTreeSet::new(), BTreeSet::new());
        ledger::cells(&reader, now, |cell| {
            if matches!(cell.state, RevisionState::InFlight | RevisionState::Unproven) {
                walked.insert(cell.key.to_string());
            }
            Ok(())
        })
        .unwrap();
        ledger::cells_sent(&reader, now, |cell| {
            found.insert(cell.key.to_string());
            Ok(())
        })
        .unwrap();
        assert_eq!(found, walked);
    }

    pub(crate) fn held(&self, key: &CellKey) -> Option<Decimal> {
        self.fake.inside().cells.get(key).copied()
    }

    /// Somebody else writes at the target.
    pub(crate) fn foreign(&self, key: CellKey, value: &str) {
        self.fake.inside().cells.insert(key, d(value));
    }
}

/// What a person records who waits no longer.
pub(crate) fn ended_by_mara(attempt: &AttemptId) -> Ending {
    Ending { attempt: attempt.clone(), who: "mara".into(), why: "month end".into() }
}

pub(crate) fn desired(
    resource: &str,
    week: u32,
    live: Decimal,
    as_of: Timestamp,
) -> Vec<DesiredCell> {
    let valid_until = as_of.checked_add(SignedDuration::from_hours(24)).unwrap();
    let number =
        |at: Timestamp| -> Decimal { at.to_string()[..10].replace('-', "").parse().unwrap() };
    [
        ("live", live),
        ("lost", d("168") - live),
        ("asof", number(as_of)),
        ("validto", number(valid_until)),
    ]
    .into_iter()
    .map(|(measure, value)| DesiredCell {
        key: key(resource, week, measure),
        value,
        unrounded: value,
        status: Status::Live,
        as_of,
        valid_until,
        recipe: format!("recipe-{as_of}").into(),
    })
    .collect()
}
