//! The suite: everything that can be proven in process, without sockets.

mod tidy;
