//! What is open now, from where it is kept.

use std::collections::BTreeMap;

use jiff::{SignedDuration, Timestamp};
use planthread_engine::{
    fallback::{self, Outage},
    gauges::ScopeGauges,
    ledger::{self, Case, CaseKind},
    status::Reject,
};
use planthread_kit::BreakerStanding;

use super::{
    Found, Open,
    kinds::{
        AWAY, BREAKER, CERTIFICATE, CONTINUITY, CUT_MISSED, EARLY, HANGS, HOLDS, INFEASIBLE, Kind,
        LOOP, NOT_DONE, PACK_OLD, PAUSED, QUESTION, RECORDS, REJECTED, ROUNDS_FAIL, SECOND_OLD,
        SECOND_WRITER, SILENT, THROTTLED, UNREAD, UNSEEN, UNWRITTEN,
    },
};
use crate::{
    failure::Failure,
    operate::{ROUNDS, Ready, Told, Watch},
    pipeline::{self, FirmStands, PackTimes},
    report::text_table::count,
};

/// Who operates the bridge: whoever reads the messages that are nobody else's.
const OPERATOR: &str = "operator";
/// Rounds that may go by without a good one.
const ROUNDS_MOST: u64 = 3;
/// Rounds that may go by without a cycle of a target that is done.
const CYCLES_MOST: u64 = 6;
/// How long a source may say nothing.
const SILENT_MOST: SignedDuration = SignedDuration::from_hours(12);
/// How long a value may be wanted and not seen, and how old a pack may be.
const DAY: SignedDuration = SignedDuration::from_hours(24);
/// How long a push may have no end.
const PUSH_MOST: SignedDuration = SignedDuration::from_hours(4);

impl Watch {
    /// Everything that a person should know at `now`.
    pub(super) fn open(&self, now: Timestamp) -> Found {
        let (ready, told) = (self.ready(), self.register.told());
        let mut open = self.of_process(&told, now);
        for (target, stands) in self.targets.iter().zip(&ready.targets) {
            let paused = stands.paused.as_deref();
            open.extend(paused.map(|why| of_pause(&target.name, why)));
            open.extend((stands.breaker != BreakerStanding::Closed.word()).then(|| {
                let what = format!("{} keeps failing, and is left alone", target.name);
                about(BREAKER, &target.name, &target.name, what)
            }));
        }
        open.extend(self.not_done(&ready, &told, now));
        open.extend(self.of_sources(now));
        open.extend(self.of_tenants(now));
        open.extend(self.of_files(now));
        let kept = self.kept(now);
        let whole = kept.is_ok();
        open.extend(kept.unwrap_or_else(|failure| {
            let what = format!("the state can't be read: {}", failure.message);
            vec![about(UNREAD, "", "", what)]
        }));
        Found { open, whole }
    }

    /// Loops, rounds, and a state that refuses what is written.
    fn of_process(&self, told: &Told, now: Timestamp) -> Vec<Open> {
        let mut all = Vec::new();
        for name in &told.died {
            let what = format!("{name} ended, and nobody had asked it to; the program ends");
            all.push(about(LOOP, name, "", what));
        }
        // Rounds that are late are told as rounds that fail.
        let is_late = |name: &str, late: bool| {
            late && name != ROUNDS && !told.died.iter().any(|died| died == name)
        };
        for one in self.health().loops.into_iter().filter(|one| is_late(&one.name, one.late)) {
            let what = format!("{} has not come round since {}", one.name, one.at);
            all.push(about(LOOP, &one.name, "", what));
        }
        let good = told.rounds.last_done.unwrap_or(self.started);
        if now.duration_since(good) > self.rounds(ROUNDS_MOST) {
            let why = told.rounds.failure.as_deref().unwrap_or("no round has ended");
            let what = format!("the factory's side was not read and derived since {good}: {why}");
            all.push(about(ROUNDS_FAIL, "", "", what));
        }
        if let Some(fault) = self.bridge.state.last_fault() {
            let what = format!("the last write to the state was not kept: {fault}");
            all.push(about(UNWRITTEN, "", "", what));
        }
        all
    }

    /// How long so many rounds take.
    fn rounds(&self, many: u64) -> SignedDuration {
        let seconds = self.bridge.loaded.config.run.every_seconds.saturating_mul(many);
        SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(i64::MAX))
    }

    /// Targets that are neither away nor paused, and of which no cycle was done.
    fn not_done(&self, ready: &Ready, told: &Told, now: Timestamp) -> Vec<Open> {
        let most = self.rounds(CYCLES_MOST);
        let waits =
            ready.targets.iter().filter(|one| one.paused.is_none() && one.away_since.is_none());
        let late = waits.filter_map(|one| {
            let last = one.last_done.unwrap_or(self.started);
            let stopped = told.targets.get(&one.target).and_then(|told| told.stopped.as_deref());
            let why = stopped.map_or_else(String::new, |why| format!(": {why}"));
            let what = format!("no cycle of {} was done since {last}{why}", one.target);
            (now.duration_since(last) > most)
                .then(|| about(NOT_DONE, &one.target, &one.target, what))
        });
        late.collect()
    }

    /// Sources that say nothing.
    fn of_sources(&self, now: Timestamp) -> Vec<Open> {
        let arrived = self.bridge.arrivals().so_far();
        let sources = self.bridge.loaded.config.plant.sources.iter();
        // Who decides nothing new is not silent.
        let telling = sources.filter(|source| !source.reader.is_decisions());
        let silent = telling.filter_map(|source| {
            let newest = arrived.get(&source.name)?.newest?;
            let what = format!("{} is silent since {newest}", source.name);
            (now.duration_since(newest) > SILENT_MOST)
                .then(|| about(SILENT, &source.name, "", what))
        });
        silent.collect()
    }

    /// Tenants that refuse requests, or got some that they should not.
    fn of_tenants(&self, now: Timestamp) -> Vec<Open> {
        let mut all = Vec::new();
        for (tenant, stands) in self.bridge.tenants() {
            let (tenant, counters) = (tenant.to_string(), stands.counters);
            if self.refusals.refuses(&tenant, (counters.requests, counters.refusals), now) {
                let what = format!("{tenant} refuses more than one request in a hundred");
                all.push(about(THROTTLED, &tenant, "", what));
            }
            if counters.inside_pause > 0 {
                let n = counters.inside_pause;
                let what =
                    format!("{n} requests to {tenant} began inside a pause it had asked for");
                all.push(about(EARLY, &tenant, "", what));
            }
        }
        all
    }

    /// Packs and certificates.
    fn of_files(&self, now: Timestamp) -> Vec<Open> {
        let mut all = Vec::new();
        let is_old = |of: Option<Timestamp>| of.is_none_or(|of| now.duration_since(of) > DAY);
        for PackTimes { target, here, second } in &self.packs() {
            if is_old(*here) {
                let what = format!("the pack of {target} in its folder {}", of_when(*here));
                all.push(about(PACK_OLD, target, target, what));
            }
            if let Some((place, of)) = second.as_ref().filter(|(_, of)| is_old(*of)) {
                let what = format!("the pack of {target} at {place} {}", of_when(*of));
                all.push(about(SECOND_OLD, target, target, what));
            }
        }
        for one in self.certificates() {
            if let Some((what, _)) = one.remark(now) {
                let of = format!("{} {}", one.what, one.target);
                let is_ours = self.targets.iter().any(|target| target.name == one.target);
                let target = if is_ours { one.target.as_str() } else { "" };
                all.push(about(CERTIFICATE, &of, target, what));
            }
        }
        all
    }

    /// What the state says.
    fn kept(&self, now: Timestamp) -> Result<Vec<Open>, Failure> {
        let reader = self.bridge.reader()?;
        let is_ours = |name: &str| self.targets.iter().any(|target| target.name == name);
        let mut all = Vec::new();
        // A target that a person feeds by hand is paused, and was not asked.
        let is_away = |one: &Outage| one.class != fallback::BY_HAND && is_ours(&one.target);
        for outage in fallback::outages(&reader)?.into_iter().filter(is_away) {
            let name = &outage.target;
            let what = format!("{name} is away: {}", outage.last_said);
            all.push(Open { since: Some(outage.began), ..about(AWAY, name, name, what) });
        }
        let cases = ledger::open_cases(&reader)?;
        for case in cases.iter().filter(|case| is_ours(&case.target)) {
            let target = self.bridge.loaded.config.targets.get(&case.target);
            let named = target.and_then(|target| target.owner());
            all.extend(of_case(case, named));
        }
        let seen = self.seen(now)?;
        for scope in seen.gauges.scopes.iter().filter(|scope| is_ours(&scope.target)) {
            all.extend(of_scope(scope, now));
        }
        let loaded = &self.bridge.loaded;
        let mut refused = pipeline::refused(loaded, &reader, &[])?;
        refused.retain(|reject| is_ours(&reject.key.target));
        all.extend(of_refused(&refused));
        for one in seen.cells.iter().filter(|one| is_ours(&one.target)) {
            if let Some(since) = one.oldest_unseen.filter(|at| now.duration_since(*at) > DAY) {
                let what =
                    format!("a value is wanted at {} since {since}, and was not seen", one.target);
                let of = format!("{} {}", one.target, one.scope);
                all.push(about(UNSEEN, &of, &one.target, what));
            }
        }
        all.extend(seen.firm.iter().filter(|one| is_ours(&one.target)).flat_map(of_firm));
        let records: u64 = seen.gauges.waiting.iter().map(|(_, n)| n).sum();
        if records > 0 {
            all.push(about(RECORDS, "", "", format!("{records} records wait for a person")));
        }
        Ok(all)
    }
}

/// A cut that was missed, and what is firm and can't be done: one for each owner.
fn of_firm(one: &FirmStands) -> Vec<Open> {
    let (target, of) = (&one.target, format!("{} {}", one.target, one.scope));
    let missed = one.missed.then(|| {
        let FirmStands { cut_off, due, values, not_proven, .. } = one;
        let what = format!(
            "{not_proven} of {values} values that are firm since {cut_off} are not proven at \
             {target}; they were due by {due}"
        );
        about(CUT_MISSED, &of, target, what)
    });
    let infeasible = one.infeasible.iter().map(|found| {
        let owner = found.owner.clone().unwrap_or_else(|| OPERATOR.to_owned());
        let (weeks, worst) = (count(found.line_periods, "line-week"), &found.worst);
        let what = format!(
            "frozen plan infeasible at {target}: {weeks}, {:.2} h more are firm than the lines \
             can do; {worst}",
            found.hours
        );
        Open { owner: owner.clone(), ..about(INFEASIBLE, &format!("{of} {owner}"), target, what) }
    });
    missed.into_iter().chain(infeasible).collect()
}

/// A situation that the operator owns, `of` something.
fn about(kind: Kind, of: &str, target: &str, what: String) -> Open {
    let (of, owner, target) = (of.to_owned(), OPERATOR.to_owned(), target.to_owned());
    Open { kind, of, owner, target, what, since: None }
}

/// Of when a pack is.
fn of_when(of: Option<Timestamp>) -> String {
    of.map_or_else(|| "is not there".to_owned(), |of| format!("is of {of}"))
}

fn of_pause(name: &str, why: &str) -> Open {
    about(PAUSED, name, name, format!("{name} is paused ({why})"))
}

/// A question: urgent where cells are held by it, or the state is a copy. What is for
/// the owner of its target is for who is `named` so.
fn of_case(case: &Case, named: Option<&str>) -> Option<Open> {
    let kind = match case.kind {
        CaseKind::TakenBack => return None,
        CaseKind::SecondWriter => SECOND_WRITER,
        CaseKind::Restored | CaseKind::Clock => CONTINUITY,
        kind if kind.holds() => HOLDS,
        _ => QUESTION,
    };
    let what = format!("{}: {}", case.target, case.text);
    let about = about(kind, &case.id.to_string(), &case.target, what);
    let is_owner = case.owner == format!("owner of {}", case.target);
    let owner = named.filter(|_| is_owner).unwrap_or(&case.owner).to_owned();
    Some(Open { owner, since: Some(case.opened_at), ..about })
}

/// Cells that wait for their owners: one situation for each of them and target.
pub(super) fn of_refused(refused: &[Reject]) -> Vec<Open> {
    let mut owners: BTreeMap<(&str, &str), (usize, &Reject)> = BTreeMap::new();
    for one in refused {
        let (cells, first) = owners.entry((&one.key.target, &one.owner)).or_insert((0, one));
        *cells += 1;
        if one.at < first.at {
            *first = one;
        }
    }
    let told = |((target, owner), (cells, first)): ((&str, &str), (usize, &Reject))| {
        let what = format!("{target} refuses {cells} cells, as {}: {}", first.key, first.reason);
        let about = about(REJECTED, &format!("{target} {owner}"), target, what);
        Open { owner: owner.to_owned(), since: Some(first.at), ..about }
    };
    owners.into_iter().map(told).collect()
}

/// What is counted, and not told one by one.
fn of_scope(scope: &ScopeGauges, now: Timestamp) -> Vec<Open> {
    let mut all = Vec::new();
    let (target, of) = (&scope.target, format!("{} {}", scope.target, scope.scope));
    if let Some(since) = scope.oldest_open.filter(|at| now.duration_since(*at) > PUSH_MOST) {
        let what = format!("a push to {target} has no end since {since}");
        all.push(about(HANGS, &of, target, what));
    }
    all
}
