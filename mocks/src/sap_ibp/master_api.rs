//! MASTER_DATA_API_SRV: reads and upserts, with its own spellings.

use bytes::Bytes;
use http::{Method, Request};
use jiff::Timestamp;
use serde_json::{Map, Value};

use super::{
    Answer, Import, SapIbp, Service,
    behaviours::{Switch, Switches},
    edmx, functions,
    listing::Declared,
    master::{Attributes, MasterTransaction, MasterType, OTHER_AREAS},
    model::{BASELINE, MASTER_ONLY_AREA, version_name},
    planning::result_of,
    query::Query,
    stage::{self, body, flag, own_id, text},
    transaction::Outcome,
    wire::{Entry, Format, Nav, Prop, Refusal, many, one, props, quoted, response},
};

const NAMESPACE: &str = "IBP.MASTER_DATA_API_SRV";
pub(super) const CATALOGUE: &str = "VersionSpecificMasterDataTypes";
pub(super) const CATALOGUE_KEYS: [&str; 3] = ["PlanningAreaID", "VersionID", "MasterDataTypeID"];
pub(super) const CATALOGUE_NAMES: [&str; 5] =
    ["PlanningAreaID", "VersionID", "MasterDataTypeID", "PlanningAreaDescr", "VersionName"];
/// Properties of `<MDT>Trans`, those of newer tenants left out.
pub(super) const TRANS: [&str; 5] =
    ["TransactionID", "RequestedAttributes", "PlanningAreaID", "VersionID", "DoCommit"];
/// Properties of `<MDT>Message`.
pub(super) const MESSAGE: [&str; 3] = ["TransactionID", "MessageID", "MessageText"];

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
        let switches = self.options.switches;
        let find = |name: &str| {
            let mut types = self.master.types.iter();
            types.position(|kind| kind.name == name && kind.offered(&self.area.name, switches))
        };
        let loadable = |suffix: &str| {
            let kind = name.strip_suffix(suffix).and_then(find);
            kind.filter(|kind| self.master.types[*kind].loadable)
        };
        if name.is_empty() && reads {
            return Ok(edmx::service_document(&self.master_sets(), format).into());
        }
        if name == "$metadata" && reads {
            let xml = edmx::master(self);
            return Ok(response(200, "application/xml;charset=utf-8", xml).into());
        }
        if name == CATALOGUE && reads {
            let rows = self.catalogue();
            return list(&rows, CATALOGUE, &CATALOGUE_NAMES, &CATALOGUE_KEYS, query, &root, format);
        }
        if let (Some(kind), true) = (find(name), reads) {
            let (rows, kind) = (self.master.list(kind, switches), &self.master.types[kind]);
            let (names, keys) = (kind.properties(switches), kind.entity_keys(switches));
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
        let declared = self.master.types[kind].clone();
        let nav = format!("Nav{}", declared.name);
        let newer = [
            ("DeleteEntries", Switch::DeleteEntries),
            ("TransactionName", Switch::TransactionName),
        ];
        stage::declared(&body, self.options.switches, (&TRANS, &newer, &nav))?;
        let id = own_id(text(&body, "TransactionID")?, "TransactionID")?;
        let version = self.version_of(&body, &declared)?;
        let delete = flag(&body, "DeleteEntries")?;
        let requested = text(&body, "RequestedAttributes")?;
        let rows = rows(&body, &nav, &declared, &requested)?;
        let commit = flag(&body, "DoCommit")?;
        let transaction = self.master.transactions.entry(id.clone()).or_default();
        if transaction.progress.is_committed() {
            return Err(Refusal::bad(format!("Transaction {id} is committed already")));
        }
        let target = transaction.target.get_or_insert_with(|| (kind, version.clone()));
        if *target != (kind, version) {
            return Err(Refusal::bad("One transaction loads one type in one version"));
        }
        if *transaction.delete.get_or_insert(delete) != delete {
            return Err(Refusal::bad("One transaction must keep a single DeleteEntries value"));
        }
        transaction.rows.extend(rows);
        if commit {
            self.commit(at, Import::MasterData(id.clone()));
        }
        let entry = Entry {
            set: format!("{}Trans", declared.name),
            key: quoted(&id),
            kind: format!("{NAMESPACE}.{}Trans", declared.name),
            props: props([
                ("TransactionID", Prop::Text(id)),
                ("RequestedAttributes", Prop::Text(requested)),
                ("DoCommit", Prop::Bool(commit)),
            ]),
            nav: vec![(nav, Nav::Many(Vec::new()))],
        };
        Ok(one(201, root, &entry, format).into())
    }

    /// Carries out one master data import that is due.
    pub(super) fn import_master(&mut self, id: &str) {
        let Some(mut transaction) = self.master.transactions.remove(id) else { return };
        self.master.load(&mut transaction, self.options.switches.on(Switch::DuplicateMasterData));
        let clean = transaction.messages.is_empty();
        transaction.progress.settle(if clean { Outcome::Processed } else { Outcome::WithErrors });
        self.master.transactions.insert(id.to_owned(), transaction);
    }

    fn master_messages(&self, kind: usize, query: &Query, root: &str, format: Format) -> Answer {
        if query.get("$filter").is_none() {
            return Err(Refusal::bad("A filter on TransactionID is mandatory"));
        }
        let declared = &self.master.types[kind];
        let nav = format!("Nav{}", declared.name);
        let expands = self.options.switches.on(Switch::MasterMessageExpand);
        let nav = query.expands(&nav, expands)?;
        let mut entries = Vec::new();
        for (id, transaction) in &self.master.transactions {
            if let Some((of, version)) = transaction.target.as_ref().filter(|t| t.0 == kind) {
                let kind = (&self.master.types[*of], self.options.switches);
                entries.extend(messages_of(id, transaction, kind, version, nav));
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
                self.commit(at, Import::MasterData(id));
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
                let id = self.parallel(query)?;
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

    /// Base sends neither area nor version; a real version needs both (section 4),
    /// and a type that belongs to an area.
    fn version_of(&self, body: &Map<String, Value>, kind: &MasterType) -> Result<String, Refusal> {
        let (area, version) = (text(body, "PlanningAreaID")?, text(body, "VersionID")?);
        let real = !version.is_empty() && self.plan.model.has_scope(&version);
        let belongs = kind.in_area(self.options.switches) && kind.area.as_ref() == Some(&area);
        match (area.as_str(), version.as_str()) {
            ("", "") => Ok(String::new()),
            _ if real && belongs => Ok(version),
            _ => Err(Refusal::bad("Please check the planning area and version values")),
        }
    }

    /// The id that a parallel process is for: it needs a type that can be loaded
    /// into a real version of an area (section 4).
    fn parallel(&self, query: &Query) -> Result<String, Refusal> {
        let id = own_id(query.literal("TransactionID")?, "TransactionID")?;
        let (kind, area) = (query.literal("MasterDataTypeID")?, query.literal("PlanningArea")?);
        let version = query.literal("VersionID")?;
        if version.is_empty() || version == BASELINE {
            return Err(Refusal::bad("The base version is not supported here"));
        }
        let known = self.master.types.iter().find(|known| known.name == kind && known.loadable);
        let known = known.ok_or_else(|| Refusal::missing(format!("{kind} can't be loaded")))?;
        let belongs = known.in_area(self.options.switches) && known.area.as_ref() == Some(&area);
        if !belongs || !self.plan.model.has_scope(&version) {
            return Err(Refusal::bad("Please check the planning area and version values"));
        }
        Ok(id)
    }

    fn master_sets(&self) -> Vec<String> {
        let mut sets = Vec::new();
        for kind in self.master_types() {
            sets.push(kind.name.clone());
            if kind.loadable {
                sets.extend([format!("{}Trans", kind.name), format!("{}Message", kind.name)]);
            }
        }
        sets.extend([CATALOGUE.to_owned(), "ValueResultSet".to_owned()]);
        sets
    }

    /// The types that the service offers.
    pub(super) fn master_types(&self) -> impl Iterator<Item = &MasterType> {
        let switches = self.options.switches;
        self.master.types.iter().filter(move |kind| kind.offered(&self.area.name, switches))
    }

    /// Which type belongs to which version of which area. What belongs to no area
    /// is not in it.
    fn catalogue(&self) -> Vec<Attributes> {
        let (own, model) = (&self.area.name, &self.plan.model);
        let mut areas = vec![(own.as_str(), own.as_str(), BASELINE, "Planthread demo")];
        areas.extend(model.scopes.iter().map(|(v, _)| (&**own, &**own, &**v, "Planthread demo")));
        areas.push((MASTER_ONLY_AREA, own, BASELINE, "Planthread demo"));
        if self.options.switches.on(Switch::SeveralAreas) {
            areas.extend(OTHER_AREAS.map(|(area, _, about, _)| (area, area, BASELINE, about)));
        }
        let mut rows = Vec::new();
        for (area, types_of, version, about) in areas {
            let kinds = self.master_types().filter(|kind| {
                let own = kind.area.as_deref() == Some(types_of) && !kind.is_help();
                own && kind.in_area(self.options.switches)
            });
            for kind in kinds {
                let row = [
                    ("PlanningAreaID", area),
                    ("VersionID", version),
                    ("MasterDataTypeID", &*kind.name),
                    ("PlanningAreaDescr", about),
                    ("VersionName", version_name(model, version)),
                ];
                rows.push(row.map(|(key, value)| (key.to_owned(), value.to_owned())).into());
            }
        }
        rows
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
    let known = |name: &str| kind.keys.iter().chain(&kind.attributes).any(|known| known == name);
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
    (kind, switches): (&'a MasterType, Switches),
    version: &'a str,
    nav: Option<&'a str>,
) -> impl Iterator<Item = Entry> + 'a {
    transaction.messages.iter().enumerate().map(move |(n, (message, row))| {
        let number = format!("{:06}", n + 1);
        Entry {
            set: format!("{}Message", kind.name),
            key: format!("TransactionID={},MessageID='{number}'", quoted(id)),
            kind: format!("{NAMESPACE}.{}Message", kind.name),
            props: props([
                ("TransactionID", Prop::Text(id.to_owned())),
                ("MessageID", Prop::Text(number)),
                ("MessageText", Prop::Text(message.clone())),
            ]),
            nav: nav
                .map(|nav| {
                    let row = kind.show(row, version, switches);
                    let keys = kind.entity_keys(switches);
                    let entry = entry(&row, &kind.name, &kind.properties(switches), &keys);
                    (nav.to_owned(), Nav::One(Box::new(entry)))
                })
                .into_iter()
                .collect(),
        }
    })
}

fn entry(row: &Attributes, set: &str, names: &[&str], keys: &[&str]) -> Entry {
    let value = |name: &str| row.get(name).cloned().unwrap_or_default();
    let key: Vec<_> = keys.iter().map(|key| format!("{key}={}", quoted(&value(key)))).collect();
    let kind = set.strip_suffix('s').filter(|_| set == CATALOGUE).unwrap_or(set);
    let props = names.iter().map(|name| ((*name).into(), Prop::Text(value(name))));
    Entry::new(set, key.join(","), format!("{NAMESPACE}.{kind}"), props.collect())
}

fn list(
    rows: &[Attributes],
    set: &str,
    names: &[&str],
    keys: &[&str],
    query: &Query,
    root: &str,
    format: Format,
) -> Answer {
    let entries = rows.iter().map(|row| entry(row, set, names, keys)).collect();
    Ok(Declared { set, names, nav: None }.answer(entries, query, root, format)?.into())
}
