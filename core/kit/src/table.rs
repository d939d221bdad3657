//! The one table: what each class of error leads to.

use std::time::Duration;

use crate::{Class, Sent};

/// How a failed push goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// A new attempt after a backoff.
    AfterBackoff,
    /// Ask first what became of the attempt.
    AfterSettle,
    /// A new attempt after the time that the target asked for.
    AfterWait(Duration),
    /// With the next walk: no wait of this one brings what is missing.
    NextWalk,
    /// A person has to act first.
    Never,
}

/// One row of the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Treatment {
    /// How the push goes on.
    pub retry: Retry,
    /// Whether the breaker counts it.
    pub counts_on_breaker: bool,
    /// Exit code of a command that ends with it: 1 findings, 2 configuration,
    /// 3 come back later, 70 internal.
    pub exit_code: u8,
}

/// The row of `class`. Rejected rows are no class: they are data.
#[must_use]
pub const fn treatment(class: Class) -> Treatment {
    match class {
        Class::Transient { sent: Sent::No } => {
            Treatment { retry: Retry::AfterBackoff, counts_on_breaker: true, exit_code: 3 }
        }
        Class::Transient { sent: Sent::Maybe } => {
            Treatment { retry: Retry::AfterSettle, counts_on_breaker: true, exit_code: 3 }
        }
        Class::Throttled { after } => {
            Treatment { retry: Retry::AfterWait(after), counts_on_breaker: false, exit_code: 3 }
        }
        Class::NotYet => {
            Treatment { retry: Retry::NextWalk, counts_on_breaker: false, exit_code: 3 }
        }
        // Credentials and rights are configuration, on one side or the other.
        Class::Auth => stopped(2),
        // The target changed: a finding for its owner.
        Class::Drift => stopped(1),
        Class::Fatal => stopped(70),
    }
}

const fn stopped(exit_code: u8) -> Treatment {
    Treatment { retry: Retry::Never, counts_on_breaker: false, exit_code }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_transient_errors_open_the_breaker() {
        let after = Duration::from_secs(9);
        let rows = [
            (Class::Transient { sent: Sent::No }, Retry::AfterBackoff, true, 3),
            (Class::Transient { sent: Sent::Maybe }, Retry::AfterSettle, true, 3),
            (Class::Throttled { after }, Retry::AfterWait(after), false, 3),
            (Class::NotYet, Retry::NextWalk, false, 3),
            (Class::Auth, Retry::Never, false, 2),
            (Class::Drift, Retry::Never, false, 1),
            (Class::Fatal, Retry::Never, false, 70),
        ];
        for (class, retry, counts, exit_code) in rows {
            let row = treatment(class);
            assert_eq!(
                (row.retry, row.counts_on_breaker, row.exit_code),
                (retry, counts, exit_code)
            );
        }
    }
}
