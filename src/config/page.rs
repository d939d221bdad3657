//! The page for planners of a bridge that runs: where it listens, and who may ask.

use std::net::SocketAddr;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{locate::Faults, operations::door};

/// The page of `planthread run` at `/`: what the plan asks of each line and week, against
/// what the line can do. It only tells, and there is no log-in and no TLS: whoever
/// reaches it reads figures of the plan. With it, each cycle reads load and assumed
/// capacity of each target once.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct GapPage {
    /// Address and port: `127.0.0.1:8790`. An address off this machine's loopback needs
    /// `hosts`.
    #[serde(default = "listen")]
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// Names or addresses, without a port, by which others ask for this machine. A
    /// request that names another host is refused, because a page in a browser could
    /// have sent it. The loopback is always known.
    #[serde(default)]
    pub hosts: Vec<String>,
}

/// Port 8790 of this machine's loopback.
fn listen() -> SocketAddr {
    SocketAddr::from(([127, 0, 0, 1], 8790))
}

impl GapPage {
    /// What can't be meant.
    pub(super) fn check(&self, faults: &mut Faults<'_>) {
        door("run.page", self.listen, &self.hosts, faults);
    }
}
