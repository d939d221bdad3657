//! A sheet counts as a whole or not at all, and every fault of it is named.

use jiff::civil::date;
use proptest::prelude::*;

use super::*;
use crate::{
    calendar::{Span, Spans, span::HOUR_MS},
    decode::Decoder,
    derive::{Derivation, derive, explain},
    fixture,
    model::{Decisions, SourceFormat},
};
use planthread_contracts::{Carries, PeriodKind};

const HEADER: &str = "resource,from,to,kind,status,reason,who,cycle";

/// The plant of the tests with a source of decisions for each name.
fn plant(names: &[&str]) -> Plant {
    let mut plant = fixture::plant();
    for resource in &mut plant.resources {
        resource.standard_availability = Some(rust_decimal::Decimal::ONE);
    }
    for name in names {
        let mut source = plant.sources[2].clone();
        source.name = (*name).to_owned();
        let machines = [("Press 1".to_owned(), "M1".to_owned())].into();
        source.reader = SourceFormat::Decisions(Decisions { machines });
        plant.sources.push(source);
    }
    // Weekdays alone, so that a Saturday shift adds something.
    let calendar = serde_json::json!({ "id": "24x7", "version": "1", "shifts": [{
        "name": "early", "days": ["mon", "tue", "wed", "thu", "fri"],
        "start": "06:00", "end": "14:00" }] });
    plant.calendars = vec![serde_json::from_value(calendar).unwrap()];
    plant
}

fn rows(text: &str) -> Vec<SheetRow> {
    let cell = |text: &str| SheetCell::Text(text.to_owned());
    let cells = |line: &str| line.split(',').map(cell).collect();
    (1..).zip(text.lines()).map(|(number, line)| SheetRow { number, cells: cells(line) }).collect()
}

fn read(text: &str) -> Result<Vec<DecidedHours>, Vec<SheetFault>> {
    let plant = plant(&["decisions"]);
    sheet_rows(&rows(&format!("{HEADER}\n{text}")), &plant.sources[3], &plant)
}

#[test]
fn a_row_says_what_was_decided() {
    let found = read(
        "Press 1,2026-12-05 06:00,2026-12-05 14:00,Extra_Shift,confirmed,backlog,A. Meier,2026-12\n\n\
                      LINE,2026-12-24T00:00+01:00,2026-12-25T00:00+01:00,closed,proposed,works council,B. Kaya,",
    );
    let at = |text: &str| text.parse::<Timestamp>().unwrap();
    let first = DecidedHours {
        resource: "M1".into(),
        from: at("2026-12-05T05:00:00Z"),
        to: at("2026-12-05T13:00:00Z"),
        kind: HoursKind::ExtraShift,
        confirmed: true,
        supposed: false,
        reason: "backlog".into(),
        who: "A. Meier".into(),
        cycle: Some("2026-12".into()),
        other: None,
    };
    let second = DecidedHours {
        resource: "LINE".into(),
        from: at("2026-12-23T23:00:00Z"),
        to: at("2026-12-24T23:00:00Z"),
        kind: HoursKind::Closed,
        confirmed: false,
        supposed: false,
        reason: "works council".into(),
        who: "B. Kaya".into(),
        cycle: None,
        other: None,
    };
    assert_eq!(found.unwrap(), [first, second]);
}

#[test]
fn one_fault_refuses_the_sheet_and_every_fault_is_named_with_its_cure() {
    let good = "M1,2026-12-05 06:00,2026-12-05 14:00,overtime,confirmed,backlog,A. Meier,2026-12";
    assert_eq!(read(good).unwrap().len(), 1);
    for (row, column, reason) in [
        (
            "M9,2026-12-05 06:00,2026-12-05 14:00,overtime,confirmed,r,w,",
            "resource",
            "no line or machine",
        ),
        ("M1,2026-12-05 06:00,2026-12-05 06:00,overtime,confirmed,r,w,", "to", "is not after"),
        ("M1,2026-12-05 06:00,2062-12-05 06:00,overtime,confirmed,r,w,", "to", "more than a year"),
        ("M1,2026-03-29 02:30,2026-03-29 14:00,overtime,confirmed,r,w,", "from", "skip or repeat"),
        ("M1,2026-10-25 02:30,2026-10-25 14:00,overtime,confirmed,r,w,", "from", "skip or repeat"),
        ("M1,2026-12-05,2026-12-05 14:00,overtime,confirmed,r,w,", "from", "no day with a time"),
        (
            "M1,5.12.2026 06:00,2026-12-05 14:00,overtime,confirmed,r,w,",
            "from",
            "no day with a time",
        ),
        ("M1,,2026-12-05 14:00,overtime,confirmed,r,w,", "from", "is empty"),
        ("M1,2026-12-05 06:00,2026-12-05 14:00,transfer,confirmed,r,w,", "moves_to", "is empty"),
        ("M1,2026-12-05 06:00,2026-12-05 14:00,overtme,confirmed,r,w,", "kind", "no kind"),
        ("M1,2026-12-05 06:00,2026-12-05 14:00,overtime,maybe,r,w,", "status", "neither"),
        ("M1,2026-12-05 06:00,2026-12-05 14:00,overtime,confirmed,,w,", "reason", "is empty"),
        ("M1,2026-12-05 06:00,2026-12-05 14:00,overtime,confirmed,r,,", "who", "is empty"),
        ("M1,2026-12-05 06:00,2026-12-05 14:00,overtime,confirmed,r,w,c,x", "", "no column"),
        ("M1,2026-12-05 13:00,2026-12-05 15:00,closed,confirmed,r,w,", "kind", "contradicts row 2"),
    ] {
        let faults = read(&format!("{good}\n{row}")).unwrap_err();
        let [fault] = faults.as_slice() else { panic!("{row}: {faults:?}") };
        assert_eq!((fault.row, fault.column.as_str()), (3, column), "{row}: {fault:?}");
        assert!(fault.reason.contains(reason) && !fault.cure.is_empty(), "{row}: {fault:?}");
    }
    let both = read("M9,x,y,z,,,,\nM1,2026-12-05 06:00,,overtime,confirmed,r,w,").unwrap_err();
    assert_eq!(both.iter().filter(|fault| fault.row == 2).count(), 7, "{both:?}");
    assert_eq!(both.iter().filter(|fault| fault.row == 3).count(), 1, "{both:?}");
    // What only touches, or is only proposed, contradicts nothing.
    let touches = "M1,2026-12-05 14:00,2026-12-05 15:00,closed,confirmed,r,w,";
    let proposed = "M1,2026-12-05 06:00,2026-12-05 15:00,closed,proposed,r,w,";
    assert_eq!(read(&format!("{good}\n{touches}\n{proposed}")).unwrap().len(), 3);
}

#[test]
fn a_header_is_known_by_its_names_and_a_day_of_a_workbook_is_no_time() {
    let plant = plant(&["decisions"]);
    let sheet = |rows: &[SheetRow]| sheet_rows(rows, &plant.sources[3], &plant);
    let wrong = sheet(&rows("resource,from,to,kind,status,reason,reason,cycel")).unwrap_err();
    let named: Vec<_> = wrong.iter().map(|fault| fault.column.as_str()).collect();
    assert_eq!(named, ["reason", "cycel", "who"]);
    assert_eq!(sheet(&[]).unwrap_err()[0].reason, "the sheet is empty");
    let mut day = rows(&format!("{HEADER}\nM1,,2026-12-06 00:00,closed,confirmed,r,w,"));
    let mut at = |hour: i8| {
        day[1].cells[1] = SheetCell::Time(date(2026, 12, 5).at(hour, 0, 0, 0));
        sheet(&day)
    };
    assert!(at(0).unwrap_err()[0].reason.contains("a day without a time"));
    assert_eq!(at(6).unwrap()[0].from.to_string(), "2026-12-05T05:00:00Z");
}

const WEEK: &str = "2026-W49";

/// The week, derived before it from the sheets in this order.
fn derived(plant: &Plant, sheets: &[&DecisionSheet]) -> Derivation {
    let as_of = "2026-11-27T00:00:00Z".parse().unwrap();
    let decoder = Decoder::new(plant).unwrap();
    let mut facts = Facts::default();
    for (sheet, source) in sheets.iter().zip(plant.sources.iter().skip(3)) {
        decoder.decode(&sheet.record(source, as_of), &mut facts).unwrap();
    }
    derive(plant, &facts.seal(), as_of, &[PeriodKind::Week]).unwrap()
}

/// Hours of the week by hand: an hour is worked when it is in a shift or added, and not
/// closed.
fn by_hand(plant: &Plant, sheets: &[&DecisionSheet], resource: &str, shifts: &Spans) -> i64 {
    let all = || sheets.iter().flat_map(|sheet| &sheet.decided).filter(|one| one.confirmed);
    let mine = |one: &&DecidedHours| one.holds_for(plant, resource);
    let covers = |one: &DecidedHours, at: i64| one.span().start <= at && at < one.span().end;
    let hours = (0..168).map(|hour| monday() + hour * HOUR_MS);
    let works = |at: &i64| {
        let any = |closes: bool| all().filter(mine).any(|o| o.closes() == closes && covers(o, *at));
        (shifts.has(*at) || any(false)) && !any(true)
    };
    hours.filter(works).count() as i64
}

fn monday() -> i64 {
    "2026-11-29T23:00:00Z".parse::<Timestamp>().unwrap().as_millisecond()
}

fn decided() -> impl Strategy<Value = DecidedHours> {
    let names = proptest::sample::select(vec!["M1", "M2", "LINE", "GONE"]);
    let kinds = proptest::sample::select(HoursKind::ALL.to_vec());
    (names, kinds, any::<bool>(), -20i64..180, 1i64..40).prop_map(
        |(resource, kind, confirmed, from, hours)| {
            let at = |hour: i64| Timestamp::from_millisecond(monday() + hour * HOUR_MS).unwrap();
            DecidedHours {
                resource: resource.to_owned(),
                from: at(from),
                to: at(from + hours),
                kind,
                confirmed,
                supposed: false,
                reason: format!("r{from}"),
                who: "w".into(),
                cycle: None,
                other: None,
            }
        },
    )
}

fn sheet() -> impl Strategy<Value = DecisionSheet> {
    let rows = proptest::collection::vec(decided(), 0..7);
    rows.prop_map(|decided| DecisionSheet { file: "d.csv".into(), decided })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]

    /// Whatever two sheets say, the steps that are told sum to the hours that count, these
    /// are those that a person would count, and no order of sheets or rows moves one.
    #[test]
    fn law_9_what_is_told_sums_to_what_counts_in_any_order_of_sheets(
        one in sheet(), two in sheet(),
    ) {
        let plant = plant(&["first", "second"]);
        let (there, back) = ([&one, &two], [&two, &one]);
        let derivation = derived(&plant, &there);
        prop_assert_eq!(&derivation, &derived(&plant, &back));
        let mut turned = two.clone();
        turned.decided.reverse();
        prop_assert_eq!(&derivation, &derived(&plant, &[&one, &turned]));
        let shifts = (0..5).map(|day| monday() + (day * 24 + 6) * HOUR_MS);
        let shifts = Spans::union(shifts.map(|start| Span { start, end: start + 8 * HOUR_MS }).collect());
        for resource in ["M1", "M2", "M3", "LINE"] {
            let week = WEEK.parse().unwrap();
            let figures = derivation.get(resource, week).unwrap();
            let hours = by_hand(&plant, &there, resource, &shifts);
            prop_assert_eq!(figures.elements.scheduled, hours * HOUR_MS, "{}", resource);
            let told = explain(&plant, &derivation, resource, week, Carries::AttainableClockHours);
            let told = told.unwrap();
            let sum: rust_decimal::Decimal = told.steps.iter()
                .filter(|step| step.name == "regular" || step.name.starts_with("decided_"))
                .map(|step| step.result)
                .sum();
            let scheduled = told.steps.iter().find(|step| step.name == "scheduled").unwrap();
            prop_assert_eq!(scheduled.result, rust_decimal::Decimal::from(hours));
            let alone = explain(&plant, &derivation, resource, week, Carries::DecidedHours);
            let alone = alone.unwrap();
            let by_hand = rust_decimal::Decimal::from(hours - shifts.ms() / HOUR_MS);
            prop_assert_eq!(alone.steps.last().unwrap().result, by_hand, "{}", alone);
            if told.steps[0].name == "regular" {
                prop_assert_eq!(sum, scheduled.result, "{}", told);
            }
        }
    }
}

#[test]
fn a_proposal_moves_nothing_and_is_told_as_one() {
    let plant = plant(&["decisions"]);
    let mut decided = read(
        "LINE,2026-12-05 06:00,2026-12-05 14:00,extra shift,confirmed,backlog,A. Meier,2026-12",
    )
    .unwrap();
    decided[0].confirmed = false;
    let told = |decided: &[DecidedHours]| {
        let sheet = DecisionSheet { file: "d.csv".into(), decided: decided.to_vec() };
        let derivation = derived(&plant, &[&sheet]);
        let what = Carries::AttainableClockHours;
        explain(&plant, &derivation, "LINE", WEEK.parse().unwrap(), what).unwrap().to_string()
    };
    let proposed = told(&decided);
    assert!(proposed.contains("Proposed for LINE, extra shift from 2026-12-05 06:00 to 2026-12-05 14:00, counts nothing until it is confirmed: backlog (owner A. Meier, cycle 2026-12)"), "{proposed}");
    assert!(proposed.contains("what people decided: 40 + 0 = 40"), "{proposed}");
    decided[0].confirmed = true;
    let confirmed = told(&decided);
    assert!(confirmed.contains("Decided for LINE, extra shift from 2026-12-05 06:00 to 2026-12-05 14:00, 8 h more: backlog"), "{confirmed}");
    assert!(confirmed.contains("what people decided: 40 + 8 = 48"), "{confirmed}");
}

/// M1 works in the early shift, M2 in the late one and on Saturday, M3 as M1 does.
fn two_shifts() -> Plant {
    let mut plant = plant(&["decisions"]);
    let late = serde_json::json!({ "id": "late", "version": "1", "shifts": [{
        "name": "late", "days": ["mon", "tue", "wed", "thu", "fri", "sat"],
        "start": "12:00", "end": "20:00" }] });
    plant.calendars.push(serde_json::from_value(late).unwrap());
    plant.resources[1].calendar = "late".to_owned();
    plant
}

fn moved(plant: &Plant, text: &str) -> Result<Vec<DecidedHours>, Vec<SheetFault>> {
    sheet_rows(&rows(&format!("{HEADER},moves_to\n{text}")), &plant.sources[3], plant)
}

#[test]
fn a_transfer_names_both_ends_and_is_refused_where_hours_would_be_won_or_lost() {
    let plant = two_shifts();
    let good = "M1,2026-12-02 06:00,2026-12-02 10:00,transfer,confirmed,r,w,,M2";
    let ends = moved(&plant, good).unwrap();
    let told: Vec<_> = ends.iter().map(|end| (&*end.resource, end.words(), end.closes())).collect();
    let (to, from) = ("transfer to M2".to_owned(), "transfer from M1".to_owned());
    assert_eq!(told, [("M1", to, true), ("M2", from, false)]);
    for (row, column, reason) in [
        ("M1,2026-12-03 06:00,2026-12-03 10:00,transfer,confirmed,r,w,,", "moves_to", "is empty"),
        ("M1,2026-12-03 06:00,2026-12-03 10:00,transfer,confirmed,r,w,,M1", "moves_to", "where"),
        ("M1,2026-12-03 06:00,2026-12-03 10:00,transfer,confirmed,r,w,,M9", "moves_to", "no line"),
        (
            "M1,2026-12-03 06:00,2026-12-03 10:00,transfer,confirmed,r,w,,LINE",
            "moves_to",
            "one line",
        ),
        (
            "M1,2026-12-03 05:00,2026-12-03 10:00,transfer,confirmed,r,w,,M2",
            "from",
            "does not work",
        ),
        ("M1,2026-12-03 10:00,2026-12-03 13:00,transfer,proposed,r,w,,M2", "moves_to", "already"),
        ("M1,2026-12-03 06:00,2026-12-03 10:00,closed,confirmed,r,w,,M2", "moves_to", "no hours"),
        ("M1,2026-12-02 09:00,2026-12-02 11:00,transfer,confirmed,r,w,,M2", "kind", "row 2 moves"),
        ("M1,2026-12-02 09:00,2026-12-02 11:00,closed,confirmed,r,w,,", "kind", "row 2 moves"),
        ("M2,2026-12-02 09:00,2026-12-02 11:00,overtime,confirmed,r,w,,", "kind", "row 2 moves"),
        ("M1,2026-12-02 09:00,2026-12-02 11:00,overtime,confirmed,r,w,,", "kind", "contradicts"),
    ] {
        let faults = moved(&plant, &format!("{good}\n{row}")).unwrap_err();
        let fault = &faults[0];
        assert_eq!((fault.row, fault.column.as_str()), (3, column), "{row}: {faults:?}");
        assert!(fault.reason.contains(reason) && !fault.cure.is_empty(), "{row}: {fault:?}");
    }
}

/// Transfers between two machines: source, first hour of the week, hours.
fn transfers() -> impl Strategy<Value = Vec<(bool, i64, i64)>> {
    proptest::collection::vec((any::<bool>(), 0i64..150, 1i64..9), 1..6)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    /// Whatever transfers a sheet says, it is refused, or what one end gives up the other
    /// gains: the hours of the week stay what they were. A row by itself is taken exactly
    /// where a person would find the one at work and the other not, hour by hour.
    #[test]
    fn law_9_a_transfer_wins_and_loses_no_hour(all in transfers()) {
        let plant = two_shifts();
        let at = |hour: i64| Timestamp::from_millisecond(monday() + hour * HOUR_MS).unwrap();
        let row = |(back, from, hours): &(bool, i64, i64)| {
            let (source, target) = if *back { ("M2", "M1") } else { ("M1", "M2") };
            format!("{source},{},{},transfer,confirmed,r,w,,{target}\n", at(*from), at(from + hours))
        };
        let early = |hour: i64| hour / 24 < 5 && (6..14).contains(&(hour % 24));
        let late = |hour: i64| hour / 24 < 6 && (12..20).contains(&(hour % 24));
        for one in &all {
            let (back, from, hours) = *one;
            let mut window = from..from + hours;
            let fits = window.all(|hour| if back { late(hour) && !early(hour) } else { early(hour) && !late(hour) });
            prop_assert_eq!(moved(&plant, &row(one)).is_ok(), fits, "{}", row(one));
        }
        let fitting: Vec<_> = all.iter().filter(|one| moved(&plant, &row(one)).is_ok()).collect();
        let text: String = fitting.iter().map(|one| row(one)).collect();
        let Ok(decided) = moved(&plant, &text) else { return Ok(()) };
        let sheet = DecisionSheet { file: "d.csv".into(), decided };
        let none = DecisionSheet { file: "d.csv".into(), decided: Vec::new() };
        let hours = |sheet: &DecisionSheet| {
            let derivation = derived(&plant, &[sheet]);
            let of = |name| derivation.get(name, WEEK.parse().unwrap()).unwrap().elements.scheduled;
            ["M1", "M2"].map(|name| of(name) / HOUR_MS)
        };
        let (was, is) = (hours(&none), hours(&sheet));
        let goes: i64 = fitting.iter().map(|(back, _, hours)| if *back { -hours } else { *hours }).sum();
        prop_assert_eq!(is, [was[0] - goes, was[1] + goes]);
    }
}
