//! Master data: which types hold resources, and which pairs exist.

use std::collections::BTreeSet;

use planthread_kit::{ConnectorError, http::Lane, sheet::Report};
use planthread_odata::{
    Edmx, Paging,
    answer::text,
    filter::{all_of, equals},
    literal::query,
    paging::ROWS_MOST,
};
use serde_json::Value;

use super::catalogue;
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
    report: &mut Report,
) -> Result<(Vec<MasterType>, Vec<(String, String)>), ConnectorError> {
    let names = &ibp.config.attributes;
    let configured = &ibp.config.master_data;
    let keys = [names.resource.as_str(), names.location.as_str()];
    let name = configured.resource_location.as_deref();
    let (pair, rows) = one_type(ibp, edmx, name, &keys, PAIR, &BTreeSet::new(), report).await?;
    let found: Vec<(String, String)> = rows
        .into_iter()
        .filter_map(|row| <[String; 2]>::try_from(row).ok())
        .map(|[resource, location]| (resource, location))
        .collect();
    let paired = found.iter().map(|(resource, _)| resource.clone()).collect();
    let name = configured.resource.as_deref();
    let (resource, _) = one_type(ibp, edmx, name, &keys[..1], RESOURCE, &paired, report).await?;
    let sets = edmx.sets.len();
    match (&resource, &pair) {
        (Some(resource), Some(pair)) => report.tick(
            SERVICE,
            format!("{sets} sets are offered, {} and {} among them", resource.name, pair.name),
        ),
        _ => report.fail(
            SERVICE,
            format!("{sets} sets are offered; which ones hold resources and pairs is not clear"),
            CURE,
        ),
    }
    Ok((resource.into_iter().chain(pair).collect(), found))
}

pub(super) const SERVICE: &str = "area.master_data_service";
const RESOURCE: &str = "master.resource";
const PAIR: &str = "master.resource_location";
const CURE: &str =
    "expose the type (FLEXQUERY, RELEVANT_MDT_FOR_MD_API) and name it under `master_data`";

type Rows = Vec<Vec<String>>;

/// The configured type, or the only one of this area with these keys, with its
/// rows. Of several, the one that holds every name of `must_hold`.
async fn one_type(
    ibp: &Context,
    edmx: &Edmx,
    configured: Option<&str>,
    keys: &[&str],
    line: &str,
    must_hold: &BTreeSet<String>,
    report: &mut Report,
) -> Result<(Option<MasterType>, Rows), ConnectorError> {
    let types = match configured {
        Some(name) => metadata::named(edmx, name).into_iter().collect(),
        None => match catalogue::own(ibp, edmx, metadata::keyed_by(edmx, keys)).await {
            Ok(types) => types,
            Err(error) => {
                report.unread(line, error)?;
                return Ok((None, Rows::new()));
            }
        },
    };
    let mut read = Vec::new();
    for master in &types {
        match rows(ibp, master, keys).await {
            Ok(rows) => read.push((master.clone(), rows)),
            Err(error) => report.unread(line, error)?,
        }
    }
    if read.len() > 1 && !must_hold.is_empty() {
        let holds = |rows: &Rows| {
            let names: BTreeSet<&String> = rows.iter().filter_map(|row| row.first()).collect();
            must_hold.iter().all(|name| names.contains(name))
        };
        read.retain(|(_, rows)| holds(rows));
    }
    let [(master, found)] = read.as_slice() else {
        // One that can't be read has its finding already.
        if types.len() != 1 {
            not_one(configured, keys, line, &types, report);
        }
        return Ok((None, Rows::new()));
    };
    let name = &master.name;
    if configured.is_none() {
        report.sign(line, format!("{name} was found by its keys; confirm it"));
    }
    if found.is_empty() {
        let cure = "load the master data before any key figure";
        report.fail(line, format!("{name} holds nothing"), cure);
    } else {
        // Which of them are mapped is not this connector's to know.
        let more = "`planthread map coverage` says whether every mapped one is among them";
        report.sign(line, format!("{name} holds {}; {more}", found.len()));
    }
    Ok((Some(master.clone()), found.clone()))
}

/// Says why no type could be chosen.
fn not_one(
    configured: Option<&str>,
    keys: &[&str],
    line: &str,
    types: &[MasterType],
    report: &mut Report,
) {
    let text = match (configured, types) {
        (Some(name), _) => format!("{name} is not offered by the master data service"),
        (None, []) => format!("no type of this planning area is keyed by {}", keys.join(" and ")),
        (None, types) => {
            let names: Vec<&str> = types.iter().map(|master| master.name.as_str()).collect();
            format!("several types are keyed alike: {}", names.join(", "))
        }
    };
    report.fail(line, text, CURE);
}

/// Distinct values of `columns`. A version without rows of its own uses those
/// of the base version: master data may or may not be version specific.
pub(super) async fn rows(
    ibp: &Context,
    master: &MasterType,
    columns: &[&str],
) -> Result<Rows, ConnectorError> {
    if !master.version_specific {
        return read(ibp, &master.name, columns, "").await;
    }
    let area = equals("PlanningAreaID", &ibp.config.planning_area);
    let of = |version: &str| all_of(&[area.clone(), equals("VersionID", version)]);
    let version = ibp.version();
    if !version.is_empty() {
        let own = read(ibp, &master.name, columns, &of(version)).await?;
        if !own.is_empty() {
            return Ok(own);
        }
    }
    read(ibp, &master.name, columns, &of(BASELINE)).await
}

/// Distinct values of `columns` of a set.
pub(super) async fn read(
    ibp: &Context,
    set: &str,
    columns: &[&str],
    filter: &str,
) -> Result<Rows, ConnectorError> {
    let size = ibp.config.reading.page_size;
    let paging = Paging { step: READ, size, parallel: 1, rows_most: ROWS_MOST, distinct: false };
    let path = |skip: usize| {
        let mut pairs = vec![("$select", columns.join(",")), ("$orderby", columns.join(","))];
        if !filter.is_empty() {
            pairs.push(("$filter", filter.to_owned()));
        }
        pairs.push(("$top", size.to_string()));
        pairs.push(("$skip", skip.to_string()));
        pairs.push(("$format", "json".to_owned()));
        format!("{set}?{}", query(&pairs))
    };
    let ask = |page| {
        let path = ibp.master_data.path_of(READ, page, path);
        async move { ibp.master_data.read(READ, Lane::Sweep, &path?).await }
    };
    let pages = paging.all(ask).await?;
    let row =
        |row: &Value| columns.iter().map(|column| text(row, column).to_owned()).collect::<Vec<_>>();
    let found: BTreeSet<_> = pages.iter().flatten().map(row).collect();
    Ok(found.into_iter().collect())
}
