//! What `check` blames: the line that a finding proves to be wrong, and no other. What
//! could not be looked at is said once.

use std::sync::{Arc, Mutex};

use bytes::Bytes;
use http::{Request, Response};
use planthread::{
    config::Config,
    failure::{Exit, Failure},
    pipeline::Opener,
    registry::TARGETS,
};
use planthread_kit::{BoxFuture, Discovery, SendError, Sent, Transport, sheet::NOT_LOOKED_AT};
use planthread_mocks::{Setup, Simulator};

use crate::site::Site;

/// What the first target of a site offers.
fn discover(site: &Site, connector: &str) -> Discovery {
    let bridge = site.bridge();
    let targets = &bridge.loaded.config.targets;
    let name = targets.iter().find(|(_, one)| one.connector == connector).unwrap().0;
    let target = bridge.target(Some(name)).unwrap();
    site.clock.block_on(target.connector.discover()).unwrap()
}

/// Lines that are blamed, with what is said of them; and lines that were not looked at.
fn wrong(found: &Discovery) -> (Vec<(&str, &str)>, usize) {
    let wrong = found.findings.iter().filter(|finding| !finding.ok);
    let (unseen, blamed): (Vec<_>, Vec<_>) = wrong.partition(|one| one.text == NOT_LOOKED_AT);
    (blamed.into_iter().map(|one| (&*one.line, &*one.text)).collect(), unseen.len())
}

fn tuned(connector: &str, on: &[&str], tune: fn(&mut Config)) -> Discovery {
    let registered = TARGETS.iter().find(|one| one.target.name == connector).unwrap();
    let on = on.iter().map(|name| (*name).to_owned()).collect();
    let mut site = Site::with(registered, Setup { on, ..Setup::default() }, |sandbox| sandbox);
    site.tune = Some(tune);
    discover(&site, connector)
}

/// A network on which no request is answered.
#[derive(Debug, Clone)]
struct Nowhere(SendError);

impl Transport for Nowhere {
    fn send(&self, _: Request<Bytes>) -> BoxFuture<'_, Result<Response<Bytes>, SendError>> {
        Box::pin(std::future::ready(Err(self.0.clone())))
    }
}

/// A closed port, a name that nobody has, a handshake that is refused: no line of any
/// target is blamed for it, and the verb ends by what it is.
#[test]
fn where_nobody_is_reached_no_line_is_blamed() {
    for registered in TARGETS {
        let site = Site::new(registered, None);
        let loaded = site.loaded();
        for (lost, exit) in [
            (SendError::lost(Sent::No, "connection refused"), Exit::Transient),
            (SendError::lost(Sent::Maybe, "closed before an answer came"), Exit::Transient),
            (SendError::untrusted("unknown issuer"), Exit::Usage),
        ] {
            let wire: Arc<dyn Transport> = Arc::new(Nowhere(lost.clone()));
            let names = loaded.config.targets.keys();
            let wires = names.map(|name| (name.clone(), Arc::clone(&wire))).collect();
            let opener = Opener::with(Arc::new(site.clock.clone()), wires);
            for target in opener.open_all(&loaded).unwrap() {
                let found = site.clock.block_on(target.connector.discover());
                let error = found.map(|found| found.findings).unwrap_err();
                assert!(error.message.contains(&lost.message), "{}: {error}", target.name);
                let failure = Failure::from(error);
                assert_eq!(failure.exit, exit, "{}: {failure}", target.name);
                assert!(!failure.cure.is_empty(), "{}: {failure}", target.name);
            }
        }
    }
}

fn misspelt(config: &mut Config, from: &str, to: &str) {
    for target in config.targets.values_mut() {
        for measure in &mut target.measures {
            measure.surface = measure.surface.replace(from, to);
        }
    }
}

#[test]
fn a_field_that_is_not_there_says_nothing_of_its_neighbours() {
    for (connector, tune, line, text) in [
        (
            "kinaxis",
            (|config| misspelt(config, ".Risk", ".Risc")) as fn(&mut Config),
            "risk",
            "Risc",
        ),
        (
            "azure-digital-twins",
            |config| misspelt(config, "hoursAtRisk", "hoursAtRisc"),
            "measure.risk",
            "no such map",
        ),
    ] {
        let found = tuned(connector, &[], tune);
        let (blamed, unseen) = wrong(&found);
        assert_eq!((blamed.len(), unseen), (1, 0), "{connector}: {blamed:?}");
        assert!(blamed[0].0 == line && blamed[0].1.contains(text), "{connector}: {blamed:?}");
    }
}

#[test]
fn a_scenario_that_is_not_there_is_no_fault_of_the_login_or_the_fields() {
    let elsewhere = |config: &mut Config| {
        for target in config.targets.values_mut().filter(|one| one.scope == "Capacity Signals") {
            target.scope = "Capacity Signal".to_owned();
        }
    };
    let found = tuned("kinaxis", &[], elsewhere);
    let (blamed, unseen) = wrong(&found);
    assert!(unseen > 10, "{blamed:?}");
    let [("scenario", text)] = blamed[..] else { panic!("{blamed:?}") };
    assert!(text.contains("Capacity Signal"), "{text}");
}

/// Who misspells a scope is told which setting it is, at every target that has scopes.
#[test]
fn a_scope_that_is_not_there_is_told_with_its_setting() {
    let elsewhere = |config: &mut Config| {
        for target in config.targets.values_mut().filter(|one| one.connector != "kinaxis") {
            target.scope = "Nowhere".to_owned();
        }
        for target in config.targets.values_mut().filter(|one| one.scope == "Capacity Signals") {
            target.scope = "Nowhere".to_owned();
        }
    };
    for (connector, line) in [("sap-ibp", "version"), ("o9", "version"), ("kinaxis", "scenario")] {
        let found = tuned(connector, &[], elsewhere);
        let blamed: Vec<_> = found.findings.iter().filter(|one| one.line == line).collect();
        let [one] = blamed[..] else { panic!("{connector}: {blamed:?}") };
        assert!(!one.ok && one.cure.contains("correct `scope`"), "{connector}: {one:?}");
    }
}

/// Every measure is read by the tenant's number: where that is wrong, it is said once.
#[test]
fn a_wrong_tenant_is_one_finding_that_names_the_measures() {
    let found = tuned("o9", &[], |config| {
        for target in config.targets.values_mut() {
            target.settings["tenant"] = 9999.into();
        }
    });
    let (mut blamed, unseen) = wrong(&found);
    // It was signed for another tenant, which is a finding of its own.
    blamed.retain(|(line, _)| *line != "agreement");
    let [("key", text)] = blamed[..] else { panic!("{blamed:?}") };
    for measure in ["Twin Capacity Live", "Capacity Override", "Capacity Demand", "403"] {
        assert!(text.contains(measure), "{measure}: {text}");
    }
    assert!(unseen > 20, "{unseen}");
    let key = found.findings.iter().find(|one| one.line == "key").unwrap();
    assert!(key.cure.starts_with("see that `tenant`"), "{}", key.cure);
}

/// An area that is not offered may be misspelt: that it is not enabled is not proven.
#[test]
fn a_planning_area_that_is_not_offered_is_told_with_its_setting_first() {
    let found = tuned("sap-ibp", &[], |config| {
        for target in config.targets.values_mut() {
            target.settings["planning_area"] = "PTDEMOO".into();
        }
    });
    let wrong = found.findings.iter().filter(|one| !one.ok);
    let cures: Vec<_> = wrong.filter(|one| one.text.contains("PTDEMOO")).collect();
    assert!(!cures.is_empty());
    for one in cures {
        assert!(one.cure.starts_with("correct `planning_area`"), "{one:?}");
    }
}

#[test]
fn who_is_refused_is_told_why_and_which_setting_it_is() {
    // Somebody else holds the only session.
    let registered = TARGETS.iter().find(|one| one.target.name == "kinaxis").unwrap();
    let on = vec!["one-session".to_owned()];
    let taken = |mut sandbox: Box<dyn Simulator>| {
        let form = "grant_type=client_credentials";
        let request = Request::post("/PTDM01_DEV01/oauth2/token")
            .header("authorization", "Basic cGxhbnRocmVhZDpwbGFudGhyZWFk")
            .header("content-type", "application/x-www-form-urlencoded")
            .body(Bytes::from(form))
            .unwrap();
        let now = "2026-11-25T06:09:00Z".parse().unwrap();
        assert_eq!(sandbox.handle(now, &request).response.status(), 200);
        sandbox
    };
    let site = Site::with(registered, Setup { on, ..Setup::default() }, taken);
    let found = discover(&site, "kinaxis");
    let (blamed, _) = wrong(&found);
    let [("login", text)] = blamed[..] else { panic!("{blamed:?}") };
    assert!(text.contains("already has a session"), "{text}");
    // The issuer knows no such scope.
    let found = tuned("azure-digital-twins", &[], |config| {
        for target in config.targets.values_mut() {
            target.settings["auth"]["scope"] = "https://elsewhere.example/.default".into();
        }
    });
    let (blamed, _) = wrong(&found);
    let [("reach", text)] = blamed[..] else { panic!("{blamed:?}") };
    assert!(text.contains("invalid_scope"), "{text}");
    let reach = found.findings.iter().find(|one| one.line == "reach").unwrap();
    assert_eq!(reach.cure, "check `auth.scope`");
}

#[test]
fn the_demos_twins_hold_the_models_that_are_shipped() {
    let registered = TARGETS.iter().find(|one| one.target.name == "azure-digital-twins").unwrap();
    let site = Site::new(registered, None);
    let loaded = site.loaded();
    let provided = site.clock.block_on(site.opener(&loaded).provide(&loaded, None)).unwrap();
    assert!(provided.len() > 3);
    for one in provided {
        assert!(!one.created && !one.differs, "{one:?}");
    }
}

/// The posts of a pack that a connector's page shows reach the sandbox as they stand there.
#[test]
fn the_posts_of_a_pack_on_a_connectors_page_are_taken_in() {
    let mut shown = 0;
    for registered in TARGETS {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("connectors");
        let page = folder.join(registered.target.name).join("README.md");
        let text = std::fs::read_to_string(&page).unwrap();
        let lines: Vec<&str> = text.lines().filter(|line| line.contains("curl ")).collect();
        let posts = text.contains("/planner/pack");
        assert_eq!(posts, !lines.is_empty(), "{}: it says how", page.display());
        let sandbox = (registered.sandbox.build)(&Setup::default()).unwrap();
        let sandbox: Arc<Mutex<Box<dyn Simulator>>> = Arc::new(Mutex::new(sandbox));
        for line in lines {
            let quoted = |mark: char| line.split(mark).nth(1).unwrap_or_default();
            let (name, value) = quoted('\'').split_once(": ").expect("a header");
            let (_, path) = quoted('"').split_once("9").expect("an address");
            let (_, path) = path.split_once('/').expect("a path");
            let (path, query) = path.split_once('?').expect("a query");
            let query =
                query.split("$(").next().unwrap_or_default().replace("$file", "manifest.json");
            let request = Request::post(format!("/{path}?{query}"))
                .header(name, value)
                .body(Bytes::from("{}"))
                .unwrap();
            let now = "2026-11-25T06:10:00Z".parse().unwrap();
            let answer = sandbox.lock().unwrap().handle(now, &request).response;
            let said = String::from_utf8_lossy(answer.body()).into_owned();
            // What it says is about the content, and no more about how it was sent.
            let ways = ["holds", "names no file", "the end mark is not"];
            assert!(ways.iter().any(|way| said.contains(way)), "{line}: {said}");
            shown += 1;
        }
    }
    assert!(shown >= 3, "{shown} commands");
}
