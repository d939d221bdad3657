//! What twins foretold for one resource, decided by authority and age.

use std::collections::BTreeMap;

use planthread_contracts::{Mix, SeverityMethod, Status};
use rust_decimal::Decimal;

use super::figures::{Foreseen, Risk, Severity};
use crate::{
    calendar::{Span, Spans, span::hours, span::instant},
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
                    authority: plant.sources[usize::from(forecast.source.0)].authority,
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
        // The finer forecast holds where two overlap.
        decided.sort_by_key(|(what, interval, ..)| (*what, interval.ms(), *interval));
        Self { decided }
    }

    fn of_kind(
        &self,
        kind: Foretold,
    ) -> impl Iterator<Item = &(Foretold, Span, Truth, &'a Forecast)> + '_ {
        self.decided.iter().filter(move |(what, ..)| *what == kind)
    }

    /// Splits the time ahead into what twins foretold and the rest.
    pub(super) fn split(&self, ahead: Spans, plant: &Plant) -> (Vec<Foreseen>, i64) {
        let mut rest = ahead;
        let mut foreseen = Vec::new();
        for (_, interval, truth, forecast) in self.of_kind(Foretold::UpFraction) {
            let window = Spans::one(*interval);
            let ms = rest.and(&window).ms();
            if ms == 0 {
                continue;
            }
            rest = rest.without(&window);
            let low = self.of_kind(Foretold::LowUpFraction).find(|(_, span, _, low)| {
                span == interval && low.source == forecast.source && low.issued == forecast.issued
            });
            let falls = |low: Decimal| low.min(truth.value);
            foreseen.push(Foreseen {
                ms,
                up_fraction: truth.value,
                low_fraction: low.map(|(_, _, low, _)| falls(low.value)),
                status: truth.status,
                source: plant.sources[usize::from(forecast.source.0)].name.clone(),
            });
        }
        (foreseen, rest.ms())
    }

    /// The largest severity that reaches into `window`. Severities of different
    /// methods are never compared: the method that sorts first holds.
    pub(super) fn severity(&self, window: Span) -> Option<Severity> {
        let mut by_method: BTreeMap<&str, Truth> = BTreeMap::new();
        for (_, interval, truth, forecast) in self.of_kind(Foretold::Severity) {
            if interval.and(window).is_empty() {
                continue;
            }
            by_method
                .entry(&forecast.about)
                .and_modify(|held| {
                    if truth.value > held.value {
                        *held = *truth;
                    }
                })
                .or_insert(*truth);
        }
        let (label, truth) = by_method.into_iter().next()?;
        let (method, mix): (SeverityMethod, Mix) = serde_json::from_str(label).ok()?;
        Some(Severity { value: truth.value, method, mix, status: truth.status })
    }

    /// Expected hours lost to a foretold failure inside `window`: probability ×
    /// repair hours, by the share of the forecast's scheduled time that lies in
    /// it, so that days and weeks add up to the same.
    pub(super) fn risk(&self, window: Span, scheduled: &Spans) -> Option<Risk> {
        let mut found: Option<Risk> = None;
        let mut survives = Decimal::ONE;
        for (_, interval, truth, forecast) in self.of_kind(Foretold::FailureProbability) {
            let whole = scheduled.ms_within(*interval);
            let inside = scheduled.ms_within(interval.and(window));
            let repair = self
                .of_kind(Foretold::RepairHours)
                .find(|(_, span, _, repair)| span == interval && repair.source == forecast.source);
            let (Some((_, _, repair, _)), true) = (repair, inside > 0) else { continue };
            let share = Decimal::from(inside) / Decimal::from(whole);
            let lost = repair.value.min(hours(whole));
            let at_risk = truth.value * lost * share;
            survives *= Decimal::ONE - truth.value * share;
            let model_horizon = instant(interval.end);
            let risk = found.get_or_insert_with(|| Risk {
                failure_probability: Decimal::ZERO,
                repair_hours: repair.value,
                hours_at_risk: Decimal::ZERO,
                asset: forecast.about.clone(),
                model_horizon,
                status: Status::Live,
            });
            risk.hours_at_risk += at_risk;
            risk.repair_hours = risk.repair_hours.max(repair.value);
            risk.failure_probability = Decimal::ONE - survives;
            risk.model_horizon = risk.model_horizon.max(model_horizon);
            risk.status = worse(risk.status, truth.status);
        }
        found
    }
}

/// The worse of two states: unknown, then conflicting, assumed, held, live.
pub(crate) fn worse(a: Status, b: Status) -> Status {
    let rank = |status| match status {
        Status::Live => 0,
        Status::Held => 1,
        Status::Assumed => 2,
        Status::Conflicting => 3,
        Status::Unknown => 4,
    };
    if rank(a) >= rank(b) { a } else { b }
}
