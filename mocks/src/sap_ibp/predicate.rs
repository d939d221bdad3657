//! Single comparisons of `$filter`: whether they fit a property, and whether they hold.

use jiff::{
    Timestamp, ToSpan as _,
    civil::{Date, DateTime},
    tz::TimeZone,
};
use planthread_contracts::PeriodKind;
use rust_decimal::Decimal;

use super::{
    SapIbp,
    behaviours::Switch,
    filter::{Comparison, Literal, Op},
    model::{Conversion, Span},
    read::AUDIT_FIELDS,
    wire::Refusal,
};
use crate::sdk::plan::{Row, RowKey, Totals};

impl SapIbp {
    /// Whether a predicate on attributes or time holds for a stored row.
    pub(super) fn place_holds(
        &self,
        at: Timestamp,
        key: &RowKey,
        row: &Row,
        c: &Comparison,
    ) -> bool {
        if let Some(level) = self.area.time(&c.field) {
            let stamp = self.stamp(key, level.span);
            return matches!(&c.literal, Literal::Date(date) if c.op.holds(&stamp, date));
        }
        if let Some(level) = self.area.relative(&c.field) {
            let distance = Decimal::from(self.relative(at, key, level.span));
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
        ignored || c.op.holds(&totals.value(&self.plan.model, figure).unwrap_or_default(), number)
    }

    /// Whether a comparison's field exists and its literal has the right type.
    pub(super) fn fits(&self, c: &Comparison) -> Result<(), Refusal> {
        let field = c.field.as_str();
        let fits = if self.area.time(field).is_some() {
            matches!(c.literal, Literal::Date(_))
        } else if self.plan.model.find(field).is_some() || self.area.relative(field).is_some() {
            matches!(c.literal, Literal::Number(_))
        } else if AUDIT_FIELDS.contains(&field) {
            matches!(c.literal, Literal::Instant(_))
        } else if self.area.text_field(field).is_some() || Conversion::named(field).is_some() {
            matches!(c.literal, Literal::Text(_) | Literal::Null)
        } else {
            return Err(Refusal::bad(format!("Property '{field}' is invalid in $filter")));
        };
        if fits { Ok(()) } else { Err(mistyped(c)) }
    }

    /// A row's timestamp at a time level. A period that spans two coarser ones
    /// counts for the one in which it starts.
    pub(super) fn stamp(&self, key: &RowKey, span: Span) -> DateTime {
        let stored = Span::Of(self.plan.storage);
        let first = self.shown_day(stored, key.period.start());
        self.shown_day(span, span.start(self.calendar_day(span, first))).at(0, 0, 0, 0)
    }

    /// Periods from the current one to the row's.
    fn relative(&self, at: Timestamp, key: &RowKey, span: Span) -> i64 {
        let today = TimeZone::UTC.to_datetime(at).date();
        let today = span.start(self.calendar_day(span, today));
        let row = self.calendar_day(span, self.stamp(key, span).date());
        let (mut from, to, sign) = if today <= row { (today, row, 1) } else { (row, today, -1) };
        let mut steps = 0;
        while from < to {
            from = span.next(from);
            steps += 1;
        }
        sign * steps
    }

    /// The day of our calendar that stands for a day of the tenant's: where weeks
    /// begin on Sunday, a week's days are those of the week from the next day on.
    pub(super) fn calendar_day(&self, span: Span, day: Date) -> Date {
        if self.shifts(span) { day.saturating_add(1.day()) } else { day }
    }

    /// The tenant's day for a day of our calendar.
    pub(super) fn shown_day(&self, span: Span, day: Date) -> Date {
        if self.shifts(span) { day.saturating_sub(1.day()) } else { day }
    }

    fn shifts(&self, span: Span) -> bool {
        span == Span::Of(PeriodKind::Week) && self.options.switches.on(Switch::SundayWeeks)
    }
}

/// A literal of another type than its property's.
pub(super) fn mistyped(c: &Comparison) -> Refusal {
    let text = format!("Invalid parametertype used at function '{}'", c.op.word());
    Refusal::new(400, "005056A509B11EE1BB8AF4A65EC3CA20", text)
}
