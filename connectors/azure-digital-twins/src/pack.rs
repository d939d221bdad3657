//! The manual route: the file of an import job, one JSON object a line (section
//! 1.10).
//!
//! **A job replaces whole twins**: what this file does not name is lost. So it
//! is for a first load and for a day without the bridge, by a person who knows
//! that the twins hold nothing else, or who adds it.

use planthread_contracts::MeasureDecl;
use planthread_kit::{CellWrite, ConnectorError, PackFile};
use serde_json::{Value, json};

use crate::{config::Config, encode::encode, patch::patch};

/// The twins with all their cells.
pub(crate) fn pack(
    cells: &[CellWrite],
    measures: &[MeasureDecl],
    config: &Config,
) -> Result<Vec<PackFile>, ConnectorError> {
    if cells.is_empty() {
        return Ok(Vec::new());
    }
    let encoded = encode(cells, measures, config)?;
    let mut lines = vec![
        json!({ "Section": "Header" }).to_string(),
        json!({ "fileVersion": "1.0.0", "author": "planthread", "organization": "planthread" })
            .to_string(),
        json!({ "Section": "Models" }).to_string(),
        json!({ "Section": "Twins" }).to_string(),
    ];
    for twin in &encoded.twins {
        let maps = patch(&config.component, &Value::Null, twin.changes.iter(), None, |_| false);
        let mut members = vec![
            format!("\"$dtId\":{}", Value::from(twin.id.as_str())),
            format!("\"$metadata\":{}", json!({ "$model": config.model })),
        ];
        if !config.location_property.is_empty() {
            let location = Value::from(twin.location.as_str());
            members.push(format!("\"{}\":{location}", config.location_property));
        }
        let component = ["\"$metadata\":{}".to_owned()].into_iter().chain(maps.maps);
        let component = component.collect::<Vec<_>>().join(",");
        members.push(format!("\"{}\":{{{component}}}", config.component));
        lines.push(format!("{{{}}}", members.join(",")));
    }
    // The last section, though it is empty: a file that breaks off lacks it.
    lines.push(json!({ "Section": "Relationships" }).to_string());
    let rows = encoded.twins.len();
    let bytes = (lines.join("\n") + "\n").into_bytes();
    Ok(vec![PackFile { name: "twins.ndjson".to_owned(), bytes, rows }])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{cell, config, measures};

    #[test]
    fn a_line_a_twin_between_its_sections() {
        let cells = [
            cell("LINE-1", "2026-W49", "live", "38.50"),
            cell("LINE-1", "2026-W49", "as_of", "20261122"),
            cell("LINE-2", "2026-W49", "live", "36.00"),
        ];
        let files = pack(&cells, &measures(), &config()).unwrap();
        insta::assert_snapshot!(String::from_utf8_lossy(&files[0].bytes), @r#"
        {"Section":"Header"}
        {"author":"planthread","fileVersion":"1.0.0","organization":"planthread"}
        {"Section":"Models"}
        {"Section":"Twins"}
        {"$dtId":"LINE-1","$metadata":{"$model":"dtmi:planthread:isa95:WorkCenter;1"},"location":"1010","capacity":{"$metadata":{},"asOf":{"W2026_49":20261122},"attainableHours":{"W2026_49":38.5}}}
        {"$dtId":"LINE-2","$metadata":{"$model":"dtmi:planthread:isa95:WorkCenter;1"},"location":"1010","capacity":{"$metadata":{},"attainableHours":{"W2026_49":36}}}
        {"Section":"Relationships"}
        "#);
        assert_eq!((files.len(), files[0].rows), (1, 2));
        assert!(pack(&[], &measures(), &config()).unwrap().is_empty());
    }
}
