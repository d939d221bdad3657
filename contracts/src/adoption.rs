//! Adoption: a named person takes over what a measure held before us.
//!
//! A measure that is called ours may hold values that we never landed: a load of
//! somebody else's, or our own from a state that was lost. Nothing of it is
//! replaced until somebody answers for it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{MeasureDecl, Scope};

/// A recorded decision that Planthread may write over values that it never
/// landed. It holds for the surfaces that it names, and has no end: once landed,
/// the values are ours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Adoption {
    who: String,
    why: String,
    #[serde(default)]
    scope: String,
    /// Surfaces by our names of the measures.
    measures: BTreeMap<String, String>,
}

/// An adoption record that adopts nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AdoptionError {
    /// The record can't be read.
    #[error("adoption record: {0}; it needs who, why, measures with their surfaces, and scope")]
    Unreadable(String),
    /// A field says nothing.
    #[error("adoption record: `{0}` is empty; name it, so that the record can be answered for")]
    Empty(&'static str),
}

impl Adoption {
    /// Reads an adoption from its JSON record.
    ///
    /// # Errors
    /// When the record can't be read, or leaves who, why or measures empty.
    pub fn read(record: &str) -> Result<Self, AdoptionError> {
        let read: Self = serde_json::from_str(record)
            .map_err(|error| AdoptionError::Unreadable(error.to_string()))?;
        for (field, empty) in [
            ("who", read.who.trim().is_empty()),
            ("why", read.why.trim().is_empty()),
            ("measures", read.measures.is_empty()),
        ] {
            if empty {
                return Err(AdoptionError::Empty(field));
            }
        }
        Ok(read)
    }

    /// Who adopted.
    #[must_use]
    pub fn who(&self) -> &str {
        &self.who
    }

    /// Why.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    /// Whether it takes over `measure` in `scope`, at the surface where it is
    /// declared now.
    #[must_use]
    pub fn covers(&self, measure: &MeasureDecl, scope: &Scope) -> bool {
        self.scope == scope.name()
            && self.measures.get(&measure.name).is_some_and(|surface| *surface == measure.surface)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_adoption_names_who_why_and_the_surface_that_it_is_about() {
        let measure: MeasureDecl = serde_json::from_str(
            r#"{"name":"live","surface":"TWINCAPALIVE","carries":"attainable_clock_hours",
            "unit":"HUR","scale":2,"level":"week","over_time":"sum","over_resources":"sum",
            "owner":"bridge","role":"value"}"#,
        )
        .unwrap();
        let record = |who: &str, surface: &str| {
            format!(r#"{{"who":"{who}","why":"handed over","measures":{{"live":"{surface}"}}}}"#)
        };
        let adoption = Adoption::read(&record("A. Planner", "TWINCAPALIVE")).unwrap();
        assert!(adoption.covers(&measure, &Scope::base()));
        assert!(!adoption.covers(&measure, &Scope::named("UPSIDE")));
        let elsewhere = Adoption::read(&record("A. Planner", "CAPASUPPLY")).unwrap();
        assert!(!elsewhere.covers(&measure, &Scope::base()));
        assert_eq!(Adoption::read(&record(" ", "X")), Err(AdoptionError::Empty("who")));
        assert!(matches!(Adoption::read("{}"), Err(AdoptionError::Unreadable(_))));
    }
}
