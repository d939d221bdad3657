//! The text format of Prometheus, version 0.0.4.
//! <https://prometheus.io/docs/instrumenting/exposition_formats/>

use std::{collections::BTreeMap, fmt::Write as _};

use jiff::Timestamp;

/// The media type of the format.
pub const MEDIA: &str = "text/plain; version=0.0.4; charset=utf-8";

/// What a number is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// It only grows, until the program starts anew.
    Counter,
    /// It goes up and down.
    Gauge,
}

impl Kind {
    /// Its word in the format.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Counter => "counter",
            Self::Gauge => "gauge",
        }
    }
}

/// A number, once for each set of labels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Family {
    /// Its name, with the unit.
    pub name: &'static str,
    /// What it is.
    pub kind: Kind,
    /// What it says.
    pub help: &'static str,
    /// Names of its labels.
    pub labels: &'static [&'static str],
}

/// Labels and numbers of one family.
type Samples = Vec<(Vec<String>, f64)>;

/// Numbers of one moment.
#[derive(Debug, Clone, Default)]
pub struct Exposition(BTreeMap<&'static str, Samples>);

impl Exposition {
    /// Puts `value` under `labels`, in the order of the family's names.
    pub fn put(&mut self, family: &Family, labels: &[&str], value: f64) {
        debug_assert_eq!(family.labels.len(), labels.len(), "{}", family.name);
        let labels = labels.iter().map(|&label| label.to_owned()).collect();
        self.0.entry(family.name).or_default().push((labels, value));
    }

    /// Puts a count. Beyond 2^53 the last digits are lost.
    #[expect(clippy::cast_precision_loss, reason = "the format has no other numbers")]
    pub fn count(&mut self, family: &Family, labels: &[&str], count: u64) {
        self.put(family, labels, count as f64);
    }

    /// Puts 1 or 0.
    pub fn flag(&mut self, family: &Family, labels: &[&str], is: bool) {
        self.put(family, labels, f64::from(u8::from(is)));
    }

    /// Puts an instant in seconds since 1970, where there is one.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of our age fit")]
    pub fn instant(&mut self, family: &Family, labels: &[&str], at: Option<Timestamp>) {
        if let Some(at) = at {
            self.put(family, labels, at.as_millisecond() as f64 / 1_000.0);
        }
    }

    /// The numbers of `families`, in their order. A family without a number keeps its
    /// head: a reader sees that it exists.
    #[must_use]
    pub fn text(&self, families: &[&Family]) -> String {
        let mut text = String::new();
        for family in families {
            let (name, kind) = (family.name, family.kind.word());
            let _ = writeln!(text, "# HELP {name} {}", escaped(family.help, false));
            let _ = writeln!(text, "# TYPE {name} {kind}");
            for (labels, value) in self.0.get(name).into_iter().flatten() {
                let pairs: Vec<String> = family
                    .labels
                    .iter()
                    .zip(labels)
                    .map(|(label, value)| format!("{label}=\"{}\"", escaped(value, true)))
                    .collect();
                let pairs = match pairs.as_slice() {
                    [] => String::new(),
                    pairs => format!("{{{}}}", pairs.join(",")),
                };
                let _ = writeln!(text, "{name}{pairs} {value}");
            }
        }
        text
    }

    /// How many numbers `family` has.
    #[must_use]
    pub fn samples(&self, family: &Family) -> usize {
        self.0.get(family.name).map_or(0, Vec::len)
    }
}

fn escaped(text: &str, quoted: bool) -> String {
    let text = text.replace('\\', "\\\\").replace('\n', "\\n");
    if quoted { text.replace('"', "\\\"") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CELLS: Family = Family {
        name: "cells",
        kind: Kind::Gauge,
        help: "Cells,\nby state \\ target.",
        labels: &["target", "state"],
    };
    const DONE: Family =
        Family { name: "done_total", kind: Kind::Counter, help: "Done.", labels: &[] };

    #[test]
    fn the_text_is_as_the_format_says() {
        let mut page = Exposition::default();
        page.count(&CELLS, &["a \"quoted\\\nname", "seen"], 12);
        page.flag(&CELLS, &["b", "held"], true);
        page.instant(&DONE, &[], Some("2026-11-27T04:00:00.25Z".parse().unwrap()));
        page.instant(&DONE, &[], None);
        let expected = "# HELP cells Cells,\\nby state \\\\ target.\n# TYPE cells gauge\n\
            cells{target=\"a \\\"quoted\\\\\\nname\",state=\"seen\"} 12\n\
            cells{target=\"b\",state=\"held\"} 1\n\
            # HELP done_total Done.\n# TYPE done_total counter\ndone_total 1795752000.25\n";
        assert_eq!(page.text(&[&CELLS, &DONE]), expected);
    }

    #[test]
    fn numbers_are_written_whole() {
        let mut page = Exposition::default();
        page.count(&DONE, &[], 1_000_000_000_000_000);
        page.put(&DONE, &[], 0.001);
        let text = page.text(&[&DONE]);
        assert!(text.contains("done_total 1000000000000000\n"), "{text}");
        assert!(text.contains("done_total 0.001\n"), "{text}");
    }
}
