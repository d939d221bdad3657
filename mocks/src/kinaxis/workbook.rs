//! Workbooks: reading worksheets page by page, and importing into one (sections
//! 4.4 and 4.5).

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Kinaxis,
    behaviours::Switch,
    bulk::Counts,
    tables::{Holds, PARENT, SIGNALS, Table},
    wire::{Answer, Refusal, body, number, parameter, refused, reply, rows, text},
};
use crate::sdk::plan::Part;

/// Helper workbook on the registry of scenarios (section 8).
const REGISTRY: &str = "Scenario Registry";
/// Helper workbook on the history of data updates (section 12).
const HISTORY: &str = "Data Update History";

/// One column of a worksheet.
#[derive(Debug, Clone)]
pub(super) struct Column {
    pub(super) name: String,
    kind: &'static str,
    editable: bool,
}

impl Column {
    pub(super) fn fixed(name: &str) -> Self {
        Self { name: name.to_owned(), kind: "String", editable: false }
    }

    fn json(&self) -> Value {
        json!({
            "Id": self.name.replace('.', ""),
            "Header": self.name.replace('.', " "),
            "DataType": self.kind,
            "IsEditable": self.editable,
        })
    }
}

/// One worksheet, as it was when it was opened.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub(super) worksheet: String,
    pub(super) columns: Vec<Column>,
    pub(super) rows: Vec<Vec<String>>,
}

fn columns(table: &Table) -> Vec<Column> {
    let column = |field: &super::tables::Field| Column {
        name: field.name.clone(),
        kind: match field.holds {
            Holds::Text => "String",
            Holds::Date => "Date",
            Holds::Number => "Quantity",
        },
        editable: true,
    };
    table.fields.iter().map(column).collect()
}

impl Kinaxis {
    pub(super) fn open_workbook(&mut self, at: Timestamp, request: &Request<Bytes>) -> Answer {
        let body = body(request)?;
        let scope = self.scenario(&body)?;
        let parameters = &body["WorkbookParameters"];
        text(parameters, "/SiteGroup")?;
        let workbook = text(parameters, "/Workbook/Name")?.to_owned();
        let names = parameters["WorksheetNames"].as_array().cloned().unwrap_or_default();
        if names.is_empty() {
            return Err(refused(400, "WorksheetNames is empty"));
        }
        let mut worksheets = Vec::new();
        for name in names {
            let name = name.as_str().unwrap_or_default();
            let query = self.worksheet(at, &workbook, name, &scope)?;
            let id = self.handle_of('Q');
            worksheets.push(json!({
                "Name": name,
                "QueryHandle": { "QueryID": format!("#{id}") },
                "TotalRowCount": query.rows.len(),
                "Columns": query.columns.iter().map(Column::json).collect::<Vec<_>>(),
                "Rows": [],
            }));
            self.queries.insert(id, query);
        }
        Ok(reply(200, &json!({ "Worksheets": worksheets })))
    }

    /// The rows of a worksheet now.
    fn worksheet(
        &self,
        at: Timestamp,
        workbook: &str,
        name: &str,
        scope: &str,
    ) -> Result<Query, Refusal> {
        let found = match (workbook, name) {
            (SIGNALS, "ConstraintLoad") => Some(self.load()),
            (SIGNALS, _) => self.sheet_table(name).map(|table| Query {
                worksheet: name.to_owned(),
                columns: columns(&self.data.tables[table]),
                rows: self.data.rows(scope, table).cloned().collect(),
            }),
            (REGISTRY, "Scenarios") => Some(self.registry()),
            (HISTORY, _) => self.history_sheet(at, name),
            _ => None,
        };
        found.ok_or_else(|| {
            refused(400, format!("Worksheet '{name}' of '{workbook}' does not exist"))
        })
    }

    /// The table behind a worksheet of the signal workbook.
    fn sheet_table(&self, name: &str) -> Option<usize> {
        self.data.tables.iter().position(|table| table.name == name && table.span.is_some())
    }

    /// Calculated load by period: read only. It is that of the parent, of which each
    /// scenario is a child: what a scenario's own capacity makes of it is not simulated.
    fn load(&self) -> Query {
        let measure = self.plan.model.part(Part::Load);
        let rows = self.plan.store.rows.iter().filter(|(key, _)| key.scope.is_empty());
        let rows = rows.filter_map(|(key, row)| {
            let load = row.value(measure?)?.normalize().to_string();
            let date = key.period.start().to_string();
            Some(vec![key.resource.clone(), key.location.clone(), date, load])
        });
        let names = ["Constraint.Name", "Constraint.Site.Value", "Date", "Load"];
        Query {
            worksheet: "ConstraintLoad".to_owned(),
            columns: names.into_iter().map(Column::fixed).collect(),
            rows: rows.collect(),
        }
    }

    fn registry(&self) -> Query {
        let word = |is: bool| if is { "Y" } else { "N" }.to_owned();
        let child = |(name, child): (&String, &super::script::Child)| {
            let committed = if child.commits > 0 { PARENT } else { "" };
            vec![
                name.clone(),
                "Public".to_owned(),
                PARENT.to_owned(),
                word(self.needs_update(child)),
                committed.to_owned(),
            ]
        };
        let names = ["Name", "Scope", "Parent", "IsNeedsUpdate", "LastCommittedToDate"];
        Query {
            worksheet: "Scenarios".to_owned(),
            columns: names.into_iter().map(Column::fixed).collect(),
            rows: self.children.iter().map(child).collect(),
        }
    }

    pub(super) fn worksheet_page(&mut self, request: &Request<Bytes>) -> Answer {
        let id = parameter(request, "queryId").unwrap_or_default();
        let bare = id.strip_prefix('#');
        if bare.is_none() && self.on(Switch::HashKept) {
            return Err(refused(404, "The query does not exist"));
        }
        let scope = parameter(request, "workbookScope").or_else(|| parameter(request, "Scope"));
        if scope.is_none() || parameter(request, "workbookName").is_none() {
            return Err(refused(400, "workbookName and workbookScope are missing"));
        }
        let query = self.queries.get(bare.unwrap_or(&id));
        let name = parameter(request, "worksheetName");
        let query = query.filter(|query| name.as_ref() == Some(&query.worksheet));
        let query = query.ok_or_else(|| refused(404, "The query does not exist"))?;
        let (first, size) = (number(request, "startRow")?, number(request, "pageSize")?);
        let first = first.saturating_sub(self.options.start_row);
        let rows = query.rows.iter().skip(first).take(size).map(|row| json!({ "Values": row }));
        Ok(reply(
            200,
            &json!({
                "Columns": query.columns.iter().map(Column::json).collect::<Vec<_>>(),
                "Rows": rows.collect::<Vec<_>>(),
            }),
        ))
    }

    /// Imports rows through a worksheet's rules.
    pub(super) fn import(&mut self, at: Timestamp, request: &Request<Bytes>) -> Answer {
        let body = body(request)?;
        let scope = self.scenario(&body)?;
        let parameters = &body["WorkbookParameters"];
        text(parameters, "/SiteGroup")?;
        if text(parameters, "/Workbook/Name")? != SIGNALS {
            return Err(refused(400, "The workbook does not exist"));
        }
        let names = parameters["WorksheetNames"].as_array().map(Vec::as_slice);
        let [name] = names.unwrap_or_default() else {
            return Err(refused(400, "WorksheetNames must name one worksheet"));
        };
        let name = name.as_str().unwrap_or_default();
        let table = self.sheet_table(name);
        let table =
            table.ok_or_else(|| refused(400, format!("Worksheet '{name}' does not exist")))?;
        let rows = rows(&body)?;
        if self.on(Switch::ImportDisabled) {
            let error =
                json!({ "Code": "ImportNotAllowed", "Message": "Importing data is not allowed" });
            let errors = self.errors(vec![error]);
            return Ok(reply(
                200,
                &json!({ "Success": false, "Errors": errors, "Worksheets": [] }),
            ));
        }
        let way = self.way(at, &scope, self.options.import_dates);
        let fields: Vec<usize> = (0..self.data.tables[table].fields.len()).collect();
        let (mut counts, mut errors) = (Counts::default(), Vec::new());
        for row in &rows {
            match self.data.upsert(&mut self.plan, &way, table, &fields, row) {
                Ok(effect) => counts.count(effect),
                Err(_) if self.on(Switch::DropsSilently) => counts.unchanged += 1,
                Err(why) => {
                    counts.errors += 1;
                    errors.push(json!({ "Code": "ImportRow", "Message": why.text() }));
                }
            }
        }
        let errors = self.errors(errors);
        Ok(reply(
            200,
            &json!({ "Success": true, "Errors": Value::Null, "Worksheets": [{
            "WorksheetName": name,
            "ImportedRowCount": counts.good(),
            "InsertedRowCount": counts.inserted,
            "ModifiedRowCount": counts.modified,
            "DeleteRowCount": 0,
            "ErrorRowCount": counts.errors,
            "UnchangedRowCount": counts.unchanged,
            "Errors": errors,
        }] }),
        ))
    }

    /// Errors as one object, or as a list.
    fn errors(&self, mut all: Vec<Value>) -> Value {
        if self.on(Switch::ErrorsAsList) {
            return Value::Array(all);
        }
        if all.is_empty() { Value::Null } else { all.swap_remove(0) }
    }
}
