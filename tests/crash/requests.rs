//! Killed at every request of the first target, at the first and the last request of
//! each kind of the others, and at the first of each kind where a target is set up in
//! another way.
//!
//! The sandbox stops at request number n, the test kills the process that sent
//! it, another process finishes the work. What a process does between two
//! requests lies between "n had its effect" and "n + 1 never arrived".

use std::{
    collections::BTreeMap,
    fs,
    path::PathBuf,
    process::Command,
    sync::{Arc, mpsc::channel},
    time::Duration,
};

use planthread::{
    in_process::gate::kind,
    registry::{Registered, TARGETS},
};
use serde_json::json;

use crate::{
    program::{Project, copy},
    proof::{self, Wanted},
    sandbox::{At, Effect, Served, Trip},
    way::Way,
};

/// Rows of the counter file that are kept: the landed hours come from the
/// events, and a short file makes short tests.
const COUNTS_KEPT: usize = 100;
/// Points of one target that are tried one after the other.
const LANE: usize = 2;
/// A whole cycle, and one that takes what is in the journal.
const RUN: [&str; 2] = ["run", "--once"];
const APPLY: [&str; 1] = ["apply"];

/// A kind of target, and the way in which it is set up.
type Set<'a> = (&'static Registered, &'a Way);

/// Requests, as method and path.
type Lines = Vec<String>;

/// A project whose records are in, and what it wants.
struct Bench {
    project: Project,
    kept: PathBuf,
    wanted: Arc<Wanted>,
}

impl Bench {
    fn new((registered, way): Set<'_>, name: &str) -> Self {
        let project = Project::set_up(registered, way, name);
        let counts = project.folder.join("data/hourly-counts.csv");
        let text = fs::read_to_string(&counts).unwrap();
        let short: Vec<&str> = text.lines().take(COUNTS_KEPT).collect();
        fs::write(&counts, short.join("\n") + "\n").unwrap();
        let served = Served::start(&project, None);
        project.aim(&served.url);
        project.run(&["ingest"]).must(0);
        let kept = project.folder.join("kept");
        copy(&project.state(), &kept);
        let wanted = Arc::new(Wanted::planned(&project, &project.state()));
        Self { project, kept, wanted }
    }

    /// The same in a folder of its own.
    fn copied(&self, name: &str) -> Self {
        let project = self.project.copied(name);
        let kept = project.folder.join("kept");
        Self { project, kept, wanted: Arc::clone(&self.wanted) }
    }

    /// The state as it was after the intake, and no witness of anything later.
    fn rewind(&self) {
        let _ = fs::remove_dir_all(self.project.folder.join("packs"));
        copy(&self.kept, &self.project.state());
    }

    /// The requests of a run that nobody kills.
    fn clean(&self, verb: &[&str]) -> Lines {
        self.rewind();
        let served = Served::start(&self.project, None);
        self.project.aim(&served.url);
        self.project.run(verb).must(0);
        let lines = served.requests();
        self.finish(&served, &RUN, "nobody killed");
        lines
    }

    /// Kills `victim` at `at`. The sandbox with what it holds then, or nothing
    /// when the run ended before.
    fn kill(&self, victim: &[&str], at: At, effect: Effect) -> Option<Served> {
        self.rewind();
        let (reached, events) = channel();
        let (tell, dead) = channel();
        let trip = Trip { at, effect, reached: reached.clone(), dead };
        let served = Served::start(&self.project, Some(trip));
        self.project.aim(&served.url);
        let mut running = self.project.start_on(victim, (reached, events));
        if !running.reaches() {
            running.ended().must(0);
            return None;
        }
        proof::killed(&running.kill(), "the victim");
        tell.send(()).unwrap();
        Some(served)
    }

    /// Kills `victim` at each of `points`; `rescue` finishes each time. What was
    /// hit: a run on a busy machine may need a request less than the clean one.
    fn lane(&self, points: &[Point], victim: &[&str], effect: Effect, rescue: &[&str]) -> Lines {
        let mut hit = Lines::new();
        for (kind, nth) in points {
            let at = At::Kind(kind.clone(), *nth);
            let Some(served) = self.kill(victim, at, effect) else { continue };
            let when = format!("{victim:?} killed at {kind} no. {nth}, effect {effect:?}");
            self.finish(&served, rescue, &when);
            hit.push(kind.clone());
        }
        hit
    }

    /// Lands what is left, and proves it.
    fn finish(&self, served: &Served, rescue: &[&str], when: &str) {
        let when = format!("{}: {when}", self.project.registered.target.name);
        let when = when.as_str();
        proof::balanced(&self.project, when);
        self.project.rescue(rescue, when);
        let written = proof::of_history(served.history());
        proof::landed_once(&self.wanted, &written, when);
        proof::settled(&self.project, &self.wanted, when);
        assert_eq!(proof::of_history(served.history()).len(), written.len(), "{when}");
    }

    /// The targets of the project, and the scope of each.
    fn scopes(&self) -> Vec<(String, String)> {
        let targets = self.project.config().targets.into_iter();
        targets.map(|(name, target)| (name, target.scope().name().to_owned())).collect()
    }
}

/// A request that a run makes: its kind, and which of that kind, from 1.
type Point = (String, usize);

/// The requests at which a run with these lines is killed. A request that only
/// asks has no effect.
fn points((registered, way): Set<'_>, lines: &[String], effect: Effect) -> Vec<Point> {
    let mut kinds = BTreeMap::<String, usize>::new();
    for line in lines {
        *kinds.entry(kind(line)).or_default() += 1;
    }
    let all = registered.target.name == TARGETS[0].target.name;
    let effective = |kind: &String| effect == Effect::None || !kind.starts_with("GET ");
    let each = |(kind, last): (String, usize)| {
        let plain = way.name.is_empty();
        let chosen = (1..=last).filter(move |nth| all || *nth == 1 || (plain && *nth == last));
        chosen.map(move |nth| (kind.clone(), nth))
    };
    kinds.into_iter().filter(|(kind, _)| all || effective(kind)).flat_map(each).collect()
}

/// Kills at the points of one target; lanes run side by side, because a run
/// mostly waits. Each kind of request is among those that were hit.
fn kill_at_points((set, name): (Set<'_>, &str), victim: &[&str], effect: Effect, rescue: &[&str]) {
    let bench = Bench::new(set, name);
    let lines = bench.clean(victim);
    let points = points(set, &lines, effect);
    let lanes = points.chunks(LANE).enumerate();
    let benches = lanes.map(|(at, lane)| (bench.copied(&format!("{name}-{at}")), lane));
    let benches: Vec<_> = benches.collect();
    let run = |(bench, lane): &(Bench, &[Point])| bench.lane(lane, victim, effect, rescue);
    let hit: Lines = std::thread::scope(|scope| {
        let lanes: Vec<_> = benches.iter().map(|lane| scope.spawn(move || run(lane))).collect();
        lanes.into_iter().flat_map(|lane| lane.join().unwrap()).collect()
    });
    for (kind, _) in &points {
        assert!(hit.contains(kind), "{kind} was never hit: {hit:?}");
    }
}

/// Kills at the points of every target, in each of its ways.
fn kill_at_requests(name: &str, victim: &[&str], effect: Effect, rescue: &[&str]) {
    std::thread::scope(|scope| {
        for registered in TARGETS {
            for way in Way::all(registered) {
                let kill = move || {
                    kill_at_points(((registered, &way), name), victim, effect, rescue);
                };
                scope.spawn(kill);
            }
        }
    });
}

#[test]
fn law_12_killed_at_every_request_that_never_arrives() {
    kill_at_requests("never-arrives", &RUN, Effect::None, &APPLY);
}

#[test]
fn law_12_killed_at_every_request_that_has_its_effect() {
    kill_at_requests("had-its-effect", &APPLY, Effect::Before, &RUN);
}

#[test]
fn law_12_killed_twice_and_run_a_third_time() {
    std::thread::scope(|scope| {
        for registered in TARGETS {
            scope.spawn(|| {
                let bench = Bench::new((registered, &Way::default()), "killed-twice");
                for (_, written) in bench.scopes() {
                    let served = bench.kill(&RUN, At::Write(written), Effect::Before).unwrap();
                    let mut second = bench.project.start(&RUN);
                    // Whatever it has done by now: the third must not need to know.
                    second.outlives(Duration::from_millis(60));
                    second.kill();
                    bench.finish(&served, &RUN, "killed twice");
                }
            });
        }
    });
}

/// Asks a bridge to stop while the target hangs, just after it has written into
/// `written`.
fn asked_to_stop(bench: &Bench, target: &str, written: String) {
    bench.rewind();
    let (reached, events) = channel();
    let (tell, dead) = channel();
    let trip =
        Trip { at: At::Write(written), effect: Effect::Before, reached: reached.clone(), dead };
    let served = Served::start(&bench.project, Some(trip));
    bench.project.aim(&served.url);
    // Longer than it takes to end: no timeout ends the attempt before.
    let patient = json!({ "http": { "write_seconds": 12 } });
    bench.project.also(&json!({ "targets": { (target): patient } }));
    let mut running = bench.project.start_on(&["run"], (reached, events));
    assert!(running.reaches(), "{target} never wrote");
    let id = running.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    // Nobody is answered before the process has ended by itself.
    let ended = running.ended();
    assert_eq!(ended.code, Some(3), "{ended:?}");
    assert!(ended.stderr.contains(&format!("{target}: ended on the way")), "{ended:?}");
    tell.send(()).unwrap();
    let status = bench.project.run(&["status", "--json"]).json(0);
    let scopes = status["scopes"].as_array().unwrap();
    let hit = scopes.iter().find(|scope| scope["target"] == target).unwrap();
    assert_eq!(hit["open_attempts"], 1, "{status}");
    bench.finish(&served, &RUN, "asked to stop");
}

#[test]
fn law_12_asked_to_stop_while_the_target_hangs_it_ends_and_the_next_start_goes_on() {
    std::thread::scope(|scope| {
        for registered in TARGETS {
            scope.spawn(|| {
                let bench = Bench::new((registered, &Way::default()), "asked-to-stop");
                for (target, written) in bench.scopes() {
                    asked_to_stop(&bench, &target, written);
                }
            });
        }
    });
}

#[test]
fn law_4_a_commit_that_arrives_after_its_sender_died_is_never_overtaken() {
    let bench = Bench::new((&TARGETS[0], &Way::default()), "late-commit");
    let served = bench.kill(&RUN, At::Line("commit"), Effect::Late).unwrap();
    // A commit of unknown fate gets its grace before it counts as not taken.
    let grace = json!({ "polling": { "settle_grace_seconds": 600 } });
    bench.project.aim_with(&served.url, &grace);
    bench.finish(&served, &RUN, "a late commit");
}
