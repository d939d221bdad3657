//! How what is firm stands at a target: whether the last cut was landed and proven in
//! time, and where a line can't do any more what is firm inside the frozen horizon.
//!
//! Facts land live whatever is firm. So the two are compared in the ledger, cell group by
//! cell group, and what is kept are counts.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp, civil::Date};
use planthread_contracts::{Carries, CellKey, MeasureDecl, Period, RevisionState, Status};
use planthread_domain::{gap::hours, project::cut_off};
use planthread_engine::{
    Reader,
    ledger::{self, CellView},
    plan::HoldReason,
};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::{OpenTarget, policy};
use crate::{config::Loaded, failure::Failure};

/// Hours from which a change is worth a look by itself, and from which a line falls short
/// of what is firm.
pub(crate) const WORTH: Decimal = Decimal::from_parts(4, 0, 0, false, 0);

/// How what is firm stands at one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct FirmStands {
    /// The configured target.
    pub target: String,
    /// The scope; empty for base.
    pub scope: String,
    /// When what is firm was taken last.
    pub cut_off: Timestamp,
    /// By when it was to be proven at the target. A cut that was over before the first landing
    /// has as long from there.
    pub due: Timestamp,
    /// Values that are firm, of periods that are not over since the cut-off.
    pub values: u64,
    /// Those that were not read back as wanted. What the frozen horizon keeps is firm as it
    /// stands.
    pub not_proven: u64,
    /// Whether it was due, and not all of it is proven. Where nothing ever landed, nothing is
    /// missed.
    pub missed: bool,
    /// Where a line can do less than what is firm inside the frozen horizon, by whom to ask.
    pub infeasible: Vec<Infeasible>,
}

/// Lines that can't do what is firm, of one owner.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Infeasible {
    /// Whom to ask; absent where the configuration names nobody.
    pub owner: Option<String>,
    /// Lines and periods.
    pub line_periods: u64,
    /// Hours that are firm, and that the lines can't do.
    pub hours: Decimal,
    /// The worst of them, in words.
    pub worst: String,
    /// Hours of that one.
    pub worst_hours: Decimal,
}

/// How what is firm stands at `target`; `None` where it holds nothing that is firm.
///
/// # Errors
/// When the state can't be read.
pub fn firm(
    loaded: &Loaded,
    reader: &Reader,
    target: &OpenTarget,
    now: Timestamp,
) -> Result<Option<FirmStands>, Failure> {
    let measures = &target.config.measures;
    let Some(cut) = measures.iter().find(|one| one.carries == Carries::PlanCut) else {
        return Ok(None);
    };
    let live = target.config.live().filter(|live| live.level == cut.level);
    let plant = &loaded.config.plant;
    let taken = cut_off(plant, now);
    let taken = taken.map_err(|error| Failure::usage(error.to_string()).explain("config"))?;
    let landed = ledger::first_landing(reader, &target.name, target.scope.name())?;
    let due = due(taken, landed, target.config.policy.cut_within_hours);
    let (first, today) = (policy::today(loaded, taken)?, policy::today(loaded, now)?);
    let frozen = policy::frozen_before(loaded, &target.config, now)?;
    let mut look = Look { target, cut, live, first, today, frozen, ..Look::of(target, cut) };
    ledger::cells_of(reader, now, (&target.name, target.scope.name()), |cell| {
        look.cell(&cell);
        Ok(())
    })?;
    look.group_ends();
    let Look { values, not_proven, owners, .. } = look;
    Ok(Some(FirmStands {
        target: target.name.clone(),
        scope: target.scope.name().to_owned(),
        cut_off: taken,
        due,
        values,
        not_proven,
        missed: landed.is_some() && now >= due && not_proven > 0,
        infeasible: owners.into_values().collect(),
    }))
}

/// By when a cut that was `taken` is to be proven. Who landed first after it could not land it
/// before: the time begins there.
fn due(taken: Timestamp, landed: Option<Timestamp>, within_hours: u32) -> Timestamp {
    let from = landed.map_or(taken, |landed| taken.max(landed));
    let within = SignedDuration::from_hours(i64::from(within_hours));
    from.saturating_add(within).unwrap_or(Timestamp::MAX)
}

/// A walk over the cells.
struct Look<'a> {
    target: &'a OpenTarget,
    cut: &'a MeasureDecl,
    live: Option<&'a MeasureDecl>,
    first: Date,
    today: Date,
    frozen: Option<Date>,
    values: u64,
    not_proven: u64,
    owners: BTreeMap<Option<String>, Infeasible>,
    /// Of the group that is read: hours that are firm at the target, and that the line can
    /// do.
    group: Option<CellKey>,
    firm: Option<Decimal>,
    can: Option<Decimal>,
}

impl<'a> Look<'a> {
    fn of(target: &'a OpenTarget, cut: &'a MeasureDecl) -> Self {
        Self {
            target,
            cut,
            live: None,
            first: Date::MIN,
            today: Date::MIN,
            frozen: None,
            values: 0,
            not_proven: 0,
            owners: BTreeMap::new(),
            group: None,
            firm: None,
            can: None,
        }
    }

    fn cell(&mut self, cell: &CellView) {
        let key = &cell.key;
        if cell.state == RevisionState::Withdrawn {
            return;
        }
        if !self.group.as_ref().is_some_and(|group| is_one_group(group, key)) {
            self.group_ends();
            self.group = Some(key.clone());
        }
        if key.measure == self.cut.name.as_str() {
            if key.period.end() > self.first {
                let kept = cell.held_for == Some(HoldReason::FrozenHorizon);
                self.values += 1;
                self.not_proven += u64::from(cell.state != RevisionState::Seen && !kept);
            }
            let stands = cell.seen.as_ref().filter(|seen| seen.current);
            self.firm =
                stands.and_then(|seen| seen.value).and_then(|value| hours(value, self.cut.unit));
        } else if let Some(live) = self.live.filter(|live| key.measure == live.name.as_str()) {
            let known = cell.status != Status::Unknown;
            self.can = hours(cell.value, live.unit).filter(|_| known);
        }
    }

    /// Compares what was read of a group, and forgets it.
    fn group_ends(&mut self) {
        let (firm, can) = (self.firm.take(), self.can.take());
        let (Some(key), Some((firm, can))) = (self.group.take(), firm.zip(can)) else { return };
        let frozen = self.frozen.is_some_and(|before| is_frozen(key.period, before, self.today));
        let short = firm - can;
        if !frozen || short < WORTH {
            return;
        }
        let config = &self.target.config;
        let owner = config.owner_at(self.cut, &key.resource, &key.location).or(config.owner());
        let owner = owner.map(str::to_owned);
        let worst = format!(
            "{} at {}, {}: {firm:.2} h are firm, and it can do {can:.2} h",
            key.resource, key.location, key.period
        );
        let one = self.owners.entry(owner.clone()).or_insert_with(|| Infeasible {
            owner,
            line_periods: 0,
            hours: Decimal::ZERO,
            worst: String::new(),
            worst_hours: Decimal::ZERO,
        });
        one.line_periods += 1;
        one.hours += short;
        if short > one.worst_hours {
            (one.worst, one.worst_hours) = (worst, short);
        }
    }
}

/// Whether a period is inside the frozen horizon, and not over.
fn is_frozen(period: Period, before: Date, today: Date) -> bool {
    period.start() < before && period.end() > today
}

fn is_one_group(one: &CellKey, other: &CellKey) -> bool {
    (&one.resource, &one.location, &one.product, one.period)
        == (&other.resource, &other.location, &other.product, other.period)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_is_due_from_its_time_or_from_the_first_landing_after_it() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let taken = at("2026-11-01T00:00:00Z");
        let due = |landed| due(taken, landed, 24).to_string();
        assert_eq!(due(None), "2026-11-02T00:00:00Z");
        assert_eq!(due(Some(at("2026-10-20T00:00:00Z"))), "2026-11-02T00:00:00Z");
        assert_eq!(due(Some(at("2026-11-20T06:00:00Z"))), "2026-11-21T06:00:00Z");
    }
}
