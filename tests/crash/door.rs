//! Killed right after the HTTP door has answered: what was answered is on the
//! disk, and what is sent again is no second record.

use std::{io::Write as _, net::TcpStream, process::Command};

use bytes::Bytes;
use http::Request;
use planthread_engine::{Reader, journal};
use planthread_kit::{ReqwestTransport, Transport as _, TransportOptions};
use serde_json::{Value, json};

use crate::{
    program::{Project, Running},
    proof,
};

/// Where `init` ends its sources.
const TARGETS: &str = "\ntargets:\n";

/// Event number `n` of one machine.
fn event(n: u64) -> Value {
    json!({
        "specversion": "1.0", "id": n.to_string(), "source": "/twin",
        "type": "planthread.production-state.v1",
        "data": {
            "resource": { "id": "press-a", "level": "work_cell" },
            "at": format!("2026-01-01T{n:02}:00:00Z"), "state": "unknown",
            "source": { "twin_id": "urn:twin:press-a", "twin_kind": "asset",
                "observed_until": "2026-01-02T00:00:00Z" },
            "quality": { "coverage": "0", "worst": "stale" },
        },
    })
}

fn post(url: &str, media: &str, body: &Value) -> Value {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let options = TransportOptions { only_private_ca: true, ..TransportOptions::default() };
    let transport = ReqwestTransport::new(&options).unwrap();
    let request =
        Request::post(url).header("content-type", media).body(Bytes::from(body.to_string()));
    let answer = runtime.block_on(transport.send(request.unwrap())).unwrap();
    assert!(answer.status().is_success(), "{answer:?}");
    serde_json::from_slice(answer.body()).unwrap()
}

/// Starts the bridge; where its door is.
fn open(project: &Project) -> (Running, String) {
    let mut bridge = project.start(&["run"]);
    loop {
        let line = bridge.line();
        if let Some((_, url)) = line.split_once("Taking CloudEvents on ") {
            return (bridge, url.to_owned());
        }
    }
}

fn records(project: &Project) -> u64 {
    journal::counts(&Reader::open(&project.state()).unwrap()).unwrap().records
}

#[test]
fn law_12_what_the_door_has_answered_survives_a_kill_and_is_kept_once() {
    let mut project = Project::init("door");
    let source = format!("    - {{ name: /twin, reader: {{ cloudevents: {{}} }} }}\n{TARGETS}");
    project.rewrite(TARGETS, &source);
    // Nobody listens there: a target that is down stops no intake.
    project.aim("http://127.0.0.1:9");
    project.also(&json!({ "intake": { "http": { "listen": "127.0.0.1:0" } } }));
    project.run(&["ingest"]).must(0);
    let before = records(&project);
    for n in 1..=5_u64 {
        let (mut bridge, url) = open(&project);
        if n.is_multiple_of(2) {
            // Together with what was answered before the last death.
            let both = json!([event(n - 1), event(n)]);
            post(&url, "application/cloudevents-batch+json", &both);
        } else {
            post(&url, "application/cloudevents+json", &event(n));
        }
        proof::killed(&bridge.kill(), "the bridge");
        assert_eq!(records(&project), before + n, "answered, killed, and gone");
    }
}

#[test]
fn a_half_sent_request_holds_no_end_up_and_a_second_signal_waits_for_nothing() {
    let mut project = Project::init("half-sent");
    let source = format!("    - {{ name: /twin, reader: {{ cloudevents: {{}} }} }}\n{TARGETS}");
    project.rewrite(TARGETS, &source);
    project.aim("http://127.0.0.1:9");
    project.also(&json!({ "intake": { "http": { "listen": "127.0.0.1:0" } } }));
    project.run(&["ingest"]).must(0);
    for signals in [1, 2] {
        let (bridge, url) = open(&project);
        let address = url.trim_start_matches("http://").trim_end_matches("/events");
        let mut half = TcpStream::connect(address).unwrap();
        half.write_all(b"POST /events HTTP/1.1\r\nHost: loc").unwrap();
        for _ in 0..signals {
            let id = bridge.id().to_string();
            let sent = Command::new("kill").args(["-TERM", &id]).status().unwrap();
            assert!(sent.success());
        }
        // No signal killed it. The target is down: whether it came to say so is
        // a matter of moments.
        let ended = bridge.ended();
        assert!(matches!(ended.code, Some(0 | 3)), "{ended:?}");
        drop(half);
    }
}
