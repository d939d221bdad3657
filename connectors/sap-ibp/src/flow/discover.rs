//! Discovery: every line of the sheet gets its answer.

use planthread_kit::{Discovery, Finding};
use serde_json::json;

use super::*;
use crate::metadata::samples;

const FIGURES: [&str; 4] = ["TWINCAPALIVE", "TWINCAPA", "TWINOUTPUT", "TWINSEVERITY"];

fn discover(world: &World) -> Discovery {
    world.clock.block_on(world.connector.discover()).unwrap()
}

fn finding<'a>(found: &'a Discovery, line: &str) -> &'a Finding {
    found.findings.iter().find(|finding| finding.line == line).unwrap()
}

fn results(rows: &Value) -> Reply {
    answer(200, &json!({"d": {"results": rows}}))
}

fn document() -> Reply {
    answer(200, &json!({"d": {"EntitySets": ["ZPA", "ZPATrans", "ZPAMessage", "ValueResultSet"]}}))
}

/// Everything up to the probes.
fn beginning() -> Vec<(&'static str, Reply)> {
    vec![
        ("GET ?$format=json", document()),
        ("GET $metadata", text(200, &samples::planning_with(&FIGURES))),
        (
            "GET ZPA?$select=VERSIONID,VERSIONNAME&$top=1000",
            results(&json!([{"VERSIONID": "__BASELINE"}, {"VERSIONID": "UPSIDE"}])),
        ),
        ("GET $metadata", text(200, &samples::master_data())),
        (
            "GET PTRESOURCE?$select=RESID",
            results(&json!([{"RESID": "LINE-1"}, {"RESID": "LINE-2"}])),
        ),
        (
            "GET PTRESOURCELOCATION?$select=RESID,LOCID&$orderby=RESID,LOCID&$filter=PlanningAreaID eq 'ZPA' and VersionID eq 'UPSIDE'",
            results(&json!([])),
        ),
        (
            "GET PTRESOURCELOCATION?$select=RESID,LOCID&$orderby=RESID,LOCID&$filter=PlanningAreaID eq 'ZPA' and VersionID eq '__BASELINE'",
            results(
                &json!([{"RESID": "LINE-1", "LOCID": "1010"}, {"RESID": "LINE-2", "LOCID": "1010"}]),
            ),
        ),
    ]
}

fn hours(resource: &str, day: i64, severity: &str) -> Value {
    json!({"RESID": resource, "LOCID": "1010", "PERIODID4_TSTAMP": format!("/Date({day}000)/"),
        "TWINCAPALIVE": "100.000000", "TWINCAPA": "50.000000", "TWINSEVERITY": severity})
}

#[test]
fn a_prepared_target_ticks_every_line() {
    let (first, second) = (1_767_571_200, 1_768_176_000);
    let mut steps = beginning();
    let stored = json!([
        hours("LINE-1", first, "0.4"),
        hours("LINE-2", first, "0.3"),
        hours("LINE-1", second, "0.2"),
        hours("LINE-2", second, "0.1")
    ]);
    let by_week = json!([
        {"LOCID": "1010", "PERIODID4_TSTAMP": "/Date(1767571200000)/", "TWINCAPALIVE": "200", "TWINCAPA": "100", "TWINSEVERITY": "0.4"},
        {"LOCID": "1010", "PERIODID4_TSTAMP": "/Date(1768176000000)/", "TWINCAPALIVE": "200", "TWINCAPA": "100", "TWINSEVERITY": "0.2"}]);
    let by_resource = json!([
        {"RESID": "LINE-1", "LOCID": "1010", "TWINCAPALIVE": "200", "TWINCAPA": "100", "TWINSEVERITY": "0.6"},
        {"RESID": "LINE-2", "LOCID": "1010", "TWINCAPALIVE": "200", "TWINCAPA": "100", "TWINSEVERITY": "0.4"}]);
    let plain = "GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,TWINCAPALIVE,TWINCAPA,TWINSEVERITY";
    let unit = "GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,TWINOUTPUT";
    steps.extend([
        (plain, results(&json!([]))),
        (plain, results(&stored)),
        (
            "GET ZPA?$select=LOCID,PERIODID4_TSTAMP,TWINCAPALIVE,TWINCAPA,TWINSEVERITY",
            results(&by_week),
        ),
        ("GET ZPA?$select=RESID,LOCID,TWINCAPALIVE,TWINCAPA,TWINSEVERITY", results(&by_resource)),
        (unit, results(&json!([]))),
        (unit, results(&json!([]))),
    ]);
    let world = World::new(steps);
    let found = discover(&world);
    let faults: Vec<&Finding> = found.findings.iter().filter(|finding| !finding.ok).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    assert_eq!(found.findings.len(), world.connector.info().sheet.len(), "one for each line");
    assert_eq!(found.resources.len(), 2);
    assert_eq!(found.scopes, ["UPSIDE"]);
    assert_eq!(found.periods, crate::check::sheet::KINDS, "all that it offers, not only ours");
    assert!(finding(&found, "measure.severity").text.contains("over resources: maximum, proven"));
    assert!(found.surface.iter().any(|item| item.name == "PTRESOURCELOCATION"));
    let lines: Vec<String> = found
        .findings
        .iter()
        .map(|finding| {
            format!("{} [{}] {}", finding.line, if finding.ok { "x" } else { " " }, finding.text)
        })
        .collect();
    insta::assert_snapshot!(lines.join("\n"));
}

#[test]
fn a_severity_that_sums_is_found_one_level_coarser() {
    let day = 1_767_571_200;
    let mut steps = beginning();
    let stored = json!([hours("LINE-1", day, "0.4"), hours("LINE-2", day, "0.3")]);
    let summed = json!([{"LOCID": "1010", "PERIODID4_TSTAMP": "/Date(1767571200000)/",
        "TWINCAPALIVE": "200", "TWINCAPA": "100", "TWINSEVERITY": "0.7"}]);
    steps.extend([
        ("GET ZPA", results(&json!([]))),
        ("GET ZPA", results(&stored)),
        ("GET ZPA", results(&summed)),
        ("GET ZPA", results(&json!([]))),
        ("GET ZPA", results(&json!([]))),
        ("GET ZPA", results(&json!([]))),
    ]);
    let found = discover(&World::new(steps));
    let severity = finding(&found, "measure.severity");
    assert!(
        !severity.ok && severity.text.contains("shows the sum, maximum is declared"),
        "{severity:?}"
    );
    assert!(finding(&found, "measure.live").ok);
}

#[test]
fn a_missing_conversion_names_its_measure_after_two_rounds_at_most() {
    let wants = |name: &str| refusal(400, &format!("requires conversion attribute '({name}) To'"));
    let mut steps = beginning();
    steps.extend([
        (
            "GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,TWINCAPALIVE,TWINCAPA,TWINOUTPUT",
            wants("UOMTOID"),
        ),
        ("GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,TWINCAPALIVE&", results(&json!([]))),
        ("GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,TWINCAPA&", results(&json!([]))),
        ("GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,TWINOUTPUT&", wants("UOMTOID")),
        ("GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,TWINOUTPUT&", wants("CURRTOID")),
        ("GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,TWINOUTPUT&", wants("LANGUAGE")),
        ("GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,TWINSEVERITY&", results(&json!([]))),
        (
            "GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,TWINCAPALIVE,TWINCAPA,TWINSEVERITY",
            results(&json!([])),
        ),
    ]);
    let world = World::with(steps, |settings| settings["measures"] = json!({}));
    let found = discover(&world);
    let output = finding(&found, "measure.output");
    assert!(!output.ok && output.text.contains("must name UOMTOID and CURRTOID"), "{output:?}");
    assert!(world.heard()[11].contains("UOMTOID eq 'ZZZ'"));
    assert_eq!(world.left(), 0);
}

#[test]
fn an_area_that_is_not_enabled_is_a_finding_and_not_a_crash() {
    let offered = answer(200, &json!({"d": {"EntitySets": ["ZOTHER", "ZOTHERTrans"]}}));
    let found = discover(&World::new(vec![("GET ?$format=json", offered)]));
    let line = finding(&found, "area.planning_service");
    assert!(!line.ok && line.text.contains("ZOTHER") && line.cure.contains("FLEXQUERY"));
    assert!(!finding(&found, "measure.live").ok, "could not be looked at");

    let missing = World::new(vec![("GET ?$format=json", text(404, "no service"))]);
    assert!(!finding(&discover(&missing), "area.planning_service").ok);
}
