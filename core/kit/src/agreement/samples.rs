//! An agreement as tests take it.

use serde_json::json;

use super::{
    document::Profile,
    golden::Golden,
    template::{Filled, Slot, SlotKind},
};

/// What a connector of the tests offers.
pub(super) const OFFERED: [(&str, SlotKind); 4] = [
    ("attempt", SlotKind::Token),
    ("row", SlotKind::Token),
    ("resource", SlotKind::Member),
    ("value", SlotKind::Decimal),
];

/// What each row must fix.
pub(super) const NEEDED: [&str; 2] = ["resource", "value"];

pub(super) fn profile() -> Profile {
    serde_json::from_value(json!({
        "profile": "sample", "route": "rule",
        "constants": { "rule": "Capacity Rule" },
        "request": {
            "method": "POST", "path": "/rules/{rule}",
            "body": { "Id": "{attempt}", "Rows": "{rows}" },
            "row": { "Resource": "{resource}", "Value": "{value}" },
            "slots": { "attempt": "token", "row": "token", "resource": "member", "value": "decimal" },
            "repeatable": true,
        },
        "reply": {
            "taken": [{ "at": "/Status", "any_of": ["Success"] }],
            "refused": { "list": "/Rows", "id": "/Id", "text": "/Message" },
            "repeated": { "at": "/Status", "any_of": ["Duplicate"] },
        },
    }))
    .unwrap()
}

pub(super) fn row(resource: &str, value: &str) -> Filled {
    Filled::from([
        ("resource".to_owned(), Slot::Member(resource.to_owned())),
        ("value".to_owned(), Slot::Decimal(value.parse().unwrap())),
    ])
}

pub(super) fn golden() -> Vec<Golden> {
    let request = |resource: &str| {
        json!({ "method": "POST", "path": "/rules/Capacity%20Rule", "body": {
            "Id": "a", "Rows": [{ "Resource": resource, "Value": "1.50" }] } })
    };
    let one = |name: &str, resource: &str, body: serde_json::Value, means: serde_json::Value| {
        json!({ "name": name, "head": { "attempt": "a" },
            "rows": [{ "row": "1", "resource": resource, "value": "1.50" }],
            "request": request(resource), "response": { "status": 200, "body": body },
            "means": means })
    };
    let unknown = json!({ "Status": "Partial", "Rows": [{ "Id": "1", "Message": "unknown" }] });
    serde_json::from_value(json!([
        one("write_ok", "L1", json!({ "Status": "Success" }), json!("taken")),
        one("unknown_member", "L9", unknown, json!({ "refused": ["1"] })),
    ]))
    .unwrap()
}

/// A document that holds until the end of 2027.
pub(super) fn document(environment: &str, host: &str) -> serde_json::Value {
    json!({
        "agreement": "sample", "schema": 1, "connector": "sample", "hosts": [host],
        "environment": environment,
        "product": { "release": "R1", "document": "Guide", "version": "2", "page": "12",
            "date": "2026-01-01", "read_by": "Ada" },
        "capabilities": { "write_capacity": "supported", "delete": "unknown" },
        "limits": { "rows": 100, "body_kb": 64, "seconds": 60 },
        "semantics": { "unit": "HUR" },
        "profile": profile(), "golden": golden(),
        "approved": { "by": "Ada", "at": "2026-01-01T00:00:00Z", "expires": "2028-01-01T00:00:00Z" },
    })
}
