//! A simulated plant: hours a day of each place, what we landed, and what the
//! target assumes. Written apart from the judge: by days, with its own shutdowns.

/// A generator of our own, so that a seed means the same for ever.
#[derive(Debug, Clone)]
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0x5DEE_CE66_D1CE_5EED)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// From `low` to below `high`.
    pub(crate) fn real(&mut self, low: f64, high: f64) -> f64 {
        let part = (self.next() >> 11) as f64 / (1u64 << 53) as f64;
        low + part * (high - low)
    }

    /// One of `0..below`.
    pub(crate) fn pick(&mut self, below: usize) -> usize {
        usize::try_from(self.next() % below as u64).unwrap()
    }

    pub(crate) fn chance(&mut self, of: f64) -> bool {
        self.real(0.0, 1.0) < of
    }
}

/// Weeks of the horizon, and days with a margin of four weeks on both sides.
pub(crate) const WEEKS: usize = 52;
pub(crate) const MARGIN: usize = 28;
pub(crate) const DAYS: usize = WEEKS * 7 + 2 * MARGIN;

/// One resource.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    pub(crate) units: f64,
    /// Days of a week on which it works, from Monday, and hours of such a day.
    pub(crate) days: usize,
    pub(crate) hours: f64,
    /// What it reaches of its hours.
    pub(crate) rate: f64,
    /// What the target assumes of its scheduled hours.
    pub(crate) assumed: f64,
    /// Hours that are scheduled on each day, of one unit.
    pub(crate) scheduled: Vec<f64>,
    /// The same, as far as the target knows it.
    pub(crate) known: Vec<f64>,
    /// Hours that planned care takes of each day, of one unit.
    pub(crate) care: Vec<f64>,
    /// Severity as a constraint, in each week.
    pub(crate) severity: Vec<f64>,
}

/// A plant.
#[derive(Debug, Clone)]
pub(crate) struct Plant {
    pub(crate) places: Vec<Place>,
    /// Whether the target assumes the same in all weeks.
    pub(crate) flat: bool,
}

impl Plant {
    pub(crate) fn new(dice: &mut Dice) -> Self {
        let mut closed = vec![false; DAYS];
        // Two or three shutdowns of one or two weeks, and ten holidays.
        for _ in 0..2 + dice.pick(2) {
            let week = dice.pick(DAYS / 7 - 2);
            let days = 7 * (1 + dice.pick(2));
            closed[week * 7..week * 7 + days].fill(true);
        }
        for _ in 0..10 {
            closed[dice.pick(DAYS)] = true;
        }
        // Some planners don't keep single holidays, and some keep one figure.
        let mut known = closed.clone();
        if dice.chance(0.3) {
            for day in 1..DAYS - 1 {
                known[day] &= closed[day - 1] || closed[day + 1];
            }
        }
        let flat = dice.chance(0.1);
        let places = (0..3 + dice.pick(5)).map(|_| Place::new(dice, &closed, &known, flat));
        let places = places.collect();
        Self { places, flat }
    }
}

impl Place {
    fn new(dice: &mut Dice, closed: &[bool], known: &[bool], flat: bool) -> Self {
        let days = [5, 5, 6, 7, 7][dice.pick(5)];
        let hours = [8.0, 16.0, 24.0][dice.pick(3)];
        let work = |closed: &dyn Fn(usize) -> bool| -> Vec<f64> {
            let works = |day: usize| day % 7 < days && !closed(day);
            (0..DAYS).map(|day| if works(day) { hours } else { 0.0 }).collect()
        };
        let scheduled = work(&|day| closed[day]);
        let known = work(&|day| known[day] && !flat);
        let mut care = vec![0.0; DAYS];
        let every = 21 + dice.pick(60);
        for day in (dice.pick(every)..DAYS).step_by(every) {
            care[day] = [4.0, 8.0][dice.pick(2)];
        }
        let level = dice.real(0.1, 0.9);
        let mut severity = vec![0.0; WEEKS];
        severity.fill_with(|| (level + dice.real(-0.1, 0.1)).clamp(0.02, 1.0));
        Self {
            units: (1 + dice.pick(3)) as f64,
            days,
            hours,
            rate: dice.real(0.55, 0.97),
            assumed: dice.real(0.7, 1.1),
            scheduled,
            known,
            care,
            severity,
        }
    }

    /// Hours that it really has on a day, of all its units.
    fn real(&self, day: usize) -> f64 {
        (self.scheduled[day] - self.care[day]).max(0.0) * self.rate * self.units
    }

    /// What a week holds that begins `late` days after Monday.
    pub(crate) fn week(&self, week: usize, late: isize) -> f64 {
        days(week, late).map(|day| self.real(day)).sum()
    }

    /// What the target assumes of a week.
    pub(crate) fn assumed(&self, week: usize, late: isize) -> f64 {
        let known: f64 = days(week, late).map(|day| self.known[day]).sum();
        known * self.assumed * self.units
    }

    /// More hours than a week has, of all units.
    pub(crate) fn most(&self) -> f64 {
        169.0 * self.units
    }
}

fn days(week: usize, late: isize) -> impl Iterator<Item = usize> {
    let first = (MARGIN + week * 7).checked_add_signed(late).unwrap();
    first..first + 7
}
