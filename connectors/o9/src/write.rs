//! Writing: the gate, the leaf levels, then request by request.

use std::{sync::Arc, time::Duration};

use crate::{
    buckets::Form,
    client::Client,
    config::{Config, slots},
    connector::Context,
    encode::{CellRow, encode},
};
use jiff::Timestamp;
use planthread_contracts::{MeasureDecl, Rejection, RowOutcome};
use planthread_kit::{
    Attempt, AttemptRecord, Batch, CellWrite, Class, ConnectorError, Poll, PushOutcome, Submission,
    agreement::{Agreement, Filled, Profile, Slot, SlotKind, Written, gate::Words, reply::Verdict},
    rows::RowKey,
};

/// What the connector has a value for.
pub(crate) const OFFERED: [(&str, SlotKind); 8] = [
    ("signal", SlotKind::Token),
    ("row", SlotKind::Token),
    ("version", SlotKind::Member),
    ("resource", SlotKind::Member),
    ("location", SlotKind::Member),
    ("bucket", SlotKind::Member),
    ("measure", SlotKind::Member),
    ("value", SlotKind::Decimal),
];

/// What each row must fix: a place that is left open is written everywhere.
pub(crate) const EACH_ROW: [&str; 6] =
    ["version", "resource", "location", "bucket", "measure", "value"];

/// The slot that names a row.
pub(crate) const ROW_ID: &str = "row";

/// What only this connector can say of a profile: its path is the tenant's, its
/// levels are the configured ones, and a statement is one of the two forms that
/// say nothing but a constant at a leaf.
pub(crate) fn check(config: &Config, profile: &Profile) -> Result<(), String> {
    let constant = |name: &str| profile.constants.get(name).map(String::as_str);
    if constant("tenant") != Some(config.tenant.to_string().as_str()) {
        return Err(format!("its profile is not for tenant {}", config.tenant));
    }
    if !profile.request.path.starts_with("/api/ibplquery/{tenant}/") {
        return Err("its request goes to another interface than the tenant's rules".to_owned());
    }
    let ours = config.grain();
    let fits = ours.iter().all(|(slot, dimension, level)| {
        profile
            .grain
            .iter()
            .any(|one| one.slot == *slot && one.dimension == *dimension && one.level == *level)
    });
    if !fits || profile.grain.len() != ours.len() {
        return Err("its levels are not those of `model`".to_owned());
    }
    match profile.route.as_str() {
        "rule" => Ok(()),
        "query" => match statements(config).iter().any(|form| profile.request.row == form.as_str())
        {
            true => Ok(()),
            false => Err(format!("its statement is not `{}`", statements(config)[0])),
        },
        other => Err(format!("there is no route `{other}`: rule, query")),
    }
}

/// The two statements that can be agreed: a constant at one leaf cell (§5). The
/// right side of a `cartesian scope` must be a constant, or the keyword is
/// ignored without a word (corrections).
fn statements(config: &Config) -> [String; 2] {
    let set = |(slot, dimension, level): (&str, &str, &str)| {
        format!("[{dimension}].[{level}].[{{{slot}}}]")
    };
    let sets = config.grain().map(set);
    [
        format!("update Measure.[{{measure}}]@({}) = {{value}};", sets.join(", ")),
        format!(
            "cartesian scope:({}); Measure.[{{measure}}] = {{value}}; end scope;",
            sets.join(" * ")
        ),
    ]
}

/// Writes a batch under the agreement.
pub(crate) async fn submit(
    context: &Context,
    batch: &Batch,
    attempt: &Attempt,
) -> Result<Submission, ConnectorError> {
    let clock = context.client.http().clock();
    let cells = batch.cells();
    if cells.is_empty() {
        let receipt = attempt.receipt("0 requests", clock.now());
        return Ok(Submission::Done(PushOutcome::new(receipt, Vec::new())));
    }
    let agreement = context.gate.permit(clock.now(), cells)?;
    let profile = agreement.profile().map_err(unusable)?;
    let encoded = encode(&context.config, &context.form, cells, &context.measures)
        .map_err(ConnectorError::took_nothing)?;
    let mut rows = encoded.grouped.outcomes(cells.len(), &RowOutcome::Unproven);
    let chunks = whole_groups(&encoded.rows, cells, most(&context.config, agreement));
    if !chunks.is_empty() {
        context.levels.ensure(&context.client, &context.config).await?;
    }
    for (part, chunk) in chunks.iter().enumerate() {
        let after = |error: ConnectorError| error.of_write(part);
        let signal = format!("{}-{part}", attempt.id());
        let request = request((agreement, profile), signal, chunk).map_err(after)?;
        let write = context.client.write(&request.written, profile);
        let answer = attempt.write(part, (clock.now(), patience(context)), write).await?;
        let verdict = profile.reply.judge(answer, &request.ids);
        judged(
            &verdict.map_err(|text| Client::surprise(&text)).map_err(after)?,
            chunk,
            &request.ids,
            &mut rows,
        );
    }
    let verdict = format!("{} requests, {}", chunks.len(), context.label());
    Ok(Submission::Done(PushOutcome::new(attempt.receipt(verdict, clock.now()), rows)))
}

/// What words the requests that would go out, before anything may.
pub(crate) fn words(config: Config, form: Form, measures: Vec<MeasureDecl>) -> Arc<Words> {
    Arc::new(move |agreement, cells| {
        let profile = agreement.profile().map_err(unusable)?;
        check(&config, profile).map_err(unusable)?;
        let encoded = encode(&config, &form, cells, &measures)?;
        let chunks = whole_groups(&encoded.rows, cells, most(&config, agreement));
        let one = |(part, chunk): (usize, &&[CellRow])| {
            let signal = format!("ATTEMPT-{part}");
            Ok(request((agreement, profile), signal, chunk)?.written)
        };
        chunks.iter().enumerate().map(one).collect()
    })
}

/// Most rows of one request.
fn most(config: &Config, agreement: &Agreement) -> usize {
    config.rows_per_write.min(agreement.limits.rows).max(1)
}

/// Rows in requests of at most `most`. A cell group goes in one request, so that
/// no half of it stands there, unless it alone is larger than that.
fn whole_groups<'a>(rows: &'a [CellRow], cells: &[CellWrite], most: usize) -> Vec<&'a [CellRow]> {
    let group = |row: &CellRow| RowKey::of(&cells[row.at].key);
    let (mut chunks, mut from, mut to) = (Vec::new(), 0, 0);
    for next in rows.chunk_by(|one, other| group(one) == group(other)) {
        if to > from && to - from + next.len() > most {
            chunks.extend(rows[from..to].chunks(most));
            from = to;
        }
        to += next.len();
    }
    chunks.extend(rows[from..to].chunks(most));
    chunks
}

/// How long one write may be under way.
fn patience(context: &Context) -> Duration {
    Duration::from_secs(context.write_seconds)
}

/// The agreement does not fit what shall be written.
fn unusable(text: String) -> ConnectorError {
    ConnectorError::new(Class::Fatal, "render the request", text)
        .cure("let the agreement be made again for this target")
        .took_nothing()
}

/// A request with the ids of its rows.
struct Request {
    written: Written,
    ids: Vec<String>,
}

fn request(
    (agreement, profile): (&Agreement, &Profile),
    signal: String,
    chunk: &[CellRow],
) -> Result<Request, ConnectorError> {
    let ids: Vec<String> = (1..=chunk.len()).map(|number| number.to_string()).collect();
    let rows: Vec<Filled> = chunk
        .iter()
        .zip(&ids)
        .map(|(row, id)| {
            let mut filled = row.filled.clone();
            filled.insert(ROW_ID.to_owned(), Slot::Token(id.clone()));
            filled
        })
        .collect();
    let head = slots([("signal", Slot::Token(signal))]);
    let written = profile.render(&head, &rows).map_err(unusable)?;
    let fits = agreement.limits.fit(chunk.len(), written.body.to_string().len());
    fits.map_err(|text| unusable(text).cure("set `rows_per_write` lower"))?;
    Ok(Request { written, ids })
}

/// Puts what an answer said of a chunk into the outcomes of the batch.
fn judged(verdict: &Verdict, chunk: &[CellRow], ids: &[String], rows: &mut [RowOutcome]) {
    for (row, id) in chunk.iter().zip(ids) {
        rows[row.at] = match verdict {
            Verdict::Taken => RowOutcome::Accepted,
            Verdict::Repeated => RowOutcome::Unproven,
            Verdict::Refused(refused) => match refused.get(id) {
                None => RowOutcome::Unproven,
                Some(why) => RowOutcome::Rejected(Rejection {
                    reason: match why.text.as_str() {
                        "" => "refused without a text".to_owned(),
                        text => text.to_owned(),
                    },
                    vendor_code: why.code.clone(),
                    cure: "correct the mapping or the target's master data; then retry".to_owned(),
                }),
            },
        };
    }
}

/// What became of an attempt: a write has its effect while it is under way, or
/// never. What came of it, a read-back tells.
pub(crate) fn poll(attempt: &AttemptRecord, now: Timestamp) -> Poll {
    match attempt.may_have_written() {
        false => Poll::NotTaken { why: "nothing of it was sent".to_owned() },
        true => attempt.unclear(now),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::samples::{agreement, config};

    #[test]
    fn a_request_never_ends_inside_a_cell_group_that_fits() {
        let cells: Vec<CellWrite> = [3, 3, 2, 7, 1, 4]
            .into_iter()
            .enumerate()
            .flat_map(|(line, measures)| (0..measures).map(move |at| cell(line, at)))
            .collect();
        let rows: Vec<CellRow> =
            (0..cells.len()).map(|at| CellRow { at, filled: Filled::default() }).collect();
        for most in 1..=cells.len() + 1 {
            let chunks = whole_groups(&rows, &cells, most);
            assert_eq!(chunks.concat(), rows, "{most}: all, once, in order");
            assert!(chunks.iter().all(|chunk| (1..=most).contains(&chunk.len())), "{most}");
            for pair in chunks.windows(2) {
                let key = |row: &CellRow| cells[row.at].key.resource.clone();
                let (last, next) = (key(pair[0].last().unwrap()), key(&pair[1][0]));
                let whole = cells.iter().filter(|cell| cell.key.resource == last).count();
                assert!(last != next || whole > most, "{most}: {last} is cut");
            }
        }
        assert!(whole_groups(&[], &cells, 5).is_empty());
    }

    fn cell(line: usize, measure: usize) -> CellWrite {
        let key = planthread_contracts::CellKey {
            target: "o9".into(),
            scope: "TwinSignals".into(),
            resource: format!("LINE-{line}").into(),
            location: "1010".into(),
            product: None,
            period: "2026-W49".parse().unwrap(),
            measure: format!("m{measure}").into(),
        };
        CellWrite { key, revision: 1, value: 1.into() }
    }

    #[test]
    fn a_profile_must_fix_the_tenant_the_levels_and_a_constant() {
        let good = agreement();
        check(&config(), good.profile().unwrap()).unwrap();
        let fault = |change: &dyn Fn(&mut Profile)| {
            let mut profile = agreement().profile.unwrap();
            change(&mut profile);
            check(&config(), &profile).unwrap_err()
        };
        assert!(
            fault(&|p| {
                p.constants.insert("tenant".to_owned(), "9".to_owned());
            })
            .contains("tenant 1234")
        );
        assert!(
            fault(&|p| p.request.path = "/api/v2/widget/update/CellEdit".to_owned())
                .contains("another interface")
        );
        assert!(fault(&|p| p.grain[3].level = "Month".to_owned()).contains("levels"));
        assert!(
            fault(&|p| {
                p.grain.pop();
            })
            .contains("levels")
        );
        assert!(fault(&|p| p.route = "graph".to_owned()).contains("graph"));
        let mut statement = agreement().profile.unwrap();
        statement.route = "query".to_owned();
        for form in statements(&config()) {
            statement.request.row = Value::from(form);
            check(&config(), &statement).unwrap();
        }
        for wrong in [
            "update Measure.[{measure}]@([Version].[Version Name].[{version}]) = {value};",
            "scope:([Time].[Week].[{bucket}]); Measure.[{measure}] = {value}; end scope;",
        ] {
            statement.request.row = Value::from(wrong);
            assert!(check(&config(), &statement).unwrap_err().contains("statement"), "{wrong}");
        }
    }
}
