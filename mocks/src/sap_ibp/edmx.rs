//! `$metadata` and service documents, composed by us in the documented shape.

use std::fmt::Write as _;

use bytes::Bytes;
use http::Response;
use serde_json::json;

use super::{
    SapIbp,
    behaviours::{Switch, Switches},
    functions::{self, Function},
    labels::german,
    master::MasterType,
    master_api::{self, CATALOGUE, CATALOGUE_KEYS, CATALOGUE_NAMES, MESSAGE},
    model::VERSION_FIELDS,
    planning::{TRANS, message_names},
    wire::{Format, XML, escape, response},
};

/// A schema under construction.
struct Schema {
    namespace: &'static str,
    types: String,
    sets: String,
    functions: String,
}

/// One property: name, type with facets, annotations.
type Property = (String, String, String);

fn text(name: &str, annotations: &str) -> Property {
    (name.to_owned(), "Edm.String".to_owned(), annotations.to_owned())
}

impl Schema {
    const fn new(namespace: &'static str) -> Self {
        Self { namespace, types: String::new(), sets: String::new(), functions: String::new() }
    }

    fn entity(&mut self, name: &str, keys: &[&str], properties: &[Property], inner: &str) {
        let mut key = String::new();
        for name in keys {
            let _ = write!(key, "<PropertyRef Name=\"{name}\"/>");
        }
        let mut body = String::new();
        for (property, kind, annotations) in properties {
            let nullable =
                if keys.contains(&property.as_str()) { " Nullable=\"false\"" } else { "" };
            let facets = match kind.split_once(' ') {
                Some((kind, facets)) => format!("Type=\"{kind}\" {facets}"),
                None => format!("Type=\"{kind}\""),
            };
            let _ = write!(body, "<Property Name=\"{property}\" {facets}{nullable}{annotations}/>");
        }
        let aggregates = body.contains("aggregation-role=\"measure\"");
        let semantics = if aggregates { " sap:semantics=\"aggregate\"" } else { "" };
        let _ = write!(
            self.types,
            "<EntityType Name=\"{name}\"{semantics} sap:content-version=\"1\"><Key>{key}</Key>\
             {body}{inner}</EntityType>"
        );
    }

    fn set(&mut self, name: &str, kind: &str, annotations: &str) {
        let namespace = self.namespace;
        let _ = write!(
            self.sets,
            "<EntitySet Name=\"{name}\" EntityType=\"{namespace}.{kind}\"{annotations}/>"
        );
    }

    /// An association from `from` to `to`; returns the navigation property.
    fn navigation(&mut self, name: &str, from: &str, to: &str, many: bool) -> String {
        let (namespace, to_many) = (self.namespace, if many { "*" } else { "1" });
        let association = format!("{from}_{name}");
        let _ = write!(
            self.types,
            "<Association Name=\"{association}\" sap:content-version=\"1\">\
             <End Type=\"{namespace}.{from}\" Multiplicity=\"1\" Role=\"From_{association}\"/>\
             <End Type=\"{namespace}.{to}\" Multiplicity=\"{to_many}\" Role=\"To_{association}\"/>\
             </Association>"
        );
        let _ = write!(
            self.sets,
            "<AssociationSet Name=\"{association}Set\" Association=\"{namespace}.{association}\">\
             <End EntitySet=\"{from}\" Role=\"From_{association}\"/>\
             <End EntitySet=\"{to}\" Role=\"To_{association}\"/></AssociationSet>"
        );
        format!(
            "<NavigationProperty Name=\"{name}\" Relationship=\"{namespace}.{association}\" \
             FromRole=\"From_{association}\" ToRole=\"To_{association}\"/>"
        )
    }

    fn functions(&mut self, functions: &[Function]) {
        for Function { name, verb, many, parameters, .. } in functions.iter().filter(|f| f.listed) {
            let result = format!("{}.ValueResult", self.namespace);
            let kind = if *many { format!("Collection({result})") } else { result };
            let mut inner = String::new();
            for name in parameters {
                let _ =
                    write!(inner, "<Parameter Name=\"{name}\" Type=\"Edm.String\" Mode=\"In\"/>");
            }
            let _ = write!(
                self.functions,
                "<FunctionImport Name=\"{name}\" ReturnType=\"{kind}\" EntitySet=\"ValueResultSet\" \
                 m:HttpMethod=\"{verb}\">{inner}</FunctionImport>"
            );
        }
    }

    fn render(mut self) -> String {
        let result = [text("Name", ""), text("Value", "")];
        self.entity("ValueResult", &["Name"], &result, "");
        self.set("ValueResultSet", "ValueResult", " sap:addressable=\"false\"");
        let Self { namespace, types, sets, functions } = self;
        format!(
            "{XML}<edmx:Edmx Version=\"1.0\" \
             xmlns:edmx=\"http://schemas.microsoft.com/ado/2007/06/edmx\" \
             xmlns:m=\"http://schemas.microsoft.com/ado/2007/08/dataservices/metadata\" \
             xmlns:sap=\"http://www.sap.com/Protocols/SAPData\">\
             <edmx:DataServices m:DataServiceVersion=\"2.0\">\
             <Schema Namespace=\"{namespace}\" sap:schema-version=\"1\" \
             xmlns=\"http://schemas.microsoft.com/ado/2008/09/edm\">{types}\
             <EntityContainer Name=\"{namespace}_Entities\" m:IsDefaultEntityContainer=\"true\" \
             sap:supported-formats=\"atom json xlsx pdf\">{sets}{functions}</EntityContainer>\
             </Schema></edmx:DataServices></edmx:Edmx>",
        )
    }
}

/// `$metadata` of the planning service with the areas that it offers.
pub(super) fn planning(sandbox: &SapIbp, offered: &[String]) -> String {
    let switches = sandbox.options.switches;
    let mut schema = Schema::new("calcview");
    for area in offered {
        let properties = if *area == sandbox.area.name {
            area_properties(sandbox)
        } else {
            other_properties(sandbox)
        };
        area_sets(&mut schema, area, &properties, switches);
    }
    let delta = [
        "DeltaQueryID",
        "DeltaQueryDescription",
        "PlanningAreaID",
        "DeltaQuerySelect",
        "DeltaQueryFilter",
    ]
    .map(|name| text(name, ""));
    schema.entity("KeyFigureDeltaDefinition", &["DeltaQueryID"], &delta, "");
    schema.set("KeyFigureDeltaDefinitionSet", "KeyFigureDeltaDefinition", "");
    schema.functions(&functions::planning(switches));
    schema.render()
}

/// The three sets of one area (section 3).
fn area_sets(schema: &mut Schema, area: &str, properties: &[Property], switches: Switches) {
    schema.entity(area, &["ID"], properties, "");
    let newer = [("TransactionName", Switch::TransactionName)];
    let newer = newer.into_iter().filter(|(_, switch)| switches.on(*switch));
    let nav = format!("Nav{area}Message");
    import(schema, area, (&TRANS, newer), (message_names(switches), &nav));
    schema.set(area, area, " sap:creatable=\"false\"");
}

/// The two sets of an import: what is staged, and what is said of it. The first
/// names are their keys.
fn import<'a>(
    schema: &mut Schema,
    of: &str,
    (staged, newer): (&[&'a str], impl Iterator<Item = (&'a str, Switch)>),
    (said, to_row): (&[&str], &str),
) {
    let (trans, message) = (format!("{of}Trans"), format!("{of}Message"));
    let nav = schema.navigation(&format!("Nav{of}"), &trans, of, true);
    let field = |name: &str| match name {
        "DoCommit" | "DeleteEntries" => (name.into(), "Edm.Boolean".into(), String::new()),
        _ => text(name, ""),
    };
    let fields = staged.iter().copied().chain(newer.map(|(name, _)| name)).map(field);
    schema.entity(&trans, &staged[..1], &fields.collect::<Vec<_>>(), &nav);
    let nav = schema.navigation(to_row, &message, of, false);
    let fields: Vec<_> = said.iter().map(|name| text(name, "")).collect();
    schema.entity(&message, &said[..2], &fields, &nav);
    for set in [trans, message] {
        schema.set(&set, &set, " sap:requires-filter=\"true\"");
    }
}

const DIMENSION: &str = " sap:aggregation-role=\"dimension\"";

fn measure(id: &str, label: &str) -> Property {
    let kind = "Edm.Decimal Precision=\"18\" Scale=\"6\"".to_owned();
    let label = escape(label);
    let label = format!(" sap:aggregation-role=\"measure\" sap:label=\"{label}\"");
    (id.to_owned(), kind, label)
}

/// What every area has before its key figures: key, versions, attributes, units.
fn dimensions(sandbox: &SapIbp) -> Vec<Property> {
    let language = usize::from(sandbox.options.switches.on(Switch::GermanLabels));
    let mut properties = vec![("ID".to_owned(), "Edm.Int64".to_owned(), String::new())];
    properties.extend(VERSION_FIELDS.map(|name| text(name, DIMENSION)));
    for (name, labels) in sandbox.area.attributes() {
        let label = labels[language];
        properties.push(text(&name, &format!("{DIMENSION} sap:label=\"{label}\"")));
    }
    properties.extend(["UOMTOID", "CURRTOID"].map(|name| text(name, DIMENSION)));
    properties
}

fn area_properties(sandbox: &SapIbp) -> Vec<Property> {
    let in_german = sandbox.options.switches.on(Switch::GermanLabels);
    let mut properties = dimensions(sandbox);
    for figure in &sandbox.plan.model.measures {
        let other = german(&figure.id).filter(|_| in_german);
        properties.push(measure(&figure.id, other.unwrap_or(&figure.label)));
    }
    properties.extend(times(sandbox));
    properties
}

/// An area of somebody else: one key figure, at the same levels.
fn other_properties(sandbox: &SapIbp) -> Vec<Property> {
    let mut properties = dimensions(sandbox);
    properties.push(measure("SALESFORECASTQTY", "Sales Forecast Qty"));
    properties.extend(times(sandbox));
    properties
}

fn times(sandbox: &SapIbp) -> Vec<Property> {
    let language = usize::from(sandbox.options.switches.on(Switch::GermanLabels));
    let mut properties = Vec::new();
    for level in &sandbox.area.times {
        let annotations = format!(
            "{DIMENSION} sap:display-format=\"Date\" sap:filter-restriction=\"interval\" \
             sap:label=\"{}\"",
            level.labels[language]
        );
        let kind = "Edm.DateTime Precision=\"0\"".to_owned();
        properties.push((level.stamp.to_string(), kind, annotations));
        properties.push((level.relative.clone(), "Edm.Int64".to_owned(), DIMENSION.to_owned()));
    }
    for name in ["LASTMODIFIEDDATE", "CREATEDDATE"] {
        let kind = "Edm.DateTime Precision=\"7\"".to_owned();
        properties.push((name.to_owned(), kind, String::new()));
    }
    properties
}

/// `$metadata` of the master data service.
pub(super) fn master(sandbox: &SapIbp) -> String {
    let switches = sandbox.options.switches;
    let mut schema = Schema::new("IBP.MASTER_DATA_API_SRV");
    for kind in sandbox.master_types() {
        master_type(&mut schema, kind, switches);
    }
    let catalogue = CATALOGUE_NAMES.map(|name| text(name, ""));
    schema.entity("VersionSpecificMasterDataType", &CATALOGUE_KEYS, &catalogue, "");
    schema.set(CATALOGUE, "VersionSpecificMasterDataType", "");
    schema.functions(&functions::master(switches));
    schema.render()
}

fn master_type(schema: &mut Schema, kind: &MasterType, switches: Switches) {
    let name = &*kind.name;
    let names = kind.properties(switches);
    let properties: Vec<_> = names.into_iter().map(|name| text(name, "")).collect();
    schema.entity(name, &kind.entity_keys(switches), &properties, "");
    let configuration = format!(" sap:configuration-type=\"{}\"", kind.configuration);
    schema.set(name, name, &configuration);
    if !kind.loadable {
        return;
    }
    let newer =
        [("DeleteEntries", Switch::DeleteEntries), ("TransactionName", Switch::TransactionName)];
    let newer = newer.into_iter().filter(|(_, switch)| switches.on(*switch));
    import(schema, name, (&master_api::TRANS, newer), (&MESSAGE, &format!("Nav{name}")));
}

/// The service document.
pub(super) fn service_document(sets: &[String], format: Format) -> Response<Bytes> {
    match format {
        Format::Json => {
            let body = json!({ "d": { "EntitySets": sets } }).to_string();
            response(200, "application/json", body)
        }
        Format::Atom => {
            let mut inner = String::new();
            for set in sets {
                let _ = write!(
                    inner,
                    "<app:collection href=\"{set}\"><atom:title type=\"text\">{set}</atom:title>\
                     </app:collection>"
                );
            }
            let body = format!(
                "{XML}<app:service xmlns:app=\"http://www.w3.org/2007/app\" \
                 xmlns:atom=\"http://www.w3.org/2005/Atom\"><app:workspace>\
                 <atom:title type=\"text\">Data</atom:title>{inner}</app:workspace></app:service>"
            );
            response(200, "application/atomsvc+xml;charset=utf-8", body)
        }
    }
}
