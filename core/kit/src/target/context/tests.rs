//! From settings to what goes out, for each kind of authentication.

use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

use bytes::Bytes;
use http::Request;
use serde_json::json;

use super::*;
use crate::{
    BoxFuture, Class, ConnectorError, VirtualClock,
    http::{Call, Safety, Token, TokenSource},
    target::{Nothing, auth::Kind},
    testing::{Reply, Script, clock},
};

static FOLDERS: AtomicU32 = AtomicU32::new(0);

/// A folder with one secret in it.
fn folder() -> PathBuf {
    let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
    let folder =
        std::env::temp_dir().join(format!("planthread-kit-{}-{number}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("secret"), "hunter2\n").unwrap();
    folder
}

/// A vendor that hands out tokens on its own terms.
#[derive(Debug)]
struct OwnExchange(ExchangeClient);

impl TokenSource for OwnExchange {
    fn fetch<'a>(
        &'a self,
        _: &'a dyn Transport,
        _: &'a dyn Clock,
    ) -> BoxFuture<'a, Result<Token, ConnectorError>> {
        let (id, secret) = (&self.0.client_id, self.0.client_secret.expose());
        let text = format!("{id}+{secret}+{}s", self.0.patience.as_secs());
        Box::pin(async move { Token::new("Own", &text, None) })
    }

    fn address(&self) -> &str {
        "https://own.example"
    }
}

const TAKES: Takes = Takes {
    kinds: &[Kind::Basic],
    unconfirmed_oauth2: None,
    exchange: Some(|client| Arc::new(OwnExchange(client))),
    requests_per_minute: None,
};

struct World {
    clock: VirtualClock,
    time: Arc<dyn Clock>,
    quotas: QuotaBook,
    tokens: TokenBook,
    script: Script,
    folder: PathBuf,
    offline: bool,
    takes: Takes,
    quota: QuotaConfig,
}

impl World {
    fn new() -> Self {
        let clock = clock();
        let script = Script::new(&clock, |_, arrived| match arrived.path.as_str() {
            "/token" => Reply::json(r#"{"access_token":"t1","token_type":"bearer"}"#),
            _ => Reply::status(200),
        });
        let time: Arc<dyn Clock> = Arc::new(clock.clone());
        let quotas = QuotaBook::new(Arc::clone(&time));
        let tokens = TokenBook::default();
        let (takes, quota) = (TAKES, QuotaConfig::default());
        let (folder, offline) = (folder(), false);
        Self { clock, time, quotas, tokens, script, folder, offline, takes, quota }
    }

    fn stack(&self, auth: Value) -> Result<HttpStack, SettingsFault> {
        self.noted(auth, &FlowBook::default())
    }

    fn noted(&self, auth: Value, flows: &FlowBook) -> Result<HttpStack, SettingsFault> {
        let context = TargetContext {
            target: "t",
            settings: &Value::Null,
            scope: Scope::base(),
            measures: &[],
            folder: &self.folder,
            clock: &self.time,
            quotas: &self.quotas,
            tokens: &self.tokens,
            known: Arc::new(Nothing),
            quota: &self.quota,
            network: &Network::default(),
            http: &HttpSettings { read_seconds: Some(7), ..HttpSettings::default() },
            transport: Some(Arc::new(self.script.clone())),
            flows,
            permit: None,
            offline: self.offline,
        };
        let auth: Auth = serde_json::from_value(auth).unwrap();
        context.stack("https://h.example", &auth, &self.takes, context.http)
    }

    fn send(&self, stack: &HttpStack) {
        let request = Request::get("https://h.example/rows").body(Bytes::new()).unwrap();
        self.clock.block_on(stack.send(Call::new("read rows", Safety::Read, request))).unwrap();
    }

    /// The `Authorization` header and the path of each request of one call.
    fn sent(&self, auth: Value) -> Vec<(String, String)> {
        let stack = self.stack(auth).unwrap();
        self.send(&stack);
        let arrived = self.script.arrived().into_iter();
        arrived.map(|one| (one.path, one.authorization)).collect()
    }
}

#[test]
fn each_kind_goes_out_as_it_must() {
    let file = "${file:secret}";
    for (auth, header) in [
        (json!({"kind": "none"}), ""),
        (json!({"kind": "basic", "user": "me", "password": file}), "Basic bWU6aHVudGVyMg=="),
        (json!({"kind": "bearer", "token": file}), "Bearer hunter2"),
        (json!({"kind": "api_key", "form": "ApiKey {key}", "key": file}), "ApiKey hunter2"),
        (
            json!({"kind": "token_exchange", "client_id": "me", "client_secret": file}),
            // It has as long as a read.
            "Own me+hunter2+7s",
        ),
    ] {
        assert_eq!(
            World::new().sent(auth.clone()),
            [("/rows".to_owned(), header.to_owned())],
            "{auth}"
        );
    }
}

#[test]
fn oauth_asks_its_issuer_in_the_header_or_in_the_form() {
    let mut auth = json!({"kind": "oauth2_client_credentials", "client_id": "me",
        "token_url": "https://h.example/token", "client_secret": "${file:secret}"});
    let sent = World::new().sent(auth.clone());
    assert_eq!(sent[0], ("/token".to_owned(), "Basic bWU6aHVudGVyMg==".to_owned()));
    assert_eq!(sent[1], ("/rows".to_owned(), "Bearer t1".to_owned()));
    auth["client_in"] = json!("form");
    assert_eq!(World::new().sent(auth)[0].1, "", "id and secret stand in the form");
}

#[test]
fn a_stack_reaches_its_host_and_its_issuer_and_the_sheet_names_no_secret() {
    let world = World::new();
    let book = FlowBook::default();
    let auth = json!({"kind": "oauth2_client_credentials", "client_id": "me",
        "token_url": "https://login.example/token", "client_secret": "${file:secret}"});
    let stack = world.noted(auth, &book).unwrap();
    let sheet: Vec<String> = book
        .all()
        .iter()
        .map(|flow| format!("{} {:?} {}", flow.origin, flow.carries, flow.credential))
        .collect();
    assert_eq!(
        sheet,
        [
            "https://h.example:443 Figures token of the log-in",
            "https://login.example:443 Login client me, secret ${file:secret}",
        ]
    );
    world.send(&stack);
    let before = world.script.arrived().len();
    for elsewhere in
        ["https://evil.example/rows", "http://h.example/rows", "https://h.example:8443/"]
    {
        let request = Request::get(elsewhere).body(Bytes::new()).unwrap();
        let call = Call::new("read rows", Safety::Read, request);
        let error = world.clock.block_on(stack.send(call)).unwrap_err();
        assert_eq!(error.class, Class::Fatal, "{elsewhere}: {error}");
        assert!(error.cure.as_deref().is_some_and(|cure| cure.contains("planthread flows")));
    }
    assert_eq!(world.script.arrived().len(), before, "nothing went out");
    // Who exchanges a client for a token says where, also before there is a secret.
    let book = FlowBook::default();
    let own =
        json!({"kind": "token_exchange", "client_id": "me", "client_secret": "${file:secret}"});
    world.noted(own, &book).unwrap();
    assert!(book.all().iter().any(|flow| flow.origin.host == "own.example"), "{book:?}");
}

#[test]
fn a_secret_that_is_not_there_is_named_by_its_field_and_offline_asks_for_none() {
    let mut world = World::new();
    let auth = json!({"kind": "basic", "user": "me", "password": "${file:nothing}"});
    let fault = world.stack(auth.clone()).unwrap_err();
    assert_eq!(fault.field, "settings.auth.password");
    let certificate = json!({"kind": "client_certificate", "certificate": "no.pem",
        "private_key": "${file:secret}"});
    assert_eq!(world.stack(certificate).unwrap_err().field, "settings.auth.certificate");
    world.offline = true;
    assert_eq!(world.sent(auth)[0].1, "");
}

#[test]
fn a_secret_with_a_line_break_inside_is_refused_and_not_shown() {
    let world = World::new();
    fs::write(world.folder.join("broken"), "hun\nter2").unwrap();
    let fault = world.stack(json!({"kind": "bearer", "token": "${file:broken}"})).unwrap_err();
    assert_eq!(fault.field, "settings.auth.token");
    assert!(fault.cure.is_some() && !format!("{fault:?}").contains("ter2"), "{fault:?}");
}

#[test]
fn settings_are_read_with_the_path_of_what_is_wrong() {
    #[derive(Debug, serde::Deserialize)]
    #[expect(dead_code, reason = "only its reading is looked at")]
    struct Settings {
        http: HttpSettings,
    }
    let fault = typed::<Settings>(&json!({"http": {"resends": "many"}})).unwrap_err();
    assert_eq!(fault.field, "http.resends");
    assert_eq!(fault.inside("settings").field, "settings.http.resends");
    let missing: SettingsFault =
        ConnectorError::new(Class::Fatal, "read settings", "`host` is missing")
            .cure("write it")
            .into();
    assert_eq!(missing.cure.as_deref(), Some("write it"));
}

#[test]
fn targets_of_one_tenant_share_a_token_unless_they_ask_for_it_otherwise() {
    let world = World::new();
    let file = "${file:secret}";
    let auth = json!({"kind": "oauth2_client_credentials", "client_id": "me",
        "token_url": "https://h.example/token", "client_secret": file});
    let asked = || world.script.arrived().iter().filter(|one| one.path == "/token").count();
    for _ in 0..2 {
        world.send(&world.stack(auth.clone()).unwrap());
    }
    assert_eq!(asked(), 1, "two targets, one token");
    let mut scoped = auth.clone();
    scoped["scope"] = json!("write");
    world.send(&world.stack(scoped).unwrap());
    assert_eq!(asked(), 2, "another scope is another token");
    let mut other = auth.clone();
    other["client_id"] = json!("somebody");
    world.send(&world.stack(other).unwrap());
    assert_eq!(asked(), 3, "another identity is another tenant");
    fs::write(world.folder.join("secret"), "renewed\n").unwrap();
    world.send(&world.stack(auth).unwrap());
    assert_eq!(asked(), 4, "nobody goes on with a secret that was renewed");
}

#[test]
fn the_rate_that_a_vendor_publishes_counts_unless_another_is_configured() {
    for (published, configured, every) in [
        (None, None, None),
        (Some(60_000), None, Some(2)),
        (Some(60_000), Some(600), Some(200)),
        (None, Some(600), Some(200)),
    ] {
        let mut world = World::new();
        world.takes.requests_per_minute = published;
        world.quota.published_per_minute = configured;
        world.stack(json!({"kind": "none"})).unwrap();
        let every = every.map(std::time::Duration::from_millis);
        let standing = world.quotas.standing();
        assert_eq!(standing.values().map(|one| one.every).collect::<Vec<_>>(), [every]);
    }
}
