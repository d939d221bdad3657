//! Start-up options of a sandbox: `key=value`, each with its own help.

use std::collections::BTreeMap;

use planthread_contracts::PeriodKind;

use super::plan::storage;

/// One option.
#[derive(Debug, Clone, Copy)]
pub struct OptionDecl {
    /// Its key.
    pub name: &'static str,
    /// Which values it takes.
    pub kind: Kind,
    /// Its value when nobody gives one.
    pub default: &'static str,
    /// What it does.
    pub does: &'static str,
}

impl OptionDecl {
    /// The option of this name.
    #[must_use]
    pub const fn of(
        name: &'static str,
        kind: Kind,
        default: &'static str,
        does: &'static str,
    ) -> Self {
        Self { name, kind, default, does }
    }
}

/// The values that an option takes.
#[derive(Debug, Clone, Copy)]
pub enum Kind {
    /// A whole number between two, both included.
    Number(u64, u64),
    /// This word, or such a number.
    NumberOr(&'static str, u64, u64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// Any text.
    Text,
}

impl Kind {
    fn takes(self, value: &str) -> bool {
        match self {
            Self::Number(least, most) => {
                value.parse().is_ok_and(|number: u64| (least..=most).contains(&number))
            }
            Self::NumberOr(word, least, most) => {
                value == word || Self::Number(least, most).takes(value)
            }
            Self::Word(words) => words.contains(&value),
            Self::Text => true,
        }
    }

    /// The values in words.
    #[must_use]
    pub fn words(self) -> String {
        match self {
            Self::Number(least, most) => format!("{least} to {most}"),
            Self::NumberOr(word, least, most) => format!("{word}, or {least} to {most}"),
            Self::Word(words) => words.join(", "),
            Self::Text => "any text".to_owned(),
        }
    }
}

/// An option can't be understood.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OptionError {
    /// The text is no `key=value`.
    #[error("`{0}` is no option: write key=value")]
    NoPair(String),
    /// There is no such option.
    #[error("this sandbox has no option `{name}`; it has: {}", .known.join(", "))]
    Unknown {
        /// What was given.
        name: String,
        /// What there is.
        known: Vec<&'static str>,
    },
    /// It is given twice with different values.
    #[error("option `{0}` is given twice")]
    Twice(String),
    /// It doesn't take this value.
    #[error("`{name}={value}`: it takes {wants}")]
    Value {
        /// The option.
        name: &'static str,
        /// What was given.
        value: String,
        /// What it takes.
        wants: String,
    },
}

/// Reads `key=value`.
///
/// # Errors
/// When there is no `=`, or no key before it.
pub fn pair(text: &str) -> Result<(String, String), OptionError> {
    let pair = text.split_once('=').filter(|(key, _)| !key.trim().is_empty());
    let (key, value) = pair.ok_or_else(|| OptionError::NoPair(text.to_owned()))?;
    Ok((key.trim().to_owned(), value.trim().to_owned()))
}

/// The options of one sandbox, checked against their declarations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Values {
    all: BTreeMap<&'static str, String>,
    given: Vec<&'static str>,
}

impl Values {
    /// Takes what is given, and the defaults for the rest.
    ///
    /// # Errors
    /// When an option is unknown, given twice, or doesn't take its value.
    pub fn read(declared: &[OptionDecl], given: &[(String, String)]) -> Result<Self, OptionError> {
        let mut all: BTreeMap<_, _> =
            declared.iter().map(|option| (option.name, option.default.to_owned())).collect();
        let mut seen: Vec<&'static str> = Vec::new();
        for (name, value) in given {
            let option = declared.iter().find(|option| option.name == name);
            let option = option.ok_or_else(|| OptionError::Unknown {
                name: name.clone(),
                known: declared.iter().map(|option| option.name).collect(),
            })?;
            if !option.kind.takes(value) {
                let (name, value) = (option.name, value.clone());
                return Err(OptionError::Value { name, value, wants: option.kind.words() });
            }
            if seen.contains(&option.name) && all[option.name] != *value {
                return Err(OptionError::Twice(name.clone()));
            }
            seen.push(option.name);
            all.insert(option.name, value.clone());
        }
        Ok(Self { all, given: seen })
    }

    /// The value of an option; empty when it is not declared.
    #[must_use]
    pub fn text(&self, name: &str) -> &str {
        self.all.get(name).map_or("", String::as_str)
    }

    /// The value of a number; 0 when it is none.
    #[must_use]
    pub fn number(&self, name: &str) -> u64 {
        self.text(name).parse().unwrap_or(0)
    }

    /// The same where it counts something.
    #[must_use]
    pub fn count(&self, name: &str) -> u32 {
        u32::try_from(self.number(name)).unwrap_or(u32::MAX)
    }

    /// The kind of period that an option's word names; weeks where it names none.
    #[must_use]
    pub fn storage(&self, name: &str) -> PeriodKind {
        storage(self.text(name)).unwrap_or(PeriodKind::Week)
    }

    /// Whether somebody gave it a value.
    #[must_use]
    pub(crate) fn is_given(&self, name: &str) -> bool {
        self.given.contains(&name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DECLARED: [OptionDecl; 3] = [
        OptionDecl::of("lines", Kind::Number(1, 9), "6", "how many"),
        OptionDecl::of("way", Kind::Word(&["a", "b"]), "a", "which"),
        OptionDecl::of("hour", Kind::NumberOr("never", 0, 23), "never", "when"),
    ];

    fn read(given: &[&str]) -> Result<Values, OptionError> {
        let given = given.iter().map(|text| pair(text)).collect::<Result<Vec<_>, _>>()?;
        Values::read(&DECLARED, &given)
    }

    #[test]
    fn what_is_given_replaces_the_default() {
        let values = read(&["lines=3"]).unwrap();
        assert_eq!((values.number("lines"), values.text("way")), (3, "a"));
        assert!(values.is_given("lines") && !values.is_given("way"));
        assert!(read(&["lines=3", "lines=3"]).is_ok());
        assert!(read(&["hour=0"]).is_ok() && read(&["hour=never"]).is_ok());
    }

    #[test]
    fn a_mistake_is_named_with_what_would_be_right() {
        for (given, says) in [
            (&["lines"][..], "key=value"),
            (&["=3"], "key=value"),
            (&["rows=3"], "it has: lines, way, hour"),
            (&["hour=24"], "it takes never, or 0 to 23"),
            (&["lines=10"], "it takes 1 to 9"),
            (&["lines=many"], "it takes 1 to 9"),
            (&["way=c"], "it takes a, b"),
            (&["lines=3", "lines=4"], "given twice"),
        ] {
            let error = read(given).unwrap_err().to_string();
            assert!(error.contains(says), "{given:?}: {error}");
        }
    }
}
