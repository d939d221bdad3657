//! Discovery: every line of the sheet gets its answer.

use planthread_kit::{Discovery, Finding, Need, sheet::NOT_LOOKED_AT};
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
    let sets = ["AS1", "AS1Trans", "ZPA", "ZPATrans", "ZPAMessage", "ZPA_VI", "ValueResultSet"];
    answer(200, &json!({"d": {"EntitySets": sets}}))
}

type Steps = Vec<(&'static str, Reply)>;

/// The planning service up to its values.
fn planning() -> Steps {
    vec![
        ("GET ?$format=json", document()),
        ("GET $metadata", text(200, &samples::planning_with(&FIGURES))),
        (
            "GET ZPA?$select=VERSIONID,VERSIONNAME&$top=1000",
            results(&json!([{"VERSIONID": "__BASELINE"}, {"VERSIONID": "UPSIDE"}])),
        ),
    ]
}

/// The master data service.
fn masters() -> Steps {
    vec![
        ("GET $metadata", text(200, &samples::master_data())),
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
        (
            "GET PTRESOURCE?$select=RESID",
            results(&json!([{"RESID": "LINE-1"}, {"RESID": "LINE-2"}])),
        ),
    ]
}

/// Starts of weeks with values, from the Monday before the month's end on, or
/// days later.
fn starts(days_later: i64) -> (&'static str, Reply) {
    let row = |week: i64| {
        let seconds = FIRST + (2 + week) * WEEK + days_later * 86_400;
        json!({"PERIODID4_TSTAMP": format!("/Date({seconds}000)/"), "TWINCAPALIVE": "1"})
    };
    let rows: Vec<Value> = (0..4).map(row).collect();
    ("GET ZPA?$select=PERIODID4_TSTAMP,TWINCAPALIVE,TWINCAPA,TWINSEVERITY&", results(&json!(rows)))
}

/// Everything up to the probes.
fn beginning() -> Steps {
    let mut steps = planning();
    steps.extend(masters());
    steps.push(starts(0));
    steps
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
    let unit = "GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,UOMTOID,TWINOUTPUT";
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
fn a_missing_conversion_is_found_without_reading_the_refusal() {
    let refused = || refusal(400, "Die Kennzahl kann so nicht gelesen werden");
    let mut steps = planning();
    steps.extend(masters());
    steps.extend([
        (
            "GET ZPA?$select=PERIODID4_TSTAMP,TWINCAPALIVE,TWINCAPA,TWINOUTPUT,TWINSEVERITY",
            refused(),
        ),
        (
            "GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,TWINCAPALIVE,TWINCAPA,TWINOUTPUT",
            refused(),
        ),
        ("GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,TWINCAPALIVE&", results(&json!([]))),
        ("GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,TWINCAPA&", results(&json!([]))),
        ("GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,TWINOUTPUT&", refused()),
        ("GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,TWINOUTPUT&", refused()),
        ("GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,TWINOUTPUT&", refused()),
        ("GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,TWINOUTPUT&", results(&json!([]))),
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
    let asked = |terms: &str| world.heard().iter().filter(|line| line.contains(terms)).count();
    assert_eq!((asked("UOMTOID eq 'ZZZ'"), asked("CURRTOID eq 'ZZZ'")), (2, 2));
    assert_eq!(world.left(), 0);
}

#[test]
fn an_area_that_is_not_enabled_is_a_finding_and_not_a_crash() {
    let first = |reply: Reply| {
        let mut steps = vec![("GET ?$format=json", reply)];
        steps.extend(masters());
        let world = World::new(steps);
        let found = discover(&world);
        assert_eq!(world.left(), 0);
        found
    };
    let found = first(answer(200, &json!({"d": {"EntitySets": ["ZOTHER", "ZOTHERTrans"]}})));
    let line = finding(&found, "area.planning_service");
    assert!(!line.ok && line.text.contains("ZOTHER") && line.cure.contains("FLEXQUERY"));
    assert!(!finding(&found, "measure.live").ok, "could not be looked at");

    let missing = first(text(404, "no service"));
    let line = finding(&missing, "area.planning_service");
    assert!(!line.ok && line.text.contains("PLANNING_DATA_API_SRV"), "{line:?}");
    assert_eq!(missing.resources.len(), 2, "the other service is looked at all the same");
}

/// Master data is that of an area: of one that is not offered, none of it is wrong.
#[test]
fn what_an_area_that_is_not_offered_does_not_hold_is_no_fault_of_its_own() {
    let offered = answer(200, &json!({"d": {"EntitySets": ["ZOTHER", "ZOTHERTrans"]}}));
    let mut steps = vec![("GET ?$format=json", offered)];
    steps.extend(masters());
    // No pair is of this area.
    steps[3].1 = results(&json!([]));
    let world = World::new(steps);
    let found = discover(&world);
    assert_eq!(world.left(), 0);
    let blamed = found.findings.iter().filter(|one| !one.ok && one.text != NOT_LOOKED_AT);
    let blamed: Vec<&str> = blamed.map(|one| one.line.as_str()).collect();
    assert_eq!(blamed, ["area.planning_service"]);
}

#[test]
fn a_page_or_a_refusal_is_one_finding_among_many() {
    let page = || text(200, "<!DOCTYPE html><html>Log on</html>");
    let mut steps = planning();
    steps.truncate(1);
    steps.push(("GET $metadata", page()));
    steps.extend(masters());
    let found = discover(&World::new(steps));
    let line = finding(&found, "operations");
    assert!(!line.ok && line.text.contains("a web page"), "{line:?}");
    assert!(line.text.contains("PLANNING_DATA_API_SRV") && !line.cure.is_empty(), "{line:?}");
    assert!(finding(&found, "area.master_data_service").ok);
    assert!(!finding(&found, "measure.live").ok, "nothing is ticked that was not looked at");

    let mut steps = planning();
    steps.push(("GET $metadata", text(403, "no")));
    steps.push(starts(0));
    let empty = || results(&json!([]));
    steps.extend((0..2).map(|_| ("GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP", empty())));
    steps.extend((0..2).map(|_| ("GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,UOMTOID", empty())));
    let world = World::new(steps);
    let found = discover(&world);
    assert_eq!(world.left(), 0);
    let line = finding(&found, "area.master_data_service");
    assert!(!line.ok && line.text.contains("MASTER_DATA_API_SRV: HTTP 403"), "{line:?}");
    assert!(finding(&found, "measure.live").proven && finding(&found, "time.week").proven);
    let wrong = found.findings.iter().filter(|finding| !finding.ok).count();
    assert_eq!(wrong, 3, "the service, and the two lines about its rows: {:#?}", found.findings);
}

#[test]
fn weeks_that_begin_on_sunday_are_noticed_before_a_write() {
    let mut steps = planning();
    steps.extend(masters());
    steps.push(starts(-1));
    steps.extend((0..4).map(|_| ("GET ZPA?$select=RESID", results(&json!([])))));
    steps.push(units(&["EA"]));
    let found = discover(&World::new(steps));
    let line = finding(&found, "time.week");
    assert!(!line.ok && line.text.contains("Sunday 2026-01-18"), "{line:?}");
    assert!(line.cure.contains("Monday"), "{line:?}");
}

#[test]
fn types_of_another_area_are_told_by_the_catalogue_and_by_their_rows() {
    let document = samples::master_data().replace(
        r#"<EntitySet Name="PTRESOURCE" "#,
        r#"<EntitySet Name="AS1RESOURCE" EntityType="IBP.MASTER_DATA_API_SRV.PTRESOURCE"/><EntitySet Name="AS1RESLOC" EntityType="IBP.MASTER_DATA_API_SRV.PTRESOURCELOCATION"/><EntitySet Name="PTRESOURCE" "#,
    );
    let catalogue = || {
        let row =
            |name: &str, area: &str| json!({"MasterDataTypeID": name, "PlanningAreaID": area});
        let rows = json!([row("AS1RESLOC", "AS1"), row("PTRESOURCELOCATION", "ZPA")]);
        (
            "GET VersionSpecificMasterDataTypes?$select=MasterDataTypeID,PlanningAreaID",
            results(&rows),
        )
    };
    let mut steps = vec![("GET ?$format=json", answer(200, &json!({"d": {"EntitySets": []}})))];
    let mut own = masters();
    own[0].1 = text(200, &document);
    let resources = own.split_off(3);
    let pairs = own.split_off(1);
    steps.extend(own);
    steps.push(catalogue());
    steps.extend(pairs);
    steps.push(catalogue());
    steps.push(("GET AS1RESOURCE?$select=RESID", results(&json!([{"RESID": "OTHER"}]))));
    steps.extend(resources);
    let world = World::new(steps);
    let found = discover(&world);
    assert_eq!(world.left(), 0);
    let text = &finding(&found, "area.master_data_service").text;
    assert!(text.contains("PTRESOURCE and PTRESOURCELOCATION among them"), "{text}");
    assert_eq!(found.resources.len(), 2);
}

#[test]
fn the_family_is_named_and_nothing_is_guessed_about_it() {
    let line = |family: Value| {
        let world = World::with(
            vec![("GET ?$format=json", text(404, "")), ("GET $metadata", text(404, ""))],
            |settings| {
                settings["family"] = family;
            },
        );
        let found = discover(&world);
        finding(&found, "model").clone()
    };
    let unknown = line(Value::Null);
    assert!(unknown.ok && unknown.needs == Some(Need::Signature), "{unknown:?}");
    assert!(unknown.text.contains("I_SAPIBP2"), "{unknown:?}");
    let harmonised = line(json!("I_SAPIBP2"));
    assert!(harmonised.ok && harmonised.needs == Some(Need::Landing), "{harmonised:?}");
    assert!(!line(json!("SAP7F")).ok);
}
