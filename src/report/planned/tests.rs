//! What a plan says for eyes.

use std::collections::BTreeMap;

use planthread_engine::plan::{PlanCounts, PlanHeader, Prediction};

use super::*;
use crate::{
    failure::Exit,
    report::{View as _, plans::Plans},
};

fn planned(held: &[(&str, u64)]) -> Planned {
    let held: BTreeMap<String, u64> = held.iter().map(|(why, n)| ((*why).to_owned(), *n)).collect();
    let header = PlanHeader {
        planthread_plan: 1,
        target: "ibp".to_owned(),
        scope: String::new(),
        as_of: "2026-11-22T22:00:00Z".parse().unwrap(),
        counter: 1,
        config: String::new(),
        counts: PlanCounts { held, ..PlanCounts::default() },
        prediction: Prediction::default(),
    };
    Planned {
        found: None,
        restored: None,
        summary: PlanSummary { header, sha256: String::new() },
        file: None,
        want: None,
        first: Vec::new(),
        moved: Vec::new(),
        unread: None,
        paused: None,
        agreement: None,
        not_promoted: Vec::new(),
        not_adopted: Vec::new(),
        proportion: Proportion::default(),
        withdrawn: Withdrawn::default(),
    }
}

fn text(plan: &Planned) -> String {
    let mut text_table = TextTable::new(false);
    plan.write(&mut text_table);
    text_table.into_text()
}

#[test]
fn a_plan_of_a_target_that_was_not_read_says_so_and_ends_with_its_code() {
    let unread = Failure::usage("the target answered 401").cure("see user and credential");
    let plan = Planned { unread: Some(unread), ..planned(&[]) };
    let said = text(&plan);
    assert!(said.contains("not read: the target answered 401"), "{said}");
    assert!(!said.contains("holds what is wanted"), "{said}");
    let plans = Plans { targets: vec![planned(&[]), plan], nothing_ingested: false, audit: None };
    assert_eq!(plans.exit(), Exit::Usage);
    let json = serde_json::to_value(&plans).unwrap();
    assert_eq!(json["targets"][1]["unread"], "the target answered 401");
    assert!(json["targets"][0].get("unread").is_none());
    assert_eq!(
        Plans { targets: vec![planned(&[])], nothing_ingested: false, audit: None }.exit(),
        Exit::Ok
    );
}

#[test]
fn a_plan_before_the_first_record_says_so_and_names_the_verb_that_takes_records_in() {
    let said = |nothing_ingested| {
        let mut text_table = TextTable::new(false);
        Plans { targets: vec![planned(&[])], nothing_ingested, audit: None }.write(&mut text_table);
        text_table.into_text()
    };
    assert!(said(true).starts_with("Nothing was ingested yet"), "{}", said(true));
    assert!(said(true).contains("`planthread ingest`"), "{}", said(true));
    assert!(!said(false).contains("ingest"), "{}", said(false));
}

#[test]
fn a_paused_target_is_not_said_to_hold_what_is_wanted() {
    let paused = Some("month end".to_owned());
    let said = text(&Planned { paused, ..planned(&[("paused", 404)]) });
    assert!(said.contains("Nothing is sent: paused (month end), 404 cells held"), "{said}");
    assert!(!said.contains("holds what is wanted"), "{said}");
    assert!(text(&planned(&[])).contains("holds what is wanted"));
}

#[test]
fn a_measure_of_others_is_named_with_its_owner() {
    let one = NotPromoted {
        target: "ibp".to_owned(),
        measure: "live".to_owned(),
        owner: "ERP load".to_owned(),
        cells: Some(140),
    };
    let said = text(&Planned { not_promoted: vec![one], ..planned(&[]) });
    assert!(!said.contains("holds what is wanted"), "{said}");
    let line = "live: owned by ERP load, not promoted: 140 cells not wanted";
    assert!(said.contains(line), "{said}");
}

#[test]
fn what_we_never_landed_is_named_with_its_cure_and_ends_held() {
    let one = NotAdopted {
        target: "ibp".to_owned(),
        measure: "live".to_owned(),
        surface: "CAPASUPPLY".to_owned(),
        whole: true,
        example: "ibp/base/LINE-1@1010/2026-W48/live: wanted 151, read 120".to_owned(),
    };
    let plan = Planned { not_adopted: vec![one], ..planned(&[("not_adopted", 140)]) };
    let said = text(&plan);
    for part in ["140", "CAPASUPPLY", "never landed", "read 120", "planthread adopt --target ibp"] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(
        Plans { targets: vec![planned(&[]), plan], nothing_ingested: false, audit: None }.exit(),
        Exit::Held
    );
}

#[test]
fn what_is_out_of_proportion_is_one_question_with_figures_cause_and_cure() {
    use planthread_engine::{
        ledger::mapped::Edit,
        plan::plausible::{Asked, Fault},
    };
    let asked = Asked {
        measure: "live".to_owned(),
        fault: Fault::Unit,
        places: ["LINE-1@1010".to_owned()].into(),
        cells: 26,
        example: "LINE-1@1010: 9060.00 where 151.00 stands".to_owned(),
    };
    let edit = Edit {
        part: "measures".to_owned(),
        name: "live".to_owned(),
        field: "unit".to_owned(),
        from: "HUR".to_owned(),
        to: "MIN".to_owned(),
    };
    let proportion = Proportion {
        target: "ibp".to_owned(),
        asked: vec![asked],
        edits: vec![edit],
        ..Proportion::default()
    };
    let plan = Planned { proportion, ..planned(&[("implausible", 26)]) };
    let said = text(&plan);
    for part in [
        "26 cells of 1 place look like another unit",
        "9060.00 where 151.00 stands",
        "measures live: unit was HUR, is MIN",
        "planthread release question live unit --target ibp",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert_eq!(
        Plans { targets: vec![plan], nothing_ingested: false, audit: None }.exit(),
        Exit::Held
    );
}

#[test]
fn what_was_left_standing_is_said_with_an_example_and_a_cure() {
    let mut text_table = TextTable::new(false);
    left_standing(&mut text_table, &Withdrawn::default());
    assert_eq!(text_table.into_text(), "");
    let example = serde_json::from_value(serde_json::json!({
        "target": "ibp", "scope": "", "resource": "LINE-1", "location": "1010",
        "period": "2026-W48", "measure": "live" }));
    let mut text_table = TextTable::new(false);
    left_standing(&mut text_table, &Withdrawn { cells: 8, example: Some(example.unwrap()) });
    let text = text_table.into_text();
    for part in ["8 cells", "LINE-1", "2026-W48", "fallback.withdraw: zero", "delete them"] {
        assert!(text.contains(part), "{part}: {text}");
    }
}
