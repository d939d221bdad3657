//! What lands at a target, place by place: derived, projected and forgotten again.

use planthread_contracts::MeasureDecl;
use planthread_domain::{
    lanes::in_order,
    model::Mapping,
    project::{self, Landing, Projection, Request},
};
use planthread_engine::Reader;
use rust_decimal::Decimal;

use super::{OpenTarget, Truth, released};
use crate::{
    config::{Loaded, Target},
    failure::Failure,
};

/// What is projected, and where to.
#[derive(Debug)]
pub(super) struct Portions<'a> {
    pub(super) loaded: &'a Loaded,
    pub(super) truth: &'a Truth,
    pub(super) target: &'a str,
    pub(super) config: &'a Target,
    pub(super) scope: &'a str,
    pub(super) mapping: &'a Mapping,
    pub(super) measures: &'a [MeasureDecl],
    /// The number of this writer, which lands in heartbeat measures.
    pub(super) heartbeat: Option<Decimal>,
}

impl<'a> Portions<'a> {
    /// Everything that lands at `target`: those of its measures that are given.
    pub(super) fn of(
        loaded: &'a Loaded,
        truth: &'a Truth,
        target: &'a OpenTarget,
        measures: &'a [MeasureDecl],
    ) -> Self {
        Self {
            loaded,
            truth,
            target: &target.name,
            config: &target.config,
            scope: target.scope.name(),
            mapping: &target.config.mapping,
            measures,
            heartbeat: None,
        }
    }

    /// Gives the portions of all places to `take`, in their order. They are made side
    /// by side, one lane for each of `readers`.
    ///
    /// # Errors
    /// When the mapping refuses (a loss counted twice, two figures of capacity
    /// mixed); each portion by itself when the state can't be read.
    pub(super) fn each<O>(
        &self,
        readers: Vec<Reader>,
        take: impl FnOnce(&mut dyn Iterator<Item = Result<Projection, Failure>>) -> O,
    ) -> Result<O, Failure> {
        let refused = project::declared(self.mapping, self.measures);
        if !refused.is_empty() {
            return Err(refused_by(self.target, &refused));
        }
        let landings = Landing::all(self.mapping);
        Ok(in_order(readers, &landings, |reader, landing| self.portion(reader, landing), take))
    }

    fn portion(&self, reader: &Reader, landing: &Landing<'_>) -> Result<Projection, Failure> {
        let Self { truth, target, scope, mapping, measures, heartbeat, .. } = *self;
        let (live, cut) = (truth.live_at(self.config), &truth.cut);
        let (live, cut) = (live.of(landing.sources()), cut.of(landing.sources()));
        let rules = &self.loaded.config.plant.rules.significance;
        let released = released::of_truth(reader, truth, landing.sources())?;
        let released = released::at(self.config, &live, truth.position, rules, released);
        let request = Request {
            plant: &self.loaded.config.plant,
            live: &live,
            cut: Some(&cut),
            released: Some(&released),
            target,
            scope,
            mapping,
            measures,
            heartbeat,
        };
        project::portion(&request, landing).map_err(|refused| refused_by(target, &refused))
    }
}

/// The failure where a mapping refuses to land anything.
pub(super) fn refused_by(target: &str, violations: &[planthread_contracts::Violation]) -> Failure {
    let mut violations = violations.iter();
    let Some(first) = violations.next() else {
        return Failure::internal(format!("targets.{target}: refused without a reason"));
    };
    let more: String =
        violations.map(|other| format!("\n  also {}: {}", other.path, other.reason)).collect();
    Failure::usage(format!("targets.{target}: {}: {}{more}", first.path, first.reason))
        .cure(&first.cure)
        .explain("config")
}
