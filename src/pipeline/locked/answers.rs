//! What a person writes into the sheet of what waits for a word.

/// The sheet of values that people set.
pub const LOCKS: &str = "Locks";
/// The sheet of questions.
pub const QUESTIONS: &str = "Questions";
/// The column in which a person answers.
pub const ANSWER: &str = "Keep or accept?";
/// The column for the last day on which a value is kept.
pub const UNTIL: &str = "Until (last day)";
/// The column for a person's reason.
pub const WHY: &str = "Why";
/// The column that says what a row is about.
pub const REFERENCE: &str = "Reference";
/// What may be answered.
pub const ANSWERS: [&str; 2] = ["keep", "accept"];
