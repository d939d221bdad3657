//! Shift: how much of a neighbouring period's figure stands in a period.
//!
//! Weeks that begin `d` days late hold `d/7` of their neighbour: what is wanted
//! differs from the reference by a part `a` of the step to the neighbour,
//! `W - R = a (R' - R)`. A least-squares fit tells `a`, and how much of the
//! difference it explains. The sums add up over places, so that a fault of the
//! whole target shows although one place alone would be too noisy.

/// The least step to a neighbour that counts, as a part of the typical figure: all
/// of them, and the large ones alone. The edges of a shutdown tell of one day more
/// than all small steps together, which may have causes of their own.
const STEPS: [f64; 2] = [0.0, 0.3];

/// A day of a week that is worked through.
const DAY: f64 = 1.0 / 7.0;

/// The sums of one fit towards one neighbour, over the periods with a step.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    de: f64,
    ee: f64,
    dd: f64,
    compared: usize,
    changed: usize,
}

/// The sums of both directions, and of what differs at all.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Fit {
    /// Towards the later and the earlier neighbour, by the least step.
    sums: [[Sums; 2]; 2],
    /// What differs, with its sign and without.
    net: f64,
    gross: f64,
    changed: usize,
    /// Periods that differ by a day's hours, some more and as many less; the one
    /// that has no counterpart yet; and whether anything else differs as much.
    days: usize,
    open: f64,
    moved: f64,
    else_moved: bool,
}

/// The better of the two directions.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Shift {
    /// The part of the neighbour's figure that stands here.
    pub(super) part: f64,
    /// Whether it is the figure of the later neighbour.
    pub(super) of_later: bool,
    /// How much of the difference the shift explains, 0..1.
    pub(super) explained: f64,
    /// How much of it the other direction explains.
    pub(super) otherwise: f64,
    /// How many of its own errors the part is away from nothing.
    pub(super) errors: f64,
    /// Periods with a step that differ.
    pub(super) changed: usize,
}

impl Fit {
    /// Adds a run of adjoining periods: what is wanted and what it is held
    /// against, as parts of the typical figure of the place. Differences below
    /// `least` are none; `own` are figures of the target's own, which may differ for
    /// reasons of their own.
    pub(super) fn run(&mut self, run: &[(f64, f64)], least: f64, own: bool) {
        for (here, (wanted, stands)) in run.iter().enumerate() {
            let differs = (wanted - stands).abs() > least;
            let d = if differs { wanted - stands } else { 0.0 };
            self.net += d;
            self.gross += d.abs();
            self.changed += usize::from(differs);
            self.day(d, own);
            // The ends have one neighbour: they say nothing of the other.
            let (Some(later), Some(earlier)) =
                (run.get(here + 1), here.checked_sub(1).and_then(|n| run.get(n)))
            else {
                continue;
            };
            for (least, sums) in STEPS.iter().zip(&mut self.sums) {
                for (sums, neighbour) in sums.iter_mut().zip([later.1, earlier.1]) {
                    let e = neighbour - stands;
                    if e.abs() > *least || (*least == 0.0 && differs) {
                        sums.add(&Sums::of(d, e));
                    }
                }
            }
        }
    }

    /// A day that stands in the week beside: hours of a day more, then less. Against
    /// our own figures nothing else may have moved as much.
    fn day(&mut self, d: f64, own: bool) {
        if d.abs() < 0.85 * DAY {
            return;
        }
        let other = d.abs() > 1.15 * DAY;
        if own && other {
            return;
        }
        let pair = self.open * d < 0.0;
        self.days += if pair { 2 } else { 0 };
        self.moved += d;
        self.open = if pair { 0.0 } else { d };
        self.else_moved |= !own && (other || self.moved.abs() > 1.25 * DAY);
    }

    /// Periods that hold a day of the week beside; none where something else moved.
    pub(super) const fn days(&self) -> usize {
        if self.else_moved { 0 } else { self.days }
    }

    /// Adds the sums of another place.
    pub(super) fn add(&mut self, other: &Self) {
        for (sums, more) in self.sums.iter_mut().flatten().zip(other.sums.iter().flatten()) {
            sums.add(more);
        }
        self.net += other.net;
        self.gross += other.gross;
        self.changed += other.changed;
        self.days += other.days();
    }

    /// Whether hours only moved between periods: some more here is some less
    /// there.
    pub(super) fn is_displaced(&self) -> bool {
        self.changed >= 2 && self.net.abs() <= 0.2 * self.gross
    }

    /// Whether a day's hours differ, without a counterpart.
    pub(super) fn is_one_day(&self) -> bool {
        self.open != 0.0 && !self.else_moved
    }

    /// Whether it differs where it could show a shift.
    pub(super) fn tells(&self) -> bool {
        self.sums.iter().flatten().any(|sums| sums.changed > 0)
    }

    /// The shifts that explain most, by all steps and by the large ones; none
    /// where nothing differs, or nothing has a step that could show one.
    pub(super) fn best(&self) -> impl Iterator<Item = Shift> {
        self.sums.into_iter().filter_map(|[later, earlier]| {
            let of_later = later.explained() >= earlier.explained();
            let (best, other) = if of_later { (later, earlier) } else { (earlier, later) };
            if best.de <= 0.0 {
                return None;
            }
            let (part, explained) = (best.de / best.ee, best.explained());
            let free = best.compared.saturating_sub(1).max(1) as f64;
            let left = (best.dd * (1.0 - explained) / free).sqrt().max(1e-9);
            Some(Shift {
                part,
                of_later,
                explained,
                otherwise: other.explained(),
                errors: part * best.ee.sqrt() / left,
                changed: best.changed,
            })
        })
    }
}

impl Sums {
    fn of(d: f64, e: f64) -> Self {
        Self { de: d * e, ee: e * e, dd: d * d, compared: 1, changed: usize::from(d != 0.0) }
    }

    fn add(&mut self, more: &Self) {
        self.de += more.de;
        self.ee += more.ee;
        self.dd += more.dd;
        self.compared += more.compared;
        self.changed += more.changed;
    }

    /// How much of the difference a part of the step explains; a part against the
    /// step explains nothing.
    fn explained(&self) -> f64 {
        if self.de <= 0.0 || self.ee <= 0.0 || self.dd <= 0.0 {
            return 0.0;
        }
        (self.de * self.de / (self.ee * self.dd)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const STANDS: [f64; 10] = [1.0, 1.0, 0.0, 1.0, 1.0, 0.6, 1.0, 1.0, 1.5, 1.0];

    fn fit(wanted: impl Fn(usize) -> f64) -> Option<Shift> {
        let run: Vec<(f64, f64)> = (0..10).map(|n| (wanted(n), STANDS[n])).collect();
        let mut fit = Fit::default();
        fit.run(&run, 0.01, false);
        fit.best().next()
    }

    #[test]
    fn a_whole_week_and_a_day_are_told_with_their_direction() {
        let late = fit(|n| STANDS[n.saturating_sub(1)]).unwrap();
        assert!(!late.of_later && (late.part - 1.0).abs() < 0.01, "{late:?}");
        assert!(late.explained > 0.95 && late.otherwise < 0.5, "{late:?}");
        let next = |n: usize| STANDS[(n + 1).min(9)];
        let day = fit(|n| STANDS[n] * 6.0 / 7.0 + next(n) / 7.0).unwrap();
        assert!(day.of_later && (day.part - 1.0 / 7.0).abs() < 0.01, "{day:?}");
        assert!(day.errors > 8.0, "{day:?}");
    }

    #[test]
    fn a_stop_that_only_one_side_knows_is_no_shift() {
        assert_eq!(fit(|n| STANDS[n]), None);
        let missing = fit(|n| if n == 2 { 1.0 } else { STANDS[n] }).unwrap();
        assert!(missing.explained - missing.otherwise < 0.1, "{missing:?}");
        let added = fit(|n| if n == 7 { 0.0 } else { STANDS[n] });
        assert!(added.is_none_or(|shift| shift.explained < 0.3), "{added:?}");
    }
}
