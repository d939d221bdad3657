//! MASTER_DATA_API_SRV: reads and upserts, with its own spellings.

use bytes::Bytes;
use http::{Method, Request};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    Answer, SapIbp, Service,
    behaviours::Switch,
    edmx,
    filter::{Comparison, Filter, Literal},
    master::{Attributes, MASTER_TYPES, MasterTransaction, MasterType},
    model::{BASELINE, MASTER_ONLY_AREA, PLANNING_AREA, TWIN_VERSION},
    planning::value_result,
    query::{Query, orderby, page},
    stage::{body, text},
    transaction::Outcome,
    wire::{Entry, Format, Nav, Prop, Refusal, many, one, quoted, response},
};

const NAMESPACE: &str = "IBP.MASTER_DATA_API_SRV";
const CATALOGUE: &str = "VersionSpecificMasterDataTypes";

impl SapIbp {
    /// Answers a request to the master data service.
    pub(super) fn master_data(
        &mut self,
        at: Timestamp,
        request: &Request<Bytes>,
        path: &str,
        query: &Query,
    ) -> Answer {
        let format = Format::of(request.headers(), query.get("$format"));
        let root = Service::MasterData.root(request);
        let reads = matches!(*request.method(), Method::GET | Method::HEAD);
        let name = path.trim_end_matches('/');
        let find = |name: &str| MASTER_TYPES.iter().position(|kind| kind.name == name);
        let loadable = |suffix: &str| {
            let kind = name.strip_suffix(suffix).and_then(find);
            kind.filter(|kind| MASTER_TYPES[*kind].loadable)
        };
        if name.is_empty() && reads {
            return Ok(edmx::service_document(&sets(), format).into());
        }
        if name == "$metadata" && reads {
            let xml = edmx::master(self.options.switches);
            return Ok(response(200, "application/xml;charset=utf-8", xml).into());
        }
        if name == CATALOGUE && reads {
            return list(catalogue(), CATALOGUE, CATALOGUE_KEYS, query, &root, format);
        }
        if let (Some(kind), true) = (find(name), reads) {
            let rows = self.master.list(kind, PLANNING_AREA);
            return list(rows, name, MASTER_TYPES[kind].keys, query, &root, format);
        }
        if let Some(kind) = loadable("Trans") {
            return match *request.method() {
                Method::POST => self.stage_master(at, request, kind, &root, format),
                Method::HEAD => Ok(response(200, "application/json", Bytes::new()).into()),
                _ => Err(Refusal::bad("A filter on TransactionID is mandatory")),
            };
        }
        if let (Some(kind), true) = (loadable("Message"), reads) {
            return self.master_messages(&MASTER_TYPES[kind], query, &root, format);
        }
        self.master_function(at, request.method(), name, query, &root, format)
    }

    fn stage_master(
        &mut self,
        at: Timestamp,
        request: &Request<Bytes>,
        kind: usize,
        root: &str,
        format: Format,
    ) -> Answer {
        let body = body(request)?;
        let declared = &MASTER_TYPES[kind];
        let nav = format!("Nav{}", declared.name);
        self.known_properties(&body, &nav)?;
        let id = text(&body, "TransactionID")?;
        if id.is_empty() || id.chars().count() > 32 {
            return Err(Refusal::bad("TransactionID must have 1 to 32 characters"));
        }
        let version = version(&body)?;
        let delete = match body.get("DeleteEntries") {
            None | Some(Value::Null) => None,
            Some(Value::Bool(delete)) => Some(*delete),
            Some(_) => return Err(Refusal::bad("Property 'DeleteEntries' must be a boolean")),
        };
        let requested = text(&body, "RequestedAttributes")?;
        let rows = rows(&body, &nav, declared, &requested)?;
        let commit = match body.get("DoCommit") {
            None | Some(Value::Null) => false,
            Some(Value::Bool(commit)) => *commit,
            Some(_) => return Err(Refusal::bad("Property 'DoCommit' must be a boolean")),
        };
        let transaction = self.master.transactions.entry(id.clone()).or_default();
        if transaction.progress.is_committed() {
            return Err(Refusal::bad(format!("Transaction {id} is committed already")));
        }
        let target = transaction.target.get_or_insert_with(|| (kind, version.clone()));
        if *target != (kind, version) {
            return Err(Refusal::bad("One transaction loads one type in one version"));
        }
        if *transaction.delete.get_or_insert(delete.unwrap_or(false)) != delete.unwrap_or(false) {
            return Err(Refusal::bad("One transaction must keep a single DeleteEntries value"));
        }
        transaction.rows.extend(rows);
        if commit {
            self.commit_master(at, &id);
        }
        let entry = Entry {
            set: format!("{}Trans", declared.name),
            key: quoted(&id),
            kind: format!("{NAMESPACE}.{}Trans", declared.name),
            props: vec![
                ("TransactionID", Prop::Text(id)),
                ("RequestedAttributes", Prop::Text(requested)),
                ("DoCommit", Prop::Bool(commit)),
            ],
            nav: vec![(nav, Nav::Many(Vec::new()))],
        };
        Ok(one(201, root, &entry, format).into())
    }

    /// Spellings differ from the planning side (section 3): one that is not
    /// declared here must not pass for an absent one.
    fn known_properties(&self, body: &Map<String, Value>, nav: &str) -> Result<(), Refusal> {
        const DECLARED: [&str; 6] = [
            "TransactionID",
            "RequestedAttributes",
            "PlanningAreaID",
            "VersionID",
            "DoCommit",
            "__metadata",
        ];
        let newer = [
            ("DeleteEntries", Switch::DeleteEntries),
            ("TransactionName", Switch::TransactionName),
        ];
        for name in body.keys() {
            let newer = newer
                .iter()
                .any(|(property, switch)| property == name && self.options.switches.on(*switch));
            if !newer && !DECLARED.contains(&name.as_str()) && name != nav {
                return Err(Refusal::bad(format!("Property '{name}' is invalid")));
            }
        }
        Ok(())
    }

    fn commit_master(&mut self, at: Timestamp, id: &str) {
        let (starts, ends) = (self.options.import_starts_after, self.options.import_ends_after);
        if let Some(transaction) = self.master.transactions.get_mut(id) {
            transaction.progress.commit(at, starts, ends);
        }
    }

    /// Carries out the master data imports that are due by `at`.
    pub(super) fn load_master_due(&mut self, at: Timestamp) {
        let duplicates = self.options.switches.on(Switch::DuplicateMasterData);
        let due = self
            .master
            .transactions
            .iter()
            .filter_map(|(id, transaction)| Some((transaction.progress.due(at)?, id.clone())));
        let mut due: Vec<_> = due.collect();
        due.sort();
        for (_, id) in due {
            let Some(mut transaction) = self.master.transactions.remove(&id) else { continue };
            self.master.load(&mut transaction, duplicates);
            let clean = transaction.messages.is_empty();
            transaction.progress.settle(if clean {
                Outcome::Processed
            } else {
                Outcome::WithErrors
            });
            self.master.transactions.insert(id, transaction);
        }
    }

    fn master_messages(
        &self,
        kind: &MasterType,
        query: &Query,
        root: &str,
        format: Format,
    ) -> Answer {
        let filter = query.get("$filter").map(Filter::parse).transpose().map_err(Refusal::bad)?;
        let filter =
            filter.ok_or_else(|| Refusal::bad("A filter on TransactionID is mandatory"))?;
        let nav = format!("Nav{}", kind.name);
        let expand = query.get("$expand");
        if expand.is_some_and(|name| name != nav) {
            return Err(Refusal::bad("Invalid $expand"));
        }
        let expand = expand.is_some();
        if expand && !self.options.switches.on(Switch::MasterMessageExpand) {
            return Err(Refusal::bad("Invalid $expand"));
        }
        let by_id = |c: &Comparison, id: &str| {
            c.field == "TransactionID" && matches!(&c.literal, Literal::Text(text) if text == id)
        };
        let mut entries = Vec::new();
        for (id, transaction) in &self.master.transactions {
            if filter.holds(&|c| by_id(c, id)) {
                entries.extend(messages_of(id, transaction, kind, expand.then_some(&*nav)));
            }
        }
        let count = query.counts().then_some(entries.len());
        Ok(many(root, &format!("{}Message", kind.name), &page(entries, query)?, count, format)
            .into())
    }

    fn master_function(
        &mut self,
        at: Timestamp,
        method: &Method,
        name: &str,
        query: &Query,
        root: &str,
        format: Format,
    ) -> Answer {
        let id = |query: &Query| {
            query.literal("P_TransactionID").or_else(|_| query.literal("TransactionID"))
        };
        match (name, method.as_str()) {
            ("GetTransactionID", "GET" | "HEAD") => {
                let id = self.fresh_id()[..32].to_uppercase();
                self.master.transactions.entry(id.clone()).or_default();
                Ok(one(200, root, &value_result("TransactionID", &id), format).into())
            }
            // Declared as GET in the metadata, called as POST by clients.
            ("Commit", "GET" | "POST") => {
                let id = id(query)?;
                self.known_master(&id)?;
                self.commit_master(at, &id);
                Ok(one(200, root, &value_result("Status", "INITIAL"), format).into())
            }
            ("GetExportResult", "GET" | "HEAD") => {
                let id = id(query)?;
                let status = self.known_master(&id)?.progress.status(at);
                let pairs = [value_result("Status", status)];
                Ok(many(root, "GetExportResult", &pairs, None, format).into())
            }
            ("InitiateParallelProcess", "POST" | "PUT") => {
                let id = query.literal("TransactionID")?;
                let version = query.literal("VersionID")?;
                if version.is_empty() || version == BASELINE {
                    return Err(Refusal::bad("The base version is not supported here"));
                }
                self.master.transactions.entry(id.clone()).or_default();
                Ok(one(200, root, &value_result("TransactionID", &id), format).into())
            }
            _ => Err(Refusal::missing(format!("Resource not found for segment '{name}'"))),
        }
    }

    fn known_master(&self, id: &str) -> Result<&MasterTransaction, Refusal> {
        let found = self.master.transactions.get(id);
        found.ok_or_else(|| Refusal::missing(format!("Transaction '{id}' does not exist")))
    }
}

/// Base sends neither area nor version; a real version needs both (section 4).
fn version(body: &Map<String, Value>) -> Result<String, Refusal> {
    let (area, version) = (text(body, "PlanningAreaID")?, text(body, "VersionID")?);
    match (area.as_str(), version.as_str()) {
        ("", "") => Ok(String::new()),
        (PLANNING_AREA, TWIN_VERSION) => Ok(version),
        _ => Err(Refusal::bad("Please check the planning area and version values")),
    }
}

fn rows(
    body: &Map<String, Value>,
    nav: &str,
    kind: &MasterType,
    requested: &str,
) -> Result<Vec<Attributes>, Refusal> {
    // Both a bare array and {"results": [..]} work on this side.
    let rows = match body.get(nav) {
        Some(Value::Object(wrapped)) => wrapped.get("results"),
        other => other,
    };
    let rows = rows
        .and_then(Value::as_array)
        .ok_or_else(|| Refusal::bad(format!("'{nav}' is missing")))?;
    let requested: Vec<_> = requested.split(',').map(str::trim).filter(|n| !n.is_empty()).collect();
    let known = |name: &str| kind.keys.contains(&name) || kind.attributes.contains(&name);
    if let Some(odd) = requested.iter().find(|name| !known(name)) {
        return Err(Refusal::bad(format!("RequestedAttributes names unknown attribute {odd}")));
    }
    let row = |row: &Value| {
        let row = row.as_object().ok_or_else(|| Refusal::bad("A row must be an object"))?;
        let pair = |(name, value): (&String, &Value)| match value {
            Value::String(text) if requested.contains(&name.as_str()) => {
                Ok((name.clone(), text.clone()))
            }
            _ => Err(Refusal::bad(format!("Property '{name}' is invalid"))),
        };
        row.iter().filter(|(name, _)| *name != "__metadata").map(pair).collect()
    };
    rows.iter().map(row).collect()
}

fn messages_of<'a>(
    id: &'a str,
    transaction: &'a MasterTransaction,
    kind: &'a MasterType,
    nav: Option<&'a str>,
) -> impl Iterator<Item = Entry> + 'a {
    transaction.messages.iter().enumerate().map(move |(n, (message, row))| {
        let number = format!("{:06}", n + 1);
        Entry {
            set: format!("{}Message", kind.name),
            key: format!("TransactionID={},MessageID='{number}'", quoted(id)),
            kind: format!("{NAMESPACE}.{}Message", kind.name),
            props: vec![
                ("TransactionID", Prop::Text(id.to_owned())),
                ("MessageID", Prop::Text(number)),
                ("MessageText", Prop::Text(message.clone())),
            ],
            nav: nav
                .map(|nav| (nav.to_owned(), Nav::One(Box::new(entry(row, kind.name, kind.keys)))))
                .into_iter()
                .collect(),
        }
    })
}

const CATALOGUE_KEYS: &[&str] = &["PlanningAreaID", "VersionID", "MasterDataTypeID"];

/// Names that rows can have, so that entries can borrow them.
const NAMES: [&str; 14] = [
    "RESID",
    "LOCID",
    "RESDESCR",
    "RESTYPE",
    "LOCDESCR",
    "LOCTYPE",
    "UOMTOID",
    "UOMTODESCR",
    "CURRTOID",
    "PlanningAreaID",
    "VersionID",
    "MasterDataTypeID",
    "PlanningAreaDescr",
    "VersionName",
];

fn entry(row: &Attributes, set: &str, keys: &[&str]) -> Entry {
    let value = |name: &str| row.get(name).cloned().unwrap_or_default();
    let key: Vec<_> = keys.iter().map(|key| format!("{key}={}", quoted(&value(key)))).collect();
    let kind = set.strip_suffix('s').filter(|_| set == CATALOGUE).unwrap_or(set);
    let props = NAMES.iter().filter(|name| row.contains_key(**name));
    Entry {
        set: set.to_owned(),
        key: key.join(","),
        kind: format!("{NAMESPACE}.{kind}"),
        props: props.map(|name| (*name, Prop::Text(value(name)))).collect(),
        nav: Vec::new(),
    }
}

/// Filters, orders and pages rows of text.
fn list(
    mut rows: Vec<Attributes>,
    set: &str,
    keys: &[&str],
    query: &Query,
    root: &str,
    format: Format,
) -> Answer {
    if let Some(text) = query.get("$filter") {
        let filter = Filter::parse(text).map_err(Refusal::bad)?;
        rows.retain(|row| {
            filter.holds(&|c| match (&c.literal, row.get(&c.field)) {
                (Literal::Text(text), Some(value)) => c.op.holds(value, text),
                _ => false,
            })
        });
    }
    for (name, descending) in orderby(query)?.into_iter().rev() {
        rows.sort_by(|left, right| {
            let order = left.get(name).cmp(&right.get(name));
            if descending { order.reverse() } else { order }
        });
    }
    let select = query.list("$select");
    if let Some(odd) = select.iter().find(|name| !NAMES.contains(name)) {
        return Err(Refusal::bad(format!("Property '{odd}' is invalid in $select")));
    }
    let count = query.counts().then_some(rows.len());
    let entries = page(rows, query)?.into_iter().map(|row| {
        let mut entry = entry(&row, set, keys);
        entry.props.retain(|(name, _)| select.is_empty() || select.contains(name));
        entry
    });
    Ok(many(root, set, &entries.collect::<Vec<_>>(), count, format).into())
}

fn sets() -> Vec<String> {
    let mut sets = Vec::new();
    for kind in &MASTER_TYPES {
        sets.push(kind.name.to_owned());
        if kind.loadable {
            sets.extend([format!("{}Trans", kind.name), format!("{}Message", kind.name)]);
        }
    }
    sets.extend([CATALOGUE.to_owned(), "ValueResultSet".to_owned()]);
    sets
}

/// Which type belongs to which version of which area.
fn catalogue() -> Vec<Attributes> {
    let mut rows = Vec::new();
    let versions =
        [(PLANNING_AREA, BASELINE), (PLANNING_AREA, TWIN_VERSION), (MASTER_ONLY_AREA, BASELINE)];
    for (area, version) in versions {
        for kind in MASTER_TYPES.iter().filter(|kind| kind.loadable) {
            if version == TWIN_VERSION && !kind.version_specific {
                continue;
            }
            let name = if version == TWIN_VERSION { "Digital twin" } else { "Base Version" };
            let row = [
                ("PlanningAreaID", area),
                ("VersionID", version),
                ("MasterDataTypeID", kind.name),
                ("PlanningAreaDescr", "Planthread demo"),
                ("VersionName", name),
            ];
            rows.push(row.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
        }
    }
    rows
}
