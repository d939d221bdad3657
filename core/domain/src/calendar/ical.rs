//! Holidays from an iCalendar file (RFC 5545): whole days with a name.
//!
//! Only what a list of holidays needs is read: `VEVENT` with `DTSTART`, `DTEND`
//! (exclusive) and `SUMMARY`. What could move or repeat a day is refused by name,
//! never skipped; what only describes it is left alone.

use jiff::{ToSpan as _, civil::Date};

/// One holiday.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holiday {
    /// First day.
    pub from: Date,
    /// Last day, inclusive.
    pub to: Date,
    /// What people call it.
    pub name: String,
}

/// Why a file is no list of holidays that we read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct IcalFault {
    /// Line, from 1.
    pub line: u64,
    /// Why.
    pub reason: String,
}

/// What would move or repeat a day in a way that is not read.
const REFUSED: [&str; 6] = ["RRULE", "RDATE", "EXDATE", "EXRULE", "RECURRENCE-ID", "DURATION"];

/// Reads the holidays of `text`, in the order of the file. Cancelled ones are left
/// out.
///
/// # Errors
/// The first line that can't be read, or the end of a file that breaks off.
pub fn holidays(text: &str) -> Result<Vec<Holiday>, IcalFault> {
    let mut found = Vec::new();
    let mut open: Vec<String> = Vec::new();
    let mut event = Event::default();
    let mut last = 1;
    for (line, content) in unfolded(text) {
        last = line;
        let Some((name, value)) = content.split_once(':') else {
            return fault(line, format!("`{content}` is no property: a name, a colon, a value"));
        };
        let mut parts = name.split(';');
        let name = parts.next().unwrap_or_default().to_ascii_uppercase();
        match name.as_str() {
            "BEGIN" => {
                if value.eq_ignore_ascii_case("VEVENT") {
                    if open.iter().any(|room| room == "VEVENT") {
                        let begun = event.line;
                        return fault(
                            line,
                            format!("an event begins inside the one of line {begun}"),
                        );
                    }
                    event = Event { line, ..Event::default() };
                }
                open.push(value.to_ascii_uppercase());
            }
            "END" => {
                if open.pop().is_none_or(|begun| !begun.eq_ignore_ascii_case(value)) {
                    return fault(line, format!("`{value}` ends and has not begun"));
                }
                if value.eq_ignore_ascii_case("VEVENT") {
                    found.extend(std::mem::take(&mut event).holiday()?);
                }
            }
            _ if open.last().is_some_and(|room| room == "VEVENT") => {
                event.property(line, &name, value)?;
            }
            _ => {}
        }
    }
    if let Some(room) = open.last() {
        return fault(last, format!("the file breaks off inside {room}"));
    }
    if found.is_empty() {
        return fault(last, "there is no holiday in it");
    }
    Ok(found)
}

fn fault<T>(line: u64, reason: impl Into<String>) -> Result<T, IcalFault> {
    Err(IcalFault { line, reason: reason.into() })
}

/// The lines of `text` with those that go on behind a space put together, each with
/// the number of its first.
fn unfolded(text: &str) -> Vec<(u64, String)> {
    let mut lines: Vec<(u64, String)> = Vec::new();
    for (number, line) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
        match (line.strip_prefix([' ', '\t']), lines.last_mut()) {
            (Some(rest), Some((_, before))) => before.push_str(rest),
            _ if line.trim().is_empty() => {}
            _ => lines.push((number, line.to_owned())),
        }
    }
    lines
}

/// An event as far as it was read.
#[derive(Debug, Default)]
struct Event {
    line: u64,
    start: Option<Date>,
    end: Option<Date>,
    name: Option<String>,
    cancelled: bool,
}

impl Event {
    fn property(&mut self, line: u64, name: &str, value: &str) -> Result<(), IcalFault> {
        match name {
            "DTSTART" => self.start = Some(day(line, value)?),
            "DTEND" => self.end = Some(day(line, value)?),
            "SUMMARY" => self.name = Some(unescaped(value)),
            "STATUS" => self.cancelled = value.eq_ignore_ascii_case("CANCELLED"),
            _ if REFUSED.contains(&name) => {
                let reason = format!(
                    "{name} is not read: export each holiday as an event of its own, with its dates"
                );
                return fault(line, reason);
            }
            _ => {}
        }
        Ok(())
    }

    fn holiday(self) -> Result<Option<Holiday>, IcalFault> {
        if self.cancelled {
            return Ok(None);
        }
        let Some(from) = self.start else {
            return fault(self.line, "an event without DTSTART");
        };
        let Some(name) = self.name.filter(|name| !name.trim().is_empty()) else {
            return fault(self.line, "an event without SUMMARY: nobody could say why it is closed");
        };
        let to = self.end.map_or(from, |end| end.saturating_sub(1.day()));
        if to < from {
            return fault(self.line, format!("`{name}` ends before it begins"));
        }
        Ok(Some(Holiday { from, to, name }))
    }
}

/// A whole day: `20261225`.
fn day(line: u64, value: &str) -> Result<Date, IcalFault> {
    let digits = value.len() == 8 && value.bytes().all(|byte| byte.is_ascii_digit());
    let number: Option<i32> = value.parse().ok().filter(|_| digits);
    let date = number.and_then(|number| {
        let small = |part: i32| i8::try_from(part).ok();
        let (month, day) = (small(number / 100 % 100)?, small(number % 100)?);
        Date::new(i16::try_from(number / 10_000).ok()?, month, day).ok()
    });
    date.map_or_else(
        || fault(line, format!("`{value}` is no whole day: a holiday is a date such as 20261225")),
        Ok,
    )
}

fn unescaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    let mut chars = value.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some('n' | 'N') => text.push(' '),
                Some(other) => text.push(other),
                None => {}
            },
            c => text.push(c),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn calendar(events: &str) -> String {
        format!("BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{events}END:VCALENDAR\r\n")
    }

    #[test]
    fn whole_days_with_their_names_are_read() {
        let text = calendar(
            "BEGIN:VEVENT\r\nUID:1\r\nDTSTART;VALUE=DATE:20261225\r\nDTEND;VALUE=DATE:20261227\r\n\
             SUMMARY:Christmas\\, both\r\n  days\r\nBEGIN:VALARM\r\nDURATION:PT1H\r\nEND:VALARM\r\n\
             END:VEVENT\r\nBEGIN:VEVENT\r\nDTSTART:20270101\r\nSUMMARY:New Year\r\nEND:VEVENT\r\n\
             BEGIN:VEVENT\r\nDTSTART:20270106\r\nSTATUS:CANCELLED\r\nEND:VEVENT\r\n",
        );
        let found = holidays(&text).unwrap();
        let said: Vec<String> =
            found.iter().map(|one| format!("{} {} {}", one.from, one.to, one.name)).collect();
        assert_eq!(
            said,
            ["2026-12-25 2026-12-26 Christmas, both days", "2027-01-01 2027-01-01 New Year"]
        );
    }

    #[test]
    fn what_is_not_understood_is_refused_with_its_line() {
        let event = |lines: &str| calendar(&format!("BEGIN:VEVENT\r\n{lines}END:VEVENT\r\n"));
        for (text, line, said) in [
            (event("DTSTART:20261225\r\nRRULE:FREQ=YEARLY\r\nSUMMARY:x\r\n"), 5, "RRULE"),
            (event("DTSTART:20261225T080000Z\r\nSUMMARY:x\r\n"), 4, "whole day"),
            (event("DTSTART:20261325\r\nSUMMARY:x\r\n"), 4, "whole day"),
            (event("SUMMARY:x\r\n"), 3, "DTSTART"),
            (event("DTSTART:20261225\r\n"), 3, "SUMMARY"),
            (event("DTSTART:20261225\r\nDTEND:20261224\r\nSUMMARY:x\r\n"), 3, "before it begins"),
            ("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n".to_owned(), 2, "breaks off"),
            (calendar(""), 3, "no holiday"),
            ("date;name\r\n".to_owned(), 1, "no property"),
            (event("BEGIN:VEVENT\r\n"), 4, "inside the one of line 3"),
            (event("BEGIN:VALARM\r\nBEGIN:vevent\r\n"), 5, "inside the one of line 3"),
        ] {
            let found = holidays(&text).unwrap_err();
            assert!(found.line == line && found.reason.contains(said), "{text}: {found}");
        }
    }

    /// Lines of which calendars are made, well or badly.
    const LINES: [&str; 9] = [
        "BEGIN:VCALENDAR",
        "BEGIN:VEVENT",
        "BEGIN:VALARM",
        "DTSTART:20261225",
        "DTEND:20261227",
        "SUMMARY:Christmas",
        "END:VALARM",
        "END:VEVENT",
        "END:VCALENDAR",
    ];

    proptest! {
        #[test]
        fn each_event_that_begins_is_a_holiday_or_a_fault_with_its_line(
            lines in prop::collection::vec(0..LINES.len(), 0..14),
            holiday in 0..14_usize,
        ) {
            let mut lines: Vec<&str> = lines.into_iter().map(|line| LINES[line]).collect();
            // Chance alone seldom makes a whole one.
            let at = holiday.min(lines.len());
            lines.splice(at..at, ["BEGIN:VEVENT", LINES[3], LINES[5], "END:VEVENT"]);
            let begun = lines.iter().filter(|line| **line == "BEGIN:VEVENT").count();
            match holidays(&lines.join("\r\n")) {
                Ok(found) => prop_assert_eq!(found.len(), begun, "{:?}", lines),
                Err(fault) => {
                    let inside = (1..=lines.len() as u64).contains(&fault.line);
                    prop_assert!(inside, "{fault}: {lines:?}");
                }
            }
        }
    }
}
