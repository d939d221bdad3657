//! What is wrong with a target's settings: field, reason, cure.

use std::fmt;

use crate::ConnectorError;

/// One fault in the settings of a target. The program adds file and line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettingsFault {
    /// Path of the field below the room that was checked (`auth.user`); empty
    /// when several fields play together.
    pub field: String,
    /// What is wrong. Never a secret, and no address that may carry one.
    pub reason: String,
    /// What to do, when it is known.
    pub cure: Option<String>,
}

impl SettingsFault {
    /// `field` is wrong for this `reason`.
    #[must_use]
    pub fn new(field: impl Into<String>, reason: impl Into<String>) -> Self {
        Self { field: field.into(), reason: reason.into(), cure: None }
    }

    /// Adds the cure.
    #[must_use]
    pub fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }

    /// The same fault seen from the room above, in which this one is `room`.
    #[must_use]
    pub fn inside(mut self, room: &str) -> Self {
        let dot = if self.field.is_empty() || room.is_empty() { "" } else { "." };
        self.field = format!("{room}{dot}{}", self.field);
        self
    }
}

impl fmt::Display for SettingsFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.field.is_empty() {
            write!(f, "`{}` ", self.field)?;
        }
        f.write_str(&self.reason)?;
        match &self.cure {
            Some(cure) => write!(f, "; {cure}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for SettingsFault {}

impl From<ConnectorError> for SettingsFault {
    /// What a connector refuses when it is put together.
    fn from(error: ConnectorError) -> Self {
        Self { field: String::new(), reason: error.message, cure: error.cure }
    }
}

/// Refuses a text without anything in it.
///
/// # Errors
/// Names `field` and the `cure`.
pub fn filled(field: &str, text: &str, cure: &str) -> Result<(), SettingsFault> {
    match text.trim() {
        "" => Err(SettingsFault::new(field, "is empty").cure(cure)),
        _ => Ok(()),
    }
}

/// A part of the settings that the way of this target needs, if it is there and right.
///
/// # Errors
/// Names `field` and the `cure` where it is missing; else what `check` found, inside it.
pub fn needed<T: Clone>(
    field: &str,
    part: Option<&T>,
    cure: &str,
    check: impl FnOnce(&T) -> Result<(), SettingsFault>,
) -> Result<T, SettingsFault> {
    let missing = || SettingsFault::new(field, "is missing, and this target needs it").cure(cure);
    let part = part.ok_or_else(missing)?;
    check(part).map_err(|fault| fault.inside(field))?;
    Ok(part.clone())
}

/// Refuses `value` outside `least` to `most`.
///
/// # Errors
/// Names `field` and both ends.
pub fn within<T: Copy + PartialOrd + fmt::Display>(
    field: &str,
    value: T,
    least: T,
    most: T,
) -> Result<(), SettingsFault> {
    if least <= value && value <= most {
        return Ok(());
    }
    Err(SettingsFault::new(field, format!("is {value}; it must be {least} to {most}"))
        .cure(format!("write a number from {least} to {most}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_names_its_field_from_above() {
        let fault = within("resends", 11, 0, 10).unwrap_err().inside("http");
        assert_eq!(fault.field, "http.resends");
        assert_eq!(
            fault.to_string(),
            "`http.resends` is 11; it must be 0 to 10; write a number from 0 to 10"
        );
        assert_eq!(SettingsFault::new("", "x").inside("auth").field, "auth");
        assert_eq!(within("x", 10, 0, 10), Ok(()));
        assert_eq!(
            filled("by", " \t", "name a person").unwrap_err().to_string(),
            "`by` is empty; name a person"
        );
        assert_eq!(filled("by", "A", ""), Ok(()));
    }
}
