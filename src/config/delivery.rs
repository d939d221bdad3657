//! How often, how long, and in which steps a target is written to.

use std::time::Duration;

use planthread_kit::{Backoff, BreakerPolicy, PushPolicy};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Limits of a push. A batch is submitted, and the target's job is asked for
/// until it ends; nothing is lost when a limit is reached.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct DeliverySettings {
    /// Most attempts of one batch. After them the target is left alone until
    /// the next cycle.
    #[schemars(range(min = 1, max = 20))]
    pub attempts: u32,
    /// Minutes for one batch with all its attempts: no new attempt starts after
    /// them.
    #[schemars(range(min = 1, max = 10_080))]
    pub budget_minutes: u32,
    /// Seconds between two questions about a job of the target.
    #[schemars(range(min = 1, max = 3_600))]
    pub poll_every_seconds: u32,
    /// Minutes for which one job is waited for in one go. A job that takes
    /// longer stays open, and is asked for again by the next cycle.
    #[schemars(range(min = 1, max = 10_080))]
    pub wait_limit_minutes: u32,
    /// Minutes until the target has all of a batch. Batches are cut so that
    /// they stay far below it.
    #[schemars(range(min = 1, max = 1_440))]
    pub submit_limit_minutes: u32,
    /// Batches that are out at once, each a job of its own at the target, over
    /// disjoint cells. No more than the connector says that its target takes.
    #[schemars(range(min = 1, max = 16))]
    pub side_by_side: u32,
    /// Failures in a row of one operation (read, write, poll) after which the
    /// target is left alone.
    #[schemars(range(min = 1, max = 100))]
    pub leave_alone_after: u32,
    /// Seconds for which it is left alone; then one request finds out whether it
    /// is back.
    #[schemars(range(min = 1, max = 3_600))]
    pub leave_alone_seconds: u32,
}

impl Default for DeliverySettings {
    fn default() -> Self {
        Self {
            attempts: 4,
            budget_minutes: 60,
            poll_every_seconds: 3,
            wait_limit_minutes: 30,
            submit_limit_minutes: 30,
            side_by_side: 1,
            leave_alone_after: 5,
            leave_alone_seconds: 60,
        }
    }
}

impl DeliverySettings {
    /// What the push stack keeps to.
    #[must_use]
    pub fn push_policy(&self) -> PushPolicy {
        let minutes = |count: u32| Duration::from_mins(u64::from(count.max(1)));
        PushPolicy {
            attempts: self.attempts.max(1),
            backoff: Backoff { base: Duration::from_secs(2), cap: Duration::from_secs(60) },
            submit_limit: minutes(self.submit_limit_minutes),
            budget: minutes(self.budget_minutes),
            poll_every: Duration::from_secs(u64::from(self.poll_every_seconds.max(1))),
            wait_limit: minutes(self.wait_limit_minutes),
            ..PushPolicy::default()
        }
    }

    /// When the target is left alone, and for how long.
    #[must_use]
    pub fn breaker_policy(&self) -> BreakerPolicy {
        let open_for = Duration::from_secs(u64::from(self.leave_alone_seconds.max(1)));
        BreakerPolicy { failures: self.leave_alone_after.max(1), open_for }
    }

    /// The longest time of one batch, from its first request to the end of its
    /// job: batches are cut by it.
    #[must_use]
    pub fn batch_limit(&self) -> Duration {
        let policy = self.push_policy();
        policy.submit_limit.min(policy.wait_limit)
    }

    /// Batches that are out at once.
    #[must_use]
    pub fn side_by_side(&self) -> usize {
        usize::try_from(self.side_by_side).unwrap_or(1).max(1)
    }

    /// Fields that are out of reach: name, value, bounds, cure.
    pub(super) fn out_of_reach(&self) -> Vec<(&'static str, u32, u32, &'static str)> {
        let fields = [
            ("attempts", self.attempts, 20, "write how often a batch is tried, 4 by default"),
            (
                "budget_minutes",
                self.budget_minutes,
                10_080,
                "write the minutes for one batch with all its attempts, 60 by default",
            ),
            (
                "poll_every_seconds",
                self.poll_every_seconds,
                3_600,
                "write the seconds between two questions about a job, 3 by default",
            ),
            (
                "wait_limit_minutes",
                self.wait_limit_minutes,
                10_080,
                "write the minutes for which a job is waited for in one go, 30 by default",
            ),
            (
                "submit_limit_minutes",
                self.submit_limit_minutes,
                1_440,
                "write the minutes in which a target must have taken a batch, 30 by default",
            ),
            (
                "side_by_side",
                self.side_by_side,
                16,
                "write how many batches go at once, 1 by default",
            ),
            (
                "leave_alone_after",
                self.leave_alone_after,
                100,
                "write after how many failures in a row it is left alone, 5 by default",
            ),
            (
                "leave_alone_seconds",
                self.leave_alone_seconds,
                3_600,
                "write the seconds for which it is left alone, 60 by default",
            ),
        ];
        fields.into_iter().filter(|(_, value, most, _)| !(1..=*most).contains(value)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_is_that_of_the_push_stack_and_the_breaker() {
        let delivery = DeliverySettings::default();
        assert_eq!(delivery.push_policy(), PushPolicy::default());
        assert_eq!(delivery.breaker_policy(), BreakerPolicy::default());
    }

    #[test]
    fn every_number_out_of_reach_is_named() {
        assert!(DeliverySettings::default().out_of_reach().is_empty());
        let never = DeliverySettings {
            attempts: 0,
            budget_minutes: 0,
            poll_every_seconds: 0,
            wait_limit_minutes: 20_000,
            submit_limit_minutes: 0,
            side_by_side: 17,
            leave_alone_after: 0,
            leave_alone_seconds: 3_601,
        };
        let fields: Vec<&str> = never.out_of_reach().iter().map(|found| found.0).collect();
        assert_eq!(
            fields,
            [
                "attempts",
                "budget_minutes",
                "poll_every_seconds",
                "wait_limit_minutes",
                "submit_limit_minutes",
                "side_by_side",
                "leave_alone_after",
                "leave_alone_seconds"
            ]
        );
    }
}
