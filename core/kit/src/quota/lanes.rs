//! Whose turn it is when requests wait for the same quota.

use crate::http::Lane;

const ORDER: [Lane; 4] = [Lane::Risk, Lane::Verify, Lane::Routine, Lane::Sweep];

/// Every fifth request at least is a read-back while one waits: 20 %. Landings
/// that nobody can prove are worth nothing, so risks can't starve them.
const OTHERS_BEFORE_VERIFY: u32 = 4;

/// Waiting requests by lane, and how long verify has been passed over.
#[derive(Debug, Default)]
pub(super) struct Lanes {
    waiting: [u32; ORDER.len()],
    since_verify: u32,
}

impl Lanes {
    pub(super) const fn enter(&mut self, lane: Lane) {
        self.waiting[lane as usize] += 1;
    }

    pub(super) const fn leave(&mut self, lane: Lane) {
        self.waiting[lane as usize] = self.waiting[lane as usize].saturating_sub(1);
    }

    pub(super) const fn granted(&mut self, lane: Lane) {
        self.since_verify = match lane {
            Lane::Verify => 0,
            Lane::Risk | Lane::Routine | Lane::Sweep => self.since_verify.saturating_add(1),
        };
    }

    /// The lane that goes next, when `asking` asks beside those that wait.
    pub(super) fn next(&self, asking: Lane) -> Lane {
        let wants = |lane: Lane| lane == asking || self.waiting[lane as usize] > 0;
        if self.since_verify >= OTHERS_BEFORE_VERIFY && wants(Lane::Verify) {
            return Lane::Verify;
        }
        ORDER.into_iter().find(|lane| wants(*lane)).unwrap_or(asking)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What goes out when all `lanes` wait for ever.
    fn served(lanes: &[Lane], requests: usize) -> Vec<Lane> {
        let mut state = Lanes::default();
        lanes.iter().for_each(|lane| state.enter(*lane));
        let mut out = Vec::new();
        for _ in 0..requests {
            let lane = state.next(lanes[0]);
            state.granted(lane);
            out.push(lane);
        }
        out
    }

    #[test]
    fn risk_goes_first_but_verify_keeps_a_fifth() {
        let out = served(&ORDER, 100);
        assert_eq!(out.iter().filter(|lane| **lane == Lane::Verify).count(), 20);
        assert_eq!(out.iter().filter(|lane| **lane == Lane::Risk).count(), 80);
    }

    #[test]
    fn the_rest_follows_in_order() {
        assert_eq!(served(&[Lane::Sweep, Lane::Routine], 3), [Lane::Routine; 3]);
        assert_eq!(served(&[Lane::Sweep], 1), [Lane::Sweep]);
    }

    #[test]
    fn who_leaves_holds_nobody_up() {
        let mut state = Lanes::default();
        state.enter(Lane::Risk);
        assert_eq!(state.next(Lane::Sweep), Lane::Risk);
        state.leave(Lane::Risk);
        assert_eq!(state.next(Lane::Sweep), Lane::Sweep);
    }
}
