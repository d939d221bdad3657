//! Extract files and data updates (sections 4.7 and 11): one file of a data
//! source after the other, then a trigger, then the load. The manual route drops
//! the same files, `extract.done` last.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Kinaxis,
    behaviours::Switch,
    bulk::Counts,
    data::{Trouble, identity, read},
    dates::Format,
    history::{FileRecord, Message},
    wire::{Answer, body, refused, reply, rows, text},
};
use crate::sdk::{
    jobs::{Job, Stage},
    plan::{
        manifest::{self, Dropped},
        planner::{answer, pack, refuse},
    },
    simulator::Writer,
};

/// The data source of the demo.
pub(super) const SOURCE: &str = "capacity_signals_ds";
/// The file after which an extract is complete.
const TRIGGER: &str = "extract.done";
/// Name of a load by hand, as the planner's page shows it.
const LOAD: &str = "Data update";

/// One file of an extract.
#[derive(Debug, Clone)]
struct File {
    scope: String,
    table: usize,
    fields: Vec<usize>,
    rows: Vec<Vec<String>>,
    full: bool,
}

/// One data update.
#[derive(Debug)]
pub(super) struct Update {
    job: Job,
    /// What it loads; files of the source at the trigger.
    files: BTreeMap<String, File>,
    pub(super) status: String,
    pub(super) started: Timestamp,
    pub(super) ended: Option<Timestamp>,
}

/// Extract area and updates.
#[derive(Debug, Default)]
pub(super) struct Files {
    waiting: BTreeMap<String, File>,
    done: bool,
    /// Files of the manual route, until `extract.done` comes.
    dropped: Dropped,
    pub(super) updates: BTreeMap<String, Update>,
    pub(super) records: Vec<FileRecord>,
    pub(super) messages: Vec<Message>,
}

impl Kinaxis {
    /// Puts one file into the extract area; one of the same name is replaced.
    pub(super) fn put_file(
        &mut self,
        source: &str,
        file: &str,
        request: &Request<Bytes>,
    ) -> Answer {
        let body = body(request)?;
        if source != SOURCE {
            return Err(refused(404, format!("Data source '{source}' does not exist")));
        }
        let scope = self.scenario(&body)?;
        let table = self.data.tables.iter().position(|table| table.name == file);
        let table = table.ok_or_else(|| refused(404, format!("No table for file '{file}'")))?;
        let declared = &self.data.tables[table];
        let names = body["Columns"].as_array().map(Vec::as_slice).unwrap_or_default();
        let fields: Option<Vec<usize>> =
            names.iter().map(|name| declared.find(name.as_str()?)).collect();
        let fields =
            fields.ok_or_else(|| refused(400, "Columns names a field that is not there"))?;
        let full = match text(&body, "/OperationType")? {
            "Full" => true,
            "Partial" if self.on(Switch::PartialLoad) => self.on(Switch::PartialReplaces),
            other => return Err(refused(400, format!("OperationType {other} is not known"))),
        };
        let rows = rows(&body)?;
        self.files.waiting.insert(file.to_owned(), File { scope, table, fields, rows, full });
        self.files.done = body["FinishExtract"] == "True";
        Ok(reply(200, &json!({ "Status": "Success" })))
    }

    /// Starts the load of what lies there.
    pub(super) fn trigger(&mut self, at: Timestamp, request: &Request<Bytes>) -> Answer {
        let body = body(request)?;
        if text(&body, "/OnlyProcessDataSources")? != SOURCE {
            return Err(refused(400, "The data source does not exist"));
        }
        let unchecked =
            body["DisableExtractDoneCheck"] == "True" || self.on(Switch::LoadWithoutDone);
        let key = self.handle_of('D');
        let mut update = Update {
            job: Job::default(),
            files: BTreeMap::new(),
            status: String::new(),
            started: at,
            ended: None,
        };
        if self.files.waiting.is_empty() {
            "No new extract data".clone_into(&mut update.status);
        } else if !self.files.done && !unchecked {
            "Canceled".clone_into(&mut update.status);
        } else {
            update.files = std::mem::take(&mut self.files.waiting);
            self.files.done = false;
        }
        update.job.queue(at, self.options.update / 3, self.options.update);
        self.files.updates.insert(key.clone(), update);
        Ok(reply(200, &json!({ "StatusKey": key })))
    }

    /// How far a load is: `DataUpdateId` is empty while it runs.
    pub(super) fn update_status(&self, at: Timestamp, key: &str) -> Answer {
        let update = self.files.updates.get(key);
        let update = update.ok_or_else(|| refused(404, "The data update does not exist"))?;
        let (id, status) = match update.job.stage(at) {
            Stage::Ended => (key, update.status.as_str()),
            Stage::Open | Stage::Queued => ("", "Queued"),
            Stage::Running => ("", "Processing"),
        };
        Ok(reply(200, &json!({ "DataUpdateId": id, "Status": status })))
    }

    /// Carries out the loads that are due.
    pub(super) fn update_due(&mut self, at: Timestamp) {
        let jobs = self.files.updates.iter().map(|(key, update)| (key.clone(), update.job));
        for (end, key) in crate::sdk::jobs::due(at, jobs) {
            let Some(update) = self.files.updates.get_mut(&key) else { continue };
            update.job.end();
            update.ended = Some(end);
            let files = std::mem::take(&mut update.files);
            if files.is_empty() {
                continue;
            }
            if self.on(Switch::UploadFails) {
                self.say(&key, "Failed");
                continue;
            }
            for (name, file) in files {
                self.load_file(end, &key, (&name, &file), &self.integration.clone());
            }
            let text = self.options.success_text.clone();
            self.say(&key, &text);
        }
    }

    fn say(&mut self, key: &str, status: &str) {
        if let Some(update) = self.files.updates.get_mut(key) {
            status.clone_into(&mut update.status);
        }
    }

    /// Loads one file as its writer, and keeps its history; the counts of it.
    fn load_file(
        &mut self,
        at: Timestamp,
        update: &str,
        (name, file): (&str, &File),
        writer: &Arc<Writer>,
    ) -> Counts {
        let dates = Format::Compact;
        let mut way = self.way(at, &file.scope, dates);
        way.writer = Arc::clone(writer);
        let declared = &self.data.tables[file.table];
        let mut record = FileRecord::new(update, &declared.full(), name, file.rows.len());
        let (mut counts, mut kept) = (Counts::default(), BTreeSet::new());
        for (number, row) in file.rows.iter().enumerate() {
            let declared = &self.data.tables[file.table];
            let key = read(declared, &file.fields, row, dates).map(|values| {
                let mut whole = vec![String::new(); declared.fields.len()];
                file.fields.iter().zip(values).for_each(|(field, value)| whole[*field] = value);
                identity(declared, &whole)
            });
            let twice = declared.keyed && key.as_ref().is_ok_and(|key| kept.contains(key));
            let done = match key {
                _ if twice => {
                    Err(Trouble::Reference("the key stands twice in the file".to_owned()))
                }
                Ok(key) => {
                    kept.insert(key);
                    self.data.upsert(&mut self.plan, &way, file.table, &file.fields, row)
                }
                Err(why) => Err(why),
            };
            match done {
                Ok(effect) => counts.count(effect),
                Err(_) if self.on(Switch::DropsSilently) => counts.unchanged += 1,
                Err(why) => {
                    counts.errors += 1;
                    record.refused(&why, twice);
                    self.files.messages.push(Message {
                        update: update.to_owned(),
                        at,
                        table: record.table.clone(),
                        file: name.to_owned(),
                        line: number + 1,
                        text: why.text().to_owned(),
                    });
                }
            }
        }
        if file.full {
            counts.deleted = self.data.keep_only(&mut self.plan, &way, file.table, &kept);
        }
        record.counts = counts;
        self.files.records.push(record);
        counts
    }

    /// The manual route: one file after the other, `extract.done` last.
    pub(super) fn drop_file(&mut self, at: Timestamp, request: &Request<Bytes>) -> Response<Bytes> {
        let (_, scope, content) = match pack(request) {
            Ok(file) => file,
            Err(refused) => return *refused,
        };
        let name = super::wire::parameter(request, "file").unwrap_or_default();
        let full = super::wire::parameter(request, "operation").is_some_and(|word| word == "Full");
        if !self.plan.model.has_scope(&scope) {
            return refuse(&format!("scenario '{scope}' does not exist"));
        }
        let tables = &self.data.tables;
        let may = |name: &str| {
            let table = name.strip_suffix(".tab");
            table.is_some_and(|table| tables.iter().any(|one| one.name == table))
        };
        let dropped = self.files.dropped.keep((&name, content), TRIGGER, may);
        match dropped.and_then(|files| self.extract(files, &scope, full)) {
            Err(reason) => refuse(&reason),
            Ok(None) => answer(200, &json!({ "holds": name })),
            Ok(Some(files)) => {
                let key = self.handle_of('D');
                let mut total = Counts::default();
                let writer = Arc::new(Writer::Job(LOAD.to_owned()));
                for (name, file) in &files {
                    let counts = self.load_file(at, &key, (name, file), &writer);
                    total.errors += counts.errors;
                    total.inserted += counts.inserted + counts.modified + counts.unchanged;
                    total.deleted += counts.deleted;
                }
                let lines = self.files.messages.iter().filter(|message| message.update == key);
                let rejects: Vec<Value> = lines
                    .map(|one| json!({ "file": one.file, "line": one.line, "reason": one.text }))
                    .collect();
                answer(
                    200,
                    &json!({ "written": total.inserted, "deleted": total.deleted,
                    "rejects": rejects }),
                )
            }
        }
    }

    /// What lies in the folder, if every file of it is whole.
    fn extract(
        &self,
        dropped: Option<manifest::Files>,
        scope: &str,
        full: bool,
    ) -> Result<Option<Vec<(String, File)>>, String> {
        let Some(dropped) = dropped else { return Ok(None) };
        let mut files = Vec::new();
        for (name, text) in dropped {
            let table = name.strip_suffix(".tab").unwrap_or(&name);
            let number = self.data.tables.iter().position(|one| one.name == table);
            let number = number.ok_or_else(|| format!("{name}: there is no table {table}"))?;
            let (fields, rows) =
                self.lines(number, &text).map_err(|why| format!("{name}: {why}"))?;
            let scope = scope.to_owned();
            files.push((name, File { scope, table: number, fields, rows, full }));
        }
        match files.is_empty() {
            true => Err("no new extract data".to_owned()),
            false => Ok(Some(files)),
        }
    }

    /// Fields and rows of one file: by its header, else as the data source maps them.
    fn lines(&self, table: usize, text: &str) -> Result<(Vec<usize>, Vec<Vec<String>>), String> {
        let declared = &self.data.tables[table];
        let body = text.strip_suffix('\n').ok_or("the last line has no end: it is cut")?;
        let mut lines: Vec<Vec<String>> = Vec::new();
        if !body.is_empty() {
            let line = |line: &str| line.split('\t').map(str::to_owned).collect();
            lines = body.split('\n').map(line).collect();
        }
        let header = lines.first().and_then(|first| {
            first.iter().map(|name| declared.find(name)).collect::<Option<Vec<usize>>>()
        });
        let fields = match header {
            Some(fields) => {
                lines.remove(0);
                fields
            }
            None => declared.columns.clone(),
        };
        let short = lines.iter().position(|line| line.len() != fields.len());
        if let Some(at) = short {
            let (got, needed) = (lines[at].len(), fields.len());
            return Err(format!("line {}: {got} columns, {needed} are needed", at + 1));
        }
        Ok((fields, lines))
    }
}
