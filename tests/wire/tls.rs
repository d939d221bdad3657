//! Mutual TLS by the program: a private authority that the client trusts, and
//! a client certificate that is the identity. No password anywhere.

use std::fs;

use planthread_support::TestAuthority;
use serde_json::{Value, json};

use crate::{program::Project, site::Site};

/// Basic, as `init` writes it.
const BASIC: &str = "        kind: basic
        user: planthread
        # A secret is a reference, never a value: ${env:NAME}, ${file:PATH}, ${cmd:COMMAND}
        password: ${file:secrets/sandbox-password}
";

/// A project that identifies itself with the certificate in `pki/{name}.pem`.
fn project(name: &str, certificate: &str) -> Project {
    let mut project = Project::init(name);
    let by_certificate = format!(
        "        kind: client_certificate
        certificate: pki/{certificate}.pem
        private_key: ${{file:pki/{certificate}-key.pem}}
"
    );
    project.rewrite(BASIC, &by_certificate);
    project
}

/// The private authority alone is trusted.
fn trust(project: &Project) {
    let network = json!({ "private_ca": "pki/ca.pem", "only_private_ca": true });
    project.also(&json!({ "targets": { "ibp": { "network": network } } }));
}

#[test]
fn a_client_certificate_behind_a_private_authority_lands_a_plan() {
    let project = project("mutual-tls", "client");
    TestAuthority::leave_in(&project.folder.join("pki")).unwrap();
    let site = Site::start(&project, &["--tls", "pki"]);
    assert!(site.url.starts_with("https://"), "{}", site.url);
    project.aim(&site.url);
    trust(&project);
    project.run(&["check", "ibp"]).must(0);
    project.run(&["ingest"]).must(0);
    let applied = project.run(&["apply", "--json"]).json(0);
    let applied = &applied["targets"][0];
    assert_eq!(applied["accepted"], applied["sent"], "{applied}");
    let status = project.run(&["status", "--json"]).json(0);
    let scope = &status["scopes"][0];
    assert!(scope["wanted"].as_u64().unwrap() > 100, "{scope}");
    assert_eq!(scope["seen"], scope["wanted"], "{scope}");
    let all = status["certificates"].as_array().unwrap();
    let ends = |one: &Value| (one["what"].clone(), one["ends"].is_string());
    assert_eq!(
        all.iter().map(ends).collect::<Vec<_>>(),
        [(json!("client"), true), (json!("private_ca"), true)],
        "{all:?}"
    );
}

#[test]
fn an_unknown_authority_is_provably_not_sent_to() {
    let project = project("unknown-ca", "client");
    TestAuthority::leave_in(&project.folder.join("pki")).unwrap();
    let site = Site::start(&project, &["--tls", "pki"]);
    let stranger = TestAuthority::new().unwrap();
    fs::write(project.folder.join("pki/ca.pem"), stranger.pem()).unwrap();
    project.aim(&site.url);
    trust(&project);
    let refused = project.run(&["check", "ibp"]);
    // Trying again would show the same certificate: this is configuration.
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("certificate") && refused.stderr.contains("private_ca"));
}

#[test]
fn a_certificate_of_somebody_else_is_not_let_in() {
    let project = project("stranger", "stranger");
    TestAuthority::leave_in(&project.folder.join("pki")).unwrap();
    let site = Site::start(&project, &["--tls", "pki"]);
    // Signed by nobody that the target knows, with the right name in it.
    let identity = TestAuthority::new().unwrap().client("planthread").unwrap();
    let pki = project.folder.join("pki");
    fs::write(pki.join("stranger.pem"), identity.certificate_pem).unwrap();
    fs::write(pki.join("stranger-key.pem"), &identity.key_pem).unwrap();
    project.aim(&site.url);
    trust(&project);
    // With TLS 1.3 the refusal comes after the first request has left; where the
    // connection is gone before it is read, only that is known.
    let tries = (0..5).map(|_| project.run(&["check", "ibp"]));
    let refused = tries
        .inspect(|refused| assert_eq!(refused.code, Some(3), "{refused:?}"))
        .find(|refused| refused.stderr.contains("alert"))
        .expect("the alert is shown");
    assert!(refused.stdout.is_empty() && refused.stderr.contains("cure:"), "{refused:?}");
    assert!(!refused.stderr.contains("PRIVATE KEY"), "{refused:?}");
}
