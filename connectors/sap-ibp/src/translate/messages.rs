//! Pure: messages of an import back to the rows that they speak of.
//!
//! A message has no row number. With the expanded navigation it carries the
//! row's attributes; without, identifiers are looked for in its text. What no
//! message names stays as the import's state says: accepted after `PROCESSED`,
//! else unproven, to be decided by read-back (§6.6).

use planthread_contracts::{Rejection, RowOutcome};
use planthread_kit::{
    matching::{Matcher, Named, contains_word},
    rows::{Row, RowKey},
};
use planthread_odata::{answer::text, literal::parse_date};
use serde_json::Value;

use super::encode::{Chunk, Encoded};
use crate::{config::Config, wire::refusal::shorten};

/// One message of an import.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Message {
    id: String,
    text: String,
    row: Option<Value>,
}

/// Reads a page of messages; those that are no refusal are left out (an
/// optional `Severity` other than E and A).
pub(crate) fn messages(rows: &[Value], navigation: &str) -> Vec<Message> {
    let refusal = |row: &&Value| matches!(text(row, "Severity"), "" | "E" | "A");
    rows.iter()
        .filter(refusal)
        .map(|row| Message {
            id: text(row, "ExceptionId").to_owned(),
            text: shorten(text(row, "MsgText")),
            row: row.get(navigation).filter(|row| row.get("__deferred").is_none()).cloned(),
        })
        .collect()
}

/// What a general message says about an import that failed as a whole.
pub(crate) fn first_text(messages: &[Message]) -> Option<&str> {
    messages.first().map(|message| message.text.as_str())
}

/// Outcomes of `total` cells: those refused before sending, those that a
/// message names, and `otherwise` for the rest. Beside them the number of
/// messages that name no row.
pub(crate) fn outcomes(
    total: usize,
    encoded: &Encoded,
    messages: &[Message],
    otherwise: &RowOutcome,
    config: &Config,
) -> (Vec<RowOutcome>, usize) {
    let mut unnamed = 0;
    let mut outcomes = vec![otherwise.clone(); total];
    for (&at, rejection) in &encoded.refused {
        outcomes[at] = RowOutcome::Rejected(rejection.clone());
    }
    let rows = || encoded.chunks.iter().flat_map(|chunk| &chunk.rows);
    let matcher = Matcher::of(rows().map(|row| &row.key));
    for message in messages {
        let named = Names::find(message, &matcher, config);
        let mut names_none = true;
        for chunk in &encoded.chunks {
            for row in chunk.rows.iter().filter(|row| named.is(&row.key, config)) {
                names_none = false;
                for at in cells_of(message, chunk, row) {
                    outcomes[at] = RowOutcome::Rejected(rejection(message));
                }
            }
        }
        unnamed += usize::from(names_none);
    }
    (outcomes, unnamed)
}

/// The cells of a row that a message is about: the key figures that its text
/// names, else all. Cells beside a named one keep their state.
fn cells_of(message: &Message, chunk: &Chunk, row: &Row<String>) -> Vec<usize> {
    let figures = chunk.figures();
    let named: Vec<usize> = figures
        .iter()
        .zip(&row.cells)
        .filter(|(figure, _)| contains_word(&message.text, figure))
        .map(|(_, &at)| at)
        .collect();
    if named.is_empty() { row.cells.clone() } else { named }
}

fn rejection(message: &Message) -> Rejection {
    Rejection {
        reason: message.text.clone(),
        vendor_code: (!message.id.is_empty()).then(|| message.id.clone()),
        cure: cure_of(&message.text).to_owned(),
    }
}

/// The cure by what the text speaks of: a hint for its reader, nothing is decided
/// by it. No list of texts is public, so only plain words give one.
fn cure_of(text: &str) -> &'static str {
    const MASTER: [&str; 6] =
        ["master data", "combination", "unknown", "does not exist", "not found", "attribute value"];
    let lower = text.to_ascii_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    match () {
        () if says(&["invalid column name"]) => {
            "make it a stored, editable key figure that is assigned to this version; then retry"
        }
        () if says(&["planning level"]) => {
            "correct `level`, `time_fields` or `by_product` of the measure to the key figure's base \
             planning level; then retry"
        }
        () if says(&["not assigned", "not editable", "read-only", "read only"]) => {
            "assign the key figure to this version and make it editable; then retry"
        }
        () if says(&[" locked"]) => "wait for whoever holds the lock; then retry",
        () if says(&["period", "horizon", "time profile"]) && !says(&MASTER) => {
            "check that the period lies inside the target's time profile and horizon; then retry"
        }
        () if says(&MASTER) => {
            "check that resource and location exist in the target's master data, as a pair; then retry"
        }
        () => "read the message: no known cause is named in it; then correct the target, and retry",
    }
}

/// Which rows a message names.
enum Names<'a> {
    /// Its expanded row says so.
    Row(&'a Value),
    /// What its text names.
    Text(Named<'a>),
}

impl<'a> Names<'a> {
    fn find(message: &'a Message, matcher: &Matcher<'a>, config: &Config) -> Self {
        match &message.row {
            Some(row) if !text(row, &config.attributes.resource).is_empty() => Self::Row(row),
            _ => Self::Text(matcher.find(&message.text)),
        }
    }

    fn is(&self, row: &RowKey, config: &Config) -> bool {
        let named = match self {
            Self::Row(named) => named,
            Self::Text(named) => return named.is(row),
        };
        let same = |column: &str, value: &str| {
            let named = text(named, column);
            named.is_empty() || named == value
        };
        let day = parse_date(text(named, config.time_fields.of(row.period.kind())));
        let product = config.attributes.product.as_deref().unwrap_or_default();
        same(&config.attributes.resource, &row.resource)
            && same(&config.attributes.location, &row.location)
            && row.product.as_deref().is_none_or(|value| same(product, value))
            && day.is_none_or(|day| day == row.period.start())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{
        samples::{cell, config, measures},
        translate::encode::encode,
    };

    fn encoded() -> Encoded {
        let cells = [
            cell("live", "LINE-1", "2026-W02", "1"),
            cell("cut", "LINE-1", "2026-W02", "1"),
            cell("live", "LINE-1", "2026-W03", "1"),
            cell("cut", "LINE-1", "2026-W03", "1"),
            cell("live", "LINE-10", "2026-W02", "1"),
            cell("cut", "LINE-10", "2026-W02", "1"),
        ];
        encode(&cells, &measures(), &config()).unwrap()
    }

    fn rejected(rows: &[Value]) -> Vec<usize> {
        let found = messages(rows, "NavZPAMessage");
        let (all, _) = outcomes(6, &encoded(), &found, &RowOutcome::Unproven, &config());
        (0..6).filter(|&at| matches!(all[at], RowOutcome::Rejected(_))).collect()
    }

    fn said(text: &str) -> Vec<Value> {
        vec![json!({"ExceptionId": "1", "MsgText": text})]
    }

    #[test]
    fn an_expanded_row_names_exactly_its_row() {
        let row = json!({"ExceptionId": "1", "MsgText": "refused", "NavZPAMessage":
            {"RESID": "LINE-1", "LOCID": "1010", "PERIODID4_TSTAMP": "/Date(1767571200000)/"}});
        assert_eq!(rejected(&[row]), [0, 1]);
        let without_time = json!({"MsgText": "refused", "NavZPAMessage": {"RESID": "LINE-1"}});
        assert_eq!(rejected(&[without_time]), [0, 1, 2, 3]);
        let deferred = json!({"MsgText": "about LINE-10.", "NavZPAMessage": {"__deferred": {}}});
        assert_eq!(rejected(&[deferred]), [4, 5]);
    }

    #[test]
    fn identifiers_are_found_in_texts_as_whole_words() {
        assert_eq!(rejected(&said("Resource LINE-1 does not exist")), [0, 1, 2, 3]);
        assert_eq!(rejected(&said("RESID=LINE-1,LOCID=1010: 2026-01-12 is locked")), [2, 3]);
        assert_eq!(rejected(&said("(LINE-10/1010/20260105) TWINCAPA too large")), [5]);
        assert_eq!(rejected(&said("Location 1010 closed")), [0_usize; 0], "names no row");
        let both = said("LINE-1 and LINE-1/LINE-10: unknown on 2026-01-05");
        assert_eq!(rejected(&both), [0, 1, 4, 5], "each stands on its own");
        assert_eq!(rejected(&said("1 row of 6 was rejected")), [0_usize; 0]);
    }

    #[test]
    fn a_number_in_a_text_is_no_resource() {
        let cells = ["1", "1010"].map(|resource| cell("live", resource, "2026-W02", "1"));
        let encoded = encode(&cells, &measures(), &config()).unwrap();
        let rejected = |text: &str| {
            let found = messages(&said(text), "NavZPAMessage");
            let (all, _) = outcomes(2, &encoded, &found, &RowOutcome::Unproven, &config());
            all.iter().map(|one| matches!(one, RowOutcome::Rejected(_))).collect::<Vec<_>>()
        };
        assert_eq!(rejected("1 row was rejected"), [false, false]);
        assert_eq!(rejected("RESID 1, LOCID 1010: unknown combination"), [true, false]);
    }

    #[test]
    fn information_is_no_refusal() {
        assert_eq!(
            rejected(&[json!({"MsgText": "LINE-1 rounded", "Severity": "W"})]),
            [0_usize; 0]
        );
        assert_eq!(rejected(&[json!({"MsgText": "LINE-10 bad", "Severity": "A"})]), [4, 5]);
    }

    #[test]
    fn the_reason_stays_with_the_row() {
        let found = messages(&said("LINE-10 unknown"), "NavZPAMessage");
        let (all, _) = outcomes(6, &encoded(), &found, &RowOutcome::Accepted, &config());
        let RowOutcome::Rejected(rejection) = &all[4] else { panic!("{:?}", all[4]) };
        assert_eq!(
            (rejection.reason.as_str(), rejection.vendor_code.as_deref()),
            ("LINE-10 unknown", Some("1"))
        );
        assert_eq!(all[0], RowOutcome::Accepted);
    }

    #[test]
    fn the_cure_fits_what_the_message_says() {
        let cure = |text: &str| {
            let found = messages(&said(text), "NavZPAMessage");
            rejection(&found[0]).cure
        };
        let level =
            cure("RESID LINE-1, period 2026-01-05: below the base planning level; row rejected");
        assert!(level.contains("`level`") && !level.contains("master data"), "{level}");
        let pair = cure(
            "RESID LINE-1, LOCID 1020, period 2026-01-05: no valid combination in master data",
        );
        assert!(pair.contains("as a pair"), "{pair}");
        assert!(cure("Resource LINE-1 does not exist").contains("master data"));
        assert!(
            cure("LINE-1: period 2031-01-06 is outside of the time profile").contains("horizon")
        );
        assert!(cure("TWINCAPA is not assigned to version UPSIDE").contains("assign"));
        assert!(cure("invalid column name: UTILIZATIONPCT").contains("stored, editable"));
        assert!(cure("LINE-1: RC 17").contains("read the message"));
    }
}
