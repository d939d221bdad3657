//! Killed after a ladder of times, in front of a sandbox that is a process of
//! its own: the points between two requests, as they come.

use std::time::Duration;

use bytes::Bytes;
use http::Request;
use planthread_kit::{Clock as _, ReqwestTransport, SystemClock, Transport as _, TransportOptions};
use serde_json::Value;

use crate::{
    program::{Project, Running},
    proof,
};

/// Rungs of the ladder; the last one is about the time that a run takes.
const RUNGS: u32 = 6;
const RUN: [&str; 2] = ["run", "--once"];

/// `planthread mock sap-ibp` on a free port.
struct Mock {
    _running: Running,
    url: String,
}

impl Mock {
    fn start(project: &Project) -> Self {
        let mut running = project.plain(&["mock", "sap-ibp", "--listen", "127.0.0.1:0"]);
        let line = running.line();
        let url = line.split_whitespace().find(|word| word.starts_with("http://127.0.0.1:"));
        let url = url.unwrap_or_else(|| panic!("no address in {line}")).to_owned();
        assert!(!url.ends_with(":0"), "{line}");
        Self { _running: running, url }
    }

    /// Every change, from the planner's page.
    fn history(&self) -> Value {
        let url = format!("{}/planner/history.json?limit=1000000", self.url);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let options = TransportOptions { only_private_ca: true, ..TransportOptions::default() };
        let transport = ReqwestTransport::new(&options).unwrap();
        let answer = transport.send(Request::get(url).body(Bytes::new()).unwrap());
        serde_json::from_slice(runtime.block_on(answer).unwrap().body()).unwrap()
    }
}

/// A project of its own, in front of a mock of its own.
fn begin(name: &str) -> (Project, Mock) {
    let project = Project::init(name);
    let mock = Mock::start(&project);
    project.aim(&mock.url, 0);
    (project, mock)
}

/// How long an undisturbed run takes.
fn undisturbed() -> Duration {
    let (project, _mock) = begin("moments");
    let clock = SystemClock::new();
    let started = clock.now();
    project.run(&RUN).must(0);
    clock.now().duration_since(started).unsigned_abs()
}

/// Kills a run after `wait`, and runs again.
fn killed_after(wait: Duration, rung: u32) {
    let when = format!("killed after {wait:?}");
    let (project, mock) = begin(&format!("moment-{rung}"));
    // What it wants, by a plan of a state of its own.
    project.run(&["--state", "apart", "ingest"]).must(0);
    project.run(&["--state", "apart", "plan", "ibp", "-o", "plan.ndjson"]).must(0);
    let wanted = proof::planned(&project.folder.join("plan.ndjson"));
    assert!(wanted.len() > 100, "{} cells", wanted.len());
    let mut victim = project.start(&RUN);
    // On a busy machine it may be over sooner or later: both are fine.
    if victim.outlives(wait) {
        victim.kill()
    } else {
        victim.ended()
    };
    project.run(&RUN).must(0);
    proof::landed_once(&wanted, &proof::of_page(&mock.history()), &when);
    proof::settled(&project, wanted.len(), &when);
}

#[test]
fn law_12_killed_after_a_ladder_of_times_and_run_again() {
    let whole = undisturbed();
    // Side by side: an import takes its time, and so does asking for it.
    std::thread::scope(|scope| {
        for rung in 1..=RUNGS {
            scope.spawn(move || killed_after(whole * rung / RUNGS, rung));
        }
    });
}
