//! Reads of the Platform API: lists, then rows page by page (section 4.3).

use bytes::Bytes;
use http::Response;
use jiff::Timestamp;
use planthread_contracts::Period;
use serde_json::{Map, Value, json};

use super::{
    Answer, O9, Switch, json_answer,
    model::{FINAL, LEAVES, at_level, level_of},
    refuse,
    reply::number,
};
use crate::sdk::plan::RowKey;

/// Rows of a page unless asked for otherwise, and at most (sizes from 20 to
/// 100,000 were seen; the maximum is unconfirmed).
const SIZE: usize = 1_000;
const SIZE_MAX: usize = 100_000;

/// The query of a read. Names are taken in any case: both spellings of
/// `filters` were seen.
struct Asked {
    size: usize,
    from: usize,
    filters: Vec<Value>,
}

impl Asked {
    fn of(query: &str) -> Result<Self, String> {
        let mut asked = Self { size: SIZE, from: 0, filters: Vec::new() };
        for (name, value) in url::form_urlencoded::parse(query.as_bytes()) {
            let wrong = || format!("{name}: {value} can't be read");
            match name.to_ascii_lowercase().as_str() {
                "size" => asked.size = value.parse().map_err(|_| wrong())?,
                "cursor" => {
                    let from = value.strip_prefix("row-").and_then(|from| from.parse().ok());
                    asked.from = from.ok_or_else(wrong)?;
                }
                "filters" => asked.filters = serde_json::from_str(&value).map_err(|_| wrong())?,
                _ => return Err(format!("there is no parameter {name}")),
            }
        }
        asked.size = asked.size.clamp(1, SIZE_MAX);
        Ok(asked)
    }

    /// Whether a leaf cell passes every filter.
    fn passes(&self, key: &RowKey) -> Result<bool, String> {
        for filter in &self.filters {
            let attribute = filter["AttributeName"].as_str().unwrap_or_default();
            let dimensions = ["Version", "Resource", "Location", "Time"];
            let named = filter["DimensionName"].as_str();
            let dimensions = dimensions.into_iter().filter(|d| named.is_none_or(|name| name == *d));
            let mut found = dimensions.filter_map(|d| at_level(key, d, attribute));
            let name = found.next().ok_or_else(|| format!("there is no attribute {attribute}"))?;
            if let Some(values) = filter["Values"].as_array()
                && !values.iter().any(|value| value == name.as_str())
            {
                return Ok(false);
            }
            for range in filter["DateRanges"].as_array().into_iter().flatten() {
                if !in_range(key.period, range) {
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }
}

/// Whether the first day of a period lies in a range: its key is that day.
fn in_range(period: Period, range: &Value) -> bool {
    let day = period.start().to_string();
    let value = range["value"].as_str().unwrap_or_default();
    match range["op"].as_str() {
        Some(">=") => day.as_str() >= value,
        Some("<=") => day.as_str() <= value,
        Some(">") => day.as_str() > value,
        Some("<") => day.as_str() < value,
        _ => day == value,
    }
}

impl O9 {
    /// The measure groups or dimensions that there are.
    pub(super) fn listing(&self, kind: &str) -> Response<Bytes> {
        let key = |(dimension, level): &(&str, &str)| json!({ "Name": level, "DimensionName": dimension });
        let time = ("Time", level_of(self.plan.storage));
        let keys: Vec<Value> = LEAVES.iter().chain([&time]).map(key).collect();
        let listed = match kind {
            "fact" => json!([{ "ResourceName": self.names.group, "KeyAttributes": keys }]),
            _ => LEAVES
                .iter()
                .chain([&time])
                .map(|one| {
                    json!({
                        "ResourceName": one.0, "KeyAttributes": [key(one)],
                    })
                })
                .collect(),
        };
        json_answer(200, &listed)
    }

    /// Rows of a measure group or a dimension.
    pub(super) fn platform(&self, at: Timestamp, kind: &str, name: &str, query: &str) -> Answer {
        let name = percent_encoding::percent_decode_str(name).decode_utf8_lossy().into_owned();
        if self.on(Switch::BodyStatusDiffers) {
            let said = json!({ "StatusCode": 500, "Message": "the graph cube is busy" });
            return Ok(json_answer(200, &said));
        }
        let bad = |text: String| refuse(400, text);
        let asked = Asked::of(query).map_err(bad)?;
        let rows = match kind {
            "fact" if name == self.names.group => self.facts(&asked).map_err(bad)?,
            "master" => self.masters(at, &name).ok_or_else(|| refuse(404, "no such dimension"))?,
            _ => return Err(refuse(404, format!("there is no {name}"))),
        };
        let page: Vec<Value> = rows.iter().skip(asked.from).take(asked.size).cloned().collect();
        let to = asked.from + page.len();
        let mut data = Map::new();
        data.insert(name, Value::from(page));
        let mut said = json!({ "StatusCode": 200, "Data": data });
        if to < rows.len() {
            said["Cursor"] = format!("row-{to}").into();
        }
        Ok(json_answer(200, &said))
    }

    fn facts(&self, asked: &Asked) -> Result<Vec<Value>, String> {
        let names: Vec<String> =
            self.plan.model.measures.iter().map(|measure| measure.id.to_string()).collect();
        let text = self.on(Switch::NumbersAsText);
        let mut rows = Vec::new();
        for key in self.leaves() {
            if !asked.passes(&key)? {
                continue;
            }
            let mut row = Map::new();
            for name in names.iter().map(String::as_str).chain([FINAL]) {
                if let Some(value) = self.value(&key, name) {
                    row.insert(name.to_owned(), number(value, text));
                }
            }
            if row.is_empty() {
                continue;
            }
            let time = ("Time", level_of(self.plan.storage));
            for (dimension, level) in LEAVES.iter().chain([&time]) {
                let member = at_level(&key, dimension, level).unwrap_or_default();
                row.insert((*level).to_owned(), member.into());
            }
            rows.push(Value::Object(row));
        }
        Ok(rows)
    }

    /// Rows of a dimension. Beside its own names stand what people call it.
    fn masters(&self, at: Timestamp, dimension: &str) -> Option<Vec<Value>> {
        if dimension == "Time" {
            let level = level_of(self.plan.storage);
            let row = |period: &Period| json!({ level: super::model::member(*period) });
            return Some(self.calendar(at).iter().map(row).collect());
        }
        let (_, level) = LEAVES.iter().find(|(name, _)| *name == dimension)?;
        let row = |name: String| match dimension {
            "Resource" => json!({ *level: name, "DisplayName": self.called(&name) }),
            _ => json!({ *level: name }),
        };
        Some(self.members(dimension, level)?.into_iter().map(row).collect())
    }

    fn called(&self, resource: &str) -> &str {
        crate::sdk::plan::Places::resource(&self.sites, resource)
    }
}
