//! From a file to a checked configuration.

use std::{
    fs::{self, File},
    io::Read as _,
    path::{Path, PathBuf},
};

use planthread_domain::{calendar::ical, decode::fact::hex, model::CalendarException};
use planthread_kit::{SecretRef, files};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

use super::{
    Config,
    error::ConfigError,
    include,
    locate::{Faults, Locator},
    relations,
    tree::{Kind, Node, Position, Step},
    value_checks, yaml,
};

/// A configuration, and where it came from.
#[derive(Debug, Clone)]
pub struct Loaded {
    /// The checked configuration; every path in it is absolute.
    pub config: Config,
    /// The file.
    pub file: PathBuf,
    /// The profile that was laid over it.
    pub profile: Option<String>,
    /// SHA-256 of what it says, profile included; it does not depend on where
    /// the file lies.
    pub digest: String,
    /// What is no fault and may still not be meant.
    pub notes: Vec<ConfigError>,
}

/// Most bytes of a file of the configuration, or of one that it takes holidays from.
const BYTES_MAX: usize = 16 << 20;

const WHOLE: Position = Position { line: 0, column: 0, file: 0 };

/// Reads and checks `file`, with `profile` laid over it.
///
/// # Errors
/// Every fault that was found, at least one, in the order of the file.
pub fn read(file: &Path, profile: Option<&str>) -> Result<Loaded, Vec<ConfigError>> {
    let (text, absolute) = text_of(file).map_err(|fault| vec![fault])?;
    parse(&text, &absolute, profile)
}

/// Reads and checks `file` with `profile`, and with every other profile that
/// it has: a fault that only another environment shows names its profile.
///
/// # Errors
/// As [`read`].
pub fn read_all(file: &Path, profile: Option<&str>) -> Result<Loaded, Vec<ConfigError>> {
    let (text, absolute) = text_of(file).map_err(|fault| vec![fault])?;
    let chosen = parse(&text, &absolute, profile);
    let mut faults = chosen.as_ref().err().cloned().unwrap_or_default();
    let (mut tree, _) = whole(&text, &absolute)?;
    let profiles = tree.take("profiles").map(|profiles| keys(&profiles)).unwrap_or_default();
    for other in profiles.iter().filter(|other| Some(other.as_str()) != profile) {
        for found in parse(&text, &absolute, Some(other)).err().unwrap_or_default() {
            let same =
                |known: &ConfigError| ConfigError { profile: None, ..known.clone() } == found;
            if !faults.iter().any(same) {
                faults.push(ConfigError { profile: Some(other.as_str().into()), ..found });
            }
        }
    }
    if faults.is_empty() { chosen } else { Err(faults) }
}

/// The text of a file that a configuration names, and its absolute path.
pub(super) fn named_text(file: &Path) -> Result<(String, PathBuf), ConfigError> {
    // One that is not there is told with all others that can't be read.
    let other = fs::metadata(file).ok().and_then(|about| files::instead(about.file_type()));
    match other {
        Some(what) => Err(ConfigError::at(file, WHOLE, "", format!("is {what}, and no file"))
            .cure("name a file, or a link to one")),
        None => text_of(file),
    }
}

/// The text of `file`, and its absolute path.
pub(super) fn text_of(file: &Path) -> Result<(String, PathBuf), ConfigError> {
    let absolute = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    let mut bytes = Vec::new();
    let read = File::open(&absolute)
        .and_then(|open| open.take(BYTES_MAX as u64 + 1).read_to_end(&mut bytes));
    read.map_err(|error| {
        ConfigError::at(file, WHOLE, "", format!("can't be read: {error}"))
            .cure("name the file with --config, or write one with `planthread init`")
    })?;
    if bytes.len() > BYTES_MAX {
        let reason = format!("has more than {BYTES_MAX} bytes");
        return Err(ConfigError::at(file, WHOLE, "", reason)
            .cure("name the file that was meant; data of the plant belongs into its sources"));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count() as u64;
        let column = 1 + before.iter().rev().take_while(|byte| **byte != b'\n').count() as u64;
        ConfigError::at(file, Position { line, column, file: 0 }, "", "the file is not UTF-8 text")
            .cure("save it as UTF-8; the first byte that is none stands here")
    })?;
    Ok((text, absolute))
}

/// Checks a configuration that stands in `text`; `file` names it in errors and
/// is where relative paths begin.
///
/// # Errors
/// Every fault that was found, at least one, in the order of the file.
pub fn parse(text: &str, file: &Path, profile: Option<&str>) -> Result<Loaded, Vec<ConfigError>> {
    let (mut tree, files) = whole(text, file)?;
    overlay(&mut tree, file, profile)?;
    let mut value = tree.value();
    let mut digest = hex(&Sha256::digest(value.to_string()));
    let folder = file.parent().unwrap_or(Path::new("."));
    anchor_secret_files(&mut value, folder);
    if value.to_string().contains("${cmd:") {
        apart(&files, &SecretRef::allowed_commands()).map_err(|fault| vec![fault])?;
    }
    let locate = Locator { file, files: &files, tree: &tree };
    if !matches!(tree.kind, Kind::Map(_)) {
        let fault = locate.fault(&[], "the configuration is a mapping of fields, and this is none");
        return Err(vec![fault.cure("`planthread init` writes one to begin with")]);
    }
    let mut config: Config = locate.typed(&value, &[]).map_err(|fault| vec![fault])?;
    let found = || Faults { locate: &locate, all: Vec::new() };
    let mut faults = found();
    relations::check(&config, &mut faults);
    if faults.all.is_empty() {
        config.anchor(folder);
        holidays(&mut config, &mut faults, &mut digest);
    }
    if !faults.all.is_empty() {
        faults.all.sort_by_key(|fault| (fault.line, fault.column));
        return Err(faults.all);
    }
    let mut notes = found();
    value_checks::notes(&config, &mut notes);
    absent_secrets(&value, &mut Vec::new(), &mut notes);
    let (file, profile, notes) = (file.to_owned(), profile.map(str::to_owned), notes.all);
    Ok(Loaded { config, file, profile, digest, notes })
}

/// Where a field of a configuration that was read stands, or what holds it: the file and
/// its line. Nothing where the file is another one by now.
#[must_use]
pub fn place(loaded: &Loaded, field: &str) -> Option<String> {
    let (text, file) = text_of(&loaded.file).ok()?;
    let (mut tree, files) = whole(&text, &file).ok()?;
    overlay(&mut tree, &file, loaded.profile.as_deref()).ok()?;
    let found = Locator { file: &file, files: &files, tree: &tree }.fault_at(field, "");
    let name = found.file.file_name()?.to_string_lossy().into_owned();
    (found.line > 0).then(|| format!("{name}:{}", found.line))
}

/// Refuses a list of allowed commands that lies in the folder of an included file: whoever
/// may write there could allow himself a command.
fn apart(files: &[PathBuf], list: &Path) -> Result<(), ConfigError> {
    let Ok(list) = list.canonicalize() else { return Ok(()) };
    for file in files {
        let folder = file.parent().and_then(|folder| folder.canonicalize().ok());
        if folder.is_some_and(|folder| list.starts_with(folder)) {
            let reason = format!("{} lies in the folder of this file", list.display());
            return Err(ConfigError::at(file, WHOLE, "", reason)
                .cure("keep it where who changes the configuration can't write"));
        }
    }
    Ok(())
}

pub(super) fn document(text: &str, file: &Path) -> Result<Node, ConfigError> {
    yaml::read(text)
        .map_err(|fault| ConfigError::at(file, fault.place, "", fault.reason).cure(fault.cure))
}

/// The document in `text` with the files that it includes, and all of them.
fn whole(text: &str, file: &Path) -> Result<(Node, Vec<PathBuf>), Vec<ConfigError>> {
    let mut files = vec![file.to_owned()];
    let mut tree = document(text, file).map_err(|fault| vec![fault])?;
    include::resolve(&mut tree, &mut files).map_err(|fault| vec![fault])?;
    Ok((tree, files))
}

/// Takes the holidays of `config` from their files into its calendars. What the
/// files say is part of what the configuration says.
fn holidays(config: &mut Config, faults: &mut Faults<'_>, digest: &mut String) {
    for (index, calendar) in config.plant.calendars.iter_mut().enumerate() {
        for (number, list) in calendar.holidays.iter().enumerate() {
            let field = format!("plant.calendars[{index}].holidays[{number}].file");
            let read = named_text(Path::new(&list.file)).map_err(|fault| fault.reason);
            let found = read.and_then(|(text, _)| {
                *digest = hex(&Sha256::digest(format!("{digest}{text}")));
                ical::holidays(&text).map_err(|fault| fault.to_string())
            });
            match found {
                Ok(days) => {
                    calendar.exceptions.extend(days.into_iter().map(|day| CalendarException {
                        from: day.from,
                        to: Some(day.to),
                        closed: true,
                        extra: Vec::new(),
                        reason: day.name,
                        owner: list.owner.clone(),
                        cycle: None,
                    }))
                }
                Err(reason) => {
                    let cure = "name an iCalendar file of whole days, UTF-8";
                    faults.add(field, format!("{}: {reason}", list.file), cure);
                }
            }
        }
    }
}

/// Takes the profiles out of the document and lays the chosen one over it.
fn overlay(tree: &mut Node, file: &Path, profile: Option<&str>) -> Result<(), Vec<ConfigError>> {
    let top = tree.place;
    let mut profiles = tree.take("profiles");
    if let Some(wrong) = profiles.as_ref().filter(|profiles| !is_mapping(profiles)) {
        let reason = "expected profiles by their names, found something else";
        let cure = "write `profiles:`, below it the name of each, and below that its overrides";
        return Err(vec![ConfigError::at(file, wrong.place, "profiles", reason).cure(cure)]);
    }
    let Some(name) = profile else { return Ok(()) };
    let over = profiles.as_mut().and_then(|profiles| profiles.take(name));
    match over {
        Some(over) if !is_mapping(&over) => {
            let field = format!("profiles.{name}");
            let reason = "a profile is a mapping of overrides, and this is none";
            let cure = "write below it what differs, as it stands in the file: `targets:` ...";
            return Err(vec![ConfigError::at(file, over.place, field, reason).cure(cure)]);
        }
        Some(Node { kind: Kind::Scalar(_), .. }) => {}
        Some(over) => tree.merge(over),
        None => {
            let known = profiles.as_ref().map(keys).unwrap_or_default().join(", ");
            let place = profiles.as_ref().map_or(top, |profiles| profiles.place);
            let reason = format!("there is no profile `{name}`");
            let cure = if known.is_empty() {
                "add it under `profiles:`, or leave --profile out".to_owned()
            } else {
                format!("profiles in this file: {known}")
            };
            return Err(vec![ConfigError::at(file, place, "profiles", reason).cure(cure)]);
        }
    }
    Ok(())
}

/// A mapping, or nothing at all: a key whose lines are all commented out.
const fn is_mapping(node: &Node) -> bool {
    matches!(node.kind, Kind::Map(_) | Kind::Scalar(Value::Null))
}

fn keys(map: &Node) -> Vec<String> {
    match &map.kind {
        Kind::Map(entries) => entries.iter().map(|(key, ..)| key.clone()).collect(),
        Kind::Scalar(_) | Kind::List(_) => Vec::new(),
    }
}

/// Makes `${file:PATH}` with a relative path begin at the configuration.
fn anchor_secret_files(value: &mut Value, folder: &Path) {
    match value {
        Value::String(text) => {
            let path = text.strip_prefix("${file:").and_then(|rest| rest.strip_suffix('}'));
            if let Some(path) = path.map(Path::new).filter(|path| path.is_relative()) {
                *text = format!("${{file:{}}}", folder.join(path).display());
            }
        }
        Value::Array(items) => items.iter_mut().for_each(|item| anchor_secret_files(item, folder)),
        Value::Object(map) => {
            map.values_mut().for_each(|item| anchor_secret_files(item, folder));
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Notes secrets that are kept where nothing is on this machine now. It may not be the one
/// that sends, so that is no fault.
fn absent_secrets<'a>(value: &'a Value, at: &mut Vec<Step<'a>>, notes: &mut Faults<'_>) {
    match value {
        Value::String(text) => {
            if let Some((reason, cure)) = absent(text) {
                notes.add_at(at, reason, cure);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                at.push(Step::Index(index));
                absent_secrets(item, at, notes);
                at.pop();
            }
        }
        Value::Object(map) => {
            for (key, item) in map {
                at.push(Step::Key(key));
                absent_secrets(item, at, notes);
                at.pop();
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Why a reference to a secret leads nowhere now, and the cure. A command is never run
/// for that.
fn absent(text: &str) -> Option<(String, &'static str)> {
    match text.starts_with("${").then(|| text.parse()) {
        Some(Ok(SecretRef::File(path))) => {
            let error = files::open(Path::new(&path)).err()?;
            let cure = "put the secret there before anything is sent, or correct the path; it \
                        begins at the configuration";
            Some((format!("{path} can't be read: {error}"), cure))
        }
        Some(Ok(SecretRef::Env(name))) if std::env::var_os(&name).is_none() => {
            let cure = "set it where the program runs, or correct its name";
            Some((format!("the environment variable {name} is not set here"), cure))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(unix)]
    #[test]
    fn what_has_no_end_is_no_configuration() {
        let fault = text_of(Path::new("/dev/zero")).unwrap_err();
        assert!(fault.reason.contains("more than") && fault.cure.contains("was meant"), "{fault}");
    }

    /// Whoever opens a pipe waits for somebody who writes: these end at all.
    #[cfg(unix)]
    #[test]
    fn a_pipe_in_the_place_of_a_file_is_told_and_not_waited_for() {
        let folder = std::env::temp_dir().join(format!("planthread-pipes-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let pipe = folder.join("pipe");
        assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        let (reason, cure) = absent(&format!("${{file:{}}}", pipe.display())).unwrap();
        assert!(reason.contains("a pipe") && !cure.is_empty(), "{reason}");
        let secret: SecretRef = "${file:pipe}".parse().unwrap();
        let fault = secret.resolve(&folder).unwrap_err().to_string();
        assert!(fault.contains("${file:pipe}") && fault.contains("a pipe"), "{fault}");
        assert!(fault.contains("name a file"), "{fault}");
        let fault = named_text(&pipe).unwrap_err();
        assert!(fault.reason.contains("a pipe") && fault.cure.contains("a link"), "{fault}");
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_secret_that_is_not_there_is_noted_and_a_command_is_not_run() {
        let here = std::env::current_exe().unwrap().display().to_string();
        assert_eq!(absent(&format!("${{file:{here}}}")), None);
        let (reason, cure) = absent(&format!("${{file:{here}.gone}}")).unwrap();
        assert!(reason.contains(".gone can't be read") && cure.contains("put the secret there"));
        let (reason, _) = absent("${env:PLANTHREAD_NO_SUCH_SECRET}").unwrap();
        assert!(reason.contains("PLANTHREAD_NO_SUCH_SECRET is not set"));
        for other in ["${cmd:exit 1}", "${env:PATH}", "plain", "${file:}"] {
            assert_eq!(absent(other), None, "{other}");
        }
    }

    #[test]
    fn relative_secret_files_begin_at_the_configuration() {
        let mut value = serde_json::json!({"a": ["${file:pw}", "${file:/run/pw}", "${env:PW}"]});
        anchor_secret_files(&mut value, Path::new("/etc/planthread"));
        assert_eq!(
            value,
            serde_json::json!({"a": ["${file:/etc/planthread/pw}", "${file:/run/pw}", "${env:PW}"]})
        );
    }

    #[test]
    fn the_list_of_commands_lies_in_no_folder_of_an_included_file() {
        let folder = std::env::temp_dir().join(format!("planthread-apart-{}", std::process::id()));
        let [main, site, own] = ["main", "site", "own"].map(|name| folder.join(name));
        for folder in [&main, &site, &own] {
            fs::create_dir_all(folder).unwrap();
            fs::write(folder.join("list"), "").unwrap();
        }
        let files = [main.join("planthread.yaml"), site.join("plant.yaml")];
        assert_eq!(apart(&files, &own.join("list")), Ok(()));
        assert_eq!(apart(&files, &folder.join("none")), Ok(()));
        let fault = apart(&files, &site.join("list")).unwrap_err();
        assert!(fault.file.ends_with("site/plant.yaml"), "{fault:?}");
        assert!(apart(&files, &main.join("list")).is_err());
        fs::remove_dir_all(&folder).unwrap();
    }
}
