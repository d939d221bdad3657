//! Probes with real reads: conversions that a key figure needs, and how it
//! adds up one level coarser.
//!
//! Neither stands in `$metadata`. A key figure that sums where a maximum was
//! declared shows planners a severity of 7.3, so the proof is a read.

use std::collections::BTreeMap;

use jiff::tz::TimeZone;
use planthread_contracts::{Aggregation, MeasureDecl, Period, PeriodKind};
use planthread_kit::{Class, ConnectorError, Selection, http::Lane};
use rust_decimal::Decimal;
use serde_json::Value;

use super::{
    report::Report,
    sheet::{aggregation, kinds, measure_id},
};
use crate::{
    connector::SapIbp,
    translate::{
        decode,
        question::{Question, equals, questions},
    },
    verbs::read::{pages, placed},
    wire::client::Service,
};

const PROBE: &str = "probe values";
/// Periods that are looked at, from the current one on.
const WINDOW: usize = 4;

/// Answers the lines of `measures`, all of which exist.
pub(crate) async fn probe(
    ibp: &SapIbp,
    measures: &[MeasureDecl],
    version: &str,
    report: &mut Report,
) -> Result<(), ConnectorError> {
    for kind in kinds(measures) {
        let level: Vec<MeasureDecl> =
            measures.iter().filter(|measure| measure.level == kind).cloned().collect();
        for question in questions(&window(ibp, kind, &level), &level, &ibp.config, version)? {
            let readable = conversions(ibp, question, report).await?;
            if !readable.measures.is_empty() {
                adds_up(ibp, &readable, report).await?;
            }
        }
    }
    Ok(())
}

fn window(ibp: &SapIbp, kind: PeriodKind, measures: &[MeasureDecl]) -> Selection {
    let today = ibp.client.clock().now().to_zoned(TimeZone::UTC).date();
    let from = Period::containing(kind, today);
    let to = (1..WINDOW).fold(from, |period, _| period.next());
    Selection {
        target: String::new(),
        scope: ibp.scope.clone(),
        measures: measures.iter().map(|measure| measure.name.clone()).collect(),
        resources: Vec::new(),
        from,
        to,
    }
}

/// Reads two rows; where that fails, each key figure alone, so that the one at
/// fault is named. Answers the question without the key figures that fail.
async fn conversions(
    ibp: &SapIbp,
    question: Question,
    report: &mut Report,
) -> Result<Question, ConnectorError> {
    if two_rows(ibp, &question).await?.is_none() {
        return Ok(question);
    }
    let figures = question.measures.len();
    let mut readable = Question { measures: Vec::new(), ..question.clone() };
    readable.select.truncate(question.select.len() - figures);
    let level = readable.select.clone();
    for measure in &question.measures {
        let mut select = level.clone();
        select.push(measure.surface.clone());
        let alone = Question { select, measures: vec![measure.clone()], ..question.clone() };
        match two_rows(ibp, &alone).await? {
            None => {
                readable.select.push(measure.surface.clone());
                readable.measures.push(measure.clone());
            }
            Some(text) => needs(ibp, alone, text, report).await?,
        }
    }
    Ok(readable)
}

/// Finds out which conversion attributes a key figure needs: each refusal
/// names one, so a dummy value is given for it and asked again, twice at most.
async fn needs(
    ibp: &SapIbp,
    mut question: Question,
    mut text: String,
    report: &mut Report,
) -> Result<(), ConnectorError> {
    const DUMMY: &str = "ZZZ";
    let Some(line) = question.measures.first().map(measure_id) else { return Ok(()) };
    let mut missing = Vec::new();
    while let (Some(name), true) = (missing_conversion(&text), missing.len() < 2) {
        question.filter = format!("{} and {}", question.filter, equals(&name, DUMMY));
        missing.push(name);
        match two_rows(ibp, &question).await? {
            Some(next) => text = next,
            None => break,
        }
    }
    if missing.is_empty() {
        report.fail(
            &line,
            format!("can't be read: {text}"),
            "compare the key figure with its line",
        );
    } else {
        let text = format!("a read must name {}", missing.join(" and "));
        report.fail(&line, text, "set `measures.<name>.conversions` to the unit of storage");
    }
    Ok(())
}

/// `requires conversion attribute '(UOMTOID)…'` (§7). Answers the name.
fn missing_conversion(text: &str) -> Option<String> {
    let rest = text.split_once("conversion attribute")?.1;
    let name: String = rest
        .chars()
        .skip_while(|sign| !sign.is_ascii_alphanumeric())
        .take_while(|sign| sign.is_ascii_alphanumeric() || *sign == '_')
        .collect();
    (!name.is_empty()).then_some(name)
}

/// Reads at most two rows; the text of a refusal comes back as a value.
async fn two_rows(ibp: &SapIbp, question: &Question) -> Result<Option<String>, ConnectorError> {
    match ibp.client.read(PROBE, Lane::Sweep, Service::Planning, &question.page(2, 0)).await {
        Ok(_) => Ok(None),
        Err(error) if error.class == Class::Drift => Ok(Some(error.message)),
        Err(error) => Err(error),
    }
}

/// Reads the same window at the storage level, without resources, and without
/// periods, and compares.
async fn adds_up(
    ibp: &SapIbp,
    question: &Question,
    report: &mut Report,
) -> Result<(), ConnectorError> {
    let stored = pages(ibp, question, Lane::Sweep).await?;
    let stored = placed(ibp, question, &stored)?;
    let names = &ibp.config.attributes;
    let time = ibp.config.time_fields.of(question.kind);
    let axes: [(&str, &str, fn(&MeasureDecl) -> Aggregation); 2] = [
        ("over resources", &names.resource, |measure| measure.over_resources),
        ("over time", time, |measure| measure.over_time),
    ];
    for (axis, dropped, declared) in axes {
        let coarse = coarser(question, dropped);
        let rows = if stored.is_empty() {
            Vec::new()
        } else {
            pages(ibp, &coarse, Lane::Sweep).await?.concat()
        };
        let level = coarse.order.split(',').map(str::to_owned).collect::<Vec<_>>();
        for measure in &question.measures {
            let fine = stored.iter().map(|(_, row)| row);
            let found = observe(&level, fine, &rows, measure)?;
            judge(measure, axis, declared(measure), found, report);
        }
    }
    Ok(())
}

/// The same question without one attribute or the time field.
fn coarser(question: &Question, dropped: &str) -> Question {
    let keep = |name: &&str| *name != dropped;
    let order: Vec<&str> = question.order.split(',').filter(keep).collect();
    let mut coarse = question.clone();
    coarse.order = order.join(",");
    coarse.select.retain(|name| name != dropped);
    coarse
}

/// What a coarser read shows against the stored values.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Observed {
    /// It adds up like this.
    Is(Aggregation),
    /// It shows something that is neither sum, maximum, minimum nor nothing.
    Else(Decimal),
    /// No two different values stand together yet.
    NoEvidence,
}

/// Looks for a group whose sum, maximum and minimum all differ.
fn observe<'a>(
    level: &[String],
    stored: impl Iterator<Item = &'a Value>,
    coarse: &[Value],
    measure: &MeasureDecl,
) -> Result<Observed, ConnectorError> {
    let key = |row: &Value| -> Vec<String> {
        level.iter().map(|column| decode::text(row, column).to_owned()).collect()
    };
    let mut groups: BTreeMap<Vec<String>, Vec<Decimal>> = BTreeMap::new();
    for row in stored {
        if let Some(value) = decode::number(row, &measure.surface, 0)? {
            groups.entry(key(row)).or_default().push(value);
        }
    }
    for (group, values) in groups {
        let (Some(&max), Some(&min)) = (values.iter().max(), values.iter().min()) else { continue };
        let sum: Decimal = values.iter().sum();
        if sum == max || sum == min || max == min {
            continue;
        }
        let shown = match coarse.iter().find(|row| key(row) == group) {
            Some(row) => decode::number(row, &measure.surface, 0)?,
            None => None,
        };
        return Ok(match shown {
            None => Observed::Is(Aggregation::None),
            Some(value) if value == sum => Observed::Is(Aggregation::Sum),
            Some(value) if value == max => Observed::Is(Aggregation::Max),
            Some(value) if value == min => Observed::Is(Aggregation::Min),
            Some(value) => Observed::Else(value),
        });
    }
    Ok(Observed::NoEvidence)
}

fn judge(
    measure: &MeasureDecl,
    axis: &str,
    declared: Aggregation,
    found: Observed,
    report: &mut Report,
) {
    let line = measure_id(measure);
    let wanted = aggregation(declared);
    match found {
        Observed::Is(is) if is == declared => {
            report.tick(&line, format!("{axis}: {wanted}, proven"))
        }
        Observed::Is(is) => report.fail(
            &line,
            format!("{axis} it shows the {}, {wanted} is declared", aggregation(is)),
            "change the aggregation of the key figure, or correct the declaration",
        ),
        Observed::Else(value) => report.fail(
            &line,
            format!("{axis} it shows {value}: neither sum, maximum, minimum nor nothing"),
            "look at the key figure's calculations above its storage level",
        ),
        // Sums are what this service does unless told otherwise; anything else
        // must be seen before it is believed.
        Observed::NoEvidence if declared == Aggregation::Sum => {
            report.tick(&line, format!("{axis}: sum, nothing landed to prove it by"));
        }
        Observed::NoEvidence => report.fail(
            &line,
            format!("{axis}: {wanted} is not proven, no two different values stand together yet"),
            "land once, then check again",
        ),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::samples::measures;

    fn seen(coarse: Value) -> Observed {
        let level = ["LOCID".to_owned()];
        let stored = [
            json!({"LOCID": "1010", "TWINSEVERITY": "0.400000"}),
            json!({"LOCID": "1010", "TWINSEVERITY": "0.300000"}),
        ];
        observe(&level, stored.iter(), &[coarse], &measures()[3]).unwrap()
    }

    #[test]
    fn the_coarser_level_tells_how_values_add_up() {
        let shows = |value: Value| seen(json!({"LOCID": "1010", "TWINSEVERITY": value}));
        assert_eq!(shows(json!("0.700000")), Observed::Is(Aggregation::Sum));
        assert_eq!(shows(json!("0.400000")), Observed::Is(Aggregation::Max));
        assert_eq!(shows(json!("0.300000")), Observed::Is(Aggregation::Min));
        assert_eq!(shows(json!(null)), Observed::Is(Aggregation::None));
        assert_eq!(shows(json!("0.350000")), Observed::Else("0.35".parse().unwrap()));
        let one = [json!({"LOCID": "1010", "TWINSEVERITY": "0.400000"})];
        let nothing = observe(&["LOCID".to_owned()], one.iter(), &[], &measures()[3]).unwrap();
        assert_eq!(nothing, Observed::NoEvidence);
    }

    #[test]
    fn the_missing_conversion_is_read_from_the_refusal() {
        let text =
            "HTTP 400: Key figure X requires conversion attribute '(UOMTOID) Unit of Measure To'";
        assert_eq!(missing_conversion(text).as_deref(), Some("UOMTOID"));
        assert_eq!(missing_conversion("HTTP 400: bad filter"), None);
    }
}
