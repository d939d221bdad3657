//! Master data: which types hold resources, and which pairs exist.

use std::collections::BTreeSet;

use planthread_kit::{Class, ConnectorError, http::Lane};
use planthread_odata::{
    Edmx, Paging, answer::text, filter::equals, literal::query, paging::ROWS_MOST,
};
use serde_json::Value;

use super::report::Report;
use crate::{
    context::Context,
    metadata::{self, MasterType},
};

const READ: &str = "read master data";
/// How the service names the base version in reads (§4).
const BASELINE: &str = "__BASELINE";

/// Reads the known pairs and answers the lines about master data.
pub(crate) async fn pairs(
    ibp: &Context,
    edmx: &Edmx,
    version: &str,
    report: &mut Report,
) -> Result<(Vec<MasterType>, Vec<(String, String)>), ConnectorError> {
    let names = &ibp.config.attributes;
    let configured = &ibp.config.master_data;
    let resource =
        choose(edmx, configured.resource.as_deref(), &[&names.resource], "master.resource", report);
    let pair = choose(
        edmx,
        configured.resource_location.as_deref(),
        &[&names.resource, &names.location],
        "master.resource_location",
        report,
    );
    if let Some(master) = &resource {
        let read = rows(ibp, master, &[&names.resource], version).await;
        held("master.resource", master, read, report)?;
    }
    let mut found = Vec::new();
    if let Some(master) = &pair {
        let read = rows(ibp, master, &[&names.resource, &names.location], version).await;
        found = held("master.resource_location", master, read, report)?
            .into_iter()
            .filter_map(|row| <[String; 2]>::try_from(row).ok())
            .map(|[resource, location]| (resource, location))
            .collect();
    }
    Ok((resource.into_iter().chain(pair).collect(), found))
}

/// Answers the line with what a type holds; a refused read is an answer too.
fn held(
    line: &str,
    master: &MasterType,
    read: Result<Vec<Vec<String>>, ConnectorError>,
    report: &mut Report,
) -> Result<Vec<Vec<String>>, ConnectorError> {
    let name = &master.name;
    match read {
        Ok(found) if found.is_empty() => {
            let cure = "load the master data before any key figure";
            report.fail(line, format!("{name} holds nothing"), cure);
            Ok(found)
        }
        Ok(found) => {
            // Which of them are mapped is not this connector's to know.
            let more = "`planthread map coverage` says whether every mapped one is among them";
            report.open(line, format!("{name} holds {}; {more}", found.len()));
            Ok(found)
        }
        Err(error) if error.class == Class::Drift => {
            let text = format!("{name} can't be read: {}", error.message);
            report.fail(line, text, "name the right type under `master_data`");
            Ok(Vec::new())
        }
        Err(error) => Err(error),
    }
}

/// The configured type, or the only one with these keys.
fn choose(
    edmx: &Edmx,
    configured: Option<&str>,
    keys: &[&str],
    line: &str,
    report: &mut Report,
) -> Option<MasterType> {
    const CURE: &str = "expose the type (FLEXQUERY, RELEVANT_MDT_FOR_MD_API) and name it under \
                        `master_data`";
    if let Some(name) = configured {
        let found = metadata::named(edmx, name);
        if found.is_none() {
            report.fail(line, format!("{name} is not offered by the master data service"), CURE);
        }
        return found;
    }
    let mut found = metadata::keyed_by(edmx, keys);
    match found.len() {
        0 => report.fail(line, format!("no type is keyed by {}", keys.join(" and ")), CURE),
        1 => {
            let name = &found[0].name;
            report.open(line, format!("{name} was found by its keys; confirm it"));
            return found.pop();
        }
        _ => {
            let names: Vec<&str> = found.iter().map(|master| master.name.as_str()).collect();
            let text = format!("several types are keyed alike: {}", names.join(", "));
            report.fail(line, text, "name the right one under `master_data`");
        }
    }
    None
}

/// Distinct values of `columns`. A version without rows of its own uses those
/// of the base version: master data may or may not be version specific.
pub(super) async fn rows(
    ibp: &Context,
    master: &MasterType,
    columns: &[&str],
    version: &str,
) -> Result<Vec<Vec<String>>, ConnectorError> {
    if !master.version_specific {
        return read(ibp, master, columns, String::new()).await;
    }
    let area = equals("PlanningAreaID", &ibp.config.planning_area);
    let of = |version: &str| format!("{area} and {}", equals("VersionID", version));
    if !version.is_empty() {
        let own = read(ibp, master, columns, of(version)).await?;
        if !own.is_empty() {
            return Ok(own);
        }
    }
    read(ibp, master, columns, of(BASELINE)).await
}

async fn read(
    ibp: &Context,
    master: &MasterType,
    columns: &[&str],
    filter: String,
) -> Result<Vec<Vec<String>>, ConnectorError> {
    let size = ibp.config.reading.page_size;
    let paging = Paging { step: READ, size, parallel: 1, rows_most: ROWS_MOST, distinct: false };
    let path = |skip: usize| {
        let mut pairs = vec![("$select", columns.join(",")), ("$orderby", columns.join(","))];
        if !filter.is_empty() {
            pairs.push(("$filter", filter.clone()));
        }
        pairs.push(("$top", size.to_string()));
        pairs.push(("$skip", skip.to_string()));
        pairs.push(("$format", "json".to_owned()));
        format!("{}?{}", master.name, query(&pairs))
    };
    let ask = |page| {
        let path = ibp.master_data.path_of(READ, page, &path);
        async move { ibp.master_data.read(READ, Lane::Sweep, &path?).await }
    };
    let pages = paging.all(ask).await?;
    let row =
        |row: &Value| columns.iter().map(|column| text(row, column).to_owned()).collect::<Vec<_>>();
    let found: BTreeSet<_> = pages.iter().flatten().map(row).collect();
    Ok(found.into_iter().collect())
}

/// The master data service's document, or a finding instead.
pub(crate) async fn document(
    ibp: &Context,
    report: &mut Report,
) -> Result<Option<Edmx>, ConnectorError> {
    const LINE: &str = "area.master_data_service";
    match ibp.master_data.metadata().await {
        Ok(text) => match Edmx::read(&text) {
            Ok(edmx) => {
                report.tick(LINE, format!("{} sets are offered", edmx.sets.len()));
                Ok(Some(edmx))
            }
            Err(fault) => Err(ConnectorError::new(
                Class::Transient { sent: planthread_kit::Sent::No },
                READ,
                format!("$metadata of the master data service: {fault}"),
            )),
        },
        Err(error) if error.class == Class::Drift => {
            report.fail(LINE, error.message, "check `services.master_data` and the arrangement");
            Ok(None)
        }
        Err(error) => Err(error),
    }
}
