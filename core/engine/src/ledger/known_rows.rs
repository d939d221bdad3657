//! Which rows a target is known to hold: what whoever replaces a whole table asks
//! before a row of it goes missing.

use std::collections::BTreeSet;

use jiff::civil::Date;
use planthread_contracts::RevisionState;
use planthread_kit::rows::RowKey;

use crate::{Reader, error::Result, plan::scan, store::cells::Cell};

/// Rows of a scope in which a value of one of `measures` stood when it was last
/// read, also of periods that are past or were left; and those in which one that the
/// target took was missed then, whatever is wanted by now, until it is withdrawn.
///
/// # Errors
/// When the state can't be read.
pub fn known_rows(
    reader: &Reader,
    target: &str,
    scope: &str,
    measures: &[String],
) -> Result<BTreeSet<RowKey>> {
    rows_where(reader, (target, scope), measures, stands)
}

/// Whether a value of one of `measures` went out to a scope, and neither a receipt nor a
/// reading says that the target took it: what a dead attempt put there may hold it.
///
/// # Errors
/// When the state can't be read.
pub fn left_behind(
    reader: &Reader,
    target: &str,
    scope: &str,
    measures: &[String],
) -> Result<bool> {
    let open = |cell: &Cell| cell.sent_rev > cell.accepted_rev;
    Ok(!rows_where(reader, (target, scope), measures, open)?.is_empty())
}

/// Rows with a cell of one of `measures` that is `asked` for.
fn rows_where(
    reader: &Reader,
    (target, scope): (&str, &str),
    measures: &[String],
    asked: impl Fn(&Cell) -> bool,
) -> Result<BTreeSet<RowKey>> {
    let mut rows = BTreeSet::new();
    reader.at_once(|db| {
        let Some(scope) = db.scope(target, scope)? else { return Ok(()) };
        scan::groups(db, scope, Date::MIN, |group, cells| {
            let mine = |name: &str| measures.iter().any(|one| one == name);
            let mut found = cells.iter().filter(|(name, cell)| mine(name) && asked(cell));
            if let Some((name, _)) = found.next() {
                rows.insert(RowKey::of(&group.cell(*name)));
            }
            Ok(())
        })
    })?;
    Ok(rows)
}

fn stands(cell: &Cell) -> bool {
    let taken = cell.accepted_rev > 0 && cell.state != RevisionState::Withdrawn;
    cell.seen.is_some() || (cell.seen_at.is_some() && taken)
}
