//! The page of the metrics, from the list that `/metrics` prints.

use std::fmt::Write as _;

use planthread::operate::metrics::{FAMILIES, Kind};

const ABOUT: &str = "\
# Metrics

What `/metrics` of `planthread run` prints, in the text format of Prometheus (0.0.4), where `run.operations` \
in the [configuration](configuration.md) opens the door. Names keep to the conventions: base units, `_total` \
for what only grows while the program runs, an instant (`_timestamp_seconds`) in place of an age. Values of \
labels come from the configuration or from closed lists. Alert rules and a dashboard that use them are in \
[examples/monitoring](../../examples/monitoring/README.md).

| metric | kind | labels | what it says |
|---|---|---|---|
";

pub(super) fn page() -> String {
    let mut page = ABOUT.to_owned();
    for family in FAMILIES {
        let kind = match family.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        let labels: Vec<String> = family.labels.iter().map(|one| format!("`{one}`")).collect();
        let help = family.help.replace('|', "\\|");
        let _ = writeln!(page, "| `{}` | {kind} | {} | {help} |", family.name, labels.join(", "));
    }
    page
}
