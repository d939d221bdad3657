//! Twins and their components: create, read, patch, delete.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    dtdl::Interface,
    models::Models,
    patch::{self, Op},
    schema::Schema,
    wire::{Refusal, twin_time},
};

/// One twin: its document as GET shows it, without id and ETag.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Twin {
    pub(super) etag: String,
    pub(super) document: Map<String, Value>,
}

/// Property by component (empty: the twin itself) and name.
type Touched = BTreeMap<(String, String), Option<Option<String>>>;

const META: &str = "$metadata";

impl Twin {
    /// The model of a document; empty where it names none.
    pub(super) fn model_of(document: &Map<String, Value>) -> &str {
        document.get(META).and_then(|meta| meta["$model"].as_str()).unwrap_or_default()
    }

    /// As GET answers it.
    pub(super) fn show(&self, id: &str) -> Value {
        let mut shown = self.document.clone();
        shown.insert("$dtId".to_owned(), json!(id));
        shown.insert("$etag".to_owned(), json!(self.etag));
        Value::Object(shown)
    }

    /// A new twin from the body of a PUT.
    pub(super) fn create(
        at: Timestamp,
        etag: String,
        body: Map<String, Value>,
        models: &Models,
    ) -> Result<Self, Refusal> {
        let model = Self::model_of(&body).to_owned();
        if model.is_empty() {
            let text = "The twin needs a $metadata.$model.";
            return Err(Refusal::new(400, "InvalidArgument", text));
        }
        if models.decommissioned(&model) {
            let text = format!("The model {model} is decommissioned.");
            return Err(Refusal::new(400, "ModelDecommissioned", text));
        }
        let mut document = body;
        document.remove("$dtId");
        document.remove("$etag");
        document.retain(|_, value| !value.is_null());
        let interface = known(&model, models)?;
        check(&document, &interface)?;
        let mut touched = Touched::new();
        for (name, value) in &document {
            if interface.components.contains_key(name) {
                let inner = value.as_object().into_iter().flatten();
                let own = inner.filter(|(inner, _)| *inner != META);
                touched.extend(own.map(|(inner, _)| {
                    ((name.clone(), inner.clone()), source_of(&value[META][inner]))
                }));
            } else if name != META {
                let source = source_of(&document[META][name]);
                touched.insert((String::new(), name.clone()), source);
            }
        }
        document.insert(META.to_owned(), json!({ "$model": model }));
        for name in interface.components.keys() {
            document[name][META] = json!({});
        }
        stamp(&mut document, at, touched, &interface);
        Ok(Self { etag, document })
    }

    /// The twin after a patch; the whole patch or nothing of it. With
    /// `component`, paths begin there.
    pub(super) fn patched(
        &self,
        at: Timestamp,
        etag: String,
        ops: &[Op],
        component: Option<&str>,
        models: &Models,
    ) -> Result<Self, Refusal> {
        let mut document = self.document.clone();
        let before = known(Self::model_of(&document), models)?;
        let mut touched = Touched::new();
        for op in ops {
            let mut op = op.clone();
            if let Some(component) = component {
                op.path.insert(0, component.to_owned());
            }
            one(&mut document, &op, &before, &mut touched)?;
        }
        let interface = known(Self::model_of(&document), models)?;
        check(&document, &interface)?;
        stamp(&mut document, at, touched, &interface);
        Ok(Self { etag, document })
    }
}

fn known(model: &str, models: &Models) -> Result<Interface, Refusal> {
    models.interface(model).ok_or_else(|| {
        Refusal::invalid("twin", vec![format!("There is no model with the id {model}.")])
    })
}

/// Carries one operation out, and notes which property it touched.
fn one(
    document: &mut Map<String, Value>,
    op: &Op,
    interface: &Interface,
    touched: &mut Touched,
) -> Result<(), Refusal> {
    let path: Vec<&str> = op.path.iter().map(String::as_str).collect();
    let (component, rest) = match path.as_slice() {
        [first, rest @ ..] if interface.components.contains_key(*first) => (*first, rest),
        all => ("", all),
    };
    match rest {
        [META, "$model"] if component.is_empty() => patch::apply(document, op),
        [META, name, "sourceTime"] if !name.starts_with('$') => {
            let source = patch::source_time(op)?;
            let slot = touched.entry((component.to_owned(), (*name).to_owned())).or_default();
            *slot = Some(source);
            Ok(())
        }
        [META, ..] => Err(Refusal::patch(format!("The path /{} is read only.", path.join("/")))),
        [] => Err(Refusal::patch(format!("The component {component} can't be patched as one."))),
        [name, ..] => {
            patch::apply(document, op)?;
            touched.entry((component.to_owned(), (*name).to_owned())).or_default();
            Ok(())
        }
    }
}

/// The source time in the metadata of a new twin.
fn source_of(meta: &Value) -> Option<Option<String>> {
    meta["sourceTime"].as_str().map(|text| Some(text.to_owned()))
}

/// Brings the metadata up to date: only what was touched moves.
fn stamp(
    document: &mut Map<String, Value>,
    at: Timestamp,
    touched: Touched,
    interface: &Interface,
) {
    let now = json!(twin_time(at));
    for ((component, name), source) in touched {
        let room = match component.as_str() {
            "" => Some(&mut *document),
            inside => document.get_mut(inside).and_then(Value::as_object_mut),
        };
        let Some(room) = room else { continue };
        let there = room.contains_key(&name);
        let Some(meta) = room.get_mut(META).and_then(Value::as_object_mut) else { continue };
        if !component.is_empty() {
            meta.insert("$lastUpdateTime".to_owned(), now.clone());
        }
        if !there {
            meta.remove(&name);
            continue;
        }
        let entry = meta.entry(name).or_insert_with(|| json!({}));
        entry["lastUpdateTime"] = now.clone();
        match source {
            Some(Some(time)) => entry["sourceTime"] = json!(time),
            Some(None) => {
                entry.as_object_mut().map(|entry| entry.remove("sourceTime"));
            }
            None => {}
        }
    }
    for name in interface.components.keys() {
        let meta = &mut document[name][META];
        if meta["$lastUpdateTime"].is_null() {
            meta["$lastUpdateTime"] = now.clone();
        }
    }
    document[META]["$lastUpdateTime"] = now;
}

/// Holds a document against its model.
fn check(document: &Map<String, Value>, interface: &Interface) -> Result<(), Refusal> {
    let mut faults = Vec::new();
    let mut seen = BTreeSet::new();
    for (name, value) in document.iter().filter(|(name, _)| *name != META) {
        seen.insert(name.as_str());
        match (interface.properties.get(name), interface.components.contains_key(name)) {
            (Some(schema), _) => faults.extend(fault(schema, value, name, "Twin")),
            (None, true) if value.is_object() => {}
            (None, true) => faults.push(format!("{name} must be a component object.")),
            (None, false) => faults.push(format!("{name} does not appear on the DTDL for Twin.")),
        }
    }
    let absent = interface.components.keys().filter(|name| !seen.contains(name.as_str()));
    faults.extend(absent.map(|name| format!("Component {name} must be present.")));
    if faults.is_empty() { Ok(()) } else { Err(Refusal::invalid("twin", faults)) }
}

/// Holds the components of a document against their models.
pub(super) fn check_components(
    document: &Map<String, Value>,
    models: &Models,
) -> Result<(), Refusal> {
    let interface = known(Twin::model_of(document), models)?;
    let mut faults = Vec::new();
    for (component, model) in &interface.components {
        let inner = known(model, models)?;
        let values = document.get(component).and_then(Value::as_object).into_iter().flatten();
        for (name, value) in values.filter(|(name, _)| *name != META) {
            match inner.properties.get(name) {
                Some(schema) => faults.extend(fault(schema, value, name, component)),
                None => faults.push(format!("{name} does not appear on the DTDL for {component}.")),
            }
        }
    }
    if faults.is_empty() { Ok(()) } else { Err(Refusal::invalid("twin", faults)) }
}

pub(super) fn fault(schema: &Schema, value: &Value, name: &str, place: &str) -> Option<String> {
    let wanted = schema.word();
    (!schema.holds(value))
        .then(|| format!("Expected value of type {wanted} for {name} on {place}."))
}
