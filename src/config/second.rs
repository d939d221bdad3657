//! The second place of a pack: a folder on another machine, over SFTP.

use std::{
    fmt,
    net::Ipv6Addr,
    path::{Path, PathBuf},
};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Longest time that a copy may be given, in seconds.
const LIMIT_MAX: u64 = 3_600;

/// A folder on another machine to which each pack is copied as well, by the `sftp` of
/// OpenSSH that this machine has. The host must be known before: an unknown key, or
/// another one, is refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SftpPlace {
    /// The machine: a name, or an address; one of IPv6 with or without brackets.
    pub host: String,
    /// Its port.
    #[serde(default = "port")]
    #[schemars(range(min = 1))]
    pub port: u16,
    /// Who logs in there; a domain may follow behind `@`.
    pub user: String,
    /// The folder there in which the packs of this target stand, as `current` and
    /// `previous`; the folder above it must be there.
    pub path: String,
    /// The file of the private key, which only its owner may read. It has no
    /// passphrase: nobody is there to type one.
    pub key_file: PathBuf,
    /// The file of known hosts, as `ssh-keyscan` prints it, once somebody has compared
    /// the key.
    pub known_hosts: PathBuf,
    /// Seconds that a copy may take. After that it is given up until the next cycle.
    #[serde(default = "limit")]
    #[schemars(range(min = 1, max = 3_600))]
    pub limit_seconds: u64,
}

const fn port() -> u16 {
    22
}

const fn limit() -> u64 {
    60
}

impl SftpPlace {
    /// The machine without the brackets of an IPv6 address.
    #[must_use]
    pub fn machine(&self) -> &str {
        let bare = self.host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        bare.unwrap_or(&self.host)
    }

    /// The machine as the client takes it: an IPv6 address in brackets, or its colons
    /// would begin a path.
    #[must_use]
    pub fn destination(&self) -> String {
        let machine = self.machine();
        if machine.contains(':') { format!("[{machine}]") } else { machine.to_owned() }
    }

    /// The fields that can't be meant, each with the reason. What is let through is no
    /// option and no command of the client, and nothing in it stands for something else.
    #[must_use]
    pub fn faults(&self) -> Vec<(&'static str, &'static str)> {
        let path = self.path.trim_end_matches('/');
        let told = |c: char| c.is_control() || "\"\\*?[]".contains(c);
        [
            ("host", !is_host(&self.host), "it is no name or address of a machine"),
            ("user", !is_user(&self.user), "it is no name of a user"),
            ("key_file", !is_plain(&self.key_file), "it is no plain path of a file"),
            ("known_hosts", !is_plain(&self.known_hosts), "it is no plain path of a file"),
            ("path", path.is_empty() || path.contains(told), "it is no plain path of a folder"),
            ("port", self.port == 0, "it is no port"),
            (
                "limit_seconds",
                !(1..=LIMIT_MAX).contains(&self.limit_seconds),
                "it is not 1 to 3600 seconds",
            ),
        ]
        .into_iter()
        .filter_map(|(field, wrong, why)| wrong.then_some((field, why)))
        .collect()
    }
}

/// A DNS name, an IPv4 address, or an IPv6 address with or without brackets, which may
/// name its interface (`fe80::1%eth0`).
fn is_host(text: &str) -> bool {
    let bracketed = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
    let bare = bracketed.unwrap_or(text);
    if bare.contains(':') {
        let (address, zone) = bare.split_once('%').unwrap_or((bare, "any"));
        let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        return address.parse::<Ipv6Addr>().is_ok() && !zone.is_empty() && zone.chars().all(plain);
    }
    let label = |label: &str| {
        let plain = |c: char| c.is_ascii_alphanumeric() || "_-".contains(c);
        (1..=63).contains(&label.len()) && !label.starts_with('-') && label.chars().all(plain)
    };
    bracketed.is_none() && bare.len() <= 253 && bare.split('.').all(label)
}

/// A name that may hold a domain, as in `planner@example.org`.
fn is_user(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    let part = |part: &str| !part.is_empty() && part.chars().all(plain);
    let (name, domain) = text.split_once('@').unwrap_or((text, "none"));
    !text.starts_with('-') && part(name) && part(domain)
}

/// Whether the client takes a path for itself: it reads quotes and variables.
fn is_plain(path: &Path) -> bool {
    let text = path.to_string_lossy();
    !text.is_empty() && !text.contains(|c: char| c.is_control() || c == '"') && !text.contains("${")
}

impl fmt::Display for SftpPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let slash = if self.path.starts_with('/') { "" } else { "/~/" };
        // The first @ of an address ends the user.
        let user = self.user.replace('@', "%40");
        write!(f, "sftp://{user}@{}:{}{slash}{}", self.destination(), self.port, self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(user: &str, host: &str) -> SftpPlace {
        SftpPlace {
            host: host.to_owned(),
            port: 2222,
            user: user.to_owned(),
            path: "/in".to_owned(),
            key_file: "/k/key".into(),
            known_hosts: "/k/hosts".into(),
            limit_seconds: 60,
        }
    }

    #[test]
    fn a_machine_is_a_name_or_an_address_and_nothing_else() {
        for (host, to) in [
            ("sftp.example.org", "sftp.example.org"),
            ("10.0.0.7", "10.0.0.7"),
            ("::1", "[::1]"),
            ("[2001:db8::7]", "[2001:db8::7]"),
            ("fe80::1%eth0", "[fe80::1%eth0]"),
        ] {
            let place = place("planner", host);
            assert_eq!((place.faults(), place.destination().as_str()), (vec![], to), "{host}");
            assert_eq!(place.to_string(), format!("sftp://planner@{to}:2222/in"));
        }
        for host in [
            "",
            "-oProxyCommand=x",
            "a@b",
            "host:22",
            "host:/etc",
            "[host]",
            "[::1",
            "::1]",
            "[::1]:22",
            "::1%",
            "::1%a b",
            "a..b",
            ".a",
            "a b",
            "a/b",
            "%h",
            "a%b",
            "h\n",
        ] {
            assert_eq!(place("planner", host).faults()[0].0, "host", "{host:?}");
        }
        for user in ["", "-l", "a b", "a:b", "a%r", "@b", "a@", "a@b@c", "a/b", "a\n"] {
            assert_eq!(place(user, "h").faults()[0].0, "user", "{user:?}");
        }
        let place = place("planner@example.org", "h");
        assert_eq!(place.faults(), []);
        assert_eq!(place.to_string(), "sftp://planner%40example.org@h:2222/in");
    }

    #[test]
    fn what_is_let_through_is_one_word_that_begins_no_option() {
        const ODD: [char; 12] = ['a', '-', '@', ':', '%', '[', ']', '.', '/', ' ', '$', '1'];
        let more = |all: &Vec<String>| -> Vec<String> {
            let longer = |text: &String| ODD.map(|c| format!("{text}{c}"));
            all.iter().flat_map(longer).collect()
        };
        let mut all = vec![String::new()];
        for _ in 0..4 {
            all = more(&all);
            for text in &all {
                if place("u", text).faults().is_empty() {
                    let to = place("u", text).destination();
                    assert!(!to.starts_with('-') && !to.contains(['@', '/', ' ', '$']), "{to}");
                    // What the client takes for the end of the machine is its end.
                    let bare = to.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
                    assert!(bare.is_some() || !to.contains([':', '%', '[', ']']), "{to}");
                }
                if place(text, "h").faults().is_empty() {
                    let odd = ['%', ':', ' ', '$', '/', '[', ']'];
                    assert!(!text.starts_with('-') && !text.contains(odd), "{text}");
                }
            }
        }
    }
}
