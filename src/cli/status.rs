//! `planthread status`

use std::collections::{BTreeMap, BTreeSet};

use planthread_engine::{continuity, fallback, journal, ledger, status};

use super::Context;
use crate::{
    config::{Config, Wiring},
    failure::{Exit, Failure},
    pipeline::{Waits, certificates, certificates_of_alerts, firm, second_pack},
    report::{
        breaker::BreakerLine, guard::Guard, lease::LeaseLine, lock_line::LockLine, skew::Skew,
        status::StatusView,
    },
    serve::files,
};

/// What the verb takes.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Compare the targets: what each holds of a signal, and which one lags
    #[arg(long)]
    skew: bool,
}

/// Pushes that are shown; `trace` has those of a cell.
const PUSHES_SHOWN: u64 = 3;

pub(super) fn run(context: &Context, args: &Args) -> Result<Exit, Failure> {
    let (loaded, reader) = context.reader()?;
    let now = context.clock.now();
    let _doing = context.board.doing("", "reading the ledger");
    if args.skew {
        return context.screen.show(&Skew::of(&loaded, &reader, now)?);
    }
    let locks = ledger::locked_cells(&reader, now)?;
    let (mut waits, mut guards, mut named) = (Vec::new(), Vec::new(), Vec::new());
    let mut stands = Vec::new();
    let (mut agreements, mut second_places) = (BTreeMap::new(), BTreeMap::new());
    for (name, target) in &loaded.config.targets {
        guards.push(Guard::of(&reader, name, target)?);
        second_places.extend(second_pack(name, target)?.map(|second| (name.clone(), second)));
        named.extend(certificates(&loaded, name, target));
        let target = context.open_offline(&loaded, Some(name))?;
        let gate = target.connector.info().agreement.as_ref();
        agreements.extend(gate.map(|gate| (name.clone(), gate.status(now))));
        stands.extend(firm(&loaded, &reader, &target, now)?);
        waits.push(Waits::at(&loaded, &reader, &target, now)?);
    }
    named.extend(certificates_of_alerts(&loaded));
    let breakers = ledger::breakers(&reader)?.into_iter();
    let breakers = breakers.filter_map(|((name, of), kept)| {
        let policy = loaded.config.targets.get(&name)?.delivery.breaker_policy();
        BreakerLine::of((&name, of), kept, &policy, now)
    });
    context.screen.show(&StatusView {
        now,
        lease: loaded.config.run.lease.as_ref().map(|lease| LeaseLine::of(lease, now)),
        status: status::status(&reader, now)?,
        journal: journal::counts(&reader)?,
        unfinished: files::waiting(&loaded.config.plant, &reader)?,
        pushes: ledger::receipts(&reader, PUSHES_SHOWN)?,
        away: fallback::outages(&reader)?,
        second_places,
        cases: ledger::cases(&reader)?,
        pauses: ledger::pauses(&reader)?.into_iter().filter(|(_, until)| *until > now).collect(),
        breakers: breakers.collect(),
        locks: locks.iter().map(LockLine::from).collect(),
        waits,
        firm: stands,
        clock_confirmed: continuity::clock::last_witness(&reader)?,
        guards,
        agreements,
        certificates: named,
        not_driving: not_driving(&loaded.config),
    })
}

/// Targets of which nothing that lands drives the plan.
fn not_driving(config: &Config) -> BTreeSet<String> {
    let apart = config.targets.iter().filter(|(_, target)| target.in_use.wiring == Wiring::None);
    apart.map(|(name, _)| name.clone()).collect()
}
