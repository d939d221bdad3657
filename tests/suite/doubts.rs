//! What is doubtful about a machine stands in `rejects` until it is over.

use planthread::{pipeline::doubts, report::rejects::Doubt};
use planthread_domain::{decode::Verdict, derive::About};
use planthread_kit::Clock as _;
use serde_json::json;

use super::corrections::Site;

fn found(site: &Site, about: About) -> Vec<Doubt> {
    let reader = site.bridge.reader().unwrap();
    let all = doubts(&site.bridge.loaded, &reader, site.clock.now()).unwrap();
    all.into_iter().filter(|one| one.about == about).collect()
}

#[test]
fn readings_that_a_counter_lost_are_listed_with_their_time() {
    let columns = json!({ "time": "time", "machine": "machine", "total": "rev" });
    let reader = json!({ "counts": { "header": ["id", "time", "machine", "event", "rev"],
        "columns": columns, "stamp": "end", "interval_minutes": 60, "reset": "gap",
        "good_parts": true } });
    let site = Site::new("lost-count", &json!({ "reader": reader }));
    let rows = (1..12).map(|hour| {
        let total = if hour < 6 { 400 + 40 * hour } else { 40 * (hour - 6) };
        format!("{hour},2026-11-03T{hour:02}:00:00Z,M1,read,{total}\n")
    });
    site.write(&rows.collect::<String>());
    let [lost] = &found(&site, About::Uncounted)[..] else { panic!("one fall") };
    assert_eq!((lost.resource.as_str(), lost.times, lost.hours), ("M1", 1, 1.into()));
    assert_eq!(lost.start.to_string(), "2026-11-03T05:00:00Z");
    assert!(lost.words.contains("the counter fell"), "{}", lost.words);
}

#[test]
fn a_verdict_needs_a_machine_and_a_source_of_the_plant_and_is_told() {
    let site = Site::new("verdict", &json!({}));
    let verdict = |resource: &str, source: &str, end: &str| Verdict {
        resource: resource.into(),
        source: source.into(),
        start: "2026-11-03T00:00:00Z".parse().unwrap(),
        end: end.parse().unwrap(),
        who: "Eva".into(),
        why: "shift book".into(),
    };
    let (good, early) = ("2026-11-04T00:00:00Z", "2026-11-02T00:00:00Z");
    for (resource, source, end, named) in
        [("M9", "ev", good, "M9"), ("M1", "mes", good, "mes"), ("M1", "ev", early, early)]
    {
        let refused = site.bridge.believe(&verdict(resource, source, end)).unwrap_err();
        assert!(format!("{refused:?}").contains(named), "{refused:?}");
    }
    assert_eq!(site.position(), 0, "nothing was kept");
    site.bridge.believe(&verdict("M1", "ev", good)).unwrap();
    let [told] = &found(&site, About::Verdict)[..] else { panic!("one verdict") };
    assert!(told.words.contains("Eva") && told.words.contains("shift book"), "{}", told.words);
}
