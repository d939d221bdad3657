//! What a delivery costs and how it keeps a quota: the small target of these tests
//! before a sink, through the whole way of a record: wanted in the ledger, planned,
//! sent under a durable attempt, read back.
//!
//! `cargo xtask bench delivery` measures 50,000 records in posts of 500, as the peers
//! were measured; here a few are sent with each run, and judged by counts alone.

use std::{
    collections::BTreeMap,
    fs,
    io::Cursor,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::{SignedDuration, Timestamp};
use planthread::in_process::InProcess;
use planthread_contracts::{
    CellKey, DesiredCell, MeasureDecl, Period, RevisionState, Scope, Status, WriteGrant,
};
use planthread_engine::{
    EngineError, State, ledger,
    ledger::Want,
    plan::{PlanHeader, PlanRequest, Policy, build},
    push::{Delivery, apply},
    verify::{SweepPolicy, Which, sweep},
};
use planthread_kit::{
    BreakerPolicy, Breakers, Clock, Connector, FlowBook, PushPolicy, QuotaBook, QuotaConfig,
    VirtualClock,
    http::{HttpSettings, TokenBook},
    target::{Network, Nothing, TargetContext},
};
use rust_decimal::Decimal;
use serde_json::json;

use crate::{
    rest,
    sink::{Door, MINUTE, Sink},
};

const TARGET: &str = "rest";
const SCOPE: &str = "twin";
/// Weeks of each place.
const WEEKS: usize = 100;
/// Rows of one post, as the peers' batches.
const ROWS_PER_POST: usize = 500;
/// Rows of one post where a delivery has to last for minutes.
const FEW_ROWS: usize = 20;
/// Cycles in which everything must have landed.
const CYCLES: usize = 20;
/// Requests a second that the sink takes where it has a limit, and at once.
const RATE: (u32, u32) = (20, 10);

/// What one delivery came to.
#[derive(Debug)]
pub(crate) struct Delivered {
    /// What the plan foretold.
    pub(crate) header: PlanHeader,
    /// Requests that wrote, that read, that were refused, and that came while the sink
    /// had asked to wait.
    pub(crate) writes: usize,
    pub(crate) reads: usize,
    pub(crate) refusals: usize,
    pub(crate) violations: usize,
    /// Simulated time of what was sent and read back.
    pub(crate) took: Duration,
    /// Cells that were read back as wanted, of all.
    pub(crate) seen: usize,
    /// Cells that took effect more than once.
    pub(crate) doubled: usize,
    /// After the first minute: of what the sink would have taken, in hundredths, and of
    /// the requests those that it refused, in hundredths. None where it ended before.
    pub(crate) later: Option<[f64; 2]>,
    /// CPU seconds: of wanting and planning, and of sending and reading back.
    pub(crate) cpu_s: [f64; 2],
}

impl Delivered {
    /// Of what the sink would have taken while this lasted, in hundredths.
    pub(crate) fn share(&self) -> f64 {
        let allowed = f64::from(RATE.1) + f64::from(RATE.0) * self.took.as_secs_f64();
        100.0 * (self.writes + self.reads) as f64 / allowed
    }
}

fn measure() -> MeasureDecl {
    serde_json::from_value(json!({ "name": "live", "surface": "CAPACITY", "scale": 2,
        "carries": "attainable_clock_hours", "unit": "HUR", "level": "week", "over_time": "sum",
        "over_resources": "sum", "owner": "bridge", "role": "value" }))
    .unwrap()
}

/// What is wanted: one value a record.
pub(crate) fn wanted(
    records: usize,
    at: Timestamp,
    value: impl Fn(usize) -> Decimal,
) -> Vec<DesiredCell> {
    let first: Period = "2026-W49".parse().unwrap();
    let weeks: Vec<Period> =
        std::iter::successors(Some(first), |week| Some(week.next())).take(WEEKS).collect();
    let cell = |number: usize| {
        let value = value(number);
        DesiredCell {
            key: CellKey {
                target: TARGET.into(),
                scope: SCOPE.into(),
                resource: format!("M-{:05}", number / WEEKS).into(),
                location: "PL1".into(),
                product: None,
                period: weeks[number % WEEKS],
                measure: "live".into(),
            },
            value,
            unrounded: value,
            status: Status::Live,
            as_of: at,
            valid_until: at + SignedDuration::from_hours(72),
            recipe: "recipe".into(),
        }
    };
    (0..records).map(cell).collect()
}

/// The rig of one delivery.
pub(crate) struct Rig {
    folder: PathBuf,
    pub(crate) clock: VirtualClock,
    pub(crate) sink: Arc<Mutex<Sink>>,
    connector: Arc<dyn Connector>,
    breakers: Breakers,
    state: Arc<State>,
}

impl Drop for Rig {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Rig {
    pub(crate) fn new(name: &str, door: Door, quota: &QuotaConfig, rows: usize) -> Self {
        let unique = format!("planthread-delivery-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(unique);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("secret"), "planthread\n").unwrap();
        let start: Timestamp = "2026-11-27T06:00:00Z".parse().unwrap();
        let clock = VirtualClock::new(start, 7);
        let shared: Arc<dyn Clock> = Arc::new(clock.clone());
        let sink = Arc::new(Mutex::new(Sink::new(door, start)));
        let settings = json!({ "host": "http://127.0.0.1", "rows_per_write": rows,
            "page_size": 1_000, "places_max": 1_000,
            "auth": { "kind": "bearer", "token": "${file:secret}" } });
        let context = TargetContext {
            target: TARGET,
            settings: &settings,
            scope: Scope::named(SCOPE),
            measures: &[measure()],
            folder: &folder,
            clock: &shared,
            quotas: &QuotaBook::new(Arc::clone(&shared)),
            tokens: &TokenBook::default(),
            known: Arc::new(Nothing),
            quota,
            network: &Network::default(),
            http: &HttpSettings::default(),
            transport: Some(Arc::new(InProcess::new(sink.clone(), Arc::clone(&shared)))),
            flows: &FlowBook::default(),
            permit: None,
            offline: false,
        };
        let connector = (rest::REGISTERED.target.build)(&context).unwrap();
        let state = Arc::new(State::open(&folder.join("state"), start).unwrap());
        let breakers = Breakers::new(BreakerPolicy::default());
        Self { folder, clock, sink, connector, breakers, state }
    }

    /// The ledger wants these from now on.
    pub(crate) fn want(&self, cells: Vec<DesiredCell>) {
        let now = self.clock.now();
        let want = Want {
            target: TARGET.into(),
            as_of: now,
            measures: vec![measure()],
            mapped: Default::default(),
            refresh_within: SignedDuration::from_hours(2),
            complete: Vec::new(),
        };
        ledger::want(&self.state, want, [Ok::<_, EngineError>(cells)], now).unwrap();
    }

    fn policy(&self) -> Policy {
        let (scope, now) = (Scope::named(SCOPE), self.clock.now());
        let grants = vec![WriteGrant::bridge_owned(&measure(), &scope).unwrap()];
        let today = now.to_zoned(jiff::tz::TimeZone::UTC).date();
        Policy::open(TARGET, scope, vec![measure()], grants, now, today)
    }

    pub(crate) fn read_back(&self, which: Which) {
        let today = self.clock.now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let scope = Scope::named(SCOPE);
        let policy = SweepPolicy::new(TARGET, scope, vec![measure()], which, today);
        self.clock
            .block_on(sweep(&self.state, &*self.connector, &self.breakers, &self.clock, &policy))
            .unwrap();
    }

    pub(crate) fn plan(&self) -> (PlanHeader, Vec<u8>) {
        let (policy, mut bytes) = (self.policy(), Vec::new());
        let request = PlanRequest {
            policy: &policy,
            as_of: policy.now,
            config: "bench",
            capabilities: &self.connector.info().capabilities,
            only: None,
        };
        let header = build(&self.state.reader().unwrap(), &request, &mut bytes).unwrap().header;
        (header, bytes)
    }

    pub(crate) fn send(&self, plan: Vec<u8>) {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let push = PushPolicy::default();
        let delivery = Delivery {
            state: &self.state,
            connector: &*self.connector,
            clock: &clock,
            push: &push,
            breakers: &self.breakers,
        };
        let (mut plan, policy) = (Cursor::new(plan), self.policy());
        self.clock.block_on(apply(&delivery, &mut plan, &policy, false)).unwrap();
    }

    /// Cells that the ledger calls seen.
    pub(crate) fn seen(&self) -> usize {
        let mut seen = 0;
        ledger::cells(&self.state.reader().unwrap(), self.clock.now(), |cell| {
            seen += usize::from(cell.state == RevisionState::Seen);
            Ok(())
        })
        .unwrap();
        seen
    }
}

/// CPU of this process so far, in seconds.
pub(crate) fn cpu_s() -> f64 {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace();
    let ticks = fields.skip(11).take(2).filter_map(|word| word.parse::<f64>().ok());
    ticks.sum::<f64>() / 100.0
}

/// Delivers so many records through a door, under a quota, in posts of so many rows.
fn deliver(name: &str, records: usize, door: Door, quota: &QuotaConfig, rows: usize) -> Delivered {
    let rig = Rig::new(name, door, quota, rows);
    let value = |number: usize| Decimal::new(10_000 + (number % 6_800) as i64, 2);
    let cells = wanted(records, rig.clock.now(), value);
    let began = cpu_s();
    rig.want(cells);
    let (header, mut plan) = rig.plan();
    let (planned, since) = (cpu_s(), rig.clock.now());
    // To count what landed is this bench's work, and not a delivery's.
    let (mut seen, mut counting) = (0, 0.0);
    for _ in 0..CYCLES {
        rig.send(std::mem::take(&mut plan));
        rig.read_back(Which::Unproven);
        let before = cpu_s();
        seen = rig.seen();
        counting += cpu_s() - before;
        if seen == records {
            break;
        }
        plan = rig.plan().1;
    }
    let took = rig.clock.now().duration_since(since).unsigned_abs();
    let cpu_s = [planned - began, cpu_s() - planned - counting];
    let sink = rig.sink.lock().unwrap();
    let (writes, reads, refusals, violations) =
        (sink.writes, sink.reads, sink.refusals, sink.violations);
    let later = later(since, &sink);
    let doubled = sink.taken.values().filter(|times| **times > 1).count();
    Delivered { header, writes, reads, refusals, violations, took, seen, doubled, later, cpu_s }
}

fn later(began: Timestamp, sink: &Sink) -> Option<[f64; 2]> {
    let ([taken, refused], last) = sink.later;
    let seconds = (last.duration_since(began).unsigned_abs().checked_sub(MINUTE)?).as_secs_f64();
    // A few requests are no share.
    if seconds < 10.0 {
        return None;
    }
    let asked = (taken + refused) as f64;
    let share = 100.0 * taken as f64 / (f64::from(RATE.0) * seconds);
    Some([share, 100.0 * refused as f64 / asked])
}

/// The three scenarios in which the peers were measured: no fault, so many requests a
/// second, and an outage of six seconds.
pub(crate) fn scenarios(records: usize) -> BTreeMap<&'static str, Delivered> {
    let known = QuotaConfig {
        published_per_minute: Some(RATE.0 * 60),
        share: Decimal::ONE,
        burst: RATE.1,
        blackouts: Vec::new(),
    };
    let free = QuotaConfig::default();
    let limited = Door::Rate(RATE.0, RATE.1);
    let each = [
        ("no fault", Door::Open, &free, ROWS_PER_POST),
        ("20 requests/s, told", limited, &known, ROWS_PER_POST),
        ("20 requests/s, not told", limited, &free, ROWS_PER_POST),
        ("20 requests/s, small posts", limited, &free, FEW_ROWS),
        ("6 s outage", Door::ClosedFor(Duration::from_secs(6)), &free, ROWS_PER_POST),
    ];
    let run = |(name, door, quota, rows): (&'static str, Door, &QuotaConfig, usize)| {
        let unique = name.replace([' ', '/', ','], "-");
        (name, deliver(&unique, records, door, quota, rows))
    };
    each.map(run).into()
}

/// What must hold however many records there are.
pub(crate) fn judge(records: usize, all: &BTreeMap<&str, Delivered>) -> Result<(), String> {
    for (name, one) in all {
        let said = format!("{name}: {one:?}");
        if (one.seen, one.doubled, one.violations) != (records, 0, 0) {
            return Err(said);
        }
        if *name == "no fault" && one.writes as u64 != one.header.prediction.requests {
            return Err(said);
        }
        if *name == "20 requests/s, told" && one.refusals > 0 {
            return Err(said);
        }
        if one.later.is_some_and(|[share, refused]| share < 90.0 || refused > 1.0) {
            return Err(said);
        }
    }
    Ok(())
}

/// The report of the bench.
pub(crate) fn report(records: usize) -> Result<String, String> {
    let bare = crate::sink::bare(records, ROWS_PER_POST);
    let all = scenarios(records);
    let mut text = format!(
        "{records} records in posts of {ROWS_PER_POST}; the sink works in this process, too\n"
    );
    for (name, one) in &all {
        text.push_str(&line(name, one, records));
    }
    let foretold = &all["no fault"].header.prediction;
    let seconds = (foretold.write_ms + foretold.read_ms) as f64 / 1e3;
    text.push_str(&format!(
        "foretold for no fault: {} writes + {} reads in {seconds:.1} s\n\
         a bare client that posts the same bytes to the same sink: {bare:.2} CPU-s, {:.0} \
         records/CPU-s\n\
         on its way a record is wanted in the ledger, planned, sent under a durable attempt, and \
         read back\n",
        foretold.requests,
        foretold.reads,
        records as f64 / bare.max(0.01)
    ));
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find(|line| line.starts_with("VmHWM")).unwrap_or_default();
    text.push_str(&format!("peak of memory, with what is wanted and with the sink: {peak}\n"));
    judge(records, &all).map(|()| text)
}

fn line(name: &str, one: &Delivered, records: usize) -> String {
    let limited = name.starts_with("20 requests/s");
    let share =
        if limited { format!(", {:.0} % of the quota", one.share()) } else { String::new() };
    let later = one.later.map_or_else(String::new, |[share, refused]| {
        format!(", after a minute {share:.0} % with {refused:.1} % refused")
    });
    let [before, sending] = one.cpu_s;
    format!(
        "{name:<27} {} writes + {} reads, {} refused, {} inside a wait{share}{later}; {} seen, {} \
         doubled; {:.1} s; CPU {before:.2} s to want and plan, {sending:.2} s to send and read \
         back: {:.0} records/CPU-s\n",
        one.writes,
        one.reads,
        one.refusals,
        one.violations,
        one.seen,
        one.doubled,
        one.took.as_secs_f64(),
        records as f64 / (before + sending).max(0.01),
    )
}
