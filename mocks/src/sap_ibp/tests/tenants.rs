//! What differs from tenant to tenant: areas, keys, value helps, weeks, names.

use std::collections::BTreeSet;

use planthread_contracts::{
    Aggregation, Carries, MeasureDecl, Owner, Period, PeriodKind, Role, Scope, Unit,
};

use super::{super::Family, *};
use crate::{SandboxShape, sdk::ShapeResource};

fn sets(client: &mut Client, service: &str) -> Vec<String> {
    let document = client.get_json(&format!("{service}/"));
    let sets = document["d"]["EntitySets"].as_array().unwrap();
    sets.iter().map(|set| set.as_str().unwrap().to_owned()).collect()
}

fn rows(client: &mut Client, path: &str) -> Vec<Value> {
    client.get_json(&format!("{MASTER}/{path}"))["d"]["results"].as_array().unwrap().clone()
}

#[test]
fn a_tenant_with_several_areas_has_types_and_units_for_each() {
    let mut client = Client::switched(Switch::SeveralAreas, true);
    client.sandbox.switch(Switch::AreaKeys, true);
    let planning = sets(&mut client, PLANNING);
    assert!(planning.contains(&"PTSALESTrans".to_owned()), "{planning:?}");
    assert!(!planning.iter().any(|set| set.starts_with("PTHARMON")), "master data alone");
    let areas: BTreeSet<_> = rows(&mut client, "VersionSpecificMasterDataTypes")
        .iter()
        .map(|row| row["PlanningAreaID"].as_str().unwrap().to_owned())
        .collect();
    let all = ["PTDEMO", "PTHARMON", "PTMASTER", "PTSALES"].map(str::to_owned);
    assert_eq!(areas, BTreeSet::from(all));
    let units = rows(&mut client, "PSUOMTO");
    assert_eq!((units.len(), &units[0]["UOMTOID"]), (1, &json!("KG")), "not the units of ours");
    assert_eq!(units[0]["PlanningAreaID"], "PTSALES");
    let empty = client.read("$select=RESID,CAPASUPPLY&$top=1");
    assert_eq!(empty.len(), 1, "the own area goes on");
    let other = format!("{PLANNING}/PTSALES?$select=RESID,SALESFORECASTQTY");
    assert_eq!(client.get_json(&other)["d"]["results"], json!([]));
    let body = trans("t", "RESID,LOCID,CAPASUPPLY,PERIODID4_TSTAMP", &[]);
    assert_eq!(client.post(&format!("{PLANNING}/PTSALESTrans"), &body).status(), 400);
    assert_eq!(client.get(&format!("{PLANNING}/PTHARMON?$select=RESID")).status(), 404);
}

#[test]
fn business_types_are_keyed_with_their_area_and_the_rest_takes_no_filter_on_it() {
    let mut client = Client::switched(Switch::AreaKeys, true);
    let own = "$filter=PlanningAreaID eq 'PTDEMO' and VersionID eq '__BASELINE'";
    for kind in ["PTRESOURCE", "PTUOMTO", "PTRESOURCELOCATION"] {
        assert!(!rows(&mut client, &format!("{kind}?{own}")).is_empty(), "{kind}");
    }
    let uri = rows(&mut client, "PTRESOURCE?$top=1")[0]["__metadata"]["uri"].clone();
    let uri = uri.as_str().unwrap();
    assert!(uri.contains("PlanningAreaID='PTDEMO',VersionID='__BASELINE'"), "{uri}");
    assert_eq!(client.get(&format!("{MASTER}/PTCALENDAR?{own}")).status(), 400);
    let catalogue: BTreeSet<_> = rows(&mut client, "VersionSpecificMasterDataTypes")
        .iter()
        .map(|row| row["MasterDataTypeID"].as_str().unwrap().to_owned())
        .collect();
    assert!(catalogue.contains("PTUOMTO") && !catalogue.contains("PTCALENDAR"), "{catalogue:?}");
    client.sandbox.switch(Switch::AreaKeys, false);
    assert_eq!(client.get(&format!("{MASTER}/PTRESOURCE?{own}")).status(), 400);
}

#[test]
fn value_helps_stand_beside_the_types_and_can_not_be_loaded() {
    let mut client = Client::switched(Switch::ValueHelpSets, true);
    let all = sets(&mut client, MASTER);
    assert!(all.contains(&"PTRESOURCELOCATION_VI".to_owned()), "{all:?}");
    assert!(!all.contains(&"PTRESOURCE_VITrans".to_owned()), "{all:?}");
    assert_eq!(
        rows(&mut client, "PTRESOURCE_VI").len(),
        rows(&mut client, "PTRESOURCE").len(),
        "they show the same values"
    );
}

#[test]
fn an_area_of_the_harmonised_family_is_offered_for_master_data_alone() {
    let options = Options { family: Family::ISapibp2, ..Options::default() };
    let mut client = Client::with(options);
    assert!(!sets(&mut client, PLANNING).contains(&"PTDEMO".to_owned()));
    assert_eq!(client.get(&format!("{PLANNING}/PTDEMO?$select=RESID,CAPASUPPLY")).status(), 404);
    client.sandbox.switch(Switch::HarmonisedKeyFigures, true);
    let quarters = client.read("$select=PERIODID2_TSTAMP,CAPASUPPLY&$orderby=PERIODID2_TSTAMP");
    // 28 September 2026 to 16 May 2028: Q3 2026 to Q2 2028.
    assert_eq!(quarters.len(), 8, "{quarters:?}");
    let refused = client.get(&format!("{PLANNING}/PTDEMO?$select=PERIODID3_TSTAMP,CAPASUPPLY"));
    assert_eq!(refused.status(), 400, "it has no month");
}

#[test]
fn weeks_that_begin_on_sunday_show_and_take_sundays() {
    let mut client = Client::switched(Switch::SundayWeeks, true);
    let fields = "RESID,LOCID,TWINCAPA,PERIODID4_TSTAMP";
    let row = json!({ "RESID": "LINE-1", "LOCID": "1010",
        "PERIODID4_TSTAMP": "2026-11-28T00:00:00", "TWINCAPA": "7" });
    client.post(&format!("{PLANNING}/PTDEMOTrans"), &trans("t", fields, &[row]));
    client.commit("t");
    assert_eq!(client.status("t"), "PROCESSED");
    let shown = |client: &mut Client, day: &str| {
        let rows = client.read(&format!(
            "$select=PERIODID4_TSTAMP,TWINCAPA&$filter=RESID eq 'LINE-1' and \
             PERIODID4_TSTAMP eq datetime'{day}T00:00:00'"
        ));
        rows.first().map(|row| row["TWINCAPA"].as_str().unwrap().to_owned())
    };
    // Saturday 28 November is the last day of the week that began on the 22nd.
    assert_eq!(shown(&mut client, "2026-11-22").as_deref(), Some("7.000000"));
    assert_eq!(shown(&mut client, "2026-11-23"), None, "no week begins on a Monday");
    client.sandbox.advance(client.at);
    let file =
        "RESID,LOCID,KEYFIGUREDATE,TWINCAPA\nLINE-1,1010,2026-11-29,8\nLINE-1,1010,2026-12-07,9\n";
    let report = client.sandbox.import_csv(client.at, file, b',', "").unwrap();
    assert_eq!((report.written, report.rejects.len()), (1, 1), "{report:?}");
    assert_eq!(shown(&mut client, "2026-11-29").as_deref(), Some("8.000000"));
}

fn measure(name: &str, surface: &str, carries: Carries, over: Aggregation) -> MeasureDecl {
    MeasureDecl {
        name: name.into(),
        surface: surface.into(),
        carries,
        unit: Unit::Hour,
        scale: 2,
        level: PeriodKind::Week,
        over_time: over,
        over_resources: over,
        absent_is_zero: false,
        owner: Owner::Bridge,
        role: Role::Value,
    }
}

fn shape() -> SandboxShape {
    let place = |resource: &str, description: &str| ShapeResource {
        resource: resource.into(),
        location: "W1".into(),
        description: description.into(),
    };
    SandboxShape {
        target: "ibp".into(),
        scope: Scope::named("UPSIDE"),
        settings: json!({
            "planning_area": "ZACME",
            "attributes": { "resource": "ZRES", "location": "ZLOC" },
            "time_fields": { "week": "PERIODID0_TSTAMP", "day": "PERIODID7_TSTAMP" },
            "master_data": { "resource": "ACMERES" },
            "measures": { "output": { "conversions": { "UOMTOID": "ST" } } },
        }),
        measures: vec![
            measure("live", "ZLIVE", Carries::AttainableClockHours, Aggregation::Sum),
            measure("cut", "ZCUT", Carries::PlanCut, Aggregation::Sum),
            measure("output", "ZOUT", Carries::GoodUnits, Aggregation::Sum),
            measure("status", "ZSTAT", Carries::Status, Aggregation::Max),
            measure("assumed", "ZCAP", Carries::Observed, Aggregation::Sum),
        ],
        driver: Some("ZCAP".into()),
        load: None,
        driven_by: Some("ZCUT".into()),
        wiring: "calculation".into(),
        resources: vec![place("PRS-01", "Presse 1"), place("PRS-02", "")],
    }
}

#[test]
fn a_sandbox_takes_the_names_of_a_configured_target() {
    let setup = crate::Setup { shape: Some(shape()), ..crate::Setup::default() };
    let mut client = Client::with(Options::of(&setup).unwrap());
    assert_eq!(sets(&mut client, PLANNING)[0], "ZACME");
    let row = json!({ "ZRES": "PRS-01", "ZLOC": "W1",
        "PERIODID0_TSTAMP": "2026-11-23T00:00:00", "ZCUT": "33", "ZOUT": "5" });
    let body = json!({ "Transactionid": "t", "VersionID": "UPSIDE", "DoCommit": true,
        "AggregationLevelFieldsString": "ZRES,ZLOC,ZCUT,ZOUT,PERIODID0_TSTAMP",
        "NavZACME": [row] });
    let staged = client.post(&format!("{PLANNING}/ZACMETrans"), &body);
    assert_eq!(staged.status(), 201, "{:?}", staged.body());
    client.pass(2.0);
    assert_eq!(client.status("t"), "PROCESSED");
    let path = "ZACME?$select=ZRES,RESDESCR,PERIODID0_TSTAMP,ZCUT,ZOUT&$filter=VERSIONID eq \
                'UPSIDE' and UOMTOID eq 'ST'";
    let rows = client.get_json(&format!("{PLANNING}/{path}"));
    let row = &rows["d"]["results"][0];
    assert_eq!((&row["ZCUT"], &row["ZOUT"]), (&json!("33.000000"), &json!("5.000000")));
    assert_eq!(row["RESDESCR"], "Presse 1");
    let known = client.get_json(&format!("{MASTER}/ACMERES?$select=ZRES"));
    assert_eq!(known["d"]["results"].as_array().unwrap().len(), 2);
    let week: Period = "2026-W48".parse().unwrap();
    let stored = client.sandbox.stored();
    assert!(stored.iter().any(|c| c.scope == "UPSIDE" && c.measure == "ZCUT" && c.period == week));
}

#[test]
fn the_page_of_a_shape_knows_which_measure_is_which() {
    let setup = crate::Setup { shape: Some(shape()), ..crate::Setup::default() };
    let mut client = Client::with(Options::of(&setup).unwrap());
    let data = client.get_json("/planner/data.json?from=2026-11&months=1");
    let slot = |slot: &str| {
        let measures = data["measures"].as_array().unwrap();
        measures.iter().find(|one| one["slot"] == slot).map(|one| one["id"].clone())
    };
    assert_eq!(
        (&data["title"], &data["wiring"]),
        (&json!("Planning area ZACME"), &json!("calculation"))
    );
    for (part, id) in [("live", "ZLIVE"), ("cut", "ZCUT"), ("assumed", "ZCAP"), ("status", "ZSTAT")]
    {
        assert_eq!(slot(part), Some(json!(id)));
    }
    assert_eq!(slot("load"), None, "what the target has no measure for is not shown");
}

#[test]
fn what_can_not_be_rehearsed_is_said() {
    let refused = |shape: SandboxShape| {
        let setup = crate::Setup { shape: Some(shape), ..crate::Setup::default() };
        Options::of(&setup).unwrap_err().to_string()
    };
    let mut by_product = shape();
    by_product.settings["measures"]["output"]["by_product"] = true.into();
    assert!(refused(by_product).contains("by product"));
    assert!(refused(SandboxShape { resources: Vec::new(), ..shape() }).contains("no resource"));
}

#[test]
fn a_foreign_page_neither_edits_nor_reads() {
    let mut client = Client::new();
    let edit = json!({ "resource": "LINE-1", "location": "1010", "period": "2026-W48",
        "measure": "TWINCAPA", "value": "1" });
    let body = edit.to_string();
    let json = ("content-type", "application/json");
    let page = [json, ("host", "localhost:9101"), ("origin", "http://localhost:9101")];
    let elsewhere = [json, ("host", "localhost:9101"), ("origin", "https://elsewhere.example")];
    let rebound = [json, ("host", "elsewhere.example"), ("origin", "http://elsewhere.example")];
    for (headers, status) in [(page, 200), (elsewhere, 403), (rebound, 403)] {
        for path in ["/planner/edit", "/planner/nightly"] {
            let answer = client.send(Method::POST, path, body.clone(), &headers);
            assert_eq!(answer.status(), status, "{path} {headers:?}");
        }
    }
    let pack = [("content-type", "text/csv"), ("host", "elsewhere.example")];
    assert_eq!(client.send(Method::POST, "/planner/pack", "", &pack).status(), 403);
    let read = client.send(Method::GET, "/planner/data.json", "", &rebound[1..2]);
    assert_eq!(read.status(), 403);
    assert_eq!(client.value("TWINCAPA").as_deref(), Some("1.000000"));
}
