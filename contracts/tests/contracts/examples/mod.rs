//! Examples of every contract, as tables for the tests.
//!
//! The files live in `examples/valid` and `examples/invalid`; an invalid one
//! has a neighbour `.expect.json` that names the field at fault and a part of
//! the reason. A test keeps these tables and the folders equal.

mod invalid;
mod valid;

pub(crate) use invalid::INVALID;
pub(crate) use valid::VALID;

/// A record that is accepted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Example {
    /// `Entry::name` of its contract.
    pub(crate) contract: &'static str,
    /// File name without ending.
    pub(crate) name: &'static str,
    /// The JSON text.
    pub(crate) text: &'static str,
}

/// A record that is refused.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Counterexample {
    /// `Entry::name` of its contract.
    pub(crate) contract: &'static str,
    /// File name without ending.
    pub(crate) name: &'static str,
    /// The JSON text.
    pub(crate) text: &'static str,
    /// JSON text `{"path", "reason"}`: the expected violation.
    pub(crate) expect: &'static str,
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
