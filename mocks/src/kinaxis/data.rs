//! Rows of the tables, scenario by scenario.
//!
//! Rows are texts, as the interface brings them, in one canonical form: dates as
//! `YYYY-MM-DD` or words, numbers without trailing zeros. What the planner's grid
//! shows of them is set beside, so that the page, the history and the tests see
//! the same.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::Timestamp;
use planthread_contracts::{Period, PeriodKind};
use rust_decimal::Decimal;

use super::{
    dates::Format,
    tables::{Holds, Table},
};
use crate::sdk::{
    plan::{Model, Places as _, Plan, RowKey, Sites, unit_name},
    simulator::Writer,
};

/// Values of one row, in the order of the table's fields.
pub(super) type Row = Vec<String>;
/// The rows of a table by key or identification; without a key there may be
/// several of one identification.
type Rows = BTreeMap<Vec<String>, Vec<Row>>;

/// What a row did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Effect {
    Inserted,
    Modified,
    Unchanged,
    Deleted,
}

/// Why a row was refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Trouble {
    /// A value can't be read.
    Type(String),
    /// It refers to what is not there.
    Reference(String),
}

impl Trouble {
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Type(text) | Self::Reference(text) => text,
        }
    }
}

/// How rows come in.
#[derive(Debug, Clone)]
pub(super) struct Way {
    /// When they take effect.
    pub(super) at: Timestamp,
    /// The scenario; empty is the parent.
    pub(super) scope: String,
    pub(super) dates: Format,
    pub(super) writer: Arc<Writer>,
    /// A row that is sent again to a non-keyed table is a second one.
    pub(super) append: bool,
    /// An unknown constraint becomes a new record.
    pub(super) creates: bool,
}

/// Everything that is stored.
#[derive(Debug)]
pub(super) struct Data {
    pub(super) tables: Vec<Table>,
    pub(super) sites: Sites,
    /// By scenario and table.
    rows: BTreeMap<(String, usize), Rows>,
    /// What a scenario changed since it was made or committed.
    touched: BTreeSet<(String, usize, Vec<String>)>,
    /// Changes of each scenario, counted.
    pub(super) changes: BTreeMap<String, u64>,
    /// How the grid sees an effective-out date, and its periods.
    inclusive: bool,
    storage: PeriodKind,
}

impl Data {
    pub(super) fn new(
        tables: Vec<Table>,
        sites: Sites,
        inclusive: bool,
        storage: PeriodKind,
        model: &Model,
    ) -> Self {
        let mut data = Self {
            tables,
            sites,
            rows: BTreeMap::new(),
            touched: BTreeSet::new(),
            changes: BTreeMap::new(),
            inclusive,
            storage,
        };
        data.seed(model);
        data
    }

    /// Master data, and a standard row for each constraint.
    fn seed(&mut self, model: &Model) {
        let standard = model.of_hours(standard_rate(self.storage)).normalize().to_string();
        let unit = unit_name(model.unit);
        let all: Vec<_> =
            self.sites.described().map(|(pair, text)| (pair.clone(), text.clone())).collect();
        for ((name, site), text) in all {
            let [name, site] = [name.as_str(), site.as_str()];
            self.put("Constraint", &[name, site, "Workdays", &text, unit]);
            self.put("WorkCenter", &[name, site, ""]);
            self.put("ConstraintAvailable", &[name, site, "Past", "Undefined", &standard]);
        }
    }

    fn put(&mut self, table: &str, values: &[&str]) {
        let Some(at) = self.tables.iter().position(|one| one.name == table) else { return };
        let row: Row = values.iter().map(|value| (*value).to_owned()).collect();
        let identity = identity(&self.tables[at], &row);
        self.rows.entry((String::new(), at)).or_default().insert(identity, vec![row]);
    }

    /// The table of this namespace and name.
    pub(super) fn table(&self, namespace: &str, name: &str) -> Option<usize> {
        self.tables.iter().position(|table| table.namespace == namespace && table.name == name)
    }

    /// The rows of a table in a scenario.
    pub(super) fn rows(&self, scope: &str, table: usize) -> impl Iterator<Item = &Row> {
        self.rows.get(&(scope.to_owned(), table)).into_iter().flat_map(BTreeMap::values).flatten()
    }

    /// Inserts or modifies one row; `fields` says what the values are.
    pub(super) fn upsert(
        &mut self,
        plan: &mut Plan,
        way: &Way,
        table: usize,
        fields: &[usize],
        values: &[String],
    ) -> Result<Effect, Trouble> {
        let declared = &self.tables[table];
        let mut row: Row = declared.fields.iter().map(|field| field.default.to_owned()).collect();
        let sent = read(declared, fields, values, way.dates)?;
        for (field, value) in fields.iter().zip(&sent) {
            row[*field].clone_from(value);
        }
        let identity = identity(declared, &row);
        self.refers(way, table, &row)?;
        let declared = &self.tables[table];
        let append = way.append && !declared.keyed;
        let rows = self.rows.entry((way.scope.clone(), table)).or_default();
        let held = rows.entry(identity.clone()).or_default();
        let effect = match held.last_mut().filter(|_| !append) {
            None => {
                held.push(row);
                Effect::Inserted
            }
            Some(old) => {
                let mut new = old.clone();
                for (field, value) in fields.iter().zip(sent) {
                    new[*field] = value;
                }
                if new == *old {
                    return Ok(Effect::Unchanged);
                }
                *old = new;
                Effect::Modified
            }
        };
        self.changed(plan, way, table, identity);
        Ok(effect)
    }

    /// Deletes the rows that a row names: all that agree with each value sent.
    pub(super) fn remove(
        &mut self,
        plan: &mut Plan,
        way: &Way,
        table: usize,
        fields: &[usize],
        values: &[String],
    ) -> Result<Effect, Trouble> {
        let sent = read(&self.tables[table], fields, values, way.dates)?;
        let agrees =
            |row: &Row| fields.iter().zip(&sent).all(|(field, value)| row[*field] == *value);
        let rows = self.rows.entry((way.scope.clone(), table)).or_default();
        let hit = rows.iter_mut().find(|(_, held)| held.iter().any(&agrees));
        let Some((identity, held)) = hit else { return Ok(Effect::Unchanged) };
        let identity = identity.clone();
        // One row sent deletes one row: surplus ones are sent as often.
        if let Some(at) = held.iter().position(agrees) {
            held.remove(at);
        }
        self.changed(plan, way, table, identity);
        Ok(Effect::Deleted)
    }

    /// Deletes what a Full file lacks; how many rows that were.
    pub(super) fn keep_only(
        &mut self,
        plan: &mut Plan,
        way: &Way,
        table: usize,
        kept: &BTreeSet<Vec<String>>,
    ) -> usize {
        let rows = self.rows.entry((way.scope.clone(), table)).or_default();
        let gone: Vec<_> = rows.keys().filter(|key| !kept.contains(*key)).cloned().collect();
        let mut count = 0;
        for key in gone {
            count += rows_of(&mut self.rows, &way.scope, table)
                .remove(&key)
                .map_or(0, |held| held.len());
            self.changed(plan, way, table, key);
        }
        count
    }

    /// Copies everything of `from` into a new scenario.
    pub(super) fn branch(&mut self, from: &str, to: &str) {
        for table in 0..self.tables.len() {
            let rows = self.rows.get(&(from.to_owned(), table)).cloned().unwrap_or_default();
            self.rows.insert((to.to_owned(), table), rows);
        }
    }

    /// Brings what a scenario changed into its parent; how many rows.
    pub(super) fn commit(&mut self, plan: &mut Plan, way: &Way, from: &str) -> usize {
        let mine = |one: &&(String, usize, Vec<String>)| one.0 == from;
        let touched: Vec<_> = self.touched.iter().filter(mine).cloned().collect();
        for one in &touched {
            self.touched.remove(one);
            let (_, table, identity) = one;
            let held =
                self.rows.get(&(from.to_owned(), *table)).and_then(|rows| rows.get(identity));
            let held = held.cloned().unwrap_or_default();
            rows_of(&mut self.rows, &way.scope, *table).insert(identity.clone(), held);
            self.changed(plan, way, *table, identity.clone());
        }
        touched.len()
    }

    /// A person's edit in the grid becomes a field of a row.
    pub(super) fn edited(
        &mut self,
        scope: &str,
        key: &RowKey,
        measure: usize,
        value: Option<Decimal>,
    ) {
        let mut found = None;
        for (number, table) in self.tables.iter().enumerate() {
            let field = table.fields.iter().position(|field| field.measure == Some(measure));
            found = found.or(field.map(|field| (number, field)));
        }
        let Some((number, field)) = found else { return };
        let table = &self.tables[number];
        let (Some((name, site)), Some((start, end))) = (table.place, table.span) else { return };
        let mut row: Row = table.fields.iter().map(|field| field.default.to_owned()).collect();
        row[name].clone_from(&key.resource);
        row[site].clone_from(&key.location);
        row[start] = key.period.start().to_string();
        if let Some(end) = end {
            row[end] = self.last_day(key.period);
        }
        if let Some(id) = table.find("Id") {
            row[id] = key.period.to_string();
        }
        let identity = identity(table, &row);
        let held = rows_of(&mut self.rows, scope, number).entry(identity.clone()).or_default();
        if held.is_empty() {
            held.push(row);
        }
        if let Some(row) = held.last_mut() {
            row[field] = value.map(|value| value.normalize().to_string()).unwrap_or_default();
        }
        self.touched.insert((scope.to_owned(), number, identity));
        *self.changes.entry(scope.to_owned()).or_default() += 1;
    }

    fn last_day(&self, period: Period) -> String {
        let days = period.days();
        if self.inclusive {
            days.last().unwrap_or(period.start()).to_string()
        } else {
            period.end().to_string()
        }
    }

    /// Whether the place that a row names is there.
    fn refers(&mut self, way: &Way, table: usize, row: &Row) -> Result<(), Trouble> {
        let Some((name, site)) = self.tables[table].place else { return Ok(()) };
        let (name, site) = (row[name].as_str(), row[site].as_str());
        if self.sites.has_pair("", name, site) {
            return Ok(());
        }
        if way.creates && !name.is_empty() {
            self.sites.add(name, site, "");
            return Ok(());
        }
        let what = if self.tables[table].of_work_centers() { "WorkCenter" } else { "Constraint" };
        Err(Trouble::Reference(format!("{what} '{name}' at site '{site}' does not exist")))
    }

    /// Notes a change, and shows it in the planner's grid.
    fn changed(&mut self, plan: &mut Plan, way: &Way, table: usize, identity: Vec<String>) {
        *self.changes.entry(way.scope.clone()).or_default() += 1;
        let declared = &self.tables[table];
        let held = self.rows.get(&(way.scope.clone(), table)).and_then(|rows| rows.get(&identity));
        let held = held.map(Vec::as_slice).unwrap_or_default();
        let place =
            declared.place.zip(declared.span).map(|((name, site), (start, _))| (name, site, start));
        if let Some((name, site, start)) = place {
            let position = |field: usize| declared.identity.iter().position(|one| *one == field);
            let of = |field: usize| match position(field) {
                Some(at) => identity[at].as_str(),
                None => held.last().map_or("", |row| row[field].as_str()),
            };
            if let Some(period) = self.period(declared, of(start), held.last()) {
                let key = RowKey::new(&way.scope, of(name), of(site), period);
                if let Some(reason) = declared.reason {
                    let text = held.last().map_or("", |row| row[reason].as_str());
                    plan.store.tell(key.clone(), text);
                }
                for (at, field) in declared.fields.iter().enumerate() {
                    let Some(measure) = field.measure else { continue };
                    let values = held.iter().filter_map(|row| row[at].parse::<Decimal>().ok());
                    // Two rows of one identification count twice.
                    let value = values.reduce(|sum, value| sum + value);
                    if plan.store.value(&key, measure) != value {
                        plan.store.set(way.at, key.clone(), measure, value, &way.writer);
                    }
                }
            }
        }
        self.touched.insert((way.scope.clone(), table, identity));
    }

    /// The period of the grid that a row fills exactly.
    fn period(&self, table: &Table, start: &str, row: Option<&Row>) -> Option<Period> {
        let first = start.parse().ok()?;
        let period = Period::containing(self.storage, first);
        let (_, end) = table.span?;
        let ends = match (end, row) {
            (Some(end), Some(row)) => row[end] == self.last_day(period),
            _ => true,
        };
        (period.start() == first && ends).then_some(period)
    }
}

/// The standard rate of a constraint, a period of the grid: three shifts of eight
/// hours on working days, as the grid's own ERP load assumes for a week. In hours.
fn standard_rate(storage: PeriodKind) -> Decimal {
    Decimal::from(match storage {
        PeriodKind::Day => 24,
        PeriodKind::Week | PeriodKind::TechnicalWeek => 120,
        PeriodKind::Month => 504,
    })
}

fn rows_of<'a>(
    all: &'a mut BTreeMap<(String, usize), Rows>,
    scope: &str,
    table: usize,
) -> &'a mut Rows {
    all.entry((scope.to_owned(), table)).or_default()
}

/// Key or identification of a row.
pub(super) fn identity(table: &Table, row: &[String]) -> Vec<String> {
    table.identity.iter().map(|field| row[*field].clone()).collect()
}

/// Values as they are stored.
pub(super) fn read(
    table: &Table,
    fields: &[usize],
    values: &[String],
    dates: Format,
) -> Result<Vec<String>, Trouble> {
    if values.len() != fields.len() {
        let text = format!("{} values for {} fields", values.len(), fields.len());
        return Err(Trouble::Type(text));
    }
    let value = |(field, value): (&usize, &String)| {
        let declared = &table.fields[*field];
        let wrong = || Trouble::Type(format!("'{value}' can't be read as {}", declared.name));
        match declared.holds {
            Holds::Text => Ok(value.trim().to_owned()),
            Holds::Date => dates.canonical(value).ok_or_else(wrong),
            Holds::Number if value.is_empty() => Ok(String::new()),
            Holds::Number => {
                let plain =
                    value.bytes().all(|byte| byte.is_ascii_digit() || b"-.".contains(&byte));
                let number = value.parse::<Decimal>().ok().filter(|_| plain);
                number.map(|number| number.normalize().to_string()).ok_or_else(wrong)
            }
        }
    };
    fields.iter().zip(values).map(value).collect()
}
