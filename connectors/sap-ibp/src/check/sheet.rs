//! What the planning system's consultant must prepare, line by line.
//!
//! `discover` answers every line; ids are stable, findings refer to them.

use planthread_contracts::{MeasureDecl, Owner, PeriodKind};
use planthread_kit::{SheetLine, probe::word, sheet::line, target::Auth};

use crate::config::Config;

/// All lines for this target.
pub(crate) fn lines(config: &Config, measures: &[MeasureDecl], version: &str) -> Vec<SheetLine> {
    let mut lines = access(config, measures);
    lines.extend(area(config, measures, version));
    lines.extend(level(config, measures));
    lines.extend(measures.iter().flat_map(|measure| lines_of(config, measure, version)));
    lines.extend(around(config, measures));
    lines
}

/// Measures that we write.
fn ours(measures: &[MeasureDecl]) -> Vec<String> {
    let ours = measures.iter().filter(|measure| measure.owner == Owner::Bridge);
    ours.map(|measure| measure.name.clone()).collect()
}

const COMMUNICATION: &str = "communication arrangement";
const GLOBAL: &str = "app Global Configuration";
const AREAS: &str = "planning area";
const FIGURES: &str = "key figures of the planning area";
const MASTER: &str = "master data types";

fn access(config: &Config, measures: &[MeasureDecl]) -> Vec<SheetLine> {
    let who = match &config.auth {
        Auth::Basic { user, .. } => format!("user {user} with a password"),
        Auth::ClientCertificate { .. } => "a user with an uploaded client certificate".to_owned(),
        Auth::Oauth2ClientCredentials { .. } => {
            "OAuth 2.0 client credentials (unconfirmed for this scenario)".to_owned()
        }
        // Not taken: the settings were refused.
        other => other.kind().word().to_owned(),
    };
    vec![
        SheetLine {
            landing: ours(measures),
            ..line(
                "model",
                AREAS,
                format!(
                    "{} is of a family that serves time-series key figures to other systems, and \
                     `family` names it",
                    config.planning_area
                ),
            )
        },
        line(
            "access.scenario",
            COMMUNICATION,
            format!(
                "Scenario SAP_COM_0720 (Planning Data Integration) is active, inbound with {who}"
            ),
        ),
    ]
}

fn area(config: &Config, measures: &[MeasureDecl], version: &str) -> Vec<SheetLine> {
    let area = &config.planning_area;
    let mut lines = vec![
        line(
            "area.planning_service",
            GLOBAL,
            format!("FLEXQUERY, PLANNINGAREA contains {area} (`*` and comma lists are allowed)"),
        ),
        line(
            "area.master_data_service",
            GLOBAL,
            "FLEXQUERY, RELEVANT_MDT_FOR_MD_API contains the resource and resource-location types"
                .to_owned(),
        ),
        line(
            "area.transaction",
            AREAS,
            format!("{area}Trans and {area}Message are offered beside {area}"),
        ),
        SheetLine {
            landing: ours(measures),
            ..line(
                "operations",
                "$metadata of the planning service",
                format!(
                    "Commit is called as {} {}, the import state as {} {}",
                    config.operations.commit.verb.word(),
                    config.operations.commit.name,
                    config.operations.status.verb.word(),
                    config.operations.status.name
                ),
            )
        },
    ];
    if !version.is_empty() {
        lines.push(line(
            "version",
            "versions of the planning area",
            format!("Version {version} exists in {area}"),
        ));
    }
    lines
}

fn level(config: &Config, measures: &[MeasureDecl]) -> Vec<SheetLine> {
    let attributes = &config.attributes;
    let attribute = |id: &str, name: &str| {
        line(id, AREAS, format!("Attribute {name} is part of the planning area"))
    };
    let mut lines = vec![
        attribute("attribute.resource", &attributes.resource),
        attribute("attribute.location", &attributes.location),
    ];
    if let Some(product) = &attributes.product {
        lines.push(attribute("attribute.product", product));
    }
    for kind in kinds(measures) {
        let field = config.time_fields.of(kind);
        lines.push(line(time_id(kind), "time profile", format!("{field} is the {}", words(kind))));
    }
    let resource = config.master_data.resource.as_deref().unwrap_or("found by its key");
    let pair = config.master_data.resource_location.as_deref().unwrap_or("found by its keys");
    lines.push(line(
        "master.resource",
        MASTER,
        format!("The resource type ({resource}) holds every mapped resource"),
    ));
    lines.push(line(
        "master.resource_location",
        MASTER,
        format!("The resource-location type ({pair}) holds every mapped pair"),
    ));
    lines
}

/// Every period kind that has a name in the configuration.
pub(crate) const KINDS: [PeriodKind; 4] =
    [PeriodKind::Day, PeriodKind::Week, PeriodKind::TechnicalWeek, PeriodKind::Month];

/// The period kinds at which measures are stored.
pub(crate) fn kinds(measures: &[MeasureDecl]) -> Vec<PeriodKind> {
    KINDS.into_iter().filter(|kind| measures.iter().any(|measure| measure.level == *kind)).collect()
}

/// Id of a period kind's line.
pub(crate) fn time_id(kind: PeriodKind) -> String {
    format!("time.{}", words(kind).replace(' ', "_"))
}

/// Id of a measure's line.
pub(crate) fn measure_id(measure: &MeasureDecl) -> String {
    format!("measure.{}", measure.name)
}

/// Id of the line about a key figure's storage level.
pub(crate) fn level_id(measure: &MeasureDecl) -> String {
    format!("measure.{}.level", measure.name)
}

/// Id of the line about how a key figure adds up.
pub(crate) fn adds_id(measure: &MeasureDecl) -> String {
    format!("measure.{}.aggregation", measure.name)
}

/// Id of the line about whether a key figure can be written.
pub(crate) fn writable_id(measure: &MeasureDecl) -> String {
    format!("measure.{}.writable", measure.name)
}

/// Id of the line about a conversion of a key figure.
pub(crate) fn conversion_id(measure: &MeasureDecl, attribute: &str) -> String {
    format!("measure.{}.{}", measure.name, attribute.to_ascii_lowercase())
}

pub(crate) const fn words(kind: PeriodKind) -> &'static str {
    match kind {
        PeriodKind::Day => "day",
        PeriodKind::Week => "week",
        PeriodKind::TechnicalWeek => "technical week",
        PeriodKind::Month => "month",
    }
}

/// The lines of one key figure: what $metadata tells, what only values tell,
/// and what only a landing tells.
fn lines_of(config: &Config, measure: &MeasureDecl, version: &str) -> Vec<SheetLine> {
    let surface = &measure.surface;
    let figure = |id: &str, text: String| line(id, FIGURES, format!("{surface}: {text}"));
    let who = match &measure.owner {
        Owner::Bridge => String::new(),
        Owner::Other(owner) => format!(", read only for us, owned by {owner}"),
    };
    let mut lines = vec![
        figure(&measure_id(measure), format!("a key figure with {} decimals{who}", measure.scale)),
        figure(&level_id(measure), format!("stored by {}", words(measure.level))),
        figure(
            &adds_id(measure),
            format!(
                "aggregation over resources {}, over time {}",
                word(measure.over_resources),
                word(measure.over_time),
            ),
        ),
    ];
    for (attribute, value) in config.options(&measure.name).conversions {
        let text = format!("read with {attribute} {value}, which the tenant knows");
        lines.push(figure(&conversion_id(measure, &attribute), text));
    }
    if measure.owner == Owner::Bridge {
        let version = if version.is_empty() { "the base version" } else { version };
        lines.push(SheetLine {
            landing: vec![measure.name.clone()],
            ..figure(&writable_id(measure), format!("editable, and assigned to {version}"))
        });
    }
    lines
}

fn around(config: &Config, measures: &[MeasureDecl]) -> Vec<SheetLine> {
    let ours: Vec<&str> = measures
        .iter()
        .filter(|measure| measure.owner == Owner::Bridge)
        .map(|measure| measure.surface.as_str())
        .collect();
    let ours = ours.join(", ");
    let attributes = &config.attributes;
    let mut roots = format!("{} and {}", attributes.resource, attributes.location);
    if let Some(product) = &attributes.product {
        roots = format!("{roots}, and {product} where a measure is by product");
    }
    vec![
        line(
            "roots",
            FIGURES,
            format!("The base planning level of {ours} has the root attributes {roots}, and no others"),
        ),
        line(
            "rights",
            "rights of users",
            format!("Planners may display {ours} and not change them; the integration user may change them"),
        ),
        line(
            "wiring",
            "key figure calculations, copy operators, jobs",
            "It is written down how the landed figure reaches the plan: none, a job, a calculation, or \
             direct; and which loads write the same key figures"
                .to_owned(),
        ),
        line(
            "history",
            "change history of the planning area",
            format!("Change history is on for {ours} in {}", config.planning_area),
        ),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{config, measures};

    #[test]
    fn the_sheet_as_the_consultant_reads_it() {
        let text: Vec<String> = lines(&config(), &measures(), "UPSIDE")
            .into_iter()
            .map(|line| format!("{}\n  {}\n  in: {}", line.id, line.text, line.place))
            .collect();
        insta::assert_snapshot!(text.join("\n"));
    }
}
