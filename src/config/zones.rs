//! How old the time-zone data of this machine is.
//!
//! Laws about clocks change several times a year; data that does not know one
//! places shifts and weeks an hour off. The database says its version in the
//! first line of `tzdata.zi`, where it is there; what it does not know can't be
//! known from it.

use std::{env, fs, path::PathBuf};

use jiff::{Timestamp, tz::TimeZone};

/// Where the system keeps its time zones.
const SYSTEM: &str = "/usr/share/zoneinfo";

/// The version of the system's time-zone data, such as `2025b`; `None` where it
/// does not say.
#[must_use]
pub fn version() -> Option<String> {
    let folder = env::var_os("TZDIR").map_or_else(|| SYSTEM.into(), PathBuf::from);
    let text = fs::read_to_string(folder.join("tzdata.zi")).ok()?;
    Some(text.lines().next()?.strip_prefix("# version ")?.trim().to_owned())
}

/// Whether data of `version` misses more than the whole last year at `now`.
#[must_use]
pub fn is_old(version: &str, now: Timestamp) -> bool {
    let year = version.get(..4).and_then(|year| year.parse::<i16>().ok());
    year.is_some_and(|year| year + 2 <= now.to_zoned(TimeZone::UTC).year())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn data_that_misses_a_whole_year_is_old() {
        let at = |now: &'static str| move |version: &str| is_old(version, now.parse().unwrap());
        let late = at("2026-11-26T00:00:00Z");
        assert!(late("2024b") && late("2019c") && !late("2025a") && !late("2026b"));
        assert!(!late("rolling") && !late(""));
        assert!(at("2027-01-01T00:00:00Z")("2025b"));
    }
}
