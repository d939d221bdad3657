//! Pure: a selection to the queries that read it.
//!
//! `$select` *is* the aggregation level (§7): it always names every storage
//! attribute and the time field, or values would come back silently summed.
//! Key figures that need different conversion attributes are asked separately,
//! since a conversion in `$filter` holds for all of a query.

use std::collections::{BTreeMap, BTreeSet};

use planthread_contracts::{MeasureDecl, PeriodKind};
use planthread_kit::{Class, ConnectorError, Selection};
use planthread_odata::{
    filter::{any_of, equals},
    literal::{datetime, query},
    paging::ROWS_MOST,
};

use crate::config::Config;

/// One query, read in pages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Question {
    /// Planning area.
    pub(crate) area: String,
    /// `$select`: level attributes, time field, conversions, key figures.
    pub(crate) select: Vec<String>,
    /// `$filter`.
    pub(crate) filter: String,
    /// `$orderby` over level and time: paging has no other ground to stand on.
    pub(crate) order: String,
    /// Measures that it reads.
    pub(crate) measures: Vec<MeasureDecl>,
    /// Period kind of the rows.
    pub(crate) kind: PeriodKind,
    /// Whether rows have a product.
    pub(crate) by_product: bool,
    /// Values of conversion attributes, which rows must come in.
    pub(crate) units: BTreeMap<String, String>,
    /// Rows that an answer can hold at most: one for each place and period
    /// that `filter` names, where it names places and rows have no products
    /// besides.
    pub(crate) rows_most: usize,
}

/// Queries that read `selection`.
///
/// # Errors
/// `Fatal` when a measure is not declared, or stored at another level than the
/// selection's periods.
pub(crate) fn questions(
    selection: &Selection,
    measures: &[MeasureDecl],
    config: &Config,
    version: &str,
) -> Result<Vec<Question>, ConnectorError> {
    let mut groups: BTreeMap<(bool, BTreeMap<String, String>), Vec<MeasureDecl>> = BTreeMap::new();
    for name in &selection.measures {
        let measure = measures.iter().find(|measure| measure.name == *name).ok_or_else(|| {
            fatal(format!("measure `{name}` is not declared for this target"))
                .cure("declare it, or leave it out of the selection")
        })?;
        if measure.level != selection.from.kind() || selection.from.kind() != selection.to.kind() {
            return Err(fatal(format!(
                "measure `{name}` is stored by {:?}; the selection asks for {} to {}",
                measure.level, selection.from, selection.to
            )));
        }
        let options = config.options(name);
        groups.entry((options.by_product, options.conversions)).or_default().push(measure.clone());
    }
    let ask = |(options, measures)| question(selection, config, version, options, measures);
    Ok(groups.into_iter().map(ask).collect())
}

/// The same key figures over `selection`'s places and periods, which may be of
/// another kind.
pub(crate) fn by_kind(
    of: &Question,
    selection: &Selection,
    config: &Config,
    version: &str,
) -> Question {
    let options = (of.by_product, of.units.clone());
    question(selection, config, version, options, of.measures.clone())
}

/// A query by the periods of `selection`, with what its measures have in common:
/// whether they are by product, and in which units they come.
fn question(
    selection: &Selection,
    config: &Config,
    version: &str,
    (by_product, units): (bool, BTreeMap<String, String>),
    measures: Vec<MeasureDecl>,
) -> Question {
    let kind = selection.from.kind();
    let mut level = vec![config.attributes.resource.clone(), config.attributes.location.clone()];
    level.extend(config.attributes.product.clone().filter(|_| by_product));
    level.push(config.time_fields.of(kind).to_owned());
    let order = level.join(",");
    let mut select = level;
    // A conversion attribute is a dimension: a row says in which unit it came.
    select.extend(units.keys().cloned());
    select.extend(measures.iter().map(|measure| measure.surface.clone()));
    Question {
        area: config.planning_area.clone(),
        select,
        filter: filter(selection, config, version, &units),
        order,
        measures,
        kind,
        by_product,
        units,
        rows_most: rows_most(selection, config, by_product),
    }
}

/// Places times periods, where the filter names each place.
fn rows_most(selection: &Selection, config: &Config, by_product: bool) -> usize {
    let places = selection.resources.iter().collect::<BTreeSet<_>>().len();
    let named = (1..=config.reading.pairs_in_filter).contains(&selection.resources.len());
    let mut periods = 1;
    let mut period = selection.from;
    while period < selection.to {
        period = period.next();
        periods += 1;
    }
    if named && !by_product { places * periods } else { ROWS_MOST }
}

fn filter(
    selection: &Selection,
    config: &Config,
    version: &str,
    conversions: &BTreeMap<String, String>,
) -> String {
    let mut terms = Vec::new();
    if !version.is_empty() {
        terms.push(equals("VERSIONID", version));
    }
    terms.extend(places(&selection.resources, config));
    let time = config.time_fields.of(selection.from.kind());
    terms.push(format!("{time} ge {}", datetime(selection.from.start())));
    terms.push(format!("{time} le {}", datetime(selection.to.start())));
    terms.extend(conversions.iter().map(|(name, value)| equals(name, value)));
    terms.join(" and ")
}

/// The predicate on resources and locations: exact while the list is short,
/// then by location alone, then none; what comes too much is sorted out after.
fn places(pairs: &[(String, String)], config: &Config) -> Option<String> {
    let attributes = &config.attributes;
    let limit = config.reading.pairs_in_filter;
    let mut by_location: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (resource, location) in pairs {
        by_location.entry(location).or_default().insert(resource);
    }
    if by_location.is_empty() || by_location.len() > limit {
        return None;
    }
    if pairs.len() > limit {
        let names = by_location.keys().map(|location| equals(&attributes.location, location));
        return Some(any_of(&names.collect::<Vec<_>>()));
    }
    let terms = by_location.iter().map(|(location, resources)| {
        let names = resources.iter().map(|resource| equals(&attributes.resource, resource));
        let location = equals(&attributes.location, location);
        format!("{location} and {}", any_of(&names.collect::<Vec<_>>()))
    });
    let terms: Vec<String> = terms.collect();
    match terms.as_slice() {
        [only] => Some(only.clone()),
        _ => Some(any_of(&terms.iter().map(|term| format!("({term})")).collect::<Vec<_>>())),
    }
}

impl Question {
    /// Path and query of one page. The count is asked with the first page
    /// only, and never with an empty page: `$top=0` makes the service dump
    /// (§7).
    pub(crate) fn page(&self, top: usize, skip: usize) -> String {
        let mut pairs = vec![
            ("$select", self.select.join(",")),
            ("$filter", self.filter.clone()),
            ("$orderby", self.order.clone()),
            ("$top", top.max(1).to_string()),
            ("$skip", skip.to_string()),
        ];
        pairs.retain(|(_, value)| !value.is_empty());
        if skip == 0 {
            pairs.push(("$inlinecount", "allpages".to_owned()));
        }
        pairs.push(("$format", "json".to_owned()));
        format!("{}?{}", self.area, query(&pairs))
    }
}

fn fatal(text: String) -> ConnectorError {
    ConnectorError::new(Class::Fatal, "read values", text)
}

#[cfg(test)]
mod tests {
    use planthread_contracts::Scope;

    use super::*;
    use crate::samples::{config, measures};

    fn selection(measures: &[&str], pairs: &[(&str, &str)]) -> Selection {
        Selection {
            target: "ibp".to_owned(),
            scope: Scope::named("UPSIDE"),
            measures: measures.iter().map(|&name| name.to_owned()).collect(),
            resources: pairs.iter().map(|&(r, l)| (r.to_owned(), l.to_owned())).collect(),
            from: "2026-W02".parse().unwrap(),
            to: "2026-W14".parse().unwrap(),
            lane: planthread_kit::http::Lane::Verify,
        }
    }

    #[test]
    fn the_query_of_the_fact_sheet() {
        let selection = selection(&["live"], &[("LINE-1", "1010")]);
        let found = questions(&selection, &measures(), &config(), "UPSIDE").unwrap();
        insta::assert_snapshot!(found[0].filter);
        insta::assert_snapshot!(found[0].page(5_000, 0));
        assert!(!found[0].page(5_000, 5_000).contains("inlinecount"));
    }

    #[test]
    fn conversions_are_asked_separately_and_the_base_version_is_not_named() {
        let selection = selection(&["live", "output", "cut"], &[]);
        let found = questions(&selection, &measures(), &config(), "").unwrap();
        assert_eq!(found.len(), 2);
        assert_eq!(
            found[0].select,
            ["RESID", "LOCID", "PERIODID4_TSTAMP", "TWINCAPALIVE", "TWINCAPA"]
        );
        assert!(found[1].filter.ends_with("and UOMTOID eq 'EA'"), "{}", found[1].filter);
        assert!(!found[0].filter.contains("VERSIONID") && !found[0].filter.contains("UOMTOID"));
    }

    #[test]
    fn long_lists_of_resources_become_locations() {
        let names: Vec<String> = (0..50).map(|number| format!("L{number}")).collect();
        let pairs: Vec<(&str, &str)> = names
            .iter()
            .enumerate()
            .map(|(n, name)| (name.as_str(), ["1010", "1020"][n % 2]))
            .collect();
        let ask = |pairs: &[(&str, &str)]| {
            questions(&selection(&["live"], pairs), &measures(), &config(), "")
                .unwrap()
                .remove(0)
                .filter
        };
        assert!(ask(&pairs).starts_with("(LOCID eq '1010' or LOCID eq '1020') and PERIODID4"));
        assert!(ask(&pairs[..3]).starts_with(
            "((LOCID eq '1010' and (RESID eq 'L0' or RESID eq 'L2')) or (LOCID eq '1020' and RESID eq 'L1')) and"
        ));
    }

    #[test]
    fn another_level_is_refused() {
        let mut wrong = selection(&["live"], &[]);
        wrong.to = "2026-04".parse().unwrap();
        let error = questions(&wrong, &measures(), &config(), "").unwrap_err();
        assert!(error.to_string().contains("Week"), "{error}");
    }
}
