//! The sweep: each fault, at each request, once and for good.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError},
    task,
    time::Duration,
};

use planthread_contracts::{CellKey, RowOutcome};
use planthread_kit::{
    Attempt, AttemptEnd, AttemptId, AttemptLog, AttemptRecord, Batch, BreakerPolicy, Breakers,
    CellWrite, Class, ConnectorError, NoteError, NoteSink, Poll, PushEnd, PushPolicy, PushStack,
    RecordedBatch, VirtualClock,
};
use rust_decimal::Decimal;

use crate::{
    bench::{Bench, Fault, World, batch},
    cases::read,
};

/// Requests after which a fault that lasts must have ended the push.
const REQUESTS_MAX: usize = 400;

/// Rounds of push and read-back that a bridge would make.
const ROUNDS_MAX: usize = 4;

/// Attempts in memory: what the engine keeps on disk.
#[derive(Debug, Clone)]
struct Log {
    clock: VirtualClock,
    notes: Arc<Memory>,
}

#[derive(Debug, Default)]
struct Memory(Mutex<BTreeMap<AttemptId, Kept>>);

/// What is kept of an attempt: what it carried, and its notes.
type Kept = (RecordedBatch, BTreeMap<String, String>);

impl NoteSink for Memory {
    fn note(&self, attempt: &AttemptId, key: &str, value: &str) -> Result<(), NoteError> {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = all.get_mut(attempt).ok_or("no such attempt")?;
        kept.1.insert(key.to_owned(), value.to_owned());
        Ok(())
    }
}

impl AttemptLog for Log {
    fn open(&self, batch: &Batch) -> Result<Attempt, ConnectorError> {
        let id = AttemptId::draw(&self.clock);
        let mut all = self.notes.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.insert(id.clone(), (batch.recorded().clone(), BTreeMap::new()));
        let sink: Arc<dyn NoteSink> = Arc::<Memory>::clone(&self.notes);
        Ok(Attempt::new(id, sink))
    }

    fn close(&self, _: &AttemptId, _: &AttemptEnd) -> Result<(), ConnectorError> {
        Ok(())
    }

    fn record(&self, id: &AttemptId) -> Result<AttemptRecord, ConnectorError> {
        let all = self.notes.0.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = all.get(id).ok_or_else(|| unknown(id))?;
        Ok(AttemptRecord { id: id.clone(), notes: kept.1.clone() })
    }

    fn batch(&self, id: &AttemptId) -> Result<RecordedBatch, ConnectorError> {
        let all = self.notes.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.get(id).map(|kept| kept.0.clone()).ok_or_else(|| unknown(id))
    }
}

fn unknown(id: &AttemptId) -> ConnectorError {
    ConnectorError::new(Class::Fatal, "read attempt", format!("there is no attempt {id}"))
}

pub(crate) fn fault_at_every_request(bench: &dyn Bench) -> Result<(), String> {
    let needed = undisturbed(bench)?;
    for fault in Fault::ALL {
        for nth in 1..=needed {
            let place = format!("{fault:?} at request {nth} of {needed}");
            once(bench, fault, nth).map_err(|reason| format!("{place}, once: {reason}"))?;
            lasting(bench, fault, nth).map_err(|reason| format!("{place}, lasting: {reason}"))?;
        }
    }
    Ok(())
}

/// Requests of a push and its read-back when nothing goes wrong.
fn undisturbed(bench: &dyn Bench) -> Result<usize, String> {
    let (world, cells) = (bench.world(), bench.cells(24));
    let missing = rounds(&world, &cells)?;
    if missing.is_empty() {
        return Ok(world.target.requests());
    }
    Err(format!("without any fault {} cells did not land", missing.len()))
}

/// After one fault everything lands, with its exact values.
fn once(bench: &dyn Bench, fault: Fault, nth: usize) -> Result<(), String> {
    let (world, cells) = (bench.world(), bench.cells(24));
    world.target.inject(nth, fault);
    let missing = rounds(&world, &cells)?;
    let early = world.target.inside_retry_after();
    match (missing.first(), early) {
        (None, 0) => Ok(()),
        (None, early) => Err(format!("{early} requests inside a Retry-After window")),
        (Some(cell), _) => Err(format!("{} cells missing, first {cell}", missing.len())),
    }
}

/// A fault that lasts ends the push within bounds, and silence never hides a
/// half: what was reported as accepted is there, and no value is doubled.
fn lasting(bench: &dyn Bench, fault: Fault, nth: usize) -> Result<(), String> {
    let (world, cells) = (bench.world(), bench.cells(24));
    for request in nth..nth + 2 * REQUESTS_MAX {
        world.target.inject(request, fault);
    }
    let end = push(&world, &cells)?;
    let made = world.target.requests();
    if made > REQUESTS_MAX {
        return Err(format!("{made} requests without an end"));
    }
    let held = held(&world);
    let doubled = cells.iter().find(|c| held.get(&c.key).is_some_and(|value| *value != c.value));
    if let Some(cell) = doubled {
        return Err(format!("{} holds {:?}, not {}", cell.key, held.get(&cell.key), cell.value));
    }
    if let PushEnd::Done { outcome, .. } = &end {
        for (cell, row) in cells.iter().zip(&outcome.rows) {
            if *row == RowOutcome::Accepted && !held.contains_key(&cell.key) {
                return Err(format!("{} was accepted and is not there", cell.key));
            }
        }
    }
    Ok(())
}

/// A push whose future is dropped at any request leaves nothing that a new
/// attempt could double: of the same process, or of the next one.
pub(crate) fn a_cancelled_push_can_be_repeated(bench: &dyn Bench) -> Result<(), String> {
    let needed = undisturbed(bench)?;
    for nth in 1..=needed {
        for same in [true, false] {
            let process = if same { "the same process" } else { "the next process" };
            cancelled(bench, nth, same)
                .map_err(|why| format!("cut at request {nth} of {needed}, {process}: {why}"))?;
        }
    }
    Ok(())
}

fn cancelled(bench: &dyn Bench, nth: usize, same: bool) -> Result<(), String> {
    let (mut world, cells) = (bench.world(), bench.cells(24));
    let before = held(&world);
    cut(&mut world, &cells, nth, same)?;
    let missing = rounds(&world, &cells)?;
    if let Some(cell) = missing.first() {
        return Err(format!("{} missing, first {cell}", missing.len()));
    }
    let ours = |key: &CellKey| before.contains_key(key) || cells.iter().any(|c| c.key == *key);
    match held(&world).keys().find(|key| !ours(key)) {
        Some(key) => Err(format!("{key} is none of ours")),
        None => Ok(()),
    }
}

/// What a push left that died at any request is not landed by a later one that has one of
/// its cells alone.
pub(crate) fn a_push_lands_nothing_of_a_dead_one(bench: &dyn Bench) -> Result<(), String> {
    let needed = undisturbed(bench)?;
    for nth in 1..=needed {
        let (mut world, cells) = (bench.world(), bench.cells(24));
        cut(&mut world, &cells, nth, false)?;
        let stood = held(&world);
        let (mine, others) = cells.split_at(1);
        let place = format!("cut at request {nth} of {needed}");
        if let Some(cell) = rounds(&world, mine)?.first() {
            return Err(format!("{place}: {cell} is missing"));
        }
        let now = held(&world);
        let landed = |cell: &&CellWrite| now.get(&cell.key) != stood.get(&cell.key);
        if let Some(cell) = others.iter().find(landed) {
            return Err(format!("{place}: {} was landed by another push", cell.key));
        }
    }
    Ok(())
}

/// Pushes cells, dies when request `nth` was told to wait, and asks what became of it: in
/// the same process, or in the next one.
fn cut(world: &mut World, cells: &[CellWrite], nth: usize, same: bool) -> Result<(), String> {
    let connector = Arc::clone(&world.connector);
    let batch = batch(connector.as_ref(), cells)?;
    let log = Log { clock: world.clock.clone(), notes: Arc::default() };
    let attempt = log.open(&batch).map_err(|error| error.to_string())?;
    // A sandbox answers at once: without a wait nothing could be cut.
    world.target.inject(nth, Fault::TooMany(Duration::from_secs(7)));
    let mut cut = connector.submit(&batch, &attempt);
    world.clock.block_on(poll_fn(|context| {
        let done = cut.as_mut().poll(context).is_ready();
        if done || world.target.requests() >= nth {
            task::Poll::Ready(())
        } else {
            task::Poll::Pending
        }
    }));
    drop(cut);
    if !same {
        world.connector = (world.again)();
    }
    // What a bridge does first: it asks what became of the attempt.
    let record = log.record(attempt.id()).map_err(|error| error.to_string())?;
    for _ in 0..REQUESTS_MAX {
        match world.clock.block_on(world.connector.poll(&record, batch.recorded())) {
            Ok(Poll::Running { .. }) | Err(_) => world.clock.advance(Duration::from_secs(10)),
            Ok(_) => break,
        }
    }
    Ok(())
}

/// Push, read back, push what is missing: what the engine does, in small.
fn rounds(world: &World, cells: &[CellWrite]) -> Result<Vec<CellKey>, String> {
    let mut missing: Vec<CellWrite> = cells.to_vec();
    for _ in 0..ROUNDS_MAX {
        push(world, &missing)?;
        let Ok(seen) = read(world, cells) else { continue };
        let seen: BTreeMap<_, _> = seen.into_iter().map(|cell| (cell.key, cell.value)).collect();
        let landed = |cell: &CellWrite| seen.get(&cell.key) == Some(&Some(cell.value));
        missing.retain(|cell| !landed(cell));
        if missing.is_empty() {
            break;
        }
    }
    let held = held(world);
    let absent = cells.iter().filter(|cell| held.get(&cell.key) != Some(&cell.value));
    Ok(absent.map(|cell| cell.key.clone()).collect())
}

fn push(world: &World, cells: &[CellWrite]) -> Result<PushEnd, String> {
    let batch = batch(world.connector.as_ref(), cells)?;
    let log = Log { clock: world.clock.clone(), notes: Arc::default() };
    let breakers = Breakers::new(BreakerPolicy::default());
    let policy = PushPolicy::default();
    let stack = PushStack {
        connector: world.connector.as_ref(),
        log: &log,
        policy: &policy,
        breakers: &breakers,
        clock: &world.clock,
    };
    let end = world.clock.block_on(stack.push(&batch));
    if let PushEnd::Parked { open: Some(id), .. } = &end {
        world.clock.block_on(stack.settle(id));
    }
    Ok(end)
}

fn held(world: &World) -> BTreeMap<CellKey, Decimal> {
    let some = world.target.stored().into_iter().filter_map(|cell| Some((cell.key, cell.value?)));
    some.collect()
}
