//! Two bridges, one lease, one state. The active one is killed, or suspended beyond its
//! lease, with a job at the target: the other one takes over, asks first what became of
//! the job, and every cell lands once.

use std::{
    path::Path,
    process::Command,
    sync::mpsc::{Sender, channel},
    time::Duration,
};

use planthread_engine::lease::folder;
use serde_json::{Value, json};

use crate::{
    program::{Project, Running, pause},
    proof::{self, Wanted},
    sandbox::{At, Effect, Served, Trip},
};

/// Looks at what others do, a tenth of a second each.
const LOOKS: usize = 3_000;
const RUN: [&str; 1] = ["run"];
const STANDBY: [&str; 2] = ["run", "--standby"];
/// Where the import of a push is started: it has its effect, and nobody is told.
const JOB: &str = "/commit";

/// A standby beside a bridge whose job has just begun.
struct Pair {
    project: Project,
    served: Served,
    wanted: Wanted,
    standby: Running,
    answer: Sender<()>,
}

/// Waits until something is so.
fn until(what: &str, is: impl Fn() -> bool) {
    let found = (0..LOOKS).any(|_| {
        let found = is();
        if !found {
            pause(Duration::from_millis(100));
        }
        found
    });
    assert!(found, "never: {what}");
}

fn signal(signal: &str, running: &Running) {
    let id = running.id().to_string();
    assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
}

fn begin(name: &str) -> (Pair, Running) {
    let project = Project::init(name);
    let (reached, events) = channel();
    let (answer, dead) = channel();
    let at = At::Line(JOB);
    let trip = Trip { at, effect: Effect::Before, reached: reached.clone(), dead };
    let served = Served::start(&project, Some(trip));
    project.aim(&served.url);
    project.run(&["--state", "apart", "ingest"]).must(0);
    let wanted = Wanted::planned(&project, Path::new("apart"));
    let lease = json!({ "folder": "lease", "seconds": 5 });
    project.also(&json!({ "run": { "every_seconds": 1, "lease": lease } }));
    let mut active = project.start_on(&RUN, (reached, events));
    assert!(active.reaches(), "{:?}", active.kill());
    let mut standby = project.start(&STANDBY);
    let line = standby.line();
    assert!(line.starts_with("Standing by"), "{line}");
    (Pair { project, served, wanted, standby, answer }, active)
}

impl Pair {
    fn term(&self) -> u64 {
        folder::newest(&self.project.folder.join("lease")).unwrap().unwrap()
    }

    /// The standby takes over, asks before it writes, and lands what is left, once.
    fn taken_over(mut self, before: usize, when: &str) {
        let line = self.standby.line();
        assert!(line.starts_with("Taking over"), "{when}: {line}");
        let landed = |status: &Value| {
            let scopes = status["scopes"].as_array().unwrap();
            let sum = |count: &str| -> u64 {
                scopes.iter().map(|scope| scope[count].as_u64().unwrap()).sum()
            };
            sum("seen") == self.wanted.cells.len() as u64 && sum("open_attempts") == 0
        };
        until("everything has landed", || {
            let status = self.project.run(&["status", "--json"]);
            serde_json::from_str(&status.stdout).is_ok_and(|status| landed(&status))
        });
        signal("-TERM", &self.standby);
        self.standby.ended().must(0);
        let requests = self.served.requests().split_off(before);
        let first = |text: &str| requests.iter().position(|line| line.contains(text));
        let asked = first("/getExportResult").expect("it asks what became of the job");
        assert!(first(JOB).is_none_or(|wrote| asked < wrote), "{when}: {requests:?}");
        let written = proof::of_history(self.served.history());
        proof::landed_once(&self.wanted, &written, when);
        proof::settled(&self.project, &self.wanted, when);
        assert_eq!(proof::of_history(self.served.history()).len(), written.len(), "{when}");
    }
}

#[test]
fn a_standby_takes_over_from_a_bridge_that_was_killed_with_a_job_at_the_target() {
    let (pair, mut active) = begin("standby-killed");
    assert_eq!(pair.term(), 1);
    let refused = pair.project.run(&["apply"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("the lease in"), "{refused:?}");
    proof::killed(&active.kill(), "the active one");
    let before = pair.served.requests().len();
    pair.answer.send(()).unwrap();
    pair.taken_over(before, "killed");
}

#[test]
fn a_bridge_that_was_suspended_beyond_its_lease_sends_nothing_when_it_wakes() {
    let (pair, active) = begin("standby-suspended");
    signal("-STOP", &active);
    pair.answer.send(()).unwrap();
    until("the standby has the lease", || pair.term() == 2);
    // It waits for the state, which the suspended one may be writing. So that whatever
    // arrives is the other one's, it stands still, too.
    signal("-STOP", &pair.standby);
    let before = pair.served.requests().len();
    signal("-CONT", &active);
    let ended = active.ended();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("another bridge has taken the lease"), "{ended:?}");
    assert_eq!(pair.served.requests().len(), before, "it sent something");
    signal("-CONT", &pair.standby);
    pair.taken_over(before, "suspended");
}
