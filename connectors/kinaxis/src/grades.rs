//! The capability sheet: every behaviour that the connector relies on, with
//! grade, source and date.
//!
//! `B` is seen in at least two independent public clients, `C` in one client or
//! one artefact made with the vendor's tools. `unconfirmed` is a setting without a
//! default, off, or absent. The vendor's own reference stands behind a login: no
//! line is graded `A`, and no tenant was reachable for us.

use planthread_kit::Grade;

const DATE: &str = "2026-11-26";
const RAPIDPY: &str = "GitHub GeraldPinkney/RapidResponse 1.0.24 (2025-10)";
const CLIENTS: &str =
    "RapidResponse (Python), SimioLLC/KinaxisIntegrationFlows, KinaxisPBIConnector";
const MODEL: &str = "GeraldPinkney/RapidResponse, Tables.tab and Fields.tab (one instance, 14.x)";
const SCRIPTS: &str = "RapidStart Consultant Utilities H2402, server scripts and workbooks";
const WIKI: &str = "public interface specifications of one customer (extract files to Maestro)";
const DECK: &str = "Kinaxis deck on change data capture (2010)";
const LOADS: &str = "GitHub dimorry/kinaxis-web-service, dimorry/trigger_maestro_data_update";
const NONE: &str = "no public material";

/// Behaviour, grade, source.
#[rustfmt::skip]
const SHEET: [(&str, &str, &str); 30] = [
    ("OAuth 2.0 client credentials at `<base>/oauth2/token`, client in the Basic header", "B", CLIENTS),
    ("Basic with a dedicated web service user", "B", RAPIDPY),
    ("One session a web service user: nothing runs side by side unless the profile says so", "C", DECK),
    ("Wire shapes are those of the 2016.2 guide, which public clients link", "C", RAPIDPY),
    ("`bulk/export` opens a read, pages come by `startRow` from 0, rows as delimited texts", "C", RAPIDPY),
    ("A shortfall against `TotalRows` is refused, also where a page is shorter than asked for", "C", "own rule"),
    ("`finishExport` is never needed: exports end by themselves", "C", RAPIDPY),
    ("Filter text without brackets; with them by setting", "C", "two revisions of the same client"),
    ("Escapes in filter texts: other names than plain ones are not sent, everything is read", "unconfirmed", NONE),
    ("`bulk/upload` stages, `complete` applies and counts rows", "C", RAPIDPY),
    ("Nothing staged has an effect without `complete`", "C", RAPIDPY),
    ("Refused rows are counted and not named", "unconfirmed", NONE),
    ("A success counts only with the full count of rows: `Partial Success` is none", "C", RAPIDPY),
    ("Handles begin with `#`; it is left out in paths", "C", RAPIDPY),
    ("ConstraintAvailable has no unique key; what a row does that is sent again is a setting", "C", MODEL),
    ("CapacityOverride is keyed by Id and WorkCenter: ids of ours begin with PT-", "C", MODEL),
    ("Own-namespace tables exist; their fields are the customer's", "C", MODEL),
    ("A load is calculated: it is read through a worksheet of the customer's, and never written", "C", MODEL),
    ("The reason of a row is a text field of an own table, in plain signs: others broke an import", "C", MODEL),
    ("Meaning of Rate, inclusive end dates: settings without default", "unconfirmed", NONE),
    ("Scenarios are written by name and scope; made and committed by the customer's scripts only", "C", SCRIPTS),
    ("A failed script answers 200 with `ScriptError`", "C", RAPIDPY),
    ("`Errors` is one object or a list", "C", RAPIDPY),
    ("Extract files: tab-delimited, named after the table, `extract.done` last", "B", WIKI),
    ("Header, encoding and decimal sign of extract files: header by setting, UTF-8, LF, point", "unconfirmed", WIKI),
    ("A file loaded as Full deletes what it lacks: an empty one only replaces another for an empty table", "C", SCRIPTS),
    ("`data/workbook/import` takes rows through a worksheet's rules; `Success` with `ErrorRowCount` is none", "B", CLIENTS),
    ("`dataload`, `dataupdate/trigger`, `dataupdate/{key}`: an empty `DataUpdateId` is a running load", "C", LOADS),
    ("The word for a load that merges, and the texts of a success: settings without default", "unconfirmed", LOADS),
    ("History of a data update names the line of a refused row (`FileLineNum`)", "C", SCRIPTS),
];

/// The sheet.
pub(crate) fn grades() -> Vec<Grade> {
    Grade::sheet(DATE, &SHEET)
}
