//! What the sandbox does, with grade and source: sections of the vendor's fact
//! sheet.
//!
//! `B` stands for two or more independent public clients, `C` for one client or
//! a public copy of the vendor's own pages behind its log-in, `S` for the
//! sandbox's choice, `U` for unconfirmed.

use crate::sdk::{self, Behaviour, behaviours::Grade};

/// Switches of this sandbox.
pub type Switches = sdk::Switches<Switch>;

/// What can be switched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Switch {
    /// IBPL statements that write are taken over HTTP.
    UpdateOverQuery,
    /// What IBPL writes shows after `save();` only.
    SaveNeeded,
    /// `cartesian` is ignored, and success is answered.
    CartesianIgnored,
    /// Some intersections are not created.
    AssortmentMask,
    /// An update above the leaf level spreads.
    SpreadAggregateWrite,
    /// A rule changes what was written.
    ActiveRuleOverwrites,
    /// Unknown members are created, slowly.
    SlowCreateMember,
    /// The nightly merge writes over the signal version.
    MergeOverwrites,
    /// Writing a calculated measure answers success.
    SilentReadOnly,
    /// The rule names refused rows.
    RefusalsNamed,
    /// Replies are JSON inside a text.
    DoubleEncoded,
    /// Compact cells carry metadata.
    CellMetadata,
    /// Compact rows are objects.
    RowsAsObjects,
    /// Numbers come as texts.
    NumbersAsText,
    /// The body's status differs from that of HTTP.
    BodyStatusDiffers,
}

#[rustfmt::skip]
const TABLE: [Behaviour<Switch>; 15] = [
    Behaviour::off(Switch::UpdateOverQuery, "update-over-query", Grade::U, "4.5", "IBPL update and scope are taken over ExecuteQueryJson with an ApiKey"),
    Behaviour::off(Switch::SaveNeeded, "save-needed", Grade::U, "5", "what IBPL writes is visible after `save();` only"),
    Behaviour::off(Switch::CartesianIgnored, "cartesian-ignored", Grade::C, "corrections", "fault: `cartesian scope` creates nothing, and answers success"),
    Behaviour::off(Switch::AssortmentMask, "assortment-mask", Grade::C, "corrections", "fault: cells of the last resource are not created where they are empty, and success is answered"),
    Behaviour::on(Switch::SpreadAggregateWrite, "spread-aggregate-write", Grade::C, "corrections", "an update above the leaf level is legal and spreads over the leaves; off: refused"),
    Behaviour::off(Switch::ActiveRuleOverwrites, "active-rule-overwrites", Grade::C, "corrections", "fault: a rule caps the override by the ERP's capacity right after the write"),
    Behaviour::off(Switch::SlowCreateMember, "slow-create-member", Grade::C, "corrections", "fault: the tenant's rule creates unknown resources, which takes 60 s (20 to 136 are documented)"),
    Behaviour::off(Switch::MergeOverwrites, "merge-overwrites", Grade::S, "9.9", "fault: the nightly merge writes the ERP's capacity over the signal version"),
    Behaviour::off(Switch::SilentReadOnly, "silent-read-only", Grade::C, "9.5", "fault: a row for a calculated measure has no effect, and success is answered"),
    Behaviour::on(Switch::RefusalsNamed, "refusals-named", Grade::S, "4.6", "the rule names refused rows; off: it leaves them out, and answers success"),
    Behaviour::off(Switch::DoubleEncoded, "double-encoded-replies", Grade::C, "4.2", "query replies are JSON inside a JSON text"),
    Behaviour::off(Switch::CellMetadata, "cell-metadata", Grade::C, "4.2", "a cell of the compact reply is [value, metadata]"),
    Behaviour::off(Switch::RowsAsObjects, "rows-as-objects", Grade::C, "4.2", "a row of the compact reply is an object keyed by alias"),
    Behaviour::off(Switch::NumbersAsText, "numbers-as-text", Grade::C, "9.8", "numbers come as texts"),
    Behaviour::off(Switch::BodyStatusDiffers, "body-status-differs", Grade::B, "4.3", "fault: a Platform API read answers HTTP 200 with StatusCode 500 in its body"),
];

/// Behaviours that have no switch.
#[rustfmt::skip]
pub const ALWAYS: [(&str, Grade, &str); 13] = [
    ("`Authorization: ApiKey <part>.<part>`, 401 otherwise", Grade::B, "2"),
    ("a log-in with user and password gives a token that goes out as `Basic <token>`", Grade::C, "2"),
    ("POST /api/ibplquery/{tenant}/ExecuteQueryJson runs one IBPL statement", Grade::B, "3, E1"),
    ("POST /api/ibplquery/{tenant}/ExecuteCompactJsonQuery: results by number, members by index", Grade::C, "3, E2"),
    ("POST /api/ibplquery/{tenant}/{name} calls a rule of the tenant; what it takes and says is the tenant's", Grade::C, "3, E3"),
    ("GET /api/v2/master/{app} and /{dimension}, GET /api/v2/fact/{app} and /{group}: list, then rows", Grade::B, "3, E4, E5"),
    ("filters (any case) as JSON, size, Cursor until it is absent; StatusCode in the body", Grade::B, "4.3"),
    ("a select shows intersections that hold a value, in cells C0 to Cn", Grade::B, "4.1"),
    ("member names are case-sensitive; a blank at an end is another member", Grade::C, "9.1"),
    ("Capacity Final is Capacity Override where there is one, else Capacity, and can't be written", Grade::C, "6"),
    ("a rule with an id that it has taken answers `Duplicate`", Grade::C, "4.6"),
    ("names of measures, members, the rule, and all texts; what a select above the leaf adds up to", Grade::S, "6"),
    ("nightly load, planner's page, its edits, CSV import with its end mark: no vendor behaviour", Grade::S, "7"),
];

impl sdk::Switch for Switch {
    const TABLE: &'static [Behaviour<Self>] = &TABLE;
}
