//! MASTER_DATA_API_SRV: reads and upserts, with its own spellings.

use bytes::Bytes;
use http::{Method, Request};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    Answer, SapIbp, Service,
    behaviours::Switch,
    edmx, functions,
    listing::Declared,
    master::{Attributes, MASTER_TYPES, MasterTransaction, MasterType},
    model::{BASELINE, MASTER_ONLY_AREA, PLANNING_AREA, TWIN_VERSION},
    planning::result_of,
    query::Query,
    stage::{body, own_id, text},
    transaction::Outcome,
    wire::{Entry, Format, Nav, Prop, Refusal, many, one, quoted, response},
};

const NAMESPACE: &str = "IBP.MASTER_DATA_API_SRV";
const CATALOGUE: &str = "VersionSpecificMasterDataTypes";
const CATALOGUE_KEYS: [&str; 3] = ["PlanningAreaID", "VersionID", "MasterDataTypeID"];
const CATALOGUE_NAMES: [&str; 5] =
    ["PlanningAreaID", "VersionID", "MasterDataTypeID", "PlanningAreaDescr", "VersionName"];
/// Properties of `<MDT>Message`.
const MESSAGE: [&str; 3] = ["TransactionID", "MessageID", "MessageText"];

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
        let root = Service::MasterData.root(request, self.options.behind_tls);
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
            let rows = catalogue();
            return list(&rows, CATALOGUE, &CATALOGUE_NAMES, &CATALOGUE_KEYS, query, &root, format);
        }
        if let (Some(kind), true) = (find(name), reads) {
            let (rows, kind) = (self.master.list(kind), &MASTER_TYPES[kind]);
            let (names, keys) = (kind.properties(), kind.entity_keys());
            return list(&rows, name, &names, &keys, query, &root, format);
        }
        if let Some(kind) = loadable("Trans") {
            return match *request.method() {
                Method::POST => self.stage_master(at, request, kind, &root, format),
                Method::HEAD => Ok(response(200, "application/json", Bytes::new()).into()),
                _ => Err(Refusal::bad("A filter on TransactionID is mandatory")),
            };
        }
        if let (Some(kind), true) = (loadable("Message"), reads) {
            return self.master_messages(kind, query, &root, format);
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
        let id = own_id(text(&body, "TransactionID")?, "TransactionID")?;
        let version = version(&body, declared)?;
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

    fn master_messages(&self, kind: usize, query: &Query, root: &str, format: Format) -> Answer {
        if query.get("$filter").is_none() {
            return Err(Refusal::bad("A filter on TransactionID is mandatory"));
        }
        let declared = &MASTER_TYPES[kind];
        let nav = format!("Nav{}", declared.name);
        let expands = self.options.switches.on(Switch::MasterMessageExpand);
        let nav = match query.get("$expand") {
            None => None,
            Some(name) if name == nav && expands => Some(nav.as_str()),
            Some(name) => return Err(Refusal::bad(format!("Invalid $expand '{name}'"))),
        };
        let mut entries = Vec::new();
        for (id, transaction) in &self.master.transactions {
            if let Some((of, version)) = transaction.target.as_ref().filter(|t| t.0 == kind) {
                entries.extend(messages_of(id, transaction, &MASTER_TYPES[*of], version, nav));
            }
        }
        let set = format!("{}Message", declared.name);
        let declared = Declared { set: &set, names: &MESSAGE, nav };
        Ok(declared.answer(entries, query, root, format)?.into())
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
        if self.options.switches.on(Switch::DeclaredParameters) {
            functions::check(&functions::master(self.options.switches), name, query)?;
        }
        match (name, method.as_str()) {
            ("GetTransactionID", "GET" | "HEAD") => {
                let id = self.fresh_id()[..32].to_uppercase();
                self.master.transactions.entry(id.clone()).or_default();
                Ok(one(200, root, &result_of(NAMESPACE, "TransactionID", &id), format).into())
            }
            // Declared as GET in the metadata, called as POST by clients.
            ("Commit", "GET" | "POST") => {
                let id = query.literal("P_TransactionID")?;
                self.known_master(&id)?;
                self.commit_master(at, &id);
                Ok(one(200, root, &result_of(NAMESPACE, "Status", "INITIAL"), format).into())
            }
            ("GetExportResult", "GET" | "HEAD") => {
                let id = query.literal("P_TransactionID")?;
                let status = self.known_master(&id)?.progress.status(at);
                let pairs = [result_of(NAMESPACE, "Status", status)];
                Ok(many(root, "GetExportResult", &pairs, None, format).into())
            }
            ("InitiateParallelProcess", "POST" | "PUT")
                if self.options.switches.on(Switch::ParallelProcess) =>
            {
                let id = parallel(query)?;
                self.master.transactions.entry(id.clone()).or_default();
                Ok(one(200, root, &result_of(NAMESPACE, "TransactionID", &id), format).into())
            }
            _ => Err(Refusal::missing(format!("Resource not found for segment '{name}'"))),
        }
    }

    fn known_master(&self, id: &str) -> Result<&MasterTransaction, Refusal> {
        let found = self.master.transactions.get(id);
        found.ok_or_else(|| Refusal::missing(format!("Transaction '{id}' does not exist")))
    }
}

/// Base sends neither area nor version; a real version needs both (section 4),
/// and a type that has versions.
fn version(body: &Map<String, Value>, kind: &MasterType) -> Result<String, Refusal> {
    let (area, version) = (text(body, "PlanningAreaID")?, text(body, "VersionID")?);
    match (area.as_str(), version.as_str()) {
        ("", "") => Ok(String::new()),
        (PLANNING_AREA, TWIN_VERSION) if kind.version_specific => Ok(version),
        _ => Err(Refusal::bad("Please check the planning area and version values")),
    }
}

/// The id that a parallel process is for: it needs a type that can be loaded
/// into a real version of an area (section 4).
fn parallel(query: &Query) -> Result<String, Refusal> {
    let id = own_id(query.literal("TransactionID")?, "TransactionID")?;
    let (kind, area) = (query.literal("MasterDataTypeID")?, query.literal("PlanningArea")?);
    let version = query.literal("VersionID")?;
    if version.is_empty() || version == BASELINE {
        return Err(Refusal::bad("The base version is not supported here"));
    }
    let known = MASTER_TYPES.iter().find(|known| known.name == kind && known.loadable);
    let known = known.ok_or_else(|| Refusal::missing(format!("{kind} can't be loaded")))?;
    if !known.version_specific || area != PLANNING_AREA || version != TWIN_VERSION {
        return Err(Refusal::bad("Please check the planning area and version values"));
    }
    Ok(id)
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
    version: &'a str,
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
                .map(|nav| {
                    let (row, names) = (kind.show(row, version), kind.properties());
                    let entry = entry(&row, kind.name, &names, &kind.entity_keys());
                    (nav.to_owned(), Nav::One(Box::new(entry)))
                })
                .into_iter()
                .collect(),
        }
    })
}

fn entry(row: &Attributes, set: &str, names: &[&'static str], keys: &[&str]) -> Entry {
    let value = |name: &str| row.get(name).cloned().unwrap_or_default();
    let key: Vec<_> = keys.iter().map(|key| format!("{key}={}", quoted(&value(key)))).collect();
    let kind = set.strip_suffix('s').filter(|_| set == CATALOGUE).unwrap_or(set);
    Entry {
        set: set.to_owned(),
        key: key.join(","),
        kind: format!("{NAMESPACE}.{kind}"),
        props: names.iter().map(|name| (*name, Prop::Text(value(name)))).collect(),
        nav: Vec::new(),
    }
}

fn list(
    rows: &[Attributes],
    set: &str,
    names: &[&'static str],
    keys: &[&str],
    query: &Query,
    root: &str,
    format: Format,
) -> Answer {
    let entries = rows.iter().map(|row| entry(row, set, names, keys)).collect();
    Ok(Declared { set, names, nav: None }.answer(entries, query, root, format)?.into())
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
