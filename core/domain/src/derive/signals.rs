//! Figures as the three planning signals of the contracts.

use planthread_contracts::{
    AvailableCapacity, CapacityFigure, ConstraintSeverity, Distribution, MaintenanceRiskHorizon,
    Provenance,
};
use rust_decimal::Decimal;

use super::{Derivation, Figures, Phase};
use crate::{calendar::span::hours, decode::scaled};

/// The signals of one resource and period.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signals {
    /// What it can give; `None` when nothing is known, and where a line made more
    /// than was scheduled, for which the contract has no word.
    pub capacity: Option<AvailableCapacity>,
    /// How much it limits the flow, where a twin told it.
    pub severity: Option<ConstraintSeverity>,
    /// What a forced stop would cost, where a twin told it.
    pub risk: Option<MaintenanceRiskHorizon>,
}

impl Derivation {
    /// The recipe of a signal that was mapped by `mapping_version`.
    #[must_use]
    pub fn provenance(&self, mapping_version: &str) -> Provenance {
        let origin = &self.origin;
        Provenance {
            sources: origin.sources.clone(),
            input_window: origin.input_window.clone(),
            observed_until: origin.observed_until,
            rules_version: origin.rules_version.clone(),
            mapping_version: mapping_version.to_owned(),
            tzdb_version: origin.tzdb_version.clone(),
        }
    }

    /// The signals of one entry of [`Derivation::figures`].
    #[must_use]
    pub fn signals(&self, figures: &Figures, mapping_version: &str) -> Signals {
        let provenance = self.provenance(mapping_version);
        Signals {
            severity: severity(figures, &provenance),
            risk: risk(figures, &provenance),
            capacity: capacity(figures, provenance),
        }
    }
}

fn capacity(one: &Figures, provenance: Provenance) -> Option<AvailableCapacity> {
    let down_hours = one.lost_hours().filter(|lost| *lost >= Decimal::ZERO)?;
    Some(AvailableCapacity {
        resource: one.resource.to_string(),
        period: one.period,
        start: one.start,
        end: one.end,
        zone: one.zone.to_string(),
        calendar_id: one.calendar_id.to_string(),
        calendar_version: one.calendar_version.to_string(),
        partial: one.partial,
        capability: CapacityFigure::Attainable,
        basis: one.basis,
        scheduled_hours: one.scheduled_hours(),
        planned_stop_hours: one.planned_maintenance_hours(),
        down_hours,
        attainable_hours: one.attainable_hours?,
        demonstrated_standard_hours: one.demonstrated_standard_hours,
        good_units: one.good_units,
        demonstrated_availability: one.demonstrated.as_ref().map(|pool| pool.availability),
        low_hours: one.low_hours,
        distribution: distribution(one),
        balance: None,
        netted_losses: one.netted_losses.clone(),
        status: one.status,
        quality: one.quality.clone(),
        provenance,
        as_of: one.as_of,
        valid_until: one.valid_until,
        revision: None,
    })
}

/// Of attainable hours: the twin's own, where one forecast covers the whole time
/// of a period ahead. Distributions never add up (law 7).
fn distribution(one: &Figures) -> Option<Distribution> {
    match one.foreseen.as_slice() {
        [part] if one.phase == Phase::Future && part.ms == one.elements.ahead => {
            scaled(part.distribution.as_ref()?, hours(part.ms), Decimal::ONE)
        }
        _ => None,
    }
}

fn severity(one: &Figures, provenance: &Provenance) -> Option<ConstraintSeverity> {
    let found = one.severity.as_ref()?;
    Some(ConstraintSeverity {
        resource: one.resource.to_string(),
        period: one.period,
        start: one.start,
        end: one.end,
        zone: one.zone.to_string(),
        calendar_id: one.calendar_id.to_string(),
        calendar_version: one.calendar_version.to_string(),
        partial: one.partial,
        basis: one.basis,
        severity: found.value,
        method: found.method,
        mix: found.mix.clone(),
        rank: None,
        load_hours: None,
        capacity_hours: None,
        shortage_probability: None,
        status: found.status,
        quality: one.quality.clone(),
        provenance: provenance.clone(),
        as_of: one.as_of,
        valid_until: one.valid_until,
        revision: None,
    })
}

fn risk(one: &Figures, provenance: &Provenance) -> Option<MaintenanceRiskHorizon> {
    let found = one.risk.as_ref()?;
    Some(MaintenanceRiskHorizon {
        resource: one.resource.to_string(),
        physical_asset: found.asset.clone(),
        period: one.period,
        start: one.start,
        end: one.end,
        zone: one.zone.to_string(),
        calendar_id: one.calendar_id.to_string(),
        calendar_version: one.calendar_version.to_string(),
        partial: one.partial,
        basis: one.basis,
        failure_probability: found.failure_probability.min(Decimal::ONE),
        lost_hours_if_failed: Some(found.repair_hours),
        hours_at_risk: found.hours_at_risk,
        // A probability a period says nothing about the instant inside it.
        thresholds: Vec::new(),
        model_horizon: found.model_horizon,
        recommended_window: None,
        failure_mode: None,
        status: found.status,
        quality: one.quality.clone(),
        provenance: provenance.clone(),
        as_of: one.as_of,
        valid_until: one.valid_until,
        revision: None,
    })
}
