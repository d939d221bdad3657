//! Good parts of one machine, step by step (ADR 16, step 6). The generator marks
//! the readings that are bad, so nothing has to be guessed here.

use super::{
    grid::Grid,
    world::{HOUR, Kind, SLOT, World},
};

/// What was made, where it is known.
#[derive(Debug)]
pub(crate) struct Output {
    /// Parts of each step; `None` where nobody counted.
    pub(crate) made: Vec<Option<f64>>,
    /// Steps of intervals in which nothing was made.
    pub(crate) idle: Vec<bool>,
    /// First step that was counted, and the end of the last.
    pub(crate) since: usize,
    pub(crate) until: i64,
}

impl Output {
    pub(crate) fn of(world: &World, grid: &Grid, machine: usize) -> Option<Self> {
        let counters = world.sources.iter().enumerate().filter(|(_, s)| s.kind == Kind::Counter);
        let mut output: Option<Self> = None;
        for (at, source) in counters {
            let mut readings = world.readings_of(at, machine);
            readings.retain(|one| !one.bad && one.end <= world.now);
            let first = readings.first().map(|first| first.end - HOUR);
            let mut base = first.zip(source.opening);
            for one in readings {
                let Some((since, before)) = base.replace((one.end, one.total)) else { continue };
                let parts = if one.restarted { one.total } else { one.total - before };
                let parts = f64::from(i32::try_from(parts).unwrap());
                let slots = (grid.slot(since), grid.slot(one.end));
                output.get_or_insert_with(|| Self::none(grid, slots.0)).count(grid, slots, parts);
            }
        }
        output
    }

    fn none(grid: &Grid, since: usize) -> Self {
        let (made, idle) = (vec![None; grid.slots], vec![false; grid.slots]);
        Self { made, idle, since, until: 0 }
    }

    fn count(&mut self, grid: &Grid, (first, last): (usize, usize), parts: f64) {
        let width = f64::from(u32::try_from(last - first).unwrap());
        for slot in first..last {
            self.made[slot] = Some(parts / width);
            self.idle[slot] = parts == 0.0;
        }
        self.until = grid.time(first) + SLOT * i64::try_from(last - first).unwrap();
    }
}
