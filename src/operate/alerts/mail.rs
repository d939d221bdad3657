//! E-mail: one message to one owner, handed to a mail server by SMTP.
//!
//! The library speaks the protocol; here stands what may be said at all. Nothing goes out
//! but to the server that `flows` prints. Without TLS, where it is asked for, neither
//! password nor message is sent. A server that takes too long is left, and the farewell
//! after a message that was taken is nobody's wait.

use std::{collections::BTreeMap, fmt, path::Path, pin::pin, sync::Arc, time::Duration};

use futures_util::future::{Either, select};
use jiff::Timestamp;
use lettre::{
    Address, Message,
    transport::smtp::{
        Error,
        authentication::{Credentials, Mechanism},
        client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
        extension::ClientId,
    },
};
use planthread_kit::{
    Carries, Clock, Flow, Origin, Peers, SendError, redact, target::SettingsFault, untrusted,
};
use tokio::net::TcpStream;

use super::{Alert, Way, letter::letter, not_built, one_line::OneLine};
use crate::{
    config::{Email, Loaded, MailSecurity, mail_address},
    failure::{Exit, Failure},
};

/// How long looking up the name, and connecting, may take.
const CONNECT: Duration = Duration::from_secs(15);
/// How long handing over a message may take in all. A server that takes it later gets it
/// again, with the same `Message-ID`.
const WHOLE: Duration = Duration::from_secs(60);
/// How long a server may take to say goodbye.
const FAREWELL: Duration = Duration::from_secs(5);
/// How we log in: under TLS, or on this machine.
const MECHANISMS: [Mechanism; 2] = [Mechanism::Plain, Mechanism::Login];

/// Where messages go.
pub(super) struct Mail {
    clock: Arc<dyn Clock>,
    origin: Origin,
    peers: Peers,
    security: MailSecurity,
    tls: Option<TlsParameters>,
    hello: ClientId,
    login: Option<Credentials>,
    from: Address,
    to: Address,
    owners: BTreeMap<String, Address>,
}

impl fmt::Debug for Mail {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Mail").field("origin", &self.origin).finish_non_exhaustive()
    }
}

/// The connection that e-mails ask for.
pub(crate) fn flow(config: &Email) -> Flow {
    let (origin, credential) = (config.origin(), config.credential());
    Flow { origin, path: String::new(), carries: Carries::Notices, credential }
}

impl Mail {
    /// The configured mail server.
    ///
    /// # Errors
    /// A secret or file that can't be read, an address that is none.
    pub(super) fn open(
        config: &Email,
        loaded: &Loaded,
        clock: &Arc<dyn Clock>,
    ) -> Result<Self, Failure> {
        Self::build(config, loaded.file.parent().unwrap_or(Path::new(".")), clock)
            .map_err(|fault| not_built(Way::Email, fault))
    }

    fn build(config: &Email, folder: &Path, clock: &Arc<dyn Clock>) -> Result<Self, SettingsFault> {
        let address = |field: &str, text: &String| {
            mail_address(text).map_err(|reason| SettingsFault::new(field, reason))
        };
        let login = match (&config.user, &config.password) {
            (Some(user), Some(password)) => {
                let password = password.resolve(folder).map_err(|error| error.of("password"))?;
                Some(Credentials::new(user.clone(), password.expose().to_owned()))
            }
            _ => None,
        };
        let mut owners = BTreeMap::new();
        for (owner, text) in &config.owners {
            owners.insert(owner.clone(), address(&format!("owners.{owner}"), text)?);
        }
        Ok(Self {
            clock: Arc::clone(clock),
            origin: config.origin(),
            peers: Peers::of(&[flow(config)]),
            security: config.security,
            tls: tls(config, folder)?,
            hello: config.greets_as.clone().map_or_else(ClientId::default, ClientId::Domain),
            login,
            from: address("from", &config.from)?,
            to: address("to", &config.to)?,
            owners,
        })
    }

    /// Hands `alert` over as a message of `now`. The same alert twice is the same message:
    /// it may be sent again.
    ///
    /// # Errors
    /// When it could not be handed over, or was not taken.
    pub(super) async fn send(&self, alert: &Alert, now: Timestamp) -> Result<(), Failure> {
        let to = self.owners.get(&alert.owner).unwrap_or(&self.to);
        let letter = letter(alert, &self.from, to, now)
            .map_err(|error| Failure::internal(format!("{MAIL}: can't write it: {error}")))?;
        let handed = pin!(self.hand_over(&letter, to));
        let mut connection = match select(handed, self.clock.sleep(WHOLE)).await {
            Either::Left((handed, _)) => handed?,
            Either::Right(_) => return Err(self.too_slow("did not take it", WHOLE)),
        };
        let farewell = self.clock.sleep(FAREWELL);
        tokio::spawn(async move {
            let _ = select(pin!(connection.quit()), farewell).await;
        });
        Ok(())
    }

    async fn hand_over(
        &self,
        letter: &Message,
        to: &Address,
    ) -> Result<AsyncSmtpConnection, Failure> {
        self.peers.let_out(Some(&self.origin)).map_err(|error| unsent(&error))?;
        let mut connection = self.connect().await?;
        if let (MailSecurity::Starttls, Some(tls)) = (self.security, &self.tls) {
            if !connection.can_starttls() {
                let what = "the server offers no STARTTLS; no password and no message was sent";
                return Err(Failure::usage(format!("{MAIL}: {what}")).cure(
                    "name the port at which it does (587 at most servers), or write `security: \
                     tls` with the port of TLS (465)",
                ));
            }
            let upgraded = connection.starttls(tls.clone(), &self.hello).await;
            upgraded.map_err(|error| refused("STARTTLS", &error, SEE))?;
        }
        if let Some(login) = &self.login {
            if connection.server_info().get_auth_mechanism(&MECHANISMS).is_none() {
                let what = "the server offers no log-in by PLAIN or LOGIN";
                return Err(Failure::usage(format!("{MAIL}: {what}")).cure(
                    "see `run.alerts.email.port` and `security`: many servers offer it under TLS \
                     only; remove `user` and `password` where it takes messages without them",
                ));
            }
            let cure = "see `user` and `password` of `run.alerts.email`";
            let known = connection.auth(&MECHANISMS, login).await;
            known.map_err(|error| refused("log-in", &error, cure))?;
        }
        let cure = "see `from`, `to` and `owners` of `run.alerts.email`, and what the server lets \
                    this machine send";
        let taken = connection.send(letter.envelope(), &letter.formatted()).await;
        taken.map_err(|error| refused(&format!("message to {to}"), &error, cure))?;
        Ok(connection)
    }

    /// A connection that was greeted.
    async fn connect(&self) -> Result<AsyncSmtpConnection, Failure> {
        let Origin { host, port, .. } = &self.origin;
        let limit = self.clock.sleep(CONNECT);
        if let (MailSecurity::Tls, Some(tls)) = (self.security, &self.tls) {
            let peer = (host.as_str(), *port);
            let (hello, tls) = (&self.hello, Some(tls.clone()));
            let connecting = AsyncSmtpConnection::connect_tokio1(peer, None, hello, tls, None);
            return match select(pin!(connecting), limit).await {
                Either::Left((made, _)) => made.map_err(|error| refused("connection", &error, SEE)),
                Either::Right(_) => Err(self.too_slow("did not greet", CONNECT)),
            };
        }
        let connecting = async {
            let stream = TcpStream::connect((host.as_str(), *port)).await.map_err(|error| {
                Failure::new(Exit::Transient, format!("{MAIL}: {}: {error}", self.origin)).cure(SEE)
            })?;
            let stream = Box::new(OneLine::new(stream));
            let greeted = AsyncSmtpConnection::connect_with_transport(stream, &self.hello).await;
            greeted.map_err(|error| refused("greeting", &error, SEE))
        };
        match select(pin!(connecting), limit).await {
            Either::Left((made, _)) => made,
            Either::Right(_) => Err(self.too_slow("did not greet", CONNECT)),
        }
    }

    fn too_slow(&self, what: &str, limit: Duration) -> Failure {
        let seconds = limit.as_secs();
        let text = format!("{MAIL}: {} {what} within {seconds} s", self.origin);
        Failure::new(Exit::Transient, text).cure(SEE)
    }
}

/// What is done, as a failure names it.
const MAIL: &str = "mail an alert";
/// What usually helps.
const SEE: &str = "see `run.alerts.email` and the server that it names; `planthread flows` prints \
                   the connection that a firewall must let through";

/// Whom we trust, where TLS is asked for.
fn tls(config: &Email, folder: &Path) -> Result<Option<TlsParameters>, SettingsFault> {
    if config.security == MailSecurity::None {
        return Ok(None);
    }
    let authorities =
        config.network.authorities(folder).map_err(|fault| fault.inside("network"))?;
    let only = config.network.only_private_ca && !authorities.is_empty();
    let base = if only { CertificateStore::None } else { CertificateStore::Default };
    let fault = |error: Error| {
        SettingsFault::new("network", redact::text(&error.to_string())).cure(
            "install the system's CA certificates, or trust only a private CA \
             (`only_private_ca`)",
        )
    };
    let mut tls = TlsParameters::builder(config.origin().host).certificate_store(base);
    for authority in authorities {
        tls = tls.add_root_certificate(Certificate::from_der(authority).map_err(fault)?);
    }
    tls.build().map(Some).map_err(fault)
}

/// What the server, or the way to it, refused at `step`. Refused for good or for now, it is
/// tried again: a person may correct it meanwhile.
fn refused(step: &str, error: &Error, cure: &str) -> Failure {
    if let Some(untrusted) = untrusted(error) {
        return unsent(&untrusted);
    }
    let why = redact::text(&error.to_string());
    if error.is_permanent() {
        let text = format!("{MAIL}: {step}: the server refuses it for good: {why}");
        return Failure::usage(text).cure(cure);
    }
    let text = match error.is_transient() {
        true => format!("{MAIL}: {step}: the server does not take it for now: {why}"),
        false => format!("{MAIL}: {step}: {why}"),
    };
    Failure::new(Exit::Transient, text).cure(SEE)
}

/// What did not leave this machine.
fn unsent(error: &SendError) -> Failure {
    let (exit, cure) = error.hopeless.map_or((Exit::Transient, SEE), |hopeless| {
        (Exit::of_class(hopeless.class()), hopeless.cure())
    });
    Failure::new(exit, format!("{MAIL}: {}", error.message)).cure(cure)
}

#[cfg(test)]
mod tests;
