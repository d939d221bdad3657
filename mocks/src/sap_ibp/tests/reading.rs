//! Reads: the aggregation level and its silent failures.

use super::*;

const WEEK: &str = "PERIODID4_TSTAMP eq datetime'2026-11-23T00:00:00'";

#[test]
fn fewer_attributes_are_silently_summed() {
    let mut client = Client::new();
    let full =
        client.read(&format!("$select=RESID,LOCID,PERIODID4_TSTAMP,CAPASUPPLY&$filter={WEEK}"));
    let plant = client.read(&format!("$select=LOCID,CAPASUPPLY&$filter={WEEK}"));
    let all = client.read(&format!("$select=CAPASUPPLY&$filter={WEEK}"));
    assert_eq!((full.len(), plant.len(), all.len()), (6, 2, 1));
    assert_eq!(full[0]["CAPASUPPLY"], "120.000000");
    assert_eq!(plant[0]["CAPASUPPLY"], "360.000000");
    assert_eq!(all[0]["CAPASUPPLY"], "720.000000");
}

#[test]
fn each_key_figure_has_its_aggregation_and_utilisation_none() {
    let mut client = Client::new();
    for (resource, location, severity, status) in
        [("LINE-1", "1010", "0.2", "1"), ("LINE-2", "1020", "0.7", "3")]
    {
        let row = json!({ "RESID": resource, "LOCID": location, "PERIODID4_TSTAMP":
            "2026-11-23T00:00:00", "TWINSEVERITY": severity, "TWINSTATUS": status });
        let fields = "RESID,LOCID,PERIODID4_TSTAMP,TWINSEVERITY,TWINSTATUS";
        client.post(&format!("{PLANNING}/PTDEMOTrans"), &trans(resource, fields, &[row]));
        client.commit(resource);
    }
    let all = client.read("$select=TWINSEVERITY,TWINSTATUS");
    assert_eq!(all[0]["TWINSEVERITY"], "0.700000");
    assert_eq!(all[0]["TWINSTATUS"], "3.000000");
    let rows =
        client.read(&format!("$select=RESID,CAPADEMAND,CAPASUPPLY,UTILIZATIONPCT&$filter={WEEK}"));
    for row in rows {
        let number = |name: &str| row[name].as_str().unwrap().parse::<f64>().unwrap();
        let ratio = number("CAPADEMAND") / number("CAPASUPPLY");
        assert!((number("UTILIZATIONPCT") - ratio).abs() < 1e-5);
    }
}

#[test]
fn select_needs_a_key_figure_and_knows_its_fields() {
    let mut client = Client::new();
    for (options, says) in [
        ("", "$select is mandatory"),
        ("$select=RESID,LOCID", "cannot be used to extract master data"),
        ("$select=RESID,PERIODID4_REL,TWINCAPA", "$filter only"),
        ("$select=RESID,NOSUCH", "NOSUCH"),
        ("$select=RESID,TWINCAPA&$filter=NOSUCH eq 'x'", "NOSUCH"),
        (
            "$select=RESID,TWINCAPA&$filter=PERIODID4_TSTAMP eq '2026-11-23'",
            "Invalid parametertype used at function 'eq'",
        ),
        ("$select=RESID,TWINCAPA&$filter=RESID eq", "literal expected"),
        ("$select=RESID,TWINCAPA&$orderby=LOCID", "not in $select"),
        ("$select=RESID,TWINCAPA&$top=many", "$top"),
    ] {
        let response = client.get(&format!("{PLANNING}/PTDEMO?{options}"));
        assert_eq!(response.status(), 400, "{options}");
        assert!(error_text(&response).contains(says), "{options}: {}", error_text(&response));
    }
    let versions = client.read("$select=VERSIONID,VERSIONNAME&$top=50");
    assert_eq!(
        (&versions[0]["VERSIONID"], &versions[1]["VERSIONID"]),
        (&json!("__BASELINE"), &json!("TWIN"))
    );
}

#[test]
fn quantities_and_money_need_their_attribute_one_a_reply() {
    let mut client = Client::new();
    client.land("TWINOUTPUT", "240");
    let select = "$select=RESID,TWINOUTPUT,CAPASUPPLYEXPANSIONCOSTRATE";
    let first = client.get(&format!("{PLANNING}/PTDEMO?{select}"));
    assert!(error_text(&first).contains("'(UOMTOID)'") && !error_text(&first).contains("CURRTOID"));
    let second = client.get(&format!("{PLANNING}/PTDEMO?{select}&$filter=UOMTOID eq 'ZZZ'"));
    assert!(error_text(&second).contains("'(CURRTOID)'"));
    let both = "UOMTOID eq 'ZZZ' and CURRTOID eq 'ZZZ'";
    assert_eq!(client.get(&format!("{PLANNING}/PTDEMO?{select}&$filter={both}")).status(), 200);
    let read = |client: &mut Client, unit: &str| {
        let rows = client.read(&format!("$select=RESID,TWINOUTPUT&$filter=UOMTOID eq '{unit}'"));
        rows.first().map(|row| row["TWINOUTPUT"].clone())
    };
    assert_eq!(read(&mut client, "EA"), Some(json!("240.000000")));
    assert_eq!(read(&mut client, "DZ"), Some(json!("20.000000")));
    assert_eq!(read(&mut client, "ZZZ"), None);
    let supply = "$select=RESID,CAPASUPPLY&$filter=UOMTOID eq 'ZZZ' and CURRTOID eq 'ZZZ'";
    assert_eq!(client.read(supply).len(), 6, "nothing to convert");
    client.land("CAPASUPPLYEXPANSIONCOSTRATE", "7");
    let rate = |client: &mut Client, currency: &str| {
        let filter = format!("CURRTOID eq '{currency}'");
        client.read(&format!("$select=RESID,CAPASUPPLYEXPANSIONCOSTRATE&$filter={filter}")).len()
    };
    assert_eq!((rate(&mut client, "EUR"), rate(&mut client, "ZZZ")), (1, 0), "probed like a unit");
}

#[test]
fn ne_zero_is_ignored_and_gt_or_lt_is_not() {
    let mut client = Client::new();
    client.land("TWINLOST", "0");
    let ne = client.read("$select=RESID,TWINLOST&$filter=TWINLOST ne 0");
    let gt = client.read("$select=RESID,TWINLOST&$filter=(TWINLOST gt 0 or TWINLOST lt 0)");
    assert_eq!((ne.len(), gt.len()), (1, 0));
    client.sandbox.switch(Switch::NeZeroIgnored, false);
    assert!(client.read("$select=RESID,TWINLOST&$filter=TWINLOST ne 0").is_empty());
}

#[test]
fn any_predicate_drops_rows_with_an_empty_attribute() {
    let mut client = Client::new();
    let count = |client: &mut Client, filter: &str| {
        client.read(&format!("$select=RESID,CAPASUPPLY&$filter={WEEK}{filter}")).len()
    };
    assert_eq!(count(&mut client, ""), 6);
    for filter in ["RESDESCR ne 'x'", "RESDESCR gt ''", "RESDESCR ne ''"] {
        assert_eq!(count(&mut client, &format!(" and {filter}")), 5, "{filter}");
    }
    for filter in ["RESDESCR eq ''", "RESDESCR eq null"] {
        assert_eq!(count(&mut client, &format!(" and {filter}")), 0, "{filter}");
    }
}

#[test]
fn top_zero_with_a_count_is_a_dump_here_and_fine_in_master_data() {
    let mut client = Client::new();
    let options = "$select=RESID,CAPASUPPLY&$top=0&$inlinecount=allpages";
    let dump = client.get(&format!("{PLANNING}/PTDEMO?{options}"));
    assert_eq!((dump.status().as_u16(), &*error_text(&dump)), (500, "TSV_TNEW_PAGE_ALLOC_FAILED"));
    let fine = client.get_json(&format!("{MASTER}/PTRESOURCE?$top=0&$inlinecount=allpages"));
    assert_eq!(
        (fine["d"]["__count"].as_str(), fine["d"]["results"].as_array().unwrap().len()),
        (Some("6"), 0)
    );
}

#[test]
fn pages_are_stable_only_with_an_order() {
    let mut client = Client::new();
    let page = |client: &mut Client, skip: usize, order: &str| {
        let options = format!(
            "$select=RESID,PERIODID4_TSTAMP,CAPASUPPLY&$top=100&$skip={skip}&$inlinecount=allpages{order}"
        );
        let json = client.get_json(&format!("{PLANNING}/PTDEMO?{options}"));
        assert_eq!(json["d"]["__count"], "516", "6 resources x 86 weeks");
        assert!(json["d"].get("__next").is_none());
        let rows = json["d"]["results"].as_array().unwrap().clone();
        let key = |row: &Value| format!("{}{}", row["RESID"], row["PERIODID4_TSTAMP"]);
        rows.iter().map(key).collect::<Vec<_>>()
    };
    let collect = |client: &mut Client, order: &str| {
        let pages = (0..6).flat_map(|n| page(client, n * 100, order));
        pages.collect::<std::collections::BTreeSet<_>>().len()
    };
    assert_eq!(collect(&mut client, "&$orderby=RESID,PERIODID4_TSTAMP desc"), 516);
    assert!(collect(&mut client, "") < 516, "pages without an order overlap");
}

#[test]
fn dates_are_milliseconds_and_periods_compare_as_dates() {
    let mut client = Client::new();
    let rows = client.read(
        "$select=RESID,PERIODID4_TSTAMP,CAPASUPPLY&$filter=RESID eq 'LINE-1' and LOCID eq '1010' and \
         PERIODID4_TSTAMP ge datetime'2026-11-23T00:00:00' and PERIODID4_TSTAMP lt datetime'2026-12-07T00:00:00'\
         &$orderby=PERIODID4_TSTAMP",
    );
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0]["PERIODID4_TSTAMP"], "/Date(1795392000000)/");
    let month = client.read("$select=PERIODID3_TSTAMP,CAPASUPPLY&$filter=RESID eq 'LINE-1' and PERIODID3_TSTAMP eq datetime'2026-12-01T00:00:00'");
    assert_eq!(month[0]["CAPASUPPLY"], "480.000000");
    let relative = client.read("$select=PERIODID4_TSTAMP,CAPASUPPLY&$filter=RESID eq 'LINE-1' and PERIODID4_REL ge 1 and PERIODID4_REL le 3");
    assert_eq!(relative.len(), 3);
    let modified = "LASTMODIFIEDDATE gt datetimeoffset'2026-11-22T09:00:00Z'";
    assert!(client.read(&format!("$select=RESID,CAPASUPPLY&$filter={modified}")).is_empty());
    client.pass(60.0);
    client.land("TWINCAPA", "1");
    assert_eq!(client.read(&format!("$select=RESID,TWINCAPA&$filter={modified}")).len(), 1);
}

#[test]
fn a_figure_without_a_value_reads_zero_where_the_row_exists() {
    let mut client = Client::new();
    client.land("TWINCAPA", "1");
    let options = format!("$select=RESID,TWINCAPA,TWINLOST&$filter=RESID eq 'LINE-1' and {WEEK}");
    assert_eq!(client.read(&options)[0]["TWINLOST"], "0.000000");
    client.sandbox.switch(Switch::AbsentReadsZero, false);
    assert_eq!(client.read(&options)[0]["TWINLOST"], Value::Null);
}

#[test]
fn a_version_reads_no_zero_of_a_figure_that_it_does_not_have() {
    let mut client = Client::new();
    let row = json!({ "RESID": "LINE-1", "LOCID": "1010",
        "PERIODID4_TSTAMP": "2026-11-23T00:00:00", "TWINCAPA": "77" });
    let mut body = trans("v", "RESID,LOCID,PERIODID4_TSTAMP,TWINCAPA", &[row]);
    body["VersionID"] = "TWIN".into();
    client.post(&format!("{PLANNING}/PTDEMOTrans"), &body);
    client.commit("v");
    let select = "$select=RESID,TWINCAPA,TWINLOST,CAPASUPPLY,UTILIZATIONPCT";
    let twin = client.read(&format!("{select}&$filter=VERSIONID eq 'TWIN'"));
    assert_eq!(
        (&twin[0]["TWINCAPA"], &twin[0]["TWINLOST"]),
        (&json!("77.000000"), &json!("0.000000"))
    );
    assert_eq!((&twin[0]["CAPASUPPLY"], &twin[0]["UTILIZATIONPCT"]), (&Value::Null, &Value::Null));
    client.sandbox.switch(Switch::VersionAssignment, false);
    let twin = client.read(&format!("{select}&$filter=VERSIONID eq 'TWIN'"));
    assert_eq!(twin[0]["CAPASUPPLY"], "0.000000", "assigned, if nothing is kept apart");
}

#[test]
fn or_reaches_attributes_that_are_not_selected() {
    let mut client = Client::new();
    client.land("TWINLOST", "5");
    let read = |client: &mut Client, filter: &str| {
        let filter = format!("{WEEK} and ({filter})");
        let rows =
            client.read(&format!("$select=LOCID,CAPASUPPLY&$filter={filter}&$orderby=LOCID"));
        let cell = |row: &Value| format!("{} {}", row["LOCID"], row["CAPASUPPLY"]).replace('"', "");
        rows.iter().map(cell).collect::<Vec<_>>()
    };
    let line = |client: &mut Client, more: &str| read(client, &format!("RESID eq 'LINE-1'{more}"));
    let one = ["1010 120.000000"];
    assert_eq!(line(&mut client, " or RESID eq 'NOBODY'"), one);
    assert_eq!(line(&mut client, " or CAPASUPPLY gt 9999"), one, "no total is so high");
    assert_eq!(line(&mut client, " or CAPASUPPLY gt 300"), ["1010 360.000000", "1020 360.000000"]);
    assert_eq!(
        line(&mut client, " and CAPASUPPLY gt 9999 or LOCID eq '1020'"),
        ["1020 360.000000"]
    );
}

#[test]
fn a_delta_query_is_refused_and_not_answered_with_everything() {
    let mut client = Client::new();
    let path = format!("{PLANNING}/PTDEMO?$select=RESID,CAPASUPPLY&P_DeltaQueryID='D1'");
    let response = client.get(&path);
    assert_eq!(response.status(), 400);
    assert!(error_text(&response).contains("P_DeltaQueryID"));
}

#[test]
fn feeds_come_in_atom_too() {
    let mut client = Client::new();
    let path = format!(
        "{PLANNING}/PTDEMO?$select=RESID,PERIODID4_TSTAMP,CAPASUPPLY&$top=1&$inlinecount=allpages&$orderby=RESID,PERIODID4_TSTAMP"
    );
    let response = client.send(Method::GET, &path, "", &[]);
    let text = String::from_utf8(response.body().to_vec()).unwrap();
    assert!(text.contains("<m:count>516</m:count>") && text.contains("<d:RESID>LINE-1</d:RESID>"));
    assert!(
        text.contains("<d:PERIODID4_TSTAMP>2026-09-21T00:00:00</d:PERIODID4_TSTAMP>"),
        "{text}"
    );
}

#[test]
fn the_unit_is_a_dimension_and_each_that_is_named_has_its_rows() {
    let mut client = Client::new();
    client.land("TWINOUTPUT", "24");
    let select = "$select=RESID,UOMTOID,TWINOUTPUT,ID&$orderby=UOMTOID";
    let rows = client.read(&format!("{select}&$filter=UOMTOID eq 'EA' or UOMTOID eq 'DZ'"));
    let shown: Vec<_> = rows.iter().map(|row| (&row["UOMTOID"], &row["TWINOUTPUT"])).collect();
    let [dozens, pieces] = [json!("2.000000"), json!("24.000000")];
    assert_eq!(shown, [(&json!("DZ"), &dozens), (&json!("EA"), &pieces)]);
    assert_eq!((&rows[0]["ID"], &rows[1]["ID"]), (&json!("1"), &json!("2")));
    let refused = client.get(&format!("{PLANNING}/PTDEMO?{select}"));
    assert!(error_text(&refused).contains("'(UOMTOID)'"), "selecting it names no unit");
    let hours = client.read("$select=RESID,UOMTOID,CAPASUPPLY&$filter=RESID eq 'LINE-1'");
    assert_eq!(hours[0]["UOMTOID"], "", "hours convert to nothing");
}

#[test]
fn the_last_change_can_be_selected() {
    let mut client = Client::new();
    client.land("TWINCAPA", "8");
    let rows = client.read(
        "$select=RESID,LASTMODIFIEDDATE,TWINCAPA&$filter=PERIODID4_TSTAMP eq \
         datetime'2026-11-23T00:00:00' and RESID eq 'LINE-1'",
    );
    // 09:00 UTC, and the import ended 0.6 s later.
    assert_eq!(rows[0]["LASTMODIFIEDDATE"], "/Date(1795338000600)/");
}

#[test]
fn attributes_are_found_by_their_beginning() {
    let mut client = Client::new();
    let lines = |client: &mut Client, text: &str| {
        client.read(&format!("$select=RESID,CAPASUPPLY&$filter=startswith(RESID,'{text}')")).len()
    };
    assert_eq!((lines(&mut client, "LINE-"), lines(&mut client, "NO")), (6, 0));
    assert_eq!(lines(&mut client, "LINE-3"), 1);
    let path = format!("{MASTER}/PTRESOURCE?$filter=startswith(RESID,'LINE-2') eq true");
    assert_eq!(client.get_json(&path)["d"]["results"].as_array().unwrap().len(), 1);
    for path in [
        format!("{PLANNING}/PTDEMO?$select=RESID,CAPASUPPLY&$filter=startswith(CAPASUPPLY,'1')"),
        format!("{MASTER}/PTRESOURCE?$filter=startswith(Resid,'LINE')"),
    ] {
        assert_eq!(client.get(&path).status(), 400, "{path}");
    }
}
