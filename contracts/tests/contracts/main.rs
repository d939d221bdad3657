//! The contracts as others meet them: examples, schemas, what was published.
//!
//! - `examples`, `example_rules`: every record in `examples/` does what it says.
//! - `compat`, `compat_rules`: the comparison of two schemas, and its own tests.
//! - `published`: what was published keeps its promise.
//! - `hostile`: whatever a sender does to a field, the answer names it.

mod compat;
mod compat_rules;
mod example_rules;
mod examples;
mod hostile;
mod published;
