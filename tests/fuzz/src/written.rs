//! What people and vendors write: configurations, calendars, names of cells, service
//! documents, refusals.

use std::path::Path;

use planthread::{config, pipeline::parse_cell};
use planthread_contracts::Period;
use planthread_domain::calendar::ical;
use planthread_kit::{http::said, redact};
use planthread_odata::{Edmx, fault, literal};

use crate::{Parser, seeds, text};

/// The parsers.
pub const PARSERS: &[Parser] = &[
    Parser { name: "configuration", feed: configuration, seeds: configurations },
    Parser { name: "holidays", feed: holidays, seeds: calendars },
    Parser { name: "cell-name", feed: cell, seeds: cells },
    Parser { name: "service-document", feed: document, seeds: documents },
    Parser { name: "refusal", feed: refusal, seeds: refusals },
];

fn configuration(bytes: &[u8]) {
    // No file lies beside it: what it names is missed, and named.
    let file = Path::new("/nonexistent/planthread.yaml");
    text(bytes, |text| {
        if let Err(faults) = config::parse(text, file, None) {
            assert!(!faults.is_empty(), "a refused configuration has a fault");
            for fault in faults {
                assert!(!fault.to_string().is_empty());
            }
        }
    });
}

fn holidays(bytes: &[u8]) {
    text(bytes, |text| match ical::holidays(text) {
        Ok(found) => assert!(found.iter().all(|one| one.from <= one.to), "a holiday has a day"),
        Err(fault) => assert!(fault.line > 0, "a fault has a line"),
    });
}

/// What is printed of a name is read as the same name.
fn cell(bytes: &[u8]) {
    text(bytes, |text| {
        if let Ok(period) = text.parse::<Period>() {
            assert_eq!(period.to_string().parse::<Period>(), Ok(period));
        }
        if let Ok(key) = parse_cell(text) {
            assert_eq!(parse_cell(&key.to_string()).ok(), Some(key));
        }
    });
}

fn document(bytes: &[u8]) {
    text(bytes, |text| {
        let _ = Edmx::read(text);
        let _ = literal::parse_date(text);
    });
}

/// Whatever a vendor says is shown in bounds.
fn refusal(bytes: &[u8]) {
    let _ = fault::said(bytes, &["SAP_SESSIONID"]);
    let _ = said::said(bytes);
    text(bytes, |text| {
        let _ = redact::text(text);
        assert!(redact::up_to(text, 100).chars().count() <= 103, "a text stays in bounds");
    });
}

fn configurations() -> Vec<Vec<u8>> {
    let plain = include_str!("../../../examples/line-simulation/planthread.yaml");
    let targets = include_str!("../../../examples/sap-ibp-sandbox/planthread.yaml");
    seeds(&[plain, targets])
}

fn calendars() -> Vec<Vec<u8>> {
    seeds(&["BEGIN:VCALENDAR\r\nVERSION:2.0\r\nBEGIN:VEVENT\r\nUID:1\r\n\
             DTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227\r\nSUMMARY:Christmas\\, \
             both\r\n  days\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"])
}

fn cells() -> Vec<Vec<u8>> {
    seeds(&[
        "ibp/base/LINE-1@1010/2026-W48/live",
        "o9/v/L@1/P-1/2026-W05a/cut",
        "2026-10",
        "2026-10-26",
    ])
}

fn documents() -> Vec<Vec<u8>> {
    seeds(&[
        r#"<?xml version="1.0"?><edmx:Edmx Version="1.0" xmlns:edmx="http://schemas.microsoft.com/ado/2007/06/edmx"><edmx:DataServices><Schema Namespace="S" xmlns="http://schemas.microsoft.com/ado/2008/09/edm"><EntityType Name="Row"><Key><PropertyRef Name="ID"/></Key><Property Name="ID" Type="Edm.String" Nullable="false" MaxLength="9" sap:label="Key"/></EntityType><EntityContainer Name="C"><EntitySet Name="Rows" EntityType="S.Row"/></EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"#,
        "/Date(1795000000000+0060)/",
    ])
}

fn refusals() -> Vec<Vec<u8>> {
    seeds(&[
        r#"{"error":{"code":"X/1","message":{"lang":"en","value":"row 3"},"innererror":{"errordetails":[{"code":"E","message":"no"}]}}}"#,
        r#"<error><code>X</code><message xml:lang="en">no</message></error>"#,
        r#"{"errors":[{"message":"Authorization: Bearer abc"}]}"#,
        r#"{"type":"about:blank","title":"no","status":400,"detail":"why"}"#,
    ])
}
