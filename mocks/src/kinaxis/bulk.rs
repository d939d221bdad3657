//! `bulk/export`, `bulk/upload`, `bulk/remove` (sections 4.1 to 4.3).

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Kinaxis,
    behaviours::Switch,
    data::{Effect, Way},
    dates::Format,
    filter::Filter,
    wire::{Answer, Refusal, body, number, parameter, refused, reply, rows, text},
};

/// One open read: its rows as they were when it was opened.
#[derive(Debug)]
pub(super) struct Export {
    rows: Vec<Vec<String>>,
    pages: usize,
}

/// Rows that wait for `complete`.
#[derive(Debug)]
pub(super) struct Staged {
    scope: String,
    table: usize,
    fields: Vec<usize>,
    rows: Vec<Vec<String>>,
    removes: bool,
}

/// What a set of rows did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Counts {
    pub(super) inserted: usize,
    pub(super) modified: usize,
    pub(super) deleted: usize,
    pub(super) unchanged: usize,
    pub(super) errors: usize,
}

impl Counts {
    pub(super) const fn count(&mut self, effect: Effect) {
        match effect {
            Effect::Inserted => self.inserted += 1,
            Effect::Modified => self.modified += 1,
            Effect::Unchanged => self.unchanged += 1,
            Effect::Deleted => self.deleted += 1,
        }
    }

    pub(super) const fn good(&self) -> usize {
        self.inserted + self.modified + self.deleted + self.unchanged
    }
}

impl Kinaxis {
    /// Table and fields that a body names.
    fn addressed(&self, body: &Value) -> Result<(usize, Vec<usize>), Refusal> {
        let (namespace, name) = (text(body, "/Table/Namespace")?, text(body, "/Table/Name")?);
        let table = self.data.table(namespace, name);
        let table = table
            .ok_or_else(|| refused(400, format!("Table {namespace}::{name} does not exist")))?;
        let fields = body["Fields"].as_array().map(Vec::as_slice).unwrap_or_default();
        let declared = &self.data.tables[table];
        let find = |field: &Value| {
            let name = field.as_str().unwrap_or_default();
            declared.find(name).ok_or_else(|| {
                refused(400, format!("Field {name} of {} does not exist", declared.full()))
            })
        };
        let fields = fields.iter().map(find).collect::<Result<Vec<_>, _>>()?;
        if fields.is_empty() {
            return Err(refused(400, "Fields is empty"));
        }
        Ok((table, fields))
    }

    pub(super) fn open_export(&mut self, request: &Request<Bytes>) -> Answer {
        let body = body(request)?;
        let scope = self.scenario(&body)?;
        let (table, fields) = self.addressed(&body)?;
        let filter = body["Filter"].as_str().unwrap_or_default();
        let declared = &self.data.tables[table];
        let filter = Filter::parse(filter, declared, self.on(Switch::BracketedFilter));
        let filter = filter.map_err(|why| refused(400, format!("Filter: {why}")))?;
        let held = self.data.rows(&scope, table).filter(|row| filter.holds(row));
        let rows: Vec<Vec<String>> =
            held.map(|row| fields.iter().map(|field| row[*field].clone()).collect()).collect();
        let total = rows.len();
        let id = self.handle_of('E');
        self.exports.insert(id.clone(), Export { rows, pages: 0 });
        let body = json!({ "ExportId": format!("#{id}"), "TotalRows": total, "Status": "Ready" });
        Ok(reply(200, &body))
    }

    pub(super) fn export_page(&mut self, id: &str, request: &Request<Bytes>) -> Answer {
        let (first, size) = (number(request, "startRow")?, number(request, "pageSize")?);
        let delimiter = parameter(request, "delimiter").unwrap_or_else(|| "\t".to_owned());
        let expires = self.on(Switch::ExportExpires);
        let gone = || refused(404, "The export does not exist, or has expired");
        let export = self.exports.get_mut(id.trim_start_matches('#')).ok_or_else(gone)?;
        if expires && export.pages > 0 {
            return Err(gone());
        }
        export.pages += 1;
        let page = export.rows.iter().skip(first).take(size).map(|row| row.join(&delimiter));
        let rows: Vec<String> = page.collect();
        Ok(reply(200, &json!({ "Rows": rows })))
    }

    /// Stages rows to write, or to remove.
    pub(super) fn stage(&mut self, request: &Request<Bytes>, removes: bool) -> Answer {
        let body = body(request)?;
        let scope = self.scenario(&body)?;
        let (table, fields) = self.addressed(&body)?;
        let rows = rows(&body)?;
        let id = self.handle_of(if removes { 'R' } else { 'U' });
        self.staged.insert(id.clone(), Staged { scope, table, fields, rows, removes });
        let name = if removes { "RemovalId" } else { "UploadId" };
        Ok(reply(200, &json!({ name: format!("#{id}") })))
    }

    /// Applies what was staged under a handle, once.
    pub(super) fn complete(&mut self, at: Timestamp, id: &str, removes: bool) -> Answer {
        let id = id.trim_start_matches('#');
        let known = self.staged.get(id).is_some_and(|staged| staged.removes == removes);
        let staged = self.staged.remove(id).filter(|_| known);
        let staged = staged.ok_or_else(|| refused(404, "There is nothing to complete"))?;
        if self.on(Switch::UploadFails) {
            return Ok(reply(200, &results("Failure", Counts::default())));
        }
        let way = self.way(at, &staged.scope, Format::Iso);
        let mut counts = Counts::default();
        for row in &staged.rows {
            let (plan, table, fields) = (&mut self.plan, staged.table, &staged.fields);
            let done = if removes {
                self.data.remove(plan, &way, table, fields, row)
            } else {
                self.data.upsert(plan, &way, table, fields, row)
            };
            match done {
                Ok(effect) => counts.count(effect),
                Err(_) if self.on(Switch::DropsSilently) => counts.unchanged += 1,
                Err(_) => counts.errors += 1,
            }
        }
        let status = match (counts.errors, counts.good()) {
            (0, _) => "Success",
            (_, 0) => "Failure",
            _ => "Partial Success",
        };
        Ok(reply(200, &results(status, counts)))
    }

    /// How the integration writes into a scenario.
    pub(super) fn way(&self, at: Timestamp, scope: &str, dates: Format) -> Way {
        Way {
            at,
            scope: scope.to_owned(),
            dates,
            writer: self.integration.clone(),
            append: self.on(Switch::AppendNonKeyed),
            creates: self.on(Switch::AutoCreate),
        }
    }
}

fn results(status: &str, counts: Counts) -> Value {
    json!({ "Results": {
        "Status": status,
        "InsertedRowCount": counts.inserted,
        "ModifiedRowCount": counts.modified,
        "DeleteRowCount": counts.deleted,
        "ErrorRowCount": counts.errors,
        "UnchangedRowCount": counts.unchanged,
    } })
}
