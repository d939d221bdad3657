//! Times as sources write them.

use jiff::{Timestamp, civil::DateTime, fmt::strtime, tz::TimeZone};

use crate::{
    calendar::{LocalTimeError, resolve, zone},
    model::{Disambiguation, TimeFormat},
};

/// A reader of one source's time column.
#[derive(Debug, Clone)]
pub struct TimeReader {
    format: Option<String>,
    zone: Option<TimeZone>,
    policy: Disambiguation,
}

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
    /// declared, or is ambiguous and the policy refuses that.
    pub fn read(&self, text: &str) -> Result<i64, (String, String)> {
        let local = match &self.format {
            None => {
                if let Ok(instant) = text.parse::<Timestamp>() {
                    return Ok(instant.as_millisecond());
                }
                text.parse::<DateTime>().map_err(|_| garbage(text, "ISO 8601"))?
            }
            Some(format) => {
                let parsed = strtime::parse(format, text).map_err(|_| garbage(text, format))?;
                if let Ok(instant) = parsed.to_timestamp() {
                    return Ok(instant.as_millisecond());
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
        resolve(local, zone, self.policy).map_err(|error| {
            (
                error.to_string(),
                "set the source's `time.disambiguation`, or correct the time".into(),
            )
        })
    }
}

fn garbage(text: &str, format: &str) -> (String, String) {
    (
        format!("`{text}` is no time written as {format}"),
        "correct the time, or the source's `time.format`".to_owned(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(format: &TimeFormat, text: &str) -> Result<i64, (String, String)> {
        TimeReader::new(format).unwrap().read(text)
    }

    #[test]
    fn a_naive_time_needs_a_declared_zone() {
        let (reason, cure) = read(&TimeFormat::default(), "2026-11-22T10:00:00").unwrap_err();
        assert!(reason.contains("no offset") && cure.contains("time.zone"), "{reason} {cure}");
        let berlin = TimeFormat { zone: Some("Europe/Berlin".into()), ..TimeFormat::default() };
        let utc = read(&TimeFormat::default(), "2026-11-22T09:00:00Z").unwrap();
        assert_eq!(read(&berlin, "2026-11-22T10:00:00").unwrap(), utc);
        assert_eq!(read(&berlin, "2026-11-22T09:00:00Z").unwrap(), utc);
    }

    #[test]
    fn a_declared_pattern_is_followed() {
        let german = TimeFormat {
            format: Some("%d.%m.%Y %H:%M".into()),
            zone: Some("Europe/Berlin".into()),
            disambiguation: Disambiguation::Reject,
        };
        let utc = read(&TimeFormat::default(), "2026-11-22T09:30:00Z").unwrap();
        assert_eq!(read(&german, "22.11.2026 10:30").unwrap(), utc);
        assert!(read(&german, "2026-11-22T10:30:00").is_err());
        assert!(read(&german, "25.10.2026 02:30").unwrap_err().0.contains("clock change"));
    }
}
