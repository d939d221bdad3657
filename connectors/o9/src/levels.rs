//! The leaf levels of the measure group, as the model lists them.
//!
//! An update above the leaf is legal and spreads over everything below it
//! (corrections). So no row goes out before the model has said that each of the
//! four levels is a key of the group, and that there is no other one.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use jiff::Timestamp;
use planthread_kit::{Class, ConnectorError};
use serde_json::Value;

use crate::{client::Client, config::Config, decode::drift};

/// How long an answer is believed: a model changes with its releases.
const FRESH: Duration = Duration::from_secs(3_600);

/// When the model last said that the levels fit.
#[derive(Debug, Default)]
pub(crate) struct Levels(Mutex<Option<Timestamp>>);

/// Key attributes of a measure group: dimension and level.
pub(crate) fn keys(
    listed: &Value,
    group: &str,
) -> Result<BTreeSet<(String, String)>, ConnectorError> {
    let listed = planthread_kit::agreement::reply::unwrapped(listed.clone());
    let groups = listed.as_array().ok_or_else(|| drift("the list of measure groups is none"))?;
    let named = |one: &&Value| one.get("ResourceName").and_then(Value::as_str) == Some(group);
    let found = groups.iter().find(named).ok_or_else(|| {
        let known: Vec<&str> =
            groups.iter().filter_map(|one| one["ResourceName"].as_str()).collect();
        ConnectorError::new(
            Class::Drift,
            "look at the model",
            format!("there is no measure group `{group}`; there are: {}", known.join(", ")),
        )
        .cure("correct `model.group`")
    })?;
    let keys = found.get("KeyAttributes").and_then(Value::as_array);
    let keys = keys.ok_or_else(|| drift("a measure group without `KeyAttributes`"))?;
    let key = |one: &Value| {
        Some((one["DimensionName"].as_str()?.to_owned(), one["Name"].as_str()?.to_owned()))
    };
    keys.iter().map(|one| key(one).ok_or_else(|| drift("a key attribute without a name"))).collect()
}

/// Whether the four levels are the keys of the group, all of them and no other.
pub(crate) fn fit(config: &Config, keys: &BTreeSet<(String, String)>) -> Result<(), String> {
    let ours: BTreeSet<(String, String)> =
        config.grain().map(|(_, dimension, level)| (dimension.to_owned(), level.to_owned())).into();
    let words = |set: Vec<&(String, String)>| {
        set.iter().map(|(d, l)| format!("[{d}].[{l}]")).collect::<Vec<_>>().join(", ")
    };
    let (absent, more) =
        (words(ours.difference(keys).collect()), words(keys.difference(&ours).collect()));
    match (absent.as_str(), more.as_str()) {
        ("", "") => Ok(()),
        ("", more) => {
            Err(format!("the measures are stored by {more}, too: a write would spread over it"))
        }
        (absent, "") => Err(format!("{absent} is no leaf level of the measures")),
        (absent, more) => Err(format!("the leaf level is {more}, not {absent}")),
    }
}

impl Levels {
    /// Asks the model, at most once an hour.
    ///
    /// # Errors
    /// `Drift`, and nothing taken, when the levels don't fit.
    pub(crate) async fn ensure(
        &self,
        client: &Client,
        config: &Config,
    ) -> Result<(), ConnectorError> {
        let now = client.http().clock().now();
        let fresh = |at: Timestamp| now.duration_since(at).unsigned_abs() < FRESH;
        if self.0.lock().unwrap_or_else(PoisonError::into_inner).is_some_and(fresh) {
            return Ok(());
        }
        let listed = client.listing("fact").await.map_err(ConnectorError::took_nothing)?;
        let keys = keys(&listed, &config.model.group).map_err(ConnectorError::took_nothing)?;
        fit(config, &keys).map_err(|reason| {
            ConnectorError::new(Class::Drift, "look at the model", reason)
                .cure("correct the levels under `model`; then let the agreement be signed again")
                .took_nothing()
        })?;
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::samples::config;

    fn listed(keys: &[(&str, &str)]) -> Value {
        let keys: Vec<Value> =
            keys.iter().map(|(d, l)| json!({ "DimensionName": d, "Name": l })).collect();
        json!([{ "ResourceName": "Capacity Plan", "KeyAttributes": keys }])
    }

    const FOUR: [(&str, &str); 4] = [
        ("Version", "Version Name"),
        ("Resource", "Resource"),
        ("Location", "Location"),
        ("Time", "Partial Week"),
    ];

    #[test]
    fn only_the_leaf_levels_and_all_of_them_may_be_written() {
        let verdict = |listed: &Value| fit(&config(), &keys(listed, "Capacity Plan").unwrap());
        assert_eq!(verdict(&listed(&FOUR)), Ok(()));
        let mut finer = FOUR.to_vec();
        finer[3].1 = "Day";
        assert!(
            verdict(&listed(&finer))
                .unwrap_err()
                .contains("[Time].[Day], not [Time].[Partial Week]")
        );
        let more = [&FOUR[..], &[("Item", "Item")]].concat();
        assert!(verdict(&listed(&more)).unwrap_err().contains("spread"));
        assert!(keys(&listed(&FOUR), "Other").unwrap_err().message.contains("Capacity Plan"));
        assert_eq!(keys(&json!({}), "Other").unwrap_err().class, Class::Drift);
    }
}
