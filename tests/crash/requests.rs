//! Killed at every request: all points are counted through, none is sampled.
//!
//! The sandbox stops at request number n, the test kills the process that sent
//! it, another process finishes the work. n grows until a run ends without
//! reaching it. What a process does between two requests lies between "n had
//! its effect" and "n + 1 never arrived".

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::mpsc::channel,
};

use rust_decimal::Decimal;

use crate::{
    program::Project,
    proof::{self, Cell},
    sandbox::{At, Effect, Served, Trip},
};

/// Rows of the counter file that are kept: the landed hours come from the
/// events, and a short file makes short tests.
const COUNTS_KEPT: usize = 100;
/// Points that are tried side by side.
const LANES: usize = 6;
/// More points than any run has.
const POINTS_MAX: usize = 200;
/// A whole cycle, and one that takes what is in the journal.
const RUN: [&str; 2] = ["run", "--once"];
const APPLY: [&str; 1] = ["apply"];

/// A project whose records are in, and what it wants.
struct Bench {
    project: Project,
    kept: PathBuf,
    wanted: BTreeMap<Cell, Decimal>,
}

impl Bench {
    fn new(name: &str) -> Self {
        let project = Project::init(name);
        let counts = project.folder.join("data/hourly-counts.csv");
        let text = fs::read_to_string(&counts).unwrap();
        let short: Vec<&str> = text.lines().take(COUNTS_KEPT).collect();
        fs::write(&counts, short.join("\n") + "\n").unwrap();
        let served = Served::start(None);
        project.aim(&served.url, 0);
        project.run(&["ingest"]).must(0);
        let kept = project.folder.join("kept");
        copy(&project.state(), &kept);
        project.run(&["plan", "ibp", "-o", "plan.ndjson"]).must(0);
        let wanted = proof::planned(&project.folder.join("plan.ndjson"));
        assert!(wanted.len() > 100, "{} cells", wanted.len());
        Self { project, kept, wanted }
    }

    /// The state as it was after the intake.
    fn rewind(&self) {
        fs::remove_dir_all(self.project.state()).unwrap();
        copy(&self.kept, &self.project.state());
    }

    /// Kills `victim` at `at`. The sandbox with what it holds then, or nothing
    /// when the run ended before.
    fn kill(&self, victim: &[&str], at: At, effect: Effect) -> Option<Served> {
        self.rewind();
        let (reached, events) = channel();
        let (tell, dead) = channel();
        let trip = Trip { at, effect, reached: reached.clone(), dead };
        let served = Served::start(Some(trip));
        self.project.aim(&served.url, 0);
        let mut running = self.project.start_on(victim, (reached, events));
        if !running.reaches() {
            running.ended().must(0);
            return None;
        }
        proof::killed(&running.kill(), "the victim");
        tell.send(()).unwrap();
        Some(served)
    }

    /// Kills at every request of `victim` whose number this lane takes;
    /// `rescue` finishes each time. What was hit.
    fn lane(&self, lane: usize, victim: &[&str], effect: Effect, rescue: &[&str]) -> Vec<String> {
        let mut hit = Vec::new();
        for number in (lane..POINTS_MAX).step_by(LANES) {
            let Some(served) = self.kill(victim, At::Number(number), effect) else { return hit };
            let line = served.requests()[number - 1].clone();
            let when = format!("{victim:?} killed at request {number}, {line}, effect {effect:?}");
            self.finish(&served, rescue, &when);
            hit.push(line);
        }
        panic!("{victim:?} never ended: {hit:?}");
    }

    fn finish(&self, served: &Served, rescue: &[&str], when: &str) {
        proof::audited(&self.project, when);
        let ended = self.project.run(rescue);
        assert_eq!(ended.code, Some(0), "{when}: {ended:?}");
        proof::landed_once(&self.wanted, &proof::of_history(served.history()), when);
        let before = served.requests().len();
        proof::settled(&self.project, self.wanted.len(), when);
        let later = served.requests().split_off(before);
        assert!(later.iter().all(|line| line.starts_with("GET ")), "{when}: {later:?}");
    }
}

/// Kills at every request; the lanes run side by side, because a run mostly
/// waits for its imports.
fn kill_at_every_request(name: &str, victim: &[&str], effect: Effect, rescue: &[&str]) {
    let hit: Vec<String> = std::thread::scope(|scope| {
        let run = |lane: usize| {
            scope.spawn(move || {
                Bench::new(&format!("{name}-{lane}")).lane(lane, victim, effect, rescue)
            })
        };
        let lanes: Vec<_> = (1..=LANES).map(run).collect();
        lanes.into_iter().flat_map(|lane| lane.join().unwrap()).collect()
    });
    // Each kind of step is among the points, so that a change of the protocol
    // can't empty this test.
    for step in ["Trans", "commit", "getExportResult", "PTDEMO"] {
        assert!(hit.iter().any(|line| line.ends_with(step)), "no {step} in {hit:?}");
    }
    let commits = hit.iter().filter(|line| line.ends_with("commit")).count();
    assert!(commits > 1, "several transactions: {hit:?}");
}

/// Copies a folder of files.
fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }
}

#[test]
fn law_12_killed_at_every_request_that_never_arrives() {
    kill_at_every_request("never-arrives", &RUN, Effect::None, &APPLY);
}

#[test]
fn law_12_killed_at_every_request_that_has_its_effect() {
    kill_at_every_request("had-its-effect", &APPLY, Effect::Before, &RUN);
}

#[test]
fn law_12_killed_twice_and_run_a_third_time() {
    let bench = Bench::new("killed-twice");
    let served = bench.kill(&RUN, At::Line("commit"), Effect::Before).unwrap();
    let mut second = bench.project.start(&RUN);
    // Whatever it has done by now: the third must not need to know.
    second.outlives(std::time::Duration::from_millis(60));
    second.kill();
    bench.finish(&served, &RUN, "killed twice");
}

#[test]
fn law_12_asked_to_stop_while_the_target_hangs_it_ends_and_the_next_start_goes_on() {
    let bench = Bench::new("asked-to-stop");
    bench.rewind();
    let (reached, events) = channel();
    let (tell, dead) = channel();
    let trip =
        Trip { at: At::Line("commit"), effect: Effect::Before, reached: reached.clone(), dead };
    let served = Served::start(Some(trip));
    bench.project.aim(&served.url, 0);
    let mut running = bench.project.start_on(&["run"], (reached, events));
    assert!(running.reaches(), "it never came to its commit");
    let id = running.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    // Nobody is answered before the process has ended by itself.
    let ended = running.ended();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains("ibp: ended on the way"), "{ended:?}");
    tell.send(()).unwrap();
    let status = bench.project.run(&["status", "--json"]).json(0);
    assert_eq!(status["scopes"][0]["open_attempts"], 1, "{status}");
    bench.finish(&served, &RUN, "asked to stop");
}

#[test]
fn law_4_a_commit_that_arrives_after_its_sender_died_is_never_overtaken() {
    let bench = Bench::new("late-commit");
    let served = bench.kill(&RUN, At::Line("commit"), Effect::Late).unwrap();
    // A commit of unknown fate gets its grace before it counts as not taken.
    bench.project.aim(&served.url, 600);
    bench.finish(&served, &RUN, "a late commit");
}
