//! What a push promises after its batch was submitted: rows refused late, by
//! name or by count only, receipts that lie, jobs that fail.

use std::sync::Arc;

use futures_util::future::join_all;
use planthread_contracts::RowOutcome;
use planthread_kit::{
    Attempt, AttemptId, AttemptRecord, CellWrite, Connector, ConnectorError, Poll, PushOutcome,
    RecordedBatch, Submission,
};
use rust_decimal::Decimal;

use crate::{
    bench::{Bench, Habit, World, batch},
    cases::{End, Notes, check, follow, held, must, push, pushed, read, same, wanted},
};

/// A batch that a target has taken in and works on.
struct Begun {
    record: AttemptRecord,
    batch: RecordedBatch,
}

fn begin(world: &World, cells: &[CellWrite]) -> Result<Begun, String> {
    let batch = batch(world.connector.as_ref(), cells)?;
    let notes = Arc::new(Notes::default());
    let attempt = Attempt::new(AttemptId::draw(&world.clock), Arc::<Notes>::clone(&notes));
    match world.clock.block_on(world.connector.submit(&batch, &attempt)) {
        Ok(Submission::Submitted) => {
            let record = AttemptRecord { id: attempt.id().clone(), notes: notes.kept() };
            Ok(Begun { record, batch: batch.recorded().clone() })
        }
        other => Err(format!("a target that works on must answer so, got {other:?}")),
    }
}

fn end(
    world: &World,
    connector: &dyn Connector,
    begun: &Begun,
) -> Result<PushOutcome, ConnectorError> {
    world.clock.block_on(follow(&world.clock, connector, &begun.record, &begun.batch))
}

/// As many jobs as the target says it takes at once, over disjoint cell groups.
pub(crate) fn jobs_side_by_side_land_each_its_own(bench: &dyn Bench) -> End {
    let (world, cells) = (bench.world(), bench.cells(48));
    let jobs = world.connector.info().capabilities.side_by_side;
    check(jobs > 0, || "a target that takes no job at all".to_owned())?;
    let mut parts = vec![Vec::new(); jobs];
    for (number, group) in cells.chunk_by(|a, b| a.key.group() == b.key.group()).enumerate() {
        parts[number % jobs].extend_from_slice(group);
    }
    let all = join_all(parts.iter().map(|part| pushed(&world, part)));
    for (part, told) in parts.iter().zip(world.clock.block_on(all)) {
        let told = must(told)?;
        check(told.rows.len() == part.len(), || format!("{} outcomes", told.rows.len()))?;
        let refused = told.rows.iter().find(|row| matches!(row, RowOutcome::Rejected(_)));
        check(refused.is_none(), || format!("beside another job: {refused:?}"))?;
    }
    let wanted = wanted(&cells);
    same(&wanted, &held(world.target.stored(), &wanted), "all jobs together")
}

/// Good cells and, among them, some that the target can't hold.
fn mixed(bench: &dyn Bench) -> Vec<CellWrite> {
    let mut cells = bench.cells(30);
    cells.extend(bench.stranger());
    cells.sort_by(|a, b| a.key.cmp(&b.key));
    cells
}

fn is_stranger(bench: &dyn Bench, cell: &CellWrite) -> bool {
    bench.stranger().iter().any(|stranger| stranger.key.resource == cell.key.resource)
}

pub(crate) fn rows_refused_late_are_told_to_the_next_process(bench: &dyn Bench) -> End {
    let (world, cells) = (bench.world(), mixed(bench));
    let begun = begin(&world, &cells)?;
    let next = (world.again)();
    let told = must(end(&world, next.as_ref(), &begun))?;
    check(told.rows.len() == cells.len(), || format!("{} outcomes", told.rows.len()))?;
    let named = next.info().capabilities.names_rejected_rows;
    for (cell, row) in cells.iter().zip(&told.rows) {
        let refused = matches!(row, RowOutcome::Rejected(_));
        let wrong = refused != (named && is_stranger(bench, cell));
        check(!wrong, || format!("{}: {row:?} in the next process", cell.key))?;
    }
    let again = must(end(&world, world.connector.as_ref(), &begun))?;
    check(again.rows == told.rows, || "a second question is answered otherwise".to_owned())?;
    let good: Vec<_> = cells.into_iter().filter(|cell| !is_stranger(bench, cell)).collect();
    let good = wanted(&good);
    same(&good, &held(world.target.stored(), &good), "the good rows")
}

/// Another mapping, or another version of the connector, between the two: what
/// stands at a position is not what went out there.
pub(crate) fn rows_encoded_in_another_way_since_are_judged_by_nobody(bench: &dyn Bench) -> End {
    let (world, cells) = (bench.world(), mixed(bench));
    let mut begun = begin(&world, &cells)?;
    let altered = |cell: &CellWrite| CellWrite { value: cell.value + Decimal::ONE, ..cell.clone() };
    let cells = begun.batch.cells().iter().map(altered).collect();
    begun.batch = RecordedBatch::new(begun.batch.scope().clone(), cells);
    let told = must(end(&world, world.connector.as_ref(), &begun))?;
    let judged = told.rows.iter().find(|row| **row != RowOutcome::Unproven);
    check(judged.is_none(), || format!("a row was judged by its position: {judged:?}"))
}

pub(crate) fn asking_changes_nothing(bench: &dyn Bench) -> End {
    let (world, cells) = (bench.world(), bench.cells(12));
    let begun = begin(&world, &cells)?;
    must(end(&world, world.connector.as_ref(), &begun))?;
    let before = world.target.stored();
    for _ in 0..3 {
        must(end(&world, world.connector.as_ref(), &begun))?;
    }
    check(world.target.stored() == before, || "a poll changed the target".to_owned())
}

pub(crate) fn a_running_job_says_so_in_the_targets_own_word(bench: &dyn Bench) -> End {
    let (world, cells) = (bench.world(), bench.cells(12));
    let begun = begin(&world, &cells)?;
    let polled = world.clock.block_on(world.connector.poll(&begun.record, &begun.batch));
    match polled {
        Ok(Poll::Running { state }) if !state.is_empty() => Ok(()),
        // It may have been quick.
        Ok(Poll::Done(_)) => Ok(()),
        other => Err(format!("a job that was just begun must run, got {other:?}")),
    }
}

pub(crate) fn refusals_by_count_judge_no_row(bench: &dyn Bench) -> End {
    let (world, cells) = (bench.world_with(Some(Habit::CountsRefusals)), mixed(bench));
    let told = must(push(&world, &cells))?;
    check(told.refused_unnamed > 0, || "nothing says that rows were refused".to_owned())?;
    for (cell, row) in cells.iter().zip(&told.rows) {
        let judged = matches!(row, RowOutcome::Rejected(_));
        check(!judged, || format!("{}: {row:?}, though nobody named it", cell.key))?;
        let taken = *row == RowOutcome::Accepted && is_stranger(bench, cell);
        check(!taken, || format!("{}: accepted, though rows were refused", cell.key))?;
    }
    Ok(())
}

pub(crate) fn a_receipt_that_lies_is_found_by_reading(bench: &dyn Bench) -> End {
    let (world, cells) = (bench.world_with(Some(Habit::DropsSilently)), mixed(bench));
    must(push(&world, &cells))?;
    let (strangers, good): (Vec<_>, Vec<_>) =
        cells.into_iter().partition(|cell| is_stranger(bench, cell));
    let seen = read(&world, &strangers)?;
    check(seen.iter().all(|cell| cell.value.is_none_or(|value| value.is_zero())), || {
        format!("read back, and never stored: {seen:?}")
    })?;
    let good_wanted = wanted(&good);
    same(&good_wanted, &held(read(&world, &good)?, &good_wanted), "read-back")
}

pub(crate) fn a_failed_job_is_told_as_that(bench: &dyn Bench) -> End {
    let (world, cells) = (bench.world_with(Some(Habit::FailsJobs)), bench.cells(12));
    let before = world.target.stored();
    let told = must(push(&world, &cells))?;
    check(told.failed, || format!("the job failed, and it is told as {told:?}"))?;
    check(!told.receipt.verdict.is_empty(), || "it has no word for it".to_owned())?;
    check(!told.rows.contains(&RowOutcome::Accepted), || "a row was accepted".to_owned())?;
    check(world.target.stored() == before, || "the sandbox changed".to_owned())
}
