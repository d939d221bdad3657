//! Tokens that a sandbox hands out, and until when they are good.

use std::{collections::BTreeMap, time::Duration};

use jiff::{SignedDuration, Timestamp};

use super::web::digest;

/// Tokens that were handed out.
#[derive(Debug, Default)]
pub struct Tokens {
    ends: BTreeMap<String, Timestamp>,
    count: u64,
}

impl Tokens {
    /// A new token, and the instant at which it ends.
    pub fn issue(&mut self, at: Timestamp, life: Duration) -> (String, Timestamp) {
        self.count += 1;
        let token = digest(format!("token/{}", self.count));
        let life = SignedDuration::try_from(life).unwrap_or(SignedDuration::MAX);
        let end = at.checked_add(life).unwrap_or(Timestamp::MAX);
        self.ends.insert(token.clone(), end);
        (token, end)
    }

    /// Whether a token is good.
    #[must_use]
    pub(crate) fn is_good(&self, at: Timestamp, token: &str) -> bool {
        self.ends.get(token).is_some_and(|end| at < *end)
    }

    /// Whether any token is good.
    #[must_use]
    pub(crate) fn any_good(&self, at: Timestamp) -> bool {
        self.ends.values().any(|end| at < *end)
    }

    /// Forgets every token.
    pub fn clear(&mut self) {
        self.ends.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_good_until_its_end() {
        let (mut tokens, start) = (Tokens::default(), Timestamp::UNIX_EPOCH);
        let (token, end) = tokens.issue(start, Duration::from_secs(10));
        assert_ne!(token, tokens.issue(start, Duration::from_secs(5)).0, "no token comes twice");
        let before = end.saturating_sub(SignedDuration::from_nanos(1)).unwrap();
        assert!(tokens.is_good(before, &token) && tokens.any_good(before));
        assert!(!tokens.is_good(end, &token) && !tokens.any_good(end));
        assert!(!tokens.is_good(start, "other"));
        tokens.clear();
        assert!(!tokens.is_good(start, &token));
        assert_eq!(tokens.issue(start, Duration::MAX).1, Timestamp::MAX);
    }
}
