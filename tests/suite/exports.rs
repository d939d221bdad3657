//! Exports that are the whole truth: what vanishes from one counts no more, if
//! it proves that it is whole and did not lose too much.

use std::{collections::BTreeSet, fs};

use planthread::{
    pipeline::{decided_notes, facts_of_journal},
    serve::{files::FileReport, snapshot},
};
use planthread_engine::journal::Verdict;
use planthread_kit::Clock as _;
use serde_json::json;

use crate::corrections::Site;

/// Rows of 3 November by their ids, one a minute, and whatever ends the file.
fn rows(ids: impl IntoIterator<Item = u32>, end: &str) -> String {
    let row = |id: u32| format!("{id},2026-11-03T{:02}:{:02}:00Z,M1,failure,1\n", id / 60, id % 60);
    ids.into_iter().map(row).collect::<String>() + end
}

fn site(name: &str) -> Site {
    Site::new(name, &json!({ "snapshot": { "complete": { "last_line": "# end" } } }))
}

fn counting(site: &Site) -> usize {
    let (loaded, reader) = (&site.bridge.loaded, site.bridge.reader().unwrap());
    facts_of_journal(loaded, &reader, site.clock.now()).unwrap().all.states.len()
}

fn note(report: &FileReport) -> &str {
    report.export.as_ref().unwrap().note.as_deref().unwrap_or_default()
}

fn retracted(report: &FileReport) -> usize {
    report.export.as_ref().unwrap().retracted
}

#[test]
fn a_row_that_vanished_counts_no_more_and_one_that_comes_back_counts_again() {
    let site = site("vanished");
    let all = site.write(&rows(0..100, "# end\n"));
    assert_eq!((all.kept.taken, all.kept.rejected.len(), note(&all)), (100, 0, ""));
    let before = site.position();
    let less = site.write(&rows((0..100).filter(|id| *id != 61), "# end\n"));
    assert_eq!((retracted(&less), note(&less), counting(&site)), (1, "", 99));
    // It stays in the journal: as it stood before, the row counts (law 18).
    assert_eq!(site.counts(Some(before)).len(), 100);
    let (loaded, reader) = (&site.bridge.loaded, site.bridge.reader().unwrap());
    let facts = facts_of_journal(loaded, &reader, site.clock.now()).unwrap();
    let week = "2026-W45".parse().unwrap();
    let told = decided_notes(&facts.decided, &loaded.config.plant, "M1", week);
    assert!(told[0].contains("T01:01:00Z") && told[0].contains("counts no more"), "{told:?}");
    let again = site.write(&rows(0..100, "# end\n"));
    assert_eq!((again.kept.corrected.len(), counting(&site)), (1, 100));
}

#[test]
fn an_export_that_does_not_prove_that_it_is_whole_retracts_nothing() {
    let site = site("half");
    site.write(&rows(0..100, "# end\n"));
    let cut = site.write(&rows(0..97, ""));
    assert!(note(&cut).contains("whole") && note(&cut).contains("# end"), "{cut:?}");
    assert_eq!((retracted(&cut), counting(&site)), (0, 100));
    let broken = site.write(&rows(0..97, "\"\n# end\n"));
    assert!(note(&broken).contains("can't be read"), "{broken:?}");
    assert_eq!(counting(&site), 100);
    assert_eq!(retracted(&site.write(&rows(0..97, "# end\n"))), 3);
}

#[test]
fn an_export_that_lost_too_much_waits_for_a_person() {
    let site = site("shrunk");
    site.write(&rows(0..100, "# end\n"));
    let five = site.write(&rows(0..95, "# end\n"));
    assert_eq!((retracted(&five), note(&five)), (5, ""));
    let plant = &site.bridge.loaded.config.plant;
    let answer = |accepted| {
        let verdict = Verdict { accepted, who: "Eva".into(), why: "filter".into() };
        snapshot::answer(&site.bridge.state, plant, "ev.csv", verdict, site.clock.now()).unwrap()
    };
    let half = site.write(&rows(0..50, "# end\n"));
    assert!(note(&half).contains("lost 45 of 95 rows"), "{half:?}");
    assert_eq!(counting(&site), 95);
    let waiting = || snapshot::waiting(&site.bridge.reader().unwrap(), plant).unwrap();
    assert_eq!((waiting().len(), answer(false), counting(&site)), (1, Some(0), 95));
    // The same export asks no more, and what it lost is not asked of again.
    assert_eq!((note(&site.write(&rows(0..50, "# end\n"))), waiting().len()), ("", 0));
    site.write(&rows(0..40, "# end\n"));
    assert_eq!((answer(true), counting(&site), answer(true)), (Some(10), 85, None));
}

#[test]
fn a_count_or_a_file_beside_it_proves_as_well_and_old_rows_leave_in_peace() {
    let snapshot = json!({ "days": 6, "complete": { "row_count": "# rows:" } });
    let site = Site::new("counted", &json!({ "snapshot": snapshot }));
    site.write(&rows(0..200, "# rows: 200\n"));
    let wrong = site.write(&rows(0..199, "# rows: 200\n"));
    assert!(note(&wrong).contains("199 rows, and says 200"), "{wrong:?}");
    // It is 9 November 00:03: the first three minutes of the third lie too far back.
    let rolled = site.write(&rows((3..200).filter(|id| *id != 150), "# rows: 196\n"));
    assert_eq!((retracted(&rolled), counting(&site)), (1, 199));

    let sibling = json!({ "complete": { "sibling": ".done" } });
    let site = Site::new("sibling", &json!({ "snapshot": sibling }));
    let done = || fs::write(site.folder.join("ev.csv.done"), "").unwrap();
    site.write(&rows(0..50, ""));
    done();
    site.bridge.ingest().unwrap();
    fs::remove_file(site.folder.join("ev.csv.done")).unwrap();
    let early = site.write(&rows(0..49, ""));
    assert!(note(&early).contains("ev.csv.done"), "{early:?}");
    done();
    let later = site.bridge.ingest().unwrap().remove(0);
    assert_eq!((later.unchanged, retracted(&later), counting(&site)), (true, 1, 49));
}

/// Whole exports of any rows, each losing few: what counts is what the last one
/// holds, and at any position of the journal what the last one held there.
#[test]
fn law_18_the_last_whole_export_is_what_counts() {
    let site = site("any-rows");
    let mut seed = 3_u64;
    let mut random = move |below: u32| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u32::try_from(seed >> 33).unwrap() % below
    };
    let mut ids: BTreeSet<u32> = (0..200).collect();
    let mut past = Vec::new();
    for _ in 0..40 {
        for _ in 0..random(6) {
            let id = random(1_000);
            if !ids.remove(&id) {
                ids.insert(id);
            }
        }
        let report = site.write(&rows(ids.iter().copied(), "# end\n"));
        assert_eq!((note(&report), report.kept.conflicts.len()), ("", 0));
        past.push((site.position(), ids.len()));
        assert_eq!(counting(&site), ids.len());
    }
    for (position, right) in past {
        assert_eq!(site.counts(Some(position)).len(), right, "at position {position}");
    }
}
