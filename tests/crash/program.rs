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
use planthread::{
    config,
    registry::{Registered, TARGETS},
};
use planthread_kit::{Clock as _, SystemClock};
use serde_json::{Value, json};

use crate::{answers, way::Way};

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

/// Runs that may find that a lost write can still arrive, or that the target is left
/// alone after failures; a second each.
const RESCUES: usize = 40;

/// Lets time pass.
pub(crate) fn pause(wait: Duration) {
    let (_keep, never) = channel::<()>();
    let _ = never.recv_timeout(wait);
}

/// A child process.
#[derive(Debug)]
pub(crate) struct Running {
    child: Child,
    events: Receiver<Event>,
    stderr: Option<JoinHandle<String>>,
    told: String,
    over: bool,
    json: bool,
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
        let json = arguments.contains(&"--json");
        Self { child, events, stderr: Some(stderr), told: String::new(), over: false, json }
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

    /// Waits for its end. What it printed as JSON is as its schema says.
    #[track_caller]
    pub(crate) fn ended(mut self) -> Ended {
        drop(self.child.stdin.take());
        while !self.over {
            self.reaches();
        }
        let ended = self.collect();
        if self.json {
            answers::valid(&ended.stdout);
            answers::valid(&ended.stderr);
        }
        ended
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
    pub(crate) fn json(self, code: i32) -> Value {
        let text = self.must(code);
        serde_json::from_str(&text).unwrap_or_else(|error| panic!("{error} in {text}"))
    }
}

/// What tells a test how a child fares.
pub(crate) type Channel = (Sender<Event>, Receiver<Event>);

/// What a target's `quick.json` says: how its starting point and its sandbox are
/// set for tests in real time. Pushes are cut into several requests, and nothing
/// waits longer than a test can.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Quick {
    /// What goes on top of each target of the starting point.
    pub(crate) target: Value,
    /// Options of the sandbox on top of those of the demo.
    pub(crate) sandbox: Vec<(String, String)>,
    /// Weeks ahead that are planned, where three are too few for a hundred cells.
    pub(crate) future_weeks: Option<u32>,
}

impl Quick {
    /// That of a kind of target; one without the file needs none.
    pub(crate) fn of(registered: &Registered) -> Self {
        let file = format!("connectors/{}/quick.json", registered.target.name);
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(&file);
        match fs::read_to_string(path) {
            Ok(text) => {
                serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"))
            }
            Err(_) => Self::default(),
        }
    }
}

/// A folder as `planthread init` writes it, removed at the end.
#[derive(Debug)]
pub(crate) struct Project {
    pub(crate) folder: PathBuf,
    pub(crate) registered: &'static Registered,
    pub(crate) way: Way,
    written: String,
    /// The instant that every verb speaks for, so that an hour that ends
    /// meanwhile changes no wanted value.
    as_of: Timestamp,
}

impl Project {
    /// Runs `init` in a new folder, for the first of all targets.
    pub(crate) fn init(name: &str) -> Self {
        Self::of(&TARGETS[0], name)
    }

    /// Runs `init --target` in a new folder.
    pub(crate) fn of(registered: &'static Registered, name: &str) -> Self {
        Self::set_up(registered, &Way::default(), name)
    }

    /// The same, set up in some way.
    pub(crate) fn set_up(registered: &'static Registered, way: &Way, name: &str) -> Self {
        let (kind, word) = (registered.target.name, way.of(registered));
        let unique = format!("planthread-{word}-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(unique);
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        Running::start(&folder, &["init", ".", "--target", kind], channel()).ended().must(0);
        let written = fs::read_to_string(folder.join("planthread.yaml")).unwrap();
        let hour = SystemClock::new().now().as_second().div_euclid(3_600) * 3_600;
        let (written, way) = (way.rewritten(written), way.clone());
        Self { folder, registered, way, written, as_of: Timestamp::from_second(hour).unwrap() }
    }

    /// The same project in a folder of its own, with everything that is in it: no
    /// process is run for it.
    pub(crate) fn copied(&self, name: &str) -> Self {
        let word = self.way.of(self.registered);
        let unique = format!("planthread-{word}-{name}-{}", std::process::id());
        let folder = std::env::temp_dir().join(unique);
        copy(&self.folder, &folder);
        let (way, written) = (self.way.clone(), self.written.clone());
        Self { folder, registered: self.registered, way, written, as_of: self.as_of }
    }

    /// Points the project at `host`: a profile with a fixed instant, a horizon
    /// of a few weeks, and what the target's `quick.json` says.
    pub(crate) fn aim(&self, host: &str) {
        self.aim_with(host, &Value::Null);
    }

    /// The same; `settings` go on top.
    pub(crate) fn aim_with(&self, host: &str, settings: &Value) {
        let file = self.folder.join("planthread.yaml");
        let here = format!("http://{}", self.registered.sandbox.listen);
        assert!(self.written.contains(&here), "{here} is not in the configuration");
        let text = self.written.replace(&here, host);
        fs::write(&file, &text).unwrap();
        let mut target = json!({ "delivery": { "poll_every_seconds": 1, "leave_alone_seconds": 2 },
            "policy": { "settle_minutes": 0 } });
        merge(&mut target, &Quick::of(self.registered).target);
        merge(&mut target, &json!({ "settings": settings }));
        let weeks = Quick::of(self.registered).future_weeks.unwrap_or(3);
        let names = config::load(&file, None).unwrap().config.targets.into_keys();
        let set_up = |name: String| {
            let mut target = target.clone();
            merge(&mut target, &self.way.targets[&name]);
            (name, target)
        };
        let targets: serde_json::Map<_, _> = names.map(set_up).collect();
        let profile = json!({ "targets": targets, "plant": { "as_of": self.as_of,
            "horizon": { "past_weeks": 1, "future_weeks": weeks } } });
        // JSON is YAML.
        fs::write(&file, format!("{text}  test: {profile}\n")).unwrap();
    }

    /// Adds to the profile of the last [`Self::aim`].
    pub(crate) fn also(&self, more: &Value) {
        let file = self.folder.join("planthread.yaml");
        let text = fs::read_to_string(&file).unwrap();
        let (before, profile) = text.rsplit_once("  test: ").unwrap();
        let mut profile: Value = serde_json::from_str(profile).unwrap();
        merge(&mut profile, more);
        fs::write(&file, format!("{before}  test: {profile}\n")).unwrap();
    }

    /// The configuration as its verbs read it.
    pub(crate) fn config(&self) -> config::Config {
        config::load(&self.folder.join("planthread.yaml"), Some("test")).unwrap().config
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

    /// Runs a verb until everything has landed: where a lost write may still
    /// arrive, its cells wait, and the next run goes on.
    pub(crate) fn rescue(&self, verb: &[&str], when: &str) {
        let mut ended = self.run(verb);
        for _ in 0..RESCUES {
            if !matches!(ended.code, Some(1 | 3)) {
                break;
            }
            pause(Duration::from_secs(1));
            ended = self.run(verb);
        }
        assert_eq!(ended.code, Some(0), "{when}: {ended:?}");
    }

    /// The state directory.
    pub(crate) fn state(&self) -> PathBuf {
        self.folder.join("planthread-state")
    }
}

/// Makes `to` what the folder `from` is.
pub(crate) fn copy(from: &Path, to: &Path) {
    let _ = fs::remove_dir_all(to);
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            fs::copy(entry.path(), to).unwrap();
        }
    }
}

/// Puts the fields of `more` into `into`, map by map.
pub(crate) fn merge(into: &mut Value, more: &Value) {
    match (into, more) {
        (Value::Object(fields), Value::Object(more)) => {
            for (name, value) in more {
                merge(fields.entry(name.clone()).or_insert(Value::Null), value);
            }
        }
        (_, Value::Null) => {}
        (into, other) => *into = other.clone(),
    }
}

impl Drop for Project {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.folder);
    }
}
