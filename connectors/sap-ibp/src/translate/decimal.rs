//! A value as its request string.

use rust_decimal::Decimal;

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
    use super::*;

    #[test]
    fn decimals_are_never_rounded_here() {
        let value = |text: &str| text.parse::<Decimal>().unwrap();
        assert_eq!(decimal(value("132.5"), 2).unwrap(), "132.50");
        assert_eq!(decimal(value("0"), 0).unwrap(), "0");
        assert_eq!(decimal(value("132.500000"), 1).unwrap(), "132.5");
        assert!(decimal(value("132.505"), 2).unwrap_err().contains("2 decimals"));
        assert!(decimal(value("1000000000000"), 2).unwrap_err().contains("12 digits"));
    }
}
