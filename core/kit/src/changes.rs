//! Pure: what a store of its own would bring into its parent, against what was planned.
//!
//! A scenario or version that is merged brings everything that it changed. So it is
//! compared with its parent first: it must hold what is planned, and differ by that
//! alone.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::{Class, ConnectorError, Sent};

/// Values by what names them; nothing where nothing stands.
pub type Values<K> = BTreeMap<K, Option<Decimal>>;

/// What speaks against bringing a store into its parent.
#[derive(Debug, Default)]
pub struct Changes {
    /// Planned values that it does not hold (yet).
    missing: usize,
    /// Changes that it would bring along, though nobody planned them.
    extra: usize,
    first: String,
}

impl Changes {
    /// Compares `own` values with those of the `parent` and with what is `planned`.
    pub fn compare<K: Ord>(
        &mut self,
        planned: &Values<K>,
        [own, parent]: [&Values<K>; 2],
        name: impl Fn(&K) -> String,
    ) {
        let of = |values: &Values<K>, key: &K| values.get(key).copied().flatten();
        self.missing += planned.iter().filter(|(key, value)| of(own, key) != **value).count();
        let keys: BTreeSet<&K> = own.keys().chain(parent.keys()).collect();
        for key in keys {
            if of(own, key) != of(parent, key) && !planned.contains_key(key) {
                self.add(&name(key));
            }
        }
    }

    /// Adds a change that nobody planned.
    pub fn add(&mut self, what: &str) {
        if self.extra == 0 {
            what.clone_into(&mut self.first);
        }
        self.extra += 1;
    }

    /// Whether nothing speaks against it; `from` is the store, `step` what would be done.
    ///
    /// # Errors
    /// `Transient` while something planned is missing, `Drift` where more would come
    /// along; the text names the first of it.
    pub fn judge(&self, step: &'static str, from: &str) -> Result<(), ConnectorError> {
        let Self { missing, extra, first } = self;
        if *missing > 0 {
            let class = Class::Transient { sent: Sent::No };
            let text = format!("{from} does not hold {missing} of these cells yet");
            return Err(ConnectorError::new(class, step, text).cure("land them there first"));
        }
        if *extra > 0 {
            let text =
                format!("{from} would bring {extra} more changes than planned, first {first}");
            return Err(ConnectorError::new(Class::Drift, step, text)
                .cure("take them out of it, or plan them; then try again"));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn values(of: &BTreeMap<u8, u8>) -> Values<u8> {
        of.iter().map(|(key, value)| (*key, Some(Decimal::from(*value)))).collect()
    }

    proptest! {
        /// What is brought makes the parent what was planned, and nothing else of it.
        #[test]
        fn what_passes_changes_the_planned_values_alone(
            parent in proptest::collection::btree_map(0_u8..4, 0_u8..3, 0..4),
            own in proptest::collection::btree_map(0_u8..4, 0_u8..3, 0..4),
            planned in proptest::collection::btree_map(0_u8..4, 0_u8..3, 0..4),
        ) {
            let mut changes = Changes::default();
            changes.compare(&values(&planned), [&values(&own), &values(&parent)], u8::to_string);
            let mut wanted = parent.clone();
            wanted.extend(&planned);
            prop_assert_eq!(changes.judge("commit", "child").is_ok(), own == wanted);
        }
    }
}
