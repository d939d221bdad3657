//! Conformance: what every connector must do, whatever its vendor.
//!
//! The cases know the trait and nothing else. Whoever registers a connector
//! hands in a [`Bench`] (connector and sandbox, mounted in process), and every
//! case runs on it without a further act.

pub mod bench;
mod cases;
mod faults;
mod jobs;
mod paging;

use libtest_mimic::{Failed, Trial};

pub use bench::{Bench, Fault, Habit, Target, World};

/// One case.
type Case = fn(&dyn Bench) -> Result<(), String>;

/// Every case that any sandbox can show, by name.
const CASES: [(&str, Case); 20] = [
    ("push_then_stored_equals", cases::push_then_stored_equals),
    ("read_back_equals_what_was_pushed", cases::read_back_equals_what_was_pushed),
    ("same_cells_twice_have_one_effect", cases::same_cells_twice_have_one_effect),
    ("empty_batch_makes_no_request", cases::empty_batch_makes_no_request),
    ("a_bad_row_is_named_and_the_others_land", cases::a_bad_row_is_named_and_the_others_land),
    ("quantities_survive_exactly", cases::quantities_survive_exactly),
    ("a_cancelled_push_can_be_repeated", faults::a_cancelled_push_can_be_repeated),
    ("a_push_lands_nothing_of_a_dead_one", faults::a_push_lands_nothing_of_a_dead_one),
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
    ("jobs_side_by_side_land_each_its_own", jobs::jobs_side_by_side_land_each_its_own),
    ("fault_at_every_request", faults::fault_at_every_request),
];

/// Every case that needs a habit of the sandbox.
const NEEDING: [(&str, Habit, Case); 7] = [
    (
        "rows_refused_late_are_told_to_the_next_process",
        Habit::WorksOn,
        jobs::rows_refused_late_are_told_to_the_next_process,
    ),
    (
        "rows_encoded_in_another_way_since_are_judged_by_nobody",
        Habit::WorksOn,
        jobs::rows_encoded_in_another_way_since_are_judged_by_nobody,
    ),
    ("asking_changes_nothing", Habit::WorksOn, jobs::asking_changes_nothing),
    (
        "a_running_job_says_so_in_the_targets_own_word",
        Habit::WorksOn,
        jobs::a_running_job_says_so_in_the_targets_own_word,
    ),
    ("refusals_by_count_judge_no_row", Habit::CountsRefusals, jobs::refusals_by_count_judge_no_row),
    (
        "a_receipt_that_lies_is_found_by_reading",
        Habit::DropsSilently,
        jobs::a_receipt_that_lies_is_found_by_reading,
    ),
    ("a_failed_job_is_told_as_that", Habit::FailsJobs, jobs::a_failed_job_is_told_as_that),
];

/// Every case on every bench, as trials named `connector::case`. A case that a
/// sandbox can't show is there as ignored, with the habit that it lacks.
#[must_use]
pub fn trials(benches: &'static [&'static dyn Bench]) -> Vec<Trial> {
    let mut trials = Vec::new();
    for bench in benches {
        let run = |case: Case| move || case(*bench).map_err(Failed::from);
        for (name, case) in CASES {
            trials.push(Trial::test(format!("{}::{name}", bench.name()), run(case)));
        }
        for (name, habit, case) in NEEDING {
            let has = bench.habits().contains(&habit);
            let lacks = if has { String::new() } else { format!(" (no {habit:?})") };
            let trial = Trial::test(format!("{}::{name}{lacks}", bench.name()), run(case));
            trials.push(trial.with_ignored_flag(!has));
        }
    }
    trials
}
