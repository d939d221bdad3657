//! The program: wiring only. Each room of the house is a crate; this one puts
//! them together, once, for the verbs, the demo and the tests.
//!
//! - [`cli`]: a file per verb.
//! - [`config`]: the file people write, checked with line and cure.
//! - [`registry`]: the one place that names connectors.
//! - [`serve`]: intake, from files, standard input and HTTP.
//! - [`pipeline`]: ingest → derive → project → want → plan → apply → verify.
//! - [`operate`]: what an operator is told of a bridge that runs.
//! - [`output`]: files that a person names for an answer.
//! - [`report`]: what people and programs get to see.
//! - [`demo`]: a simulated plant in front of a sandbox.
//! - [`drill`]: bad days, rehearsed before the sandboxes of the configured targets.
//! - [`starter`]: the starting point that `init` writes and `demo` runs on.
//! - [`sandbox`]: a vendor's sandbox on a socket.
//! - [`in_process`]: a sandbox as a transport, without sockets.

pub mod cli;
pub mod config;
pub mod demo;
pub mod drill;
pub mod failure;
pub mod in_process;
pub mod operate;
pub mod output;
pub mod pipeline;
pub mod registry;
pub mod report;
pub mod sandbox;
pub mod serve;
mod sftp;
pub mod starter;
