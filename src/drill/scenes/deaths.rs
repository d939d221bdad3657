//! What goes wrong with the bridge itself: it dies, or its state is an old copy.

use std::collections::BTreeSet;

use planthread_engine::{ledger, status};
use planthread_kit::Clock as _;

use super::{edges, wires::undisturbed};
use crate::{
    drill::{
        Drill,
        judge::{self, Verdict},
        room::{CYCLE, Room, STARTS},
        tenant::Tenant,
    },
    failure::Failure,
    in_process::gate::Effect,
};

pub(super) fn dead_bridge(tenant: &Tenant, drill: &Drill<'_>) -> Result<Verdict, Failure> {
    let lines = undisturbed(tenant, drill)?;
    let mut verdict = Verdict::default();
    let (mut deaths, mut twice) = (0_u64, Vec::new());
    for nth in edges(&lines, |_| true) {
        let asks = lines[nth - 1].starts_with("GET ");
        let effects = if asks { &[Effect::None][..] } else { &[Effect::None, Effect::Before] };
        for effect in effects {
            let mut room = Room::landed(tenant, drill)?;
            room.hour()?;
            let since = room.clock.now();
            room.gate().kill = Some((nth, *effect));
            deaths += u64::from(room.cycle()?.is_none());
            room.clock.advance(CYCLE);
            room.until_landed(STARTS)?;
            let at = format!("{} (request {nth}, {effect:?})", lines[nth - 1]);
            twice.extend(
                judge::more_than(&room, since, 1).into_iter().map(|one| format!("{at}: {one}")),
            );
            let mut one = Verdict::default();
            one.at_the_end(&mut room)?;
            verdict
                .findings
                .extend(one.findings.into_iter().map(|finding| format!("{at}: {finding}")));
        }
    }
    verdict.count("deaths", deaths);
    verdict.none("cells changed more than once", twice);
    if deaths == 0 {
        verdict.findings.push("the bridge never died: nothing was rehearsed".to_owned());
    }
    Ok(verdict)
}

pub(super) fn restored_backup(tenant: &Tenant, drill: &Drill<'_>) -> Result<Verdict, Failure> {
    let mut room = Room::landed(tenant, drill)?;
    let mut verdict = Verdict::default();
    if !tenant.has_witness() {
        let why =
            "neither a pack nor a heartbeat is configured: nobody outside the state could notice";
        verdict.not_applicable = Some(why.to_owned());
        return Ok(verdict);
    }
    room.back_up()?;
    for _ in 0..2 {
        room.hour()?;
        room.until_landed(STARTS)?;
    }
    let newest = judge::stored(&room);
    room.restore()?;
    room.clock.advance(CYCLE);
    let since = room.clock.now();
    verdict.count("cycles until all had landed", room.until_landed(STARTS)?);
    let stamps: BTreeSet<String> = judge::surfaces(&room, |carries| carries.accompanies());
    let older: Vec<String> = judge::effects(&room, since)
        .into_iter()
        .filter(|change| !stamps.contains(&change.cell.measure))
        .filter(|change| {
            let cell = &change.cell;
            let place = (
                cell.scope.clone(),
                cell.resource.clone(),
                cell.location.clone(),
                cell.period,
                cell.measure.clone(),
            );
            newest.get(&place) != Some(&cell.value)
        })
        .map(|change| {
            format!("{} as {} of {}", change.cell.value, change.cell.measure, change.cell.resource)
        })
        .collect();
    verdict.none("older values over newer ones", older);
    let (reader, now) = (room.reader()?, room.clock.now());
    let locks = ledger::locks(&reader, now)?;
    let locked = locks.iter().map(|lock| format!("{}, for {}", lock.key, lock.owner)).collect();
    verdict.none("own writes taken for somebody else's", locked);
    let open: u64 =
        status::status(&reader, now)?.scopes.iter().map(|scope| scope.open_attempts).sum();
    verdict.count("pushes without an end", open);
    room.hour()?;
    room.until_landed(STARTS)?;
    verdict.at_the_end(&mut room)?;
    Ok(verdict)
}
