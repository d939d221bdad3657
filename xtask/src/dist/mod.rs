//! A release: the program without a need for anything on the machine, what a service
//! needs around it, what it is made of, and the digests of all of that.

mod sbom;

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

use planthread_kit::agreement::SigningKey;
use sha2::{Digest as _, Sha256};

/// Linked without the machine's C library, so that it runs on any Linux.
const STATIC: &str = "x86_64-unknown-linux-musl";

/// What a release says to cargo beside `--release`: the first build of the README
/// leaves the command line unoptimized, because it has somebody wait for it.
pub(crate) const AS_SHIPPED: [&str; 2] =
    ["--config", "profile.release.package.planthread.opt-level=2"];

/// Files of the repository that go with the program, and what they are called there.
const BESIDE: [(&str, &str); 7] = [
    ("LICENSE", "LICENSE"),
    ("NOTICE", "NOTICE"),
    ("SECURITY.md", "SECURITY.md"),
    ("CHANGELOG.md", "CHANGELOG.md"),
    ("packaging/README.md", "README.md"),
    ("packaging/systemd/planthread.service", "planthread.service"),
    ("packaging/container/Containerfile", "Containerfile"),
];

const SHELLS: [&str; 3] = ["bash", "fish", "zsh"];

/// Shells out for what is built, of which commit, and where it goes.
struct Release {
    root: PathBuf,
    target: String,
    commit: String,
    /// Seconds since 1970 of the commit: the only time that goes into the files.
    time: String,
    folder: PathBuf,
}

/// Makes a release as `options` say: `--target TRIPLE`, `--out DIR`, `--key FILE`.
pub(crate) fn dist(options: &[&str]) -> Result<String, String> {
    let (mut target, mut out, mut key) = (STATIC, None, None);
    for pair in options.chunks(2) {
        match pair {
            ["--target", triple] => target = triple,
            ["--out", dir] => out = Some(PathBuf::from(dir)),
            ["--key", file] => key = Some(PathBuf::from(file)),
            other => return Err(format!("dist takes --target, --out and --key, not {other:?}")),
        }
    }
    let root = PathBuf::from(said(Command::new("git").args(["rev-parse", "--show-toplevel"]))?);
    let changed = said(Command::new("git").args(["status", "--porcelain"]))?;
    if !changed.is_empty() {
        return Err(format!("a release is of a commit, and this tree differs:\n{changed}"));
    }
    let commit = said(Command::new("git").args(["rev-parse", "HEAD"]))?;
    let time = said(Command::new("git").args(["log", "-1", "--format=%ct"]))?;
    let name = format!("planthread-{}-{target}", env!("CARGO_PKG_VERSION"));
    let folder = out.unwrap_or_else(|| root.join("target/dist")).join(name);
    let release = Release { root, target: target.to_owned(), commit, time, folder };
    let program = release.build()?;
    release.fill(&program)?;
    release.close(key.as_deref())
}

impl Release {
    /// Builds the program so that the same commit gives the same bytes, wherever the
    /// sources and the registry lie.
    fn build(&self) -> Result<PathBuf, String> {
        let target_dir = self.root.join("target/dist-build");
        let home = env::var("CARGO_HOME").map(PathBuf::from).ok();
        let home = home.or_else(|| Some(PathBuf::from(env::var("HOME").ok()?).join(".cargo")));
        let mut maps = vec![(self.root.clone(), "/planthread")];
        maps.extend(home.map(|home| (home, "/cargo")));
        // The profile can't say so: cargo forgets it where a package has a profile of its own.
        let mut rust = vec!["-Cstrip=symbols".to_owned()];
        let mapped =
            |(from, to): &(PathBuf, &str)| format!("--remap-path-prefix={}={to}", from.display());
        rust.extend(maps.iter().map(mapped));
        let c: Vec<String> = maps
            .iter()
            .map(|(from, to)| format!("-ffile-prefix-map={}={to}", from.display()))
            .collect();
        let built = Command::new(env::var("CARGO").unwrap_or_else(|_| "cargo".to_owned()))
            .current_dir(&self.root)
            .args(["build", "--release", "--locked", "--package", "planthread"])
            .args(AS_SHIPPED)
            .args(["--target", &self.target, "--target-dir"])
            .arg(&target_dir)
            .env("CARGO_ENCODED_RUSTFLAGS", rust.join("\u{1f}"))
            .env("CFLAGS", c.join(" "))
            .env("PLANTHREAD_COMMIT", &self.commit)
            .env("SOURCE_DATE_EPOCH", &self.time)
            .status();
        match built {
            Ok(status) if status.success() => {
                Ok(target_dir.join(&self.target).join("release/planthread"))
            }
            Ok(_) => Err(format!(
                "the program could not be built for {}; it needs `rustup target add {}`, and for \
                 musl the package musl-tools",
                self.target, self.target
            )),
            Err(error) => Err(format!("cargo: {error}")),
        }
    }

    /// Puts everything into the folder; what was there before is gone.
    fn fill(&self, program: &Path) -> Result<(), String> {
        let at = |error: std::io::Error| format!("{}: {error}", self.folder.display());
        if self.folder.exists() {
            fs::remove_dir_all(&self.folder).map_err(at)?;
        }
        for inside in ["completions", "state"] {
            fs::create_dir_all(self.folder.join(inside)).map_err(at)?;
        }
        let ours = self.folder.join("planthread");
        fs::copy(program, &ours).map_err(at)?;
        for (from, to) in BESIDE {
            fs::copy(self.root.join(from), self.folder.join(to))
                .map_err(|error| format!("{from}: {error}"))?;
        }
        for shell in SHELLS {
            let script = said(Command::new(&ours).args(["completions", shell]))?;
            fs::write(self.folder.join("completions").join(shell), script + "\n").map_err(at)?;
        }
        said(Command::new(&ours).arg("man").arg(self.folder.join("man")))?;
        let bill = sbom::of(&self.root, &self.target, &self.commit, &self.time)?;
        fs::write(self.folder.join("planthread.cdx.json"), bill).map_err(at)
    }

    /// Writes the digests of all files, signs them where there is a key, and says what
    /// is there.
    fn close(&self, key: Option<&Path>) -> Result<String, String> {
        let at = |error: std::io::Error| format!("{}: {error}", self.folder.display());
        let mut sums = String::new();
        for file in files(&self.folder).map_err(at)? {
            let digest = Sha256::digest(fs::read(self.folder.join(&file)).map_err(at)?);
            sums.push_str(&format!("{digest:x}  {file}\n"));
        }
        fs::write(self.folder.join("SHA256SUMS"), &sums).map_err(at)?;
        let mut told = format!("{}\n{sums}", self.folder.display());
        if let Some(file) = key {
            let seed =
                fs::read_to_string(file).map_err(|error| format!("{}: {error}", file.display()))?;
            let key = SigningKey::read(&seed).ok_or_else(|| {
                format!("{} is no key; `planthread agreement key` makes one", file.display())
            })?;
            let signature = key.sign_bytes(sums.as_bytes());
            fs::write(self.folder.join("SHA256SUMS.sig"), signature).map_err(at)?;
            told.push_str(&format!("signed with the key whose public half is {}\n", key.public()));
        }
        Ok(told)
    }
}

/// Every file below `folder`, by its path in there, in order.
fn files(folder: &Path) -> std::io::Result<Vec<String>> {
    let mut found = Vec::new();
    let mut open = vec![folder.to_owned()];
    while let Some(dir) = open.pop() {
        for entry in fs::read_dir(dir)? {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else if let Ok(inside) = path.strip_prefix(folder) {
                found.push(inside.display().to_string());
            }
        }
    }
    found.sort();
    Ok(found)
}

/// What a command prints.
fn said(command: &mut Command) -> Result<String, String> {
    let shown = format!("{command:?}");
    let output = command.output().map_err(|error| format!("{shown}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{shown}: {}", String::from_utf8_lossy(&output.stderr)));
    }
    Ok(String::from_utf8_lossy(&output.stdout).trim_end().to_owned())
}
