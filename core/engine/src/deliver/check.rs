//! Is a cell still what the plan says? Asked for whole groups.

use std::collections::HashMap;

use planthread_contracts::{GroupKey, RevisionState};
use rusqlite::{Connection, OptionalExtension as _, params};

use crate::{
    error::Result,
    ledger::{
        CellView,
        names::{self, GroupRef},
        rows::Cell,
        view::Holds,
    },
    plan::{PlanLine, Policy, SeenBasis, Verdict, guard, scan},
    store::codec,
};

/// Compares plan lines with one snapshot of the ledger.
pub(super) struct Checker<'a> {
    conn: &'a Connection,
    policy: &'a Policy,
    scope: Option<i64>,
    measures: HashMap<i64, String>,
    holds: Holds,
}

impl<'a> Checker<'a> {
    pub(super) fn new(conn: &'a Connection, policy: &'a Policy) -> Result<Self> {
        Ok(Self {
            conn,
            policy,
            scope: names::find_scope(conn, &policy.target, policy.scope.name())?,
            measures: names::measures(conn)?,
            holds: Holds::load(conn, policy.now)?,
        })
    }

    /// The lines of one group that do not stand any more.
    pub(super) fn moved<'l>(&self, lines: &'l [PlanLine]) -> Result<Vec<&'l PlanLine>> {
        let Some(first) = lines.first() else { return Ok(Vec::new()) };
        let Some(group) = self.group(&first.cell.group())? else {
            return Ok(lines.iter().collect());
        };
        let cells = scan::cells(self.conn, group.id, &self.measures)?;
        let mut moved = Vec::new();
        for line in lines {
            let cell = cells.iter().find(|(measure, _)| *measure == line.cell.measure);
            let stands = match cell {
                Some((measure, cell)) => self.stands(&group, measure, cell, line)?,
                None => false,
            };
            if !stands {
                moved.push(line);
            }
        }
        Ok(moved)
    }

    fn stands(
        &self,
        group: &GroupRef,
        measure: &str,
        cell: &Cell,
        line: &PlanLine,
    ) -> Result<bool> {
        use RevisionState as S;
        let view = CellView::new(group, measure, cell, &self.holds)?;
        Ok(matches!(view.state, S::Pending | S::Held | S::Seen)
            && view.revision == line.revision
            && view.value == line.value
            && view.basis().map(|value| SeenBasis { value }) == line.seen
            && guard(&view, self.policy) == Verdict::Send)
    }

    fn group(&self, key: &GroupKey) -> Result<Option<GroupRef>> {
        let Some(scope) = self.scope else { return Ok(None) };
        let product = key.product.as_ref().map(|p| format!("={p}")).unwrap_or_default();
        let query = "SELECT g.id FROM cell_group g JOIN place p ON p.id = g.place
             WHERE g.scope = ?1 AND g.period = ?2 AND p.resource = ?3 AND p.location = ?4
             AND p.product = ?5";
        let period = codec::period_code(key.period);
        let name = params![scope, period, key.resource, key.location, product];
        let mut statement = self.conn.prepare_cached(query)?;
        let id: Option<i64> = statement.query_row(name, |row| row.get(0)).optional()?;
        Ok(id.map(|id| GroupRef { id, scope, key: key.clone() }))
    }
}
