//! PLANNING_DATA_API_SRV: its sets and function imports.

use bytes::Bytes;
use http::{Method, Request, Response};
use jiff::Timestamp;

use super::{
    Answer, Answered, SapIbp, Service, Work,
    behaviours::Switch,
    edmx,
    filter::{Comparison, Filter, Literal},
    model::PLANNING_AREA,
    query::{Query, page},
    transaction::Message,
    wire::{Entry, Format, Nav, Prop, Refusal, iso, many, one, quoted, response},
};

/// Sets that belong to no planning area.
const GENERIC_SETS: [&str; 2] = ["ValueResultSet", "KeyFigureDeltaDefinitionSet"];

impl SapIbp {
    /// Answers a request to the planning service; `path` is what follows its root.
    pub(super) fn planning(
        &mut self,
        at: Timestamp,
        request: &Request<Bytes>,
        path: &str,
        query: &Query,
    ) -> Answer {
        let format = Format::of(request.headers(), query.get("$format"));
        let root = Service::Planning.root(request);
        let enabled = self.options.switches.on(Switch::PlanningEnabled);
        let trans = format!("{PLANNING_AREA}Trans");
        let message = format!("{PLANNING_AREA}Message");
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let name = path.trim_end_matches('/');
        let area = [PLANNING_AREA, &trans, &message].contains(&name);
        match name {
            "" if reads => Ok(self.service_document(format, enabled).into()),
            "$metadata" if reads => {
                let xml = edmx::planning(self.options.switches);
                Ok(response(200, "application/xml;charset=utf-8", xml).into())
            }
            _ if area && !enabled => {
                Err(Refusal::missing(format!("Resource not found for segment '{name}'")))
            }
            _ if name == PLANNING_AREA && reads => {
                let answer = self.read(at, query, &root, format)?;
                Ok(Answered { response: answer, work: Work::Read })
            }
            _ if name == trans && *request.method() == Method::HEAD => {
                Ok(response(200, "application/json", Bytes::new()).into())
            }
            _ if name == trans && reads => self.staged_transactions(query, &root, format),
            _ if name == trans && *request.method() == Method::POST => {
                let (answer, values) = self.stage(at, request, query, &root, format)?;
                Ok(Answered { response: answer, work: Work::Stage(values) })
            }
            _ if name == message && reads => self.messages(query, &root, format),
            _ => self.function(at, request.method(), name, query, &root, format),
        }
    }

    fn service_document(&self, format: Format, enabled: bool) -> Response<Bytes> {
        let mut sets = Vec::new();
        if enabled {
            for suffix in ["", "Trans", "Message"] {
                sets.push(format!("{PLANNING_AREA}{suffix}"));
            }
        }
        sets.extend(GENERIC_SETS.map(str::to_owned));
        edmx::service_document(&sets, format)
    }

    fn function(
        &mut self,
        at: Timestamp,
        method: &Method,
        name: &str,
        query: &Query,
        root: &str,
        format: Format,
    ) -> Answer {
        match (name, method.as_str()) {
            ("getTransactionID", "GET" | "HEAD") => {
                let id = self.fresh_id()[..32].to_uppercase();
                self.transactions.entry(id.clone()).or_default();
                Ok(one(200, root, &value_result("TransactionID", &id), format).into())
            }
            ("commit", "POST") => {
                let id = query.literal("P_TransactionID")?;
                self.known(&id)?;
                self.commit(at, &id);
                Ok(one(200, root, &value_result("Status", "INITIAL"), format).into())
            }
            ("InitiateParallelProcess", "POST" | "PUT")
                if self.options.switches.on(Switch::ParallelProcess) =>
            {
                let id = query.literal("Transactionid")?;
                for parameter in ["PlanningArea", "VersionID", "ScenarioID"] {
                    query.literal(parameter)?;
                }
                if query.literal("PlanningArea")? != PLANNING_AREA {
                    return Err(Refusal::missing("The planning area does not exist"));
                }
                self.transactions.entry(id.clone()).or_default();
                Ok(one(200, root, &value_result("TransactionID", &id), format).into())
            }
            ("getExportResult", "GET" | "HEAD") => {
                let id = query.literal("P_TransactionID")?;
                let status = self.known(&id)?.progress.status(at);
                let mut pairs = vec![value_result("Status", status)];
                if self.options.switches.on(Switch::StatusNotFirst) {
                    pairs.insert(0, value_result("TransactionID", &id));
                }
                Ok(many(root, "getExportResult", &pairs, None, format).into())
            }
            ("getTransactionID" | "commit" | "getExportResult", _) => {
                let text = format!("Method {method} not allowed for {name}");
                Err(Refusal::new(405, "/IWFND/CM_MGW/405", text))
            }
            _ => Err(Refusal::missing(format!("Resource not found for segment '{name}'"))),
        }
    }

    fn known(&self, id: &str) -> Result<&super::transaction::Transaction, Refusal> {
        self.transactions
            .get(id)
            .ok_or_else(|| Refusal::missing(format!("Transaction '{id}' does not exist")))
    }

    fn staged_transactions(&self, query: &Query, root: &str, format: Format) -> Answer {
        let Some(filter) = self.mandatory_filter(query)? else {
            return Ok(many(root, &format!("{PLANNING_AREA}Trans"), &[], None, format).into());
        };
        let entries: Vec<_> = self
            .transactions
            .iter()
            .filter(|(id, _)| filter.holds(&|c| by_id(c, id)))
            .map(|(id, transaction)| Entry {
                set: format!("{PLANNING_AREA}Trans"),
                key: quoted(id),
                kind: format!("calcview.{PLANNING_AREA}Trans"),
                props: vec![
                    ("Transactionid", Prop::Text(id.clone())),
                    ("VersionID", Prop::Text(transaction.version.clone().unwrap_or_default())),
                    ("DoCommit", Prop::Bool(transaction.progress.is_committed())),
                ],
                nav: Vec::new(),
            })
            .collect();
        Ok(many(root, &format!("{PLANNING_AREA}Trans"), &entries, None, format).into())
    }

    fn messages(&self, query: &Query, root: &str, format: Format) -> Answer {
        let set = format!("{PLANNING_AREA}Message");
        let filter = self.mandatory_filter(query)?;
        let nav = format!("Nav{PLANNING_AREA}Message");
        let expand = match query.get("$expand") {
            None => false,
            Some(name) if name == nav && self.options.switches.on(Switch::MessageExpand) => true,
            Some(name) => return Err(Refusal::bad(format!("Invalid $expand '{name}'"))),
        };
        let mut entries = Vec::new();
        for (id, transaction) in &self.transactions {
            if filter.as_ref().is_some_and(|filter| !filter.holds(&|c| by_id(c, id))) {
                continue;
            }
            for (number, message) in transaction.messages.iter().enumerate() {
                entries.push(message_entry(id, number + 1, message, expand.then_some(&*nav)));
            }
        }
        let count = query.counts().then_some(entries.len());
        Ok(many(root, &set, &page(entries, query)?, count, format).into())
    }

    fn mandatory_filter(&self, query: &Query) -> Result<Option<Filter>, Refusal> {
        let filter = query.get("$filter").map(Filter::parse).transpose().map_err(Refusal::bad)?;
        if filter.is_none() && self.options.switches.on(Switch::MessagesNeedFilter) {
            return Err(Refusal::bad("A filter on Transactionid is mandatory"));
        }
        Ok(filter)
    }
}

/// Only equality with the transaction id selects something.
fn by_id(comparison: &Comparison, id: &str) -> bool {
    comparison.field == "Transactionid"
        && matches!(&comparison.literal, Literal::Text(text) if comparison.op.holds(&id, &text.as_str()))
}

fn message_entry(id: &str, number: usize, message: &Message, nav: Option<&str>) -> Entry {
    let exception = format!("{number:06}");
    let at = jiff::tz::TimeZone::UTC.to_datetime(message.at);
    let row = message.row.as_ref().zip(nav);
    Entry {
        set: format!("{PLANNING_AREA}Message"),
        key: format!("Transactionid={},ExceptionId='{exception}'", quoted(id)),
        kind: format!("calcview.{PLANNING_AREA}Message"),
        props: vec![
            ("Transactionid", Prop::Text(id.to_owned())),
            ("ExceptionId", Prop::Text(exception)),
            ("MsgText", Prop::Text(message.text.clone())),
            ("TimeStmp", Prop::Text(iso(at))),
        ],
        nav: row
            .map(|(row, nav)| (nav.to_owned(), Nav::One(Box::new(row.entry(number)))))
            .into_iter()
            .collect(),
    }
}

/// A `ValueResult`.
pub(super) fn value_result(name: &str, value: &str) -> Entry {
    Entry {
        set: "ValueResultSet".to_owned(),
        key: quoted(name),
        kind: "calcview.ValueResult".to_owned(),
        props: vec![("Name", Prop::Text(name.to_owned())), ("Value", Prop::Text(value.to_owned()))],
        nav: Vec::new(),
    }
}
