//! The suite: everything that can be proven in process, without sockets.
//!
//! Real configuration, real state on disk, the real connector; the sandbox is
//! mounted without sockets and time is virtual. The same with real sockets and
//! killed processes stands in `tests/wire` and `tests/crash`.

#![expect(clippy::unwrap_used, reason = "helpers of tests may panic like tests do")]

mod again;
mod agreement;
mod apart;
mod asof;
mod blamed;
mod by_file;
mod by_hand;
mod cases;
mod changes;
mod commits;
mod continuity;
mod corrections;
mod decisions;
mod digest;
mod docs;
mod doubts;
mod drill;
mod echo;
mod exports;
mod faults;
mod figures;
mod finish;
mod firm;
mod gap;
mod gap_page;
mod killed;
mod kinaxis;
mod landing;
mod laws;
mod loads;
mod locks;
mod loops;
mod monitoring;
mod mortal;
mod named_faults;
mod net;
mod newcomers;
mod nights;
mod order;
mod outage;
mod outputs;
mod overwrites;
mod ownership;
mod pages;
mod plant;
mod progress;
mod proportion;
mod reference;
mod refused;
mod rehearsal;
mod replay;
mod requests;
mod scale;
mod secrets;
mod shipped;
mod site;
mod skew;
mod standing;
mod steps;
mod swept;
mod tenants;
mod tidy;
mod torture;
mod waiting;
#[path = "../crash/way.rs"]
#[allow(dead_code, reason = "shared with `tests/crash`, which needs other parts of it")]
mod way;
mod wire;
mod world;
mod worsening;
