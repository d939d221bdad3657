//! How values are spelt in columns: instants, periods, exact decimals, bytes.
//!
//! Members of an enum stand in `codes`.

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, date},
};
use planthread_contracts::{Name, Period};
use rusqlite::Row;
use rust_decimal::Decimal;

use super::codes;
use crate::{EngineError, error::Result};

const EPOCH: Date = date(1970, 1, 1);

/// Days since 1970 × 4 + kind: sorts by first day, then by kind.
pub(crate) fn period_code(period: Period) -> i64 {
    let days = EPOCH.until(period.start()).map_or(0, |span| i64::from(span.get_days()));
    days * 4 + codes::kind_code(period.kind())
}

/// Reads [`period_code`] back.
pub(crate) fn period(code: i64) -> Result<Period> {
    let days = code.div_euclid(4).days();
    let start = EPOCH.checked_add(days).map_err(|_| stored("period", code))?;
    Ok(Period::containing(codes::kind(code.rem_euclid(4))?, start))
}

/// Microseconds since 1970.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// Reads [`micros`] back.
pub(crate) fn timestamp(micros: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(micros).map_err(|_| stored("instant", micros))
}

/// Reads an instant from a row.
pub(super) fn at(row: &Row<'_>, column: usize) -> Result<Timestamp> {
    timestamp(row.get(column)?)
}

/// Reads an instant from a row, where there is one.
pub(super) fn maybe_at(row: &Row<'_>, column: usize) -> Result<Option<Timestamp>> {
    row.get::<_, Option<i64>>(column)?.map(timestamp).transpose()
}

/// A decimal as text, without needless zeros: equal decimals are equal texts.
pub(crate) fn decimal_text(value: Decimal) -> String {
    value.normalize().to_string()
}

/// Reads [`decimal_text`] back.
fn decimal(text: &str) -> Result<Decimal> {
    text.parse().map_err(|_| EngineError::Stored(format!("`{text}` as a number")))
}

/// Reads a decimal from a row.
pub(super) fn number(row: &Row<'_>, column: usize) -> Result<Decimal> {
    decimal(text(row, column)?)
}

/// Reads a decimal from a row, where there is one.
pub(super) fn maybe_number(row: &Row<'_>, column: usize) -> Result<Option<Decimal>> {
    maybe_text(row, column)?.map(decimal).transpose()
}

pub(super) fn stored(what: &str, code: i64) -> EngineError {
    EngineError::Stored(format!("{code} as a {what}"))
}

/// Reads a text from a row.
pub(super) fn text<'r>(row: &'r Row<'_>, column: usize) -> Result<&'r str> {
    Ok(row.get_ref(column)?.as_str().map_err(rusqlite::Error::from)?)
}

/// Reads a name from a row.
pub(super) fn name(row: &Row<'_>, column: usize) -> Result<Name> {
    text(row, column).map(Name::from)
}

/// Reads a text from a row, where there is one.
pub(super) fn maybe_text<'r>(row: &'r Row<'_>, column: usize) -> Result<Option<&'r str>> {
    Ok(row.get_ref(column)?.as_str_or_null().map_err(rusqlite::Error::from)?)
}

/// Lower-case hex.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

/// Reads [`hex`] back; `None` when it is none.
pub(crate) fn unhex(text: &str) -> Option<Vec<u8>> {
    let digits = text.as_bytes();
    if !digits.len().is_multiple_of(2) {
        return None;
    }
    let nibble = |byte: u8| char::from(byte).to_digit(16).and_then(|n| u8::try_from(n).ok());
    digits.chunks(2).map(|pair| Some(nibble(pair[0])? << 4 | nibble(pair[1])?)).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn periods_round_trip_and_sort(offset in -9_000i64..30_000, code in 0i64..4, step in 1i64..90) {
            let day = EPOCH.checked_add(offset.days()).unwrap();
            let one = Period::containing(codes::kind(code).unwrap(), day);
            prop_assert_eq!(period(period_code(one)).unwrap(), one);
            let later = Period::containing(one.kind(), day.checked_add(step.days()).unwrap());
            prop_assert_eq!(period_code(one) < period_code(later), one.start() < later.start());
        }

        #[test]
        fn bytes_round_trip_as_hex(bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
            prop_assert_eq!(unhex(&hex(&bytes)), Some(bytes));
        }
    }

    #[test]
    fn equal_decimals_are_equal_texts() {
        assert_eq!(decimal_text("1.50".parse().unwrap()), decimal_text("1.5".parse().unwrap()));
        assert!(decimal("one").is_err());
    }
}
