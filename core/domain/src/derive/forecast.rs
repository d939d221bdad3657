//! What twins foretold for one resource, decided at each instant by authority and
//! age.
//!
//! Of one source its newest word about an instant counts, and of one word the
//! finest; older ones are replaced, also when the newest has grown stale. Between
//! sources [`decide`] says which holds. So silence, of whomever, never moves a
//! number to its hopeful side (law 8): of a share that is up that is up, of a
//! severity and of hours at risk it is down.

use std::{cmp::Reverse, collections::BTreeMap};

use planthread_contracts::{Mix, SeverityMethod, Status};
use rust_decimal::Decimal;

use super::figures::{Foreseen, Risk, RiskPart, Severity};
use crate::{
    calendar::{Span, Spans, span::instant},
    decode::{Forecast, Foretold},
    model::Plant,
    truth::{Claim, Policy, Truth, decide},
};

/// The winning forecasts of one resource.
#[derive(Debug, Default)]
pub(super) struct Outlook<'a> {
    /// Sorted by what they foretell, interval, source and age.
    all: &'a [Forecast],
    /// In order of time, by what is foretold. Severities of different methods are
    /// never compared: they stand apart, by method and mix.
    decided: BTreeMap<(Foretold, &'a str), Vec<Piece<'a>>>,
}

/// Instants at which one forecast holds.
#[derive(Debug, Clone, Copy)]
struct Piece<'a> {
    span: Span,
    truth: Truth,
    forecast: &'a Forecast,
    /// The least low share that was told with one of those that count.
    low: Option<Decimal>,
}

impl Piece<'_> {
    /// Whether it says the same by the same word.
    fn says_as(&self, other: &Self) -> bool {
        std::ptr::eq(self.forecast, other.forecast)
            && (self.truth, self.low) == (other.truth, other.low)
    }
}

impl<'a> Outlook<'a> {
    /// Decides between the forecasts of one subject, which are sealed.
    pub(super) fn of(
        all: &'a [Forecast],
        plant: &Plant,
        scheduled: &Spans,
        as_of: i64,
        demonstrated: Option<Decimal>,
    ) -> Self {
        let mut outlook = Self { all, decided: BTreeMap::new() };
        let mut newest: BTreeMap<(Foretold, &str), Vec<(&Forecast, Decimal)>> = BTreeMap::new();
        for one in all.iter().filter(|one| one.issued <= as_of) {
            let label = if one.what == Foretold::Severity { one.about.as_str() } else { "" };
            let Some(worth) = outlook.worth(one, scheduled) else { continue };
            let words = newest.entry((one.what, label)).or_default();
            // A source that says it anew of the same interval replaces its word.
            let place = |one: &Forecast| (one.interval, one.source);
            while words
                .pop_if(|(last, _)| place(last) == place(one) && last.issued < one.issued)
                .is_some()
            {}
            words.push((one, worth));
        }
        for ((what, label), words) in newest {
            let mean = demonstrated.filter(|_| what == Foretold::UpFraction);
            let decided = outlook.pieces(&words, plant, as_of, mean);
            outlook.decided.insert((what, label), decided);
        }
        outlook
    }

    /// What a forecast is worth to a planner, more for better; `None` for what is
    /// only told beside another one.
    fn worth(&self, forecast: &Forecast, scheduled: &Spans) -> Option<Decimal> {
        match forecast.what {
            Foretold::UpFraction => Some(forecast.value),
            Foretold::Severity => Some(-forecast.value),
            Foretold::FailureProbability => {
                let whole = scheduled.ms_within(forecast.interval);
                let part = self.part(forecast, whole, whole)?;
                Some(-part.hours_at_risk()?.checked_div(whole.into())?)
            }
            Foretold::LowUpFraction | Foretold::RepairHours | Foretold::UpDistribution => None,
        }
    }

    /// Cuts time where a forecast begins or ends, and decides for each piece.
    fn pieces(
        &self,
        words: &[(&'a Forecast, Decimal)],
        plant: &Plant,
        as_of: i64,
        mean: Option<Decimal>,
    ) -> Vec<Piece<'a>> {
        let ends = words.iter().flat_map(|(one, _)| [one.interval.start, one.interval.end]);
        let mut cuts: Vec<i64> = ends.collect();
        cuts.sort_unstable();
        cuts.dedup();
        let mut pieces: Vec<Piece<'a>> = Vec::new();
        // The words are in order of their beginnings.
        let (mut next, mut open) = (0, Vec::new());
        for pair in cuts.windows(2) {
            let span = Span { start: pair[0], end: pair[1] };
            while words.get(next).is_some_and(|(one, _)| one.interval.start <= span.start) {
                open_word(&mut open, words[next]);
                next += 1;
            }
            open.retain(|(one, _)| one.interval.end > span.start);
            let Some(piece) = self.piece(&open, span, plant, (as_of, mean)) else { continue };
            match pieces.last_mut() {
                Some(last) if last.span.end == span.start && last.says_as(&piece) => {
                    last.span.end = span.end;
                }
                _ => pieces.push(piece),
            }
        }
        pieces
    }

    /// Decides between the words about one piece.
    fn piece(
        &self,
        open: &[(&'a Forecast, Decimal)],
        span: Span,
        plant: &Plant,
        (as_of, mean): (i64, Option<Decimal>),
    ) -> Option<Piece<'a>> {
        let policy = Policy {
            time_to_live_ms: i64::from(plant.rules.time_to_live_hours) * 3_600_000,
            tolerance: Decimal::ZERO,
        };
        let words = last_words(open);
        let claims: Vec<Claim> = words.iter().map(|word| claim(plant, word)).collect();
        let (truth, counting) = decide(&claims, as_of, mean, policy)?;
        let low = |at: usize| Some(self.beside(Foretold::LowUpFraction, words[at].0)?.value);
        Some(Piece {
            span,
            truth: Truth { claim: 0, ..truth },
            forecast: words[truth.claim].0,
            low: counting.into_iter().filter_map(low).min(),
        })
    }

    /// The number that its source told with `forecast`.
    fn beside(&self, what: Foretold, forecast: &Forecast) -> Option<&'a Forecast> {
        let place = |one: &Forecast| (one.what, one.interval, one.source, one.issued);
        let wanted = (what, forecast.interval, forecast.source, forecast.issued);
        let at = self.all.partition_point(|one| place(one) < wanted);
        self.all.get(at).filter(|one| place(one) == wanted)
    }

    /// The risk of one forecast, of which `inside` scheduled milliseconds count.
    fn part(&self, forecast: &Forecast, inside: i64, whole: i64) -> Option<RiskPart> {
        let repair = self.beside(Foretold::RepairHours, forecast)?;
        let (probability, repair_hours) = (forecast.value, repair.value);
        Some(RiskPart { probability, repair_hours, whole, inside }).filter(|_| whole > 0)
    }

    /// What holds inside `time`, each instant once: how much of it, by forecast.
    fn holding(&self, key: (Foretold, &str), time: &Spans) -> Vec<(i64, Piece<'a>)> {
        let mut holding: Vec<(i64, Piece<'a>)> = Vec::new();
        let Some(((first, last), pieces)) = range(time).zip(self.decided.get(&key)) else {
            return holding;
        };
        let from = pieces.partition_point(|piece| piece.span.end <= first);
        for piece in pieces[from..].iter().take_while(|piece| piece.span.start < last) {
            let ms = time.ms_within(piece.span);
            let same = |(_, other): &&mut (i64, Piece<'_>)| other.says_as(piece);
            match holding.iter_mut().find(same) {
                Some((sum, _)) => *sum += ms,
                None if ms > 0 => holding.push((ms, *piece)),
                None => {}
            }
        }
        holding
    }

    /// Splits `time` into what twins foretold and the rest.
    pub(super) fn split(&self, time: &Spans, plant: &Plant) -> (Vec<Foreseen>, i64) {
        let mut rest = time.ms();
        let mut foreseen = Vec::new();
        for (ms, piece) in self.holding((Foretold::UpFraction, ""), time) {
            let Piece { truth, forecast, low, .. } = piece;
            rest -= ms;
            // A mean that fell is no longer the mean of the distribution.
            let holds = truth.status == Status::Live && truth.value == forecast.value;
            let shape = self.beside(Foretold::UpDistribution, forecast).filter(|_| holds);
            foreseen.push(Foreseen {
                ms,
                up_fraction: truth.value,
                low_fraction: low.map(|low| low.min(truth.value)),
                distribution: shape.and_then(|shape| serde_json::from_str(&shape.about).ok()),
                status: truth.status,
                source: plant.sources[usize::from(forecast.source.0)].name.clone(),
                issued: instant(forecast.issued),
                behind: false,
            });
        }
        (foreseen, rest)
    }

    /// The largest severity that holds inside `window`, of the method that sorts
    /// first.
    pub(super) fn severity(&self, window: Span) -> Option<Severity> {
        let methods = self.decided.keys().filter(|(what, _)| *what == Foretold::Severity);
        let of = |key| self.holding(key, &Spans::one(window));
        let holding = methods.map(|key| of(*key)).find(|holding| !holding.is_empty())?;
        let (_, piece) = holding.iter().max_by_key(|(_, piece)| piece.forecast.value)?;
        let (method, mix): (SeverityMethod, Mix) =
            serde_json::from_str(&piece.forecast.about).ok()?;
        let Span { start, end } = piece.forecast.interval;
        let (start, end) = (instant(start), instant(end));
        let (value, status) = (piece.forecast.value, piece.truth.status);
        Some(Severity { value, method, mix, start, end, status })
    }

    /// Expected hours lost to a foretold failure inside `window`: probability ×
    /// repair hours, by the share of the forecast's scheduled time that lies in
    /// it, so that days and weeks add up to the same.
    pub(super) fn risk(&self, window: Span, scheduled: &Spans) -> Option<Risk> {
        let mut found: Option<Risk> = None;
        let mut survives = Decimal::ONE;
        let time = scheduled.clip(window);
        for (inside, piece) in self.holding((Foretold::FailureProbability, ""), &time) {
            let forecast = piece.forecast;
            let whole = scheduled.ms_within(forecast.interval);
            let Some(part) = self.part(forecast, inside, whole) else { continue };
            let (Some(share), Some(at_risk)) = (part.share(), part.hours_at_risk()) else {
                continue;
            };
            survives *= Decimal::ONE - part.probability * share;
            let model_horizon = instant(forecast.interval.end);
            let risk = found.get_or_insert_with(|| Risk {
                failure_probability: Decimal::ZERO,
                repair_hours: part.repair_hours,
                hours_at_risk: Decimal::ZERO,
                asset: forecast.about.clone(),
                model_horizon,
                parts: Vec::new(),
                status: Status::Live,
            });
            risk.parts.push(part);
            risk.hours_at_risk += at_risk;
            risk.repair_hours = risk.repair_hours.max(part.repair_hours);
            risk.failure_probability = Decimal::ONE - survives;
            risk.model_horizon = risk.model_horizon.max(model_horizon);
            risk.status = risk.status.max(piece.truth.status);
        }
        found
    }
}

/// The first instant of a set of time, and the first after it.
fn range(time: &Spans) -> Option<(i64, i64)> {
    let spans = time.as_slice();
    Some((spans.first()?.start, spans.last()?.end))
}

/// Newer words of a source go before older ones, and finer ones before coarser.
const fn age(one: &Forecast) -> (Reverse<i64>, i64, Span) {
    (Reverse(one.issued), one.interval.end - one.interval.start, one.interval)
}

/// Opens a word. One of its source that it outlives and goes before never counts
/// again, so a source that tells the same window each hour keeps one word open.
fn open_word<'a>(open: &mut Vec<(&'a Forecast, Decimal)>, new: (&'a Forecast, Decimal)) {
    let counts = |old: &Forecast| {
        old.source != new.0.source
            || age(old) <= age(new.0)
            || old.interval.end > new.0.interval.end
    };
    open.retain(|(old, _)| counts(old));
    open.push(new);
}

/// Of each source its newest word, and of one word the finest.
fn last_words<'a>(open: &[(&'a Forecast, Decimal)]) -> Vec<(&'a Forecast, Decimal)> {
    let mut least = BTreeMap::new();
    for (one, _) in open {
        let first = least.entry(one.source.0).or_insert_with(|| age(one));
        *first = age(one).min(*first);
    }
    open.iter().filter(|(one, _)| least.get(&one.source.0) == Some(&age(one))).copied().collect()
}

fn claim(plant: &Plant, (forecast, worth): &(&Forecast, Decimal)) -> Claim {
    Claim {
        authority: plant.sources[usize::from(forecast.source.0)].authority,
        source: forecast.source.0,
        issued: forecast.issued,
        valid_until: forecast.valid_until,
        value: *worth,
    }
}
