//! The six verbs, each one line.

use planthread_contracts::{MeasureDecl, Owner, PeriodKind, Scope, SeenCell};
use planthread_kit::{
    Attempt, AttemptRecord, Batch, BoxFuture, Capabilities, Carriage, CellWrite, Connector,
    ConnectorError, Cost, Discovery, Info, PackFile, Poll, RecordedBatch, Selection, Submission,
    agreement::Gate, target::TargetContext,
};

use crate::{
    buckets::Form, check::discover, client::Client, config::Config, grades::grades, levels::Levels,
    pack::pack, read::read, sheet, write,
};

/// Requests of one batch at most.
const REQUESTS: usize = 20;

/// What the verbs work with.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) scope: Scope,
    pub(crate) measures: Vec<MeasureDecl>,
    pub(crate) form: Form,
    pub(crate) kind: PeriodKind,
    pub(crate) client: Client,
    pub(crate) gate: Gate,
    pub(crate) levels: Levels,
    /// Seconds that one write may take.
    pub(crate) write_seconds: u64,
}

impl Context {
    /// Under which agreement it writes, in a few words.
    pub(crate) fn label(&self) -> String {
        let standing = self.gate.status(self.client.http().clock().now());
        format!("agreement {}", standing.agreement.unwrap_or_default())
    }
}

/// One target: a tenant's application and one of its versions.
#[derive(Debug)]
pub(crate) struct O9 {
    context: Context,
    info: Info,
}

impl O9 {
    pub(crate) fn new(target: &TargetContext<'_>, context: Context) -> Self {
        let Context { config, scope, measures, gate, form, .. } = &context;
        let words = write::words(config.clone(), form.clone(), measures.clone());
        let info = Info {
            name: crate::NAME,
            target: target.target.to_owned(),
            address: config.address(scope),
            capabilities: capabilities(config, measures),
            grades: grades(),
            sheet: sheet::lines(config, measures, scope),
            agreement: Some(gate.clone().worded(words)),
        };
        Self { context, info }
    }
}

fn capabilities(config: &Config, measures: &[MeasureDecl]) -> Capabilities {
    let ours = measures.iter().filter(|measure| measure.owner == Owner::Bridge).count().max(1);
    let cells = REQUESTS * config.rows_per_write;
    Capabilities {
        cells_per_batch: cells,
        groups_per_batch: cells.div_ceil(ours),
        uniform_batches: false,
        measures: measures.to_vec(),
        names_rejected_rows: true,
        tells: false,
        lists_master_data: true,
        takes_from: None,
        side_by_side: 1,
        // Nothing is published: the engine corrects this by what it measures.
        cost: Cost {
            overhead_requests: 1,
            overhead_ms: 50,
            cells_per_request: config.rows_per_write,
            // A request holds whole groups.
            groups_per_request: (config.rows_per_write / ours).max(1),
            request_ms: 50,
            cell_us: 0,
            parallel_requests: 1,
            cells_per_read: config.read.page_size * measures.len().max(1),
            read_ms: 50,
            parallel_reads: 1,
        },
        carriage: Carriage::plain(
            "one call of the rule for so many rows as the agreement lets it take; before it the \
             levels of the model, because a row at another level spreads; one page reads them back",
        ),
    }
}

impl Connector for O9 {
    fn info(&self) -> &Info {
        &self.info
    }

    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ConnectorError>> {
        Box::pin(discover(&self.context, &self.info))
    }

    fn submit<'a>(
        &'a self,
        batch: &'a Batch,
        attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Submission, ConnectorError>> {
        Box::pin(write::submit(&self.context, batch, attempt))
    }

    fn poll<'a>(
        &'a self,
        attempt: &'a AttemptRecord,
        _: &'a RecordedBatch,
    ) -> BoxFuture<'a, Result<Poll, ConnectorError>> {
        Box::pin(async { Ok(write::poll(attempt, self.context.client.http().clock().now())) })
    }

    fn read<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> BoxFuture<'a, Result<Vec<SeenCell>, ConnectorError>> {
        Box::pin(read(&self.context, selection))
    }

    fn pack(&self, cells: &[CellWrite]) -> Result<Vec<PackFile>, ConnectorError> {
        let Context { config, form, measures, .. } = &self.context;
        pack(config, form, cells, measures)
    }
}
