//! Conformance: what every connector must do, whatever its vendor.
//!
//! The cases know the trait and nothing else. Whoever registers a connector
//! hands in a [`Bench`] (connector and sandbox, mounted in process), and every
//! case runs on it without a further act.

pub mod bench;
mod cases;
mod faults;
mod paging;

use libtest_mimic::{Failed, Trial};

pub use bench::{Bench, Fault, Target, World};

/// One case.
type Case = fn(&dyn Bench) -> Result<(), String>;

/// Every case, by name.
const CASES: [(&str, Case); 18] = [
    ("push_then_stored_equals", cases::push_then_stored_equals),
    ("read_back_equals_what_was_pushed", cases::read_back_equals_what_was_pushed),
    ("same_cells_twice_have_one_effect", cases::same_cells_twice_have_one_effect),
    ("empty_batch_makes_no_request", cases::empty_batch_makes_no_request),
    ("a_bad_row_is_named_and_the_others_land", cases::a_bad_row_is_named_and_the_others_land),
    ("quantities_survive_exactly", cases::quantities_survive_exactly),
    ("a_cancelled_push_can_be_repeated", faults::a_cancelled_push_can_be_repeated),
    ("a_renamed_field_is_drift", cases::a_renamed_field_is_drift),
    (
        "a_batch_that_mixes_is_refused_where_it_must",
        cases::a_batch_that_mixes_is_refused_where_it_must,
    ),
    ("forbidden_is_auth", cases::forbidden_is_auth),
    ("no_request_inside_a_retry_after", cases::no_request_inside_a_retry_after),
    ("an_attempt_without_notes_was_not_taken", cases::an_attempt_without_notes),
    ("discover_answers_every_line_of_the_sheet", cases::discover_answers_the_sheet),
    ("pack_holds_every_cell", cases::pack_holds_every_cell),
    ("secrets_are_never_printed", cases::secrets_are_never_printed),
    ("pages_end_where_the_cells_do", paging::pages_end_where_the_cells_do),
    ("a_count_that_lies_costs_little", paging::a_count_that_lies_costs_little),
    ("fault_at_every_request", faults::fault_at_every_request),
];

/// Every case on every bench, as trials named `connector::case`.
#[must_use]
pub fn trials(benches: &'static [&'static dyn Bench]) -> Vec<Trial> {
    let pairs = benches.iter().flat_map(|bench| CASES.iter().map(move |case| (*bench, case)));
    pairs
        .map(|(bench, (name, case))| {
            Trial::test(format!("{}::{name}", bench.name()), move || {
                case(bench).map_err(Failed::from)
            })
        })
        .collect()
}
