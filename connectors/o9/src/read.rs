//! Reading cells back: a selection as questions, rows as cells.

use std::collections::{BTreeMap, BTreeSet};

use planthread_contracts::{MeasureDecl, Period, SeenCell};
use planthread_kit::{Class, ConnectorError, Selection, http::Lane, rows::RowKey};
use serde_json::{Value, json};

use crate::{
    client::Client,
    config::{Config, Route},
    connector::Context,
    decode::{self, Row, drift},
    query,
};

/// One question: members by dimension (none means all), and measures.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Question<'a> {
    pub(crate) version: &'a str,
    pub(crate) resources: Vec<&'a str>,
    pub(crate) locations: Vec<&'a str>,
    pub(crate) buckets: Vec<&'a str>,
    pub(crate) measures: Vec<&'a str>,
}

impl Question<'_> {
    /// The filters of a Platform API read (§4.3).
    pub(crate) fn filters(&self, config: &Config) -> Value {
        let members = [&[self.version][..], &self.resources, &self.locations, &self.buckets];
        let filter = |((_, dimension, level), members): ((&str, &str, &str), &[&str])| json!({ "AttributeName": level, "Values": members, "DimensionName": dimension });
        let grain = config.grain().into_iter().zip(members);
        grain.filter(|(_, members)| !members.is_empty()).map(filter).collect()
    }
}

/// Reads the cells of a selection.
pub(crate) async fn read(
    context: &Context,
    selection: &Selection,
) -> Result<Vec<SeenCell>, ConnectorError> {
    let config = &context.config;
    let names: Vec<(String, Period)> =
        std::iter::successors(Some(selection.from), |period| Some(period.next()))
            .take_while(|period| *period <= selection.to)
            .map(|period| (context.form.member(period), period))
            .collect();
    let measures: Vec<&MeasureDecl> = context
        .measures
        .iter()
        .filter(|measure| selection.measures.contains(&measure.name))
        .collect();
    if names.is_empty() || measures.is_empty() {
        return Ok(Vec::new());
    }
    let places: BTreeSet<(&str, &str)> =
        selection.resources.iter().map(|(r, l)| (r.as_str(), l.as_str())).collect();
    let count = if places.is_empty() { config.places_max } else { places.len() };
    let resources: BTreeSet<&str> = places.iter().map(|(resource, _)| *resource).collect();
    let locations: BTreeSet<&str> = places.iter().map(|(_, location)| *location).collect();
    let periods: BTreeMap<&str, Period> =
        names.iter().map(|(name, period)| (name.as_str(), *period)).collect();
    let mut by_version: BTreeMap<&str, Vec<&MeasureDecl>> = BTreeMap::new();
    for measure in measures {
        by_version
            .entry(config.read_in(selection.scope.name(), measure))
            .or_default()
            .push(measure);
    }
    let mut seen = Vec::new();
    for (version, measures) in by_version {
        let question = Question {
            version,
            resources: resources.iter().copied().collect(),
            locations: locations.iter().copied().collect(),
            buckets: names.iter().map(|(name, _)| name.as_str()).collect(),
            measures: measures.iter().map(|measure| measure.surface.as_str()).collect(),
        };
        let rows = ask(context, selection.lane, &question, count).await?;
        seen.extend(cells(context, selection, (version, &rows), &periods, &measures)?);
    }
    seen.retain(|cell| selection.contains(&cell.key));
    seen.sort_by(|a, b| a.key.cmp(&b.key));
    match seen.windows(2).any(|pair| pair[0].key == pair[1].key) {
        true => Err(drift("a cell came twice: the measures are stored finer than declared")),
        false => Ok(seen),
    }
}

/// The rows of a question of `places` places.
pub(crate) async fn ask(
    context: &Context,
    lane: Lane,
    question: &Question<'_>,
    places: usize,
) -> Result<Vec<Row>, ConnectorError> {
    let config = &context.config;
    let client: &Client = &context.client;
    if config.read.route == Route::Platform {
        // Places may be combined as the target has them, not as they were asked for.
        let most = question.resources.len().max(1) * question.locations.len().max(1);
        let most = most.max(places) * question.buckets.len();
        let levels: Vec<&str> = config.grain().iter().map(|(_, _, level)| *level).collect();
        let group = ("fact", config.model.group.as_str());
        let rows = client.rows(lane, group, &question.filters(config), Some(most)).await?;
        return rows.iter().map(|row| decode::platform(row, &levels, &question.measures)).collect();
    }
    // IBPL has no pages: a statement asks for as many periods as fit into one.
    let step = (config.read.page_size / places.max(1)).max(1);
    let mut rows = Vec::new();
    for buckets in question.buckets.chunks(step) {
        let part = Question { buckets: buckets.to_vec(), ..question.clone() };
        let statement = query::select(config, &part, false).map_err(unsayable)?;
        let part = match config.read.route {
            Route::Compact => {
                decode::compact(client.compact("read cells", lane, &statement).await?)
            }
            Route::Query | Route::Platform => {
                decode::verbose(client.query("read cells", lane, &statement).await?)
            }
        };
        rows.extend(part?);
    }
    Ok(rows)
}

/// A name can't stand in a statement.
pub(crate) fn unsayable(reason: String) -> ConnectorError {
    ConnectorError::new(Class::Fatal, "ask", reason)
        .cure("how such names are escaped is not public: map it to another name")
}

fn cells(
    context: &Context,
    selection: &Selection,
    (asked, rows): (&str, &[Row]),
    periods: &BTreeMap<&str, Period>,
    measures: &[&MeasureDecl],
) -> Result<Vec<SeenCell>, ConnectorError> {
    let [version, resource, location, bucket] = context.config.grain().map(|(_, _, level)| level);
    let mut seen = Vec::new();
    for row in rows {
        let member = |level: &str| {
            let name = row.members.get(level);
            name.ok_or_else(|| drift(format!("a row without a member of {level}")))
        };
        // Of another version than was asked for nothing is believed.
        if member(version)? != asked {
            return Err(drift("rows of another version came"));
        }
        let name = member(bucket)?;
        let Some(period) = periods.get(name.as_str()) else {
            return Err(drift(format!("`{name}` is no member that was asked for")));
        };
        let key_of_row = RowKey {
            resource: member(resource)?.as_str().into(),
            location: member(location)?.as_str().into(),
            product: None,
            period: *period,
        };
        for measure in measures {
            let Some(value) = row.values.get(&measure.surface) else { continue };
            let key = key_of_row.cell(&selection.target, selection.scope.name(), &measure.name);
            seen.push(SeenCell { key, value: Some(*value) });
        }
    }
    Ok(seen)
}
