//! DTDL interfaces of version 2 and 3, as far as the service checks twins with
//! them: properties, components, relationships, inheritance.
//!
//! Rules are those of section 4.1 of the fact sheet. Semantic types, units,
//! multiplicities and `writable` are read over: the service does not enforce
//! them.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::schema::Schema;

/// One interface, without what it inherits.
#[derive(Debug, Clone, Default)]
pub(super) struct Interface {
    pub(super) id: String,
    pub(super) extends: Vec<String>,
    pub(super) properties: BTreeMap<String, Schema>,
    pub(super) components: BTreeMap<String, String>,
    pub(super) relationships: BTreeMap<String, Relationship>,
}

/// A kind of relationship.
#[derive(Debug, Clone, Default)]
pub(super) struct Relationship {
    /// The model that its target must have; any, where none is named.
    pub(super) target: Option<String>,
    pub(super) properties: BTreeMap<String, Schema>,
}

const CONTEXTS: [&str; 2] = ["dtmi:dtdl:context;2", "dtmi:dtdl:context;3"];

/// Why an interface is none: a code and a text.
pub(super) type Fault = (&'static str, String);

fn parser(text: impl Into<String>) -> Fault {
    ("DTDLParserError", text.into())
}

impl Interface {
    /// Reads one interface.
    pub(super) fn read(value: &Value) -> Result<Self, Fault> {
        let id = value["@id"].as_str().filter(|id| is_dtmi(id));
        let id = id.ok_or_else(|| parser("an Interface has no valid @id"))?.to_owned();
        if !words(&value["@type"]).contains(&"Interface") {
            return Err(parser(format!("{id}: @type is not Interface")));
        }
        let contexts = words(&value["@context"]);
        if !contexts.iter().any(|context| CONTEXTS.contains(context)) {
            if contexts.iter().any(|context| context.starts_with("dtmi:dtdl:context;")) {
                let text = format!("{id}: this version of DTDL is not supported");
                return Err(("ModelVersionNotSupported", text));
            }
            return Err(parser(format!("{id}: @context names no version of DTDL")));
        }
        let shared = named(&value["schemas"])?;
        let mut interface = Self { id, extends: references(&value["extends"]), ..Self::default() };
        for content in each(&value["contents"]) {
            interface.add(content, &shared)?;
        }
        Ok(interface)
    }

    fn add(&mut self, content: &Value, shared: &BTreeMap<String, Schema>) -> Result<(), Fault> {
        let id = &self.id;
        let name = content["name"].as_str().filter(|name| is_name(name));
        let name = name.ok_or_else(|| parser(format!("{id}: a content has no valid name")))?;
        let kinds = words(&content["@type"]);
        let taken = self.properties.contains_key(name)
            || self.components.contains_key(name)
            || self.relationships.contains_key(name);
        if taken {
            return Err(parser(format!("{id}: the name {name} is used twice")));
        }
        if kinds.contains(&"Property") {
            let schema = Schema::read(&content["schema"], shared);
            let schema = schema.map_err(|text| parser(format!("{id}, {name}: {text}")))?;
            self.properties.insert(name.to_owned(), schema);
        } else if kinds.contains(&"Component") {
            let schema = content["schema"].as_str();
            let schema = schema.ok_or_else(|| parser(format!("{id}, {name}: no schema")))?;
            self.components.insert(name.to_owned(), schema.to_owned());
        } else if kinds.contains(&"Relationship") {
            let mut relationship = Relationship {
                target: content["target"].as_str().map(str::to_owned),
                ..Relationship::default()
            };
            for property in each(&content["properties"]) {
                let name = property["name"].as_str().unwrap_or_default();
                let schema = Schema::read(&property["schema"], shared);
                let schema = schema.map_err(|text| parser(format!("{id}, {name}: {text}")))?;
                relationship.properties.insert(name.to_owned(), schema);
            }
            self.relationships.insert(name.to_owned(), relationship);
        } else if !kinds.contains(&"Telemetry") {
            return Err(parser(format!("{id}, {name}: the service takes no {}", kinds.join(", "))));
        }
        Ok(())
    }

    /// The models that must be there before it can be.
    pub(super) fn needs(&self) -> impl Iterator<Item = &String> {
        self.extends.iter().chain(self.components.values())
    }
}

/// Reads all interfaces of an upload; their names are unique.
pub(super) fn read_all(values: &[Value]) -> Result<Vec<Interface>, Fault> {
    let mut ids = BTreeSet::new();
    values
        .iter()
        .map(|value| {
            let interface = Interface::read(value)?;
            match ids.insert(interface.id.clone()) {
                true => Ok(interface),
                false => Err(parser(format!("{} is defined twice", interface.id))),
            }
        })
        .collect()
}

/// An interface with all that it inherits; what is missing is left out.
pub(super) fn whole(id: &str, find: &dyn Fn(&str) -> Option<Interface>) -> Option<Interface> {
    let mut all = find(id)?;
    let mut open = all.extends.clone();
    let mut done = BTreeSet::from([id.to_owned()]);
    while let Some(next) = open.pop() {
        if !done.insert(next.clone()) {
            continue;
        }
        let Some(base) = find(&next) else { continue };
        open.extend(base.extends);
        all.properties.extend(base.properties);
        all.components.extend(base.components);
        all.relationships.extend(base.relationships);
        all.extends.push(next);
    }
    Some(all)
}

fn named(value: &Value) -> Result<BTreeMap<String, Schema>, Fault> {
    let mut all = BTreeMap::new();
    for one in each(value) {
        let id = one["@id"].as_str().unwrap_or_default().to_owned();
        let schema = Schema::read(one, &all).map_err(|text| parser(format!("{id}: {text}")))?;
        all.insert(id, schema);
    }
    Ok(all)
}

/// The items of a list, or the one value that stands for a list of one.
pub(super) fn each(value: &Value) -> impl Iterator<Item = &Value> {
    let one = std::slice::from_ref(value);
    let items = match value {
        Value::Null => &[],
        Value::Array(items) => items.as_slice(),
        _ => one,
    };
    items.iter()
}

fn words(value: &Value) -> Vec<&str> {
    each(value).filter_map(Value::as_str).collect()
}

/// Names of interfaces, which may also stand inline.
fn references(value: &Value) -> Vec<String> {
    let name = |one: &Value| one.as_str().or(one["@id"].as_str()).map(str::to_owned);
    each(value).filter_map(name).collect()
}

fn is_name(name: &str) -> bool {
    let mut letters = name.chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || letter == '_')
}

/// `dtmi:seg(:seg)*;version`.
pub(super) fn is_dtmi(id: &str) -> bool {
    let Some((path, version)) = id.split_once(';') else { return false };
    let mut parts = path.split(':');
    let segment = |part: &str| is_name(part.trim_start_matches('_')) && !part.ends_with('_');
    parts.next() == Some("dtmi")
        && path.contains(':')
        && parts.all(segment)
        && version.split('.').all(|number| number.parse::<u32>().is_ok())
}

/// A name without its version, and the version.
pub(super) fn versioned(id: &str) -> (&str, (u32, u32)) {
    let (path, version) = id.split_once(';').unwrap_or((id, "0"));
    let (major, minor) = version.split_once('.').unwrap_or((version, "0"));
    (path, (major.parse().unwrap_or(0), minor.parse().unwrap_or(0)))
}
