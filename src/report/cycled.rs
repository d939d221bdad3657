//! A cycle in a few lines: quiet when all is well, clear when it is not.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    TextTable, Tone, View,
    applied::{agreed, cells_of, held, settled},
    endings,
    fallback::{left_out, second_place},
    guard::restored,
    intake::{exported, stopped, worst},
    text_table::{count, indented, instant, time},
    verified::{Verified, told, troubled},
};
use crate::{
    failure::Exit,
    pipeline::{Cycle, TargetCycle},
    serve::{files::FileReport, snapshot::Export},
};

impl View for Cycle {
    const OUTPUT: &'static str = "run once";

    fn write(&self, text_table: &mut TextTable) {
        Taken { at: None, as_of: self.as_of, intake: &self.intake }.write(text_table);
        for target in &self.targets {
            self::target(text_table, target, ("", ""));
        }
    }

    fn exit(&self) -> Exit {
        // Whoever waits for the landing must not read another number first.
        if self.targets.iter().any(|target| target.missed.is_some()) {
            return Exit::Transient;
        }
        let intake = match worst(&self.intake) {
            // That ending says that nothing was sent.
            Exit::Usage if self.targets.iter().any(|one| one.applied.is_some()) => Exit::Findings,
            exit => exit,
        };
        self.targets.iter().map(of_target).max().unwrap_or(Exit::Ok).max(intake)
    }
}

/// What came in when a round began.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Taken<'a> {
    /// When it was told, in a run that goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The instant that the round speaks for.
    pub as_of: Timestamp,
    /// What came in.
    pub intake: &'a [FileReport],
}

impl View for Taken<'_> {
    const OUTPUT: &'static str = "run round";

    fn write(&self, text_table: &mut TextTable) {
        let taken: usize = self.intake.iter().map(|file| file.kept.taken).sum();
        let refused: usize = self.intake.iter().map(|file| file.kept.all.rejected).sum();
        let refused = match refused {
            0 => String::new(),
            n => format!(", {n} refused (`planthread rejects`)"),
        };
        let (as_of, taken) = (instant(self.as_of), count(taken, "new record"));
        let at = time(self.at);
        text_table.line(format!("{at}as of {as_of}: {taken}{refused}"));
        for file in self.intake {
            let told = |export: &&Export| export.retracted > 0 || export.note.is_some();
            let Some(export) = file.export.as_ref().filter(told) else { continue };
            text_table.line(format!("  {}:", file.place));
            exported(text_table, export);
        }
        for file in self.intake.iter().filter(|file| file.stopped.is_some()) {
            text_table.line(format!("  {}: not read", file.place));
            stopped(text_table, file);
        }
    }

    fn exit(&self) -> Exit {
        worst(self.intake)
    }
}

/// What one target did, told when it was done.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Walked<'a> {
    /// When it was told, in a run that goes on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The instant that it spoke for.
    pub as_of: Timestamp,
    /// What it did.
    #[serde(flatten)]
    pub done: &'a TargetCycle,
    /// Whether newer truth has come meanwhile.
    #[serde(skip)]
    pub late: bool,
}

impl View for Walked<'_> {
    const OUTPUT: &'static str = "run target";

    fn write(&self, text_table: &mut TextTable) {
        let of = if self.late { format!(" as of {}", instant(self.as_of)) } else { String::new() };
        target(text_table, self.done, (&time(self.at), &of));
    }

    fn exit(&self) -> Exit {
        of_target(self.done)
    }
}

fn of_target(target: &TargetCycle) -> Exit {
    let stopped = target.stopped.as_ref().map_or(Exit::Ok, |failure| failure.exit);
    let before = target.recovered.as_ref().map(|recovered| &recovered.read_back);
    let read = before.into_iter().chain(&target.verified);
    let findings = endings::refused(target.applied.as_ref(), target.policy_holds.as_ref(), read)
        || target.verified.as_ref().is_some_and(troubled)
        || endings::suspended(target.agreement.as_ref());
    let not_yet = target.verified.as_ref().is_some_and(|read| read.not_yet > 0);
    let held = target.policy_holds.as_ref().map_or(Exit::Ok, endings::of_screen);
    let ended = endings::ending(findings, not_yet, held);
    let second = target.second.as_ref().is_some_and(|second| second.fault.is_some());
    let second = if second { Exit::Findings } else { Exit::Ok };
    stopped.max(ended).max(second)
}

/// What a policy holds, and what the target refused.
fn waits(text_table: &TextTable, done: &TargetCycle) -> Vec<String> {
    let Some(screened) = &done.policy_holds else { return Vec::new() };
    let held: u64 = screened.held.values().sum();
    let held = (held > 0).then(|| format!("{held} held"));
    let refused = (screened.refused > 0).then(|| {
        let refused = format!("{} refused and not cured (`planthread rejects`)", screened.refused);
        text_table.tint(Tone::Bad, &refused)
    });
    held.into_iter().chain(refused).collect()
}

fn target(text_table: &mut TextTable, done: &TargetCycle, (at, of): (&str, &str)) {
    restored(text_table, &format!("  {}", done.target), done.restored.as_ref());
    let mut parts = Vec::new();
    if let Some(want) = &done.want {
        parts.push(match want.no_news {
            true => "no news, wanted as before".to_owned(),
            false => format!("{} new values", want.wanted.made),
        });
    }
    match &done.applied {
        Some(applied) => {
            parts.push(format!("{} sent, {} accepted", applied.sent, applied.accepted));
            if applied.rejected > 0 {
                let refused = format!("{} refused", applied.rejected);
                parts.push(text_table.tint(Tone::Bad, &refused));
            }
        }
        None if done.stopped.is_some() => {}
        None => match &done.paused {
            Some(why) => parts.push(text_table.tint(Tone::Warn, &format!("paused ({why})"))),
            None => parts.push("nothing to send".to_owned()),
        },
    }
    if let Some(read) = done.verified.as_ref().filter(|read| read.read > 0) {
        parts.push(format!("{} of {} read back as wanted", read.landed, read.read));
        if read.not_yet > 0 {
            let until = read
                .not_yet_until
                .map_or(String::new(), |until| format!(" (decided after {})", instant(until)));
            let waits = format!("{} not there yet{until}", read.not_yet);
            parts.push(text_table.tint(Tone::Warn, &waits));
        }
    }
    parts.extend(waits(text_table, done));
    if let Some(read) = done.master.as_ref().filter(|read| read.again > 0) {
        parts.push(format!("{} refused go again: master data changed", read.again));
    }
    if let Some(pack) = &done.pack {
        let left = pack.left_out();
        let left = if left > 0 { format!(" ({left} left out)") } else { String::new() };
        parts.push(format!("pack of {}{left}", cells_of(pack)));
    }
    if done.second.as_ref().is_some_and(|second| second.fault.is_none()) {
        parts.push("copied to its second place".to_owned());
    }
    text_table.line(format!("  {at}{}{of}: {}", done.target, parts.join(", ")));
    if let Some(screened) = &done.policy_holds {
        held(text_table, &screened.held, Some(screened), "    ");
    }
    if let Some(pack) = &done.pack {
        left_out(text_table, pack, "    ");
    }
    if let Some(second) = &done.second {
        second_place(text_table, second, "    ");
    }
    settled(text_table, done.recovered.as_ref(), 4);
    let before = done.recovered.as_ref().map(|recovered| &recovered.read_back);
    for read in before.into_iter().chain(&done.verified).filter(|read| told(read)) {
        Verified::of(&done.target, read.clone()).write(text_table);
    }
    agreed(text_table, &done.target, done.agreement.as_ref(), done.stopped.as_ref());
    if let Some(failure) = &done.stopped {
        let text = indented(&failure.to_string(), 4);
        text_table.line(format!("    {} {text}", text_table.tint(Tone::Bad, "stopped:")));
    }
}

/// The four facts, as numbers for a script.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Facts {
    /// Cells that are wanted.
    pub wanted: u64,
    /// Of them, those that the target said it took.
    pub accepted: u64,
    /// Of them, those that were read back as wanted.
    pub seen: u64,
    /// Of them, those that drive the target's plan.
    pub in_use: u64,
}

impl Facts {
    /// Both together.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self {
            wanted: self.wanted + other.wanted,
            accepted: self.accepted + other.accepted,
            seen: self.seen + other.seen,
            in_use: self.in_use + other.in_use,
        }
    }
}

#[cfg(test)]
mod tests {
    use planthread_engine::verify::SweepReport;

    use super::*;

    #[test]
    fn a_cycle_that_can_not_prove_its_landing_says_so_and_ends_transient() {
        let cycle = |read: SweepReport| {
            let verified = Some(read);
            let done = TargetCycle { target: "t".into(), verified, ..TargetCycle::default() };
            let at = Some(Timestamp::UNIX_EPOCH);
            let walked = Walked { at, as_of: Timestamp::UNIX_EPOCH, done: &done, late: false };
            let mut text_table = TextTable::new(false);
            walked.write(&mut text_table);
            (walked.exit(), text_table.into_text())
        };
        let report = SweepReport { read: 208, landed: 51, ..SweepReport::default() };
        let (exit, said) = cycle(SweepReport { not_yet: 157, ..report.clone() });
        assert_eq!(exit, Exit::Transient);
        assert!(said.starts_with("  00:00:00Z t: "), "{said}");
        assert!(said.contains("51 of 208 read back as wanted, 157 not there yet"), "{said}");
        // What was refused before waits for somebody.
        let (exit, _) = cycle(SweepReport { waiting: 157, refused_before: 157, ..report.clone() });
        assert_eq!(exit, Exit::Findings);
        // What was lost is something to look at, whatever else may still come.
        let (exit, _) = cycle(SweepReport { not_yet: 156, lost: 1, ..report.clone() });
        assert_eq!(exit, Exit::Findings);
        let (exit, said) = cycle(SweepReport { landed: 208, ..report });
        assert!(exit == Exit::Ok && !said.contains("not there"), "{said}");
    }
}
