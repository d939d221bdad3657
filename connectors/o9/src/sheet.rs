//! The sheet of what the tenant's team prepares.

use planthread_contracts::{MeasureDecl, Owner, Scope};
use planthread_kit::{SheetLine, agreement::Gate, probe::word, sheet::line};

use crate::config::Config;

pub(crate) const KEY: &str = "key";
pub(crate) const PLATFORM: &str = "platform-api";
pub(crate) const GRAIN: &str = "grain";
pub(crate) const VERSION: &str = "version";
pub(crate) const TIME: &str = "time";
pub(crate) const WRITTEN: &str = "written";
pub(crate) const MERGE: &str = "merge";

/// The line of a measure.
pub(crate) fn measure_line(measure: &MeasureDecl) -> String {
    format!("measure.{}", measure.name)
}

/// The line of how a measure adds up.
pub(crate) fn adds_line(measure: &MeasureDecl) -> String {
    format!("measure.{}.aggregation", measure.name)
}

/// What must be true, in the words of the tenant's team.
pub(crate) fn lines(config: &Config, measures: &[MeasureDecl], scope: &Scope) -> Vec<SheetLine> {
    let model = &config.model;
    let version = config.version_of(scope.name());
    let levels: Vec<String> =
        config.grain().iter().map(|(_, d, l)| format!("[{d}].[{l}]")).collect();
    let admin = "administration, API keys";
    let settings = "System Settings of the Deployment workspace";
    let designer = "model designer";
    let mut lines = vec![
        line(KEY, admin, format!("The key may query tenant {}", config.tenant)),
        line(
            PLATFORM,
            settings,
            format!("PlatformApiEnabled is true, and app {} can be read", config.app),
        ),
        line(
            GRAIN,
            designer,
            format!("Measure group {} has exactly the keys {}", model.group, levels.join(", ")),
        ),
        line(
            VERSION,
            "versions",
            format!("Version {version} exists, and nobody else writes ours in it"),
        ),
        line(
            TIME,
            "calendar",
            format!(
                "Members of [{}].[{}] are named {}",
                model.time.dimension, model.time.level, model.time.member
            ),
        ),
    ];
    lines.extend(measures.iter().flat_map(of_measure));
    let ours = measures.iter().filter(|measure| measure.owner == Owner::Bridge);
    lines.push(Gate::line());
    lines.push(SheetLine {
        landing: ours.map(|measure| measure.name.clone()).collect(),
        ..line(
            WRITTEN,
            "tenant rule",
            "What is written stays as it was written: no active rule, no assortment changes it",
        )
    });
    lines.push(line(
        MERGE,
        "versions",
        format!("The team says who merges or resets {version}, and when"),
    ));
    lines
}

/// What must be true of one measure.
fn of_measure(measure: &MeasureDecl) -> [SheetLine; 2] {
    let (designer, surface) = ("model designer", &measure.surface);
    let ours = match &measure.owner {
        Owner::Bridge => "an input measure (an override, never the base or a calculated one)",
        Owner::Other(_) => "readable with this key",
    };
    let text = format!("{surface} is {ours}, {} decimals", measure.scale);
    let over = (word(measure.over_resources), word(measure.over_time));
    let adds = format!("{surface} adds up over resources by {}, over time by {}", over.0, over.1);
    [line(measure_line(measure), designer, text), line(adds_line(measure), designer, adds)]
}
