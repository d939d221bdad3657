//! Values that are well formed and can't be meant: names that no cell can
//! carry, numbers out of reach, files that are not there.

use std::path::Path;

use planthread_contracts::Carries;
use planthread_kit::{agreement::gate, target::SettingsFault};
use rust_decimal::Decimal;

use super::{
    Config, SftpPlace, Target, Withdraw, gap, locate::Faults, owners, parser_messages, tree::Step,
};

/// Weeks of a policy: ten years.
const WEEKS_MAX: u32 = 520;
/// Most hours after a cut-off: cut-offs are monthly.
const CUT_WITHIN_MAX: u32 = 744;
/// Minutes of a settle window: a week.
const MINUTES_MAX: u32 = 10_080;
/// Minutes that two clocks may differ: a day.
const TOLERANCE_MAX: u32 = 1_440;
/// Hours of a step that nobody confirms: a year.
const LEAP_MAX: u32 = 8_760;
/// Seconds between two cycles: a day.
const SECONDS_MAX: u64 = 86_400;

/// Faults of the cycle and of the clock.
pub(super) fn run(config: &Config, faults: &mut Faults<'_>) {
    let every = config.run.every_seconds;
    if !(1..=SECONDS_MAX).contains(&every) {
        let reason = format!("{every} is not 1 to {SECONDS_MAX}");
        let cure = "write the seconds from one cycle to the next, 3600 for an hour";
        faults.add("run.every_seconds", reason, cure);
    }
    if let Some(operations) = &config.run.operations {
        operations.check(faults);
    }
    if let Some(page) = &config.run.page {
        page.check(faults);
    }
    if let Some(lease) = &config.run.lease {
        lease.check(faults);
    }
    if let Some(alerts) = &config.run.alerts {
        alerts.check(faults);
    }
    if let Some(key) = &config.segments.trusted
        && (key.len() != 64 || !key.bytes().all(|byte| byte.is_ascii_hexdigit()))
    {
        let cure = "write the 64 hex digits that `planthread agreement key` printed as the public \
                    half";
        faults.add("segments.trusted", "it is no public half of a key", cure);
    }
    let clock = &config.clock;
    for (field, number, most) in [
        ("clock.tolerance_minutes", clock.tolerance_minutes, TOLERANCE_MAX),
        ("clock.leap_hours", clock.leap_hours, LEAP_MAX),
    ] {
        if !(1..=most).contains(&number) {
            let cure = "write how far this clock is trusted, or remove the line";
            faults.add(field, format!("{number} is not 1 to {most}"), cure);
        }
    }
}

/// What nobody would notice at a target, as it is configured.
fn unguarded(name: &str, target: &Target, notes: &mut Faults<'_>) {
    if !target.measures.iter().any(|measure| measure.carries == Carries::Heartbeat) {
        notes.add(
            format!("targets.{name}.measures"),
            "no measure carries `heartbeat`: two bridges that land in one scope would not notice \
             each other",
            "declare one with `carries: heartbeat` and `role: stamp`, on a key figure of its own",
        );
    }
    if target.pack.is_none() {
        notes.add(
            format!("targets.{name}"),
            "there is no `pack`: a state that is put back from a copy would not be noticed, and \
             nobody could restore without us",
            "name a folder that outlives this machine: `pack: { folder: PATH }`",
        );
    }
}

/// Faults of one target besides those that a connector sees.
pub(super) fn target(name: &str, target: &Target, faults: &mut Faults<'_>) {
    cell_names(name, target, faults);
    owners::check(name, target, faults);
    policy(name, target, faults);
    for (field, value, most, cure) in target.delivery.out_of_reach() {
        let reason = format!("{value} is not 1 to {most}");
        faults.add(format!("targets.{name}.delivery.{field}"), reason, cure);
    }
    network(name, target, faults);
    let second = target.pack.iter().filter_map(|pack| pack.sftp.as_ref());
    for (field, why) in second.flat_map(SftpPlace::faults) {
        let cure =
            "write the machine, the user and the folder as they are called, and a limit in seconds";
        faults.add(format!("targets.{name}.pack.sftp.{field}"), why, cure);
    }
}

/// Names of which cells are named; `/` and `@` divide such a name.
fn cell_names(name: &str, target: &Target, faults: &mut Faults<'_>) {
    let mut check = |field: String, text: &str| {
        if text.trim().is_empty() || text.contains(['/', '@']) {
            let reason = format!("`{text}` can't stand in the name of a cell");
            let cure = "use a name without / and @: a cell is called \
                        target/scope/resource@location/period/measure";
            faults.add(format!("targets.{name}.{field}"), reason, cure);
        }
    };
    check("scope".to_owned(), &target.scope);
    for (index, measure) in target.measures.iter().enumerate() {
        check(format!("measures[{index}].name"), &measure.name);
    }
    for (index, row) in target.mapping.rows.iter().enumerate() {
        // Empty ones are found with the mapping.
        for (field, text) in [("resource", &row.resource), ("location", &row.location)] {
            if !text.trim().is_empty() {
                check(format!("mapping.rows[{index}].{field}"), text);
            }
        }
        if let Some(product) = &row.product {
            check(format!("mapping.rows[{index}].product"), product);
        }
    }
}

fn policy(name: &str, target: &Target, faults: &mut Faults<'_>) {
    let policy = &target.policy;
    let numbers = [
        ("frozen_weeks", policy.frozen_weeks, WEEKS_MAX, "write the weeks that planners freeze"),
        (
            "cut_within_hours",
            policy.cut_within_hours,
            CUT_WITHIN_MAX,
            "write the hours that the target may take to show a cut: 744, a month, at most",
        ),
        (
            "closed_after_weeks",
            policy.closed_after_weeks,
            WEEKS_MAX,
            "write the weeks in which corrections still land, 13 for a quarter",
        ),
        (
            "settle_minutes",
            policy.settle_minutes,
            MINUTES_MAX,
            "write the minutes that the target takes until a write can be read",
        ),
    ];
    for (field, number, most, cure) in numbers.into_iter().filter(|(_, n, most, _)| n > most) {
        let reason = format!("{number} is more than {most}");
        faults.add(format!("targets.{name}.policy.{field}"), reason, cure);
    }
    for (measure, end) in &target.fallback.measures {
        let path = ["targets", name, "fallback", "measures", measure].map(Step::Key);
        match target.measures.iter().find(|declared| declared.name == *measure) {
            None => {
                faults.add_at(
                    &path,
                    format!("`{measure}` is no declared measure"),
                    declared(target),
                );
            }
            Some(decl) if decl.is_stamp() && *end == Withdraw::Zero => {
                let reason = format!("`{measure}` is a stamp: zero is no instant, and no writer");
                faults.add_at(&path, reason, "remove the line: a stamp stays as it is");
            }
            Some(_) => {}
        }
    }
    for (measure, least) in &policy.significance {
        let path = ["targets", name, "policy", "significance", measure].map(Step::Key);
        if !target.measures.iter().any(|declared| declared.name == *measure) {
            faults.add_at(&path, format!("`{measure}` is no declared measure"), declared(target));
        } else if *least < Decimal::ZERO {
            let cure = "write the smallest difference that is worth sending, or remove the line";
            faults.add_at(&path, format!("{least} is below zero"), cure);
        }
    }
}

/// The cure for a name that no measure has.
pub(super) fn declared(target: &Target) -> String {
    let names: Vec<&str> = target.measures.iter().map(|measure| measure.name.as_str()).collect();
    format!("declared: {}", names.join(", "))
}

/// Faults of the way there, and of the limits of its requests.
fn network(name: &str, target: &Target, faults: &mut Faults<'_>) {
    let found = [
        target.network.validate().map_err(|fault| fault.inside("network")),
        target.http.validate().map_err(|fault| fault.inside("http")),
    ];
    for fault in found.into_iter().filter_map(Result::err) {
        faults.add_told(&format!("targets.{name}.{}", fault.field), fault);
    }
    if let Some(file) = &target.network.private_ca {
        faults.add_unreadable(&format!("targets.{name}.network.private_ca"), file);
    }
}

/// What is no fault and may still not be meant. Paths are absolute by now.
pub(super) fn notes(config: &Config, notes: &mut Faults<'_>) {
    for (index, source) in config.plant.sources.iter().enumerate() {
        for (at, file) in source.files.iter().enumerate() {
            if !Path::new(file).exists() {
                let field = format!("plant.sources[{index}].files[{at}]");
                let cure = "put it there before the first `ingest`, or correct the path";
                notes.add(field, format!("{file} is not there yet"), cure);
            }
        }
    }
    if config.targets.is_empty() {
        let reason = "there is no target: records are collected, and nothing lands";
        let cure = "add one under `targets:`, unless this machine only collects";
        notes.add("targets", reason, cure);
    }
    if let Some(email) = config.run.alerts.as_ref().and_then(|alerts| alerts.email.as_ref()) {
        let owners = config.targets.values().flat_map(|target| &target.owners);
        email.notes(&owners.map(|one| one.owner.as_str()).collect::<Vec<_>>(), notes);
    }
    for (name, target) in &config.targets {
        if let Some(file) = gate::file(&target.settings) {
            let cure = "put there what `planthread agreement sign` wrote; without it nothing is \
                        written to this target, and it is read all the same";
            notes.add_absent(&format!("targets.{name}.settings.agreement.file"), file, cure);
        }
        unguarded(name, target, notes);
        gap::notes(name, target, notes);
    }
}

/// The path of the field that a connector complains of: by its own word, or by
/// the first name in its sentence that the settings have.
pub(super) fn field_of(fault: &SettingsFault, target: &Target, at: &str) -> String {
    let first = fault.reason.split('`').nth(1).unwrap_or_default();
    if let Some(measure) = first.strip_prefix("surface of measure ") {
        let index = target.measures.iter().position(|one| one.name == measure);
        if let Some(index) = index {
            return format!("{}.measures[{index}].surface", at.trim_end_matches(".settings"));
        }
    }
    let mut field = format!("{at}.{}", fault.field);
    let told = parser_messages::unknown_field(&fault.reason);
    let said = if fault.field.is_empty() { Some(first) } else { told };
    let pointer = |path: &str| format!("/{}", path.replace('.', "/"));
    let inside = |name: &str| {
        let path = format!("{}.{name}", fault.field);
        target.settings.pointer(&pointer(path.trim_start_matches('.'))).is_some()
    };
    if let Some(name) = said.filter(|name| !field.ends_with(&format!(".{name}")) && inside(name)) {
        field = format!("{}.{name}", field.trim_end_matches('.'));
    }
    field
}
