//! What one field alone can't show: names that must exist, rooms that must
//! fit together.

use std::{collections::BTreeSet, sync::Arc};

use jiff::{Timestamp, fmt::strtime};
use planthread_contracts::{Carries, Owner};
use planthread_domain::{model::SourceFormat, project};
use planthread_kit::{Quota, VirtualClock, target::TargetFactory};
use serde_json::Value;

use super::{
    Config, DecisionsTaken, Target, gap, locate::Faults, overlap, tree::Step, value_checks,
};
use crate::registry;

/// Finds every fault between the fields of `config`.
pub(super) fn check(config: &Config, faults: &mut Faults<'_>) {
    if config.version != 1 {
        let reason = format!("version {} is not known; this program reads 1", config.version);
        faults.add("version", reason, "write `version: 1`");
    }
    for violation in config.plant.validate() {
        faults.add(format!("plant.{}", violation.path), violation.reason, violation.cure);
    }
    if let Some(http) = config.intake.http.as_ref().filter(|http| !http.listen.ip().is_loopback()) {
        let reason = format!("{} is not a loopback address", http.listen.ip());
        let cure = "listen on 127.0.0.1: the endpoint has no tokens yet";
        faults.add("intake.http.listen", reason, cure);
    }
    time_formats(config, faults);
    value_checks::run(config, faults);
    for (name, target) in &config.targets {
        target_faults(config, name, target, faults);
    }
    overlap::check(config, faults);
}

/// Formats of times that are none, or tell no day: every row would be refused.
fn time_formats(config: &Config, faults: &mut Faults<'_>) {
    for (at, source) in config.plant.sources.iter().enumerate() {
        let (kind, time) = match &source.reader {
            SourceFormat::MachineEvents(reader) => ("machine_events", &reader.time),
            SourceFormat::Counts(reader) => ("counts", &reader.time),
            SourceFormat::Cloudevents(_) | SourceFormat::Decisions(_) => continue,
        };
        if let Some(reason) = time.format.as_deref().and_then(no_time) {
            let cure =
                "write it as the file does, such as `%d.%m.%Y %H:%M:%S`; leave it out for ISO 8601";
            faults.add(format!("plant.sources[{at}].reader.{kind}.time.format"), reason, cure);
        }
    }
}

/// Why `format` reads no time, if it does not: what it writes it must read back.
fn no_time(format: &str) -> Option<String> {
    let sample = jiff::civil::date(2026, 11, 30).at(23, 59, 58, 0);
    let sample = sample.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    let written = match strtime::format(format, &sample) {
        Ok(written) => written,
        Err(error) => return Some(format!("`{format}` is no format of a time: {error}")),
    };
    let read = strtime::parse(format, &written);
    let told = read
        .and_then(|read| read.to_timestamp().map(drop).or_else(|_| read.to_datetime().map(drop)));
    told.is_err().then(|| format!("`{format}` does not tell year, month, day and hour"))
}

fn target_faults(config: &Config, name: &str, target: &Target, faults: &mut Faults<'_>) {
    let at = |rest: &str| format!("targets.{name}.{rest}");
    if name.is_empty() || !name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_".contains(&b)) {
        let reason = format!("`{name}` can't name a target");
        let cure = "use letters, digits, - and _: the name stands in cell names";
        faults.add_at(&[Step::Key("targets"), Step::Key(name)], reason, cure);
    }
    let before = faults.all.len();
    literal_secrets(&target.settings, &at("settings"), faults);
    let secrets = faults.all.len() == before;
    match registry::find(&target.connector) {
        None => {
            let known = format!("known: {}", registry::names().join(", "));
            let reason = format!("there is no connector `{}`", target.connector);
            faults.add(at("connector"), reason, known);
        }
        // The connector would only say the same about a literal secret again.
        Some(factory) if secrets => settings(factory, target, &at("settings"), faults),
        Some(_) => {}
    }
    if target.decisions == DecisionsTaken::Proposed && target.scope().is_base() {
        let reason = "nobody has confirmed what is proposed: it does not land in the base plan";
        let cure = "name the version or scenario in `scope`, or leave `decisions` out";
        faults.add(at("decisions"), reason, cure);
    }
    measures(target, &at("measures"), faults);
    value_checks::target(name, target, faults);
    gap::check(name, target, faults);
    // What `plan` would refuse, said while nobody waits for a number.
    for violation in project::declared(&target.mapping, &target.measures) {
        faults.add(at(&violation.path), violation.reason, violation.cure);
    }
    for violation in target.mapping.validate(&config.plant) {
        let field = at(&format!("mapping.{}", violation.path));
        faults.add(field, violation.reason, violation.cure);
    }
    // A quota is only built to see whether it can be: its clock never runs.
    let idle = Arc::new(VirtualClock::new(Timestamp::UNIX_EPOCH, 0));
    if let Err(error) = Quota::new(target.quota.clone(), idle) {
        faults.add(at("quota"), error.to_string(), "correct the quota");
    }
}

/// What the connector says about its own settings, and the files they name.
fn settings(factory: &TargetFactory, target: &Target, at: &str, faults: &mut Faults<'_>) {
    if let Err(fault) = (factory.validate)(&target.settings, &target.measures) {
        let field = value_checks::field_of(&fault, target, at);
        return faults.add_told(&field, fault);
    }
    for (field, file) in (factory.files)(&target.settings) {
        faults.add_unreadable(&format!("{at}.{field}"), &file);
    }
}

/// A secret that stands in the file as a value is refused, and not repeated.
fn literal_secrets(value: &Value, at: &str, faults: &mut Faults<'_>) {
    const SECRET: [&str; 6] =
        ["password", "client_secret", "secret", "token", "passphrase", "api_key"];
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                let field = format!("{at}.{key}");
                let reference = inner.as_str().is_some_and(|text| text.starts_with("${"));
                if SECRET.contains(&key.as_str()) && inner.is_string() && !reference {
                    let cure = "write ${env:NAME}, ${file:PATH} or ${cmd:COMMAND}";
                    let reason = "a secret must be a reference, never the value itself";
                    faults.add(&field, reason, cure);
                }
                literal_secrets(inner, &field, faults);
            }
        }
        Value::Array(items) => {
            for (index, inner) in items.iter().enumerate() {
                literal_secrets(inner, &format!("{at}[{index}]"), faults);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

fn measures(target: &Target, at: &str, faults: &mut Faults<'_>) {
    let (mut names, mut surfaces) = (BTreeSet::new(), BTreeSet::new());
    for (index, measure) in target.measures.iter().enumerate() {
        let mut fault = |field: &str, reason: String, cure: &str| {
            faults.add(format!("{at}[{index}].{field}"), reason, cure);
        };
        if !names.insert(measure.name.as_str()) {
            let reason = format!("`{}` is declared twice", measure.name);
            fault("name", reason, "give each measure its own name");
        }
        if !surfaces.insert(measure.surface.as_str()) {
            let reason = format!("`{}` is claimed by two measures", measure.surface);
            fault("surface", reason, "one measure writes one thing at the target");
        }
        if measure.carries == Carries::Observed && measure.owner == Owner::Bridge {
            let reason = "an observed measure is not ours".to_owned();
            fault("owner", reason, "name its owner: `owner: {other: nightly ERP load}`");
        }
    }
    let known = |name: &String| target.measures.iter().any(|measure| measure.name == *name);
    let in_use = [("measure", &target.in_use.measure), ("driver", &target.in_use.driver)];
    for (field, name) in in_use {
        if let Some(name) = name.as_ref().filter(|name| !known(name)) {
            let field = format!("{}.in_use.{field}", at.trim_end_matches(".measures"));
            let reason = format!("`{name}` is no declared measure");
            faults.add(field, reason, value_checks::declared(target));
        }
    }
}
