//! The tables of the data model that the sandbox holds, and the planner's grid
//! made of them.
//!
//! Names, keys and defaults are those of a public dump of the data model (section
//! 9, C1). The own-namespace table is ours: tenants have such (custom namespaces
//! occur in the dump), its fields are what Planthread lands.

use std::collections::{BTreeMap, BTreeSet};

use planthread_contracts::{Aggregation, Unit};

use super::options::Options;
use crate::sdk::{
    SandboxShape,
    plan::{Measure, Model, Part},
};

/// The scenario that the planners work in: the parent of the signal scenario.
pub const PARENT: &str = "Baseline";
/// The scenario for capacity signals.
pub const SIGNALS: &str = "Capacity Signals";

/// What a field holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Holds {
    Text,
    Date,
    Number,
}

#[derive(Debug, Clone)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) holds: Holds,
    /// Value of a new row that does not say.
    pub(super) default: &'static str,
    /// Its row in the planner's grid.
    pub(super) measure: Option<usize>,
}

/// One input table.
#[derive(Debug, Clone)]
pub(super) struct Table {
    pub(super) namespace: String,
    pub(super) name: String,
    /// Whether its identification is a unique key.
    pub(super) keyed: bool,
    pub(super) fields: Vec<Field>,
    /// Fields of its key or identification.
    pub(super) identity: Vec<usize>,
    /// Fields of the place that it must refer to: name and site.
    pub(super) place: Option<(usize, usize)>,
    /// Fields of the first day and of the end of a row.
    pub(super) span: Option<(usize, Option<usize>)>,
    /// Field of the text that the planner's page shows beside the numbers of a row.
    pub(super) reason: Option<usize>,
    /// The field of each column of its extract file: a data source maps them by place
    /// (section 11).
    pub(super) columns: Vec<usize>,
}

impl Table {
    fn new(name: (&str, &str), keyed: bool, identity: &[&str], fields: &[(&str, Holds)]) -> Self {
        let field = |(name, holds): &(&str, Holds)| Field {
            name: (*name).to_owned(),
            holds: *holds,
            default: "",
            measure: None,
        };
        let mut table = Self {
            namespace: name.0.to_owned(),
            name: name.1.to_owned(),
            keyed,
            fields: fields.iter().map(field).collect(),
            identity: Vec::new(),
            place: None,
            span: None,
            reason: None,
            columns: (0..fields.len()).collect(),
        };
        table.identity = identity.iter().filter_map(|name| table.find(name)).collect();
        let place = |of: &str| {
            table.find(&format!("{of}.Name")).zip(table.find(&format!("{of}.Site.Value")))
        };
        table.place = place("Constraint").or_else(|| place("WorkCenter"));
        let start = table.find("EffectiveInDate");
        table.span = start.map(|start| (start, table.find("EffectiveOutDate")));
        table
    }

    fn defaults(mut self, defaults: &[(&str, &'static str)]) -> Self {
        for (name, value) in defaults {
            if let Some(field) = self.find(name) {
                self.fields[field].default = value;
            }
        }
        self
    }

    /// The field of this name; its own namespace before it may be left out, a
    /// foreign one may not (section 4.2).
    pub(super) fn find(&self, name: &str) -> Option<usize> {
        let own =
            name.strip_prefix(self.namespace.as_str()).and_then(|rest| rest.strip_prefix("::"));
        let name = own.unwrap_or(name);
        self.fields.iter().position(|field| field.name == name)
    }

    /// `Namespace::Name`.
    pub(super) fn full(&self) -> String {
        format!("{}::{}", self.namespace, self.name)
    }

    /// Whether rows of it refer to work centres.
    pub(super) fn of_work_centers(&self) -> bool {
        self.place.is_some_and(|(name, _)| self.fields[name].name.starts_with("WorkCenter"))
    }
}

use Holds::{Date, Number, Text};

fn overrides() -> Table {
    Table::new(
        ("Mfg", "CapacityOverride"),
        true,
        &["Id", "WorkCenter.Name", "WorkCenter.Site.Value"],
        &[
            ("Id", Text),
            ("WorkCenter.Name", Text),
            ("WorkCenter.Site.Value", Text),
            ("EffectiveInDate", Date),
            ("DayOfWeek", Text),
            ("Description", Text),
            ("Efficiency", Number),
            ("Utilization", Number),
            ("WorkingHour", Number),
            ("NumberOfResources", Number),
            ("Index", Number),
        ],
    )
    .defaults(&[("Efficiency", "1"), ("Utilization", "1"), ("WorkingHour", "8")])
}

fn standard() -> Vec<Table> {
    let place = [("Constraint.Name", Text), ("Constraint.Site.Value", Text)];
    vec![
        Table::new(
            ("Mfg", "Constraint"),
            true,
            &["Name", "Site.Value"],
            &[
                ("Name", Text),
                ("Site.Value", Text),
                ("Calendar.Value", Text),
                ("Description", Text),
                ("UnitOfMeasure.Value", Text),
            ],
        ),
        Table::new(
            ("Mfg", "WorkCenter"),
            true,
            &["Name", "Site.Value"],
            &[("Name", Text), ("Site.Value", Text), ("Department", Text)],
        ),
        Table::new(
            ("Mfg", "ConstraintAvailable"),
            false,
            &["Constraint.Name", "Constraint.Site.Value", "EffectiveInDate"],
            &[
                place[0],
                place[1],
                ("EffectiveInDate", Date),
                ("EffectiveOutDate", Date),
                ("Rate", Number),
            ],
        ),
        overrides(),
        Table::new(
            ("Mfg", "Assumption"),
            true,
            &["Id"],
            &[
                ("Id", Text),
                ("Text", Text),
                ("EffectiveIn", Date),
                ("EffectiveOut", Date),
                ("Status", Text),
                ("Type", Text),
            ],
        ),
        Table::new(
            ("Mfg", "AssumptionByConstraint"),
            true,
            &["Assumption.Id", "Constraint.Name", "Constraint.Site.Value"],
            &[("Assumption.Id", Text), place[0], place[1]],
        ),
    ]
}

/// A customer's own table: one row a constraint and period, and the text of a row where
/// it has a field for it.
fn own(
    (namespace, name): (&str, &str),
    numbers: &[String],
    reason: Option<&str>,
    unmapped: &[&str],
) -> Table {
    let mut fields = vec![
        ("Constraint.Name", Text),
        ("Constraint.Site.Value", Text),
        ("EffectiveInDate", Date),
        ("EffectiveOutDate", Date),
    ];
    fields.extend(numbers.iter().map(|number| (number.as_str(), Number)));
    let key = ["Constraint.Name", "Constraint.Site.Value", "EffectiveInDate"];
    fields.extend(reason.map(|reason| (reason, Text)));
    let mut table = Table::new((namespace, name), true, &key, &fields);
    table.reason = reason.and_then(|reason| table.find(reason));
    // Its data source maps the numbers by their names, between the keys and the text.
    let named = |field: &usize| table.fields[*field].name.clone();
    let (mut mapped, mut rest): (Vec<usize>, Vec<usize>) =
        table.columns.iter().partition(|field| table.fields[**field].holds == Number);
    mapped.retain(|field| !unmapped.contains(&named(field).as_str()));
    mapped.sort_by_key(named);
    let text = rest.split_off(KEYS);
    table.columns = [rest, mapped, text].concat();
    table
}

/// Own table of the demo: field, label, how it adds up, part.
#[rustfmt::skip]
const SIGNAL_FIELDS: [(&str, &str, Aggregation, Part); 11] = [
    ("Live", "Signal: live capacity", Aggregation::Sum, Part::Live),
    ("Low", "Signal: cautious capacity", Aggregation::Min, Part::Low),
    ("Lost", "Signal: expected loss", Aggregation::Sum, Part::Lost),
    ("Severity", "Signal: severity", Aggregation::Max, Part::Severity),
    ("Risk", "Signal: capacity at risk", Aggregation::Sum, Part::Risk),
    ("Output", "Signal: good output", Aggregation::Sum, Part::Output),
    ("Status", "Signal: status", Aggregation::Max, Part::Status),
    ("Covered", "Signal: covered", Aggregation::Sum, Part::Covered),
    ("AsOf", "Signal: as of (yyyymmdd)", Aggregation::Min, Part::AsOf),
    ("ValidUntil", "Signal: valid until (yyyymmdd)", Aggregation::Min, Part::ValidUntil),
    ("Beat", "Signal: heartbeat", Aggregation::Max, Part::Beat),
];
/// Fields of the place and the days of a row, at its beginning.
const KEYS: usize = 4;
/// What the demo's data source does not map: the starting point lands none in it.
const UNMAPPED: [&str; 1] = ["Low"];
/// The text field of the demo's own table.
const REASON: &str = "Reason";
/// Namespace and name of the demo's own table.
const OWN: (&str, &str) = ("Planthread", "CapacitySignal");
/// What the standard row of a constraint is called in the grid.
const STANDARD: &str = "Mfg::ConstraintAvailable.Rate of the standard row";

/// Tables and grid of these options.
pub(super) fn build(options: &Options) -> (Vec<Table>, Model) {
    let mut tables = standard();
    let mut model = Model {
        // A customer's constraints may be in any unit; these are in minutes (sheet 9).
        unit: options.shape.as_ref().map_or(Unit::Minute, SandboxShape::unit),
        measures: vec![measure(STANDARD, "Standard capacity", Aggregation::Sum, Part::Assumed)],
        scopes: vec![(SIGNALS.to_owned(), "Signal scenario".to_owned())],
    };
    match &options.shape {
        None => {
            let numbers = SIGNAL_FIELDS.map(|(name, ..)| name.to_owned());
            tables.push(own(OWN, &numbers, Some(REASON), &UNMAPPED));
            let rate =
                measure("Mfg::ConstraintAvailable.Rate", "Rate", Aggregation::Sum, Part::Cut);
            model.measures.push(rate);
            for (name, label, aggregation, part) in SIGNAL_FIELDS {
                let id = format!("{}::{}.{name}", OWN.0, OWN.1);
                model.measures.push(measure(&id, label, aggregation, part));
            }
            if let Some(name) = &options.cut_table {
                tables.push(own((OWN.0, name), &["Rate".to_owned()], None, &[]));
                let id = format!("{}::{name}.Rate", OWN.0);
                model.measures.push(measure(&id, "Plan cut", Aggregation::Sum, Part::Other));
            }
        }
        Some(shape) => {
            if !shape.scope.is_base() {
                shape.scope.name().clone_into(&mut model.scopes[0].0);
            }
            shaped(shape, &mut tables, &mut model);
        }
    }
    let calculated = [("Load", Part::Load), ("Utilisation", Part::Utilisation)];
    for (name, part) in calculated {
        if model.part(part).is_none() {
            model.measures.push(measure(
                &format!("{name} (calculated)"),
                name,
                Aggregation::Sum,
                part,
            ));
        }
    }
    for table in &mut tables {
        let full = table.full();
        for field in &mut table.fields {
            field.measure = model.find(&format!("{full}.{}", field.name));
        }
    }
    (tables, model)
}

/// Own tables and measures of a configured target: `Namespace::Table.Field`.
fn shaped(shape: &SandboxShape, tables: &mut Vec<Table>, model: &mut Model) {
    let mut fields: BTreeMap<(String, String), BTreeSet<String>> = BTreeMap::new();
    for declared in &shape.measures {
        let split = declared.surface.split_once("::").and_then(|(namespace, rest)| {
            let (table, field) = rest.split_once('.')?;
            Some(((namespace.to_owned(), table.to_owned()), field.to_owned()))
        });
        let Some((table, field)) = split else { continue };
        if !tables.iter().any(|one| (&one.namespace, &one.name) == (&table.0, &table.1)) {
            fields.entry(table).or_default().insert(field);
        }
        if model.find(&declared.surface).is_none() {
            let named = |name: &Option<String>| name.as_ref() == Some(&declared.surface);
            let part = if named(&shape.driven_by) { Part::Cut } else { Part::of(declared.carries) };
            let part = if model.part(part).is_some() { Part::Other } else { part };
            let label = format!("{} ({})", declared.name, declared.surface);
            model.measures.push(measure(&declared.surface, &label, declared.over_time, part));
        }
    }
    for ((namespace, name), numbers) in fields {
        let numbers: Vec<String> = numbers.into_iter().collect();
        let reason = reason_of(shape, &format!("{namespace}::{name}"));
        tables.push(own((&namespace, &name), &numbers, reason, &[]));
    }
}

/// The text field that the settings name for an own table.
fn reason_of<'a>(shape: &'a SandboxShape, table: &str) -> Option<&'a str> {
    let own = shape.settings.get("own_tables")?.as_array()?;
    own.iter().find(|one| one["name"] == table)?["reason"].as_str()
}

fn measure(id: &str, label: &str, aggregation: Aggregation, part: Part) -> Measure {
    Measure { id: id.into(), label: label.to_owned(), aggregation, part, in_scopes: true }
}
