//! Which of two rows of one id is the newer one.

use std::cmp::Ordering;

use jiff::Timestamp;
use planthread_contracts::RawRecord;
use rust_decimal::Decimal;

use super::{TimeReader, rows};
use crate::model::{Source, SourceFormat};

/// Parameter of a record's media type: when its file was written.
const MODIFIED: &str = "modified";

/// Notes beside a record when its file was written.
pub fn modified(record: &mut RawRecord, at: Timestamp) {
    record.media_type.push_str(&format!(";{MODIFIED}={at}"));
}

/// The value of a parameter of a media type.
pub(super) fn parameter<'a>(media_type: &'a str, name: &str) -> Option<&'a str> {
    let parameters = media_type.split(';').skip(1);
    parameters
        .filter_map(|one| one.trim().split_once('='))
        .find(|(key, _)| *key == name)
        .map(|(_, value)| value)
}

/// What orders the rows of one id.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Version {
    Number(Decimal),
    Time(i64),
}

/// How `record` stands to `known`, which has its id: newer (`Greater`), older,
/// or of the same version. `None` when nothing tells: names of versions have no
/// order that everybody agrees on.
#[must_use]
pub fn newer(source: &Source, record: &RawRecord, known: &RawRecord) -> Option<Ordering> {
    match (version(source, record)?, version(source, known)?) {
        (Version::Number(a), Version::Number(b)) => Some(a.cmp(&b)),
        (Version::Time(a), Version::Time(b)) => Some(a.cmp(&b)),
        _ => None,
    }
}

fn version(source: &Source, record: &RawRecord) -> Option<Version> {
    let Some(column) = &source.version_column else {
        let at: Timestamp = parameter(&record.media_type, MODIFIED)?.parse().ok()?;
        return Some(Version::Time(at.as_millisecond()));
    };
    let text = rows::cell(&record.body, source, column)?;
    if let Ok(number) = text.parse() {
        return Some(Version::Number(number));
    }
    let time = match &source.reader {
        SourceFormat::MachineEvents(reader) => &reader.time,
        SourceFormat::Counts(reader) => &reader.time,
        SourceFormat::Cloudevents(_) | SourceFormat::Decisions(_) => return None,
    };
    TimeReader::new(time).ok()?.read(&text).ok().map(Version::Time)
}

#[cfg(test)]
mod tests {
    use planthread_contracts::Origin;

    use super::*;
    use crate::fixture;

    fn record(body: &str) -> RawRecord {
        RawRecord {
            source: "events".into(),
            id: "1".into(),
            media_type: "text/csv".into(),
            body: body.into(),
            received_at: Timestamp::UNIX_EPOCH,
            origin: Origin { place: "f.csv".into(), line: 2 },
        }
    }

    #[test]
    fn a_version_is_a_number_or_a_time_and_never_a_name() {
        let mut source = fixture::plant().sources.remove(0);
        // The fixture's last column holds the event; here it holds the version.
        source.version_column = Some("event".into());
        let of = |new: &str, known: &str| {
            let row = |version: &str| record(&format!("2026-11-03T10:00:00Z,M1,{version}"));
            newer(&source, &row(new), &row(known))
        };
        assert_eq!(of("10", "9"), Some(Ordering::Greater));
        assert_eq!(of("9", "9.0"), Some(Ordering::Equal));
        assert_eq!(of("2026-11-03T10:00:00Z", "2026-11-03T12:00:00+01:00"), Some(Ordering::Less));
        assert_eq!(of("rev B", "rev A"), None);
        assert_eq!(of("9", "2026-11-03T10:00:00Z"), None);
        assert_eq!(of("", "9"), None);
    }

    #[test]
    fn without_a_version_the_time_of_the_file_decides_and_never_the_arrival() {
        let source = fixture::plant().sources.remove(0);
        let (mut old, mut new) = (record("a"), record("b"));
        assert_eq!(newer(&source, &new, &old), None);
        modified(&mut old, "2026-11-03T10:00:00Z".parse().unwrap());
        modified(&mut new, "2026-11-04T10:00:00.5Z".parse().unwrap());
        assert_eq!(newer(&source, &new, &old), Some(Ordering::Greater));
        old.received_at = "2026-12-01T00:00:00Z".parse().unwrap();
        assert_eq!(newer(&source, &old, &new), Some(Ordering::Less));
    }
}
