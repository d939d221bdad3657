//! A sheet of decisions on its way into the journal: as a whole, or not at all.

use std::{
    fs,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use planthread_domain::{
    decode::{DecisionSheet, Decoder, Facts, SHEET_ID},
    model::Plant,
};
use planthread_engine::{State, journal};
use planthread_kit::{Clock, SystemClock};
use serde_json::json;

use super::{Door as _, JournalDoor, files, sheet};

const HEADER: &str = "resource;from;to;kind;status;reason;who;cycle\n";
const SATURDAY: &str =
    "M1;2026-12-05 06:00;2026-12-05 14:00;extra shift;confirmed;backlog;A. Meier;2026-12\n";
const HOLIDAY: &str =
    "M1;2026-12-24 00:00;2026-12-25 00:00;closed;proposed;works council;B. Kaya;\n";

/// A folder with a state and a sheet.
struct Desk {
    folder: PathBuf,
    file: PathBuf,
    state: Arc<State>,
}

impl Desk {
    fn new(name: &str, sheet: &str) -> Self {
        let name = format!("planthread-sheet-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let (file, state) = (folder.join(sheet), Self::open(&folder));
        Self { folder, file, state }
    }

    fn open(folder: &Path) -> Arc<State> {
        Arc::new(State::open(&folder.join("state"), SystemClock::new().now()).unwrap())
    }

    fn plant(&self) -> Arc<Plant> {
        let plant = json!({
            "id": "p", "zone": "Europe/Berlin",
            "calendars": [{"id": "c", "version": "1", "round_the_clock": true}],
            "resources": [{"id": "M1", "class": "machine", "calendar": "c"}],
            "sources": [{"name": "decisions", "files": [self.file], "reader": {"decisions": {}}}],
        });
        let plant: Plant = serde_json::from_value(plant).unwrap();
        assert_eq!(plant.validate(), []);
        Arc::new(plant)
    }

    /// Reads the sheet as a cycle does.
    fn take(&self) -> files::FileReport {
        let (plant, clock) = (self.plant(), Arc::new(SystemClock::new()) as Arc<dyn Clock>);
        let door = JournalDoor::new(Arc::clone(&self.state), Arc::clone(&plant), clock);
        let reader = self.state.reader().unwrap();
        let report = files::sources(&plant, &door, &reader).unwrap().remove(0);
        assert!(report.stopped.is_none(), "{report:?}");
        sheet::mended(&self.state, &plant.sources[0], &report, door.now()).unwrap();
        report
    }

    fn write(&self, rows: &[&str]) -> files::FileReport {
        fs::write(&self.file, format!("{HEADER}{}", rows.concat())).unwrap();
        self.take()
    }

    /// The reasons that count, from the record that counts.
    fn counts(&self) -> Vec<String> {
        let reader = self.state.reader().unwrap();
        let record = journal::counting(&reader, "decisions", SHEET_ID).unwrap();
        let sheet = record.as_ref().and_then(DecisionSheet::of);
        let rows = sheet.map(|sheet| sheet.decided).unwrap_or_default();
        // What counts is what is decoded of the journal from its beginning.
        let (plant, mut told, mut gone) = (self.plant(), Facts::default(), Facts::default());
        let decoder = Decoder::new(&plant).unwrap();
        journal::read(&reader, 0, |entry| {
            match journal::Decision::of(&entry.record) {
                Some(decision) => {
                    decision.was.iter().for_each(|was| decoder.decode(was, &mut gone).unwrap());
                    decision.now.iter().for_each(|now| decoder.decode(now, &mut told).unwrap());
                }
                None => decoder.decode(&entry.record, &mut told).unwrap(),
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(told.without(gone).seal().decided, rows, "re-derived from its beginning");
        rows.into_iter().map(|row| row.reason).collect()
    }

    fn rejected(&self) -> usize {
        journal::rejected(&self.state.reader().unwrap()).unwrap().len()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}

#[test]
fn a_sheet_takes_the_place_of_the_one_before_and_may_go_back_to_it() {
    let mut desk = Desk::new("again", "decisions.csv");
    let report = desk.write(&[SATURDAY, HOLIDAY]);
    assert_eq!((report.kept.taken, report.kept.rejected.len()), (1, 0), "{report:?}");
    assert_eq!(desk.counts(), ["backlog", "works council"]);
    assert!(desk.take().unchanged, "nothing is written where nothing changed");
    for _ in 0..2 {
        let report = desk.write(&[SATURDAY]);
        assert_eq!((report.kept.corrected.len(), report.kept.conflicts.len()), (1, 0));
        assert!(report.export.is_some_and(|export| export.retracted == 1 && export.note.is_none()));
        assert_eq!(desk.counts(), ["backlog"]);
        let report = desk.write(&[]);
        assert!(report.export.is_some_and(|export| export.retracted == 1 && export.note.is_some()));
        assert_eq!(desk.counts(), [""; 0], "whoever empties the sheet takes all of it back");
        desk.write(&[SATURDAY, HOLIDAY]);
        assert_eq!(desk.counts(), ["backlog", "works council"]);
    }
    // The file is gone, and the process starts anew.
    fs::remove_file(&desk.file).unwrap();
    let folder = desk.folder.clone();
    drop(std::mem::replace(&mut desk.state, Desk::open(&folder.join("other"))));
    desk.state = Desk::open(&folder);
    assert_eq!(desk.counts(), ["backlog", "works council"]);
}

#[test]
fn a_sheet_with_a_fault_changes_nothing_and_leaves_the_list_when_it_is_mended() {
    let desk = Desk::new("faults", "decisions.csv");
    desk.write(&[SATURDAY]);
    let wrong = ["M9;2026-12-06 06:00;2026-12-06 05:00;overtime;confirmed;r;;\n", HOLIDAY];
    let report = desk.write(&[SATURDAY, wrong[0], wrong[1]]);
    let told = report.kept.rejected.iter().map(|one| (one.line, one.field.as_str()));
    let told: Vec<_> = told.collect();
    assert_eq!(told, [(3, "resource"), (3, "who")], "{report:?}");
    assert!(report.export.unwrap().note.unwrap().contains("nothing of"));
    assert_eq!((desk.counts(), desk.rejected()), (vec!["backlog".to_owned()], 2));
    // A row is named by its line, whatever stands above it.
    let below = desk.write(&[SATURDAY, "\r\n\n", wrong[0], wrong[1]]);
    assert_eq!(below.kept.rejected.iter().map(|one| one.line).collect::<Vec<_>>(), [5, 5]);
    // One fault is mended; the other one, which the row hid, is named in its place.
    let report = desk.write(&[SATURDAY, &wrong[0].replace("M9", "M1"), HOLIDAY]);
    let told: Vec<_> = report.kept.rejected.iter().map(|one| one.field.as_str()).collect();
    assert_eq!((told, desk.rejected()), (vec!["who", "to"], 2), "{report:?}");
    assert_eq!(desk.counts(), ["backlog"]);
    // Put back as it was: nothing new, and nothing is refused any more.
    assert!(desk.write(&[SATURDAY]).unchanged);
    assert_eq!((desk.counts(), desk.rejected()), (vec!["backlog".to_owned()], 0));
}

#[test]
fn half_a_sheet_waits_until_its_last_line_has_its_end() {
    let desk = Desk::new("half", "decisions.csv");
    fs::write(&desk.file, format!("{HEADER}{}", SATURDAY.trim_end())).unwrap();
    assert!(desk.take().unfinished);
    assert_eq!(desk.counts(), [""; 0]);
    let before = SystemClock::new().now() - jiff::SignedDuration::from_mins(11);
    let file = fs::File::options().append(true).open(&desk.file).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(before.as_second() as u64))
        .unwrap();
    assert_eq!(desk.take().kept.taken, 1);
    assert_eq!(desk.counts(), ["backlog"]);
}

#[test]
fn a_workbook_says_what_the_same_text_says() {
    use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
    let desk = Desk::new("workbook", "decisions.xlsx");
    let save = |hour: u16| {
        let mut book = Workbook::new();
        book.add_worksheet().set_hidden(true).write(0, 0, "notes").unwrap();
        let page = book.add_worksheet();
        page.set_active(true);
        let time = Format::new().set_num_format("dd.mm.yyyy hh:mm");
        let at =
            |hour: u16| ExcelDateTime::from_ymd(2026, 12, 5).unwrap().and_hms(hour, 0, 0).unwrap();
        for (column, name) in (0..).zip(HEADER.trim_end().split(';')) {
            page.write(0, column, name).unwrap();
        }
        page.write(2, 0, "M1").unwrap();
        page.write_datetime_with_format(2, 1, at(hour), &time).unwrap();
        page.write_datetime_with_format(2, 2, at(14), &time).unwrap();
        let texts = ["extra shift", "confirmed", "backlog", "A. Meier", "2026-12"];
        for (column, text) in (3..).zip(texts) {
            page.write(2, column, text).unwrap();
        }
        book.save(&desk.file).unwrap();
    };
    save(6);
    assert_eq!(desk.take().kept.taken, 1);
    let of = |desk: &Desk| {
        let reader = desk.state.reader().unwrap();
        let record = journal::counting(&reader, "decisions", SHEET_ID).unwrap().unwrap();
        DecisionSheet::of(&record).unwrap().decided
    };
    let text = Desk::new("as-text", "decisions.csv");
    text.write(&[SATURDAY]);
    assert_eq!(of(&desk), of(&text));
    save(0);
    let report = desk.take();
    let [fault] = report.kept.rejected.as_slice() else { panic!("{report:?}") };
    assert_eq!((fault.line, fault.field.as_str()), (3, "from"));
    assert!(fault.reason.contains("a day without a time"), "{fault:?}");
    assert_eq!(of(&desk), of(&text), "what counted before counts on");
}

#[test]
fn a_workbook_that_unpacks_beyond_all_bounds_is_refused_before_it_is_read() {
    use std::io::{Cursor, Write as _};
    use zip::{ZipWriter, write::SimpleFileOptions};
    // Two parts within the bound, and together beyond it.
    let packed = |bytes: usize| {
        let mut archive = ZipWriter::new(Cursor::new(Vec::new()));
        for part in ["xl/sharedStrings.xml", "xl/workbook.xml"] {
            archive.start_file(part, SimpleFileOptions::default()).unwrap();
            archive.write_all(&vec![b' '; bytes]).unwrap();
        }
        archive.finish().unwrap().into_inner()
    };
    let refused = |bytes: usize| {
        let packed = packed(bytes);
        assert!((packed.len() as u64) < sheet::BYTES_MAX, "{}", packed.len());
        sheet::table(&packed, Path::new("decisions.xlsx")).unwrap_err()
    };
    let half = usize::try_from(sheet::UNPACKED_MAX / 2).unwrap();
    let within = refused(half);
    assert!(!within.message.contains("when they are unpacked"), "{within:?}");
    let beyond = refused(half + 1);
    assert!(beyond.message.contains("when they are unpacked"), "{beyond:?}");
    assert!(!beyond.cure.is_empty());
}

#[test]
fn a_workbook_with_more_sheets_than_are_read_is_refused_by_the_name_of_the_first_of_them() {
    let desk = Desk::new("many-sheets", "answers.xlsx");
    let with = |visible: usize| {
        let mut book = rust_xlsxwriter::Workbook::new();
        for nth in 1..=visible {
            book.add_worksheet().set_name(format!("Answers {nth}")).unwrap();
            book.add_worksheet().set_hidden(true).set_name(format!("Notes {nth}")).unwrap();
        }
        book.save(&desk.file).unwrap();
        sheet::tables(&desk.file)
    };
    assert_eq!(with(8).unwrap().len(), 8, "hidden ones are not counted");
    let refused = with(9).unwrap_err();
    assert!(refused.message.ends_with("8 visible sheets: `Answers 9` would not be read"));
    assert!(!refused.cure.is_empty());
}
