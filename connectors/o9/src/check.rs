//! `discover`: the sheet ticked by questions that change nothing.

use std::collections::{BTreeMap, BTreeSet};

use jiff::tz::TimeZone;
use planthread_contracts::{CellKey, MeasureDecl, Period, SeenCell};
use planthread_kit::{
    Class, ConnectorError, Discovery, EncodingDigest, Info, SurfaceItem, SurfaceKind,
    http::Lane,
    probe::{Axis, judge, observe_cells},
    sheet::Report,
};
use serde_json::{Value, json};

use crate::{
    connector::Context,
    decode::{self, Row},
    levels, query,
    read::{Question, unsayable},
    sheet::{GRAIN, KEY, MERGE, PLATFORM, TIME, VERSION, WRITTEN, adds_line, measure_line},
};

/// Periods ahead that are looked at.
const AHEAD: usize = 10;

/// What was found on the way.
#[derive(Default)]
struct Found {
    measures: BTreeSet<String>,
    resources: Vec<(String, String)>,
    descriptions: BTreeMap<String, String>,
    versions: Vec<String>,
    model: String,
}

pub(crate) async fn discover(context: &Context, info: &Info) -> Result<Discovery, ConnectorError> {
    let (mut report, mut found) = (Report::default(), Found::default());
    let refused = key(context, &mut report).await?;
    model(context, &mut report, &mut found).await?;
    members(context, &mut report, &mut found).await?;
    measures(context, refused, &mut report, &mut found).await?;
    context.gate.tick(context.client.http().clock().now(), &mut report);
    report.open(WRITTEN, "only a landing tells: land once and check again");
    report.sign(MERGE, "versions can't be asked: the team signs it");
    let measure = |name: &String| SurfaceItem {
        name: name.clone(),
        kind: SurfaceKind::Measure,
        label: name.clone(),
        declared: "number".to_owned(),
    };
    let level = |(slot, dimension, level): (&str, &str, &str)| SurfaceItem {
        name: format!("[{dimension}].[{level}]"),
        kind: if slot == "bucket" { SurfaceKind::Time } else { SurfaceKind::Attribute },
        label: slot.to_owned(),
        declared: "leaf level".to_owned(),
    };
    let surface = found.measures.iter().map(measure).chain(context.config.grain().map(level));
    Ok(Discovery {
        surface: surface.collect(),
        resources: found.resources,
        descriptions: found.descriptions,
        scopes: found.versions,
        periods: vec![context.kind],
        fingerprint: EncodingDigest::of([found.model.as_str()]).as_str().to_owned(),
        findings: report.findings(&info.sheet),
    })
}

/// What a question was refused with, in types: the words are only for people.
type Kind = (Class, Option<String>);

fn kind(error: &ConnectorError) -> Kind {
    (error.class, error.vendor_code.clone())
}

/// Asks the tenant by its number; what it refused the key with.
async fn key(context: &Context, report: &mut Report) -> Result<Option<Kind>, ConnectorError> {
    match context.client.query("ask who we are", Lane::Sweep, query::WHO).await {
        Ok(_) => {
            report.tick(KEY, "the tenant answers this key");
            Ok(None)
        }
        Err(error) => {
            let kind = kind(&error);
            report.unread(KEY, error)?;
            Ok(Some(kind))
        }
    }
}

async fn model(
    context: &Context,
    report: &mut Report,
    found: &mut Found,
) -> Result<(), ConnectorError> {
    let listed = match context.client.listing("fact").await {
        Ok(listed) => listed,
        Err(error) => return report.unread(PLATFORM, error),
    };
    report.tick(PLATFORM, "it lists its measure groups");
    found.model = listed.to_string();
    match levels::keys(&listed, &context.config.model.group) {
        Err(error) => {
            let cure = error.cure.clone().unwrap_or_default();
            report.fail(GRAIN, error.message, &cure);
        }
        Ok(keys) => match levels::fit(&context.config, &keys) {
            Ok(()) => report.tick(GRAIN, "these are its keys, and no other"),
            Err(reason) => report.fail(GRAIN, reason, "correct the levels under `model`"),
        },
    }
    Ok(())
}

/// Names of a dimension's members at a level.
async fn names(
    context: &Context,
    dimension: &str,
    level: &str,
) -> Result<Vec<(String, Value)>, ConnectorError> {
    let rows = context.client.rows(Lane::Sweep, ("master", dimension), &json!([]), None).await?;
    let named = |row: Value| Some((row.get(level)?.as_str()?.to_owned(), row));
    let count = rows.len();
    let found: Vec<_> = rows.into_iter().filter_map(named).collect();
    match found.is_empty() && count > 0 {
        true => Err(decode::drift(format!("rows of {dimension} have no `{level}`"))),
        false => Ok(found),
    }
}

async fn members(
    context: &Context,
    report: &mut Report,
    found: &mut Found,
) -> Result<(), ConnectorError> {
    let [version, resource, _, bucket] = context.config.grain();
    match names(context, version.1, version.2).await {
        Ok(names) => {
            found.versions = names.into_iter().map(|(name, _)| name).collect();
            let ours = context.config.version_of(context.scope.name()).to_owned();
            match found.versions.contains(&ours) {
                true => report.tick(VERSION, "it exists"),
                false => report.fail(
                    VERSION,
                    format!("there is no {ours}; there are: {}", found.versions.join(", ")),
                    "correct `scope`, or let the team create it: no interface for that is public",
                ),
            }
            found.versions.retain(|name| *name != context.config.model.base_version);
        }
        Err(error) => report.unread(VERSION, error)?,
    }
    match names(context, bucket.1, bucket.2).await {
        Ok(names) => {
            let known: BTreeSet<String> = names.into_iter().map(|(name, _)| name).collect();
            let wanted = ahead(context).into_iter().map(|period| context.form.member(period));
            let absent: Vec<String> = wanted.filter(|name| !known.contains(name)).collect();
            match absent.first() {
                None => report.tick(TIME, format!("the next {AHEAD} are there")),
                Some(first) => report.fail(
                    TIME,
                    format!("there is no {first}"),
                    "correct `model.time.member`, or let the calendar be loaded further",
                ),
            }
        }
        Err(error) => report.unread(TIME, error)?,
    }
    if let Ok(names) = names(context, resource.1, resource.2).await {
        let called = |(name, row): (String, Value)| {
            let label = row.get("DisplayName").and_then(Value::as_str)?.to_owned();
            (!label.is_empty()).then_some((name, label))
        };
        found.descriptions = names.into_iter().filter_map(called).collect();
    }
    Ok(())
}

/// The periods from today on.
fn ahead(context: &Context) -> Vec<Period> {
    let now = context.client.http().clock().now();
    let today = TimeZone::UTC.to_datetime(now).date();
    let first = Period::containing(context.kind, today);
    std::iter::successors(Some(first), |period| Some(period.next())).take(AHEAD).collect()
}

async fn measures(
    context: &Context,
    refused: Option<Kind>,
    report: &mut Report,
    found: &mut Found,
) -> Result<(), ConnectorError> {
    let config = &context.config;
    let periods = ahead(context);
    let buckets: Vec<String> = periods.iter().map(|period| context.form.member(*period)).collect();
    let ours = config.version_of(context.scope.name());
    let mut pairs = BTreeSet::new();
    for version in BTreeSet::from([ours, config.model.base_version.as_str()]) {
        let question =
            Question { version, buckets: vec![buckets[0].as_str()], ..Question::default() };
        let group = ("fact", config.model.group.as_str());
        let most = Some(config.places_max);
        let rows = context.client.rows(Lane::Sweep, group, &question.filters(config), most).await;
        let levels = config.grain().map(|(_, _, level)| level);
        match rows {
            Ok(rows) => {
                for row in rows {
                    let row = decode::platform(&row, &levels, &[])?;
                    found.measures.extend(row.values.keys().cloned());
                    let [_, resource, location, _] = levels;
                    pairs.insert((row.members[resource].clone(), row.members[location].clone()));
                }
            }
            Err(error) => report.unread(PLATFORM, error)?,
        }
    }
    found.resources = pairs.into_iter().collect();
    for measure in &context.measures {
        let question = Question {
            version: config.read_in(context.scope.name(), measure),
            buckets: buckets.iter().map(String::as_str).collect(),
            measures: vec![&measure.surface],
            ..Question::default()
        };
        let Some(error) = one(context, measure, &question, report, found).await? else { continue };
        // The same door is shut for each of them: one finding, and no further question.
        if refused == Some(kind(&error)) {
            let all: Vec<&str> = context.measures.iter().map(|one| &*one.surface).collect();
            let text = format!(
                "`{}` is refused alike, so no measure was looked at: {}",
                measure.surface,
                all.join(", ")
            );
            report.fail(KEY, text, "see that `tenant` is the number of your tenant");
            return Ok(());
        }
        report.unread(&measure_line(measure), error)?;
        report.open(&adds_line(measure), "the measure could not be read");
    }
    Ok(())
}

/// A measure can be read; and what it adds up to without the resources. Where it can't be
/// read, why.
async fn one(
    context: &Context,
    measure: &MeasureDecl,
    question: &Question<'_>,
    report: &mut Report,
    found: &mut Found,
) -> Result<Option<ConnectorError>, ConnectorError> {
    let ask = async |above: bool| -> Result<Vec<SeenCell>, ConnectorError> {
        let statement = query::select(&context.config, question, above).map_err(unsayable)?;
        let body = context.client.query("read a measure", Lane::Sweep, &statement).await?;
        Ok(decode::verbose(body)?.iter().filter_map(|row| coarse(context, measure, row)).collect())
    };
    let (line, adds) = (measure_line(measure), adds_line(measure));
    match ask(false).await {
        Err(error) => return Ok(Some(error)),
        Ok(stored) => {
            report.tick(&line, "this key reads it");
            found.measures.insert(measure.surface.clone());
            match ask(true).await {
                Ok(above) => {
                    let name = |key: &CellKey| (key.location.clone(), key.period);
                    let seen = observe_cells(measure, Axis::Resources, (&stored, &above), name);
                    judge(&adds, measure, Axis::Resources, seen, report);
                }
                Err(error) => report.unread(&adds, error)?,
            }
            report.sign(&adds, "over time nothing public shows it: the team signs it");
        }
    }
    Ok(None)
}

/// A row as a cell; without resources it has none.
fn coarse(context: &Context, measure: &MeasureDecl, row: &Row) -> Option<SeenCell> {
    let [_, resource, location, bucket] = context.config.grain().map(|(_, _, level)| level);
    let name = row.members.get(bucket)?;
    let period = ahead(context).into_iter().find(|period| context.form.member(*period) == *name)?;
    let member = |level: &str| row.members.get(level).map_or("", String::as_str).into();
    let key = CellKey {
        target: "".into(),
        scope: context.scope.name().into(),
        resource: member(resource),
        location: member(location),
        product: None,
        period,
        measure: measure.name.as_str().into(),
    };
    Some(SeenCell { key, value: row.values.get(&measure.surface).copied() })
}
