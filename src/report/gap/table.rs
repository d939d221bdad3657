//! The comparison on a terminal: the headline, what is short, and what the totals say.

use super::{
    GapRow, TargetGap, Verdict,
    fields::{self, COLUMNS, NARROW},
    words,
};
use crate::report::{
    TextTable, Tone,
    text_table::{count, fitting, indented},
};

/// Lines and weeks that people see without being asked for more.
const SHOWN: usize = 20;
/// Columns of a terminal for what was decided.
const DECIDED: usize = 40;

impl TargetGap {
    pub(super) fn write(&self, text_table: &mut TextTable, all: bool, named: bool) {
        let live = &self.totals.live;
        let fits = self.is_sure(live) && self.rows.iter().all(|row| row.proven);
        let tone = match live.short_line_weeks {
            0 if fits => Tone::Good,
            0 => Tone::Warn,
            _ => Tone::Bad,
        };
        let name = if named { format!("{}: ", self.target) } else { String::new() };
        text_table.line(text_table.tint(tone, &format!("{name}{}", self.headline)));
        if let Some(failure) = &self.stopped {
            let text = indented(&failure.to_string(), 2);
            text_table.line(format!("  {} {text}", text_table.tint(Tone::Bad, "not read:")));
        }
        let wanted = |row: &&GapRow| all || row.verdict == Verdict::Short;
        let rows: Vec<&GapRow> = self.rows.iter().filter(wanted).collect();
        let most = if all { rows.len() } else { SHOWN };
        let shown: Vec<[String; 12]> = rows.iter().take(most).map(|row| cells(row)).collect();
        if !shown.is_empty() {
            let mut head = [""; 12];
            head[1..].copy_from_slice(&NARROW.map(|column| COLUMNS[column]));
            text_table.line("").table(head, &shown);
            text_table.line(
                text_table
                    .tint(Tone::Dim, "  ! short   ? unknown   + fits, proven   = fits, not proven"),
            );
        }
        if rows.len() > most {
            let more = count((rows.len() - most) as u64, "line-week");
            text_table.line(format!("  and {more} more, with --all"));
        }
        self.write_totals(text_table);
    }

    fn write_totals(&self, text_table: &mut TextTable) {
        text_table.line("");
        for summed in words::totals(self) {
            self.total(text_table, &summed);
        }
        if !self.not_measured.is_empty() {
            let lines: Vec<String> = self.not_measured.iter().map(words::line).collect();
            let text = format!("  not measured, or old, in some week: {}", lines.join(", "));
            text_table.line(text_table.tint(Tone::Warn, &text));
        }
        if !self.firm_not_proven.is_empty() {
            let lines: Vec<String> = self.firm_not_proven.iter().map(words::line).collect();
            let text =
                format!("  firm, but not proven, or old, in some week: {}", lines.join(", "));
            text_table.line(text_table.tint(Tone::Warn, &text));
        }
        for (what, source) in words::sources(&self.sources) {
            text_table.line(
                text_table
                    .tint(Tone::Dim, &format!("  {}", words::source(what, source, &self.zone))),
            );
        }
    }

    fn total(&self, text_table: &mut TextTable, summed: &words::Summed<'_>) {
        let words::Summed { name, asked, has, total, .. } = summed;
        if total.line_weeks == 0 {
            text_table.line(format!("  {name}: nothing has both figures"));
            return;
        }
        let percent = words::percent(total);
        text_table.line(format!(
            "  {name}, {} of {} lines: {asked} {} h, {has} {} h ({percent}); short {} h in {}, unused {} h",
            total.lines,
            self.lines,
            words::hours(total.asked),
            words::hours(total.has),
            words::hours(total.short),
            count(total.short_line_weeks as u64, "line-week"),
            words::hours(total.unused),
        ));
        let left = words::left_out(&total.left_out, &self.not_connected);
        if !left.is_empty() {
            let left = format!("    not in it: {}", left.join(", "));
            text_table.line(text_table.tint(Tone::Warn, &left));
        }
    }
}

/// A row as people read it, behind its sign.
fn cells(row: &GapRow) -> [String; 12] {
    let fields = row.fields();
    let mut cells = <[String; 12]>::default();
    row.sign().clone_into(&mut cells[0]);
    for (cell, column) in cells[1..].iter_mut().zip(NARROW) {
        *cell = fields[column].text();
        if column == fields::DECIDED {
            *cell = fitting(cell, DECIDED);
        }
    }
    cells
}
