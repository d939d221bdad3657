//! Pure: what the component of a model can hold, read from DTDL.
//!
//! Values are held against it before they are sent, as the service would: one
//! that does not fit would refuse the whole PATCH of its twin.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;
use serde_json::Value;

use crate::encode::number;

/// Numbers that a map can hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    Double,
    Float,
    Integer,
    Long,
    /// No number, or no map.
    Other,
}

/// What a model's component has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Component {
    /// Its own model.
    pub(crate) model: String,
    /// Its properties, and what those that are maps can hold.
    pub(crate) maps: BTreeMap<String, Holds>,
}

/// One interface of an answer, by id.
pub(crate) type Interfaces = BTreeMap<String, Value>;

/// The definitions of an answer of the models API.
pub(crate) fn interfaces(models: &[Value]) -> Interfaces {
    let pair = |one: &Value| Some((one["id"].as_str()?.to_owned(), one["model"].clone()));
    models.iter().filter_map(pair).collect()
}

/// An interface and all that it extends, nearest first.
fn lineage<'a>(id: &str, all: &'a Interfaces) -> Vec<&'a Value> {
    let mut open = vec![id.to_owned()];
    let mut seen = BTreeSet::new();
    let mut found = Vec::new();
    while let Some(next) = open.pop() {
        let Some(one) = all.get(&next) else { continue };
        if !seen.insert(next) {
            continue;
        }
        found.push(one);
        open.extend(each(&one["extends"]).filter_map(Value::as_str).map(str::to_owned));
    }
    found
}

/// The component `name` of the model `id`; `None` where it has none.
pub(crate) fn component(id: &str, name: &str, all: &Interfaces) -> Option<Component> {
    let contents = lineage(id, all).into_iter().flat_map(|one| each(&one["contents"]));
    let is = |content: &&Value| content["name"] == name && is_a(content, "Component");
    let model = contents.into_iter().find(is)?["schema"].as_str()?.to_owned();
    let mut maps = BTreeMap::new();
    for one in lineage(&model, all) {
        for content in each(&one["contents"]).filter(|content| is_a(content, "Property")) {
            if let Some(name) = content["name"].as_str() {
                maps.insert(name.to_owned(), holds(&content["schema"]));
            }
        }
    }
    Some(Component { model, maps })
}

fn holds(schema: &Value) -> Holds {
    match (is_a(schema, "Map"), schema["mapValue"]["schema"].as_str()) {
        (true, Some("double")) => Holds::Double,
        (true, Some("float")) => Holds::Float,
        (true, Some("integer")) => Holds::Integer,
        (true, Some("long")) => Holds::Long,
        _ => Holds::Other,
    }
}

fn is_a(value: &Value, kind: &str) -> bool {
    each(&value["@type"]).any(|one| one == kind)
}

/// The items of a list, or the one value that stands for a list of one.
pub(crate) fn each(value: &Value) -> std::slice::Iter<'_, Value> {
    match value {
        Value::Null => [].iter(),
        Value::Array(items) => items.iter(),
        one => std::slice::from_ref(one).iter(),
    }
}

impl Holds {
    /// Why it can't hold a value as it goes out; `None` where it can. Integers have
    /// 32 bits, longs 64, and `5.0` is neither (corrections to the fact sheet); a
    /// float keeps 6 digits.
    pub(crate) fn unfit(self, value: Decimal) -> Option<String> {
        let sent = number(value);
        let text = match self {
            Self::Double => return None,
            Self::Float => {
                let digits = sent.bytes().filter(u8::is_ascii_digit).map(char::from);
                let digits = digits.collect::<String>();
                let kept = match sent.contains('.') {
                    true => digits.trim_start_matches('0'),
                    false => digits.trim_end_matches('0'),
                };
                (kept.len() > 6).then_some("the map holds floats, which keep 6 digits")
            }
            Self::Integer => {
                sent.parse::<i32>().is_err().then_some("the map holds integers of 32 bits")
            }
            Self::Long => {
                sent.parse::<i64>().is_err().then_some("the map holds integers of 64 bits")
            }
            Self::Other => Some("the property is no map of numbers"),
        };
        text.map(str::to_owned)
    }

    /// Whether it keeps decimals.
    pub(crate) const fn keeps_decimals(self) -> bool {
        matches!(self, Self::Double | Self::Float)
    }
}

/// Versions of the language that the service does not take (a finding, not an
/// error): ids of those interfaces.
pub(crate) fn of_other_languages(all: &Interfaces) -> Vec<&str> {
    const TAKEN: [&str; 2] = ["dtmi:dtdl:context;2", "dtmi:dtdl:context;3"];
    let known = |one: &Value| {
        each(&one["@context"]).filter_map(Value::as_str).any(|context| TAKEN.contains(&context))
    };
    all.iter().filter(|(_, one)| !known(one)).map(|(id, _)| id.as_str()).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::{encode::Change, patch::patch};

    /// Our own models, as the models API would answer them.
    fn ours() -> Interfaces {
        let models: Vec<Value> = serde_json::from_str(crate::MODELS).unwrap();
        let answer = |model: Value| json!({ "id": model["@id"], "model": model });
        interfaces(&models.into_iter().map(answer).collect::<Vec<_>>())
    }

    #[test]
    fn our_models_hold_what_the_measures_need() {
        let all = ours();
        let found = component("dtmi:planthread:isa95:WorkCenter;1", "capacity", &all).unwrap();
        assert_eq!(found.maps["attainableHours"], Holds::Double);
        assert_eq!(found.maps["status"], Holds::Integer);
        assert_eq!(component("dtmi:planthread:isa95:Site;1", "capacity", &all), None);
        assert!(of_other_languages(&all).is_empty());
        let needed: Vec<&String> = all.keys().collect();
        for one in all.values() {
            let refs = each(&one["contents"]).filter(|content| is_a(content, "Component"));
            assert!(
                refs.map(|one| one["schema"].as_str().unwrap().to_owned())
                    .all(|schema| needed.contains(&&schema)),
                "a closure can be sent in one call"
            );
        }
    }

    #[test]
    fn a_component_may_be_inherited() {
        let mut all = ours();
        let extended = json!({ "@context": "dtmi:dtdl:context;4",
            "extends": ["dtmi:planthread:isa95:WorkCenter;1"], "contents": [] });
        all.insert("dtmi:a:Line;2".into(), extended);
        assert!(component("dtmi:a:Line;2", "capacity", &all).is_some());
        assert_eq!(of_other_languages(&all), ["dtmi:a:Line;2"]);
    }

    #[test]
    fn a_value_that_the_service_would_refuse_is_found_before() {
        let value = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(Holds::Double.unfit(value("1.25")), None);
        assert_eq!(Holds::Integer.unfit(value("20261122.00")), None);
        assert!(Holds::Integer.unfit(value("1.5")).unwrap().contains("32 bits"));
        assert!(Holds::Integer.unfit(value("3000000000")).is_some());
        assert_eq!(Holds::Long.unfit(value("3000000000")), None);
        assert!(Holds::Float.unfit(value("1234567.5")).is_some());
        assert_eq!(Holds::Float.unfit(value("12000000")), None, "two digits");
        assert_eq!(Holds::Float.unfit(value("0.000123")), None);
        assert!(Holds::Other.unfit(value("1")).is_some());
    }

    /// What the service takes for a number of a schema: the rules of the corrections to
    /// the fact sheet, over the text that it gets.
    fn taken(holds: Holds, sent: &str) -> bool {
        let bare = sent.strip_prefix('-').unwrap_or(sent);
        let digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        let within = |least: i128, most: i128| {
            digits(bare) && (least..=most).contains(&sent.parse::<i128>().unwrap())
        };
        match holds {
            Holds::Integer => within(i32::MIN.into(), i32::MAX.into()),
            Holds::Long => within(i64::MIN.into(), i64::MAX.into()),
            Holds::Float => sent.parse::<f32>().is_ok_and(|number| {
                number.is_finite() && number.to_string().parse() == sent.parse::<Decimal>()
            }),
            Holds::Double => sent.parse::<f64>().is_ok_and(f64::is_finite),
            Holds::Other => false,
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(512))]

        #[test]
        fn what_goes_out_is_what_the_service_takes(
            mantissa in prop_oneof![
                -200_i64..200, Just(i64::from(i32::MAX)), Just(i64::from(i32::MIN)),
                Just(3_000_000_000), -999_999_999_999_999_i64..=999_999_999_999_999],
            scale in 0_u32..5,
            zeros in 0_u32..4,
        ) {
            let mut value = Decimal::new(mantissa, scale);
            value.rescale(scale + zeros);
            for holds in [Holds::Double, Holds::Float, Holds::Integer, Holds::Long] {
                let change = Change { property: "map".into(), key: "W2026_49".into(), value, cell: 0 };
                if holds.unfit(value).is_some() {
                    let whole = value.fract().is_zero();
                    prop_assert!(!whole || holds == Holds::Float || !taken(holds, &number(value)), "{value} needs no refusal");
                    continue;
                }
                let patch = patch("capacity", &json!({}), [&change].into_iter(), None, |_| false);
                let sent = patch.bodies[0].split("\"W2026_49\":").nth(1).unwrap();
                let sent = sent.split('}').next().unwrap();
                prop_assert!(taken(holds, sent), "{sent} is no {holds:?}");
                prop_assert_eq!(sent.parse::<Decimal>().unwrap(), value);
            }
        }
    }
}
