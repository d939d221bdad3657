//! `planthread drill`: what is promised for bad days, rehearsed before the sandboxes
//! of the configured targets, on a clock that costs nothing.
//!
//! ```text
//! tenant    the targets that share an address, as their sandbox can be written
//! room      one rehearsal: a folder, a plant, a gate before the sandbox, a bridge
//! judge     what must be true, told from the sandbox's own store and the ledger
//! scenes    what goes wrong, one after the other
//! page      the report as Markdown
//! ```
//!
//! What a drill may claim stands in `docs/adr/0029-what-a-drill-may-claim.md`.

mod folder;
mod judge;
mod page;
mod plant;
mod room;
mod scenes;
mod tenant;

use std::collections::BTreeMap;

use jiff::Timestamp;
use planthread_mocks::Simulator;

pub use page::{FIRST_WORDS, markdown};

use crate::{
    config::Loaded,
    failure::Failure,
    report::drill::{Drilled, Outcome, Rehearsed},
};
use tenant::Tenant;

/// What stands between the bridge and the gate before its sandbox: nothing, but in a
/// test that gives it a bridge that behaves badly.
pub type Between = fn(Box<dyn Simulator>) -> Box<dyn Simulator>;

/// A drill of a configuration.
#[derive(Debug, Clone, Copy)]
pub struct Drill<'a> {
    /// The configuration; nothing that it names is written or asked.
    pub loaded: &'a Loaded,
    /// The instant at which every rehearsal begins.
    pub now: Timestamp,
    /// What stands between bridge and gate.
    pub between: Between,
    /// Of the scenarios only these; all of them when empty.
    pub only: &'a [&'a str],
}

impl<'a> Drill<'a> {
    /// A drill of every scenario.
    #[must_use]
    pub fn new(loaded: &'a Loaded, now: Timestamp) -> Self {
        Self { loaded, now, between: |sandbox| sandbox, only: &[] }
    }

    /// Rehearses every scenario for the target called `name`, or for all of them;
    /// `tell` hears of each before it begins.
    ///
    /// # Errors
    /// When there is no such target, or the temporary folder can't be written.
    pub fn run(
        &self,
        name: Option<&str>,
        mut tell: impl FnMut(&str, &'static str),
    ) -> Result<Drilled, Failure> {
        let mut rehearsed = Vec::new();
        for tenant in self.tenants(name)? {
            let chosen =
                |scene: &&scenes::Scene| self.only.is_empty() || self.only.contains(&scene.name);
            for scene in scenes::ALL.iter().filter(chosen) {
                tell(&tenant.name, scene.name);
                rehearsed.push(self.rehearse(&tenant, scene));
            }
        }
        let mut counts = BTreeMap::new();
        for outcome in Outcome::ALL {
            let of = rehearsed.iter().filter(|one: &&Rehearsed| one.outcome == outcome).count();
            counts.insert(outcome.word(), of as u64);
        }
        let (digest, program) = (self.loaded.digest.clone(), env!("CARGO_PKG_VERSION").to_owned());
        Ok(Drilled { at: self.now, program, digest, counts, rehearsed, report: None })
    }

    fn rehearse(&self, tenant: &Tenant, scene: &scenes::Scene) -> Rehearsed {
        let held = tenant.anew(self.loaded).and_then(|tenant| (scene.rehearse)(&tenant, self));
        let verdict = held.unwrap_or_else(|failure| {
            // A rehearsal that can't be held proves nothing: that is no pass.
            judge::Verdict { findings: vec![failure.message], ..judge::Verdict::default() }
        });
        let outcome = match (&verdict.not_applicable, verdict.findings.is_empty()) {
            // What is otherwise than promised was found, whatever else can't happen here.
            (_, false) => Outcome::Fail,
            (Some(_), true) => Outcome::NotApplicable,
            (None, true) => Outcome::Pass,
        };
        Rehearsed {
            target: tenant.name.clone(),
            connector: tenant.registered.target.name.to_owned(),
            scenario: scene.name.to_owned(),
            law: scene.law,
            done: scene.done.to_owned(),
            promised: scene.promised.to_owned(),
            seen: verdict.seen,
            outcome,
            because: verdict.not_applicable,
            findings: verdict.findings,
        }
    }

    /// The tenants of the targets, each with all targets that share it.
    fn tenants(&self, name: Option<&str>) -> Result<Vec<Tenant>, Failure> {
        let targets = &self.loaded.config.targets;
        if let Some(unknown) = name.filter(|name| !targets.contains_key(*name)) {
            let known: Vec<&str> = targets.keys().map(String::as_str).collect();
            return Err(Failure::usage(format!("there is no target `{unknown}`"))
                .cure(format!("targets: {}", known.join(", "))));
        }
        if targets.is_empty() {
            return Err(
                Failure::usage("the configuration has no target").cure("add one under `targets:`")
            );
        }
        let mut tenants = tenant::of(self.loaded)?;
        tenants.retain(|tenant| name.is_none_or(|name| tenant.has(name)));
        Ok(tenants)
    }
}
