//! The manual route takes no more than the interface does.

use super::*;
use crate::sap_ibp::{Wiring, pack::PackReport};

const HEADER: &str = "RESID,LOCID,KEYFIGUREDATE,TWINCAPA";

fn import(client: &mut Client, header: &str, rows: &[&str]) -> Result<PackReport, String> {
    let file = format!("{header}\n{}\n", rows.join("\n"));
    client.sandbox.import_csv(client.at, &file, b',', "")
}

/// Line and reason of each rejected row.
fn rejects(report: &PackReport) -> Vec<(u64, &str)> {
    report.rejects.iter().map(|reject| (reject.line, &*reject.reason)).collect()
}

#[test]
fn a_calculated_key_figure_is_no_column() {
    let options = Options { wiring: Wiring::Calculation, ..Options::default() };
    let mut client = Client::with(options);
    let header = "RESID,LOCID,KEYFIGUREDATE,CAPASUPPLY";
    let refused = import(&mut client, header, &["LINE-1,1010,2026-11-23,1"]).unwrap_err();
    assert!(refused.contains("CAPASUPPLY"), "{refused}");
    client.sandbox.rewire(Wiring::Direct);
    assert_eq!(import(&mut client, header, &["LINE-1,1010,2026-11-23,1"]).unwrap().written, 1);
}

#[test]
fn a_column_stands_once() {
    let mut client = Client::new();
    for header in
        ["RESID,LOCID,KEYFIGUREDATE,TWINCAPA,TWINCAPA", "RESID,LOCID,KEYFIGUREDATE,TWINCAPA,RESID"]
    {
        let refused = import(&mut client, header, &["LINE-1,1010,2026-11-23,1,2"]).unwrap_err();
        assert!(refused.contains("twice"), "{refused}");
    }
    assert_eq!(client.value("TWINCAPA"), None);
}

#[test]
fn values_have_the_interfaces_precision() {
    let mut client = Client::new();
    let rows = [
        "LINE-1,1010,2026-11-23,0.1234567",
        "LINE-1,1010,2026-11-30,1000000000000",
        "LINE-1,1010,2026-12-07,1_000",
        "LINE-1,1010,2026-12-14,0.123456",
    ];
    let report = import(&mut client, HEADER, &rows).unwrap();
    let lines: Vec<_> = rejects(&report).iter().map(|(line, _)| *line).collect();
    assert_eq!((lines, report.written), (vec![2, 3, 4], 1));
    assert!(rejects(&report)[0].1.contains("TWINCAPA '0.1234567'"), "{report:?}");
}

#[test]
fn a_row_names_the_start_of_its_period_and_no_other_row_does() {
    let mut client = Client::new();
    let rows = [
        "LINE-1,1010,2026-11-25,1",
        "LINE-1,1010,2026-11-30,2",
        "LINE-2,1020,2026-11-30,3",
        "LINE-1,1010,2026-11-30,2",
    ];
    let report = import(&mut client, HEADER, &rows).unwrap();
    assert_eq!((report.staged, report.written), (1, 1));
    let [(first, inside), (third, double), (fifth, _)] = rejects(&report)[..] else {
        panic!("{report:?}")
    };
    assert_eq!((first, third, fifth), (2, 3, 5));
    for part in ["LINE-1", "1010", "2026-11-25", "2026-W48", "2026-11-23"] {
        assert!(inside.contains(part), "{inside}");
    }
    assert!(double.contains("LINE-1") && double.contains("lines 3, 5"), "{double}");
    assert_eq!(client.sandbox.history().len(), 1, "only what is beyond doubt");
}
