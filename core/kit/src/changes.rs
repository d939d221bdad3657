//! Pure: what a store of its own would bring into its parent, against what was planned.
//!
//! A scenario or version that is merged brings everything that it changed. So it is
//! compared with its parent first: it must hold what is planned, and differ by that
//! alone. Where a name may have several rows, each of them counts: a planned value
//! stands only where it stands once.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::{Class, ConnectorError};

/// Values by what names them, one of each row of that name; nothing where the row has
/// none.
pub type Values<K> = BTreeMap<K, Vec<Option<Decimal>>>;

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
        planned: &BTreeMap<K, Decimal>,
        [own, parent]: [&Values<K>; 2],
        name: impl Fn(&K) -> String,
    ) {
        for (key, value) in planned {
            match rows(own, key).as_slice() {
                [Some(held)] if held == value => {}
                [_, _, ..] => self.add(&format!("{} in several rows", name(key))),
                _ => self.missing += 1,
            }
        }
        let keys: BTreeSet<&K> = own.keys().chain(parent.keys()).collect();
        for key in keys.into_iter().filter(|key| !planned.contains_key(key)) {
            let (own, parent) = (rows(own, key), rows(parent, key));
            if own != parent {
                let several = if own.len().max(parent.len()) > 1 { " in several rows" } else { "" };
                self.add(&format!("{}{several}", name(key)));
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
    /// `NotYet` while something planned is missing, `Drift` where more would come
    /// along; the text names the first of it.
    pub fn judge(&self, step: &'static str, from: &str) -> Result<(), ConnectorError> {
        let Self { missing, extra, first } = self;
        if *missing > 0 {
            let text = format!("{from} does not hold {missing} of these cells yet");
            return Err(
                ConnectorError::new(Class::NotYet, step, text).cure("land them there first")
            );
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

/// The values of one name in any order; one row without a value is as good as no row.
fn rows<K: Ord>(values: &Values<K>, key: &K) -> Vec<Option<Decimal>> {
    let mut rows = values.get(key).cloned().unwrap_or_default();
    rows.sort_unstable();
    if rows == [None] { Vec::new() } else { rows }
}

#[cfg(test)]
mod tests {
    use proptest::{collection, prelude::*};

    use super::*;

    /// Up to three rows of each of four names.
    fn held() -> impl Strategy<Value = BTreeMap<u8, Vec<u8>>> {
        collection::btree_map(0_u8..4, collection::vec(0_u8..3, 1..4), 0..4)
    }

    fn values(of: &BTreeMap<u8, Vec<u8>>) -> Values<u8> {
        let some = |rows: &Vec<u8>| rows.iter().map(|value| Some(Decimal::from(*value))).collect();
        of.iter().map(|(key, rows)| (*key, some(rows))).collect()
    }

    proptest! {
        /// What is brought makes the parent what was planned, and nothing else of it.
        #[test]
        fn what_passes_changes_the_planned_values_alone(
            parent in held(),
            own in held(),
            planned in collection::btree_map(0_u8..4, 0_u8..3, 0..4),
            like_parent in any::<bool>(),
        ) {
            let mut own = own;
            if like_parent {
                own.clone_from(&parent);
                own.extend(planned.iter().map(|(key, value)| (*key, vec![*value])));
            }
            let mut changes = Changes::default();
            let decimals = planned.iter().map(|(key, value)| (*key, Decimal::from(*value)));
            changes.compare(&decimals.collect(), [&values(&own), &values(&parent)], u8::to_string);
            let mut wanted = parent.clone();
            wanted.extend(planned.iter().map(|(key, value)| (*key, vec![*value])));
            own.values_mut().chain(wanted.values_mut()).for_each(|rows| rows.sort_unstable());
            prop_assert_eq!(changes.judge("commit", "child").is_ok(), own == wanted);
        }

        /// A second row of a name is named, whether it is planned or not.
        #[test]
        fn a_second_row_is_named(value in 0_u8..3, second in 0_u8..3, is_planned in any::<bool>()) {
            let own = values(&[(7, vec![value, second])].into());
            let parent = values(&[(7, vec![value])].into());
            let planned = if is_planned { vec![(7, Decimal::from(value))] } else { Vec::new() };
            let mut changes = Changes::default();
            changes.compare(&planned.into_iter().collect(), [&own, &parent], u8::to_string);
            let error = changes.judge("commit", "child").unwrap_err();
            prop_assert!(error.class == Class::Drift, "{}", error);
            prop_assert!(error.message.ends_with("first 7 in several rows"), "{}", error);
        }
    }
}
