//! Messages of a bridge that runs, at a webhook on a real socket: each once, also over a
//! restart.

use std::{collections::BTreeSet, fs, net::TcpListener, time::Duration};

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::{
    answers::valid,
    operations::{open, until},
    program::{LIMIT, Project, pause},
};

const EVERY: Duration = Duration::from_millis(200);

/// What the webhook was sent, once it is `many`.
async fn received(server: &MockServer, many: usize) -> Vec<Value> {
    for _ in 0..LIMIT.as_millis() / EVERY.as_millis() {
        let requests = server.received_requests().await.unwrap();
        if requests.len() >= many {
            let event = |request: &wiremock::Request| {
                assert_eq!(request.headers["content-type"], "application/cloudevents+json");
                serde_json::from_slice(&request.body).unwrap()
            };
            return requests.iter().map(event).collect();
        }
        pause(EVERY);
    }
    panic!("{many} messages did not come")
}

/// What the webhook was sent, once the message is among it that ends `key`.
async fn until_ended(server: &MockServer, key: &str) -> Vec<Value> {
    let mut many = 1;
    loop {
        let all = received(server, many).await;
        if all.iter().any(|event| keys(event, "ends").iter().any(|one| one == key)) {
            return all;
        }
        many = all.len() + 1;
    }
}

/// Waits until the bridge knows, also after its end, that a message was taken: the
/// webhook has it a moment earlier.
fn sent(address: &str) {
    until(address, "/metrics", |page| {
        page.number("planthread_alerts_total{result=\"sent\",way=\"webhook\"}")
            .is_some_and(|sent| sent > 0.0)
    });
}

/// Waits until the bridge has walked.
fn walked(address: &str) {
    until(address, "/metrics", |page| {
        let walks = |line: &&str| line.starts_with("planthread_target_cycles_total{target=\"ibp\"");
        page.body.lines().filter(walks).any(|line| !line.ends_with(" 0"))
    });
}

fn keys(event: &Value, list: &str) -> Vec<String> {
    let all = event["data"][list].as_array().unwrap().iter();
    all.map(|one| one["key"].as_str().unwrap().to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outage_is_told_when_it_begins_and_when_it_ends_and_a_restart_tells_nothing_again() {
    let server = MockServer::start().await;
    // The first one is not taken: it comes again.
    let refuses = ResponseTemplate::new(500);
    Mock::given(any()).respond_with(refuses).up_to_n_times(1).mount(&server).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(204)).mount(&server).await;
    // Nobody listens there for now.
    let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().to_string();
    let project = Project::init("alerts");
    project.aim(&format!("http://{free}"));
    let hook = format!("{}/hook/not-for-the-log", server.uri());
    fs::write(project.folder.join("secrets/hook"), &hook).unwrap();
    project.also(&json!({ "run": { "every_seconds": 1, "alerts": {
        "webhook": { "url": "${file:secrets/hook}" }, "least_minutes": 0 } } }));

    let sheet = project.run(&["--json", "flows"]).json(0);
    let all = sheet["connections"].as_array().unwrap().iter();
    let ours: Vec<&Value> = all.filter(|one| one["of"] == "run.alerts.webhook").collect();
    assert_eq!(ours.len(), 1, "{sheet}");
    assert_eq!(ours[0]["port"], server.address().port(), "{sheet}");
    assert_eq!(ours[0]["carries"], "notices", "{sheet}");
    assert!(!sheet.to_string().contains("not-for-the-log"), "{sheet}");

    let (mut bridge, address) = open(&project);
    let twice = received(&server, 2).await;
    sent(&address);
    let first = twice[1].clone();
    assert_eq!((&twice[0]["id"], &twice[0]["data"]), (&first["id"], &first["data"]));
    let ended = bridge.kill();
    assert!(!format!("{ended:?}").contains("not-for-the-log"), "{ended:?}");
    let said = "an alert to operator was not sent: post an alert";
    assert!(format!("{ended:?}").contains(said), "{ended:?}");
    assert_eq!(
        (keys(&first, "begins"), keys(&first, "ends")),
        (vec!["away ibp".to_owned()], vec![])
    );
    assert_eq!(first["data"]["owner"], "operator");
    assert_eq!(first["type"], "planthread.alert.v1");
    assert_eq!(valid(&first["data"].to_string()).len(), 1);

    // Started anew, it is away all the same, and that is known.
    let (mut bridge, address) = open(&project);
    walked(&address);
    let sandbox = project.registered.sandbox;
    let options: Vec<String> =
        sandbox.demo.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut words = vec!["mock", "--listen", &free, sandbox.name];
    words.extend(options.iter().map(String::as_str));
    let mut mock = project.plain(&words);
    mock.line();
    let all = until_ended(&server, "away ibp").await;
    let again = all[2..].iter().flat_map(|event| keys(event, "begins"));
    assert!(!again.into_iter().any(|key| key == "away ibp"), "{all:#?}");
    let ids: BTreeSet<String> = all[1..].iter().map(|event| event["id"].to_string()).collect();
    assert_eq!(ids.len(), all.len() - 1, "{all:#?}");
    bridge.kill();
}
