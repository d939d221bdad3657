//! Times as sources write them.
//!
//! A local time that the clocks repeat is two instants: the order of the file
//! may tell which ([`super::repeated`]), the source's policy may say it, or it is
//! refused. One that the clocks skip never was.

use jiff::{
    Timestamp,
    civil::DateTime,
    fmt::{strtime, temporal::DateTimeParser},
    tz::{AmbiguousOffset, AmbiguousTimestamp, OffsetConflict, TimeZone},
};

use crate::{
    calendar::{LocalTimeError, resolve, zone},
    model::{Disambiguation, TimeFormat},
};

/// Reads a time with its zone in brackets (RFC 9557): offset and zone must agree.
static ZONED: DateTimeParser = DateTimeParser::new()
    .offset_conflict(OffsetConflict::Reject)
    .disambiguation(jiff::tz::Disambiguation::Reject);

/// Which of the two instants a repeated local time means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// Before the clocks went back.
    First,
    /// After it.
    Second,
}

/// A time as it is written.
#[derive(Debug)]
enum Written {
    /// With an offset.
    Instant(i64),
    /// Local, in this zone.
    Local(DateTime, TimeZone),
}

/// What a written time can mean, in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// One instant.
    One(i64),
    /// A repeated local time: the first and the second instant.
    Two(i64, i64),
}

/// A reader of one source's time column.
#[derive(Debug, Clone)]
pub struct TimeReader {
    format: Option<String>,
    zone: Option<TimeZone>,
    policy: Disambiguation,
}

type Fault = (String, String);

impl TimeReader {
    /// Prepares the declared format.
    ///
    /// # Errors
    /// When the zone is unknown.
    pub fn new(format: &TimeFormat) -> Result<Self, LocalTimeError> {
        Ok(Self {
            format: format.format.clone(),
            zone: format.zone.as_deref().map(zone).transpose()?,
            policy: format.disambiguation,
        })
    }

    /// Reads `text` as milliseconds since the Unix epoch.
    ///
    /// # Errors
    /// Reason and cure, when the text is no time, or is local and no zone is
    /// declared, or is skipped or repeated and the policy refuses that.
    pub fn read(&self, text: &str) -> Result<i64, Fault> {
        self.read_in(text, None)
    }

    /// As [`TimeReader::read`]; `pass` tells which instant a repeated local time
    /// means.
    pub(super) fn read_in(&self, text: &str, pass: Option<Pass>) -> Result<i64, Fault> {
        let (local, zone) = match self.written(text)? {
            Written::Instant(at) => return Ok(at),
            Written::Local(local, zone) => (local, zone),
        };
        let ambiguous = zone.to_ambiguous_timestamp(local);
        let (policy, refused) = match (ambiguous.offset(), self.policy, pass) {
            (AmbiguousOffset::Fold { .. }, Disambiguation::Reject, Some(Pass::First)) => {
                (Disambiguation::Earlier, None)
            }
            (AmbiguousOffset::Fold { .. }, Disambiguation::Reject, Some(Pass::Second)) => {
                (Disambiguation::Later, None)
            }
            (AmbiguousOffset::Fold { .. }, Disambiguation::Reject, None) => {
                (self.policy, Some(repeated(local, &zone)))
            }
            (AmbiguousOffset::Gap { .. }, Disambiguation::Reject, _) => {
                (self.policy, Some(skipped(local, &zone)))
            }
            (_, policy, _) => (policy, None),
        };
        if let Some(fault) = refused {
            return Err(fault);
        }
        resolve(local, &zone, policy).map_err(|error| (error.to_string(), "correct it".into()))
    }

    /// What `text` can mean, where the policy leaves it to the file; `None` when
    /// it is no time, or one that never was.
    pub(super) fn meaning(&self, text: &str) -> Option<Meaning> {
        let (local, zone) = match self.written(text).ok()? {
            Written::Instant(at) => return Some(Meaning::One(at)),
            Written::Local(local, zone) => (local, zone),
        };
        let ms = |at: Result<Timestamp, jiff::Error>| at.ok().map(Timestamp::as_millisecond);
        let may_be = |zone: &TimeZone| -> AmbiguousTimestamp { zone.to_ambiguous_timestamp(local) };
        if matches!(may_be(&zone).offset(), AmbiguousOffset::Fold { .. }) {
            let (first, second) = (ms(may_be(&zone).earlier())?, ms(may_be(&zone).later())?);
            return Some(Meaning::Two(first, second));
        }
        resolve(local, &zone, self.policy).ok().map(Meaning::One)
    }

    /// Whether times may be local, and the file may have to tell what they mean.
    pub(super) const fn asks_the_file(&self) -> bool {
        matches!(self.policy, Disambiguation::Reject) && self.zone.is_some()
    }

    fn written(&self, text: &str) -> Result<Written, Fault> {
        let local = match &self.format {
            None if text.ends_with(']') => return bracketed(text),
            None => {
                if let Ok(instant) = text.parse::<Timestamp>() {
                    return Ok(Written::Instant(instant.as_millisecond()));
                }
                text.parse::<DateTime>().map_err(|_| garbage(text, "ISO 8601"))?
            }
            Some(format) => {
                let parsed = strtime::parse(format, text).map_err(|_| garbage(text, format))?;
                if parsed.iana_time_zone().is_some() {
                    let zoned = parsed.to_zoned().map_err(|error| contradiction(text, &error))?;
                    return Ok(Written::Instant(zoned.timestamp().as_millisecond()));
                }
                if let Ok(instant) = parsed.to_timestamp() {
                    return Ok(Written::Instant(instant.as_millisecond()));
                }
                parsed.to_datetime().map_err(|_| garbage(text, format))?
            }
        };
        let Some(zone) = &self.zone else {
            return Err((
                format!("time `{text}` has no offset, and the source declares no zone"),
                "declare the source's `time.zone` (an IANA name), or write times with an offset"
                    .to_owned(),
            ));
        };
        Ok(Written::Local(local, zone.clone()))
    }
}

/// A time with a zone of its own in brackets, which holds whatever the source
/// declares.
fn bracketed(text: &str) -> Result<Written, Fault> {
    let error = match ZONED.parse_zoned(text) {
        Ok(zoned) => return Ok(Written::Instant(zoned.timestamp().as_millisecond())),
        Err(error) => error,
    };
    // Without an offset it is local time of that zone.
    let (local, name) = text.trim_end_matches(']').split_once('[').unwrap_or((text, ""));
    let has_offset = local.parse::<Timestamp>().is_ok();
    match (local.parse::<DateTime>(), zone(name.trim_start_matches('!'))) {
        (Ok(local), Ok(zone)) if !has_offset => Ok(Written::Local(local, zone)),
        _ => Err(contradiction(text, &error)),
    }
}

fn contradiction(text: &str, error: &jiff::Error) -> Fault {
    (
        format!("`{text}`: its zone is unknown, or contradicts its offset ({error})"),
        "correct one of the two at the source: nobody can tell which is right".to_owned(),
    )
}

fn repeated(local: DateTime, zone: &TimeZone) -> Fault {
    (
        format!(
            "local time {local} in {} is repeated as the clocks go back, and the order of the file \
             does not tell which of the two it is",
            name(zone)
        ),
        "export times with an offset or in UTC, or set the source's `time.disambiguation` to \
         earlier or later"
            .to_owned(),
    )
}

fn skipped(local: DateTime, zone: &TimeZone) -> Fault {
    (
        format!("local time {local} in {} never was: the clocks skip it", name(zone)),
        "correct the source's `time.zone`: a clock that does not change with it writes such times; \
         or set `time.disambiguation: compatible`"
            .to_owned(),
    )
}

fn name(zone: &TimeZone) -> &str {
    zone.iana_name().unwrap_or("its zone")
}

fn garbage(text: &str, format: &str) -> Fault {
    (
        format!("`{text}` is no time written as {format}"),
        "correct the time, or the source's `time.format`".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: &TimeFormat, text: &str) -> Result<i64, Fault> {
        TimeReader::new(format).unwrap().read(text)
    }

    fn berlin() -> TimeFormat {
        TimeFormat { zone: Some("Europe/Berlin".into()), ..TimeFormat::default() }
    }

    #[test]
    fn a_naive_time_needs_a_declared_zone() {
        let (reason, cure) = read(&TimeFormat::default(), "2026-11-22T10:00:00").unwrap_err();
        assert!(reason.contains("no offset") && cure.contains("time.zone"), "{reason} {cure}");
        let utc = read(&TimeFormat::default(), "2026-11-22T09:00:00Z").unwrap();
        assert_eq!(read(&berlin(), "2026-11-22T10:00:00").unwrap(), utc);
        assert_eq!(read(&berlin(), "2026-11-22T09:00:00Z").unwrap(), utc);
    }

    #[test]
    fn a_declared_pattern_is_followed() {
        let german = TimeFormat { format: Some("%d.%m.%Y %H:%M".into()), ..berlin() };
        let utc = read(&TimeFormat::default(), "2026-11-22T09:30:00Z").unwrap();
        assert_eq!(read(&german, "22.11.2026 10:30").unwrap(), utc);
        assert!(read(&german, "2026-11-22T10:30:00").is_err());
        assert!(read(&german, "25.10.2026 02:30").unwrap_err().0.contains("repeated"));
    }

    #[test]
    fn a_zone_in_brackets_is_obeyed_or_refused() {
        let utc = |text: &str| read(&TimeFormat::default(), text).unwrap();
        for format in [TimeFormat::default(), berlin()] {
            let read = |text: &str| read(&format, text);
            let first = read("2026-10-25T02:30:00+02:00[Europe/Berlin]").unwrap();
            assert_eq!(first, utc("2026-10-25T00:30:00Z"));
            let second = read("2026-10-25T02:30:00+01:00[Europe/Berlin]").unwrap();
            assert_eq!(second, utc("2026-10-25T01:30:00Z"));
            assert_eq!(
                read("2026-07-01T12:00:00[Asia/Kolkata]").unwrap(),
                utc("2026-07-01T06:30:00Z")
            );
            let wrong = [
                "2026-07-01T12:00:00+01:00[Europe/Berlin]",
                "2026-07-01T12:00:00+02:00[Europe/Bielefeld]",
                "2026-03-29T02:30:00+01:00[Europe/Berlin]",
            ];
            for text in wrong {
                let (reason, _) = read(text).unwrap_err();
                assert!(reason.contains("contradicts its offset"), "{text}: {reason}");
            }
            let repeated = read("2026-10-25T02:30:00[Europe/Berlin]").unwrap_err().0;
            assert!(
                repeated.contains("repeated") && repeated.contains("Europe/Berlin"),
                "{repeated}"
            );
        }
    }

    #[test]
    fn what_the_clocks_skip_or_repeat_is_refused_with_a_word_or_told() {
        let (reason, cure) = read(&berlin(), "2026-03-29T02:30:00").unwrap_err();
        assert!(reason.contains("never was") && cure.contains("time.zone"), "{reason} {cure}");
        let reader = TimeReader::new(&berlin()).unwrap();
        let of = |pass| reader.read_in("2026-10-25T02:30:00", pass);
        let utc = |text: &str| Ok(read(&TimeFormat::default(), text).unwrap());
        assert_eq!(of(Some(Pass::First)), utc("2026-10-25T00:30:00Z"));
        assert_eq!(of(Some(Pass::Second)), utc("2026-10-25T01:30:00Z"));
        assert!(of(None).unwrap_err().0.contains("the order of the file does not tell"));
        // What nobody repeats means the same in both.
        let plain = |pass| reader.read_in("2026-10-25T04:30:00", pass);
        assert_eq!(plain(Some(Pass::Second)), plain(None));
    }
}
