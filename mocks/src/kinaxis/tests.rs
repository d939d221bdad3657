//! The order of calls that a foreign client was seen to make (fact sheet,
//! section 15), and what hides behind a 200.

use bytes::Bytes;
use http::{Request, Response};
use serde_json::{Value, json};

use super::{FACTORY, PARENT, SIGNALS};
use crate::sdk::{Setup, simulator::Simulator};

pub(super) struct World(Box<dyn Simulator>);

impl World {
    pub(super) fn new(options: &[(&str, &str)], on: &[&str]) -> Self {
        let pair = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
        let setup = Setup {
            options: options.iter().map(pair).collect(),
            on: on.iter().map(|name| (*name).to_owned()).collect(),
            ..Setup::default()
        };
        Self((FACTORY.build)(&setup).unwrap())
    }

    fn send(
        &mut self,
        method: &str,
        path: &str,
        kind: &str,
        body: String,
        second: i64,
    ) -> Response<Bytes> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("authorization", "Basic cGxhbnRocmVhZDpwbGFudGhyZWFk")
            .header("content-type", kind)
            .body(Bytes::from(body))
            .unwrap();
        self.0
            .handle(jiff::Timestamp::from_second(1_795_680_000 + second).unwrap(), &request)
            .response
    }

    /// A call of the interface at the first instant: status and JSON.
    fn call(&mut self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        self.later(0, method, path, body)
    }

    fn later(&mut self, second: i64, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let path = format!("/PTDM01_DEV01/integration/V1/{path}");
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let answer = self.send(method, &path, "application/json", body, second);
        (answer.status().as_u16(), serde_json::from_slice(answer.body()).unwrap())
    }

    fn held(&self, scope: &str) -> Vec<String> {
        let ours = |id: &str| id.ends_with(".Rate") || id.starts_with("Planthread::");
        let cells = self.0.stored().into_iter();
        let cells = cells.filter(|cell| cell.scope == scope && ours(&cell.measure));
        cells.map(|c| format!("{} {} {}={}", c.resource, c.period, c.measure, c.value)).collect()
    }
}

const FIELDS: [&str; 5] =
    ["Constraint.Name", "Constraint.Site.Value", "EffectiveInDate", "EffectiveOutDate", "Rate"];

fn upload(scenario: &str, rows: &[[&str; 5]]) -> Value {
    let rows: Vec<Value> = rows.iter().map(|row| json!({ "Values": row })).collect();
    json!({ "Scenario": { "Name": scenario, "Scope": "Public" },
        "Table": { "Namespace": "Mfg", "Name": "ConstraintAvailable" },
        "Fields": FIELDS, "Rows": rows })
}

const ROW: [&str; 5] = ["LINE-1", "1010", "2026-11-30", "2026-12-06", "36.50"];

#[test]
fn nothing_shows_before_complete_and_a_handle_completes_once() {
    let mut world = World::new(&[], &[]);
    let (status, staged) = world.call("POST", "bulk/upload", &upload(SIGNALS, &[ROW]));
    assert_eq!((status, &staged["UploadId"]), (200, &json!("#U1")));
    assert_eq!(world.held(SIGNALS), Vec::<String>::new());
    let (_, done) = world.call("POST", "bulk/upload/U1/complete", &Value::Null);
    assert_eq!(done["Results"]["Status"], "Success");
    assert_eq!(done["Results"]["InsertedRowCount"], 1);
    assert_eq!(world.held(SIGNALS), ["LINE-1 2026-W49 Mfg::ConstraintAvailable.Rate=36.5"]);
    assert_eq!(world.call("POST", "bulk/upload/U1/complete", &Value::Null).0, 404);
}

#[test]
fn a_read_brings_each_row_as_one_text_and_knows_its_filter() {
    let mut world = World::new(&[], &[]);
    world.call("POST", "bulk/upload", &upload(SIGNALS, &[ROW]));
    world.call("POST", "bulk/upload/%23U1/complete", &Value::Null);
    let mut question = upload(SIGNALS, &[]);
    question["Filter"] = "Constraint.Name IN ('LINE-1','LINE-9')".into();
    let (_, open) = world.call("POST", "bulk/export", &question);
    assert_eq!(open["TotalRows"], 2, "the standard row, and ours");
    let page = "bulk/export/E2?startRow=0&pageSize=337500&delimiter=%09&finishExport=false";
    let (_, page) = world.call("GET", page, &Value::Null);
    assert_eq!(
        page["Rows"],
        json!([
            "LINE-1\t1010\t2026-11-30\t2026-12-06\t36.5",
            "LINE-1\t1010\tPast\tUndefined\t7200"
        ])
    );
    question["Filter"] = "[Constraint.Name = 'LINE-1']".into();
    assert_eq!(world.call("POST", "bulk/export", &question).0, 400);
}

#[test]
fn refused_rows_are_counted_and_not_named() {
    let mut world = World::new(&[], &[]);
    let mut rows = [ROW, ROW, ROW];
    rows[1][0] = "LINE-99";
    rows[2][2] = "30.11.2026";
    world.call("POST", "bulk/upload", &upload(SIGNALS, &rows));
    let (status, done) = world.call("POST", "bulk/upload/U1/complete", &Value::Null);
    assert_eq!((status, &done["Results"]["Status"]), (200, &json!("Partial Success")));
    assert_eq!(done["Results"]["ErrorRowCount"], 2);
}

#[test]
fn rows_sent_again_modify_or_append_and_a_removal_takes_one() {
    for (on, expected) in [(&[][..], "=40"), (&["append-non-keyed"][..], "=76.5")] {
        let mut world = World::new(&[], on);
        for (number, rate) in ["36.5", "40"].into_iter().enumerate() {
            let mut row = ROW;
            row[4] = rate;
            world.call("POST", "bulk/upload", &upload(SIGNALS, &[row]));
            world.call("POST", &format!("bulk/upload/U{}/complete", number + 1), &Value::Null);
        }
        assert!(world.held(SIGNALS)[0].ends_with(expected), "{:?}", world.held(SIGNALS));
    }
    let mut world = World::new(&[], &[]);
    world.call("POST", "bulk/upload", &upload(SIGNALS, &[ROW]));
    world.call("POST", "bulk/upload/U1/complete", &Value::Null);
    world.call("POST", "bulk/remove", &upload(SIGNALS, &[ROW]));
    let (_, done) = world.call("POST", "bulk/remove/R2/complete", &Value::Null);
    assert_eq!(done["Results"]["DeleteRowCount"], 1);
    assert_eq!(world.held(SIGNALS), Vec::<String>::new());
}

#[test]
fn a_scenario_is_committed_by_script_alone_and_a_failed_script_is_a_200() {
    let mut world = World::new(&[], &[]);
    world.call("POST", "bulk/upload", &upload(SIGNALS, &[ROW]));
    world.call("POST", "bulk/upload/U1/complete", &Value::Null);
    assert_eq!(world.held(""), Vec::<String>::new());
    let named = json!({ "scenarioName": { "Name": SIGNALS, "Scope": "Public" } });
    let (status, done) = world.call("POST", "script/Public/CommitScenario", &named);
    assert_eq!((status, done.get("ScriptError")), (200, None), "{done}");
    assert_eq!(world.held("").len(), 1);
    let (status, failed) =
        world.call("POST", "script/Public/CommitScenario", &json!({ "scenarioName": PARENT }));
    assert_eq!((status, &failed["ScriptError"]["Code"]), (200, &json!("JavascriptException")));
    let (_, made) =
        world.call("POST", "script/Public/EnsureScenario", &json!({ "scenarioName": "Twin B" }));
    assert_eq!(made["Value"], "created");
    assert_eq!(world.call("POST", "bulk/upload", &upload("Twin B", &[ROW])).0, 200);
}

#[test]
fn worksheets_are_read_by_handle_and_imported_in_the_users_locale() {
    let mut world = World::new(&[], &[]);
    let mut row = ROW;
    (row[2], row[3]) = ("30-11-26", "06-12-26");
    let mut import = upload(SIGNALS, &[row, row]);
    import["Rows"][1]["Values"][0] = "LINE-99".into();
    import["WorkbookParameters"] = json!({ "Workbook": { "Name": SIGNALS, "Scope": "Public" },
        "SiteGroup": "All Sites", "Filter": null, "VariableValues": null,
        "WorksheetNames": ["ConstraintAvailable"] });
    let (_, done) = world.call("POST", "data/workbook/import", &import);
    let sheet = &done["Worksheets"][0];
    assert_eq!((&done["Success"], &sheet["ErrorRowCount"]), (&json!(true), &json!(1)));
    assert_eq!((&sheet["InsertedRowCount"], sheet["Errors"].is_object()), (&json!(1), true));
    let (_, open) = world.call("POST", "data/workbook", &import);
    assert_eq!(open["Worksheets"][0]["QueryHandle"]["QueryID"], "#Q1");
    assert_eq!(open["Worksheets"][0]["TotalRowCount"], 7);
    for (id, scope) in [("Q1", "Scope"), ("%23Q1", "workbookScope")] {
        let page = format!(
            "data/worksheet?queryId={id}&workbookName=Capacity%20Signals&{scope}=Public\
             &worksheetName=ConstraintAvailable&startRow=0&pageSize=5000"
        );
        let (status, page) = world.call("GET", &page, &Value::Null);
        assert_eq!((status, page["Rows"].as_array().map(Vec::len)), (200, Some(7)));
    }
}

#[test]
fn a_full_file_deletes_what_it_lacks_and_history_names_the_line() {
    let mut world = World::new(&[], &[]);
    let file = |rows: Value, last: bool| {
        json!({ "Scenario": { "Name": SIGNALS, "Scope": "Public" }, "Columns": FIELDS, "Rows": rows,
            "OperationType": "Full", "FileFormat": "Tab Delimited (*.tab)",
            "FinishExtract": if last { "True" } else { "False" } })
    };
    let trigger = json!({ "OnlyProcessDataSources": "capacity_signals_ds" });
    let mut row = ROW;
    (row[2], row[3]) = ("20261130", "20261206");
    let mut other = row;
    other[0] = "LINE-99";
    let rows = json!([{ "Values": row }, { "Values": other }]);
    let path = "dataload/capacity_signals_ds/ConstraintAvailable";
    assert_eq!(world.call("POST", path, &file(rows, true)).0, 200);
    let (_, key) = world.call("POST", "dataupdate/trigger", &trigger);
    let status = format!("dataupdate/{}", key["StatusKey"].as_str().unwrap());
    assert_eq!(world.call("GET", &status, &Value::Null).1["DataUpdateId"], "");
    let (_, ended) = world.later(5, "GET", &status, &Value::Null);
    assert_eq!(ended["Status"], "Completed");
    let held = world.0.stored();
    assert_eq!(held.iter().filter(|cell| cell.measure.ends_with(".Rate")).count(), 1);
    let mut open = file(json!([]), true);
    open["WorkbookParameters"] = json!({ "Workbook": { "Name": "Data Update History", "Scope": "Public" },
        "SiteGroup": "All Sites", "WorksheetNames": ["DataUpdateMessage", "DataUpdateFileHistory"] });
    let (_, open) = world.later(6, "POST", "data/workbook", &open);
    assert_eq!(open["Worksheets"][0]["TotalRowCount"], 1);
    let page = "data/worksheet?queryId=Q2&workbookName=Data%20Update%20History&workbookScope=Public\
        &worksheetName=DataUpdateMessage&startRow=0&pageSize=50";
    let (_, page) = world.later(6, "GET", page, &Value::Null);
    assert_eq!(page["Rows"][0]["Values"][6], "2", "{page}");
}

#[test]
fn a_damaged_or_half_copied_pack_is_refused() {
    let drop = |world: &mut World, name: &str, text: &str| {
        let path = format!("/planner/pack?version=Capacity%20Signals&file={name}");
        let answer = world.send("POST", &path, "text/csv", text.to_owned(), 0);
        (answer.status().as_u16(), String::from_utf8_lossy(answer.body()).into_owned())
    };
    let whole = "LINE-1\t1010\t20261130\t20261206\t36.5\n";
    let file = "ConstraintAvailable.tab";
    let manifest = |text: &str| {
        let one = json!({ "name": file, "sha256": crate::sdk::web::digest(text) });
        json!({ "files": [one, { "name": "extract.done", "sha256": "" }] }).to_string()
    };
    let (cut, short) = (&whole[..whole.len() - 1], "LINE-1\t1010\t20261130\n");
    for (files, why) in [
        (vec![(file, cut), ("manifest.json", &*manifest(cut))], "it is cut"),
        (vec![(file, short), ("manifest.json", &*manifest(short))], "3 columns"),
        (vec![(file, cut), ("manifest.json", &*manifest(whole))], "damaged"),
        (vec![("manifest.json", &*manifest(whole))], "ConstraintAvailable.tab is missing"),
        (vec![(file, whole)], "manifest.json is missing"),
        (vec![(file, whole), ("manifest.json", "{}")], "names no file"),
        (
            vec![
                (file, whole),
                ("CapacityOverride.tab", whole),
                ("manifest.json", &*manifest(whole)),
            ],
            "CapacityOverride.tab is none of this pack",
        ),
    ] {
        let mut world = World::new(&[], &[]);
        files.iter().for_each(|(name, text)| _ = drop(&mut world, name, text));
        let (status, said) = drop(&mut world, "extract.done", "");
        assert!(status == 400 && said.contains(why), "{said}");
        assert_eq!(world.held(SIGNALS), Vec::<String>::new());
    }
    let mut world = World::new(&[], &[]);
    // What is none of its files is refused at once, and does no harm; so is a scenario.
    for stray in ["README.txt", "Old.tab", ""] {
        let (status, said) = drop(&mut world, stray, "read me");
        assert!(status == 400 && said.contains("is no file that is imported"), "{said}");
    }
    let path = format!("/planner/pack?version=Elsewhere&file={file}");
    let answer = world.send("POST", &path, "text/csv", whole.to_owned(), 0);
    assert!(String::from_utf8_lossy(answer.body()).contains("'Elsewhere' does not exist"));
    drop(&mut world, file, whole);
    drop(&mut world, "manifest.json", &manifest(whole));
    let (status, said) = drop(&mut world, "extract.done", "");
    assert_eq!((status, world.held(SIGNALS).len()), (200, 1), "{said}");
}

#[test]
fn a_second_session_is_refused_where_it_is_told_so() {
    let mut world = World::new(&[], &["one-session"]);
    let token = |world: &mut World| {
        let kind = "application/x-www-form-urlencoded";
        let form = "grant_type=client_credentials".to_owned();
        world.send("POST", "/PTDM01_DEV01/oauth2/token", kind, form, 0).status().as_u16()
    };
    assert_eq!(token(&mut world), 200);
    assert_eq!(token(&mut world), 403);
    assert_eq!(world.call("POST", "bulk/export", &json!({})).0, 403);
    world.0.expire_sessions();
    assert_eq!(token(&mut world), 200);
}

#[test]
fn the_page_speaks_of_scenarios() {
    let mut world = World::new(&[], &[]);
    let page = world.send("GET", "/planner/data.json", "application/json", String::new(), 0);
    let page: Value = serde_json::from_slice(page.body()).unwrap();
    assert_eq!(page["scope_word"], "Scenario");
    assert_eq!(page["versions"], json!(["", SIGNALS]));
}

#[test]
fn a_persons_edit_becomes_a_row() {
    let mut world = World::new(&[], &[]);
    let edit = json!({ "resource": "LINE-1", "location": "1010", "period": "2026-W49",
        "measure": "Mfg::ConstraintAvailable.Rate", "value": "40", "version": SIGNALS });
    let answer = world.send("POST", "/planner/edit", "application/json", edit.to_string(), 0);
    assert_eq!(answer.status(), 200);
    let mut question = upload(SIGNALS, &[]);
    question["Filter"] = "Constraint.Name = 'LINE-1'".into();
    assert_eq!(world.call("POST", "bulk/export", &question).1["TotalRows"], 2);
}
