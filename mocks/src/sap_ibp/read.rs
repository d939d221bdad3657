//! `GET <PA>`: `$select` is the aggregation level, and mistakes stay silent.

use std::{cmp::Ordering, collections::BTreeMap};

use bytes::Bytes;
use http::Response;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use planthread_contracts::{Period, PeriodKind};
use rust_decimal::Decimal;

use super::{
    SapIbp,
    behaviours::Switch,
    filter::{Comparison, Filter, Literal, Op},
    model::{
        ATTRIBUTES, BASELINE, Conversion, KEY_FIGURES, PLANNING_AREA, TIME_LEVELS, TWIN_VERSION,
        TimeLevel, UNITS, key_figure, time_level,
    },
    query::{Query, orderby, page},
    store::{Row, RowKey, Totals},
    wire::{Entry, Format, Prop, Refusal, many},
};

/// One column of `$select`.
#[derive(Debug, Clone, Copy)]
enum Column {
    Text(&'static str),
    Period(&'static TimeLevel),
    Figure(usize),
}

/// One part of a group's key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
enum Part {
    Text(String),
    Date(DateTime),
}

/// A row of the answer: its dimensions in `$select` order, and its totals.
type Group = (Vec<Part>, Totals);

const TEXT_FIELDS: [&str; 8] = [
    "VERSIONID",
    "VERSIONNAME",
    "SCENARIOID",
    "SCENARIONAME",
    "RESID",
    "LOCID",
    "RESDESCR",
    "LOCDESCR",
];

impl SapIbp {
    /// Reads key figures.
    pub(super) fn read(
        &mut self,
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
        let columns = self.columns_of(query)?;
        if columns.iter().all(|(name, _)| ["VERSIONID", "VERSIONNAME"].contains(name)) {
            return versions(&columns, query, root, format);
        }
        let figures: Vec<_> = columns
            .iter()
            .filter_map(|(_, column)| match column {
                Column::Figure(figure) => Some(*figure),
                Column::Text(_) | Column::Period(_) => None,
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
        let unit = self.unit(&figures, filter.as_ref())?;
        let groups = self.groups(at, &columns, &figures, filter, unit);
        self.answer(groups, &columns, unit, query, root, format)
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
            } else if ["LASTMODIFIEDDATE", "CREATEDDATE"].contains(&name) {
                return Err(Refusal::bad(format!("This sandbox knows {name} in $filter only")));
            } else {
                return Err(Refusal::bad(format!("Property '{name}' is invalid in $select")));
            };
            Ok((name, column))
        };
        names.into_iter().map(column).collect()
    }

    /// The factor of the target unit, or `None` where it converts nothing.
    fn unit(&self, figures: &[usize], filter: Option<&Filter>) -> Result<Option<u32>, Refusal> {
        let mut named = BTreeMap::new();
        if let Some(filter) = filter {
            filter.each(&mut |comparison| {
                if let (Op::Eq, Literal::Text(text)) = (comparison.op, &comparison.literal) {
                    named.insert(comparison.field.clone(), text.clone());
                }
            });
        }
        for conversion in [Conversion::Quantity, Conversion::Money] {
            let figure = figures.iter().find(|f| KEY_FIGURES[**f].conversion == Some(conversion));
            let Some(figure) = figure else { continue };
            let attribute = conversion.attribute();
            if !named.contains_key(attribute)
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
        let unit = named.get("UOMTOID");
        let factor = unit.and_then(|unit| UNITS.iter().find(|(name, _)| name == unit));
        Ok(match (unit, factor) {
            (None, _) => Some(1),
            (Some(_), Some((_, factor))) => Some(*factor),
            (Some(_), None) => None,
        })
    }

    fn groups(
        &self,
        at: Timestamp,
        columns: &[(&str, Column)],
        figures: &[usize],
        filter: Option<Filter>,
        unit: Option<u32>,
    ) -> Vec<Group> {
        let parts = filter.map(Filter::conjuncts).unwrap_or_default();
        let (having, places): (Vec<_>, Vec<_>) = parts.into_iter().partition(|part| {
            let mut figure = false;
            part.each(&mut |c| figure |= key_figure(&c.field).is_some());
            figure
        });
        let mut any_version = false;
        for part in &places {
            part.each(&mut |c| any_version |= ["VERSIONID", "VERSIONNAME"].contains(&&*c.field));
        }
        let mut groups: BTreeMap<Vec<Part>, Totals> = BTreeMap::new();
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
                Column::Figure(_) => None,
            });
            groups.entry(dimensions.collect()).or_default().add(row, self.options.wiring);
        }
        let names: Vec<_> = columns
            .iter()
            .filter(|(_, column)| !matches!(column, Column::Figure(_)))
            .map(|(name, _)| *name)
            .collect();
        let holds = |(parts, totals): &Group| {
            having.iter().all(|part| part.holds(&|c| self.total_holds(&names, parts, totals, c)))
        };
        // A unit that nothing converts to leaves no rows: that is how it is probed.
        if unit.is_none() && figures.iter().any(|f| KEY_FIGURES[*f].conversion.is_some()) {
            return Vec::new();
        }
        groups.into_iter().filter(holds).collect()
    }

    fn has(&self, row: &Row, figure: usize) -> bool {
        if KEY_FIGURES[figure].stored {
            return row.seen(figure, self.options.wiring).is_some();
        }
        let mut totals = Totals::default();
        totals.add(row, self.options.wiring);
        totals.value(figure).is_some()
    }

    fn text_of<'a>(&'a self, key: &'a RowKey, name: &str) -> &'a str {
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

    /// Whether a predicate on attributes or time holds for a stored row.
    fn place_holds(&self, at: Timestamp, key: &RowKey, row: &Row, c: &Comparison) -> bool {
        if let Some(level) = time_level(&c.field) {
            return matches!(&c.literal, Literal::Date(date) if c.op.holds(&stamp(key, level.kind), date));
        }
        if let Some(level) = TIME_LEVELS.iter().find(|level| level.relative == c.field) {
            let distance = Decimal::from(relative(at, key, level.kind));
            return matches!(&c.literal, Literal::Number(n) if c.op.holds(&distance, n));
        }
        match (c.field.as_str(), &c.literal) {
            ("LASTMODIFIEDDATE" | "CREATEDDATE", Literal::Instant(instant)) => {
                row.modified().is_some_and(|modified| c.op.holds(&modified, instant))
            }
            // Conversion attributes choose a unit; they filter no rows.
            ("UOMTOID" | "CURRTOID", _) => true,
            (field, Literal::Text(text)) => {
                let value = self.text_of(key, field);
                let dropped =
                    value.is_empty() && self.options.switches.on(Switch::EmptyAttributeDropped);
                !dropped && c.op.holds(&value, &text.as_str())
            }
            _ => false,
        }
    }

    /// Whether a predicate holds for a row of the answer.
    fn total_holds(&self, names: &[&str], parts: &[Part], totals: &Totals, c: &Comparison) -> bool {
        if let Some(figure) = key_figure(&c.field) {
            let Literal::Number(number) = &c.literal else { return false };
            let ignored = c.op == Op::Ne
                && number.is_zero()
                && self.options.switches.on(Switch::NeZeroIgnored);
            let value = totals.value(figure).unwrap_or_default();
            return ignored || c.op.holds(&value, number);
        }
        let part = names.iter().position(|name| *name == c.field).map(|at| &parts[at]);
        match (part, &c.literal) {
            (Some(Part::Text(value)), Literal::Text(text)) => c.op.holds(value, text),
            (Some(Part::Date(value)), Literal::Date(date)) => c.op.holds(value, date),
            _ => false,
        }
    }

    fn answer(
        &self,
        mut groups: Vec<Group>,
        columns: &[(&str, Column)],
        unit: Option<u32>,
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
        let factor = Decimal::from(unit.unwrap_or(1).max(1));
        let entries: Vec<_> = page(groups, query)?
            .into_iter()
            .enumerate()
            .map(|(n, group)| self.entry(n, &group, columns, factor))
            .collect();
        Ok(many(root, PLANNING_AREA, &entries, count, format))
    }

    fn entry(&self, n: usize, group: &Group, columns: &[(&str, Column)], factor: Decimal) -> Entry {
        let (parts, totals) = group;
        let mut dimensions = parts.iter();
        let mut props = Vec::new();
        for (_, column) in columns {
            let (name, prop) = match column {
                Column::Figure(figure) => {
                    let declared = &KEY_FIGURES[*figure];
                    let factor = match declared.conversion {
                        Some(Conversion::Quantity) => factor,
                        Some(Conversion::Money) | None => Decimal::ONE,
                    };
                    let absent = self.options.switches.on(Switch::AbsentReadsZero);
                    let value = totals.value(*figure).or_else(|| absent.then_some(Decimal::ZERO));
                    let value = value.map(|value| (value / factor).round_dp(6));
                    let wire = value.map_or(Prop::Null, |v| Prop::Decimal(format!("{v:.6}")));
                    (declared.id, wire)
                }
                Column::Text(name) => (*name, dimension(dimensions.next())),
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
    groups: &mut [Group],
    columns: &[(&str, Column)],
    order: &[(&str, bool)],
) -> Result<(), Refusal> {
    let mut keys = Vec::new();
    for (name, descending) in order {
        let at = columns.iter().position(|(column, _)| column == name).ok_or_else(|| {
            Refusal::bad(format!("Property '{name}' of $orderby is not in $select"))
        })?;
        let before = columns[..at].iter().filter(|(_, c)| !matches!(c, Column::Figure(_))).count();
        keys.push((columns[at].1, before, *descending));
    }
    groups.sort_by(|(left, left_totals), (right, right_totals)| {
        keys.iter().fold(Ordering::Equal, |so_far, (column, part, descending)| {
            so_far.then_with(|| {
                let order = match column {
                    Column::Figure(f) => left_totals.value(*f).cmp(&right_totals.value(*f)),
                    Column::Text(_) | Column::Period(_) => left[*part].cmp(&right[*part]),
                };
                if *descending { order.reverse() } else { order }
            })
        })
    });
    Ok(())
}

/// Whether a comparison's field exists and its literal has the right type.
fn check(c: &Comparison) -> Result<(), Refusal> {
    let fits = if time_level(&c.field).is_some() {
        matches!(c.literal, Literal::Date(_))
    } else if key_figure(&c.field).is_some()
        || TIME_LEVELS.iter().any(|level| level.relative == c.field)
    {
        matches!(c.literal, Literal::Number(_))
    } else if ["LASTMODIFIEDDATE", "CREATEDDATE"].contains(&c.field.as_str()) {
        matches!(c.literal, Literal::Instant(_))
    } else if TEXT_FIELDS.contains(&c.field.as_str())
        || ["UOMTOID", "CURRTOID"].contains(&c.field.as_str())
    {
        matches!(c.literal, Literal::Text(_) | Literal::Null)
    } else {
        return Err(Refusal::bad(format!("Property '{}' is invalid in $filter", c.field)));
    };
    if fits {
        return Ok(());
    }
    Err(mistyped(c))
}

/// A literal of another type than its property's.
pub(super) fn mistyped(c: &Comparison) -> Refusal {
    let text = format!("Invalid parametertype used at function '{}'", c.op.word());
    Refusal::new(400, "005056A509B11EE1BB8AF4A65EC3CA20", text)
}

/// A row's timestamp at a time level. A period that spans two coarser ones
/// counts for the one in which it starts.
fn stamp(key: &RowKey, kind: PeriodKind) -> DateTime {
    Period::containing(kind, key.period.start()).start().at(0, 0, 0, 0)
}

/// Periods from the current one to the row's.
fn relative(at: Timestamp, key: &RowKey, kind: PeriodKind) -> i64 {
    let today = Period::containing(kind, TimeZone::UTC.to_datetime(at).date());
    let row = Period::containing(kind, key.period.start());
    let (mut from, to, sign) = if today <= row { (today, row, 1) } else { (row, today, -1) };
    let mut steps = 0;
    while from < to {
        from = from.next();
        steps += 1;
    }
    sign * steps
}

fn version_name(version: &str) -> &'static str {
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
