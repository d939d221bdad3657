//! From the configured policy to the engine's: dates, grants, promotions.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use jiff::{SignedDuration, Timestamp, ToSpan as _, civil::Date, tz::TimeZone};
use planthread_contracts::{
    Carries, MeasureDecl, Owner, Period, PeriodKind, Promotion, PromotionError, Scope, WriteGrant,
};
use planthread_engine::{ledger, plan};

use super::{OpenTarget, adopt, pauses, proportion, records};
use crate::{
    config::{FirstLanding, Loaded, Target, Withdraw},
    failure::{Exit, Failure},
};

/// The engine's policy of `target` at `at`.
///
/// # Errors
/// When the plant's zone is unknown, or a promotion record can't be read.
pub fn policy(
    loaded: &Loaded,
    target: &OpenTarget,
    at: Timestamp,
) -> Result<plan::Policy, Failure> {
    let today = today(loaded, at)?;
    let week = Period::containing(PeriodKind::Week, today).start();
    let said = &target.config.policy;
    let weeks = |count: u32| (i64::from(count) * 7).days();
    let measures = target.config.measures.clone();
    let grants = grants(loaded, target, at)?;
    let mut policy =
        plan::Policy::open(&target.name, target.scope.clone(), measures, grants, at, today);
    policy.closed_before = Some(week.saturating_sub(weeks(said.closed_after_weeks)));
    policy.frozen_before = frozen_before(loaded, &target.config, at)?;
    policy.significance.clone_from(&said.significance);
    policy.settle_window = SignedDuration::from_mins(i64::from(said.settle_minutes));
    policy.batch_limit = target.config.delivery.batch_limit();
    policy.side_by_side = target.config.delivery.side_by_side();
    policy.paused = pauses::paused(loaded, target)?;
    policy.blackouts = blackouts(target, at)?;
    let (state, measures) = (&loaded.config.state, &target.config.measures);
    policy.adopted = adopt::adopted(state, &target.name, measures, &target.scope)?;
    policy.first_landing = first_landing(target);
    policy.answers = proportion::answers(state, &target.name)?;
    policy.sources = Arc::new(sources(target));
    policy.units = proportion::units(&loaded.config.plant, &target.config);
    Ok(policy)
}

/// Where a first landing at `target` would go, where somebody is asked about one. What is
/// on this machine is a sandbox.
fn first_landing(target: &OpenTarget) -> Option<String> {
    let asks = target.config.policy.first_landing == FirstLanding::Ask;
    let far = || target.flows.iter().any(|flow| !flow.origin.is_this_machine());
    let scope = if target.scope.name().is_empty() { "base" } else { target.scope.name() };
    (asks && far()).then(|| format!("{scope} of {}", target.connector.info().address))
}

/// The day before which periods begin whose plan cut does not move; none where nothing is
/// frozen.
///
/// # Errors
/// When the plant's zone is unknown.
pub(super) fn frozen_before(
    loaded: &Loaded,
    target: &Target,
    at: Timestamp,
) -> Result<Option<Date>, Failure> {
    let weeks = i64::from(target.policy.frozen_weeks);
    let week = Period::containing(PeriodKind::Week, today(loaded, at)?).start();
    Ok((weeks > 0).then(|| week.saturating_add((weeks * 7).days())))
}

/// What stands behind each resource and location of a target, by its name in the plant.
fn sources(target: &OpenTarget) -> BTreeMap<(String, String), String> {
    let mut sources: BTreeMap<_, String> = BTreeMap::new();
    for row in &target.config.mapping.rows {
        let place = (row.resource.clone(), row.location.clone());
        let named = sources.entry(place).or_default();
        if !named.is_empty() {
            named.push_str(" and ");
        }
        named.push_str(&row.source);
    }
    sources
}

/// Days ahead for which quiet windows are told: longer than any apply takes.
const DAYS_AHEAD: i32 = 3;

/// The windows around `at` in which the target wants no requests.
fn blackouts(target: &OpenTarget, at: Timestamp) -> Result<Vec<plan::Window>, Failure> {
    let mut windows = Vec::new();
    for said in &target.config.quota.blackouts {
        let why = format!("{} to {} {}", said.from, said.to, said.zone);
        let found = said.windows(at, DAYS_AHEAD).map_err(|error| {
            Failure::usage(format!("targets.{}.quota: {error}", target.name)).explain("config")
        })?;
        windows.extend(found.into_iter().map(|(from, until)| plan::Window {
            from,
            until,
            why: why.clone(),
        }));
    }
    Ok(windows)
}

/// Why nothing may be asked of the target at `at`, where a quiet window is on.
///
/// # Errors
/// When the windows make no sense.
pub fn quiet(target: &OpenTarget, at: Timestamp) -> Result<Option<Failure>, Failure> {
    let windows = blackouts(target, at)?;
    let on = windows.into_iter().find(|window| (window.from..window.until).contains(&at));
    Ok(on.map(|window| {
        Failure::new(
            Exit::Held,
            format!("quiet until {} (quota.blackouts: {})", window.until, window.why),
        )
        .cure("run this again later; what is wanted is kept, and goes out then")
        .explain("blackout")
    }))
}

/// The civil day at `at` in the plant's zone.
///
/// # Errors
/// When the zone is unknown.
pub fn today(loaded: &Loaded, at: Timestamp) -> Result<Date, Failure> {
    let name = &loaded.config.plant.zone;
    let zone = TimeZone::get(name)
        .map_err(|_| Failure::usage(format!("`{name}` is no IANA time zone")).explain("config"))?;
    Ok(at.to_zoned(zone).date())
}

/// What a want says about the cells that are not in it.
///
/// # Errors
/// When the zone is unknown.
pub fn complete(
    loaded: &Loaded,
    target: &OpenTarget,
    at: Timestamp,
) -> Result<ledger::Complete, Failure> {
    let end = |withdraw: Withdraw| match withdraw {
        Withdraw::Leave => ledger::End::Leave,
        Withdraw::Zero => ledger::End::Zero,
    };
    let said = &target.config.fallback;
    let ends =
        said.measures.iter().map(|(measure, other)| (measure.clone(), end(*other))).collect();
    let end = end(said.withdraw);
    let week = Period::containing(PeriodKind::Week, today(loaded, at)?).start();
    Ok(ledger::Complete { scope: target.scope.clone(), closed_before: week, end, ends })
}

/// The measures that we may write at `at`, as ours: those that are, and those
/// that a person promoted. A measure whose promotion has ended leaves wanted.
///
/// # Errors
/// When a promotion record can't be read.
pub fn ours(
    loaded: &Loaded,
    target: &OpenTarget,
    at: Timestamp,
) -> Result<Vec<MeasureDecl>, Failure> {
    let mut measures = writable(loaded, target, at)?;
    measures.retain(|measure| measure.owner == Owner::Bridge);
    Ok(measures)
}

/// [`ours`], and beside them the measures of others as they are: nothing of
/// them is wanted, and what accompanies them waits for a promotion.
///
/// # Errors
/// When a promotion record can't be read.
pub fn writable(
    loaded: &Loaded,
    target: &OpenTarget,
    at: Timestamp,
) -> Result<Vec<MeasureDecl>, Failure> {
    writable_of(loaded, &target.name, &target.config, at)
}

/// The same of a target that is only configured.
///
/// # Errors
/// When a promotion record can't be read.
pub(super) fn writable_of(
    loaded: &Loaded,
    name: &str,
    target: &Target,
    at: Timestamp,
) -> Result<Vec<MeasureDecl>, Failure> {
    let grants = granted(loaded, name, target, &target.scope(), at)?;
    let owned = |measure: &MeasureDecl| {
        let granted = grants.iter().any(|grant| grant.measure() == measure.name);
        let owner = if granted { Owner::Bridge } else { measure.owner.clone() };
        MeasureDecl { owner, ..measure.clone() }
    };
    Ok(target.measures.iter().map(owned).collect())
}

/// The measures that should carry a figure and that nobody lets us write at
/// `at`: nothing of them is wanted.
///
/// # Errors
/// When a promotion record can't be read.
pub fn unpromoted(
    loaded: &Loaded,
    name: &str,
    target: &Target,
    at: Timestamp,
) -> Result<Vec<MeasureDecl>, Failure> {
    let grants = granted(loaded, name, target, &target.scope(), at)?;
    let held = |measure: &&MeasureDecl| {
        measure.carries != Carries::Observed
            && grants.iter().all(|grant| grant.measure() != measure.name)
    };
    Ok(target.measures.iter().filter(held).cloned().collect())
}

/// The rights to write: our own measures, and what people promoted.
fn grants(loaded: &Loaded, target: &OpenTarget, at: Timestamp) -> Result<Vec<WriteGrant>, Failure> {
    granted(loaded, &target.name, &target.config, &target.scope, at)
}

fn granted(
    loaded: &Loaded,
    name: &str,
    target: &Target,
    scope: &Scope,
    at: Timestamp,
) -> Result<Vec<WriteGrant>, Failure> {
    let promotions = promotions(&loaded.config.state, name, at)?;
    let grant = |measure| {
        WriteGrant::bridge_owned(measure, scope).ok().or_else(|| {
            promotions.iter().find_map(|one| WriteGrant::promoted(measure, scope, one, at).ok())
        })
    };
    Ok(target.measures.iter().filter_map(grant).collect())
}

/// Where the promotion records of a target are kept.
#[must_use]
pub fn promotions_folder(state: &Path, target: &str) -> PathBuf {
    state.join("promotions").join(target)
}

/// The promotions of a target that hold at `at`. A record that has ended is
/// kept as a record, and promotes nothing.
pub(super) fn promotions(
    state: &Path,
    target: &str,
    at: Timestamp,
) -> Result<Vec<Promotion>, Failure> {
    let read = |text: &str| match Promotion::read(text, at) {
        Err(PromotionError::Expired { .. }) => Ok(None),
        other => other.map(Some),
    };
    let promotions = records::read(&promotions_folder(state, target), read)?;
    Ok(promotions.into_iter().flatten().collect())
}

/// Keeps a promotion record for `target`, and says where.
///
/// # Errors
/// When the record leaves something empty, has ended, or can't be written.
pub fn promote(
    state: &Path,
    target: &str,
    record: &str,
    now: Timestamp,
) -> Result<PathBuf, Failure> {
    Promotion::read(record, now).map_err(|error| Failure::usage(error.to_string()))?;
    records::keep(&promotions_folder(state, target), record, now)
}
