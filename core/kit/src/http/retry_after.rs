//! How long a target asks us to wait (`Retry-After`, RFC 9110 section 10.2.3).

use std::time::Duration;

use http::{
    HeaderMap, HeaderValue,
    header::{DATE, RETRY_AFTER},
};
use jiff::Timestamp;

/// The longest wait that is believed. Who asks for more gets asked again after a
/// day: a year is a mistake of the far side, and would end deliveries unseen.
pub const LONGEST_WAIT: Duration = Duration::from_secs(24 * 3_600);

/// Headers in which some services say the same in milliseconds, the most exact first.
const IN_MILLISECONDS: [&str; 2] = ["x-ms-retry-after-ms", "retry-after-ms"];

/// The wait that `headers` ask for, counted from `now`, at which they arrived.
///
/// A date is compared with the answer's own `Date`, so that two clocks that
/// disagree can't shorten the wait; without `Date` ours has to do. `None` when
/// nothing is asked for, or nothing that can be understood; never above
/// [`LONGEST_WAIT`].
#[must_use]
pub fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    asked_for(headers, now).map(|wait| wait.min(LONGEST_WAIT))
}

fn asked_for(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    if let Some(millis) = IN_MILLISECONDS.iter().find_map(|name| number(headers.get(*name)?)) {
        return Some(seconds(millis / 1e3));
    }
    let asked = headers.get(RETRY_AFTER)?;
    if let Some(wait) = number(asked) {
        return Some(seconds(wait));
    }
    let until = date(asked.to_str().ok()?)?;
    let sent = headers.get(DATE).map(HeaderValue::to_str).and_then(Result::ok).and_then(date);
    Some(Duration::try_from(until.duration_since(sent.unwrap_or(now))).unwrap_or(Duration::ZERO))
}

/// A number without a sign, with or without a fraction.
fn number(value: &HeaderValue) -> Option<f64> {
    let text = value.to_str().ok()?.trim();
    let (whole, fraction) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if digits(whole) && digits(fraction) { text.parse().ok() } else { None }
}

/// More seconds than fit are still "very long", not "nothing".
fn seconds(wait: f64) -> Duration {
    Duration::try_from_secs_f64(wait).unwrap_or(Duration::MAX)
}

/// An IMF-fixdate: `Sun, 06 Nov 1994 08:49:37 GMT`.
pub(super) fn date(text: &str) -> Option<Timestamp> {
    let local = text.trim().strip_suffix(" GMT")?;
    jiff::fmt::rfc2822::parse(&format!("{local} +0000")).ok().map(|zoned| zoned.timestamp())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn asked(retry: &str, date: Option<&str>) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(RETRY_AFTER, retry.parse().unwrap());
        date.map(|date| headers.insert(DATE, date.parse().unwrap()));
        let now = "2026-11-22T10:00:00Z".parse().unwrap();
        retry_after(&headers, now).map(|wait| wait.as_secs())
    }

    #[test]
    fn seconds() {
        assert_eq!(asked("120", None), Some(120));
        assert_eq!(asked(" 0 ", None), Some(0));
        assert_eq!(asked("99999999999999999999999", None), Some(86_400), "a day at most");
        for odd in ["-1", "1.", ".5", "1.5.2", "1e3", "soon", "", "12s", "NaN", "inf"] {
            assert_eq!(asked(odd, None), None, "{odd}");
        }
    }

    #[test]
    fn fractions_and_milliseconds() {
        let exact = |pairs: &[(&'static str, &str)]| {
            let mut headers = HeaderMap::new();
            for (name, value) in pairs {
                headers.insert(*name, value.parse().unwrap());
            }
            retry_after(&headers, Timestamp::UNIX_EPOCH)
        };
        assert_eq!(exact(&[("retry-after", "1.5")]), Some(Duration::from_millis(1_500)));
        let both = [("retry-after", "2"), ("retry-after-ms", "1200")];
        assert_eq!(exact(&both), Some(Duration::from_millis(1_200)));
        let odd = [("retry-after", "2"), ("x-ms-retry-after-ms", "soon")];
        assert_eq!(exact(&odd), Some(Duration::from_secs(2)));
        assert_eq!(exact(&[("retry-after-ms", "86400001")]), Some(LONGEST_WAIT));
    }

    #[test]
    fn a_date_counts_from_now_or_from_the_targets_own_now() {
        let until = "Sun, 22 Nov 2026 10:02:00 GMT";
        assert_eq!(asked(until, None), Some(120));
        assert_eq!(asked(until, Some("Sun, 22 Nov 2026 10:01:30 GMT")), Some(30));
        // The target's clock is an hour behind ours: the wait is the same.
        let behind = "Sun, 22 Nov 2026 09:02:00 GMT";
        assert_eq!(asked(behind, Some("Sun, 22 Nov 2026 09:00:00 GMT")), Some(120));
        assert_eq!(asked(behind, None), Some(0), "past");
        assert_eq!(asked("Mon, 22 Nov 2026 10:02:00 GMT", None), None, "wrong weekday");
        assert_eq!(asked("2026-11-22T10:02:00Z", None), None, "another format");
    }

    #[test]
    fn no_header_asks_for_nothing() {
        assert_eq!(retry_after(&HeaderMap::new(), Timestamp::UNIX_EPOCH), None);
    }

    proptest! {
        #[test]
        fn no_text_breaks_it(text in "[ -~]{0,40}") {
            let _ = asked(&text, Some(&text));
        }

        #[test]
        fn every_fixdate_is_read(wait in 0_i64..10_000_000) {
            let now: Timestamp = "2026-11-22T10:00:00Z".parse().unwrap();
            let until = now + jiff::SignedDuration::from_secs(wait);
            let text = until.strftime("%a, %d %b %Y %H:%M:%S GMT").to_string();
            prop_assert_eq!(asked(&text, None), Some(wait.unsigned_abs().min(86_400)));
        }
    }
}
