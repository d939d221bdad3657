//! One cell, back to its records.

use planthread_contracts::Status;
use rust_decimal::Decimal;

use super::{
    TextTable, Tone, View,
    derived::tone,
    status::NOT_DRIVING,
    text_table::{instant, short},
};
use crate::pipeline::Traced;

impl View for Traced {
    const OUTPUT: &'static str = "trace";

    fn write(&self, text_table: &mut TextTable) {
        let cell = &self.ledger.cell;
        text_table.line(text_table.tint(Tone::Bold, &cell.key.to_string()));
        let status = text_table.tint(tone(cell.status), cell.status.word());
        text_table.line(format!(
            "  wanted    {} (before rounding {}), {status}, as of {}, valid until {}",
            cell.value,
            cell.unrounded.round_dp(6).normalize(),
            instant(cell.as_of),
            instant(cell.valid_until)
        ));
        let accepted = match cell.accepted_revision {
            0 => "never".to_owned(),
            n => format!("revision {n}"),
        };
        text_table.line(format!("  accepted  {accepted}"));
        text_table.line(match &cell.seen {
            Some(seen) => format!("  seen      {} at {}", value(seen.value), instant(seen.at)),
            None => "  seen      not read back yet".to_owned(),
        });
        if let Some(until) = self.settles {
            let waits = format!(
                "  awaited   until {}: sent, and not there yet; a read-back after that decides \
                 (policy.settle_minutes)",
                instant(until)
            );
            text_table.line(text_table.tint(Tone::Warn, &waits));
        }
        text_table.line(match cell.in_use_since {
            Some(since) => format!("  in use    since {}", instant(since)),
            None if !self.drives => format!("  in use    {NOT_DRIVING}"),
            None => "  in use    not seen to drive the plan".to_owned(),
        });
        if let Some((owner, reason, until)) = &self.ledger.lock {
            let since = self
                .ledger
                .locked_since
                .map_or(String::new(), |at| format!(" since {}", instant(at)));
            let until = instant(*until);
            text_table.line(format!("  locked    by {owner}{since} until {until}: {reason}"));
        }
        text_table.line("\nRevisions");
        let rows: Vec<[String; 6]> = self
            .ledger
            .revisions
            .iter()
            .map(|revision| {
                [
                    revision.revision.to_string(),
                    revision.value.to_string(),
                    revision.state.word().replace('_', " "),
                    revision.status.word().to_owned(),
                    instant(revision.made_at),
                    short(&revision.recipe, 13),
                ]
            })
            .collect();
        text_table.table(["no.", "value", "state", "status", "made at", "recipe"], &rows);
        if let Some(moved) = &self.moved {
            let (from, to, why) = (moved.from, moved.to, moved.words());
            text_table.line(format!("  moved last, from {from:.2} h to {to:.2} h: {why}"));
        }
        self.attempts(text_table);
        self.behind(text_table);
    }
}

fn value(value: Option<Decimal>) -> String {
    value.map_or("nothing".to_owned(), |value| value.to_string())
}

impl Traced {
    fn attempts(&self, text_table: &mut TextTable) {
        if self.ledger.attempts.is_empty() {
            return;
        }
        text_table.line("\nPushes that carried it");
        for attempt in &self.ledger.attempts {
            let outcome = attempt.outcome.as_deref().unwrap_or("under way").replace('_', " ");
            let before = attempt.before.map_or("not read".to_owned(), value);
            text_table.line(format!(
                "  {}  revision {}, before it {before}: {outcome}",
                instant(attempt.opened_at),
                attempt.revision
            ));
            if let Some(receipt) = &attempt.receipt {
                text_table.line(format!(
                    "    receipt {}: {} at {}",
                    receipt.handle,
                    receipt.verdict,
                    instant(receipt.at)
                ));
            }
            if let Some(rejection) = &attempt.rejection {
                text_table.line(format!("    refused: {}", rejection.reason));
                text_table.line(format!("    cure: {}", rejection.cure));
            }
        }
    }

    fn behind(&self, text_table: &mut TextTable) {
        if !self.releases.is_empty() {
            text_table.line("\nReleased");
        }
        for one in &self.releases {
            let (resource, period, why) = (&one.resource, one.period, one.reason.line());
            text_table.line(format!("  {resource} {period}, as of {}: {why}", instant(one.as_of)));
            if let Some(change) = &one.change {
                let (from, to) = (change.from, change.to);
                let hours = |value: Decimal| format!("{:.2}", value.round_dp(2));
                let (from, to) = (hours(from), hours(to));
                text_table.line(format!("    attainable hours {from} to {to}: {}", change.words()));
            }
        }
        text_table.line(format!("\nArithmetic, as of {}", instant(self.made_of)));
        if !self.recipe_holds {
            let moved =
                "Rules, mapping or time zones have changed since; this is what they say now:";
            text_table.line(format!("  {}", text_table.tint(tone(Status::Held), moved)));
        } else if !self.reproduced {
            let other = "It ends at another number than the wanted one: a person's decision holds it, \
                         or records behind it are gone.";
            text_table.line(format!("  {}", text_table.tint(tone(Status::Held), other)));
        }
        for text in &self.arithmetic {
            for line in text.lines() {
                text_table.line(format!("  {line}"));
            }
        }
        if let Some(from) = &self.provenance {
            text_table.line(format!(
                "  From: rules {}, mapping {}, time zones {}, facts {}",
                from.rules_version,
                from.mapping_version,
                from.tzdb_version,
                short(&from.input_window, 13)
            ));
        }
        if let Some(today) = &self.today {
            let at = instant(today.as_of);
            text_table.line(format!("\nToday, as of {at}, {} would land.", today.value));
        }
        text_table
            .line(format!("\nRecords of it in the journal: {}; the last ones:", self.records));
        for record in &self.last_records {
            let text = short(&record.text, 70);
            text_table.line(format!(
                "  {:>6}  {} line {}: {text}",
                record.position, record.place, record.line
            ));
        }
    }
}
