//! Rates: what a tenant taught by refusing, for the process after this one.
//!
//! A program that is started every few minutes would run into the same refusals with
//! each start.

use std::collections::BTreeMap;

use jiff::SignedDuration;
use planthread_kit::KeptRate;

use crate::{Reader, State, error::Result};

/// A rate that was kept so lately, and is still about the same, is not written again.
const LATELY: SignedDuration = SignedDuration::from_hours(1);

/// The rates that are kept, by tenant.
///
/// # Errors
/// When the state can't be read.
pub fn rates(reader: &Reader) -> Result<BTreeMap<String, KeptRate>> {
    reader.db().rates()
}

/// Keeps rates; `None` where a tenant has none. What is kept of the others stays.
/// Writes only what is new.
///
/// # Errors
/// When the state can't be read or written.
pub fn keep_rates(state: &State, mut rates: BTreeMap<String, Option<KeptRate>>) -> Result<()> {
    if rates.is_empty() {
        return Ok(());
    }
    let kept = self::rates(&state.reader()?)?;
    rates.retain(|tenant, rate| match (kept.get(tenant), rate) {
        (None, None) => false,
        (Some(kept), Some(rate)) => !is_same(kept, rate),
        (None, Some(_)) | (Some(_), None) => true,
    });
    if rates.is_empty() {
        return Ok(());
    }
    state.change(move |tx| {
        rates.iter().try_for_each(|(tenant, rate)| tx.put_rate(tenant, rate.as_ref()))
    })
}

/// Whether the next process would go on as well with what is kept.
fn is_same(kept: &KeptRate, rate: &KeptRate) -> bool {
    let hundredth = rate.every / 100;
    kept.every.abs_diff(rate.every) <= hundredth
        && kept.growth_ppm == rate.growth_ppm
        && rate.at.duration_since(kept.at).abs() < LATELY
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::testing::{TempDir, now};

    #[test]
    fn a_rate_outlives_its_process_and_goes_when_the_tenant_takes_all() {
        let dir = TempDir::new("rates");
        let state = State::open(dir.path(), now()).unwrap();
        let rate = KeptRate { every: Duration::from_millis(50), growth_ppm: 2_500, at: now() };
        let tenant = |name: &str, rate| BTreeMap::from([(name.to_owned(), rate)]);
        keep_rates(&state, tenant("host/user", Some(rate))).unwrap();
        keep_rates(&state, tenant("other/user", Some(rate))).unwrap();
        drop(state);
        let state = State::open(dir.path(), now()).unwrap();
        let kept = || rates(&state.reader().unwrap()).unwrap();
        assert_eq!(
            kept(),
            BTreeMap::from(
                [("host/user", rate), ("other/user", rate)]
                    .map(|(tenant, rate)| (tenant.to_owned(), rate))
            )
        );
        // About the same, a moment later: nothing is written.
        let (at, every) = (now() + SignedDuration::from_mins(5), Duration::from_micros(50_100));
        keep_rates(&state, tenant("host/user", Some(KeptRate { every, at, ..rate }))).unwrap();
        assert_eq!(kept()["host/user"], rate);
        let later = KeptRate { at: now() + LATELY, ..rate };
        keep_rates(&state, tenant("host/user", Some(later))).unwrap();
        assert_eq!(kept()["host/user"], later);
        keep_rates(&state, tenant("host/user", None)).unwrap();
        assert_eq!(kept().into_keys().collect::<Vec<_>>(), ["other/user"]);
    }
}
