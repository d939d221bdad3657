//! Jobs that move on with the instant: queued, running, ended.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// One job. It is open until it is queued.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Job {
    /// When it starts and ends, once queued.
    times: Option<(Timestamp, Timestamp)>,
    ended: bool,
}

/// How far a job is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Not queued yet.
    Open,
    /// Queued, not started.
    Queued,
    /// Started.
    Running,
    /// Carried out.
    Ended,
}

impl Job {
    /// Queues it: it starts and ends after these times. A second time changes
    /// nothing.
    pub fn queue(&mut self, at: Timestamp, starts: Duration, ends: Duration) {
        self.times.get_or_insert((later(at, starts), later(at, ends.max(starts))));
    }

    /// Whether it was queued.
    #[must_use]
    pub(crate) const fn is_queued(&self) -> bool {
        self.times.is_some()
    }

    /// The end of a job that is due and was not carried out.
    #[must_use]
    pub fn due(&self, at: Timestamp) -> Option<Timestamp> {
        let (_, ends) = self.times?;
        (!self.ended && ends <= at).then_some(ends)
    }

    /// Says that it was carried out.
    pub const fn end(&mut self) {
        self.ended = true;
    }

    /// How far it is.
    #[must_use]
    pub fn stage(&self, at: Timestamp) -> Stage {
        match self.times {
            _ if self.ended => Stage::Ended,
            Some((starts, _)) if at >= starts => Stage::Running,
            Some(_) => Stage::Queued,
            None => Stage::Open,
        }
    }
}

/// The jobs that are due by `at`, in the order of their ends.
pub fn due<K: Ord>(at: Timestamp, jobs: impl Iterator<Item = (K, Job)>) -> Vec<(Timestamp, K)> {
    let mut due: Vec<_> = jobs.filter_map(|(key, job)| Some((job.due(at)?, key))).collect();
    due.sort();
    due
}

fn later(at: Timestamp, more: Duration) -> Timestamp {
    let more = SignedDuration::try_from(more).unwrap_or(SignedDuration::MAX);
    at.checked_add(more).unwrap_or(Timestamp::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn jobs_end_in_the_order_of_their_ends() {
        let queued = |second: i64, takes: u64| {
            let mut job = Job::default();
            job.queue(at(second), Duration::from_secs(1), Duration::from_secs(takes));
            job
        };
        let jobs = [("late", queued(0, 9)), ("early", queued(2, 3)), ("open", Job::default())];
        assert_eq!(due(at(4), jobs.into_iter()), []);
        assert_eq!(due(at(9), jobs.into_iter()), [(at(5), "early"), (at(9), "late")]);
    }

    #[test]
    fn a_job_is_queued_once_and_carried_out_once() {
        let mut job = Job::default();
        assert_eq!(job.stage(at(0)), Stage::Open);
        job.queue(at(0), Duration::from_secs(1), Duration::from_secs(2));
        job.queue(at(5), Duration::from_secs(1), Duration::from_secs(2));
        assert_eq!((job.stage(at(0)), job.stage(at(1))), (Stage::Queued, Stage::Running));
        assert_eq!(job.due(at(2)), Some(at(2)));
        job.end();
        assert_eq!((job.due(at(9)), job.stage(at(9))), (None, Stage::Ended));
    }
}
