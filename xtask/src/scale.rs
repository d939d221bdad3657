//! A large ledger: seeded once, then opened and planned in a fresh process.
//!
//! `cargo run --release -p xtask -- seed 1000000 DIR`, then `... measure DIR`.
//! Timings are printed, never judged: machines differ.

use std::{io::Write, path::Path, time::Duration};

use jiff::{Timestamp, tz::TimeZone};
use planthread_contracts::{MeasureDecl, Scope, WriteGrant};
use planthread_engine::{
    Reader, State, ledger,
    plan::{self, PlanRequest, Policy},
    status,
};
use planthread_kit::{Capabilities, Clock, Cost, SystemClock};

/// The one target of a seeded ledger.
const TARGET: &str = "scale";

/// Seeds a state directory with `cells` cells that are all due.
///
/// # Errors
/// When the number can't be read, or the state can't be written.
pub(crate) fn seed(cells: &str, dir: &str) -> Result<String, String> {
    let cells: u64 = cells.parse().map_err(|_| format!("`{cells}` is not a number of cells"))?;
    let clock = SystemClock::new();
    let start = clock.now();
    let state = State::open(Path::new(dir), start).map_err(|error| error.to_string())?;
    let first = start.to_zoned(TimeZone::UTC).date();
    let made = ledger::seed(&state, TARGET, &measures()?, cells, first, false, start)
        .map_err(|error| error.to_string())?;
    Ok(format!("{made} cells seeded in {} s", since(&clock, start).as_secs()))
}

/// Opens a seeded directory and plans it, in this process alone.
///
/// # Errors
/// When the state can't be read.
pub(crate) fn measure(dir: &str) -> Result<String, String> {
    let clock = SystemClock::new();
    let mut report = String::new();
    let start = clock.now();
    let reader = Reader::open(Path::new(dir)).map_err(|error| error.to_string())?;
    note(&mut report, "open", since(&clock, start));

    let start = clock.now();
    let policy = policy(start)?;
    let capabilities = capabilities()?;
    let request = PlanRequest {
        policy: &policy,
        as_of: start,
        config: TARGET,
        capabilities: &capabilities,
        only: None,
    };
    let mut out = Counting(0);
    let plan = plan::build(&reader, &request, &mut out).map_err(|error| error.to_string())?;
    let what = format!("plan of {} cells, {} MiB", plan.header.counts.cells, out.0 >> 20);
    note(&mut report, &what, since(&clock, start));

    let start = clock.now();
    status::status(&reader, start).map_err(|error| error.to_string())?;
    note(&mut report, "status", since(&clock, start));
    Ok(report.trim_end().to_owned())
}

fn since(clock: &SystemClock, start: Timestamp) -> Duration {
    clock.now().duration_since(start).unsigned_abs()
}

fn note(report: &mut String, what: &str, took: Duration) {
    let peak = peak_mib().map_or_else(|| "unknown".to_owned(), |mib| format!("{mib} MiB"));
    report.push_str(&format!("{what}: {} ms, peak memory {peak}\n", took.as_millis()));
}

/// Most memory that this process ever had resident, where the system tells.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}

fn measures() -> Result<Vec<MeasureDecl>, String> {
    let declare = |(name, carries, role): (&str, &str, &str)| {
        serde_json::from_value(serde_json::json!({
            "name": name, "surface": name.to_uppercase(), "carries": carries, "unit": "HUR",
            "scale": 2, "level": "week", "over_time": "none", "over_resources": "none",
            "owner": "bridge", "role": role }))
    };
    [
        ("live", "attainable_clock_hours", "value"),
        ("lost", "expected_lost_hours", "value"),
        ("as_of", "as_of", "stamp"),
        ("valid_until", "valid_until", "stamp"),
    ]
    .into_iter()
    .map(declare)
    .collect::<Result<_, _>>()
    .map_err(|error| error.to_string())
}

fn policy(now: Timestamp) -> Result<Policy, String> {
    let (measures, scope) = (measures()?, Scope::base());
    let grants = measures.iter().map(|measure| WriteGrant::bridge_owned(measure, &scope));
    let grants = grants.collect::<Result<_, _>>().map_err(|error| error.to_string())?;
    let today = now.to_zoned(TimeZone::UTC).date();
    Ok(Policy::open(TARGET, scope, measures, grants, now, today))
}

fn capabilities() -> Result<Capabilities, String> {
    Ok(Capabilities {
        cells_per_batch: 20_000,
        groups_per_batch: 20_000,
        uniform_batches: true,
        measures: measures()?,
        idempotent_upsert: true,
        settles: true,
        names_rejected_rows: true,
        clears: false,
        published_requests_per_minute: None,
        cost: Cost {
            overhead_requests: 4,
            overhead_ms: 3_000,
            cells_per_request: 2_000,
            groups_per_request: 2_000,
            request_ms: 0,
            cell_us: 20_000,
            parallel_requests: 2,
            cells_per_read: 5_000,
            read_ms: 6_000,
            parallel_reads: 1,
        },
    })
}

/// A plan that goes nowhere, but is counted.
struct Counting(u64);

impl Write for Counting {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0 += bytes.len() as u64;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}
