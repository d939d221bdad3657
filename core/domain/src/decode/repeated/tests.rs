//! What the order of a file tells of the hour that the clocks repeat.

use super::*;
use crate::{
    decode::{decode, rows::rows},
    fixture,
    model::Plant,
};

fn plant() -> Plant {
    let mut plant = fixture::plant();
    for source in &mut plant.sources {
        let time = match &mut source.reader {
            SourceFormat::MachineEvents(reader) => &mut reader.time,
            SourceFormat::Counts(reader) => &mut reader.time,
            SourceFormat::Cloudevents(_) | SourceFormat::Decisions(_) => continue,
        };
        time.zone = Some("Europe/Berlin".into());
    }
    plant
}

const EVENTS: (usize, &str) = (0, "time,machine,event");
const COUNTS: (usize, &str) = (1, "hour_start,machine,parts_total");

/// What becomes of each row, given as `HH:MM machine what` of the night to 25
/// October: its time in UTC, or that it is refused.
fn read_at(now: &str, (source, header): (usize, &str), night: &[&str]) -> Vec<String> {
    let plant = plant();
    let row = |text: &&str| {
        let mut parts = text.split(' ');
        let mut part = || parts.next().unwrap_or("restored");
        format!("2026-10-25T{}:00,{},{}\n", part(), part(), part())
    };
    let text = format!("{header}\n{}", night.iter().map(row).collect::<String>());
    let now: Timestamp = now.parse().unwrap();
    let records = rows(text.as_bytes(), &plant.sources[source], "f.csv", now);
    let of = |record: RawRecord| match decode(&record, &plant) {
        Ok(facts) => {
            let counts = facts.counts.iter().map(|fact| fact.interval.start);
            let at = facts.states.iter().map(|fact| fact.at).chain(counts).next().unwrap();
            let at = Timestamp::from_millisecond(at).unwrap();
            at.strftime("%H:%M").to_string()
        }
        Err(refused) => {
            assert!(refused.reason.contains("the order of the file"), "{refused:?}");
            "?".to_owned()
        }
    };
    records.map(|record| of(record.unwrap())).collect()
}

fn read(of: (usize, &str), night: &[&str]) -> Vec<String> {
    read_at("2026-10-26T00:00:00Z", of, night)
}

#[test]
fn where_the_clock_falls_back_the_second_pass_begins() {
    let night = ["01:50 M1", "02:10 M1", "02:40 M1", "02:05 M1", "02:50 M1", "03:10 M1"];
    let right = ["23:50", "00:10", "00:40", "01:05", "01:50", "02:10"];
    assert_eq!(read(EVENTS, &night), right);
    // Without its neighbours, too, and with the newest row first.
    assert_eq!(read(EVENTS, &night[1..5]), right[1..5]);
    let (mut turned, mut told) = (night, right);
    turned.reverse();
    told.reverse();
    assert_eq!(read(EVENTS, &turned), told);
}

#[test]
fn what_no_row_decides_is_refused() {
    assert_eq!(read(EVENTS, &["02:30 M1"]), ["?"]);
    assert_eq!(read(EVENTS, &["01:50 M1", "02:30 M1", "03:10 M1"]), ["23:50", "?", "02:10"]);
    // A stop of no time, or of an hour.
    assert_eq!(read(EVENTS, &["02:30 M1 failure", "02:30 M1 restored"]), ["?", "?"]);
    // A clock that falls back twice is no clock.
    assert_eq!(read(EVENTS, &["02:40 M1", "02:20 M1", "02:10 M1"]), ["?", "?", "?"]);
    // After three o'clock it is too late.
    assert_eq!(read(EVENTS, &["03:10 M1", "02:30 M1", "03:20 M1"]), ["02:10", "?", "02:20"]);
}

#[test]
fn a_counter_has_one_reading_an_hour() {
    let night = ["01:00 M1 1", "02:00 M1 2", "02:00 M1 2", "03:00 M1 4"];
    assert_eq!(read(COUNTS, &night), ["23:00", "00:00", "01:00", "02:00"]);
    // The second reading says the same, and is no copy of the first.
    let (plant, now) = (plant(), "2026-10-26T00:00:00Z".parse().unwrap());
    let text =
        "hour_start,machine,parts_total\n2026-10-25T02:00:00,M1,2\n2026-10-25T02:00:00,M1,2\n";
    let ids: HashSet<String> =
        rows(text.as_bytes(), &plant.sources[1], "c.csv", now).map(|row| row.unwrap().id).collect();
    assert_eq!(ids.len(), 2);
}

#[test]
fn machines_share_a_clock_only_where_the_file_mixes_them() {
    // M2's only row comes after the clock has fallen back.
    let mixed = ["01:30 M1", "01:40 M2", "01:45 M1", "02:40 M1", "02:05 M2", "03:10 M1"];
    let told = ["23:30", "23:40", "23:45", "00:40", "01:05", "02:10"];
    assert_eq!(read(EVENTS, &mixed), told);
    // Machine by machine, nothing fell back between the two.
    let grouped = ["02:10 M1", "02:40 M1", "02:05 M2", "02:50 M2"];
    assert_eq!(read(EVENTS, &grouped), ["?"; 4]);
    let own = ["02:40 M1", "02:10 M1", "02:45 M2", "02:05 M2"];
    assert_eq!(read(EVENTS, &own), ["00:40", "01:10", "00:45", "01:05"]);
}

#[test]
fn what_would_be_of_the_future_is_of_the_first_pass() {
    let at = |now| read_at(now, EVENTS, &["02:30 M1 failure", "02:50 M1 restored"]);
    assert_eq!(at("2026-10-25T00:55:00Z"), ["00:30", "00:50"]);
    // The second one is of the first pass, so the first one is, too.
    assert_eq!(at("2026-10-25T01:30:00Z"), ["00:30", "00:50"]);
    assert_eq!(at("2026-10-25T02:00:00Z"), ["?", "?"]);
}

/// Rows of the night, each of a true instant, in the order in which they
/// happened: what is told is true, and what is refused could be either.
#[test]
fn what_the_file_tells_of_any_night_is_true() {
    let mut seed = 11_u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) % below
    };
    let (mut told, mut refused) = (0, 0);
    for _ in 0..2_000 {
        let mut truth: Vec<u64> = (0..=random(7)).map(|_| random(240)).collect();
        truth.sort_unstable();
        let machines: Vec<u64> = truth.iter().map(|_| random(2) + 1).collect();
        // Minutes since 23:00Z: local 01:00, and 02:00 again after two hours.
        let local = |minute: u64| minute + if minute < 120 { 60 } else { 0 };
        let night: Vec<String> = truth
            .iter()
            .zip(&machines)
            .map(|(minute, machine)| {
                let (hour, minute) = (local(*minute) / 60, local(*minute) % 60);
                format!("{hour:02}:{minute:02} M{machine}")
            })
            .collect();
        let night: Vec<&str> = night.iter().map(String::as_str).collect();
        for (found, minute) in read(EVENTS, &night).iter().zip(&truth) {
            let right = format!("{:02}:{:02}", (23 + minute / 60) % 24, minute % 60);
            if found == "?" {
                assert!((60..180).contains(minute), "{night:?}");
                refused += 1;
            } else {
                assert_eq!(*found, right, "{night:?}");
                told += 1;
            }
        }
    }
    assert!(told > 5_000 && refused > 500, "{told} {refused}");
}

#[test]
fn the_rows_that_are_kept_tell_what_all_rows_tell() {
    let mut seed = 5_u64;
    let mut random = move |below: u64| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        i64::try_from((seed >> 33) % below).unwrap()
    };
    let (mut decided, mut left_out) = (0, 0);
    for case in 0..30_000 {
        // A clock that rises, falls, or does what it likes.
        let (mut at, length) = (0, random(14));
        let mut rows = Vec::new();
        for line in 0..length {
            at += match case % 3 {
                0 => random(3),
                1 => -random(3),
                _ => random(7) - 3,
            };
            let meaning = match random(3) {
                0 => Meaning::Two(at, at + 2 + random(2)),
                _ => Meaning::One(at),
            };
            let machine = usize::try_from(random(3)).unwrap();
            rows.push(Row { line: u64::try_from(line).unwrap(), machine, meaning });
        }
        let mut order = Order::default();
        rows.iter().for_each(|row| order.push(*row));
        order.end_stretch();
        let kept: Vec<Row> = order.rows.into_values().collect();
        left_out += rows.len() - kept.len();
        for one_each in [true, false] {
            let all = told(rows.clone(), one_each);
            assert_eq!(told(kept.clone(), one_each), all, "{rows:?}\n{kept:?}");
            decided += all.len();
        }
    }
    assert!(decided > 10_000 && left_out > 1_000, "{decided} {left_out}");
}

#[test]
fn a_long_file_costs_what_its_repeated_hours_cost() {
    let plant = plant();
    let hour = RepeatedHour::of(&plant.sources[0]).unwrap();
    let mut file = hour.file("2026-10-26T00:00:00Z".parse().unwrap());
    for minute in 0..100_000_u64 {
        let (day, hour) = (1 + minute / 1_440 % 24, minute / 60 % 24);
        let row = format!("2026-10-{day:02}T{hour:02}:{:02}:00,M{},x", minute % 60, minute % 9);
        assert!(file.read(minute + 2, row.as_bytes()));
    }
    assert!(file.order.rows.len() < 100, "{}", file.order.rows.len());
}
