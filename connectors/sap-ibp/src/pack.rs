//! Pure: cells as the CSV files that the app "Data Integration Jobs" imports
//! by hand (§9.5).
//!
//! One file holds key figures of one base planning level with the same
//! columns: whether different levels may share a file is not confirmed, and an
//! empty field is not known to leave a cell alone. UTF-8 without BOM, decimal
//! point, line feeds.

use std::collections::{BTreeMap, BTreeSet};

use planthread_contracts::{MeasureDecl, Period};
use planthread_kit::{CellWrite, Class, ConnectorError, PackFile, delimited::Delimited};

use crate::{
    config::Config,
    translate::encode::{Chunk, encode},
};

const PACK: &str = "write pack";

/// The import files of `cells`, and a note on how to import them.
///
/// # Errors
/// `Fatal` when a cell can't be written in this layout; the text names it.
pub(crate) fn pack(
    cells: &[CellWrite],
    measures: &[MeasureDecl],
    config: &Config,
    version_of: impl Fn(&str) -> String,
) -> Result<Vec<PackFile>, ConnectorError> {
    let mut whole = config.clone();
    (whole.transaction.values_per_post, whole.transaction.rows_per_post) = (usize::MAX, usize::MAX);
    let mut files = Vec::new();
    for of_scope in cells.chunk_by(|a, b| a.key.scope == b.key.scope) {
        let encoded = encode(of_scope, measures, &whole)?;
        if let Some(rejection) = encoded.refused.values().next() {
            return Err(ConnectorError::new(Class::Fatal, PACK, &rejection.reason)
                .cure(rejection.cure.clone()));
        }
        let version = version_of(&of_scope[0].key.scope);
        for (number, chunk) in encoded.chunks.iter().enumerate() {
            files.push(PackFile {
                name: file_name(config, &version, chunk, number + 1),
                bytes: csv(chunk, config)?,
                rows: chunk.rows.len(),
            });
        }
    }
    if !files.is_empty() {
        files.push(note(config, &files));
    }
    Ok(files)
}

fn file_name(config: &Config, version: &str, chunk: &Chunk, number: usize) -> String {
    let version = if version.is_empty() { "BASE" } else { version };
    let time = config.time_fields.of(chunk.kind()).trim_end_matches("_TSTAMP");
    format!("{}_{version}_{time}_{number:02}.csv", config.planning_area)
}

fn csv(chunk: &Chunk, config: &Config) -> Result<Vec<u8>, ConnectorError> {
    let fault = |error: &dyn std::fmt::Display| {
        ConnectorError::new(Class::Fatal, PACK, error.to_string())
            .cure("check the options under `pack`")
    };
    let options = &config.pack;
    let line = |attributes: Vec<&str>, date: &str, figures: &[String]| {
        let mut fields: Vec<String> = attributes.into_iter().map(str::to_owned).collect();
        let middle = if options.date_last { fields.len() + figures.len() } else { fields.len() };
        fields.extend_from_slice(figures);
        fields.insert(middle, date.to_owned());
        fields
    };
    let header = line(chunk.attributes(config), &options.date_column, chunk.figures());
    let date = |period: Period| jiff::fmt::strtime::format(&options.date_format, period.start());
    let periods: BTreeSet<Period> = chunk.rows.iter().map(|row| row.key.period).collect();
    let dates: BTreeMap<Period, String> = periods
        .into_iter()
        .map(|period| Ok((period, date(period).map_err(|error| fault(&error))?)))
        .collect::<Result<_, ConnectorError>>()?;
    let rows = chunk.rows.iter().map(|row| {
        let mut keys = vec![row.key.resource.as_str(), row.key.location.as_str()];
        keys.extend(row.key.product.as_deref());
        line(keys, &dates[&row.key.period], &row.values)
    });
    Delimited { separator: options.separator, ..Delimited::CSV }.write(&header, rows)
}

/// What the planner who loads the files must know of the app.
fn note(config: &Config, files: &[PackFile]) -> PackFile {
    let list: String =
        files.iter().map(|file| format!("  {} ({} rows)\n", file.name, file.rows)).collect();
    let text = format!(
        "Manual import into SAP IBP, app \"Data Integration Jobs\"\n\
         \n\
         Planning area {area}. The version stands in each file name; BASE is the base version.\n\
         \n\
         {list}\
         \n\
         1. Time periods and master data come first; they are not in these files.\n\
         2. Compare the columns once with the template that the app offers: separator, date form and\n\
         \x20  column order can be set under `pack` in the configuration.\n\
         3. Import each file as key figure data into the version that its name says.\n\
         4. Read the job's report: rejected rows are listed there.\n\
         \n\
         A row overwrites its cells, zero included. Rows that are not in a file stay as they are.\n",
        area = config.planning_area,
    );
    PackFile { name: "IMPORT.txt".to_owned(), bytes: text.into_bytes(), rows: 0 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{cell, config, measures};

    fn desired(measure: &str, resource: &str, value: &str) -> CellWrite {
        cell(measure, resource, "2026-W02", value)
    }

    fn files(cells: &[CellWrite], config: &Config) -> Vec<PackFile> {
        pack(cells, &measures(), config, str::to_owned).unwrap()
    }

    #[test]
    fn the_file_of_the_fact_sheet() {
        let cells = [desired("cut", "LINE-1", "132.5"), desired("cut", "LINE;2", "0")];
        let found = files(&cells, &config());
        assert_eq!((found[0].name.as_str(), found[0].rows), ("ZPA_UPSIDE_PERIODID4_01.csv", 2));
        assert_eq!(
            String::from_utf8(found[0].bytes.clone()).unwrap(),
            "RESID,LOCID,KEYFIGUREDATE,TWINCAPA\nLINE-1,1010,2026-01-05,132.50\nLINE;2,1010,2026-01-05,0.00\n"
        );
        let note = String::from_utf8(found[1].bytes.clone()).unwrap();
        assert!(note.contains("ZPA_UPSIDE_PERIODID4_01.csv (2 rows)"), "{note}");
    }

    #[test]
    fn other_columns_are_another_file_and_the_layout_can_be_set() {
        let mut config = config();
        config.pack.separator = ';';
        config.pack.date_format = "%d.%m.%Y".to_owned();
        config.pack.date_last = true;
        let cells = [desired("cut", "LINE;2", "1"), desired("live", "LINE-3", "2")];
        let found = files(&cells, &config);
        assert_eq!(found.iter().filter(|file| file.rows == 1).count(), 2);
        let first = String::from_utf8(found[0].bytes.clone()).unwrap();
        assert_eq!(first, "RESID;LOCID;TWINCAPA;KEYFIGUREDATE\n\"LINE;2\";1010;1.00;05.01.2026\n");
        assert!(files(&[], &config).is_empty());
    }

    #[test]
    fn a_cell_that_does_not_fit_is_named() {
        let wrong = [desired("cut", "LINE-1", "1.234")];
        let error = pack(&wrong, &measures(), &config(), str::to_owned).unwrap_err();
        assert!(error.to_string().contains("LINE-1"), "{error}");
    }
}
