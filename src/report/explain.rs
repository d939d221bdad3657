//! The pages of `planthread explain`, cut from `docs/errors.md`.

use schemars::JsonSchema;
use serde::Serialize;

use super::{TextTable, Tone, View};
use crate::failure::Failure;

/// The whole document, as shipped.
pub const DOCUMENT: &str = include_str!("../../docs/errors.md");

/// One page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Page {
    /// The word it explains; several stand with commas.
    pub code: String,
    /// The text, in Markdown.
    pub text: String,
}

/// Every page, in the order of the document.
#[must_use]
pub fn pages() -> Vec<Page> {
    let mut pages: Vec<Page> = Vec::new();
    let mut open = false;
    for line in DOCUMENT.lines() {
        if let Some(code) = line.strip_prefix("## ") {
            pages.push(Page { code: code.trim().to_owned(), text: String::new() });
            open = true;
        } else if line.starts_with("# ") {
            open = false;
        } else if let Some(page) = pages.last_mut().filter(|_| open) {
            page.text.push_str(line);
            page.text.push('\n');
        }
    }
    for page in &mut pages {
        page.text = page.text.trim().to_owned();
    }
    pages
}

/// A word as it is compared: case, `-` and `_` make no difference.
#[must_use]
pub fn same(text: &str) -> String {
    text.to_lowercase().replace(['_', ' '], "-")
}

/// The page for `code`; case, `-` and `_` make no difference.
///
/// # Errors
/// When there is no such page; the message lists what there is.
pub fn page(code: &str) -> Result<Page, Failure> {
    let pages = pages();
    let known: Vec<&str> = pages.iter().map(|page| page.code.as_str()).collect();
    let known = known.join(", ");
    // `explain 3` is what people type after an exit code.
    let wanted = if code.parse::<u8>().is_ok() { "exit-codes".to_owned() } else { same(code) };
    let named = |page: &Page| page.code.split(", ").any(|code| same(code) == wanted);
    pages.into_iter().find(named).ok_or_else(|| {
        Failure::usage(format!("there is no page for `{code}`")).cure(format!("pages: {known}"))
    })
}

impl View for Page {
    const OUTPUT: &'static str = "explain";

    fn write(&self, text_table: &mut TextTable) {
        let title = text_table.tint(Tone::Bold, &self.code);
        text_table.line(title).line("").line(&self.text);
    }
}

#[cfg(test)]
mod tests {
    use planthread_contracts::RevisionState;
    use planthread_engine::plan::HoldReason;
    use planthread_kit::{Class, Sent};

    use super::*;

    #[test]
    fn every_class_state_and_reason_has_its_page() {
        let after = std::time::Duration::ZERO;
        let classes = [
            Class::Transient { sent: Sent::No },
            Class::Transient { sent: Sent::Maybe },
            Class::Throttled { after },
            Class::NotYet,
            Class::Auth,
            Class::Drift,
            Class::Fatal,
        ];
        let classes = classes.iter().map(|class| class.word());
        let states = RevisionState::ALL.iter().map(|state| state.word());
        let reasons = HoldReason::ALL.iter().map(|reason| reason.word());
        for word in classes.chain(states).chain(reasons) {
            let page = page(word).unwrap();
            assert!(page.text.len() > 40, "{word}: {}", page.text);
        }
    }

    #[test]
    fn every_exit_code_stands_in_the_table() {
        let table = page("70").unwrap().text;
        for exit in crate::failure::Exit::ALL {
            assert!(table.contains(&format!("| {} |", exit.code())), "{exit:?}");
        }
    }

    #[test]
    fn an_unknown_page_is_answered_with_the_list() {
        let failure = page("gremlin").unwrap_err();
        assert!(failure.cure.contains("throttled"), "{failure}");
    }
}
