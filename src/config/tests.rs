//! What the reader of a configuration tells the person who wrote it.

use std::path::Path;

use super::{ConfigError, Loaded, parse};
use crate::{registry::TARGETS, starter};

fn starter() -> String {
    starter::config(&[&TARGETS[0]])
}

fn read(text: &str, profile: Option<&str>) -> Result<Loaded, Vec<ConfigError>> {
    parse(text, Path::new("/etc/pt/planthread.yaml"), profile)
}

/// The only fault of the starter with `from` replaced by `to`.
fn fault(from: &str, to: &str) -> ConfigError {
    let text = starter();
    assert!(text.contains(from), "the starter has no `{from}`");
    let faults = read(&text.replacen(from, to, 1), None).unwrap_err();
    assert_eq!(faults.len(), 1, "{faults:?}");
    faults[0].clone()
}

fn line_of(text: &str) -> u64 {
    1 + starter().lines().position(|line| line.contains(text)).unwrap() as u64
}

#[test]
fn the_starter_is_right_and_its_paths_begin_at_the_file() {
    let loaded = read(&starter(), None).unwrap();
    assert_eq!(loaded.config.state, Path::new("/etc/pt/planthread-state"));
    assert_eq!(loaded.config.plant.sources[0].files, ["/etc/pt/data/machine-events.csv"]);
    let secret = &loaded.config.targets["ibp"].settings["auth"]["password"];
    assert_eq!(secret, "${file:/etc/pt/secrets/sandbox-password}");
}

#[test]
fn a_profile_changes_what_it_names_and_nothing_else() {
    let (base, qa) = (read(&starter(), None).unwrap(), read(&starter(), Some("qa")).unwrap());
    assert_eq!(base.config.targets["ibp"].scope, "base");
    assert_eq!(qa.config.targets["ibp"].scope, "TWIN");
    assert_eq!(qa.config.targets["ibp"].measures, base.config.targets["ibp"].measures);
    assert_ne!(base.digest, qa.digest);
    let unknown = read(&starter(), Some("prod")).unwrap_err();
    assert!(unknown[0].cure.contains("qa"), "{}", unknown[0].cure);
}

#[test]
fn law_18_the_digest_does_not_depend_on_where_the_file_lies() {
    let elsewhere = parse(&starter(), Path::new("/srv/elsewhere/planthread.yaml"), None).unwrap();
    assert_eq!(elsewhere.digest, read(&starter(), None).unwrap().digest);
}

#[test]
fn a_misspelt_field_is_found_at_its_line_with_the_right_word() {
    let found = fault("    connector: sap-ibp", "    conector: sap-ibp");
    assert_eq!(found.line, line_of("connector: sap-ibp"));
    assert_eq!(found.field, "targets.ibp.conector");
    assert!(found.cure.contains("`connector`"), "{}", found.cure);
}

#[test]
fn faults_deep_inside_name_their_path() {
    let unit = fault("unit: HUR", "unit: HR");
    assert_eq!(unit.field, "targets.ibp.measures[0].unit");
    assert!(unit.reason.contains("`HR`") && unit.line == line_of("surface: TWINCAPALIVE"));
    let calendar = fault("calendar: two-shift", "calendar: four-shift");
    assert_eq!(calendar.field, "plant.resources[3].calendar");
    assert_eq!(calendar.line, line_of("id: paint"));
    let source = fault("source: paint", "source: pant");
    assert_eq!(source.field, "targets.ibp.mapping.rows[3].source");
    let settings = fault("planning_area: PTDEMO", "planing_area: PTDEMO");
    assert!(settings.field.starts_with("targets.ibp.settings"), "{}", settings.field);
}

#[test]
fn what_a_plan_would_refuse_is_refused_before_there_is_a_plan() {
    let first = |field: &str| format!("targets.ibp.measures[0].{field}");
    let at = line_of("surface: TWINCAPALIVE");
    let mixed = fault("carries: attainable_clock_hours", "carries: demonstrated_standard_hours");
    assert_eq!((mixed.field, mixed.line), (first("carries"), at));
    let foreign = fault("unit: HUR", "unit: KGM");
    assert_eq!((foreign.field.clone(), foreign.line), (first("unit"), at));
    assert!(foreign.reason.contains("HUR") && foreign.cure.contains("dimension"), "{foreign}");
    let pieces = fault("attainable_clock_hours, unit: HUR", "good_units, unit: C62");
    assert_eq!(pieces.field, first("unit"));
    let quantile = fault("carries: attainable_clock_hours", "carries: low_hours");
    assert_eq!(quantile.field, first("over_time"));
    assert!(quantile.reason.contains("quantile"), "{quantile}");
    // The live figure and the plan cut have both paid it.
    let twice = starter().replacen(
        "      expects: attainable_clock_hours",
        "      expects: attainable_clock_hours\n      target_applies: [unplanned_down]",
        1,
    );
    let faults = read(&twice, None).unwrap_err();
    assert!(faults.iter().all(|fault| fault.reason.contains("count twice")), "{faults:?}");
    assert_eq!(faults[0].field, first("carries"));
}

#[test]
fn stamps_may_wait_for_a_value_that_somebody_promotes() {
    let to = "owner: { other: ERP load }, role: value }";
    let text = starter().replace("owner: bridge, role: value }", to);
    assert!(read(&text, None).is_ok());
}

#[test]
fn two_sources_on_one_resource_and_location_are_a_sum_only_where_somebody_says_so() {
    let row =
        |of: &str, rest: &str| format!("source: {of}, resource: LINE-1, location: \"1010\"{rest}");
    let text = |rest: &str| {
        let first = starter().replace(&row("press-a", ""), &row("press-a", rest));
        let other = "source: press-b, resource: LINE-2, location: \"1020\"";
        assert!(first.contains(other));
        first.replace(other, &row("press-b", rest))
    };
    let faults = read(&text(""), None).unwrap_err();
    let named: Vec<(&str, u64)> = faults.iter().map(|f| (f.field.as_str(), f.line)).collect();
    let (first, second) = (line_of("source: press-a,"), line_of("source: press-b,"));
    let field = |n: usize| format!("targets.ibp.mapping.rows[{n}].resource");
    assert_eq!(named, [(&*field(0), first), (&*field(1), second)], "{faults:?}");
    for fault in &faults {
        assert!(fault.reason.contains("`press-a`, `press-b` are all LINE-1@1010"), "{fault}");
        assert!(fault.cure.contains("`combine: sum`"), "{}", fault.cure);
    }
    assert!(read(&text(", combine: sum"), None).is_ok());
}

#[test]
fn a_number_where_a_name_belongs_asks_for_quotes() {
    let found = fault("location: \"1010\"", "location: 1010");
    assert!(found.cure.contains("quotes"), "{found:?}");
}

#[test]
fn law_15_a_secret_in_the_file_is_refused_and_not_repeated() {
    let found = fault("${file:secrets/sandbox-password}", "hunter2");
    assert!(found.field.contains("auth"), "{}", found.field);
    assert!(!format!("{found} {}", found.cure).contains("hunter2"), "{found}");
}

#[test]
fn only_the_loopback_is_listened_on() {
    let found = fault(
        "# intake:\n#   http: { listen: 127.0.0.1:8787 }",
        "intake:\n  http: { listen: 0.0.0.0:8787 }",
    );
    assert_eq!(found.field, "intake.http.listen");
    assert!(found.cure.contains("127.0.0.1"));
}

#[test]
fn broken_yaml_names_the_line() {
    let found = fault("  zone: Europe/Berlin", "  zone: [Europe/Berlin");
    assert!(found.line > 0, "{found}");
}

#[test]
fn several_faults_come_in_the_order_of_the_file() {
    let text = starter().replacen("zone: Europe/Berlin", "zone: Mars/Olympus", 1).replacen(
        "driver: assumed",
        "driver: nobody",
        1,
    );
    let fields: Vec<String> =
        read(&text, None).unwrap_err().into_iter().map(|fault| fault.field).collect();
    assert_eq!(fields, ["plant.zone", "targets.ibp.in_use.driver"]);
}

#[test]
fn the_plans_own_figures_are_declared_somebody_elses_and_hours() {
    for (load, reason) in [
        ("nobody", "no declared measure"),
        ("live", "is ours"),
        ("assumed", "stored in H87, and not in time"),
    ] {
        let text = starter().replacen("load: load", &format!("load: {load}"), 1);
        let pieces = "surface: CAPASUPPLY, carries: observed, unit: ";
        let text = text.replacen(&format!("{pieces}HUR"), &format!("{pieces}H87"), 1);
        let faults = read(&text, None).unwrap_err();
        let found = faults.iter().find(|fault| fault.field == "targets.ibp.gap.load").unwrap();
        assert!(found.reason.contains(reason), "{found}");
    }
}

#[test]
fn the_published_schema_knows_every_top_level_field_with_its_meaning() {
    let schema = super::schema();
    for field in ["version", "state", "plant", "targets", "intake", "run", "profiles"] {
        let about = &schema["properties"][field]["description"];
        assert!(about.as_str().is_some_and(|text| text.len() > 10), "{field}: {about}");
    }
}

#[test]
fn the_starter_fits_the_published_schema_and_a_fault_does_not() {
    let schema = jsonschema::validator_for(&super::schema()).unwrap();
    let text = starter();
    let good = super::yaml::read(&text).unwrap();
    let faults: Vec<String> =
        schema.iter_errors(&good.value()).map(|fault| fault.to_string()).collect();
    assert_eq!(faults, Vec::<String>::new());
    let bad = super::yaml::read(&text.replace("scope: base", "scop: base")).unwrap();
    assert!(!schema.is_valid(&bad.value()));
}

#[test]
fn every_example_configuration_is_right() {
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    let mut seen = 0;
    for entry in std::fs::read_dir(examples).unwrap() {
        let file = entry.unwrap().path().join("planthread.yaml");
        if file.exists() {
            super::read(&file, None)
                .unwrap_or_else(|faults| panic!("{}: {faults:?}", file.display()));
            seen += 1;
        }
    }
    assert!(seen >= 2);
}

#[test]
fn a_number_out_of_reach_is_refused_with_its_bound() {
    let zone = "  zone: Europe/Berlin";
    let far = fault(zone, "  zone: Europe/Berlin\n  horizon: { future_weeks: 4000000000 }");
    assert_eq!(far.field, "plant.horizon.future_weeks");
    assert!(far.reason.contains("520"), "{far}");
    let never = fault("targets:\n", "run: { every_seconds: 0 }\ntargets:\n");
    assert_eq!(never.field, "run.every_seconds");
    let frozen =
        fault("    scope: base", "    scope: base\n    policy: { frozen_weeks: 4000000000 }");
    assert_eq!(frozen.field, "targets.ibp.policy.frozen_weeks");
    let never =
        fault("    scope: base", "    scope: base\n    delivery: { poll_every_seconds: 0 }");
    assert_eq!(never.field, "targets.ibp.delivery.poll_every_seconds");
}

#[test]
fn a_threshold_for_a_measure_that_is_none_is_refused() {
    let policy = "    scope: base\n    policy:\n      significance:\n        lvie: 1";
    let found = fault("    scope: base", policy);
    assert_eq!(found.field, "targets.ibp.policy.significance.lvie");
    assert_eq!(found.line, line_of("    scope: base") + 3);
    assert!(found.reason.contains("`lvie`") && found.cure.contains("live"), "{found}");
}

#[test]
fn an_end_that_a_measure_can_not_have_is_refused() {
    let end = |line: &str| {
        fault(
            "    scope: base",
            &format!("    scope: base\n    fallback:\n      measures:\n        {line}"),
        )
    };
    let unknown = end("lvie: zero");
    assert_eq!(unknown.field, "targets.ibp.fallback.measures.lvie");
    assert!(unknown.reason.contains("`lvie`") && unknown.cure.contains("live"), "{unknown}");
}

#[test]
fn a_second_place_is_no_option_and_no_command() {
    let place = |host: &str, user: &str, path: &str| {
        let fields = format!("host: {host}, user: {user}, path: {path}");
        let files = "key_file: key, known_hosts: hosts";
        let pack = format!("pack: {{ folder: p, sftp: {{ {fields}, {files} }} }}");
        fault("pack: { folder: packs }", &pack).field
    };
    for (field, host, user, path) in [
        ("host", "\"-oProxyCommand=x\"", "u", "in"),
        ("user", "h", "\"-F\"", "in"),
        ("user", "h", "\"a@b@c\"", "in"),
        ("path", "h", "u", "\"in\\nrm x\""),
        ("path", "h", "u", "\"in*\""),
    ] {
        assert_eq!(place(host, user, path), format!("targets.ibp.pack.sftp.{field}"));
    }
}

#[test]
fn a_name_that_would_break_the_name_of_a_cell_is_refused() {
    let resource = fault("resource: LINE-1,", "resource: LINE/1,");
    assert_eq!(resource.field, "targets.ibp.mapping.rows[0].resource");
    assert_eq!(resource.line, line_of("resource: LINE-1,"));
    let location = fault("location: \"1010\"", "location: 10@10");
    assert_eq!(location.field, "targets.ibp.mapping.rows[0].location");
    let measure = fault("name: lost,", "name: lost/hours,");
    assert_eq!(measure.field, "targets.ibp.measures[3].name");
    assert!(measure.cure.contains("resource@location"), "{measure:?}");
    assert_eq!(fault("scope: base", "scope: A/B").field, "targets.ibp.scope");
}

#[test]
fn what_the_way_to_a_target_needs_is_looked_for() {
    let network = |text: &str| {
        fault("    scope: base", &format!("    scope: base\n    network: {{ {text} }}"))
    };
    let authority = network("private_ca: no-such-ca.pem");
    assert_eq!(authority.field, "targets.ibp.network.private_ca");
    assert!(authority.reason.contains("/etc/pt/no-such-ca.pem"), "{authority}");
    for proxy in ["http://me:hunter2@proxy:3128", "http://me:hunter2@pro xy", "socks5://proxy:1"] {
        let found = network(&format!("proxy: \"{proxy}\""));
        assert_eq!(found.field, "targets.ibp.network.proxy");
        assert!(!format!("{found:?}").contains("hunter2"), "{found:?}");
    }
    let both = network("proxy: \"http://me:hunter2@proxy:3128\"");
    assert!(both.cure.contains("proxy_password"), "{both:?}");
    let certificate = fault(
        "        kind: basic\n        user: planthread\n        # A secret is a reference, never a value: ${env:NAME}, ${file:PATH}, ${cmd:COMMAND}\n        password: ${file:secrets/sandbox-password}",
        "        kind: client_certificate\n        certificate: no-such.pem\n        private_key: ${env:KEY}",
    );
    assert_eq!(certificate.field, "targets.ibp.settings.auth.certificate");
    assert_eq!(certificate.line, line_of("kind: basic") + 1);
}

#[test]
fn a_host_that_is_no_address_is_a_fault_of_the_file() {
    let found = fault("host: http://127.0.0.1:9101", "host: \"http:// foo bar\"");
    assert_eq!(found.field, "targets.ibp.settings.host");
    assert_eq!(found.line, line_of("host: http"));
    assert!(found.cure.contains("https://TENANT-api"), "{found:?}");
}

#[test]
fn a_fault_of_the_settings_stands_at_its_own_line() {
    let area = fault("planning_area: PTDEMO", "planning_area: PT-DEMO");
    assert_eq!(area.field, "targets.ibp.settings.planning_area");
    assert_eq!(area.line, line_of("planning_area: PTDEMO"));
    let deep =
        fault("planning_area: PTDEMO", "planning_area: PTDEMO\n      reading: { parallel: 99 }");
    assert_eq!(deep.field, "targets.ibp.settings.reading.parallel");
    assert_eq!(deep.line, line_of("planning_area: PTDEMO") + 1);
    let auth = fault("        user: planthread", "        usr: planthread");
    assert_eq!(auth.field, "targets.ibp.settings.auth.usr");
    assert_eq!(auth.line, line_of("        user: planthread"));
    let surface = fault("surface: TWINLOST", "surface: TWIN-LOST");
    assert_eq!(surface.field, "targets.ibp.measures[3].surface");
}

#[test]
fn faults_and_cures_are_in_words() {
    let variant = fault("over_time: sum", "over_time: avg");
    assert_eq!(variant.cure, "write one of: sum, max, min, none");
    let twice = fault("  zone: Europe/Berlin", "  zone: Europe/Berlin\n  zone: UTC");
    assert_eq!(twice.reason, "`zone` stands twice in one mapping");
    assert_eq!(twice.line, line_of("zone: Europe/Berlin") + 1);
    let two = fault("targets:\n", "---\ntargets:\n");
    assert!(two.reason.contains("second document") && two.cure.contains("profiles"), "{two:?}");
    let negative = fault("scale: 2", "scale: -1");
    assert_eq!(negative.reason, "expected a whole number from 0 up, found the number `-1`");
    for text in ["", "[1, 2]", "hello"] {
        let found = read(text, None).unwrap_err().remove(0);
        assert!(found.reason.contains("mapping of fields"), "{found}");
        assert!(found.cure.contains("init"), "{found:?}");
    }
}

/// The file `text`, for the time of one test.
fn on_disk(name: &str, text: &[u8]) -> std::path::PathBuf {
    let folder = std::env::temp_dir().join(format!("planthread-config-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let file = folder.join(name);
    std::fs::write(&file, text).unwrap();
    file
}

#[test]
fn a_file_that_is_no_text_says_where() {
    let file = on_disk("latin.yaml", b"version: 1\n# caf\xe9\n");
    let found = super::read(&file, None).unwrap_err().remove(0);
    assert_eq!((found.line, found.column), (2, 6));
    assert!(found.reason.contains("UTF-8") && found.cure.contains("UTF-8"), "{found:?}");
}

#[test]
fn every_profile_is_read_and_a_fault_names_its_own() {
    let from = "      ibp: { scope: TWIN, pack: { folder: qa-packs } }";
    let to = "      ibp: { scope: TWIN, pack: { folder: qa-packs } }\n  prod:\n    targets:\n      ibp: { scop: X }";
    let text = starter().replacen(from, to, 1);
    assert!(read(&text, None).is_ok() && read(&text, Some("qa")).is_ok());
    let file = on_disk("profiles.yaml", text.as_bytes());
    for chosen in [None, Some("qa")] {
        let found = super::read_all(&file, chosen).unwrap_err();
        assert_eq!(found.len(), 1, "{found:?}");
        assert_eq!(found[0].profile.as_deref(), Some("prod"));
        assert!(found[0].to_string().contains("with profile prod"), "{}", found[0]);
        assert_eq!(found[0].line, line_of(from) + 3);
    }
    let list = text.split_once("  qa:\n").unwrap().0.to_owned() + "  qa:\n    - 1\n";
    let file = on_disk("list.yaml", list.as_bytes());
    let found = super::read_all(&file, None).unwrap_err();
    assert_eq!(found[0].field, "profiles.qa");
    let none = starter().split_once("profiles:\n").unwrap().0.to_owned() + "profiles: [1]\n";
    assert_eq!(read(&none, None).unwrap_err()[0].field, "profiles");
}

#[test]
fn what_may_not_be_meant_is_a_note() {
    let loaded = read(&starter(), None).unwrap();
    let fields: Vec<&str> = loaded.notes.iter().map(|note| note.field.as_str()).collect();
    assert_eq!(
        fields,
        [0, 1, 2]
            .map(|at| format!("plant.sources[{at}].files[0]"))
            .into_iter()
            .chain(["targets.ibp.settings.auth.password".to_owned()])
            .collect::<Vec<_>>()
    );
    assert_eq!(loaded.notes[0].line, line_of("files: [data/machine-events.csv]"));
    let text = starter();
    let (plant, _) = text.split_once("targets:\n").unwrap();
    let loaded = read(plant, None).unwrap();
    assert!(loaded.notes.iter().any(|note| note.reason.contains("nothing lands")));
}

/// The starter with a second target, changed by `change`; JSON is YAML.
fn two_targets(change: impl FnOnce(&mut serde_json::Value)) -> String {
    let mut config = super::yaml::read(&starter()).unwrap().value();
    let mut second = config["targets"]["ibp"].clone();
    change(&mut second);
    config["targets"]["second"] = second;
    serde_json::to_string_pretty(&config).unwrap()
}

#[test]
fn two_targets_never_write_one_thing_at_whatever_level() {
    let by_day = |target: &mut serde_json::Value| {
        let measures = target["measures"].as_array_mut().unwrap();
        measures.retain(|measure| measure["name"] == "live" || measure["name"] == "assumed");
        measures[0]["level"] = "day".into();
        target.as_object_mut().unwrap().retain(|field, _| field != "in_use" && field != "gap");
        target["settings"].as_object_mut().unwrap().remove("measures");
    };
    let text = two_targets(by_day);
    let faults = read(&text, None).unwrap_err();
    let fields: Vec<&str> = faults.iter().map(|fault| fault.field.as_str()).collect();
    assert_eq!(fields, ["targets.second.measures[0].surface"], "what is only read may be shared");
    let line = text.lines().position(|line| line.contains("\"second\"")).unwrap();
    assert!(faults[0].line > line as u64, "{faults:?}");
    for part in ["TWINCAPALIVE", "PTDEMO", "targets.ibp", "`live`"] {
        assert!(faults[0].reason.contains(part), "{part}: {}", faults[0].reason);
    }
    // Another scope, area or host is another place; the same host spelt otherwise is not.
    for (field, value, ok) in [
        ("/scope", "TWIN", true),
        ("/settings/planning_area", "OTHER", true),
        ("/settings/host", "http://127.0.0.1:9102", true),
        ("/settings/host", "http://127.0.0.1:9101/", false),
    ] {
        let text = two_targets(|target| {
            by_day(target);
            *target.pointer_mut(field).unwrap() = value.into();
        });
        assert_eq!(read(&text, None).is_ok(), ok, "{field} {value}");
    }
}

#[test]
fn holidays_close_their_days_and_are_part_of_what_the_configuration_says() {
    let folder = std::env::temp_dir().join(format!("planthread-holidays-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let calendar = "      round_the_clock: true\n";
    assert!(starter().contains(calendar), "the starter's calendar reads otherwise");
    let more =
        format!("{calendar}      holidays:\n        - {{ file: de.ics, owner: works council }}\n");
    let text = starter().replacen(calendar, &more, 1);
    let at = folder.join("planthread.yaml");
    let with = |day: &str| {
        let event = format!("BEGIN:VEVENT\nDTSTART:{day}\nSUMMARY:Christmas\nEND:VEVENT\n");
        let file = format!("BEGIN:VCALENDAR\n{event}END:VCALENDAR\n");
        std::fs::write(folder.join("de.ics"), file).unwrap();
        parse(&text, &at, None)
    };
    let (first, second) = (with("20261225").unwrap(), with("20261226").unwrap());
    assert_ne!(first.digest, second.digest);
    let closed = &first.config.plant.calendars[0].exceptions[0];
    assert!(closed.closed && closed.reason == "Christmas" && closed.owner == "works council");
    assert_eq!(closed.last().to_string(), "2026-12-25");
    let found = &with("christmas").unwrap_err()[0];
    assert!(found.reason.contains("line 3") && found.line > 1, "{found}");
    let _ = std::fs::remove_dir_all(&folder);
}

#[test]
fn an_owner_of_cells_that_are_not_there_is_a_fault_where_it_stands() {
    let said = |rest: &str| format!("connector: sap-ibp\n    owners: [{{ owner: anna{rest} }}]");
    let of = |rest: &str| starter().replacen("connector: sap-ibp", &said(rest), 1);
    assert!(read(&of(", resource: LINE-1, location: \"1010\", measure: live"), None).is_ok());
    for (field, rest) in [
        ("measure", ", measure: nosuch"),
        ("resource", ", resource: LINE-99"),
        ("location", ", location: \"9\""),
    ] {
        let faults = read(&of(rest), None).unwrap_err();
        assert_eq!(faults[0].field, format!("targets.ibp.owners[0].{field}"), "{faults:?}");
    }
}
