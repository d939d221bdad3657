//! What the reader of a configuration tells the person who wrote it.

use std::path::Path;

use super::{ConfigError, Loaded, parse};
use crate::starter::CONFIG;

fn starter() -> String {
    CONFIG.to_owned()
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
    let good: super::tree::Node = serde_saphyr::from_str(&text).unwrap();
    let faults: Vec<String> =
        schema.iter_errors(&good.value()).map(|fault| fault.to_string()).collect();
    assert_eq!(faults, Vec::<String>::new());
    let bad: super::tree::Node =
        serde_saphyr::from_str(&text.replace("scope: base", "scop: base")).unwrap();
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
