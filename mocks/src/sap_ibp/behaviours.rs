//! Every behaviour of this sandbox, with its grade, source and switch.
//!
//! The grades are those of [`crate::sdk::behaviours`].

use crate::sdk::{self, Behaviour, Grade};

/// Which behaviours are on.
pub type Switches = sdk::Switches<Switch>;

/// Names one behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is described in TABLE, in words that people read")]
pub enum Switch {
    BasicAuth,
    ClientCertificate,
    CsrfBound,
    CsrfExpires,
    PlanningEnabled,
    StagingWithoutEffect,
    StagingAdds,
    CalculatedIs500,
    OneColumnSet,
    MixedColumns,
    StringsOnly,
    UnknownRowOnlyInMessages,
    VersionAssignment,
    MessagesNeedFilter,
    MessageExpand,
    MasterMessageExpand,
    SelectMandatory,
    NoMasterDataExtract,
    ConversionAttributes,
    NeZeroIgnored,
    EmptyAttributeDropped,
    TopZeroDump,
    UnorderedPages,
    AbsentReadsZero,
    ReturnMin,
    Disaggregation,
    DuplicateMasterData,
    ParallelProcess,
    TransactionName,
    DeleteEntries,
    NavResultsOnPlanning,
    JsonDates,
    CommitInMetadata,
    StatusNotFirst,
    ImportFails,
    NightlyOverwritesBridge,
    DeclaredParameters,
    MessageSeverity,
    GermanLabels,
    TerseErrors,
    LengthRequired,
    ParametersNeedType,
    AreaKeys,
    ValueHelpSets,
    SeveralAreas,
    SundayWeeks,
    HarmonisedKeyFigures,
}

/// The day on which the sources were looked up.
pub const LOOKED_UP: &str = "2026-11-22";

/// All behaviours that can be switched.
#[rustfmt::skip]
pub const TABLE: [Behaviour<Switch>; 47] = [
    Behaviour::on(Switch::BasicAuth, "basic-auth", Grade::A, "2", "401 unless Basic carries the communication user; 403 without CSRF text for a user without the scenario"),
    Behaviour::on(Switch::ClientCertificate, "client-certificate", Grade::C, "2", "a verified client certificate with the user's CN replaces Basic"),
    Behaviour::on(Switch::CsrfBound, "csrf-bound", Grade::A, "6.0, 8", "writes need the token together with its cookies; else 403, x-csrf-token: Required, plain text; reads need neither"),
    Behaviour::on(Switch::CsrfExpires, "csrf-expires", Grade::S, "8, 14.4", "a session ends after the option's idle time; how long a tenant keeps it is not public"),
    Behaviour::on(Switch::PlanningEnabled, "planning-enabled", Grade::B, "1", "the area is enabled for the planning service; off: 404 there while master data goes on"),
    Behaviour::on(Switch::StagingWithoutEffect, "staging-without-effect", Grade::B, "6.8.1", "nothing is saved before the commit; off: DoCommit is implied"),
    Behaviour::on(Switch::StagingAdds, "staging-adds", Grade::B, "6.8.3, 11", "rows of one cell in one transaction add up: a chunk sent twice doubles values; off: the last wins"),
    Behaviour::on(Switch::CalculatedIs500, "calculated-is-500", Grade::B, "5", "writing a calculated key figure is a 500 `invalid column name`; off: 400"),
    Behaviour::on(Switch::OneColumnSet, "one-column-set", Grade::B, "5, 6.8.9", "every row of a POST has the columns of AggregationLevelFieldsString; else 400 (the answer is grade S)"),
    Behaviour::off(Switch::MixedColumns, "mixed-columns", Grade::U, "5, 6.8.9", "POSTs of one transaction may differ in AggregationLevelFieldsString; off: a POST that names other columns than the first is a 400 (our text)"),
    Behaviour::on(Switch::StringsOnly, "strings-only", Grade::A, "6.3", "decimals are JSON strings; that a JSON number is a 400 is our strictness (grade S)"),
    Behaviour::on(Switch::UnknownRowOnlyInMessages, "unknown-row-in-messages", Grade::B, "6.6, 11", "201 for a row without master data; it shows only in <PA>Message; off: silently dropped"),
    Behaviour::on(Switch::VersionAssignment, "version-assignment", Grade::A, "5, 11", "a key figure that is not assigned to the version stays as it is (A), without a word (grade S)"),
    Behaviour::on(Switch::MessagesNeedFilter, "messages-need-filter", Grade::A, "3, 6.6", "<PA>Message and <PA>Trans without $filter are a 400"),
    Behaviour::off(Switch::MessageExpand, "message-expand", Grade::U, "6.6, 14.2", "$expand=Nav<PA>Message gives the failing row; off: 400"),
    Behaviour::on(Switch::MasterMessageExpand, "master-message-expand", Grade::B, "4", "$expand=Nav<MDT> of a master data message gives the failing row; off: 400, as on some tenants"),
    Behaviour::on(Switch::SelectMandatory, "select-mandatory", Grade::B, "7", "$select is the aggregation level, and mandatory"),
    Behaviour::on(Switch::NoMasterDataExtract, "no-master-data-extract", Grade::B, "7", "attributes only: 400; VERSIONID, VERSIONNAME only: lists versions"),
    Behaviour::on(Switch::ConversionAttributes, "conversion-attributes", Grade::B, "7", "UOMTOID or CURRTOID missing: 400, one attribute a reply"),
    Behaviour::on(Switch::NeZeroIgnored, "ne-zero-ignored", Grade::B, "7", "`KF ne 0` has no effect"),
    Behaviour::on(Switch::EmptyAttributeDropped, "empty-attribute-dropped", Grade::B, "7", "any predicate on an attribute drops the rows in which it is empty"),
    Behaviour::on(Switch::TopZeroDump, "top-zero-dump", Grade::B, "7", "$top=0 with $inlinecount is an ABAP dump (500) here, and fine in MASTER_DATA"),
    Behaviour::on(Switch::UnorderedPages, "unordered-pages", Grade::S, "7", "without $orderby the order differs from request to request"),
    Behaviour::on(Switch::AbsentReadsZero, "absent-reads-zero", Grade::S, "7", "in a row that exists, a key figure without a value reads 0.000000, unless it is not assigned to the version; off: null"),
    Behaviour::off(Switch::ReturnMin, "return-min", Grade::U, "6.3, 14.1", "P_RETURN_MIN=X on a POST shortens the reply (the name suggests it); off: taken without effect"),
    Behaviour::on(Switch::Disaggregation, "disaggregation", Grade::B, "5", "a write above the storage level is disaggregated; how is grade S: sums equally, their remainder kept, highest and lowest copied to each part; off: row rejected"),
    Behaviour::on(Switch::DuplicateMasterData, "duplicate-master-data", Grade::B, "4", "a key twice in one master data transaction: both copies rejected at commit, error 119"),
    Behaviour::on(Switch::ParallelProcess, "parallel-process", Grade::B, "6.2", "InitiateParallelProcess can be called (POST or PUT; master data: real versions only); off: 404, as where it is not available"),
    Behaviour::off(Switch::TransactionName, "transaction-name", Grade::C, "6.3", "newer tenants: TransactionName in body, functions and metadata"),
    Behaviour::off(Switch::DeleteEntries, "delete-entries", Grade::B, "4", "newer tenants: DeleteEntries on <MDT>Trans"),
    Behaviour::off(Switch::NavResultsOnPlanning, "nav-results-on-planning", Grade::U, "6.3", "{\"results\": [..]} instead of a bare array, in the planning service too"),
    Behaviour::off(Switch::JsonDates, "json-dates", Grade::U, "6.3", "/Date(ms)/ in requests"),
    Behaviour::off(Switch::CommitInMetadata, "commit-in-metadata", Grade::U, "3", "the planning metadata declares commit (the public export doesn't)"),
    Behaviour::off(Switch::StatusNotFirst, "status-not-first", Grade::S, "6.5", "getExportResult puts another pair before Status, for clients that use index 0"),
    Behaviour::off(Switch::ImportFails, "import-fails", Grade::S, "6.5", "every commit ends in ERROR without effect"),
    Behaviour::off(Switch::NightlyOverwritesBridge, "nightly-overwrites-bridge", Grade::S, "-", "fault: the nightly ERP load writes its capacity into TWINCAPA and TWINCAPALIVE too"),
    Behaviour::on(Switch::DeclaredParameters, "declared-parameters", Grade::A, "8, corrections", "a function import refuses (404) a parameter that it doesn't declare; off: taken without effect"),
    Behaviour::off(Switch::MessageSeverity, "message-severity", Grade::B, "6.6, corrections", "<PA>Message carries Severity, and a remark (I) beside the errors (E); the public export has none"),
    Behaviour::off(Switch::GermanLabels, "german-labels", Grade::S, "3", "sap:label in German; the words are ours"),
    Behaviour::off(Switch::TerseErrors, "terse-errors", Grade::C, "8, corrections", "an error's message says nothing, what is wrong stands in innererror.errordetails alone"),
    Behaviour::off(Switch::LengthRequired, "length-required", Grade::C, "corrections", "a front answers 411 to a POST without body and without Content-Length (lighttpd, IIS, Azure's do)"),
    Behaviour::off(Switch::ParametersNeedType, "parameters-need-content-type", Grade::C, "corrections", "an adapter drops the parameters of a POST without Content-Type"),
    Behaviour::off(Switch::AreaKeys, "area-keys", Grade::C, "4, corrections", "simple and reference types of master data are keyed with PlanningAreaID and VersionID too, and stand in the catalogue; PTCALENDAR is a type that is not"),
    Behaviour::off(Switch::ValueHelpSets, "value-help-sets", Grade::B, "corrections", "a _VI set stands beside each master data type, with the same keys: value help, never master data"),
    Behaviour::off(Switch::SeveralAreas, "several-areas", Grade::B, "1, corrections", "two further planning areas with master data and units of their own; they hold no key figures here (grade S), and the second is offered for master data alone"),
    Behaviour::off(Switch::SundayWeeks, "sunday-weeks", Grade::S, "5", "weeks begin on Sunday: the calendar is the customer's; technical weeks stay"),
    Behaviour::off(Switch::HarmonisedKeyFigures, "harmonised-key-figures", Grade::U, "1, corrections", "an area of the family I_SAPIBP2 (option family) is offered by the planning service; off: 404 there"),
];

/// Behaviours that have no switch, because nothing makes sense without them.
#[rustfmt::skip]
pub const ALWAYS: [(&str, Grade, &str); 30] = [
    ("Atom XML unless JSON is asked for; $metadata is always XML", Grade::B, "8"),
    ("error bodies in JSON or XML, message with language", Grade::B, "8"),
    ("token fetch by GET or HEAD on root, $metadata, <PA>Trans, <PA>Trans/", Grade::A, "6.0, 12"),
    ("own transaction ids up to 32 characters, or getTransactionID", Grade::A, "6.1, 8.1"),
    ("commit is a POST, planning and master data spell their names differently", Grade::B, "3, 4"),
    ("INITIAL, PROCESSING, then PROCESSED, PROCESSED_WITH_ERRORS or ERROR", Grade::A, "6.5"),
    ("an id that was never staged is a 404 at getExportResult (grade S), INITIAL before the commit", Grade::B, "6.8.4"),
    ("key figures answer as strings with 6 decimals, dates as /Date(ms)/", Grade::B, "7"),
    ("reading fewer attributes sums silently (by the key figure's aggregation)", Grade::B, "7"),
    ("PERIODIDn_REL only in $filter", Grade::B, "5"),
    ("filters on attributes that are not in $select work (B); joined by `or` with a key figure, that compares with the total of the group (grade S)", Grade::B, "7"),
    ("P_DeltaQueryID on a read is a 400: delta loads are unconfirmed and not served", Grade::S, "7"),
    ("no __next: $skip, $top", Grade::B, "7"),
    ("VersionID absent or empty is the base version; reads call it __BASELINE", Grade::B, "4, 5"),
    ("zero is a value; a row left out leaves the cell alone", Grade::B, "6.8.10"),
    ("a period is addressed by a timestamp inside it", Grade::A, "5"),
    ("a failed request, of whatever kind, carries no new token", Grade::C, "8, 11"),
    ("Commit and GetExportResult of master data take P_TransactionID: their parameter is not public", Grade::S, "3, 4"),
    ("startswith(ATTR,'x') in filters, with `eq true` behind it or not", Grade::B, "corrections"),
    ("$select takes UOMTOID, CURRTOID (the unit that the filter names; of several, a row for each), ID, LASTMODIFIEDDATE", Grade::B, "corrections"),
    ("innererror.errordetails speaks of each row at fault", Grade::C, "corrections"),
    ("the words of messages and refusals, their ExceptionId, and what commit answers", Grade::S, "6.4, 6.6, 14.2"),
    ("a stored period that spans two coarser ones counts for the one in which it starts", Grade::S, "5"),
    ("a row below the storage level is rejected in a message", Grade::S, "5"),
    ("after its commit a transaction takes no rows, and a second commit changes nothing; one version a transaction", Grade::S, "6.8"),
    ("$filter, $orderby and $select of messages, transactions and master data know the properties of their own type; another name is a 400", Grade::S, "3, 4"),
    ("master data: area and version are keys of version-specific types, and a 400 in the <MDT>Trans of any other", Grade::A, "4"),
    ("master data: an unknown property is a 400, a compound row needs its simple ones, a key must not be empty", Grade::S, "4"),
    ("the manual import takes stored key figures, the interface's precision, and one row a period at its start; of several rows none", Grade::S, "9.5"),
    ("nightly load, copy operator, supply run, planner's page and its edits: no vendor behaviour", Grade::S, "10"),
];

impl sdk::Switch for Switch {
    const TABLE: &'static [Behaviour<Self>] = &TABLE;

    fn index(self) -> usize {
        self as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdk::Switch as _;

    #[test]
    fn each_switch_is_described_once() {
        for (index, Behaviour { switch, about }) in TABLE.iter().enumerate() {
            assert_eq!(switch.index(), index, "{} is out of order", about.name);
            assert_eq!(Switch::named(about.name), Ok(*switch));
            assert!(!about.does.is_empty() && !about.source.is_empty());
        }
    }

    #[test]
    fn what_is_unconfirmed_is_off() {
        for Behaviour { switch, about } in TABLE {
            assert!(about.grade != Grade::U || !about.on, "{}", about.name);
            assert_eq!(Switches::default().on(switch), about.on);
        }
    }

    #[test]
    fn switches_turn_one_behaviour_only() {
        let switches = Switches::default().with(Switch::JsonDates, true);
        assert!(switches.on(Switch::JsonDates));
        assert_eq!(switches.with(Switch::JsonDates, false), Switches::default());
        assert!(Switch::named("json-date").unwrap_err().to_string().contains("json-dates"));
    }
}
