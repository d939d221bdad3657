//! The same figures on every screen, and nothing that looks better than it is.

use std::collections::{BTreeMap, BTreeSet};

use planthread_contracts::Period;
use planthread_domain::gap::{Known, LineWeek, compare};
use rust_decimal::Decimal;
use serde_json::Value;

use super::{fields::COLUMNS, *};
use crate::{
    cli::outputs::json_of,
    pipeline::gap::{FigureSource, Taken},
};

fn at() -> Timestamp {
    "2026-11-27T15:30:00Z".parse().unwrap()
}

fn line(name: &str) -> Line {
    Line { plant: "1010".into(), line: name.into() }
}

fn standing(status: Status, proof: Proof, until: &str) -> Standing {
    Standing {
        status,
        as_of: "2026-11-27T12:00:00Z".parse().unwrap(),
        valid_until: until.parse().unwrap(),
        proof,
        seen_at: None,
        taken: None,
    }
}

/// LINE-1 is short, LINE-2 fits, LINE-3 is silent, `<b>` is not connected.
fn found() -> gap::Gap {
    let week: Period = "2026-W49".parse().unwrap();
    let dec = |text: &str| Some(text.parse::<Decimal>().unwrap());
    let known = |load, live| Known {
        load: dec(load),
        assumed: dec("120.00"),
        live,
        firm: dec("88.25"),
        output: dec("4450"),
    };
    let row = |name, known| LineWeek { line: line(name), week, known };
    let silent = Known { live: None, firm: None, output: None, ..known("101.10", None) };
    let rows = vec![
        row("LINE-1", known("131.75", dec("89.00"))),
        row("LINE-2", known("61.50", dec("89.00"))),
        row("LINE-3", silent),
        row("<b>", silent),
    ];
    let source = |measure: &str| FigureSource {
        measure: measure.to_owned(),
        surface: measure.to_uppercase(),
        owner: format!("owner of {measure}"),
        read_at: Some(at()),
        not_compared: None,
    };
    let live = standing(Status::Live, Proof::Proven, "2026-11-30T00:00:00Z");
    let names = ["LINE-1", "LINE-2", "LINE-3", "<b>"].map(line);
    gap::Gap {
        target: "ibp".into(),
        scope: String::new(),
        zone: "Asia/Tokyo".into(),
        sources: Sources {
            load: Some(source("load")),
            assumed: Some(source("assumed")),
            live: Some(source("live")),
            firm: None,
        },
        compared: compare(rows),
        standing: BTreeMap::from([
            ((line("LINE-1"), week), live.clone()),
            ((line("LINE-2"), week), live.clone()),
        ]),
        firm: BTreeMap::from([
            ((line("LINE-1"), week), live.clone()),
            ((line("LINE-2"), week), live),
        ]),
        moved: BTreeMap::new(),
        frozen_before: None,
        decided: BTreeMap::new(),
        owners: BTreeMap::new(),
        zones: BTreeMap::new(),
        lines: names.clone().into(),
        not_connected: BTreeSet::from([line("<b>")]),
        stopped: None,
        not_sent: None,
    }
}

fn text(gap: &Gap) -> String {
    let mut text_table = TextTable::new(false);
    gap.write(&mut text_table);
    text_table.into_text()
}

/// Rows of cells of the tables on a page, without markup.
fn cells(page: &str) -> Vec<Vec<String>> {
    let rows = page.split("<tr").skip(1).map(|row| row.split("</tr>").next().unwrap());
    let cell = |cell: &str| {
        let text = cell.split_once('>').map_or("", |(_, text)| text);
        text.split('<').next().unwrap().to_owned()
    };
    let cells = |row: &str| {
        let row = row.replace("<th", "<td");
        row.split("<td").skip(1).map(cell).collect()
    };
    rows.map(cells).collect()
}

#[test]
fn the_first_line_says_what_matters() {
    let gap = Gap::of(at(), vec![found()]);
    let told =
        "1 line-week short, 42.75 h. 1 of 4 lines not connected. 1 of 4 lines lack a figure.";
    assert_eq!(gap.targets[0].headline, told);
    assert_eq!(text(&gap).lines().next(), Some(told));
    assert_eq!(gap.exit(), Exit::Findings);
}

#[test]
fn every_screen_says_that_nothing_is_sent() {
    let mut found = found();
    let why = "nothing is sent to o9: contracted, agreement o9-sandbox: nobody probed it";
    found.not_sent = Some(Failure::new(Exit::Held, why));
    let gap = Gap::of(at(), vec![found]);
    let told = "Nothing is sent to o9: contracted, agreement o9-sandbox: nobody probed it.";
    assert!(gap.targets[0].headline.ends_with(told), "{}", gap.targets[0].headline);
    assert!(text(&gap).contains(told) && gap.html().contains(told));
}

#[test]
fn table_json_page_and_workbook_have_the_same_figures() {
    let gap = Gap::of(at(), vec![found()]).showing_all(true);
    let json: Value = serde_json::from_str(&json_of(&gap).unwrap()).unwrap();
    let page = cells(&gap.html());
    let table = text(&gap);
    let rows = json["targets"][0]["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 4);
    for (row, told) in gap.targets[0].rows.iter().zip(rows) {
        let figure = |path: &str| match told.pointer(path).and_then(Value::as_str) {
            Some(text) => format!("{:.2}", text.parse::<Decimal>().unwrap()),
            None => "-".to_owned(),
        };
        let paths = [
            "/known/load",
            "/known/assumed",
            "/known/live",
            "/known/firm",
            "/live/short",
            "/live/unused",
        ];
        let figures = paths.map(figure);
        let name = told["line"].as_str().unwrap();
        let shown = page.iter().find(|cells| {
            cells.len() == COLUMNS.len()
                && cells[2] == name.replace('<', "&lt;").replace('>', "&gt;")
        });
        assert_eq!(shown.unwrap()[4..10], figures, "{name} on the page");
        let line = table.lines().find(|line| line.contains(&format!("{name} "))).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        for at in [0, 1, 2, 4] {
            assert!(words.contains(&figures[at].as_str()), "{name} in the table: {line}");
        }
        let fields = row.fields().map(|field| field.number());
        let numbers: Vec<String> = fields[4..10].iter().map(|one| words::maybe(*one)).collect();
        assert_eq!(numbers, figures, "{name} in the workbook");
    }
    let total = &json["targets"][0]["totals"]["live"];
    let shown = page.iter().find(|cells| cells.len() == 9 && cells[0].starts_with("Now")).unwrap();
    assert_eq!((shown[2].as_str(), shown[5].as_str()), ("193.25", "42.75"));
    assert_eq!((total["asked"].as_str(), total["short"].as_str()), (Some("193.25"), Some("42.75")));
    assert!(table.contains("short 42.75 h in 1 line-week"), "{table}");
    assert!(gap.xlsx().unwrap().starts_with(b"PK"));
}

#[test]
fn a_reading_that_no_newer_one_replaced_proves_nothing() {
    for (late, green) in [(None, true), (Some("paused (<i>)"), false)] {
        let mut gap = Gap::of(at(), Vec::new());
        let read_at = "2026-11-27T15:00:00Z".parse().unwrap();
        let age = served::Age { read_at, late: late.map(str::to_owned) };
        gap.targets.push(TargetGap::of(at(), found()).aged(age));
        let page = gap.html();
        assert_eq!(page.contains("<tr class=\"proven\">"), green);
        assert!(page.contains("The target was read 30 min ago, 2026-11-28 00:00 (Asia/Tokyo)"));
        let told = "<strong>Old, 30 min:</strong> paused (&lt;i&gt;)";
        assert_eq!(page.contains(told), !green, "{page}");
    }
}

#[test]
fn what_is_firm_says_whether_it_stands_at_the_target_and_its_total_is_no_better() {
    let told = |change: &dyn Fn(&mut Standing)| {
        let mut found = found();
        let week = "2026-W49".parse().unwrap();
        // Without the silent lines the total is complete.
        for quiet in ["LINE-3", "<b>"].map(line) {
            found.compared.rows.retain(|row| row.line != quiet);
            found.compared.firm.left_out.retain(|left| left.line != quiet);
            found.not_connected.remove(&quiet);
        }
        change(found.firm.get_mut(&(line("LINE-2"), week)).unwrap());
        let gap = Gap::of(at(), vec![found]).showing_all(true);
        let target = &gap.targets[0];
        let row = target.rows.iter().find(|row| row.row.line == line("LINE-2")).unwrap();
        let words = row.firm_words.clone();
        assert!(row.proven, "what the line can do stands there all the same");
        let page = gap.html();
        assert!(page.contains(&format!(">{words}</td>")), "{words}: {page}");
        let warned = text(&gap).contains("firm, but not proven, or old, in some week: LINE-2");
        assert_eq!(warned, !target.is_firm_sure(), "{}", text(&gap));
        assert_eq!(page.contains(&format!("<td class=\"hatched\">{words}</td>")), warned);
        (words, warned)
    };
    let read_back = "measured, 3 h, read back".to_owned();
    assert_eq!(told(&|_| {}), (read_back, false));
    for (proof, words) in [
        (Proof::NotRead, "measured, 3 h, not read back"),
        (Proof::Differs, "measured, 3 h, the plan holds another value"),
    ] {
        assert_eq!(told(&|data| data.proof = proof), (words.to_owned(), true));
    }
    let old = told(&|data| data.valid_until = at());
    assert_eq!(old, ("old, measured, 3 h, read back".to_owned(), true));
    assert!(told(&|data| data.status = Status::Held).1);
}

#[test]
fn a_zero_says_why() {
    let week: Period = "2026-W49".parse().unwrap();
    let place = || (line("LINE-1"), week);
    let told = |kinds: &[gap::DecidedKind]| {
        let mut found = found();
        let zero = |one: &Row| Known { live: Some(Decimal::ZERO), ..one.known };
        let rows = found.compared.rows.iter().map(|one| {
            let known = if one.line == line("LINE-1") { zero(one) } else { one.known };
            LineWeek { line: one.line.clone(), week, known }
        });
        found.compared = compare(rows.collect());
        let change = |kind: &gap::DecidedKind| DecidedChange {
            kind: *kind,
            from: week.start(),
            to: week.start(),
            reason: "company holidays".into(),
            owner: "works council".into(),
            cycle: None,
            sheet_kind: None,
            other: None,
            proposed: false,
            supposed: false,
            hours: None,
        };
        found.decided.insert(place(), kinds.iter().map(change).collect());
        let gap = Gap::of(at(), vec![found]);
        let row = gap.targets[0].rows.iter().find(|row| row.row.line == line("LINE-1")).unwrap();
        row.reason.clone()
    };
    let why = told(&[gap::DecidedKind::Closed]);
    assert!(
        why.starts_with(
            "can do nothing; decided for these days: company holidays (works council); "
        ),
        "{why}"
    );
    let why = told(&[gap::DecidedKind::Extra]);
    assert!(why.starts_with("can do nothing, and no decision says why; "), "{why}");
}

#[test]
fn green_needs_a_measured_figure_that_is_not_old_and_was_read_back() {
    let proven = |change: &dyn Fn(&mut Standing)| {
        let mut found = found();
        let week = "2026-W49".parse().unwrap();
        change(found.standing.get_mut(&(line("LINE-2"), week)).unwrap());
        let gap = Gap::of(at(), vec![found]);
        let row = gap.targets[0].rows.iter().find(|row| row.row.line == line("LINE-2")).unwrap();
        assert_eq!(row.verdict, Verdict::Fits);
        (row.proven, row.data_words.clone(), gap.html().contains("<tr class=\"proven\">"))
    };
    assert_eq!(proven(&|_| {}), (true, "measured, 3 h, read back".to_owned(), true));
    let words = |change: &dyn Fn(&mut Standing)| {
        let (proven, words, green) = proven(change);
        assert!(!proven && !green, "{words}");
        words
    };
    assert_eq!(words(&|one| one.proof = Proof::NotRead), "measured, 3 h, not read back");
    let other = words(&|one| one.proof = Proof::Differs);
    assert_eq!(other, "measured, 3 h, the plan holds another value");
    assert_eq!(words(&|one| one.status = Status::Held), "last known, 3 h, read back");
    assert_eq!(words(&|one| one.status = Status::Assumed), "fallback, 3 h, read back");
    let old = words(&|one| one.valid_until = at());
    assert_eq!(old, "old, measured, 3 h, read back");
    let until: Timestamp = "2026-12-01T20:00:00Z".parse().unwrap();
    let taken = Taken { owner: "E. Vogt".into(), reason: "edited".into(), until };
    let taken = words(&|one| one.taken = Some(taken.clone()));
    assert_eq!(taken, "set by a planner until 2026-12-02 05:00 (Asia/Tokyo) (E. Vogt)");
}

/// A total is no better than the worst figure in it.
#[test]
fn a_total_says_which_of_its_lines_are_not_measured_or_old() {
    let week: Period = "2026-W49".parse().unwrap();
    let doubtful = |change: &dyn Fn(&mut Standing)| {
        let mut found = found();
        let rows = ["LINE-1", "LINE-2"].map(|name| (name, Decimal::from(90)));
        let known = |live| Known { load: Some(live), live: Some(live), ..Known::default() };
        let rows = rows.map(|(name, h)| LineWeek { line: line(name), week, known: known(h) });
        found.compared = compare(rows.into());
        (found.lines, found.not_connected) = (["LINE-1", "LINE-2"].map(line).into(), [].into());
        change(found.standing.get_mut(&(line("LINE-2"), week)).unwrap());
        let gap = Gap::of(at(), vec![found]);
        let target = &gap.targets[0];
        assert!(target.totals.live.is_complete(), "both lines have both figures");
        let told = target.headline.contains("1 of 2 lines not measured, or old.");
        assert_eq!(text(&gap).contains("in some week: LINE-2 at 1010"), told);
        assert_eq!(gap.html().contains("<td class=\"hatched\">2 of 2</td>"), told);
        (told, target.not_measured.len())
    };
    assert_eq!(doubtful(&|_| {}), (false, 0));
    for status in [Status::Held, Status::Assumed, Status::Conflicting] {
        assert_eq!(doubtful(&|one| one.status = status), (true, 1), "{status:?}");
    }
    assert_eq!(doubtful(&|one| one.valid_until = at()), (true, 1));
    assert_eq!(doubtful(&|one| one.status = Status::Planner), (false, 0));
}

#[test]
fn a_page_runs_nothing_names_its_tables_and_shows_names_as_they_are() {
    let page = Gap::of(at(), vec![found()]).html();
    assert!(page.starts_with(Gap::PAGE_BEGINS));
    for foreign in ["<script", "http:", "https:", "src=", "url(", "<b>", "onclick"] {
        assert!(!page.contains(foreign), "{foreign}");
    }
    assert!(page.contains("&lt;b&gt;"));
    let tables = page.matches("<table>").count();
    assert_eq!(tables, 5, "totals, short, not known, fits, sources");
    assert_eq!(page.matches("<caption>").count(), tables);
    assert_eq!(page.matches("tabindex=\"0\"").count(), tables);
    assert!(page.contains("As of 2026-11-28 00:30 (Asia/Tokyo)"), "by the plant's clock");
    for word in ["! short", "? not known", "+ fits, proven"] {
        assert!(page.contains(&format!("<td class=\"s\">{word}</td>")), "{word} beside its colour");
    }
}

#[test]
fn a_target_that_was_not_read_says_so_everywhere() {
    let mut found = found();
    found.stopped = Some(Failure::new(Exit::Transient, "ibp: not reachable"));
    let gap = Gap::of(at(), vec![found]);
    assert_eq!(gap.exit(), Exit::Transient);
    assert!(text(&gap).contains("not read: ibp: not reachable"));
    assert!(gap.html().contains("<strong>Not read:</strong> ibp: not reachable"));
}
