//! Every number that `/metrics` prints. `docs/reference/metrics.md` is written from
//! this list.
//!
//! Names follow the conventions of Prometheus: base units, `_total` for what only
//! grows, an instant in place of an age. Values of labels come from the configuration
//! or from closed lists of words, so their number is bounded.
//! <https://prometheus.io/docs/practices/naming/>

use super::exposition::{Family, Kind};

const fn gauge(name: &'static str, labels: &'static [&'static str], help: &'static str) -> Family {
    Family { name, kind: Kind::Gauge, help, labels }
}

const fn counter(
    name: &'static str,
    labels: &'static [&'static str],
    help: &'static str,
) -> Family {
    Family { name, kind: Kind::Counter, help, labels }
}

pub(super) const BUILD: Family =
    gauge("planthread_build_info", &["version"], "1; the version of the program is its label.");
pub(super) const STARTED: Family = gauge(
    "planthread_start_time_seconds",
    &[],
    "When this process started, in seconds since 1970.",
);
pub(super) const READY: Family = gauge("planthread_ready", &[], "1 where `/readyz` says yes.");
pub(super) const LEASE_ROLE: Family = gauge(
    "planthread_lease_role",
    &["role"],
    "1 at the role that a bridge has in the lease of `run.lease`: active, standby. Absent where \
     none is configured.",
);
pub(super) const LEASE_LEFT: Family = gauge(
    "planthread_lease_remaining_seconds",
    &[],
    "For how long the lease still lets this bridge send; 0 where it does not hold it.",
);
pub(super) const LOOP_LATE: Family = gauge(
    "planthread_loop_late",
    &["loop"],
    "1 where a loop has not come round within `run.operations.stall_minutes`.",
);
pub(super) const ROUNDS: Family = counter(
    "planthread_rounds_total",
    &["result"],
    "Rounds of the factory's side (records taken in and derived), by result: done, failed.",
);
pub(super) const ROUND_LAST: Family = gauge(
    "planthread_round_last_success_timestamp_seconds",
    &[],
    "When the last round ended well.",
);
pub(super) const ROUND_TOOK: Family =
    gauge("planthread_round_duration_seconds", &[], "How long the last round took.");
pub(super) const ROUND_EVERY: Family =
    gauge("planthread_round_interval_seconds", &[], "From one round to the next, as configured.");
pub(super) const TARGET: Family = gauge(
    "planthread_target_info",
    &["target", "connector", "scope"],
    "1; what each target of the configuration is.",
);
pub(super) const CYCLES: Family = counter(
    "planthread_target_cycles_total",
    &["target", "result"],
    "Cycles of a target (plan, push, read back), by result: done, stopped, paused, cut.",
);
pub(super) const CYCLE_LAST: Family = gauge(
    "planthread_target_last_success_timestamp_seconds",
    &["target"],
    "When the last cycle of a target was done.",
);
pub(super) const CYCLE_TOOK: Family = gauge(
    "planthread_target_cycle_duration_seconds",
    &["target"],
    "How long the last cycle of a target took.",
);
pub(super) const AWAY: Family =
    gauge("planthread_target_away", &["target"], "1 while every try to reach a target fails.");
pub(super) const AWAY_SINCE: Family = gauge(
    "planthread_target_away_since_timestamp_seconds",
    &["target"],
    "The first try that failed, while a target is away.",
);
pub(super) const PAUSED: Family = gauge(
    "planthread_target_paused",
    &["target"],
    "1 where a person or the configuration lets nothing be sent to a target.",
);
pub(super) const BREAKER: Family = gauge(
    "planthread_target_breaker",
    &["target", "operation", "state"],
    "1 at the state in which the breaker of what is asked of a target (read, write, poll) is: \
     closed, open, half_open.",
);
pub(super) const PACK: Family = gauge(
    "planthread_target_pack_timestamp_seconds",
    &["target"],
    "Instant of the truth in the pack in the folder of a target; 0 where none can be read there.",
);
pub(super) const SECOND_PACK: Family = gauge(
    "planthread_target_second_pack_timestamp_seconds",
    &["target"],
    "Instant of the truth in the pack at the second place of a target; 0 before one arrived there.",
);
pub(super) const CELLS: Family = gauge(
    "planthread_cells",
    &["target", "scope", "state"],
    "Cells by the state of their newest revision.",
);
pub(super) const WANTED: Family =
    gauge("planthread_cells_wanted", &["target", "scope"], "Cells that are wanted.");
pub(super) const SEEN: Family = gauge(
    "planthread_cells_seen",
    &["target", "scope"],
    "Wanted cells that were read back as wanted.",
);
pub(super) const IN_USE: Family = gauge(
    "planthread_cells_in_use",
    &["target", "scope"],
    "Wanted cells that drive the target's plan.",
);
pub(super) const STALE: Family =
    gauge("planthread_cells_stale", &["target", "scope"], "Landed cells whose end has passed.");
pub(super) const UNSEEN: Family = gauge(
    "planthread_cells_oldest_unseen_timestamp_seconds",
    &["target", "scope"],
    "Since when the oldest cell is wanted that was not read back as wanted; none where all were.",
);
pub(super) const FIRM_MISSED: Family = gauge(
    "planthread_firm_missed",
    &["target", "scope"],
    "Values of the last plan cut that were due at the target and were not read back as wanted; 0 \
     before they are due.",
);
pub(super) const INFEASIBLE: Family = gauge(
    "planthread_frozen_infeasible",
    &["target", "scope"],
    "Lines and periods inside the frozen horizon that can do at least four hours less than is firm.",
);
pub(super) const OPEN: Family =
    gauge("planthread_attempts_open", &["target", "scope"], "Attempts without an end.");
pub(super) const OPEN_SINCE: Family = gauge(
    "planthread_attempts_oldest_open_timestamp_seconds",
    &["target", "scope"],
    "Since when the oldest of them is open; none where there is none.",
);
pub(super) const CASES: Family = gauge(
    "planthread_cases_open",
    &["target", "scope", "kind"],
    "Open questions to people, by kind.",
);
pub(super) const LOCKS: Family =
    gauge("planthread_locks", &["target", "scope"], "Cells that people have taken.");
pub(super) const JOURNAL: Family = counter(
    "planthread_journal_records_total",
    &[],
    "Records that the journal has taken in since it was made.",
);
pub(super) const WAITING: Family = gauge(
    "planthread_journal_waiting",
    &["kind"],
    "Records that wait for a person: refused, conflict, future.",
);
pub(super) const SOURCE: Family = counter(
    "planthread_source_records_total",
    &["source"],
    "Records of a source that were understood and kept, or had been kept before.",
);
pub(super) const SOURCE_REFUSED: Family = counter(
    "planthread_source_refused_total",
    &["source"],
    "Records that were refused; without a source where they came over HTTP.",
);
pub(super) const SOURCE_NEWEST: Family = gauge(
    "planthread_source_newest_record_timestamp_seconds",
    &["source"],
    "When the newest record of a source arrived; since when it is awaited, where none ever did.",
);
pub(super) const REQUESTS: Family =
    counter("planthread_requests_total", &["tenant"], "Requests that went out to a tenant.");
pub(super) const REFUSALS: Family = counter(
    "planthread_request_refusals_total",
    &["tenant"],
    "Answers that asked us to wait (429, 503).",
);
pub(super) const RETRIES: Family =
    counter("planthread_request_retries_total", &["tenant"], "Requests that were sent again.");
pub(super) const WAITS: Family = counter(
    "planthread_request_wait_seconds_total",
    &["tenant"],
    "Seconds that requests waited here for their turn.",
);
pub(super) const EARLY: Family = counter(
    "planthread_requests_inside_pause_total",
    &["tenant"],
    "Requests that began inside a pause that the tenant had asked for; 0, or a fault of ours.",
);
pub(super) const SHARE: Family = gauge(
    "planthread_quota_requests_per_second",
    &["tenant"],
    "Our share of the rate that a tenant publishes; none where it publishes none.",
);
pub(super) const LEARNED: Family = gauge(
    "planthread_quota_learned_requests_per_second",
    &["tenant"],
    "The rate that a tenant's refusals taught; none while it refused nothing, or takes our whole share.",
);
pub(super) const ASKED: Family = gauge(
    "planthread_tenant_pause_seconds",
    &["tenant"],
    "What is left of the pause that a tenant asked for.",
);
pub(super) const AHEAD: Family = gauge(
    "planthread_clock_ahead_seconds",
    &["tenant"],
    "How far this clock is ahead of a tenant's at the least; negative when it is behind.",
);
pub(super) const CONFIRMED: Family = gauge(
    "planthread_clock_confirmed_timestamp_seconds",
    &[],
    "When a target last agreed with this machine's clock; none before the first.",
);
pub(super) const BYTES: Family = gauge(
    "planthread_state_bytes",
    &[],
    "Size of the state's database, with what is not merged yet.",
);
pub(super) const WRITE_FAILED: Family = gauge(
    "planthread_state_write_failed",
    &[],
    "1 where the last write to the state was not kept: a full disk, a damaged file.",
);
pub(super) const READ_FAILED: Family = gauge(
    "planthread_state_read_failed",
    &[],
    "1 where the state could not be read for this page; then the numbers of the state are missing.",
);
pub(super) const CERTIFICATE: Family = gauge(
    "planthread_certificate_end_timestamp_seconds",
    &["target", "certificate"],
    "When the first certificate of a target, or of a part of `run.alerts`, ends: client, private_ca; \
     0 where that can't be read.",
);
pub(super) const ALERTS: Family = counter(
    "planthread_alerts_total",
    &["result", "way"],
    "Messages of `run.alerts`, by result: sent, failed (a try that was not taken); and by way: \
     webhook, email.",
);

/// Every number, in the order of the page.
pub const FAMILIES: [&Family; 52] = [
    &BUILD,
    &STARTED,
    &READY,
    &LEASE_ROLE,
    &LEASE_LEFT,
    &LOOP_LATE,
    &ROUNDS,
    &ROUND_LAST,
    &ROUND_TOOK,
    &ROUND_EVERY,
    &TARGET,
    &CYCLES,
    &CYCLE_LAST,
    &CYCLE_TOOK,
    &AWAY,
    &AWAY_SINCE,
    &PAUSED,
    &BREAKER,
    &PACK,
    &SECOND_PACK,
    &CELLS,
    &WANTED,
    &SEEN,
    &IN_USE,
    &STALE,
    &UNSEEN,
    &FIRM_MISSED,
    &INFEASIBLE,
    &OPEN,
    &OPEN_SINCE,
    &CASES,
    &LOCKS,
    &JOURNAL,
    &WAITING,
    &SOURCE,
    &SOURCE_REFUSED,
    &SOURCE_NEWEST,
    &REQUESTS,
    &REFUSALS,
    &RETRIES,
    &WAITS,
    &EARLY,
    &SHARE,
    &LEARNED,
    &ASKED,
    &AHEAD,
    &CONFIRMED,
    &BYTES,
    &WRITE_FAILED,
    &READ_FAILED,
    &CERTIFICATE,
    &ALERTS,
];

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_follow_the_conventions() {
        let names: BTreeSet<&str> = FAMILIES.iter().map(|family| family.name).collect();
        assert_eq!(names.len(), FAMILIES.len(), "a name stands there twice");
        for family in FAMILIES {
            let name = family.name;
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
            assert_eq!(name.ends_with("_total"), family.kind == Kind::Counter, "{name}");
            assert!(family.help.ends_with('.'), "{name}: a sentence ends");
            for unit in ["_ms", "_minutes", "_hours", "_age", "_percent", "_mb"] {
                assert!(!name.contains(unit), "{name}: base units, and instants in place of ages");
            }
        }
    }
}
