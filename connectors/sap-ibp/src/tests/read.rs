//! Read-back: pages, dates, nothing, and cut answers.

use planthread_contracts::SeenCell;
use planthread_kit::{Class, ConnectorError, Selection, Sent};
use serde_json::json;

use super::*;

const MONDAY_MS: i64 = 1_767_571_200_000;
const WEEK_MS: i64 = 7 * 86_400_000;

fn selection(measures: &[&str], pairs: &[(&str, &str)]) -> Selection {
    Selection {
        target: "ibp".to_owned(),
        scope: Scope::named("UPSIDE"),
        measures: measures.iter().map(|&name| name.to_owned()).collect(),
        resources: pairs.iter().map(|&(r, l)| (r.to_owned(), l.to_owned())).collect(),
        from: "2026-W02".parse().unwrap(),
        to: "2026-W05".parse().unwrap(),
        lane: planthread_kit::http::Lane::Verify,
    }
}

fn row(resource: &str, week: i64, value: &Value) -> Value {
    json!({"__metadata": {}, "RESID": resource, "LOCID": "1010",
        "PERIODID4_TSTAMP": format!("/Date({})/", MONDAY_MS + week * WEEK_MS), "TWINCAPALIVE": value})
}

fn page(rows: &[Value], total: usize) -> Reply {
    answer(200, &json!({"d": {"results": rows, "__count": total.to_string()}}))
}

fn read(world: &World, selection: &Selection) -> Result<Vec<SeenCell>, ConnectorError> {
    world.clock.block_on(world.connector.read(selection))
}

#[test]
fn reads_at_the_level_of_storage_without_token_or_cookie() {
    let world = World::new(vec![(
        "GET ZPA?$select=RESID,LOCID,PERIODID4_TSTAMP,TWINCAPALIVE&$filter=VERSIONID eq 'UPSIDE'",
        page(
            &[
                row("LINE-1", 0, &json!("132.500000")),
                row("LINE-1", 1, &json!(null)),
                row("LINE-9", 0, &json!("5.000000")),
            ],
            3,
        ),
    )]);
    let seen = read(&world, &selection(&["live"], &[("LINE-1", "1010")])).unwrap();
    let shown: Vec<String> =
        seen.iter().map(|cell| format!("{} {:?}", cell.key, cell.value)).collect();
    assert_eq!(
        shown,
        [
            "ibp/UPSIDE/LINE-1@1010/2026-W02/live Some(132.50)",
            "ibp/UPSIDE/LINE-1@1010/2026-W03/live None",
        ]
    );
    insta::assert_snapshot!(world.transcript());
}

#[test]
fn pages_beside_each_other_until_the_announced_count() {
    let world = World::with(
        vec![
            ("GET ZPA", page(&[row("A", 0, &json!("1")), row("A", 1, &json!("2"))], 5)),
            ("GET ZPA", page(&[row("A", 2, &json!("3")), row("A", 3, &json!("4"))], 5)),
            ("GET ZPA", page(&[row("B", 0, &json!("5"))], 5)),
        ],
        |settings| settings["reading"] = json!({"page_size": 2}),
    );
    let seen = read(&world, &selection(&["live"], &[])).unwrap();
    assert_eq!(seen.len(), 5);
    let heard = world.heard();
    assert!(
        heard[0].contains("$skip=0&$inlinecount=allpages") && !heard[1].contains("inlinecount")
    );
    assert!(heard[2].contains("$top=2&$skip=4"));
    assert!(heard.iter().all(|line| line.contains("$orderby=RESID,LOCID,PERIODID4_TSTAMP")));
}

#[test]
fn rows_that_moved_while_they_were_read_are_read_again_by_whoever_asked() {
    let settings = |settings: &mut Value| settings["reading"] = json!({"page_size": 2});
    let short = World::with(
        vec![
            ("GET ZPA", page(&[row("A", 0, &json!("1")), row("A", 1, &json!("2"))], 4)),
            ("GET ZPA", page(&[row("B", 0, &json!("3"))], 4)),
        ],
        settings,
    );
    let twice = World::with(
        vec![
            ("GET ZPA", page(&[row("A", 0, &json!("1")), row("A", 1, &json!("2"))], 3)),
            ("GET ZPA", page(&[row("A", 1, &json!("2"))], 3)),
        ],
        settings,
    );
    for world in [short, twice] {
        let error = read(&world, &selection(&["live"], &[])).unwrap_err();
        assert_eq!(error.class, Class::Transient { sent: Sent::No });
    }
}

#[test]
fn a_cut_answer_is_never_a_short_one() {
    let world =
        World::new(vec![("GET ZPA", text(200, r#"{"d":{"results":[{"RESID":"LINE-1","LO"#))]);
    let error = read(&world, &selection(&["live"], &[])).unwrap_err();
    assert_eq!(error.class, Class::Transient { sent: Sent::No });
    assert!(error.message.contains("too early"), "{error}");
}

#[test]
fn a_finer_level_than_declared_is_drift() {
    let rows = [row("LINE-1", 0, &json!("1")), row("LINE-1", 0, &json!("1"))];
    let world = World::new(vec![("GET ZPA", page(&rows, 2))]);
    let error = read(&world, &selection(&["live"], &[])).unwrap_err();
    assert_eq!(error.class, Class::Drift);
    assert!(error.message.contains("finer level"), "{error}");
}

#[test]
fn weeks_that_start_on_another_day_are_refused_and_not_shifted() {
    let sunday = json!({"RESID": "LINE-1", "LOCID": "1010", "TWINCAPALIVE": "1",
        "PERIODID4_TSTAMP": format!("/Date({})/", MONDAY_MS - 86_400_000)});
    let world = World::new(vec![("GET ZPA", page(&[sunday], 1))]);
    let error = read(&world, &selection(&["live"], &[])).unwrap_err();
    assert_eq!(error.class, Class::Drift);
    assert!(error.message.contains("2026-01-04"), "{error}");
}

#[test]
fn a_missing_conversion_is_a_400_that_says_so() {
    let refused =
        refusal(400, "Key figure TWINOUTPUT requires conversion attribute '(UOMTOID) Unit'");
    let world =
        World::with(vec![("GET ZPA", refused)], |settings| settings["measures"] = json!({}));
    let error = read(&world, &selection(&["output"], &[])).unwrap_err();
    assert_eq!((error.class, error.vendor_code.as_deref()), (Class::Drift, Some("/IBP/X")));
    assert!(error.message.contains("UOMTOID"), "{error}");
}
