//! Single comparisons of `$filter`: whether they fit a property, and whether they hold.

use jiff::{Timestamp, civil::DateTime, tz::TimeZone};
use planthread_contracts::{Period, PeriodKind};
use rust_decimal::Decimal;

use super::{
    SapIbp,
    behaviours::Switch,
    filter::{Comparison, Literal, Op},
    model::{TIME_LEVELS, key_figure, time_level},
    read::{AUDIT_FIELDS, TEXT_FIELDS},
    store::{Row, RowKey, Totals},
    wire::Refusal,
};

impl SapIbp {
    /// Whether a predicate on attributes or time holds for a stored row.
    pub(super) fn place_holds(
        &self,
        at: Timestamp,
        key: &RowKey,
        row: &Row,
        c: &Comparison,
    ) -> bool {
        if let Some(level) = time_level(&c.field) {
            return matches!(&c.literal, Literal::Date(date) if c.op.holds(&stamp(key, level.kind), date));
        }
        if let Some(level) = TIME_LEVELS.iter().find(|level| level.relative == c.field) {
            let distance = Decimal::from(relative(at, key, level.kind));
            return matches!(&c.literal, Literal::Number(n) if c.op.holds(&distance, n));
        }
        match (c.field.as_str(), &c.literal) {
            ("LASTMODIFIEDDATE" | "CREATEDDATE", Literal::Instant(instant)) => {
                row.modified().is_some_and(|modified| c.op.holds(&modified, instant))
            }
            // Conversion attributes choose a unit; they filter no rows.
            ("UOMTOID" | "CURRTOID", _) => true,
            (field, Literal::Text(text)) => {
                let value = self.text_of(key, field);
                let dropped =
                    value.is_empty() && self.options.switches.on(Switch::EmptyAttributeDropped);
                !dropped && c.op.holds_text(value, text)
            }
            _ => false,
        }
    }

    /// Whether a predicate on a key figure holds for the total of a group.
    pub(super) fn total_holds(&self, totals: &Totals, figure: usize, c: &Comparison) -> bool {
        let Literal::Number(number) = &c.literal else { return false };
        let ignored =
            c.op == Op::Ne && number.is_zero() && self.options.switches.on(Switch::NeZeroIgnored);
        ignored || c.op.holds(&totals.value(figure).unwrap_or_default(), number)
    }
}

/// Whether a comparison's field exists and its literal has the right type.
pub(super) fn check(c: &Comparison) -> Result<(), Refusal> {
    let fits = if time_level(&c.field).is_some() {
        matches!(c.literal, Literal::Date(_))
    } else if key_figure(&c.field).is_some()
        || TIME_LEVELS.iter().any(|level| level.relative == c.field)
    {
        matches!(c.literal, Literal::Number(_))
    } else if AUDIT_FIELDS.contains(&c.field.as_str()) {
        matches!(c.literal, Literal::Instant(_))
    } else if TEXT_FIELDS.contains(&c.field.as_str())
        || ["UOMTOID", "CURRTOID"].contains(&c.field.as_str())
    {
        matches!(c.literal, Literal::Text(_) | Literal::Null)
    } else {
        return Err(Refusal::bad(format!("Property '{}' is invalid in $filter", c.field)));
    };
    if fits { Ok(()) } else { Err(mistyped(c)) }
}

/// A literal of another type than its property's.
pub(super) fn mistyped(c: &Comparison) -> Refusal {
    let text = format!("Invalid parametertype used at function '{}'", c.op.word());
    Refusal::new(400, "005056A509B11EE1BB8AF4A65EC3CA20", text)
}

/// A row's timestamp at a time level. A period that spans two coarser ones
/// counts for the one in which it starts.
pub(super) fn stamp(key: &RowKey, kind: PeriodKind) -> DateTime {
    Period::containing(kind, key.period.start()).start().at(0, 0, 0, 0)
}

/// Periods from the current one to the row's.
fn relative(at: Timestamp, key: &RowKey, kind: PeriodKind) -> i64 {
    let today = Period::containing(kind, TimeZone::UTC.to_datetime(at).date());
    let row = Period::containing(kind, key.period.start());
    let (mut from, to, sign) = if today <= row { (today, row, 1) } else { (row, today, -1) };
    let mut steps = 0;
    while from < to {
        from = from.next();
        steps += 1;
    }
    sign * steps
}
