//! One measure at one place, over all its periods: is it in proportion?

use planthread_contracts::Unit;

use super::{Fault, shift::Fit};

/// Beyond this factor, or below one over it, figures are out of proportion. Rates
/// in the field lie at 0.4 to 1.2 of what is assumed, so that days for hours
/// (factor 24) stay outside, and a ramp-up inside.
const FACTOR: f64 = 8.0;
/// Below one over this nobody asks how even the factors are.
const FAR: f64 = 20.0;
/// Most spread of the factors (as a logarithm) of a fault of units: a machine
/// that breaks or a line that ramps up is uneven.
const EVEN: f64 = 0.3;
/// Differences below this part of the typical figure are none.
const LEAST: f64 = 0.005;
/// Fewest periods that show a factor.
const FEW: usize = 3;

/// One period of a measure at a place.
#[derive(Debug, Clone, Copy, Default)]
pub struct Point {
    /// Its place in time: adjoining periods differ by one.
    pub at: i64,
    /// What is wanted, before rounding.
    pub wanted: f64,
    /// What we landed there last.
    pub landed: Option<f64>,
    /// What the target says itself: a value of somebody else's in the cell, or
    /// the measure that it is declared to be compared with.
    pub own: Option<f64>,
    /// Whether it waits to be sent.
    pub waits: bool,
    /// Whether it is wanted because the mapping changed.
    pub mapped: bool,
}

/// A measure at a place.
#[derive(Debug, Clone)]
pub struct Series {
    /// The unit of the measure.
    pub unit: Unit,
    /// The most that a period can hold, where there is such a bound.
    pub most: Option<f64>,
    /// Its periods, in order.
    pub points: Vec<Point>,
}

/// What is told of a series.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Found {
    pub(super) fault: Fault,
    /// What is wanted, and what it was held against, of a typical period or of
    /// the one that shows it best.
    pub(super) wanted: f64,
    pub(super) stands: f64,
}

/// What a series is held against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Against {
    /// What we landed ourselves: equal but for news.
    Landed,
    /// What the target says itself: alike, by another factor.
    Own,
}

impl Series {
    /// Whether anything of it waits.
    pub(super) fn waits(&self) -> bool {
        self.points.iter().any(|point| point.waits)
    }

    /// Cells of it that wait.
    pub(super) fn waiting(&self) -> usize {
        self.points.iter().filter(|point| point.waits).count()
    }

    /// Whether a change of the mapping moved any of it.
    pub(super) fn is_mapped(&self) -> bool {
        self.points.iter().any(|point| point.waits && point.mapped)
    }

    /// What it is held against: what we landed, where that is most of it.
    pub(super) fn against(&self) -> Option<Against> {
        let count = |of: fn(&Point) -> Option<f64>| {
            self.points.iter().filter(|point| of(point).is_some()).count()
        };
        let (landed, own) = (count(|point| point.landed), count(|point| point.own));
        match () {
            () if landed > 0 && landed * 2 >= self.points.len().min(own.max(1) * 2) => {
                Some(Against::Landed)
            }
            () if own > 0 => Some(Against::Own),
            () if landed > 0 => Some(Against::Landed),
            () => None,
        }
    }

    /// Pairs of what is wanted and what it is held against.
    pub(super) fn pairs(&self, against: Against) -> impl Iterator<Item = (i64, f64, f64)> + '_ {
        self.points.iter().filter_map(move |point| {
            let stands = match against {
                Against::Landed => point.landed,
                Against::Own => point.own,
            };
            Some((point.at, point.wanted, stands?))
        })
    }

    /// What is out of proportion by itself.
    pub(super) fn judge(&self) -> Option<Found> {
        if !self.waits() {
            return None;
        }
        let against = self.against();
        self.beyond()
            .or_else(|| against.and_then(|against| self.opposite(against)))
            .or_else(|| against.and_then(|against| self.unit(against)))
    }

    /// A figure that can't be.
    fn beyond(&self) -> Option<Found> {
        let most = self.most?;
        let worst = self.points.iter().filter(|point| point.waits && point.wanted > most);
        let worst = worst.max_by(|a, b| a.wanted.total_cmp(&b.wanted))?;
        let fault = if self.unit == Unit::One { Fault::Percent } else { Fault::Beyond };
        Some(Found { fault, wanted: worst.wanted, stands: most })
    }

    fn unit(&self, against: Against) -> Option<Found> {
        let fault = if self.unit == Unit::One { Fault::Percent } else { Fault::Unit };
        let pairs: Vec<(f64, f64)> =
            self.pairs(against).map(|(_, wanted, stands)| (wanted, stands)).collect();
        let both = pairs.iter().filter(|(wanted, stands)| *wanted > 0.0 && *stands > 0.0);
        let mut logs: Vec<f64> = both.map(|(wanted, stands)| (wanted / stands).ln()).collect();
        let stood = pairs.iter().filter(|(_, stands)| *stands > 0.0).count();
        // A few periods of many say nothing of a factor: the rest stands still.
        if logs.len() * 2 > stood && (logs.len() >= FEW || logs.len() == self.points.len()) {
            let middle = median(&mut logs);
            let mut spread: Vec<f64> = logs.iter().map(|log| (log - middle).abs()).collect();
            let even = median(&mut spread) < EVEN;
            let far = middle > FACTOR.ln() || middle < -FAR.ln() || (even && middle < -FACTOR.ln());
            if far {
                let stands = typical(pairs.iter().map(|(_, stands)| *stands));
                return Some(Found { fault, wanted: stands * middle.exp(), stands });
            }
        }
        // What never stood as high anywhere at this place.
        let highest = pairs.iter().map(|(_, stands)| *stands).fold(0.0, f64::max);
        let waiting = self.points.iter().filter(|point| point.waits);
        let peak = waiting.map(|point| point.wanted).fold(0.0, f64::max);
        (highest > 0.0 && pairs.len() >= FEW && peak > highest * FACTOR).then_some(Found {
            fault,
            wanted: peak,
            stands: highest,
        })
    }

    /// The fit of its shift, in parts of its typical figure; nothing where
    /// nothing can be compared.
    pub(super) fn shift(&self, against: Against) -> Fit {
        let mut fit = Fit::default();
        let factor = match (against, self.factor(against)) {
            // News that moves all periods alike is no shift.
            (Against::Landed, Some(factor)) if (0.9..1.1).contains(&factor) => factor,
            (Against::Landed, _) => 1.0,
            (Against::Own, Some(factor)) => factor,
            (Against::Own, None) => return fit,
        };
        let typical = typical(self.pairs(against).map(|(_, _, stands)| stands)) * factor;
        if typical <= 0.0 {
            return fit;
        }
        let scaled: Vec<(i64, f64, f64)> = self
            .pairs(against)
            .map(|(at, wanted, stands)| (at, wanted / typical, stands * factor / typical))
            .collect();
        for run in scaled.chunk_by(|a, b| a.0 + 1 == b.0) {
            let run: Vec<(f64, f64)> = run.iter().map(|(_, w, s)| (*w, *s)).collect();
            fit.run(&run, LEAST, against == Against::Own);
        }
        fit
    }

    /// How the figures lie to what they are held against, typically.
    pub(super) fn factor(&self, against: Against) -> Option<f64> {
        let both = self.pairs(against).filter(|(_, wanted, stands)| *wanted > 0.0 && *stands > 0.0);
        let mut logs: Vec<f64> = both.map(|(_, wanted, stands)| (wanted / stands).ln()).collect();
        (logs.len() >= FEW).then(|| median(&mut logs).exp())
    }

    /// Whether they are high where what stands is low, and the reverse.
    fn opposite(&self, against: Against) -> Option<Found> {
        let pairs: Vec<(f64, f64)> =
            self.pairs(against).map(|(_, wanted, stands)| (wanted, stands)).collect();
        let (n, typical) = (pairs.len() as f64, typical(pairs.iter().map(|(_, stands)| *stands)));
        let mean = |of: fn(&(f64, f64)) -> f64| pairs.iter().map(of).sum::<f64>() / n;
        let (wanted, stands) = (mean(|pair| pair.0), mean(|pair| pair.1));
        let (mut together, mut of_wanted, mut of_stands) = (0.0, 0.0, 0.0);
        for (w, s) in &pairs {
            together += (w - wanted) * (s - stands);
            of_wanted += (w - wanted).powi(2);
            of_stands += (s - stands).powi(2);
        }
        // Without a shape of its own nothing can be its opposite.
        let shaped = pairs.len() > FEW && (of_stands / n).sqrt() > 0.1 * typical;
        let clear = shaped
            && together < -0.2 * of_stands
            && together * together > 0.7 * of_wanted * of_stands;
        clear.then_some(Found { fault: Fault::Opposite, wanted, stands })
    }
}

/// The middle one; 0 of none.
pub(super) fn median(numbers: &mut [f64]) -> f64 {
    let middle = numbers.len() / 2;
    if numbers.is_empty() {
        return 0.0;
    }
    *numbers.select_nth_unstable_by(middle, f64::total_cmp).1
}

/// The middle one of those above zero.
pub(super) fn typical(numbers: impl Iterator<Item = f64>) -> f64 {
    median(&mut numbers.filter(|number| *number > 0.0).collect::<Vec<f64>>())
}
