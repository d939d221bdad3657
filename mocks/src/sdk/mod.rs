//! What sandboxes are made of, so that a new one is one folder and one line.
//!
//! A vendor's folder holds its protocol: how requests are read and answered. What
//! every planning system has behind its interface stands here: cells with their
//! history, jobs that move on with the instant, the plan that a nightly load and
//! people change, and the page on which a planner looks at it.

pub mod behaviours;
pub mod factory;
pub mod faults;
pub mod guard;
pub mod jobs;
pub mod latency;
pub mod mount;
pub mod options;
pub mod page;
pub mod plan;
pub mod server;
pub mod shape;
pub mod simulator;
pub mod time;
pub mod tokens;
pub mod web;

pub use behaviours::{Behaviour, Described, Grade, Switch, Switches, UnknownBehaviour};
pub use factory::{SandboxFactory, Setup, SetupError};
pub use options::{Kind, OptionDecl, OptionError, Values};
pub use shape::{SandboxShape, ShapeError, ShapeResource};
