//! Everything that a person may have to be told: one list, for the messages and for
//! the rules of `examples/monitoring/`.
//!
//! A test holds that each rule stands here and each of these has its rule, that what
//! pages by a rule is urgent here, and that both say the same to do. A rule may wait
//! longer: whoever has a monitoring system has it watched by somebody.

use jiff::SignedDuration;

/// One kind of situation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Kind {
    /// The first word of the keys of its situations.
    pub word: &'static str,
    /// The rule that says the same.
    pub rule: &'static str,
    /// Whether it must not wait for the digest.
    pub urgent: bool,
    /// What a person can do about it.
    pub cure: &'static str,
    /// How long it must have lasted before anybody is told.
    pub(super) after: SignedDuration,
}

const AT_ONCE: SignedDuration = SignedDuration::ZERO;
const HOUR: SignedDuration = SignedDuration::from_hours(1);

const fn minutes(minutes: i64) -> SignedDuration {
    SignedDuration::from_mins(minutes)
}

const fn urgent(
    word: &'static str,
    rule: &'static str,
    after: SignedDuration,
    cure: &'static str,
) -> Kind {
    Kind { word, rule, urgent: true, cure, after }
}

const fn digest(
    word: &'static str,
    rule: &'static str,
    after: SignedDuration,
    cure: &'static str,
) -> Kind {
    Kind { urgent: false, ..urgent(word, rule, after, cure) }
}

pub(super) const LOOP: Kind = urgent(
    "loop",
    "PlanthreadLoopLate",
    AT_ONCE,
    "Restart the service; what is durable is on the disk. Keep its log.",
);
pub(super) const UNWRITTEN: Kind = urgent(
    "unwritten",
    "PlanthreadNotReady",
    AT_ONCE,
    "Ask /readyz why: most often the disk is full. Nothing is lost, and nothing is acknowledged.",
);
pub(super) const UNREAD: Kind = urgent(
    "unread",
    "PlanthreadStateUnread",
    AT_ONCE,
    "`planthread audit verify` says what is damaged; `planthread explain damaged`.",
);
pub(super) const ROUNDS_FAIL: Kind = urgent(
    "rounds",
    "PlanthreadRoundsFail",
    minutes(5),
    "`planthread ingest` and `planthread derive` say what stands in the way.",
);
pub(super) const AWAY: Kind = urgent(
    "away",
    "PlanthreadTargetAway",
    AT_ONCE,
    "`planthread fallback status` says why, and what can be loaded by hand.",
);
pub(super) const NOT_DONE: Kind = digest(
    "stalled",
    "PlanthreadTargetNotDone",
    minutes(10),
    "`planthread status` says what waits for what.",
);
pub(super) const PAUSED: Kind = digest(
    "paused",
    "PlanthreadTargetPausedLong",
    AT_ONCE,
    "`planthread status` says by whom and why; `planthread resume` lets it go.",
);
pub(super) const BREAKER: Kind = digest(
    "breaker",
    "PlanthreadBreakerOpen",
    minutes(15),
    "Look at the target; the breaker closes by itself when a try succeeds.",
);
pub(super) const UNSEEN: Kind = digest(
    "unseen",
    "PlanthreadCellsUnseen",
    minutes(15),
    "`planthread status` says what it waits for, and whom to ask.",
);
pub(super) const CUT_MISSED: Kind = urgent(
    "cut",
    "PlanthreadCutMissed",
    HOUR,
    "`planthread status` says what it waits for; `planthread explain missed-cut`.",
);
pub(super) const INFEASIBLE: Kind = urgent(
    "frozen",
    "PlanthreadFrozenPlanInfeasible",
    HOUR,
    "`planthread gap` names the weeks; move load, decide hours, or say that what is firm holds: \
     `planthread explain frozen-plan-infeasible`.",
);
pub(super) const REJECTED: Kind = digest(
    "rejected",
    "PlanthreadCellsRejected",
    AT_ONCE,
    "`planthread rejects` lists them with reason and cure.",
);
pub(super) const HANGS: Kind = digest(
    "attempt",
    "PlanthreadAttemptHangs",
    AT_ONCE,
    "`planthread attempt list`; if its job hangs, `planthread attempt end`.",
);
pub(super) const SECOND_WRITER: Kind = urgent(
    "case",
    "PlanthreadSecondWriter",
    AT_ONCE,
    "Find the second bridge and stop one of the two.",
);
pub(super) const CONTINUITY: Kind = urgent(
    "case",
    "PlanthreadContinuityLost",
    AT_ONCE,
    "`planthread status` says what is read anew, and what a person must say.",
);
/// A question by which cells are held.
pub(super) const HOLDS: Kind = urgent(
    "case",
    "PlanthreadQuestionOpen",
    AT_ONCE,
    "`planthread status` names its owner and its cells; `planthread release` answers it.",
);
pub(super) const QUESTION: Kind = Kind { urgent: false, ..HOLDS };
pub(super) const SILENT: Kind = digest(
    "silent",
    "PlanthreadSourceSilent",
    AT_ONCE,
    "Look at the source. Its cells are held, then assumed, as the rules say.",
);
pub(super) const RECORDS: Kind = digest(
    "records",
    "PlanthreadRecordsRefused",
    AT_ONCE,
    "`planthread rejects` lists them with reason and cure.",
);
pub(super) const THROTTLED: Kind = digest(
    "throttled",
    "PlanthreadThrottled",
    AT_ONCE,
    "Lower `quota.published_per_minute` or `quota.share` of its targets, or ask who else uses \
     that user.",
);
pub(super) const EARLY: Kind = digest(
    "early",
    "PlanthreadInsidePause",
    AT_ONCE,
    "This is a fault of the program. Report it with the log.",
);
pub(super) const PACK_OLD: Kind = digest(
    "pack",
    "PlanthreadPackOld",
    HOUR,
    "Look at its folder; on the day on which it is needed it must be fresh.",
);
pub(super) const SECOND_OLD: Kind = digest(
    "second",
    "PlanthreadSecondPackOld",
    HOUR,
    "`planthread fallback status` says why none arrives; the machine of the bridge may be gone on \
     the day on which it is needed.",
);
pub(super) const CERTIFICATE: Kind = digest(
    "certificate",
    "PlanthreadCertificateEnds",
    AT_ONCE,
    "Have it renewed and put it in the same place, then restart the bridge.",
);

/// Every kind.
pub const KINDS: [Kind; 24] = [
    LOOP,
    UNWRITTEN,
    UNREAD,
    ROUNDS_FAIL,
    AWAY,
    NOT_DONE,
    PAUSED,
    BREAKER,
    UNSEEN,
    CUT_MISSED,
    INFEASIBLE,
    REJECTED,
    HANGS,
    SECOND_WRITER,
    CONTINUITY,
    HOLDS,
    QUESTION,
    SILENT,
    RECORDS,
    THROTTLED,
    EARLY,
    PACK_OLD,
    SECOND_OLD,
    CERTIFICATE,
];

/// Rules of which the bridge can't tell: it is dead, or nobody takes its messages.
pub const ONLY_FROM_OUTSIDE: [&str; 2] = ["PlanthreadDown", "PlanthreadAlertsFail"];
