//! Pure: the cells as extract files, one a table, and `extract.done` last (§11).
//!
//! A file that is loaded as *Full* deletes every row of its table that it lacks,
//! so an empty file is never made, nor a trigger without a file.

use std::collections::BTreeMap;

use planthread_contracts::MeasureDecl;
use planthread_kit::{CellWrite, ConnectorError, PackFile, delimited::Delimited, rows::RowKey};

use crate::{
    config::{Config, Layout},
    rows::{Line, encode, lines, parts, texts, whole},
};

/// The file after which the vendor's process takes an extract.
const TRIGGER: &str = "extract.done";

/// Files for the manual route.
pub(crate) fn pack(
    config: &Config,
    layouts: &[Layout],
    measures: &[MeasureDecl],
    cells: &[CellWrite],
) -> Result<Vec<PackFile>, ConnectorError> {
    let grouped = encode(cells, measures)?;
    let parts = parts(&grouped, layouts, usize::MAX, |_| None);
    let mut files = Vec::new();
    for (number, layout) in layouts.iter().enumerate() {
        let mine = lines(&parts, number);
        let row = |(part, line): (&_, &Line)| (line.key.clone(), whole(layout, (part, line), None));
        let rows: BTreeMap<RowKey, Vec<String>> = mine.map(row).collect();
        if !rows.is_empty() {
            files.push(file(config, layout, rows)?);
        }
    }
    if !files.is_empty() {
        files.push(PackFile { name: TRIGGER.to_owned(), bytes: Vec::new(), rows: 0 });
    }
    Ok(files)
}

fn file(
    config: &Config,
    layout: &Layout,
    rows: BTreeMap<RowKey, Vec<String>>,
) -> Result<PackFile, ConnectorError> {
    let form = (config.file_dates, config.effective_out);
    let count = rows.len();
    let lines = rows.into_iter().map(|(key, values)| texts(layout, &key, form, &values));
    let mut bytes = Delimited::TSV.write(&layout.columns(), lines)?;
    if !config.file_header {
        let first = bytes.iter().position(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        bytes.drain(..first);
    }
    Ok(PackFile { name: format!("{}.tab", layout.table), bytes, rows: count })
}

#[cfg(test)]
mod tests {
    use crate::samples::{batch, config, layouts, measures};

    use super::*;

    #[test]
    fn files_are_named_after_their_tables_and_the_trigger_comes_last() {
        let mut config = config();
        let files = pack(&config, &layouts(), &measures(), &batch()).unwrap();
        let names: Vec<_> = files.iter().map(|file| file.name.as_str()).collect();
        assert_eq!(names, ["ConstraintAvailable.tab", "CapacitySignal.tab", "extract.done"]);
        let text = String::from_utf8(files[0].bytes.clone()).unwrap();
        assert_eq!(
            text,
            "LINE-1\t1010\t20261130\t20261206\t36.50\nLINE-2\t1020\t20261130\t20261206\t40.00\n"
        );
        config.file_header = true;
        let files = pack(&config, &layouts(), &measures(), &batch()).unwrap();
        let text = String::from_utf8(files[1].bytes.clone()).unwrap();
        assert!(text.starts_with("Constraint.Name\tConstraint.Site.Value\t"), "{text}");
    }

    #[test]
    fn an_empty_file_is_never_made() {
        assert_eq!(pack(&config(), &layouts(), &measures(), &[]).unwrap(), Vec::new());
    }
}
