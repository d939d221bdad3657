//! How every target stands, for whoever comes in the morning.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use planthread_engine::{
    fallback::Outage,
    journal::JournalCounts,
    ledger::{AttemptSummary, Case},
    plan::Waiting,
    status::{ScopeStatus, Status},
};
use planthread_kit::{agreement::AgreementStatus as Agreed, target::Certificates};
use schemars::JsonSchema;
use serde::Serialize;

use super::{
    TextTable, Tone, View, agreement,
    breaker::BreakerLine,
    endings,
    fallback::{away, second_place},
    guard::Guard,
    lease::LeaseLine,
    lock_line::{LockLine, locked, together},
    planned::{left_standing, not_adopted, not_promoted},
    plans::NOTHING_INGESTED,
    proportion::proportion,
    text_table::{count, instant},
};
use crate::{
    failure::Exit,
    pipeline::{FirmStands, SecondPlace, Upstream, Waits},
    serve::files::WaitingLine,
};

/// Locks and cases that are named one by one.
const NAMED: usize = 10;

/// How everything stands.
#[derive(Debug, Serialize, JsonSchema)]
pub struct StatusView {
    /// Now, which ages are counted from.
    pub now: Timestamp,
    /// Which of several bridges is active, where they share a lease.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lease: Option<LeaseLine>,
    /// The ledger.
    #[serde(flatten)]
    pub status: Status,
    /// The journal.
    pub journal: JournalCounts,
    /// Last lines of files that wait for their newline.
    pub unfinished: Vec<WaitingLine>,
    /// The last pushes, the newest first; `undo` takes their receipts.
    pub pushes: Vec<AttemptSummary>,
    /// Targets that are away.
    pub away: Vec<Outage>,
    /// What became of packs at their second places, by target.
    pub second_places: BTreeMap<String, SecondPlace>,
    /// Open questions, each for one owner.
    pub cases: Vec<Case>,
    /// Cells that people have taken.
    pub locks: Vec<LockLine>,
    /// Until when tenants asked us to wait.
    pub pauses: BTreeMap<String, Timestamp>,
    /// What is not asked of targets that were down, and what may soon not be.
    pub breakers: Vec<BreakerLine>,
    /// What waits at each configured target, and for what.
    pub waits: Vec<Waits>,
    /// How what is firm stands, of targets that hold it.
    pub firm: Vec<FirmStands>,
    /// When a target last agreed with this machine's clock.
    pub clock_confirmed: Option<Timestamp>,
    /// What would be noticed at each target, and what was.
    pub guards: Vec<Guard>,
    /// How the agreements stand, of targets that need one.
    pub agreements: BTreeMap<String, Agreed>,
    /// The certificates that the configuration names, and when they end.
    pub certificates: Vec<Certificates>,
    /// Targets of which nothing that lands drives the plan, as `in_use.wiring` says.
    pub not_driving: BTreeSet<String>,
}

/// What is firm, where something is the matter with it.
fn firm(text_table: &mut TextTable, one: &FirmStands) {
    if one.missed {
        let missed = text_table.tint(Tone::Bad, "missed cut:");
        text_table.line(format!(
            "{missed} {} of {} that are firm since {} are not proven at {}; due by {} \
             (`planthread explain missed-cut`)",
            one.not_proven,
            count(one.values, "value"),
            instant(one.cut_off),
            one.target,
            instant(one.due)
        ));
    }
    for found in &one.infeasible {
        let frozen = text_table.tint(Tone::Bad, "frozen plan infeasible:");
        let owner =
            found.owner.as_deref().unwrap_or("somebody: `targets.NAME.owners` names nobody");
        text_table.line(format!(
            "{frozen} {}, {}, {:.2} h more are firm than the lines can do; {}; ask {owner}",
            one.target,
            count(found.line_periods, "line-week"),
            found.hours,
            found.worst
        ));
    }
}

impl View for StatusView {
    const OUTPUT: &'static str = "status";

    fn write(&self, text_table: &mut TextTable) {
        let journal = &self.journal;
        text_table.line(format!(
            "Journal: {} records, {} refused, {} waiting for a person",
            journal.records,
            journal.rejected,
            journal.quarantined + journal.conflicts
        ));
        if journal.records == 0 {
            text_table.line(text_table.tint(Tone::Warn, NOTHING_INGESTED));
        }
        for line in &self.unfinished {
            let waits = text_table.tint(Tone::Warn, "waits:");
            text_table.line(format!(
                "  {waits} the last line of {} has no newline; it counts at {} if nobody writes on",
                line.place,
                instant(line.counts_at)
            ));
        }
        self.lease.iter().for_each(|lease| lease.write(text_table));
        match self.status.last_cycle {
            Some((at, as_of)) => text_table
                .line(format!("Ledger: last truth of {as_of}, taken in {} ago", age(self.now, at))),
            None => text_table.line("Ledger: nothing is wanted yet; `planthread plan` begins"),
        };
        self.scopes(text_table);
        for outage in &self.away {
            away(text_table, outage, self.now);
            text_table.line("  what can be loaded by hand meanwhile: `planthread fallback status`");
        }
        for (target, second) in &self.second_places {
            second_place(text_table, second, &format!("  {target}: "));
        }
        for scope in &self.status.scopes {
            self.scope(text_table, scope);
        }
        let known = |name: &str| self.status.scopes.iter().any(|scope| scope.target == name);
        // A target of which nothing was ever wanted may wait as well.
        self.firm.iter().for_each(|one| firm(text_table, one));
        for waits in self.waits.iter().filter(|waits| !known(&waits.target)) {
            self.waits(text_table, waits);
        }
        self.asked_to_wait(text_table);
        self.breakers.iter().for_each(|breaker| breaker.write(text_table));
        if self.clock_confirmed.is_none() {
            let words = "No target has confirmed this machine's clock yet: a wrong one would not be \
                         noticed  (planthread explain clock)";
            text_table.line(text_table.tint(Tone::Warn, words));
        }
        for (target, standing) in &self.agreements {
            agreement::line(target, standing, text_table);
        }
        for guard in &self.guards {
            guard.write(text_table);
        }
        self.ending_certificates(text_table);
        self.pushes(text_table);
        self.questions(text_table);
    }

    fn exit(&self) -> Exit {
        let open = self.cases.iter().any(|case| case.closed.is_none());
        let refused = self.journal.rejected + self.journal.quarantined + self.journal.conflicts;
        let rejected =
            self.status.scopes.iter().any(|s| s.states.get("rejected").is_some_and(|n| *n > 0));
        let restored = self.guards.iter().any(Guard::is_broken);
        let away = !self.away.is_empty();
        let unshipped = self.second_places.values().any(|one| one.fault.is_some());
        let certificates = self.certificates.iter().any(|one| one.remark(self.now).is_some());
        let suspended = self.agreements.values().any(|one| endings::suspended(Some(one)));
        let findings = open || rejected || refused > 0 || restored || away || unshipped;
        let held = self.waits.iter().map(|waits| self.held(waits)).max().unwrap_or(Exit::Ok);
        endings::ending(findings || certificates || suspended, false, held)
    }
}

/// What is said where nothing that lands drives the plan.
pub(in crate::report) const NOT_DRIVING: &str = "what lands does not drive the plan (wiring: none)";

impl StatusView {
    /// How what waits at a target ends a look at it: as a walk that sends would end now.
    fn held(&self, waits: &Waits) -> Exit {
        let shut = self.agreements.get(&waits.target).is_some_and(|agreed| !agreed.may_write());
        let ready = waits.waiting.iter().any(|one| one.reason.is_none());
        let asked = !waits.not_adopted.is_empty() || !waits.proportion.asked.is_empty();
        if asked || (shut && ready) {
            return Exit::Held;
        }
        let reasons = waits.waiting.iter().filter_map(|one| one.reason);
        reasons.map(endings::of_hold).max().unwrap_or(Exit::Ok)
    }

    /// The four facts of each scope, and where they drive no plan.
    fn scopes(&self, text_table: &mut TextTable) {
        let rows: Vec<[String; 7]> = self.status.scopes.iter().map(|s| self.row(s)).collect();
        if !rows.is_empty() {
            text_table.line("").table(
                [
                    "target / scope",
                    "wanted",
                    "accepted",
                    "seen",
                    "in use",
                    "stale",
                    "longest unsent",
                ],
                &rows,
            );
        }
        for target in &self.not_driving {
            text_table.line(format!("  {target}: {NOT_DRIVING}  (planthread explain in_use)"));
        }
    }

    fn row(&self, scope: &ScopeStatus) -> [String; 7] {
        let name = if scope.scope.is_empty() { "base" } else { &scope.scope };
        let in_use = match self.not_driving.contains(&scope.target) {
            true => "-".to_owned(),
            false => scope.in_use.to_string(),
        };
        [
            format!("{} / {name}", scope.target),
            scope.wanted.to_string(),
            scope.accepted.to_string(),
            scope.seen.to_string(),
            in_use,
            scope.stale.to_string(),
            scope.oldest_pending.map_or("-".to_owned(), |at| age(self.now, at)),
        ]
    }

    /// Who has asked us to wait, and until when.
    fn asked_to_wait(&self, text_table: &mut TextTable) {
        for (tenant, until) in &self.pauses {
            let words = text_table.tint(Tone::Warn, "asked us to wait");
            text_table.line(format!("  {tenant} {words} until {}", instant(*until)));
        }
    }

    /// What is neither landed nor over, and why.
    fn scope(&self, text_table: &mut TextTable, scope: &ScopeStatus) {
        match self.waits.iter().find(|waits| waits.target == scope.target) {
            Some(waits) => self.waits(text_table, waits),
            None => unconfigured(text_table, scope),
        }
        left_standing(text_table, &scope.withdrawn);
    }

    fn waits(&self, text_table: &mut TextTable, waits: &Waits) {
        let all: u64 = waits.waiting.iter().map(|one| one.cells).sum();
        let why = match (&waits.paused, &waits.quiet) {
            (Some(why), _) => format!("paused ({why})"),
            (None, Some(quiet)) => quiet.clone(),
            (None, None) => String::new(),
        };
        if all == 0
            && why.is_empty()
            && waits.not_promoted.is_empty()
            && waits.not_adopted.is_empty()
            && waits.proportion.is_quiet()
        {
            return;
        }
        let all = text_table.tint(Tone::Warn, &format!("{} waiting", count(all, "cell")));
        let why = if why.is_empty() { why } else { format!(", {why}") };
        text_table.line(format!("  {}: {all}{why}", waits.target));
        for push in waits.open.iter().filter(|push| push.over) {
            text_table.line(format!(
                "    a push of {} is open for {}, over its wait limit; if its job hangs: `planthread \
                 attempt end {} --who .. --why ..`  (planthread explain open_attempt)",
                count(push.cells, "cell"),
                age(self.now, push.opened_at),
                push.attempt
            ));
        }
        for one in &waits.waiting {
            let agreed = self.agreements.get(&waits.target);
            match (&waits.upstream, one.reason) {
                (Some(found), None) => behind(text_table, one, found, self.now),
                _ => waiting(text_table, one, self.now, agreed.is_none_or(Agreed::may_write)),
            }
        }
        for one in &waits.not_promoted {
            not_promoted(text_table, one);
        }
        for one in &waits.not_adopted {
            not_adopted(text_table, one);
        }
        proportion(text_table, &waits.proportion);
    }
}

/// Cells that wait for what was refused where another target lands.
fn behind(text_table: &mut TextTable, waiting: &Waiting, found: &Upstream, now: Timestamp) {
    let (n, since) = (waiting.cells, age(now, waiting.since));
    let Upstream { target, cells, example } = found;
    text_table.line(format!(
        "    {n} wait, for {since}, for {} that {target} refused: {}",
        count(*cells, "cell"),
        found.cure()
    ));
    text_table.line(text_table.tint(Tone::Dim, &format!("      for example {example}")));
}

/// Cells that wait for one thing, and what ends it.
fn waiting(text_table: &mut TextTable, waiting: &Waiting, now: Timestamp, may_write: bool) {
    let since = age(now, waiting.since);
    let n = waiting.cells;
    let Some(reason) = waiting.reason else {
        if !may_write {
            text_table.line(format!(
                "    {n} ready, for {since}: the target's agreement must be enabled"
            ));
            return;
        }
        text_table.line(format!(
            "    {n} free to go, for {since}: `planthread apply` sends them, or the next round of \
             `run`"
        ));
        return;
    };
    let word = reason.word();
    let until = waiting.until.map_or(String::new(), |until| {
        format!("; decided by a read-back after {} (policy.settle_minutes)", instant(until))
    });
    text_table.line(format!(
        "    {n} {}, for {since}: {}{until}  (planthread explain {word})",
        word.replace('_', " "),
        reason.line()
    ));
    text_table.line(text_table.tint(Tone::Dim, &format!("      for example {}", waiting.example)));
}

/// A target that is not configured any more: what the ledger noted last.
fn unconfigured(text_table: &mut TextTable, scope: &ScopeStatus) {
    const QUIET: [&str; 4] = ["seen", "superseded", "overtaken", "withdrawn"];
    for (state, n) in scope.states.iter().filter(|(state, n)| !QUIET.contains(state) && **n > 0) {
        let words = text_table.tint(Tone::Warn, &state.replace('_', " "));
        text_table.line(format!("  {}: {n} {words}  (planthread explain {state})", scope.target));
    }
}

impl StatusView {
    fn ending_certificates(&self, text_table: &mut TextTable) {
        for (what, cure) in self.certificates.iter().filter_map(|one| one.remark(self.now)) {
            let what = text_table.tint(Tone::Warn, &what);
            text_table.line(format!("  {what}: {cure}"));
        }
    }

    fn pushes(&self, text_table: &mut TextTable) {
        if !self.pushes.is_empty() {
            text_table.line("\nLast pushes");
        }
        for push in &self.pushes {
            let end = push.end.as_deref().unwrap_or("open").replace('_', " ");
            let receipt = push.receipt.as_ref().map_or("no receipt".to_owned(), |receipt| {
                format!("receipt {}: {}", receipt.handle, receipt.verdict)
            });
            let (at, cells) = (instant(push.opened_at), count(push.cells, "cell"));
            text_table.line(format!("  {at}  {}: {cells}, {end}, {receipt}", push.target));
            if let Some(error) = &push.error {
                text_table.line(format!("      {error}"));
            }
        }
    }

    fn questions(&self, text_table: &mut TextTable) {
        let open: Vec<&Case> = self.cases.iter().filter(|case| case.closed.is_none()).collect();
        if !open.is_empty() {
            text_table.line(text_table.tint(Tone::Bold, "\nQuestions"));
        }
        for case in open.iter().take(NAMED) {
            text_table.line(format!(
                "  no. {}, {} for the {}: {}",
                case.id,
                case.kind.word().replace('_', " "),
                case.owner,
                case.text
            ));
            text_table
                .line(text_table.tint(Tone::Dim, &format!("      for example {}", case.example)));
        }
        if let Some(taken) = together(&self.locks) {
            text_table.line(text_table.tint(Tone::Bold, &format!("\n{}", locked(&taken))));
        }
        for lock in self.locks.iter().take(NAMED) {
            text_table.line(format!("  {lock}"));
        }
    }
}

/// How long ago `at` was, in the largest unit that says it.
#[must_use]
pub fn age(now: Timestamp, at: Timestamp) -> String {
    let seconds = now.duration_since(at).max(SignedDuration::ZERO).as_secs();
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7_200 => format!("{} min", seconds / 60),
        7_200..172_800 => format!("{} h", seconds / 3_600),
        _ => format!("{} d", seconds / 86_400),
    }
}
