//! The door for operators of a bridge that runs, on a real socket: what it says, to
//! whom, and when.

use std::{
    collections::BTreeSet,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    net::TcpStream,
    process::{Child, Command, Stdio},
    time::Duration,
};

use planthread::operate::metrics::FAMILIES;
use serde_json::{Value, json};

use crate::{
    answers::valid,
    program::{LIMIT, Project, Running, pause},
    site::Site,
};

/// An answer of the door.
pub(crate) struct Told {
    status: u16,
    head: String,
    pub(crate) body: String,
}

impl Told {
    /// Its one document, which is as its schema says.
    #[track_caller]
    fn json(&self, output: &str) -> Value {
        let document = valid(&self.body).pop().unwrap();
        assert_eq!(document["output"], output, "{}", self.body);
        document
    }

    /// The number that stands behind `name` with its labels.
    pub(crate) fn number(&self, name: &str) -> Option<f64> {
        let line = self.body.lines().find(|line| line.starts_with(&format!("{name} ")))?;
        line.rsplit_once(' ')?.1.parse().ok()
    }
}

/// Sends a request to `address`, as `host`.
fn ask(address: &str, request: &str, host: &str) -> Told {
    let mut stream = TcpStream::connect(address).unwrap();
    let text = format!("{request} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    stream.write_all(text.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    Told { status, head: head.to_ascii_lowercase(), body: body.to_owned() }
}

fn get(address: &str, path: &str) -> Told {
    ask(address, &format!("GET {path}"), address)
}

/// Asks for `path` until `reached`; the last answer.
#[track_caller]
pub(crate) fn until(address: &str, path: &str, reached: impl Fn(&Told) -> bool) -> Told {
    const EVERY: Duration = Duration::from_millis(100);
    for _ in 0..LIMIT.as_millis() / EVERY.as_millis() {
        let told = get(address, path);
        if reached(&told) {
            return told;
        }
        pause(EVERY);
    }
    panic!("{path}: {}", get(address, path).body)
}

/// Where the line of `run` says that the door is.
fn address_in(line: &str) -> Option<String> {
    let (_, url) = line.split_once("Telling operators on http://")?;
    Some(url.split('/').next().unwrap_or_default().to_owned())
}

/// A bridge that runs for `project`, and where its door is.
pub(crate) fn open(project: &Project) -> (Running, String) {
    project.also(&json!({ "run": { "operations": { "listen": "127.0.0.1:0" } } }));
    let mut bridge = project.start(&["run"]);
    let address = address_of(&mut bridge);
    (bridge, address)
}

/// Where the next door of a bridge is.
fn address_of(bridge: &mut Running) -> String {
    loop {
        if let Some(address) = address_in(&bridge.line()) {
            return address;
        }
    }
}

#[test]
fn an_operator_reads_how_a_bridge_stands_and_nobody_else_does() {
    let project = Project::init("operations");
    let site = Site::of(&project);
    project.aim(&site.url);
    let (_bridge, address) = open(&project);
    let done = "planthread_target_cycles_total{target=\"ibp\",result=\"done\"}";
    let cells = "planthread_cells_wanted{target=\"ibp\",scope=\"base\"}";
    let is_there = |page: &Told, name| page.number(name).is_some_and(|n| n > 0.0);
    let page = until(&address, "/metrics", |page| is_there(page, done) && is_there(page, cells));
    assert!(page.head.contains("text/plain; version=0.0.4"), "{}", page.head);
    assert_eq!(page.number("planthread_ready"), Some(1.0));
    assert_eq!(page.number("planthread_state_read_failed"), Some(0.0));

    // Every line is a head or a number of a family, and the numbers are the ledger's.
    let known: BTreeSet<&str> = FAMILIES.iter().map(|family| family.name).collect();
    for line in page.body.lines().filter(|line| !line.starts_with('#')) {
        let name = line.split(['{', ' ']).next().unwrap();
        assert!(known.contains(name), "{line}");
    }
    let wanted = page.number(cells).unwrap();
    let status = project.run(&["--json", "status"]);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(status["scopes"][0]["wanted"].as_f64(), Some(wanted));
    let requests = page.body.lines().find(|line| line.starts_with("planthread_requests_total{"));
    assert!(!requests.unwrap().ends_with(" 0"), "{requests:?}");

    let health = get(&address, "/healthz");
    let loops = health.json("run health")["loops"].clone();
    let names: Vec<_> = loops.as_array().unwrap().iter().map(|one| one["name"].clone()).collect();
    assert_eq!((health.status, names), (200, vec![json!("rounds"), json!("target ibp")]));

    let who = ["pause", "ibp", "--who", "mara", "--why", "month end"];
    project.run(&who).must(0);
    let ready = get(&address, "/readyz");
    let said = ready.json("run ready");
    assert_eq!((ready.status, said["ready"].as_bool()), (200, Some(true)), "{said}");
    assert_eq!(said["targets"][0]["paused"], "mara: month end", "{said}");
    assert_eq!(said["targets"][0]["breaker"], "closed");

    let port = address.rsplit_once(':').unwrap().1;
    for (request, host, status) in [
        ("HEAD /metrics", address.clone(), 200),
        ("GET /metrics", format!("localhost:{port}"), 200),
        ("POST /metrics", address.clone(), 405),
        ("PUT /healthz", address.clone(), 405),
        ("GET /state.db", address.clone(), 404),
        // A page that a browser was led to by a name of its own.
        ("GET /metrics", format!("rebound.example:{port}"), 403),
        ("GET /metrics", "127.0.0.1:1".to_owned(), 403),
    ] {
        let told = ask(&address, request, &host);
        assert_eq!(told.status, status, "{request} as {host}: {}", told.body);
    }
    assert!(ask(&address, "HEAD /metrics", &address).body.is_empty());
}

#[test]
fn a_target_that_is_away_is_told_and_the_bridge_is_ready_all_the_same() {
    let project = Project::init("operations-away");
    project.aim("http://127.0.0.1:9");
    let (_bridge, address) = open(&project);
    let away = "planthread_target_away{target=\"ibp\"}";
    until(&address, "/metrics", |page| page.number(away) == Some(1.0));
    let ready = get(&address, "/readyz");
    let said = ready.json("run ready");
    assert_eq!(ready.status, 200, "{said}");
    assert!(said["targets"][0]["away_since"].is_string(), "{said}");
    assert!(said["targets"][0]["stopped"].is_string(), "{said}");
}

/// A child that is killed when it is dropped.
struct Limited(Child);

impl Drop for Limited {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

#[cfg(unix)]
#[test]
fn a_disk_that_refuses_makes_the_bridge_unready_and_not_dead() {
    let project = Project::init("operations-full");
    project.aim("http://127.0.0.1:9");
    project.also(&json!({ "run": { "operations": { "listen": "127.0.0.1:0" },
        "every_seconds": 1 } }));
    project.run(&["ingest"]).must(0);
    // No file may grow beyond a few pages: every write of some size is refused.
    let script = "trap '' XFSZ; ulimit -f 80; exec \"$0\" --profile test run";
    let child = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_planthread")])
        .current_dir(&project.folder)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut child = Limited(child);
    let mut lines = BufReader::new(child.0.stdout.take().unwrap()).lines();
    let address = lines.find_map(|line| address_in(&line.unwrap())).unwrap();
    std::thread::spawn(move || lines.for_each(drop));
    let unready = until(&address, "/readyz", |told| told.status == 503);
    let said = unready.json("run ready");
    assert!(said["why"][0].as_str().unwrap().contains("not kept"), "{said}");
    assert_eq!(get(&address, "/healthz").status, 200);
    let page = get(&address, "/metrics");
    assert_eq!(page.status, 200, "{}", page.body);
}

#[test]
fn a_bridge_that_stands_by_is_healthy_not_ready_and_says_its_role_until_it_takes_over() {
    let project = Project::init("operations-standby");
    let site = Site::of(&project);
    project.aim(&site.url);
    // So long that only a lease that was given back is taken in time.
    project.also(&json!({ "run": { "lease": { "folder": "lease", "seconds": 300 } } }));
    let (active, address) = open(&project);
    let role = |address: &str| {
        let page = get(address, "/metrics");
        let of = |role: &str| page.number(&format!("planthread_lease_role{{role=\"{role}\"}}"));
        let left = page.number("planthread_lease_remaining_seconds").unwrap();
        (of("active").unwrap(), of("standby").unwrap(), left > 0.0)
    };
    assert_eq!(role(&address), (1.0, 0.0, true));
    let mut standby = project.start(&["run", "--standby"]);
    let aside = address_of(&mut standby);
    assert_eq!(role(&aside), (0.0, 1.0, false));
    assert_eq!(get(&aside, "/healthz").status, 200);
    let ready = get(&aside, "/readyz");
    let said = ready.json("run ready");
    assert_eq!(ready.status, 503, "{said}");
    assert!(said["why"][0].as_str().unwrap().contains("standing by"), "{said}");
    assert_eq!(get(&aside, "/metrics").number("planthread_ready"), Some(0.0));
    let status = project.run(&["--json", "status"]);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(status["lease"]["pid"], active.id(), "{status}");
    let ends = Command::new("kill").args(["-TERM", &active.id().to_string()]).status();
    assert!(ends.unwrap().success() && active.ended().code.is_some());
    let address = address_of(&mut standby);
    until(&address, "/readyz", |told| told.status == 200);
    assert_eq!(role(&address), (1.0, 0.0, true));
}
