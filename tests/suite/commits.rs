//! Conservation at every commit of a landing, for every target in each of its ways:
//! the books as each commit left them are read from the write-ahead log, cut off
//! behind it. A process that dies there finds exactly these.

use std::{collections::BTreeSet, fs, path::Path};

use planthread::registry::TARGETS;
use planthread_contracts::RevisionState;
use planthread_engine::{Reader, ledger};
use planthread_kit::Clock as _;
use planthread_mocks::{Fault, Simulator as _};

use crate::{
    mortal::{Mortal, balanced},
    site::{Place, place_in},
    way::Way,
};

/// Bytes before the first frame, and before the page of each.
const HEADER: usize = 32;
const FRAME: usize = 24;

fn number(bytes: &[u8], at: usize) -> usize {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap()) as usize
}

/// Where each commit ends in a log: behind a frame that says how many pages the
/// database has then. Frames of an earlier round have another salt.
fn ends(log: &[u8]) -> Vec<usize> {
    let (page, salt) = (number(log, 8), &log[16..24]);
    let frame = |at: &usize| at + FRAME + page <= log.len() && log[at + 8..at + 16] == *salt;
    let frames = std::iter::successors(Some(HEADER), |at| Some(at + FRAME + page));
    let commits = frames.take_while(frame).filter(|at| number(log, at + 4) > 0);
    commits.map(|at| at + FRAME + page).collect()
}

/// How many commits there were; what each of them left balances, and calls nothing
/// seen that never took effect.
fn balanced_at_each(mortal: &mut Mortal) -> usize {
    mortal.begin();
    // The answer to one write in the middle is lost: its end is found out later.
    let writes = mortal.undisturbed().iter().filter(|line| !line.starts_with("GET ")).count();
    mortal.begin();
    mortal.gate().fault_at(writes, Fault::DropAfter);
    let bridge = mortal.site.bridge();
    let (state, cut) = (bridge.state.dir(), mortal.site.folder.join("cut"));
    let database = fs::read(state.join("state.db")).unwrap();
    let targets = bridge.targets(None).unwrap();
    for _ in 0..2 {
        mortal.site.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
        mortal.site.clock.advance(std::time::Duration::from_mins(20));
    }
    let log = fs::read(state.join("state.db-wal")).unwrap();
    let whole = fs::read(state.join("state.db")).unwrap() == database;
    assert!(
        whole,
        "{}: the log was merged on the way: this test needs a smaller plan",
        mortal.name
    );
    let changes = mortal.gate().history().into_iter().map(|change| change.cell);
    let took: BTreeSet<(Place, String)> = changes
        .map(|cell| {
            let period = cell.period.to_string();
            let place = (cell.scope, cell.resource, cell.location, period, cell.measure);
            (place, cell.value.normalize().to_string())
        })
        .collect();
    let ends = ends(&log);
    let loaded = mortal.site.loaded();
    for (nth, end) in ends.iter().enumerate() {
        copy_cut(&database, &log[..*end], &cut);
        let reader = Reader::open(&cut).unwrap();
        let (now, when) = (mortal.site.clock.now(), format!("{}: commit {nth}", mortal.name));
        balanced(&reader, now, &when);
        ledger::cells(&reader, now, |cell| {
            let place = (place_in(&loaded, &cell.key), cell.value.normalize().to_string());
            let real = cell.state != RevisionState::Seen || took.contains(&place);
            assert!(real, "{when}: {} is called seen", cell.key);
            Ok(())
        })
        .unwrap();
    }
    ends.len()
}

/// Puts a state into `folder` whose log ends there.
fn copy_cut(database: &[u8], log: &[u8], folder: &Path) {
    let _ = fs::remove_dir_all(folder);
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("state.db"), database).unwrap();
    fs::write(folder.join("state.db-wal"), log).unwrap();
}

#[test]
#[expect(clippy::print_stderr, reason = "how many commits were cut is for whoever runs this test")]
fn law_12_the_books_balance_at_every_commit_of_a_landing() {
    for registered in TARGETS {
        for way in Way::all(registered) {
            let mut mortal = Mortal::new(registered, &way);
            let commits = balanced_at_each(&mut mortal);
            eprintln!("{}: {commits} commits", mortal.name);
            assert!(commits > 10, "{}: {commits} commits", mortal.name);
        }
    }
}
