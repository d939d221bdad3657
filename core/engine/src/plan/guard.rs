//! The one guard: may this cell be sent, and if not, why not.

use planthread_contracts::{Carries, RevisionState, Role, Status};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Policy, questions::place_of};
use crate::ledger::{CellView, Why};

/// What the guard says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// It may be sent.
    Send,
    /// It may not.
    Hold(HoldReason),
}

/// Why a cell is not sent. Closed on purpose: each has a page for `explain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum HoldReason {
    /// The target is paused or stopped.
    Paused,
    /// Our clock is in doubt.
    Clock,
    /// A second live writer was met in the scope.
    SecondWriter,
    /// The target does not want to be written now.
    Blackout,
    /// The measure is not ours, and nobody promoted it.
    NotPromoted,
    /// It holds a value that we never landed, and nobody adopted the measure.
    NotAdopted,
    /// An attempt with the cell is open.
    OpenAttempt,
    /// An earlier attempt ended unclear, and its window has not passed.
    Settling,
    /// Sent, and not read back yet.
    Unproven,
    /// The target refused it, and nobody has cured that.
    RejectedNotCured,
    /// A person has locked it.
    Lock,
    /// An open case asks about it.
    InQuestion,
    /// It is out of proportion to what stands there.
    Implausible,
    /// Its period is past.
    PastPeriodClosed,
    /// A plan cut inside the frozen horizon stays.
    FrozenHorizon,
    /// Nothing is known: unknown never becomes a number.
    UnknownStatus,
    /// Two sources of the same authority disagree.
    Conflicting,
    /// The difference is smaller than what is worth sending.
    NotSignificant,
}

impl HoldReason {
    /// All reasons, in the order in which the guard asks.
    pub const ALL: [Self; 18] = [
        Self::Paused,
        Self::Clock,
        Self::SecondWriter,
        Self::Blackout,
        Self::NotPromoted,
        Self::NotAdopted,
        Self::OpenAttempt,
        Self::Settling,
        Self::Unproven,
        Self::RejectedNotCured,
        Self::Lock,
        Self::InQuestion,
        Self::Implausible,
        Self::PastPeriodClosed,
        Self::FrozenHorizon,
        Self::UnknownStatus,
        Self::Conflicting,
        Self::NotSignificant,
    ];

    /// The word in reports, in the ledger, and for `explain`.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Clock => "clock",
            Self::SecondWriter => "second_writer",
            Self::Blackout => "blackout",
            Self::NotPromoted => "not_promoted",
            Self::NotAdopted => "not_adopted",
            Self::OpenAttempt => "open_attempt",
            Self::Settling => "settling",
            Self::Unproven => "unproven",
            Self::RejectedNotCured => "rejected_not_cured",
            Self::Lock => "lock",
            Self::InQuestion => "in_question",
            Self::Implausible => "implausible",
            Self::PastPeriodClosed => "past_period_closed",
            Self::FrozenHorizon => "frozen_horizon",
            Self::UnknownStatus => "unknown_status",
            Self::Conflicting => "conflicting",
            Self::NotSignificant => "not_significant",
        }
    }

    /// Whether it lasts until what was sent has settled, or was read back.
    #[must_use]
    pub const fn settles(self) -> bool {
        matches!(self, Self::Settling | Self::Unproven)
    }

    /// One line for people: what it means, and what ends it.
    #[must_use]
    pub const fn line(self) -> &'static str {
        match self {
            Self::Paused => {
                "the target is paused, and it stands beside it why: take `policy.paused` out, or \
                 let the target go with `planthread resume`"
            }
            Self::Clock => {
                "this machine's clock is in doubt; put it right, or say that it is right: \
                 `planthread release case`"
            }
            Self::SecondWriter => {
                "another live writer was met in this scope; stop one of the two, then close the case"
            }
            Self::Blackout => {
                "the target asked not to be written now; it goes when the window ends"
            }
            Self::NotPromoted => {
                "the measure belongs to somebody else; writing it needs a promotion record"
            }
            Self::NotAdopted => {
                "a value stands there that we never landed; it is replaced when a named person adopts the measure"
            }
            Self::OpenAttempt => "an attempt with this cell is open; it is settled first",
            Self::Settling => {
                "an earlier attempt ended unclear; the cell waits until its settle window has passed"
            }
            Self::Unproven => "it was sent and not read back yet; `verify` decides",
            Self::RejectedNotCured => {
                "the target refused this value; cure the reason, then `retry`"
            }
            Self::Lock => "a person has taken the cell; it goes when the lock ends or is lifted",
            Self::InQuestion => {
                "an open case asks about this cell; it goes when the case is closed"
            }
            Self::Implausible => {
                "out of proportion to what stands there; correct it, or a named person answers for it"
            }
            Self::PastPeriodClosed => "the period is past; past periods stay as they are",
            Self::FrozenHorizon => {
                "the plan cut is firm inside the frozen horizon; a person or a risk moves it"
            }
            Self::UnknownStatus => "nothing is known about the resource; unknown is no number",
            Self::Conflicting => {
                "two sources of the same authority disagree; settle which one holds"
            }
            Self::NotSignificant => "the difference is smaller than what is worth sending",
        }
    }
}

/// Decides whether `cell` may be sent under `policy`. Pure; everything that
/// plans, screens or applies asks here.
#[must_use]
pub fn guard(cell: &CellView, policy: &Policy) -> Verdict {
    let reason = of_target(policy)
        .or_else(|| of_attempt(cell, policy))
        .or_else(|| of_people(cell))
        .or_else(|| of_proportion(cell, policy))
        .or_else(|| of_time(cell, policy))
        .or_else(|| of_truth(cell, policy));
    reason.map_or(Verdict::Send, Verdict::Hold)
}

/// Whether a cell is still what a plan says of it (this revision with this value),
/// and may be sent. A plan, each of its batches and each attempt ask this one
/// question; an attempt in the transaction that opens it, where law 4 is kept: at
/// most one is open for a cell, and nothing older follows what was sent.
#[must_use]
pub fn stands(cell: &CellView, (revision, value): (u64, Decimal), policy: &Policy) -> bool {
    use RevisionState as S;
    matches!(cell.state, S::Pending | S::Held | S::Seen)
        && (cell.revision, cell.value) == (revision, value)
        && cell.revision >= cell.sent_revision
        && guard(cell, policy) == Verdict::Send
}

fn of_target(policy: &Policy) -> Option<HoldReason> {
    let blackout = policy.blackouts.iter().any(|w| (w.from..w.until).contains(&policy.now));
    match () {
        () if policy.paused.is_some() => Some(HoldReason::Paused),
        () if policy.clock.is_some() => Some(HoldReason::Clock),
        () if policy.second_writer.is_some() => Some(HoldReason::SecondWriter),
        () if blackout => Some(HoldReason::Blackout),
        () => None,
    }
}

fn of_attempt(cell: &CellView, policy: &Policy) -> Option<HoldReason> {
    let settling =
        cell.unclear.is_some() && cell.settles(policy.settle_window, policy.now).is_some();
    match cell.state {
        _ if !policy.granted(&cell.key.measure) => Some(HoldReason::NotPromoted),
        _ if unadopted(cell, policy) => Some(HoldReason::NotAdopted),
        _ if cell.open_attempt => Some(HoldReason::OpenAttempt),
        RevisionState::Unproven => Some(HoldReason::Unproven),
        RevisionState::Rejected => Some(HoldReason::RejectedNotCured),
        _ if settling => Some(HoldReason::Settling),
        _ => None,
    }
}

/// Whether the cell waits for somebody who takes over what the measure held
/// before us: all of it where nothing of ours had landed yet, else each cell that
/// holds such a value.
fn unadopted(cell: &CellView, policy: &Policy) -> bool {
    let measure = &cell.key.measure;
    // Who promoted a measure of somebody else's has answered for what it holds.
    let promoted =
        || policy.grants.iter().any(|g| g.measure() == measure && g.promotion().is_some());
    let asked = |_: &&_| !policy.adopted.contains(measure.as_str()) && !promoted();
    let found = policy.unadopted.get(measure.as_str()).filter(asked);
    let read = cell.seen.as_ref().and_then(|seen| seen.value);
    let strange = read.is_some_and(|read| !read.is_zero() && read != cell.value);
    found.is_some_and(|found| found.whole || (strange && cell.sent_revision == 0))
}

fn of_people(cell: &CellView) -> Option<HoldReason> {
    if cell.lock.is_some() {
        return Some(HoldReason::Lock);
    }
    cell.in_question.then_some(HoldReason::InQuestion)
}

/// Whether it looks like the fault of a mapping that nobody has answered for.
fn of_proportion(cell: &CellView, policy: &Policy) -> Option<HoldReason> {
    let places = policy.questions.get(cell.key.measure.as_str())?;
    // What has landed before is repaired, and what a person undoes or has ended goes.
    let landed = cell.state == RevisionState::Seen
        || (cell.accepted_revision > 0 && cell.accepted_revision == cell.revision);
    let news = !landed && !matches!(cell.why, Why::Undo | Why::Ended);
    (news && places.contains(&place_of(&cell.key.group()))).then_some(HoldReason::Implausible)
}

fn of_time(cell: &CellView, policy: &Policy) -> Option<HoldReason> {
    let period = cell.key.period;
    if policy.closed_before.is_some_and(|day| period.end() <= day) {
        return Some(HoldReason::PastPeriodClosed);
    }
    let cut = policy.decl(&cell.key.measure).is_some_and(|d| d.carries == Carries::PlanCut);
    // A cut that the target never took is no firm number yet, and an undo is a
    // person's decision.
    let firm = cell.accepted_revision > 0 && cell.revision > cell.accepted_revision;
    let frozen = policy.frozen_before.is_some_and(|day| period.start() < day);
    (cut && frozen && firm && cell.why != Why::Undo).then_some(HoldReason::FrozenHorizon)
}

/// Status and covered always land, so that the number beside them turns grey.
fn of_truth(cell: &CellView, policy: &Policy) -> Option<HoldReason> {
    let decl = policy.decl(&cell.key.measure);
    let number = decl.is_none_or(|d| d.role == Role::Value && !d.carries.vouches());
    match cell.status {
        Status::Unknown if number => return Some(HoldReason::UnknownStatus),
        Status::Conflicting if number => return Some(HoldReason::Conflicting),
        _ => {}
    }
    let least = policy.significance.get(cell.key.measure.as_str())?;
    let there = cell.basis()??;
    ((cell.value - there).abs() < *least && cell.value != there)
        .then_some(HoldReason::NotSignificant)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use jiff::SignedDuration;
    use planthread_contracts::{MeasureDecl, Promotion, Scope, WriteGrant};

    use super::*;
    use crate::{
        ledger::Seen,
        plan::Window,
        testing::{decl, now},
    };

    fn measures() -> Vec<MeasureDecl> {
        vec![
            decl("live", "attainable_clock_hours", "value"),
            decl("cut", "plan_cut", "value"),
            decl("status", "status", "value"),
            decl("covered", "covered", "value"),
        ]
    }

    fn policy() -> Policy {
        let grants =
            measures().into_iter().map(|m| WriteGrant::bridge_owned(&m, &Scope::base()).unwrap());
        let (grants, today) = (grants.collect(), "2026-11-22".parse().unwrap());
        Policy::open("t", Scope::base(), measures(), grants, now(), today)
    }

    fn cell(measure: &str) -> CellView {
        CellView {
            key: serde_json::from_value(serde_json::json!({
                "target": "t", "scope": "", "resource": "R", "location": "L",
                "period": "2026-W48", "measure": measure }))
            .unwrap(),
            revision: 2,
            state: RevisionState::Pending,
            held_for: None,
            why: Why::Changed,
            value: 10.into(),
            unrounded: 10.into(),
            status: Status::Live,
            as_of: now(),
            valid_until: now(),
            accepted_revision: 1,
            sent_revision: 1,
            sent_at: Some(now()),
            open_attempt: false,
            unclear: None,
            seen: Some(Seen { value: Some(9.into()), at: now(), current: true }),
            in_use_since: None,
            lock: None,
            in_question: false,
        }
    }

    fn check(reason: HoldReason, change: impl Fn(&mut CellView, &mut Policy)) {
        let (mut cell, mut policy) = (cell("live"), policy());
        change(&mut cell, &mut policy);
        assert_eq!(guard(&cell, &policy), Verdict::Hold(reason), "{}", reason.word());
    }

    #[test]
    fn every_reason_is_reached_and_nothing_else_holds() {
        use HoldReason as R;
        assert_eq!(guard(&cell("live"), &policy()), Verdict::Send);
        check(R::Paused, |_, p| p.paused = Some("maintenance".into()));
        check(R::Clock, |_, p| p.clock = Some("40 days ahead".into()));
        check(R::SecondWriter, |_, p| p.second_writer = Some("other bridge".into()));
        check(R::Blackout, |_, p| {
            let until = p.now + SignedDuration::from_mins(1);
            p.blackouts.push(Window { from: p.now, until, why: "nightly load".into() });
        });
        check(R::NotPromoted, |_, p| p.grants.clear());
        let found = |whole| crate::ledger::Unadopted {
            measure: "live".into(),
            whole,
            example: String::new(),
            found_at: now(),
        };
        check(R::NotAdopted, |_, p| drop(p.unadopted.insert("live".into(), found(true))));
        check(R::NotAdopted, |c, p| {
            c.sent_revision = 0;
            p.unadopted.insert("live".into(), found(false));
        });
        check(R::OpenAttempt, |c, _| c.open_attempt = true);
        check(R::Settling, |c, _| c.unclear = Some(now()));
        check(R::Unproven, |c, _| c.state = RevisionState::Unproven);
        check(R::RejectedNotCured, |c, _| c.state = RevisionState::Rejected);
        check(R::Lock, |c, _| c.lock = Some(("planner".into(), "strike".into(), now())));
        check(R::InQuestion, |c, _| c.in_question = true);
        check(R::Implausible, |_, p| {
            p.questions.insert("live".into(), BTreeSet::from(["R@L".into()]));
        });
        check(R::PastPeriodClosed, |_, p| p.closed_before = Some("2026-12-01".parse().unwrap()));
        check(R::FrozenHorizon, |c, p| {
            c.key.measure = "cut".into();
            p.frozen_before = Some("2026-12-01".parse().unwrap());
        });
        check(R::UnknownStatus, |c, _| c.status = Status::Unknown);
        check(R::Conflicting, |c, _| c.status = Status::Conflicting);
        check(R::NotSignificant, |_, p| {
            p.significance.insert("live".into(), 2.into());
        });
        let words: BTreeSet<&str> = R::ALL.iter().map(|reason| reason.word()).collect();
        assert_eq!(words.len(), R::ALL.len());
        assert!(R::ALL.iter().all(|reason| reason.line().len() > 20));
    }

    #[test]
    fn what_was_adopted_or_is_ours_goes_and_an_empty_cell_beside_it_too() {
        let found = crate::ledger::Unadopted {
            measure: "live".into(),
            whole: false,
            example: String::new(),
            found_at: now(),
        };
        let mut policy = policy();
        policy.unadopted.insert("live".into(), found.clone());
        assert_eq!(guard(&cell("live"), &policy), Verdict::Send, "it was sent before");
        let mut strange = CellView { sent_revision: 0, ..cell("live") };
        assert_eq!(guard(&strange, &policy), Verdict::Hold(HoldReason::NotAdopted));
        for value in [None, Some(0.into()), Some(strange.value)] {
            strange.seen = Some(Seen { value, at: now(), current: true });
            assert_eq!(guard(&strange, &policy), Verdict::Send, "{value:?}");
        }
        policy.unadopted.insert("live".into(), crate::ledger::Unadopted { whole: true, ..found });
        assert_eq!(guard(&strange, &policy), Verdict::Hold(HoldReason::NotAdopted));
        policy.adopted.insert("live".into());
        assert_eq!(guard(&strange, &policy), Verdict::Send);
    }

    #[test]
    fn unknown_never_lands_as_a_number_but_as_a_status() {
        for measure in ["status", "covered"] {
            let mut grey = cell(measure);
            grey.status = Status::Unknown;
            assert_eq!(guard(&grey, &policy()), Verdict::Send, "{measure}");
        }
    }

    #[test]
    fn a_cut_that_never_arrived_or_is_undone_passes_the_frozen_horizon() {
        let frozen = Policy { frozen_before: Some("2026-12-01".parse().unwrap()), ..policy() };
        let refused = CellView { accepted_revision: 0, ..cell("cut") };
        assert_eq!(guard(&refused, &frozen), Verdict::Send, "sent, and not taken");
        let undone = CellView { why: Why::Undo, ..cell("cut") };
        assert_eq!(guard(&undone, &frozen), Verdict::Send);
        assert_eq!(guard(&cell("cut"), &frozen), Verdict::Hold(HoldReason::FrozenHorizon));
    }

    #[test]
    fn windows_end_and_promotions_too() {
        let mut later = policy();
        let mut unclear = cell("live");
        unclear.unclear = Some(now());
        later.now = now() + later.settle_window;
        assert_eq!(guard(&unclear, &later), Verdict::Send);
        let other: MeasureDecl = MeasureDecl {
            owner: planthread_contracts::Owner::Other("erp".into()),
            ..decl("assumed", "observed", "value")
        };
        let record =
            r#"{"who":"a","why":"b","measures":["assumed"],"until":"2026-11-23T00:00:00Z"}"#;
        let promotion = Promotion::read(record, now()).unwrap();
        let grant = WriteGrant::promoted(&other, &Scope::base(), &promotion, now()).unwrap();
        let mut policy = policy();
        policy.grants.push(grant);
        assert_eq!(guard(&cell("assumed"), &policy), Verdict::Send);
        policy.now = "2026-11-23T00:00:00Z".parse().unwrap();
        assert_eq!(guard(&cell("assumed"), &policy), Verdict::Hold(HoldReason::NotPromoted));
    }
}
