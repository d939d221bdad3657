//! The drill: every starting point passes it, and a bridge that behaves badly does
//! not. What is bad stands between the bridge and the gate, where the drill can't see
//! it.

use std::{collections::BTreeMap, fs, path::PathBuf};

use bytes::Bytes;
use http::{Method, Request, Response, StatusCode, header::IF_MATCH};
use jiff::{SignedDuration, Timestamp};
use planthread::{
    cli::outputs::OUTPUTS,
    config::{self, Loaded},
    drill::{Between, Drill, markdown},
    failure::Exit,
    registry::{Registered, TARGETS},
    report::{View as _, drill::Outcome},
    starter::Starter,
};
use planthread_mocks::{Change, Reply, Simulator, StoredCell};
use serde_json::Value;

const TWINS: &str = "azure-digital-twins";

struct Folder(PathBuf);

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn now() -> Timestamp {
    "2026-11-25T06:10:00Z".parse().unwrap()
}

/// The configuration that `init` writes for a target.
fn configured(registered: &Registered, name: &str) -> (Folder, Loaded) {
    let target = registered.target.name;
    let name = format!("planthread-{name}-{target}-{}", std::process::id());
    let folder = std::env::temp_dir().join(name);
    let _ = fs::remove_dir_all(&folder);
    let starter = Starter::new(&folder, now());
    starter.write(now(), &[(registered, None)]).unwrap();
    let loaded = config::load(&starter.config, None).unwrap();
    (Folder(folder), loaded)
}

/// What is rehearsed before every target: what its protocol has a part in. One target
/// rehearses all of it; `killed`, `faults`, `outage` and `continuity` hold the rest.
const SHORT: &[&str] =
    &["no-fault", "auth-expiry", "429-storm", "dropped-rows", "surface-change", "restored-backup"];

#[test]
fn every_starting_point_passes_its_drill_and_the_report_says_so() {
    let drill = |registered: &'static Registered| {
        let (folder, loaded) = configured(registered, "drill");
        let only = if registered.target.name == TWINS { &[] } else { SHORT };
        let drill = Drill { only, ..Drill::new(&loaded, now()) };
        let drilled = drill.run(None, |_, _| {}).unwrap();
        let failed: Vec<_> =
            drilled.rehearsed.iter().filter(|one| one.outcome == Outcome::Fail).collect();
        assert!(failed.is_empty(), "{failed:#?}");
        let passed = drilled.rehearsed.iter().filter(|one| one.outcome == Outcome::Pass).count();
        assert!(passed >= SHORT.len() - 1, "{drilled:#?}");
        let page = markdown(&drilled);
        assert!(page.starts_with("# Drill of 2026-11-25\n"), "{page}");
        for one in &drilled.rehearsed {
            assert!(page.contains(&one.promised) && page.contains(&one.done), "{page}");
        }
        assert!(!folder.0.join("planthread-state").exists(), "its state was never opened");
        let output = OUTPUTS.iter().find(|output| output.name == "drill").unwrap();
        let mut answer = serde_json::to_value(&drilled).unwrap();
        (answer["output"], answer["version"]) = ("drill".into(), output.version.into());
        let schema = jsonschema::validator_for(&output.schema()).unwrap();
        assert!(schema.is_valid(&answer), "{answer:#}");
    };
    std::thread::scope(|scope| {
        for registered in TARGETS {
            scope.spawn(move || drill(registered));
        }
    });
}

/// What a bridge that behaves badly makes of each request.
struct Bad {
    inner: Box<dyn Simulator>,
    behave: fn(&mut Self, Timestamp, &Request<Bytes>) -> Reply,
    /// Writes so far, by path.
    writes: BTreeMap<String, Vec<Bytes>>,
}

impl Simulator for Bad {
    fn handle(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        (self.behave)(self, at, request)
    }

    fn stored(&self) -> Vec<StoredCell> {
        self.inner.stored()
    }

    fn history(&self) -> Vec<Change> {
        self.inner.history()
    }

    fn expire_sessions(&mut self) {
        self.inner.expire_sessions();
    }
}

impl Bad {
    fn before(
        inner: Box<dyn Simulator>,
        behave: fn(&mut Self, Timestamp, &Request<Bytes>) -> Reply,
    ) -> Box<dyn Simulator> {
        Box::new(Self { inner, behave, writes: BTreeMap::new() })
    }

    /// Asks again a second later, whatever it was told.
    fn impatient(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        let reply = self.inner.handle(at, request);
        if reply.response.status() != StatusCode::TOO_MANY_REQUESTS {
            return reply;
        }
        self.inner.handle(at + SignedDuration::from_secs(1), request)
    }

    /// How often a twin was written, this time too; nothing for what is no write.
    fn write(&mut self, request: &Request<Bytes>) -> Option<usize> {
        let patch = *request.method() == Method::PATCH;
        let writes = self.writes.entry(request.uri().path().to_owned()).or_default();
        patch.then(|| writes.push(request.body().clone())).map(|()| writes.len())
    }

    /// Writes once more what it had written first: an older value over a newer one.
    fn forgetful(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        let second = self.write(request).is_some_and(|nth| nth > 1);
        let reply = self.inner.handle(at, request);
        if second {
            let mut old = request.clone();
            old.headers_mut().remove(IF_MATCH);
            *old.body_mut() = self.writes[request.uri().path()][0].clone();
            self.inner.handle(at, &old);
        }
        reply
    }

    /// Sends nothing from the second write of a twin on, and believes that it stands
    /// there.
    fn lying(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        match self.write(request) {
            Some(nth) if nth > 1 => {
                let mut done = Response::new(Bytes::new());
                *done.status_mut() = StatusCode::NO_CONTENT;
                return Reply::new(done);
            }
            _ => {}
        }
        let mut reply = self.inner.handle(at, request);
        let kept = self.writes.get(request.uri().path()).map_or(&[][..], Vec::as_slice);
        if *request.method() == Method::GET && kept.len() > 1 {
            let mut twin: Value = serde_json::from_slice(reply.response.body()).unwrap();
            for op in kept[1..]
                .iter()
                .flat_map(|body| serde_json::from_slice::<Vec<Value>>(body).unwrap())
            {
                put(&mut twin, &op);
            }
            *reply.response.body_mut() = Bytes::from(twin.to_string());
        }
        reply
    }

    /// Writes another value first, each time.
    fn flickering(&mut self, at: Timestamp, request: &Request<Bytes>) -> Reply {
        if self.write(request).is_some() {
            let mut ops: Vec<Value> = serde_json::from_slice(request.body()).unwrap();
            for op in &mut ops {
                spoil(&mut op["value"]);
            }
            let mut wrong = request.clone();
            wrong.headers_mut().remove(IF_MATCH);
            *wrong.body_mut() = Bytes::from(Value::from(ops).to_string());
            self.inner.handle(at, &wrong);
            let mut right = request.clone();
            right.headers_mut().remove(IF_MATCH);
            return self.inner.handle(at, &right);
        }
        self.inner.handle(at, request)
    }
}

/// Puts the value of one operation where it says.
fn put(twin: &mut Value, op: &Value) {
    let path = op["path"].as_str().unwrap().replace("~1", "/");
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    let (last, before) = parts.split_last().unwrap();
    let place = before.iter().fold(twin, |at, part| &mut at[*part]);
    place[*last] = op["value"].clone();
}

/// Adds one to every number.
fn spoil(value: &mut Value) {
    match value {
        Value::Number(number) => *value = Value::from(number.as_f64().unwrap() + 1.0),
        Value::Object(fields) => fields.iter_mut().for_each(|(_, one)| spoil(one)),
        Value::Array(all) => all.iter_mut().for_each(spoil),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

/// What one scenario finds of a bridge that behaves badly before the twins.
fn found(scenario: &str, between: Between) -> String {
    let twins = TARGETS.iter().find(|one| one.target.name == TWINS).unwrap();
    let (_folder, loaded) = configured(twins, &format!("bad-{scenario}"));
    let drill = Drill { only: &[scenario], between, ..Drill::new(&loaded, now()) };
    let drilled = drill.run(None, |_, _| {}).unwrap();
    assert_eq!(drilled.counts["fail"], 1, "{drilled:#?}");
    assert_eq!(drilled.exit(), Exit::Findings);
    drilled.rehearsed[0].findings.join("\n")
}

#[test]
fn a_bridge_that_behaves_badly_fails_its_drill() {
    let hammering = found("429-storm", |inner| Bad::before(inner, Bad::impatient));
    assert!(hammering.contains("requests inside an announced wait"), "{hammering}");
    let older = found("outage-72h", |inner| Bad::before(inner, Bad::forgetful));
    assert!(older.contains("cells changed more than once"), "{older}");
    let lie = found("no-fault", |inner| Bad::before(inner, Bad::lying));
    assert!(lie.contains("cells called seen that stand otherwise"), "{lie}");
    let twice = found("lost-commit", |inner| Bad::before(inner, Bad::flickering));
    assert!(twice.contains("cells changed more than once"), "{twice}");
}
