//! What the verbs about an agreement tell, and how they end.

use planthread::{
    failure::Exit,
    pipeline::{Probed, standing},
    report::View as _,
};
use planthread_kit::{
    Clock as _,
    agreement::{Evidence, State, evidence::Contradicted},
};
use serde_json::json;

use super::{Site, TARGET};

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
    site.clock.advance(std::time::Duration::from_secs(26 * 3_600));
    let done = probed(&site);
    assert!(done.seen < done.cells.len(), "{done:?}");
    assert_eq!((done.agreement.state, done.exit()), (State::Probed, Exit::Findings));
}
