//! The JSON of every verb validates against the schema that `schema output VERB`
//! prints: a small history of a plant, told once with `--json`.

use std::{collections::BTreeSet, fs};

use planthread::{cli::outputs::OUTPUTS, registry::TARGETS};
use serde_json::{Value, json};

use crate::{answers::valid, program::Project, site::Site};

/// Answers that other tests read: they take minutes to bring about, a feed that is the
/// whole truth, or a question over a socket.
const ELSEWHERE: [&str; 6] =
    ["attempt end", "drill", "rejects export", "run alert", "run health", "run ready"];
const WHO: &str = "--who mara --why test";

/// A project whose verbs answer in JSON.
struct Told {
    project: Project,
    seen: BTreeSet<String>,
}

impl Told {
    /// A project of the target that is called `name`, in front of its sandbox.
    fn of(name: &str) -> (Self, Site) {
        let target = TARGETS.iter().find(|one| one.target.name == name).unwrap();
        let project = Project::of(target, "verbs");
        let site = Site::of(&project);
        project.aim(&site.url);
        (Self { project, seen: BTreeSet::new() }, site)
    }

    /// Runs a verb, and keeps what its documents call themselves. The last one is
    /// what it has to say.
    #[track_caller]
    fn say(&mut self, command: &str) -> Value {
        let words: Vec<&str> = ["--json"].into_iter().chain(command.split_whitespace()).collect();
        let ended = self.project.run(&words);
        let mut documents = valid(&ended.stdout);
        documents.extend(valid(&ended.stderr));
        self.keep(&documents);
        documents.pop().unwrap_or_else(|| panic!("{command}: {ended:?}"))
    }

    /// Runs a verb, which answers with `output`.
    #[track_caller]
    fn hear(&mut self, output: &str, command: &str) -> Value {
        let said = self.say(command);
        assert_eq!(said["output"], output, "{command}: {said}");
        said
    }

    fn keep(&mut self, documents: &[Value]) {
        let names = documents.iter().filter_map(|one| one["output"].as_str());
        self.seen.extend(names.map(str::to_owned));
    }

    /// Reads what a verb prints that goes on, until it has said all `outputs`.
    fn follow(&mut self, command: &str, outputs: &[&str]) {
        let words: Vec<&str> = ["--json"].into_iter().chain(command.split_whitespace()).collect();
        let mut running = self.project.start(&words);
        while !outputs.iter().all(|output| self.seen.contains(*output)) {
            self.keep(&valid(&running.line()));
        }
        running.kill();
    }
}

#[test]
fn every_answer_is_as_its_schema_says() {
    let mut seen = landed();
    seen.extend(others());
    let of_ours = |output: &&str| !ELSEWHERE.contains(output);
    let never: Vec<&str> = OUTPUTS
        .iter()
        .map(|output| output.name)
        .filter(of_ours)
        .filter(|n| !seen.contains(*n))
        .collect();
    assert!(never.is_empty(), "no verb has said {never:?}");
}

/// SAP IBP, from the configuration to what people decide.
fn landed() -> BTreeSet<String> {
    let (mut told, site) = Told::of("sap-ibp");
    told.hear("init", "init elsewhere");
    for (output, command) in [
        ("validate", "validate"),
        ("setup", "setup"),
        ("check", "check"),
        ("discover", "discover"),
        ("map suggest", "map suggest"),
        ("map coverage", "map coverage"),
        ("schema", "schema"),
        ("schema", "schema output"),
        ("explain", "explain plan_cut"),
        ("error", "explain gremlin"),
        ("ingest", "ingest"),
        ("derive", "derive"),
        ("accuracy", "accuracy press-a --weeks 2"),
        ("plan", "plan"),
        ("apply", "apply"),
        ("verify", "verify"),
        ("status", "status"),
        ("status skew", "status --skew"),
        ("gap", "gap"),
        ("digest", "digest --since 2026-01-01T00:00:00Z"),
        ("asof", "asof 2026-01-01T00:00:00Z --measure live"),
        ("replay", "replay --with planthread.yaml --diff"),
        ("fallback status", "fallback status"),
        ("run once", "run --once"),
        ("attempt list", "attempt list"),
        ("retry", "retry"),
        ("audit", "audit verify"),
        ("audit list", "audit list"),
        ("flows", "flows"),
        ("man", "man pages"),
        ("export", "export csv"),
        ("collect", "collect shared"),
        ("deliver", "deliver shared"),
    ] {
        told.hear(output, command);
    }
    changed(&mut told, &site);
    decided(&mut told);
    audited(&mut told);
    told.follow("run", &["run round", "run target"]);
    told.seen
}

/// Who changed what stands in the audit trail, from the first record on; and what is
/// taken out of it is missed by whoever kept its head.
fn audited(told: &mut Told) {
    let list = told.hear("audit list", "audit list --last 10000");
    let entries = list["entries"].as_array().unwrap();
    let of = |act: &str| -> Vec<&Value> { entries.iter().filter(|e| e["act"] == act).collect() };
    for act in ["ingest", "apply", "send", "sent", "run", "collect", "deliver", "retry", "end"] {
        assert!(!of(act).is_empty(), "no entry of {act}");
    }
    for act in [
        "undo",
        "rejects accept",
        "rejects dismiss",
        "rejects believe",
        "promote",
        "adopt",
        "pause",
        "resume",
        "take-back",
    ] {
        assert!(of(act).iter().all(|entry| entry["who"] == "mara"), "{act}: {:?}", of(act));
        assert!(!of(act).is_empty(), "no entry of {act}");
    }
    assert_eq!(of("release cell")[0]["who"], "ada", "{:?}", of("release cell"));
    assert!(of("plan").is_empty() && of("status").is_empty() && of("audit list").is_empty());
    assert!(entries.iter().all(|entry| entry["account"].as_str().is_some_and(|a| !a.is_empty())));

    let verify = |told: &mut Told, head: &Value| {
        told.hear("audit", &format!("audit verify --head {}", head.as_str().unwrap()))["trail"]
            .clone()
    };
    let head = list["trail"]["head"]["digest"].clone();
    assert!(verify(told, &head)["fault"].is_null());
    let file = told.project.state().join("audit.ndjson");
    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.lines().collect();
    fs::write(&file, lines[..3].join("\n") + "\n").unwrap();
    assert_eq!(verify(told, &head)["fault"]["number"], 4);
    fs::write(&file, whole).unwrap();
    assert!(verify(told, &head)["fault"].is_null());
}

/// What follows from a landed cell, and from one that a person took.
fn changed(told: &mut Told, site: &Site) {
    let history = site.look("/planner/history.json?by=integration&measure=TWINCAPALIVE");
    let landed = &history["changes"][0];
    let text = |name: &str| landed[name].as_str().unwrap().to_owned();
    let (resource, location, week) = (text("resource"), text("location"), text("period"));
    told.hear("derive explain", &format!("derive --explain press-a {week}"));
    told.hear("derive explain measure", &format!("derive --explain press-a {week} --measure live"));
    let cell = format!("ibp/base/{resource}@{location}/{week}/live");
    let traced = told.hear("trace", &format!("trace {cell}"));
    let receipt = traced["attempts"][0]["receipt"]["handle"].as_str();
    let receipt = receipt.unwrap_or_else(|| panic!("no receipt in {traced}")).to_owned();
    let edit = json!({ "resource": resource, "location": location, "period": week,
        "measure": "TWINCAPALIVE", "value": "12.5", "who": "Ada" });
    assert_eq!(site.act("/planner/edit", &edit)["changed"], 1);
    told.hear("verify", "verify");
    told.hear("status", "status");
    told.hear("locks", "locks");
    told.hear("locks xlsx", "locks --xlsx locks.xlsx");
    told.hear("locks answer", "locks answer locks.xlsx --who mara");
    told.hear("release", &format!("release cell {cell} --who ada"));
    told.hear("undo", &format!("undo {receipt} {WHO}"));
    told.hear("plan", "plan");
}

/// What people decide about records, measures and the clock.
fn decided(told: &mut Told) {
    let data = told.project.folder.join("data/twin-events.ndjson");
    let events = fs::read_to_string(data).unwrap();
    let mut event: Value = serde_json::from_str(events.lines().next().unwrap()).unwrap();
    event["time"] = "2026-01-01T00:00:00Z".into();
    let file = told.project.folder.join("second.ndjson");
    fs::write(file, format!("{event}\nno record\n")).unwrap();
    told.hear("ingest", "ingest second.ndjson");
    let list = told.hear("rejects", "rejects");
    let (repeat, refused) = (&list["repeats"][0]["id"], &list["records"][0]["id"]);
    told.hear("rejects xlsx", "rejects --xlsx refused.xlsx");
    told.hear("rejects decided", &format!("rejects accept {repeat} {WHO}"));
    told.hear("rejects dismiss", &format!("rejects dismiss {refused} {WHO}"));
    told.hear("rejects decided", "rejects decided");
    told.hear(
        "rejects believe",
        &format!(
            "rejects believe machine-events --of press-a --from 2026-11-02T06:00:00Z \
             --until 2026-11-02T07:00:00Z {WHO}"
        ),
    );
    told.hear("promote", &format!("promote --measure assumed --until 2099-01-01T00:00:00Z {WHO}"));
    told.hear("adopt", &format!("adopt --measure live {WHO}"));
    told.hear("pause", &format!("pause ibp {WHO}"));
    told.hear("pause", &format!("resume ibp {WHO}"));
    told.hear("backup", "backup --to kept");
    told.hear("restore", &format!("restore --from kept --replace {WHO}"));
    told.hear("fallback feeding", &format!("fallback enter ibp {WHO}"));
    told.hear("fallback feeding", "fallback leave ibp --who Ada");
    told.hear("fallback verify", &format!("fallback verify packs/ibp/current --key {}", "00"));
    told.hear("take-back", &format!("take-back ibp --to 2026-11-01T00:00:00Z {WHO}"));
}

/// Verbs of other targets, and those that need none.
fn others() -> BTreeSet<String> {
    let (mut o9, _site) = Told::of("o9");
    let made = o9.hear("agreement key", "agreement key own.key");
    let shipped = o9.project.folder.join("agreements/o9-sandbox.json");
    let mut draft: Value = serde_json::from_str(&fs::read_to_string(shipped).unwrap()).unwrap();
    draft["document"]["environment"] = "non_production".into();
    fs::write(o9.project.folder.join("draft.json"), draft["document"].to_string()).unwrap();
    o9.hear("agreement sign", "agreement sign draft.json --key own.key -o own.json");
    // What is shipped is enabled; what somebody signs is to be probed first.
    let own = json!({ "file": "own.json", "trusts": { "mara": made["public"] } });
    o9.project.also(&json!({ "targets": { "o9": { "settings": { "agreement": own } } } }));
    o9.hear("agreement status", "agreement verify");
    o9.hear("ingest", "ingest");
    o9.hear("agreement render", "agreement render --draft draft.json");
    o9.hear("agreement probe", "agreement probe --who mara");
    o9.follow("mock o9 --listen 127.0.0.1:0", &["mock"]);
    o9.follow("demo --targets o9 --every 1 --listen 127.0.0.1:0", &["demo", "run once"]);
    let (mut twins, _site) = Told::of("azure-digital-twins");
    twins.hear("setup push", "setup --push");
    &o9.seen | &twins.seen
}
