//! Local civil time to instants, with an explicit policy for clock changes.

use jiff::{civil::DateTime, tz::TimeZone};

use crate::model::Disambiguation;

/// A local time that can't be placed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LocalTimeError {
    /// The zone is not in the tz database.
    #[error("`{0}` is no IANA time zone: write a name such as Europe/Berlin or UTC")]
    UnknownZone(String),
    /// The clocks skip or repeat it, and the policy is to refuse.
    #[error(
        "local time {local} in {zone} is skipped or repeated by a clock change: move it, or set `disambiguation` to earlier, later or compatible"
    )]
    Ambiguous {
        /// The local time.
        local: DateTime,
        /// The zone.
        zone: String,
    },
    /// The time lies outside of what the calendar can represent.
    #[error("local time {0} is out of range")]
    OutOfRange(DateTime),
}

/// Finds an IANA zone.
///
/// # Errors
/// When the tz database has none of that name.
pub fn zone(name: &str) -> Result<TimeZone, LocalTimeError> {
    TimeZone::get(name).map_err(|_| LocalTimeError::UnknownZone(name.to_owned()))
}

/// The instant of `local` in `zone`, in milliseconds since the Unix epoch.
///
/// # Errors
/// When a clock change makes it ambiguous and `policy` refuses that, or it is
/// out of range.
pub fn resolve(
    local: DateTime,
    zone: &TimeZone,
    policy: Disambiguation,
) -> Result<i64, LocalTimeError> {
    let ambiguous = zone.to_ambiguous_timestamp(local);
    let is_ambiguous = ambiguous.is_ambiguous();
    match policy {
        Disambiguation::Reject if is_ambiguous => Err(LocalTimeError::Ambiguous {
            local,
            zone: zone.iana_name().unwrap_or("the zone").to_owned(),
        }),
        Disambiguation::Earlier => {
            ambiguous.earlier().map_err(|_| LocalTimeError::OutOfRange(local))
        }
        Disambiguation::Later => ambiguous.later().map_err(|_| LocalTimeError::OutOfRange(local)),
        Disambiguation::Reject | Disambiguation::Compatible => {
            ambiguous.compatible().map_err(|_| LocalTimeError::OutOfRange(local))
        }
    }
    .map(jiff::Timestamp::as_millisecond)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::calendar::span::instant;

    fn at(local: &str, policy: Disambiguation) -> Result<String, LocalTimeError> {
        let berlin = zone("Europe/Berlin").unwrap();
        resolve(local.parse().unwrap(), &berlin, policy).map(|ms| instant(ms).to_string())
    }

    #[test]
    fn gap_and_fold_follow_the_declared_policy() {
        use Disambiguation::{Compatible, Earlier, Later, Reject};
        let gap = "2026-03-29T02:30:00";
        assert_eq!(at(gap, Earlier).unwrap(), "2026-03-29T00:30:00Z");
        assert_eq!(at(gap, Later).unwrap(), "2026-03-29T01:30:00Z");
        assert_eq!(at(gap, Compatible).unwrap(), "2026-03-29T01:30:00Z");
        assert!(at(gap, Reject).unwrap_err().to_string().contains("clock change"));
        let fold = "2026-10-25T02:30:00";
        assert_eq!(at(fold, Earlier).unwrap(), "2026-10-25T00:30:00Z");
        assert_eq!(at(fold, Later).unwrap(), "2026-10-25T01:30:00Z");
        assert_eq!(at(fold, Compatible).unwrap(), "2026-10-25T00:30:00Z");
        assert!(at("2026-10-25T04:30:00", Reject).is_ok());
    }

    #[test]
    fn an_unknown_zone_is_refused() {
        assert!(zone("Europe/Bielefeld").unwrap_err().to_string().contains("IANA"));
    }
}
