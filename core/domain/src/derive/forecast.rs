//! What twins foretold for one resource, decided by authority and age.

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
    decided: Vec<(Foretold, Span, Truth, &'a Forecast)>,
}

impl<'a> Outlook<'a> {
    /// Decides between the forecasts of one subject, which are sorted by what
    /// they foretell and by interval.
    pub(super) fn of(
        forecasts: &'a [Forecast],
        plant: &Plant,
        as_of: i64,
        demonstrated: Option<Decimal>,
    ) -> Self {
        let mut decided = Vec::new();
        for same in forecasts.chunk_by(|a, b| (a.what, a.interval) == (b.what, b.interval)) {
            let claims: Vec<Claim> = same
                .iter()
                .map(|forecast| Claim {
                    authority: authority(plant, forecast),
                    source: forecast.source.0,
                    issued: forecast.issued,
                    valid_until: forecast.valid_until,
                    value: forecast.value,
                })
                .collect();
            let policy = Policy {
                time_to_live_ms: i64::from(plant.rules.time_to_live_hours) * 3_600_000,
                tolerance: Decimal::ZERO,
            };
            let what = same[0].what;
            let mean = demonstrated.filter(|_| what == Foretold::UpFraction);
            if let Some(truth) = decide(&claims, as_of, mean, policy) {
                decided.push((what, same[0].interval, truth, &same[truth.claim]));
            }
        }
        // Where forecasts overlap: a valid one before a stale one, the stronger
        // source, then the newer word, and of one word the finer.
        decided.sort_by_key(|(what, interval, truth, forecast)| {
            let stale = truth.status == Status::Held || truth.status == Status::Assumed;
            let newest = std::cmp::Reverse(forecast.issued);
            (*what, stale, authority(plant, forecast), newest, interval.ms(), *interval)
        });
        Self { decided }
    }

    fn of_kind(
        &self,
        kind: Foretold,
    ) -> impl Iterator<Item = &(Foretold, Span, Truth, &'a Forecast)> + '_ {
        self.decided.iter().filter(move |(what, ..)| *what == kind)
    }

    /// Which forecast of `kind` holds when inside `time`: each instant once.
    fn holding(
        &self,
        kind: Foretold,
        time: Spans,
        about: impl Fn(&Forecast) -> bool,
    ) -> (Vec<(Spans, Span, Truth, &'a Forecast)>, Spans) {
        let mut rest = time;
        let mut holding = Vec::new();
        for (_, interval, truth, forecast) in self.of_kind(kind).filter(|(.., f)| about(f)) {
            let mine = rest.clip(*interval);
            if mine.ms() > 0 {
                rest = rest.without(&Spans::one(*interval));
                holding.push((mine, *interval, *truth, *forecast));
            }
        }
        (holding, rest)
    }

    /// Splits the time ahead into what twins foretold and the rest.
    pub(super) fn split(&self, ahead: Spans, plant: &Plant) -> (Vec<Foreseen>, i64) {
        let (holding, rest) = self.holding(Foretold::UpFraction, ahead, |_| true);
        let mut foreseen = Vec::new();
        for (mut time, interval, truth, forecast) in holding {
            let mut part = |ms: i64, truth: Truth, from: &Forecast, low, distribution| {
                foreseen.push(Foreseen {
                    ms,
                    up_fraction: truth.value,
                    low_fraction: low,
                    distribution,
                    status: truth.status,
                    source: plant.sources[usize::from(from.source.0)].name.clone(),
                    issued: instant(from.issued),
                });
            };
            // Stronger sources that fell silent: their last word caps the weaker
            // one's, because silence must not raise a number (law 8).
            let mut mine = 0;
            let stronger = self
                .of_kind(Foretold::UpFraction)
                .filter(|(.., other)| authority(plant, other) < authority(plant, forecast));
            for (_, window, last, from) in stronger {
                let ms = time.ms_within(*window);
                time = time.without(&Spans::one(*window));
                if last.value >= truth.value {
                    mine += ms;
                } else if ms > 0 {
                    part(ms, *last, from, None, None);
                }
            }
            mine += time.ms();
            let beside = |kind| {
                self.of_kind(kind).find(|(_, span, _, other)| {
                    *span == interval
                        && other.source == forecast.source
                        && other.issued == forecast.issued
                })
            };
            if mine > 0 {
                let falls = |low: Decimal| low.min(truth.value);
                let low = beside(Foretold::LowUpFraction).map(|(_, _, low, _)| falls(low.value));
                // A mean that fell is no longer the mean of the distribution.
                let holds = truth.status == Status::Live && truth.value == forecast.value;
                let shape = beside(Foretold::UpDistribution).filter(|_| holds);
                let shape = shape.and_then(|(.., shape)| serde_json::from_str(&shape.about).ok());
                part(mine, truth, forecast, low, shape);
            }
        }
        (foreseen, rest.ms())
    }

    /// The largest severity that holds inside `window`. Severities of different
    /// methods are never compared: the method that sorts first holds.
    pub(super) fn severity(&self, window: Span) -> Option<Severity> {
        let inside =
            |f: &Forecast, span: &Span| (!span.and(window).is_empty()).then(|| f.about.clone());
        let label =
            self.of_kind(Foretold::Severity).filter_map(|(_, span, _, f)| inside(f, span)).min()?;
        let time = Spans::one(window);
        let (holding, _) = self.holding(Foretold::Severity, time, |f| f.about == label);
        let (_, told, truth, _) = holding.iter().max_by_key(|(_, _, truth, _)| truth.value)?;
        let (method, mix): (SeverityMethod, Mix) = serde_json::from_str(&label).ok()?;
        let (start, end) = (instant(told.start), instant(told.end));
        Some(Severity { value: truth.value, method, mix, start, end, status: truth.status })
    }

    /// Expected hours lost to a foretold failure inside `window`: probability ×
    /// repair hours, by the share of the forecast's scheduled time that lies in
    /// it, so that days and weeks add up to the same.
    pub(super) fn risk(&self, window: Span, scheduled: &Spans) -> Option<Risk> {
        let mut found: Option<Risk> = None;
        let mut survives = Decimal::ONE;
        let time = scheduled.clip(window);
        let (holding, _) = self.holding(Foretold::FailureProbability, time, |_| true);
        for (mine, interval, truth, forecast) in holding {
            let whole = scheduled.ms_within(interval);
            let inside = mine.ms();
            let repair = self
                .of_kind(Foretold::RepairHours)
                .find(|(_, span, _, repair)| *span == interval && repair.source == forecast.source);
            let (Some((_, _, repair, _)), true) = (repair, whole > 0) else { continue };
            let (probability, repair_hours) = (truth.value, repair.value);
            let part = RiskPart { probability, repair_hours, whole, inside };
            let (Some(share), Some(at_risk)) = (part.share(), part.hours_at_risk()) else {
                continue;
            };
            survives *= Decimal::ONE - truth.value * share;
            let model_horizon = instant(interval.end);
            let risk = found.get_or_insert_with(|| Risk {
                failure_probability: Decimal::ZERO,
                repair_hours: repair.value,
                hours_at_risk: Decimal::ZERO,
                asset: forecast.about.clone(),
                model_horizon,
                parts: Vec::new(),
                status: Status::Live,
            });
            risk.parts.push(part);
            risk.hours_at_risk += at_risk;
            risk.repair_hours = risk.repair_hours.max(repair.value);
            risk.failure_probability = Decimal::ONE - survives;
            risk.model_horizon = risk.model_horizon.max(model_horizon);
            risk.status = risk.status.max(truth.status);
        }
        found
    }
}

fn authority(plant: &Plant, forecast: &Forecast) -> u32 {
    plant.sources[usize::from(forecast.source.0)].authority
}
