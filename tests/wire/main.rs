//! The same faults as in process, on real sockets and in real time: a small,
//! named set. No virtual clock here, and no time that decides a test.
//!
//! - `alerts`: messages of a bridge that runs.
//! - `faults`: every connector in front of its sandbox that breaks.
//! - `mails`: the same messages as e-mails, beside a webhook.
//! - `mounts`: the sandbox on wiremock, and what went over that wire.
//! - `tls`: private authority and client certificate, by the program.
//! - `dropped`: rows that the target said it took, and did not.
//! - `logs`: what a bridge that runs tells whoever collects logs.
//! - `operations`: what an operator is told of a bridge that runs.
//! - `sftp`: a pack at a real OpenSSH server.
//! - `verbs`: the JSON of every verb, against its schema.
//! - `walk`: the README's walk, word by word.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests do")]

mod alerts;
#[path = "../crash/answers.rs"]
mod answers;
#[path = "../connectors/bench.rs"]
#[allow(dead_code, reason = "shared with `tests/connectors`, which needs other parts of it")]
mod bench;
mod dropped;
mod faults;
mod logs;
mod mails;
mod mounts;
mod operations;
#[path = "../crash/program.rs"]
#[allow(dead_code, reason = "shared with `tests/crash`, which needs other parts of it")]
mod program;
mod rig;
mod sftp;
mod site;
mod tls;
mod verbs;
mod walk;
mod watched;
#[path = "../crash/way.rs"]
#[allow(dead_code, reason = "shared with `tests/crash`, which needs other parts of it")]
mod way;
