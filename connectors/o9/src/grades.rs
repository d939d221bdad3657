//! The capability sheet: every behaviour that the connector relies on.
//!
//! `B` two or more independent public clients, `C` one client, or a public copy
//! of the vendor's own pages behind its log-in, `L` run by us, `unconfirmed`.
//! No tenant was reachable for us.

use planthread_kit::Grade;

const DATE: &str = "2026-11-26";
const SEVERAL: &str = "several public clients in Python, JavaScript and Dart, read 2026-07-31";
const ONE: &str = "one public client, read 2026-07-31";
const WIKI: &str = "public copies of the vendor's wiki, indicative, read 2026-11-26";
const NONE: &str = "no public material";

/// Behaviour, grade, source.
#[rustfmt::skip]
const SHEET: [(&str, &str, &str); 24] = [
    ("The host is the environment's, tenant number and application stand in paths", "B", SEVERAL),
    ("`Authorization: ApiKey <part>.<part>`", "B", SEVERAL),
    ("A log-in gives a token that goes out as `Basic <token>`, not encoded", "C", ONE),
    ("Client credentials (OAuth 2.0) for tenant APIs: not offered here", "unconfirmed", NONE),
    ("POST ExecuteQueryJson runs one IBPL statement and answers in cells C0 to Cn", "B", SEVERAL),
    ("POST ExecuteCompactJsonQuery answers with member indexes, sometimes encoded twice", "C", ONE),
    ("GET /api/v2/fact/{app} lists measure groups with their key attributes", "C", ONE),
    ("GET /api/v2/fact/{app}/{group} pages by Cursor until it is absent; the body has a StatusCode", "B", SEVERAL),
    ("GET /api/v2/master/{app}/{dimension} reads members", "C", ONE),
    ("An empty result has empty or no Meta and Data", "C", ONE),
    ("Members are compared by `==` or `in`, names in square brackets", "C", WIKI),
    ("How brackets and quotes in names are escaped: such names are refused", "unconfirmed", NONE),
    ("`select CurrentUser();` asks who we are", "C", WIKI),
    ("A tenant rule takes JSON at /api/ibplquery/{tenant}/{name}; payload and answer are agreed", "C", ONE),
    ("An IBPL update over HTTP with a key: only where an agreement says so", "unconfirmed", NONE),
    ("An update above the leaf level spreads: the levels are asked for before each write", "C", WIKI),
    ("`cartesian scope` takes a constant only, else the keyword is ignored", "C", WIKI),
    ("An assortment measure may drop intersections without an error: read back", "C", WIKI),
    ("Active rules recompute at each edit and may change what was written: read back", "C", WIKI),
    ("Writes of the Platform API, staging and job interfaces: not used", "unconfirmed", NONE),
    ("Creating, merging or resetting a version: not used", "unconfirmed", NONE),
    ("Time level `Partial Week` with two members where a month ends", "B", SEVERAL),
    ("Names of calendar members: the tenant's form, checked against its members", "C", ONE),
    ("The layout of the pack is ours: comma, header, one row a cell, end mark last", "unconfirmed", NONE),
];

pub(crate) fn grades() -> Vec<Grade> {
    Grade::sheet(DATE, &SHEET)
}
