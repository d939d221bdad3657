//! OData V2 as a protocol, for connectors whose planning system speaks it.
//!
//! It knows no vendor: what a service does beyond the protocol comes in as a
//! [`Dialect`]. A connector has one [`Service`] for each service root, reads
//! with [`Service::read`], writes inside a [`Session`], and believes only
//! [documented answers](answer). The way of a request:
//!
//! - [`literal`] and [`filter`]: values and predicates of its address.
//! - [`service`]: sends it; [`session`]: the token and the cookies of a write.
//! - [`answer`]: what came back, or what came instead; [`fault`]: what a
//!   refusal says, and its class.
//! - [`paging`]: all pages of a collection, with an end whatever the service
//!   announces.
//! - [`edmx`]: `$metadata` as plain data.

pub mod answer;
pub mod edmx;
pub mod fault;
pub mod filter;
pub mod literal;
pub mod paging;
pub mod service;
pub mod session;

pub use edmx::Edmx;
pub use fault::Dialect;
pub use paging::Paging;
pub use service::{Service, Times};
pub use session::Session;
