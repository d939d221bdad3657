//! The commit route: a signal scenario becomes its parent's, by the customer's
//! own script (§8).
//!
//! A commit takes everything that the signal scenario changed, so it runs only
//! where that is exactly what the plan says: the scenario holds every cell of the
//! batch, and in our fields it differs from its parent by those cells alone. What
//! landed in the signal scenario is seen there; only a read of the parent makes it
//! seen here.

use std::collections::BTreeSet;

use planthread_kit::{
    Attempt, ConnectorError, Tallied,
    changes::{Changes, Values},
    http::Lane,
    rows::RowKey,
};

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
    let mut found = Changes::default();
    for (number, layout) in context.layouts.iter().enumerate() {
        let both =
            both(context, &commit.from, number).await.map_err(ConnectorError::without_effect)?;
        compare(&mut found, layout, number, parts, &both).map_err(nothing)?;
    }
    found.judge(COMMIT, &commit.from).map_err(nothing)?;
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

/// Adds what speaks against a commit in one table.
fn compare(
    found: &mut Changes,
    layout: &Layout,
    number: usize,
    parts: &[Part],
    [child, parent]: &Both,
) -> Result<(), ConnectorError> {
    let mut planned = Values::new();
    for (part, line) in lines(parts, number) {
        for (field, text) in part.fields.iter().zip(&line.values) {
            planned.insert((line.key.clone(), field.clone()), text.parse().ok());
        }
    }
    let (own, theirs) = (values(layout, child)?, values(layout, parent)?);
    found.compare(
        &planned,
        [&own, &theirs],
        |(RowKey { resource, location, period, .. }, field)| {
            format!("{resource}@{location} {period} {}", layout.surface(field))
        },
    );
    let foreign = |rows: &[Held]| -> BTreeSet<Vec<String>> {
        rows.iter().filter(|row| row.key.is_none()).map(|row| row.texts.clone()).collect()
    };
    for row in foreign(child).symmetric_difference(&foreign(parent)) {
        found.add(&format!("a row of {}: {}", layout.full(), row.join(" ")));
    }
    Ok(())
}

/// The values of one table by row and field.
fn values(layout: &Layout, rows: &[Held]) -> Result<Values<(RowKey, String)>, ConnectorError> {
    let mut values = Values::new();
    for row in rows {
        let Some(key) = &row.key else { continue };
        let held = layout.values.iter().zip(row.values(layout, &layout.values)?);
        values.extend(held.map(|(field, value)| ((key.clone(), field.clone()), value)));
    }
    Ok(values)
}
