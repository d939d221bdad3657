//! What data updates leave behind: history by update, file and line (section 12).

use jiff::Timestamp;

use super::{
    Kinaxis,
    bulk::Counts,
    data::Trouble,
    files::SOURCE,
    workbook::{Column, Query},
};

/// One file of one update.
#[derive(Debug, Clone)]
pub(super) struct FileRecord {
    update: String,
    pub(super) table: String,
    file: String,
    rows: usize,
    pub(super) counts: Counts,
    types: usize,
    duplicates: usize,
    references: usize,
}

impl FileRecord {
    pub(super) fn new(update: &str, table: &str, file: &str, rows: usize) -> Self {
        Self {
            update: update.to_owned(),
            table: table.to_owned(),
            file: file.to_owned(),
            rows,
            counts: Counts::default(),
            types: 0,
            duplicates: 0,
            references: 0,
        }
    }

    /// Counts a refused row by its kind.
    pub(super) const fn refused(&mut self, why: &Trouble, twice: bool) {
        match why {
            _ if twice => self.duplicates += 1,
            Trouble::Type(_) => self.types += 1,
            Trouble::Reference(_) => self.references += 1,
        }
    }
}

/// One refused line.
#[derive(Debug, Clone)]
pub(super) struct Message {
    pub(super) update: String,
    pub(super) at: Timestamp,
    pub(super) table: String,
    pub(super) file: String,
    /// Line in the file, from 1.
    pub(super) line: usize,
    pub(super) text: String,
}

/// Columns of `System::DataUpdateHistory`.
const UPDATES: [&str; 6] = ["Name", "StartTime", "EndTime", "Status", "Type", "Scenario"];
/// Columns of `System::DataUpdateFileHistory`.
const FILES: [&str; 13] = [
    "DataUpdate.Name",
    "TargetTable",
    "DataSource",
    "FileName",
    "FileRecordCount",
    "ValidRecordCount",
    "InvalidRecordCount",
    "InsertionCount",
    "ModificationCount",
    "DeletionCount",
    "ExtractRecordsWithDataTypeErrors",
    "ExtractRecordsWithDuplicateKeys",
    "ExtractRecordsWithReferencesMissing",
];
/// Columns of `System::DataUpdateMessage`, with the update that each belongs to.
const MESSAGES: [&str; 9] = [
    "DataUpdate.Name",
    "SeqNum",
    "DateTime",
    "Table",
    "DataSource",
    "FileName",
    "FileLineNum",
    "Message",
    "Severity",
];

impl Kinaxis {
    /// A worksheet of the history workbook.
    pub(super) fn history_sheet(&self, at: Timestamp, name: &str) -> Option<Query> {
        let (names, rows) = match name {
            "DataUpdateHistory" => (&UPDATES[..], self.update_rows(at)),
            "DataUpdateFileHistory" => (&FILES[..], self.file_rows()),
            "DataUpdateMessage" => (&MESSAGES[..], self.message_rows()),
            _ => return None,
        };
        let columns = names.iter().map(|name| Column::fixed(name)).collect();
        Some(Query { worksheet: name.to_owned(), columns, rows })
    }

    fn update_rows(&self, at: Timestamp) -> Vec<Vec<String>> {
        let ended = self
            .files
            .updates
            .iter()
            .filter(|(_, update)| update.ended.is_some_and(|end| end <= at));
        let row = |(key, update): (&String, &super::files::Update)| {
            let end = update.ended.map(|end| end.to_string()).unwrap_or_default();
            let started = update.started.to_string();
            [key, &started, &end, &update.status, "Data update", ""].map(str::to_owned).to_vec()
        };
        ended.map(row).collect()
    }

    fn file_rows(&self) -> Vec<Vec<String>> {
        let row = |record: &FileRecord| {
            let counts = record.counts;
            let mut row = vec![
                record.update.clone(),
                record.table.clone(),
                SOURCE.to_owned(),
                record.file.clone(),
            ];
            let numbers = [
                record.rows,
                record.rows - counts.errors,
                counts.errors,
                counts.inserted,
                counts.modified,
                counts.deleted,
                record.types,
                record.duplicates,
                record.references,
            ];
            row.extend(numbers.map(|number| number.to_string()));
            row
        };
        self.files.records.iter().map(row).collect()
    }

    fn message_rows(&self) -> Vec<Vec<String>> {
        let row = |(number, message): (usize, &Message)| {
            vec![
                message.update.clone(),
                (number + 1).to_string(),
                message.at.to_string(),
                message.table.clone(),
                SOURCE.to_owned(),
                message.file.clone(),
                message.line.to_string(),
                message.text.clone(),
                "Error".to_owned(),
            ]
        };
        self.files.messages.iter().enumerate().map(row).collect()
    }
}
