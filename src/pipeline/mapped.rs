//! By which mapping cells are made: what they depend on besides the facts and what
//! people decide (shifts, stops), so that a plan says what was changed in it.

use planthread_domain::model::{MapRow, Plant};
use planthread_engine::{
    ledger::mapped::{ENCODING, MEASURES, Mapped, ROWS},
    plan::place_name,
};
use serde::Serialize;
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use crate::config::Target;

/// The mapping behind the cells of `target`.
pub(super) fn mapped(plant: &Plant, target: &Target) -> Mapped {
    let mut mapped = Mapped::default();
    of_target(&mut mapped, target);
    encoding(&mut mapped, target);
    mapped.put("plant", &plant.id, "zone", &plant.zone);
    mapped.put("plant", &plant.id, "day_start", plant.day_start);
    for resource in &plant.resources {
        let mut put =
            |field: &str, value: String| mapped.put("resources", &resource.id, field, value);
        put("parallel_units", resource.parallel_units.to_string());
        put("parts_per_cycle", resource.parts_per_cycle.to_string());
        if let Some(cycle) = resource.ideal_cycle_seconds {
            put("ideal_cycle_seconds", cycle.normalize().to_string());
        }
    }
    for line in &plant.lines {
        let cycle = line.ideal_cycle_seconds.normalize();
        mapped.put("lines", &line.id, "ideal_cycle_seconds", cycle);
        mapped.put("lines", &line.id, "counter", &line.counter);
        leaves(&mut mapped, "lines", &line.id, "stages", &value(&line.stages));
    }
    for source in &plant.sources {
        mapped.put("sources", &source.name, "authority", source.authority);
        leaves(&mut mapped, "sources", &source.name, "", &value(&source.reader));
    }
    mapped
}

/// How the cells are written: nothing of it stands in a plan, and what was refused goes
/// out again when it is another one.
fn encoding(mapped: &mut Mapped, target: &Target) {
    let settings = Sha256::digest(value(&target.settings).to_string());
    let digest: String = settings.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    mapped.put(ENCODING, "", "settings", digest);
}

fn of_target(mapped: &mut Mapped, target: &Target) {
    let rows = &target.mapping.rows;
    for row in rows {
        let place = place_name(&row.resource, &row.location, row.product.as_deref());
        let here = |other: &&MapRow| {
            (&other.resource, &other.location, &other.product)
                == (&row.resource, &row.location, &row.product)
        };
        let sources: Vec<String> = rows.iter().filter(here).map(part).collect();
        mapped.put(ROWS, &place, "source", sources.join(" + "));
    }
    for measure in &target.measures {
        for field in ["surface", "carries", "unit", "scale", "level", "over_time"] {
            let told = value(measure);
            mapped.put(MEASURES, &measure.name, field, text(&told[field]));
        }
    }
    mapped.put("target", "", "scope", &target.scope);
    mapped.put("target", "", "expects", text(&value(&target.mapping.expects)));
    leaves(mapped, "target", "", "target_applies", &value(&target.mapping.target_applies));
}

/// A source, and its share where it is not whole.
fn part(row: &MapRow) -> String {
    if row.share.is_zero() || row.share == rust_decimal::Decimal::ONE {
        return row.source.clone();
    }
    format!("{} (share {})", row.source, row.share.normalize())
}

/// Every leaf below `value` that says something, by its path: a field that is new
/// in the program and was not set changes nothing.
fn leaves(mapped: &mut Mapped, part: &str, name: &str, path: &str, value: &Value) {
    let below = |key: &str| if path.is_empty() { key.to_owned() } else { format!("{path}.{key}") };
    match value {
        Value::Object(fields) => {
            for (key, value) in fields {
                leaves(mapped, part, name, &below(key), value);
            }
        }
        Value::Array(all) if all.iter().all(|one| !one.is_object() && !one.is_array()) => {
            let words: Vec<String> = all.iter().map(text).collect();
            if !words.is_empty() {
                mapped.put(part, name, path, words.join(" "));
            }
        }
        Value::Array(all) => {
            for (number, value) in all.iter().enumerate() {
                leaves(mapped, part, name, &below(&number.to_string()), value);
            }
        }
        Value::Null | Value::Bool(false) => {}
        leaf => mapped.put(part, name, path, text(leaf)),
    }
}

fn value(of: &impl Serialize) -> Value {
    serde_json::to_value(of).unwrap_or_default()
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
