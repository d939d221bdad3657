//! Settings: the profile of one tenant.
//!
//! What public sources leave open has no default here (§16): whoever fills it in
//! asks the customer's administrator, and signs the sheet of `check`.

pub(crate) mod layout;
mod routes;

use std::collections::BTreeSet;

use planthread_contracts::{MeasureDecl, Owner, Scope};
use planthread_kit::{
    agreement,
    dates::DateForm,
    target::{
        Auth, SettingsFault, Takes, address,
        auth::Kind,
        fault::{filled, needed, within},
    },
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

pub use layout::{Family, OwnTable, View};
pub(crate) use layout::{Layout, Surface};
pub(crate) use routes::parameters;
pub use routes::{
    Argument, Commit, DataLoad, History, Import, QueryId, Scenario, ScopeParameter, Script,
    Visibility, Worksheet, Worksheets,
};

/// OAuth 2.0 client credentials and Basic (§2).
pub(crate) const TAKES: Takes = Takes::only(&[Kind::Oauth2ClientCredentials, Kind::Basic]);

const EDITION: &str =
    "write the edition of the customer's web services guide; public clients follow 2016.2";

/// Characters of a name that may stand in a filter text (§5).
const PLAIN: &str = " _.-";

/// The profile of one tenant.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// Address of the company: `https://na1.kinaxis.net/XXXX01_DEV01`.
    pub base_url: String,
    /// Who we are. The token endpoint is `<base_url>/oauth2/token`; a dedicated
    /// web service user, neither administrator nor planner.
    pub auth: Auth,
    /// Edition of the web services guide that this profile was filled in from.
    /// The wire shapes that public clients show are those of 2016.2.
    pub guide_edition: String,
    /// Which capacity application the plan reads: `constraint` (Constraint,
    /// ConstraintAvailable) or `crp` (WorkCenter, CapacityOverride).
    pub table_family: Family,
    /// How rows are written.
    pub write_route: WriteRoute,
    /// The scenario that is written.
    #[serde(default)]
    pub scenario: Scenario,
    /// What one value of a row is a quantity of: a `period` as it lands, or a `day`.
    pub rate_basis: RateBasis,
    /// Whether an effective-out date is the last day of a row, or the day after.
    pub effective_out: EffectiveOut,
    /// Form of the dates in extract files.
    pub file_dates: DateForm,
    /// What a row does that is sent again to a table without a unique key.
    /// Needed where a measure lies in one.
    #[serde(default)]
    pub non_keyed: Option<NonKeyed>,
    /// Tables in the customer's own namespace that hold our measures.
    #[serde(default)]
    pub own_tables: Vec<OwnTable>,
    /// Whether the web service user may have one session only.
    #[serde(default = "yes")]
    pub one_session: bool,
    /// Reading in bulk.
    #[serde(default)]
    pub reading: Reading,
    /// Reading worksheets.
    #[serde(default)]
    pub worksheets: Worksheets,
    /// Writing, whatever the route.
    #[serde(default)]
    pub writing: Writing,
    /// The worksheet import, where that is the route.
    #[serde(default)]
    pub import: Option<Import>,
    /// The data load, where that is the route.
    #[serde(default)]
    pub data_load: Option<DataLoad>,
    /// The commit of a signal scenario, where that is the route.
    #[serde(default)]
    pub commit: Option<Commit>,
    /// The signed agreement, where the write rests on what no public material
    /// confirms.
    #[serde(default)]
    pub agreement: agreement::Settings,
    /// Whether the first line of an extract file names its columns.
    #[serde(default)]
    pub file_header: bool,
}

/// How rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum WriteRoute {
    /// `bulk/upload` and `complete`: past the rules that workbooks have.
    BulkUpload,
    /// `data/workbook/import`: through a worksheet's import rules.
    WorksheetImport,
    /// `dataload` of extract files, then `dataupdate/trigger`: loaded in the
    /// background, refused lines named in the history.
    DataLoad,
    /// The customer's script that commits a signal scenario: the target's scope is
    /// the parent, and what lands there is what the signal scenario holds.
    Commit,
}

/// How rows are written, with what that route needs.
#[derive(Debug)]
pub(crate) enum Route {
    Bulk,
    Import(Import),
    Load(DataLoad),
    Commit(Commit),
}

/// What a value is a quantity of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum RateBasis {
    /// The whole period of the row.
    Period,
    /// A day: only measures stored by day fit.
    Day,
}

/// What an effective-out date is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum EffectiveOut {
    /// The last day.
    Inclusive,
    /// The day after the last.
    Exclusive,
}

/// What a row does that is sent again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum NonKeyed {
    /// It modifies the row with the same identification.
    Modify,
    /// It is a second row: surplus ones are removed before.
    Append,
}

/// Reading in bulk.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Reading {
    /// Rows that a page is asked for.
    pub page_size: usize,
    /// Form of the filter text.
    pub filter: FilterForm,
}

impl Default for Reading {
    fn default() -> Self {
        Self { page_size: 50_000, filter: FilterForm::Plain }
    }
}

/// Form of a filter text: clients of different years differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FilterForm {
    /// The expression alone.
    Plain,
    /// The expression in brackets.
    Bracketed,
    /// None: everything is read.
    None,
}

/// Writing, whatever the route.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Writing {
    /// Most rows in one request.
    pub rows_per_request: usize,
    /// Seconds after which a write that was not answered has had its effect, or
    /// never will.
    pub settle_seconds: u64,
    /// Milliseconds that a request is expected to take; no figure is public.
    pub request_ms: u64,
}

impl Default for Writing {
    fn default() -> Self {
        Self { rows_per_request: 5_000, settle_seconds: 60, request_ms: 500 }
    }
}

const fn yes() -> bool {
    true
}

impl Config {
    /// The company's address without a slash at its end.
    #[must_use]
    pub fn base(&self) -> &str {
        self.base_url.trim_end_matches('/')
    }

    /// Where the cells of `scope` live.
    #[must_use]
    pub fn address(&self, scope: &Scope) -> String {
        format!("{}, scenario {}", self.base(), self.scenario_of(scope))
    }

    /// The scenario that holds `scope`.
    #[must_use]
    pub fn scenario_of<'a>(&'a self, scope: &'a Scope) -> &'a str {
        self.scenario.name.as_deref().unwrap_or(scope.name())
    }

    /// Checks settings and measures against each other.
    ///
    /// # Errors
    /// The first fault, by field.
    pub fn validate(&self, measures: &[MeasureDecl]) -> Result<(), SettingsFault> {
        address::endpoint("base_url", &self.base_url)?;
        self.auth.validate(&TAKES).map_err(|fault| fault.inside("auth"))?;
        self.agreement.validate()?;
        filled("guide_edition", &self.guide_edition, EDITION)?;
        within("reading.page_size", self.reading.page_size, 1, 500_000)?;
        within("writing.rows_per_request", self.writing.rows_per_request, 1, 100_000)?;
        within("writing.settle_seconds", self.writing.settle_seconds, 0, 3_600)?;
        within("writing.request_ms", self.writing.request_ms, 0, 600_000)?;
        within("worksheets.start_row", self.worksheets.start_row, 0, 1)?;
        within("worksheets.page_size", self.worksheets.page_size, 1, 100_000)?;
        let layouts = self.layouts(measures)?;
        self.tables_fit(&layouts, measures)?;
        self.route(&layouts).map(|_| ())
    }

    /// Settings of the write that no public material confirms, with their values: only
    /// a signed agreement lets such a target be written (§4.7, §16).
    pub(crate) fn unconfirmed(&self) -> Vec<(&'static str, Value)> {
        let mut found = Vec::new();
        let load = self.data_load.as_ref().filter(|_| self.write_route == WriteRoute::DataLoad);
        if let Some(load) = load.filter(|load| !load.full()) {
            found.push(("data_load.operation", Value::from(load.operation.as_str())));
        }
        // Clients write the days of a file as yyyymmdd, and nothing else.
        if !found.is_empty() && self.file_dates != DateForm::Compact {
            found.push(("file_dates", json!(self.file_dates)));
        }
        found
    }

    /// The route, with what it needs.
    ///
    /// # Errors
    /// When a part of it is missing, or wrong.
    pub(crate) fn route(&self, layouts: &[Layout]) -> Result<Route, SettingsFault> {
        Ok(match self.write_route {
            WriteRoute::BulkUpload => Route::Bulk,
            WriteRoute::WorksheetImport => {
                let cure = "name workbook, worksheets and the form of their dates";
                Route::Import(needed("import", self.import.as_ref(), cure, |one| {
                    one.validate(layouts)
                })?)
            }
            WriteRoute::DataLoad => {
                let cure = "name data source, operation type and the texts of success";
                let load = needed("data_load", self.data_load.as_ref(), cure, DataLoad::validate)?;
                if load.full() && self.file_dates != DateForm::Compact {
                    let reason = "is no form in which a Full file was ever seen, and a trial of it \
                                  would replace the whole table";
                    return Err(SettingsFault::new("file_dates", reason)
                        .cure("write `yyyymmdd`, or load files that merge"));
                }
                Route::Load(load)
            }
            WriteRoute::Commit => {
                let cure = "name the parent: what is committed is read back there";
                needed("scenario.name", self.scenario.name.as_ref(), cure, |_| Ok(()))?;
                let cure =
                    "name the signal scenario, the customer's script, and who decided until when";
                Route::Commit(needed("commit", self.commit.as_ref(), cure, Commit::validate)?)
            }
        })
    }

    fn tables_fit(
        &self,
        layouts: &[Layout],
        measures: &[MeasureDecl],
    ) -> Result<(), SettingsFault> {
        if let Some(open) = layouts.iter().find(|one| !one.keyed && self.non_keyed.is_none()) {
            let reason = format!("is missing, and {} has no unique key", open.full());
            return Err(SettingsFault::new("non_keyed", reason)
                .cure("send one row twice in a test scenario: write `modify` or `append`"));
        }
        // A rate is a field of the vendor's own tables.
        let daily = |measure: &&MeasureDecl| {
            measure.owner == Owner::Bridge
                && measure.level != planthread_contracts::PeriodKind::Day
                && self.rate_basis == RateBasis::Day
                && Surface::of(&measure.surface).is_some_and(|surface| surface.namespace == "Mfg")
        };
        if let Some(measure) = measures.iter().find(daily) {
            let reason = format!("is `day`, and {} lands by {:?}", measure.surface, measure.level);
            return Err(SettingsFault::new("rate_basis", reason).cure(
                "declare the measure at `level: day`: a connector converts nothing, or land it in \
                 an own table",
            ));
        }
        Ok(())
    }

    /// Names as a filter text; `None` where everything is read.
    pub(crate) fn filter<'a>(
        &self,
        field: &str,
        names: impl Iterator<Item = &'a str>,
    ) -> Option<String> {
        const NAMES_MAX: usize = 200;
        let names: BTreeSet<&str> = names.collect();
        let plain = |name: &&str| {
            !name.is_empty()
                && name.chars().all(|sign| sign.is_ascii_alphanumeric() || PLAIN.contains(sign))
        };
        if names.is_empty() || names.len() > NAMES_MAX || !names.iter().all(plain) {
            return None;
        }
        let names: Vec<String> = names.iter().map(|name| format!("'{name}'")).collect();
        let text = format!("{field} IN ({})", names.join(","));
        match self.reading.filter {
            FilterForm::Plain => Some(text),
            FilterForm::Bracketed => Some(format!("[{text}]")),
            FilterForm::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::samples::{config, measures};

    use super::*;

    #[test]
    fn only_plain_names_stand_in_a_filter() {
        let mut config = config();
        let filter = |config: &Config, names: &[&str]| config.filter("F", names.iter().copied());
        assert_eq!(filter(&config, &["B", "A 1", "B"]).as_deref(), Some("F IN ('A 1','B')"));
        for odd in ["O'Neil", "Ä", "a)", ""] {
            assert_eq!(filter(&config, &["A", odd]), None, "{odd}");
        }
        config.reading.filter = FilterForm::Bracketed;
        assert_eq!(filter(&config, &["A"]).as_deref(), Some("[F IN ('A')]"));
    }

    #[test]
    fn what_the_sources_leave_open_is_asked_for() {
        let mut config = config();
        config.validate(&measures()).unwrap();
        config.non_keyed = None;
        let fault = config.validate(&measures()).unwrap_err();
        assert!(fault.field == "non_keyed" && fault.to_string().contains("append"), "{fault}");
        config.non_keyed = Some(NonKeyed::Modify);
        config.rate_basis = RateBasis::Day;
        assert_eq!(config.validate(&measures()).unwrap_err().field, "rate_basis");
        config.rate_basis = RateBasis::Period;
        config.guide_edition = " ".to_owned();
        assert_eq!(config.validate(&measures()).unwrap_err().field, "guide_edition");
    }
}
