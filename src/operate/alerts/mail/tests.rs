//! E-mails at a mail server on a real socket, with and without TLS.

use std::{fs, path::PathBuf};

use jiff::ToSpan as _;
use planthread_kit::{BoxFuture, SystemClock};
use planthread_support::{
    Identity, MailSink, TestAuthority,
    mail_sink::{Answer, Encrypts},
};
use serde_json::{Value, json};

use super::*;
use crate::operate::alerts::Situation;

const PASSWORD: &str = "correct-horse-battery";

/// The system's clock, on which waits take a hundredth of their time.
#[derive(Debug)]
struct Hasty(SystemClock);

impl Clock for Hasty {
    fn now(&self) -> Timestamp {
        self.0.now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.0.sleep(duration / 100)
    }

    fn random(&self) -> u64 {
        self.0.random()
    }
}

/// A folder with the authority and the password of one test.
fn folder(name: &str) -> PathBuf {
    let folder =
        std::env::temp_dir().join(format!("planthread-mail-{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("password"), PASSWORD).unwrap();
    folder
}

fn merged(sink: &MailSink, more: &Value) -> Email {
    let mut config = json!({
        "host": "127.0.0.1", "port": sink.port(), "security": "none",
        "from": "bridge@example.com", "to": "ops@example.com",
        "owners": { "anna": "anna@example.com" },
    });
    for (name, value) in more.as_object().unwrap() {
        config[name] = value.clone();
    }
    serde_json::from_value(config).unwrap()
}

fn mail(sink: &MailSink, more: &Value, folder: &Path) -> Mail {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    Mail::build(&merged(sink, more), folder, &clock).unwrap()
}

fn at(minutes: i64) -> Timestamp {
    let start: Timestamp = "2026-11-27T08:00:00Z".parse().unwrap();
    start + minutes.minutes()
}

fn alert(owner: &str) -> Alert {
    let text = String::new;
    let what = "ibp is away: Düse".to_owned();
    let (key, owner) = ("away ibp".to_owned(), owner.to_owned());
    let one = Situation {
        key,
        id: text(),
        owner: owner.clone(),
        target: text(),
        urgent: true,
        what,
        cure: text(),
        since: at(0),
    };
    Alert {
        id: format!("{owner}-1"),
        owner,
        plant: "ulm".to_owned(),
        begins: vec![one],
        ends: vec![],
        digest: false,
        open: vec![],
        not_listed: 0,
    }
}

async fn sink(encrypts: Encrypts, identity: Option<&Identity>) -> MailSink {
    MailSink::start(encrypts, identity, |_| Answer::Usual).await.unwrap()
}

#[tokio::test]
async fn each_owner_gets_a_message_at_an_address_of_theirs_or_at_that_of_all_others() {
    let sink = sink(Encrypts::Never, None).await;
    let mail = mail(&sink, &json!({}), Path::new("."));
    for owner in ["anna", "bo"] {
        mail.send(&alert(owner), at(5)).await.unwrap();
    }
    let taken = sink.taken();
    let to: Vec<&str> = taken.iter().map(|one| one.to.as_str()).collect();
    assert_eq!(to, ["anna@example.com", "ops@example.com"]);
    assert_eq!(taken[1].header("To"), Some("bo <ops@example.com>"));
    assert_eq!(taken[0].header("Auto-Submitted"), Some("auto-generated"));
    assert_ne!(taken[0].header("Message-ID"), taken[1].header("Message-ID"));
    assert!(sink.said().iter().any(|line| line == "EHLO [127.0.0.1]"), "{:?}", sink.said());
}

#[tokio::test]
async fn what_is_refused_is_said_and_comes_again_as_the_same_message() {
    for (step, answer, exit, word) in [
        ("MAIL", "452 4.3.1 full", Exit::Transient, "for now"),
        ("RCPT", "450 4.2.1 greylisted", Exit::Transient, "for now"),
        ("RCPT", "550 5.1.1 no such user", Exit::Usage, "for good"),
        ("DATA", "451 later", Exit::Transient, "for now"),
        (".", "554 5.7.1 looks like spam", Exit::Usage, "for good"),
    ] {
        let first = std::sync::atomic::AtomicBool::new(true);
        let manner = move |line: &str| {
            let refuses =
                line.starts_with(step) && first.swap(false, std::sync::atomic::Ordering::Relaxed);
            if refuses { Answer::This(answer) } else { Answer::Usual }
        };
        let sink = MailSink::start(Encrypts::Never, None, manner).await.unwrap();
        let mail = mail(&sink, &json!({}), Path::new("."));
        let error = mail.send(&alert("anna"), at(5)).await.unwrap_err();
        assert_eq!(error.exit, exit, "{error}");
        for part in [word, &answer[..3], &answer[4..], "anna@example.com"] {
            assert!(error.message.contains(part), "{part}: {error}");
        }
        assert!(!error.cure.is_empty());
        assert!(sink.taken().is_empty());
        mail.send(&alert("anna"), at(9)).await.unwrap();
        assert_eq!(sink.taken().len(), 1);
    }
    let sink = sink(Encrypts::Never, None).await;
    let mail = mail(&sink, &json!({}), Path::new("."));
    for minutes in [5, 9] {
        mail.send(&alert("anna"), at(minutes)).await.unwrap();
    }
    let taken = sink.taken();
    assert_eq!(taken[0].header("Message-ID"), taken[1].header("Message-ID"));
    assert_ne!(taken[0].header("Date"), taken[1].header("Date"));
}

#[tokio::test]
async fn a_server_that_hangs_is_left_and_one_that_hangs_at_the_farewell_took_the_message() {
    for step in ["greeting", "EHLO", "MAIL", "RCPT", "DATA", ".", "QUIT"] {
        let manner =
            move |line: &str| if line.starts_with(step) { Answer::Hang } else { Answer::Usual };
        let sink = MailSink::start(Encrypts::Never, None, manner).await.unwrap();
        let clock: Arc<dyn Clock> = Arc::new(Hasty(SystemClock::new()));
        let mail = Mail::build(&merged(&sink, &json!({})), Path::new("."), &clock).unwrap();
        let sent = mail.send(&alert("anna"), at(5)).await;
        match (step, sent) {
            ("QUIT", sent) => {
                sent.unwrap();
                assert_eq!(sink.taken().len(), 1);
            }
            (_, sent) => {
                let error = sent.unwrap_err();
                assert_eq!(error.exit, Exit::Transient, "{step}: {error}");
                assert!(error.message.contains("within"), "{step}: {error}");
                assert!(sink.taken().is_empty());
            }
        }
    }
}

/// TLS with a private authority, and a log-in.
fn secured(security: &str, host: &str) -> Value {
    json!({
        "host": host, "security": security, "user": "bridge", "password": "${file:password}",
        "network": { "private_ca": "ca.pem", "only_private_ca": true },
    })
}

#[tokio::test]
async fn behind_tls_of_a_private_authority_a_message_is_taken_and_the_password_is_sent_there_only()
{
    let folder = folder("tls");
    let authority = TestAuthority::new().unwrap();
    fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    let server = authority.server().unwrap();
    for (encrypts, security) in [(Encrypts::Asked, "starttls"), (Encrypts::AtOnce, "tls")] {
        for host in ["localhost", "127.0.0.1"] {
            let sink = sink(encrypts, Some(&server)).await;
            let mail = mail(&sink, &secured(security, host), &folder);
            mail.send(&alert("anna"), at(5)).await.unwrap();
            assert_eq!(sink.taken().len(), 1, "{security} {host}");
            let said = sink.said();
            let login = said.iter().position(|line| line.starts_with("AUTH PLAIN ")).unwrap();
            let secure = said.iter().position(|line| line == "STARTTLS");
            assert_eq!(secure.is_some(), security == "starttls", "{said:?}");
            assert!(secure.is_none_or(|at| at < login), "{said:?}");
        }
    }
    fs::remove_dir_all(folder).unwrap();
}

/// Sends to `sink`, which must be refused; what was said there, and why.
async fn refused_by(sink: &MailSink, security: &str, folder: &Path) -> (Vec<String>, Failure) {
    let mail = mail(sink, &secured(security, "localhost"), folder);
    let error = mail.send(&alert("anna"), at(5)).await.unwrap_err();
    assert!(!format!("{error:?} {mail:?}").contains(PASSWORD));
    assert!(sink.taken().is_empty());
    let said = sink.said();
    let secret = |line: &String| line.starts_with("AUTH") || line.starts_with("MAIL");
    assert!(!said.iter().any(secret), "{said:?}");
    (said, error)
}

#[tokio::test]
async fn without_the_tls_that_is_asked_for_neither_password_nor_message_is_sent() {
    let folder = folder("no-tls");
    let (ours, theirs) = (TestAuthority::new().unwrap(), TestAuthority::new().unwrap());
    fs::write(folder.join("ca.pem"), ours.pem()).unwrap();

    // It does not offer STARTTLS, or somebody on the way took the line out.
    let plain = sink(Encrypts::Never, None).await;
    let (_, error) = refused_by(&plain, "starttls", &folder).await;
    assert!(error.message.contains("no STARTTLS") && error.exit == Exit::Usage, "{error}");

    // It offers it, and then refuses it.
    let manner = |line: &str| match line {
        "STARTTLS" => Answer::This("454 4.7.0 not now"),
        _ => Answer::Usual,
    };
    let not_now = MailSink::start(Encrypts::Asked, None, manner).await.unwrap();
    let (_, error) = refused_by(&not_now, "starttls", &folder).await;
    assert_eq!(error.exit, Exit::Transient, "{error}");

    // It shows a certificate of another authority.
    let server = theirs.server().unwrap();
    for (encrypts, security) in [(Encrypts::Asked, "starttls"), (Encrypts::AtOnce, "tls")] {
        let stranger = sink(encrypts, Some(&server)).await;
        let (_, error) = refused_by(&stranger, security, &folder).await;
        assert!(error.message.contains("certificate of the other side"), "{error}");
        assert!(error.cure.contains("private_ca") && error.exit == Exit::Usage, "{error}");
    }

    // It is of this authority, and nobody's name.
    let nameless = ours.client("localhost").unwrap();
    let nameless = sink(Encrypts::Asked, Some(&nameless)).await;
    let (_, error) = refused_by(&nameless, "starttls", &folder).await;
    assert!(error.message.contains("certificate of the other side"), "{error}");

    // Somebody on the way writes answers behind the one to STARTTLS.
    let manner = |line: &str| match line {
        "STARTTLS" => Answer::This("220 go\r\n250-evil\r\n250 AUTH PLAIN"),
        _ => Answer::Usual,
    };
    let server = ours.server().unwrap();
    let evil = MailSink::start(Encrypts::Asked, Some(&server), manner).await.unwrap();
    refused_by(&evil, "starttls", &folder).await;
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_wrong_password_is_said_and_not_repeated() {
    let folder = folder("password");
    let authority = TestAuthority::new().unwrap();
    fs::write(folder.join("ca.pem"), authority.pem()).unwrap();
    let manner = |line: &str| match line.split(' ').next() {
        Some("AUTH") => Answer::This("535 5.7.8 I know no password=correct-horse-battery"),
        _ => Answer::Usual,
    };
    let server = authority.server().unwrap();
    let sink = MailSink::start(Encrypts::Asked, Some(&server), manner).await.unwrap();
    let mail = mail(&sink, &secured("starttls", "localhost"), &folder);
    let error = mail.send(&alert("anna"), at(5)).await.unwrap_err();
    assert!(error.message.contains("log-in") && error.message.contains("535"), "{error}");
    assert!(error.cure.contains("`password`") && error.exit == Exit::Usage, "{error}");
    assert!(!format!("{error:?}").contains(PASSWORD), "{error}");
    assert!(!sink.said().iter().any(|line| line.starts_with("MAIL")), "{:?}", sink.said());
    fs::remove_dir_all(folder).unwrap();
}

#[tokio::test]
async fn a_server_that_flows_does_not_print_is_not_connected_to() {
    let (declared, other) = (sink(Encrypts::Never, None).await, sink(Encrypts::Never, None).await);
    let mut mail = mail(&declared, &json!({}), Path::new("."));
    mail.origin.port = other.port();
    let error = mail.send(&alert("anna"), at(5)).await.unwrap_err();
    assert!(error.message.contains("asks for no connection"), "{error}");
    assert!(error.cure.contains("planthread flows"), "{error}");
    assert!(other.said().is_empty() && other.taken().is_empty());
}

#[tokio::test]
async fn nobody_who_listens_is_for_now() {
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let sink = sink(Encrypts::Never, None).await;
    let mail = mail(&sink, &json!({ "port": port }), Path::new("."));
    let error = mail.send(&alert("anna"), at(5)).await.unwrap_err();
    assert_eq!(error.exit, Exit::Transient, "{error}");
    assert!(error.message.contains(&format!("smtp://127.0.0.1:{port}")), "{error}");
}

#[tokio::test]
async fn a_greeting_without_an_end_is_left_and_fills_no_memory() {
    use tokio::io::AsyncWriteExt as _;

    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let said = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let (piece, mut said) = (vec![b'2'; 64 << 10], 0);
        while said < 256 << 20 && stream.write_all(&piece).await.is_ok() {
            said += piece.len();
        }
        said
    });
    let config = json!({ "host": "127.0.0.1", "port": port, "security": "none",
        "from": "bridge@example.com", "to": "ops@example.com" });
    let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
    let config = serde_json::from_value(config).unwrap();
    let mail = Mail::build(&config, Path::new("."), &clock).unwrap();
    let error = mail.send(&alert("anna"), at(5)).await.unwrap_err();
    assert_eq!(error.exit, Exit::Transient, "{error}");
    assert!(error.message.contains("more than 1024 KiB"), "{error}");
    assert!(said.await.unwrap() < 64 << 20, "most of it was never read");
}
