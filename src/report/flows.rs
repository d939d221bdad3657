//! The connections of a configuration, as a sheet that a firewall team signs.

use std::path::PathBuf;

use planthread_kit::Carries;
use schemars::JsonSchema;
use serde::Serialize;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::{TextTable, Tone, View};
use crate::failure::Exit;

/// Which side opens a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// This machine opens it.
    Out,
    /// The other side opens it.
    In,
}

/// One connection.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Connection {
    /// Which part of the configuration asks for it.
    pub of: String,
    /// Which side opens it.
    pub direction: Direction,
    /// The other side's name or address; for one that comes in, the address that listens.
    pub host: String,
    /// The port that is connected to.
    pub port: u16,
    /// The path or folder there, where the configuration names one: of a token address, of
    /// the webhook (or the reference by which its address is kept), of the SFTP place.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub path: String,
    /// What is spoken.
    pub protocol: String,
    /// The proxy that it goes through, and the hosts that are reached without it: where it
    /// does, the proxy is what a firewall sees.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub through: Option<String>,
    /// Who we are, and where the secret is kept; never the secret.
    pub credential: String,
    /// What goes over it.
    pub carries: Carries,
}

/// A folder or file outside the state that is read or written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Place {
    /// Which part of the configuration asks for it.
    pub of: String,
    /// Where; it begins at the folder of the configuration, where it lies in there.
    pub path: PathBuf,
    /// Whether it is written.
    pub written: bool,
}

/// The sheet.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Flows {
    /// Every connection; no other one is made.
    pub connections: Vec<Connection>,
    /// Folders and files that may lie on another machine.
    pub places: Vec<Place>,
    /// SHA-256 of both lists: two sheets with the same digest say the same.
    pub sha256: String,
    /// Whether it is the sheet that was signed, where one was named.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub as_signed: Option<bool>,
}

impl Flows {
    /// The sheet of these lists; `signed` is the digest of the one that was signed.
    #[must_use]
    pub fn of(connections: Vec<Connection>, places: Vec<Place>, signed: Option<&str>) -> Self {
        let both = json!({ "connections": connections, "places": places });
        let sha256 = format!("{:x}", Sha256::digest(both.to_string()));
        let as_signed = signed.map(|signed| signed.eq_ignore_ascii_case(&sha256));
        Self { connections, places, sha256, as_signed }
    }
}

impl View for Flows {
    const OUTPUT: &'static str = "flows";

    fn write(&self, text_table: &mut TextTable) {
        let row = |one: &Connection| {
            // An address of IPv6 has colons of its own.
            let peer = match &one.host {
                host if host.contains(':') && !host.starts_with('[') => {
                    format!("[{host}]:{}", one.port)
                }
                host => format!("{host}:{}", one.port),
            };
            let peer = match one.path.as_str() {
                "" => peer,
                path => format!("{peer}, path {path}"),
            };
            [
                one.of.clone(),
                match one.direction {
                    Direction::Out => "out to".to_owned(),
                    Direction::In => "in on".to_owned(),
                },
                match &one.through {
                    Some(proxy) => format!("{peer} through {proxy}"),
                    None => peer,
                },
                one.protocol.clone(),
                one.credential.clone(),
                one.carries.words().to_owned(),
            ]
        };
        let rows: Vec<_> = self.connections.iter().map(row).collect();
        if rows.is_empty() {
            text_table.line("No connection: nothing listens, and nothing is called.");
        } else {
            text_table.table(["of", "way", "peer", "protocol", "credential", "carries"], &rows);
        }
        if !self.places.is_empty() {
            text_table.line("");
            let row = |place: &Place| {
                let way = if place.written { "written" } else { "read" };
                [place.of.clone(), way.to_owned(), place.path.display().to_string()]
            };
            text_table
                .table(["of", "way", "place"], &self.places.iter().map(row).collect::<Vec<_>>());
        }
        text_table.line("");
        text_table.line(
            "No other connection is made, and nothing else listens. A connection elsewhere, such as \
             to an address that an answer of a target names, is refused and logged. Redirections \
             are not followed. Names are looked up by the operating system.",
        );
        text_table.line(format!("Sheet {}", self.sha256));
        match self.as_signed {
            Some(true) => {
                text_table.line("It is the sheet that was signed.");
            }
            Some(false) => {
                let no = text_table.tint(Tone::Bad, "It is not the sheet that was signed");
                text_table.line(format!("{no}: compare both, and have this one signed."));
            }
            None => {
                text_table.line("Signed by:                                on:");
            }
        }
    }

    fn exit(&self) -> Exit {
        if self.as_signed == Some(false) { Exit::Findings } else { Exit::Ok }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn connection(path: &str) -> Connection {
        Connection {
            of: "targets.ibp.pack.sftp".to_owned(),
            direction: Direction::Out,
            host: "::1".to_owned(),
            port: 22,
            path: path.to_owned(),
            protocol: "SFTP".to_owned(),
            through: None,
            credential: "user planner".to_owned(),
            carries: Carries::Figures,
        }
    }

    #[test]
    fn another_path_is_another_sheet() {
        let sheet = |path: &str| Flows::of(vec![connection(path)], vec![], None);
        let all = ["", "/in", "/in/", "in", "/oauth/token", "${file:secrets/hook}"];
        for one in all {
            for other in all {
                assert_eq!(sheet(one).sha256 == sheet(other).sha256, one == other);
            }
            let mut text_table = TextTable::new(false);
            sheet(one).write(&mut text_table);
            let said = text_table.into_text();
            assert!(said.contains("[::1]:22"), "{said}");
            assert!(one.is_empty() || said.contains(&format!("path {one}")), "{said}");
        }
    }
}
