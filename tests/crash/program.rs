//! The program as a child process, and a project folder for it.
//!
//! A child is killed when its handle is dropped, so that no test leaves a
//! process behind. Waiting ends after [`LIMIT`]; no shorter time decides.

use std::{
    fs,
    io::{BufRead as _, BufReader, Read as _},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread::JoinHandle,
    time::Duration,
};

use jiff::Timestamp;
use planthread_kit::{Clock as _, SystemClock};

/// When to give up waiting: far beyond anything that a loaded machine takes.
pub(crate) const LIMIT: Duration = Duration::from_secs(300);

/// What happens while a child runs.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// It printed a line on standard output.
    Line(String),
    /// It closed its standard output: it has ended, or is about to.
    End,
    /// Its other side has reached the point that a test waits for.
    Reached,
}

/// A child process.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    events: Receiver<Event>,
    stderr: Option<JoinHandle<String>>,
    told: String,
    over: bool,
}

/// How a child ended.
#[derive(Debug)]
pub(crate) struct Ended {
    /// Exit code; `None` when a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Running {
    /// Starts the program in `folder`. Whoever holds `sender` can tell the
    /// test that a point is reached.
    fn start(folder: &Path, arguments: &[&str], (sender, events): Channel) -> Self {
        let mut child = Command::new(env!("CARGO_BIN_EXE_planthread"))
            .args(arguments)
            .current_dir(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let (stdout, stderr) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(Event::Line(line));
            }
            let _ = sender.send(Event::End);
        });
        let stderr = std::thread::spawn(move || {
            let mut text = String::new();
            let _ = BufReader::new(stderr).read_to_string(&mut text);
            text
        });
        Self { child, events, stderr: Some(stderr), told: String::new(), over: false }
    }

    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Its standard input; dropped, it is at its end.
    pub(crate) fn stdin(&mut self) -> ChildStdin {
        self.child.stdin.take().unwrap()
    }

    /// The next thing that happens.
    fn event(&mut self, wait: Duration) -> Result<Event, RecvTimeoutError> {
        let event = self.events.recv_timeout(wait)?;
        if let Event::Line(line) = &event {
            self.told.push_str(line);
            self.told.push('\n');
        }
        self.over |= event == Event::End;
        Ok(event)
    }

    /// Waits for the next line.
    pub(crate) fn line(&mut self) -> String {
        match self.event(LIMIT) {
            Ok(Event::Line(line)) => line,
            other => panic!("no line: {other:?}, {:?}", self.kill()),
        }
    }

    /// Waits until the point is reached; `false` when it ended without.
    pub(crate) fn reaches(&mut self) -> bool {
        loop {
            match self.event(LIMIT) {
                Ok(Event::Line(_)) => {}
                Ok(Event::Reached) => return true,
                Ok(Event::End) => return false,
                Err(error) => panic!("neither point nor end: {error}, {:?}", self.kill()),
            }
        }
    }

    /// Waits at most `wait` for anything to happen. The verbs print when they
    /// are done, so whatever happens is their end.
    pub(crate) fn outlives(&mut self, wait: Duration) -> bool {
        !self.over && self.event(wait) == Err(RecvTimeoutError::Timeout)
    }

    /// Waits for its end.
    pub(crate) fn ended(mut self) -> Ended {
        drop(self.child.stdin.take());
        while !self.over {
            self.reaches();
        }
        self.collect()
    }

    /// Kills it with SIGKILL.
    pub(crate) fn kill(&mut self) -> Ended {
        // It may have ended by itself a moment ago.
        let _ = self.child.kill();
        self.collect()
    }

    fn collect(&mut self) -> Ended {
        let code = self.child.wait().unwrap().code();
        let stderr = self.stderr.take().map(|text| text.join().unwrap()).unwrap_or_default();
        Ended { code, stdout: std::mem::take(&mut self.told), stderr }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    /// Its answer, when it ended with `code`.
    #[track_caller]
    pub(crate) fn must(self, code: i32) -> String {
        assert_eq!(self.code, Some(code), "{self:?}");
        self.stdout
    }

    /// Its answer as JSON, when it ended with `code`.
    #[track_caller]
    pub(crate) fn json(self, code: i32) -> serde_json::Value {
        let text = self.must(code);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }
}

/// What tells a test how a child fares.
pub(crate) type Channel = (Sender<Event>, Receiver<Event>);

/// A folder as `planthread init` writes it, removed at the end.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) folder: PathBuf,
    written: String,
    /// The instant that every verb speaks for, so that an hour that ends
    /// meanwhile changes no wanted value.
    as_of: Timestamp,
}

impl Project {
    /// Runs `init` in a new folder.
    pub(crate) fn init(name: &str) -> Self {
        let unique = format!("planthread-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(unique);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Running::start(&folder, &["init", "."], channel()).ended().must(0);
        let written = fs::read_to_string(folder.join("planthread.yaml")).unwrap();
        let hour = SystemClock::new().now().as_second().div_euclid(3_600) * 3_600;
        Self { folder, written, as_of: Timestamp::from_second(hour).unwrap() }
    }

    /// Points the project at `host`: a profile with a fixed instant, a horizon
    /// of a few weeks, and imports cut into several small transactions.
    /// `grace` is how many seconds a commit of unknown fate may take to arrive.
    pub(crate) fn aim(&self, host: &str, grace: u32) {
        let profile = format!(
            "  test:
    plant:
      as_of: {}
      horizon: {{ past_weeks: 1, future_weeks: 3 }}
    targets:
      ibp:
        settings:
          host: {host}
          transaction: {{ values_per_post: 35, segment_rows: 16 }}
          polling: {{ settle_grace_seconds: {grace} }}
        delivery: {{ poll_every_seconds: 1 }}
",
            self.as_of
        );
        fs::write(self.folder.join("planthread.yaml"), self.written.clone() + &profile).unwrap();
    }

    /// Adds text to a file of the folder.
    pub(crate) fn append(&self, file: &str, text: &str) {
        let file = self.folder.join(file);
        let old = fs::read_to_string(&file).unwrap();
        fs::write(&file, old + text).unwrap();
    }

    /// Changes the configuration that `init` wrote, for the next [`Self::aim`].
    pub(crate) fn rewrite(&mut self, from: &str, to: &str) {
        assert!(self.written.contains(from), "{from} is not in the configuration");
        self.written = self.written.replace(from, to);
    }

    /// Starts a verb without a profile.
    pub(crate) fn plain(&self, arguments: &[&str]) -> Running {
        Running::start(&self.folder, arguments, channel())
    }

    /// Starts a verb with the profile of [`Self::aim`].
    pub(crate) fn start(&self, arguments: &[&str]) -> Running {
        self.start_on(arguments, channel())
    }

    /// The same; somebody else holds the channel's sender, too.
    pub(crate) fn start_on(&self, arguments: &[&str], channel: Channel) -> Running {
        let all = [&["--profile", "test"], arguments].concat();
        Running::start(&self.folder, &all, channel)
    }

    /// Runs a verb to its end.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ended {
        self.start(arguments).ended()
    }

    /// The state directory.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join("planthread-state")
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
