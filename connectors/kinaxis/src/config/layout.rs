//! Where a measure lies: table, key fields, value field (§9).

use std::collections::BTreeMap;

use planthread_contracts::{MeasureDecl, Owner, PeriodKind};
use planthread_kit::target::SettingsFault;
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Config,
    routes::{Visibility, all_sites},
};

/// Which capacity application the plan reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// Capacity Planning - Constraints: Constraint, ConstraintAvailable.
    Constraint,
    /// Capacity Requirements Planning: WorkCenter, CapacityOverride.
    Crp,
}

impl Family {
    /// The table of the resources, in `Mfg`.
    pub(crate) const fn master(self) -> &'static str {
        match self {
            Self::Constraint => "Constraint",
            Self::Crp => "WorkCenter",
        }
    }

    /// The input table of capacity, in `Mfg`.
    pub(crate) const fn capacity(self) -> &'static str {
        match self {
            Self::Constraint => "ConstraintAvailable",
            Self::Crp => "CapacityOverride",
        }
    }
}

/// A table in the customer's own namespace: one row a resource and period.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OwnTable {
    /// Its name: `Namespace::Table`.
    pub name: String,
    /// Key path of the resource; by default that of the table family.
    #[serde(default)]
    pub resource: Option<String>,
    /// Key path of the site.
    #[serde(default)]
    pub site: Option<String>,
    /// Field of the first day.
    #[serde(default = "start")]
    pub start: String,
    /// Field of the end; empty where the table has none.
    #[serde(default = "end")]
    pub end: String,
    /// Text field of the reason: why the values of a row are what they are, of which
    /// source, and how old. Without it a row carries numbers alone.
    #[serde(default)]
    pub reason: Option<String>,
    /// The worksheet through which it is read, where the tool calculates it, as a load
    /// (§9): `resource`, `site`, `start` and
    /// the fields are ids of its columns. It is never written.
    #[serde(default)]
    pub worksheet: Option<View>,
}

/// A worksheet that is read.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct View {
    /// The workbook.
    pub workbook: String,
    /// Name of the worksheet.
    pub name: String,
    /// Whether the workbook is shared.
    #[serde(default)]
    pub visibility: Visibility,
    /// The site group; `All Sites` narrows nothing.
    #[serde(default = "all_sites")]
    pub site_group: String,
}

fn start() -> String {
    "EffectiveInDate".to_owned()
}

fn end() -> String {
    "EffectiveOutDate".to_owned()
}

/// A measure's name at the target: `Namespace::Table.Field`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Surface {
    pub(crate) namespace: String,
    pub(crate) table: String,
    pub(crate) field: String,
}

impl Surface {
    pub(crate) fn of(text: &str) -> Option<Self> {
        let (namespace, rest) = text.split_once("::")?;
        let (table, field) = rest.split_once('.')?;
        let named = [namespace, table, field].iter().all(|part| !part.trim().is_empty());
        named.then(|| Self {
            namespace: namespace.to_owned(),
            table: table.to_owned(),
            field: field.to_owned(),
        })
    }
}

/// How the rows of one table are named.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layout {
    pub(crate) namespace: String,
    pub(crate) table: String,
    pub(crate) keyed: bool,
    pub(crate) resource: String,
    pub(crate) site: String,
    pub(crate) start: String,
    pub(crate) end: Option<String>,
    /// Field of an id of ours, where the key needs one.
    pub(crate) id: Option<String>,
    /// Kind of its periods.
    pub(crate) level: PeriodKind,
    /// Fields of our measures, in order.
    pub(crate) values: Vec<String>,
    /// Text field that tells of them: it is no measure.
    pub(crate) reason: Option<String>,
    /// The worksheet through which it is read; such a table is never written.
    pub(crate) view: Option<View>,
}

/// What the id of an override of ours begins with; its period follows.
pub(crate) const ID_PREFIX: &str = "PT-";

impl Layout {
    pub(crate) fn full(&self) -> String {
        format!("{}::{}", self.namespace, self.table)
    }

    /// Fields that name a row, in the order in which they are sent.
    pub(crate) fn keys(&self) -> Vec<String> {
        let id = self.id.iter().cloned();
        let names = [&self.resource, &self.site, &self.start].map(String::clone);
        id.chain(names).chain(self.end.clone()).collect()
    }

    /// All fields: keys, values, then the reason.
    pub(crate) fn columns(&self) -> Vec<String> {
        self.with(&self.stored())
    }

    /// All fields but the keys.
    pub(crate) fn stored(&self) -> Vec<String> {
        self.values.iter().chain(&self.reason).cloned().collect()
    }

    /// Keys, then `fields`. A field of another namespace is qualified by whoever
    /// names it in the profile (§4.2).
    pub(crate) fn with(&self, fields: &[String]) -> Vec<String> {
        self.keys().into_iter().chain(fields.iter().cloned()).collect()
    }

    /// Whether the measure of this name at the target lies here.
    pub(crate) fn holds(&self, surface: &str) -> bool {
        self.values.iter().any(|field| self.surface(field) == surface)
    }

    /// The name of its reason at the target.
    pub(crate) fn reason_surface(&self) -> Option<String> {
        self.reason.as_ref().map(|field| self.surface(field))
    }

    /// The measure's name at the target for a field of this table.
    pub(crate) fn surface(&self, field: &str) -> String {
        format!("{}.{field}", self.full())
    }
}

impl Config {
    /// The tables in which measures lie, by name.
    ///
    /// # Errors
    /// Names a measure that lies in no table of the profile.
    pub(crate) fn layouts(&self, measures: &[MeasureDecl]) -> Result<Vec<Layout>, SettingsFault> {
        let mut layouts: BTreeMap<String, Layout> = BTreeMap::new();
        for measure in measures {
            let surface = Surface::of(&measure.surface).ok_or_else(|| {
                let reason = format!("measure `{}` lies at `{}`", measure.name, measure.surface);
                SettingsFault::new("", reason).cure("write its surface as Namespace::Table.Field")
            })?;
            let layout = self.layout(&surface, measure)?;
            let layout = layouts.entry(layout.full()).or_insert(layout);
            if layout.level != measure.level {
                let reason = format!("{} holds measures of several period kinds", layout.full());
                return Err(SettingsFault::new("", reason)
                    .cure("declare all measures of one table at one level"));
            }
            if layout.view.is_some() && measure.owner == Owner::Bridge {
                let reason = format!("{} is calculated, and we write it", measure.surface);
                return Err(SettingsFault::new("own_tables", reason)
                    .cure("say who owns it: what is read through a worksheet is never written"));
            }
            if layout.reason.as_ref() == Some(&surface.field) {
                let reason =
                    format!("{} is the field of measure `{}`", surface.field, measure.name);
                return Err(SettingsFault::new("own_tables", reason)
                    .cure("name a text field of its own as `reason`"));
            }
            if !layout.values.contains(&surface.field) {
                layout.values.push(surface.field);
            }
        }
        let mut layouts: Vec<Layout> = layouts.into_values().collect();
        layouts.iter_mut().for_each(|layout| layout.values.sort());
        Ok(layouts)
    }

    fn layout(&self, surface: &Surface, measure: &MeasureDecl) -> Result<Layout, SettingsFault> {
        let master = self.table_family.master();
        let full = format!("{}::{}", surface.namespace, surface.table);
        let own = self.own_tables.iter().find(|own| own.name == full);
        let place = |named: Option<&String>, leaf: &str| {
            named.cloned().unwrap_or_else(|| format!("{master}.{leaf}"))
        };
        let mut layout = Layout {
            namespace: surface.namespace.clone(),
            table: surface.table.clone(),
            keyed: true,
            resource: place(own.and_then(|own| own.resource.as_ref()), "Name"),
            site: place(own.and_then(|own| own.site.as_ref()), "Site.Value"),
            start: own.map_or_else(start, |own| own.start.clone()),
            end: Some(own.map_or_else(end, |own| own.end.clone())).filter(|end| !end.is_empty()),
            id: None,
            level: measure.level,
            values: Vec::new(),
            reason: own.and_then(|own| own.reason.clone()),
            view: own.and_then(|own| own.worksheet.clone()),
        };
        let capacity = self.table_family.capacity();
        match (own, surface.namespace.as_str(), surface.table.as_str()) {
            (Some(_), ..) => {}
            (None, "Mfg", "ConstraintAvailable") if capacity == "ConstraintAvailable" => {
                layout.keyed = false;
            }
            (None, "Mfg", "CapacityOverride") if capacity == "CapacityOverride" => {
                layout.id = Some("Id".to_owned());
                layout.end = None;
            }
            _ => {
                let reason = format!("measure `{}` lies in {full}", measure.name);
                return Err(SettingsFault::new("own_tables", reason).cure(format!(
                    "list that table under `own_tables`, or use Mfg::{capacity}, the table of this \
                     family"
                )));
            }
        }
        Ok(layout)
    }
}
