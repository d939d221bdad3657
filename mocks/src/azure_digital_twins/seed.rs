//! The demo plant: sites, and work centres whose twins carry a component with
//! capacity: a map for each measure, keyed by period.
//!
//! The models are our own, with names of ISA-95; what stands behind a target in
//! somebody's configuration has that target's names.

use planthread_contracts::{Aggregation, Carries, MeasureDecl, Unit};
use serde_json::{Value, json};

use super::options::Options;
use crate::sdk::{
    SandboxShape, ShapeResource,
    plan::{Measure, Model, Part},
};

/// A measure of the demo plant: name, label, part, schema, how it adds up.
type Declared = (&'static str, &'static str, Part, &'static str, Aggregation);

#[rustfmt::skip]
const MEASURES: [Declared; 12] = [
    ("attainableHours", "Attainable hours", Part::Live, "double", Aggregation::Sum),
    ("planCutHours", "Plan cut", Part::Cut, "double", Aggregation::Sum),
    ("lowHours", "Low", Part::Low, "double", Aggregation::Min),
    ("expectedLostHours", "Expected lost hours", Part::Lost, "double", Aggregation::Sum),
    ("severity", "Severity", Part::Severity, "double", Aggregation::Max),
    ("hoursAtRisk", "Hours at risk", Part::Risk, "double", Aggregation::Sum),
    ("goodUnits", "Good output", Part::Output, "long", Aggregation::Sum),
    ("status", "Status", Part::Status, "integer", Aggregation::Max),
    ("covered", "Covered", Part::Covered, "integer", Aggregation::Sum),
    ("asOf", "As of", Part::AsOf, "integer", Aggregation::Min),
    ("validUntil", "Valid until", Part::ValidUntil, "integer", Aggregation::Min),
    ("heartbeat", "Heartbeat", Part::Beat, "long", Aggregation::Max),
];

const SITE: &str = "dtmi:planthread:isa95:Site;1";
const WORK_CENTER: &str = "dtmi:planthread:isa95:WorkCenter;1";
const CAPACITY: &str = "dtmi:planthread:isa95:Capacity;1";

/// What the sandbox starts with.
pub(super) struct Seed {
    pub(super) models: Vec<Value>,
    /// Sites and work centres: id and body.
    pub(super) twins: Vec<(String, Value)>,
    /// Source, id, body.
    pub(super) relationships: Vec<(String, String, Value)>,
}

/// The name of the component that holds capacity.
pub(super) fn component(options: &Options) -> String {
    named(options, "component", "capacity")
}

/// The property of a twin that says where it stands.
pub(super) fn location(options: &Options) -> String {
    named(options, "location_property", "location")
}

fn named(options: &Options, setting: &str, usual: &str) -> String {
    let shape = options.shape.as_ref().and_then(|shape| shape.setting(setting));
    shape.unwrap_or(usual).to_owned()
}

/// A measure of the page, and the schema of its map's values.
fn measures(options: &Options) -> Vec<(Measure, &'static str)> {
    let measure = |id: &str, label: &str, aggregation, part| {
        let label = label.to_owned();
        Measure { id: id.into(), label, aggregation, part, in_scopes: true }
    };
    match &options.shape {
        Some(shape) => {
            let own = |one: &MeasureDecl| {
                let whole = one.scale == 0 && one.carries != Carries::Observed;
                let part = Part::of(one.carries);
                let measure = measure(&one.surface, &one.surface, one.over_time, part);
                (measure, if whole { "long" } else { "double" })
            };
            shape.measures.iter().map(own).collect()
        }
        None => {
            let demo = MEASURES.iter().map(|(id, label, part, schema, aggregation)| {
                (measure(id, label, *aggregation, *part), *schema)
            });
            demo.collect()
        }
    }
}

/// The measures of the page: the shape's, or the demo plant's.
pub(super) fn model(options: &Options) -> Model {
    let measures = measures(options).into_iter().map(|(measure, _)| measure).collect();
    let unit = options.shape.as_ref().map_or(Unit::Hour, SandboxShape::unit);
    Model { unit, measures, scopes: Vec::new() }
}

/// Models, twins and relationships to start with.
pub(super) fn seed(options: &Options) -> Seed {
    let places = SandboxShape::resources_or_demo(options.shape.as_ref(), options.resources.into());
    let center = named(options, "model", WORK_CENTER);
    let (component, location) = (component(options), location(options));
    let twin = |place: &ShapeResource| {
        let mut twin = json!({ "$metadata": { "$model": center } });
        twin[&location] = json!(place.location);
        twin["description"] = json!(place.description);
        twin[&component] = json!({ "$metadata": {} });
        (place.resource.clone(), twin)
    };
    let mut sites: Vec<&String> = places.iter().map(|place| &place.location).collect();
    sites.sort();
    sites.dedup();
    let site = |id: &&String| {
        let body = json!({ "$metadata": { "$model": SITE }, "description": format!("Site {id}") });
        (format!("SITE-{id}"), body)
    };
    let link = |place: &ShapeResource| {
        let body = json!({ "$targetId": place.resource, "$relationshipName": "workCenter" });
        (format!("SITE-{}", place.location), format!("has-{}", place.resource), body)
    };
    Seed {
        models: models(options, &center, &component, &location),
        twins: sites.iter().map(site).chain(places.iter().map(twin)).collect(),
        relationships: places.iter().map(link).collect(),
    }
}

/// Models of the demo plant, as they are shipped for an instance: under their ids stands
/// nothing else. A copy, because a sandbox shares no file with a connector; a test holds
/// the two against each other.
const SHIPPED: &str = include_str!("isa95.json");

/// The shipped models, where they fit the names in use.
fn shipped(options: &Options, (center, component, location): (&str, &str, &str)) -> Vec<Value> {
    let usual = (center, component, location) == (WORK_CENTER, "capacity", "location");
    let known = |name: &str| MEASURES.iter().any(|(id, ..)| *id == name);
    let fits = usual && measures(options).iter().all(|(measure, _)| known(&measure.id));
    let all = fits.then(|| serde_json::from_str(SHIPPED).ok()).flatten();
    all.unwrap_or_default()
}

fn models(options: &Options, center: &str, component: &str, location: &str) -> Vec<Value> {
    let shipped = shipped(options, (center, component, location));
    if !shipped.is_empty() {
        return shipped;
    }
    let text = |name: &str| json!({ "@type": "Property", "name": name, "schema": "string" });
    let interface = |id: &str, name: &str, contents: Vec<Value>| {
        json!({ "@id": id, "@type": "Interface", "@context": "dtmi:dtdl:context;2",
            "displayName": name, "contents": contents })
    };
    let map = |name: &str, schema: &str| {
        json!({ "@type": "Property", "name": name, "schema": { "@type": "Map",
            "mapKey": { "name": "period", "schema": "string" },
            "mapValue": { "name": "value", "schema": schema } } })
    };
    let measures = measures(options);
    let maps = measures.iter().map(|(measure, schema)| map(&measure.id, schema)).collect();
    vec![
        interface(CAPACITY, "Capacity", maps),
        interface(
            center,
            "Work center",
            vec![
                text(location),
                text("description"),
                json!({ "@type": "Component", "name": component, "schema": CAPACITY }),
            ],
        ),
        interface(
            SITE,
            "Site",
            vec![
                text("description"),
                json!({ "@type": "Relationship", "name": "workCenter", "target": center }),
            ],
        ),
    ]
}
