//! Pure: answers of the service to values, dates and cells.

use planthread_contracts::{Name, Period, SeenCell};
use planthread_kit::{Class, ConnectorError, rows::RowKey};
use planthread_odata::{answer, literal::parse_date};
use rust_decimal::Decimal;
use serde_json::Value;

use super::question::Question;
use crate::config::Config;

/// The first row's `Value` of a function import: flat `d`, or `d.results`.
pub(crate) fn single_value(body: &Value) -> Option<String> {
    let d = body.get("d")?;
    let entry = d.get("results").and_then(|list| list.get(0)).unwrap_or(d);
    entry.get("Value")?.as_str().map(str::to_owned)
}

/// A number as the service writes it: a string with six decimals, or null.
/// Kept at the declared decimals when nothing is lost by it, so that equal
/// values also look equal.
pub(crate) fn number(
    row: &Value,
    column: &str,
    scale: u32,
) -> Result<Option<Decimal>, ConnectorError> {
    let parsed = match row.get(column) {
        Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => text.trim().parse::<Decimal>().ok(),
        Some(Value::Number(number)) => number.to_string().parse::<Decimal>().ok(),
        _ => None,
    };
    let mut value = parsed.ok_or_else(|| {
        drift("read values", &format!("column {column} is missing from a row or holds no decimal"))
    })?;
    value = value.normalize();
    if value.scale() < scale {
        value.rescale(scale);
    }
    Ok(Some(value))
}

/// Where a row belongs.
pub(crate) fn place(
    row: &Value,
    question: &Question,
    config: &Config,
) -> Result<RowKey, ConnectorError> {
    let key = |column: &str| match row.get(column) {
        Some(Value::String(value)) => Ok(value.as_str()),
        _ => Err(drift("read values", &format!("column {column} is missing from a row"))),
    };
    if let Some((name, unit)) = question.units.iter().find(|(name, unit)| {
        // A row without the column says nothing; a row in another unit does.
        row.get(name.as_str()).and_then(Value::as_str).is_some_and(|came| came != unit.as_str())
    }) {
        let came = answer::text(row, name);
        let text = format!("a row came in {name} {came}, {unit} was asked for");
        return Err(drift("read values", &text));
    }
    let product = config.attributes.product.as_deref().filter(|_| question.by_product);
    let time = config.time_fields.of(question.kind);
    let day = parse_date(key(time)?).ok_or_else(|| {
        drift("read values", &format!("column {time} holds no /Date(milliseconds)/"))
    })?;
    let period = Period::containing(question.kind, day);
    if period.start() != day {
        // A week that starts on Sunday would land in the week before.
        let text = format!("{time} starts at {day}, {period} at {}", period.start());
        return Err(ConnectorError::new(Class::Drift, "read values", text).cure(
            "the tenant's periods are cut differently: correct `time_fields`; weeks that do not \
                 start on Monday are not supported",
        ));
    }
    Ok(RowKey {
        resource: key(&config.attributes.resource)?.into(),
        location: key(&config.attributes.location)?.into(),
        product: product.map(key).transpose()?.map(Name::from),
        period,
    })
}

/// The cells of one row.
pub(crate) fn cells(
    row: &Value,
    place: &RowKey,
    question: &Question,
    target: &str,
    scope: &str,
) -> Result<Vec<SeenCell>, ConnectorError> {
    let cell = |measure: &planthread_contracts::MeasureDecl| {
        let key = place.cell(target, scope, &measure.name);
        Ok(SeenCell { key, value: number(row, &measure.surface, measure.scale)? })
    };
    question.measures.iter().map(cell).collect()
}

pub(crate) fn drift(operation: &'static str, text: &str) -> ConnectorError {
    ConnectorError::new(Class::Drift, operation, text)
        .cure("compare the configuration with the tenant: `planthread check`")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::translate::decimal::decimal;

    #[test]
    fn values_come_as_strings_numbers_and_null() {
        let row = json!({"A": "132.500000", "B": 7, "C": null, "D": "x", "E": "1.234567"});
        let value = |column, scale| number(&row, column, scale).unwrap().unwrap().to_string();
        assert_eq!(value("A", 2), "132.50");
        assert_eq!(value("B", 0), "7");
        assert_eq!(value("E", 2), "1.234567", "never rounded: a difference must show");
        assert_eq!(number(&row, "C", 2).unwrap(), None);
        assert_eq!(number(&row, "D", 2).unwrap_err().class, Class::Drift);
        assert!(number(&row, "Z", 2).unwrap_err().to_string().contains("column Z"));
    }

    #[test]
    fn a_function_imports_value_is_found_in_both_shapes() {
        let flat = json!({"d": {"Name": "x", "Value": "5f"}});
        let listed = json!({"d": {"results": [{"Value": "5f"}]}});
        assert_eq!(single_value(&flat).as_deref(), Some("5f"));
        assert_eq!(single_value(&listed).as_deref(), Some("5f"));
    }

    proptest! {
        /// What was encoded and what comes back are equal decimals, also when
        /// the service pads to six decimals.
        #[test]
        fn values_survive_the_wire(digits in -99_999_999_999i64..99_999_999_999, scale in 0u32..=6) {
            let value = Decimal::new(digits, scale);
            let sent = decimal(value, scale).unwrap();
            let mut padded: Decimal = sent.parse().unwrap();
            padded.rescale(6);
            for text in [sent, padded.to_string()] {
                let read = number(&json!({"A": text}), "A", scale).unwrap();
                prop_assert_eq!(read, Some(value));
            }
        }
    }
}
