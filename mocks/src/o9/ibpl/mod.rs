//! A small part of IBPL, as public clients and copied pages show it (section 5).
//!
//! ```text
//! select (set * set) on row, ({Measure.[A], Measure.[B]}) on column [limit n];
//! select CurrentUser();
//! update Measure.[M]@(set, set) = number;
//! [cartesian] scope:(set * set); Measure.[M] = number; end scope;
//! exec procedure [Name] {JSON};
//! save();
//! set: [Dimension].[Level] [.[Member] | .filter(#.Name == [m]) | .filter(#.Name in {[m],[m]})]
//!      | &CWV | &CurrentWorkingView
//! ```

mod lexer;
mod parser;

use rust_decimal::Decimal;

pub(super) use parser::parse;

/// Members of one level.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Set {
    pub(super) dimension: String,
    pub(super) level: String,
    /// The members that are meant; `None` means all.
    pub(super) members: Option<Vec<String>>,
}

/// One statement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Statement {
    Select { sets: Vec<Set>, measures: Vec<String>, limit: Option<usize> },
    CurrentUser,
    Write { sets: Vec<Set>, values: Vec<(String, Decimal)>, upserts: bool, cartesian: bool },
    Procedure { name: String, parameters: String },
    Save,
}
