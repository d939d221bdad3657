//! A read: each twin by its id. Queries lag behind and prove nothing (section
//! 1.7); one is asked only for the names of twins, where none are given.

use std::collections::BTreeSet;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use planthread_contracts::{MeasureDecl, SeenCell};
use planthread_kit::{Class, ConnectorError, Selection, http::Lane, rows::RowKey};
use serde_json::Value;

use crate::{client::Twin, connector::Context, key, patch::decimal, submit::elsewhere};

/// Reads cells back.
pub(crate) async fn read(
    context: &Context,
    selection: &Selection,
) -> Result<Vec<SeenCell>, ConnectorError> {
    let places = match selection.resources.is_empty() {
        true => places(context, selection.lane).await?.into_iter().collect(),
        false => selection.resources.clone(),
    };
    let read = stream::iter(places)
        .map(|place| async move {
            let id = context.config.twin_of(&place.0, &place.1);
            let twin = context.client.twin(selection.lane, &id).await?;
            if let Some(twin) = &twin {
                context.recent().keep(&id, twin);
            }
            let twin = twin.filter(|twin| elsewhere(context, twin, &place.1).is_none());
            twin.map_or(Ok(Vec::new()), |twin| cells(context, selection, &place, &twin))
        })
        .buffer_unordered(context.config.parallel)
        .try_collect::<Vec<_>>()
        .await?;
    let mut seen = read.concat();
    seen.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(seen)
}

/// Resources and locations of the twins that hold capacity.
pub(crate) async fn places(
    context: &Context,
    lane: Lane,
) -> Result<BTreeSet<(String, String)>, ConnectorError> {
    let twins = listed(context, lane).await?;
    Ok(twins.iter().filter_map(|twin| place(context, twin)).collect())
}

/// The twins of the configured model, as a query finds them.
pub(crate) async fn listed(context: &Context, lane: Lane) -> Result<Vec<Value>, ConnectorError> {
    let model = &context.config.model;
    let text = format!("SELECT * FROM DIGITALTWINS T WHERE IS_OF_MODEL(T, '{model}')");
    context.client.query(lane, &text).await
}

/// The resource and location that a twin stands for.
pub(crate) fn place(context: &Context, twin: &Value) -> Option<(String, String)> {
    let location = twin.get(&context.config.location_property).and_then(Value::as_str);
    context.config.place_of(twin["$dtId"].as_str()?, location.unwrap_or_default())
}

fn cells(
    context: &Context,
    selection: &Selection,
    (resource, location): &(String, String),
    twin: &Twin,
) -> Result<Vec<SeenCell>, ConnectorError> {
    let component = &twin.document[&context.config.component];
    let wanted = |measure: &&MeasureDecl| selection.measures.contains(&measure.name);
    let mut seen = Vec::new();
    for measure in context.measures.iter().filter(wanted) {
        let map = &component[&measure.surface];
        let Some(map) = map.as_object() else {
            if map.is_null() {
                continue;
            }
            return Err(drift(&measure.surface, "is no map"));
        };
        for (name, value) in map {
            // A key of somebody else's is none of ours.
            let Some(period) = key::period(name) else { continue };
            if period.kind() != measure.level || !(selection.from..=selection.to).contains(&period)
            {
                continue;
            }
            let value = decimal(value).ok_or_else(|| drift(&measure.surface, "is no number"))?;
            let (resource, location) = (resource.as_str().into(), location.as_str().into());
            let row = RowKey { resource, location, product: None, period };
            let key = row.cell(&selection.target, selection.scope.name(), &measure.name);
            seen.push(SeenCell { key, value: Some(value) });
        }
    }
    Ok(seen)
}

fn drift(name: &str, what: &str) -> ConnectorError {
    let text = format!("`{name}` of a twin's component {what}");
    ConnectorError::new(Class::Drift, "read twin", text)
        .cure("compare the component's model with the measures: `planthread check`")
}
