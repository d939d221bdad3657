//! One cell, back to its records.

use planthread_contracts::Status;
use rust_decimal::Decimal;

use super::{
    Paper, Tone, View,
    derived::tone,
    paper::{instant, short},
};
use crate::pipeline::Traced;

impl View for Traced {
    fn write(&self, paper: &mut Paper) {
        let cell = &self.ledger.cell;
        paper.line(paper.tint(Tone::Bold, &cell.key.to_string()));
        let status = paper.tint(tone(cell.status), cell.status.word());
        paper.line(format!(
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
        paper.line(format!("  accepted  {accepted}"));
        paper.line(match &cell.seen {
            Some(seen) => format!("  seen      {} at {}", value(seen.value), instant(seen.at)),
            None => "  seen      not read back yet".to_owned(),
        });
        paper.line(match cell.in_use_since {
            Some(since) => format!("  in use    since {}", instant(since)),
            None => "  in use    not seen to drive the plan".to_owned(),
        });
        if let Some((owner, reason, until)) = &self.ledger.lock {
            paper.line(format!("  locked    by {owner} until {}: {reason}", instant(*until)));
        }
        paper.line("\nRevisions");
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
        paper.table(["no.", "value", "state", "status", "made at", "recipe"], &rows);
        self.attempts(paper);
        self.behind(paper);
    }
}

fn value(value: Option<Decimal>) -> String {
    value.map_or("nothing".to_owned(), |value| value.to_string())
}

impl Traced {
    fn attempts(&self, paper: &mut Paper) {
        if self.ledger.attempts.is_empty() {
            return;
        }
        paper.line("\nPushes that carried it");
        for attempt in &self.ledger.attempts {
            let outcome = attempt.outcome.as_deref().unwrap_or("under way").replace('_', " ");
            let before = attempt.before.map_or("not read".to_owned(), value);
            paper.line(format!(
                "  {}  revision {}, before it {before}: {outcome}",
                instant(attempt.opened_at),
                attempt.revision
            ));
            if let Some(receipt) = &attempt.receipt {
                paper.line(format!(
                    "    receipt {}: {} at {}",
                    receipt.handle,
                    receipt.verdict,
                    instant(receipt.at)
                ));
            }
            if let Some(rejection) = &attempt.rejection {
                paper.line(format!("    refused: {}", rejection.reason));
                paper.line(format!("    cure: {}", rejection.cure));
            }
        }
    }

    fn behind(&self, paper: &mut Paper) {
        if !self.releases.is_empty() {
            paper.line("\nReleased");
        }
        for one in &self.releases {
            let (resource, period, why) = (&one.resource, one.period, one.reason.line());
            paper.line(format!("  {resource} {period}, as of {}: {why}", instant(one.as_of)));
        }
        paper.line(format!("\nArithmetic, as of {}", instant(self.made_of)));
        if !self.recipe_holds {
            let moved =
                "Rules, mapping or time zones have changed since; this is what they say now:";
            paper.line(format!("  {}", paper.tint(tone(Status::Held), moved)));
        } else if !self.reproduced {
            let other = "It ends at another number than the wanted one: a person's decision holds it, \
                         or records behind it are gone.";
            paper.line(format!("  {}", paper.tint(tone(Status::Held), other)));
        }
        for text in &self.arithmetic {
            for line in text.lines() {
                paper.line(format!("  {line}"));
            }
        }
        if let Some(from) = &self.provenance {
            paper.line(format!(
                "  From: rules {}, mapping {}, time zones {}, facts {}",
                from.rules_version,
                from.mapping_version,
                from.tzdb_version,
                short(&from.input_window, 13)
            ));
        }
        if let Some(today) = &self.today {
            let at = instant(today.as_of);
            paper.line(format!("\nToday, as of {at}, {} would land.", today.value));
        }
        paper.line(format!("\nRecords of it in the journal: {}; the last ones:", self.records));
        for record in &self.last_records {
            let text = short(&record.text, 70);
            paper.line(format!(
                "  {:>6}  {} line {}: {text}",
                record.position, record.place, record.line
            ));
        }
    }
}
