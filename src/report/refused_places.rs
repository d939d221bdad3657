//! Refused cells as people read them: one block for each cause and place, the worst first.

use std::collections::{BTreeMap, BTreeSet};

use planthread_contracts::{CellKey, Period};

use super::{
    TextTable,
    rejected_cells::{RejectedCell, some},
    text_table::count,
};

/// Refused cells of one place for which one cause is told.
struct Place<'a> {
    /// The cell that was refused first.
    first: &'a RejectedCell,
    cells: u64,
    measures: BTreeSet<&'a str>,
    periods: BTreeSet<Period>,
}

/// What a target says, without the names and numbers of the very row.
fn cause(reason: &str, key: &CellKey) -> String {
    let mut text = reason.replace(&key.to_string(), "#");
    text = text.replace(&key.period.to_string(), "#");
    let mut said = String::new();
    for sign in text.chars() {
        match sign {
            '0'..='9' if said.ends_with('#') => {}
            '0'..='9' => said.push('#'),
            sign => said.push(sign),
        }
    }
    said
}

/// The places, those with most cells first, then by name.
fn places(cells: &[RejectedCell]) -> Vec<Place<'_>> {
    let mut all = BTreeMap::new();
    for cell in cells {
        let key = &cell.key;
        let place = (&key.target, &key.scope, &key.resource, &key.location, &key.product);
        let why = (cause(&cell.reason, key), &cell.code, &cell.cure, &cell.owner, &cell.missing);
        let end = (&cell.state, &cell.ended_why);
        let one = all.entry((place, why, end)).or_insert_with(|| Place {
            first: cell,
            cells: 0,
            measures: BTreeSet::new(),
            periods: BTreeSet::new(),
        });
        one.cells += 1;
        one.measures.insert(key.measure.as_str());
        one.periods.insert(key.period);
        if (cell.at, key) < (one.first.at, &one.first.key) {
            one.first = cell;
        }
    }
    let mut all: Vec<Place<'_>> = all.into_values().collect();
    // Equal ones stay in the order of their names.
    all.sort_by_key(|place| std::cmp::Reverse(place.cells));
    all
}

/// Periods as the spans that adjoin: `2026-W48 to 2026-W50, 2026-W52`.
fn spans(periods: &BTreeSet<Period>) -> String {
    let mut spans: Vec<(Period, Period)> = Vec::new();
    for period in periods {
        match spans.last_mut() {
            Some((_, to)) if to.next() == *period => *to = *period,
            _ => spans.push((*period, *period)),
        }
    }
    let span = |(from, to): &(Period, Period)| match from == to {
        true => from.to_string(),
        false => format!("{from} to {to}"),
    };
    spans.iter().map(span).collect::<Vec<_>>().join(", ")
}

impl Place<'_> {
    /// Which cells it is about.
    fn name(&self) -> String {
        let RejectedCell { key, cell, value, .. } = self.first;
        if self.cells == 1 {
            return format!("{cell} = {value}");
        }
        let scope = if key.scope.is_empty() { "base" } else { &key.scope };
        let product = key.product.as_ref().map_or(String::new(), |product| format!("/{product}"));
        let measures: Vec<&str> = self.measures.iter().copied().collect();
        format!(
            "{}/{scope}/{}@{}{product}, {}: {} of {}",
            key.target,
            key.resource,
            key.location,
            spans(&self.periods),
            count(self.cells, "cell"),
            measures.join(", ")
        )
    }

    fn write(&self, text_table: &mut TextTable) {
        let RejectedCell { reason, code, cure, owner, at, missing, .. } = self.first;
        let code = code.as_ref().map_or_else(String::new, |code| format!(" ({code})"));
        text_table.line(format!("  {}: {reason}{code}", self.name()));
        text_table.line(format!("      cure: {cure}"));
        text_table.line(format!("      for:  {owner}, since {at}"));
        if !missing.is_empty() {
            text_table.line(format!("      not listed there: {}", missing.join(", ")));
        }
    }
}

/// Writes those that wait for somebody.
pub(super) fn open(text_table: &mut TextTable, cells: &[RejectedCell]) {
    some(text_table, &places(cells), |text_table, place| place.write(text_table));
}

/// Writes those that wait for nobody any more.
pub(super) fn over(text_table: &mut TextTable, cells: &[RejectedCell]) {
    some(text_table, &places(cells), |text_table, place| {
        let RejectedCell { state, ended_why, .. } = place.first;
        let why = ended_why.as_ref().map_or_else(String::new, |why| format!(" ({why})"));
        text_table.line(format!("  {}: {state}{why}", place.name()));
    });
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    fn cell(resource: &str, period: &str, measure: &str) -> RejectedCell {
        let key = CellKey {
            target: "ibp".into(),
            scope: "".into(),
            resource: resource.into(),
            location: "1010".into(),
            product: None,
            period: period.parse().unwrap(),
            measure: measure.into(),
        };
        RejectedCell {
            cell: key.to_string(),
            value: "7".to_owned(),
            reason: format!("row 17: {resource} of {period} is unknown"),
            code: None,
            cure: "create it".to_owned(),
            owner: "anna".to_owned(),
            at: Timestamp::UNIX_EPOCH,
            state: "open".to_owned(),
            ended_at: None,
            ended_why: None,
            missing: Vec::new(),
            key,
        }
    }

    fn said(cells: &[RejectedCell]) -> String {
        let mut text_table = TextTable::new(false);
        open(&mut text_table, cells);
        text_table.into_text()
    }

    #[test]
    fn each_cell_is_counted_at_one_place_and_no_order_changes_what_is_said() {
        let weeks = ["2026-W48", "2026-W49", "2026-W50", "2026-W52", "2026-W53"];
        // Any cells of these, by the bits of a number.
        for bits in [1_u32, 0b111, 0b1011_0110, 0xff0f, 0x00ff_00ff, 0x3fff_ffff] {
            let mut cells = Vec::new();
            for at in (0..30).filter(|at| bits >> at & 1 == 1) {
                let (line, measure) = (at / 10, (at / 5) % 2);
                let measure = ["live", "status"][measure];
                cells.push(cell(["LINE-7", "LINE-8", "LINE-9"][line], weeks[at % 5], measure));
            }
            let found = places(&cells);
            let counts: Vec<u64> = found.iter().map(|place| place.cells).collect();
            assert_eq!(counts.iter().sum::<u64>(), cells.len() as u64);
            assert!(counts.is_sorted_by(|a, b| a >= b), "the worst first: {counts:?}");
            let lines: BTreeSet<_> = cells.iter().map(|cell| &cell.key.resource).collect();
            assert_eq!(found.len(), lines.len(), "one for each place");
            for place in &found {
                let here = |cell: &&RejectedCell| cell.key.resource == place.first.key.resource;
                let here: Vec<_> = cells.iter().filter(here).collect();
                assert_eq!(place.cells, here.len() as u64);
                assert!(here.iter().all(|cell| place.periods.contains(&cell.key.period)));
                assert!(here.iter().all(|cell| place.measures.contains(cell.key.measure.as_str())));
            }
            let before = said(&cells);
            cells.reverse();
            assert_eq!(said(&cells), before);
        }
    }

    #[test]
    fn a_place_is_told_with_the_span_of_its_periods_and_another_cause_apart() {
        let mut cells: Vec<RejectedCell> = ["2026-W48", "2026-W49", "2026-W51"]
            .iter()
            .flat_map(|week| ["live", "status"].map(|measure| cell("LINE-7", week, measure)))
            .collect();
        let text = said(&cells);
        let place = "ibp/base/LINE-7@1010, 2026-W48 to 2026-W49, 2026-W51: 6 cells of live, status";
        assert!(text.contains(place), "{text}");
        assert_eq!(text.matches("cure:").count(), 1, "{text}");
        cells[3].missing = vec!["place LINE-7@1010".to_owned()];
        cells[3].reason = "the period is closed".to_owned();
        let text = said(&cells);
        assert_eq!(text.matches("cure:").count(), 2, "{text}");
        assert!(text.contains("2026-W49/status = 7: the period is closed"), "{text}");
    }
}
