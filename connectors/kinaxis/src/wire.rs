//! Requests and their receipts: the thin IO.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, StatusCode};
use planthread_kit::{
    Class, ConnectorError, Sent,
    columns::NamedColumns,
    http::{
        Bounds, Call, Expect, HttpStack, JsonClient, Lane, Page, Safety,
        answer::{receipt, refuses},
        encoded,
        paging::counted,
        said::said,
    },
};
use serde_json::{Value, json};

use crate::config::{
    Config, DataLoad, Import, Layout, QueryId, Script, Visibility, Worksheets, parameters,
};

/// Most pages of one listing.
const PAGES_MAX: usize = 10_000;

/// One company, and the scenario that is written.
#[derive(Debug)]
pub(crate) struct Client {
    json: JsonClient,
    scenario: String,
    visibility: Visibility,
    page_size: usize,
    parallel: usize,
    worksheets: Worksheets,
    /// How long a write may take, where an agreement says so.
    pub(crate) patience: Option<Duration>,
}

/// A read of one table.
#[derive(Debug)]
pub(crate) struct Question<'a> {
    pub(crate) scenario: &'a str,
    pub(crate) namespace: &'a str,
    pub(crate) table: &'a str,
    pub(crate) fields: &'a [String],
    pub(crate) filter: Option<String>,
    pub(crate) lane: Lane,
}

/// `Values` of a row; a number stands for its text.
fn values(row: &Value) -> Option<Vec<String>> {
    let text = |value: &Value| match value {
        Value::String(text) => text.clone(),
        Value::Null => String::new(),
        other => other.to_string(),
    };
    Some(row["Values"].as_array()?.iter().map(text).collect())
}

/// Rows as a request has them.
fn listed(rows: &[Vec<String>]) -> Value {
    rows.iter().map(|row| json!({ "Values": row })).collect()
}

impl Client {
    pub(crate) fn new(http: HttpStack, config: &Config, scenario: &str) -> Self {
        Self {
            json: JsonClient::new(http, &format!("{}/integration/V1", config.base())),
            scenario: scenario.to_owned(),
            visibility: config.scenario.visibility,
            page_size: config.reading.page_size,
            parallel: if config.one_session { 1 } else { 4 },
            worksheets: config.worksheets.clone(),
            patience: None,
        }
    }

    pub(crate) const fn http(&self) -> &HttpStack {
        self.json.http()
    }

    pub(crate) fn scenario(&self) -> &str {
        &self.scenario
    }

    fn reference(&self) -> Value {
        self.named(&self.scenario)
    }

    fn named(&self, scenario: &str) -> Value {
        json!({ "Name": scenario, "Scope": self.visibility.word() })
    }

    /// All rows that a question has, as texts in the order of its fields (§4.1).
    pub(crate) async fn rows(
        &self,
        question: Question<'_>,
    ) -> Result<Vec<Vec<String>>, ConnectorError> {
        const OPEN: &str = "open read";
        const READ: &str = "read rows";
        let Question { scenario, namespace, table, fields, filter, lane } = question;
        let body = json!({ "Scenario": self.named(scenario),
            "Table": { "Namespace": namespace, "Name": table }, "Fields": fields,
            "Filter": filter.unwrap_or_default() });
        let open =
            self.json.ask(OPEN, lane, "/bulk/export", &body, Expect::json("/ExportId")).await?;
        let id = handle(OPEN, &open, "/ExportId")?;
        let total = open["TotalRows"].as_u64();
        let total = total.ok_or_else(|| drift(OPEN, "TotalRows is no count"))?;
        let path = |skip, top| {
            format!(
                "/bulk/export/{id}?startRow={skip}&pageSize={top}&delimiter=%09&finishExport=false"
            )
        };
        let row = |row: &Value| Some(row.as_str()?.split('\t').map(str::to_owned).collect());
        self.pages((READ, lane), (total, self.page_size), path, row).await
    }

    /// All pages of what was opened, at `path`; `row` reads one row. A shortfall is
    /// refused.
    async fn pages(
        &self,
        (operation, lane): (&'static str, Lane),
        (total, size): (u64, usize),
        path: impl Fn(usize, usize) -> String,
        row: impl Fn(&Value) -> Option<Vec<String>>,
    ) -> Result<Vec<Vec<String>>, ConnectorError> {
        if total == 0 {
            return Ok(Vec::new());
        }
        let bounds = Bounds { parallel: self.parallel, ..Bounds::new(size, PAGES_MAX) };
        let row = &row;
        let pages = counted(operation, bounds, |skip, top| {
            let path = path(skip, top);
            async move {
                let page = self.page(operation, lane, &path).await?;
                let rows = page["Rows"].as_array().map(Vec::as_slice).unwrap_or_default();
                let rows: Option<Vec<Vec<String>>> = rows.iter().map(row).collect();
                let rows = rows.ok_or_else(|| drift(operation, "a row has no values"))?;
                Ok(Page { rows, total: Some(total), next: None })
            }
        });
        Ok(pages.await?.concat())
    }

    /// One page of an open read. A handle that is gone has expired: the next read
    /// opens another.
    pub(crate) async fn page(
        &self,
        operation: &'static str,
        lane: Lane,
        path: &str,
    ) -> Result<Value, ConnectorError> {
        let request = self.json.request(Method::GET, path, Bytes::new())?;
        let answer =
            self.http().send(Call::new(operation, Safety::Read, request).lane(lane)).await?;
        if answer.status() == StatusCode::NOT_FOUND {
            let class = Class::Transient { sent: Sent::No };
            return Err(ConnectorError::new(class, operation, "HTTP 404: the handle has expired")
                .cure("read again; where it stays, smaller tables or larger pages end sooner"));
        }
        receipt(operation, &answer, Expect::json("/Rows"), Sent::No, said)
    }

    /// All rows of a worksheet as texts, with the ids of its columns (§4.4). The
    /// first call tells how many there are.
    pub(crate) async fn worksheet(
        &self,
        (workbook, visibility): (&str, Visibility),
        site_group: &str,
        sheet: &str,
    ) -> Result<NamedColumns, ConnectorError> {
        const OPEN: &str = "open worksheet";
        const READ: &str = "read worksheet";
        let body = json!({ "Scenario": self.reference(),
            "WorkbookParameters": parameters(workbook, visibility, site_group, &[sheet]) });
        const QUERY: &str = "/Worksheets/0/QueryHandle/QueryID";
        let open = self.json.ask(OPEN, Lane::Verify, "/data/workbook", &body, Expect::json(QUERY));
        let open = open.await?;
        let id = handle(OPEN, &open, QUERY)?;
        let open = &open["Worksheets"][0];
        let id = match self.worksheets.query_id {
            QueryId::Strip => id,
            QueryId::Encode => format!("%23{id}"),
        };
        let total = open["TotalRowCount"].as_u64();
        let total = total.ok_or_else(|| drift(OPEN, "TotalRowCount is no count"))?;
        let columns = open["Columns"].as_array().map(Vec::as_slice).unwrap_or_default();
        let columns: Option<Vec<String>> =
            columns.iter().map(|column| Some(column["Id"].as_str()?.to_owned())).collect();
        let columns = columns.ok_or_else(|| drift(OPEN, "a column has no Id"))?;
        let (first, scope) = (self.worksheets.start_row, self.worksheets.scope_parameter.word());
        let address = format!(
            "/data/worksheet?queryId={id}&workbookName={}&{scope}={}&worksheetName={}",
            encoded(workbook),
            visibility.word(),
            encoded(sheet)
        );
        let path = |skip, top| format!("{address}&startRow={}&pageSize={top}", first + skip);
        let size = self.worksheets.page_size;
        let rows = self.pages((READ, Lane::Verify), (total, size), path, values).await?;
        Ok(NamedColumns { names: columns, rows })
    }

    /// Imports rows through a worksheet's rules: it takes effect at once.
    pub(crate) async fn import(
        &self,
        import: &Import,
        sheet: &str,
        rows: &[Vec<String>],
    ) -> Result<Value, ConnectorError> {
        let body = json!({ "Scenario": self.reference(),
            "WorkbookParameters": import.parameters(sheet),
            "Rows": listed(rows) });
        let request = self.json.post("/data/workbook/import", &body)?;
        let call = Call::new("import rows", Safety::Once, request);
        self.effective(call, Expect::json("/Success")).await
    }

    /// Stages rows; they have no effect before [`Self::complete`] (§4.2, §4.3).
    pub(crate) async fn stage(
        &self,
        verb: Verb,
        layout: &Layout,
        fields: &[String],
        rows: &[Vec<String>],
    ) -> Result<String, ConnectorError> {
        const STAGE: &str = "stage rows";
        let body = json!({ "Scenario": self.reference(),
            "Table": { "Namespace": layout.namespace, "Name": layout.table },
            "Fields": layout.with(fields), "Rows": listed(rows) });
        let (path, id) = verb.route();
        let call = Call::new(STAGE, Safety::Repeatable, self.json.post(path, &body)?);
        let answer = self.json.send(call, Expect::json(id)).await;
        let answer = answer.map_err(ConnectorError::without_effect)?;
        handle(STAGE, &answer, id).map_err(ConnectorError::took_nothing)
    }

    /// Applies what was staged: the one request of a push that takes effect.
    pub(crate) async fn complete(&self, verb: Verb, id: &str) -> Result<Value, ConnectorError> {
        let path = format!("{}/{id}/complete", verb.route().0);
        let call = Call::new("complete rows", Safety::Once, self.json.post(&path, &Value::Null)?);
        self.effective(call, Expect::json("/Results/Status")).await
    }

    /// Sends a request that takes effect; a refusal that is clearly about the
    /// request itself says that nothing was taken.
    pub(crate) async fn effective(
        &self,
        call: Call,
        expect: Expect,
    ) -> Result<Value, ConnectorError> {
        let operation = call.operation;
        let answer = self.http().send(Call { timeout: self.patience, ..call }).await?;
        let taken = receipt(operation, &answer, expect, Sent::Maybe, said);
        taken.map_err(|error| match refuses(answer.status()) {
            true => error.took_nothing(),
            false => error,
        })
    }

    /// Puts one extract file into a data source; one of the same name is replaced
    /// (§4.7).
    pub(crate) async fn put_file(
        &self,
        (path, body): &(String, Value),
    ) -> Result<(), ConnectorError> {
        let call = Call::new("put extract file", Safety::Repeatable, self.json.post(path, body)?);
        self.effective(call, Expect::json("")).await.map(|_| ())
    }

    /// Path and body of that.
    pub(crate) fn file(
        &self,
        load: &DataLoad,
        (name, columns): (&str, &[String]),
        rows: &[Vec<String>],
        (stamp, last): (&str, bool),
    ) -> (String, Value) {
        let mut body = json!({ "Scenario": self.reference(), "Columns": columns,
            "Rows": listed(rows), "Timestamp": stamp, "OperationType": load.operation,
            "FileFormat": "Tab Delimited (*.tab)" });
        if last {
            body["FinishExtract"] = "True".into();
        }
        (format!("/dataload/{}/{}", encoded(&load.source), encoded(name)), body)
    }

    /// Starts the load of what lies in the data source; the key to ask for it.
    pub(crate) async fn trigger(&self, load: &DataLoad) -> Result<String, ConnectorError> {
        const TRIGGER: &str = "trigger data update";
        let body = json!({ "KeepExtract": "False", "DisableExtractDoneCheck": "False",
            "IntegrationScenario": load.source, "OnlyProcessDataSources": load.source,
            "RequiredDataSources": load.source });
        let call = Call::new(TRIGGER, Safety::Once, self.json.post("/dataupdate/trigger", &body)?);
        let answer = self.effective(call, Expect::json("/StatusKey")).await?;
        handle(TRIGGER, &answer, "/StatusKey")
    }

    /// How far a data update is: its id, empty while it runs, and its word.
    pub(crate) async fn update(&self, key: &str) -> Result<(String, String), ConnectorError> {
        const ASK: &str = "ask data update";
        let path = format!("/dataupdate/{key}");
        let answer =
            self.json.read(ASK, Lane::Verify, &path, Expect::json("/DataUpdateId")).await?;
        let text = |name: &str| answer[name].as_str().map(str::to_owned);
        text("DataUpdateId").zip(text("Status")).ok_or_else(|| drift(ASK, "it has no Status"))
    }

    /// Runs a script of the customer's, with a scenario as its argument.
    pub(crate) async fn script(
        &self,
        script: &Script,
        scenario: &str,
    ) -> Result<Value, ConnectorError> {
        let path = format!("/script/{}/{}", script.visibility.word(), encoded(&script.name));
        let body = script.arguments(scenario, self.visibility);
        let call = Call::new("run script", Safety::Once, self.json.post(&path, &body)?);
        self.effective(call, Expect::json("/Value")).await
    }
}

/// The two bulk writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verb {
    Upload,
    Remove,
}

impl Verb {
    /// Its path, and where the answer names what was staged.
    const fn route(self) -> (&'static str, &'static str) {
        match self {
            Self::Upload => ("/bulk/upload", "/UploadId"),
            Self::Remove => ("/bulk/remove", "/RemovalId"),
        }
    }
}

/// A handle without its `#`, which would begin a fragment of the address (§5).
fn handle(operation: &'static str, answer: &Value, at: &str) -> Result<String, ConnectorError> {
    let text = answer.pointer(at).and_then(Value::as_str).map(|text| text.trim_start_matches('#'));
    let text = text.filter(|text| !text.is_empty());
    text.map(encoded).ok_or_else(|| drift(operation, &format!("{at} is no handle")))
}

pub(crate) fn drift(operation: &'static str, text: &str) -> ConnectorError {
    ConnectorError::new(Class::Drift, operation, text)
        .cure("compare the answer with the edition of the guide in `guide_edition`")
}
