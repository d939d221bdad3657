//! A mail server for one test: takes what it is sent, and behaves as the test says.
//!
//! It knows as much of SMTP (RFC 5321) as a client needs to get rid of a message. It
//! shares nothing with the client that is tested.

use std::{
    fmt, io,
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rustls::{
    ServerConfig,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio::{
    io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader},
    net::{TcpListener, TcpStream},
};
use tokio_rustls::TlsAcceptor;

use crate::Identity;

/// When the server encrypts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Encrypts {
    /// Never, and it does not offer it.
    Never,
    /// After STARTTLS.
    Asked,
    /// From the first byte.
    AtOnce,
}

/// What it does at a line of a client: `greeting` stands for the first word of its own,
/// `.` for the end of a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// What a server says that has nothing against it.
    Usual,
    /// This, as it stands.
    This(&'static str),
    /// Nothing, ever.
    Hang,
}

/// What each line is answered.
pub type Manner = dyn Fn(&str) -> Answer + Send + Sync;

/// A message that was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Taken {
    /// The address in RCPT.
    pub to: String,
    /// Headers and text, as they came.
    pub text: String,
}

impl Taken {
    /// The value of a header that is on one line.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        let (head, _) = self.text.split_once("\r\n\r\n")?;
        let value = |line: &'_ str| line.strip_prefix(name)?.strip_prefix(": ").map(str::len);
        let line = head.split("\r\n").find(|line| value(line).is_some())?;
        Some(&line[name.len() + 2..])
    }
}

/// The server. It ends with the runtime.
#[derive(Clone)]
pub struct MailSink {
    address: SocketAddr,
    log: Arc<Mutex<Log>>,
}

impl fmt::Debug for MailSink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailSink").field("address", &self.address).finish_non_exhaustive()
    }
}

#[derive(Debug, Default)]
struct Log {
    taken: Vec<Taken>,
    said: Vec<String>,
}

impl MailSink {
    /// Listens on a port of the loopback, and shows `identity` where it encrypts.
    ///
    /// # Errors
    /// When it can't listen, or the identity is none.
    pub async fn start(
        encrypts: Encrypts,
        identity: Option<&Identity>,
        manner: impl Fn(&str) -> Answer + Send + Sync + 'static,
    ) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let sink = Self { address: listener.local_addr()?, log: Arc::default() };
        let acceptor = identity.map(acceptor).transpose()?;
        let (log, manner): (_, Arc<Manner>) = (Arc::clone(&sink.log), Arc::new(manner));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (log, manner) = (Arc::clone(&log), Arc::clone(&manner));
                let session = Session { log, manner, encrypts, acceptor: acceptor.clone() };
                tokio::spawn(async move { session.run(stream).await });
            }
        });
        Ok(sink)
    }

    /// Where it listens.
    #[must_use]
    pub const fn port(&self) -> u16 {
        self.address.port()
    }

    /// The messages so far.
    #[must_use]
    pub fn taken(&self) -> Vec<Taken> {
        lock(&self.log).taken.clone()
    }

    /// Every line of its clients so far, without those of messages.
    #[must_use]
    pub fn said(&self) -> Vec<String> {
        lock(&self.log).said.clone()
    }
}

fn lock(log: &Mutex<Log>) -> MutexGuard<'_, Log> {
    log.lock().unwrap_or_else(PoisonError::into_inner)
}

fn acceptor(identity: &Identity) -> io::Result<TlsAcceptor> {
    let shown = CertificateDer::from(identity.certificate_der().to_vec());
    let key =
        PrivateKeyDer::from_pem_slice(identity.key_pem.as_bytes()).map_err(io::Error::other)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_no_client_auth()
        .with_single_cert(vec![shown], key)
        .map_err(io::Error::other)?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

struct Session {
    log: Arc<Mutex<Log>>,
    manner: Arc<Manner>,
    encrypts: Encrypts,
    acceptor: Option<TlsAcceptor>,
}

/// Why a conversation ends.
enum End {
    /// The client, or the connection, is gone.
    Over,
    /// It goes on under TLS.
    Encrypted,
}

impl Session {
    async fn run(&self, stream: TcpStream) -> io::Result<()> {
        if let (Encrypts::AtOnce, Some(acceptor)) = (self.encrypts, &self.acceptor) {
            let mut stream = BufReader::new(acceptor.accept(stream).await?);
            self.talk(&mut stream, true, true).await?;
            return Ok(());
        }
        let mut stream = BufReader::new(stream);
        if let (End::Encrypted, Some(acceptor)) =
            (self.talk(&mut stream, false, true).await?, &self.acceptor)
        {
            let mut stream = BufReader::new(acceptor.accept(stream.into_inner()).await?);
            self.talk(&mut stream, true, false).await?;
        }
        Ok(())
    }

    async fn talk<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut BufReader<S>,
        encrypted: bool,
        greets: bool,
    ) -> io::Result<End> {
        if greets {
            self.say(stream, "greeting", "220 sink ready").await?;
        }
        let mut to = String::new();
        loop {
            let mut line = String::new();
            if stream.read_line(&mut line).await? == 0 {
                return Ok(End::Over);
            }
            let line = line.trim_end().to_owned();
            lock(&self.log).said.push(line.clone());
            let verb = line.split([' ', ':']).next().unwrap_or_default().to_ascii_uppercase();
            match verb.as_str() {
                "EHLO" => {
                    let offers = self.encrypts == Encrypts::Asked && !encrypted;
                    let starttls = if offers { "250-STARTTLS\r\n" } else { "" };
                    let usual = format!("250-sink\r\n{starttls}250 AUTH PLAIN LOGIN");
                    self.say(stream, &line, &usual).await?;
                }
                "STARTTLS" => {
                    self.say(stream, &line, "220 go ahead").await?;
                    return Ok(End::Encrypted);
                }
                "AUTH" => _ = self.say(stream, &line, "235 welcome").await?,
                "RCPT" => {
                    let address = line.split(['<', '>']).nth(1).unwrap_or_default();
                    to = address.to_owned();
                    self.say(stream, &line, "250 ok").await?;
                }
                "DATA" => {
                    if self.say(stream, &line, "354 go ahead").await? {
                        let text = message(stream).await?;
                        self.take(stream, Taken { to: to.clone(), text }).await?;
                    }
                }
                "QUIT" => {
                    self.say(stream, &line, "221 bye").await?;
                    return Ok(End::Over);
                }
                _ => _ = self.say(stream, &line, "250 ok").await?,
            }
        }
    }

    /// Takes a message, unless it is refused. It is there before the client knows.
    async fn take<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut BufReader<S>,
        message: Taken,
    ) -> io::Result<()> {
        let answer = (self.manner)(".");
        if matches!(answer, Answer::Usual) {
            lock(&self.log).taken.push(message);
        }
        write(stream, answer, "250 taken").await?;
        Ok(())
    }

    /// Answers `line`, and says whether that was a yes.
    async fn say<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        stream: &mut BufReader<S>,
        line: &str,
        usual: &str,
    ) -> io::Result<bool> {
        write(stream, (self.manner)(line), usual).await
    }
}

/// Writes an answer, and says whether that was a yes.
async fn write<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
    answer: Answer,
    usual: &str,
) -> io::Result<bool> {
    let text = match answer {
        Answer::Usual => usual.to_owned(),
        Answer::This(text) => text.to_owned(),
        Answer::Hang => std::future::pending().await,
    };
    stream.write_all(format!("{text}\r\n").as_bytes()).await?;
    stream.flush().await?;
    Ok(text.starts_with(['2', '3']))
}

/// A message up to the line with one full stop, with the stuffed stops taken out.
async fn message<S: AsyncRead + AsyncWrite + Unpin>(
    stream: &mut BufReader<S>,
) -> io::Result<String> {
    let mut text = String::new();
    loop {
        let mut line = String::new();
        if stream.read_line(&mut line).await? == 0 || line == ".\r\n" {
            return Ok(text);
        }
        text.push_str(line.strip_prefix('.').unwrap_or(&line));
    }
}
