//! A write as statements over the query interface (unconfirmed, so only under an
//! agreement): a constant at each leaf cell, and an answer without rows.

use std::time::Duration;

use planthread_engine::status;
use planthread_kit::{Clock as _, agreement::State};
use serde_json::{Value, json};

use super::{Site, TARGET};

const PLACE: &str = "[Version].[Version Name].[TwinSignals], [Resource].[Resource].[LINE]";
const LEAF: &str = "[Location].[Location].[1010], [Time].[Partial Week].[202649A]";

/// What went out for one cell of a line, and what came back.
fn exchange(name: &str, line: &str, response: &Value, means: &str) -> Value {
    let place = PLACE.replace("LINE", line);
    let query = format!("update Measure.[Capacity Override]@({place}, {LEAF}) = 36.50;");
    json!({ "name": name, "head": {}, "rows": [{ "row": "1", "version": "TwinSignals",
        "resource": line, "location": "1010", "bucket": "202649A",
        "measure": "Capacity Override", "value": "36.50" }],
        "request": { "method": "POST", "path": "/api/ibplquery/1234/ExecuteQueryJson",
            "body": { "Query": query } },
        "response": response, "means": means })
}

/// The shipped agreement, with statements in place of a rule.
fn states(document: &mut Value) {
    let profile = &mut document["profile"];
    profile["route"] = json!("query");
    let request = &mut profile["request"];
    request["path"] = json!("/api/ibplquery/{tenant}/ExecuteQueryJson");
    request["body"] = json!({ "Query": "{rows}" });
    let sets = "[Version].[Version Name].[{version}], [Resource].[Resource].[{resource}], \
        [Location].[Location].[{location}], [Time].[Partial Week].[{bucket}]";
    request["row"] = json!(format!("update Measure.[{{measure}}]@({sets}) = {{value}};"));
    request["separator"] = json!("\n");
    profile["reply"] = json!({ "taken": [{ "at": "/Meta", "any_of": ["[]"] }] });
    let empty = json!({ "status": 200, "body": { "Meta": [], "Data": [] } });
    let unknown = json!({ "status": 400, "body": { "Message": "IBPL: there is no [LINE-99]" } });
    document["golden"] = json!([
        exchange("write_ok", "LINE-1", &empty, "taken"),
        exchange("unknown_member", "LINE-99", &unknown, "error"),
    ]);
}

fn counts(site: &Site) -> status::ScopeStatus {
    let reader = site.bridge().reader().unwrap();
    status::status(&reader, site.clock.now()).unwrap().scopes.remove(0)
}

#[test]
fn statements_land_under_an_agreement_and_are_refused_by_a_key_without_the_right() {
    let site = Site::new("stated", &["update-over-query"]);
    site.sign(states);
    assert_eq!(site.state(), State::Enabled);
    let done = site.apply();
    assert!(done.stopped.is_none(), "{:?}", done.stopped);
    let counts = counts(&site);
    assert!(counts.seen > 100 && counts.seen == counts.wanted, "{counts:?}");
    assert_eq!(site.landed(), usize::try_from(counts.seen).unwrap(), "and nothing else");

    let site = Site::new("no-right", &[]);
    site.sign(states);
    let stopped = site.apply().stopped.unwrap();
    assert!(stopped.message.contains("may not run statements"), "{TARGET}: {}", stopped.message);
    assert_eq!(site.landed(), 0);
}

#[test]
fn what_shows_only_after_a_save_is_never_called_seen() {
    let site = Site::new("unsaved", &["update-over-query", "save-needed"]);
    site.sign(states);
    for _ in 0..2 {
        site.apply();
        site.clock.advance(Duration::from_secs(3_600));
    }
    assert_eq!((counts(&site).seen, site.landed()), (0, 0));
    assert_eq!(site.state(), State::Suspended, "it said that it took them");
}

#[test]
fn an_agreement_in_which_any_answer_is_a_receipt_does_not_hold() {
    let site = Site::new("any-answer", &["update-over-query"]);
    site.sign(|document| {
        states(document);
        document["profile"]["reply"]["taken"] = json!([]);
    });
    assert_eq!(site.state(), State::Suspended);
    assert!(site.refused().contains("what an answer holds where all was taken"));
}
