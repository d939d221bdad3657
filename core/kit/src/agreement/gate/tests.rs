//! What opens the gate, and everything that keeps it shut.

use std::{
    collections::BTreeMap,
    fs,
    sync::atomic::{AtomicU64, Ordering},
};

use super::*;
use crate::agreement::{
    evidence::{Act, Probing},
    golden::Meaning,
    key::SigningKey,
    samples::{NEEDED, OFFERED, document},
};

const HOST: &str = "https://qa.planning.example";

fn place(host: &str) -> GateInput<'_> {
    GateInput {
        connector: "sample",
        host,
        unconfirmed: &[],
        requests: Requests::Profile {
            offered: &OFFERED,
            each_row: &NEEDED,
            row_id: "row",
            check: &|_| Ok(()),
        },
    }
}

fn key() -> SigningKey {
    SigningKey::read(&"7".repeat(64)).unwrap()
}

fn trusts(key: &SigningKey) -> Settings {
    Settings { trusts: BTreeMap::from([("Ada".to_owned(), key.public())]), ..Settings::default() }
}

/// A cell in each of so many groups, and a second one in the first.
fn groups(count: usize) -> Vec<CellWrite> {
    let cell = |line: usize, measure: &str| {
        let row = RowKey {
            resource: format!("L{line}").into(),
            location: "P".into(),
            product: None,
            period: "2026-W49".parse().unwrap(),
        };
        CellWrite { key: row.cell("t", "s", measure), revision: 1, value: 1.into() }
    };
    (0..count).map(|line| cell(line, "a")).chain([cell(0, "b")]).collect()
}

fn at(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn now() -> Timestamp {
    at("2026-11-22T00:00:00Z")
}

fn kept() -> Kept {
    Kept { file: PathBuf::new(), agreement: "f".repeat(64), host: HOST.to_owned() }
}

/// Evidence in a file of its own.
fn kept_as(evidence: Evidence) -> Kept {
    static FILES: AtomicU64 = AtomicU64::new(0);
    let number = FILES.fetch_add(1, Ordering::Relaxed);
    let name = format!("planthread-gate-{}-{number}.json", std::process::id());
    let kept = Kept { file: std::env::temp_dir().join(name), ..kept() };
    let (agreement, host) = (kept.agreement.clone(), kept.host.clone());
    Evidence { agreement, host, ..evidence }.keep(&kept.file).unwrap();
    kept
}

fn gate(signed: &Signed, evidence: Evidence) -> Gate {
    Gate::weigh(&trusts(&key()), &place(HOST), signed, kept_as(evidence))
}

#[test]
fn it_comes_from_contracted_over_probed_to_enabled_and_ends_on_its_day() {
    let signed = sign(document("production", HOST), &key());
    let state = |evidence: Evidence, now| gate(&signed, evidence).status(now).state;
    let act = |who: &str| Some(Act { who: who.to_owned(), at: now() });
    let probed = Evidence { probed: act("Bea"), ..Evidence::default() };
    let enabled = Evidence { enabled: act("Ada"), ..probed.clone() };
    let unprobed = Evidence { probed: None, ..enabled.clone() };
    assert_eq!(state(Evidence::default(), now()), State::Contracted);
    assert_eq!(state(unprobed, now()), State::Contracted);
    assert_eq!(state(probed, now()), State::Probed);
    assert_eq!(state(enabled.clone(), now()), State::Enabled);
    assert_eq!(state(enabled.clone(), at("2027-12-31T23:59:59Z")), State::Enabled);
    assert_eq!(state(enabled.clone(), at("2028-01-01T00:00:00Z")), State::Suspended);
    assert_eq!(state(enabled, at("2025-12-31T00:00:00Z")), State::Suspended);
}

#[test]
fn only_what_is_enabled_is_written_besides_one_probe() {
    let signed = sign(document("production", HOST), &key());
    let error = gate(&signed, Evidence::default()).permit(now(), &groups(1)).unwrap_err();
    assert_eq!(error.class, Class::Auth);
    assert!(error.took_nothing && error.message.contains("nobody probed it"), "{error}");
    let until = at("2026-11-22T00:10:00Z");
    let probing = Some(Probing { who: "Bea".to_owned(), until });
    let probing = gate(&signed, Evidence { probing, ..Evidence::default() });
    assert!(probing.permit(now(), &groups(1)).is_ok());
    assert!(probing.permit(now(), &groups(2)).is_err(), "one group, no more");
    assert!(probing.permit(until, &groups(1)).is_err(), "its time is over");
    assert!(probing.permit(at("2028-01-01T00:00:00Z"), &groups(1)).is_err());
    let nothing = Gate::open(&Settings::default(), Path::new("."), &place(HOST));
    let error = nothing.permit(now(), &groups(1)).unwrap_err();
    assert!(error.message.starts_with("unverified") && error.cure.is_some(), "{error}");
}

#[test]
fn what_was_contradicted_is_probed_again_and_what_people_decide_counts_at_once() {
    for environment in ["production", "non_production"] {
        let signed = sign(document(environment, HOST), &key());
        let act = || Some(Act { who: "Bea".to_owned(), at: now() });
        let enabled = Evidence { probed: act(), enabled: act(), ..Evidence::default() };
        let gate = gate(&signed, enabled);
        let Some(kept) = gate.status(now()).evidence else { panic!("its words hold") };
        let keep = |evidence: &Evidence| evidence.keep(&kept.file).unwrap();
        assert!(gate.permit(now(), &groups(5)).is_ok());
        let why = "2 cells were taken and are not there".to_owned();
        let mut evidence = kept.read().unwrap();
        evidence.contradicted = Some(Contradicted { why, at: now() });
        keep(&evidence);
        let standing = gate.status(now());
        assert_eq!(standing.state, State::Suspended);
        assert!(standing.missing.contains("2 cells") && standing.cure.contains("probe"));
        assert!(gate.permit(now(), &groups(1)).is_err());
        let until = at("2026-11-22T00:10:00Z");
        evidence.probing = Some(Probing { who: "Bea".to_owned(), until });
        keep(&evidence);
        assert!(gate.permit(now(), &groups(1)).is_ok() && gate.permit(now(), &groups(2)).is_err());
        keep(&Evidence { contradicted: None, probing: None, ..evidence });
        assert!(gate.permit(now(), &groups(5)).is_ok());
        fs::write(&kept.file, "{").unwrap();
        assert_eq!(gate.status(now()).state, State::Suspended, "nobody knows");
    }
}

#[test]
fn an_altered_one_and_a_key_that_nobody_trusts_suspend() {
    let good = sign(document("production", HOST), &key());
    let missing = |signed: &Signed| {
        let standing = gate(signed, Evidence::default()).status(now());
        assert_eq!(standing.state, State::Suspended);
        standing.missing
    };
    let mut altered = good.clone();
    altered.document["approved"]["expires"] = "2099-01-01T00:00:00Z".into();
    assert!(missing(&altered).contains("altered after Ada"));
    let stranger = SigningKey::read(&"8".repeat(64)).unwrap();
    assert!(missing(&sign(document("production", HOST), &stranger)).contains("trusts"));
    let elsewhere = sign(document("production", "https://prod.planning.example"), &key());
    assert!(missing(&elsewhere).contains("not of this host"));
    let sandbox = sign(document("sandbox", HOST), &key());
    assert!(missing(&sandbox).contains("sandbox"));
    let mut forged = document("production", HOST);
    forged["golden"][0]["request"]["path"] = "/elsewhere".into();
    assert!(missing(&sign(forged, &key())).contains("write_ok"));
    let mut unseen = document("production", HOST);
    unseen["golden"][1]["response"] = serde_json::json!({ "status": 500, "body": "down" });
    unseen["golden"][1]["means"] = "error".into();
    assert!(missing(&sign(unseen, &key())).contains("whose member is not there"));
    let mut unknown = document("production", HOST);
    unknown["capabilities"]["write_capacity"] = "unknown".into();
    assert!(missing(&sign(unknown, &key())).contains("can be written"));
}

#[test]
fn the_demos_key_counts_for_this_machine_only_whoever_trusts_it() {
    let demo = SigningKey::demo().unwrap();
    let state = |host: &str, said: &str| {
        let signed = sign(document("sandbox", said), &demo);
        let gate = Gate::weigh(&trusts(&demo), &place(host), &signed, kept());
        gate.status(now()).state
    };
    assert_eq!(state("http://127.0.0.1:9103", "loopback"), State::Enabled);
    assert_eq!(state("http://localhost", "loopback"), State::Enabled);
    for far in [HOST, "http://127.0.0.1.example.com", "https://localhost.example.com"] {
        assert_eq!(state(far, "loopback"), State::Suspended, "{far}");
        assert_eq!(state(far, far), State::Suspended, "{far}");
    }
    let signed = sign(document("sandbox", "loopback"), &demo);
    let place = place("http://127.0.0.1");
    let untrusting = Gate::weigh(&trusts(&key()), &place, &signed, kept());
    assert_eq!(untrusting.status(now()).state, State::Suspended, "trust is the configuration's");
}

#[test]
fn what_no_public_material_confirms_is_stated_as_it_is_and_shown() {
    let missing = |stated: Value, own: &dyn Fn(&Golden) -> Result<(), String>| {
        let mut document = document("production", HOST);
        document["settings"] = stated;
        document.as_object_mut().unwrap().remove("profile");
        let unconfirmed = [("load.word", Value::from("Merge"))];
        let place =
            GateInput { unconfirmed: &unconfirmed, requests: Requests::Own(own), ..place(HOST) };
        let signed = sign(document, &key());
        Gate::weigh(&trusts(&key()), &place, &signed, kept_as(Evidence::default()))
            .status(now())
            .missing
    };
    let stated = || serde_json::json!({ "load.word": "Merge", "more": 1 });
    let good = |one: &Golden| one.holds(Ok(one.request.clone()), || one.means.clone());
    assert_eq!(missing(stated(), &good), "nobody probed it");
    assert!(missing(serde_json::json!({}), &good).contains("does not state `load.word`"));
    let other = serde_json::json!({ "load.word": "Partial" });
    assert!(missing(other, &good).contains("\"Partial\", and the settings say \"Merge\""));
    let misread = |one: &Golden| one.holds(Ok(one.request.clone()), || Meaning::Error);
    assert!(missing(stated(), &misread).contains("write_ok"));
    let changed = |one: &Golden| one.holds(Err("no such table".to_owned()), || Meaning::Taken);
    assert!(missing(stated(), &changed).contains("no such table"));
    let profile = sign(document("production", HOST), &key());
    let own = GateInput { requests: Requests::Own(&good), ..place(HOST) };
    let gate = Gate::weigh(&trusts(&key()), &own, &profile, kept_as(Evidence::default()));
    assert!(gate.status(now()).missing.contains("builds its own"));
}

#[test]
fn a_file_that_is_no_signed_agreement_suspends_and_says_what_helps() {
    let folder = std::env::temp_dir().join(format!("planthread-open-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let settings = Settings { file: Some("agreed.json".into()), ..trusts(&key()) };
    let standing = |text: Option<String>| {
        let file = folder.join("agreed.json");
        match text {
            Some(text) => fs::write(&file, text).unwrap(),
            None => drop(fs::remove_file(&file)),
        }
        let standing = Gate::open(&settings, &folder, &place(HOST)).status(now());
        assert_eq!(standing.state, State::Suspended, "{standing}");
        (standing.missing, standing.cure)
    };
    let good = document("production", HOST);
    let (missing, cure) = standing(None);
    assert!(missing.contains("agreed.json can't be read"), "{missing}");
    assert_eq!(cure, ABSENT);
    let signed = serde_json::to_string(&sign(good.clone(), &key())).unwrap();
    let (missing, cure) = standing(Some(signed[..99].to_owned()));
    assert!(missing.contains("agreed.json can't be read"), "{missing}");
    assert_eq!(cure, DAMAGED);
    let (missing, cure) = standing(Some(good.to_string()));
    assert_eq!((&*missing, &*cure), ("nobody signed it", UNSIGNED));
    // The form of a signed one, and no signature.
    let (missing, cure) = standing(Some(format!("{{\"document\":{good}}}")));
    assert_eq!((&*missing, &*cure), ("nobody signed it", UNSIGNED));
    let stranger = SigningKey::read(&"8".repeat(64)).unwrap();
    let theirs = serde_json::to_string(&sign(good.clone(), &stranger)).unwrap();
    assert_eq!(standing(Some(theirs)).1, cures::STRANGER);
    assert_eq!(standing(Some(signed.replace("R1", "R2"))).1, cures::ALTERED);
    // Evidence that can't be read suspends, too.
    fs::write(folder.join("agreed.json"), &signed).unwrap();
    let open = || Gate::open(&settings, &folder, &place(HOST)).status(now());
    assert_eq!(open().state, State::Contracted);
    fs::write(folder.join("agreed.evidence.json"), "{").unwrap();
    let broken = open();
    assert_eq!((broken.state, &*broken.cure), (State::Suspended, READ));
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn a_key_that_can_be_none_is_a_fault_of_the_settings() {
    let of = |public: &str| {
        let trusts = BTreeMap::from([("Ada".to_owned(), public.to_owned())]);
        Settings { trusts, ..Settings::default() }.validate()
    };
    let public = key().public();
    assert!(of(&public).is_ok() && of(&public.to_uppercase()).is_ok());
    for wrong in ["", &public[1..], &format!("{public}00"), &public.replace(&public[..1], "g")] {
        let fault = of(wrong).unwrap_err();
        assert!(fault.field == "agreement.trusts.Ada" && fault.cure.is_some(), "{fault:?}");
    }
    let signed = sign(document("production", HOST), &key());
    let upper = BTreeMap::from([("Ada".to_owned(), public.to_uppercase())]);
    let settings = Settings { trusts: upper, ..Settings::default() };
    let gate = Gate::weigh(&settings, &place(HOST), &signed, kept_as(Evidence::default()));
    assert_eq!(gate.status(now()).state, State::Contracted, "digits are digits");
}

#[test]
fn what_takes_nothing_is_stated_and_was_seen() {
    let missing = |stated: u16, seen: u16| {
        let mut document = document("production", HOST);
        document["profile"]["reply"]["nothing_taken"] = serde_json::json!([stated]);
        let mut exchange = document["golden"][0].clone();
        exchange["response"] = serde_json::json!({ "status": seen, "body": "there is no rule" });
        exchange["means"] = "error".into();
        document["golden"].as_array_mut().unwrap().push(exchange);
        gate(&sign(document, &key()), Evidence::default()).status(now()).missing
    };
    assert_eq!(missing(404, 404), "nobody probed it");
    assert!(missing(404, 405).contains("no golden exchange shows a 404"));
    for status in [200, 204, 302, 401, 408, 409, 429, 500, 503, 9] {
        assert!(missing(status, 404).contains("does not show that"), "{status}");
    }
}

#[test]
fn a_page_or_an_answer_after_an_unclear_try_takes_nothing_back() {
    let mut profile = crate::agreement::samples::profile();
    profile.reply.nothing_taken = vec![404];
    let answer = |status: u16, body: &'static str| {
        http::Response::builder().status(status).body(bytes::Bytes::from(body)).unwrap()
    };
    assert!(profile.reply.took_nothing(&answer(404, "there is no rule")));
    assert!(!profile.reply.took_nothing(&answer(403, "there is no rule")));
    assert!(!profile.reply.took_nothing(&answer(404, "<html><title>Proxy</title></html>")));
}
