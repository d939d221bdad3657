//! The words of a comparison: the same on every screen and in every file.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{Timestamp, civil::Date, tz::TimeZone};
use planthread_contracts::{Period, PeriodKind, Status};
use planthread_domain::gap::{Lack, LeftOut, Line, Row, Total};
use rust_decimal::Decimal;

use super::{TargetGap, Totals};
use crate::{
    pipeline::{
        WORTH,
        gap::{DecidedChange, DecidedKind, FigureSource, Proof, Sources, Standing},
    },
    report::text_table::count,
};

/// Hours with two decimals.
pub(super) fn hours(value: Decimal) -> String {
    format!("{value:.2}")
}

/// The same; `-` where nobody knows them.
pub(super) fn maybe(value: Option<Decimal>) -> String {
    value.map_or_else(|| "-".to_owned(), hours)
}

/// `2026-W48 (23 Nov)`: days are those of the plant.
pub(in crate::report) fn week(week: Period) -> String {
    match week.kind() {
        PeriodKind::Month => week.to_string(),
        _ => format!("{week} ({})", week.start().strftime("%-d %b")),
    }
}

/// `LINE-4 at 1020`.
pub(in crate::report) fn line(line: &Line) -> String {
    format!("{} at {}", line.line, line.plant)
}

/// What matters, in one sentence.
pub(super) fn headline(target: &TargetGap) -> String {
    let live = &target.totals.live;
    let quiet: BTreeSet<&Line> = target.not_connected.iter().collect();
    let unconnected = match quiet.len() {
        0 => String::new(),
        some => format!(" {some} of {} lines not connected.", target.lines),
    };
    let silent = live.left_out.iter().filter(|left| !quiet.contains(&left.line)).count();
    let silent = match silent {
        0 => String::new(),
        some => format!(" {some} of {} lines lack a figure.", target.lines),
    };
    let short = if live.line_weeks == 0 {
        "Nothing can be compared.".to_owned()
    } else {
        let weeks = count(live.short_line_weeks as u64, "line-week");
        format!("{weeks} short, {} h.", live.short.normalize())
    };
    let doubtful = match target.not_measured.len() {
        0 => String::new(),
        some => format!(" {some} of {} lines not measured, or old.", target.lines),
    };
    // Its message names the target and the state of its agreement.
    let not_sent = target.not_sent.as_ref().map_or_else(String::new, |why| {
        let (first, rest) =
            why.message.split_at(why.message.chars().next().map_or(0, char::len_utf8));
        format!(" {}{rest}.", first.to_uppercase())
    });
    format!("{short}{unconnected}{silent}{doubtful}{not_sent}")
}

/// Why a line stands as it does in a week; where it can do nothing, what was `decided`
/// for these days says why.
pub(super) fn reason(
    row: &Row,
    connected: bool,
    decided: &[DecidedChange],
    frozen_before: Option<Date>,
) -> String {
    let mut stands = standing(row, connected);
    // What is firm stays there whatever the line can do.
    let frozen = frozen_before.is_some_and(|before| row.week.start() < before);
    let less = row.known.firm.zip(row.known.live).map(|(firm, live)| firm - live);
    if let Some(less) = less.filter(|less| frozen && *less >= WORTH) {
        stands.push_str(&format!("; frozen plan infeasible: {} h more are firm", hours(less)));
    }
    if row.known.live != Some(Decimal::ZERO) {
        return stands;
    }
    let less = decided.iter().filter(|one| one.counts() && one.kind != DecidedKind::Extra);
    let why: Vec<String> = less.map(|one| format!("{} ({})", one.reason, one.owner)).collect();
    if why.is_empty() {
        return format!("can do nothing, and no decision says why; {stands}");
    }
    format!("can do nothing; decided for these days: {}; {stands}", why.join(", "))
}

fn standing(row: &Row, connected: bool) -> String {
    let counted_on = row.assumed.filter(|one| one.short > Decimal::ZERO);
    let counted_on = counted_on
        .map(|one| format!("the plan has {} h more than the line can do", hours(one.short)));
    let Some(live) = &row.live else {
        let lack = match (connected, row.known.load, row.known.live) {
            (false, ..) => "not connected: nothing tells what it can do",
            (_, _, None) => "unknown what it can do",
            (_, None, _) => "load not known",
            _ => "a figure is below zero",
        };
        return [Some(lack.to_owned()), counted_on]
            .into_iter()
            .flatten()
            .collect::<Vec<_>>()
            .join("; ");
    };
    if live.short.is_zero() {
        let fits = format!("fits, {} h unused", hours(live.unused));
        return [Some(fits), counted_on].into_iter().flatten().collect::<Vec<_>>().join("; ");
    }
    let Some(why) = row.why else {
        return "load above what it can do; what the plan has is not known".to_owned();
    };
    let part = |hours_of: Decimal, words: &str| {
        (hours_of > Decimal::ZERO).then(|| format!("{} h {words}", hours(hours_of)))
    };
    let parts = [
        part(why.below_plan, "less than the plan has"),
        part(why.above_plan, "asked above what the plan has"),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// How far a figure can be trusted, in the planner's words.
pub(in crate::report) const fn status(status: Status) -> &'static str {
    match status {
        Status::Live => "measured",
        Status::Planner => "set by a planner",
        Status::Held => "last known",
        Status::Assumed => "fallback",
        Status::Conflicting => "sources differ",
        Status::Unknown => "unknown",
    }
}

/// How the figure of what the line can do stands, with its age.
pub(super) fn data(at: Timestamp, data: Option<&Standing>, connected: bool, zone: &str) -> String {
    let Some(data) = data else {
        return if connected { "unknown" } else { "not connected" }.to_owned();
    };
    if let Some(taken) = &data.taken {
        let until = local(taken.until, zone);
        return format!("set by a planner until {until} ({})", taken.owner);
    }
    let old = if data.valid_until <= at { "old, " } else { "" };
    let proof = match data.proof {
        Proof::Proven => ", read back",
        Proof::NotRead => ", not read back",
        Proof::Differs => ", the plan holds another value",
        Proof::Nothing => "",
    };
    format!("{old}{}, {}{proof}", status(data.status), age(at, data.as_of))
}

/// How the figure stands that is firm for this cycle; `-` where there is none.
pub(super) fn firm(
    at: Timestamp,
    firm: Option<Decimal>,
    stands: Option<&Standing>,
    zone: &str,
) -> String {
    if firm.is_none() { "-".to_owned() } else { data(at, stands, true, zone) }
}

/// How long ago, in words.
pub(super) fn age(at: Timestamp, of: Timestamp) -> String {
    let minutes = at.duration_since(of).as_secs().max(0) / 60;
    match minutes {
        0..=119 => format!("{minutes} min"),
        120..=2_879 => format!("{} h", minutes / 60),
        _ => format!("{} days", minutes / 1_440),
    }
}

/// Whom to ask about a line and week: who answers for the figure that decides it.
/// `named` are the people whom the configuration names for a line and measure.
pub(super) fn owner(
    row: &Row,
    sources: &Sources,
    named: &BTreeMap<(Line, String), String>,
) -> String {
    let of = |source: &Option<FigureSource>| {
        let Some(source) = source else { return "-".to_owned() };
        let named = named.get(&(row.line.clone(), source.measure.clone()));
        named.unwrap_or(&source.owner).clone()
    };
    let below = row.why.is_some_and(|why| why.below_plan >= why.above_plan);
    match row.live {
        None if row.known.live.is_none() => of(&sources.live),
        None => of(&sources.load),
        Some(live) if live.short.is_zero() || below => of(&sources.assumed),
        Some(_) => of(&sources.load),
    }
}

/// Lines that a total leaves out, with what they lack.
pub(super) fn left_out(left: &[LeftOut], unconnected: &[Line]) -> Vec<String> {
    let lack = |lack: &Lack| match lack {
        Lack::Load => "load",
        Lack::Assumed => "what the plan has",
        Lack::Live => "what it can do",
        Lack::Firm => "what is firm",
    };
    let told = |one: &LeftOut| {
        let weeks = count(one.line_weeks as u64, "week");
        if unconnected.contains(&one.line) {
            return format!("{} ({weeks}, not connected)", line(&one.line));
        }
        let lacks: Vec<&str> = one.lacks.iter().map(lack).collect();
        format!("{} ({weeks}, lacks {})", line(&one.line), lacks.join(" and "))
    };
    left.iter().map(told).collect()
}

/// The figures by their words, with where they are from.
pub(super) fn sources(sources: &Sources) -> [(&'static str, Option<&FigureSource>); 4] {
    [
        ("Load", sources.load.as_ref()),
        ("Plan has", sources.assumed.as_ref()),
        ("Line can do", sources.live.as_ref()),
        ("Firm", sources.firm.as_ref()),
    ]
}

/// Where a figure is from, in words.
pub(super) fn source(what: &str, source: Option<&FigureSource>, zone: &str) -> String {
    let Some(source) = source else {
        return format!("{what}: no measure holds it (planthread explain gap)");
    };
    let read = read(source, zone);
    format!("{what}: {} of {}, {read}", source.surface, source.owner)
}

/// When a figure was read, or why it was not.
pub(super) fn read(source: &FigureSource, zone: &str) -> String {
    if let Some(why) = &source.not_compared {
        return why.clone();
    }
    source.read_at.map_or("not read".to_owned(), |at| format!("read {}", local(at, zone)))
}

/// An instant by the plant's clock: `2026-11-27 16:23 (Europe/Berlin)`.
pub(in crate::report) fn local(at: Timestamp, zone: &str) -> String {
    let there = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    let there = at.to_zoned(there);
    let zone = there.time_zone().iana_name().unwrap_or("UTC").to_owned();
    format!("{} ({zone})", there.strftime("%Y-%m-%d %H:%M"))
}

/// The same where the zone is told elsewhere: `2026-11-27 16:23`.
pub(in crate::report) fn minute(at: Timestamp, zone: &str) -> String {
    let there = TimeZone::get(zone).unwrap_or(TimeZone::UTC);
    at.to_zoned(there).strftime("%Y-%m-%d %H:%M").to_string()
}

/// What stands in the columns of the totals, on the page and in the workbook.
pub(super) const TOTALS: [&str; 9] = [
    "Compared",
    "Lines",
    "Asked h",
    "There h",
    "%",
    "Short h",
    "Short line-weeks",
    "Unused h",
    "Not in it",
];

/// A total in words.
pub(super) struct Summed<'a> {
    /// Its name.
    pub(super) name: &'static str,
    /// What is asked for.
    pub(super) asked: &'static str,
    /// What is there.
    pub(super) has: &'static str,
    /// The sums.
    pub(super) total: &'a Total,
    /// Whether it leaves nothing out, and counts nothing that may be wrong: else it is
    /// hatched.
    pub(super) sure: bool,
}

/// The totals by their words.
pub(super) fn totals(target: &TargetGap) -> [Summed<'_>; 3] {
    let of = |name, asked, has, total, sure| Summed { name, asked, has, total, sure };
    let Totals { live, firm, assumed } = &target.totals;
    [
        of("Now", "load", "the lines can do", live, target.is_sure(live)),
        of("Firm for this cycle", "load", "is firm", firm, target.is_firm_sure()),
        of("In the plan", "the plan has", "the lines can do", assumed, target.is_sure(assumed)),
    ]
}

/// A total's percentage.
pub(super) fn percent(total: &Total) -> String {
    total.percent.map_or_else(|| "-".to_owned(), |one| format!("{one:.1} %"))
}

/// So many lines and weeks.
pub(super) fn line_weeks(number: usize) -> String {
    count(number as u64, "line-week")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_of_words_has_those_that_screens_show() {
        let page = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/words.md");
        let page = std::fs::read_to_string(page).unwrap();
        for one in Status::ALL {
            let row = format!("| {} |", status(one));
            let line = page.lines().find(|line| line.starts_with(&row)).unwrap();
            assert!(line.contains(&format!("status {}", one.code())), "{line}");
        }
        assert!(
            page.contains(crate::report::status::NOT_DRIVING.trim_start_matches("what lands "))
        );
    }
}
