//! The mail server that takes messages, and whose address is whose.

use std::collections::BTreeMap;

use lettre::Address;
use planthread_kit::{Origin, SecretRef, target::Network};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::locate::Faults;

const FIELD: &str = "run.alerts.email";

/// A mail server that takes each message by SMTP, as plain text: one e-mail to one owner.
/// SMTP goes through no HTTP proxy: the firewall must let this machine reach the server.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Email {
    /// Name or address of the server, such as `mail.example.com`.
    pub host: String,
    /// Its port. By default that of the way: 587 with `starttls`, 465 with `tls`, 25 with
    /// `none`.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub port: Option<u16>,
    /// How what is sent is kept from others on the way.
    #[serde(default)]
    pub security: MailSecurity,
    /// The address that the messages come from: answers, and what can't be delivered, go
    /// there.
    pub from: String,
    /// The address of every owner that `owners` does not name.
    pub to: String,
    /// The addresses of owners, by the name by which a message calls them: that of
    /// `targets.*.owners`, or `operator`.
    #[serde(default)]
    pub owners: BTreeMap<String, String>,
    /// The user by whom we log in; absent: the server takes messages of this machine without
    /// a log-in.
    #[serde(default)]
    pub user: Option<String>,
    /// Reference to the password of `user`.
    #[serde(default)]
    pub password: Option<SecretRef>,
    /// The name by which this machine greets the server, for a server that asks for one that
    /// it can look up; by default the address `[127.0.0.1]`.
    #[serde(default)]
    pub greets_as: Option<String>,
    /// The private authority of the server's certificate. `proxy` is refused here.
    #[serde(default)]
    pub network: Network,
}

/// How a connection to a mail server is kept from others.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum MailSecurity {
    /// TLS after STARTTLS. A server that does not offer it gets no message and no password.
    #[default]
    Starttls,
    /// TLS from the first byte.
    Tls,
    /// None: for a server on this machine only.
    None,
}

impl MailSecurity {
    /// The port that such servers usually listen on (RFC 6409, RFC 8314, RFC 5321).
    const fn port(self) -> u16 {
        match self {
            Self::Starttls => 587,
            Self::Tls => 465,
            Self::None => 25,
        }
    }

    /// What is spoken.
    #[must_use]
    pub const fn spoken(self) -> &'static str {
        match self {
            Self::Starttls => "SMTP, STARTTLS required, TLS 1.2 or 1.3; through no proxy",
            Self::Tls => "SMTP over TLS 1.2 or 1.3; through no proxy",
            Self::None => "SMTP on this machine",
        }
    }
}

impl Email {
    /// Where the connection leads.
    #[must_use]
    pub fn origin(&self) -> Origin {
        let scheme = if self.security == MailSecurity::Tls { "smtps" } else { "smtp" };
        let port = self.port.unwrap_or(self.security.port());
        Origin { scheme: scheme.to_owned(), host: self.host.to_ascii_lowercase(), port }
    }

    /// Who we are there, and where the secret is kept; never the secret.
    #[must_use]
    pub fn credential(&self) -> String {
        match (&self.user, &self.password) {
            (Some(user), Some(password)) => format!("user {user}, password {password}"),
            _ => "none".to_owned(),
        }
    }

    /// What can't be meant.
    pub(super) fn check(&self, faults: &mut Faults<'_>) {
        let field = |name: &str| format!("{FIELD}.{name}");
        self.check_server(faults);
        let addresses = [("from", &self.from), ("to", &self.to)];
        for (name, text) in addresses.map(|(name, text)| (field(name), text)) {
            if let Err(reason) = address(text) {
                faults.add(name, reason, ADDRESS);
            }
        }
        for (owner, text) in &self.owners {
            if let Err(reason) = address(text) {
                let path = ["run", "alerts", "email", "owners", owner].map(super::tree::Step::Key);
                faults.add_at(&path, reason, ADDRESS);
            }
        }
        if self.user.is_some() != self.password.is_some() {
            let reason = "user and password belong together, and one is missing";
            faults.add(field("user"), reason, "write both `user` and `password`, or neither");
        }
        if self.user.as_ref().is_some_and(|user| user.is_empty() || has_control(user)) {
            faults.add(field("user"), "is no name of a user", "write the name of the user alone");
        }
        self.check_network(faults);
    }

    fn check_server(&self, faults: &mut Faults<'_>) {
        let cure = "write a name or an address alone, such as mail.example.com; the port stands \
                    in `port`";
        let named = |host: &str| {
            host.parse::<std::net::IpAddr>().is_ok()
                || !host.is_empty()
                    && host.chars().all(|c| c.is_ascii_alphanumeric() || "-._".contains(c))
        };
        if !named(&self.host) {
            let reason = format!("`{}` is no name of a host", self.host);
            faults.add(format!("{FIELD}.host"), reason, cure);
        }
        if let Some(name) = self.greets_as.as_ref().filter(|name| !named(name)) {
            let reason = format!("`{name}` is no name of a host");
            faults.add(
                format!("{FIELD}.greets_as"),
                reason,
                "write the whole name of this machine",
            );
        }
        if self.port == Some(0) {
            faults.add(format!("{FIELD}.port"), "0 is no port", "write 587, 465 or yours");
        }
        if self.security == MailSecurity::None && !self.origin().is_this_machine() {
            let host = &self.host;
            let reason =
                format!("is `none`: everybody on the way to {host} reads message and password");
            let cure = "write `starttls` or `tls`; `none` is for a server on this machine, such \
                        as 127.0.0.1";
            faults.add(format!("{FIELD}.security"), reason, cure);
        }
    }

    fn check_network(&self, faults: &mut Faults<'_>) {
        let network = &self.network;
        if network.proxy.is_some() || network.proxy_user.is_some() || !network.no_proxy.is_empty() {
            let cure = "remove the lines of the proxy, and let the firewall open the connection \
                        that `planthread flows` prints";
            let reason = "SMTP does not go through an HTTP proxy";
            faults.add(format!("{FIELD}.network.proxy"), reason, cure);
        }
        if let Some(file) = &network.private_ca {
            faults.add_unreadable(&format!("{FIELD}.network.private_ca"), file);
        }
    }

    /// Owners that no target names: such an entry may never be used.
    pub(super) fn notes(&self, named: &[&str], notes: &mut Faults<'_>) {
        let known =
            |owner: &str| named.contains(&owner) || OTHERS.iter().any(|of| owner.starts_with(of));
        for owner in self.owners.keys().filter(|owner| !known(owner)) {
            let path = ["run", "alerts", "email", "owners", owner].map(super::tree::Step::Key);
            let reason = format!("no target names `{owner}` under `owners`");
            let cure = "write the owner as the target does, or remove the line: what is for \
                        nobody here goes to `to`";
            notes.add_at(&path, reason, cure);
        }
    }
}

/// How owners begin that are not named in a configuration.
const OTHERS: [&str; 3] = ["operator", "owner of ", "a person at "];

const ADDRESS: &str = "write one address, such as anna@example.com; a list of people gets an \
                       address of its own at the mail server";

/// The address that `text` is. One with other letters than ASCII is refused, because not
/// every server on the way takes it (RFC 6531); a name of a domain has an ASCII form.
///
/// # Errors
/// Why it is none.
pub(crate) fn address(text: &str) -> Result<Address, String> {
    let found = text.parse::<Address>().map_err(|error| format!("`{text}` is no address: {error}"));
    found.and_then(|address| match text.is_ascii() && !has_control(text) {
        true => Ok(address),
        false => Err(format!("`{text}` is no address that every mail server takes")),
    })
}

fn has_control(text: &str) -> bool {
    text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_and_nothing_else() {
        for good in ["anna@example.com", "first.last+x@sub.example.com", "ops@[127.0.0.1]"] {
            assert_eq!(address(good).unwrap().to_string(), good);
        }
        for wrong in [
            "",
            "anna",
            "@example.com",
            "anna@",
            "Anna <anna@example.com>",
            "anna@example.com, bo@example.com",
            "anna@example.com\r\nBcc: bo@example.com",
            "anna@example.com\n",
            "änna@example.com",
            "anna@exämple.com",
            "anna@example.com bo",
            "a na@example.com",
        ] {
            assert!(address(wrong).is_err(), "{wrong:?}");
        }
    }
}
