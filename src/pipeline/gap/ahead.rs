//! Whether the plan says anything of the weeks ahead at all.
//!
//! A load that is read where the plan has none looks like a plan that asks nothing of
//! the lines: the comparison is empty, and nobody misses it.

use jiff::{Timestamp, ToSpan as _, tz::TimeZone};
use planthread_contracts::{MeasureDecl, Period};
use planthread_kit::{ConnectorError, Selection, http::Lane};

use crate::pipeline::OpenTarget;

/// Weeks ahead that are looked at.
pub const WEEKS: u8 = 13;

/// How many values of the load that `gap` needs the target holds for its mapped lines
/// in the [`WEEKS`] from `now`; `None` where no load is read from it, or an absent one
/// means zero.
///
/// # Errors
/// What the target said.
pub async fn load_ahead(
    target: &OpenTarget,
    now: Timestamp,
) -> Result<Option<(&MeasureDecl, usize)>, ConnectorError> {
    let config = &target.config;
    let read = |load: &&MeasureDecl| !load.absent_is_zero && config.not_compared(load).is_none();
    let Some(load) = config.load().filter(read) else { return Ok(None) };
    let today = TimeZone::UTC.to_datetime(now).date();
    let end = today.saturating_add((7 * i64::from(WEEKS)).days());
    let rows = config.mapping.rows.iter();
    let asked = Selection {
        target: target.name.clone(),
        scope: target.scope.clone(),
        measures: vec![load.name.clone()],
        resources: rows.map(|row| (row.resource.clone(), row.location.clone())).collect(),
        from: Period::containing(load.level, today),
        to: Period::containing(load.level, end),
        lane: Lane::Sweep,
    };
    let cells = target.connector.read(&asked).await?;
    let held = cells.iter().filter(|cell| cell.value.is_some() && cell.key.product.is_none());
    Ok(Some((load, held.count())))
}
