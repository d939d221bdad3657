//! A pack at its second place: a real OpenSSH server on loopback, another host key, and a
//! server that never says a word.

use std::{
    collections::BTreeMap,
    fs,
    net::{TcpListener, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::Duration,
};

use planthread::registry::TARGETS;
use serde_json::{Value, json};

use crate::{
    program::{LIMIT, Project, pause},
    site::Site,
};

const SSHD: &str = "/usr/sbin/sshd";
const RUN: [&str; 3] = ["run", "--once", "--json"];

/// An OpenSSH server with a key of its own, ended when it is dropped.
struct Server {
    child: Child,
    port: u16,
    folder: PathBuf,
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Server {
    /// Starts one in `project`; nothing where this machine has none, which `.ci/run`
    /// does not let pass.
    fn start(project: &Project) -> Option<Self> {
        if !Path::new(SSHD).exists() {
            assert!(std::env::var_os("PLANTHREAD_SKIPS").is_none(), "{SSHD} is not installed");
            return None;
        }
        let folder = project.folder.join("ssh");
        fs::create_dir_all(folder.join("share")).unwrap();
        for name in ["host", "client", "other"] {
            let file = folder.join(name);
            let made = Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(&file)
                .status();
            assert!(made.unwrap().success());
        }
        fs::copy(folder.join("client.pub"), folder.join("authorized")).unwrap();
        // Where an account of the system starts it, it wants this folder.
        let _ = fs::create_dir_all("/run/sshd");
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let at = |name: &str| folder.join(name).display().to_string();
        let config = format!(
            "ListenAddress 127.0.0.1\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
             StrictModes no\nUsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n\
             PermitRootLogin prohibit-password\nSubsystem sftp internal-sftp\n",
            at("host"),
            at("authorized")
        );
        fs::write(folder.join("sshd_config"), config).unwrap();
        let log = fs::File::create(folder.join("log")).unwrap();
        let child = Command::new(SSHD)
            .args(["-D", "-e", "-f"])
            .arg(folder.join("sshd_config"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .unwrap();
        let mut server = Self { child, port, folder };
        server.wait();
        let known = |name: &str| {
            let key = fs::read_to_string(server.folder.join(format!("{name}.pub"))).unwrap();
            fs::write(
                server.folder.join(format!("{name}.known")),
                format!("[127.0.0.1]:{port} {key}"),
            )
        };
        known("host").unwrap();
        known("other").unwrap();
        Some(server)
    }

    /// Waits until it listens.
    fn wait(&mut self) {
        let step = Duration::from_millis(20);
        for _ in 0..LIMIT.as_millis() / step.as_millis() {
            if TcpStream::connect(("127.0.0.1", self.port)).is_ok() {
                return;
            }
            let ended = self.child.try_wait().unwrap();
            let log = || fs::read_to_string(self.folder.join("log")).unwrap_or_default();
            assert!(ended.is_none(), "{ended:?}: {}", log());
            pause(step);
        }
        panic!("nobody listens on {}", self.port);
    }

    fn share(&self) -> PathBuf {
        self.folder.join("share/ibp packs")
    }
}

/// What the configuration says of a second place.
fn place(folder: &Path, port: u16, path: &Path, known: &str) -> Value {
    let user = Command::new("id").arg("-un").output().unwrap().stdout;
    json!({ "host": "127.0.0.1", "port": port, "user": String::from_utf8(user).unwrap().trim(),
        "path": path.display().to_string(), "key_file": folder.join("client"),
        "known_hosts": folder.join(known), "limit_seconds": 30 })
}

/// A project whose target packs into `packs`, and copies to `second`.
fn project(name: &str) -> (Project, Site) {
    let project = Project::of(&TARGETS[0], name);
    let site = Site::of(&project);
    project.aim(&site.url);
    project.run(&["ingest"]).must(0);
    (project, site)
}

fn with(project: &Project, pack: &Value) {
    let mut pack = pack.clone();
    pack["folder"] = "packs".into();
    project.also(&json!({ "targets": { "ibp": { "pack": pack } } }));
}

fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let read = |path: PathBuf| {
        (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap())
    };
    entries.map(read).collect()
}

/// The part of the one target in what `run --once` said; everything has landed.
fn landed(project: &Project, code: i32) -> Value {
    let done = project.run(&RUN).json(code)["targets"][0].clone();
    let status = project.run(&["status", "--json"]);
    let status: Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(status["scopes"][0]["wanted"], status["scopes"][0]["seen"], "{status}");
    assert_eq!(status["second_places"]["ibp"], done["second"], "{status}");
    done
}

#[test]
fn a_pack_arrives_whole_and_signed_and_the_one_before_stays() {
    let (project, _site) = project("sftp");
    let Some(server) = Server::start(&project) else { return };
    let made = project.run(&["agreement", "key", "pack.key", "--json"]).json(0);
    let second = place(&server.folder, server.port, &server.share(), "host.known");
    with(&project, &json!({ "sftp": second, "sign_with": "${file:pack.key}" }));
    let local = || files(&project.folder.join("packs/ibp/current"));
    let mut before = None;
    for round in 0..3 {
        let done = landed(&project, 0);
        assert_eq!(done["second"].get("fault"), None, "{done}");
        assert_eq!(done["second"]["pack_of"], done["pack"]["as_of"], "{done}");
        assert_eq!(files(&server.share().join("current")), local(), "round {round}");
        if let Some(before) = before {
            assert_eq!(files(&server.share().join("previous")), before, "round {round}");
        }
        assert!(!server.share().join(".part").exists());
        before = Some(local());
    }
    // What a copy left that was killed does not end up in a pack.
    fs::create_dir_all(server.share().join(".part")).unwrap();
    fs::write(server.share().join(".part/more.csv"), "half").unwrap();
    landed(&project, 0);
    assert_eq!(files(&server.share().join("current")), local());
    let current = server.share().join("current");
    let public = made["public"].as_str().unwrap();
    let check = ["fallback", "verify", current.to_str().unwrap(), "--key", public];
    project.plain(&check).ended().must(0);
    let said = project.run(&["fallback", "status"]).must(0);
    assert!(said.contains("sftp://"), "{said}");
    let sheet = project.run(&["flows"]).must(0);
    assert!(sheet.contains("targets.ibp.pack.sftp"), "{sheet}");
}

#[test]
fn another_host_key_is_refused_and_told_and_stops_nothing() {
    let (project, _site) = project("sftp-key");
    let Some(server) = Server::start(&project) else { return };
    let second = place(&server.folder, server.port, &server.share(), "other.known");
    with(&project, &json!({ "sftp": second }));
    let done = landed(&project, 1);
    assert!(done["second"]["fault"].as_str().unwrap().contains("sftp` ended"), "{done}");
    assert_eq!(done.get("stopped"), None, "{done}");
    assert!(!server.share().exists(), "nothing was written there");
    let said = project.run(&["status"]).must(1);
    assert!(said.contains("the pack did not arrive at sftp://"), "{said}");
}

#[test]
fn a_server_that_never_says_a_word_costs_its_limit_and_is_told() {
    let (project, _site) = project("sftp-dead");
    let Some(server) = Server::start(&project) else { return };
    let dead = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = dead.local_addr().unwrap().port();
    let mut second = place(&server.folder, port, &server.share(), "host.known");
    second["limit_seconds"] = 2.into();
    with(&project, &json!({ "sftp": second }));
    let done = landed(&project, 1);
    let fault = done["second"]["fault"].as_str().unwrap();
    assert!(fault.contains("within 2 s") || fault.contains("sftp` ended"), "{fault}");
    assert_eq!(done.get("stopped"), None, "{done}");
    drop(dead);
}
