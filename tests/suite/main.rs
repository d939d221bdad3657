//! The suite: everything that can be proven in process, without sockets.
//!
//! Real configuration, real state on disk, the real connector; the sandbox is
//! mounted without sockets and time is virtual. The same with real sockets and
//! killed processes stands in `tests/wire` and `tests/crash`.

mod apart;
mod docs;
mod faults;
mod landing;
mod laws;
mod outage;
mod overwrites;
mod scale;
mod secrets;
mod tidy;
mod wire;
mod world;
