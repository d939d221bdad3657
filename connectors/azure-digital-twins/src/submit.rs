//! A push: each twin is read, unless that was just done, and what differs goes out
//! in one PATCH under the ETag that was read.
//!
//! So a PATCH that is delayed finds another ETag and takes no effect (section
//! 1.3), and what is sent twice is sent once. A twin that moved between reading
//! and writing is read again, once.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
};

use futures_util::{StreamExt as _, TryStreamExt as _, lock::Mutex, stream};
use jiff::tz::TimeZone;
use planthread_contracts::{Rejection, RowOutcome};
use planthread_kit::{Attempt, Batch, ConnectorError, PushOutcome, Submission, http::Lane};
use serde_json::Value;

use crate::{
    client::{Patched, Twin},
    connector::Context,
    encode::{Change, TwinChanges, encode},
    key,
    patch::{BYTES_MAX, patch},
    schema::{Component, component, interfaces, of_other_languages},
};

/// The step that can take effect, noted before the first PATCH.
pub(crate) const STEP: &str = "step";

/// What the components of models can hold, by model: read once.
pub(crate) type Known = Mutex<BTreeMap<String, Arc<Component>>>;

/// Outcomes of cells, by position in the batch.
type Outcomes = Vec<(usize, RowOutcome)>;

/// Times that a twin is read again because it moved.
const AGAIN: usize = 1;

/// Writes a batch.
pub(crate) async fn submit(
    context: &Context,
    batch: &Batch,
    attempt: &Attempt,
) -> Result<Submission, ConnectorError> {
    let nothing = ConnectorError::took_nothing;
    let encoded = encode(batch.cells(), &context.measures, &context.config).map_err(nothing)?;
    let mut rows = encoded.outcomes(batch.cells().len());
    if !encoded.twins.is_empty() {
        attempt.note(STEP, "writing").map_err(nothing)?;
    }
    let began = AtomicBool::new(false);
    let twins = encoded.twins.len();
    let written = stream::iter(encoded.twins)
        .map(|changes| write(context, changes, &began))
        .buffer_unordered(context.config.parallel)
        .try_collect::<Vec<Outcomes>>()
        .await;
    let written = written.map_err(|error| match began.load(Ordering::Relaxed) {
        true => error.after_effect(),
        false => error.took_nothing(),
    })?;
    for (at, outcome) in written.into_iter().flatten() {
        rows[at] = outcome;
    }
    let now = context.client.http().clock().now();
    let receipt = attempt.receipt(format!("{twins} twins"), now);
    Ok(Submission::Done(PushOutcome::new(receipt, rows)))
}

/// Brings one twin to what it shall hold.
async fn write(
    context: &Context,
    changes: TwinChanges,
    began: &AtomicBool,
) -> Result<Outcomes, ConnectorError> {
    let mut again = 0;
    let mut known = context.recent().take(&changes.id);
    'read: loop {
        let recent = known.is_some();
        let twin = match known.take() {
            Some(twin) => Some(twin),
            None => context.client.twin(Lane::Routine, &changes.id).await?,
        };
        let Some(twin) = twin else {
            let reason = format!("there is no twin {}", changes.id);
            return Ok(refuse(&changes.changes, &reason, Some("DigitalTwinNotFound"), CREATE));
        };
        if let Some(reason) = elsewhere(context, &twin, &changes.location) {
            return Ok(refuse(&changes.changes, &reason, None, MAP));
        }
        let (good, mut outcomes) = fitting(context, &twin, &changes).await?;
        let body = patched(context, &twin, &good, changes.as_of.as_deref());
        let bytes = i64::try_from(twin.document.to_string().len()).unwrap_or(i64::MAX);
        if bytes.saturating_add(body.grows) > i64::try_from(BYTES_MAX).unwrap_or(i64::MAX) {
            let reason = format!(
                "the twin would hold {} bytes, and {BYTES_MAX} are the most",
                bytes.saturating_add(body.grows)
            );
            outcomes.extend(refuse(good, &reason, None, SHORTEN));
            return Ok(outcomes);
        }
        let (mut etag, mut partly) = (twin.etag, false);
        for body in body.bodies {
            began.store(true, Ordering::Relaxed);
            match context.client.patch(&changes.id, &etag, body).await? {
                Patched::Done(next) => (etag, partly) = (next, true),
                Patched::Moved if recent && !partly => {
                    context.recent().moved(&changes.id);
                    continue 'read;
                }
                Patched::Moved if again < AGAIN => {
                    again += 1;
                    continue 'read;
                }
                Patched::Refused(said) if !partly => {
                    outcomes.extend(refuse(good, &said.text, said.code.as_deref(), COMPARE));
                    return Ok(outcomes);
                }
                // Somebody writes all the time, or an earlier part has taken
                // effect: a read-back decides, and the next push meets the
                // refusal alone.
                Patched::Moved | Patched::Refused(_) => {
                    let open = good.iter().map(|one| (one.cell, RowOutcome::Unproven));
                    outcomes.extend(open);
                    return Ok(outcomes);
                }
            }
        }
        outcomes.extend(good.iter().map(|one| (one.cell, RowOutcome::Accepted)));
        return Ok(outcomes);
    }
}

const CREATE: &str = "create the twin, or correct `twin_id` or the mapping; then retry";
const MAP: &str = "correct the mapping, or the twin's location; then retry";
const MODEL: &str = "send our models with `planthread setup TARGET --push`, or add the component to the twin's model; then retry";
const EMPTY: &str = "give the twin the component, empty as `{ \"$metadata\": {} }`; then retry";
const SHORTEN: &str = "land a shorter horizon or fewer measures, or lower `past_days`";
const COMPARE: &str = "compare the twin and its model with the measures; then retry";

/// Why a twin is not the one that is meant.
pub(crate) fn elsewhere(context: &Context, twin: &Twin, location: &str) -> Option<String> {
    let property = &context.config.location_property;
    let stands = twin.document.get(property)?.as_str()?;
    (!property.is_empty() && stands != location)
        .then(|| format!("the twin stands at {stands}, not at {location}"))
}

/// The changes that the twin's model can hold, and the outcomes of the others.
async fn fitting<'a>(
    context: &Context,
    twin: &Twin,
    changes: &'a TwinChanges,
) -> Result<(Vec<&'a Change>, Outcomes), ConnectorError> {
    let model = twin.document["$metadata"]["$model"].as_str().unwrap_or_default();
    let name = &context.config.component;
    let Some(component) = known(context, model).await? else {
        let reason = format!("the model {model} has no component `{name}`");
        return Ok((Vec::new(), refuse(&changes.changes, &reason, None, MODEL)));
    };
    if !twin.document[name].is_object() {
        // A path below it has no parent: the whole PATCH would be refused.
        let reason = format!("the twin {} has no component `{name}`", changes.id);
        return Ok((Vec::new(), refuse(&changes.changes, &reason, None, EMPTY)));
    }
    let (mut good, mut outcomes) = (Vec::new(), Vec::new());
    for change in &changes.changes {
        let unfit = match component.maps.get(&change.property) {
            Some(holds) => holds.unfit(change.value),
            None => Some(format!("{} has no map `{}`", component.model, change.property)),
        };
        match unfit {
            None => good.push(change),
            Some(why) => outcomes.extend(refuse([change], &why, None, MODEL)),
        }
    }
    Ok((good, outcomes))
}

/// What the component of a model can hold; asked for once.
async fn known(context: &Context, model: &str) -> Result<Option<Arc<Component>>, ConnectorError> {
    // Whoever comes second waits for the answer instead of asking, too.
    let mut all = context.known.lock().await;
    if let Some(known) = all.get(model) {
        return Ok(Some(Arc::clone(known)));
    }
    let found = context.client.models(Lane::Routine, Some(model)).await?.unwrap_or_default();
    let found = interfaces(&found);
    let others = of_other_languages(&found);
    if !others.is_empty() {
        // A finding and no refusal: the instance has taken them.
        tracing::warn!(
            models = others.join(", "),
            "models are not DTDL version 2 or 3: `check` says more"
        );
    }
    let found = component(model, &context.config.component, &found).map(Arc::new);
    // What is not there may be put right: it is asked for again.
    if let Some(found) = &found {
        all.insert(model.to_owned(), Arc::clone(found));
    }
    Ok(found)
}

fn patched(
    context: &Context,
    twin: &Twin,
    good: &[&Change],
    as_of: Option<&str>,
) -> crate::patch::Patch {
    let component = &context.config.component;
    let today = context.client.http().clock().now().to_zoned(TimeZone::UTC).date();
    let days = jiff::Span::new().days(i64::from(context.config.past_days));
    let oldest = today.saturating_sub(days);
    let is_past = |key: &str| key::period(key).is_some_and(|period| period.end() <= oldest);
    let held = twin.document.get(component).unwrap_or(&Value::Null);
    patch(component, held, good.iter().copied(), as_of, is_past)
}

/// The same refusal for cells of one twin.
fn refuse<'a>(
    changes: impl IntoIterator<Item = &'a Change>,
    reason: &str,
    code: Option<&str>,
    cure: &str,
) -> Outcomes {
    let rejection = Rejection {
        reason: reason.to_owned(),
        vendor_code: code.map(str::to_owned),
        cure: cure.to_owned(),
    };
    let all = changes.into_iter();
    all.map(|one| (one.cell, RowOutcome::Rejected(rejection.clone()))).collect()
}

#[cfg(test)]
mod tests {
    use http::Method;
    use serde_json::json;

    use super::*;
    use crate::{
        samples::cell,
        wired::{Rig, healthy, models, work_center},
    };

    /// A work centre whose document has this many bytes.
    fn filled(bytes: usize) -> Value {
        let with = |note: &str| {
            let mut twin = work_center(&json!({ "$metadata": {} }));
            twin["note"] = note.into();
            twin
        };
        with(&"x".repeat(bytes - with("").to_string().len()))
    }

    #[test]
    fn a_twin_is_not_written_beyond_its_limit() {
        // What one cell adds: a map of one key, and the service's notes of it.
        let adds = r#""attainableHours":{"W2026_49":38.5},"#.len()
            + r#""attainableHours":{"lastUpdateTime":"2026-11-22T00:00:00.0000000Z"},"#.len();
        for (bytes, sent) in [(BYTES_MAX - adds, 1), (BYTES_MAX - adds + 1, 0)] {
            let rig = Rig::new(healthy(models(), move || filled(bytes)));
            let outcome = rig.push(&[cell("LINE-1", "2026-W49", "live", "38.50")]).unwrap();
            assert_eq!(rig.count(&Method::PATCH), sent, "{bytes}");
            match (&outcome.rows[0], sent) {
                (RowOutcome::Accepted, 1) => {}
                (RowOutcome::Rejected(no), 0) => {
                    assert_eq!(
                        (no.reason.as_str(), no.cure.as_str()),
                        ("the twin would hold 32769 bytes, and 32768 are the most", SHORTEN)
                    );
                }
                other => panic!("{other:?}"),
            }
        }
    }

    #[test]
    fn a_twin_without_the_component_is_told_and_sent_nothing() {
        for (component, sent) in [(json!({ "$metadata": {} }), 1), (Value::Null, 0)] {
            let rig = Rig::new(healthy(models(), move || work_center(&component)));
            let outcome = rig.push(&[cell("LINE-1", "2026-W49", "live", "38.50")]).unwrap();
            assert_eq!(rig.count(&Method::PATCH), sent);
            match &outcome.rows[0] {
                RowOutcome::Accepted => assert_eq!(sent, 1),
                RowOutcome::Rejected(no) => {
                    assert_eq!(
                        (sent, no.reason.as_str()),
                        (0, "the twin LINE-1 has no component `capacity`")
                    );
                    assert_eq!(no.cure, EMPTY);
                }
                RowOutcome::Unproven => panic!("it is known"),
            }
        }
    }
}
