//! Pure: the pack for the manual route.
//!
//! No layout is public, so this is ours (§7): UTF-8, commas, a header, one row a
//! cell, and an end mark in a file of its own that is copied last. Who imports
//! compares rows and digest, and takes nothing of a file that differs.

use planthread_contracts::MeasureDecl;
use planthread_kit::{CellWrite, ConnectorError, PackFile, delimited::Delimited};
use sha2::{Digest as _, Sha256};

use crate::{buckets::Form, config::Config, encode::encode};

/// The file of cells.
const CELLS: &str = "capacity.csv";
/// The end mark: `ROWS:SHA256`.
const DONE: &str = "capacity.done";

pub(crate) fn pack(
    config: &Config,
    form: &Form,
    cells: &[CellWrite],
    measures: &[MeasureDecl],
) -> Result<Vec<PackFile>, ConnectorError> {
    let encoded = encode(config, form, cells, measures)?;
    if encoded.rows.is_empty() {
        return Ok(Vec::new());
    }
    let header = [
        "Version",
        "Resource",
        "Location",
        config.model.time.dimension.as_str(),
        "Measure",
        "Value",
    ];
    let slots = ["version", "resource", "location", "bucket", "measure", "value"];
    let rows = encoded.rows.iter().map(|row| {
        // What can't be a text was refused when the cells were encoded.
        slots.map(|slot| row.filled[slot].text().unwrap_or_default()).to_vec()
    });
    let bytes = Delimited::CSV.write(&header, rows)?;
    let digest: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
    let done = format!("{}:{digest}\n", encoded.rows.len());
    Ok(vec![
        PackFile { name: CELLS.to_owned(), bytes, rows: encoded.rows.len() },
        PackFile { name: DONE.to_owned(), bytes: done.into_bytes(), rows: 0 },
    ])
}

#[cfg(test)]
mod tests {
    use planthread_contracts::PeriodKind;

    use super::*;
    use crate::samples::{cell, config, measures};

    #[test]
    fn the_end_mark_counts_and_seals_the_rows() {
        let config = config();
        let form = Form::read(&config.model.time.member, PeriodKind::TechnicalWeek).unwrap();
        let cells = [cell("LINE-1", "live", "36.5"), cell("LINE,2", "plan_cut", "0")];
        let files = pack(&config, &form, &cells, &measures()).unwrap();
        assert_eq!(
            String::from_utf8_lossy(&files[0].bytes),
            "Version,Resource,Location,Time,Measure,Value\n\
             TwinSignals,LINE-1,1010,202649A,Twin Capacity Live,36.50\n\
             TwinSignals,\"LINE,2\",1010,202649A,Capacity Override,0.00\n"
        );
        let done = String::from_utf8_lossy(&files[1].bytes).into_owned();
        assert!(done.starts_with("2:") && done.trim().len() == 66, "{done}");
        assert!(pack(&config, &form, &[], &measures()).unwrap().is_empty());
    }
}
