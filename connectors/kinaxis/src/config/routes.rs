//! Scenario, scripts and the worksheet import.

use std::collections::BTreeMap;

use planthread_kit::{
    dates::DateForm,
    target::{Decision, SettingsFault, fault::filled},
};
use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Value, json};

use super::layout::Layout;

/// Whether an object is everybody's or one user's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
pub enum Visibility {
    /// Shared.
    #[default]
    Public,
    /// One user's.
    Private,
}

impl Visibility {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Public => "Public",
            Self::Private => "Private",
        }
    }
}

/// The scenario that is written.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Scenario {
    /// Its name; by default that of the target's scope.
    pub name: Option<String>,
    /// Whether it is shared.
    pub visibility: Visibility,
    /// The customer's script that makes it where it is not there.
    pub ensure: Option<Script>,
}

/// A server script of the customer's.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Script {
    /// Its name.
    pub name: String,
    /// Whether it is shared.
    #[serde(default)]
    pub visibility: Visibility,
    /// Name of the argument that takes the scenario.
    #[serde(default = "argument")]
    pub argument: String,
    /// Form of that argument.
    #[serde(default)]
    pub form: Argument,
}

/// Extract files through a data source, and the update that loads them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DataLoad {
    /// The data source: it maps the columns of its files by position.
    pub source: String,
    /// `Full`, or the tenant's own word for a load that merges. A Full file deletes
    /// what it lacks, so it needs tables that hold nothing but ours, and carries
    /// every row of them.
    pub operation: String,
    /// Texts with which an update ends well.
    pub success: Vec<String>,
    /// The worksheet that names refused lines; without it no row is judged.
    #[serde(default)]
    pub history: Option<History>,
    /// Who decided that a Full file may lack rows that were seen, and until when.
    #[serde(default)]
    pub fewer_rows: Option<Decision>,
    /// Whether an empty file may replace what a dead attempt may have left for a table
    /// that was just read as empty. Nothing public says what an empty Full file does;
    /// without this the load is refused.
    #[serde(default)]
    pub empty_file: bool,
}

/// A worksheet on the messages of data updates (`System::DataUpdateMessage`).
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// The workbook.
    pub workbook: String,
    /// The worksheet.
    pub worksheet: String,
    /// Whether the workbook is shared.
    #[serde(default)]
    pub visibility: Visibility,
    /// The site group; `All Sites` narrows nothing.
    #[serde(default = "all_sites")]
    pub site_group: String,
    /// Id of the column that names the update.
    pub update: String,
    /// Id of the column that names the file.
    pub file: String,
    /// Id of the column that holds the line, counted from 1.
    pub line: String,
    /// Id of the column that holds the text.
    pub message: String,
}

impl DataLoad {
    /// Whether a file deletes what it lacks.
    pub(crate) fn full(&self) -> bool {
        self.operation == "Full"
    }

    pub(super) fn validate(&self) -> Result<(), SettingsFault> {
        const CURE: &str = "write the name of the data source, and Full or the word for a merge";
        filled("source", &self.source, CURE)?;
        filled("operation", &self.operation, CURE)?;
        if self.success.is_empty() {
            return Err(SettingsFault::new("success", "names no text")
                .cure("load one file by hand and read the status; a client expects Completed"));
        }
        let fewer = self.fewer_rows.as_ref().map_or(Ok(()), Decision::validate);
        fewer.map_err(|fault| fault.inside("fewer_rows"))
    }
}

/// The decision to commit a signal scenario to its parent, and by which script.
/// Whoever decided answers for it; without one nothing is committed.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Commit {
    /// The signal scenario that is committed.
    pub from: String,
    /// The customer's script that commits it.
    pub script: Script,
    /// Who decided, and until when that holds.
    pub decision: Decision,
}

impl Commit {
    pub(super) fn validate(&self) -> Result<(), SettingsFault> {
        filled("from", &self.from, "name the scenario that is committed")?;
        self.decision.validate().map_err(|fault| fault.inside("decision"))
    }
}

/// Form of a script's scenario argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Argument {
    /// Its name as text.
    #[default]
    Name,
    /// A reference of name and scope; only a scenario that is there can be one.
    Reference,
}

fn argument() -> String {
    "scenarioName".to_owned()
}

impl Script {
    /// The arguments of a call about a scenario.
    pub(crate) fn arguments(&self, scenario: &str, visibility: Visibility) -> Value {
        let value = match self.form {
            Argument::Name => json!(scenario),
            Argument::Reference => json!({ "Name": scenario, "Scope": visibility.word() }),
        };
        json!({ (self.argument.clone()): value })
    }
}

/// A workbook whose worksheets take rows.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Import {
    /// The workbook.
    pub workbook: String,
    /// Whether it is shared.
    #[serde(default)]
    pub visibility: Visibility,
    /// The site group; `All Sites` narrows nothing.
    #[serde(default = "all_sites")]
    pub site_group: String,
    /// The worksheet of each table, with its columns in order:
    /// `Mfg::ConstraintAvailable`.
    pub worksheets: BTreeMap<String, Worksheet>,
    /// Form of the dates of an import: the locale of the web service user.
    pub dates: DateForm,
}

/// One worksheet.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Worksheet {
    /// Its name.
    pub name: String,
    /// The fields of its import row, in order. It is a property of the worksheet:
    /// what a read shows may have more.
    pub columns: Vec<String>,
}

/// How worksheets are read: clients differ in each of these (§5).
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Worksheets {
    /// Number of the first row, 0 or 1.
    pub start_row: usize,
    /// What becomes of the `#` of a query's handle.
    pub query_id: QueryId,
    /// Name of the parameter that says whether the workbook is shared.
    pub scope_parameter: ScopeParameter,
    /// Rows that a page is asked for.
    pub page_size: usize,
}

impl Default for Worksheets {
    fn default() -> Self {
        Self {
            start_row: 0,
            query_id: QueryId::Strip,
            scope_parameter: ScopeParameter::WorkbookScope,
            page_size: 5_000,
        }
    }
}

/// What becomes of the `#` of a query's handle.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum QueryId {
    /// It is left out.
    #[default]
    Strip,
    /// It is sent as `%23`.
    Encode,
}

/// Name of the parameter of a workbook's scope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize, JsonSchema)]
pub enum ScopeParameter {
    /// `workbookScope`
    #[default]
    #[serde(rename = "workbookScope")]
    WorkbookScope,
    /// `Scope`
    Scope,
}

impl ScopeParameter {
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::WorkbookScope => "workbookScope",
            Self::Scope => "Scope",
        }
    }
}

/// `WorkbookParameters`; a filter and variables narrow what is seen, so there are
/// none, as a client sends it (corrections).
pub(crate) fn parameters(
    workbook: &str,
    visibility: Visibility,
    site_group: &str,
    sheets: &[&str],
) -> Value {
    json!({
        "Workbook": { "Name": workbook, "Scope": visibility.word() },
        "SiteGroup": site_group,
        "Filter": null,
        "VariableValues": null,
        "WorksheetNames": sheets,
    })
}

pub(super) fn all_sites() -> String {
    "All Sites".to_owned()
}

impl Import {
    /// The parameters of a request about one worksheet.
    pub(crate) fn parameters(&self, sheet: &str) -> Value {
        parameters(&self.workbook, self.visibility, &self.site_group, &[sheet])
    }

    /// The worksheet of a table.
    pub(crate) fn worksheet(&self, layout: &Layout) -> Option<&Worksheet> {
        self.worksheets.get(&layout.full())
    }

    pub(super) fn validate(&self, layouts: &[Layout]) -> Result<(), SettingsFault> {
        for layout in layouts.iter().filter(|layout| layout.view.is_none()) {
            let full = layout.full();
            let Some(sheet) = self.worksheet(layout) else {
                let reason = format!("names no worksheet for {full}");
                return Err(SettingsFault::new("worksheets", reason)
                    .cure("add the worksheet that takes the rows of that table"));
            };
            let ours = layout.columns();
            let lacking = ours.iter().find(|field| !sheet.columns.contains(field));
            let foreign = sheet.columns.iter().find(|column| !ours.contains(column));
            if let Some(column) = lacking.or(foreign) {
                let word = if lacking.is_some() { "lacks" } else { "has a foreign" };
                let reason = format!("{full}: {} {word} column {column}", sheet.name);
                return Err(SettingsFault::new("worksheets", reason).cure(
                    "list the columns of the import row in their order, of a worksheet that has \
                     our fields alone: an import writes every column of a row",
                ));
            }
        }
        Ok(())
    }
}
