//! A copy of a pack on another machine, by OpenSSH's `sftp` as a child process.
//!
//! Commands go through its standard input, the key is named by its file, and the host
//! must be known: nothing secret stands on a command line, and nobody is asked. It
//! ends when it is done, when its limit has passed, or when nobody waits any more.
//! Why it is no library: `docs/adr/0028-sftp-is-openssh.md`.

mod batch;

use std::{
    fmt, fs,
    io::{Read as _, Write as _},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
        mpsc::{self, Receiver},
    },
    thread,
    time::Duration,
};

use planthread_kit::mask;

use crate::config::SftpPlace;

/// The client.
const PROGRAM: &str = "sftp";
/// Between two looks at it.
const LOOK: Duration = Duration::from_millis(20);
/// Seconds in which a connection must stand, at most.
const CONNECT_MAX: u64 = 20;
/// Bytes of what it complains about that are read.
const SAID_MAX: u64 = 16 << 10;
/// Lines of it that are told.
const SAID_LINES: usize = 3;

/// Why a copy did not arrive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum UploadFault {
    /// The pack can't be read.
    Pack(PathBuf, String),
    /// The client can't be started.
    Client(String),
    /// It took longer than so many seconds.
    Late(u64),
    /// The client gave up: how it ended, and what it said.
    Refused(String, String),
    /// Nobody waits for it any more.
    GivenUp,
}

impl fmt::Display for UploadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Pack(folder, why) => {
                write!(f, "can't read the pack in {}: {why}", folder.display())
            }
            Self::Client(why) => write!(f, "can't start `sftp`: {why}; install the OpenSSH client"),
            Self::Late(limit) => write!(f, "it did not end within {limit} s"),
            Self::Refused(how, said) => write!(f, "`sftp` {how}: {said}"),
            Self::GivenUp => f.write_str("it was given up: the bridge or the target was stopped"),
        }
    }
}

/// Asks a copy to end; dropped, it does.
#[derive(Debug, Default)]
pub(crate) struct Leash(Arc<AtomicBool>);

impl Leash {
    /// What the copy looks at.
    pub(crate) fn held(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }
}

impl Drop for Leash {
    fn drop(&mut self) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// Copies the pack in `folder` to `place`, as `current` there; the one before becomes
/// `previous`. Blocks, for the limit of the place at most, and until `over`.
///
/// # Errors
/// When it did not arrive. What was there stays.
pub(crate) fn upload(
    place: &SftpPlace,
    folder: &Path,
    over: &AtomicBool,
) -> Result<(), UploadFault> {
    let failed = |error: std::io::Error| UploadFault::Pack(folder.to_owned(), error.to_string());
    let read = || fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect();
    let read: std::io::Result<Vec<PathBuf>> = read();
    let mut files = read.map_err(failed)?;
    files.sort();
    let commands = batch::commands(&place.path, &files).ok_or_else(|| {
        UploadFault::Pack(folder.to_owned(), "a name in it is no text".to_owned())
    })?;
    let mut child = start(place).map_err(|error| UploadFault::Client(error.to_string()))?;
    if let Some(mut input) = child.stdin.take() {
        // Who ends early has closed it, and says why.
        thread::spawn(move || {
            let _ = input.write_all(commands.as_bytes());
        });
    }
    let said = child.stderr.take().map(read_aside);
    let limit = Duration::from_secs(place.limit_seconds);
    match ended(&mut child, limit, over) {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(UploadFault::Refused(how(status), last_words(said.as_ref()))),
        None => {
            // It may have ended by itself meanwhile: nothing is left to do then.
            let _ = child.kill();
            let _ = child.wait();
            Err(match over.load(Ordering::SeqCst) {
                true => UploadFault::GivenUp,
                false => UploadFault::Late(place.limit_seconds),
            })
        }
    }
}

fn start(place: &SftpPlace) -> std::io::Result<Child> {
    // The client reads `%` in a path as the beginning of something else.
    let path = |path: &Path| path.display().to_string().replace('%', "%%");
    let file = |name: &str, of: &Path| format!("{name}=\"{}\"", path(of));
    let mut client = Command::new(PROGRAM);
    // Nothing of the account's own configuration, agent, or list of hosts counts.
    client.args(["-b", "-", "-F", "none", "-P", &place.port.to_string()]);
    for option in [
        "BatchMode=yes".to_owned(),
        "StrictHostKeyChecking=yes".to_owned(),
        "UpdateHostKeys=no".to_owned(),
        "GlobalKnownHostsFile=none".to_owned(),
        // Beside the machine its `@` would be read anew.
        format!("User={}", place.user),
        file("UserKnownHostsFile", &place.known_hosts),
        file("IdentityFile", &place.key_file),
        "IdentitiesOnly=yes".to_owned(),
        "IdentityAgent=none".to_owned(),
        "PreferredAuthentications=publickey".to_owned(),
        "ConnectionAttempts=1".to_owned(),
        format!("ConnectTimeout={}", place.limit_seconds.min(CONNECT_MAX)),
        "ServerAliveInterval=5".to_owned(),
        "ServerAliveCountMax=2".to_owned(),
    ] {
        client.args(["-o", &option]);
    }
    client
        .arg("--")
        .arg(place.destination())
        .env_remove("SSH_AUTH_SOCK")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
}

/// How it ended; nothing when `limit` has passed, or it is `over`.
fn ended(child: &mut Child, limit: Duration, over: &AtomicBool) -> Option<ExitStatus> {
    for _ in 0..limit.as_millis() / LOOK.as_millis() {
        if let Ok(Some(status)) = child.try_wait() {
            return Some(status);
        }
        if over.load(Ordering::SeqCst) {
            return None;
        }
        thread::park_timeout(LOOK);
    }
    None
}

fn how(status: ExitStatus) -> String {
    status.code().map_or_else(|| "was killed".to_owned(), |code| format!("ended with {code}"))
}

/// What is said, read to its end beside us.
fn read_aside(output: impl std::io::Read + Send + 'static) -> Receiver<Vec<u8>> {
    let (tell, told) = mpsc::channel();
    thread::spawn(move || {
        let mut text = Vec::new();
        let _ = output.take(SAID_MAX).read_to_end(&mut text);
        // Nobody listens any more when it took too long.
        let _ = tell.send(text);
    });
    told
}

fn last_words(said: Option<&Receiver<Vec<u8>>>) -> String {
    let text = said.and_then(|said| said.recv_timeout(LOOK * 50).ok()).unwrap_or_default();
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<&str> = text.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
    let last = lines.get(lines.len().saturating_sub(SAID_LINES)..).unwrap_or_default();
    mask::text(&last.join("; ")).into_owned()
}
