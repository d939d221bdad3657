//! What goes wrong between the bridge and its target.

use std::time::Duration;

use jiff::Timestamp;
use planthread_contracts::RevisionState;
use planthread_engine::ledger::CellView;
use planthread_kit::Clock as _;
use planthread_mocks::{Fault, Simulator as _};

use super::edges;
use crate::{
    drill::{
        Drill,
        judge::{self, Place, Verdict},
        room::{CYCLE, Room, STARTS},
        tenant::Tenant,
    },
    failure::Failure,
};

/// Requests of a storm.
const STORM: usize = 30;
/// Seconds that each of its answers asks to wait.
const WAIT: u32 = 45;
/// How long each answer of a slow target takes.
const SLOW: Duration = Duration::from_mins(10);
/// Requests at which a session ends.
const EXPIRIES: usize = 12;

/// Lands the news, and judges: whatever stood in the way is over, and each cell that
/// changed was written once.
fn ends_well(room: &mut Room, verdict: &mut Verdict, since: Timestamp) -> Result<(), Failure> {
    verdict.count("cycles until all had landed", room.until_landed(STARTS)?);
    verdict.count("simulated seconds", room.passed(since).as_secs());
    verdict.happened("changes that took effect", judge::effects(room, since).len());
    verdict.none("cells changed more than once", judge::more_than(room, since, 1));
    verdict.at_the_end(room)
}

pub(super) fn no_fault(tenant: &Tenant, drill: &Drill<'_>) -> Result<Verdict, Failure> {
    let mut room = Room::landed(tenant, drill)?;
    let mut verdict = Verdict::default();
    room.hour()?;
    let (since, from) = (room.clock.now(), room.gate().heard.len());
    ends_well(&mut room, &mut verdict, since)?;
    verdict.happened("requests", room.gate().heard.len() - from);
    Ok(verdict)
}

pub(super) fn auth_expiry(tenant: &Tenant, drill: &Drill<'_>) -> Result<Verdict, Failure> {
    let mut room = Room::landed(tenant, drill)?;
    let mut verdict = Verdict::default();
    room.hour()?;
    let (since, from) = (room.clock.now(), room.gate().heard.len());
    room.gate().expire_sessions();
    // At every second request: what is refused may log in again.
    for nth in (1..=EXPIRIES).map(|nth| nth * 2) {
        room.gate().fault_at(nth, Fault::ExpireToken);
    }
    ends_well(&mut room, &mut verdict, since)?;
    let refused = |status: Option<u16>| matches!(status, Some(401 | 403));
    let heard = room.gate().heard[from..].to_vec();
    let refusals = heard.iter().filter(|one| refused(one.status)).count();
    verdict.count("requests", heard.len());
    verdict.count("refusals", refusals);
    if refusals == 0 {
        let why = "no request was refused: what this target is sent needs no session that ends";
        verdict.not_applicable = Some(why.to_owned());
    }
    let most = 2 * (EXPIRIES + 1);
    if refusals > most {
        verdict.findings.push(format!("{refusals} refusals of {} sessions", EXPIRIES + 1));
    }
    Ok(verdict)
}

pub(super) fn throttled(tenant: &Tenant, drill: &Drill<'_>) -> Result<Verdict, Failure> {
    let mut room = Room::landed(tenant, drill)?;
    let mut verdict = Verdict::default();
    room.hour()?;
    let (since, from) = (room.clock.now(), room.gate().heard.len());
    let fault = Fault::Status { code: 429, retry_after: Some(WAIT), after: false };
    room.gate().faults(1, STORM, fault);
    for _ in 0..STORM {
        room.cycle()?;
        if refusals(&room, from) >= STORM {
            break;
        }
        room.clock.advance(CYCLE);
    }
    ends_well(&mut room, &mut verdict, since)?;
    verdict.happened("refusals", refusals(&room, from));
    verdict.none("requests inside an announced wait", judge::inside_waits(&room, from));
    Ok(verdict)
}

fn refusals(room: &Room, from: usize) -> usize {
    room.gate().heard[from..].iter().filter(|one| one.status == Some(429)).count()
}

pub(super) fn slow(tenant: &Tenant, drill: &Drill<'_>) -> Result<Verdict, Failure> {
    let mut room = Room::landed(tenant, drill)?;
    let mut verdict = Verdict::default();
    room.hour()?;
    let (since, from) = (room.clock.now(), room.gate().heard.len());
    room.gate().slow = SLOW;
    room.cycle()?;
    verdict.happened("answers that took ten minutes", room.gate().heard.len() - from);
    verdict.count("simulated seconds of the slow cycle", room.passed(since).as_secs());
    verdict.always(&mut room)?;
    room.gate().slow = Duration::ZERO;
    room.clock.advance(CYCLE);
    ends_well(&mut room, &mut verdict, since)?;
    Ok(verdict)
}

/// The requests of a landing of news that nothing disturbs.
pub(super) fn undisturbed(tenant: &Tenant, drill: &Drill<'_>) -> Result<Vec<String>, Failure> {
    let mut room = Room::landed(tenant, drill)?;
    room.hour()?;
    let from = room.gate().heard.len();
    room.cycle()?;
    let lines = room.gate().lines();
    Ok(lines[from..].to_vec())
}

pub(super) fn lost_commit(tenant: &Tenant, drill: &Drill<'_>) -> Result<Verdict, Failure> {
    let lines = undisturbed(tenant, drill)?;
    let points = edges(&lines, |line| !line.starts_with("GET "));
    let mut verdict = Verdict::default();
    let (mut lost, mut twice) = (0, Vec::new());
    verdict.count("pushes", points.len());
    for &nth in &points {
        let mut room = Room::landed(tenant, drill)?;
        room.hour()?;
        let (since, from) = (room.clock.now(), room.gate().heard.len());
        room.gate().fault_at(nth, Fault::DropAfter);
        room.until_landed(STARTS)?;
        lost += judge::unanswered(&room, from);
        let at = format!("{} (request {nth})", lines[nth - 1]);
        twice.extend(
            judge::more_than(&room, since, 1).into_iter().map(|one| format!("{at}: {one}")),
        );
        let mut one = Verdict::default();
        one.at_the_end(&mut room)?;
        verdict.findings.extend(one.findings.into_iter().map(|finding| format!("{at}: {finding}")));
    }
    verdict.happened("answers that were lost", lost);
    verdict.all_of(lost, points.len());
    verdict.none("cells changed more than once", twice);
    Ok(verdict)
}

pub(super) fn dropped_rows(tenant: &Tenant, drill: &Drill<'_>) -> Result<Verdict, Failure> {
    let mut room = Room::landed(tenant, drill)?;
    let mut verdict = Verdict::default();
    room.hour()?;
    let resource = judge::cells(&mut room)?.pop().map(|cell| cell.key.resource.to_string());
    room.gate().forgets = resource;
    room.cycle()?;
    room.gate().forgets = None;
    let forgotten = room.gate().forgotten;
    verdict.count("writes that lost rows", forgotten);
    let waiting = judge::missing(&mut room)?.len();
    verdict.count("cells that were not called landed", waiting);
    verdict.always(&mut room)?;
    room.clock.advance(CYCLE);
    verdict.count("cycles until all had landed", room.until_landed(STARTS)?);
    if room.suspended()? {
        owner_looks(&mut room, &mut verdict)?;
    }
    verdict.at_the_end(&mut room)?;
    if forgotten == 0 {
        let why = "no write carries rows of several resources: a part of it can't be lost";
        verdict.not_applicable = Some(why.to_owned());
    } else if waiting == 0 {
        verdict.findings.push("rows were lost, and every cell is called landed".to_owned());
    }
    Ok(verdict)
}

/// Whoever signed how this target is written has to look first: until then nothing is
/// written, and then everything lands.
fn owner_looks(room: &mut Room, verdict: &mut Verdict) -> Result<(), Failure> {
    let since = room.clock.now();
    room.hour()?;
    room.cycle()?;
    let waiting = judge::missing(room)?.len();
    verdict.happened("cells that wait for the owner of the agreement", waiting);
    let written = judge::effects(room, since).into_iter().map(|change| Place::of(&change.cell));
    let written = written.map(|place| place.to_string()).collect();
    verdict.none("cells written under a suspended agreement", written);
    verdict.always(room)?;
    room.clock.advance(CYCLE);
    room.look_at_agreements()?;
    verdict.count("cycles until all had landed after the owner looked", room.until_landed(STARTS)?);
    Ok(())
}

pub(super) fn surface_change(tenant: &Tenant, drill: &Drill<'_>) -> Result<Verdict, Failure> {
    let mut room = Room::landed(tenant, drill)?;
    let mut verdict = Verdict::default();
    let known: Vec<_> =
        judge::cells(&mut room)?.into_iter().map(|cell| (cell.key, cell.revision)).collect();
    room.hour()?;
    let names = judge::surfaces(&room, |_| true);
    let last = |name: &String| name.rsplit('.').next().unwrap_or(name).to_owned();
    room.gate().renamed = names.iter().cloned().chain(names.iter().map(last)).collect();
    for _ in 0..2 {
        room.cycle()?;
        room.clock.advance(CYCLE);
    }
    let renames = room.gate().renames;
    let new = |cell: &CellView| {
        let before = known.iter().find(|(key, _)| *key == cell.key);
        before.is_none_or(|(_, revision)| *revision < cell.revision)
    };
    let seen: Vec<String> = judge::cells(&mut room)?
        .into_iter()
        .filter(|cell| cell.state == RevisionState::Seen && new(cell))
        .map(|cell| cell.key.to_string())
        .collect();
    verdict.count("answers with other names", renames);
    verdict.none("cells called seen that nobody could read", seen);
    room.gate().renamed.clear();
    verdict.count("cycles until all had landed", room.until_landed(STARTS)?);
    verdict.at_the_end(&mut room)?;
    if renames == 0 {
        let why = "no answer names a measure: its values are told by their place";
        verdict.not_applicable = Some(why.to_owned());
    }
    Ok(verdict)
}
