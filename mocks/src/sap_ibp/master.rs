//! Master data: what exists, and its catalogue.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    model::{BASELINE, CURRENCIES, PLANNING_AREA, TWIN_VERSION, UNITS},
    options::{Options, location_of},
    transaction::Progress,
};

/// One master data type. Its prefix is the tenant's, as in real tenants.
#[derive(Debug, Clone, Copy)]
pub(super) struct MasterType {
    /// Name of the type and its set.
    pub(super) name: &'static str,
    /// Business keys.
    pub(super) keys: &'static [&'static str],
    /// Other attributes.
    pub(super) attributes: &'static [&'static str],
    /// `sap:configuration-type`.
    pub(super) configuration: &'static str,
    /// Whether `PlanningAreaID` and `VersionID` belong to the key.
    pub(super) version_specific: bool,
    /// Reference types have no `Trans` set.
    pub(super) loadable: bool,
}

/// All master data types; the compound one refers to the first two.
pub(super) const MASTER_TYPES: [MasterType; 5] = [
    simple("PTRESOURCE", &["RESID"], &["RESDESCR", "RESTYPE"]),
    simple("PTLOCATION", &["LOCID"], &["LOCDESCR", "LOCTYPE"]),
    MasterType {
        name: "PTRESOURCELOCATION",
        keys: &["RESID", "LOCID"],
        attributes: &[],
        configuration: "Compound",
        version_specific: true,
        loadable: true,
    },
    reference("PTUOMTO", &["UOMTOID"], &["UOMTODESCR"]),
    reference("PTCURRENCYTO", &["CURRTOID"], &[]),
];

impl MasterType {
    /// The keys of its entity type (section 4).
    pub(super) fn entity_keys(&self) -> Vec<&'static str> {
        let version: &[_] = if self.version_specific { &VERSION_KEYS } else { &[] };
        self.keys.iter().chain(version).copied().collect()
    }

    /// All properties of its entity type, keys first.
    pub(super) fn properties(&self) -> Vec<&'static str> {
        self.entity_keys().into_iter().chain(self.attributes.iter().copied()).collect()
    }

    /// Adds area and version to a row of a version-specific type.
    pub(super) fn show(&self, row: &Attributes, version: &str) -> Attributes {
        let mut row = row.clone();
        if self.version_specific {
            let shown = if version.is_empty() { BASELINE } else { version };
            let values = [PLANNING_AREA, shown].map(str::to_owned);
            row.extend(VERSION_KEYS.map(str::to_owned).into_iter().zip(values));
        }
        row
    }
}

/// What belongs to the key of a version-specific type.
const VERSION_KEYS: [&str; 2] = ["PlanningAreaID", "VersionID"];

const fn simple(
    name: &'static str,
    keys: &'static [&'static str],
    attributes: &'static [&'static str],
) -> MasterType {
    let configuration = "Simple";
    MasterType { name, keys, attributes, configuration, version_specific: false, loadable: true }
}

const fn reference(
    name: &'static str,
    keys: &'static [&'static str],
    attributes: &'static [&'static str],
) -> MasterType {
    let configuration = "Reference";
    MasterType { name, keys, attributes, configuration, version_specific: false, loadable: false }
}

/// Index of the resource master.
const RESOURCE: usize = 0;
/// Index of the location master.
const LOCATION: usize = 1;
/// Index of the resource-location master.
const PAIR: usize = 2;

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
#[derive(Debug, Default)]
pub(super) struct Master {
    /// By type, version (empty is base) and key values.
    rows: BTreeMap<(usize, String, Vec<String>), Attributes>,
    pub(super) transactions: BTreeMap<String, MasterTransaction>,
}

impl Master {
    /// The master data at start-up.
    pub(super) fn new(options: &Options) -> Self {
        let mut master = Self::default();
        for (location, description) in [("1010", "Plant Regensburg"), ("1020", "Plant Dresden")] {
            let row = [("LOCID", location), ("LOCDESCR", description), ("LOCTYPE", "P")];
            master.put(LOCATION, "", attributes(&row));
        }
        for n in 1..=options.resources {
            let id = format!("LINE-{n}");
            // Every fifth has no description: predicates on it drop such rows.
            let description = if n % 5 == 0 { String::new() } else { format!("Assembly line {n}") };
            let row = [("RESID", &*id), ("RESDESCR", &*description), ("RESTYPE", "P")];
            master.put(RESOURCE, "", attributes(&row));
            let pair = attributes(&[("RESID", &id), ("LOCID", location_of(n))]);
            for version in ["", TWIN_VERSION] {
                master.put(PAIR, version, pair.clone());
            }
        }
        for (unit, factor) in UNITS {
            let description = format!("{factor} EA");
            master.put(3, "", attributes(&[("UOMTOID", unit), ("UOMTODESCR", &description)]));
        }
        for currency in CURRENCIES {
            master.put(4, "", attributes(&[("CURRTOID", currency)]));
        }
        master
    }

    fn put(&mut self, kind: usize, version: &str, row: Attributes) {
        self.rows.insert((kind, version.to_owned(), key_of(kind, &row)), row);
    }

    /// Valid resource and location combinations of a version, in order.
    pub(super) fn pairs<'a>(
        &'a self,
        version: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        self.of(PAIR, version).map(|row| (&*row["RESID"], &*row["LOCID"]))
    }

    /// Whether a resource and location combination is valid in a version.
    pub(super) fn has_pair(&self, version: &str, resource: &str, location: &str) -> bool {
        let key = vec![resource.to_owned(), location.to_owned()];
        self.rows.contains_key(&(PAIR, version.to_owned(), key))
    }

    /// Rows of one type in one version.
    fn of<'a>(&'a self, kind: usize, version: &'a str) -> impl Iterator<Item = &'a Attributes> {
        self.rows
            .iter()
            .filter(move |((of, v, _), _)| *of == kind && v == version)
            .map(|(_, row)| row)
    }

    /// The description of a resource or location; empty when it has none.
    pub(super) fn describe(&self, key: &str, id: &str) -> &str {
        let (kind, name) =
            if key == "RESID" { (RESOURCE, "RESDESCR") } else { (LOCATION, "LOCDESCR") };
        let row = self.rows.get(&(kind, String::new(), vec![id.to_owned()]));
        row.and_then(|row| row.get(name)).map_or("", String::as_str)
    }

    /// All rows of a type as a read shows them, versions included.
    pub(super) fn list(&self, kind: usize) -> Vec<Attributes> {
        let rows = self.rows.iter().filter(|((of, ..), _)| *of == kind);
        rows.map(|((_, version, _), row)| MASTER_TYPES[kind].show(row, version)).collect()
    }

    /// Loads the rows of a transaction; gives its messages.
    pub(super) fn load(&mut self, transaction: &mut MasterTransaction, reject_duplicates: bool) {
        let Some((kind, version)) = transaction.target.clone() else { return };
        let mut seen = BTreeMap::new();
        for row in &transaction.rows {
            *seen.entry(key_of(kind, row)).or_insert(0u32) += 1;
        }
        for row in std::mem::take(&mut transaction.rows) {
            let key = key_of(kind, &row);
            if let Some(missing) =
                MASTER_TYPES[kind].keys.iter().zip(&key).find(|(_, v)| v.is_empty())
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
        [(RESOURCE, "RESID"), (LOCATION, "LOCID")].into_iter().find_map(|(simple, name)| {
            let id = row.get(name).cloned().unwrap_or_default();
            let known = self.rows.contains_key(&(simple, String::new(), vec![id.clone()]));
            (!known).then(|| format!("{name} {id} does not exist in {}", MASTER_TYPES[simple].name))
        })
    }

    /// All resources and their locations, for the planner's selectors.
    pub(super) fn resources(&self) -> BTreeSet<(String, String)> {
        self.pairs("")
            .map(|(resource, location)| (resource.to_owned(), location.to_owned()))
            .collect()
    }
}

fn attributes(pairs: &[(&str, &str)]) -> Attributes {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn key_of(kind: usize, row: &Attributes) -> Vec<String> {
    let keys = MASTER_TYPES[kind].keys.iter();
    keys.map(|key| row.get(*key).cloned().unwrap_or_default()).collect()
}
