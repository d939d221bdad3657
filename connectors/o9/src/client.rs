//! Requests and their receipts: the thin IO.

use http::Method;
use planthread_kit::{
    Class, ConnectorError, Sent,
    agreement::{Profile, Written},
    http::{
        Bounds, Call, Expect, HttpStack, JsonClient, Lane, Page, Safety, answer::receipt, encoded,
        paging::by_cursor, said::said,
    },
};
use serde_json::{Value, json};

use crate::{config::Config, decode};

/// One tenant and application.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    json: JsonClient,
    tenant: u64,
    app: String,
    bounds: Bounds,
}

impl Client {
    pub(crate) fn new(http: HttpStack, config: &Config, bounds: Bounds) -> Self {
        let json = JsonClient::new(http, &config.host);
        Self { json, tenant: config.tenant, app: encoded(&config.app), bounds }
    }

    pub(crate) const fn http(&self) -> &HttpStack {
        self.json.http()
    }

    /// One IBPL statement that reads, verbose (§3, E1).
    pub(crate) async fn query(
        &self,
        operation: &'static str,
        lane: Lane,
        statement: &str,
    ) -> Result<Value, ConnectorError> {
        let body = json!({ "Query": statement });
        self.ask(operation, lane, "ExecuteQueryJson", &body).await
    }

    /// One IBPL statement that reads, compact (§3, E2).
    pub(crate) async fn compact(
        &self,
        operation: &'static str,
        lane: Lane,
        statement: &str,
    ) -> Result<Value, ConnectorError> {
        let body = json!({ "Tenant": self.tenant, "Query": statement,
            "ExecutionContext": "planthread", "EnableMultipleResults": true });
        self.ask(operation, lane, "ExecuteCompactJsonQuery?traceDdl=true", &body).await
    }

    async fn ask(
        &self,
        operation: &'static str,
        lane: Lane,
        name: &str,
        body: &Value,
    ) -> Result<Value, ConnectorError> {
        let path = format!("/api/ibplquery/{}/{name}", self.tenant);
        let request = self.json.request(Method::POST, &path, body.to_string().into())?;
        let call = Call::new(operation, Safety::Read, request).lane(lane);
        self.json.send(call, Expect::json("")).await
    }

    /// A list of the Platform API: measure groups (`fact`) or dimensions (`master`).
    pub(crate) async fn listing(&self, kind: &str) -> Result<Value, ConnectorError> {
        let path = format!("/api/v2/{kind}/{}", self.app);
        self.json.read("list the model", Lane::Sweep, &path, Expect::json("")).await
    }

    /// Rows of a measure group or dimension, page by page (§4.3); at most `most`.
    pub(crate) async fn rows(
        &self,
        lane: Lane,
        (kind, resource): (&str, &str),
        filters: &Value,
        most: Option<usize>,
    ) -> Result<Vec<Value>, ConnectorError> {
        const READ: &str = "read rows";
        let bounds = Bounds { rows_max: most, ..self.bounds };
        let filters = match filters.as_array() {
            Some(all) if !all.is_empty() => format!("&filters={}", encoded(&filters.to_string())),
            _ => String::new(),
        };
        let path = format!("/api/v2/{kind}/{}/{}", self.app, encoded(resource));
        let path = format!("{path}?size={}{filters}", bounds.size);
        let path = &path;
        let pages = by_cursor(READ, bounds, move |cursor: Option<String>| async move {
            let next = cursor.map(|cursor| format!("&cursor={}", encoded(&cursor)));
            let path = format!("{path}{}", next.unwrap_or_default());
            let body = self.json.read(READ, lane, &path, Expect::json("")).await?;
            let (rows, next) = decode::page(body, resource)?;
            Ok(Page { rows, total: None, next })
        });
        Ok(pages.await?.concat())
    }

    /// The one request that writes, as an agreement has it. Its answer is JSON
    /// with 200, or an error; which errors say that nothing was taken, the agreement
    /// states (nothing public does).
    pub(crate) async fn write(
        &self,
        written: &Written,
        profile: &Profile,
    ) -> Result<Value, ConnectorError> {
        const WRITE: &str = "write rows";
        let method = Method::from_bytes(written.method.as_bytes()).map_err(|error| {
            ConnectorError::new(Class::Fatal, WRITE, error.to_string()).took_nothing()
        })?;
        let repeatable = profile.request.repeatable;
        let safety = if repeatable { Safety::Repeatable } else { Safety::Once };
        let body = written.body.to_string().into();
        let request = self.json.request(method, &written.path, body)?;
        let answer = self.http().send(Call::new(WRITE, safety, request)).await?;
        let taken = receipt(WRITE, &answer, Expect::json(""), Sent::Maybe, said);
        taken.map_err(|error| match profile.reply.took_nothing(&answer) {
            true => error.took_nothing(),
            false => error,
        })
    }

    /// The target was asked and said something else than was agreed.
    pub(crate) fn surprise(text: &str) -> ConnectorError {
        ConnectorError::new(
            Class::Drift,
            "write rows",
            format!("the answer is not as agreed: {text}"),
        )
        .cure(
            "compare it with the agreement's golden exchanges: the tenant's rule may have changed",
        )
    }
}
