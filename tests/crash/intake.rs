//! Killed while records come in; one writer at a time.

use std::{fmt::Write as _, fs, time::Duration};

use planthread_engine::{Reader, journal};
use planthread_kit::{Clock as _, SystemClock};

use crate::{
    program::{LIMIT, Project},
    proof,
};

/// Rows of the file: several commits.
const ROWS: u64 = 41_500;
/// Records that the program puts into one commit.
const COMMIT: u64 = 20_000;

/// A project with one long file of counter readings.
fn project(name: &str) -> Project {
    let project = Project::init(name);
    project.aim("http://127.0.0.1:9");
    let mut text = "hour_start,machine,parts_total\n".to_owned();
    let first: jiff::Timestamp = "2020-01-01T00:00:00Z".parse().unwrap();
    for row in 0..ROWS {
        let hour = first + jiff::SignedDuration::from_hours(i64::try_from(row).unwrap());
        writeln!(text, "{hour},press-a,{row}").unwrap();
    }
    fs::write(project.folder.join("long.csv"), text).unwrap();
    project
}

const INGEST: [&str; 5] = ["ingest", "long.csv", "--source", "hourly-counts", "--json"];

/// Records in the journal; 0 before there is one.
fn records(project: &Project) -> u64 {
    let reader = Reader::open(&project.state());
    reader.and_then(|reader| journal::counts(&reader)).map_or(0, |counts| counts.records)
}

/// After a kill: whole commits are there, and the next run adds exactly the
/// rest.
fn finishes(project: &Project, when: &str) {
    let before = records(project);
    assert!(before.is_multiple_of(COMMIT) || before == ROWS, "{when}: {before} records");
    let again = project.run(&INGEST).json(0);
    let file = &again["files"][0];
    assert_eq!(file["taken"], ROWS - before, "{when}: {file}");
    let known = if file["unchanged"] == true { ROWS } else { before };
    assert_eq!(file["duplicates"].as_u64().unwrap().max(known), known, "{when}: {file}");
    assert_eq!(again["journal"]["records"], ROWS, "{when}");
    assert_eq!(again["journal"]["conflicts"], 0, "{when}");
    let third = project.run(&INGEST).json(0);
    assert_eq!(third["files"][0]["unchanged"], true, "{when}: the checkpoint came with them");
    assert_eq!(records(project), ROWS, "{when}");
}

#[test]
fn law_12_killed_at_every_commit_of_the_intake() {
    let project = project("intake-commits");
    for commits in 0..=ROWS / COMMIT {
        let _ = fs::remove_dir_all(project.state());
        let mut victim = project.start(&INGEST);
        // Looks often; how often decides nothing but where exactly it is hit.
        while victim.outlives(Duration::from_millis(2)) {
            if records(&project) >= commits * COMMIT {
                break;
            }
        }
        // After the last commit it may be over by itself: both are fine.
        victim.kill();
        finishes(&project, &format!("killed after {commits} commits"));
    }
}

#[test]
fn law_12_killed_after_a_ladder_of_times_in_the_intake() {
    const RUNGS: u32 = 6;
    let project = project("intake-moments");
    let clock = SystemClock::new();
    let started = clock.now();
    project.run(&INGEST).must(0);
    let whole = clock.now().duration_since(started).unsigned_abs();
    for rung in 1..=RUNGS {
        fs::remove_dir_all(project.state()).unwrap();
        let mut victim = project.start(&INGEST);
        let wait = whole * rung / RUNGS;
        // On a busy machine it may be over sooner or later: both are fine.
        if victim.outlives(wait) {
            victim.kill()
        } else {
            victim.ended()
        };
        finishes(&project, &format!("killed after {wait:?} of {whole:?}"));
    }
}

#[test]
fn a_second_writer_is_refused_with_the_pid_and_a_dead_one_stands_in_nobodys_way() {
    let project = Project::init("second-writer");
    project.aim("http://127.0.0.1:9");
    // It waits for its standard input, and writes the state meanwhile.
    let mut holder = project.start(&["ingest", "-"]);
    let input = holder.stdin();
    let pid = holder.id().to_string();
    let (clock, lock) = (SystemClock::new(), project.state().join("lock"));
    let give_up = clock.now() + LIMIT;
    let writes = || fs::read_to_string(&lock).unwrap_or_default().contains(&pid);
    while !writes() || Reader::open(&project.state()).is_err() {
        assert!(clock.now() < give_up && holder.outlives(Duration::from_millis(5)), "no lock");
    }
    let refused = project.run(&["ingest"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains(&pid) && refused.stderr.contains("cure:"), "{refused:?}");
    let beside = project.run(&["status", "--json"]).json(0);
    assert_eq!(beside["journal"]["records"], 0);
    proof::killed(&holder.kill(), "the holder");
    drop(input);
    let taken = project.run(&["ingest", "--json"]).json(0);
    assert!(taken["journal"]["records"].as_u64().unwrap() > 1_000, "{taken}");
}
