//! Pure: the three reply forms as one table.
//!
//! Verbose IBPL (§4.1), compact IBPL (§4.2: indexes, metadata, rows as lists or
//! objects, replies encoded twice), Platform API (§4.3). An index outside its
//! list is refused: a client that falls back to the first member reads, and
//! writes, somebody else's.

use std::collections::BTreeMap;

use planthread_kit::{Class, ConnectorError, Sent, agreement::reply::unwrapped};
use rust_decimal::Decimal;
use serde_json::Value;

const DECODE: &str = "read reply";

/// One row: members by level, values by measure.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Row {
    /// Member by level name.
    pub(crate) members: BTreeMap<String, String>,
    /// Value by measure; a cell without a value is absent.
    pub(crate) values: BTreeMap<String, Decimal>,
}

pub(crate) fn drift(text: impl Into<String>) -> ConnectorError {
    ConnectorError::new(Class::Drift, DECODE, text)
        .cure("compare the tenant's reply with the forms that the connector reads")
}

/// A number, also as a text (§9.8); null is no value.
fn number(value: &Value) -> Result<Option<Decimal>, ConnectorError> {
    let text = match value {
        Value::Null => return Ok(None),
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => return Err(drift("a value is no number")),
    };
    let number = text.parse().or_else(|_| Decimal::from_scientific(&text));
    number.map(Some).map_err(|_| drift("a value is no number"))
}

/// What a column holds.
enum Column {
    Level(String),
    Measure(String),
}

fn text<'a>(value: &'a Value, field: &str) -> Option<&'a str> {
    value.get(field).and_then(Value::as_str)
}

/// A verbose reply. No result is an empty or absent `Meta` and `Data`.
pub(crate) fn verbose(body: Value) -> Result<Vec<Row>, ConnectorError> {
    let body = unwrapped(body);
    let list = |field: &str| body.get(field).and_then(Value::as_array);
    let (meta, data) = match (list("Meta"), list("Data")) {
        (None, None) if body.as_object().is_some_and(serde_json::Map::is_empty) => {
            return Ok(Vec::new());
        }
        (Some(meta), Some(data)) => (meta, data),
        _ => return Err(drift("a reply without `Meta` and `Data`")),
    };
    let columns: Result<Vec<Column>, _> = meta
        .iter()
        .map(|one| match (text(one, "AttributeName"), text(one, "Name")) {
            (Some(level), _) => Ok(Column::Level(level.to_owned())),
            (None, Some(measure)) => Ok(Column::Measure(measure.to_owned())),
            (None, None) => Err(drift("a column without a name")),
        })
        .collect();
    let columns = columns?;
    let row = |cells: &Value| {
        let mut row = Row::default();
        for (n, column) in columns.iter().enumerate() {
            let cell = cells.get(format!("C{n}"));
            let cell = cell.ok_or_else(|| drift(format!("a row without `C{n}`")))?;
            match column {
                Column::Level(level) => {
                    let name =
                        text(cell, "Name").ok_or_else(|| drift("a member without a name"))?;
                    row.members.insert(level.clone(), name.to_owned());
                }
                Column::Measure(measure) => {
                    let value = cell.get("Value").ok_or_else(|| drift("a cell without `Value`"))?;
                    row.values.extend(number(value)?.map(|value| (measure.clone(), value)));
                }
            }
        }
        Ok(row)
    };
    data.iter().map(row).collect()
}

/// A column of a compact reply.
struct Compact<'a> {
    alias: String,
    name: &'a str,
    /// Member by index; `None` for a measure.
    members: Option<BTreeMap<u64, &'a str>>,
}

impl<'a> Compact<'a> {
    fn read(n: usize, meta: &'a Value) -> Result<Self, ConnectorError> {
        let name = text(meta, "Name").ok_or_else(|| drift("a column without a name"))?;
        let alias = text(meta, "Alias").map_or_else(|| n.to_string(), str::to_owned);
        let listed = meta.get("DimensionValues").and_then(Value::as_array);
        let member = |(n, value): (usize, &'a Value)| {
            let index = value.get("MemberIndex").and_then(Value::as_u64).unwrap_or(n as u64);
            text(value, "Name")
                .map(|name| (index, name))
                .ok_or_else(|| drift("a member without a name"))
        };
        let members = listed.map(|all| all.iter().enumerate().map(member).collect()).transpose()?;
        Ok(Self { alias, name, members })
    }
}

/// A compact reply: its first result.
pub(crate) fn compact(body: Value) -> Result<Vec<Row>, ConnectorError> {
    let body = unwrapped(body);
    let result = body.pointer("/Results/0").ok_or_else(|| drift("a reply without `Results`"))?;
    let list = |field: &str| result.get(field).and_then(Value::as_array);
    let (Some(meta), Some(data)) = (list("Meta"), list("Data")) else {
        return Err(drift("a result without `Meta` and `Data`"));
    };
    let columns: Result<Vec<Compact<'_>>, _> =
        meta.iter().enumerate().map(|(n, one)| Compact::read(n, one)).collect();
    let columns = columns?;
    let row = |cells: &Value| {
        let mut row = Row::default();
        for (n, column) in columns.iter().enumerate() {
            let cell = cells.get(n).or_else(|| cells.get(&column.alias));
            let cell = cell.ok_or_else(|| drift(format!("a row without cell {}", column.alias)))?;
            // A cell may be [value, metadata].
            let cell = cell.as_array().and_then(|pair| pair.first()).unwrap_or(cell);
            match &column.members {
                Some(members) => {
                    let index = cell.as_u64().ok_or_else(|| drift("a member is no index"))?;
                    let name = members.get(&index).ok_or_else(|| drift("an index of no member"))?;
                    row.members.insert(column.name.to_owned(), (*name).to_owned());
                }
                None => {
                    let value = number(cell)?;
                    row.values.extend(value.map(|value| (column.name.to_owned(), value)));
                }
            }
        }
        Ok(row)
    };
    data.iter().map(row).collect()
}

/// One page of the Platform API: rows of `resource`, and the next cursor.
pub(crate) fn page(
    body: Value,
    resource: &str,
) -> Result<(Vec<Value>, Option<String>), ConnectorError> {
    let body = unwrapped(body);
    if let Some(status) = body.get("StatusCode").filter(|status| **status != 200) {
        let class = match status.as_u64() {
            Some(401 | 403) => Class::Auth,
            Some(408 | 429 | 500..) => Class::Transient { sent: Sent::No },
            _ => Class::Drift,
        };
        let text = format!("HTTP 200, and `StatusCode` {status} in the body");
        return Err(ConnectorError::new(class, DECODE, text));
    }
    let rows = body.get("Data").and_then(|data| data.get(resource)).and_then(Value::as_array);
    let rows = rows.cloned().ok_or_else(|| drift(format!("a reply without `Data.{resource}`")))?;
    let next = match body.get("Cursor") {
        None | Some(Value::Null) => None,
        Some(Value::String(next)) if !next.is_empty() => Some(next.clone()),
        Some(_) => return Err(drift("a cursor that is no text")),
    };
    Ok((rows, next))
}

/// A row of the Platform API: attributes are texts, everything else is a value.
///
/// # Errors
/// When a key is missing, or one of `measures` holds something else than a number:
/// that is no empty cell.
pub(crate) fn platform(
    row: &Value,
    levels: &[&str],
    measures: &[&str],
) -> Result<Row, ConnectorError> {
    let fields = row.as_object().ok_or_else(|| drift("a row is no object"))?;
    let mut found = Row::default();
    for level in levels {
        let name = text(row, level).ok_or_else(|| drift(format!("a row without `{level}`")))?;
        found.members.insert((*level).to_owned(), name.to_owned());
    }
    for (name, value) in fields.iter().filter(|(name, _)| !levels.contains(&name.as_str())) {
        match number(value) {
            Ok(value) => found.values.extend(value.map(|value| (name.clone(), value))),
            Err(error) if measures.contains(&name.as_str()) => return Err(error),
            // Other attributes than the key's may stand there, too.
            Err(_) => {}
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn row() -> Row {
        Row {
            members: BTreeMap::from([("Resource".to_owned(), "L2".to_owned())]),
            values: BTreeMap::from([("M".to_owned(), "40.5".parse().unwrap())]),
        }
    }

    #[test]
    fn the_same_row_in_every_form() {
        let verbose_reply = json!({
            "Meta": [{ "DimensionName": "Resource", "AttributeName": "Resource" }, { "Name": "M" }],
            "Data": [{ "C0": { "Name": "L2" }, "C1": { "Value": 40.5 } }] });
        assert_eq!(verbose(verbose_reply.clone()).unwrap(), [row()]);
        assert_eq!(verbose(json!(verbose_reply.to_string())).unwrap(), [row()], "encoded twice");
        assert_eq!(verbose(json!({})).unwrap(), []);
        assert_eq!(verbose(json!({ "Meta": [], "Data": [] })).unwrap(), []);
        let meta = json!([
            { "Alias": "0", "DimensionName": "Resource", "Name": "Resource", "DimensionValues": [
                { "Name": "L2", "MemberIndex": 1 }, { "Name": "L1", "MemberIndex": 0 }] },
            { "Alias": "1", "Name": "M", "DataType": "number" },
        ]);
        for data in [json!([1, 40.5]), json!([1, ["40.5", {}]]), json!({ "0": 1, "1": "40.5" })] {
            let reply = json!({ "Results": { "0": { "Meta": meta, "Data": [data] } } });
            assert_eq!(compact(reply).unwrap(), [row()]);
        }
        let flat = json!({ "Resource": "L2", "M": 40.5, "Note": "x", "Empty": null });
        assert_eq!(platform(&flat, &["Resource"], &["M"]).unwrap(), row());
        let error = platform(&json!({ "Resource": "L2", "M": "n/a" }), &["Resource"], &["M"]);
        assert_eq!(error.unwrap_err().class, Class::Drift, "no empty cell");
    }

    #[test]
    fn an_index_of_no_member_is_never_the_first_one() {
        let reply = |index: i64| {
            json!({ "Results": { "0": { "Meta": [{ "Name": "Resource", "DimensionValues": [
                { "Name": "L1", "MemberIndex": 0 }] }], "Data": [[index]] } } })
        };
        assert!(compact(reply(0)).is_ok());
        for index in [1, -1] {
            assert_eq!(compact(reply(index)).unwrap_err().class, Class::Drift);
        }
    }

    #[test]
    fn a_status_in_the_body_counts_as_one() {
        let class = |status: u16| {
            page(json!({ "StatusCode": status, "Data": { "G": [] } }), "G").map_err(|e| e.class)
        };
        assert_eq!(class(200), Ok((Vec::new(), None)));
        assert_eq!(class(403), Err(Class::Auth));
        assert_eq!(class(500), Err(Class::Transient { sent: Sent::No }));
        assert_eq!(class(404), Err(Class::Drift));
        let next = page(json!({ "StatusCode": 200, "Data": { "G": [{}] }, "Cursor": "c" }), "G");
        assert_eq!(next.unwrap().1.as_deref(), Some("c"));
        assert!(page(json!({ "Data": { "H": [] } }), "G").is_err());
        assert!(page(json!({ "Data": { "G": [] }, "Cursor": "" }), "G").is_err());
    }
}
