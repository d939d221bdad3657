//! Cells that a target refused: whose they are, and which of them are meant.

use std::str::FromStr;

use jiff::Timestamp;
use planthread_contracts::CellKey;
use planthread_engine::{
    Reader,
    ledger::{self, RejectState},
    status::{self, Reject},
};

use super::Bridge;
use crate::{config::Loaded, failure::Failure};

/// What a refused cell can be chosen by, with its word.
const FIELDS: [(&str, Field); 10] = [
    ("target", Field::Target),
    ("scope", Field::Scope),
    ("resource", Field::Resource),
    ("location", Field::Location),
    ("product", Field::Product),
    ("measure", Field::Measure),
    ("period", Field::Period),
    ("code", Field::Code),
    ("owner", Field::Owner),
    ("state", Field::State),
];

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Field {
    Target,
    Scope,
    Resource,
    Location,
    Product,
    Measure,
    Period,
    Code,
    Owner,
    State,
}

/// One condition on a refused cell, written `FIELD=VALUE`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Where {
    field: Field,
    value: String,
}

impl Where {
    /// Whether `reject` fulfils it: the very value, as `rejects` prints it.
    fn fits(&self, reject: &Reject) -> bool {
        let key = &reject.key;
        let own = match self.field {
            Field::Target => Some(key.target.as_str()),
            Field::Scope if key.scope.is_empty() => Some("base"),
            Field::Scope => Some(key.scope.as_str()),
            Field::Resource => Some(key.resource.as_str()),
            Field::Location => Some(key.location.as_str()),
            Field::Product => key.product.as_deref(),
            Field::Measure => Some(key.measure.as_str()),
            Field::Period => return key.period.to_string() == self.value,
            Field::Code => reject.vendor_code.as_deref(),
            Field::Owner => Some(reject.owner.as_str()),
            Field::State => Some(reject.state.word()),
        };
        own == Some(self.value.as_str())
    }
}

impl FromStr for Where {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let known = || FIELDS.map(|(word, _)| word).join(", ");
        let Some((word, value)) = text.split_once('=') else {
            return Err(format!("write FIELD=VALUE; FIELD is one of {}", known()));
        };
        let (word, value) = (word.trim(), value.trim().to_owned());
        match FIELDS.iter().find(|(known, _)| *known == word) {
            Some((_, field)) => Ok(Self { field: *field, value }),
            None => Err(format!("there is no field `{word}`; known: {}", known())),
        }
    }
}

/// The cells that a target refused, that wait for somebody and fulfil all `conditions`,
/// with whom `loaded` names for them.
///
/// # Errors
/// When the state can't be read, and when there are conditions that none fulfils.
pub fn refused(
    loaded: &Loaded,
    reader: &Reader,
    conditions: &[Where],
) -> Result<Vec<Reject>, Failure> {
    let mut all = rejections(loaded, reader, conditions, Timestamp::MAX)?;
    all.retain(|reject| reject.state == RejectState::Open);
    found(all, conditions)
}

/// The same with those that do not wait any more: they go out again, or ended at `since`
/// or later.
///
/// # Errors
/// As [`refused`].
pub fn rejections(
    loaded: &Loaded,
    reader: &Reader,
    conditions: &[Where],
    since: Timestamp,
) -> Result<Vec<Reject>, Failure> {
    let mut all = status::rejections(reader, since)?;
    for reject in &mut all {
        let target = loaded.config.targets.get(reject.key.target.as_str());
        if let Some(owner) = target.and_then(|target| target.owner_of(&reject.key)) {
            owner.clone_into(&mut reject.owner);
        }
        if let Some(cure) = cure(&reject.missing) {
            reject.cure = cure;
        }
    }
    all.retain(|reject| conditions.iter().all(|one| one.fits(reject)));
    found(all, conditions)
}

/// What puts a refused cell right, where it was looked up what the target does not list.
/// Else what was said when it was refused stands: no word of an answer decides.
fn cure(missing: &[String]) -> Option<String> {
    (!missing.is_empty()).then(|| {
        format!(
            "create {} at the target, or correct the mapping: it goes out again by itself within a \
             day after it is listed there, or with `planthread retry`",
            missing.join(", ")
        )
    })
}

fn found(all: Vec<Reject>, conditions: &[Where]) -> Result<Vec<Reject>, Failure> {
    if all.is_empty() && !conditions.is_empty() {
        return Err(Failure::usage("no refused cell is meant by this")
            .cure("`planthread rejects` lists them, each with what it can be chosen by"));
    }
    Ok(all)
}

impl Bridge {
    /// Makes the refused cells that fulfil `conditions` pending; returns how many, and
    /// how many stay refused.
    ///
    /// # Errors
    /// When the state can't be read or written, and when there are conditions that no
    /// cell fulfils.
    pub(super) fn cells_again(&self, conditions: &[Where]) -> Result<(u64, u64), Failure> {
        let keys: Vec<CellKey> = refused(&self.loaded, &self.reader()?, conditions)?
            .into_iter()
            .map(|reject| reject.key)
            .collect();
        let again = ledger::retry(&self.state, keys)?;
        let left = status::rejects(&self.reader()?)?.len();
        Ok((again, u64::try_from(left).unwrap_or(u64::MAX)))
    }

    /// Takes the refused cells that fulfil `conditions` off the list: nothing is to come
    /// of them. Returns how many, and how many stay on it.
    ///
    /// # Errors
    /// When the state can't be read or written, and when no cell is meant.
    pub fn dismiss_cells(
        &self,
        conditions: &[Where],
        who: String,
        why: String,
    ) -> Result<(u64, u64), Failure> {
        let meant = refused(&self.loaded, &self.reader()?, conditions)?;
        let keys = meant.into_iter().map(|reject| reject.key).collect();
        let done = ledger::dismiss_rejections(&self.state, keys, who, why, self.clock.now())?;
        let left = status::rejects(&self.reader()?)?.len();
        Ok((done, u64::try_from(left).unwrap_or(u64::MAX)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reject(product: Option<&str>, scope: &str) -> Reject {
        let key = CellKey {
            target: "ibp".into(),
            scope: scope.into(),
            measure: "live".into(),
            resource: "LINE-1".into(),
            location: "1010".into(),
            product: product.map(Into::into),
            period: "2026-W48".parse().unwrap(),
        };
        Reject {
            key,
            revision: 1,
            value: 7.into(),
            reason: "no such resource".into(),
            vendor_code: Some("E=17".into()),
            cure: String::new(),
            owner: "owner of ibp".into(),
            attempt: String::new(),
            at: Timestamp::UNIX_EPOCH,
            state: RejectState::Open,
            ended_at: None,
            who: String::new(),
            why: String::new(),
            missing: Vec::new(),
        }
    }

    #[test]
    fn every_field_chooses_by_its_own_value_and_by_no_other() {
        let one = reject(Some("P-7"), "");
        let own = [
            "target=ibp",
            "scope=base",
            "resource=LINE-1",
            "location=1010",
            "product=P-7",
            "measure=live",
            "period=2026-W48",
            "code=E=17",
            "owner=owner of ibp",
            "state=open",
        ];
        assert_eq!(own.len(), FIELDS.len());
        for text in own {
            let condition: Where = text.parse().unwrap();
            assert!(condition.fits(&one), "{text}");
            let (word, _) = text.split_once('=').unwrap();
            let other: Where = format!("{word}=other").parse().unwrap();
            assert!(!other.fits(&one), "{other:?}");
        }
        let other = reject(None, "TWIN");
        for text in ["product=", "scope=base"] {
            assert!(!text.parse::<Where>().unwrap().fits(&other), "{text}");
        }
    }

    #[test]
    fn the_cure_names_what_was_looked_up_and_is_not_listed() {
        let said = cure(&["place LINE-7@1010".to_owned()]).unwrap();
        assert!(said.starts_with("create place LINE-7@1010 at the target"), "{said}");
        assert_eq!(cure(&[]), None, "what was said when it was refused stands");
    }

    #[test]
    fn what_is_no_condition_is_answered_with_the_known_fields() {
        for text in ["LINE-1", "machine=M1", "=M1"] {
            let said = text.parse::<Where>().unwrap_err();
            assert!(said.contains("resource, location"), "{said}");
        }
    }
}
