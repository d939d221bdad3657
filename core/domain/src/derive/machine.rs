//! One resource: its scheduled time, its stops, its pool of full weeks.

use std::sync::Arc;

use jiff::{ToSpan as _, civil::Date};
use planthread_contracts::{EquipmentState, Period, PeriodKind, Status};
use rust_decimal::Decimal;

use super::{
    backtest::{BackTest, Given, TESTS},
    figures::{Demonstrated, Elements, Loaded, PoolWeek, Rate, RestsOn, availability},
};
use crate::{
    calendar::{Bounds, LocalTimeError, Schedule, Span, Spans, span::HOUR_MS},
    decode::{SourceIndex, StateSet},
    model::{Resource, Rules},
    timeline::{Class, Known, Output, Timeline, is_unasked},
};

/// A resource, prepared: every question about a period is then a sum.
#[derive(Debug)]
pub(super) struct Machine<'a> {
    pub(super) resource: &'a Resource,
    pub(super) bounds: Bounds,
    pub(super) schedule: &'a Schedule,
    /// What it was doing, until `as_of`.
    pub(super) timeline: Timeline,
    planned: Spans,
    down: Spans,
    standby: Spans,
    /// Scheduled standby in which nobody asked for parts.
    pub(super) unasked: Spans,
    unknown: Spans,
    ahead: Spans,
    /// Scheduled time in which it could work, as far as anybody knows: not
    /// stopped, seen or not, past or to come.
    pub(super) open: Spans,
    conflicting: Spans,
    /// Declared stops, within scheduled time, during which it was seen running.
    pub(super) set_aside: Spans,
    pub(super) output: Option<Output>,
    /// Which kinds of standby its source tells.
    told: StateSet,
    /// Begin of what was observed, in milliseconds; `None` without any history.
    pub(super) observed_from: Option<i64>,
    /// End of what was observed, in milliseconds; `None` without any history.
    pub(super) observed_until: Option<i64>,
    /// Since when it is down without plan, in milliseconds; `None` when it is not.
    pub(super) down_since: Option<i64>,
    /// Until when its strongest source knew something of it, in milliseconds.
    pub(super) last_word: Option<i64>,
    /// Live, held or assumed by the age of its source; unknown without any.
    pub(super) status: Status,
    /// Sources whose silence holds it, and since when.
    pub(super) silent: Vec<(SourceIndex, i64)>,
    pub(super) demonstrated: Option<Arc<Demonstrated>>,
    pub(super) rate: Option<Rate>,
}

/// What [`Machine::new`] puts together.
#[derive(Debug)]
pub(super) struct Seen {
    pub(super) timeline: Timeline,
    pub(super) told: StateSet,
    pub(super) tells_planned: bool,
    pub(super) observed_from: Option<i64>,
    pub(super) observed_until: Option<i64>,
    pub(super) last_word: Option<i64>,
    pub(super) status: Status,
    pub(super) silent: Vec<(SourceIndex, i64)>,
}

impl<'a> Machine<'a> {
    pub(super) fn new(
        resource: &'a Resource,
        schedule: &'a Schedule,
        bounds: Bounds,
        declared: &Spans,
        seen: Seen,
        as_of: i64,
    ) -> Self {
        let scheduled = &schedule.scheduled;
        let past = Spans::one(Span { start: i64::MIN, end: as_of });
        let timeline = seen.timeline;
        let [down, stopped, unknown] =
            [Class::Down, Class::Planned, Class::Unknown].map(|class| timeline.of_class(class));
        // A declared stop during which the machine was seen running did not
        // happen; one of which nobody knows, or could tell, did.
        let not_up = down.or(&stopped).or(&unknown);
        let declared_past = declared.and(&past);
        let happened = if seen.tells_planned { declared_past.and(&not_up) } else { declared_past };
        let to_come = declared.without(&past);
        let set_aside = scheduled.and(&declared.and(&past).without(&happened));
        let planned = scheduled.and(&stopped.or(&happened).or(&to_come));
        let within = |set: &Spans| scheduled.and(set).without(&planned);
        let standing = |which: fn(EquipmentState) -> bool| {
            within(&timeline.instants(|one| one.class() == Class::Up && which(one.state)))
        };
        let last = down.as_slice().last().filter(|stop| stop.end >= as_of);
        Self {
            resource,
            schedule,
            bounds,
            down_since: last.map(|stop| stop.start),
            down: within(&down),
            standby: standing(EquipmentState::is_standby),
            unasked: standing(is_unasked),
            unknown: within(&unknown),
            ahead: scheduled.without(&past).without(&planned),
            conflicting: scheduled.and(&timeline.instants(|one| one.known == Known::Conflicting)),
            open: scheduled.without(&planned).without(&within(&down)),
            planned,
            set_aside,
            output: None,
            told: seen.told,
            observed_from: seen.observed_from,
            observed_until: seen.observed_until,
            last_word: seen.last_word,
            status: seen.status,
            silent: seen.silent,
            demonstrated: None,
            rate: None,
            timeline,
        }
    }

    /// The sums of time inside `window`.
    pub(super) fn elements(&self, window: Span) -> Elements {
        Elements {
            scheduled: self.schedule.scheduled.ms_within(window),
            regular: self.schedule.regular.ms_within(window),
            planned: self.planned.ms_within(window),
            down: self.down.ms_within(window),
            standby: self.standby.ms_within(window),
            unknown: self.unknown.ms_within(window),
            ahead: self.ahead.ms_within(window),
        }
    }

    /// Scheduled milliseconds inside `window`, less planned stops.
    pub(super) fn busy(&self, window: Span) -> i64 {
        self.schedule.scheduled.ms_within(window) - self.planned.ms_within(window)
    }

    /// Scheduled time ahead inside `window`, less planned stops.
    pub(super) fn ahead(&self, window: Span) -> Spans {
        self.ahead.clip(window)
    }

    /// Gaps of observation inside `window`.
    pub(super) fn gaps(&self, window: Span) -> impl Iterator<Item = Span> + '_ {
        self.unknown.within(window)
    }

    /// Whether sources of one rank differ for longer than the tolerance.
    pub(super) fn conflicts(&self, window: Span, tolerance_ms: i64) -> bool {
        self.conflicting.ms_within(window) > tolerance_ms
    }

    /// Scheduled milliseconds of `window` of which nobody knows, and nobody will:
    /// of a live source the time since its last word is only not told yet.
    pub(super) fn unseen(&self, window: Span) -> i64 {
        let told = match self.last_word {
            Some(last) if self.status == Status::Live => window.end.min(last),
            _ => window.end,
        };
        self.unknown.ms_within(Span { end: told, ..window })
    }

    /// The open time before `as_of` of which nobody knows.
    pub(super) const fn unknown(&self) -> &Spans {
        &self.unknown
    }

    /// Whether its source tells standby from slow running.
    pub(super) fn tells_standby(&self) -> bool {
        self.told != StateSet::default()
    }

    /// Whether its source tells that nobody asked for parts.
    pub(super) fn tells_unasked(&self) -> bool {
        EquipmentState::ALL.into_iter().any(|state| is_unasked(state) && self.told.has(state))
    }

    /// Whether its source tells that operators were missing.
    pub(super) fn tells_staffing(&self) -> bool {
        self.told.has(EquipmentState::StandbyNoOperator)
    }

    /// Ideal seconds of one part.
    pub(super) fn seconds_a_part(&self) -> Option<Decimal> {
        self.resource.seconds_a_part()
    }

    /// Standard hours of the good output inside `window`.
    pub(super) fn output_hours(&self, window: Span) -> Option<Decimal> {
        let parts = self.output.as_ref()?.parts_within(window)?;
        Some(parts * self.seconds_a_part()? / Decimal::from(3_600))
    }

    /// Pools the last full weeks before the last word, and what it made in them.
    ///
    /// Where no week was seen fully enough, the parts that were seen are pooled,
    /// because lost telemetry must not raise a number (law 8); the standard
    /// availability of the master data stands in only without any history. A week
    /// joins with the first word of a later one: if silence alone could end a
    /// week, the number would move without news, and back when the source grows
    /// old. What time takes away may only lower it: weeks grow too old for the
    /// pool of a silent machine one by one where the rest shows less, and a stop
    /// that outlasts the word of its source counts up to `as_of`.
    pub(super) fn pool(&mut self, rules: &Rules, as_of: i64) -> Result<(), LocalTimeError> {
        let standard = self.resource.standard_availability;
        let mut shown = None;
        if let Some(last_word) = self.last_word {
            let tested = self.weeks_before(rules.pool_weeks + TESTS, last_word.min(as_of))?;
            let (before, weeks) = tested.split_at(tested.len().min(TESTS as usize));
            let oldest = self.weeks_before(rules.pool_weeks, as_of)?.first().map(|(week, _)| *week);
            let too_old = weeks.iter().filter(|(week, _)| Some(*week) < oldest).count();
            let outlasts = self.down_since.is_some() && last_word < as_of;
            let later =
                if outlasts { self.weeks_before(rules.pool_weeks, as_of)? } else { Vec::new() };
            // Only the pool as it was at the last word is tested: a shorter one may
            // lower the figure, and never stands in for it.
            let whole = [(before, weeks)];
            let left = (1..=too_old.min(weeks.len().saturating_sub(1))).map(|gone| &weeks[gone..]);
            let untested = left.chain([later.as_slice()]).map(|weeks| (&[][..], weeks));
            for (before, weeks) in whole.into_iter().chain(untested) {
                let Some(one) = self.pooled(rules, before, weeks) else { continue };
                let is_less = |least: &Demonstrated| one.availability < least.availability;
                if shown.as_ref().is_none_or(is_less) {
                    shown = Some(one);
                }
            }
        }
        let of_master_data = || {
            let (availability, rests_on) = (standard?, RestsOn::MasterData);
            let (weeks, back_test) = (Vec::new(), None);
            Some(Demonstrated { availability, weeks, back_test, rests_on, conflicting: false })
        };
        self.demonstrated = shown.or_else(of_master_data).map(Arc::new);
        self.rate = self.counted_rate(rules, as_of)?;
        Ok(())
    }

    /// What `weeks` show, in their order: those that were seen fully enough, as
    /// their back-test with the weeks `before` says, or else what was seen of them.
    fn pooled(
        &self,
        rules: &Rules,
        before: &[(Period, Span)],
        weeks: &[(Period, Span)],
    ) -> Option<Demonstrated> {
        let (full, parts) = self.seen(rules, weeks);
        let tolerance = tolerance_ms(rules);
        let differ = |weeks: &[PoolWeek]| {
            let windows = weeks.iter().filter_map(|week| self.bounds.span(week.period).ok());
            windows.map(|week| self.conflicting.ms_within(week)).sum::<i64>() > tolerance
        };
        if full.is_empty() {
            let standard = self.resource.standard_availability;
            let shown = availability(&parts)?;
            return Some(Demonstrated {
                availability: standard.map_or(shown, |standard| shown.min(standard)),
                conflicting: differ(&parts),
                weeks: parts,
                back_test: None,
                rests_on: RestsOn::PartWeeks { standard },
            });
        }
        let (tested, _) = self.seen(rules, before);
        let given: Vec<Given> = tested.iter().chain(&full).map(given).collect();
        let longest = usize::try_from(rules.pool_weeks).unwrap_or(usize::MAX);
        let mut found = Demonstrated {
            availability: Decimal::ZERO,
            conflicting: differ(&full),
            back_test: BackTest::of(&given, longest, full.len()),
            weeks: full,
            rests_on: RestsOn::FullWeeks,
        };
        let lowered = found.back_test.map_or(Decimal::ZERO, |test| test.lowered);
        found.availability = (availability(found.pooled())? - lowered).max(Decimal::ZERO);
        Some(found)
    }

    /// The weeks that were seen fully enough, and those of which a part was seen.
    fn seen(&self, rules: &Rules, weeks: &[(Period, Span)]) -> (Vec<PoolWeek>, Vec<PoolWeek>) {
        let (mut full, mut parts) = (Vec::new(), Vec::new());
        for &(period, window) in weeks {
            let elements = self.elements(window);
            let found = PoolWeek { period, elements, parts: self.parts_seen(window) };
            let asked = Decimal::from(elements.scheduled) * rules.min_coverage;
            let seen = elements.scheduled - elements.unknown;
            match found.base() > 0 {
                true if Decimal::from(seen) >= asked => full.push(found),
                true => parts.push(found),
                false => {}
            }
        }
        (full, parts)
    }

    /// So many weeks before the week of `instant`, in order.
    fn weeks_before(
        &self,
        count: u32,
        instant: i64,
    ) -> Result<Vec<(Period, Span)>, LocalTimeError> {
        let mut week = Period::containing(PeriodKind::Week, self.bounds.date(instant)?);
        let mut weeks = Vec::new();
        for _ in 0..count {
            week = week_before(week);
            weeks.push((week, self.bounds.span(week)?));
        }
        weeks.reverse();
        Ok(weeks)
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
    fn counted_rate(&self, rules: &Rules, as_of: i64) -> Result<Option<Rate>, LocalTimeError> {
        let Some((output, until)) = self.output.as_ref().and_then(|o| Some((o, o.until()?))) else {
            return Ok(None);
        };
        let heard = self.last_word.unwrap_or(until);
        let asked = |window: Span| {
            let counted = output.counted(window).and(&self.schedule.scheduled.clip(window));
            let open = counted.without(&self.planned.clip(window));
            match self.last_word {
                Some(_) => open
                    .without(&self.down.clip(window))
                    .without(&self.unknown.clip(window))
                    .without(&self.standby.clip(window)),
                None => open,
            }
        };
        let mut rate = Rate { parts: Decimal::ZERO, ms: 0, weeks: 0, load: self.load() };
        for (_, window) in self.weeks_before(rules.pool_weeks, until.min(heard).min(as_of))? {
            let seen = if self.last_word.is_some() {
                self.parts_seen(window)
            } else {
                output.parts_within(window)
            };
            let Some(parts) = seen else { continue };
            rate.parts += parts;
            rate.ms += asked(window).ms();
            rate.weeks += 1;
        }
        Ok(Some(rate).filter(|rate| rate.ms > 0))
    }

    fn load(&self) -> Loaded {
        match (self.last_word, self.tells_standby()) {
            (None, _) => Loaded::CounterOnly,
            (Some(_), true) => Loaded::Told,
            (Some(_), false) => Loaded::Untold,
        }
    }

    /// Standard hours per hour that the machine was up and loaded, pooled.
    /// `None` where standby can't be told from slow running.
    pub(super) fn effectiveness(&self) -> Option<Decimal> {
        let rate = self.rate.as_ref().filter(|rate| rate.load == Loaded::Told)?;
        Some(rate.an_hour()? * self.seconds_a_part()? / Decimal::from(3_600))
    }
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

/// The ISO week before `week`.
pub(super) fn week_before(week: Period) -> Period {
    let day: Date = week.start().saturating_sub(1.day());
    Period::containing(PeriodKind::Week, day)
}
