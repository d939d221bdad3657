//! Master data: what exists, and its catalogue.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    behaviours::{Switch, Switches},
    model::{Area, BASELINE, DESCRIPTIONS, Name},
    options::Options,
    transaction::Progress,
};
use crate::sdk::{
    ShapeResource,
    plan::{Model, Places},
};

/// Planning areas of somebody else in the same tenant: name, what the names of
/// their types begin with, description, and their own unit. The second is of
/// the harmonised family, and not offered by the planning service.
pub(super) const OTHER_AREAS: [(&str, &str, &str, &str); 2] = [
    ("PTSALES", "PS", "Sales planning", "KG"),
    ("PTHARMON", "PH", "Harmonised planning area", "PC"),
];

/// One master data type. Its prefix is the tenant's, as in real tenants.
#[derive(Debug, Clone)]
pub(super) struct MasterType {
    /// Name of the type and its set.
    pub(super) name: String,
    /// Business keys.
    pub(super) keys: Vec<String>,
    /// Other attributes.
    pub(super) attributes: Vec<String>,
    /// `sap:configuration-type`.
    pub(super) configuration: &'static str,
    /// Whether its rows belong to a version.
    pub(super) version_specific: bool,
    /// Reference types have no `Trans` set.
    pub(super) loadable: bool,
    /// The planning area that it belongs to; `None` belongs to none.
    pub(super) area: Option<String>,
    /// Of a value-help set: the type whose rows it shows.
    shows: Option<usize>,
}

impl MasterType {
    fn new(area: &str, name: String, keys: &[&str], attributes: &[&str]) -> Self {
        let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        Self {
            name,
            keys: owned(keys),
            attributes: owned(attributes),
            configuration: "Simple",
            version_specific: false,
            loadable: true,
            area: Some(area.to_owned()),
            shows: None,
        }
    }

    fn compound(self) -> Self {
        Self { configuration: "Compound", version_specific: true, ..self }
    }

    fn reference(self) -> Self {
        Self { configuration: "Reference", loadable: false, ..self }
    }

    /// Whether `PlanningAreaID` and `VersionID` belong to its key (section 4).
    pub(super) fn in_area(&self, switches: Switches) -> bool {
        self.area.is_some() && (self.version_specific || switches.on(Switch::AreaKeys))
    }

    /// The keys of its entity type.
    pub(super) fn entity_keys(&self, switches: Switches) -> Vec<&str> {
        let version: &[_] = if self.in_area(switches) { &VERSION_KEYS } else { &[] };
        self.keys.iter().map(String::as_str).chain(version.iter().copied()).collect()
    }

    /// All properties of its entity type, keys first.
    pub(super) fn properties(&self, switches: Switches) -> Vec<&str> {
        let attributes = self.attributes.iter().map(String::as_str);
        self.entity_keys(switches).into_iter().chain(attributes).collect()
    }

    /// Adds area and version to a row where they belong to the key.
    pub(super) fn show(&self, row: &Attributes, version: &str, switches: Switches) -> Attributes {
        let mut row = row.clone();
        if self.in_area(switches) {
            let shown = if version.is_empty() { BASELINE } else { version };
            let area = self.area.clone().unwrap_or_default();
            row.extend(VERSION_KEYS.map(str::to_owned).into_iter().zip([area, shown.to_owned()]));
        }
        row
    }

    /// Whether it is a value help, and no master data.
    pub(super) const fn is_help(&self) -> bool {
        self.shows.is_some()
    }

    /// Whether the service offers it.
    pub(super) fn offered(&self, own: &str, switches: Switches) -> bool {
        let ours = match &self.area {
            Some(area) => area == own || switches.on(Switch::SeveralAreas),
            None => switches.on(Switch::AreaKeys),
        };
        ours && (self.shows.is_none() || switches.on(Switch::ValueHelpSets))
    }
}

/// What belongs to the key of a type that belongs to an area.
const VERSION_KEYS: [&str; 2] = ["PlanningAreaID", "VersionID"];

/// Index of the resource master of an area, from its first type.
const RESOURCE: usize = 0;
/// Index of the location master.
const LOCATION: usize = 1;
/// Index of the resource-location master.
const PAIR: usize = 2;
/// Index of the units.
const UNIT: usize = 3;
/// Index of the currencies.
const CURRENCY: usize = 4;

/// Attributes of one row by name.
pub(super) type Attributes = BTreeMap<String, String>;

/// One transaction of the master data service.
#[derive(Debug, Default)]
pub(super) struct MasterTransaction {
    /// The type it loads, with the version (empty is base); set by the first POST.
    pub(super) target: Option<(usize, String)>,
    pub(super) delete: Option<bool>,
    pub(super) rows: Vec<Attributes>,
    pub(super) progress: Progress,
    pub(super) messages: Vec<(String, Attributes)>,
}

/// All master data, and the transactions that change it.
#[derive(Debug)]
pub(super) struct Master {
    pub(super) types: Vec<MasterType>,
    /// By type, version (empty is base) and key values.
    rows: BTreeMap<(usize, String, Vec<String>), Attributes>,
    pub(super) transactions: BTreeMap<String, MasterTransaction>,
    resource: Name,
    location: Name,
}

impl Master {
    /// The master data at start-up.
    pub(super) fn new(options: &Options, area: &Area, model: &Model) -> Self {
        let mut master = Self {
            types: types(options, area),
            rows: BTreeMap::new(),
            transactions: BTreeMap::new(),
            resource: area.resource.clone(),
            location: area.location.clone(),
        };
        let (resources, locations) = content(options);
        for (location, description) in locations {
            let row = [(&*area.location, location), (DESCRIPTIONS[1], description)];
            master.put(LOCATION, "", attributes(&row, &[("LOCTYPE", "P")]));
        }
        for one in resources {
            master.add(one, model);
        }
        for (unit, factor) in &area.units {
            let description = format!("{factor} {}", area.units[0].0);
            let row = [("UOMTOID", unit.clone()), ("UOMTODESCR", description)];
            master.put(UNIT, "", attributes(&row, &[]));
        }
        for currency in &area.currencies {
            master.put(CURRENCY, "", attributes(&[], &[("CURRTOID", currency)]));
        }
        for (n, (.., prefix, _, unit)) in OTHER_AREAS.iter().enumerate() {
            let first = (n + 1) * TYPES_OF_AREA;
            let (id, place) = (format!("{prefix}-1"), format!("{prefix}01"));
            let resource = [(&*area.resource, id.clone())];
            master.put(first + RESOURCE, "", attributes(&resource, &[]));
            let location = [(&*area.location, place.clone())];
            master.put(first + LOCATION, "", attributes(&location, &[]));
            let pair = [(&*area.resource, id), (&*area.location, place)];
            master.put(first + PAIR, "", attributes(&pair, &[]));
            master.put(first + UNIT, "", attributes(&[], &[("UOMTOID", unit)]));
        }
        master
    }

    /// Adds a resource at its location, in every version.
    pub(super) fn add(&mut self, one: ShapeResource, model: &Model) {
        let (resource, location) = (self.resource.clone(), self.location.clone());
        let row = [(&*resource, one.resource.clone()), (DESCRIPTIONS[0], one.description)];
        self.put(RESOURCE, "", attributes(&row, &[("RESTYPE", "P")]));
        let pair = attributes(&[(&*resource, one.resource), (&*location, one.location)], &[]);
        for version in [""].into_iter().chain(model.scopes.iter().map(|(name, _)| &**name)) {
            self.put(PAIR, version, pair.clone());
        }
    }

    fn put(&mut self, kind: usize, version: &str, row: Attributes) {
        let key = self.key_of(kind, &row);
        self.rows.insert((kind, version.to_owned(), key), row);
    }

    fn key_of(&self, kind: usize, row: &Attributes) -> Vec<String> {
        let keys = self.types[kind].keys.iter();
        keys.map(|key| row.get(key).cloned().unwrap_or_default()).collect()
    }

    fn describe(&self, kind: usize, id: &str) -> &str {
        let row = self.rows.get(&(kind, String::new(), vec![id.to_owned()]));
        row.and_then(|row| row.get(DESCRIPTIONS[kind])).map_or("", String::as_str)
    }

    /// All rows of a type as a read shows them, versions included.
    pub(super) fn list(&self, kind: usize, switches: Switches) -> Vec<Attributes> {
        let shown = &self.types[kind];
        let of = shown.shows.unwrap_or(kind);
        let rows = self.rows.range((of, String::new(), Vec::new())..);
        rows.take_while(|((kind, ..), _)| *kind == of)
            .map(|((_, version, _), row)| shown.show(row, version, switches))
            .collect()
    }

    /// Loads the rows of a transaction; gives its messages.
    pub(super) fn load(&mut self, transaction: &mut MasterTransaction, reject_duplicates: bool) {
        let Some((kind, version)) = transaction.target.clone() else { return };
        let mut seen = BTreeMap::new();
        for row in &transaction.rows {
            *seen.entry(self.key_of(kind, row)).or_insert(0u32) += 1;
        }
        for row in std::mem::take(&mut transaction.rows) {
            let key = self.key_of(kind, &row);
            if let Some(missing) =
                self.types[kind].keys.iter().zip(&key).find(|(_, v)| v.is_empty())
            {
                let text = format!("Key attribute {} is empty", missing.0);
                transaction.messages.push((text, row));
            } else if reject_duplicates && seen.get(&key).is_some_and(|times| *times > 1) {
                let text = format!("119 Duplicate master data: {}", key.join(", "));
                transaction.messages.push((text, row));
            } else if transaction.delete == Some(true) {
                if self.rows.remove(&(kind, version.clone(), key.clone())).is_none() {
                    let text = format!("{} does not exist", key.join(", "));
                    transaction.messages.push((text, row));
                }
            } else if let Some(text) = self.dangling(kind, &row) {
                transaction.messages.push((text, row));
            } else {
                let slot = self.rows.entry((kind, version.clone(), key)).or_default();
                slot.extend(row);
            }
        }
    }

    /// A compound row needs its simple ones first.
    fn dangling(&self, kind: usize, row: &Attributes) -> Option<String> {
        if kind != PAIR {
            return None;
        }
        [(RESOURCE, &self.resource), (LOCATION, &self.location)].into_iter().find_map(
            |(simple, name)| {
                let id = row.get(&**name).cloned().unwrap_or_default();
                let known = self.rows.contains_key(&(simple, String::new(), vec![id.clone()]));
                let holder = &self.types[simple].name;
                (!known).then(|| format!("{name} {id} does not exist in {holder}"))
            },
        )
    }
}

impl Places for Master {
    fn pairs(&self, scope: &str) -> Vec<(String, String)> {
        let first = (PAIR, scope.to_owned(), Vec::new());
        let rows = self.rows.range(first..).map(|((kind, version, _), row)| (kind, version, row));
        rows.take_while(|(kind, version, _)| **kind == PAIR && *version == scope)
            .map(|(.., row)| (row[&*self.resource].clone(), row[&*self.location].clone()))
            .collect()
    }

    fn has_pair(&self, scope: &str, resource: &str, location: &str) -> bool {
        let key = vec![resource.to_owned(), location.to_owned()];
        self.rows.contains_key(&(PAIR, scope.to_owned(), key))
    }

    fn resource(&self, id: &str) -> &str {
        self.describe(RESOURCE, id)
    }

    fn location(&self, id: &str) -> &str {
        self.describe(LOCATION, id)
    }
}

/// Types that an area has of its own.
const TYPES_OF_AREA: usize = 5;

/// All master data types: those of the own area, of the others, one that belongs
/// to none, and the value helps of all of them.
fn types(options: &Options, area: &Area) -> Vec<MasterType> {
    let own = (&*area.name, &*area.prefix);
    let others = OTHER_AREAS.iter().map(|(name, prefix, ..)| (*name, *prefix));
    let mut types: Vec<_> = [own]
        .into_iter()
        .chain(others)
        .flat_map(|(name, prefix)| of_area(area, name, prefix))
        .collect();
    if let Some(shape) = &options.shape {
        for (kind, path) in [(RESOURCE, "resource"), (PAIR, "resource_location")] {
            if let Some(name) = shape.setting(&format!("master_data.{path}")) {
                name.clone_into(&mut types[kind].name);
            }
        }
    }
    let mut calendar = MasterType::new("", "PTCALENDAR".to_owned(), &["CALENDARID"], &[]);
    calendar.area = None;
    types.push(calendar);
    let helps: Vec<_> = types
        .iter()
        .enumerate()
        .map(|(n, kind)| MasterType {
            name: format!("{}_VI", kind.name),
            loadable: false,
            shows: Some(n),
            ..kind.clone()
        })
        .collect();
    types.extend(helps);
    types
}

fn of_area(names: &Area, area: &str, prefix: &str) -> [MasterType; TYPES_OF_AREA] {
    let (resource, location) = (&*names.resource, &*names.location);
    let kind = |name: &str, keys: &[&str], attributes: &[&str]| {
        MasterType::new(area, format!("{prefix}{name}"), keys, attributes)
    };
    [
        kind("RESOURCE", &[resource], &[DESCRIPTIONS[0], "RESTYPE"]),
        kind("LOCATION", &[location], &[DESCRIPTIONS[1], "LOCTYPE"]),
        kind("RESOURCELOCATION", &[resource, location], &[]).compound(),
        kind("UOMTO", &["UOMTOID"], &["UOMTODESCR"]).reference(),
        kind("CURRENCYTO", &["CURRTOID"], &[]).reference(),
    ]
}

/// Resources, and locations with their descriptions.
fn content(options: &Options) -> (Vec<ShapeResource>, Vec<(String, String)>) {
    if let Some(shape) = &options.shape {
        let locations: BTreeSet<_> = shape.resources.iter().map(|one| &one.location).collect();
        let locations = locations.into_iter().map(|location| (location.clone(), String::new()));
        return (shape.resources.clone(), locations.collect());
    }
    let mut resources: Vec<_> = ShapeResource::demo(options.resources.into()).collect();
    // Every fifth has no description: predicates on it drop such rows.
    resources.iter_mut().skip(4).step_by(5).for_each(|one| one.description.clear());
    let locations = [("1010", "Plant Regensburg"), ("1020", "Plant Dresden")];
    let locations = locations.map(|(id, name)| (id.to_owned(), name.to_owned()));
    (resources, locations.to_vec())
}

fn attributes(owned: &[(&str, String)], more: &[(&str, &str)]) -> Attributes {
    let owned = owned.iter().map(|(name, value)| ((*name).to_owned(), value.clone()));
    let more = more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    owned.chain(more).collect()
}
