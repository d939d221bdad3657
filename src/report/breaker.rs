//! What is not asked of a target because it was down, as people read it.

use jiff::Timestamp;
use planthread_kit::{BreakerPolicy, BreakerStanding, Operation, breaker::Kept};
use schemars::JsonSchema;
use serde::Serialize;

use super::text_table::{TextTable, Tone, count, instant};

/// The breaker of one operation of a target.
#[derive(Debug, Serialize, JsonSchema)]
pub struct BreakerLine {
    /// The configured target.
    pub target: String,
    /// What is asked of it: read, write, poll.
    pub operation: &'static str,
    /// How the breaker stands: closed, open, half_open.
    pub standing: &'static str,
    /// How often in a row the target was down when it was asked.
    pub failures: u32,
    /// Until when it is left alone; past that one request finds out. None while closed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Timestamp>,
}

impl BreakerLine {
    /// How a breaker that was kept for an operation of a target counts at `now` by
    /// `policy`; none where nothing failed.
    #[must_use]
    pub fn of(
        (target, operation): (&str, Operation),
        kept: Kept,
        policy: &BreakerPolicy,
        now: Timestamp,
    ) -> Option<Self> {
        let Kept { failures, open_until: until } = kept.judged(now, policy);
        let (operation, standing) = (operation.word(), kept.standing(now).word());
        let target = target.to_owned();
        (kept != Kept::default()).then_some(Self { target, operation, standing, failures, until })
    }

    /// Its line, where it is not closed.
    pub(super) fn write(&self, text_table: &mut TextTable) {
        let Some(until) = self.until else { return };
        let Self { target, operation, .. } = self;
        let times = count(usize::try_from(self.failures).unwrap_or(usize::MAX), "time");
        let left = if self.standing == BreakerStanding::Open.word() {
            format!("left alone until {}", instant(until))
        } else {
            "the next try finds out whether it is back".to_owned()
        };
        let words = text_table.tint(Tone::Warn, "was down");
        text_table.line(format!("  {target} {words} {times} in a row ({operation}): {left}"));
    }
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::*;

    #[test]
    fn it_says_until_when_and_what_then_and_nothing_where_all_is_well() {
        let at = |second| Timestamp::UNIX_EPOCH + SignedDuration::from_secs(second);
        let (ibp, policy) = (("ibp", Operation::Write), BreakerPolicy::default());
        let told = |kept, now| {
            let mut text_table = TextTable::new(false);
            BreakerLine::of(ibp, kept, &policy, at(now))?.write(&mut text_table);
            Some(text_table.into_text())
        };
        let open = Kept { failures: 5, open_until: Some(at(60)) };
        assert_eq!(
            told(open, 0).unwrap(),
            "  ibp was down 5 times in a row (write): left alone until 1970-01-01 00:01:00Z\n"
        );
        assert!(told(open, 60).unwrap().ends_with("the next try finds out whether it is back\n"));
        let counted = Kept { failures: 1, open_until: None };
        assert_eq!((told(counted, 0).as_deref(), told(Kept::default(), 0)), (Some(""), None));
        // The clock was set back by a year: it is not waited for.
        let line = BreakerLine::of(ibp, open, &policy, at(-31_000_000)).unwrap();
        assert_eq!(line.until, Some(at(-31_000_000 + 60)));
    }
}
