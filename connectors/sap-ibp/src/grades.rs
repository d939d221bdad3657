//! The capability sheet: every behaviour that the connector relies on, with
//! grade, source and date.
//!
//! `A` is SAP's own material or a `$metadata` export of a productive tenant,
//! `B` public code whose authors verified it on live tenants, `C` blogs and
//! forums, `L` run by us. `unconfirmed` is off by default, not built, or a reading that the
//! read-back corrects when it is wrong. No live tenant was reachable for us.

use planthread_kit::Grade;

const DATE: &str = "2026-11-22";

const EDMX: &str =
    "$metadata of PLANNING_DATA_API_SRV and MASTER_DATA_API_SRV of one tenant, about 2022";
const SAMPLE: &str =
    "SAP-samples/integrated-business-planning-external-forecasting-python, Working_with_KFData";
const RECIPE: &str = "SAP/apibusinesshub-integration-recipes, Write to IBP using oData";
const GO8: &str = "GoSCM-Innovation/ibp-bom-v8, planningDataApi.js and manual (2026-07)";
const GOS: &str = "GoSCM-Innovation/goscm-ibp-suite, planning-data-write.js (2026-08)";
const GATEWAY: &str = "SAP Gateway help, Cross-Site Request Forgery Protection";
const LEARNING: &str = "learning.sap.com, Importing Data Using the SAP IBP Web UI";
const EXPLORER: &str = "GoSCM-Innovation/goscm-ibp-suite, explorer-entities.js (2026-08)";
const MASTER: &str = "GoSCM-Innovation/ibp-bom-v8, masterDataApi.js (2026-07)";

/// Behaviour, grade, source.
const SHEET: [(&str, &str, &str); 58] = [
    (
        "Order-based planning (SAP7F, and the orders of I_SAPIBP2): out of scope",
        "C",
        "learning.sap.com, course on order-based planning",
    ),
    (
        "Both services serve time-series key figures of the unified model (SAPIBP1)",
        "C",
        "AIMMS SC Navigator manual, SAP-IBP Connector",
    ),
    (
        "Time-series key figures of the harmonised planning area (I_SAPIBP2) can be written: named by `family`, shown by a landing only",
        "unconfirmed",
        "no public material; new implementations begin with it (learning.sap.com)",
    ),
    ("Basic authentication of the communication user of SAP_COM_0720", "A", RECIPE),
    (
        "X.509 client certificate for SAP_COM_0720 inbound",
        "C",
        "SAP blogs of 2022-06-20 and 2023-08-07",
    ),
    (
        "OAuth 2.0 client credentials inbound; off unless `unconfirmed_oauth2`",
        "unconfirmed",
        "SAP blog of 2023-08-07 shows that it is not offered",
    ),
    ("A CSRF token is valid only with all cookies of the answer that brought it", "A", GATEWAY),
    ("403 with `x-csrf-token: Required` staged nothing: fetch a token, repeat", "B", GOS),
    ("Reads need neither token nor cookie", "B", GO8),
    ("A client-made id of 32 hex digits is accepted as transaction id", "A", SAMPLE),
    ("`getTransactionID` answers `d.Value`; off unless `id_from_service`", "A", EDMX),
    (
        "A success counts only with the documented status and JSON under `d`; a page with 200 is none",
        "L",
        "fault injector before the sandbox (2026-11-26)",
    ),
    (
        "Every POST carries `Content-Type: application/json`, an empty one `Content-Length: 0`: fronts answer 411 without",
        "L",
        "lighttpd and IIS-like fronts (2026-11-26); ibp-bom-v8 sends the type on every call",
    ),
    ("411, 413, 414, 415 refuse a commit", "A", "RFC 9110, 15.5"),
    (
        "Row-level text stands in `innererror.errordetails`",
        "C",
        "$metadata and error bodies of a public export, edited by hand",
    ),
    (
        "Rows are posted to `<area>Trans` as strings under `Nav<area>`, dates without zone",
        "A",
        SAMPLE,
    ),
    ("All columns stand in `AggregationLevelFieldsString`", "A", SAMPLE),
    ("Rows of one POST have identical columns", "B", GOS),
    (
        "One transaction has one list of columns and one time level: the list is a property of the transaction set, keyed by the id",
        "A",
        EDMX,
    ),
    (
        "Several lists of columns, or two time levels, under one transaction id: never sent",
        "unconfirmed",
        "no public material shows it; a batch that mixes is refused before anything is sent",
    ),
    ("`VersionID` is left out for the base version", "A", EDMX),
    (
        "Nothing takes effect before the commit; an uncommitted transaction can be abandoned",
        "B",
        GO8,
    ),
    ("Staging the same chunk twice doubles values: never re-sent into its transaction", "B", GOS),
    ("The same cells in a new transaction are an idempotent upsert", "B", GOS),
    ("`commit` as POST, though one real $metadata lacks it; verb and name can be set", "B", GO8),
    (
        "`getExportResult` answers INITIAL, PROCESSING, PROCESSED, PROCESSED_WITH_ERRORS, ERROR",
        "A",
        RECIPE,
    ),
    (
        "An unclear commit that stays INITIAL was not taken; we wait `settle_grace_seconds` first",
        "unconfirmed",
        "derived: INITIAL is `not started` in SAP's own flow; nobody says so of a commit on its way",
    ),
    ("Refusals come only through `<area>Message`, with a filter", "A", EDMX),
    (
        "`$expand` of a message's row; tried once, texts are searched otherwise",
        "unconfirmed",
        "some tenants reject it on the master data side (ibp-bom-v8)",
    ),
    ("`Severity` of a message, E and A refuse; absent counts as refusal", "B", GO8),
    ("`InitiateParallelProcess` before the first POST; off by default, a 4xx is ignored", "B", GO8),
    (
        "`P_RETURN_MIN=X` shortens the answer; off by default",
        "unconfirmed",
        "name and use in the recipe's flow only",
    ),
    (
        "`TransactionName` labels the job; off by default, checked against $metadata",
        "C",
        "public IBP demand planning agent",
    ),
    (
        "A calculated key figure is answered with HTTP 500 and a sentence; a 500 with a code, to columns that were never taken, is not sent again in a cycle",
        "B",
        GOS,
    ),
    ("Posts of up to 5,000 values take about 20 ms a value; 2,000 is the default", "B", GO8),
    ("12, 16, 20 concurrent posts stage 298, 354, 415 values a second", "B", GO8),
    ("`$select` is the aggregation level of a read", "B", GO8),
    (
        "Several values inside one period, read one level finer, mean a finer storage; a value repeated in each part proves nothing",
        "unconfirmed",
        "derived from `$select` as aggregation level; nobody shows a read below the storage level",
    ),
    ("A quantity needs `UOMTOID` in `$filter`, money `CURRTOID`; a missing one is a 400", "B", GO8),
    ("A read costs about 6 s at any depth, up to 6 scale in parallel", "B", GO8),
    ("`$top=0` with a count makes the service dump: never sent", "B", GO8),
    ("`/Date(ms)/` is a civil day, read as UTC, never as local time", "B", GO8),
    ("`VERSIONID` in `$filter` chooses the version; none is the base version", "B", GO8),
    ("Pages have no `__next`: `$skip` and `$top` over a stable `$orderby`", "B", GO8),
    ("Resource and resource-location types are found by their key attributes", "B", EXPLORER),
    (
        "`VersionSpecificMasterDataTypes` says which type belongs to which area; simple types are not in it",
        "B",
        MASTER,
    ),
    ("Sets ending `_VI` are value helps beside the types, never master data", "B", EXPLORER),
    (
        "Every business type may be keyed with `PlanningAreaID` and `VersionID`: its key decides how it is read",
        "C",
        "$metadata of a public export, edited by hand",
    ),
    ("`UOMTOID` may stand in `$select`: a row says in which unit it came", "B", GO8),
    (
        "Which period a time field names is told by the starts of periods with values, never by its label",
        "C",
        "in one public export PERIODID0 is the technical week; labels are in the user's language",
    ),
    ("`PlanningAreaID` and `VersionID` filter version-specific master data", "B", MASTER),
    ("`__BASELINE` names the base version in reads of master data", "B", MASTER),
    ("Values of conversion attributes stand in types ending UOMTO and CURRENCYTO", "B", GO8),
    ("CSV for Data Integration Jobs: an import in two phases, staging and checks", "A", LEARNING),
    (
        "CSV header: root attributes of the base planning level, a date column, key figures",
        "C",
        "an answer in SAP's community forum",
    ),
    (
        "`KEYFIGUREDATE` as date column, one row a period, its start as YYYY-MM-DD",
        "C",
        "sample CSV and CI-DS field lists in public repositories (B to C, several traces)",
    ),
    (
        "Separator, date form and encoding of the CSV dialog; configurable",
        "unconfirmed",
        "compare with the template that the app offers",
    ),
    (
        "Emptying a cell (`_isNull`): not built, cells are overwritten",
        "unconfirmed",
        "no such property in $metadata",
    ),
];

/// The sheet.
pub(crate) fn grades() -> Vec<Grade> {
    Grade::sheet(DATE, &SHEET)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_has_a_known_grade_and_a_source() {
        for grade in grades() {
            assert!(
                ["A", "B", "C", "L", "unconfirmed"].contains(&grade.grade.as_str()),
                "{grade:?}"
            );
            assert!(!grade.behaviour.is_empty() && !grade.source.is_empty());
        }
    }
}
