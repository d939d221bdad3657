//! A bulk upload counts the rows that it refuses, and names none (§4.2 of the sheet): what
//! waits for that says so and until when, and the read-back names each cell.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use planthread::{
    failure::Exit,
    pipeline::{Bridge, Waits, refused, trace, undecided},
    report::{
        TextTable, View as _,
        applied::{Delivered, Deliveries},
    },
};
use planthread_contracts::RevisionState;
use planthread_engine::{
    ledger::{self, CellView},
    plan::HoldReason,
};
use planthread_kit::Clock as _;
use planthread_mocks::Setup;

use super::registered;
use crate::site::Site;

/// Cells of the ledger, period by period.
fn cells_of(bridge: &Bridge, now: Timestamp) -> Vec<CellView> {
    let mut cells = Vec::new();
    ledger::cells(&bridge.reader().unwrap(), now, |cell| {
        cells.push(cell);
        Ok(())
    })
    .unwrap();
    cells.sort_by_key(|cell| (cell.key.period, cell.key.resource.clone()));
    cells
}

#[test]
fn rows_that_are_refused_by_count_are_told_with_their_end_and_then_by_name() {
    let options = vec![("resources".to_owned(), "2".to_owned())];
    let site = Site::with(registered(), Setup { options, ..Setup::default() }, |inner| inner);
    let bridge = site.bridge();
    bridge.ingest().unwrap();
    let targets = bridge.targets(None).unwrap();
    let cycle = || {
        let done = site.clock.block_on(bridge.cycle(&targets, bridge.as_of())).unwrap();
        done.targets.into_iter().next().unwrap()
    };
    let began = site.clock.now();
    let first = cycle();
    let applied = first.applied.as_ref().unwrap();
    assert!(applied.refused_unnamed > 0 && applied.rejected == 0, "{applied:?}");
    let read = first.verified.as_ref().unwrap();
    let (waits, until) = (read.not_yet, read.not_yet_until.unwrap());
    assert!(waits > 0 && read.not_yet_unnamed == waits && read.landed > 0, "{read:?}");
    assert!(until > began && until <= site.clock.now() + SignedDuration::from_mins(15));

    // The same instant in `status`, and in what the next apply prints.
    let reader = || bridge.reader().unwrap();
    let stand = || Waits::at(&bridge.loaded, &reader(), &targets[0], site.clock.now()).unwrap();
    let waiting = stand().waiting.into_iter().find(|w| w.reason == Some(HoldReason::Unproven));
    let waiting = waiting.unwrap();
    assert_eq!((waiting.cells, waiting.until), (waits, Some(until)));
    // The same in `rejects`, in the trace of each such cell, and how many in the pack.
    let awaited = || undecided(&bridge.loaded, &reader(), site.clock.now()).unwrap();
    let [one] = &awaited()[..] else { panic!("{:?}", awaited()) };
    assert_eq!((one.cells, one.until, one.settle_minutes), (waits, Some(until), 15));
    for cell in cells_of(&bridge, site.clock.now()).into_iter().take(12) {
        let until = trace(&bridge.loaded, &reader(), &cell.key, site.clock.now()).unwrap().settles;
        assert_eq!(until.is_some(), cell.state == RevisionState::Unproven, "{}", cell.key);
        assert!(until.is_none_or(|at| Some(at) <= one.until), "{}", cell.key);
    }
    assert_eq!(first.pack.as_ref().map(|pack| pack.unproven), Some(waits));
    let again = cycle();
    assert!(again.applied.is_none(), "nothing goes out meanwhile");
    let mut text = TextTable::new(false);
    Deliveries { targets: vec![Delivered::from(again)] }.write(&mut text);
    let said = text.into_text();
    let instant = until.strftime("%H:%M:%SZ").to_string();
    assert!(said.contains(&format!("held {waits}: unproven, decided by a read-back after")));
    assert_eq!(said.matches(&instant).count(), 2, "held, and not there yet: {said}");

    site.clock.advance(Duration::from_mins(16));
    let late = Delivered::from(cycle());
    let read = &late.recovered.as_ref().unwrap().read_back;
    assert_eq!((read.refused, read.not_yet, read.lost), (waits, 0, 0), "{read:?}");
    let late = Deliveries { targets: vec![late] };
    let mut text = TextTable::new(false);
    late.write(&mut text);
    let said = text.into_text();
    assert!(said.contains(&format!("{waits} refused without a name, and unchanged")), "{said}");
    assert_eq!(late.exit(), Exit::Findings);
    assert_eq!(awaited(), [], "it is decided");
    let named = refused(&bridge.loaded, &reader(), &[]).unwrap();
    assert_eq!(named.len() as u64, waits);
    for one in named {
        let place = format!("place {}@{}", one.key.resource, one.key.location);
        assert_eq!(one.missing, [place], "why: its resource is not listed there");
    }
    assert!(cycle().applied.is_none(), "nothing goes out for ever");
}
