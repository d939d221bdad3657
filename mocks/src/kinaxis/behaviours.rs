//! Every behaviour of this sandbox, with its grade, source and switch.
//!
//! The fact sheet grades by sources: "C2+" (two independent public sources) is B
//! here, "C1" (one client or one vendor artefact) is C. Sections are those of the
//! fact sheet; "corrections" is its last table.

use crate::sdk::{self, Behaviour, Grade};

/// Which behaviours are on.
pub type Switches = sdk::Switches<Switch>;

/// Names one behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is described in TABLE, in words that people read")]
pub enum Switch {
    BasicAuth,
    OAuth,
    TokenCloses,
    ServiceRight,
    OneSession,
    AppendNonKeyed,
    UploadFails,
    DropsSilently,
    ExportExpires,
    BracketedFilter,
    ErrorsAsList,
    HashKept,
    ImportDisabled,
    AutoCreate,
    ScriptFails,
    PartialLoad,
    PartialReplaces,
    LoadWithoutDone,
    CommitKeepsNothing,
}

/// All behaviours that can be switched; their sources were looked up on 2026-11-26.
#[rustfmt::skip]
pub const TABLE: [Behaviour<Switch>; 19] = [
    Behaviour::on(Switch::BasicAuth, "basic-auth", Grade::B, "2", "Basic with the web service user on every call"),
    Behaviour::on(Switch::OAuth, "oauth", Grade::B, "2", "oauth2/token below the company, client credentials in the Basic header only; Bearer on every call"),
    Behaviour::on(Switch::TokenCloses, "token-closes", Grade::C, "13.10, corrections", "the connection closes after the token answer"),
    Behaviour::on(Switch::ServiceRight, "service-right", Grade::C, "7", "403 for a user who may not perform web service operations (planthread-noservice)"),
    Behaviour::off(Switch::OneSession, "one-session", Grade::U, "corrections", "fault: one session per web service user; while a token lives, another token or Basic is a 403 (the answer is ours)"),
    Behaviour::off(Switch::AppendNonKeyed, "append-non-keyed", Grade::U, "13.3, 17", "a row sent again to a non-keyed table is a second row; off: it modifies the row with the same identification"),
    Behaviour::off(Switch::UploadFails, "upload-fails", Grade::C, "4.2", "fault: every complete answers 200 with Results.Status Failure, without effect"),
    Behaviour::off(Switch::DropsSilently, "drops-silently", Grade::S, "-", "fault: rows that can't be held are dropped, and counted as unchanged"),
    Behaviour::off(Switch::ExportExpires, "export-expires", Grade::S, "corrections", "fault: an export handle ends after its first page (404)"),
    Behaviour::off(Switch::BracketedFilter, "bracketed-filter", Grade::C, "corrections", "a filter text needs [ ] around it, as an older client sends it; off: none, as the present one"),
    Behaviour::off(Switch::ErrorsAsList, "errors-as-list", Grade::C, "4.5, corrections", "Errors of an import is a list of objects; off: one object with Code and Message"),
    Behaviour::off(Switch::HashKept, "hash-kept", Grade::C, "5", "queryId needs its # (sent as %23); off: with or without"),
    Behaviour::off(Switch::ImportDisabled, "import-disabled", Grade::C, "9", "AllowImportData is off on the worksheets, as in the stock utility package"),
    Behaviour::off(Switch::AutoCreate, "auto-create", Grade::C, "9", "AutoCreateReferenceRecords: an unknown constraint becomes a new record"),
    Behaviour::off(Switch::ScriptFails, "script-fails", Grade::C, "4.6", "fault: every script answers 200 with ScriptError, without effect"),
    Behaviour::off(Switch::PartialLoad, "partial-load", Grade::U, "4.7, 17", "OperationType Partial merges a file's rows; off: only Full is known"),
    Behaviour::off(Switch::PartialReplaces, "partial-replaces", Grade::S, "-", "fault: a load that should merge deletes what its file lacks, and answers as one that merged"),
    Behaviour::off(Switch::LoadWithoutDone, "load-without-done", Grade::U, "11", "the trigger loads extract files without extract.done; off: it answers Canceled"),
    Behaviour::off(Switch::CommitKeepsNothing, "commit-keeps-nothing", Grade::C, "8", "a committed scenario is gone afterwards (keepScenarioAfterCommit off)"),
];

/// Behaviours that have no switch, because nothing makes sense without them.
#[rustfmt::skip]
pub const ALWAYS: [(&str, Grade, &str); 26] = [
    ("integration/V1 in upper and lower case", Grade::U, "1, 15"),
    ("401 on unknown and expired tokens", Grade::C, "2"),
    ("Handles begin with #; in paths it is left out or sent as %23; 404 on unknown ones", Grade::C, "5, 15"),
    ("bulk/export answers ExportId and TotalRows; rows come as one delimited text each", Grade::C, "4.1"),
    ("Exports end by themselves; finishExport is not needed", Grade::C, "corrections"),
    ("bulk/upload stages, complete applies; a second complete fails", Grade::C, "4.2, 15"),
    ("Results counts rows: inserted, modified, deleted, unchanged, errors; rows are not named", Grade::C, "4.2"),
    ("Partial Success where some rows are refused: unknown constraint, date or number that can't be read", Grade::C, "4.2, 15"),
    ("bulk/remove with the same body, and RemovalId", Grade::C, "4.3"),
    ("A field of another namespace than its table's is sent qualified", Grade::C, "4.2"),
    ("data/workbook opens worksheets: columns and counts, no rows; SiteGroup is required", Grade::B, "4.4"),
    ("data/worksheet takes Scope and workbookScope", Grade::B, "5"),
    ("workbook/import takes null for Filter and VariableValues, one worksheet", Grade::C, "4.5, corrections"),
    ("Import dates in the web service user's locale (option import-dates)", Grade::C, "5"),
    ("A failed script answers 200 with ScriptError", Grade::C, "4.6"),
    ("dataload puts one file into a data source; a file of the same name is replaced", Grade::C, "4.7"),
    ("dataupdate: empty DataUpdateId while it runs; Canceled while files are in transit; No new extract data", Grade::C, "4.7, 13.9"),
    ("The success text of a data update is an option (Completed is a client's expectation)", Grade::C, "corrections"),
    ("A Full file deletes every row of its table that it lacks", Grade::C, "11"),
    ("DataUpdateFileHistory and DataUpdateMessage name lines (FileLineNum)", Grade::C, "12"),
    ("Children are committed to their parent; IsNeedsUpdate once the parent changed since", Grade::C, "8"),
    ("Where a standard row (Past to Undefined) and a row of one period meet, the latter is in use", Grade::S, "10"),
    ("Constraints name a unit of measure: Minutes here, or that of the configured target", Grade::S, "9"),
    ("The data source maps the columns of a file by place: place and days, numbers by their names, text; that one does is C, in which order is ours", Grade::S, "11"),
    ("A pack that a person drops is taken with its manifest alone", Grade::S, "11"),
    ("A worksheet ConstraintLoad shows the calculated load; columns are this sandbox's, and in each scenario it is the parent's load", Grade::S, "9, 12"),
];

impl sdk::Switch for Switch {
    const TABLE: &'static [Behaviour<Self>] = &TABLE;
}
