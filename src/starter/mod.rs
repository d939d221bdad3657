//! The starting point that `init` writes and `demo` runs on: one commented
//! configuration, a password file, eight weeks of a simulated plant, what its
//! twin foretells, and what the targets bring along.

mod text;

use std::{
    fs,
    path::{Path, PathBuf},
};

use jiff::{SignedDuration, Timestamp};

use crate::{
    demo::{
        plant::{self, Happening},
        twin,
    },
    failure::Failure,
    registry::Registered,
};

pub use text::{config, mock};

/// The password of the sandboxes. It protects nothing.
const SANDBOX_PASSWORD: &str = "planthread\n";
/// What [`config`] has instead of an instant that depends on today.
const STORY_BEGINS: &str = "2026-09-20T00:00:00Z";
/// Always the same story for the same weeks.
const SEED: u64 = 20_261_122;
/// Eight full weeks are pooled; one more day makes sure that they are full.
const STORY_DAYS: i64 = 8 * 7 + 7;

/// The files of a starting point.
#[derive(Debug, Clone)]
pub struct Starter {
    /// The configuration.
    pub config: PathBuf,
    /// The machine events.
    pub events: PathBuf,
    /// The counter readings.
    pub counts: PathBuf,
    /// What a twin foretells.
    pub twin: PathBuf,
    /// The instant at which the plant's story begins.
    pub begins: Timestamp,
}

impl Starter {
    /// The starting point in `folder`, with a story that ends at `now`.
    #[must_use]
    pub fn new(folder: &Path, now: Timestamp) -> Self {
        let day = 86_400;
        let today = now.as_second().div_euclid(day) * day;
        let begins = Timestamp::from_second(today - STORY_DAYS * day).unwrap_or(now);
        Self {
            config: folder.join("planthread.yaml"),
            events: folder.join("data/machine-events.csv"),
            counts: folder.join("data/hourly-counts.csv"),
            twin: folder.join("data/twin-events.ndjson"),
            begins,
        }
    }

    /// Writes everything for these targets. A sandbox listens where its factory
    /// says, or at the address that is given with it.
    ///
    /// # Errors
    /// When there is a configuration already, or a file can't be written.
    pub fn write(
        &self,
        now: Timestamp,
        targets: &[(&Registered, Option<&str>)],
    ) -> Result<(), Failure> {
        if self.config.exists() {
            return Err(Failure::usage(format!("{} is there already", self.config.display()))
                .cure("choose another folder, or remove it first: nothing was changed"));
        }
        let folder = self.config.parent().unwrap_or(Path::new("."));
        let chosen: Vec<&Registered> = targets.iter().map(|(target, _)| *target).collect();
        let mut text = config(&chosen).replace(STORY_BEGINS, &self.begins.to_string());
        for (target, url) in targets {
            if let Some(url) = url {
                text = text.replace(&format!("http://{}", target.sandbox.listen), url);
            }
            for (file, content) in target.target.starter.files {
                put(&folder.join(file), content)?;
            }
        }
        let story = self.story(self.begins, now);
        put(&folder.join("secrets/sandbox-password"), SANDBOX_PASSWORD)?;
        private(&folder.join("secrets/sandbox-password"))?;
        put(&folder.join(".gitignore"), "planthread-state/\nsecrets/\npacks/\n")?;
        put(&self.events, &plant::events_csv(&story))?;
        put(&self.counts, &plant::counts_csv(&story))?;
        put(&self.twin, &self.foretold(now))?;
        put(&self.config, &text)
    }

    /// What the twin foretells at `now`.
    #[must_use]
    pub fn foretold(&self, now: Timestamp) -> String {
        let zone = jiff::tz::TimeZone::get(plant::ZONE).unwrap_or(jiff::tz::TimeZone::UTC);
        twin::events_ndjson(now, &zone)
    }

    /// What happened in `from..to`.
    #[must_use]
    pub fn story(&self, from: Timestamp, to: Timestamp) -> Vec<Happening> {
        // The counter of an hour is read when the hour is over.
        let full = |happening: &Happening| match happening.what {
            plant::What::Event(_) => true,
            plant::What::Parts(_) => later_hour(happening.at) <= to,
        };
        let before = from.saturating_sub(SignedDuration::from_hours(1)).unwrap_or(from);
        let told = plant::story(SEED, self.begins, before, to);
        let known = |happening: &Happening| match happening.what {
            plant::What::Event(_) => happening.at >= from,
            plant::What::Parts(_) => later_hour(happening.at) > from || from == self.begins,
        };
        told.into_iter().filter(|happening| known(happening) && full(happening)).collect()
    }
}

fn later_hour(at: Timestamp) -> Timestamp {
    at.saturating_add(SignedDuration::from_hours(1)).unwrap_or(at)
}

fn put(path: &Path, text: &str) -> Result<(), Failure> {
    let folder = path.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(folder)
        .and_then(|()| fs::write(path, text))
        .map_err(|error| Failure::io("write", path, &error))
}

/// Only its owner may read a secret.
#[cfg(unix)]
fn private(path: &Path) -> Result<(), Failure> {
    use std::os::unix::fs::PermissionsExt as _;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))
        .map_err(|error| Failure::io("protect", path, &error))
}

#[cfg(not(unix))]
fn private(_: &Path) -> Result<(), Failure> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_zone_of_the_twin_is_the_plants() {
        let text = config(&[&crate::registry::TARGETS[0]]);
        assert!(text.contains(&format!("zone: {}", plant::ZONE)));
        assert!(text.contains(&format!("name: {}", twin::NAME)));
        assert!(text.contains(STORY_BEGINS));
    }

    #[test]
    fn two_halves_of_the_story_are_the_whole() {
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        let (middle, end) = (at("2026-11-20T07:30:00Z"), at("2026-11-22T21:10:00Z"));
        let starter = Starter::new(Path::new("x"), end);
        let whole = starter.story(starter.begins, end);
        let mut halves = starter.story(starter.begins, middle);
        halves.extend(starter.story(middle, end));
        halves.sort();
        assert_eq!(halves, whole);
    }
}
