//! The one trait: six verbs, object-safe, no default methods.

use std::{collections::BTreeMap, fmt};

use jiff::Timestamp;
use planthread_contracts::{
    CellKey, MeasureDecl, Period, PeriodKind, Receipt, RowOutcome, Scope, SeenCell,
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    Attempt, AttemptRecord, Batch, BoxFuture, CellWrite, ConnectorError, RecordedBatch,
    agreement::Gate, http::Lane,
};

/// Carries cells into one planning system and reads them back.
///
/// A connector translates and reports. It never sleeps, waits, retries, logs
/// secrets, reads the environment, or decides what an error means: requests go
/// through the kit's request stack, and whoever calls waits between two polls.
pub trait Connector: Send + Sync + fmt::Debug {
    /// Name, capabilities, capability sheet, and the sheet for the consultant.
    fn info(&self) -> &Info;

    /// Read only: is it reachable, are we allowed, what does it offer, and does
    /// that fit the configuration?
    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ConnectorError>>;

    /// Translates and writes. Multi-request protocols stay inside. It does not
    /// wait for what the target does later.
    ///
    /// A note that names the step is durable before any request that can take
    /// effect ([`Attempt::note`]), and so is the digest of the encoding, where
    /// rows will be told by their position ([`Attempt::note_encoding`]).
    fn submit<'a>(
        &'a self,
        batch: &'a Batch,
        attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Submission, ConnectorError>>;

    /// What has become of an attempt, decided from its notes and its recorded
    /// batch, also in another process. Read only; one question, no waiting.
    ///
    /// Without a note that names a step that can take effect the answer is
    /// [`Poll::NotTaken`], and nobody is asked.
    fn poll<'a>(
        &'a self,
        attempt: &'a AttemptRecord,
        batch: &'a RecordedBatch,
    ) -> BoxFuture<'a, Result<Poll, ConnectorError>>;

    /// Reads cells back, at the level at which they were written.
    fn read<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> BoxFuture<'a, Result<Vec<SeenCell>, ConnectorError>>;

    /// Pure: the target's own import file(s) for the manual route.
    ///
    /// # Errors
    /// `Fatal` when a cell can't be written in the target's layout.
    fn pack(&self, cells: &[CellWrite]) -> Result<Vec<PackFile>, ConnectorError>;
}

/// What a connector is.
#[derive(Debug, Clone, Serialize)]
pub struct Info {
    /// Connector name, as in the configuration.
    pub name: &'static str,
    /// The configured target.
    pub target: String,
    /// Where the target is, without secrets. What was seen at one address says
    /// nothing about another.
    pub address: String,
    /// What it can do, as data.
    pub capabilities: Capabilities,
    /// Every behaviour it relies on, graded.
    pub grades: Vec<Grade>,
    /// What the target's consultant must prepare; `discover` ticks it.
    pub sheet: Vec<SheetLine>,
    /// The gate of the agreement under which it is written; `None` where the vendor
    /// publishes how it is written.
    #[serde(skip)]
    pub agreement: Option<Gate>,
}

/// What a connector can do. Plain data: it chooses conformance cases and
/// batch sizes.
#[derive(Debug, Clone, Serialize)]
pub struct Capabilities {
    /// Most cells in one batch.
    pub cells_per_batch: usize,
    /// Most cell groups in one batch.
    pub groups_per_batch: usize,
    /// Whether all cell groups of one batch must carry the same measures at
    /// the same period kind, all by product or none.
    pub uniform_batches: bool,
    /// Measures that the target may hold, as configured.
    pub measures: Vec<MeasureDecl>,
    /// Whether the target names each refused row.
    pub names_rejected_rows: bool,
    /// Whether a text of each cell group lands beside its values
    /// ([`Batch::told`]).
    pub tells: bool,
    /// Whether [`Connector::discover`] lists the places that its master data knows: then
    /// what was refused goes out again when they change.
    pub lists_master_data: bool,
    /// The scope of the same tenant that a push takes over as a whole, where it does: it
    /// waits until another target has landed there what it would bring.
    pub takes_from: Option<String>,
    /// Most jobs that the target takes at once, over disjoint cell groups of one
    /// scope; 1 unless its vendor says more.
    pub side_by_side: usize,
    /// What a push and a read cost at the target: `plan` predicts with it.
    pub cost: Cost,
    /// Which cells share a request.
    pub carriage: Carriage,
}

/// How cells travel: what one request may hold of a batch, and what a read of them
/// takes. `plan` predicts with it, and a test holds every target to it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Carriage {
    /// What the cells of one request have in common.
    pub together: Together,
    /// Requests that bring them over: 2 where they are staged, then applied.
    pub requests: u32,
    /// Requests of a process's first push besides: what is asked or made once.
    pub once: u32,
    /// Questions that a read of all measures is asked in.
    pub questions: u32,
    /// Requests that open a question, before its pages.
    pub opening: u32,
    /// Why it can't be fewer, in words.
    pub fewest: &'static str,
}

impl Carriage {
    /// Any cells of a batch share a request, one question reads them all back.
    #[must_use]
    pub const fn plain(fewest: &'static str) -> Self {
        let (together, questions, opening) = (Together::Batch, 1, 0);
        Self { together, requests: 1, once: 0, questions, opening, fewest }
    }
}

/// What the cells of one request have in common.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Together {
    /// Their batch.
    Batch,
    /// Their resource and location, when they are read, too.
    Place,
    /// Their table, by its measures, and the list of its measures that their groups
    /// have values for.
    Columns(Vec<Vec<String>>),
}

/// Requests and time that a target is documented to need.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Requests of a push besides those that carry cells (token, commit, ...).
    pub overhead_requests: u32,
    /// Milliseconds that those take together.
    pub overhead_ms: u64,
    /// Most cells in one request that carries cells.
    pub cells_per_request: usize,
    /// Most cell groups in one such request, where batches are uniform: a
    /// group is never cut then.
    pub groups_per_request: usize,
    /// Milliseconds of a request that carries cells, besides its cells.
    pub request_ms: u64,
    /// Microseconds for each cell that a request carries.
    pub cell_us: u64,
    /// Requests that carry cells and run at the same time.
    pub parallel_requests: usize,
    /// Most cells in one page that is read.
    pub cells_per_read: usize,
    /// Milliseconds of a read.
    pub read_ms: u64,
    /// Pages that are read at the same time, after the first has told how many
    /// there are.
    pub parallel_reads: usize,
}

/// One behaviour, with its evidence (law 17).
#[derive(Debug, Clone, Serialize, Deserialize, JsonSchema)]
pub struct Grade {
    /// What is done, or assumed.
    pub behaviour: String,
    /// `A` vendor's own material, `B` verified public code, `C` weak, `L` run
    /// locally, `unconfirmed`.
    pub grade: String,
    /// Where it is said.
    pub source: String,
    /// When it was looked up, `YYYY-MM-DD`.
    pub date: String,
}

impl Grade {
    /// A capability sheet that was looked up on one day: behaviour, grade and source
    /// of each line.
    #[must_use]
    pub fn sheet(date: &str, lines: &[(&str, &str, &str)]) -> Vec<Self> {
        let line = |(behaviour, grade, source): &(&str, &str, &str)| Self {
            behaviour: (*behaviour).to_owned(),
            grade: (*grade).to_owned(),
            source: (*source).to_owned(),
            date: date.to_owned(),
        };
        lines.iter().map(line).collect()
    }
}

/// One line of the consultant's sheet.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SheetLine {
    /// Stable id, which findings refer to: `measure.live`.
    pub id: String,
    /// What must be true, in the consultant's words.
    pub text: String,
    /// Where to do it in the target.
    pub place: String,
    /// Measures of which one proven landing answers the line, where no reading
    /// can: whether a value can be written, only a write tells.
    pub landing: Vec<String>,
}

/// What a target offers, as found.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Discovery {
    /// Everything addressable that was found, tenant names included.
    pub surface: Vec<SurfaceItem>,
    /// Known resource and location pairs.
    pub resources: Vec<(String, String)>,
    /// What people call the resources, where the target says so.
    pub descriptions: BTreeMap<String, String>,
    /// Named scopes besides base.
    pub scopes: Vec<String>,
    /// Period kinds that the target offers.
    pub periods: Vec<PeriodKind>,
    /// Digest of the surface: a change is drift.
    pub fingerprint: String,
    /// One finding for each line of the sheet, and what else was noticed.
    pub findings: Vec<Finding>,
}

/// One addressable thing at a target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct SurfaceItem {
    /// The target's name for it.
    pub name: String,
    /// What it is.
    pub kind: SurfaceKind,
    /// The target's label for people.
    pub label: String,
    /// Declared type, with precision and scale.
    pub declared: String,
}

/// Kinds of surface items.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum SurfaceKind {
    /// Holds numbers.
    Measure,
    /// Names things: resource, location, product.
    Attribute,
    /// Names periods.
    Time,
    /// A conversion that a read must name (unit, currency).
    Conversion,
    /// Holds master data.
    MasterData,
    /// An operation.
    Operation,
}

/// One answer of `check`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Finding {
    /// The sheet line it answers; empty for a remark of its own.
    pub line: String,
    /// Whether nothing speaks against it.
    pub ok: bool,
    /// Whether it was observed. A line that is ok and not proven is open: the
    /// text says how it gets proven.
    pub proven: bool,
    /// What an open line still needs.
    pub needs: Option<Need>,
    /// What was found.
    pub text: String,
    /// What to do about it; empty when it is ok.
    pub cure: String,
}

/// What a target said when a batch was submitted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submission {
    /// It answered at once: this is the end.
    Done(PushOutcome),
    /// It works on; [`Connector::poll`] tells the end.
    Submitted,
}

/// What answers a line that no reading can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Need {
    /// One landing that is read back.
    Landing,
    /// A person who knows, and signs the sheet.
    Signature,
}

/// The end of a push whose end is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PushOutcome {
    /// The vendor's proof that it took the batch, or its word that it did not.
    pub receipt: Receipt,
    /// One outcome for each cell of the batch, in its order.
    pub rows: Vec<RowOutcome>,
    /// Rows that the target says it refused without naming them. Which ones
    /// they are is never told by count: an unproven row that a read-back finds
    /// unchanged counts as refused, so that it is not sent for ever.
    pub refused_unnamed: usize,
    /// Whether the target ended its job as failed, by its state: nothing more
    /// will come of it. What is found unchanged goes out again, later.
    pub failed: bool,
}

impl PushOutcome {
    /// The end of a job that did not fail as a whole.
    #[must_use]
    pub const fn new(receipt: Receipt, rows: Vec<RowOutcome>) -> Self {
        Self { receipt, rows, refused_unnamed: 0, failed: false }
    }
}

/// What has become of an attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Poll {
    /// The target works on it.
    Running {
        /// The target's own word for its state, as it is spelt.
        state: String,
    },
    /// It has ended.
    Done(PushOutcome),
    /// Nothing of it took or will take effect.
    NotTaken {
        /// How that is known, for people: lower case, no final stop.
        why: String,
    },
    /// The target can't tell; a read-back decides.
    Unknown {
        /// Before this instant it may still take effect: its cells are not sent.
        until: Timestamp,
    },
}

/// A contiguous set of cells to read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Selection {
    /// The configured target.
    pub target: String,
    /// Where to look.
    pub scope: Scope,
    /// Measures by our name; read-only ones may be among them.
    pub measures: Vec<String>,
    /// Resource and location pairs; empty means all.
    pub resources: Vec<(String, String)>,
    /// First period, inclusive.
    pub from: Period,
    /// Last period, inclusive, of the same kind.
    pub to: Period,
    /// How urgent it is: a proof goes before a sweep.
    pub lane: Lane,
}

impl Selection {
    /// Whether `key` lies inside the selection.
    #[must_use]
    pub fn contains(&self, key: &CellKey) -> bool {
        key.scope == self.scope.name()
            && (self.from..=self.to).contains(&key.period)
            && self.measures.iter().any(|measure| *measure == key.measure)
            && (self.resources.is_empty()
                || self.resources.iter().any(|(r, l)| *r == key.resource && *l == key.location))
    }
}

/// One file of a fallback pack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackFile {
    /// File name, without folder.
    pub name: String,
    /// Contents.
    pub bytes: Vec<u8>,
    /// Rows of data in it.
    pub rows: usize,
}
