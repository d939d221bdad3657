//! Messages of a bridge that runs, at a webhook on a real socket: each once, also over a
//! restart.

use std::{fs, net::TcpListener, time::Duration};

use serde_json::{Value, json};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::{
    answers::valid,
    program::{LIMIT, Project, Running, pause},
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

/// Waits until the bridge has walked.
fn walked(bridge: &mut Running) {
    while !bridge.line().contains("\"output\":\"run target\"") {}
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

    let mut bridge = project.start(&["--json", "run"]);
    let twice = received(&server, 2).await;
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
    let mut bridge = project.start(&["--json", "run"]);
    walked(&mut bridge);
    let sandbox = project.registered.sandbox;
    let options: Vec<String> =
        sandbox.demo.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let mut words = vec!["mock", "--listen", &free, sandbox.name];
    words.extend(options.iter().map(String::as_str));
    let mut mock = project.plain(&words);
    mock.line();
    let all = received(&server, 3).await;
    assert_eq!(keys(&all[2], "ends"), ["away ibp"], "{}", all[2]);
    let again = all[2..].iter().flat_map(|event| keys(event, "begins"));
    assert!(!again.into_iter().any(|key| key == "away ibp"), "{all:#?}");
    assert_ne!(all[1]["id"], all[2]["id"]);
    bridge.kill();
}
