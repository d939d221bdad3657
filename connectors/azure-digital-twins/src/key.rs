//! How a period is written as a key of a map.
//!
//! `D2026_10_26`, `W2026_43`, `T2026_05a`, `M2026_10`: letters, digits and
//! underscores, a letter first, so that a query needs no escape (corrections to
//! the fact sheet, map keys).

use planthread_contracts::{Period, PeriodKind};

/// The key of a period.
pub(crate) fn of(period: Period) -> String {
    let letter = match period.kind() {
        PeriodKind::Day => 'D',
        PeriodKind::Week => 'W',
        PeriodKind::TechnicalWeek => 'T',
        PeriodKind::Month => 'M',
    };
    format!("{letter}{}", period.to_string().replace("-W", "_").replace('-', "_"))
}

/// The period of a key; `None` where it is none of ours.
pub(crate) fn period(key: &str) -> Option<Period> {
    let (kind, rest) = key.split_at_checked(1)?;
    let text = match kind {
        "D" | "M" => rest.replace('_', "-"),
        "W" | "T" => rest.replacen('_', "-W", 1),
        _ => return None,
    };
    let period = text.parse().ok()?;
    (of(period) == key).then_some(period)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;
    use proptest::prelude::*;

    use super::*;
    use crate::config::PERIODS;

    #[test]
    fn keys_need_no_escape() {
        let key = |text: &str| of(text.parse().unwrap());
        assert_eq!(key("2026-W43"), "W2026_43");
        assert_eq!(key("2026-W05a"), "T2026_05a");
        assert_eq!(key("2026-10"), "M2026_10");
        assert_eq!(key("2026-10-26"), "D2026_10_26");
        assert_eq!((period("W2026-43"), period("Q2026_1"), period("")), (None, None, None));
    }

    proptest! {
        #[test]
        fn a_key_leads_back(offset in 0i64..20_000, kind in 0usize..4) {
            let day = date(2000, 1, 1).saturating_add(jiff::ToSpan::days(offset));
            let one = Period::containing(PERIODS[kind], day);
            prop_assert_eq!(period(&of(one)), Some(one));
        }
    }
}
