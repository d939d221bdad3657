//! The twin of a connector's factory: one record says what a sandbox is called,
//! which options and behaviours it has, and how it starts.

use super::{
    behaviours::{Described, UnknownBehaviour},
    faults::{Faulty, Rule},
    latency::Profile,
    options::{OptionDecl, OptionError},
    shape::SandboxShape,
    simulator::Simulator,
};

/// One vendor's sandbox.
#[derive(Debug, Clone, Copy)]
pub struct SandboxFactory {
    /// Its name, as the connector's.
    pub name: &'static str,
    /// What it is, in a line.
    pub about: &'static str,
    /// Who may use its interface, in words.
    pub login: &'static str,
    /// Where it listens by default, and where a starting configuration looks for it.
    pub listen: &'static str,
    /// The options that the demo starts it with: all that its configuration
    /// wants can land.
    pub demo: &'static [(&'static str, &'static str)],
    /// Its options.
    pub options: &'static [OptionDecl],
    /// Its behaviours.
    pub behaviours: fn() -> Vec<Described>,
    /// Starts it.
    pub build: fn(&Setup) -> Result<Box<dyn Simulator>, SetupError>,
}

/// What a sandbox is started with.
#[derive(Debug, Clone, Default)]
pub struct Setup {
    /// Options as they were given: key and value.
    pub options: Vec<(String, String)>,
    /// Names of behaviours to turn on.
    pub on: Vec<String>,
    /// Names of behaviours to turn off.
    pub off: Vec<String>,
    /// How long answers take.
    pub latency: Profile,
    /// Whether it is served over TLS.
    pub behind_tls: bool,
    /// The target whose shape it takes, if it stands in for one.
    pub shape: Option<SandboxShape>,
}

/// A sandbox can't be started so.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SetupError {
    /// An option.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// A behaviour.
    #[error(transparent)]
    Behaviour(#[from] UnknownBehaviour),
    /// It can't take the shape of this target.
    #[error("the sandbox can't take the shape of {target}: {reason}")]
    Shape {
        /// The target.
        target: String,
        /// Why not.
        reason: String,
    },
}

/// Decides which requests a share of the faults hits.
const FAULT_SEED: u64 = 1;

impl SandboxFactory {
    /// Starts it behind a schedule of faults; without rules it breaks nothing.
    ///
    /// # Errors
    /// When an option, a behaviour or the shape can't be taken.
    pub fn start(
        &self,
        setup: &Setup,
        faults: Vec<Rule>,
    ) -> Result<Faulty<Box<dyn Simulator>>, SetupError> {
        Ok(Faulty::new((self.build)(setup)?, faults, FAULT_SEED))
    }

    /// Its options and behaviours, as the help of the command line lists them.
    #[must_use]
    pub fn help(&self) -> String {
        let mut text = format!("{}: {}\n  {}\n", self.name, self.about, self.login);
        text.push_str("\n  Options (key=value, or --key value):");
        for option in self.options {
            let values = option.kind.words();
            text.push_str(&format!(
                "\n    {:<28} {} ({values}; default {})",
                option.name, option.does, option.default
            ));
        }
        text.push_str(
            "\n\n  Behaviours (--with, --without): state, grade (A vendor, B proven code, C blog, \
             S our choice, U unconfirmed):",
        );
        for behaviour in (self.behaviours)() {
            let state = if behaviour.on { "on" } else { "off" };
            let grade = behaviour.grade.letter();
            text.push_str(&format!(
                "\n    {:<28} {state:<4} {grade}  {}",
                behaviour.name, behaviour.does
            ));
        }
        text
    }
}
