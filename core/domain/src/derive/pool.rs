//! What a machine has shown: the pool of its last full weeks, the least that it
//! gives of ten, and the parts that it made in an hour.
//!
//! What is lost never raises a number (law 8), so the pool moves with what is
//! told, and not with time: it holds the last weeks that were seen fully enough
//! before the last word. A week of which too little was seen pushes none of them
//! out. While nothing is told, time may only lower: weeks grow too old one by one
//! where the rest shows less, and weeks to whose end a stop lasted that the last
//! word left, or that others told, count where they make the pool show less.
//! So of the pools that may count, the least holds; and the least low figure,
//! which stays while any of them has weeks enough for one.

use std::sync::Arc;

use planthread_contracts::Period;
use rust_decimal::Decimal;

use super::{
    decline::{BEHIND, Decline, Given},
    figures::{Demonstrated, Loaded, PoolWeek, Rate, RestsOn, availability},
    machine::Machine,
};
use crate::{
    calendar::{Span, Spans, span::HOUR_MS},
    model::Rules,
};

/// The probability with which a low figure is not reached.
pub(super) const LOW: Decimal = Decimal::from_parts(1, 0, 0, false, 1);

/// Fewest full weeks from which a low quantile is read.
const WEEKS_FOR_A_QUANTILE: usize = 7;

/// A week and the time of it.
type Week = (Period, Span);

impl Machine<'_> {
    /// Pools what it has shown, and what it made.
    ///
    /// Where no week was seen fully enough, the parts that were seen are pooled,
    /// because lost telemetry must not raise a number (law 8); the standard
    /// availability of the master data stands in only without any history. A week
    /// joins with the first word of a later one: if silence alone could end a
    /// week, the number would move without news, and back when the source grows
    /// old.
    pub(super) fn pool(&mut self, rules: &Rules, as_of: i64) {
        let pools = match self.last_word {
            Some(last_word) => self.pools(rules, last_word.min(as_of), as_of),
            None => self.of_master_data().into_iter().collect(),
        };
        self.demonstrated = least(pools).map(Arc::new);
        self.low = self.demonstrated.as_deref().and_then(|pool| low_share(pool.low_pool()));
        self.rate = self.counted_rate(rules, as_of);
        self.effectiveness = self.effectiveness();
    }

    /// Every pool that may count; the first is the one of the last word.
    fn pools(&self, rules: &Rules, last_word: i64, as_of: i64) -> Vec<Demonstrated> {
        let length = usize::try_from(rules.pool_weeks).unwrap_or(usize::MAX);
        let days = self.days;
        let weeks = days.weeks_before(rules.pool_weeks.saturating_add(BEHIND), last_word);
        let since = days.weeks_between(last_word, as_of);
        let oldest = days.weeks_before(rules.pool_weeks, as_of).first().map(|(week, _)| *week);
        // Time takes one week for each that has gone by, and none that is young.
        let too_old = |pool: &[PoolWeek]| {
            let old = pool.iter().filter(|week| Some(week.period) < oldest).count();
            old.min(since.len()).min(pool.len().saturating_sub(1))
        };
        let (full, _) = self.seen(rules, weeks);
        let pool = &full[full.len().saturating_sub(length)..];
        let mut pools = Vec::new();
        if pool.is_empty() {
            let (_, parts) = self.seen(rules, &weeks[weeks.len().saturating_sub(length)..]);
            let left = (0..=too_old(&parts)).map(|gone| self.of_parts(rules, &parts[gone..]));
            pools.extend(left.flatten());
        } else {
            // Only the pool of the last word is lowered: another one may show less,
            // and never stands in for it.
            let given: Vec<Given> = full.iter().map(given).collect();
            let decline = Decline::of(&given, pool.len());
            pools.extend(self.of_full(rules, pool, decline));
            let left = (1..=too_old(pool)).map(|gone| self.of_full(rules, &pool[gone..], None));
            pools.extend(left.flatten());
        }
        if pools.is_empty() {
            pools.extend(self.of_master_data());
        }
        // The week of the last word joins with a later one, unless a stop fills it.
        let (mut later, _) = self.seen(rules, since);
        later.retain(|week| week.elements.unknown == 0);
        let all = [pool, &later].concat();
        let moved = (pool.len() + 1..=all.len()).map(|end| &all[end.saturating_sub(length)..end]);
        pools.extend(moved.filter_map(|weeks| self.of_full(rules, weeks, None)));
        pools
    }

    /// What weeks that were seen fully enough show, less what they fall.
    fn of_full(
        &self,
        rules: &Rules,
        weeks: &[PoolWeek],
        decline: Option<Decline>,
    ) -> Option<Demonstrated> {
        let mut found = Demonstrated {
            availability: Decimal::ZERO,
            conflicting: self.differ(rules, weeks),
            decline,
            weeks: weeks.to_vec(),
            rests_on: RestsOn::FullWeeks,
            lowest: None,
        };
        let lowered = decline.map_or(Decimal::ZERO, |decline| decline.lowered);
        found.availability = (availability(weeks)? - lowered).max(Decimal::ZERO);
        Some(found)
    }

    /// What was seen of weeks of which none was seen fully enough.
    fn of_parts(&self, rules: &Rules, weeks: &[PoolWeek]) -> Option<Demonstrated> {
        let standard = self.resource.standard_availability;
        let shown = availability(weeks)?;
        Some(Demonstrated {
            availability: standard.map_or(shown, |standard| shown.min(standard)),
            conflicting: self.differ(rules, weeks),
            weeks: weeks.to_vec(),
            decline: None,
            rests_on: RestsOn::PartWeeks { standard },
            lowest: None,
        })
    }

    fn of_master_data(&self) -> Option<Demonstrated> {
        Some(Demonstrated {
            availability: self.resource.standard_availability?,
            weeks: Vec::new(),
            decline: None,
            rests_on: RestsOn::MasterData,
            conflicting: false,
            lowest: None,
        })
    }

    /// Whether sources differ in `weeks` for longer than they may.
    fn differ(&self, rules: &Rules, weeks: &[PoolWeek]) -> bool {
        let windows = weeks.iter().filter_map(|week| self.days.week(week.period));
        windows.map(|week| self.conflicting.ms_within(week)).sum::<i64>() > tolerance_ms(rules)
    }

    /// The weeks that were seen fully enough, and those of which a part was seen.
    fn seen(&self, rules: &Rules, weeks: &[Week]) -> (Vec<PoolWeek>, Vec<PoolWeek>) {
        let (mut full, mut parts) = (Vec::new(), Vec::new());
        for &(period, window) in weeks {
            let elements = self.elements(window);
            let found = PoolWeek { period, elements, parts: self.parts_seen(window) };
            let seen = elements.scheduled - elements.unknown;
            match found.base() > 0 {
                true if seen_fully(seen, elements.scheduled, rules) => full.push(found),
                true => parts.push(found),
                false => {}
            }
        }
        (full, parts)
    }

    /// Good parts of the time inside `window` in which the machine was seen.
    fn parts_seen(&self, window: Span) -> Option<Decimal> {
        let output = self.output.as_ref()?;
        let seen = Spans::one(window).without(&self.unknown.clip(window));
        seen.as_slice().iter().filter_map(|span| output.parts_within(*span)).reduce(|a, b| a + b)
    }

    /// Parts an hour over the pooled weeks before the counter's last word: of the
    /// time that was counted and seen, less standby where somebody tells it. Of a
    /// machine of which only the counter speaks, of scheduled time.
    fn counted_rate(&self, rules: &Rules, as_of: i64) -> Option<Rate> {
        let output = self.output.as_ref()?;
        let until = output.until()?;
        let heard = self.last_word.unwrap_or(until);
        let load = self.load();
        let one_week = |window: Span| {
            let scheduled = self.days.schedule.scheduled.clip(window);
            let counted = scheduled.and(&output.counted(window));
            let open = counted.without(&self.planned);
            let (parts, seen, open) = match self.last_word {
                Some(_) => {
                    let open = open.without(&self.down).without(&self.unknown);
                    let seen = counted.without(&self.unknown).ms();
                    (self.parts_seen(window)?, seen, open.without(&self.standby))
                }
                None => (output.parts_within(window)?, counted.ms(), open),
            };
            let full = seen_fully(seen, scheduled.ms(), rules);
            Some((Rate { parts, ms: open.ms(), weeks: 1, load }, full))
        };
        let until = until.min(heard).min(as_of);
        let weeks = self.days.weeks_before(rules.pool_weeks.saturating_add(BEHIND), until);
        let weeks = weeks.iter().rev().map(|(_, window)| one_week(*window));
        let rate = newest_full(weeks, rules.pool_weeks, Rate::and, Rate::an_hour);
        rate.filter(|rate| rate.ms > 0)
    }

    fn load(&self) -> Loaded {
        match (self.last_word, self.tells_standby()) {
            (None, _) => Loaded::CounterOnly,
            (Some(_), true) => Loaded::Told,
            (Some(_), false) => Loaded::Untold,
        }
    }

    fn effectiveness(&self) -> Option<Decimal> {
        let rate = self.rate.as_ref().filter(|rate| rate.load == Loaded::Told)?;
        Some(rate.an_hour()? * self.seconds_a_part()? / Decimal::from(3_600))
    }
}

/// Whether so much of the scheduled time of a week was seen that it counts as full.
pub(super) fn seen_fully(seen: i64, scheduled: i64, rules: &Rules) -> bool {
    Decimal::from(seen) >= Decimal::from(scheduled) * rules.min_coverage
}

/// Of weeks, the newest first, each with whether it was seen fully, what the newest
/// full ones show: a week of which too little was seen pushes none out, however many of
/// them there are (law 8). Where there are fewer full ones than a pool has, all that was
/// seen counts, too, and the lower of both holds: one full week must not hide what many
/// show that were nearly full. Where none is full, the parts that were seen of the newest.
pub(super) fn newest_full<T: Copy>(
    weeks: impl Iterator<Item = Option<(T, bool)>>,
    length: u32,
    and: fn(T, T) -> T,
    rate: fn(&T) -> Option<Decimal>,
) -> Option<T> {
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    let (mut full, mut seen): (Vec<T>, Vec<T>) = (Vec::new(), Vec::new());
    let mut of_newest = 0;
    for (back, week) in weeks.enumerate() {
        let Some((week, is_full)) = week else { continue };
        seen.push(week);
        of_newest += usize::from(back < length);
        full.extend(is_full.then_some(week));
        if full.len() == length {
            return full.into_iter().reduce(and);
        }
    }
    if full.is_empty() {
        seen.truncate(of_newest);
    }
    lower(full.into_iter().reduce(and), seen.into_iter().reduce(and), rate)
}

/// What shows the lower rate; the first where both show the same.
pub(super) fn lower<T>(
    one: Option<T>,
    other: Option<T>,
    rate: fn(&T) -> Option<Decimal>,
) -> Option<T> {
    let known = |found: &Option<T>| found.as_ref().and_then(rate);
    match (known(&one), known(&other)) {
        (Some(shown), Some(less)) if less < shown => other,
        (None, Some(_)) => other,
        _ => one,
    }
}

/// The pool that shows least. Where another one has the lower low figure, it stands
/// beside it. Silence makes no figure better founded than the last word left it.
fn least(pools: Vec<Demonstrated>) -> Option<Demonstrated> {
    let first = pools.first()?;
    let (is_shown, standard) = (first.is_shown(), first.standard());
    let conflicting = pools.iter().any(|pool| pool.conflicting);
    let lows = pools.iter().filter_map(|pool| Some((low_share(pool)?, pool)));
    let lowest = lows.min_by_key(|(low, _)| *low).map(|(low, pool)| (low, pool.clone()));
    let mut least = pools.into_iter().min_by_key(|pool| pool.availability)?;
    least.conflicting = conflicting;
    if is_shown {
        let own = low_share(&least);
        let other = lowest.filter(|(low, _)| own.is_none_or(|own| *low < own));
        least.lowest = other.map(|(_, pool)| Box::new(pool));
    } else if least.is_shown() {
        least.rests_on = RestsOn::PartWeeks { standard };
    }
    Some(least)
}

/// The share up that is not reached with probability [`LOW`]: the predictive quantile
/// of the weeks, less what the availability lies below theirs. `None` where fewer
/// than seven were seen fully enough.
fn low_share(pool: &Demonstrated) -> Option<Decimal> {
    let ((_, low), (_, high), part) =
        quantile_weeks(&pool.weeks, LOW).filter(|_| pool.is_shown())?;
    Some((low + (high - low) * part - pool.fallen()).max(Decimal::ZERO))
}

/// A week and the share of it that was up.
type Share<'a> = (&'a PoolWeek, Decimal);

/// The two weeks between which the quantile lies, each with its availability,
/// and how far it lies from the first to the second. Of n weeks it is the p(n+1)th
/// in order, linear between two of them (Hyndman and Fan, type 6), and never above
/// the first while that place lies before it. `None` with too few weeks.
pub(super) fn quantile_weeks(
    weeks: &[PoolWeek],
    p: Decimal,
) -> Option<(Share<'_>, Share<'_>, Decimal)> {
    let mut shares: Vec<Share<'_>> = weeks
        .iter()
        .filter_map(|week| {
            let lost = Decimal::from(week.elements.down).checked_div(week.base().into())?;
            Some((week, Decimal::ONE - lost))
        })
        .collect();
    if shares.len() < WEEKS_FOR_A_QUANTILE {
        return None;
    }
    shares.sort_by_key(|(_, share)| *share);
    let at = (p * Decimal::from(shares.len() + 1)).max(Decimal::ONE);
    let below = usize::try_from(at.trunc()).ok()?.checked_sub(1)?;
    let first = *shares.get(below)?;
    Some((first, shares.get(below + 1).copied().unwrap_or(first), at.fract()))
}

/// Milliseconds by which sources may differ in one period.
pub(super) fn tolerance_ms(rules: &Rules) -> i64 {
    let tolerance = rules.conflict_hours * Decimal::from(HOUR_MS);
    i64::try_from(tolerance.trunc()).unwrap_or(i64::MAX)
}

/// What a week gave of the time in which it was asked for and seen.
fn given(week: &PoolWeek) -> Given {
    let asked = Decimal::from(week.base());
    Given { good: asked - Decimal::from(week.elements.down), asked }
}
