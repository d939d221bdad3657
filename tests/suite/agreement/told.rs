//! What the verbs about an agreement tell, and how they end.

use std::{fs, sync::Arc, time::Duration};

use planthread::{
    failure::Exit,
    pipeline::{Draft, Opener, Probed, Rendered, enable, fits, standing},
    report::{TextTable, View as _},
};
use planthread_engine::status;
use planthread_kit::{
    Clock,
    agreement::{
        Agreement, Evidence, SigningKey, State, document::Signed, evidence::Contradicted,
        gate::sign,
    },
};
use serde_json::{Value, json};

use super::{AGREEMENT, Site, TARGET};

fn probed(site: &Site) -> Probed {
    let bridge = site.bridge();
    bridge.ingest().unwrap();
    site.clock.block_on(bridge.probe(Some(TARGET), "Bea")).unwrap()
}

/// Somebody wrote into the evidence beside the agreement.
fn contradict(site: &Site) {
    let target = site.bridge().target(Some(TARGET)).unwrap();
    let kept = standing(&target, site.clock.now()).unwrap().evidence.unwrap();
    let contradicted = Contradicted { why: "it was full".to_owned(), at: site.clock.now() };
    let evidence = Evidence { contradicted: Some(contradicted), ..kept.read().unwrap() };
    evidence.keep(&kept.file).unwrap();
}

#[test]
fn a_probe_ends_by_what_it_showed_itself() {
    // A sandbox is enabled as soon as a probe settles what contradicted it.
    let site = Site::new("ends-well", &[]);
    contradict(&site);
    let done = probed(&site);
    assert_eq!((done.agreement.state, done.exit()), (State::Enabled, Exit::Ok), "{done:?}");
    // A tenant that was probed before stays so; a probe that failed did all the same.
    let site = Site::new("ends-badly", &[]);
    site.sign(|document| document["environment"] = json!("non_production"));
    assert_eq!(probed(&site).exit(), Exit::Ok);
    site.put_wrong(&["assortment-mask", "active-rule-overwrites"]);
    site.clock.advance(Duration::from_secs(26 * 3_600));
    let done = probed(&site);
    assert!(done.seen < done.cells.len(), "{done:?}");
    assert_eq!((done.agreement.state, done.exit()), (State::Probed, Exit::Findings));
}

fn rendered(site: &Site, draft: Option<&Draft>) -> Rendered {
    let bridge = site.bridge();
    bridge.ingest().unwrap();
    site.clock.block_on(bridge.render(Some(TARGET), draft)).unwrap()
}

#[test]
fn a_request_is_shown_in_every_state_and_without_the_file_by_a_draft() {
    let site = Site::new("every-state", &[]);
    let text = fs::read_to_string(site.folder.join(AGREEMENT)).unwrap();
    let document = serde_json::from_str::<Signed>(&text).unwrap().document;
    let agreement: Agreement = serde_json::from_value(document.clone()).unwrap();
    let shown = rendered(&site, None).requests;
    let suspended = |change: &dyn Fn()| {
        change();
        let now = rendered(&site, None);
        assert_eq!((now.agreement.state, &now.requests), (State::Suspended, &shown));
        assert!(!now.agreement.cure.is_empty(), "{}", now.agreement);
        now.agreement.to_string()
    };
    let write = |text: String| fs::write(site.folder.join(AGREEMENT), text).unwrap();
    let altered = suspended(&|| write(text.replace("36.50", "36.51")));
    assert!(altered.contains("altered"), "{altered}");
    let draft = suspended(&|| write(document.to_string()));
    assert!(draft.contains("nobody signed it"), "{draft}");
    site.edit(AGREEMENT, |_| text.clone());
    let expired = suspended(&|| {
        site.sign(|document| document["approved"]["expires"] = json!("2026-11-25T00:00:00Z"));
    });
    assert!(expired.contains("expired"), "{expired}");
    // Without the file, and with one that is cut, the rest goes on.
    let draft = Draft { file: "draft.json".into(), agreement };
    for cut in [true, false] {
        match cut {
            true => write(text[..text.len() / 2].to_owned()),
            false => fs::remove_file(site.folder.join(AGREEMENT)).unwrap(),
        }
        let now = rendered(&site, Some(&draft));
        assert_eq!((now.agreement.state, &now.requests), (State::Suspended, &shown), "{cut}");
        assert!(now.agreement.missing.contains("o9-sandbox.json can't be read"));
        assert!(site.refused().contains("can't be read"), "planned, packed, and not sent");
        let bridge = site.bridge();
        let target = bridge.target(Some(TARGET)).unwrap();
        let found = site.clock.block_on(target.connector.discover()).unwrap();
        let wrong = found.findings.iter().filter(|finding| !finding.ok);
        assert_eq!(wrong.map(|finding| &*finding.line).collect::<Vec<_>>(), ["agreement"]);
        let said = site.clock.block_on(bridge.render(Some(TARGET), None)).unwrap_err();
        assert_eq!(said.exit, Exit::Held);
        assert!(said.message.contains("o9-sandbox.json") && !said.cure.is_empty(), "{said}");
    }
}

#[test]
fn a_draft_for_something_else_is_refused_by_its_file() {
    let site = Site::new("another-draft", &[]);
    let text = fs::read_to_string(site.folder.join(AGREEMENT)).unwrap();
    let document = serde_json::from_str::<Signed>(&text).unwrap().document;
    let bridge = site.bridge();
    bridge.ingest().unwrap();
    let refused = |change: &dyn Fn(&mut Value)| {
        let mut document = document.clone();
        change(&mut document);
        let agreement = serde_json::from_value(document).unwrap();
        let draft = Draft { file: "ours/draft.json".into(), agreement };
        let said = site.clock.block_on(bridge.render(Some(TARGET), Some(&draft))).unwrap_err();
        assert_eq!(said.exit, Exit::Usage, "{said}");
        assert!(said.message.starts_with("ours/draft.json: ") && !said.cure.is_empty(), "{said}");
        said.message
    };
    assert!(refused(&|draft| draft["connector"] = json!("kinaxis")).contains("it is for kinaxis"));
    assert!(
        refused(&|draft| draft["profile"]["constants"]["tenant"] = json!("9")).contains("tenant")
    );
    assert!(refused(&|draft| draft["profile"] = Value::Null).contains("how a request is built"));
}

#[test]
fn what_may_be_signed_is_what_verify_takes() {
    let site = Site::new("signs", &[]);
    let text = fs::read_to_string(site.folder.join(AGREEMENT)).unwrap();
    let document = serde_json::from_str::<Signed>(&text).unwrap().document;
    let (loaded, key) = (site.bridge().loaded.clone(), SigningKey::read(&"7".repeat(64)).unwrap());
    let clock: Arc<dyn Clock> = Arc::new(site.clock.clone());
    let opener = Opener::new(clock).offline();
    let file = site.folder.join("signed.json");
    let changes: [(&str, Value, bool); 7] = [
        ("/agreement", json!("another name"), true),
        ("/environment", json!("non_production"), true),
        ("/schema", json!(2), false),
        ("/hosts", json!(["https://elsewhere.example"]), false),
        ("/golden", json!([]), false),
        ("/golden/0/response/status", json!(500), false),
        ("/profile/constants/tenant", json!("9"), false),
    ];
    for (place, value, good) in changes {
        let mut document = document.clone();
        *document.pointer_mut(place).unwrap() = value;
        let signed = sign(document, &key);
        fs::write(&file, serde_json::to_string(&signed).unwrap()).unwrap();
        let signing = fits(&loaded, &opener, (&file, &signed));
        // What `verify` says once the settings name file and key.
        let mut named = loaded.clone();
        let settings = &mut named.config.targets.get_mut(TARGET).unwrap().settings;
        settings["agreement"] = json!({ "file": file, "trusts": { "ada": key.public() } });
        let verified = standing(&opener.open(&named, Some(TARGET)).unwrap(), site.clock.now());
        let verified = verified.unwrap();
        assert_eq!(verified.state != State::Suspended, good, "{place}: {verified}");
        match signing {
            Ok(fits) => assert_eq!((fits.as_deref(), good), (Some(TARGET), true), "{place}"),
            Err(said) => {
                assert!(!good && said.message.contains(&verified.missing), "{place}: {said}");
                assert!(said.exit == Exit::Usage && !said.cure.is_empty(), "{said}");
            }
        }
    }
    // Nobody can say where no target of its connector is configured.
    let mut other = document;
    other["connector"] = json!("kinaxis");
    let signed = sign(other, &key);
    assert_eq!(fits(&loaded, &opener, (&file, &signed)).unwrap(), None);
}

#[test]
fn where_nothing_is_to_be_written_no_request_is_shown_and_that_is_no_fault() {
    let site = Site::new("nothing-to-show", &[]);
    assert!(site.apply().stopped.is_none());
    let shown = rendered(&site, None);
    assert!(shown.cells.is_empty() && shown.requests.is_empty(), "{shown:?}");
    assert_eq!(shown.exit(), Exit::Ok);
    let mut text = TextTable::new(false);
    shown.write(&mut text);
    assert!(text.into_text().contains("nothing is to be written now"));
}

#[test]
fn what_is_enabled_already_says_so_and_what_is_left_to_do() {
    let site = Site::new("already", &[]);
    let bridge = site.bridge();
    bridge.ingest().unwrap();
    let enabled = enable(&bridge.target(Some(TARGET)).unwrap(), "Ada", site.clock.now());
    let probed = site.clock.block_on(bridge.probe(Some(TARGET), "Bea"));
    for said in [enabled.unwrap_err(), probed.unwrap_err()] {
        assert_eq!(said.exit, Exit::Held);
        assert!(said.message.contains("already") && said.cure.contains("apply"), "{said}");
    }
}

/// A rule that the tenant does not have, in the request and in what was recorded.
fn misnamed(document: &mut Value) {
    let text = document.to_string().replace("PlanthreadCapacity", "PlanthreadCapacty");
    *document = serde_json::from_str(&text).unwrap();
}

fn states(site: &Site) -> std::collections::BTreeMap<&'static str, u64> {
    let reader = site.bridge().reader().unwrap();
    status::status(&reader, site.clock.now()).unwrap().scopes.remove(0).states
}

#[test]
fn an_answer_that_is_agreed_to_take_nothing_leaves_no_row_unproven() {
    let site = Site::new("misnamed", &[]);
    site.sign(misnamed);
    let stopped = site.apply().stopped.unwrap();
    assert!(stopped.message.contains("there is no rule"), "{}", stopped.message);
    let stated = states(&site);
    assert!(stated["unproven"] == 0 && stated["pending"] > 100, "{stated:?}");
    // Mended, they go out at once.
    site.sign(|document| {
        let text = document.to_string().replace("PlanthreadCapacty", "PlanthreadCapacity");
        *document = serde_json::from_str(&text).unwrap();
    });
    site.clock.advance(Duration::from_secs(1_200));
    let done = site.apply();
    assert!(done.stopped.is_none() && site.landed() > 100, "{:?}", done.stopped);
    // Where nobody agreed on it, only a read-back tells.
    let site = Site::new("unstated", &[]);
    site.sign(|document| {
        misnamed(document);
        document["profile"]["reply"]["nothing_taken"] = json!([]);
    });
    assert!(site.apply().stopped.is_some());
    let unstated = states(&site);
    assert_eq!((unstated["pending"], unstated["in_flight"]), (0, stated["pending"]));
}
