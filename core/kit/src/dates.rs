//! Forms in which targets write a day.

use jiff::civil::Date;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Form of a day. A setting names it; there is none to guess.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DateForm {
    /// `2026-01-19`
    #[serde(rename = "yyyy-mm-dd")]
    Iso,
    /// `20260119`
    #[serde(rename = "yyyymmdd")]
    Compact,
    /// `19-01-26`
    #[serde(rename = "dd-mm-yy")]
    DayFirstShort,
    /// `19-01-2026`
    #[serde(rename = "dd-mm-yyyy")]
    DayFirst,
    /// `19.01.2026`
    #[serde(rename = "dd.mm.yyyy")]
    Dotted,
    /// `01/19/2026`
    #[serde(rename = "mm/dd/yyyy")]
    MonthFirst,
}

impl DateForm {
    /// The day in this form.
    #[must_use]
    pub fn write(self, date: Date) -> String {
        let (year, month, day) = (date.year(), date.month(), date.day());
        match self {
            Self::Iso => format!("{year:04}-{month:02}-{day:02}"),
            Self::Compact => format!("{year:04}{month:02}{day:02}"),
            Self::DayFirstShort => format!("{day:02}-{month:02}-{:02}", year.rem_euclid(100)),
            Self::DayFirst => format!("{day:02}-{month:02}-{year:04}"),
            Self::Dotted => format!("{day:02}.{month:02}.{year:04}"),
            Self::MonthFirst => format!("{month:02}/{day:02}/{year:04}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_form_is_what_its_name_says() {
        let date = jiff::civil::date(2026, 1, 19);
        for (name, text) in [
            ("yyyy-mm-dd", "2026-01-19"),
            ("yyyymmdd", "20260119"),
            ("dd-mm-yy", "19-01-26"),
            ("dd-mm-yyyy", "19-01-2026"),
            ("dd.mm.yyyy", "19.01.2026"),
            ("mm/dd/yyyy", "01/19/2026"),
        ] {
            let form: DateForm = serde_json::from_value(name.into()).unwrap();
            assert_eq!(form.write(date), text);
        }
    }
}
