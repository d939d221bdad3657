//! How nouns are spelt in columns: small integers, exact decimals as text.

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, date},
};
use planthread_contracts::{Period, PeriodKind, RevisionState, Status};
use rust_decimal::Decimal;

use crate::{EngineError, error::Result};

const EPOCH: Date = date(1970, 1, 1);
const KINDS: [PeriodKind; 4] =
    [PeriodKind::Day, PeriodKind::Week, PeriodKind::TechnicalWeek, PeriodKind::Month];

/// Days since 1970 × 4 + kind: sorts by first day, then by kind.
pub(crate) fn period_code(period: Period) -> i64 {
    let days = EPOCH.until(period.start()).map_or(0, |span| i64::from(span.get_days()));
    let kind = KINDS.iter().position(|kind| *kind == period.kind()).unwrap_or(0);
    days * 4 + i64::try_from(kind).unwrap_or(0)
}

/// Reads [`period_code`] back.
pub(crate) fn period(code: i64) -> Result<Period> {
    let kind = KINDS[usize::try_from(code.rem_euclid(4)).unwrap_or(0)];
    let days = code.div_euclid(4).days();
    let start = EPOCH.checked_add(days).map_err(|_| stored("period", code))?;
    Ok(Period::containing(kind, start))
}

/// Microseconds since 1970.
pub(crate) fn micros(at: Timestamp) -> i64 {
    at.as_microsecond()
}

/// Reads [`micros`] back.
pub(crate) fn timestamp(micros: i64) -> Result<Timestamp> {
    Timestamp::from_microsecond(micros).map_err(|_| stored("instant", micros))
}

/// A decimal as text, without needless zeros: equal decimals are equal texts.
pub(crate) fn decimal_text(value: Decimal) -> String {
    value.normalize().to_string()
}

/// Reads [`decimal_text`] back.
pub(crate) fn decimal(text: &str) -> Result<Decimal> {
    text.parse().map_err(|_| EngineError::Stored(format!("`{text}` as a number")))
}

/// The state's place in [`RevisionState::ALL`].
pub(crate) fn state_code(state: RevisionState) -> i64 {
    let place = RevisionState::ALL.iter().position(|known| *known == state);
    place.and_then(|place| i64::try_from(place).ok()).unwrap_or(-1)
}

/// Reads [`state_code`] back.
pub(crate) fn state(code: i64) -> Result<RevisionState> {
    let place = usize::try_from(code).map_err(|_| stored("state", code))?;
    RevisionState::ALL.get(place).copied().ok_or_else(|| stored("state", code))
}

/// The status's landed code.
pub(crate) fn status_code(status: Status) -> i64 {
    i64::from(status.code())
}

/// Reads [`status_code`] back.
pub(crate) const fn status(code: i64) -> Status {
    Status::from_code(code)
}

fn stored(what: &str, code: i64) -> EngineError {
    EngineError::Stored(format!("{code} as a {what}"))
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
        fn periods_round_trip_and_sort(offset in -9_000i64..30_000, kind in 0usize..4, step in 1i64..90) {
            let day = EPOCH.checked_add(offset.days()).unwrap();
            let one = Period::containing(KINDS[kind], day);
            prop_assert_eq!(period(period_code(one)).unwrap(), one);
            let later = Period::containing(KINDS[kind], day.checked_add(step.days()).unwrap());
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
        for known in RevisionState::ALL {
            assert_eq!(state(state_code(known)).unwrap(), known);
        }
        assert!(state(9).is_err() && state(-1).is_err());
    }
}
