//! Read only: reach, area, metadata, versions, master data, probes; then one
//! finding for each line of the sheet.

use planthread_contracts::{MeasureDecl, Owner, PeriodKind};
use planthread_kit::{Class, ConnectorError, Discovery, Sent, SheetLine, http::Lane};
use planthread_odata::{
    Edmx,
    answer::{rows, text},
    literal::query,
};
use serde_json::Value;

use super::{conversion, declared, master, probe, report::Report, sheet};
use crate::{
    context::Context,
    metadata::{self, PlanningArea},
};

const DISCOVER: &str = "discover";

/// Answers what the target offers and whether that fits.
pub(crate) async fn discover(
    ibp: &Context,
    sheet: &[SheetLine],
) -> Result<Discovery, ConnectorError> {
    let mut report = Report::default();
    confirmed_elsewhere(&mut report);
    let mut found = Discovery {
        surface: Vec::new(),
        resources: Vec::new(),
        scopes: Vec::new(),
        periods: Vec::new(),
        fingerprint: metadata::fingerprint(&[]),
        findings: Vec::new(),
    };
    if enabled(ibp, &mut report).await? {
        look(ibp, &mut found, &mut report).await?;
    }
    found.findings = report.findings(sheet);
    Ok(found)
}

/// Lines that no public interface answers: whoever signs the sheet does.
fn confirmed_elsewhere(report: &mut Report) {
    for line in ["model", "roots", "rights", "wiring", "history"] {
        report.open(line, "not visible from outside: confirmed by whoever signs the sheet");
    }
}

/// Whether the planning service answers and offers the area.
async fn enabled(ibp: &Context, report: &mut Report) -> Result<bool, ConnectorError> {
    const LINE: &str = "area.planning_service";
    let area = &ibp.config.planning_area;
    let body = match ibp.planning.document().await {
        Ok(body) => body,
        Err(error) if error.class == Class::Drift => {
            report.fail(LINE, error.message, "check `host` and `services.planning`");
            return Ok(false);
        }
        Err(error) => return Err(error),
    };
    report.tick("access.scenario", "the service answers this user");
    let areas = areas(&body);
    if areas.iter().any(|name| name == area) {
        report.tick(LINE, format!("{area} is offered"));
        return Ok(true);
    }
    report.fail(
        LINE,
        format!("{area} is not offered; offered are: {}", areas.join(", ")),
        "add it to FLEXQUERY, PLANNINGAREA in Global Configuration: areas are enabled per service",
    );
    Ok(false)
}

/// Planning areas of a service document: its sets without the generic ones and
/// without `Trans` and `Message` (§3).
fn areas(document: &Value) -> Vec<String> {
    const GENERIC: [&str; 2] = ["ValueResultSet", "KeyFigureDeltaDefinitionSet"];
    let sets = document.pointer("/d/EntitySets").and_then(Value::as_array);
    let names = sets.into_iter().flatten().filter_map(Value::as_str);
    names
        .filter(|name| !GENERIC.contains(name))
        .filter(|name| !name.ends_with("Trans") && !name.ends_with("Message"))
        .map(str::to_owned)
        .collect()
}

async fn look(
    ibp: &Context,
    found: &mut Discovery,
    report: &mut Report,
) -> Result<(), ConnectorError> {
    let version = ibp.version().to_owned();
    let text = ibp.planning.metadata().await?;
    let edmx = Edmx::read(&text).map_err(|fault| {
        let text = format!("$metadata of the planning service: {fault}");
        ConnectorError::new(Class::Transient { sent: Sent::No }, DISCOVER, text)
    })?;
    let Some(area) = PlanningArea::find(&edmx, &ibp.config.planning_area) else {
        report.fail(
            "area.planning_service",
            "the area stands in the service document and not in $metadata",
            "activate the planning area again",
        );
        return Ok(());
    };
    declared::compare(&area, &edmx, &ibp.config, &ibp.measures, report);
    let listed = versions(ibp, &version, report).await?;
    let version_exists =
        version.is_empty() || listed.as_ref().is_none_or(|names| names.contains(&version));
    found.scopes = listed.unwrap_or_default();
    let (mut masters, mut document_found) = (Vec::new(), None);
    if let Some(document) = master::document(ibp, report).await? {
        (masters, found.resources) = master::pairs(ibp, &document, &version, report).await?;
        document_found = Some(document);
    }
    // What the target offers, whether a measure is stored there or not; fields
    // of other kinds (quarter, year) stand in the surface with their labels.
    let offers = |kind: &PeriodKind| {
        area.times.iter().any(|time| declared::kind_of(time, &ibp.config) == Some(*kind))
    };
    found.periods = sheet::KINDS.into_iter().filter(offers).collect();
    let readable: Vec<MeasureDecl> = ibp
        .measures
        .iter()
        .filter(|measure| area.time(ibp.config.time_fields.of(measure.level)).is_some())
        .filter(|measure| area.measure(&measure.surface).is_some())
        .cloned()
        .collect();
    if version_exists && level_exists(ibp, &area) {
        let held = probe::probe(ibp, &area, &readable, &version, report).await?;
        conversion::known(ibp, document_found.as_ref(), &version, &held, report).await?;
        written(&readable, report);
    }
    found.surface = metadata::surface(&area, &edmx, &masters);
    found.fingerprint = metadata::fingerprint(&found.surface);
    Ok(())
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
    let parameters = query(&[
        ("$select", "VERSIONID,VERSIONNAME".to_owned()),
        ("$top", "1000".to_owned()),
        ("$format", "json".to_owned()),
    ]);
    let path = format!("{}?{parameters}", ibp.config.planning_area);
    let body = match ibp.planning.read("list versions", Lane::Sweep, &path).await {
        Ok(body) => body,
        Err(error) if error.class == Class::Drift => {
            let line = if version.is_empty() { "" } else { "version" };
            report.open(line, format!("versions can't be listed: {}", error.message));
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let listed = rows("list versions", &body)?;
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
                "create the version, or correct the scope of this target",
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
        let sets =
            ["ZPA", "ZPATrans", "ZPAMessage", "ValueResultSet", "KeyFigureDeltaDefinitionSet"];
        assert_eq!(areas(&json!({"d": {"EntitySets": sets}})), ["ZPA"]);
        assert!(areas(&json!({})).is_empty());
    }
}
