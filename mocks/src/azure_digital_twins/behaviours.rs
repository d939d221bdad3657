//! Every behaviour of this sandbox, with its grade, source and switch.
//!
//! The grades are those of [`crate::sdk::behaviours`]; sources are sections of
//! the fact sheet.

use crate::sdk::{self, Behaviour, Grade};

/// Which behaviours are on.
pub type Switches = sdk::Switches<Switch>;

/// Names one behaviour.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(missing_docs, reason = "each variant is described in TABLE, in words that people read")]
pub enum Switch {
    EventualQueries,
    TwinRate,
    JobRate,
    OneJob,
    ForeignWrites,
    ThrottledWrites,
    DoubleEncoded429,
    QuotaInside200,
    EmptyForbidden,
    WrongTenant,
}

/// All behaviours that can be switched; their sources were looked up on 2026-11-26.
#[rustfmt::skip]
pub const TABLE: [Behaviour<Switch>; 10] = [
    Behaviour::on(Switch::EventualQueries, "eventual-queries", Grade::A, "0.7, 1.7", "queries see a change 4 s after it was made; reads by id see it at once"),
    Behaviour::on(Switch::TwinRate, "twin-rate", Grade::A, "1.13", "more than ten changes a second of one twin with its relationships: 429 of shape B with Retry-After"),
    Behaviour::on(Switch::JobRate, "job-rate", Grade::A, "1.10", "a call of the jobs API within a second of the last one: 429 of shape B, Retry-After 5"),
    Behaviour::on(Switch::OneJob, "one-job", Grade::A, "1.10", "a second import while one runs: 429 of shape D, a JSON text that holds JSON, without Retry-After"),
    Behaviour::off(Switch::ForeignWrites, "foreign-writes", Grade::S, "1.3", "fault: somebody else changes each twin once, just before our first PATCH with its ETag: 412"),
    Behaviour::off(Switch::ThrottledWrites, "throttled-writes", Grade::A, "1.11", "fault: every fifth PATCH of a twin is a 429 of shape B with Retry-After 7"),
    Behaviour::off(Switch::DoubleEncoded429, "double-encoded-429", Grade::A, "1.11", "fault: every fifth PATCH of a twin is a 429 of shape D, without Retry-After"),
    Behaviour::off(Switch::QuotaInside200, "quota-inside-200", Grade::U, "1.7", "fault: queries answer 200 with an error QuotaExceptionError in the body (one user's report)"),
    Behaviour::off(Switch::EmptyForbidden, "empty-forbidden", Grade::C, "1.1", "fault: the role is missing: 403 without a body"),
    Behaviour::off(Switch::WrongTenant, "wrong-tenant", Grade::A, "1.1", "fault: the token is of another tenant: 404 `Sub-Domain not found`"),
];

impl sdk::behaviours::Switch for Switch {
    const TABLE: &'static [Behaviour<Self>] = &TABLE;
}
