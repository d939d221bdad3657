//! `$metadata` and service documents, composed by us in the documented shape.

use std::fmt::Write as _;

use bytes::Bytes;
use http::Response;
use serde_json::json;

use super::{
    behaviours::{Switch, Switches},
    functions::{self, Function},
    labels::german,
    master::{MASTER_TYPES, MasterType},
    model::{ATTRIBUTES, KEY_FIGURES, PLANNING_AREA, TIME_LEVELS},
    planning::message_names,
    wire::{Format, XML, response},
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
        let semantics = if name == PLANNING_AREA { " sap:semantics=\"aggregate\"" } else { "" };
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

/// `$metadata` of the planning service.
pub(super) fn planning(switches: Switches) -> String {
    let mut schema = Schema::new("calcview");
    let trans = format!("{PLANNING_AREA}Trans");
    let message = format!("{PLANNING_AREA}Message");
    if switches.on(Switch::PlanningEnabled) {
        schema.entity(PLANNING_AREA, &["ID"], &area_properties(switches), "");
        let nav = schema.navigation(&format!("Nav{PLANNING_AREA}"), &trans, PLANNING_AREA, true);
        let mut fields: Vec<_> =
            ["Transactionid", "AggregationLevelFieldsString", "VersionID", "ScenarioID"]
                .map(|name| text(name, ""))
                .to_vec();
        fields.push(("DoCommit".into(), "Edm.Boolean".into(), String::new()));
        if switches.on(Switch::TransactionName) {
            fields.push(text("TransactionName", ""));
        }
        schema.entity(&trans, &["Transactionid"], &fields, &nav);
        let nav = schema.navigation(
            &format!("Nav{PLANNING_AREA}Message"),
            &message,
            PLANNING_AREA,
            false,
        );
        let fields: Vec<_> = message_names(switches).iter().map(|name| text(name, "")).collect();
        schema.entity(&message, &["Transactionid", "ExceptionId"], &fields, &nav);
        schema.set(PLANNING_AREA, PLANNING_AREA, " sap:creatable=\"false\"");
        schema.set(&trans, &trans, " sap:requires-filter=\"true\"");
        schema.set(&message, &message, " sap:requires-filter=\"true\"");
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

fn area_properties(switches: Switches) -> Vec<Property> {
    const DIMENSION: &str = " sap:aggregation-role=\"dimension\"";
    let spoken = |name: &str, label: &'static str| {
        if switches.on(Switch::GermanLabels) { german(name).unwrap_or(label) } else { label }
    };
    let mut properties = vec![("ID".to_owned(), "Edm.Int64".to_owned(), String::new())];
    for name in ["VERSIONID", "VERSIONNAME", "SCENARIOID", "SCENARIONAME"] {
        properties.push(text(name, DIMENSION));
    }
    for (name, label) in ATTRIBUTES {
        let label = spoken(name, label);
        properties.push(text(name, &format!("{DIMENSION} sap:label=\"{label}\"")));
    }
    for name in ["UOMTOID", "CURRTOID"] {
        properties.push(text(name, DIMENSION));
    }
    for figure in KEY_FIGURES {
        let kind = "Edm.Decimal Precision=\"18\" Scale=\"6\"".to_owned();
        let label = spoken(figure.id, figure.label);
        let label = format!(" sap:aggregation-role=\"measure\" sap:label=\"{label}\"");
        properties.push((figure.id.to_owned(), kind, label));
    }
    for level in TIME_LEVELS {
        let annotations = format!(
            "{DIMENSION} sap:display-format=\"Date\" sap:filter-restriction=\"interval\" \
             sap:label=\"{}\"",
            spoken(level.stamp, level.label)
        );
        let kind = "Edm.DateTime Precision=\"0\"".to_owned();
        properties.push((level.stamp.to_owned(), kind, annotations));
        properties.push((level.relative.to_owned(), "Edm.Int64".to_owned(), DIMENSION.to_owned()));
    }
    for name in ["LASTMODIFIEDDATE", "CREATEDDATE"] {
        let kind = "Edm.DateTime Precision=\"7\"".to_owned();
        properties.push((name.to_owned(), kind, String::new()));
    }
    properties
}

/// `$metadata` of the master data service.
pub(super) fn master(switches: Switches) -> String {
    let mut schema = Schema::new("IBP.MASTER_DATA_API_SRV");
    for kind in &MASTER_TYPES {
        master_type(&mut schema, kind, switches);
    }
    let catalogue =
        ["PlanningAreaID", "VersionID", "MasterDataTypeID", "PlanningAreaDescr", "VersionName"]
            .map(|name| text(name, ""));
    let keys = ["PlanningAreaID", "VersionID", "MasterDataTypeID"];
    schema.entity("VersionSpecificMasterDataType", &keys, &catalogue, "");
    schema.set("VersionSpecificMasterDataTypes", "VersionSpecificMasterDataType", "");
    schema.functions(&functions::master(switches));
    schema.render()
}

fn master_type(schema: &mut Schema, kind: &MasterType, switches: Switches) {
    let name = kind.name;
    let properties: Vec<_> = kind.properties().iter().map(|name| text(name, "")).collect();
    schema.entity(name, &kind.entity_keys(), &properties, "");
    let configuration = format!(" sap:configuration-type=\"{}\"", kind.configuration);
    schema.set(name, name, &configuration);
    if !kind.loadable {
        return;
    }
    let (trans, message) = (format!("{name}Trans"), format!("{name}Message"));
    let nav = schema.navigation(&format!("Nav{name}"), &trans, name, true);
    let mut fields: Vec<_> =
        ["TransactionID", "RequestedAttributes", "PlanningAreaID", "VersionID"]
            .map(|name| text(name, ""))
            .to_vec();
    fields.push(("DoCommit".into(), "Edm.Boolean".into(), String::new()));
    if switches.on(Switch::DeleteEntries) {
        fields.push(("DeleteEntries".into(), "Edm.Boolean".into(), String::new()));
    }
    if switches.on(Switch::TransactionName) {
        fields.push(text("TransactionName", ""));
    }
    schema.entity(&trans, &["TransactionID"], &fields, &nav);
    let nav = schema.navigation(&format!("Nav{name}"), &message, name, false);
    let fields = ["TransactionID", "MessageID", "MessageText"].map(|name| text(name, ""));
    schema.entity(&message, &["TransactionID", "MessageID"], &fields, &nav);
    schema.set(&trans, &trans, " sap:requires-filter=\"true\"");
    schema.set(&message, &message, " sap:requires-filter=\"true\"");
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
