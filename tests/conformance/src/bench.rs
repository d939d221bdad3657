//! What a case needs of a connector under test: a world it can break.

use std::{fmt, sync::Arc, time::Duration};

use planthread_contracts::{MeasureDecl, Scope, SeenCell, WriteGrant};
use planthread_kit::{Batch, CellWrite, Connector, VirtualClock};
use serde::Deserialize;

/// A connector and its sandbox, to be mounted afresh for each case.
pub trait Bench: Sync {
    /// The connector's name.
    fn name(&self) -> &'static str;
    /// What its sandbox can be told to do; cases that need anything else are
    /// shown as skipped.
    fn habits(&self) -> Vec<Habit>;
    /// A new world: empty sandbox with one of its habits, new connector, virtual
    /// clock.
    fn world_with(&self, habit: Option<Habit>) -> World;
    /// A new world whose sandbox is told nothing.
    fn world(&self) -> World {
        self.world_with(None)
    }
    /// `count` cells that the sandbox knows and can hold, groups kept whole.
    fn cells(&self, count: usize) -> Vec<CellWrite>;
    /// A whole cell group, as those of `cells`, whose resource the sandbox does
    /// not know.
    fn stranger(&self) -> Vec<CellWrite>;
    /// Strings that must never be printed.
    fn secrets(&self) -> Vec<String>;
}

/// One mounted world.
pub struct World {
    /// The clock that everything in it lives by.
    pub clock: VirtualClock,
    /// The connector.
    pub connector: Arc<dyn Connector>,
    /// The sandbox behind it.
    pub target: Arc<dyn Target>,
    /// Another connector before the same sandbox: that of the next process.
    pub again: Box<dyn Fn() -> Arc<dyn Connector>>,
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("World").field("connector", &self.connector).finish_non_exhaustive()
    }
}

/// The sandbox, seen from above.
pub trait Target: Send + Sync {
    /// What it holds of the batch's measures, in canonical terms.
    fn stored(&self) -> Vec<SeenCell>;
    /// Lets `fault` happen to request number `nth` (from 1, counted from now).
    fn inject(&self, nth: usize, fault: Fault);
    /// Requests that arrived since the world began.
    fn requests(&self) -> usize;
    /// Requests that arrived while an announced `Retry-After` was running.
    fn inside_retry_after(&self) -> usize;
}

/// What a sandbox does with all that it is sent, besides faults of single
/// requests.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Habit {
    /// It works on after a batch was submitted; polls tell the end.
    WorksOn,
    /// It refuses rows that it can't hold, and says how many, not which.
    CountsRefusals,
    /// It drops rows that it can't hold, and says that it took everything.
    DropsSilently,
    /// Its jobs fail as a whole, and change nothing.
    FailsJobs,
}

/// What can happen to one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The connection breaks before the target reads the request.
    DropBefore,
    /// The target does what it was asked, and the answer is lost.
    DropAfter,
    /// The answer is cut in the middle of its body.
    Truncated,
    /// The target answers 500 and does nothing.
    ServerError,
    /// The target answers 503 with `Retry-After`, and does nothing.
    Unavailable(Duration),
    /// The target answers 429 with `Retry-After`, and does nothing.
    TooMany(Duration),
    /// The target answers 403.
    Forbidden,
    /// The target answers 200 with an error in the body, and does nothing.
    ErrorInside200,
    /// Whatever the target knows a caller by has ended: session, token, cookie.
    Expired,
    /// A field of the answer that the connector reads is called something else.
    RenamedField,
    /// Somebody in between answers 200 with a page to log in on.
    LoginPage,
    /// Somebody in between answers with a multipart body in which a 400 stands.
    Multipart400,
    /// Somebody in between answers 302 to a page to log in on.
    Redirect,
    /// Where the answer says how many rows there are, it says a trillion. It is
    /// not part of the sweep: what matters of it is what a read costs.
    CountLies,
}

impl Fault {
    /// The faults of the sweep, at every request.
    pub const ALL: [Self; 13] = [
        Self::DropBefore,
        Self::DropAfter,
        Self::Truncated,
        Self::ServerError,
        Self::Unavailable(Duration::from_secs(7)),
        Self::TooMany(Duration::from_secs(7)),
        Self::Forbidden,
        Self::ErrorInside200,
        Self::Expired,
        Self::RenamedField,
        Self::LoginPage,
        Self::Multipart400,
        Self::Redirect,
    ];
}

/// A batch of `cells` with grants for the bridge-owned measures of `connector`.
///
/// # Errors
/// When a cell's measure is not bridge-owned, or the cells don't form a batch.
pub fn batch(connector: &dyn Connector, cells: &[CellWrite]) -> Result<Batch, String> {
    let scope = cells.first().map_or_else(Scope::base, |cell| Scope::named(&cell.key.scope));
    let measures: &[MeasureDecl] = &connector.info().capabilities.measures;
    let grants: Vec<WriteGrant> =
        measures.iter().filter_map(|m| WriteGrant::bridge_owned(m, &scope).ok()).collect();
    Batch::new(scope, &grants, cells.to_vec()).map_err(|e| e.to_string())
}
