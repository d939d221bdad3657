//! Three days in which the small target is gone while the truth goes on: what is sent
//! when it is back, in which order, and how often it was asked meanwhile.
//!
//! `cargo xtask bench delivery` tells of a million changes; with each run there are
//! fewer.

use std::time::Duration;

use planthread_contracts::DesiredCell;
use planthread_engine::verify::Which;
use planthread_kit::{Clock as _, QuotaConfig};
use rust_decimal::Decimal;

use crate::{
    delivery::{Rig, cpu_s, wanted},
    sink::Door,
};

/// How long it is gone.
const HOURS: u32 = 72;
/// Of ten values, those that change in an hour.
const CHANGING: usize = 7;
/// Cells whose values end where they began.
const RETURNING: usize = 50;
/// Posts that all cells fill.
const POSTS: usize = 40;
/// Requests of an hour in which nothing is answered.
const ASKED_PER_HOUR: usize = 16;
/// Cycles in which everything must have landed, once the target is back.
const CYCLES: usize = 5;

/// What an outage came to.
#[derive(Debug)]
pub(crate) struct Outage {
    /// Cells, and changes of their values while the target was gone.
    pub(crate) cells: usize,
    pub(crate) changes: usize,
    /// The most requests of one hour without an answer.
    pub(crate) worst_hour: usize,
    /// Requests that came while the target had asked to wait.
    pub(crate) violations: usize,
    /// Posts when it was back, and values in them.
    pub(crate) posts: usize,
    pub(crate) sent: usize,
    /// Cells that took effect more than once, and those that were sent without need.
    pub(crate) doubled: usize,
    pub(crate) needless: usize,
    /// Posts whose periods begin before those of a post before them have ended.
    pub(crate) out_of_order: usize,
    /// Cells that were read back as wanted at the end.
    pub(crate) seen: usize,
}

/// Whether the value of a cell changes in an hour.
fn changes(number: usize, hour: u32) -> bool {
    hour > 0 && (number + 3 * hour as usize) % 10 < CHANGING
}

/// The value of a cell at the end of an hour: it moves by one with each change.
fn value(number: usize, hour: u32) -> Decimal {
    let moved = (1..=hour).filter(|hour| changes(number, *hour)).count();
    let moved = if number.is_multiple_of(RETURNING) && hour == HOURS { 0 } else { moved };
    Decimal::new((10_000 + number % 6_800 + moved) as i64, 2)
}

fn cells(rig: &Rig, cells: usize, hour: u32) -> Vec<DesiredCell> {
    wanted(cells, rig.clock.now(), |number| value(number, hour))
}

/// Sends what is planned until all is read back, or the cycles are over.
fn land(rig: &Rig, cells: usize) {
    for _ in 0..CYCLES {
        rig.send(rig.plan().1);
        rig.read_back(Which::Unproven);
        if rig.seen() == cells {
            return;
        }
    }
}

/// Lets the target be gone for three days, and come back.
pub(crate) fn outage(count: usize) -> Outage {
    let rig = Rig::new("outage", Door::Open, &QuotaConfig::default(), count / POSTS);
    rig.want(cells(&rig, count, 0));
    land(&rig, count);
    let hour = Duration::from_secs(3_600);
    let began = rig.clock.now();
    rig.sink.lock().unwrap().close(began, hour * HOURS);
    let (mut worst_hour, mut asked) = (0, 0);
    for number in 1..=HOURS {
        rig.want(cells(&rig, count, number));
        rig.send(rig.plan().1);
        let sink = rig.sink.lock().unwrap();
        let now = sink.writes + sink.reads;
        drop(sink);
        worst_hour = worst_hour.max(now - asked);
        asked = now;
        let passed = rig.clock.now().duration_since(began).unsigned_abs();
        rig.clock.advance((hour * number).saturating_sub(passed));
    }
    land(&rig, count);
    let seen = rig.seen();
    let sink = rig.sink.lock().unwrap();
    Outage {
        cells: count,
        changes: (1..=HOURS).map(|h| (0..count).filter(|n| changes(*n, h)).count()).sum(),
        worst_hour,
        violations: sink.violations,
        posts: sink.spans.len(),
        sent: sink.taken.values().map(|times| *times as usize).sum(),
        doubled: sink.taken.values().filter(|times| **times > 1).count(),
        needless: sink.taken.len().saturating_sub(count - count.div_ceil(RETURNING)),
        out_of_order: sink.spans.windows(2).filter(|two| two[1][0] < two[0][1]).count(),
        seen,
    }
}

/// What must hold however many cells there are.
pub(crate) fn judge(one: &Outage) -> Result<(), String> {
    let changed = one.cells - one.cells.div_ceil(RETURNING);
    let broken = one.violations + one.doubled + one.needless + one.out_of_order;
    let whole = (one.sent, one.seen) == (changed, one.cells);
    if broken > 0 || !whole || one.worst_hour > ASKED_PER_HOUR {
        return Err(format!("{changed} cells ended with another value; {one:?}"));
    }
    Ok(())
}

/// A line of the report of the bench.
pub(crate) fn report(cells: usize) -> Result<String, String> {
    let began = cpu_s();
    let one = outage(cells);
    judge(&one)?;
    Ok(format!(
        "{HOURS} h without the target: {} cells, {} changes; at most {} requests in an hour, {} \
         inside a wait; then {} posts with {} values, near periods first, none twice; {} of {cells} \
         seen; CPU {:.1} s\n",
        one.cells,
        one.changes,
        one.worst_hour,
        one.violations,
        one.posts,
        one.sent,
        one.seen,
        cpu_s() - began
    ))
}
