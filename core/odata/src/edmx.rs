//! `$metadata` as plain data: a streaming reader that takes what it knows and
//! walks past everything else.
//!
//! Services send several MB with annotations of their own. Names are read
//! without their namespace prefix, unknown elements are ignored, and nothing
//! is required except well-formed XML with a schema. A type that comes twice
//! is one type.

use std::collections::BTreeMap;

use quick_xml::{
    Reader, XmlVersion,
    events::{BytesStart, Event},
};

/// Types, sets and function imports of one service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Edmx {
    /// Entity types by unqualified name.
    pub types: BTreeMap<String, EntityType>,
    /// Entity set name to the unqualified name of its type.
    pub sets: BTreeMap<String, String>,
    /// Function imports by name.
    pub functions: BTreeMap<String, Function>,
}

/// One entity type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EntityType {
    /// Names of the key properties.
    pub keys: Vec<String>,
    /// Properties in declared order.
    pub properties: Vec<Property>,
    /// Names of the navigation properties.
    pub navigations: Vec<String>,
}

/// One property.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Property {
    /// Name.
    pub name: String,
    /// Declared type, `Edm.Decimal`.
    pub edm: String,
    /// Declared precision.
    pub precision: Option<u32>,
    /// Declared scale.
    pub scale: Option<u32>,
    /// What vendors add: attributes of other namespaces, by local name.
    pub annotations: BTreeMap<String, String>,
}

/// One function import.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Function {
    /// The verb as declared; empty when the document declares none.
    pub verb: String,
    /// Parameter names in declared order.
    pub parameters: Vec<String>,
}

impl EntityType {
    /// Whether a property of that name is declared.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.properties.iter().any(|property| property.name == name)
    }
}

impl Property {
    /// A vendor's annotation by its local name; empty when there is none.
    #[must_use]
    pub fn annotation(&self, name: &str) -> &str {
        self.annotations.get(name).map_or("", String::as_str)
    }

    /// The declared type with precision and scale: `Edm.Decimal(18,6)`.
    #[must_use]
    pub fn declared(&self) -> String {
        match (self.precision, self.scale) {
            (Some(precision), Some(scale)) => format!("{}({precision},{scale})", self.edm),
            (Some(precision), None) => format!("{}({precision})", self.edm),
            _ => self.edm.clone(),
        }
    }
}

impl Edmx {
    /// Reads a `$metadata` document.
    ///
    /// # Errors
    /// When the document is not well-formed (a relay cut it), or holds no
    /// schema at all (it is a login page).
    pub fn read(text: &str) -> Result<Self, String> {
        let mut reader = Reader::from_str(text);
        let mut edmx = Self::default();
        let mut place = Place::default();
        let mut depth = 0_usize;
        loop {
            let at = reader.buffer_position();
            match reader.read_event() {
                Ok(Event::Start(tag)) => {
                    edmx.open(&tag, &mut place);
                    depth += 1;
                }
                Ok(Event::Empty(tag)) => {
                    edmx.open(&tag, &mut place);
                    place.close(tag.local_name().as_ref());
                }
                Ok(Event::End(tag)) => {
                    place.close(tag.local_name().as_ref());
                    depth = depth.saturating_sub(1);
                }
                Ok(Event::Eof) if depth > 0 => {
                    return Err(format!("the document ends inside an element, at byte {at}"));
                }
                Ok(Event::Eof) => break,
                Ok(_) => {}
                Err(error) => return Err(format!("not well-formed at byte {at}: {error}")),
            }
        }
        if place.schema_seen { Ok(edmx) } else { Err("holds no schema".to_owned()) }
    }

    /// The type of an entity set.
    #[must_use]
    pub fn type_of(&self, set: &str) -> Option<&EntityType> {
        self.types.get(self.sets.get(set)?)
    }

    fn open(&mut self, tag: &BytesStart<'_>, place: &mut Place) {
        let get = Attributes::of(tag);
        match tag.local_name().as_ref() {
            "Schema" => place.schema_seen = true,
            "EntityType" => {
                place.entity = get.text("Name");
                self.types.entry(place.entity.clone()).or_default();
            }
            "PropertyRef" => {
                let key = get.text("Name");
                if let Some(entity) = self.types.get_mut(&place.entity)
                    && !entity.keys.contains(&key)
                {
                    entity.keys.push(key);
                }
            }
            "Property" => {
                if let Some(entity) = self.types.get_mut(&place.entity)
                    && !entity.has(&get.text("Name"))
                {
                    entity.properties.push(property(get));
                }
            }
            "NavigationProperty" => {
                let name = get.text("Name");
                if let Some(entity) = self.types.get_mut(&place.entity)
                    && !entity.navigations.contains(&name)
                {
                    entity.navigations.push(name);
                }
            }
            "EntitySet" => {
                let full = get.text("EntityType");
                let short = full.rsplit('.').next().unwrap_or_default().to_owned();
                self.sets.insert(get.text("Name"), short);
            }
            "FunctionImport" => {
                place.function = get.text("Name");
                let function =
                    Function { verb: get.annotation("HttpMethod"), parameters: Vec::new() };
                self.functions.insert(place.function.clone(), function);
            }
            "Parameter" => {
                if let Some(function) = self.functions.get_mut(&place.function) {
                    function.parameters.push(get.text("Name"));
                }
            }
            _ => {}
        }
    }
}

/// Where in the document the reader stands.
#[derive(Debug, Default)]
struct Place {
    schema_seen: bool,
    entity: String,
    function: String,
}

impl Place {
    fn close(&mut self, name: &str) {
        match name {
            "EntityType" => self.entity.clear(),
            "FunctionImport" => self.function.clear(),
            _ => {}
        }
    }
}

fn property(get: Attributes) -> Property {
    Property {
        name: get.text("Name"),
        edm: get.text("Type"),
        precision: get.text("Precision").parse().ok(),
        scale: get.text("Scale").parse().ok(),
        annotations: get.annotations,
    }
}

/// Attributes of one element by local name: the schema's own, and those of
/// other namespaces.
#[derive(Default)]
struct Attributes {
    own: BTreeMap<String, String>,
    annotations: BTreeMap<String, String>,
}

impl Attributes {
    fn of(tag: &BytesStart<'_>) -> Self {
        let mut all = Self::default();
        for attribute in tag.attributes().with_checks(false).flatten() {
            let value = attribute
                .normalized_value(XmlVersion::Implicit1_0)
                .map_or_else(|_| attribute.value.to_string(), |value| value.into_owned());
            let name = attribute.key.local_name().as_ref().to_owned();
            let annotated = attribute.key.prefix().is_some();
            let of = if annotated { &mut all.annotations } else { &mut all.own };
            of.insert(name, value);
        }
        all
    }

    fn text(&self, name: &str) -> String {
        self.own.get(name).cloned().unwrap_or_default()
    }

    fn annotation(&self, name: &str) -> String {
        self.annotations.get(name).cloned().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = r#"<?xml version="1.0"?>
<edmx:Edmx Version="1.0" xmlns:edmx="e" xmlns:m="m" xmlns:v="v"><edmx:DataServices>
<Schema Namespace="N"><EntityType Name="Row"><Key><PropertyRef Name="Id"/></Key>
<Property Name="Id" Type="Edm.String"/>
<Property Name="Hours" Type="Edm.Decimal" Precision="18" Scale="6" v:label="Hours &lt;cut&gt;" v:new="1"/>
<NavigationProperty Name="Parts" Relationship="N.a"/></EntityType>
<EntityType Name="Row"><Key><PropertyRef Name="Id"/></Key><Property Name="Id" Type="Edm.String"/></EntityType>
<EntityContainer Name="C"><EntitySet Name="Rows" EntityType="N.Row"/>
<FunctionImport Name="go" ReturnType="N.Row" m:HttpMethod="PUT"><Parameter Name="Id"/></FunctionImport>
<FunctionImport Name="stop"/></EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"#;

    #[test]
    fn reads_types_sets_and_functions_past_unknown_annotations() {
        let edmx = Edmx::read(TEXT).unwrap();
        let row = edmx.type_of("Rows").unwrap();
        assert_eq!((row.keys.len(), row.properties.len()), (1, 2), "the second is no other type");
        let figure = &row.properties[1];
        assert_eq!(figure.declared(), "Edm.Decimal(18,6)");
        assert_eq!((figure.annotation("label"), figure.annotation("x")), ("Hours <cut>", ""));
        assert_eq!(row.navigations, ["Parts"]);
        assert_eq!(edmx.functions["go"].verb, "PUT");
        assert_eq!(edmx.functions["go"].parameters, ["Id"]);
        assert_eq!(edmx.functions["stop"].verb, "");
    }

    #[test]
    fn a_cut_document_is_not_a_small_one() {
        let error = Edmx::read(&TEXT[..TEXT.len() / 2]).unwrap_err();
        assert!(error.contains("ends inside") || error.contains("well-formed"), "{error}");
        assert!(Edmx::read("<html><body>Log on</body></html>").unwrap_err().contains("no schema"));
    }
}
