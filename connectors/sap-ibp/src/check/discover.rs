//! Read only: reach, area, metadata, versions, master data, probes; then one
//! finding for each line of the sheet.

use std::collections::BTreeMap;

use planthread_contracts::{MeasureDecl, Owner, PeriodKind};
use planthread_kit::{Class, ConnectorError, Discovery, SheetLine, http::Lane, sheet::Report};
use planthread_odata::{
    Edmx, Service,
    answer::{rows, text},
    literal::query,
};
use serde_json::Value;

use super::{calendar, conversion, declared, family, master, probe, sheet};
use crate::{
    context::Context,
    metadata::{self, PlanningArea},
};

/// Answers what the target offers and whether that fits.
///
/// Only the first question may end it: where nobody answers or lets us in,
/// there is nothing else to look at. After it, a refused read is one finding.
pub(crate) async fn discover(
    ibp: &Context,
    sheet: &[SheetLine],
) -> Result<Discovery, ConnectorError> {
    let mut report = Report::default();
    confirmed_elsewhere(&mut report);
    family::answer(&ibp.config, &mut report);
    let mut found = Discovery {
        surface: Vec::new(),
        resources: Vec::new(),
        descriptions: BTreeMap::new(),
        scopes: Vec::new(),
        periods: Vec::new(),
        fingerprint: metadata::fingerprint(&[]),
        findings: Vec::new(),
    };
    let offered = enabled(ibp, &mut report).await?;
    let planning = if offered { planning(ibp, &mut report).await? } else { None };
    let listed = match planning {
        Some(_) => versions(ibp, ibp.version(), &mut report).await?,
        None => None,
    };
    let master = document(&ibp.master_data, master::SERVICE, &mut report).await?;
    let mut masters = Vec::new();
    if let Some(document) = &master {
        let mut theirs = Report::default();
        (masters, found.resources) = master::pairs(ibp, document, &mut theirs).await?;
        // Types are those of an area: where that is not offered, none of them is wrong.
        if offered { report.take(theirs) } else { report.take_good(theirs) }
    }
    if let Some((edmx, area)) = &planning {
        let version = ibp.version();
        let there = version.is_empty()
            || listed.as_ref().is_none_or(|names| names.iter().any(|name| name == version));
        if there && level_exists(ibp, area) {
            values(ibp, area, master.as_ref(), &mut report).await?;
        }
        found.periods = offers(ibp, area);
        found.surface = metadata::surface(area, edmx, &masters);
        found.fingerprint = metadata::fingerprint(&found.surface);
    }
    found.scopes = listed.unwrap_or_default();
    found.findings = report.findings(sheet);
    Ok(found)
}

/// Lines that no public interface answers: whoever signs the sheet does.
fn confirmed_elsewhere(report: &mut Report) {
    for line in ["roots", "rights", "wiring", "history"] {
        report.sign(line, "not visible from outside: confirmed by whoever signs the sheet");
    }
}

/// Whether the planning service answers and offers the area.
async fn enabled(ibp: &Context, report: &mut Report) -> Result<bool, ConnectorError> {
    const LINE: &str = "area.planning_service";
    let area = &ibp.config.planning_area;
    let body = match ibp.planning.document().await {
        Ok(body) => body,
        Err(error) if error.class == Class::Drift => {
            report.unread(LINE, error)?;
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    report.tick("access.scenario", format!("{} answers this user", ibp.planning.name()));
    let areas = areas(&body);
    if areas.iter().any(|name| name == area) {
        report.tick(LINE, format!("{area} is one of {} offered", areas.len()));
        return Ok(true);
    }
    report.fail(
        LINE,
        format!("{area} is not offered; offered are: {}", areas.join(", ")),
        "correct `planning_area`, or let it be enabled (Global Configuration: FLEXQUERY, PLANNINGAREA)",
    );
    Ok(false)
}

/// Planning areas of a service document: its sets without the generic ones,
/// without `Trans` and `Message` (§3), and without value helps.
fn areas(document: &Value) -> Vec<String> {
    const GENERIC: [&str; 2] = ["ValueResultSet", "KeyFigureDeltaDefinitionSet"];
    let sets = document.pointer("/d/EntitySets").and_then(Value::as_array);
    let names = sets.into_iter().flatten().filter_map(Value::as_str);
    names
        .filter(|name| !GENERIC.contains(name))
        .filter(|name| !["Trans", "Message", "_VI"].iter().any(|end| name.ends_with(end)))
        .map(str::to_owned)
        .collect()
}

/// The area in `$metadata`, compared with the configuration.
async fn planning(
    ibp: &Context,
    report: &mut Report,
) -> Result<Option<(Edmx, PlanningArea)>, ConnectorError> {
    let Some(edmx) = document(&ibp.planning, "operations", report).await? else { return Ok(None) };
    let Some(area) = PlanningArea::find(&edmx, &ibp.config.planning_area) else {
        report.fail(
            "area.planning_service",
            "the area stands in the service document and not in $metadata",
            "activate the planning area again",
        );
        return Ok(None);
    };
    declared::compare(&area, &edmx, &ibp.config, &ibp.measures, report);
    Ok(Some((edmx, area)))
}

/// What a service declares, or a finding of `line` instead.
async fn document(
    service: &Service,
    line: &str,
    report: &mut Report,
) -> Result<Option<Edmx>, ConnectorError> {
    let text = match service.metadata().await {
        Ok(text) => text,
        Err(error) => return report.unread(line, error).map(|()| None),
    };
    Edmx::read(&text).map(Some).or_else(|fault| {
        let text = format!("$metadata of {}: {fault}", service.name());
        report.fail(line, text, "check again; then look at what stands between us and it");
        Ok(None)
    })
}

/// What only values tell: periods, levels, aggregation, conversions.
async fn values(
    ibp: &Context,
    area: &PlanningArea,
    master: Option<&Edmx>,
    report: &mut Report,
) -> Result<(), ConnectorError> {
    let there = |measure: &&MeasureDecl| {
        area.time(ibp.config.time_fields.of(measure.level)).is_some()
            && area.measure(&measure.surface).is_some()
    };
    let readable: Vec<MeasureDecl> = ibp.measures.iter().filter(there).cloned().collect();
    calendar::look(ibp, area, &readable, report).await?;
    let held = probe::probe(ibp, area, &readable, report).await?;
    conversion::known(ibp, master, &held, report).await?;
    written(&readable, report);
    Ok(())
}

/// The period kinds whose fields the area has, whether a measure is stored
/// there or not. Other fields (quarter, year) stand in the surface.
fn offers(ibp: &Context, area: &PlanningArea) -> Vec<PeriodKind> {
    let has = |kind: &PeriodKind| area.time(ibp.config.time_fields.of(*kind)).is_some();
    sheet::KINDS.into_iter().filter(has).collect()
}

/// What no reading tells: a calculated key figure shows values too.
fn written(measures: &[MeasureDecl], report: &mut Report) {
    for measure in measures.iter().filter(|measure| measure.owner == Owner::Bridge) {
        let text = "only a write tells: not proven yet, land once and check again";
        report.open(&sheet::writable_id(measure), text);
    }
}

fn level_exists(ibp: &Context, area: &PlanningArea) -> bool {
    let names = &ibp.config.attributes;
    let product = names.product.iter();
    [&names.resource, &names.location]
        .into_iter()
        .chain(product)
        .all(|name| area.attribute(name).is_some())
}

/// Named versions, where they can be listed. This is the one read that may ask for attributes alone
/// (§7); it is bounded, because an unbounded one reads the whole area.
async fn versions(
    ibp: &Context,
    version: &str,
    report: &mut Report,
) -> Result<Option<Vec<String>>, ConnectorError> {
    const LIST: &str = "list versions";
    let parameters = query(&[
        ("$select", "VERSIONID,VERSIONNAME".to_owned()),
        ("$top", "1000".to_owned()),
        ("$format", "json".to_owned()),
    ]);
    let path = format!("{}?{parameters}", ibp.config.planning_area);
    let line = if version.is_empty() { "" } else { "version" };
    let read = ibp.planning.read(LIST, Lane::Sweep, &path).await;
    let listed = match read.and_then(|body| rows(LIST, &body)) {
        Ok(listed) => listed,
        // Which reads a tenant allows is not ours to say; that it exists is.
        Err(error) if error.class == Class::Drift => {
            report.sign(line, format!("versions can't be listed: {}", error.message));
            return Ok(None);
        }
        Err(error) => return report.unread(line, error).map(|()| None),
    };
    let mut names: Vec<String> = listed
        .iter()
        .map(|row| text(row, "VERSIONID"))
        .filter(|name| !name.is_empty() && *name != "__BASELINE")
        .map(str::to_owned)
        .collect();
    names.sort();
    names.dedup();
    if !version.is_empty() {
        if names.iter().any(|name| name == version) {
            report.tick("version", format!("{version} exists"));
        } else {
            report.fail(
                "version",
                format!("{version} is not among the versions: {}", names.join(", ")),
                "create the version, or correct `scope`",
            );
        }
    }
    Ok(Some(names))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn areas_are_sets_without_the_generic_ones() {
        let sets = ["ZPA", "ZPATrans", "ZPAMessage", "ZPA2", "ZPA_VI", "ValueResultSet"];
        assert_eq!(areas(&json!({"d": {"EntitySets": sets}})), ["ZPA", "ZPA2"]);
        assert!(areas(&json!({})).is_empty());
    }
}
