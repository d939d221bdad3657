//! Query replies: verbose (section 4.1) and compact (section 4.2).

use rust_decimal::Decimal;
use serde_json::{Map, Value, json};

/// What a select found: levels and measures, then rows.
#[derive(Debug, Default)]
pub(super) struct Found {
    /// Dimension and level of each set.
    pub(super) levels: Vec<(String, String)>,
    /// Measures.
    pub(super) measures: Vec<String>,
    /// Members and values of each intersection.
    pub(super) rows: Vec<(Vec<String>, Vec<Option<Decimal>>)>,
}

/// How a compact reply is written.
#[derive(Debug, Clone, Copy)]
pub(super) struct Form {
    pub(super) metadata: bool,
    pub(super) objects: bool,
    pub(super) text: bool,
}

/// A number as JSON, or as a text.
pub(super) fn number(value: Decimal, text: bool) -> Value {
    let plain = value.normalize().to_string();
    match plain.parse::<f64>() {
        Ok(number) if !text => json!(number),
        _ => json!(plain),
    }
}

impl Found {
    /// Cells `C0` to `Cn`; members carry `Name`, measures `Value`.
    pub(super) fn verbose(&self, text: bool) -> Value {
        let levels = self.levels.iter().map(
            |(dimension, level)| json!({ "DimensionName": dimension, "AttributeName": level }),
        );
        let measures = self.measures.iter().map(|m| json!({ "Name": m, "MeasureColumnName": m }));
        if self.rows.is_empty() {
            return json!({ "Meta": [], "Data": [] });
        }
        let row = |(members, values): &(Vec<String>, Vec<Option<Decimal>>)| -> Value {
            let members = members.iter().map(|name| json!({ "Name": name }));
            let values =
                values.iter().map(|value| json!({ "Value": value.map(|v| number(v, text)) }));
            let cells = members.chain(values).enumerate();
            cells.map(|(n, cell)| (format!("C{n}"), cell)).collect::<Map<_, _>>().into()
        };
        let meta: Vec<Value> = levels.chain(measures).collect();
        json!({ "Meta": meta, "Data": self.rows.iter().map(row).collect::<Vec<_>>() })
    }

    /// Results by number; a member is an index into the values of its column.
    pub(super) fn compact(&self, form: Form) -> Value {
        let mut meta = Vec::new();
        let mut names: Vec<Vec<&str>> = Vec::new();
        for (n, (dimension, level)) in self.levels.iter().enumerate() {
            let mut members: Vec<&str> = self.rows.iter().map(|(row, _)| row[n].as_str()).collect();
            members.sort_unstable();
            members.dedup();
            let values: Vec<Value> = members
                .iter()
                .enumerate()
                .map(|(index, name)| json!({ "Name": name, "DisplayName": name, "MemberIndex": index }))
                .collect();
            meta.push(json!({ "Alias": n.to_string(), "DimensionName": dimension, "Name": level,
                "DimensionValues": values }));
            names.push(members);
        }
        for (n, measure) in self.measures.iter().enumerate() {
            meta.push(json!({ "Alias": (self.levels.len() + n).to_string(), "Name": measure,
                "MeasureId": 100 + n, "DataType": "number" }));
        }
        let row = |(members, values): &(Vec<String>, Vec<Option<Decimal>>)| -> Value {
            let indexes = members.iter().zip(&names).map(|(name, all)| {
                json!(all.iter().position(|known| known == name).unwrap_or_default())
            });
            let values = values.iter().map(|value| {
                let value = value.map_or(Value::Null, |value| number(value, form.text));
                if form.metadata { json!([value, { "IsEditable": true }]) } else { value }
            });
            let cells = indexes.chain(values);
            if form.objects {
                let keyed = cells.enumerate().map(|(n, cell)| (n.to_string(), cell));
                return keyed.collect::<Map<_, _>>().into();
            }
            Value::Array(cells.collect())
        };
        let data: Vec<Value> = self.rows.iter().map(row).collect();
        json!({ "Results": { "0": { "Meta": meta, "Data": data } } })
    }
}
