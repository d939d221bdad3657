//! What goes wrong with the bridge itself: it dies, or its state is an old copy.

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
    let (mut deaths, mut arranged, mut twice) = (0, 0, Vec::new());
    for nth in edges(&lines, |_| true) {
        let asks = lines[nth - 1].starts_with("GET ");
        let effects = if asks { &[Effect::None][..] } else { &[Effect::None, Effect::Before] };
        for effect in effects {
            let mut room = Room::landed(tenant, drill)?;
            room.hour()?;
            let since = room.clock.now();
            room.gate().kill = Some((nth, *effect));
            deaths += usize::from(room.cycle()?.is_none());
            arranged += 1;
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
    verdict.happened("deaths", deaths);
    verdict.all_of(deaths, arranged);
    verdict.none("cells changed more than once", twice);
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
    let before = judge::stored(&room);
    for _ in 0..2 {
        room.hour()?;
        room.until_landed(STARTS)?;
    }
    let newest = judge::stored(&room);
    let changed = newest.iter().filter(|(place, value)| before.get(place) != Some(value)).count();
    verdict.happened("cells that landed since the copy was made", changed);
    let identity = room.identity()?;
    room.restore()?;
    room.clock.advance(CYCLE);
    let (since, from) = (room.clock.now(), room.gate().heard.len());
    verdict.count("cycles until all had landed", room.until_landed(STARTS)?);
    let older = judge::other_than(&room, since, &newest);
    verdict.none("older values over newer ones", older);
    verdict.happened("requests of the state that was put back", room.gate().heard.len() - from);
    if room.identity()? == identity {
        verdict.findings.push("it writes as the same writer: nobody noticed".to_owned());
    }
    let (reader, now) = (room.reader()?, room.clock.now());
    let locks = ledger::locks(&reader, now)?;
    let locked = locks.iter().map(|lock| format!("{}, for {}", lock.key, lock.owner)).collect();
    verdict.none("own writes taken for somebody else's", locked);
    let open = status::status(&reader, now)?.scopes;
    let open = open.iter().filter(|scope| scope.open_attempts > 0);
    verdict.none("pushes without an end", open.map(|scope| scope.target.clone()).collect());
    verdict.at_the_end(&mut room)?;
    room.hour()?;
    let since = room.clock.now();
    room.until_landed(STARTS)?;
    verdict.happened("changes that took effect afterwards", judge::effects(&room, since).len());
    verdict.none("cells changed more than once", judge::more_than(&room, since, 1));
    verdict.at_the_end(&mut room)?;
    Ok(verdict)
}
