//! The commit route: a signal scenario becomes its parent's, by the customer's
//! own script (§8).
//!
//! A commit takes everything that the signal scenario changed, so it runs only
//! where that is exactly what the plan says: the scenario holds every cell of the
//! batch, and in our fields it differs from its parent by those cells alone. What
//! landed in the signal scenario is seen there; only a read of the parent makes it
//! seen here.

use std::collections::{BTreeMap, BTreeSet};

use planthread_kit::{Attempt, Class, ConnectorError, Sent, Tallied, http::Lane, rows::RowKey};
use rust_decimal::Decimal;

use super::{STEP, read::held};
use crate::{
    config::{Commit, Layout},
    context::Context,
    receipt,
    rows::{Held, Part, lines},
};

const COMMIT: &str = "commit scenario";

/// Commits the signal scenario that holds the rows of `parts`.
pub(crate) async fn write(
    context: &Context,
    commit: &Commit,
    parts: &[Part],
    attempt: &Attempt,
    outcome: &mut Tallied,
) -> Result<(), ConnectorError> {
    let nothing = ConnectorError::took_nothing;
    commit.decision.ask(context.clock().now(), COMMIT, "settings.commit.decision")?;
    let mut found = Found::default();
    for (number, layout) in context.layouts.iter().enumerate() {
        let both =
            both(context, &commit.from, number).await.map_err(ConnectorError::without_effect)?;
        found.compare(layout, number, parts, &both).map_err(nothing)?;
    }
    found.judge(commit).map_err(nothing)?;
    attempt.note(STEP, "committing").map_err(nothing)?;
    context.note_now(attempt).map_err(nothing)?;
    let answer = context.client.script(&commit.script, &commit.from).await?;
    let said = receipt::script(&answer)?;
    let word = format!("{said} (decided by {})", commit.decision.by);
    outcome.accept(word, parts.iter().flat_map(Part::cells));
    Ok(())
}

/// Rows of one table in the signal scenario and in its parent.
type Both = [Vec<Held>; 2];

async fn both(context: &Context, from: &str, layout: usize) -> Result<Both, ConnectorError> {
    let values = &context.layouts[layout].values;
    let parent = context.client.scenario();
    let mut read = Vec::new();
    for scenario in [from, parent] {
        let all = std::iter::empty();
        read.push(held(context, scenario, layout, values, all, Lane::Routine).await?);
    }
    let parent = read.pop().unwrap_or_default();
    Ok([read.pop().unwrap_or_default(), parent])
}

/// What speaks against a commit.
#[derive(Debug, Default)]
struct Found {
    /// Cells of the batch that the signal scenario does not hold (yet).
    missing: usize,
    /// Cells that it would bring along, though nobody planned them.
    extra: usize,
    first: String,
}

/// Values of one table by row and field.
type Values = BTreeMap<(RowKey, usize), Option<Decimal>>;

impl Found {
    fn compare(
        &mut self,
        layout: &Layout,
        number: usize,
        parts: &[Part],
        [child, parent]: &Both,
    ) -> Result<(), ConnectorError> {
        let (mine, theirs) = (values(layout, child)?, values(layout, parent)?);
        let mut planned = BTreeSet::new();
        for (part, line) in lines(parts, number) {
            for (field, text) in part.fields.iter().zip(&line.values) {
                let Some(at) = layout.values.iter().position(|one| one == field) else { continue };
                let key = (line.key.clone(), at);
                let holds = mine.get(&key).copied().flatten();
                if holds != text.parse::<Decimal>().ok() {
                    self.missing += 1;
                }
                planned.insert(key);
            }
        }
        let keys: BTreeSet<_> = mine.keys().chain(theirs.keys()).collect();
        for key in keys {
            let differs = mine.get(key).copied().flatten() != theirs.get(key).copied().flatten();
            if differs && !planned.contains(key) {
                let (RowKey { resource, location, period, .. }, field) = key;
                let surface = layout.surface(&layout.values[*field]);
                self.add(&format!("{resource}@{location} {period} {surface}"));
            }
        }
        let foreign = |rows: &[Held]| -> BTreeSet<Vec<String>> {
            rows.iter().filter(|row| row.key.is_none()).map(|row| row.texts.clone()).collect()
        };
        for row in foreign(child).symmetric_difference(&foreign(parent)) {
            self.add(&format!("a row of {}: {}", layout.full(), row.join(" ")));
        }
        Ok(())
    }

    fn add(&mut self, what: &str) {
        if self.extra == 0 {
            what.clone_into(&mut self.first);
        }
        self.extra += 1;
    }

    fn judge(&self, commit: &Commit) -> Result<(), ConnectorError> {
        if self.missing > 0 {
            let text = format!("{} does not hold {} of these cells yet", commit.from, self.missing);
            let class = Class::Transient { sent: Sent::No };
            return Err(ConnectorError::new(class, COMMIT, text)
                .cure("land them in the signal scenario first"));
        }
        if self.extra > 0 {
            let text = format!(
                "{} would bring {} more changes than planned, first {}",
                commit.from, self.extra, self.first
            );
            return Err(ConnectorError::new(Class::Drift, COMMIT, text)
                .cure("take them out of the scenario, or plan them; then commit"));
        }
        Ok(())
    }
}

fn values(layout: &Layout, rows: &[Held]) -> Result<Values, ConnectorError> {
    let mut values = Values::new();
    for row in rows {
        let Some(key) = &row.key else { continue };
        let held = row.values(layout, &layout.values)?.into_iter().enumerate();
        values.extend(held.map(|(at, value)| ((key.clone(), at), value)));
    }
    Ok(values)
}
