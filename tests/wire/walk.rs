//! The README's walk, from an empty folder to a number in the planner's grid:
//! each command with its exit code and the words that matter.

use std::fs;

use serde_json::json;

use crate::{program::Project, site::Site};

struct Walk {
    project: Project,
    site: Site,
}

impl Walk {
    fn begin(name: &str, site: &[&str]) -> Self {
        let project = Project::init(name);
        let site = Site::start(&project, site);
        // The README's port may be taken on this machine.
        let file = project.folder.join("planthread.yaml");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace("http://127.0.0.1:9101", &site.url)).unwrap();
        Self { project, site }
    }

    /// Runs a command of the README; its answer must hold all `words`.
    #[track_caller]
    fn step(&self, command: &str, code: i32, words: &[&str]) -> String {
        let arguments: Vec<&str> = command.split(' ').collect();
        let ended = self.project.plain(&arguments).ended();
        assert_eq!(ended.code, Some(code), "{command}: {ended:?}");
        // The first records begin the state, and that is said.
        let begun = command == "ingest"
            && ended.stderr.lines().count() == 1
            && ended.stderr.starts_with("note: a new state begins in ");
        assert!(begun || ended.stderr.is_empty(), "{command}: {}", ended.stderr);
        for word in words {
            assert!(ended.stdout.contains(word), "{command}: no `{word}` in\n{}", ended.stdout);
        }
        ended.stdout
    }

    /// As far as the README goes before the planner looks.
    fn land(&self) {
        self.step("validate", 0, &["ok", "4 resources", "sap-ibp"]);
        self.step("setup ibp", 0, &["TWINCAPALIVE", "[ ]", "check ibp"]);
        self.step("check ibp", 0, &["[x]", "proven", "need one landing", "a signature"]);
        self.step("ingest", 0, &["new records", "The journal holds"]);
        self.step("plan", 0, &["cells to send", "LINE-1@1010", "Expected at the target"]);
        self.step("apply", 0, &["accepted, 0 refused, 0 unproven", "as wanted"]);
        self.step("status", 0, &["Journal:", "ibp / base", "PROCESSED"]);
        self.step("verify", 0, &["read back", "as wanted"]);
        self.step("check ibp", 0, &["one value a week, and nothing finer", "landed and read back"]);
    }
}

#[test]
fn from_an_empty_folder_to_a_number_in_the_planners_grid() {
    let walk = Walk::begin("walk", &[]);
    walk.land();
    let history = walk.site.look("/planner/history.json?by=integration&measure=TWINCAPALIVE");
    let landed = history["changes"][0].clone();
    let grid = walk.site.look("/planner/data.json?resource=LINE-1&location=1010");
    let measures = grid["measures"].as_array().unwrap();
    let live = measures.iter().find(|measure| measure["id"] == "TWINCAPALIVE").unwrap();
    assert!(live["cells"].as_array().unwrap().iter().any(|cell| cell["v"].is_string()), "{live}");
    assert_eq!(landed["by"], "integration", "{landed}");
    walk.step("plan", 0, &["Nothing to send"]);
    let week = landed["period"].as_str().unwrap();
    walk.step(&format!("derive --explain press-a {week}"), 0, &["press-a", week]);
    let risk = "planthread.maintenance-risk-horizon.v1";
    let signals = walk.step("derive --signals", 0, &[risk, "planthread.constraint-severity.v1"]);
    let mut events = signals.lines().map(|line| serde_json::from_str(line).unwrap());
    let event: serde_json::Value =
        events.find(|event: &serde_json::Value| event["type"] == risk).unwrap();
    let foretold = event["data"]["period"].as_str().unwrap();
    let explain = format!("derive --explain weld-a {foretold} --measure risk");
    walk.step(&explain, 0, &["Hours at risk", "LINE-3@1010", "Rounded once"]);
    let resource = landed["resource"].as_str().unwrap();
    let location = landed["location"].as_str().unwrap();
    let cell = format!("ibp/base/{resource}@{location}/{week}/live");
    walk.step(&format!("trace {cell}"), 0, &[resource, "seen", "PROCESSED"]);
    walk.step("run --once", 0, &["0 new records", "nothing to send"]);
    walk.step("rejects", 0, &["Nothing is refused"]);
}

#[test]
fn a_persons_edit_is_a_lock_and_a_nightly_job_is_one_question() {
    let walk = Walk::begin("walk-person", &["--with", "nightly-overwrites-bridge"]);
    walk.land();
    let history = walk.site.look("/planner/history.json?by=integration&measure=TWINCAPALIVE");
    let cell = &history["changes"][0];
    let edit = json!({ "resource": cell["resource"], "location": cell["location"],
        "period": cell["period"], "measure": "TWINCAPALIVE", "value": "12.5", "who": "Ada" });
    assert_eq!(walk.site.act("/planner/edit", &edit)["changed"], 1);
    let (resource, week) = (cell["resource"].as_str().unwrap(), cell["period"].as_str().unwrap());
    walk.step("verify", 0, &["locked", resource, week, "there is 12.5"]);
    // What is told of the group lands: a person set the value that stands there.
    walk.step("plan", 0, &["2 cells to send", "status", "covered", "held 1: lock"]);
    let locked = "1 cell locked by a person at the target until ";
    walk.step("status", 0, &[locked, "12.5 stands there"]);
    walk.step("apply", 0, &["cells sent", locked]);
    walk.step("run --once", 0, &[locked]);
    walk.step("verify", 0, &[locked]);

    let changed = walk.site.act("/planner/nightly", &json!({}))["changed"].as_u64().unwrap();
    assert!(changed > 100, "{changed}");
    walk.step("verify", 1, &["case"]);
    let status = walk.step("status --json", 1, &["cases"]);
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    let open = status["cases"].as_array().unwrap().iter().filter(|case| case["closed"].is_null());
    assert_eq!(open.count(), 1, "one question, not one for each cell: {}", status["cases"]);
    assert_eq!(status["scopes"][0]["locks"], 1, "only the person's cell is locked");
}
