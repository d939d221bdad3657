//! What an instance must have, and the read-only answer to each line.

use std::collections::BTreeMap;

use planthread_contracts::{MeasureDecl, Owner};
use planthread_kit::{
    ConnectorError, Discovery, SheetLine, SurfaceItem, SurfaceKind,
    http::Lane,
    sheet::{Report, line},
};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::{
    config::{Config, PERIODS},
    connector::Context,
    read::{listed, place},
    schema::{Component, Holds, Interfaces, component, interfaces, of_other_languages},
};

const REACH: &str = "reach";
const MODEL: &str = "model";
const LANGUAGE: &str = "model.language";
const TWINS: &str = "twins";
const ROLE: &str = "role";

fn of(measure: &MeasureDecl) -> String {
    format!("measure.{}", measure.name)
}

/// The sheet: what somebody prepares at the instance.
pub(crate) fn lines(config: &Config, measures: &[MeasureDecl]) -> Vec<SheetLine> {
    let (model, part) = (&config.model, &config.component);
    let ours = measures.iter().filter(|measure| measure.owner == Owner::Bridge);
    let role = SheetLine {
        landing: ours.map(|measure| measure.name.clone()).collect(),
        ..line(
            ROLE,
            "Access control (IAM) of the instance",
            "Our identity has the role Azure Digital Twins Data Owner",
        )
    };
    let mut lines = vec![
        line(REACH, "Overview of the instance", "The host is that of the instance, and our tenant"),
        line(MODEL, "Models", format!("The model {model} is there, with a component `{part}`")),
        line(LANGUAGE, "Models", "It and all that it builds on are DTDL version 2 or 3"),
        line(TWINS, "Twin graph", format!("Resources have twins, called `{}`", config.twin_id)),
        role,
    ];
    lines.extend(measures.iter().map(|measure| {
        let text = format!("`{part}` has a map `{}` of numbers by period", measure.surface);
        line(of(measure), "Models", text)
    }));
    lines
}

/// Looks at the instance.
pub(crate) async fn discover(
    context: &Context,
    sheet: &[SheetLine],
) -> Result<Discovery, ConnectorError> {
    let mut report = Report::default();
    let config = &context.config;
    let models = match context.client.models(Lane::Sweep, Some(&config.model)).await {
        Ok(models) => {
            report.tick(REACH, "the instance answers");
            Some(models.unwrap_or_default())
        }
        Err(error) => {
            report.unread(REACH, error)?;
            None
        }
    };
    let all = interfaces(models.as_deref().unwrap_or_default());
    let found = component(&config.model, &config.component, &all);
    // Models that were not read say nothing of what they hold.
    if models.is_some() {
        judge_model(config, &all, found.as_ref(), &mut report);
        // Without the component there is nothing to look for a map in.
        for measure in context.measures.iter().filter(|_| found.is_some()) {
            judge_measure(measure, found.as_ref(), &mut report);
        }
    }
    let twins = match listed(context, Lane::Sweep).await {
        Ok(twins) => {
            judge_twins(context, &twins, &mut report);
            twins
        }
        Err(error) => {
            report.unread(TWINS, error)?;
            Vec::new()
        }
    };
    if report.answered(MODEL) || !twins.is_empty() {
        report.open(ROLE, "whether we may write, one landing tells");
    }
    Ok(Discovery {
        surface: surface(&all, found.as_ref(), config),
        resources: twins.iter().filter_map(|twin| place(context, twin)).collect(),
        descriptions: descriptions(context, &twins),
        scopes: Vec::new(),
        periods: PERIODS.to_vec(),
        fingerprint: fingerprint(&all),
        findings: report.findings(sheet),
    })
}

fn judge_model(config: &Config, all: &Interfaces, found: Option<&Component>, report: &mut Report) {
    const PUSH: &str = "send our models with `planthread setup TARGET --push`, or name your own \
        model under `model` and its component under `component`";
    match (all.contains_key(&config.model), found) {
        (_, Some(found)) => report.tick(MODEL, format!("its component is a {}", found.model)),
        (true, None) => {
            let text = format!("it has no component `{}`", config.component);
            report.fail(
                MODEL,
                text,
                "correct `component`, or name a model of your own that has it",
            );
        }
        (false, None) => report.fail(MODEL, "it is not there", PUSH),
    }
    let others = of_other_languages(all);
    match (others.as_slice(), all.is_empty()) {
        ([], false) => report.tick(LANGUAGE, "they are"),
        ([], true) => {}
        (others, _) => report.fail(
            LANGUAGE,
            format!("written in another version: {}", others.join(", ")),
            "write them as DTDL version 3: the service takes versions 2 and 3",
        ),
    }
}

fn judge_measure(measure: &MeasureDecl, found: Option<&Component>, report: &mut Report) {
    let line = of(measure);
    let holds = found.and_then(|found| found.maps.get(&measure.surface));
    match holds {
        None => report.fail(
            &line,
            "there is no such map",
            "add the map to the component's model, or correct the measure's `surface`",
        ),
        Some(Holds::Other) => report.fail(
            &line,
            "it is no map of numbers",
            "make it a Map with a value schema double, integer or long",
        ),
        Some(holds) if measure.scale > 0 && !holds.keeps_decimals() => report.fail(
            &line,
            format!("it holds whole numbers, and {} decimals are declared", measure.scale),
            "declare the measure with scale 0, or make the map's values double",
        ),
        Some(_) => report.tick(&line, "it is there"),
    }
}

fn judge_twins(context: &Context, twins: &[Value], report: &mut Report) {
    let config = &context.config;
    let nameless: Vec<&str> = twins
        .iter()
        .filter(|twin| twin.get(&config.component).is_none() || place(context, twin).is_none())
        .filter_map(|twin| twin["$dtId"].as_str())
        .take(5)
        .collect();
    if twins.is_empty() {
        let text = format!("a query finds no twin of the model {}", config.model);
        report.fail(TWINS, text, "create a twin for each resource; a new one shows after 10 s");
    } else if nameless.is_empty() {
        report.tick(TWINS, format!("{} twins are there", twins.len()));
    } else {
        let text = format!(
            "without a component `{}`, or called otherwise: {}",
            config.component,
            nameless.join(", ")
        );
        report.fail(TWINS, text, "give them the component, or correct `twin_id`");
    }
}

fn descriptions(context: &Context, twins: &[Value]) -> BTreeMap<String, String> {
    let one = |twin: &Value| {
        let text = twin["description"].as_str().filter(|text| !text.is_empty())?;
        Some((place(context, twin)?.0, text.to_owned()))
    };
    twins.iter().filter_map(one).collect()
}

fn surface(all: &Interfaces, found: Option<&Component>, config: &Config) -> Vec<SurfaceItem> {
    let item = |name: &str, kind, declared: &str| SurfaceItem {
        name: name.to_owned(),
        kind,
        label: name.to_owned(),
        declared: declared.to_owned(),
    };
    let maps = found.into_iter().flat_map(|found| &found.maps);
    let maps = maps.map(|(name, holds)| {
        let declared = match holds {
            Holds::Double => "map of double",
            Holds::Float => "map of float",
            Holds::Integer => "map of integer",
            Holds::Long => "map of long",
            Holds::Other => "no map of numbers",
        };
        item(name, SurfaceKind::Measure, declared)
    });
    let location = [item(&config.location_property, SurfaceKind::Attribute, "string")];
    let location = location.into_iter().filter(|one| !one.name.is_empty());
    let models = all.keys().map(|id| item(id, SurfaceKind::MasterData, "interface"));
    maps.chain(location).chain(models).collect()
}

fn fingerprint(all: &Interfaces) -> String {
    let mut hash = Sha256::new();
    for (id, model) in all {
        hash.update(id);
        hash.update(model.to_string());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}
