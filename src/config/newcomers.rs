//! Faults that people make who write their first configuration: each names its
//! line and field, says what is wrong, and what to write instead.

use std::path::Path;

use super::parse;
use crate::{registry::TARGETS, starter};

/// What is written instead of what, the field that is named, and a part of the
/// reason and of the cure.
type Fault = (&'static str, &'static str, &'static str, &'static str, &'static str);

const EVENTS: &str = "columns: { time: time, machine: machine, event: event }";
const TIME: &str = "plant.sources[0].reader.machine_events.time.format";

const FAULTS: [Fault; 51] = [
    ("zone: Europe/Berlin", "zone: [Europe/Berlin", "", "illegal", "correct the YAML"),
    ("  zone: Europe/Berlin", "\tzone: Europe/Berlin", "", "tabs", "by spaces"),
    ("  zone: Europe/Berlin", "  zonne: Europe/Berlin", "plant.zonne", "unknown", "`zone`"),
    ("zone: Europe/Berlin", "zone: Europe/Berln", "plant.zone", "`Europe/Berln`", "Europe/Berlin"),
    ("zone: Europe/Berlin", "zone:", "plant.zone", "", "give it a value"),
    ("version: 1\n", "version: 2\n", "version", "version 2", "`version: 1`"),
    ("version: 1\n", "version: 1\nversion: 1\n", "", "twice", "keep one"),
    ("start: \"06:00\"", "start: \"6 Uhr\"", "plant.calendars[1].shifts[0].start", "hour", "06:00"),
    (
        "days: [mon,",
        "days: [montag,",
        "plant.calendars[1].shifts[0].days[0]",
        "`montag`",
        "mon, tue",
    ),
    (
        "from: 2026-12-24",
        "from: 24.12.2026",
        "plant.calendars[1].exceptions[0].from",
        "year",
        "2026-12-24",
    ),
    (
        "calendar: two-shift",
        "calendar: twoshift",
        "plant.resources[3].calendar",
        "`twoshift`",
        "declare",
    ),
    (
        "ideal_cycle_seconds: 60",
        "ideal_cycle_seconds: -60",
        "plant.resources[0].ideal_cycle_seconds",
        "above zero",
        "seconds",
    ),
    (
        "ideal_cycle_seconds: 60",
        "ideal_cycle_seconds: one",
        "plant.resources[0].ideal_cycle_seconds",
        "expected",
        "write",
    ),
    (
        EVENTS,
        "columns: { time: when, machine: machine, event: event }",
        "plant.sources[0].reader.machine_events.columns",
        "`when`",
        "header",
    ),
    (
        EVENTS,
        "columns: { time: time, machine: machine, event: event }\n          time: { format: \"%1\" }",
        TIME,
        "`%1`",
        "%d.%m.%Y",
    ),
    (
        EVENTS,
        "columns: { time: time, machine: machine, event: event }\n          time: { format: hello }",
        TIME,
        "does not tell",
        "%d.%m.%Y",
    ),
    (
        EVENTS,
        "columns: { time: time, machine: machine, event: event }\n          time: { format: \"%H:%M\" }",
        TIME,
        "does not tell",
        "ISO 8601",
    ),
    (
        EVENTS,
        "columns: { time: time, machine: machine, event: event }\n          time: { zone: MEZ }",
        "plant.sources[0].reader.machine_events.time.zone",
        "`MEZ`",
        "Europe/Berlin",
    ),
    (
        "state: unscheduled_down }",
        "state: broken }",
        "plant.sources[0].reader.machine_events.events.failure.state",
        "`broken`",
        "write one of",
    ),
    (
        "interval_minutes: 60",
        "interval_minutes: sixty",
        "plant.sources[1].reader.counts.interval_minutes",
        "sixty",
        "whole number",
    ),
    ("stamp: start", "stamp: begin", "plant.sources[1].reader.counts.stamp", "`begin`", "start"),
    ("connector: sap-ibp", "connector: sapibp", "targets.ibp.connector", "`sapibp`", "sap-ibp"),
    (
        "    connector: sap-ibp",
        "    conector: sap-ibp",
        "targets.ibp.conector",
        "unknown",
        "`connector`",
    ),
    (
        "host: http://127.0.0.1:9101",
        "host: 127.0.0.1:9101",
        "targets.ibp.settings.host",
        "scheme",
        "https://",
    ),
    (
        "${file:secrets/sandbox-password}",
        "hunter2",
        "targets.ibp.settings.auth.password",
        "reference",
        "${env:NAME}",
    ),
    ("kind: basic", "kind: password", "targets.ibp.settings.auth.kind", "`password`", "basic"),
    (
        "carries: plan_cut",
        "carries: plan-cut",
        "targets.ibp.measures[1].carries",
        "`plan-cut`",
        "`plan_cut`",
    ),
    (
        "carries: plan_cut, unit: HUR",
        "carries: plan_cut, unit: hours",
        "targets.ibp.measures[1].unit",
        "HUR",
        "",
    ),
    (
        "level: week, over_time: sum",
        "level: quarter, over_time: sum",
        "targets.ibp.measures[0].level",
        "`quarter`",
        "technical_week",
    ),
    (
        "source: press-a,",
        "source: press-z,",
        "targets.ibp.mapping.rows[0].source",
        "`press-z`",
        "declare",
    ),
    (
        "location: \"1010\"",
        "location: 1010",
        "targets.ibp.mapping.rows[0].location",
        "the number `1010`",
        "quotes",
    ),
    (
        "\ntargets:\n",
        "\nintake: { http: { listen: localhost } }\ntargets:\n",
        "intake.http.listen",
        "socket address",
        "127.0.0.1:8787",
    ),
    (
        "\ntargets:\n",
        "\nintake: { http: { listen: \"0.0.0.0:80\" } }\ntargets:\n",
        "intake.http.listen",
        "loopback",
        "127.0.0.1",
    ),
    (
        "\ntargets:\n",
        "\nsegments: { trusted: abc }\ntargets:\n",
        "segments.trusted",
        "no public half",
        "64 hex digits",
    ),
    (
        "\ntargets:\n",
        "\nrun: { every_seconds: 5m }\ntargets:\n",
        "run.every_seconds",
        "5m",
        "whole number",
    ),
    (
        "\ntargets:\n",
        "\nrun: { operations: { listen: \"0.0.0.0:9464\" } }\ntargets:\n",
        "run.operations.listen",
        "loopback",
        "`hosts`",
    ),
    (
        "\ntargets:\n",
        "\nrun: { operations: { listen: \"0.0.0.0:9464\", hosts: [\"http://bridge:9464\"] } }\ntargets:\n",
        "run.operations.hosts[0]",
        "http://bridge:9464",
        "without a port",
    ),
    (
        "\ntargets:\n",
        "\nrun: { alerts: { webhook: { url: \"http://hooks.example/x\" } } }\ntargets:\n",
        "run.alerts.webhook.url",
        "plain http",
        "https://",
    ),
    (
        "\ntargets:\n",
        "\nrun: { alerts: { webhook: { url: \"https://hooks.example/x\" }, least_minutes: 2000 } }\ntargets:\n",
        "run.alerts.least_minutes",
        "more than 1440",
        "15 by default",
    ),
    (
        "\ntargets:\n",
        "\nrun: { alerts: { least_minutes: 5 } }\ntargets:\n",
        "run.alerts",
        "neither `webhook` nor `email`",
        "or both",
    ),
    (
        "\ntargets:\n",
        "\nrun: { alerts: { email: { host: mail.example, to: ops@b.example, from: Bridge } } }\ntargets:\n",
        "run.alerts.email.from",
        "`Bridge` is no address",
        "anna@example.com",
    ),
    (
        "\ntargets:\n",
        "\nrun: { alerts: { email: { host: mail.example, to: ops@b.example, from: pt@b.example, owners: { anna: \"a@b.example, c@b.example\" } } } }\ntargets:\n",
        "run.alerts.email.owners.anna",
        "is no address",
        "a list of people",
    ),
    (
        "\ntargets:\n",
        "\nrun: { alerts: { email: { host: mail.example, to: ops@b.example, from: pt@b.example, security: none } } }\ntargets:\n",
        "run.alerts.email.security",
        "everybody on the way",
        "`starttls` or `tls`",
    ),
    (
        "\ntargets:\n",
        "\nrun: { alerts: { email: { host: mail.example, to: ops@b.example, from: pt@b.example, security: ssl } } }\ntargets:\n",
        "run.alerts.email.security",
        "`ssl`",
        "starttls",
    ),
    (
        "\ntargets:\n",
        "\nrun: { alerts: { email: { host: mail.example, to: ops@b.example, from: pt@b.example, user: pt } } }\ntargets:\n",
        "run.alerts.email.user",
        "belong together",
        "both",
    ),
    (
        "\ntargets:\n",
        "\nrun: { alerts: { email: { host: mail.example, to: ops@b.example, from: pt@b.example, user: pt, password: hunter2 } } }\ntargets:\n",
        "run.alerts.email.password",
        "reference",
        "planthread schema",
    ),
    (
        "\ntargets:\n",
        "\nrun: { alerts: { email: { host: \"mail.example:25\", to: ops@b.example, from: pt@b.example } } }\ntargets:\n",
        "run.alerts.email.host",
        "no name of a host",
        "`port`",
    ),
    (
        "\ntargets:\n",
        "\nrun: { alerts: { email: { host: mail.example, to: ops@b.example, from: pt@b.example, network: { proxy: \"http://p:3128\" } } } }\ntargets:\n",
        "run.alerts.email.network.proxy",
        "not go through an HTTP proxy",
        "planthread flows",
    ),
    (
        "\ntargets:\n",
        "\nrun: { alerts: { email: { host: mail.example, from: pt@b.example } } }\ntargets:\n",
        "run.alerts.email",
        "`to`",
        "",
    ),
    (
        "\ntargets:\n",
        "\nrun: { operations: { listen: \"127.0.0.1:9464\", stall_minutes: 0 } }\ntargets:\n",
        "run.operations.stall_minutes",
        "1 to 1440",
        "10 by default",
    ),
    (
        "\ntargets:\n",
        "\nrun: { lease: { folder: lease, seconds: 2 } }\ntargets:\n",
        "run.lease.seconds",
        "5 to 300",
        "20 by default",
    ),
];

#[test]
fn each_fault_of_a_newcomer_names_its_place_the_reason_and_the_cure() {
    let starter = starter::config(&[&TARGETS[0]]);
    let mut wrong = Vec::new();
    for (from, to, field, reason, cure) in FAULTS {
        assert!(starter.contains(from), "the starter has no `{from}`");
        let text = starter.replacen(from, to, 1);
        let file = Path::new("/etc/pt/planthread.yaml");
        let Some(found) = parse(&text, file, None).err().and_then(|all| all.into_iter().next())
        else {
            wrong.push(format!("{to}: no fault"));
            continue;
        };
        let named = found.field == field && found.line > 0 && found.reason.contains(reason);
        let helps = !found.cure.is_empty() && found.cure.contains(cure);
        if !named || !helps {
            wrong.push(format!("{to}: {found}; cure: {}", found.cure));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
