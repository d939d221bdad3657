//! `--log-format json`: every line of a bridge that runs is one object, and none
//! holds a secret.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    process::{Child, Command, Stdio},
};

use serde_json::{Value, json};

use crate::{program::Project, site::Site};

/// How the password may show: itself, in JSON, in an address, in the header.
const SHAPES: [&str; 4] = [
    "k7#Wq/9\"zR+p=",
    "k7#Wq/9\\\"zR+p=",
    "k7%23Wq/9%22zR%2Bp%3D",
    "cGxhbnRocmVhZDprNyNXcS85InpSK3A9",
];

/// A child that is killed when it is dropped.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn parsed(line: &str) -> Value {
    serde_json::from_str(line).unwrap_or_else(|error| panic!("{error} in {line}"))
}

#[test]
fn every_line_of_a_bridge_is_one_object_and_holds_no_secret() {
    let project = Project::init("logs");
    let site = Site::of(&project);
    project.aim(&site.url);
    project.also(&json!({ "run": { "every_seconds": 1 } }));
    // Not the sandbox's: it is sent, and refused.
    fs::write(project.folder.join("secrets/sandbox-password"), SHAPES[0]).unwrap();
    let child = Command::new(env!("CARGO_BIN_EXE_planthread"))
        .args(["--profile", "test", "--log-format", "json", "-vv", "run"])
        .current_dir(&project.folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut child = Killed(child);
    let mut lines = BufReader::new(child.0.stderr.take().unwrap()).lines().map(Result::unwrap);
    let mut all: Vec<String> = Vec::new();
    // A cycle of the target, and a request from inside.
    let (mut cycle, mut inside) = (None, None);
    while cycle.is_none() || inside.is_none() {
        let line = lines.next().expect("it ended, and had not told enough");
        let one = parsed(&line);
        let (from_inside, target) = (one["module"].is_string(), one["target"].as_str());
        match (from_inside, target) {
            (false, Some("ibp")) => cycle = Some(one.clone()),
            (true, _) => inside = Some(one.clone()),
            (false, _) => {}
        }
        assert!(one["time"].as_str().unwrap().parse::<jiff::Timestamp>().is_ok(), "{line}");
        let level = one["level"].as_str().unwrap();
        assert!(["debug", "info", "warn", "error"].contains(&level), "{line}");
        assert!(one["what"].is_string(), "{line}");
        all.push(line);
    }
    let (cycle, inside) = (cycle.unwrap(), inside.unwrap());
    assert_eq!(cycle["level"], "warn", "it was let in by nobody: {cycle}");
    assert!(inside["fields"].is_object(), "{inside}");
    let _ = child.0.kill();
    let mut stdout = String::new();
    child.0.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
    assert_eq!(stdout, "", "the log is on standard error");
    let told = all.iter().filter(|line| SHAPES.iter().any(|shape| line.contains(shape)));
    assert_eq!(told.collect::<Vec<_>>(), Vec::<&String>::new());
}
