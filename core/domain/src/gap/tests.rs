//! What a comparison may never say, for any figures.

use proptest::prelude::*;

use super::*;

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn line(number: u8) -> Line {
    Line { plant: format!("10{}0", number % 2).into(), line: format!("LINE-{number}").into() }
}

fn week(number: u8) -> Period {
    format!("2026-W{:02}", 40 + number).parse().unwrap()
}

fn of(number: u8, at: u8, figures: [Option<&str>; 4]) -> LineWeek {
    let [load, assumed, live, firm] = figures.map(|figure| figure.map(dec));
    let known = Known { load, assumed, live, firm, output: None };
    LineWeek { line: line(number), week: week(at), known }
}

/// Hours to the hundredth, now and then unknown, now and then below zero.
fn figure() -> impl Strategy<Value = Option<Decimal>> {
    prop_oneof![
        1 => Just(None),
        4 => (0_i64..40_000).prop_map(|hundredths| Some(Decimal::new(hundredths, 2))),
        1 => Just(Some(Decimal::ZERO)),
        1 => (-500_i64..0).prop_map(|hundredths| Some(Decimal::new(hundredths, 2))),
    ]
}

fn known() -> impl Strategy<Value = Known> {
    (figure(), figure(), figure(), figure(), figure())
        .prop_map(|(load, assumed, live, firm, output)| Known { load, assumed, live, firm, output })
}

/// Up to six lines over up to six weeks, each once.
fn line_weeks() -> impl Strategy<Value = Vec<LineWeek>> {
    let all = prop::collection::btree_map((0_u8..6, 0_u8..6), known(), 0..36);
    all.prop_map(|all| {
        let one = |((number, at), known)| LineWeek { line: line(number), week: week(at), known };
        all.into_iter().map(one).collect()
    })
}

#[test]
fn a_short_week_says_by_how_much_and_in_which_parts() {
    let mut one = of(4, 1, [Some("96"), Some("80"), Some("72"), Some("88.50")]);
    one.known.output = Some(dec("1440"));
    let compared = compare(vec![one]);
    let row = &compared.rows[0];
    let live = row.live.unwrap();
    assert_eq!((live.short, live.unused), (dec("24"), dec("0")));
    assert_eq!(live.percent, Some(dec("133.3")), "96 of 72");
    assert_eq!(row.why, Some(Parts { above_plan: dec("16"), below_plan: dec("8") }));
    assert_eq!(row.short_units, Some(dec("480")), "24 h at 20 an hour");
    assert_eq!(row.firm.unwrap().short, dec("7.50"));
    assert_eq!(row.assumed.unwrap().short, dec("8"));
    assert!(compared.live.is_complete() && compared.live.short_line_weeks == 1);
}

#[test]
fn a_line_without_hours_has_no_percent_and_no_rate() {
    let mut one = of(1, 1, [Some("5"), None, Some("0"), None]);
    one.known.output = Some(dec("0"));
    let compared = compare(vec![one]);
    let row = &compared.rows[0];
    assert_eq!(row.live.unwrap().short, dec("5"));
    assert_eq!((row.live.unwrap().percent, row.short_units, row.why), (None, None, None));
}

#[test]
fn the_worst_stands_first_and_what_nobody_knows_before_what_fits() {
    let compared = compare(vec![
        of(1, 1, [Some("50"), Some("120"), Some("100"), None]),
        of(2, 1, [Some("99"), Some("120"), Some("100"), None]),
        of(3, 1, [None, Some("120"), Some("100"), None]),
        of(4, 1, [None, Some("120"), Some("60"), None]),
        of(5, 1, [Some("101"), Some("120"), Some("100"), None]),
        of(6, 1, [Some("130"), Some("120"), Some("100"), None]),
    ]);
    let order: Vec<&str> = compared.rows.iter().map(|row| row.line.line.as_str()).collect();
    assert_eq!(order, ["LINE-6", "LINE-5", "LINE-4", "LINE-3", "LINE-2", "LINE-1"]);
    let left: Vec<&str> = compared.live.left_out.iter().map(|l| l.line.line.as_str()).collect();
    assert_eq!((left, compared.live.lines), (vec!["LINE-4", "LINE-3"], 4));
    assert!(compared.assumed.is_complete() && !compared.firm.is_complete());
}

#[test]
fn a_week_is_known_where_all_of_its_days_are() {
    let day = |day: i8, load: Option<&str>| LineWeek {
        line: line(1),
        week: Period::containing(PeriodKind::Day, jiff::civil::date(2026, 11, day)),
        known: Known { load: load.map(dec), live: Some(dec("16")), ..Known::default() },
    };
    let days = |silent: i8| (23..=29).map(move |one| day(one, (one != silent).then_some("8")));
    let found = weekly(days(0).collect());
    assert_eq!(found.len(), 1);
    assert_eq!(
        (found[0].week.to_string().as_str(), found[0].known.load),
        ("2026-W48", Some(dec("56")))
    );
    let found = weekly(days(25).collect());
    assert_eq!((found[0].known.load, found[0].known.live), (None, Some(dec("112"))));
    let found = weekly(days(0).skip(1).collect());
    assert_eq!((found[0].known.load, found[0].known.live), (None, None), "six days are no week");
    let cut = |part: &str| LineWeek { week: part.parse().unwrap(), ..day(23, Some("20")) };
    let all = ["2026-W48a", "2026-W49a", "2026-W49b", "2026-W53b"].map(cut);
    let found = weekly(all.into());
    let told: Vec<_> = found.iter().map(|one| (one.week.to_string(), one.known.load)).collect();
    let told: Vec<_> = told.iter().map(|(week, load)| (week.as_str(), *load)).collect();
    let (twenty, forty) = (Some(dec("20")), Some(dec("40")));
    assert_eq!(told, [("2026-W48", twenty), ("2026-W49", forty), ("2026-W53", None)]);
}

#[test]
fn hours_are_rounded_once_and_only_time_is_hours() {
    assert_eq!(hours(dec("100"), Unit::Minute), Some(dec("1.67")));
    assert_eq!(hours(dec("2"), Unit::Day), Some(dec("48")));
    assert_eq!(hours(dec("2"), Unit::Piece), None);
}

proptest! {
    #[test]
    fn a_total_is_the_sum_of_what_has_both_figures_and_names_the_rest(all in line_weeks()) {
        let compared = compare(all.clone());
        prop_assert_eq!(compared.rows.len(), all.len());
        let bad = |figure: Option<Decimal>| figure.is_none_or(|hours| hours < Decimal::ZERO);
        let both = |one: &&LineWeek| !bad(one.known.load) && !bad(one.known.live);
        let total = &compared.live;
        let sum = |of: fn(&Known) -> Option<Decimal>| {
            all.iter().filter(both).filter_map(|one| of(&one.known)).sum::<Decimal>()
        };
        prop_assert_eq!(total.asked, sum(|known| known.load));
        prop_assert_eq!(total.has, sum(|known| known.live));
        prop_assert_eq!(total.asked - total.has, total.short - total.unused);
        prop_assert_eq!(total.line_weeks, all.iter().filter(both).count());
        let silent: usize = total.left_out.iter().map(|one| one.line_weeks).sum();
        prop_assert_eq!(total.line_weeks + silent, all.len());
        prop_assert!(total.left_out.iter().all(|one| !one.lacks.is_empty()));
        prop_assert_eq!(total.is_complete(), !all.is_empty() && silent == 0);
    }

    #[test]
    fn one_silent_figure_never_leaves_a_total_complete(
        all in line_weeks(), at in any::<prop::sample::Index>(), load in any::<bool>(),
    ) {
        prop_assume!(!all.is_empty());
        let mut all = all;
        let at = at.index(all.len());
        let known = &mut all[at].known;
        *(if load { &mut known.load } else { &mut known.live }) = None;
        let silent = all[at].line.clone();
        let total = compare(all).live;
        prop_assert!(!total.is_complete());
        prop_assert!(total.left_out.iter().any(|one| one.line == silent));
    }

    #[test]
    fn nothing_is_short_and_unused_at_once_and_parts_sum_to_what_is_short(all in line_weeks()) {
        let compared = compare(all);
        for row in &compared.rows {
            for one in [row.live, row.firm, row.assumed].into_iter().flatten() {
                prop_assert!(one.short.is_zero() || one.unused.is_zero());
                prop_assert_eq!(one.asked - one.has, one.short - one.unused);
                prop_assert_eq!(one.percent.is_none(), one.has.is_zero());
            }
            if let Some(parts) = row.why {
                prop_assert!(parts.above_plan >= Decimal::ZERO && parts.below_plan >= Decimal::ZERO);
                prop_assert_eq!(parts.above_plan + parts.below_plan, row.live.unwrap().short);
            }
        }
        let short: Vec<Decimal> = compared.rows.iter().filter(|row| row.is_short())
            .map(|row| row.live.unwrap().short).collect();
        prop_assert!(short.is_sorted_by(|a, b| a >= b));
        let first = compared.rows.iter().take(short.len());
        prop_assert!(first.into_iter().all(Row::is_short), "what is short stands first");
    }

    #[test]
    fn the_order_of_the_figures_changes_nothing(all in line_weeks(), seed in any::<u64>()) {
        let mut other = all.clone();
        let turn = (seed as usize).checked_rem(other.len()).unwrap_or_default();
        other.rotate_left(turn);
        other.reverse();
        prop_assert_eq!(compare(all), compare(other));
    }
}
