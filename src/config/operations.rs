//! The door for whoever operates a bridge that runs: where it listens, and who may
//! ask.

use std::{net::SocketAddr, time::Duration};

use schemars::JsonSchema;
use serde::Deserialize;

use super::locate::Faults;

/// Most minutes for which a loop may be silent: a day.
const STALL_MAX: u32 = 1_440;

/// The endpoints `/healthz`, `/readyz` and `/metrics` of `planthread run`. They only
/// tell: names of the configuration, counts and instants, no value of a cell. There
/// is no log-in and no TLS.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Operations {
    /// Address and port: `127.0.0.1:9464`. An address off this machine's loopback
    /// needs `hosts`.
    #[schemars(with = "String")]
    pub listen: SocketAddr,
    /// Names or addresses, without a port, by which others ask for this machine. A
    /// request that names another host is refused, because a page in a browser could
    /// have sent it. The loopback is always known.
    #[serde(default)]
    pub hosts: Vec<String>,
    /// Minutes after which a loop that has not come round makes `/healthz` fail: more
    /// than the largest derivation of this plant takes.
    #[serde(default = "stall")]
    #[schemars(range(min = 1, max = 1_440))]
    pub stall_minutes: u32,
}

const fn stall() -> u32 {
    10
}

impl Operations {
    /// How long a loop may be silent where nothing is configured.
    pub const STALL: Duration = Duration::from_mins(stall() as u64);

    /// How long a loop may be silent.
    #[must_use]
    pub fn stall(&self) -> Duration {
        Duration::from_mins(u64::from(self.stall_minutes.max(1)))
    }

    /// What can't be meant.
    pub(super) fn check(&self, faults: &mut Faults<'_>) {
        door("run.operations", self.listen, &self.hosts, faults);
        if !(1..=STALL_MAX).contains(&self.stall_minutes) {
            faults.add(
                "run.operations.stall_minutes",
                format!("{} is not 1 to {STALL_MAX}", self.stall_minutes),
                "write for how many minutes a loop may be silent, 10 by default",
            );
        }
    }
}

/// What can't be meant of the door at `field`: where it listens, and the names by which
/// others ask for this machine.
pub(super) fn door(field: &str, listen: SocketAddr, hosts: &[String], faults: &mut Faults<'_>) {
    if !listen.ip().is_loopback() && hosts.is_empty() {
        faults.add(
            format!("{field}.listen"),
            format!("{} is not a loopback address", listen.ip()),
            "listen on 127.0.0.1, or write under `hosts` by which names this machine is asked",
        );
    }
    for (at, host) in hosts.iter().enumerate() {
        let named = host.parse::<std::net::IpAddr>().is_ok()
            || !host.is_empty()
                && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c));
        if !named {
            faults.add(
                format!("{field}.hosts[{at}]"),
                format!("`{host}` is no name of a host"),
                "write a name or an address alone, without http:// and without a port",
            );
        }
    }
}
