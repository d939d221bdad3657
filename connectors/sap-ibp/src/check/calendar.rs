//! Which periods the time fields really name.
//!
//! Numbers of time fields depend on the tenant's time profile, and labels are
//! words in the user's language: neither decides. The starts of periods that
//! hold values do. A tenant whose weeks begin on Sunday is noticed here, before
//! anything is written into the wrong week.

use std::collections::BTreeSet;

use jiff::{
    civil::{Date, Weekday},
    tz::TimeZone,
};
use planthread_contracts::{MeasureDecl, Period, PeriodKind};
use planthread_kit::{Class, ConnectorError, http::Lane, sheet::Report};
use planthread_odata::{
    answer::{rows, text},
    filter::{all_of, equals},
    literal::{datetime, parse_date, query},
};

use super::sheet::{kinds, time_id, words};
use crate::{
    context::Context,
    metadata::{PlanningArea, label},
};

const READ: &str = "read periods";
/// Other key figures that are asked for periods when ours hold no values.
const OTHERS: usize = 3;
/// Rows of one question: more periods than the window has.
const TOP: &str = "200";

/// Answers the line of each period kind at which a measure is stored.
pub(crate) async fn look(
    ibp: &Context,
    area: &PlanningArea,
    measures: &[MeasureDecl],
    report: &mut Report,
) -> Result<(), ConnectorError> {
    for kind in kinds(measures) {
        let field = ibp.config.time_fields.of(kind);
        let Some(property) = area.time(field) else { continue };
        let line = time_id(kind);
        let said = format!("labelled `{}`", label(property));
        match starts(ibp, area, kind, measures).await {
            Ok(starts) => answer(&line, kind, field, &said, &starts, report),
            Err(error) => report.unread(&line, error)?,
        }
    }
    Ok(())
}

/// Starts of the periods that hold values: of our key figures, or else of
/// some others of the area. A key figure that can't be read alone (it needs a
/// unit) says nothing here.
async fn starts(
    ibp: &Context,
    area: &PlanningArea,
    kind: PeriodKind,
    measures: &[MeasureDecl],
) -> Result<BTreeSet<Date>, ConnectorError> {
    let plain = |measure: &&MeasureDecl| ibp.config.options(&measure.name).conversions.is_empty();
    let ours: Vec<&str> = measures.iter().filter(plain).map(|m| m.surface.as_str()).collect();
    let known = |name: &str| area.measure(name).is_some();
    let ours: Vec<&str> = ours.into_iter().filter(|name| known(name)).collect();
    let others = area.measures.iter().map(|property| property.name.as_str());
    let others = others.filter(|name| !measures.iter().any(|measure| measure.surface == *name));
    let asked = std::iter::once(ours).chain(others.take(OTHERS).map(|name| vec![name]));
    for figures in asked.filter(|figures| !figures.is_empty()) {
        match with_values(ibp, kind, &figures).await {
            Ok(found) if found.is_empty() => {}
            Ok(found) => return Ok(found),
            Err(error) if error.class == Class::Drift => {}
            Err(error) => return Err(error),
        }
    }
    Ok(BTreeSet::new())
}

async fn with_values(
    ibp: &Context,
    kind: PeriodKind,
    figures: &[&str],
) -> Result<BTreeSet<Date>, ConnectorError> {
    let field = ibp.config.time_fields.of(kind);
    let today = ibp.clock().now().to_zoned(TimeZone::UTC).date();
    let first = Period::containing(kind, today);
    let last = (1..60).fold(first, |period, _| period.next());
    let version = ibp.version();
    let named = if version.is_empty() { String::new() } else { equals("VERSIONID", version) };
    let from = format!("{field} ge {}", datetime(first.start()));
    let to = format!("{field} le {}", datetime(last.start()));
    let parameters = query(&[
        ("$select", format!("{field},{}", figures.join(","))),
        ("$filter", all_of(&[named, from, to])),
        ("$orderby", field.to_owned()),
        ("$top", TOP.to_owned()),
        ("$format", "json".to_owned()),
    ]);
    let path = format!("{}?{parameters}", ibp.config.planning_area);
    let body = ibp.planning.read(READ, Lane::Sweep, &path).await?;
    Ok(rows(READ, &body)?.iter().filter_map(|row| parse_date(text(row, field))).collect())
}

fn answer(
    line: &str,
    kind: PeriodKind,
    field: &str,
    said: &str,
    starts: &BTreeSet<Date>,
    report: &mut Report,
) {
    let is = words(kind);
    if let Some(odd) =
        starts.iter().find(|start| Period::containing(kind, **start).start() != **start)
    {
        let ours = Period::containing(kind, *odd).start();
        let day = odd.strftime("%A");
        report.fail(
            line,
            format!("{field} ({said}) shows a period that begins on {day} {odd}, a {is} begins on {ours}"),
            "correct `time_fields`; weeks that do not begin on Monday are not supported: write at \
             another level, or have a time profile with weeks from Monday",
        );
    } else if shown(kind, starts) {
        let count = starts.len();
        report
            .tick(line, format!("{field} ({said}): {count} periods with values begin like a {is}"));
    } else {
        let count = starts.len();
        report.open(
            line,
            format!(
                "{field} ({said}): {count} periods with values do not tell yet whether this is the \
                 {is}; land once and check again"
            ),
        );
    }
}

/// Whether starts that all fit `kind` tell it from the other kinds: several in
/// a row, and where weeks and technical weeks differ, the one that differs.
fn shown(kind: PeriodKind, starts: &BTreeSet<Date>) -> bool {
    let has = |period: Period| starts.contains(&period.start());
    let row = |from: &Date| {
        let first = Period::containing(kind, *from);
        let (second, third) = (first.next(), first.next().next());
        [first, second, third].map(|period| (period, has(period)))
    };
    starts.iter().map(row).any(|row| {
        let whole = row.iter().all(|(_, there)| *there);
        let split = |period: &Period| {
            period.start().day() == 1 && period.start().weekday() != Weekday::Monday
        };
        whole
            && match kind {
                PeriodKind::Day | PeriodKind::Month => true,
                // A week that goes over the end of a month stays whole.
                PeriodKind::Week => row[..2].iter().any(|(period, _)| {
                    let last = period.end().yesterday().unwrap_or(period.start());
                    last.month() != period.start().month()
                }),
                // A technical week ends with the month, in the middle of a week.
                PeriodKind::TechnicalWeek => row[1..].iter().any(|(period, _)| split(period)),
            }
    })
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn says(kind: PeriodKind, starts: &[Date]) -> (bool, bool, String) {
        let starts = starts.iter().copied().collect();
        let mut report = Report::default();
        answer("t", kind, "PERIODID4_TSTAMP", "labelled `Woche`", &starts, &mut report);
        let found = report.findings(&[]).remove(0);
        (found.ok, found.proven, found.text)
    }

    fn mondays(from: Date, count: i64) -> Vec<Date> {
        (0..count).map(|n| from + jiff::Span::new().weeks(n)).collect()
    }

    #[test]
    fn weeks_from_sunday_are_named_whatever_the_label_says() {
        let (ok, _, text) = says(PeriodKind::Week, &mondays(date(2026, 1, 4), 5));
        assert!(!ok && text.contains("Sunday 2026-01-04") && text.contains("Woche"), "{text}");
    }

    #[test]
    fn a_kind_is_proven_by_what_other_kinds_would_not_show() {
        let of = |kind, starts: &[Date]| {
            let (ok, proven, _) = says(kind, starts);
            assert!(ok);
            proven
        };
        assert!(of(PeriodKind::Week, &mondays(date(2026, 1, 19), 3)), "January ends in the second");
        assert!(!of(PeriodKind::Week, &mondays(date(2026, 1, 5), 3)), "may be technical weeks");
        assert!(!of(PeriodKind::Week, &[]) && !of(PeriodKind::Week, &[date(2026, 1, 5)]));
        let parts = [date(2026, 1, 26), date(2026, 2, 1), date(2026, 2, 2)];
        assert!(of(PeriodKind::TechnicalWeek, &parts));
        assert!(!of(PeriodKind::TechnicalWeek, &mondays(date(2026, 1, 5), 3)), "may be weeks");
        assert!(of(PeriodKind::Day, &[date(2026, 1, 5), date(2026, 1, 6), date(2026, 1, 7)]));
        assert!(!of(PeriodKind::Day, &mondays(date(2026, 1, 5), 9)), "may be weeks");
        assert!(of(PeriodKind::Month, &[1, 2, 3].map(|month| date(2026, month, 1))));
        assert!(!of(PeriodKind::Month, &[date(2026, 1, 1), date(2026, 4, 1)]), "may be quarters");
    }
}
