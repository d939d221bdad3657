//! The area of a configured target: its names are read from the connector's
//! settings, whose schema is published; what they leave open is as documented.

use std::sync::Arc;

use planthread_contracts::MeasureDecl;

use super::model::{Area, Conversion, level_word};
use crate::sdk::{
    SandboxShape, SetupError,
    plan::{Measure, Model, Part},
};

/// Whether this sandbox can look like `shape`.
pub(super) fn check(shape: &SandboxShape) -> Result<(), SetupError> {
    let by_product = |measure: &&MeasureDecl| {
        let options = shape.settings.get("measures").and_then(|all| all.get(&measure.name));
        options.and_then(|options| options.get("by_product")) == Some(&true.into())
    };
    let refuse = |reason: String| SetupError::Shape { target: shape.target.clone(), reason };
    if let Some(measure) = shape.measures.iter().find(by_product) {
        return Err(refuse(format!(
            "{} is stored by product, and this sandbox stores none: leave it out in the profile \
             that you rehearse with",
            measure.name
        )));
    }
    if shape.resources.is_empty() {
        return Err(refuse("no resource is mapped, and none is given".to_owned()));
    }
    Ok(())
}

/// Gives an area the names of `shape`.
pub(super) fn take(area: &mut Area, model: &mut Model, shape: &SandboxShape) {
    if let Some(name) = shape.setting("planning_area") {
        name.clone_into(&mut area.name);
    }
    for (field, path) in
        [(&mut area.resource, "attributes.resource"), (&mut area.location, "attributes.location")]
    {
        if let Some(name) = shape.setting(path) {
            *field = name.into();
        }
    }
    for level in &mut area.times {
        let word = level_word(level.span);
        if let Some(stamp) = shape.setting(&format!("time_fields.{word}")) {
            level.relative = stamp.replace("_TSTAMP", "_REL");
            level.stamp = stamp.into();
        }
    }
    // Two fields of one name would be one column: the one that is configured stays.
    let stamps: Vec<_> = area.times.iter().map(|level| Arc::clone(&level.stamp)).collect();
    let configured = |span| shape.setting(&format!("time_fields.{}", level_word(span))).is_some();
    let twice = |stamp: &str| stamps.iter().filter(|other| &***other == stamp).count() > 1;
    area.times.retain(|level| !twice(&level.stamp) || configured(level.span));
    let version = match shape.settings.get("version").and_then(serde_json::Value::as_str) {
        Some(version) => version,
        None => shape.scope.name(),
    };
    model.scopes.clear();
    if !version.is_empty() {
        model.scopes.push((version.to_owned(), format!("Version of {}", shape.target)));
    }
    model.measures.clear();
    model.unit = shape.unit();
    area.conversions.clear();
    let mut units = Vec::new();
    for declared in &shape.measures {
        if model.find(&declared.surface).is_some() {
            continue;
        }
        let (conversion, unit) = conversion(shape, declared);
        units.extend(unit.filter(|_| conversion == Some(Conversion::Quantity)));
        area.conversions.push(conversion);
        model.measures.push(Measure {
            id: declared.surface.as_str().into(),
            label: format!("{} ({})", declared.name, declared.surface),
            aggregation: declared.over_time,
            part: part(shape, declared, model),
            in_scopes: true,
        });
    }
    if let Some(first) = units.first().cloned() {
        area.units = vec![(first, 1)];
        for unit in units {
            if !area.units.iter().any(|(known, _)| *known == unit) {
                area.units.push((unit, 1));
            }
        }
    }
}

/// The conversion attribute of a measure, and the unit that it names.
fn conversion(shape: &SandboxShape, measure: &MeasureDecl) -> (Option<Conversion>, Option<String>) {
    for conversion in [Conversion::Quantity, Conversion::Money] {
        let path = format!("measures.{}.conversions.{}", measure.name, conversion.attribute());
        if let Some(unit) = shape.setting(&path) {
            return (Some(conversion), Some(unit.to_owned()));
        }
    }
    (None, None)
}

/// The part of a measure in the plan; each is taken once.
fn part(shape: &SandboxShape, measure: &MeasureDecl, model: &Model) -> Part {
    let named = |name: &Option<String>| name.as_ref() == Some(&measure.surface);
    let part = if named(&shape.driver) {
        Part::Assumed
    } else if named(&shape.driven_by) {
        Part::Cut
    } else if named(&shape.load) {
        Part::Load
    } else {
        Part::of(measure.carries)
    };
    if model.part(part).is_some() { Part::Other } else { part }
}
