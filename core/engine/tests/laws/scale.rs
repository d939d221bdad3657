//! A million cells. Not part of the daily run: `cargo test --release -p
//! planthread-engine --test laws scale -- --ignored --nocapture`.

use std::{io::Write, time::Duration};

use planthread_engine::{State, ledger, plan::PlanRequest};
use planthread_kit::{Clock, Connector, SystemClock};

use crate::world::{TARGET, World, measures, today};

/// Most memory that this process ever had resident, in MiB, where the system
/// tells it.
fn peak_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}

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

/// `PLANTHREAD_SCALE_DIR` keeps the seeded ledger, so that a second run
/// measures opening and planning in a process that did not seed.
#[test]
#[ignore = "seeds a million cells"]
fn a_million_cells_open_in_a_second_and_plan_in_150_mib() {
    let clock = SystemClock::new();
    let dir = std::env::var_os("PLANTHREAD_SCALE_DIR")
        .map_or_else(|| std::env::temp_dir().join("planthread-scale"), Into::into);
    let say = |what: &str, took: Duration| {
        let line = format!("{what}: {} ms, peak {:?} MiB\n", took.as_millis(), peak_mib());
        std::io::stderr().write_all(line.as_bytes()).unwrap();
    };
    let since = |at: jiff::Timestamp| clock.now().duration_since(at).unsigned_abs();
    if !dir.join("state.db").exists() {
        let at = clock.now();
        let state = State::open(&dir, at).unwrap();
        ledger::seed(&state, TARGET, &measures(), 1_000_000, today(), false, at).unwrap();
        say("seed", since(at));
    }
    let at = clock.now();
    let state = State::open(&dir, at).unwrap();
    let reader = state.reader().unwrap();
    say("open", since(at));
    assert!(since(at) < Duration::from_secs(1));
    let world = World::new();
    let policy = world.policy();
    let mut out = Counting(0);
    let request = PlanRequest {
        policy: &policy,
        as_of: policy.now,
        config: "scale",
        capabilities: &world.fake.info().capabilities,
        only: None,
    };
    let at = clock.now();
    let plan = planthread_engine::plan::build(&reader, &request, &mut out).unwrap();
    say(&format!("plan of {} cells, {} MiB", plan.header.counts.cells, out.0 >> 20), since(at));
    let at = clock.now();
    planthread_engine::status::status(&reader, clock.now()).unwrap();
    say("status", since(at));
    assert!(peak_mib().is_none_or(|mib| mib < 150));
}
