//! PLANNING_DATA_API_SRV: its sets and function imports.

use bytes::Bytes;
use http::{Method, Request, Response};
use jiff::Timestamp;

use super::{
    Answer, Answered, Import, SapIbp, Service, Work,
    behaviours::{Switch, Switches},
    edmx, functions,
    listing::Declared,
    master::OTHER_AREAS,
    options::Family,
    query::Query,
    stage::own_id,
    transaction::{Message, Transaction},
    wire::{Entry, Format, Nav, Prop, Refusal, iso, many, one, props, quoted, response},
};

/// Properties of `<PA>Trans`.
pub(super) const TRANS: [&str; 5] =
    ["Transactionid", "AggregationLevelFieldsString", "VersionID", "ScenarioID", "DoCommit"];
/// Properties of `<PA>Message`; the last is not in the public export.
const MESSAGE: [&str; 5] = ["Transactionid", "ExceptionId", "MsgText", "TimeStmp", "Severity"];
/// Sets that belong to no planning area.
const GENERIC_SETS: [&str; 2] = ["ValueResultSet", "KeyFigureDeltaDefinitionSet"];

/// The sets of a planning area.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Set {
    Area,
    Trans,
    Message,
}

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
        let name = path.trim_end_matches('/');
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let offered = self.offered();
        match name {
            "" if reads => return Ok(service_document(&offered, format).into()),
            "$metadata" if reads => {
                let xml = edmx::planning(self, &offered);
                return Ok(response(200, "application/xml;charset=utf-8", xml).into());
            }
            _ => {}
        }
        let (area, set) = self.area_set(name);
        let Some(set) = set else {
            return self.function(at, request.method(), name, query, &root, format);
        };
        if !offered.contains(&area) {
            let text = format!("Resource not found for segment '{name}'");
            return Err(Refusal::missing(text));
        }
        if area != self.area.name {
            return self.empty_area(&area, set, request.method(), &root, format);
        }
        match set {
            Set::Area if reads => {
                let answer = self.read(at, query, &root, format)?;
                Ok(Answered { response: answer, work: Work::Read })
            }
            Set::Trans if *request.method() == Method::HEAD => {
                Ok(response(200, "application/json", Bytes::new()).into())
            }
            Set::Trans if reads => self.staged_transactions(query, &root, format),
            Set::Trans if *request.method() == Method::POST => {
                let (answer, values) = self.stage(at, request, query, &root, format)?;
                Ok(Answered { response: answer, work: Work::Stage(values) })
            }
            Set::Message if reads => self.messages(query, &root, format),
            Set::Area | Set::Trans | Set::Message => {
                Err(Refusal::missing(format!("Resource not found for segment '{name}'")))
            }
        }
    }

    /// The areas that the planning service offers: they are enabled for each
    /// service by itself.
    fn offered(&self) -> Vec<String> {
        let switches = self.options.switches;
        let own = self.area.family == Family::Sapibp1 || switches.on(Switch::HarmonisedKeyFigures);
        let own = (own && switches.on(Switch::PlanningEnabled)).then(|| self.area.name.clone());
        let others = switches.on(Switch::SeveralAreas).then(|| OTHER_AREAS[0].0.to_owned());
        own.into_iter().chain(others).collect()
    }

    /// The area that a set belongs to, and which of its sets it is.
    fn area_set(&self, name: &str) -> (String, Option<Set>) {
        for area in [&*self.area.name, OTHER_AREAS[0].0, OTHER_AREAS[1].0] {
            let set = match name.strip_prefix(area) {
                Some("") => Set::Area,
                Some("Trans") => Set::Trans,
                Some("Message") => Set::Message,
                _ => continue,
            };
            return (area.to_owned(), Some(set));
        }
        (String::new(), None)
    }

    /// An area of somebody else: it can be read, holds nothing, and takes nothing.
    fn empty_area(
        &self,
        area: &str,
        set: Set,
        method: &Method,
        root: &str,
        format: Format,
    ) -> Answer {
        match set {
            _ if *method == Method::HEAD => Ok(response(200, "application/json", "").into()),
            Set::Area | Set::Message if *method == Method::GET => {
                Ok(many(root, area, &[], Some(0), format).into())
            }
            _ => Err(Refusal::bad(format!("Planning area {area} takes no data from this user"))),
        }
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
                self.commit(at, Import::KeyFigures(id));
                Ok(one(200, root, &value_result("Status", "INITIAL"), format).into())
            }
            ("InitiateParallelProcess", "POST" | "PUT")
                if self.options.switches.on(Switch::ParallelProcess) =>
            {
                let id = own_id(query.literal("Transactionid")?, "Transactionid")?;
                for parameter in ["PlanningArea", "VersionID", "ScenarioID"] {
                    query.literal(parameter)?;
                }
                if query.literal("PlanningArea")? != self.area.name {
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
        let set = format!("{}Trans", self.area.name);
        let text = |value: &Option<String>| Prop::Text(value.clone().unwrap_or_default());
        let entry = |(id, transaction): (&String, &Transaction)| {
            let props = props([
                ("Transactionid", Prop::Text(id.clone())),
                ("AggregationLevelFieldsString", text(&transaction.fields)),
                ("VersionID", text(&transaction.version)),
                ("ScenarioID", Prop::Text(String::new())),
                ("DoCommit", Prop::Bool(transaction.progress.is_committed())),
            ]);
            Entry::new(&set, quoted(id), format!("calcview.{set}"), props)
        };
        let entries = self.transactions.iter().map(entry).collect();
        let declared = Declared { set: &set, names: &TRANS, nav: None };
        Ok(declared.answer(entries, query, root, format)?.into())
    }

    fn messages(&self, query: &Query, root: &str, format: Format) -> Answer {
        let area = &self.area;
        let set = format!("{}Message", area.name);
        self.mandatory_filter(query)?;
        let nav = format!("Nav{}Message", area.name);
        let nav = query.expands(&nav, self.options.switches.on(Switch::MessageExpand))?;
        let mut entries = Vec::new();
        for (id, transaction) in &self.transactions {
            for (number, message) in transaction.messages.iter().enumerate() {
                entries.push(self.message_entry(id, number + 1, message, nav));
            }
        }
        let names = message_names(self.options.switches);
        for entry in &mut entries {
            entry.props.retain(|(name, _)| names.contains(&&**name));
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

    fn message_entry(
        &self,
        id: &str,
        number: usize,
        message: &Message,
        nav: Option<&str>,
    ) -> Entry {
        let exception = format!("{number:06}");
        let at = jiff::tz::TimeZone::UTC.to_datetime(message.at);
        let row = message.row.as_ref().zip(nav);
        Entry {
            set: format!("{}Message", self.area.name),
            key: format!("Transactionid={},ExceptionId='{exception}'", quoted(id)),
            kind: format!("calcview.{}Message", self.area.name),
            props: props([
                ("Transactionid", Prop::Text(id.to_owned())),
                ("ExceptionId", Prop::Text(exception)),
                ("MsgText", Prop::Text(message.text.clone())),
                ("TimeStmp", Prop::Text(iso(at))),
                ("Severity", Prop::Text(message.severity.to_owned())),
            ]),
            nav: row
                .map(|(row, nav)| {
                    (nav.to_owned(), Nav::One(Box::new(self.staged_entry(row, number))))
                })
                .into_iter()
                .collect(),
        }
    }
}

fn service_document(offered: &[String], format: Format) -> Response<Bytes> {
    let sets =
        offered.iter().flat_map(|area| ["", "Trans", "Message"].map(|s| format!("{area}{s}")));
    let sets: Vec<_> = sets.chain(GENERIC_SETS.map(str::to_owned)).collect();
    edmx::service_document(&sets, format)
}

/// A `ValueResult` of this service.
fn value_result(name: &str, value: &str) -> Entry {
    result_of("calcview", name, value)
}

/// A `ValueResult` of the service with this namespace.
pub(super) fn result_of(namespace: &str, name: &str, value: &str) -> Entry {
    let pair = [("Name", Prop::Text(name.to_owned())), ("Value", Prop::Text(value.to_owned()))];
    let kind = format!("{namespace}.ValueResult");
    Entry::new("ValueResultSet", quoted(name), kind, props(pair))
}
