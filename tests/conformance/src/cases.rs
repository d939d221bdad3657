//! The cases that need no fault, or one.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use planthread_contracts::{CellKey, RowOutcome, SeenCell};
use planthread_kit::{
    Attempt, AttemptId, AttemptRecord, CellWrite, Class, Clock, Connector, ConnectorError,
    NoteError, NoteSink, Poll, PushOutcome, RecordedBatch, Selection, Submission, VirtualClock,
};
use rust_decimal::Decimal;

use crate::bench::{Bench, Fault, World, batch};

/// Notes of one attempt, kept in memory.
#[derive(Debug, Default)]
pub(crate) struct Notes(Mutex<BTreeMap<String, String>>);

impl NoteSink for Notes {
    fn note(&self, _: &AttemptId, key: &str, value: &str) -> Result<(), NoteError> {
        let mut notes = self.0.lock().map_err(|_| "poisoned".to_owned())?;
        notes.insert(key.to_owned(), value.to_owned());
        Ok(())
    }
}

impl Notes {
    pub(crate) fn kept(&self) -> BTreeMap<String, String> {
        self.0.lock().map(|notes| notes.clone()).unwrap_or_default()
    }
}

/// Polls after which a job in a sandbox must have ended.
const POLLS_MAX: usize = 1_000;

pub(crate) type End = Result<(), String>;

pub(crate) fn push(world: &World, cells: &[CellWrite]) -> Result<PushOutcome, ConnectorError> {
    world.clock.block_on(pushed(world, cells))
}

/// Submits, and polls to the end.
pub(crate) async fn pushed(
    world: &World,
    cells: &[CellWrite],
) -> Result<PushOutcome, ConnectorError> {
    let batch = batch(world.connector.as_ref(), cells)
        .map_err(|reason| ConnectorError::new(Class::Fatal, "build batch", reason))?;
    let notes = Arc::new(Notes::default());
    let attempt = Attempt::new(AttemptId::draw(&world.clock), Arc::<Notes>::clone(&notes));
    match world.connector.submit(&batch, &attempt).await? {
        Submission::Done(outcome) => Ok(outcome),
        Submission::Submitted => {
            let record = AttemptRecord { id: attempt.id().clone(), notes: notes.kept() };
            let connector = world.connector.as_ref();
            follow(&world.clock, connector, &record, batch.recorded()).await
        }
    }
}

/// Polls until the target's job has ended.
pub(crate) async fn follow(
    clock: &VirtualClock,
    connector: &dyn Connector,
    record: &AttemptRecord,
    batch: &RecordedBatch,
) -> Result<PushOutcome, ConnectorError> {
    for _ in 0..POLLS_MAX {
        match connector.poll(record, batch).await? {
            Poll::Done(outcome) => return Ok(outcome),
            Poll::Running { .. } => clock.sleep(Duration::from_secs(5)).await,
            other => {
                let text = format!("a job that was submitted ended as {other:?}");
                return Err(ConnectorError::new(Class::Fatal, "poll", text));
            }
        }
    }
    Err(ConnectorError::new(Class::Fatal, "poll", "the job does not end"))
}

pub(crate) fn must(result: Result<PushOutcome, ConnectorError>) -> Result<PushOutcome, String> {
    result.map_err(|error| format!("push failed: {error}"))
}

pub(crate) fn check(holds: bool, otherwise: impl FnOnce() -> String) -> End {
    if holds { Ok(()) } else { Err(otherwise()) }
}

pub(crate) fn wanted(cells: &[CellWrite]) -> BTreeMap<CellKey, Decimal> {
    cells.iter().map(|cell| (cell.key.clone(), cell.value)).collect()
}

/// What is held of the cells that were asked for; zeros of other cells and
/// cells without a value are not differences.
pub(crate) fn held(
    seen: Vec<SeenCell>,
    of: &BTreeMap<CellKey, Decimal>,
) -> BTreeMap<CellKey, Decimal> {
    let some = seen.into_iter().filter_map(|cell| Some((cell.key, cell.value?)));
    some.filter(|(key, _)| of.contains_key(key)).collect()
}

/// Compares values as numbers: `1.5` equals `1.500000`.
pub(crate) fn same(
    left: &BTreeMap<CellKey, Decimal>,
    right: &BTreeMap<CellKey, Decimal>,
    what: &str,
) -> End {
    for (key, value) in left {
        match right.get(key) {
            Some(other) if other == value => {}
            Some(other) => return Err(format!("{what}: {key} holds {other}, not {value}")),
            None => return Err(format!("{what}: {key} is missing")),
        }
    }
    Ok(())
}

/// The smallest selection that covers `cells`.
pub(crate) fn selection(cells: &[CellWrite]) -> Result<Selection, String> {
    let first = cells.first().ok_or("no cells")?;
    let last = cells.last().ok_or("no cells")?;
    let mut measures: Vec<String> = cells.iter().map(|cell| cell.key.measure.to_string()).collect();
    measures.sort();
    measures.dedup();
    let resources: BTreeSet<(String, String)> =
        cells.iter().map(|c| (c.key.resource.to_string(), c.key.location.to_string())).collect();
    let periods = cells.iter().map(|cell| cell.key.period);
    Ok(Selection {
        target: first.key.target.to_string(),
        scope: planthread_contracts::Scope::named(&first.key.scope),
        measures,
        resources: resources.into_iter().collect(),
        from: periods.clone().min().unwrap_or(first.key.period),
        to: periods.max().unwrap_or(last.key.period),
        lane: planthread_kit::http::Lane::Verify,
    })
}

pub(crate) fn read(world: &World, cells: &[CellWrite]) -> Result<Vec<SeenCell>, String> {
    let selection = selection(cells)?;
    world.clock.block_on(world.connector.read(&selection)).map_err(|error| error.to_string())
}

pub(crate) fn push_then_stored_equals(bench: &dyn Bench) -> End {
    let (world, cells) = (bench.world(), bench.cells(60));
    let outcome = must(push(&world, &cells))?;
    check(outcome.rows.len() == cells.len(), || {
        format!("{} outcomes for {} cells", outcome.rows.len(), cells.len())
    })?;
    check(outcome.rows.iter().all(|row| *row == RowOutcome::Accepted), || {
        format!("not all rows were accepted: {:?}", outcome.rows)
    })?;
    let wanted = wanted(&cells);
    same(&wanted, &held(world.target.stored(), &wanted), "sandbox")
}

pub(crate) fn read_back_equals_what_was_pushed(bench: &dyn Bench) -> End {
    let (world, cells) = (bench.world(), bench.cells(60));
    must(push(&world, &cells))?;
    let wanted = wanted(&cells);
    same(&wanted, &held(read(&world, &cells)?, &wanted), "read-back")
}

pub(crate) fn same_cells_twice_have_one_effect(bench: &dyn Bench) -> End {
    let (world, cells) = (bench.world(), bench.cells(30));
    must(push(&world, &cells))?;
    must(push(&world, &cells))?;
    let wanted = wanted(&cells);
    same(&wanted, &held(world.target.stored(), &wanted), "after the second push")
}

pub(crate) fn empty_batch_makes_no_request(bench: &dyn Bench) -> End {
    let world = bench.world();
    let before = world.target.requests();
    let outcome = must(push(&world, &[]))?;
    check(outcome.rows.is_empty(), || "an empty batch has no outcomes".to_owned())?;
    let made = world.target.requests() - before;
    check(made == 0, || format!("an empty batch made {made} requests"))
}

pub(crate) fn a_bad_row_is_named_and_the_others_land(bench: &dyn Bench) -> End {
    let (world, mut cells) = (bench.world(), bench.cells(30));
    let good = wanted(&cells);
    let strangers = bench.stranger();
    cells.extend(strangers.iter().cloned());
    cells.sort_by(|a, b| a.key.cmp(&b.key));
    let outcome = must(push(&world, &cells))?;
    for (cell, row) in cells.iter().zip(&outcome.rows) {
        let refused = matches!(row, RowOutcome::Rejected(_));
        let at_fault = cell.key.resource == strangers[0].key.resource;
        let named = world.connector.info().capabilities.names_rejected_rows;
        check(refused == (at_fault && named), || format!("{}: {row:?}", cell.key))?;
        if let RowOutcome::Rejected(rejection) = row {
            check(!rejection.reason.is_empty() && !rejection.cure.is_empty(), || {
                format!("{}: a rejection needs a reason and a cure", cell.key)
            })?;
        }
    }
    same(&good, &held(world.target.stored(), &good), "the good rows")
}

/// The smallest step that a measure declares, a zero, and a large number.
pub(crate) fn quantities_survive_exactly(bench: &dyn Bench) -> End {
    let (world, mut cells) = (bench.world(), bench.cells(30));
    let measures = world.connector.info().capabilities.measures.clone();
    for (place, cell) in cells.iter_mut().enumerate() {
        let decl = measures.iter().find(|decl| decl.name == cell.key.measure);
        let scale = decl.map_or(0, |decl| decl.scale);
        let hard = [
            Decimal::new(1, scale),
            Decimal::ZERO,
            Decimal::new(123_456_789, scale),
            Decimal::new(10, 1),
        ];
        cell.value = hard[place % hard.len()].trunc_with_scale(scale);
    }
    must(push(&world, &cells))?;
    let wanted = wanted(&cells);
    same(&wanted, &held(world.target.stored(), &wanted), "sandbox")?;
    same(&wanted, &held(read(&world, &cells)?, &wanted), "read-back")
}

/// An answer in another shape ends as drift, also where it only was a question.
pub(crate) fn a_renamed_field_is_drift(bench: &dyn Bench) -> End {
    let (world, cells) = (bench.world(), bench.cells(12));
    must(push(&world, &cells))?;
    for nth in 1..=6 {
        world.target.inject(nth, Fault::RenamedField);
    }
    let selection = selection(&cells)?;
    match world.clock.block_on(world.connector.read(&selection)) {
        Err(error) if error.class == Class::Drift => Ok(()),
        other => Err(format!("a renamed field must be class drift, got {other:?}")),
    }
}

/// Where a target takes only rows of one form in one import, a batch that mixes
/// them is refused as a whole, and before anything is sent.
pub(crate) fn a_batch_that_mixes_is_refused_where_it_must(bench: &dyn Bench) -> End {
    let (world, mut cells) = (bench.world(), bench.cells(6));
    if !world.connector.info().capabilities.uniform_batches {
        return Ok(());
    }
    cells.remove(0);
    match push(&world, &cells) {
        Err(error) if error.class == Class::Fatal => {
            check(world.target.requests() == 0, || "something was sent".to_owned())
        }
        other => Err(format!("one cell less in one group must be class fatal, got {other:?}")),
    }
}

pub(crate) fn forbidden_is_auth(bench: &dyn Bench) -> End {
    let (world, cells) = (bench.world(), bench.cells(3));
    for nth in 1..=6 {
        world.target.inject(nth, Fault::Forbidden);
    }
    match push(&world, &cells) {
        Err(error) if error.class == Class::Auth => Ok(()),
        other => Err(format!("403 must be class auth, got {other:?}")),
    }
}

pub(crate) fn no_request_inside_a_retry_after(bench: &dyn Bench) -> End {
    for fault in
        [Fault::TooMany(Duration::from_secs(30)), Fault::Unavailable(Duration::from_secs(30))]
    {
        for nth in 1..=4 {
            let (world, cells) = (bench.world(), bench.cells(3));
            world.target.inject(nth, fault);
            let _ = push(&world, &cells);
            let early = world.target.inside_retry_after();
            check(early == 0, || format!("{early} requests inside the window of request {nth}"))?;
        }
    }
    Ok(())
}

pub(crate) fn an_attempt_without_notes(bench: &dyn Bench) -> End {
    let (world, cells) = (bench.world(), bench.cells(3));
    let id = AttemptId::draw(&world.clock);
    let record = AttemptRecord { id, notes: BTreeMap::new() };
    let batch = batch(world.connector.as_ref(), &cells)?;
    let polled = world.clock.block_on(world.connector.poll(&record, batch.recorded()));
    let made = world.target.requests();
    check(made == 0, || format!("{made} requests for an attempt that never started"))?;
    match polled {
        Ok(Poll::NotTaken { .. }) => Ok(()),
        other => Err(format!("an attempt that never started can't end as {other:?}")),
    }
}

pub(crate) fn discover_answers_the_sheet(bench: &dyn Bench) -> End {
    let world = bench.world();
    let found = world.clock.block_on(world.connector.discover()).map_err(|e| e.to_string())?;
    for line in &world.connector.info().sheet {
        let answered = found.findings.iter().any(|finding| finding.line == line.id);
        check(answered, || format!("no finding answers sheet line `{}`: {}", line.id, line.text))?;
    }
    for finding in found.findings.iter().filter(|finding| !finding.ok) {
        check(!finding.cure.is_empty(), || format!("`{}` has no cure", finding.text))?;
    }
    let bad: Vec<_> = found.findings.iter().filter(|finding| !finding.ok).collect();
    check(bad.is_empty(), || format!("a fresh sandbox fails its own sheet: {bad:?}"))
}

pub(crate) fn pack_holds_every_cell(bench: &dyn Bench) -> End {
    let (world, cells) = (bench.world(), bench.cells(24));
    let files = world.connector.pack(&cells).map_err(|error| error.to_string())?;
    let text: String =
        files.iter().map(|f| String::from_utf8_lossy(&f.bytes).into_owned()).collect();
    for cell in &cells {
        let there = text.lines().any(|line| {
            line.contains(cell.key.resource.as_str()) && line.contains(&cell.value.to_string())
        });
        check(there, || format!("{} = {} stands in no pack file", cell.key, cell.value))?;
    }
    Ok(())
}

pub(crate) fn secrets_are_never_printed(bench: &dyn Bench) -> End {
    let (world, cells) = (bench.world(), bench.cells(3));
    let mut printed = format!("{:?} {:?}", world.connector, world.connector.info());
    for fault in Fault::ALL {
        for nth in 1..=6 {
            world.target.inject(nth, fault);
            if let Err(error) = push(&world, &cells) {
                printed.push_str(&format!("{error} {error:?}"));
            }
        }
    }
    for secret in bench.secrets() {
        check(!printed.contains(&secret), || "a secret was printed".to_owned())?;
    }
    Ok(())
}
