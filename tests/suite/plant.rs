//! The plant of the suite: a configuration as data, to be changed by each test.

use serde_json::{Value, json};

/// A measure in the words of the configuration.
pub(crate) fn measure(name: &str, surface: &str, carries: &str, role: &str) -> Value {
    const HOURS: [&str; 4] = ["attainable_clock_hours", "plan_cut", "decided_hours", "observed"];
    let hours = HOURS.contains(&carries);
    let by = if hours { "sum" } else { "max" };
    json!({ "name": name, "surface": surface, "carries": carries, "level": "week",
        "unit": if hours { "HUR" } else { "C62" }, "scale": if hours { 2 } else { 0 },
        "over_time": by, "over_resources": by, "owner": "bridge", "role": role })
}

/// `machines` machines that never stand still by calendar, each with a
/// standard availability of its own, over the current week and `weeks` more.
pub(crate) fn plan_of(machines: u32, weeks: u32) -> Value {
    let resource = |n: u32| {
        json!({ "id": format!("m-{n}"), "class": "machine", "calendar": "always",
            "standard_availability": format!("0.{}", 900 - n) })
    };
    let row = |n: u32| {
        json!({ "source": format!("m-{n}"), "resource": format!("LINE-{n}"),
            "location": if n % 2 == 1 { "1010" } else { "1020" } })
    };
    json!({
        "version": 1,
        "state": "state",
        "plant": {
            "id": "suite",
            "zone": "Etc/UTC",
            "horizon": { "past_weeks": 0, "future_weeks": weeks },
            "calendars": [{ "id": "always", "version": "1", "round_the_clock": true }],
            "resources": (1..=machines).map(resource).collect::<Vec<_>>(),
            "sources": [{ "name": "twin", "files": ["twin.ndjson"], "reader": { "cloudevents": {} } }],
        },
        "targets": { "ibp": {
            "connector": "sap-ibp",
            "settings": {
                "host": "http://127.0.0.1",
                "planning_area": "PTDEMO",
                "auth": { "kind": "basic", "user": "planthread", "password": "${file:password}" },
            },
            "measures": [
                measure("live", "TWINCAPALIVE", "attainable_clock_hours", "value"),
                measure("status", "TWINSTATUS", "status", "value"),
            ],
            "mapping": { "version": "7", "expects": "attainable_clock_hours",
                "rows": (1..=machines).map(row).collect::<Vec<_>>() },
        } },
    })
}

/// Closes a Tuesday of the calendar for everybody, by somebody's decision.
pub(crate) fn close_a_day(config: &mut Value) {
    config["plant"]["calendars"][0]["exceptions"] = json!([{ "from": "2026-12-08",
        "closed": true, "reason": "inventory", "owner": "works council" }]);
}
