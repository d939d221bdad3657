//! The target SDK: what a connector crate is made into a target with.
//!
//! A crate exports one [`TargetFactory`]. It embeds [`auth::Auth`] in its
//! settings, says which kinds its vendor takes, and gets its request stack from
//! the [`TargetContext`]; secrets, network, quota and limits are dealt with
//! here, once.

pub mod address;
pub mod auth;
pub mod certificates;
pub mod context;
pub mod decision;
pub mod factory;
pub mod fault;
pub mod known;
pub mod network;
pub mod starter;

pub use auth::{Auth, Takes};
pub use certificates::Certificates;
pub use context::{TargetContext, typed};
pub use decision::Decision;
pub use factory::{Provide, Provided, TargetFactory};
pub use fault::SettingsFault;
pub use known::{Guard, Known, Nothing, WholeFile};
pub use network::Network;
pub use starter::Starter;
