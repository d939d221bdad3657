//! Our own models, sent to an instance in one call.
//!
//! A component must be there before what uses it, or come together with it: the
//! closure goes out at once (corrections to the fact sheet, models push). What is
//! there is never replaced: a model that is used can't be changed, only followed
//! by another version.

use std::collections::BTreeMap;

use planthread_kit::{Class, ConnectorError, http::Lane, target::Provided};
use serde_json::Value;

use crate::{MODELS, client::Client, schema::interfaces};

/// Models of one call (section 1.13).
const PER_CALL: usize = 250;

/// Sends those of our models that the instance lacks.
pub(crate) async fn push(client: &Client) -> Result<Vec<Provided>, ConnectorError> {
    let ours: Vec<Value> = serde_json::from_str(MODELS)
        .map_err(|error| ConnectorError::new(Class::Fatal, "read models", error.to_string()))?;
    let there = interfaces(&client.models(Lane::Routine, None).await?.unwrap_or_default());
    let missing = missing(&ours, &there);
    for call in missing.chunks(PER_CALL) {
        client.create(&Value::Array(call.to_vec())).await?;
    }
    Ok(ours.iter().filter_map(|model| provided(model, &there)).collect())
}

fn missing(ours: &[Value], there: &BTreeMap<String, Value>) -> Vec<Value> {
    let absent = |model: &&Value| model["@id"].as_str().is_some_and(|id| !there.contains_key(id));
    ours.iter().filter(absent).cloned().collect()
}

fn provided(model: &Value, there: &BTreeMap<String, Value>) -> Option<Provided> {
    let name = model["@id"].as_str()?.to_owned();
    let held = there.get(&name);
    let differs = held.is_some_and(|held| held != model);
    Some(Provided { created: held.is_none(), differs, name })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_is_missing_goes_out_and_what_differs_is_told() {
        let ours: Vec<Value> = serde_json::from_str(MODELS).unwrap();
        let id = |at: usize| ours[at]["@id"].as_str().unwrap().to_owned();
        let mut other = ours[1].clone();
        other["displayName"] = Value::from("Werk");
        let there = BTreeMap::from([(id(0), ours[0].clone()), (id(1), other)]);
        assert_eq!(missing(&ours, &there), ours[2..]);
        let told: Vec<_> = ours.iter().filter_map(|model| provided(model, &there)).collect();
        let flags: Vec<_> = told.iter().map(|one| (one.created, one.differs)).collect();
        assert_eq!(flags[..3], [(false, false), (false, true), (true, false)]);
    }
}
