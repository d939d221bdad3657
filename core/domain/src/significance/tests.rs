//! What is released, over random walks of figures.

use proptest::prelude::*;

use super::*;

fn at(hour: i64) -> Timestamp {
    let base: Timestamp = "2026-11-23T00:00:00Z".parse().unwrap();
    base + SignedDuration::from_hours(hour)
}

fn week() -> Period {
    "2026-W48".parse().unwrap()
}

/// A week of 168 scheduled hours, of which so many tenths are attainable.
fn figures(hour: i64, tenths: i64) -> Released {
    let attainable = Decimal::new(tenths, 1);
    let lost = Decimal::from(168) - attainable;
    let units = attainable * Decimal::from(60);
    Released {
        as_of: at(hour),
        position: u64::try_from(hour).unwrap(),
        reason: Reason::New,
        status: Status::Live,
        ended: false,
        scheduled: 168.into(),
        rules: "1".into(),
        behind: Some("M1".into()),
        figures: BTreeMap::from([
            (Carries::AttainableClockHours, attainable),
            (Carries::ExpectedLostHours, lost),
            (Carries::GoodUnits, units),
        ]),
        layers: None,
        change: None,
    }
}

fn decided(before: &Released, now: &Released) -> Option<Reason> {
    decide(Some(before), now, week(), &Significance::default())
}

#[test]
fn a_figure_may_have_a_band_of_its_own() {
    let bands = BTreeMap::from([(Carries::ExpectedLostHours, Decimal::new(5, 3))]);
    let rules = Significance { bands, ..Significance::default() };
    let (before, now) = (figures(0, 1_400), figures(1, 1_390));
    // 1.0 h less: inside of 1 % of 168 h, and outside of 0.5 % for lost hours.
    assert_eq!(decided(&before, &now), None);
    assert_eq!(decide(Some(&before), &now, week(), &rules), Some(Reason::Worse));
    let wide = Significance {
        bands: BTreeMap::from([
            (Carries::AttainableClockHours, Decimal::new(5, 2)),
            (Carries::ExpectedLostHours, Decimal::new(5, 2)),
            (Carries::GoodUnits, Decimal::new(5, 2)),
        ]),
        ..rules
    };
    assert_eq!(decide(Some(&before), &figures(1, 1_380), week(), &wide), None);
    let mut plant = crate::fixture::plant();
    plant.rules.significance.bands =
        BTreeMap::from([(Carries::LowHours, Decimal::TWO), (Carries::Status, Decimal::ZERO)]);
    let found: Vec<String> = plant.validate().into_iter().map(|found| found.path).collect();
    assert_eq!(found, ["rules.significance.bands", "rules.significance.bands.low_hours"]);
}

#[test]
fn every_reason_is_reached() {
    let before = figures(0, 1_400);
    // One percent of 168 h is 1.68 h.
    assert_eq!(decided(&before, &figures(1, 1_400)), None);
    assert_eq!(decided(&before, &figures(1, 1_390)), None, "1.0 h less");
    assert_eq!(decided(&before, &figures(1, 1_380)), Some(Reason::Worse), "2.0 h less");
    assert_eq!(decided(&before, &figures(7, 1_420)), None, "2.0 h more, after 7 h");
    assert_eq!(decided(&before, &figures(8, 1_420)), Some(Reason::Better), "after 8 h");
    let silent = Released { position: 0, ..figures(8, 1_420) };
    assert_eq!(decided(&before, &silent), None, "only time has passed");
    let held = Released { status: Status::Held, ..figures(1, 1_400) };
    assert_eq!(decided(&before, &held), Some(Reason::Class));
    let mut more = figures(1, 1_400);
    more.figures.insert(Carries::Severity, Decimal::new(5, 1));
    assert_eq!(decided(&before, &more), Some(Reason::Class));
    let overtime = Released { scheduled: 170.into(), ..figures(1, 1_400) };
    assert_eq!(decided(&before, &overtime), Some(Reason::Decided));
    let rerouted = Released { behind: Some("M1 M2".into()), ..figures(1, 1_400) };
    assert_eq!(decided(&before, &rerouted), Some(Reason::Decided));
    let old = Released { behind: None, ..before.clone() };
    assert_eq!(decided(&old, &rerouted), None, "a release of before says nothing of it");
    let over = Released { ended: true, ..figures(1, 1_401) };
    assert_eq!(decided(&before, &over), Some(Reason::Ended));
    assert_eq!(decided(&figures(2, 1_400), &figures(1, 1_400)), Some(Reason::New), "taken back");
    assert_eq!(decide(None, &before, week(), &Significance::default()), Some(Reason::New));
}

#[test]
fn far_periods_have_wider_bands() {
    let rules = Significance::default();
    for (period, times) in [("2026-W40", 1), ("2026-W52", 1), ("2027-W03", 2), ("2027-W20", 4)] {
        assert_eq!(distance(at(0), period.parse().unwrap(), &rules), times, "{period}");
    }
}

#[test]
fn four_thousand_flaps_become_a_handful() {
    // Down for a minute and up again, over five days: 4,000 times. Each stop
    // costs a minute; while it lasts, the forecast of the repair adds half an hour.
    let (mut released, mut reasons) = (figures(0, 1_400), Vec::new());
    for flap in 0..8_000i64 {
        let lost_tenths = flap * 120 * 10 / 8_000 / 24;
        let spike = if flap % 2 == 0 { 5 } else { 0 };
        let mut now = figures(0, 1_400 - lost_tenths - spike);
        now.as_of = at(0) + SignedDuration::from_secs(flap * 54);
        if let Some(reason) = decided(&released, &now) {
            reasons.push(reason);
            released = now;
        }
    }
    assert!((1..=6).contains(&reasons.len()), "{reasons:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    /// Law 8, and law 18: after each decision nothing released is more hopeful
    /// than what is derived by more than its band, and deciding again changes
    /// nothing.
    #[test]
    fn law_8_no_move_to_the_unhopeful_side_is_hidden(
        walk in proptest::collection::vec((0i64..5, -40i64..41), 1..80),
    ) {
        let rules = Significance::default();
        let (mut hour, mut tenths) = (0, 1_000);
        let mut released = figures(0, tenths);
        let mut last = released.as_of;
        for (hours, by) in walk {
            (hour, tenths) = (hour + hours, (tenths + by).clamp(0, 1_680));
            let now = figures(hour, tenths);
            if let Some(reason) = decide(Some(&released), &now, week(), &rules) {
                let stood = now.as_of.duration_since(last) >= SignedDuration::from_hours(8);
                prop_assert!(reason == Reason::Worse || stood, "{:?}", reason);
                (released, last) = (now.clone(), now.as_of);
            }
            prop_assert_eq!(decide(Some(&released), &Released { as_of: now.as_of, ..released.clone() }, week(), &rules), None);
            for (what, derived) in &now.figures {
                let hopeful = if hopeful_up(*what) { Decimal::ONE } else { -Decimal::ONE };
                let above = (released.figures[what] - derived) * hopeful;
                prop_assert!(above <= band(*what, &released, now.as_of, week(), &rules));
            }
        }
    }
}
