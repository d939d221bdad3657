//! Requests and their receipts: the thin IO.

use http::Method;
use planthread_kit::{
    ConnectorError,
    http::{Bounds, Expect, HttpStack, JsonClient, Lane, Page, Safety, paging::counted},
};
use serde_json::Value;

use super::mapping::{Write, body};

/// One host, one scope.
#[derive(Debug)]
pub(super) struct Client {
    json: JsonClient,
    rows: String,
    bounds: Bounds,
}

impl Client {
    pub(super) fn new(http: HttpStack, host: &str, scope: &str, bounds: Bounds) -> Self {
        let json = JsonClient::new(http, &format!("{host}/v1"));
        Self { json, rows: format!("/scopes/{scope}/rows"), bounds }
    }

    pub(super) const fn http(&self) -> &HttpStack {
        self.json.http()
    }

    pub(super) async fn about(&self) -> Result<Value, ConnectorError> {
        self.json.read("read about", Lane::Sweep, "/about", Expect::json("/measures")).await
    }

    /// Writes one part of a job. The interface puts rows: twice is once.
    pub(super) async fn write(
        &self,
        job: &str,
        part: usize,
        write: &Write<'_>,
    ) -> Result<Value, ConnectorError> {
        let path = format!("{}?job={job}&part={part}", self.rows);
        let to = (Method::PUT, path.as_str());
        self.json
            .write("write rows", Safety::Repeatable, to, &body(write), Expect::json("/results"))
            .await
    }

    /// All rows that `question` has, at most `most` of them.
    pub(super) async fn rows(
        &self,
        lane: Lane,
        question: &str,
        most: usize,
    ) -> Result<Vec<Value>, ConnectorError> {
        const READ: &str = "read rows";
        let pages = counted(READ, self.bounds.at_most(most), move |skip, top| async move {
            let path = format!("{}?{question}&skip={skip}&top={top}", self.rows);
            let mut page = self.json.read(READ, lane, &path, Expect::json("/rows")).await?;
            let total = page["total"].as_u64();
            let rows = page["rows"].as_array_mut().map(std::mem::take).unwrap_or_default();
            Ok(Page { rows, total, next: None })
        });
        Ok(pages.await?.concat())
    }
}
