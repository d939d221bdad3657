//! What a named person decided about a target, and until when it holds.

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{SettingsFault, fault::filled};
use crate::{Class, ConnectorError};

/// A decision that somebody answers for. Without one, what it allows is not done.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Decision {
    /// Who decided.
    pub by: String,
    /// Why.
    pub reason: String,
    /// Last day on which the decision holds (UTC).
    #[schemars(with = "String")]
    pub until: Date,
}

impl Decision {
    /// Checks that somebody answers for it.
    ///
    /// # Errors
    /// Names the field that is empty.
    pub fn validate(&self) -> Result<(), SettingsFault> {
        const CURE: &str = "name person and reason: the decision is answered for";
        filled("by", &self.by, CURE)?;
        filled("reason", &self.reason, CURE)
    }

    /// Whether it holds as of `now`.
    #[must_use]
    pub fn holds(&self, now: Timestamp) -> bool {
        TimeZone::UTC.to_datetime(now).date() <= self.until
    }

    /// Asks it before `operation`.
    ///
    /// # Errors
    /// `Fatal`, and nothing taken, when it has ended; `field` is where the next one
    /// is written.
    pub fn ask(
        &self,
        now: Timestamp,
        operation: &'static str,
        field: &str,
    ) -> Result<(), ConnectorError> {
        if self.holds(now) {
            return Ok(());
        }
        let text = format!("the decision of {} held until {}", self.by, self.until);
        Err(ConnectorError::new(Class::Fatal, operation, text)
            .cure(format!("ask for a new one, and write it under `{field}`"))
            .took_nothing())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_decision_holds_through_its_last_day_and_somebody_answers_for_it() {
        let mut decision: Decision = serde_json::from_str(
            r#"{ "by": "A. Planner", "reason": "weekly cycle", "until": "2026-11-30" }"#,
        )
        .unwrap();
        decision.validate().unwrap();
        let ask = |at: &str| decision.ask(at.parse().unwrap(), "commit", "settings.commit");
        ask("2026-11-30T23:59:59Z").unwrap();
        let ended = ask("2026-12-01T00:00:00Z").unwrap_err();
        assert!(ended.took_nothing && ended.class == Class::Fatal, "{ended}");
        decision.by = " ".to_owned();
        assert_eq!(decision.validate().unwrap_err().field, "by");
    }
}
