//! How agreements stand, for people.

use std::path::PathBuf;

use jiff::Timestamp;
use planthread_kit::agreement::{AgreementStatus, State};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    TextTable, Tone, View,
    text_table::{count, instant},
};
use crate::{
    failure::Exit,
    pipeline::{Probed, Rendered},
};

/// The agreement of one target.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Report {
    /// The configured target.
    pub target: String,
    /// How it stands.
    pub agreement: AgreementStatus,
}

/// One line about an agreement, and its cure where something is missing.
pub(super) fn line(target: &str, standing: &AgreementStatus, text_table: &mut TextTable) {
    let tone = match standing.state {
        State::Enabled => Tone::Good,
        State::Suspended => Tone::Bad,
        State::Unverified | State::Contracted | State::Probed => Tone::Warn,
    };
    let word = text_table.tint(tone, standing.state.word());
    let rest = standing.to_string();
    let rest = rest.strip_prefix(standing.state.word()).unwrap_or_default();
    text_table.line(format!("  {target}: {word}{rest}"));
    if !standing.cure.is_empty() {
        text_table.line(format!("      cure: {}  (planthread explain agreement)", standing.cure));
    }
}

/// What a standing means for whoever asked.
fn exit(standing: &AgreementStatus) -> Exit {
    match standing.state {
        State::Enabled => Exit::Ok,
        State::Suspended => Exit::Findings,
        State::Unverified | State::Contracted | State::Probed => Exit::Held,
    }
}

impl View for Report {
    const OUTPUT: &'static str = "agreement status";

    fn write(&self, text_table: &mut TextTable) {
        line(&self.target, &self.agreement, text_table);
        if let Some(reference) = &self.agreement.reference {
            text_table
                .line(text_table.tint(Tone::Dim, &format!("      verified against {reference}")));
        }
    }

    fn exit(&self) -> Exit {
        exit(&self.agreement)
    }
}

impl View for Rendered {
    const OUTPUT: &'static str = "agreement render";

    fn write(&self, text_table: &mut TextTable) {
        if self.cells.is_empty() {
            let target = &self.target;
            text_table.line(format!(
                "{target}: nothing is to be written now, so no request is shown; `planthread plan \
                 {target}` says what is held, and why"
            ));
            line(target, &self.agreement, text_table);
            return;
        }
        let cells = count(self.cells.len(), "cell");
        let by = match &self.draft {
            Some(draft) => format!("the draft `{draft}`"),
            None => "its agreement".to_owned(),
        };
        text_table.line(format!("{}: {cells} of the plan, as {by} words them:", self.target));
        for cell in &self.cells {
            text_table.line(format!("  {cell}"));
        }
        for request in &self.requests {
            text_table.line("");
            text_table.line(format!("  {} {}", request.method, request.path));
            for line in format!("{:#}", request.body).lines() {
                text_table.line(format!("  {line}"));
            }
        }
        text_table.line("");
        text_table.line("Nothing of it went out, and who we are is added then.");
        line(&self.target, &self.agreement, text_table);
    }
}

impl View for Probed {
    const OUTPUT: &'static str = "agreement probe";

    fn write(&self, text_table: &mut TextTable) {
        let (written, seen) = (count(self.cells.len(), "cell"), self.seen);
        text_table
            .line(format!("{}: {written} written, {seen} read back as written:", self.target));
        for cell in &self.cells {
            text_table.line(format!("  {cell}"));
        }
        let beside = count(self.beside, "cell");
        match self.changed.len() {
            _ if self.beside == 0 => text_table.line(text_table.tint(
                Tone::Warn,
                "  nothing stood beside them: what a write does to other rows is not shown",
            )),
            0 => text_table.line(format!("  {beside} of other rows stood beside them, and stayed")),
            changed => text_table.line(text_table.tint(
                Tone::Bad,
                &format!("  of {beside} of other rows {changed} did not stay as they were"),
            )),
        };
        if let Some(stopped) = &self.cycle.stopped {
            text_table.line(text_table.tint(Tone::Bad, &stopped.message));
        }
        line(&self.target, &self.agreement, text_table);
    }

    fn exit(&self) -> Exit {
        if self.succeeded() { Exit::Ok } else { Exit::Findings }
    }
}

/// A key that was made.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Key {
    /// Where it is.
    pub file: PathBuf,
    /// Its public half.
    pub public: String,
}

impl View for Key {
    const OUTPUT: &'static str = "agreement key";

    fn write(&self, text_table: &mut TextTable) {
        text_table
            .line(format!("The key: {}. Keep it as you keep a signature.", self.file.display()));
        text_table.line("Its public half, for `agreement.trusts` of a target:");
        text_table.line(format!("  NAME: \"{}\"", self.public));
    }
}

/// An agreement that was signed.
#[derive(Debug, Serialize, JsonSchema)]
pub struct SignedAs {
    /// Where it is.
    pub file: PathBuf,
    /// Its name.
    pub agreement: String,
    /// Its fingerprint.
    pub fingerprint: String,
    /// Public half of the key that signed it.
    pub public: String,
    /// Until when it holds.
    pub expires: Timestamp,
    /// The configured target that it fits; left out where none of its connector could be
    /// asked here: then `agreement verify` says whether it holds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fits: Option<String>,
}

impl View for SignedAs {
    const OUTPUT: &'static str = "agreement sign";

    fn write(&self, text_table: &mut TextTable) {
        let Self { file, agreement, fingerprint, public, expires, fits } = self;
        text_table.line(format!(
            "{agreement} is signed until {}: {}",
            instant(*expires),
            file.display()
        ));
        text_table.line(format!("  fingerprint {fingerprint}"));
        text_table.line(match fits {
            Some(target) => format!("  it fits the target {target}"),
            None => {
                "  no target of its connector could be asked here: `planthread agreement verify` \
                     says whether it holds"
                    .to_owned()
            }
        });
        text_table.line(format!("  it counts where `agreement.trusts` names the key {public}"));
    }
}
