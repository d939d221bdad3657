//! The commit route: a signal scenario becomes its parent's, by the customer's
//! own script (§8).
//!
//! A commit takes everything that the signal scenario changed, so it runs only
//! where that is exactly what the plan says: the scenario holds every cell of the
//! batch, and in our fields it differs from its parent by those cells alone. What
//! landed in the signal scenario is seen there; only a read of the parent makes it
//! seen here.

use std::collections::BTreeMap;

use planthread_kit::{
    Attempt, ConnectorError, Tallied,
    changes::{Changes, Values},
    http::Lane,
    rows::RowKey,
};

use super::{
    STEP,
    read::{Stock, stock},
};
use crate::{
    config::{Commit, Layout},
    context::Context,
    receipt,
    rows::{Part, lines},
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
    for (number, layout) in context.written() {
        let mut both = Vec::new();
        for scenario in [commit.from.as_str(), context.client.scenario()] {
            let held = stock(context, (scenario, number), &layout.values, [], Lane::Routine).await;
            both.push(held.map_err(ConnectorError::without_effect)?);
        }
        compare(&mut found, layout, number, parts, [&both[0], &both[1]]).map_err(nothing)?;
    }
    found.judge(COMMIT, &commit.from).map_err(nothing)?;
    attempt.note(STEP, "committing").map_err(nothing)?;
    let committed = context.client.script(&commit.script, &commit.from);
    let said = receipt::script(&context.write(attempt, 0, committed).await?)?;
    let word = format!("{said} (decided by {})", commit.decision.by);
    outcome.accept(word, parts.iter().flat_map(Part::cells));
    Ok(())
}

/// Adds what speaks against a commit in one table.
fn compare(
    found: &mut Changes,
    layout: &Layout,
    number: usize,
    parts: &[Part],
    [child, parent]: [&Stock; 2],
) -> Result<(), ConnectorError> {
    let mut planned = BTreeMap::new();
    for (part, line) in lines(parts, number) {
        let values = part.fields.iter().zip(&line.values);
        planned.extend(values.filter_map(|(field, text)| {
            Some(((line.key.clone(), field.clone()), text.parse().ok()?))
        }));
    }
    let (own, theirs) = (values(layout, child)?, values(layout, parent)?);
    found.compare(&planned, [&own, &theirs], |(key, field)| {
        format!("{key} {}", layout.surface(field))
    });
    // Rows that are no cells of ours, by how often each stands here and there.
    let mut others = BTreeMap::<&[String], [usize; 2]>::new();
    for (side, stock) in [child, parent].into_iter().enumerate() {
        stock.others.iter().for_each(|row| others.entry(&row.texts).or_default()[side] += 1);
    }
    for (row, _) in others.iter().filter(|(_, [here, there])| here != there) {
        found.add(&format!("a row of {}: {}", layout.full(), row.join(" ")));
    }
    Ok(())
}

/// The values of one table by row and field.
fn values(layout: &Layout, stock: &Stock) -> Result<Values<(RowKey, String)>, ConnectorError> {
    let mut values = Values::new();
    for (key, row) in
        stock.ours.iter().flat_map(|(key, rows)| rows.iter().map(move |row| (key, row)))
    {
        for (field, value) in layout.values.iter().zip(row.values(layout, &layout.values)?) {
            values.entry((key.clone(), field.clone())).or_default().push(value);
        }
    }
    Ok(values)
}
