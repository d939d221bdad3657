//! The models API: upload all or nothing, list, decommission, delete.

use std::collections::{BTreeMap, BTreeSet};

use bytes::Bytes;
use http::{Method, Request};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    dtdl::{Interface, each, read_all, versioned, whole},
    wire::{Answer, Refusal, body, empty, json_answer, list, model_time, parameters},
};

/// One model.
#[derive(Debug, Clone)]
struct Model {
    definition: Value,
    interface: Interface,
    decommissioned: bool,
    uploaded: Timestamp,
}

/// All models.
#[derive(Debug, Clone, Default)]
pub(super) struct Models {
    all: BTreeMap<String, Model>,
}

/// Models of one call, and of a page (section 1.13).
const PER_CALL: usize = 250;
const PER_PAGE: usize = 100;

impl Models {
    /// An interface with all that it inherits.
    pub(super) fn interface(&self, id: &str) -> Option<Interface> {
        whole(id, &|id| self.all.get(id).map(|model| model.interface.clone()))
    }

    pub(super) fn decommissioned(&self, id: &str) -> bool {
        self.all.get(id).is_some_and(|model| model.decommissioned)
    }

    /// Whether `id` is at least `asked`, or extends one that is; exactly it, if
    /// asked so.
    pub(super) fn is_of(&self, id: &str, asked: &str, exact: bool) -> bool {
        if exact {
            return id == asked;
        }
        let (name, version) = versioned(asked);
        let is = |id: &str| {
            let (own, at) = versioned(id);
            own == name && at >= version
        };
        let bases = self.interface(id).map(|interface| interface.extends).unwrap_or_default();
        is(id) || bases.iter().any(|base| is(base))
    }

    /// Takes models in: all or none.
    pub(super) fn add(&mut self, at: Timestamp, values: &[Value]) -> Result<(), Refusal> {
        let refuse = |(code, text): (&'static str, String)| Refusal::new(400, code, text);
        let interfaces = read_all(values).map_err(refuse)?;
        let ids: BTreeSet<&String> = interfaces.iter().map(|interface| &interface.id).collect();
        for interface in &interfaces {
            if self.all.contains_key(&interface.id) {
                let text = format!("Some of the model ids already exist: {}.", interface.id);
                return Err(Refusal::new(409, "ModelIdAlreadyExists", text));
            }
            let missing =
                interface.needs().find(|id| !ids.contains(id) && !self.all.contains_key(*id));
            if let Some(missing) = missing {
                let text = format!("failed to resolve requisite references: {missing}");
                return Err(Refusal::new(400, "DTDLParserError", text));
            }
        }
        for (interface, definition) in interfaces.into_iter().zip(values) {
            let definition = definition.clone();
            let id = interface.id.clone();
            let model = Model { definition, interface, decommissioned: false, uploaded: at };
            self.all.insert(id, model);
        }
        Ok(())
    }

    /// Answers a request below `/models`.
    pub(super) fn handle(
        &mut self,
        at: Timestamp,
        request: &Request<Bytes>,
        rest: &[String],
        tls: bool,
    ) -> Answer {
        let wants = |default: bool| match parameters(request, "includeModelDefinition").first() {
            Some(text) => text.eq_ignore_ascii_case("true"),
            None => default,
        };
        match (request.method(), rest) {
            (&Method::POST, []) => self.upload(at, request),
            (&Method::GET, []) => {
                let shown = self.chosen(&parameters(request, "dependenciesFor"))?;
                let rows: Vec<Value> = shown.iter().map(|model| model.show(wants(false))).collect();
                Ok(list(request, &rows, PER_PAGE, tls))
            }
            (&Method::GET, [id]) => Ok(json_answer(200, &self.get(id)?.show(wants(false)))),
            (&Method::PATCH, [id]) => self.decommission(request, id),
            (&Method::DELETE, [id]) => self.delete(id),
            _ => Err(Refusal::new(405, "MethodNotAllowed", "no such operation on models")),
        }
    }

    fn get(&self, id: &str) -> Result<&Model, Refusal> {
        let text = format!("There is no Model(s) available that matches the provided id(s) {id}.");
        self.all.get(id).ok_or_else(|| Refusal::new(404, "ModelNotFound", text))
    }

    /// The models that were asked for, with all that they depend on.
    fn chosen(&self, asked: &[String]) -> Result<Vec<&Model>, Refusal> {
        if asked.is_empty() {
            return Ok(self.all.values().collect());
        }
        let mut open: Vec<String> = asked.to_vec();
        let mut found = BTreeMap::new();
        while let Some(id) = open.pop() {
            if found.contains_key(&id) {
                continue;
            }
            let model = self.get(&id)?;
            open.extend(model.interface.needs().cloned());
            found.insert(id, model);
        }
        Ok(found.into_values().collect())
    }

    fn upload(&mut self, at: Timestamp, request: &Request<Bytes>) -> Answer {
        let argument = |text: &str| Refusal::new(400, "InvalidArgument", text);
        let Value::Array(values) = body(request)? else {
            return Err(argument("The models must be an array."));
        };
        if values.is_empty() {
            return Err(argument("At least one model is needed."));
        }
        if values.len() > PER_CALL {
            return Err(Refusal::new(400, "LimitExceeded", "At most 250 models in one call."));
        }
        self.add(at, &values)?;
        let shown = values.iter().filter_map(|value| self.all.get(value["@id"].as_str()?));
        let shown: Vec<Value> = shown.map(|model| model.show(false)).collect();
        Ok(json_answer(201, &Value::Array(shown)))
    }

    fn decommission(&mut self, request: &Request<Bytes>, id: &str) -> Answer {
        self.get(id)?;
        let patch = body(request)?;
        for op in each(&patch) {
            let value = op["value"].as_bool();
            let ours = op["op"] == "replace" && op["path"] == "/decommissioned";
            let (true, Some(value)) = (ours, value) else {
                return Err(Refusal::patch("Only /decommissioned can be replaced."));
            };
            if let Some(model) = self.all.get_mut(id) {
                model.decommissioned = value;
            }
        }
        Ok(empty(204))
    }

    fn delete(&mut self, id: &str) -> Answer {
        self.get(id)?;
        let user = self.all.values().find(|model| model.interface.needs().any(|need| need == id));
        if let Some(user) = user {
            let text = format!("The model {id} is referenced by {}.", user.interface.id);
            return Err(Refusal::new(409, "ModelReferencesNotDeleted", text));
        }
        self.all.remove(id);
        Ok(empty(204))
    }
}

impl Model {
    fn show(&self, definition: bool) -> Value {
        let in_languages = |name: &str| match &self.definition[name] {
            Value::String(text) => json!({ "en": text }),
            Value::Object(map) => Value::Object(map.clone()),
            _ => json!({}),
        };
        let mut shown = json!({
            "id": self.interface.id,
            "description": in_languages("description"),
            "displayName": in_languages("displayName"),
            "decommissioned": self.decommissioned,
            "uploadTime": model_time(self.uploaded),
        });
        if definition {
            shown["model"] = self.definition.clone();
        }
        shown
    }
}
