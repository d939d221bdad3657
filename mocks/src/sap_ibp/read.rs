//! `GET <PA>`: `$select` is the aggregation level, and mistakes stay silent.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use bytes::Bytes;
use http::Response;
use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use rust_decimal::Decimal;

use super::{
    SapIbp,
    behaviours::Switch,
    filter::{Comparison, Filter, Literal, Op},
    model::{BASELINE, Conversion, DESCRIPTIONS, Name, Span, version_name},
    query::{Query, orderby, page},
    wire::{Entry, Format, Prop, Refusal, many},
};
use crate::sdk::plan::{Places as _, Row, RowKey, Totals};

/// One column of `$select`.
#[derive(Debug, Clone, PartialEq)]
enum Column {
    Text(Name),
    /// A time level: the name of its field, and its span.
    Period(Name, Span),
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
    const fn groups(&self) -> bool {
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
            return self.versions(&columns, query, root, format);
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
                    checked = self.fits(comparison);
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

    fn columns_of<'a>(&'a self, query: &'a Query) -> Result<Vec<(&'a str, Column)>, Refusal> {
        let mut names = query.list("$select");
        if names.is_empty() {
            if self.options.switches.on(Switch::SelectMandatory) {
                return Err(Refusal::bad("$select is mandatory"));
            }
            names = self.default_columns();
        }
        names.into_iter().map(|name| Ok((name, self.column(name)?))).collect()
    }

    /// What is read where `$select` may be left out: everything at its own level.
    fn default_columns(&self) -> Vec<&str> {
        let stored = self.area.level(self.plan.storage).map(|level| &*level.stamp);
        let figure = self.plan.model.measures.first().map(|measure| &*measure.id);
        let root = [&*self.area.resource, &*self.area.location];
        root.into_iter().chain(stored).chain(figure).collect()
    }

    fn column(&self, name: &str) -> Result<Column, Refusal> {
        if let Some(text) = self.area.text_field(name) {
            return Ok(Column::Text(text));
        }
        if let Some(level) = self.area.time(name) {
            return Ok(Column::Period(Arc::clone(&level.stamp), level.span));
        }
        if let Some(figure) = self.plan.model.find(name) {
            return Ok(Column::Figure(figure));
        }
        if let Some(audit) = AUDIT_FIELDS.iter().find(|field| **field == name) {
            return Ok(Column::Modified(audit));
        }
        if let Some(conversion) = Conversion::named(name) {
            return Ok(Column::Unit(conversion));
        }
        if self.area.relative(name).is_some() {
            return Err(Refusal::bad(format!("{name} can be used in $filter only")));
        }
        let unknown = || Refusal::bad(format!("Property '{name}' is invalid in $select"));
        if name == "ID" { Ok(Column::Id) } else { Err(unknown()) }
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
            figures.iter().find(|figure| self.area.conversions[**figure] == Some(conversion))
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
                        self.plan.model.measures[*figure].id
                    ),
                ));
            }
        }
        let mut of =
            |conversion: Conversion| named.remove(conversion.attribute()).unwrap_or_default();
        let [units, currencies] = [Conversion::Quantity, Conversion::Money].map(&mut of);
        let currency = currencies.last().cloned().unwrap_or_default();
        if uses(Conversion::Money).is_some()
            && !currencies.is_empty()
            && !self.area.currencies.contains(&currency)
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
            let (name, factor) = self.area.units.iter().find(|(name, _)| name == unit)?;
            Some(Named { unit: name.clone(), factor: *factor, ..plain.clone() })
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
            part.each(&mut |c| figure |= self.plan.model.find(&c.field).is_some());
            figure
        });
        let mut any_version = false;
        for part in places.iter().chain(&having) {
            part.each(&mut |c| any_version |= ["VERSIONID", "VERSIONNAME"].contains(&&*c.field));
        }
        let mut rows = Vec::new();
        for (key, row) in &self.plan.store.rows {
            if (!any_version && !key.scope.is_empty())
                || !figures.iter().any(|figure| self.has(row, *figure))
                || !places.iter().all(|part| part.holds(&|c| self.place_holds(at, key, row, c)))
            {
                continue;
            }
            let dimensions = columns.iter().filter_map(|(_, column)| match column {
                Column::Text(name) => Some(Part::Text(self.text_of(key, name).to_owned())),
                Column::Period(_, span) => Some(Part::Date(self.stamp(key, *span))),
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
            let holds = |c: &Comparison| match self.plan.model.find(&c.field) {
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
            group.totals.add(&self.plan.model, row, self.plan.wiring);
            group.versions.insert(&key.scope);
        }
        groups
    }

    fn has(&self, row: &Row, figure: usize) -> bool {
        let plan = &self.plan;
        if plan.model.measures[figure].part != crate::sdk::plan::Part::Utilisation {
            return plan.model.seen(row, figure, plan.wiring).is_some();
        }
        let mut totals = Totals::default();
        totals.add(&plan.model, row, plan.wiring);
        totals.value(&plan.model, figure).is_some()
    }

    pub(super) fn text_of<'a>(&'a self, key: &'a RowKey, name: &str) -> &'a str {
        let version = if key.scope.is_empty() { BASELINE } else { &key.scope };
        if name == &*self.area.resource {
            return &key.resource;
        }
        if name == &*self.area.location {
            return &key.location;
        }
        match name {
            "VERSIONID" => version,
            "VERSIONNAME" => version_name(&self.plan.model, version),
            _ if name == DESCRIPTIONS[0] => self.master.resource(&key.resource),
            _ if name == DESCRIPTIONS[1] => self.master.location(&key.location),
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
            self.sort(&mut groups, columns, &order)?;
        }
        let count = query.counts().then_some(groups.len());
        let entries: Vec<_> = page(groups, query)?
            .into_iter()
            .enumerate()
            .map(|(n, group)| self.entry(n, &group, columns))
            .collect();
        Ok(many(root, &self.area.name, &entries, count, format))
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
                    let id = &self.plan.model.measures[*figure].id;
                    (Arc::clone(id), self.figure(group, *figure, factor))
                }
                Column::Text(name) | Column::Period(name, _) => {
                    (Arc::clone(name), dimension(dimensions.next()))
                }
                Column::Modified(name) => ((*name).into(), dimension(dimensions.next())),
                Column::Unit(conversion) => {
                    (conversion.attribute().into(), dimension(dimensions.next()))
                }
                Column::Id => ("ID".into(), Prop::Text((n + 1).to_string())),
            };
            props.push((name, prop));
        }
        let area = &self.area.name;
        Entry::new(area, format!("{}L", n + 1), format!("calcview.{area}"), props)
    }

    fn figure(&self, group: &Group<'_>, figure: usize, factor: Decimal) -> Prop {
        let factor = match self.area.conversions[figure] {
            Some(Conversion::Quantity) => factor,
            Some(Conversion::Money) | None => Decimal::ONE,
        };
        // A version knows no zero of a figure that it doesn't have.
        let padded = self.options.switches.on(Switch::AbsentReadsZero)
            && group.versions.iter().any(|version| self.plan.assigned(version, figure));
        let value = group.totals.value(&self.plan.model, figure);
        let value = value.or_else(|| padded.then_some(Decimal::ZERO));
        let value = value.map(|value| (value / factor).round_dp(6));
        value.map_or(Prop::Null, |value| Prop::Decimal(format!("{value:.6}")))
    }

    fn sort(
        &self,
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
                keys.push((&columns[at].1, before, *descending));
            }
        }
        groups.sort_by(|(left, left_group), (right, right_group)| {
            keys.iter().fold(Ordering::Equal, |so_far, (column, part, descending)| {
                so_far.then_with(|| {
                    let total = |group: &Group<'_>, f| group.totals.value(&self.plan.model, f);
                    let order = match column {
                        Column::Figure(f) => total(left_group, *f).cmp(&total(right_group, *f)),
                        _ => left[*part].cmp(&right[*part]),
                    };
                    if *descending { order.reverse() } else { order }
                })
            })
        });
        Ok(())
    }

    fn versions(
        &self,
        columns: &[(&str, Column)],
        query: &Query,
        root: &str,
        format: Format,
    ) -> Result<Response<Bytes>, Refusal> {
        let model = &self.plan.model;
        let known = [BASELINE].into_iter().chain(model.scopes.iter().map(|(name, _)| &**name));
        let known: Vec<_> = known.collect();
        let entry = |version: &&str| {
            let value = |column: &str| match column {
                "VERSIONID" => (*version).to_owned(),
                _ => version_name(model, version).to_owned(),
            };
            let props = columns.iter().map(|(name, _)| ((*name).into(), Prop::Text(value(name))));
            let area = &self.area.name;
            Entry::new(area, "0L".to_owned(), format!("calcview.{area}"), props.collect())
        };
        let entries = page(known.iter().map(entry).collect(), query)?;
        let count = query.counts().then_some(known.len());
        Ok(many(root, &self.area.name, &entries, count, format))
    }
}

fn dimension(part: Option<&Part>) -> Prop {
    match part {
        Some(Part::Text(text)) => Prop::Text(text.clone()),
        Some(Part::Date(date)) => Prop::Date(*date),
        None => Prop::Null,
    }
}
