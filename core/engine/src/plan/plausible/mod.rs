//! Right number, wrong cell: is a landing in proportion to what stands there?
//!
//! The cells of a measure at a place are held against what we landed there last,
//! or, the first time, against what the target says itself. What is out of
//! proportion becomes one question a measure and kind of fault, with both figures
//! and the likely cause; it waits until a named person answers. What only looks
//! odd is a note in the plan. Pure: series come in place by place, and a place
//! leaves no more than a few numbers behind.

mod answer;
mod fault;
mod judge;
mod likeness;
mod series;
mod shift;

pub use self::{
    answer::{Answer, AnswerError},
    fault::{Fault, confused},
    judge::{Asked, Judge, Note, Noted, Verdicts},
    series::{Point, Series},
};
