//! Killed after a ladder of times, in front of a sandbox that is a process of
//! its own: the points between two requests, as they come.

use std::{path::Path, time::Duration};

use bytes::Bytes;
use http::Request;
use planthread::registry::{Registered, TARGETS};
use planthread_kit::{Clock as _, ReqwestTransport, SystemClock, Transport as _, TransportOptions};
use serde_json::Value;

use crate::{
    program::{Project, Running},
    proof::{self, Wanted},
};

/// Rungs of the ladder; the last one is about the time that a run takes.
const RUNGS: u32 = 6;
/// Of them, every second one for each target but the first.
const STEP: usize = 2;
const RUN: [&str; 2] = ["run", "--once"];

/// The sandbox of a project's target as the demo has it, on a free port.
pub(crate) struct Mock {
    _running: Running,
    pub(crate) url: String,
}

impl Mock {
    /// Starts it with `options` instead of the demo's of that name.
    pub(crate) fn start(project: &Project, options: &[(&str, &str)]) -> Self {
        let sandbox = project.registered.sandbox;
        let stays = |(name, _): &&(&str, &str)| options.iter().all(|(other, _)| other != name);
        let all = sandbox.demo.iter().filter(stays).chain(options);
        let options: Vec<String> = all.map(|(name, value)| format!("{name}={value}")).collect();
        let mut words = vec!["mock", sandbox.name, "--listen", "127.0.0.1:0"];
        words.extend(options.iter().map(String::as_str));
        let mut running = project.plain(&words);
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
fn begin(registered: &'static Registered, name: &str) -> (Project, Mock) {
    let project = Project::of(registered, name);
    let mock = Mock::start(&project, &[]);
    project.aim(&mock.url);
    (project, mock)
}

/// How long an undisturbed run takes.
pub(crate) fn undisturbed(registered: &'static Registered) -> Duration {
    let (project, _mock) = begin(registered, "moments");
    let clock = SystemClock::new();
    let started = clock.now();
    project.run(&RUN).must(0);
    clock.now().duration_since(started).unsigned_abs()
}

/// Kills a run after `wait`, and runs again.
pub(crate) fn killed_after(registered: &'static Registered, wait: Duration, rung: u32) {
    let when = format!("{}: killed after {wait:?}", registered.target.name);
    let (project, mock) = begin(registered, &format!("moment-{rung}"));
    // What it wants, by a plan of a state of its own.
    project.run(&["--state", "apart", "ingest"]).must(0);
    let wanted = Wanted::planned(&project, Path::new("apart"));
    let mut victim = project.start(&RUN);
    // On a busy machine it may be over sooner or later: both are fine.
    if victim.outlives(wait) {
        victim.kill()
    } else {
        victim.ended()
    };
    project.rescue(&RUN, &when);
    proof::landed_once(&wanted, &proof::of_page(&mock.history()), &when);
    proof::settled(&project, &wanted, &when);
}

#[test]
fn law_12_killed_after_a_ladder_of_times_and_run_again() {
    // Side by side: an import takes its time, and so does asking for it.
    std::thread::scope(|scope| {
        for (number, registered) in TARGETS.iter().enumerate() {
            scope.spawn(move || {
                let whole = undisturbed(registered);
                let step = if number == 0 { 1 } else { STEP };
                for rung in (1..=RUNGS).step_by(step) {
                    scope.spawn(move || killed_after(registered, whole * rung / RUNGS, rung));
                }
            });
        }
    });
}
