//! Dates as each route writes them.

use jiff::civil::Date;

/// How a route writes dates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// `2026-01-19`: bulk routes and exports (section 5).
    Iso,
    /// `19-01-26`: a locale of worksheet imports (section 5).
    DayFirst,
    /// `20260119`: extract files (sections 4.7 and 11).
    Compact,
}

/// Words that stand for a date (sections 5 and 8 of the data model).
const WORDS: [&str; 4] = ["Past", "Future", "Undefined", "Today"];

impl Format {
    /// The format of this name; ISO for any other.
    #[must_use]
    pub fn named(name: &str) -> Self {
        match name {
            "dd-mm-yy" => Self::DayFirst,
            "yyyymmdd" => Self::Compact,
            _ => Self::Iso,
        }
    }

    /// A text as a date of this format, canonical; words stay.
    #[must_use]
    pub fn canonical(self, text: &str) -> Option<String> {
        if WORDS.contains(&text) {
            return Some(text.to_owned());
        }
        let part = |from: usize, to: usize| text.get(from..to)?.parse::<i16>().ok();
        let dashed = |a: usize, b: usize| {
            text.as_bytes().get(a) == Some(&b'-') && text.as_bytes().get(b) == Some(&b'-')
        };
        let (year, month, day) = match self {
            Self::Iso if text.len() == 10 && dashed(4, 7) => {
                (part(0, 4)?, part(5, 7)?, part(8, 10)?)
            }
            Self::DayFirst if text.len() == 8 && dashed(2, 5) => {
                (2_000 + part(6, 8)?, part(3, 5)?, part(0, 2)?)
            }
            Self::Compact if text.len() == 8 => (part(0, 4)?, part(4, 6)?, part(6, 8)?),
            _ => return None,
        };
        let day = Date::new(year, i8::try_from(month).ok()?, i8::try_from(day).ok()?).ok()?;
        Some(day.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_route_has_its_own_form() {
        for (format, text) in [
            (Format::Iso, "2026-01-19"),
            (Format::DayFirst, "19-01-26"),
            (Format::Compact, "20260119"),
        ] {
            assert_eq!(format.canonical(text).as_deref(), Some("2026-01-19"));
            assert_eq!(format.canonical("Undefined").as_deref(), Some("Undefined"));
        }
        for (format, text) in [
            (Format::Iso, "19-01-26"),
            (Format::Iso, "2026-02-30"),
            (Format::DayFirst, "2026-01-19"),
            (Format::Compact, "2026-01-19"),
        ] {
            assert_eq!(format.canonical(text), None, "{text}");
        }
    }
}
