//! What is under way, in one line: for the last line of a terminal, or a log.

use jiff::{SignedDuration, Timestamp};

use super::text_table::{count, fitting, visible};
use crate::pipeline::Doing;

/// One line about everything in `doing`, at most `width` columns.
#[must_use]
pub fn line(doing: &[Doing], now: Timestamp, width: usize) -> String {
    let parts: Vec<String> = doing.iter().map(|one| part(one, now)).collect();
    fitting(&visible(&parts.join("; ")).replace(['\n', '\t'], " "), width)
}

/// `ibp: sending, batch 3 of 12, 4 min of about 9 min, the import runs`.
#[must_use]
pub fn part(doing: &Doing, now: Timestamp) -> String {
    let who = if doing.who.is_empty() { String::new() } else { format!("{}: ", doing.who) };
    let mut words = vec![format!("{who}{}", doing.what)];
    if let Some(steps) = &doing.steps {
        words.push(match steps.of {
            Some(of) => format!("{} {} of {of}", steps.unit, steps.at),
            None => count(steps.at, steps.unit),
        });
    }
    let so_far = now.duration_since(doing.since);
    words.push(match doing.expected_ms {
        Some(ms) => {
            let all = SignedDuration::from_millis(i64::try_from(ms).unwrap_or(i64::MAX));
            format!("{} of about {}", elapsed(so_far), elapsed(all))
        }
        None => elapsed(so_far),
    });
    if !doing.note.is_empty() {
        words.push(doing.note.clone());
    }
    words.join(", ")
}

/// How long it takes already.
fn elapsed(time: SignedDuration) -> String {
    let seconds = time.max(SignedDuration::ZERO).as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        _ => format!("{} h {} min", seconds / 3_600, seconds / 60 % 60),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pipeline::Steps;

    fn doing(who: &str, what: &'static str) -> Doing {
        let since = Timestamp::UNIX_EPOCH;
        let (who, note) = (who.to_owned(), String::new());
        Doing { who, what, since, steps: None, expected_ms: None, note }
    }

    fn after(seconds: i64) -> Timestamp {
        Timestamp::UNIX_EPOCH + SignedDuration::from_secs(seconds)
    }

    #[test]
    fn it_says_who_does_what_how_far_and_how_long() {
        let mut push = doing("ibp", "sending");
        push.steps = Some(Steps { at: 3, of: Some(12), unit: "batch" });
        push.expected_ms = Some(540_900);
        push.note = "the import runs".to_owned();
        let said = line(&[push], after(270), 200);
        let whole = "ibp: sending, batch 3 of 12, 4 min of about 9 min, the import runs";
        assert_eq!(said, whole);
        let mut files = doing("", "reading the files");
        files.steps = Some(Steps { at: 5_000, of: None, unit: "record" });
        let both = [files, doing("o9", "reading back")];
        let said = line(&both, after(9), 200);
        assert_eq!(said, "reading the files, 5000 records, 9 s; o9: reading back, 9 s");
        assert_eq!(line(&both, after(8_000), 200).matches("2 h 13 min").count(), 2);
    }

    #[test]
    fn it_stays_in_its_line_whatever_a_target_is_called_or_says() {
        let mut hostile = doing("ibp\u{1b}[2J\n", "sending");
        hostile.note = "x\r\n".repeat(100);
        for width in [1, 20, 79] {
            let said = line(&[hostile.clone(), hostile.clone()], after(1), width);
            assert!(said.chars().count() <= width, "{said:?}");
            assert!(!said.contains(char::is_control), "{said:?}");
        }
        // A clock that was set back.
        assert!(line(&[doing("", "x")], after(-50), 80).ends_with("0 s"));
        assert_eq!(line(&[], after(0), 80), "");
    }
}
