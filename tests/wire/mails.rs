//! Messages of a bridge that runs, as e-mails at a mail server on a real socket, beside a
//! webhook: neither holds the other, and neither repeats what it told.

use std::time::Duration;

use planthread_support::{
    MailSink,
    mail_sink::{Answer, Encrypts, Taken},
};
use serde_json::{Value, json};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::{
    operations::{Told, open, until},
    program::{LIMIT, Project, pause},
};

const EVERY: Duration = Duration::from_millis(200);

/// A project whose target is away, which tells it to `server` and to `sink`.
fn project(name: &str, server: &MockServer, sink: &MailSink) -> Project {
    let project = Project::init(name);
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    project.aim(&format!("http://{}", free.local_addr().unwrap()));
    let email = json!({
        "host": "127.0.0.1", "port": sink.port(), "security": "none",
        "from": "bridge@example.com", "to": "ops@example.com",
    });
    project.also(&json!({ "run": { "every_seconds": 1, "alerts": {
        "webhook": { "url": server.uri() }, "email": email, "least_minutes": 0 } } }));
    project
}

async fn webhook(status: u16) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(ResponseTemplate::new(status)).mount(&server).await;
    server
}

async fn takes(manner: impl Fn(&str) -> Answer + Send + Sync + 'static) -> MailSink {
    MailSink::start(Encrypts::Never, None, manner).await.unwrap()
}

fn counted(page: &Told, result: &str, way: &str) -> f64 {
    let name = format!("planthread_alerts_total{{result=\"{result}\",way=\"{way}\"}}");
    page.number(&name).unwrap_or_default()
}

/// The first message, when it has come.
fn first(sink: &MailSink) -> Taken {
    for _ in 0..LIMIT.as_millis() / EVERY.as_millis() {
        if let Some(taken) = sink.taken().into_iter().next() {
            return taken;
        }
        pause(EVERY);
    }
    panic!("no message came: {:?}", sink.said())
}

#[tokio::test(flavor = "multi_thread")]
async fn a_webhook_that_fails_does_not_hold_the_e_mail_and_a_restart_mails_nothing_again() {
    let (server, sink) = (webhook(500).await, takes(|_| Answer::Usual).await);
    let project = project("mails", &server, &sink);
    let sheet = project.run(&["--json", "flows"]).json(0);
    let all = sheet["connections"].as_array().unwrap().iter();
    let ours: Vec<&Value> = all.filter(|one| one["of"] == "run.alerts.email").collect();
    assert_eq!(ours.len(), 1, "{sheet}");
    assert_eq!((&ours[0]["host"], &ours[0]["port"]), (&json!("127.0.0.1"), &json!(sink.port())));
    assert_eq!(
        (&ours[0]["protocol"], &ours[0]["direction"], &ours[0]["carries"]),
        (&json!("SMTP on this machine"), &json!("out"), &json!("notices"))
    );

    let (mut bridge, address) = open(&project);
    let both = |page: &Told| {
        counted(page, "sent", "email") > 0.0 && counted(page, "failed", "webhook") > 0.0
    };
    let page = until(&address, "/metrics", both);
    assert_eq!(counted(&page, "failed", "email") + counted(&page, "sent", "webhook"), 0.0);
    let taken = first(&sink);
    assert_eq!(taken.to, "ops@example.com");
    let text = taken.text.replace("\r\n ", " ");
    let subject = text.lines().find(|line| line.starts_with("Subject: Planthread ")).unwrap();
    assert!(subject.contains("1 begins") && subject.contains("ibp"), "{subject}");
    bridge.kill();

    let before = sink.taken().len();
    let (mut bridge, address) = open(&project);
    until(&address, "/metrics", |page| counted(page, "failed", "webhook") > 0.0);
    let away = |one: &&Taken| one.text.contains("begins") && one.text.contains("ibp");
    assert_eq!(sink.taken()[before..].iter().filter(away).count(), 0, "{:#?}", sink.taken());
    bridge.kill();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mail_server_that_hangs_delays_neither_webhook_nor_rounds_nor_the_end() {
    let (server, sink) = (webhook(204).await, takes(|_| Answer::Hang).await);
    let project = project("mails-hang", &server, &sink);
    let (bridge, address) = open(&project);
    let rounds = |page: &Told| page.number("planthread_rounds_total{result=\"done\"}");
    let page = until(&address, "/metrics", |page| counted(page, "sent", "webhook") > 0.0);
    let before = rounds(&page).unwrap();
    until(&address, "/metrics", |page| rounds(page).is_some_and(|now| now > before + 1.0));
    let id = bridge.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    // It ends by itself: else this helper would end it, without a code.
    assert!(bridge.ended().code.is_some());
    assert!(sink.taken().is_empty());
}
