//! What a sandbox does, graded, and which of it is switched on.
//!
//! Grades: A vendor material or a tenant's metadata, B independent code proven
//! on live tenants, C blog or course notes, S the sandbox's own choice where
//! nothing public says more, U unconfirmed (off unless switched on).

use std::marker::PhantomData;

/// How well a behaviour is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Grade {
    /// The vendor's own material.
    A,
    /// Independent code, proven on live tenants.
    B,
    /// Blog, course notes, forum.
    C,
    /// The sandbox's own choice.
    S,
    /// Unconfirmed.
    U,
}

impl Grade {
    /// Its letter.
    #[must_use]
    pub const fn letter(self) -> char {
        match self {
            Self::A => 'A',
            Self::B => 'B',
            Self::C => 'C',
            Self::S => 'S',
            Self::U => 'U',
        }
    }
}

/// One behaviour of a vendor whose switches are `S`.
#[derive(Debug, Clone, Copy)]
pub struct Behaviour<S> {
    /// Its switch.
    pub switch: S,
    /// What people read of it.
    pub about: Described,
}

/// One behaviour, as people read it.
#[derive(Debug, Clone, Copy)]
pub struct Described {
    /// Name on the command line.
    pub name: &'static str,
    /// What the sandbox does.
    pub does: &'static str,
    /// How well that is known.
    pub grade: Grade,
    /// Where it is written: a section of the vendor's fact sheet.
    pub source: &'static str,
    /// Whether it is on by default.
    pub on: bool,
}

impl<S: Copy> Behaviour<S> {
    /// A behaviour that is on unless switched off.
    #[must_use]
    pub const fn on(
        switch: S,
        name: &'static str,
        grade: Grade,
        source: &'static str,
        does: &'static str,
    ) -> Self {
        Self { switch, about: Described { name, does, grade, source, on: true } }
    }

    /// A behaviour that is off unless switched on.
    #[must_use]
    pub const fn off(
        switch: S,
        name: &'static str,
        grade: Grade,
        source: &'static str,
        does: &'static str,
    ) -> Self {
        Self { switch, about: Described { name, does, grade, source, on: false } }
    }
}

/// The switches of one vendor: an enum whose variants stand in the order of its
/// table.
pub trait Switch: Copy + PartialEq + std::fmt::Debug + 'static {
    /// Every behaviour that can be switched, at most 128.
    const TABLE: &'static [Behaviour<Self>];

    /// Its place in the table.
    fn index(self) -> usize;

    /// The switch called `name`.
    ///
    /// # Errors
    /// When no behaviour is called so; the text names those that are.
    fn named(name: &str) -> Result<Self, UnknownBehaviour> {
        let found = Self::TABLE.iter().find(|behaviour| behaviour.about.name == name);
        found.map(|behaviour| behaviour.switch).ok_or_else(|| UnknownBehaviour {
            name: name.to_owned(),
            known: Self::TABLE.iter().map(|behaviour| behaviour.about.name).collect(),
        })
    }
}

/// What people read of all behaviours.
#[must_use]
pub fn described<S: Switch>() -> Vec<Described> {
    S::TABLE.iter().map(|behaviour| behaviour.about).collect()
}

/// There is no such behaviour.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no behaviour is called `{name}`; known: {}", .known.join(", "))]
pub struct UnknownBehaviour {
    /// What was asked for.
    pub name: String,
    /// What there is.
    pub known: Vec<&'static str>,
}

/// Which behaviours are on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Switches<S> {
    bits: u128,
    of: PhantomData<S>,
}

impl<S: Switch> Default for Switches<S> {
    fn default() -> Self {
        let none = Self { bits: 0, of: PhantomData };
        let on = S::TABLE.iter().filter(|behaviour| behaviour.about.on);
        on.fold(none, |switches, behaviour| switches.with(behaviour.switch, true))
    }
}

impl<S: Switch> Switches<S> {
    /// Whether a behaviour is on.
    #[must_use]
    pub fn on(self, switch: S) -> bool {
        self.bits & (1 << switch.index()) != 0
    }

    /// The same with one behaviour turned on or off.
    #[must_use]
    pub fn with(self, switch: S, on: bool) -> Self {
        let bit = 1 << switch.index();
        Self { bits: if on { self.bits | bit } else { self.bits & !bit }, of: PhantomData }
    }

    /// The defaults with those named `on` turned on and those named `off` off.
    ///
    /// # Errors
    /// When a name is none.
    pub fn named(on: &[String], off: &[String]) -> Result<Self, UnknownBehaviour> {
        let mut switches = Self::default();
        for (names, state) in [(on, true), (off, false)] {
            for name in names {
                switches = switches.with(S::named(name)?, state);
            }
        }
        Ok(switches)
    }
}
