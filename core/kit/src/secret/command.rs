//! `${cmd:COMMAND}`: which commands may run, and what one prints.
//!
//! Whoever may change the configuration must not thereby run commands on this
//! machine. So a command runs only where a file beside the configuration, which the
//! machine's owner keeps, has it on a line of its own.

use std::{
    io::Read as _,
    path::{Path, PathBuf},
    process::{Child, ChildStdout, ExitStatus, Stdio},
    sync::mpsc::{self, Receiver},
    time::Duration,
};

use super::{ENCODE, NO_TEXT, READ_MAX, SECRET_BYTES_MAX, SecretError, SecretRef};
use crate::files;

/// Names another file than the usual one.
const VARIABLE: &str = "PLANTHREAD_ALLOWED_COMMANDS";

/// The file in which the owner of this machine allows commands.
pub(super) fn list() -> PathBuf {
    if let Some(path) = std::env::var_os(VARIABLE) {
        return path.into();
    }
    let usual = Path::new("planthread").join("allowed-commands");
    match std::env::var_os("ProgramData") {
        Some(folder) if cfg!(windows) => Path::new(&folder).join(usual),
        _ => Path::new("/etc").join(usual),
    }
}

/// Whether `command` stands in `list`, which lies outside `base`, the folder of the
/// configuration, and which nobody but its owner may write or put another one in its place:
/// that is root, or the account of this program.
pub(super) fn may_run(
    of: &SecretRef,
    command: &str,
    base: &Path,
    list: &Path,
) -> Result<(), SecretError> {
    let text = match files::text(list) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            let none = format!("commands are off on this machine: there is no {}", list.display());
            return Err(of.fault(&none, ALLOW));
        }
        Err(error) => return Err(of.fault(&format!("{}: {error}", list.display()), ALLOW)),
    };
    let inside = match (list.canonicalize(), base.canonicalize()) {
        (Ok(list), Ok(base)) => list.starts_with(base),
        _ => false,
    };
    if inside {
        let inside = format!("{} lies in the folder of the configuration", list.display());
        return Err(of.fault(&inside, "keep it where who changes the configuration can't write"));
    }
    let whole = list.canonicalize().unwrap_or_else(|_| list.to_owned());
    for place in whole.ancestors() {
        if others_write(place) {
            let open = format!("{} can be written by others than its owner", place.display());
            let cure = "take the right to write from its group and from everybody";
            return Err(of.fault(&open, cure));
        }
        if !is_owned(place) {
            let other = format!("{} belongs to another account", place.display());
            return Err(of.fault(&other, "give it to root, or to the account of this program"));
        }
    }
    let allowed = text.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    if allowed.into_iter().any(|line| line == command.trim()) {
        return Ok(());
    }
    Err(of.fault(&format!("the command does not stand in {}", list.display()), ALLOW))
}

/// Whether others than its owner may write a file, or put another one in a folder. Where
/// each may remove only what is his (`/tmp`), that does not count.
#[cfg(unix)]
fn others_write(place: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt as _;
    std::fs::metadata(place).is_ok_and(|about| {
        let mode = about.permissions().mode();
        mode & 0o022 != 0 && !(about.is_dir() && mode & 0o1000 != 0)
    })
}

/// Whether a file or folder belongs to root or to the account of this program, where the
/// system shows processes as files.
#[cfg(target_os = "linux")]
fn is_owned(place: &Path) -> bool {
    use std::os::linux::fs::MetadataExt as _;
    let owner = |path: &Path| std::fs::metadata(path).map(|about| about.st_uid());
    match (owner(place), owner(Path::new("/proc/self"))) {
        (Ok(owner), Ok(own)) => owner == 0 || owner == own,
        _ => false,
    }
}

/// Elsewhere who owns it is not asked.
#[cfg(not(target_os = "linux"))]
fn is_owned(_: &Path) -> bool {
    true
}

/// Elsewhere a file has the rights of its folder.
#[cfg(not(unix))]
fn others_write(_: &Path) -> bool {
    false
}

const ALLOW: &str = "whoever owns this machine writes the command, as it stands in the reference, on \
                     a line of that file (PLANTHREAD_ALLOWED_COMMANDS names another file); or use \
                     ${env:NAME} or ${file:PATH}";

/// Runs `command` for `limit` at most. A command that asks a person, or a
/// vault that does not answer, would otherwise hold every verb for ever.
pub(super) fn run(
    of: &SecretRef,
    command: &str,
    base: &Path,
    limit: Duration,
) -> Result<String, SecretError> {
    let (shell, flag) = if cfg!(windows) { ("cmd", "/C") } else { ("sh", "-c") };
    let failed = |fault: std::io::Error| of.fault(&fault.to_string(), TRY);
    let mut program = std::process::Command::new(shell);
    // What the shell starts belongs to its group, and ends with it.
    #[cfg(unix)]
    std::os::unix::process::CommandExt::process_group(&mut program, 0);
    let mut child = program
        .args([flag, command])
        .current_dir(if base.as_os_str().is_empty() { Path::new(".") } else { base })
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .map_err(failed)?;
    let printed = child.stdout.take().map(read_aside);
    let ended = ended(&mut child, printed.as_ref(), limit).map_err(failed)?;
    if let Some((_, text)) = &ended
        && text.len() > SECRET_BYTES_MAX
    {
        return Err(of.too_long("what the command prints"));
    }
    let Some((status, text)) = ended else {
        // It may have ended by itself meanwhile: nothing is left to do then.
        end_group(&child);
        let _ = child.kill();
        let _ = child.wait();
        let late = format!("the command did not end within {} s", limit.as_secs());
        return Err(of.fault(&late, LATE));
    };
    if !status.success() {
        // What it printed stays out: it may be the secret.
        return Err(of.fault(&format!("the command ended with {status}"), TRY));
    }
    String::from_utf8(text).map_err(|_| of.fault(NO_TEXT, ENCODE))
}

/// Ends what the shell has started besides itself.
fn end_group(child: &Child) {
    #[cfg(unix)]
    let _ = std::process::Command::new("kill")
        .args(["-KILL", "--", &format!("-{}", child.id())])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    #[cfg(not(unix))]
    let _ = child;
}

/// How long a command may take to print its secret.
pub(super) const LIMIT: Duration = Duration::from_secs(30);
/// Between two looks at a command that has closed its output.
const LOOK: Duration = Duration::from_millis(10);

/// What is printed, read to its end beside us, or as far as a secret reaches: who
/// prints more finds the pipe closed.
fn read_aside(output: ChildStdout) -> Receiver<std::io::Result<Vec<u8>>> {
    let (tell, told) = mpsc::channel();
    std::thread::spawn(move || {
        let mut text = Vec::new();
        let read = output.take(READ_MAX).read_to_end(&mut text).map(|_| text);
        // Nobody listens any more when it took too long.
        let _ = tell.send(read);
    });
    told
}

/// How the child ended, and what it printed; nothing when `limit` has passed.
fn ended(
    child: &mut Child,
    printed: Option<&Receiver<std::io::Result<Vec<u8>>>>,
    limit: Duration,
) -> std::io::Result<Option<(ExitStatus, Vec<u8>)>> {
    let Some(printed) = printed else { return Ok(None) };
    let Ok(text) = printed.recv_timeout(limit) else { return Ok(None) };
    let text = text?;
    // The output is closed, so this is the end, but for a command that closes
    // it and goes on.
    for _ in 0..limit.as_millis() / LOOK.as_millis() {
        if let Some(status) = child.try_wait()? {
            return Ok(Some((status, text)));
        }
        std::thread::park_timeout(LOOK);
    }
    Ok(None)
}

const TRY: &str = "run it by hand as the same user";
const LATE: &str =
    "run it by hand as the same user; it must print the secret without asking anybody";

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::PermissionsExt as _};

    use super::*;

    /// What a reference yields on a machine that allows its command.
    fn printed(text: &str, base: &Path) -> Result<String, SecretError> {
        let reference: SecretRef = text.parse().unwrap();
        match &reference {
            SecretRef::Cmd(command) => run(&reference, command, base, LIMIT),
            _ => reference.resolve(base).map(|secret| secret.expose().to_owned()),
        }
    }

    #[test]
    fn a_command_runs_where_the_owner_of_the_machine_wrote_it_down() {
        let folder =
            std::env::temp_dir().join(format!("planthread-allowed-{}", std::process::id()));
        let base = folder.join("configuration");
        fs::create_dir_all(&base).unwrap();
        let may = |command: &str, list: &Path| {
            let reference = SecretRef::Cmd(command.to_owned());
            may_run(&reference, command, &base, list).map_err(|error| error.to_string())
        };
        let write = |list: &Path, mode: u32| {
            fs::write(list, "# by the owner\nprintf a\n").unwrap();
            fs::set_permissions(list, fs::Permissions::from_mode(mode)).unwrap();
        };
        let list = folder.join("allowed-commands");
        assert!(may("printf a", &list).unwrap_err().contains("are off on this machine"));
        write(&list, 0o644);
        assert_eq!(may("printf a", &list), Ok(()));
        for other in ["printf a; id", "printf", "", "# by the owner", "printf a\nid"] {
            assert!(may(other, &list).is_err(), "{other}");
        }
        write(&list, 0o664);
        assert!(may("printf a", &list).unwrap_err().contains("can be written by others"));
        write(&list, 0o644);
        // Who may write its folder, or one above it, may put another list there.
        let (deep, apart) = (folder.join("above").join("deep"), folder.join("above"));
        fs::create_dir_all(&deep).unwrap();
        let below = deep.join("allowed-commands");
        write(&below, 0o644);
        assert_eq!(may("printf a", &below), Ok(()));
        for open in [&deep, &apart] {
            for (mode, allowed) in [(0o777, false), (0o775, false), (0o1777, true), (0o755, true)] {
                fs::set_permissions(open, fs::Permissions::from_mode(mode)).unwrap();
                let said = may("printf a", &below);
                assert_eq!(said.is_ok(), allowed, "{} {mode:o}: {said:?}", open.display());
            }
        }
        let own = base.join("allowed-commands");
        write(&own, 0o600);
        assert!(may("printf a", &own).unwrap_err().contains("lies in the folder"));
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_failing_command_does_not_leak_what_it_printed() {
        let get = |text: &str| printed(text, Path::new("")).map(|text| text.trim().to_owned());
        assert_eq!(get("${cmd:printf 'a\\n'}").unwrap(), "a");
        let error = get("${cmd:printf hunt; printf er2 >&2; exit 3}").unwrap_err().to_string();
        assert!(error.contains("exit status: 3"), "{error}");
        assert!(!error.contains("er2;") && !error.contains("hunter2"), "{error}");
    }

    #[test]
    fn what_is_longer_than_a_secret_is_refused_before_it_fills_the_memory() {
        let long = std::env::temp_dir().join(format!("planthread-long-{}", std::process::id()));
        fs::write(&long, "hunter2".repeat(1 << 14)).unwrap();
        for text in ["${cmd:yes hunter2}".to_owned(), format!("${{file:{}}}", long.display())] {
            let error = printed(&text, Path::new("")).unwrap_err();
            let said = error.to_string().replace(&text, "REFERENCE");
            assert!(said.contains("longer than 65536 bytes; name what"), "{said}");
        }
        fs::remove_file(&long).unwrap();
    }

    #[test]
    fn a_command_that_does_not_end_is_ended() {
        let limit = Duration::from_millis(200);
        for command in ["printf hunter2; exec sleep 60", "printf hunter2; exec >&-; exec sleep 60"]
        {
            let reference = SecretRef::Cmd(command.to_owned());
            let error = run(&reference, command, Path::new(""), limit).unwrap_err();
            let said = error.to_string().replace(&reference.to_string(), "REFERENCE");
            assert!(said.starts_with("REFERENCE: the command did not end within"), "{said}");
            assert!(said.contains("without asking") && !said.contains("hunter2"), "{said}");
        }
        // What it had started ends with it.
        let mark = std::env::temp_dir().join(format!("planthread-left-{}", std::process::id()));
        let command = format!("(sleep 0.6; echo > {}) ; echo a", mark.display());
        let reference = SecretRef::Cmd(command.clone());
        run(&reference, &command, Path::new(""), limit).unwrap_err();
        std::thread::park_timeout(Duration::from_secs(1));
        assert!(!mark.exists(), "it went on");
        // It takes as long as it takes, within the limit.
        assert_eq!(printed("${cmd:sleep 0.1; echo a}", Path::new("")).unwrap(), "a\n");
    }
}
