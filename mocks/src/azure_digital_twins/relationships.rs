//! Relationships between twins (section 1.6). The path wins over the body.

use std::collections::BTreeMap;

use bytes::Bytes;
use http::{Method, Request};
use serde_json::{Map, Value, json};

use super::{
    dtdl::Relationship,
    graph::Graph,
    patch,
    twins::{Twin, fault},
    wire::{
        Answer, Refusal, body, empty, json_answer, list, may_change, may_create, object,
        parameters, with,
    },
};

/// Relationships by source and id: ETag and document.
pub(super) type Relationships = BTreeMap<(String, String), Twin>;

/// Relationships of a page.
const PER_PAGE: usize = 1_000;

impl Graph {
    /// Answers a request below `/digitaltwins/{id}/relationships`.
    pub(super) fn relationships(
        &mut self,
        request: &Request<Bytes>,
        source: &str,
        rest: &[String],
        tls: bool,
    ) -> Answer {
        self.twin(source)?;
        match (request.method(), rest) {
            (&Method::GET, []) => {
                let name = parameters(request, "relationshipName").into_iter().next();
                let rows = self.relationships.iter().filter(|((from, _), one)| {
                    from == source && name.as_ref().is_none_or(|name| named(one) == name)
                });
                let rows: Vec<Value> = rows.map(|(key, one)| show(key, one)).collect();
                Ok(list(request, &rows, PER_PAGE, tls))
            }
            (&Method::PUT, [id]) => self.put_relationship(request, source, id),
            (&Method::GET, [id]) => {
                let (key, one) = self.relationship(source, id)?;
                let answer = json_answer(200, &show(&key, one));
                Ok(with(answer, "etag", &one.etag))
            }
            (&Method::PATCH, [id]) => self.patch_relationship(request, source, id),
            (&Method::DELETE, [id]) => {
                let (key, one) = self.relationship(source, id)?;
                may_change(request, &one.etag)?;
                self.relationships.remove(&key);
                Ok(empty(204))
            }
            _ => Err(Refusal::new(405, "MethodNotAllowed", "no such operation on relationships")),
        }
    }

    /// Answers `/digitaltwins/{id}/incomingrelationships`.
    pub(super) fn incoming(&self, request: &Request<Bytes>, target: &str, tls: bool) -> Answer {
        self.twin(target)?;
        let rows = self.relationships.iter().filter(|(_, one)| aimed(one) == target);
        let rows: Vec<Value> = rows
            .map(|((source, id), one)| {
                json!({
                    "$relationshipId": id,
                    "$sourceId": source,
                    "$relationshipName": named(one),
                    "$relationshipLink": format!("/digitaltwins/{source}/relationships/{id}"),
                })
            })
            .collect();
        Ok(list(request, &rows, PER_PAGE, tls))
    }

    fn relationship(&self, source: &str, id: &str) -> Result<((String, String), &Twin), Refusal> {
        let key = (source.to_owned(), id.to_owned());
        let found = self.relationships.get(&key);
        let one = found.ok_or_else(|| {
            let text = format!("Relationship {id} not found on source twin {source}.");
            Refusal::new(404, "RelationshipNotFound", text)
        })?;
        Ok((key, one))
    }

    fn put_relationship(&mut self, request: &Request<Bytes>, source: &str, id: &str) -> Answer {
        let body = object(request, "relationship create")?;
        let there = self.relationship(source, id).is_ok();
        may_create(request, there, "relationship")?;
        let one = self.new_relationship(source, body)?;
        let key = (source.to_owned(), id.to_owned());
        let answer = with(json_answer(200, &show(&key, &one)), "etag", &one.etag);
        self.relationships.insert(key, one);
        Ok(answer)
    }

    /// A relationship from the body of a PUT, or from a line of an import.
    pub(super) fn new_relationship(
        &mut self,
        source: &str,
        body: Map<String, Value>,
    ) -> Result<Twin, Refusal> {
        let etag = self.fresh_etag();
        let mut document = body;
        for name in ["$relationshipId", "$sourceId", "$etag", "$dtId"] {
            document.remove(name);
        }
        let one = Twin { etag, document };
        if aimed(&one).is_empty() || named(&one).is_empty() {
            let text = "Could not deserialize relationship create body.";
            return Err(Refusal::new(400, "InvalidArgument", text));
        }
        if aimed(&one) == source {
            let text = "A relationship from a twin to itself is not allowed.";
            return Err(Refusal::new(400, "OperationNotAllowed", text));
        }
        if self.twin(aimed(&one)).is_err() {
            let text = format!("There is no twin with the id {}.", aimed(&one));
            return Err(Refusal::new(404, "TargetDigitalTwinNotFound", text));
        }
        self.check_relationship(source, &one)?;
        Ok(one)
    }

    /// The kind of a relationship on its source's model.
    fn kind(&self, source: &str, one: &Twin) -> Result<Relationship, Refusal> {
        let model = Twin::model_of(&self.twin(source)?.document);
        let interface = self.models.interface(model).unwrap_or_default();
        interface.relationships.get(named(one)).cloned().ok_or_else(|| {
            let text = format!("{} does not appear on the DTDL for Twin.", named(one));
            Refusal::new(400, "InvalidRelationship", text)
        })
    }

    fn check_relationship(&self, source: &str, one: &Twin) -> Result<(), Refusal> {
        let kind = self.kind(source, one)?;
        if let (Some(wanted), Ok(target)) = (&kind.target, self.twin(aimed(one))) {
            let model = Twin::model_of(&target.document);
            if !self.models.is_of(model, wanted, false) {
                let text = format!("The target is of the model {model}, not of {wanted}.");
                return Err(Refusal::new(400, "InvalidRelationship", text));
            }
        }
        let own = one.document.iter().filter(|(name, _)| !name.starts_with('$'));
        let faults: Vec<String> = own
            .filter_map(|(name, value)| match kind.properties.get(name) {
                Some(schema) => fault(schema, value, name, "Relationship"),
                None => Some(format!("{name} does not appear on the DTDL for Relationship.")),
            })
            .collect();
        if faults.is_empty() { Ok(()) } else { Err(Refusal::invalid("relationship", faults)) }
    }

    fn patch_relationship(&mut self, request: &Request<Bytes>, source: &str, id: &str) -> Answer {
        let ops = patch::read(&body(request)?)?;
        let (key, one) = self.relationship(source, id)?;
        may_change(request, &one.etag)?;
        let mut patched = one.clone();
        for op in &ops {
            patch::apply(&mut patched.document, op)?;
        }
        patched.etag = self.fresh_etag();
        self.check_relationship(source, &patched)?;
        let answer = with(empty(204), "etag", &patched.etag);
        self.relationships.insert(key, patched);
        Ok(answer)
    }
}

pub(super) fn aimed(one: &Twin) -> &str {
    one.document.get("$targetId").and_then(Value::as_str).unwrap_or_default()
}

fn named(one: &Twin) -> &str {
    one.document.get("$relationshipName").and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn show((source, id): &(String, String), one: &Twin) -> Value {
    let mut shown = one.document.clone();
    shown.insert("$relationshipId".to_owned(), json!(id));
    shown.insert("$sourceId".to_owned(), json!(source));
    shown.insert("$etag".to_owned(), json!(one.etag));
    Value::Object(shown)
}
