//! A target whose vendor publishes no write: without an agreement everything
//! works but the write, with one it lands, and one that does not hold stops it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    sync::{Arc, Mutex},
    time::Duration,
};

use jiff::Timestamp;
use planthread::{
    config,
    failure::Exit,
    in_process::InProcess,
    pipeline::{Bridge, Course, Draft, Opener, TargetCycle, Transports, enable, looked, standing},
    registry,
    sandbox::shape_of,
    starter::Starter,
};
use planthread_contracts::{Period, PeriodKind};
use planthread_engine::{status, verify::Which};
use planthread_kit::{
    Clock, VirtualClock,
    agreement::{Agreement, SigningKey, State, document::Signed, gate::sign},
};
use planthread_mocks::{Fault, Faulty, Rule, Setup, Simulator, faults::When};
use rust_decimal::Decimal;
use serde_json::{Value, json};

mod statements;
mod told;

const TARGET: &str = "o9";
const AGREEMENT: &str = "agreements/o9-sandbox.json";

/// The starting point of the target in a folder of its own, before its sandbox.
struct Site {
    folder: PathBuf,
    clock: VirtualClock,
    sandbox: Arc<Mutex<Box<dyn Simulator>>>,
}

impl Site {
    fn new(name: &str, on: &[&str]) -> Self {
        Self::with(name, on, &[])
    }

    fn with(name: &str, on: &[&str], options: &[(&str, &str)]) -> Self {
        let folder = std::env::temp_dir().join(format!("planthread-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let now: Timestamp = "2026-11-25T06:10:00Z".parse().unwrap();
        let found = registry::chosen(&[TARGET.to_owned()]).unwrap();
        Starter::new(&folder, now).write(now, &[(found[0], None)]).unwrap();
        let on = on.iter().map(|name| (*name).to_owned()).collect();
        let sandbox = (found[0].sandbox.build)(&setup(options, on)).unwrap();
        Self { folder, clock: VirtualClock::new(now, 7), sandbox: Arc::new(Mutex::new(sandbox)) }
    }

    /// Somebody puts the tenant right: none of its traps is left, nor what landed.
    fn put_right(&self) {
        self.put_wrong(&[]);
    }

    /// The tenant is another one, with these traps.
    fn put_wrong(&self, on: &[&str]) {
        let found = registry::chosen(&[TARGET.to_owned()]).unwrap();
        let on = on.iter().map(|name| (*name).to_owned()).collect();
        *self.sandbox.lock().unwrap() = (found[0].sandbox.build)(&setup(&[], on)).unwrap();
    }

    fn bridge(&self) -> Bridge {
        let clock: Arc<dyn Clock> = Arc::new(self.clock.clone());
        let wire = InProcess::new(self.sandbox.clone(), Arc::clone(&clock));
        let wires = Transports::from([(TARGET.to_owned(), Arc::new(wire) as Arc<_>)]);
        let loaded = config::load(&self.folder.join("planthread.yaml"), None).unwrap();
        Bridge::open(loaded, Arc::clone(&clock), Opener::with(clock, wires)).unwrap()
    }

    /// Plans what the factory says and sends it, as `apply` does.
    fn apply(&self) -> TargetCycle {
        let bridge = self.bridge();
        bridge.ingest().unwrap();
        let target = bridge.target(Some(TARGET)).unwrap();
        let truth = bridge.truth(bridge.as_of()).unwrap();
        let course =
            Course::Land { truth: &truth, only_unmoved: false, read_back: Which::Unproven };
        self.clock.block_on(bridge.walk(&target, course))
    }

    /// Cells that came through the interface.
    fn landed(&self) -> usize {
        let stored = self.sandbox.lock().unwrap().stored();
        stored.iter().filter(|cell| cell.writer.kind() == "integration").count()
    }

    fn edit(&self, file: &str, change: impl FnOnce(String) -> String) {
        let file = self.folder.join(file);
        let text = change(fs::read_to_string(&file).unwrap());
        fs::write(file, text).unwrap();
    }

    /// Signs the agreement anew, changed, with a key that the configuration trusts.
    fn sign(&self, change: impl FnOnce(&mut Value)) {
        let key = SigningKey::read(&"5".repeat(64)).unwrap();
        self.edit(AGREEMENT, |text| {
            let mut document = serde_json::from_str::<Signed>(&text).unwrap().document;
            change(&mut document);
            serde_json::to_string(&sign(document, &key)).unwrap()
        });
        self.edit("planthread.yaml", |text| {
            let demo = SigningKey::demo().unwrap().public();
            text.replace(&demo, &key.public())
        });
    }

    fn state(&self) -> State {
        standing(&self.bridge().target(Some(TARGET)).unwrap(), self.clock.now()).unwrap().state
    }

    /// Why nothing was sent, in an apply that did all the rest.
    fn refused(&self) -> String {
        let before = self.landed();
        let done = self.apply();
        let stopped = done.stopped.unwrap();
        assert_eq!(stopped.exit, Exit::Held, "{}", stopped.message);
        assert!(!stopped.cure.is_empty(), "it says what to do");
        assert!(done.plan.unwrap().header.counts.cells > 100, "it is planned");
        assert!(done.applied.is_none() && self.landed() == before, "and not sent");
        assert!(done.pack.unwrap().cells > 100, "and packed for the way by hand");
        stopped.message
    }
}

/// What the demo starts the sandbox with, and these options instead of its own.
fn setup(options: &[(&str, &str)], on: Vec<String>) -> Setup {
    let demo = registry::chosen(&[TARGET.to_owned()]).unwrap()[0].sandbox.demo;
    let own = demo.iter().filter(|(name, _)| options.iter().all(|(other, _)| other != name));
    let all = own.chain(options).map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
    Setup { options: all.collect(), on, ..Setup::default() }
}

#[test]
fn a_team_rehearses_with_the_names_of_its_own_tenant() {
    let site = Site::new("names", &[]);
    let theirs = |text: &str| {
        text.replace("1234", "77").replace("TwinSignals", "Twins 2027").replace("LINE-", "ACME ")
    };
    site.edit("planthread.yaml", |text| {
        let own = [("PlanthreadDemo", "AcmePlan"), ("Capacity Plan", "Line Plan")];
        let own = own.iter().fold(theirs(&text), |text, (from, to)| text.replace(from, to));
        own.replace("Twin Capacity Live", "Acme Live")
            .replace("surface: Capacity,", "surface: Rated,")
    });
    site.sign(|document| {
        *document = serde_json::from_str(&theirs(&document.to_string())).unwrap();
    });
    let built = || {
        let loaded = config::load(&site.folder.join("planthread.yaml"), None).unwrap();
        let shape = Some(shape_of(TARGET, &loaded.config.targets[TARGET]));
        let found = registry::chosen(&[TARGET.to_owned()]).unwrap();
        (found[0].sandbox.build)(&Setup { shape, ..Setup::default() })
    };
    *site.sandbox.lock().unwrap() = built().unwrap();
    let bridge = site.bridge();
    let target = bridge.target(Some(TARGET)).unwrap();
    let found = site.clock.block_on(target.connector.discover()).unwrap();
    let wrong: Vec<_> = found.findings.iter().filter(|finding| !finding.ok).collect();
    assert!(wrong.is_empty(), "{wrong:?}");
    assert_eq!((found.resources.len(), found.scopes), (4, vec!["Twins 2027".to_owned()]));
    drop((target, bridge));
    let done = site.apply();
    assert!(done.stopped.is_none(), "{:?}", done.stopped);
    let stored = site.sandbox.lock().unwrap().stored();
    let ours = stored.iter().filter(|cell| cell.writer.kind() == "integration");
    let names: BTreeSet<_> = ours.map(|cell| cell.measure.as_str()).collect();
    assert!(names.contains("Acme Live") && !names.contains("Twin Capacity Live"), "{names:?}");
    // What it has no other name for is said, and not taken for something else.
    site.edit("planthread.yaml", |text| text.replace("{yyyy}{ww}{part}", "{yyyy}-{ww}{part}"));
    let refused = built().err().unwrap().to_string();
    assert!(refused.contains("model.time.member"), "{refused}");
}

#[test]
fn without_an_agreement_everything_works_but_the_write() {
    let site = Site::new("unverified", &[]);
    let signed = fs::read_to_string(site.folder.join("planthread.yaml")).unwrap();
    site.edit("planthread.yaml", |text| {
        let (head, rest) = text.split_once("      agreement:\n").unwrap();
        let (_, tail) = rest.split_once("    # What lands").unwrap();
        format!("{head}\n    # What lands{tail}")
    });
    assert!(site.refused().contains("unverified"));
    // With the signed one it lands.
    fs::write(site.folder.join("planthread.yaml"), &signed).unwrap();
    let done = site.apply();
    assert!(done.stopped.is_none(), "{:?}", done.stopped);
    let applied = done.applied.unwrap();
    assert!(applied.accepted > 100 && applied.accepted == applied.sent);
    assert_eq!(site.landed() as u64, applied.sent);
    // Altered, it stops.
    site.edit(AGREEMENT, |text| text.replace("36.50", "36.51"));
    site.clock.advance(Duration::from_secs(7 * 86_400));
    assert!(site.refused().contains("altered"));
}

#[test]
fn an_expired_one_stops_and_a_new_one_goes_on() {
    let site = Site::new("expired", &[]);
    site.sign(|document| document["approved"]["expires"] = json!("2026-11-25T00:00:00Z"));
    assert_eq!(site.state(), State::Suspended);
    assert!(site.refused().contains("expired on 2026-11-25"));
    site.sign(|document| document["approved"]["expires"] = json!("2026-11-25T06:30:00Z"));
    // It may also end while a bridge runs: the gate asks the clock at each write.
    let bridge = site.bridge();
    let target = bridge.target(Some(TARGET)).unwrap();
    let truth = bridge.truth(bridge.as_of()).unwrap();
    site.clock.advance(Duration::from_secs(3_600));
    let course = Course::Land { truth: &truth, only_unmoved: false, read_back: Which::Unproven };
    let done = site.clock.block_on(bridge.walk(&target, course));
    assert!(done.stopped.unwrap().message.contains("expired"));
    assert_eq!(site.landed(), 0);
}

#[test]
fn a_tenant_is_probed_by_one_person_and_enabled_by_another_before_anything_else_lands() {
    let site = Site::new("probed", &[]);
    site.sign(|document| document["environment"] = json!("non_production"));
    assert_eq!(site.state(), State::Contracted);
    assert!(site.refused().contains("nobody probed it"));
    let bridge = site.bridge();
    let probed = site.clock.block_on(bridge.probe(Some(TARGET), "Bea")).unwrap();
    drop(bridge);
    assert_eq!((probed.agreement.state, probed.seen), (State::Probed, probed.cells.len()));
    assert_eq!(site.landed(), probed.cells.len(), "the cell groups of the probe, no more");
    assert!(probed.beside > 0 && probed.changed.is_empty(), "{probed:?}");
    assert!(site.refused().contains("Bea probed it"));
    let target = site.bridge().target(Some(TARGET)).unwrap();
    enable(&target, "Ada", site.clock.now()).unwrap();
    assert_eq!(site.state(), State::Enabled);
    assert!(site.apply().stopped.is_none());
    assert!(site.landed() > 100);
    // Another agreement has no evidence, whatever was said of the one before.
    site.sign(|document| document["limits"]["rows"] = json!(100));
    assert_eq!(site.state(), State::Contracted);
    let none = enable(&site.bridge().target(Some(TARGET)).unwrap(), "Ada", site.clock.now());
    assert_eq!(none.unwrap_err().exit, Exit::Held);
}

#[test]
fn a_read_back_that_contradicts_it_suspends_until_a_probe_proves_it_anew() {
    let site = Site::with("contradicted", &["assortment-mask"], &[("resources", "4")]);
    site.sign(|document| document["environment"] = json!("non_production"));
    // One bridge, opened once, as in `run`.
    let bridge = site.bridge();
    bridge.ingest().unwrap();
    let target = bridge.target(Some(TARGET)).unwrap();
    let probe = || site.clock.block_on(bridge.probe(Some(TARGET), "Bea")).unwrap().agreement.state;
    let state = || standing(&target, site.clock.now()).unwrap();
    let land = || {
        let truth = bridge.truth(bridge.as_of()).unwrap();
        let read_back = Which::Unproven;
        let course = Course::Land { truth: &truth, only_unmoved: false, read_back };
        site.clock.block_on(bridge.walk(&target, course))
    };
    assert_eq!(probe(), State::Probed);
    assert!(land().stopped.unwrap().message.contains("Bea probed it"));
    enable(&target, "Ada", site.clock.now()).unwrap();
    let done = land();
    assert!(done.stopped.is_none() && done.applied.unwrap().accepted > 100, "without a restart");
    assert_eq!(state().state, State::Enabled, "the target may still be busy");
    site.clock.advance(Duration::from_secs(1_200));
    let done = land();
    let stopped = done.stopped.unwrap().message;
    assert!(done.applied.is_none() && stopped.contains("taken and are not there"), "{stopped}");
    assert_eq!(state().state, State::Suspended);
    let anew = standing(&bridge.target(Some(TARGET)).unwrap(), site.clock.now()).unwrap();
    assert_eq!(anew.state, State::Suspended, "a restart changes nothing");
    assert_eq!(probe(), State::Suspended, "it swallows the probe, too");
    site.put_right();
    site.clock.advance(Duration::from_secs(1_200));
    assert_eq!(probe(), State::Probed, "and whoever enabled it before decides again");
}

#[test]
fn two_writes_in_a_row_that_it_does_not_explain_suspend_it() {
    let site = Site::new("surprised", &[]);
    let sandbox = std::mem::replace(&mut *site.sandbox.lock().unwrap(), {
        let found = registry::chosen(&[TARGET.to_owned()]).unwrap();
        (found[0].sandbox.build)(&setup(&[], Vec::new())).unwrap()
    });
    // The tenant's rule takes the rows, and answers in another form.
    let renamed = Rule {
        fault: Fault::RenameField { from: "Status".to_owned(), to: "State".to_owned() },
        matches: Some("PlanthreadCapacity".to_owned()),
        when: When::Range(1, 1_000),
    };
    *site.sandbox.lock().unwrap() = Box::new(Faulty::new(sandbox, [renamed], 1));
    let surprised = || {
        let stopped = site.apply().stopped.unwrap();
        site.clock.advance(Duration::from_secs(3_600));
        stopped.message
    };
    let first = surprised();
    assert!(first.contains("not as agreed"), "{first}");
    assert_eq!(site.state(), State::Enabled, "once may be somebody in between");
    surprised();
    assert_eq!(site.state(), State::Suspended);
    let refused = surprised();
    assert!(refused.contains("a second write met what it does not explain"), "{refused}");
}

#[test]
fn another_model_than_the_probed_one_suspends_it() {
    let site = Site::new("remodelled", &[]);
    site.sign(|document| document["environment"] = json!("non_production"));
    let bridge = site.bridge();
    bridge.ingest().unwrap();
    let target = bridge.target(Some(TARGET)).unwrap();
    let standing = || standing(&target, site.clock.now()).unwrap();
    let probe = || site.clock.block_on(bridge.probe(Some(TARGET), "Bea")).unwrap().agreement.state;
    assert_eq!(probe(), State::Probed);
    enable(&target, "Ada", site.clock.now()).unwrap();
    let mut found = site.clock.block_on(target.connector.discover()).unwrap();
    looked(&target, &mut found, site.clock.now()).unwrap();
    assert_eq!(standing().state, State::Enabled, "it offers what it did: {}", standing());
    // The tenant's model is another one by now.
    found.fingerprint = "another".to_owned();
    looked(&target, &mut found, site.clock.now()).unwrap();
    assert_eq!(standing().state, State::Suspended);
    assert!(standing().missing.contains("offers something else than when it was probed"));
    let line = found.findings.iter().find(|finding| finding.line == "agreement").unwrap();
    assert!(!line.ok && line.text.starts_with("suspended"), "{line:?}");
    drop((target, bridge));
    assert!(site.refused().contains("suspended"));
}

#[test]
fn what_would_go_out_is_shown_before_anything_may() {
    let site = Site::new("shown", &[]);
    let shipped = site.folder.join("agreements/o9-sandbox.json");
    let draft: Signed = serde_json::from_str(&fs::read_to_string(shipped).unwrap()).unwrap();
    let draft: Agreement = serde_json::from_value(draft.document).unwrap();
    site.sign(|document| document["environment"] = json!("production"));
    let bridge = site.bridge();
    bridge.ingest().unwrap();
    let draft = Draft { file: "draft.json".into(), agreement: draft };
    let of = |draft| site.clock.block_on(bridge.render(Some(TARGET), draft)).unwrap();
    let (signed, by_draft) = (of(None), of(Some(&draft)));
    assert_eq!(signed.agreement.state, State::Contracted);
    assert_eq!(signed.requests, by_draft.requests);
    assert_eq!(by_draft.draft.as_deref(), Some(draft.agreement.agreement.as_str()));
    assert!(site.sandbox.lock().unwrap().history().is_empty(), "nothing went out");
    // What goes out with the probe differs in the name of the attempt alone.
    let probed = site.clock.block_on(bridge.probe(Some(TARGET), "Bea")).unwrap();
    assert_eq!(probed.cells[..signed.cells.len()], signed.cells);
    let [request] = &signed.requests[..] else { panic!("{:?}", signed.requests) };
    let rows = request.body.to_string();
    assert!(rows.contains("ATTEMPT-0") && !rows.contains("ApiKey"), "{rows}");
    let stored = site.sandbox.lock().unwrap().stored();
    let shown = |value: Decimal| rows.contains(&value.normalize().to_string());
    let landed = stored.iter().filter(|cell| cell.writer.kind() == "integration");
    assert!(landed.filter(|cell| shown(cell.value)).count() >= signed.cells.len(), "{rows}");
}

#[test]
fn a_probe_that_reads_back_something_else_proves_nothing() {
    let site = Site::new("swallowed", &["assortment-mask", "active-rule-overwrites"]);
    site.sign(|document| document["environment"] = json!("production"));
    // The rule caps what the ERP has no capacity for.
    let bridge = site.bridge();
    bridge.ingest().unwrap();
    let probed = site.clock.block_on(bridge.probe(Some(TARGET), "Bea")).unwrap();
    drop(bridge);
    assert!(probed.seen < probed.cells.len(), "{probed:?}");
    assert_eq!(site.state(), State::Contracted);
    assert!(site.refused().contains("nobody probed it"), "and the permit is gone");
}

#[test]
fn what_the_target_offers_is_looked_at_once_a_day_before_a_write() {
    let site = Site::new("looked", &[]);
    site.sign(|document| document["environment"] = json!("non_production"));
    let bridge = site.bridge();
    bridge.ingest().unwrap();
    site.clock.block_on(bridge.probe(Some(TARGET), "Bea")).unwrap();
    enable(&bridge.target(Some(TARGET)).unwrap(), "Ada", site.clock.now()).unwrap();
    drop(bridge);
    // As if the model had been another one when it was probed.
    site.edit("agreements/o9-sandbox.evidence.json", |text| {
        let mut evidence: Value = serde_json::from_str(&text).unwrap();
        evidence["surface"] = json!("another");
        evidence.to_string()
    });
    assert!(site.apply().stopped.is_none(), "it was looked at today");
    let before = site.landed();
    site.clock.advance(Duration::from_secs(25 * 3_600));
    assert!(site.refused().contains("offers something else"));
    assert_eq!((site.landed(), site.state()), (before, State::Suspended));
}

#[test]
fn what_can_not_be_written_is_loaded_by_hand_whole_or_not_at_all() {
    let site = Site::new("packed", &[]);
    let pack = || {
        let folder = site.folder.join("packs").join(TARGET).join("current");
        let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        (read("capacity.csv"), read("capacity.done").trim().to_owned())
    };
    let import = |text: &str, done: &str| {
        let request = http::Request::post(format!("/planner/pack?done={done}"))
            .header("content-type", "text/csv")
            .body(bytes::Bytes::from(text.to_owned()))
            .unwrap();
        let now = site.clock.now();
        site.sandbox.lock().unwrap().handle(now, &request).response.status().as_u16()
    };
    site.sign(|document| document["environment"] = json!("production"));
    site.refused();
    let (cells, done) = pack();
    let held = || hours_by_week(&site);
    assert_eq!(import(&cells[..cells.len() / 2], &done), 400, "half a copy");
    assert_eq!(import(&cells.replacen("LINE-1", "LINE-2", 1), &done), 400, "damaged");
    assert_eq!(import(&cells, ""), 400, "no end mark");
    assert!(held().is_empty());
    assert_eq!(import(&cells, &done), 200);
    assert!(held().len() > 20);
    // What the pack brought is what would have been written: read back, it has landed.
    let bridge = site.bridge();
    let target = bridge.target(Some(TARGET)).unwrap();
    let course = Course::Verify { read_back: Which::All };
    let done = site.clock.block_on(bridge.walk(&target, course));
    assert!(done.stopped.is_none(), "{:?}", done.stopped);
    let status = status::status(&bridge.reader().unwrap(), site.clock.now()).unwrap();
    assert_eq!(status.scopes[0].wanted, cells.lines().count() as u64 - 1);
}

#[test]
fn success_is_no_landing() {
    for trap in ["assortment-mask", "active-rule-overwrites"] {
        let site = Site::with(trap, &[trap], &[("resources", "4")]);
        let done = site.apply();
        let applied = done.applied.unwrap();
        assert_eq!(applied.accepted, applied.sent, "{trap}: the target says that it took all");
        let reader = site.bridge().reader().unwrap();
        let status = status::status(&reader, site.clock.now()).unwrap().scopes.remove(0);
        assert!(status.seen < status.accepted, "{trap}: {status:?}");
    }
}

/// Hours of the landed cut by resource and week, whatever it is stored by.
fn hours_by_week(site: &Site) -> BTreeMap<(String, String), Decimal> {
    let mut hours = BTreeMap::new();
    for cell in site.sandbox.lock().unwrap().stored() {
        if cell.measure == "Capacity Override" && cell.scope == "TwinSignals" {
            let week = Period::containing(PeriodKind::Week, cell.period.start()).to_string();
            *hours.entry((cell.resource, week)).or_default() += cell.value;
        }
    }
    hours
}

#[test]
fn a_week_that_is_split_at_the_months_end_adds_up_to_the_week() {
    let split = Site::new("split", &[]);
    assert!(split.apply().stopped.is_none());
    let whole = Site::with("weeks", &[], &[("level", "week")]);
    whole.sign(|document| document["profile"]["grain"][3]["level"] = json!("Week"));
    assert_eq!(whole.state(), State::Suspended, "the levels are not those of the model");
    whole.edit("planthread.yaml", |text| {
        text.replace("level: technical_week,", "level: week,").replace(
            r#"level: Partial Week, member: "{yyyy}{ww}{part}""#,
            r#"level: Week, member: "W{ww}-{yyyy}""#,
        )
    });
    let done = whole.apply();
    assert!(done.stopped.is_none(), "{:?}", done.stopped);
    let (weeks, parts) = (hours_by_week(&whole), hours_by_week(&split));
    assert!(split.landed() > whole.landed(), "weeks at a month's end have two parts");
    for (place, hours) in &weeks {
        // A part of the first or the last week may lie outside of what is planned.
        if let Some(sum) = parts.get(place).filter(|_| !edge(&weeks, &place.1)) {
            assert_eq!(sum, hours, "{place:?}");
        }
    }
    assert!(weeks.len() > 20 && parts.len() > 20);
}

/// Whether a week is the first or the last one of all.
fn edge(weeks: &BTreeMap<(String, String), Decimal>, week: &str) -> bool {
    let all: Vec<&String> = weeks.keys().map(|(_, week)| week).collect();
    all.iter().min().is_some_and(|first| *first == week)
        || all.iter().max().is_some_and(|last| *last == week)
}
