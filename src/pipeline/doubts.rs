//! What is doubtful about machines, for whoever can end it: sources that differ,
//! and readings of counters that were not counted.

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_domain::{
    decode::{Decoder, Verdict},
    derive::{About, Remark},
    lanes::in_order,
};
use planthread_engine::{
    Reader,
    journal::{self, Append},
};
use rust_decimal::Decimal;

use super::{Bridge, cores, derive_facts, facts_of_journal};
use crate::{config::Loaded, failure::Failure, report::rejects::Doubt};

/// Every doubt about a machine at `now`, in the plant's order; those of one reason
/// are one.
///
/// # Errors
/// When the journal can't be read, or a calendar makes no sense.
pub fn doubts(loaded: &Loaded, reader: &Reader, now: Timestamp) -> Result<Vec<Doubt>, Failure> {
    let plant = &loaded.config.plant;
    let as_of = plant.as_of(now);
    let facts = facts_of_journal(loaded, reader, as_of)?;
    let deriver = derive_facts(loaded, &facts.all, as_of)?;
    let names: Vec<&str> = plant.resources.iter().map(|one| one.id.as_str()).collect();
    let (mut found, tolerance) = (Vec::new(), plant.rules.conflict_hours);
    let of = |(): &mut (), name: &&str| deriver.remarks(name);
    in_order(vec![(); cores()], &names, of, |all| {
        found.extend(all.into_iter().flat_map(|one| together(one, tolerance)));
        Ok::<_, Failure>(())
    })?;
    Ok(found)
}

/// The remarks on one machine, those of one reason together; sources may differ for
/// `tolerance` hours.
fn together(remarks: Vec<Remark>, tolerance: Decimal) -> Vec<Doubt> {
    let mut found: BTreeMap<(_, String), Doubt> = BTreeMap::new();
    for Remark { resource, about, words, start, end } in remarks {
        let resource = resource.to_string();
        let hours = Decimal::ZERO;
        let first = Doubt { resource, about, words: words.clone(), start, end, times: 0, hours };
        let doubt = found.entry((about, words)).or_insert(first);
        (doubt.start, doubt.end) = (doubt.start.min(start), doubt.end.max(end));
        doubt.times += 1;
        let ms = end.as_millisecond() - start.as_millisecond();
        doubt.hours += Decimal::from(ms) / Decimal::from(3_600_000);
    }
    found
        .into_values()
        .filter(|one| one.about != About::Conflict || one.hours > tolerance)
        .collect()
}

impl Bridge {
    /// Keeps what a person said of sources that differ.
    ///
    /// # Errors
    /// When the plant has no such machine or source, or the state can't be written.
    pub fn believe(&self, verdict: &Verdict) -> Result<(), Failure> {
        let decoder = Decoder::new(&self.loaded.config.plant)
            .map_err(|error| Failure::usage(error.to_string()).explain("config"))?;
        verdict.check(&decoder).map_err(Failure::usage)?;
        let now = self.clock.now();
        let records = vec![verdict.record(now)];
        journal::append(&self.state, Append { records, ..Append::default() }, now)?;
        Ok(())
    }
}
