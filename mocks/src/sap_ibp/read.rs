//! `GET <PA>`: `$select` is the aggregation level, and mistakes stay silent.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use bytes::Bytes;
use http::Response;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use rust_decimal::Decimal;

use super::{
    SapIbp,
    behaviours::Switch,
    filter::{Comparison, Filter, Literal, Op},
    model::{
        ATTRIBUTES, BASELINE, CURRENCIES, Conversion, KEY_FIGURES, PLANNING_AREA, TIME_LEVELS,
        TWIN_VERSION, TimeLevel, UNITS, key_figure, time_level,
    },
    predicate::{check, stamp},
    query::{Query, orderby, page},
    store::{Row, RowKey, Totals},
    wire::{Entry, Format, Prop, Refusal, many},
};

/// One column of `$select`.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Column {
    Text(&'static str),
    Period(&'static TimeLevel),
    /// A conversion attribute: the unit or currency that the filter names.
    Unit(Conversion),
    /// When a stored row was changed last.
    Modified(&'static str),
    /// The number of the answer's row.
    Id,
    Figure(usize),
}

impl Column {
    /// Whether rows are grouped by it.
    const fn groups(self) -> bool {
        !matches!(self, Self::Id | Self::Figure(_))
    }
}

/// Units and currencies that a filter names, with the unit's factor.
#[derive(Debug, Clone, Default)]
struct Named {
    unit: String,
    factor: u32,
    currency: String,
}

/// One part of a group's key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Text(String),
    Date(DateTime),
}

/// A row of the answer.
#[derive(Debug, Default)]
struct Group<'a> {
    totals: Totals,
    /// Units of storage in one of the unit that quantities are shown in.
    factor: u32,
    /// The versions of the stored rows behind it.
    versions: BTreeSet<&'a str>,
}

/// Groups by their dimensions, which are in `$select` order.
type Groups<'a> = BTreeMap<Vec<Part>, Group<'a>>;

pub(super) const TEXT_FIELDS: [&str; 8] = [
    "VERSIONID",
    "VERSIONNAME",
    "SCENARIOID",
    "SCENARIONAME",
    "RESID",
    "LOCID",
    "RESDESCR",
    "LOCDESCR",
];

/// When a row was made and changed: both are its last change here.
pub(super) const AUDIT_FIELDS: [&str; 2] = ["LASTMODIFIEDDATE", "CREATEDDATE"];

impl SapIbp {
    /// Reads key figures.
    pub(super) fn read(
        &self,
        at: Timestamp,
        query: &Query,
        root: &str,
        format: Format,
    ) -> Result<Response<Bytes>, Refusal> {
        if query.get("$top") == Some("0")
            && query.counts()
            && self.options.switches.on(Switch::TopZeroDump)
        {
            let text = "TSV_TNEW_PAGE_ALLOC_FAILED";
            return Err(Refusal::new(500, "TSV_TNEW_PAGE_ALLOC_FAILED", text));
        }
        if query.get("P_DeltaQueryID").is_some() {
            // Unconfirmed (section 7); ignoring it would answer with everything.
            return Err(Refusal::bad("P_DeltaQueryID: this sandbox serves no delta loads"));
        }
        let columns = self.columns_of(query)?;
        if columns.iter().all(|(name, _)| ["VERSIONID", "VERSIONNAME"].contains(name)) {
            return versions(&columns, query, root, format);
        }
        let figures: Vec<_> = columns
            .iter()
            .filter_map(|(_, column)| match column {
                Column::Figure(figure) => Some(*figure),
                _ => None,
            })
            .collect();
        if figures.is_empty() && self.options.switches.on(Switch::NoMasterDataExtract) {
            let text = "This service cannot be used to extract master data";
            return Err(Refusal::new(400, "/IBP/CX_ALERT_MESSAGES", text));
        }
        let filter = query.get("$filter").map(Filter::parse).transpose().map_err(Refusal::bad)?;
        let mut checked = Ok(());
        if let Some(filter) = &filter {
            filter.each(&mut |comparison| {
                if checked.is_ok() {
                    checked = check(comparison);
                }
            });
        }
        checked?;
        let mut groups = Vec::new();
        let all = self.conversions(&columns, &figures, filter.as_ref())?;
        for named in &all {
            groups.extend(self.groups(at, &columns, &figures, filter.clone(), named));
        }
        self.answer(groups, &columns, query, root, format)
    }

    fn columns_of<'a>(&self, query: &'a Query) -> Result<Vec<(&'a str, Column)>, Refusal> {
        let mut names = query.list("$select");
        if names.is_empty() {
            if self.options.switches.on(Switch::SelectMandatory) {
                return Err(Refusal::bad("$select is mandatory"));
            }
            names = vec!["RESID", "LOCID", "PERIODID4_TSTAMP", "CAPASUPPLY"];
        }
        let column = |name: &'a str| {
            let text = TEXT_FIELDS.iter().find(|field| **field == name);
            let column = if let Some(text) = text {
                Column::Text(text)
            } else if let Some(level) = time_level(name) {
                Column::Period(level)
            } else if let Some(figure) = key_figure(name) {
                Column::Figure(figure)
            } else if TIME_LEVELS.iter().any(|level| level.relative == name) {
                return Err(Refusal::bad(format!("{name} can be used in $filter only")));
            } else if let Some(audit) = AUDIT_FIELDS.iter().find(|field| **field == name) {
                Column::Modified(audit)
            } else if let Some(conversion) = Conversion::named(name) {
                Column::Unit(conversion)
            } else if name == "ID" {
                Column::Id
            } else {
                return Err(Refusal::bad(format!("Property '{name}' is invalid in $select")));
            };
            Ok((name, column))
        };
        names.into_iter().map(column).collect()
    }

    /// What the rows are converted to: one entry, or one for each unit that the
    /// filter names where `$select` shows it. None where nothing converts to what
    /// is asked for: that is how it is probed.
    fn conversions(
        &self,
        columns: &[(&str, Column)],
        figures: &[usize],
        filter: Option<&Filter>,
    ) -> Result<Vec<Named>, Refusal> {
        let mut named = BTreeMap::<String, Vec<String>>::new();
        if let Some(filter) = filter {
            filter.each(&mut |comparison| {
                if let (Op::Eq, Literal::Text(text)) = (comparison.op, &comparison.literal) {
                    named.entry(comparison.field.clone()).or_default().push(text.clone());
                }
            });
        }
        let uses = |conversion| {
            figures.iter().find(|figure| KEY_FIGURES[**figure].conversion == Some(conversion))
        };
        for conversion in [Conversion::Quantity, Conversion::Money] {
            let attribute = conversion.attribute();
            let missing = uses(conversion).filter(|_| !named.contains_key(attribute));
            if let Some(figure) = missing
                && self.options.switches.on(Switch::ConversionAttributes)
            {
                return Err(Refusal::new(
                    400,
                    "/IBP/CX_ALERT_MESSAGES",
                    format!(
                        "Key figure {} requires conversion attribute '({attribute})' in the filter",
                        KEY_FIGURES[*figure].id
                    ),
                ));
            }
        }
        let of = |conversion: Conversion| named.remove(conversion.attribute()).unwrap_or_default();
        let [units, currencies] = [Conversion::Quantity, Conversion::Money].map(of);
        let currency = currencies.last().cloned().unwrap_or_default();
        if uses(Conversion::Money).is_some()
            && !currencies.is_empty()
            && !CURRENCIES.contains(&currency.as_str())
        {
            return Ok(Vec::new());
        }
        let shows = columns.iter().any(|(_, c)| matches!(c, Column::Unit(Conversion::Quantity)));
        let wanted = if shows { &*units } else { &units[units.len().saturating_sub(1)..] };
        let plain = Named { unit: String::new(), factor: 1, currency };
        if wanted.is_empty() || uses(Conversion::Quantity).is_none() {
            let unit = units.last().cloned().unwrap_or_default();
            return Ok(vec![Named { unit, ..plain }]);
        }
        let known = |unit: &String| {
            let (name, factor) = UNITS.iter().find(|(name, _)| name == unit)?;
            Some(Named { unit: (*name).to_owned(), factor: *factor, ..plain.clone() })
        };
        Ok(wanted.iter().filter_map(known).collect())
    }

    /// Adds the stored rows up that the filter lets through. A figure is compared
    /// with the total of its group, everything else with the stored row, whether
    /// or not it is in `$select`: so a group may keep some of its rows only.
    fn groups(
        &self,
        at: Timestamp,
        columns: &[(&str, Column)],
        figures: &[usize],
        filter: Option<Filter>,
        named: &Named,
    ) -> Groups<'_> {
        let parts = filter.map(Filter::conjuncts).unwrap_or_default();
        let (having, places): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| {
            let mut figure = false;
            part.each(&mut |c| figure |= key_figure(&c.field).is_some());
            figure
        });
        let mut any_version = false;
        for part in places.iter().chain(&having) {
            part.each(&mut |c| any_version |= ["VERSIONID", "VERSIONNAME"].contains(&&*c.field));
        }
        let mut rows = Vec::new();
        for (key, row) in &self.store.rows {
            if (!any_version && !key.version.is_empty())
                || !figures.iter().any(|figure| self.has(row, *figure))
                || !places.iter().all(|part| part.holds(&|c| self.place_holds(at, key, row, c)))
            {
                continue;
            }
            let dimensions = columns.iter().filter_map(|(_, column)| match column {
                Column::Text(name) => Some(Part::Text(self.text_of(key, name).to_owned())),
                Column::Period(level) => Some(Part::Date(stamp(key, level.kind))),
                Column::Unit(Conversion::Quantity) => Some(Part::Text(named.unit.clone())),
                Column::Unit(Conversion::Money) => Some(Part::Text(named.currency.clone())),
                Column::Modified(_) => {
                    let modified = row.modified().unwrap_or(Timestamp::UNIX_EPOCH);
                    Some(Part::Date(TimeZone::UTC.to_datetime(modified)))
                }
                Column::Id | Column::Figure(_) => None,
            });
            rows.push((dimensions.collect::<Vec<_>>(), key, row));
        }
        let all = self.totals(&rows, named.factor);
        if having.is_empty() {
            return all;
        }
        rows.retain(|(dimensions, key, row)| {
            let totals = &all[dimensions].totals;
            let holds = |c: &Comparison| match key_figure(&c.field) {
                Some(figure) => self.total_holds(totals, figure, c),
                None => self.place_holds(at, key, row, c),
            };
            having.iter().all(|part| part.holds(&holds))
        });
        self.totals(&rows, named.factor)
    }

    fn totals<'a>(&self, rows: &[(Vec<Part>, &'a RowKey, &'a Row)], factor: u32) -> Groups<'a> {
        let mut groups = Groups::new();
        for (dimensions, key, row) in rows {
            let group = groups.entry(dimensions.clone()).or_default();
            group.factor = factor;
            group.totals.add(row, self.options.wiring);
            group.versions.insert(&key.version);
        }
        groups
    }

    fn has(&self, row: &Row, figure: usize) -> bool {
        if KEY_FIGURES[figure].stored {
            return row.seen(figure, self.options.wiring).is_some();
        }
        let mut totals = Totals::default();
        totals.add(row, self.options.wiring);
        totals.value(figure).is_some()
    }

    pub(super) fn text_of<'a>(&'a self, key: &'a RowKey, name: &str) -> &'a str {
        let version = if key.version.is_empty() { BASELINE } else { &key.version };
        match name {
            "RESID" => &key.resource,
            "LOCID" => &key.location,
            "RESDESCR" => self.master.describe("RESID", &key.resource),
            "LOCDESCR" => self.master.describe("LOCID", &key.location),
            "VERSIONID" => version,
            "VERSIONNAME" => version_name(version),
            // Nobody made a scenario here.
            _ => "",
        }
    }

    fn answer(
        &self,
        mut groups: Vec<(Vec<Part>, Group<'_>)>,
        columns: &[(&str, Column)],
        query: &Query,
        root: &str,
        format: Format,
    ) -> Result<Response<Bytes>, Refusal> {
        let order = orderby(query)?;
        if order.is_empty() {
            if self.options.switches.on(Switch::UnorderedPages) && !groups.is_empty() {
                let turn = usize::try_from(self.requests).unwrap_or(0) % groups.len();
                groups.rotate_left(turn);
            }
        } else {
            sort(&mut groups, columns, &order)?;
        }
        let count = query.counts().then_some(groups.len());
        let entries: Vec<_> = page(groups, query)?
            .into_iter()
            .enumerate()
            .map(|(n, group)| self.entry(n, &group, columns))
            .collect();
        Ok(many(root, PLANNING_AREA, &entries, count, format))
    }

    fn entry(
        &self,
        n: usize,
        (parts, group): &(Vec<Part>, Group<'_>),
        columns: &[(&str, Column)],
    ) -> Entry {
        let mut dimensions = parts.iter();
        let factor = Decimal::from(group.factor.max(1));
        let mut props = Vec::new();
        for (_, column) in columns {
            let (name, prop) = match column {
                Column::Figure(figure) => {
                    let declared = &KEY_FIGURES[*figure];
                    let factor = match declared.conversion {
                        Some(Conversion::Quantity) => factor,
                        Some(Conversion::Money) | None => Decimal::ONE,
                    };
                    // A version knows no zero of a figure that it doesn't have.
                    let padded = self.options.switches.on(Switch::AbsentReadsZero)
                        && group.versions.iter().any(|version| self.assigned(version, *figure));
                    let value = group.totals.value(*figure);
                    let value = value.or_else(|| padded.then_some(Decimal::ZERO));
                    let value = value.map(|value| (value / factor).round_dp(6));
                    let wire = value.map_or(Prop::Null, |v| Prop::Decimal(format!("{v:.6}")));
                    (declared.id, wire)
                }
                Column::Text(name) | Column::Modified(name) => {
                    (*name, dimension(dimensions.next()))
                }
                Column::Unit(conversion) => (conversion.attribute(), dimension(dimensions.next())),
                Column::Id => ("ID", Prop::Text((n + 1).to_string())),
                Column::Period(level) => (level.stamp, dimension(dimensions.next())),
            };
            props.push((name, prop));
        }
        Entry {
            set: PLANNING_AREA.to_owned(),
            key: format!("{}L", n + 1),
            kind: format!("calcview.{PLANNING_AREA}"),
            props,
            nav: Vec::new(),
        }
    }
}

fn dimension(part: Option<&Part>) -> Prop {
    match part {
        Some(Part::Text(text)) => Prop::Text(text.clone()),
        Some(Part::Date(date)) => Prop::Date(*date),
        None => Prop::Null,
    }
}

fn sort(
    groups: &mut [(Vec<Part>, Group<'_>)],
    columns: &[(&str, Column)],
    order: &[(&str, bool)],
) -> Result<(), Refusal> {
    let mut keys = Vec::new();
    for (name, descending) in order {
        let at = columns.iter().position(|(column, _)| column == name).ok_or_else(|| {
            Refusal::bad(format!("Property '{name}' of $orderby is not in $select"))
        })?;
        let before = columns[..at].iter().filter(|(_, column)| column.groups()).count();
        if columns[at].1 != Column::Id {
            keys.push((columns[at].1, before, *descending));
        }
    }
    groups.sort_by(|(left, left_group), (right, right_group)| {
        keys.iter().fold(Ordering::Equal, |so_far, (column, part, descending)| {
            so_far.then_with(|| {
                let order = match column {
                    Column::Figure(f) => {
                        left_group.totals.value(*f).cmp(&right_group.totals.value(*f))
                    }
                    _ => left[*part].cmp(&right[*part]),
                };
                if *descending { order.reverse() } else { order }
            })
        })
    });
    Ok(())
}

pub(super) fn version_name(version: &str) -> &'static str {
    if version == TWIN_VERSION { "Digital twin" } else { "Base Version" }
}

fn versions(
    columns: &[(&str, Column)],
    query: &Query,
    root: &str,
    format: Format,
) -> Result<Response<Bytes>, Refusal> {
    let entry = |version: &str| Entry {
        set: PLANNING_AREA.to_owned(),
        key: "0L".to_owned(),
        kind: format!("calcview.{PLANNING_AREA}"),
        props: columns
            .iter()
            .map(|(name, _)| match *name {
                "VERSIONID" => ("VERSIONID", Prop::Text(version.to_owned())),
                _ => ("VERSIONNAME", Prop::Text(version_name(version).to_owned())),
            })
            .collect(),
        nav: Vec::new(),
    };
    let entries = page([BASELINE, TWIN_VERSION].map(entry).to_vec(), query)?;
    let count = query.counts().then_some(2);
    Ok(many(root, PLANNING_AREA, &entries, count, format))
}

const _: () = assert!(ATTRIBUTES.len() + 4 == TEXT_FIELDS.len(), "each attribute can be read");
