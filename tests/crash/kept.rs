//! Backup and restore with real processes: killed at any point, there is none or
//! all of a backup, and the state before or all of the other one; and an old
//! backup before a target that has moved on.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;

use crate::{
    continuity::{EARLY, LATE, RUN, begin, equal, written},
    program::{Project, copy, pause},
    proof::balanced,
    sandbox::Served,
};

const WHO: [&str; 4] = ["--who", "Ada", "--why", "the disk broke"];
/// After so many milliseconds a process is killed; the last of them is over before.
const LADDER: [u64; 12] = [0, 2, 5, 10, 15, 20, 30, 40, 60, 90, 150, 2_000];

fn put_back<'a>(state: &'a str, from: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    [&["--state", state, "restore", "--from", from], &WHO[..], more].concat()
}

/// Revisions that a state ever made; its books balance.
fn made(project: &Project, state: &str) -> i64 {
    let audit = project.run(&["--state", state, "audit", "verify", "--json"]).json(0);
    assert_eq!(audit["made"], audit["counted"], "{audit}");
    audit["made"].as_i64().unwrap()
}

fn place(project: &Project, name: &str) -> PathBuf {
    project.folder.join(name)
}

/// A project that landed, was backed up as `first`, and landed something else since.
fn moved_on(name: &str) -> (Project, Served) {
    let (mut project, served, _) = begin(name);
    project.run(&RUN).must(0);
    project.run(&["backup", "--to", "first"]).must(0);
    project.rewrite(LATE, EARLY);
    project.aim(&served.url);
    project.run(&RUN).must(0);
    (project, served)
}

#[test]
fn killed_while_it_is_made_there_is_none_of_a_backup_or_all() {
    let (project, _served) = moved_on("killed-backup");
    let all = made(&project, "planthread-state");
    let mut whole = 0;
    for (number, wait) in LADDER.into_iter().enumerate() {
        let (to, other) = (format!("kept-{number}"), format!("other-{number}"));
        let mut killed = project.start(&["backup", "--to", &to]);
        pause(Duration::from_millis(wait));
        killed.kill();
        if place(&project, &to).exists() {
            whole += 1;
        } else {
            project.run(&["backup", "--to", &to]).must(0);
        }
        project.run(&put_back(&other, &to, &[])).must(0);
        assert_eq!(made(&project, &other), all, "killed after {wait} ms");
    }
    assert!(whole > 0, "the last one had time");
}

#[test]
fn killed_while_it_is_put_back_one_of_two_states_is_there_and_whole() {
    let (project, _served) = moved_on("killed-restore");
    let new = made(&project, "planthread-state");
    project.run(&put_back("alone", "first", &[])).must(0);
    let old = made(&project, "alone");
    assert!(old < new, "{old} and {new}");
    for (number, wait) in LADDER.into_iter().enumerate() {
        let state = format!("killed-{number}");
        copy(&project.state(), &place(&project, &state));
        let mut killed = project.start(&put_back(&state, "first", &["--replace"]));
        pause(Duration::from_millis(wait));
        killed.kill();
        // Who writes carries on what was decided.
        project.run(&["--state", &state, "ingest"]).must(0);
        let found = made(&project, &state);
        assert!(found == old || found == new, "killed after {wait} ms: {found}");
        let kept = kept_aside(&place(&project, &state));
        assert_eq!(kept.is_some(), found == old, "killed after {wait} ms: {kept:?}");
        if let Some(kept) = kept {
            assert_eq!(made(&project, &kept), new, "what was there is whole");
        }
        if wait == LADDER[LADDER.len() - 1] {
            assert_eq!(found, old, "the last one had time");
        }
    }
}

/// The folder that holds the state before.
fn kept_aside(state: &Path) -> Option<String> {
    let entries = std::fs::read_dir(state).unwrap().map(|entry| entry.unwrap().path());
    let aside = |path: &PathBuf| path.file_name().unwrap().to_string_lossy().starts_with("repl");
    entries.into_iter().find(aside).map(|path| path.to_str().unwrap().to_owned())
}

#[test]
fn law_20_an_old_backup_before_a_target_that_moved_on_lands_again() {
    let (mut project, served, wanted) = begin("old-backup");
    project.run(&RUN).must(0);
    project.run(&["backup", "--to", "first"]).must(0);
    project.rewrite(LATE, EARLY);
    project.aim(&served.url);
    let before = written(&served);
    project.run(&RUN).must(0);
    assert!(written(&served) > before);
    // The disk breaks; the backup is put back, and so is the configuration.
    project.rewrite(EARLY, LATE);
    project.aim(&served.url);
    let refused = project.run(&put_back("planthread-state", "first", &[]));
    assert_eq!(refused.code, Some(2), "{refused:?}");
    let put = [&put_back("planthread-state", "first", &["--replace"])[..], &["--json"]].concat();
    let done = project.run(&put).json(0);
    assert!(done["expired"].as_u64().unwrap() > 100, "{done}");
    assert!(done["guards"][0]["continuity"]["broken"].is_object(), "{done}");
    let said = project.run(&["status"]).must(1);
    assert!(said.contains("from the backup of") && said.contains("Ada: the disk broke"), "{said}");
    let before = written(&served);
    // All of it lands; that somebody put a copy back still waits for a person.
    project.run(&RUN).must(1);
    assert!(written(&served) > before, "what had moved on is repaired");
    let status: Value = project.run(&["status", "--json"]).json(1);
    assert_eq!(status["scopes"][0]["wanted"], status["scopes"][0]["seen"], "{status}");
    assert_eq!(status["guards"][0]["continuity"], "proven", "{status}");
    assert_eq!(status["locks"].as_array().unwrap().len(), 0, "{status}");
    equal(&wanted, &served, "restored");
    balanced(&project, "restored");
    // Nothing is sent twice.
    let before = written(&served);
    project.run(&RUN).must(1);
    equal(&wanted, &served, "once more");
    let beats = written(&served) - before;
    assert!(beats < 20, "only heartbeats go out again: {beats}");
}

#[test]
fn what_came_in_since_a_backup_is_read_again_from_its_file() {
    let project = Project::init("read-again");
    let run = |words: &[&str]| project.plain(words).ended();
    let records = || {
        run(&["ingest"]).must(0);
        let audit = run(&["audit", "verify", "--json"]).json(0);
        audit["records"].as_u64().unwrap()
    };
    let before = records();
    run(&["backup", "--to", "first"]).must(0);
    let file = place(&project, "data/twin-events.ndjson");
    let text = std::fs::read_to_string(&file).unwrap();
    let mut event: Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
    event["id"] = "one-more".into();
    std::fs::write(&file, format!("{text}{event}\n")).unwrap();
    assert_eq!(records(), before + 1);
    let put = [&["restore", "--from", "first", "--replace"][..], &WHO].concat();
    run(&put).must(0);
    assert_eq!(records(), before + 1, "nothing is lost, and nothing doubled");
}
