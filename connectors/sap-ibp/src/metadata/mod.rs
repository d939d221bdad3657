//! What the two services declare: the planning area, and the master data types
//! that matter to capacity.
//!
//! Metadata is evidence for `check` and drift, never a generator: `commit` is
//! missing from one real document and `InitiateParallelProcess` is declared
//! with another verb than clients use (§3). Verbs and names of operations are
//! configuration.

#[cfg(test)]
pub(crate) mod samples;

use planthread_kit::{SurfaceItem, SurfaceKind};
use planthread_odata::edmx::{Edmx, EntityType, Property};
use sha2::{Digest as _, Sha256};

/// Conversion attributes of the fact sheet (§3): quantity and money.
const CONVERSIONS: [&str; 2] = ["UOMTOID", "CURRTOID"];
/// Columns that describe a row and can't be written (§6.8 rule 8).
const DESCRIBING: [&str; 6] =
    ["VERSIONID", "VERSIONNAME", "SCENARIOID", "SCENARIONAME", "LASTMODIFIEDDATE", "CREATEDDATE"];

/// One planning area, as declared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PlanningArea {
    /// Key figures.
    pub(crate) measures: Vec<Property>,
    /// Attributes.
    pub(crate) attributes: Vec<Property>,
    /// `PERIODIDn_TSTAMP` fields with their labels.
    pub(crate) times: Vec<Property>,
    /// `UOMTOID`, `CURRTOID`.
    pub(crate) conversions: Vec<Property>,
    /// Navigation from the transaction set to the rows, where that set exists.
    pub(crate) transaction_navigation: Option<String>,
    /// Properties of the transaction set.
    pub(crate) transaction_properties: Vec<String>,
    /// Whether the message set exists.
    pub(crate) has_messages: bool,
}

impl PlanningArea {
    /// The area `name` of a planning service; `None` when it is not enabled
    /// there.
    pub(crate) fn find(edmx: &Edmx, name: &str) -> Option<Self> {
        let area = edmx.type_of(name)?;
        let mut found = Self {
            measures: Vec::new(),
            attributes: Vec::new(),
            times: Vec::new(),
            conversions: Vec::new(),
            transaction_navigation: None,
            transaction_properties: Vec::new(),
            has_messages: false,
        };
        for property in &area.properties {
            match kind_of(property, area) {
                Some(SurfaceKind::Measure) => found.measures.push(property.clone()),
                Some(SurfaceKind::Attribute) => found.attributes.push(property.clone()),
                Some(SurfaceKind::Time) => found.times.push(property.clone()),
                Some(SurfaceKind::Conversion) => found.conversions.push(property.clone()),
                _ => {}
            }
        }
        if let Some(transaction) = edmx.type_of(&format!("{name}Trans")) {
            found.transaction_navigation = transaction.navigations.first().cloned();
            found.transaction_properties =
                transaction.properties.iter().map(|property| property.name.clone()).collect();
        }
        found.has_messages = edmx.type_of(&format!("{name}Message")).is_some();
        Some(found)
    }

    /// The key figure `name`.
    pub(crate) fn measure(&self, name: &str) -> Option<&Property> {
        self.measures.iter().find(|property| property.name == name)
    }

    /// The attribute `name`.
    pub(crate) fn attribute(&self, name: &str) -> Option<&Property> {
        self.attributes.iter().find(|property| property.name == name)
    }

    /// The time field `name`.
    pub(crate) fn time(&self, name: &str) -> Option<&Property> {
        self.times.iter().find(|property| property.name == name)
    }
}

/// The label for people, in whatever language the user's is (`sap:label`).
pub(crate) fn label(property: &Property) -> &str {
    property.annotation("label")
}

/// What a property of the area is; `None` for columns that only describe.
fn kind_of(property: &Property, area: &EntityType) -> Option<SurfaceKind> {
    let name = property.name.as_str();
    if DESCRIBING.contains(&name) || area.keys.iter().any(|key| key == name) {
        return None;
    }
    if CONVERSIONS.contains(&name) {
        return Some(SurfaceKind::Conversion);
    }
    if let Some(rest) = name.strip_prefix("PERIODID") {
        let digits = rest.trim_start_matches(|part: char| part.is_ascii_digit());
        return (digits == "_TSTAMP").then_some(SurfaceKind::Time);
    }
    match (property.annotation("aggregation-role"), property.edm.as_str()) {
        ("measure", _) | ("", "Edm.Decimal") => Some(SurfaceKind::Measure),
        ("dimension", _) | ("", "Edm.String") => Some(SurfaceKind::Attribute),
        _ => None,
    }
}

/// A master data type that is keyed by resource, or by resource and location.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MasterType {
    /// Entity set.
    pub(crate) name: String,
    /// Whether its key names planning area and version, so that reads must.
    pub(crate) version_specific: bool,
}

/// Types whose business keys are exactly `keys`: resource master is keyed by
/// the resource, resource-location by both, production resource by the
/// resource and something else (§4, B). Names carry a tenant prefix, so keys
/// decide and the user confirms.
pub(crate) fn keyed_by(edmx: &Edmx, keys: &[&str]) -> Vec<MasterType> {
    let business = |entity: &EntityType| {
        let of_area = |key: &str| AREA_KEYS.contains(&key);
        let mut found: Vec<String> =
            entity.keys.iter().filter(|key| !of_area(key)).cloned().collect();
        found.sort();
        found
    };
    let mut wanted: Vec<String> = keys.iter().map(|&key| key.to_owned()).collect();
    wanted.sort();
    master_types(edmx)
        .filter(|(_, entity)| business(entity) == wanted)
        .map(|(one, _)| one)
        .collect()
}

/// What says, in a key, that rows belong to one area and version.
const AREA_KEYS: [&str; 2] = ["PlanningAreaID", "VersionID"];

/// The sets that hold master data: not those of transactions, and not the
/// value helps (`_VI`) that stand beside the types (B).
pub(crate) fn master_types(edmx: &Edmx) -> impl Iterator<Item = (MasterType, &EntityType)> {
    let holds = |set: &&String| !["Trans", "Message", "_VI"].iter().any(|end| set.ends_with(end));
    edmx.sets.keys().filter(holds).filter_map(|set| {
        let entity = edmx.type_of(set)?;
        let version_specific = AREA_KEYS.iter().all(|key| entity.keys.iter().any(|own| own == key));
        Some((MasterType { name: set.clone(), version_specific }, entity))
    })
}

/// The configured type `name`, if it holds master data.
pub(crate) fn named(edmx: &Edmx, name: &str) -> Option<MasterType> {
    master_types(edmx).map(|(master, _)| master).find(|master| master.name == name)
}

/// Everything addressable of an area, its operations and its master types, by
/// kind and name.
pub(crate) fn surface(
    area: &PlanningArea,
    planning: &Edmx,
    masters: &[MasterType],
) -> Vec<SurfaceItem> {
    let mut items = Vec::new();
    for (kind, properties) in [
        (SurfaceKind::Measure, &area.measures),
        (SurfaceKind::Attribute, &area.attributes),
        (SurfaceKind::Time, &area.times),
        (SurfaceKind::Conversion, &area.conversions),
    ] {
        items.extend(properties.iter().map(|property| SurfaceItem {
            name: property.name.clone(),
            kind,
            label: label(property).to_owned(),
            declared: property.declared(),
        }));
    }
    items.extend(planning.functions.iter().map(|(name, function)| SurfaceItem {
        name: name.clone(),
        kind: SurfaceKind::Operation,
        label: String::new(),
        declared: format!("{}({})", function.verb, function.parameters.join(",")),
    }));
    items.extend(masters.iter().map(|master| SurfaceItem {
        name: master.name.clone(),
        kind: SurfaceKind::MasterData,
        label: String::new(),
        declared: if master.version_specific { "version specific" } else { "" }.to_owned(),
    }));
    items.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    items
}

/// Digest of what the surface means. Labels and the order of the document are
/// left out: a translated label is not drift.
pub(crate) fn fingerprint(items: &[SurfaceItem]) -> String {
    let mut lines: Vec<String> = items
        .iter()
        .map(|item| format!("{:?} {} {}\n", item.kind, item.name, item.declared))
        .collect();
    lines.sort();
    let digest = Sha256::digest(lines.concat());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(text: &str) -> (Edmx, PlanningArea) {
        let edmx = Edmx::read(text).unwrap();
        let area = PlanningArea::find(&edmx, "ZPA").unwrap();
        (edmx, area)
    }

    #[test]
    fn sorts_columns_into_what_they_are() {
        let (edmx, area) = area(&samples::planning());
        let names = |list: &[Property]| {
            list.iter().map(|property| property.name.clone()).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(names(&area.measures), "CAPASUPPLY ZTWINCAPA ZTWINOUTPUT UTILIZATIONPCT");
        assert_eq!(names(&area.attributes), "RESID LOCID PRDID");
        assert_eq!(names(&area.conversions), "UOMTOID CURRTOID");
        assert_eq!(label(area.time("PERIODID4_TSTAMP").unwrap()), "Week (As Timestamp)");
        assert_eq!(area.times.len(), 4, "relative periods are not time fields");
        assert_eq!(area.transaction_navigation.as_deref(), Some("NavZPA"));
        assert!(area.has_messages);
        assert!(!area.transaction_properties.contains(&"TransactionName".to_owned()));
        assert_eq!(PlanningArea::find(&edmx, "ZOTHER"), None);
    }

    #[test]
    fn master_types_are_found_by_their_keys() {
        let edmx = Edmx::read(&samples::master_data()).unwrap();
        let pairs = keyed_by(&edmx, &["RESID", "LOCID"]);
        assert_eq!(pairs.len(), 1);
        assert_eq!(
            (pairs[0].name.as_str(), pairs[0].version_specific),
            ("PTRESOURCELOCATION", true)
        );
        let resources = keyed_by(&edmx, &["RESID"]);
        assert_eq!(resources.len(), 1, "production resources and Trans sets are something else");
        assert_eq!(named(&edmx, "PTNOWHERE"), None);
    }

    #[test]
    fn the_fingerprint_moves_with_meaning_only() {
        let print = |text: &str| {
            let (edmx, area) = area(text);
            fingerprint(&surface(&area, &edmx, &[]))
        };
        let base = print(&samples::planning());
        assert_eq!(base, print(&samples::planning().replace("RESID label", "Ressource")));
        assert_eq!(
            base,
            print(&samples::planning_with(&[
                "UTILIZATIONPCT",
                "ZTWINCAPA",
                "ZTWINOUTPUT",
                "CAPASUPPLY"
            ]))
        );
        assert_ne!(base, print(&samples::planning().replace(r#"Scale="6""#, r#"Scale="0""#)));
        assert_ne!(base, print(&samples::planning_with(&["CAPASUPPLY"])));
    }
}
