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

fn by_day() -> &'static str {
    "GET ZPA?$select=RESID,LOCID,PERIODID0_TSTAMP,TWINCAPALIVE,TWINCAPA,TWINSEVERITY"
}

fn by_part() -> &'static str {
    "GET ZPA?$select=RESID,LOCID,PERIODID5_TSTAMP,TWINCAPALIVE,TWINCAPA,TWINSEVERITY"
}

/// Rows of LINE-1 by another time field.
fn finer(field: &str, days: &[i64]) -> Value {
    let row = |day: &i64| {
        json!({"RESID": "LINE-1", "LOCID": "1010", field: format!("/Date({day}000)/"),
            "TWINCAPALIVE": "100.000000", "TWINCAPA": "50.000000", "TWINSEVERITY": "0.4"})
    };
    days.iter().map(row).collect()
}

/// The answer of the type that holds units.
fn units(names: &[&str]) -> (&'static str, Reply) {
    let rows: Vec<Value> = names.iter().map(|name| json!({"UOMTOID": name})).collect();
    ("GET PTUOMTO?$select=UOMTOID", results(&json!(rows)))
}

#[test]
fn a_prepared_target_ticks_what_was_observed_and_nothing_else() {
    let (first, second) = (FIRST, SPANNING);
    let mut steps = beginning();
    let stored = json!([
        hours("LINE-1", first, "0.4"),
        hours("LINE-2", first, "0.3"),
        hours("LINE-1", second, "0.2"),
        hours("LINE-2", second, "0.1")
    ]);
    let by_week = json!([
        {"LOCID": "1010", "PERIODID4_TSTAMP": "/Date(1767571200000)/", "TWINCAPALIVE": "200", "TWINCAPA": "100", "TWINSEVERITY": "0.4"},
        {"LOCID": "1010", "PERIODID4_TSTAMP": "/Date(1769385600000)/", "TWINCAPALIVE": "200", "TWINCAPA": "100", "TWINSEVERITY": "0.2"}]);
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
        (by_day(), results(&finer("PERIODID0_TSTAMP", &[first, second]))),
        (by_part(), results(&finer("PERIODID5_TSTAMP", &[first, second]))),
        (unit, results(&json!([]))),
        (unit, results(&json!([]))),
        units(&["EA", "PAL"]),
    ]);
    let world = World::new(steps);
    let found = discover(&world);
    let faults: Vec<&Finding> = found.findings.iter().filter(|finding| !finding.ok).collect();
    assert!(faults.is_empty(), "{faults:#?}");
    assert_eq!(found.findings.len(), world.connector.info().sheet.len(), "one for each line");
    assert_eq!(found.resources.len(), 2);
    assert_eq!(found.scopes, ["UPSIDE"]);
    assert_eq!(found.periods, crate::check::sheet::KINDS, "all that it offers, not only ours");
    assert!(
        finding(&found, "measure.severity.aggregation")
            .text
            .contains("over resources: maximum, proven")
    );
    let day =
        world.heard().into_iter().find(|line| line.contains("RESID,LOCID,PERIODID0")).unwrap();
    assert!(
        day.contains(
            "LOCID eq '1010' and RESID eq 'LINE-1' and PERIODID0_TSTAMP ge datetime'2026-01-05"
        ),
        "a few rows only: {day}"
    );
    assert!(found.surface.iter().any(|item| item.name == "PTRESOURCELOCATION"));
    let lines: Vec<String> = found
        .findings
        .iter()
        .map(|finding| {
            let tick = match (finding.ok, finding.proven) {
                (true, true) => "x",
                (true, false) => "?",
                (false, _) => " ",
            };
            format!("{} [{tick}] {}", finding.line, finding.text)
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
        (by_day(), results(&json!([]))),
        (by_part(), results(&json!([]))),
        ("GET ZPA", results(&json!([]))),
        ("GET ZPA", results(&json!([]))),
        units(&["EA"]),
    ]);
    let found = discover(&World::new(steps));
    let severity = finding(&found, "measure.severity.aggregation");
    assert!(
        !severity.ok && severity.text.contains("shows the sum, maximum is declared"),
        "{severity:?}"
    );
    assert!(finding(&found, "measure.live").ok);
}

/// Discovers a target where weeks hold `stored`, read by day as `days` and by
/// technical week as `parts`, and where the unit's values are `known`.
fn levels(stored: &Value, days: &Value, parts: &Value, known: &[&str]) -> Discovery {
    let mut steps = beginning();
    steps.extend([
        ("GET ZPA", results(&json!([]))),
        ("GET ZPA", results(stored)),
        ("GET ZPA?$select=LOCID,PERIODID4_TSTAMP", results(&json!([]))),
        ("GET ZPA?$select=RESID,LOCID,TWINCAPALIVE", results(&json!([]))),
        (by_day(), results(days)),
        (by_part(), results(parts)),
        ("GET ZPA", results(&json!([]))),
        ("GET ZPA", results(&json!([]))),
        units(known),
    ]);
    let world = World::new(steps);
    let found = discover(&world);
    assert_eq!(world.left(), 0);
    found
}

const WEEK: i64 = 7 * 86_400;
/// Monday 2026-01-05, and the week of 2026-01-26, which ends in February.
const FIRST: i64 = 1_767_571_200;
const SPANNING: i64 = FIRST + 3 * WEEK;

fn weeks(starts: &[i64]) -> Value {
    starts.iter().map(|start| hours("LINE-1", *start, "0.4")).collect()
}

#[test]
fn a_level_is_proven_by_what_neither_a_coarser_nor_a_finer_storage_shows() {
    let state = |stored: &[i64], days: &[i64], parts: &[i64]| {
        let (days, parts) = (finer("PERIODID0_TSTAMP", days), finer("PERIODID5_TSTAMP", parts));
        let found = levels(&weeks(stored), &days, &parts, &["EA"]);
        let line = finding(&found, "measure.live.level").clone();
        (line.ok, line.proven, line.text)
    };
    let (ok, proven, text) = state(&[FIRST, SPANNING], &[FIRST, SPANNING], &[]);
    assert!(ok && proven, "{text}");

    let (ok, proven, text) = state(&[SPANNING], &[], &[]);
    assert!(ok && !proven && text.contains("coarser level"), "one week may be a month: {text}");
    let (ok, proven, text) = state(&[FIRST, FIRST + WEEK], &[], &[]);
    assert!(ok && !proven && text.contains("two months"), "may be technical weeks: {text}");

    let mut by_day = finer("PERIODID0_TSTAMP", &[FIRST, FIRST + 86_400]);
    by_day[0]["TWINCAPALIVE"] = json!("60");
    by_day[1]["TWINCAPALIVE"] = json!("40");
    let found = levels(&weeks(&[FIRST, SPANNING]), &by_day, &json!([]), &["EA"]);
    let line = finding(&found, "measure.live.level");
    assert!(!line.ok && line.text.contains("stored finer than by week"), "{line:?}");
    assert!(line.cure.contains("`level`"));
}

#[test]
fn a_unit_that_the_tenant_does_not_know_fails_before_rows_vanish() {
    let found = levels(&weeks(&[FIRST, SPANNING]), &json!([]), &json!([]), &["PAL", "KG"]);
    let line = finding(&found, "measure.output.uomtoid");
    assert!(
        !line.ok && line.text.contains("EA is not among the values of PTUOMTO: KG, PAL"),
        "{line:?}"
    );
    assert!(line.text.contains("likely cause"), "others hold values, it shows none: {line:?}");

    let known = levels(&weeks(&[FIRST, SPANNING]), &json!([]), &json!([]), &["EA"]);
    let line = finding(&known, "measure.output.uomtoid");
    assert!(line.ok && !line.proven && line.text.contains("likely cause"), "{line:?}");
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
