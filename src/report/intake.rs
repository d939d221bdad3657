//! What came in, and what was refused at the door meanwhile.

use planthread_domain::decode::Feeds;
use planthread_engine::journal::{Admitted, JournalCounts, Sealed};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    TextTable, Tone, View,
    text_table::{count, indented},
};
use crate::{
    failure::Exit,
    serve::{Fed, Refusal, files::FileReport, snapshot::Export, survey::QUIET},
};

/// Refusals that are printed one by one; `rejects` lists all.
const REFUSALS_SHOWN: usize = 10;

/// What `ingest` took in.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Ingested {
    /// File by file.
    pub files: Vec<FileReport>,
    /// What the journal holds now.
    pub journal: JournalCounts,
}

impl Ingested {
    fn refusals(&self) -> impl Iterator<Item = &Refusal> {
        self.files.iter().flat_map(|file| &file.kept.rejected)
    }
}

impl View for Ingested {
    const OUTPUT: &'static str = "ingest";

    fn write(&self, text_table: &mut TextTable) {
        for file in &self.files {
            text_table.line(format!("{}: {}", file.place, sentence(file)));
            file.kept.feeds.iter().filter_map(fed).for_each(|line| {
                text_table.line(line);
            });
            if file.unfinished {
                text_table.line(format!(
                    "  1 unfinished last line waits in {}: end it with a newline, or leave the \
                     file alone for {} minutes",
                    file.place,
                    QUIET.as_mins()
                ));
            }
            if let Some(export) = &file.export {
                exported(text_table, export);
            }
            stopped(text_table, file);
        }
        for refusal in self.refusals().take(REFUSALS_SHOWN) {
            refused(text_table, refusal);
        }
        let all: usize = self.files.iter().map(|file| file.kept.all.rejected).sum();
        let more = all.saturating_sub(REFUSALS_SHOWN);
        if more > 0 {
            text_table.line(format!("  and {more} more: `planthread rejects`"));
        }
        for text in self.files.iter().flat_map(|file| &file.kept.corrected).take(REFUSALS_SHOWN) {
            text_table.line(format!("  counts now: {text}"));
        }
        for text in self
            .files
            .iter()
            .flat_map(|file| file.kept.conflicts.iter().chain(&file.kept.quarantined))
        {
            let waits = text_table.tint(Tone::Warn, "waits for a person:");
            text_table.line(format!("  {waits} {text}"));
        }
        if self.files.is_empty() {
            text_table.line("No source has files; send CloudEvents with `planthread ingest -`.");
        }
        text_table.line(format!("The journal holds {}.", count(self.journal.records, "record")));
    }

    fn exit(&self) -> Exit {
        let fine = |file: &FileReport| {
            let kept = &file.kept;
            let export = file.export.as_ref().is_none_or(|export| export.note.is_none());
            let taken = kept.rejected.is_empty() && kept.conflicts.is_empty();
            export && taken && kept.quarantined.is_empty()
        };
        let found = if self.files.iter().all(fine) { Exit::Ok } else { Exit::Findings };
        worst(&self.files).max(found)
    }
}

/// The exit code of the worst thing that stopped the intake of a file.
pub(super) fn worst(files: &[FileReport]) -> Exit {
    files.iter().filter_map(|file| file.stopped.as_ref()).map(|f| f.exit).max().unwrap_or(Exit::Ok)
}

/// What an export or sheet that is the whole truth took back.
pub(super) fn exported(text_table: &mut TextTable, export: &Export) {
    if export.retracted > 0 {
        let rows = count(export.retracted, "row");
        text_table.line(format!("  {rows} vanished from it and count no more"));
    }
    if let Some(note) = &export.note {
        text_table.line(format!("  {} {note}", text_table.tint(Tone::Warn, "export:")));
    }
}

/// Why the intake of a file stopped, if it did.
pub(super) fn stopped(text_table: &mut TextTable, file: &FileReport) {
    if let Some(failure) = &file.stopped {
        let text = indented(&failure.to_string(), 2);
        text_table.line(format!("  {} {text}", text_table.tint(Tone::Bad, "stopped:")));
    }
}

fn sentence(file: &FileReport) -> String {
    if file.stopped.is_some() {
        return "not read".to_owned();
    }
    if file.unchanged {
        return "nothing new".to_owned();
    }
    let kept = &file.kept;
    let mut parts = vec![count(kept.taken, "new record")];
    for (n, what) in [
        (kept.duplicates, "known already"),
        (kept.all.corrected, "corrected"),
        (kept.all.rejected, "refused"),
        (kept.all.conflicts, "in conflict"),
        (kept.all.quarantined, "from the future"),
    ] {
        if n > 0 {
            parts.push(format!("{n} {what}"));
        }
    }
    parts.join(", ")
}

/// What events feed; rows of machines and counters only where they feed none.
fn fed(fed: &Fed) -> Option<String> {
    let Feeds { kind, figures, note } = &fed.feeds;
    let rows = matches!(*kind, "machine event" | "count");
    let what = format!("{} × {kind}", fed.records);
    match (figures.is_empty(), note.is_empty()) {
        (true, true) => None,
        (true, false) => Some(format!("  {what}: kept, feeds no figure: {note}")),
        (false, _) if rows => None,
        (false, true) => Some(format!("  {what}: for {}", figures.join(", "))),
        (false, false) => Some(format!("  {what}: for {}; {note}", figures.join(", "))),
    }
}

pub(super) fn refused(text_table: &mut TextTable, refusal: &Refusal) {
    let bad = text_table.tint(Tone::Bad, "refused:");
    let field = if refusal.field.is_empty() { "record" } else { &refusal.field };
    text_table.line(format!(
        "  {bad} {} line {}: {field}: {}",
        refusal.place, refusal.line, refusal.reason
    ));
    text_table.line(format!("           cure: {}", refusal.cure));
}

/// Segments that were sealed into a folder.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Collected {
    /// The folder.
    pub folder: String,
    /// What was taken in before.
    pub ingested: Ingested,
    /// What was sealed.
    pub sealed: Vec<Sealed>,
}

impl View for Collected {
    const OUTPUT: &'static str = "collect";

    fn write(&self, text_table: &mut TextTable) {
        self.ingested.write(text_table);
        let (again, new): (Vec<&Sealed>, Vec<&Sealed>) =
            self.sealed.iter().partition(|segment| segment.again);
        for segment in again {
            text_table.line(format!(
                "{} was missing in {}: written again, with the same bytes.",
                segment.file, self.folder
            ));
        }
        let records: u64 = new.iter().map(|segment| segment.records).sum();
        let segments = count(new.len(), "segment");
        text_table.line(match new.last() {
            Some(last) => format!(
                "Sealed {segments} with {} into {}, up to {}.",
                count(records, "record"),
                self.folder,
                last.file
            ),
            None => format!("Nothing new to seal into {}.", self.folder),
        });
    }

    fn exit(&self) -> Exit {
        self.ingested.exit()
    }
}

/// Segments that were taken from a folder.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Delivered {
    /// The folder.
    pub folder: String,
    /// What was admitted.
    #[serde(flatten)]
    pub admitted: Admitted,
}

impl View for Delivered {
    const OUTPUT: &'static str = "deliver";

    fn write(&self, text_table: &mut TextTable) {
        let admitted = &self.admitted;
        text_table.line(format!(
            "{} from {}: {}, {} known already.",
            count(admitted.segments.len(), "segment"),
            self.folder,
            count(admitted.records, "new record"),
            admitted.duplicates
        ));
        for one in admitted.set_aside.iter().filter(|one| !one.known) {
            let aside = text_table.tint(Tone::Bad, "set aside:");
            text_table.line(format!("{aside} segment {}: {}", one.number, one.reason));
            text_table.line("  decide: `planthread rejects`, then `rejects dismiss NUMBER --who NAME --why WHY`");
        }
        if !admitted.gaps.is_empty() {
            let missing: Vec<String> = admitted.gaps.iter().map(u64::to_string).collect();
            let gap = text_table.tint(Tone::Bad, "missing segments:");
            text_table.line(format!("{gap} {}; nothing after them was taken", missing.join(", ")));
            text_table.line("  cure: run `planthread collect` on the plant side, which writes missing files again; then \
                 run this again");
        }
    }

    fn exit(&self) -> Exit {
        let Admitted { gaps, conflicts, set_aside, .. } = &self.admitted;
        let told = set_aside.iter().all(|one| one.known);
        let fine = gaps.is_empty() && conflicts.is_empty() && told;
        if fine { Exit::Ok } else { Exit::Findings }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_kept_event_says_which_figure_it_feeds_or_that_it_feeds_none() {
        let line = |kind, figures: &'static [&'static str], note: &'static str| {
            let feeds = Feeds { kind, figures: figures.into(), note: note.into() };
            fed(&Fed { records: 2, feeds })
        };
        assert_eq!(line("oee", &["good output"], "").unwrap(), "  2 × oee: for good output");
        let why = "a what-if is no promise";
        assert_eq!(
            line("simulation-result", &[], why).unwrap(),
            "  2 × simulation-result: kept, feeds no figure: a what-if is no promise"
        );
        assert_eq!(line("count", &["good output"], ""), None, "rows do what they are declared for");
        assert!(line("count", &[], "gross parts are never good output").is_some());
    }
}
