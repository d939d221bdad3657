//! Seed: a ledger of any size, to measure with.

use jiff::{SignedDuration, Timestamp, civil::Date};
use planthread_contracts::{
    CellKey, DesiredCell, MeasureDecl, Period, PeriodKind, RevisionState, Role, Status,
};
use rust_decimal::Decimal;

use super::{
    books::Books,
    names::{self},
    rows::Cell,
    want::{Want, want},
};
use crate::{State, error::Result, store::codec};

/// Weeks that are seeded for each resource.
const WEEKS: u64 = 78;
/// Cells in one commit.
const CHUNK: usize = 50_000;

/// Adds `cells` cells of `measures` to the ledger: 78 weeks for as many
/// resources as it takes, from the week of `first`. With `landed`, all but one
/// cell in a thousand is then marked as seen, as after a long peaceful run.
///
/// # Errors
/// When the state can't be written.
pub fn seed(
    state: &State,
    target: &str,
    measures: &[MeasureDecl],
    cells: u64,
    first: Date,
    landed: bool,
    now: Timestamp,
) -> Result<u64> {
    let mut chunk = Vec::with_capacity(CHUNK);
    let mut made = 0;
    for cell in desired(target, measures, cells, first, now) {
        chunk.push(cell);
        if chunk.len() == CHUNK {
            made += put(state, target, measures, std::mem::take(&mut chunk), now)?;
        }
    }
    made += put(state, target, measures, chunk, now)?;
    if landed {
        land(state, target, now)?;
    }
    Ok(made)
}

fn put(
    state: &State,
    target: &str,
    measures: &[MeasureDecl],
    cells: Vec<DesiredCell>,
    now: Timestamp,
) -> Result<u64> {
    let want_now = Want {
        target: target.to_owned(),
        as_of: now,
        measures: measures.to_vec(),
        refresh_within: SignedDuration::ZERO,
        cells,
        complete: Vec::new(),
    };
    Ok(want(state, want_now, now)?.made)
}

fn desired(
    target: &str,
    measures: &[MeasureDecl],
    cells: u64,
    first: Date,
    now: Timestamp,
) -> impl Iterator<Item = DesiredCell> {
    let start = Period::containing(PeriodKind::Week, first);
    let periods: Vec<Period> = std::iter::successors(Some(start), |period| Some(period.next()))
        .zip(0..WEEKS)
        .map(|(period, _)| period)
        .collect();
    let width = u64::try_from(measures.len().max(1)).unwrap_or(1);
    let valid_until = now.checked_add(SignedDuration::from_hours(72)).unwrap_or(now);
    (0..cells).filter_map(move |n| {
        let decl = measures.get(usize::try_from(n % width).ok()?)?;
        let period = *periods.get(usize::try_from(n / width % WEEKS).ok()?)?;
        let resource = n / width / WEEKS;
        let value = Decimal::new(i64::try_from(10_000 + n % 6_800).ok()?, decl.scale.min(2));
        Some(DesiredCell {
            key: CellKey {
                target: target.to_owned(),
                scope: String::new(),
                resource: format!("LINE-{resource:05}"),
                location: "1010".to_owned(),
                product: None,
                period,
                measure: decl.name.clone(),
            },
            value: if decl.role == Role::Stamp { Decimal::from(20_261_122) } else { value.trunc() },
            unrounded: value,
            status: Status::Live,
            as_of: now,
            valid_until,
            recipe: "seed".to_owned(),
        })
    })
}

/// Marks pending cells as seen, through the books like every other step.
fn land(state: &State, target: &str, now: Timestamp) -> Result<()> {
    let target = target.to_owned();
    state.write(move |conn| {
        let Some(scope) = names::find_scope(conn, &target, "")? else { return Ok(()) };
        let mut books = Books::default();
        let mut statement = conn.prepare("SELECT id FROM cell_group WHERE scope = ?1")?;
        let mut groups = statement.query([scope])?;
        while let Some(row) = groups.next()? {
            for mut cell in Cell::of_group(conn, row.get(0)?)? {
                let spared = cell.grp % 1_000 == 0;
                if cell.state != RevisionState::Pending || spared {
                    continue;
                }
                cell.step(&mut books, scope, RevisionState::Seen)?;
                (cell.sent_rev, cell.accepted_rev) = (cell.rev, cell.rev);
                (cell.seen, cell.seen_at) = (Some(cell.value), Some(codec::micros(now)));
                cell.save(conn)?;
            }
        }
        books.flush(conn)?;
        Ok(())
    })
}
