//! Literals, query encoding, and the dates of the wire.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// What may stand unescaped in a query: RFC 3986 "unreserved", and the few
/// characters of filters that every gateway takes as they are. The quote is
/// escaped (`%27`), in function imports too.
const QUERY: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~')
    .remove(b',')
    .remove(b'(')
    .remove(b')')
    .remove(b'*');

/// Percent-encodes one query value.
#[must_use]
pub fn encode(value: &str) -> String {
    utf8_percent_encode(value, QUERY).to_string()
}

/// A string literal: quoted, inner quotes doubled.
#[must_use]
pub fn string(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// A `datetime` literal at the start of a civil day. Fields of type
/// `Edm.DateTime` are compared with this form, never with a string.
#[must_use]
pub fn datetime(day: Date) -> String {
    format!("datetime'{}'", wire_date(day))
}

/// A civil day as it is written into a request body: ISO, start of day,
/// without a zone.
#[must_use]
pub fn wire_date(day: Date) -> String {
    format!("{day}T00:00:00")
}

/// `name=value&name=value`, values encoded, names as they are (`$select`).
#[must_use]
pub fn query(pairs: &[(&str, String)]) -> String {
    let mut text = String::new();
    for (name, value) in pairs {
        if !text.is_empty() {
            text.push('&');
        }
        text.push_str(name);
        text.push('=');
        text.push_str(&encode(value));
    }
    text
}

/// Reads `/Date(ms)/` or `/Date(ms±minutes)/` as the civil day it names.
///
/// The milliseconds count from the epoch as if the civil time were UTC: the
/// offset is decoration and local time must never come in, or weeks shift by
/// a day.
#[must_use]
pub fn parse_date(text: &str) -> Option<Date> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let end = inner
        .char_indices()
        .skip(1)
        .find(|(_, sign)| matches!(sign, '+' | '-'))
        .map_or(inner.len(), |(at, _)| at);
    let instant = Timestamp::from_millisecond(inner[..end].parse().ok()?).ok()?;
    Some(instant.to_zoned(TimeZone::UTC).date())
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn literals_of_the_fact_sheet() {
        assert_eq!(string("O'Neill"), "'O''Neill'");
        assert_eq!(datetime(date(2026, 1, 5)), "datetime'2026-01-05T00:00:00'");
        let filter = "VERSIONID eq 'UPSIDE' and LOCID eq '10&10'";
        assert_eq!(
            encode(filter),
            "VERSIONID%20eq%20%27UPSIDE%27%20and%20LOCID%20eq%20%2710%2610%27"
        );
        assert_eq!(
            query(&[("P_TransactionID", string("5f0c")), ("$format", "json".into())]),
            "P_TransactionID=%275f0c%27&$format=json"
        );
    }

    #[test]
    fn dates_are_naive_days_whatever_the_offset_says() {
        let monday = Some(date(2026, 1, 5));
        assert_eq!(parse_date("/Date(1767571200000)/"), monday);
        assert_eq!(parse_date("/Date(1767571200000+0000)/"), monday);
        assert_eq!(parse_date("/Date(1767571200000-0300)/"), monday);
        assert_eq!(parse_date("/Date(-86400000)/"), Some(date(1969, 12, 31)));
        for text in ["2026-01-05", "/Date()/", "/Date(x)/", ""] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_day_round_trips(day in -20_000i64..40_000) {
            let text = format!("/Date({})/", day * 86_400_000);
            let read = parse_date(&text).unwrap();
            prop_assert_eq!(read.duration_since(date(1970, 1, 1)).as_hours() / 24, day);
        }

        #[test]
        fn no_separator_survives_encoding(value in ".*") {
            let text = encode(&value);
            prop_assert!(!text.contains(['&', '=', '#', '+', ' ', '\'', '?', '%']) || text.contains('%'));
            prop_assert!(!text.contains(['&', '=', '#', '+', ' ', '\'', '?']));
        }
    }
}
