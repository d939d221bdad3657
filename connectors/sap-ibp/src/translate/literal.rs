//! OData V2 literals, query encoding, and the dates and decimals of the wire.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use rust_decimal::Decimal;

/// What may stand unescaped in a query: RFC 3986 "unreserved", and the few
/// characters of filters that every gateway takes as they are. The quote is
/// escaped (`%27`), as the fact sheet of function imports asks (§8, B).
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
pub(crate) fn encode(value: &str) -> String {
    utf8_percent_encode(value, QUERY).to_string()
}

/// A string literal: quoted, inner quotes doubled.
pub(crate) fn string(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// A `datetime` literal at the start of a civil day. PERIOD fields must be
/// compared with this form, never with a string (§7, B).
pub(crate) fn datetime(day: Date) -> String {
    format!("datetime'{}'", wire_date(day))
}

/// A civil day as it is written into a request body: ISO, start of day,
/// without a zone (§5 and §6.3, A).
pub(crate) fn wire_date(day: Date) -> String {
    format!("{day}T00:00:00")
}

/// `name=value&name=value`, values encoded, names as they are (`$select`).
pub(crate) fn query(pairs: &[(&str, String)]) -> String {
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
/// a day (§11).
pub(crate) fn parse_date(text: &str) -> Option<Date> {
    let inner = text.strip_prefix("/Date(")?.strip_suffix(")/")?;
    let end = inner
        .char_indices()
        .skip(1)
        .find(|(_, sign)| matches!(sign, '+' | '-'))
        .map_or(inner.len(), |(at, _)| at);
    let instant = Timestamp::from_millisecond(inner[..end].parse().ok()?).ok()?;
    Some(instant.to_zoned(TimeZone::UTC).date())
}

/// Most digits before the decimal point: Edm.Decimal P=18 S=6 (§3, A).
const INTEGER_DIGITS: u32 = 12;

/// A value as its request string, with exactly the declared decimals.
///
/// The declared scale is enough: the service takes any decimal string, answers
/// with six decimals, and both are compared as numbers. Padding to six would
/// claim a precision that the declaration denies.
///
/// # Errors
/// When the value has more decimals than declared (it was to be rounded once,
/// before it became *wanted*: a connector never rounds), or more digits than
/// the wire type holds.
pub(crate) fn decimal(value: Decimal, scale: u32) -> Result<String, String> {
    let normal = value.normalize();
    if normal.scale() > scale {
        return Err(format!("{value} has more than the {scale} decimals that are declared"));
    }
    if normal.abs().trunc() >= Decimal::from(10_u64.pow(INTEGER_DIGITS)) {
        return Err(format!("{value} has more than {INTEGER_DIGITS} digits before the point"));
    }
    Ok(format!("{:.*}", scale as usize, normal))
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

    #[test]
    fn decimals_are_never_rounded_here() {
        let value = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(decimal(value("132.5"), 2).unwrap(), "132.50");
        assert_eq!(decimal(value("0"), 0).unwrap(), "0");
        assert_eq!(decimal(value("132.500000"), 1).unwrap(), "132.5");
        assert!(decimal(value("132.505"), 2).unwrap_err().contains("2 decimals"));
        assert!(decimal(value("1000000000000"), 2).unwrap_err().contains("12 digits"));
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
