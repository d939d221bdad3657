//! The one place that prints. Nothing passes that is a secret of ours.

use std::{
    io::{self, IsTerminal as _, Write as _},
    sync::{Mutex, MutexGuard, PoisonError},
};

use jiff::Timestamp;
use planthread_kit::Masked;
use serde::Serialize;
use serde_json::Map;

use super::{
    log::{self, Weight},
    outputs::{Stopped, json_of},
};
use crate::{
    failure::{Exit, Failure},
    report::{
        TextTable, View,
        text_table::{time, visible},
    },
};

/// Where and how answers are shown.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// One JSON document instead of text.
    pub json: bool,
    /// Colours allowed: a terminal, and `NO_COLOR` is not set.
    pub colour: bool,
}

impl Screen {
    /// A screen for this process.
    #[must_use]
    pub fn of_process(json: bool) -> Self {
        let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
        Self { json, colour: wanted && !json && io::stdout().is_terminal() }
    }

    /// Shows `view` and says how the program ends.
    ///
    /// # Errors
    /// When standard output is gone.
    pub fn show<V: View>(&self, view: &V) -> Result<Exit, Failure> {
        if self.json {
            self.line(json_of(view))?;
        } else {
            self.text(|text_table| view.write(text_table))?;
        }
        Ok(view.exit())
    }

    /// What `write` says, as text for people.
    ///
    /// # Errors
    /// When standard output is gone.
    pub fn text(&self, write: impl FnOnce(&mut TextTable)) -> Result<(), Failure> {
        let mut text_table = TextTable::new(self.colour);
        write(&mut text_table);
        self.raw(text_table.into_text().as_bytes())
    }

    /// One event on one line: it has a contract of its own.
    ///
    /// # Errors
    /// When standard output is gone.
    pub fn event<T: Serialize>(&self, event: &T) -> Result<(), Failure> {
        self.line(serde_json::to_string(event))
    }

    fn line(&self, json: serde_json::Result<String>) -> Result<(), Failure> {
        let text =
            json.map_err(|error| Failure::internal(format!("can't write the answer: {error}")))?;
        self.raw(format!("{}\n", json_visible(&text)).as_bytes())
    }

    /// A line of text for people, as it happens; silent under `--json`.
    ///
    /// # Errors
    /// When standard output is gone.
    pub fn say(&self, text: &str) -> Result<(), Failure> {
        if log::told(Weight::Info, "", text, Map::new()) {
            return Ok(());
        }
        if self.json { Ok(()) } else { self.raw(format!("{}\n", visible(text)).as_bytes()) }
    }

    /// Tells what happened to `target` in a verb that goes on: its answer, or a line of
    /// the log in place of text for people.
    ///
    /// # Errors
    /// When standard output is gone.
    pub(super) fn tell<V: View>(&self, target: &str, view: &V) -> Result<Exit, Failure> {
        let mut text_table = TextTable::new(false);
        view.write(&mut text_table);
        let (text, exit) = (text_table.into_text(), view.exit());
        let weight = if exit == Exit::Ok { Weight::Info } else { Weight::Warn };
        if !self.json && log::told(weight, target, text.trim(), Map::new()) {
            return Ok(exit);
        }
        self.show(view)
    }

    /// When something happened, where the line itself does not say it.
    #[must_use]
    pub(super) fn stamp(&self, now: Timestamp) -> Option<Timestamp> {
        (self.json || !log::is_json()).then_some(now)
    }

    /// A remark about `target` on standard error.
    pub(super) fn warn(&self, target: &str, at: Option<Timestamp>, text: &str) {
        if !log::told(Weight::Warn, target, text, Map::new()) {
            remark(&format!("note: {}{target}: {text}", time(at)));
        }
    }

    /// A remark on standard error, which never mixes with the answer.
    pub fn note(&self, text: &str) {
        if !log::told(Weight::Warn, "", text, Map::new()) {
            remark(&format!("note: {text}"));
        }
    }

    /// Bytes as they are.
    ///
    /// # Errors
    /// When standard output is gone.
    pub fn raw(&self, bytes: &[u8]) -> Result<(), Failure> {
        let _line = wiped();
        let mut out = Masked(io::stdout().lock());
        match out.write_all(bytes).and_then(|()| out.flush()) {
            // `planthread status | head` is no error.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            printed => printed.map_err(|error| unprinted(&error)),
        }
    }

    /// Shows why a verb stopped, on standard error, and when, where it goes on.
    pub fn fail(&self, failure: &Failure, at: Option<Timestamp>) {
        let more = serde_json::to_value(failure).unwrap_or_default();
        let mut more = more.as_object().cloned().unwrap_or_default();
        more.remove("message");
        if log::told(Weight::Error, "", &failure.message, more) {
            return;
        }
        let stopped = Stopped { at, error: failure };
        let text = if self.json {
            json_visible(&json_of(&stopped).unwrap_or_default()) + "\n"
        } else {
            let mut text_table = TextTable::new(self.colour && io::stderr().is_terminal());
            stopped.write(&mut text_table);
            text_table.into_text()
        };
        let _line = wiped();
        let _ = errors().write_all(text.as_bytes());
    }
}

/// Standard error, for remarks, failures and traces: each is handed over whole.
#[must_use]
pub fn errors() -> Masked<io::Stderr> {
    Masked(io::stderr())
}

/// Whether the last line of the terminal is the one that moves. A process has one
/// terminal, whatever has many screens.
static MOVING: Mutex<bool> = Mutex::new(false);

/// Begins the line anew and wipes off what stood there.
const WIPE: &str = "\r\u{1b}[2K";

/// Takes the moving line away, so that something can be printed; it stays away as
/// long as the guard lives.
fn wiped() -> MutexGuard<'static, bool> {
    let mut moving = MOVING.lock().unwrap_or_else(PoisonError::into_inner);
    if std::mem::take(&mut *moving) {
        let _ = write!(io::stderr(), "{WIPE}");
    }
    moving
}

/// Shows `text` as the line that moves, on a terminal's standard error. It is
/// never obeyed: whoever made it has taken the controls out.
pub(super) fn moving(text: &str) {
    let mut moving = wiped();
    if !text.is_empty() {
        *moving = true;
        let mut stderr = errors();
        let _ = stderr.write_all(text.as_bytes()).and_then(|()| stderr.flush());
    }
}

/// A line on standard error.
pub(super) fn remark(text: &str) {
    if log::told(Weight::Info, "", text, Map::new()) {
        return;
    }
    let _line = wiped();
    // Nobody to tell when standard error is gone.
    let _ = errors().write_all(format!("{}\n", visible(text)).as_bytes());
}

/// JSON escapes the old controls by itself; a terminal obeys the others, too.
pub(super) fn json_visible(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if ('\u{7f}'..='\u{9f}').contains(&c) {
            shown.push_str(&format!("\\u{:04x}", u32::from(c)));
        } else {
            shown.push(c);
        }
    }
    shown
}

/// Where the answer goes is somebody's disk or pipe, and none of our fault.
fn unprinted(error: &io::Error) -> Failure {
    Failure::new(Exit::Transient, format!("can't print the answer: {error}"))
        .cure("make room where the output goes, or send it elsewhere; then run this again")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_says_the_same_without_a_control_that_a_terminal_obeys() {
        let text = serde_json::json!({ "a": "\u{9b}31m\u{1b}[0m\u{7f}é" }).to_string();
        let shown = json_visible(&text);
        assert!(!shown.contains(char::is_control), "{shown:?}");
        let value = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(value(&shown), value(&text));
    }

    #[test]
    fn a_full_disk_behind_the_output_is_no_fault_of_ours() {
        let failure = unprinted(&io::Error::from(io::ErrorKind::StorageFull));
        assert_eq!(failure.exit, Exit::Transient);
        assert!(failure.cure.contains("make room"), "{failure}");
    }
}
