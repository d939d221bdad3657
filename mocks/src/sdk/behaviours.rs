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

/// The switches of one vendor.
pub trait Switch: Copy + PartialEq + std::fmt::Debug + 'static {
    /// Every behaviour that can be switched, at most 128.
    const TABLE: &'static [Behaviour<Self>];

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
    /// Its place in the table.
    fn bit(switch: S) -> u128 {
        let place = S::TABLE.iter().position(|behaviour| behaviour.switch == switch);
        place.map_or(0, |place| 1 << place)
    }

    /// Whether a behaviour is on.
    #[must_use]
    pub fn on(self, switch: S) -> bool {
        self.bits & Self::bit(switch) != 0
    }

    /// The same with one behaviour turned on or off.
    #[must_use]
    pub fn with(self, switch: S, on: bool) -> Self {
        let bit = Self::bit(switch);
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{azure_digital_twins, kinaxis, o9, sap_ibp};

    /// Each behaviour is described once, what is unconfirmed is off, and a switch turns
    /// that one behaviour.
    fn sound<S: Switch>() {
        let defaults = Switches::<S>::default();
        for Behaviour { switch, about } in S::TABLE {
            assert_eq!(S::named(about.name), Ok(*switch), "two are called so");
            let same = S::TABLE.iter().filter(|other| other.switch == *switch).count();
            assert_eq!(same, 1, "{} is described twice", about.name);
            assert!(!about.does.is_empty() && !about.source.is_empty(), "{}", about.name);
            assert!(about.grade != Grade::U || !about.on, "{}", about.name);
            assert_eq!(defaults.on(*switch), about.on);
            let turned = defaults.with(*switch, !about.on);
            for other in S::TABLE {
                let expected = other.about.on != (other.switch == *switch);
                assert_eq!(turned.on(other.switch), expected, "{}", other.about.name);
            }
            assert_eq!(turned.with(*switch, about.on), defaults);
        }
        assert!(S::TABLE.len() <= 128);
        let first = S::TABLE[0].about.name;
        assert!(S::named("none").unwrap_err().to_string().contains(first));
    }

    #[test]
    fn every_sandbox_describes_each_behaviour_once() {
        sound::<azure_digital_twins::Switch>();
        sound::<kinaxis::Switch>();
        sound::<o9::Switch>();
        sound::<sap_ibp::Switch>();
        for (does, _, source) in kinaxis::behaviours::ALWAYS
            .iter()
            .chain(&o9::behaviours::ALWAYS)
            .chain(&sap_ibp::behaviours::ALWAYS)
        {
            assert!(!does.is_empty() && !source.is_empty());
        }
    }
}
