//! The fallback mode as people see it: who is away, what waits, what to load by hand.

use std::path::PathBuf;

use jiff::Timestamp;
use planthread_engine::{
    fallback::{BY_HAND, Manifest, Outage, PackCheck, PackFinding},
    plan::HoldReason,
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    TextTable, Tone, View,
    status::age,
    text_table::{count, instant},
};
use crate::{
    failure::Exit,
    pipeline::{PauseRecord, SecondPlace},
};

/// How every target stands with the way by hand.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Fallback {
    /// Now, which ages are counted from.
    pub now: Timestamp,
    /// Target by target.
    pub targets: Vec<TargetFallback>,
}

/// One target.
#[derive(Debug, Serialize, JsonSchema)]
pub struct TargetFallback {
    /// The configured target.
    pub target: String,
    /// The outage that lasts; empty while the target answers.
    pub away: Vec<Outage>,
    /// Who lets nothing be sent to it, and why.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<String>,
    /// Whether a folder for its packs is configured.
    pub configured: bool,
    /// What a person would load now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pack: Option<PackAt>,
    /// The second place of its packs, where one is configured.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second_place: Option<String>,
    /// What became of it at its second place; none where it was never tried.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub second: Option<SecondPlace>,
    /// Outages that are over, the newest first.
    pub past: Vec<Outage>,
    /// What people decided about it, the newest first.
    pub decisions: Vec<PauseRecord>,
}

/// A pack, and where it is.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PackAt {
    /// The folder with its files and its note.
    pub folder: PathBuf,
    /// What it says of itself.
    pub manifest: Manifest,
}

/// Whether a pack may be loaded.
#[derive(Debug, Serialize, JsonSchema)]
pub struct PackChecked {
    /// The folder of the pack.
    pub folder: PathBuf,
    /// What was found.
    #[serde(flatten)]
    pub check: PackCheck,
    /// Since when its numbers are no longer valid; none while they are, or where it does
    /// not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expired_at: Option<Timestamp>,
    /// Now, which its age is counted from.
    pub now: Timestamp,
}

impl PackChecked {
    /// The pack in `folder` as it stands at `now`.
    #[must_use]
    pub fn of(folder: PathBuf, check: PackCheck, now: Timestamp) -> Self {
        let until = check.manifest.as_ref().and_then(|manifest| manifest.valid_until);
        Self { folder, check, expired_at: until.filter(|until| *until <= now), now }
    }
}

impl View for PackChecked {
    const OUTPUT: &'static str = "fallback verify";

    fn write(&self, text_table: &mut TextTable) {
        let folder = self.folder.display();
        for PackFinding { file, what } in &self.check.findings {
            let bad = text_table.tint(Tone::Bad, "wrong:");
            text_table.line(format!("  {bad} {file}: {}", what.line()));
        }
        match &self.check.manifest {
            _ if !self.check.findings.is_empty() => text_table.line(format!(
                "{folder}: do not load it; take the pack beside it, or ask who runs the bridge  \
                 (planthread explain pack)"
            )),
            Some(manifest) => text_table.line(format!(
                "{folder}: as it was signed: {} for {}, {}, of {}",
                count(manifest.cells, "cell"),
                manifest.target,
                count(manifest.files.len(), "file"),
                instant(manifest.as_of)
            )),
            None => text_table,
        };
        if let Some(manifest) = &self.check.manifest {
            left_out(text_table, manifest, "  ");
        }
        if let Some(since) = self.expired_at {
            let expired = text_table.tint(Tone::Bad, "expired:");
            text_table.line(format!(
                "  {expired} its numbers ran out at {}, {} ago; look for a newer pack at its other \
                 place, or ask who runs the bridge; where there is none, treat the numbers as assumed  \
                 (planthread explain pack)",
                instant(since),
                age(self.now, since)
            ));
        }
    }

    fn exit(&self) -> Exit {
        let good = self.check.findings.is_empty() && self.expired_at.is_none();
        if good { Exit::Ok } else { Exit::Findings }
    }
}

impl View for Fallback {
    const OUTPUT: &'static str = "fallback status";

    fn write(&self, text_table: &mut TextTable) {
        for target in &self.targets {
            target.write(text_table, self.now);
        }
    }

    fn exit(&self) -> Exit {
        let missing = |second: &SecondPlace| second.fault.is_some();
        let asks = |target: &TargetFallback| {
            !target.away.is_empty()
                || target.second.as_ref().is_some_and(missing)
                || target.never_there().is_some()
        };
        if self.targets.iter().any(asks) { Exit::Findings } else { Exit::Ok }
    }
}

impl TargetFallback {
    fn write(&self, text_table: &mut TextTable, now: Timestamp) {
        let name = &self.target;
        if self.away.is_empty() {
            text_table.line(format!("{name}: answered when it was asked last"));
        }
        for outage in &self.away {
            away(text_table, outage, now);
        }
        if let Some(why) = &self.paused {
            let paused = text_table.tint(Tone::Warn, "paused");
            text_table.line(format!("  {paused} ({why}): nothing is sent"));
        }
        match &self.pack {
            Some(PackAt { folder, manifest }) => {
                let written = manifest.written_at.unwrap_or(manifest.as_of);
                text_table.line(format!(
                    "  by hand: {} has {}, written {} ago, of {}; its README.txt says who may load \
                     it and how",
                    folder.display(),
                    count(manifest.cells, "cell"),
                    age(now, written),
                    instant(manifest.as_of)
                ));
                left_out(text_table, manifest, "    ");
                if manifest.valid_until.is_some_and(|until| until <= now) {
                    let stale = text_table.tint(Tone::Bad, "stale:");
                    text_table.line(format!(
                        "  {stale} numbers of that pack have run out; treat them as assumed"
                    ));
                }
            }
            None if self.configured => {
                text_table
                    .line("  by hand: no pack has been written yet; the next cycle writes it");
            }
            None => {
                let none = text_table.tint(Tone::Warn, "by hand: nothing");
                text_table.line(format!(
                    "  {none}; `targets.{name}.pack` names a folder for it  (planthread explain pack)"
                ));
            }
        }
        if let Some(place) = self.never_there() {
            let never = text_table.tint(Tone::Warn, "no pack was ever copied there");
            text_table.line(format!("  at {place}: {never}; the next cycle tries it"));
        }
        if let Some(second) = &self.second {
            if let (None, Some(of)) = (&second.fault, second.pack_of) {
                let place = &second.place;
                text_table.line(format!("  at {place}: the pack of {}", instant(of)));
            }
            second_place(text_table, second, "  ");
        }
        self.write_history(text_table);
    }

    /// The second place, where a pack is here and nobody has tried to copy it there.
    fn never_there(&self) -> Option<&str> {
        let place = self.second_place.as_deref()?;
        (self.pack.is_some() && self.second.is_none()).then_some(place)
    }

    /// Outages that are over, and what people decided.
    fn write_history(&self, text_table: &mut TextTable) {
        for outage in &self.past {
            let Outage { began, ended, class, tries, waiting, .. } = outage;
            let until = ended.map_or_else(String::new, instant);
            if class == BY_HAND {
                let (began, said) = (instant(*began), &outage.said);
                text_table.line(format!("  was fed by hand from {began} to {until} ({said})"));
                continue;
            }
            text_table.line(format!(
                "  was away from {} to {until}: {class}, tried {}, {} waiting at the last try",
                instant(*began),
                count(*tries, "time"),
                count(*waiting, "cell")
            ));
        }
        for decision in &self.decisions {
            let PauseRecord { who, why, paused, by_hand, at, .. } = decision;
            let at = at.map_or_else(|| "earlier".to_owned(), instant);
            let what = match (paused, by_hand) {
                (true, true) => "lets it be fed by hand",
                (true, false) => "pauses it",
                (false, _) => "lets it go",
            };
            text_table.line(format!("  decided at {at}: {who} {what}: {why}"));
        }
    }
}

/// What is wanted and not in a pack: how many cells, why, and where they are named.
pub fn left_out(text_table: &mut TextTable, manifest: &Manifest, indent: &str) {
    if manifest.unproven > 0 {
        let cells = manifest.unproven;
        let sent = format!("of it {cells} sent already and not read back yet; twice does no harm");
        text_table.line(format!("{indent}{}", text_table.tint(Tone::Dim, &sent)));
    }
    if manifest.left_out() == 0 {
        return;
    }
    let refused = HoldReason::RejectedNotCured.word();
    let reasons: Vec<String> = manifest
        .left_out
        .iter()
        .map(|(word, cells)| match word == refused {
            true => format!("{cells} {} (planthread rejects)", word.replace('_', " ")),
            false => format!("{cells} {} (planthread status)", word.replace('_', " ")),
        })
        .collect();
    let left = text_table.tint(Tone::Warn, "left out of it:");
    text_table.line(format!("{indent}{left} {}", reasons.join(", ")));
}

/// That a pack did not arrive at its second place, and which one is there.
pub(super) fn second_place(text_table: &mut TextTable, second: &SecondPlace, indent: &str) {
    let Some(fault) = &second.fault else { return };
    let words = text_table.tint(Tone::Warn, "the pack did not arrive at");
    let there = second.pack_of.map_or_else(
        || "none is there".to_owned(),
        |of| format!("the one of {} is there", instant(of)),
    );
    let at = instant(second.tried_at);
    text_table.line(format!("{indent}{words} {}, tried at {at}; {there}", second.place));
    text_table.line(format!("{indent}  {fault}  (planthread explain pack)"));
}

/// One line of an outage that lasts; `status` shows it, too.
pub(super) fn away(text_table: &mut TextTable, outage: &Outage, now: Timestamp) {
    let Outage { target, began, class, said, tries, waiting, .. } = outage;
    if class == BY_HAND {
        let words = text_table.tint(Tone::Warn, "fed by hand");
        text_table.line(format!(
            "{target}: {words} since {} ({}), and asked nothing; {} waiting",
            instant(*began),
            age(now, *began),
            count(*waiting, "cell")
        ));
        text_table.line(format!("  {said}"));
        return;
    }
    let words = if outage.reads { "refuses what is written" } else { "away" };
    let words = text_table.tint(Tone::Bad, words);
    let times = count(*tries, "time");
    text_table.line(format!(
        "{target}: {words} since {} ({}), tried {times}; {} waiting",
        instant(*began),
        age(now, *began),
        count(*waiting, "cell")
    ));
    text_table.line(format!("  first: {class}: {said}"));
    let Outage { last, last_class, last_said, .. } = outage;
    if (class, said) != (last_class, last_said) {
        text_table.line(format!("  at {}: {last_class}: {last_said}", instant(*last)));
    }
}

#[cfg(test)]
mod tests {
    use planthread_engine::fallback::PackFault;
    use serde_json::json;

    use super::*;

    #[test]
    fn a_whole_pack_that_ran_out_says_since_when_and_what_to_do() {
        let until: Timestamp = "2026-11-26T10:00:00Z".parse().unwrap();
        let checked = |hours: i64, findings| {
            let manifest = serde_json::from_value(json!({
                "planthread_pack": 1, "target": "ibp", "scope": "", "counter": 1, "periods": null,
                "as_of": "2026-11-25T10:00:00Z", "cells": 1, "files": [],
                "valid_until": until,
            }));
            let check = PackCheck { manifest: Some(manifest.unwrap()), findings };
            let now = until + jiff::SignedDuration::from_hours(hours);
            let checked = PackChecked::of("packs/ibp/current".into(), check, now);
            let mut text_table = TextTable::new(false);
            checked.write(&mut text_table);
            (checked.exit(), text_table.into_text())
        };
        let (exit, said) = checked(-1, vec![]);
        assert!(exit == Exit::Ok && !said.contains("expired"), "{said}");
        // From the very instant on.
        for (hours, age) in [(0, "0 s"), (3, "3 h")] {
            let (exit, said) = checked(hours, vec![]);
            assert_eq!(exit, Exit::Findings, "{said}");
            assert!(said.contains("as it was signed"), "{said}");
            assert!(said.contains(&format!("ran out at {}, {age} ago", instant(until))), "{said}");
            assert!(said.contains("newer pack"), "{said}");
        }
        let changed = PackFinding { file: "a".to_owned(), what: PackFault::Changed };
        assert_eq!(checked(-1, vec![changed]).0, Exit::Findings);
    }
}
