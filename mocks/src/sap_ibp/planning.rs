//! PLANNING_DATA_API_SRV: its sets and function imports.

use bytes::Bytes;
use http::{Method, Request, Response};
use jiff::Timestamp;

use super::{
    Answer, Answered, SapIbp, Service, Work,
    behaviours::{Switch, Switches},
    edmx, functions,
    listing::Declared,
    model::PLANNING_AREA,
    query::Query,
    stage::own_id,
    transaction::{Message, Transaction},
    wire::{Entry, Format, Nav, Prop, Refusal, iso, many, one, quoted, response},
};

/// Properties of `<PA>Trans`.
const TRANS: [&str; 5] =
    ["Transactionid", "AggregationLevelFieldsString", "VersionID", "ScenarioID", "DoCommit"];
/// Properties of `<PA>Message`; the last is not in the public export.
const MESSAGE: [&str; 5] = ["Transactionid", "ExceptionId", "MsgText", "TimeStmp", "Severity"];
/// Sets that belong to no planning area.
const GENERIC_SETS: [&str; 2] = ["ValueResultSet", "KeyFigureDeltaDefinitionSet"];

/// Properties of a message, as the switches have it.
pub(super) fn message_names(switches: Switches) -> &'static [&'static str] {
    let severity = switches.on(Switch::MessageSeverity);
    if severity { &MESSAGE } else { &MESSAGE[..MESSAGE.len() - 1] }
}

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
        let root = Service::Planning.root(request, self.options.behind_tls);
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
        if self.options.switches.on(Switch::DeclaredParameters) {
            functions::check(&functions::planning(self.options.switches), name, query)?;
        }
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
                let id = own_id(query.literal("Transactionid")?, "Transactionid")?;
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

    fn known(&self, id: &str) -> Result<&Transaction, Refusal> {
        self.transactions
            .get(id)
            .ok_or_else(|| Refusal::missing(format!("Transaction '{id}' does not exist")))
    }

    fn staged_transactions(&self, query: &Query, root: &str, format: Format) -> Answer {
        self.mandatory_filter(query)?;
        let set = format!("{PLANNING_AREA}Trans");
        let text =
            |name, value: &Option<String>| (name, Prop::Text(value.clone().unwrap_or_default()));
        let entry = |(id, transaction): (&String, &Transaction)| Entry {
            set: set.clone(),
            key: quoted(id),
            kind: format!("calcview.{set}"),
            props: vec![
                ("Transactionid", Prop::Text(id.clone())),
                text("AggregationLevelFieldsString", &transaction.fields),
                text("VersionID", &transaction.version),
                ("ScenarioID", Prop::Text(String::new())),
                ("DoCommit", Prop::Bool(transaction.progress.is_committed())),
            ],
            nav: Vec::new(),
        };
        let entries = self.transactions.iter().map(entry).collect();
        let declared = Declared { set: &set, names: &TRANS, nav: None };
        Ok(declared.answer(entries, query, root, format)?.into())
    }

    fn messages(&self, query: &Query, root: &str, format: Format) -> Answer {
        let set = format!("{PLANNING_AREA}Message");
        self.mandatory_filter(query)?;
        let nav = format!("Nav{PLANNING_AREA}Message");
        let nav = match query.get("$expand") {
            None => None,
            Some(name) if name == nav && self.options.switches.on(Switch::MessageExpand) => {
                Some(nav.as_str())
            }
            Some(name) => return Err(Refusal::bad(format!("Invalid $expand '{name}'"))),
        };
        let mut entries = Vec::new();
        for (id, transaction) in &self.transactions {
            for (number, message) in transaction.messages.iter().enumerate() {
                entries.push(message_entry(id, number + 1, message, nav));
            }
        }
        let names = message_names(self.options.switches);
        for entry in &mut entries {
            entry.props.retain(|(name, _)| names.contains(name));
        }
        let declared = Declared { set: &set, names, nav };
        Ok(declared.answer(entries, query, root, format)?.into())
    }

    fn mandatory_filter(&self, query: &Query) -> Result<(), Refusal> {
        if query.get("$filter").is_none() && self.options.switches.on(Switch::MessagesNeedFilter) {
            return Err(Refusal::bad("A filter on Transactionid is mandatory"));
        }
        Ok(())
    }
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
            ("Severity", Prop::Text(message.severity.to_owned())),
        ],
        nav: row
            .map(|(row, nav)| (nav.to_owned(), Nav::One(Box::new(row.entry(number)))))
            .into_iter()
            .collect(),
    }
}

/// A `ValueResult` of this service.
fn value_result(name: &str, value: &str) -> Entry {
    result_of("calcview", name, value)
}

/// A `ValueResult` of the service with this namespace.
pub(super) fn result_of(namespace: &str, name: &str, value: &str) -> Entry {
    Entry {
        set: "ValueResultSet".to_owned(),
        key: quoted(name),
        kind: format!("{namespace}.ValueResult"),
        props: vec![("Name", Prop::Text(name.to_owned())), ("Value", Prop::Text(value.to_owned()))],
        nav: Vec::new(),
    }
}
