//! What a view is written on: text with aligned tables, colour only for eyes.
//!
//! Texts of vendors and records stand on it, and a terminal obeys what it is
//! shown. So control characters are written as what they are, and the only ones
//! that reach the terminal are our own colours, which nobody else can spell.

use std::{
    borrow::Cow,
    fmt::Write as _,
    hash::{BuildHasher as _, RandomState},
    sync::LazyLock,
};

use jiff::Timestamp;
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

/// How far a word should catch the eye.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it should be.
    Good,
    /// Look here.
    Warn,
    /// Wrong.
    Bad,
    /// Background.
    Dim,
    /// A heading.
    Bold,
}

/// Text under construction.
#[derive(Debug, Default)]
pub struct TextTable {
    text: String,
    colour: bool,
}

impl TextTable {
    /// Empty text_table; `colour` allows ANSI colours.
    #[must_use]
    pub const fn new(colour: bool) -> Self {
        Self { text: String::new(), colour }
    }

    /// Writes one line; what a terminal would obey is shown instead.
    pub fn line(&mut self, text: impl AsRef<str>) -> &mut Self {
        let mut parts = text.as_ref().trim_end().split(OURS.as_str());
        self.text.push_str(&visible(parts.next().unwrap_or_default()));
        for part in parts {
            let (code, rest) = part.split_once('m').unwrap_or((part, ""));
            // Writing to a string cannot fail.
            let _ = write!(self.text, "\u{1b}[{code}m{}", visible(rest));
        }
        self.text.push('\n');
        self
    }

    /// `text` in `tone`, for a line; as it is where colours are off.
    #[must_use]
    pub fn tint(&self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Good => 32,
            Tone::Warn => 33,
            Tone::Bad => 31,
            Tone::Dim => 2,
            Tone::Bold => 1,
        };
        let ours = OURS.as_str();
        if self.colour { format!("{ours}{code}m{text}{ours}0m") } else { text.to_owned() }
    }

    /// Writes `head` and `rows` in aligned columns. Columns of numbers stand
    /// to the right.
    pub fn table<const N: usize>(&mut self, head: [&str; N], rows: &[[String; N]]) -> &mut Self {
        let rows: Vec<[String; N]> =
            rows.iter().map(|row| row.each_ref().map(|cell| in_one_line(cell))).collect();
        let width = |at: usize| {
            let cells = rows.iter().map(|row| row[at].width());
            cells.chain([head[at].width()]).max().unwrap_or(0)
        };
        let widths: [usize; N] = std::array::from_fn(width);
        let right: [bool; N] = std::array::from_fn(|at| {
            !rows.is_empty() && rows.iter().all(|row| is_number(&row[at]))
        });
        let heading = aligned(&head.map(str::to_owned), &widths, &right);
        let heading = self.tint(Tone::Bold, heading.trim_end());
        self.line(format!("  {heading}"));
        for row in &rows {
            let row = aligned(row, &widths, &right);
            self.line(format!("  {row}"));
        }
        self
    }

    /// The finished text.
    #[must_use]
    pub fn into_text(self) -> String {
        self.text
    }
}

/// Begins a colour of ours: nobody who sends us text can know it.
static OURS: LazyLock<String> =
    LazyLock::new(|| format!("\u{fdd0}{:016x}:", RandomState::new().hash_one("colour")));

/// `text` with the characters that a terminal obeys written as what they are:
/// controls, except the ends of lines and tabs, and those that turn the
/// direction of writing.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    let obeyed = |c: char| {
        (c.is_control() && !matches!(c, '\n' | '\t'))
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if obeyed(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

/// The same for a cell of a table, which has one line.
fn in_one_line(text: &str) -> String {
    visible(text).replace('\n', "\\n").replace('\t', "\\t")
}

fn is_number(text: &str) -> bool {
    text.is_empty()
        || text == "-"
        || text.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | ','))
}

fn aligned<const N: usize>(row: &[String; N], widths: &[usize; N], right: &[bool; N]) -> String {
    let mut line = String::new();
    for at in 0..N {
        // The signs of some scripts take two columns, and accents none.
        let gap = " ".repeat(widths[at].saturating_sub(row[at].width()));
        let (before, after) = if right[at] { (gap.as_str(), "") } else { ("", gap.as_str()) };
        line.extend([before, &row[at], after, "  "]);
    }
    line
}

/// `text` with every line after the first moved in by `by` spaces.
#[must_use]
pub fn indented(text: &str, by: usize) -> String {
    text.replace('\n', &format!("\n{}", " ".repeat(by)))
}

/// `text` cut to `max` characters, with an ellipsis when something is gone.
#[must_use]
pub fn short(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    let kept: String = text.chars().take(max.saturating_sub(1)).collect();
    format!("{kept}…")
}

/// `text` cut to what `columns` of a terminal show, with an ellipsis when something is
/// gone.
#[must_use]
pub fn fitting(text: &str, columns: usize) -> String {
    if text.width() <= columns {
        return text.to_owned();
    }
    let mut left = columns.saturating_sub(1);
    let fits = |sign: &char| {
        let next = left.checked_sub(sign.width().unwrap_or(0));
        left = next.unwrap_or(0);
        next.is_some()
    };
    let kept: String = text.chars().take_while(fits).collect();
    format!("{kept}…")
}

/// `n` things, in the right number: `1 cell`, `2 cells`, `2 batches`.
#[must_use]
pub fn count(n: impl TryInto<u64>, one: &str) -> String {
    let n = n.try_into().unwrap_or(u64::MAX);
    let ending = match n {
        1 => "",
        _ if one.ends_with("ch") || one.ends_with("sh") => "es",
        _ => "s",
    };
    format!("{n} {one}{ending}")
}

/// The time of day at the beginning of a line, where it is told.
#[must_use]
pub fn time(at: Option<Timestamp>) -> String {
    at.map_or_else(String::new, |at| at.strftime("%H:%M:%SZ ").to_string())
}

/// An instant for eyes: to the second, in UTC.
#[must_use]
pub fn instant(at: Timestamp) -> String {
    at.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stand_right_and_words_left() {
        let mut text_table = TextTable::new(false);
        let rows = [["LINE-1".into(), "9.5".into()], ["M3".into(), "120".into()]];
        text_table.table(["resource", "hours"], &rows);
        assert_eq!(
            text_table.into_text(),
            "  resource  hours\n  LINE-1      9.5\n  M3          120\n"
        );
    }

    #[test]
    fn columns_stand_straight_in_every_script() {
        let mut text_table = TextTable::new(false);
        let rows = [
            ["\u{30d7}\u{30ec}\u{30b9}1".into(), "9.5".into()],
            ["Pre\u{301}sse".into(), "12".into()],
        ];
        text_table.table(["resource", "hours"], &rows);
        assert_eq!(
            text_table.into_text(),
            "  resource  hours\n  \u{30d7}\u{30ec}\u{30b9}1     9.5\n  Pre\u{301}sse       12\n"
        );
        assert_eq!(fitting("\u{30d7}\u{30ec}\u{30b9}", 6), "\u{30d7}\u{30ec}\u{30b9}");
        for (columns, kept) in [(5, "\u{30d7}\u{30ec}…"), (4, "\u{30d7}…"), (2, "…")] {
            assert_eq!(fitting("\u{30d7}\u{30ec}\u{30b9}", columns), kept);
        }
    }

    #[test]
    fn things_are_counted_in_the_right_number() {
        assert_eq!(count(1_u32, "batch"), "1 batch");
        assert_eq!(count(2_u64, "batch"), "2 batches");
        assert_eq!(count(0_u32, "cell"), "0 cells");
    }

    #[test]
    fn no_colour_means_no_escape_codes() {
        let text_table = TextTable::new(false);
        assert_eq!(text_table.tint(Tone::Bad, "x"), "x");
        let mut text_table = TextTable::new(true);
        let red = text_table.tint(Tone::Bad, "x");
        text_table.line(format!("{red} y"));
        assert_eq!(text_table.into_text(), "\u{1b}[31mx\u{1b}[0m y\n");
    }

    #[test]
    fn a_terminal_obeys_nothing_that_a_vendor_or_a_record_says() {
        let hostile = "\u{1b}]0;owned\u{7}\u{1b}[2J\u{9b}31m\u{202e}\r\u{1b}[32mok\u{1b}[0m";
        for colour in [false, true] {
            let mut text_table = TextTable::new(colour);
            let said = text_table.tint(Tone::Bad, hostile);
            text_table.line(format!("the target says {hostile}; {said}"));
            text_table.table(["name"], &[[format!("{hostile}\n")]]);
            let text = text_table.into_text();
            let theirs = text.replace("\u{1b}[31m", "").replace("\u{1b}[1m", "");
            let theirs = theirs.replace("\u{1b}[0m", "").replace('\n', "");
            assert!(!theirs.contains(|c: char| c.is_control() || c == '\u{202e}'), "{text:?}");
            assert!(theirs.contains("\\u{1b}]0;owned") && theirs.contains("\\u{9b}31m"), "{text}");
            assert_eq!(text.lines().count(), 3, "no line is forged");
        }
    }
}
