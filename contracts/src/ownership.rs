//! Who may write what, where: scopes, promotions and the grant to write.
//!
//! Law 3: bridge-owned measures may land in any scope. A measure that a person
//! or another interface owns can't be addressed without a [`Promotion`], and a
//! promotion exists only by reading its record.
//!
//! A bridge-owned measure needs no more than its declaration:
//!
//! ```
//! use planthread_contracts::{MeasureDecl, Scope, WriteGrant};
//! # let live: MeasureDecl = serde_json::from_str(r#"{"name":"live","surface":"L",
//! #   "carries":"attainable_clock_hours","unit":"HUR","scale":2,"level":"week",
//! #   "over_time":"sum","over_resources":"sum","owner":"bridge","role":"value"}"#).unwrap();
//! let grant = WriteGrant::bridge_owned(&live, &Scope::base())?;
//! assert_eq!(grant.measure(), "live");
//! # Ok::<(), planthread_contracts::NotOurs>(())
//! ```
//!
//! There is no way to say "not ours" without the record; this does not compile:
//!
//! ```compile_fail,E0451
//! use planthread_contracts::{Scope, WriteGrant};
//! let grant = WriteGrant { measure: "assumed".into(), scope: Scope::base(), promotion: None };
//! ```
//!
//! Nor can a promotion be made up in code:
//!
//! ```compile_fail,E0451
//! use planthread_contracts::Promotion;
//! let mine = Promotion { who: "me".into(), why: "because".into(), scope: "".into(),
//!     measures: vec!["assumed".into()], until: "2027-01-01T00:00:00Z".parse().unwrap() };
//! ```

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::{MeasureDecl, Owner};

/// The part of a target that holds its own values: the base plan or a named
/// version, scenario or rule.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Scope(String);

impl Scope {
    /// The target's base plan.
    #[must_use]
    pub const fn base() -> Self {
        Self(String::new())
    }

    /// A named scope; an empty name is the base scope.
    #[must_use]
    pub fn named(name: &str) -> Self {
        Self(name.to_owned())
    }

    /// The name; empty for the base scope.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.0
    }

    /// Whether this is the base plan.
    #[must_use]
    pub const fn is_base(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.is_base() { "base" } else { &self.0 })
    }
}

/// A recorded decision to let Planthread write measures that it does not own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Promotion {
    who: String,
    why: String,
    scope: Scope,
    measures: Vec<String>,
    until: Timestamp,
}

/// The record as it is written down.
#[derive(Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Record {
    who: String,
    why: String,
    #[serde(default)]
    scope: String,
    measures: Vec<String>,
    until: Timestamp,
}

/// A promotion record that promotes nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PromotionError {
    /// The record can't be read.
    #[error("promotion record: {0}; it needs who, why, measures, until (RFC 3339) and scope")]
    Unreadable(String),
    /// A field says nothing.
    #[error("promotion record: `{0}` is empty; name it, so that the record can be answered for")]
    Empty(&'static str),
    /// The record's time is over.
    #[error("promotion record of {who} ended on {until}; ask for a new one")]
    Expired {
        /// Who promoted.
        who: String,
        /// The end that has passed.
        until: Timestamp,
    },
}

impl Promotion {
    /// Reads a promotion from its JSON record, as of `now`.
    ///
    /// # Errors
    /// When the record can't be read, leaves who, why or measures empty, or has
    /// expired.
    pub fn read(record: &str, now: Timestamp) -> Result<Self, PromotionError> {
        let record: Record = serde_json::from_str(record)
            .map_err(|error| PromotionError::Unreadable(error.to_string()))?;
        for (field, empty) in [
            ("who", record.who.trim().is_empty()),
            ("why", record.why.trim().is_empty()),
            ("measures", record.measures.is_empty()),
        ] {
            if empty {
                return Err(PromotionError::Empty(field));
            }
        }
        if record.until <= now {
            return Err(PromotionError::Expired { who: record.who, until: record.until });
        }
        Ok(Self {
            who: record.who,
            why: record.why,
            scope: Scope::named(&record.scope),
            measures: record.measures,
            until: record.until,
        })
    }

    /// Who promoted.
    #[must_use]
    pub fn who(&self) -> &str {
        &self.who
    }

    /// Why.
    #[must_use]
    pub fn why(&self) -> &str {
        &self.why
    }

    /// Until when.
    #[must_use]
    pub const fn until(&self) -> Timestamp {
        self.until
    }
}

/// The measure belongs to somebody else, and nobody promoted it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "measure `{measure}` in scope {scope} is owned by {owner}; writing it needs a promotion record \
     (`planthread promote`)"
)]
pub struct NotOurs {
    /// The measure.
    pub measure: String,
    /// The scope.
    pub scope: String,
    /// Its owner.
    pub owner: String,
}

/// The right to write one measure in one scope. Batches can't be built without.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteGrant {
    measure: String,
    scope: Scope,
    promotion: Option<Promotion>,
}

impl WriteGrant {
    /// Grants a measure that Planthread owns.
    ///
    /// # Errors
    /// When somebody else owns the measure.
    pub fn bridge_owned(measure: &MeasureDecl, scope: &Scope) -> Result<Self, NotOurs> {
        match &measure.owner {
            Owner::Bridge => {
                Ok(Self { measure: measure.name.clone(), scope: scope.clone(), promotion: None })
            }
            Owner::Other(owner) => Err(NotOurs {
                measure: measure.name.clone(),
                scope: scope.to_string(),
                owner: owner.clone(),
            }),
        }
    }

    /// Grants a measure that somebody else owns, by a promotion that names it.
    ///
    /// # Errors
    /// When the promotion names another measure or scope, or has ended by `now`.
    pub fn promoted(
        measure: &MeasureDecl,
        scope: &Scope,
        promotion: &Promotion,
        now: Timestamp,
    ) -> Result<Self, NotOurs> {
        let named = promotion.measures.contains(&measure.name);
        if named && promotion.scope == *scope && now < promotion.until {
            return Ok(Self {
                measure: measure.name.clone(),
                scope: scope.clone(),
                promotion: Some(promotion.clone()),
            });
        }
        Self::bridge_owned(measure, scope)
    }

    /// The measure that may be written.
    #[must_use]
    pub fn measure(&self) -> &str {
        &self.measure
    }

    /// The scope in which it may be written.
    #[must_use]
    pub const fn scope(&self) -> &Scope {
        &self.scope
    }

    /// The promotion behind the grant, if the measure is not ours.
    #[must_use]
    pub const fn promotion(&self) -> Option<&Promotion> {
        self.promotion.as_ref()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assumed() -> MeasureDecl {
        serde_json::from_str(
            r#"{"name":"assumed","surface":"A","carries":"observed","unit":"HUR","scale":2,
            "level":"week","over_time":"sum","over_resources":"sum",
            "owner":{"other":"nightly ERP load"},"role":"value"}"#,
        )
        .unwrap()
    }

    fn now() -> Timestamp {
        "2026-11-22T22:00:00Z".parse().unwrap()
    }

    #[test]
    fn law_3_somebody_elses_measure_needs_a_promotion_that_names_it() {
        let refused = WriteGrant::bridge_owned(&assumed(), &Scope::base()).unwrap_err();
        assert!(refused.to_string().contains("nightly ERP load"), "{refused}");
        let record = r#"{"who":"A. Planner","why":"S&OP 2026-12","measures":["assumed"],
            "until":"2026-12-01T00:00:00Z"}"#;
        let promotion = Promotion::read(record, now()).unwrap();
        assert!(WriteGrant::promoted(&assumed(), &Scope::base(), &promotion, now()).is_ok());
        let elsewhere = Scope::named("UPSIDE");
        assert!(WriteGrant::promoted(&assumed(), &elsewhere, &promotion, now()).is_err());
        assert!(Promotion::read(record, "2026-12-01T00:00:00Z".parse().unwrap()).is_err());
    }

    #[test]
    fn a_promotion_without_a_reason_is_refused() {
        let record =
            r#"{"who":"x","why":" ","measures":["assumed"],"until":"2027-01-01T00:00:00Z"}"#;
        assert_eq!(Promotion::read(record, now()), Err(PromotionError::Empty("why")));
    }
}
