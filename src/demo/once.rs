//! What `demo --once` says, and what a script checks: what each target was
//! given and what was read back from it.

use std::collections::BTreeSet;

use jiff::Timestamp;
use planthread_engine::status::{self, ScopeStatus};
use planthread_kit::Clock as _;
use schemars::JsonSchema;
use serde::Serialize;

use super::Demo;
use crate::{
    failure::{Exit, Failure},
    pipeline::Cycle,
    report::{TextTable, Tone, View, cycled::Facts},
};

/// What `demo --once` says.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Once {
    /// The four facts, of all targets.
    #[serde(flatten)]
    pub facts: Facts,
    /// Each target.
    pub targets: Vec<Landed>,
    /// Records that came in through the intake.
    pub records: u64,
    /// Machines that became resources of a target.
    pub resources: usize,
    /// The instant that the numbers speak for.
    pub as_of: Timestamp,
    /// Receipts of the pushes.
    pub receipts: Vec<String>,
    /// Why it did not go to its end.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stopped: Option<Failure>,
}

/// What one target was given.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Landed {
    /// Its name in the configuration.
    pub target: String,
    /// Its connector.
    pub connector: String,
    /// The scope that holds the values; empty for base.
    pub scope: String,
    /// Units of the values, as UN/CEFACT codes.
    pub units: BTreeSet<String>,
    /// Its four facts.
    #[serde(flatten)]
    pub facts: Facts,
}

impl Demo {
    /// What `demo --once` says after `cycle`.
    ///
    /// # Errors
    /// When the state can't be read.
    pub fn once(&self, cycle: &Cycle) -> Result<Once, Failure> {
        let reader = self.bridge.reader()?;
        let journal = planthread_engine::journal::counts(&reader)?;
        let status = status::status(&reader, self.clock.now())?;
        let applied = cycle.targets.iter().filter_map(|target| target.applied.as_ref());
        let targets: Vec<Landed> = status.scopes.iter().map(|scope| self.landed(scope)).collect();
        let mapped = self.targets.iter().flat_map(|target| &target.config.mapping.rows);
        Ok(Once {
            facts: targets.iter().fold(Facts::default(), |sum, one| sum.and(one.facts)),
            targets,
            records: journal.records,
            resources: mapped.map(|row| &row.source).collect::<BTreeSet<_>>().len(),
            as_of: cycle.as_of,
            receipts: applied.flat_map(|applied| applied.receipts.clone()).collect(),
            stopped: cycle.targets.iter().find_map(|target| target.stopped.clone()),
        })
    }

    fn landed(&self, scope: &ScopeStatus) -> Landed {
        let target = self.targets.iter().find(|target| target.name == scope.target);
        let measures = target.iter().flat_map(|target| &target.config.measures);
        let unit = |measure: &planthread_contracts::MeasureDecl| measure.unit.to_string();
        Landed {
            target: scope.target.clone(),
            connector: target.map(|target| target.config.connector.clone()).unwrap_or_default(),
            scope: scope.scope.clone(),
            units: measures.map(unit).collect(),
            facts: Facts {
                wanted: scope.wanted,
                accepted: scope.accepted,
                seen: scope.seen,
                in_use: scope.in_use,
            },
        }
    }
}

impl Once {
    /// Whether everything that is wanted was taken and read back, at each target.
    #[must_use]
    pub fn landed(&self) -> bool {
        let landed = |one: &Landed| {
            let Facts { wanted, accepted, seen, .. } = one.facts;
            wanted > 0 && wanted == accepted && wanted == seen
        };
        !self.targets.is_empty() && self.targets.iter().all(landed)
    }
}

impl View for Once {
    const OUTPUT: &'static str = "demo";

    fn write(&self, text_table: &mut TextTable) {
        text_table.line(format!(
            "{} records of {} machines became capacity cells, as of {}.",
            self.records, self.resources, self.as_of
        ));
        for one in &self.targets {
            let Facts { wanted, accepted, seen, in_use } = one.facts;
            let tone = if wanted == seen { Tone::Good } else { Tone::Bad };
            let scope = if one.scope.is_empty() { "base" } else { &one.scope };
            let drive =
                if in_use > 0 { format!("; {in_use} drive the plan") } else { String::new() };
            let facts =
                format!("{wanted} wanted, {accepted} accepted, {seen} read back as wanted{drive}.");
            let facts = text_table.tint(tone, &facts);
            text_table.line(format!("  {} ({scope}): {facts}", one.connector));
        }
        if let Some(failure) = &self.stopped {
            text_table.line(format!("stopped: {failure}"));
        }
    }

    fn exit(&self) -> Exit {
        match &self.stopped {
            Some(failure) => failure.exit,
            None if self.landed() => Exit::Ok,
            None => Exit::Findings,
        }
    }
}
