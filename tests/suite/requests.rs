//! What a landing costs at each target: requests, values and time, printed beside
//! what was foretold. `cargo test --test suite requests -- --nocapture` shows it.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use planthread::{
    pipeline::{Bridge, Course, OpenTarget},
    registry::{Registered, TARGETS},
};
use planthread_engine::plan::PlanHeader;
use planthread_kit::Clock as _;
use planthread_mocks::{Change, Reply, Setup, Simulator, StoredCell, latency::Profile};

use crate::site::Site;

/// A sandbox whose requests are counted, and take their time.
struct Counted {
    inner: Box<dyn Simulator>,
    meter: Arc<Counters>,
}

/// What is set and counted around a sandbox.
#[derive(Debug, Default)]
struct Counters {
    requests: AtomicU64,
    /// Milliseconds that each request takes, besides what the sandbox says.
    each_ms: AtomicU64,
}

impl Simulator for Counted {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        self.meter.requests.fetch_add(1, Ordering::Relaxed);
        let mut reply = self.inner.handle(at, request);
        reply.delay += Duration::from_millis(self.meter.each_ms.load(Ordering::Relaxed));
        reply
    }

    fn stored(&self) -> Vec<StoredCell> {
        self.inner.stored()
    }

    fn history(&self) -> Vec<Change> {
        self.inner.history()
    }

    fn expire_sessions(&mut self) {
        self.inner.expire_sessions();
    }
}

/// What one landing took, from its plan on.
#[derive(Debug)]
struct Landed {
    requests: u64,
    took: Duration,
    plan: PlanHeader,
}

struct Rig {
    site: Site,
    meter: Arc<Counters>,
    /// Whether the sandbox keeps a pace that is public.
    documented: bool,
}

impl Rig {
    fn new(registered: &Registered) -> Self {
        let meter = Arc::new(Counters::default());
        let around = Arc::clone(&meter);
        let documented = registered.sandbox.name == "sap-ibp";
        let setup = Setup { latency: Profile::AsDocumented, ..Setup::default() };
        let site =
            Site::with(registered, setup, |inner| Box::new(Counted { inner, meter: around }));
        Self { site, meter, documented }
    }

    /// Plans, sends and reads back at one target. Its requests take as long as its
    /// configuration expects.
    fn land(&self, bridge: &Bridge, target: &OpenTarget) -> Landed {
        let expected = target.connector.info().capabilities.cost.read_ms;
        let each = if self.documented { 0 } else { expected };
        self.meter.each_ms.store(each, Ordering::Relaxed);
        let walk = |course| {
            let done = self.site.clock.block_on(bridge.walk(target, course));
            assert!(done.stopped.is_none(), "{}: {:?}", target.name, done.stopped);
            done
        };
        let truth = bridge.truth(bridge.as_of()).unwrap();
        let file = self.site.folder.join("plan.ndjson");
        let planned = walk(Course::Plan { truth: &truth, file: Some(&file) });
        let before = self.meter.requests.load(Ordering::Relaxed);
        let since = self.site.clock.now();
        let done = walk(Course::Given { file: &file, as_of: truth.as_of, only_unmoved: false });
        let took = self.site.clock.now().duration_since(since).unsigned_abs();
        let requests = self.meter.requests.load(Ordering::Relaxed) - before;
        let plan = planned.plan.unwrap().header;
        let landed = done.verified.unwrap().landed;
        assert!(landed >= plan.counts.cells, "{}: {landed} landed", target.name);
        Landed { requests, took, plan }
    }
}

/// Holds a landing against the fewest requests that the target's protocol allows,
/// and against what was foretold.
#[expect(clippy::print_stderr, reason = "the measured numbers are for whoever runs this test")]
fn judge(target: &OpenTarget, round: &str, once: u32, landed: &Landed) {
    let capabilities = &target.connector.info().capabilities;
    let foretold = landed.plan.prediction;
    let fewest = foretold.requests + foretold.reads + u64::from(once);
    let once_ms = u64::from(once) * capabilities.cost.read_ms;
    let expected = Duration::from_millis(foretold.write_ms + foretold.read_ms + once_ms);
    let by_time = expected.as_secs_f64() / landed.took.as_secs_f64();
    let counts = &landed.plan.counts;
    let said = format!(
        "{} {round}: {} requests, fewest {fewest}; {} values changed, {} sent in {} groups; \
         took {:.2} s, foretold {:.2} s: {by_time:.3}. {}",
        target.name,
        landed.requests,
        counts.cells,
        counts.cells + counts.carried,
        counts.groups,
        landed.took.as_secs_f64(),
        expected.as_secs_f64(),
        capabilities.carriage.fewest,
    );
    eprintln!("{said}");
    assert!(counts.cells > 0, "{said}");
    assert!(landed.requests * 100 <= fewest * 105, "{said}");
    assert!((0.9..=1.1).contains(&by_time), "{said}");
}

#[test]
fn every_target_needs_the_fewest_requests_and_the_time_that_was_foretold() {
    for registered in TARGETS {
        let rig = Rig::new(registered);
        let bridge = rig.site.bridge();
        let targets = bridge.targets(None).unwrap();
        for round in ["first landing", "one line changed"] {
            bridge.ingest().unwrap();
            for target in &targets {
                let once = target.connector.info().capabilities.carriage.once;
                let once = if round == "first landing" { once } else { 0 };
                judge(target, round, once, &rig.land(&bridge, target));
            }
            rig.site.foretell();
        }
    }
}
