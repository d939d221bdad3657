//! Examples of every contract, shared by documentation, tests and sandboxes.
//!
//! The files live in `examples/valid` and `examples/invalid`; an invalid one
//! has a neighbour `.expect.json` that names the field at fault and a part of
//! the reason. A test keeps these tables and the folders equal.

mod invalid;
mod valid;

pub use invalid::INVALID;
pub use valid::VALID;

/// A record that is accepted.
#[derive(Debug, Clone, Copy)]
pub struct Example {
    /// [`crate::Entry::name`] of its contract.
    pub contract: &'static str,
    /// File name without ending.
    pub name: &'static str,
    /// The JSON text.
    pub text: &'static str,
}

/// A record that is refused.
#[derive(Debug, Clone, Copy)]
pub struct Counterexample {
    /// [`crate::Entry::name`] of its contract.
    pub contract: &'static str,
    /// File name without ending.
    pub name: &'static str,
    /// The JSON text.
    pub text: &'static str,
    /// JSON text `{"path", "reason"}`: the expected violation.
    pub expect: &'static str,
}

const fn valid(contract: &'static str, name: &'static str, text: &'static str) -> Example {
    Example { contract, name, text }
}

const fn invalid(
    contract: &'static str,
    name: &'static str,
    text: &'static str,
    expect: &'static str,
) -> Counterexample {
    Counterexample { contract, name, text, expect }
}
