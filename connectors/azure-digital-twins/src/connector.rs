//! The six verbs, each one line: what they do stands in its own module.

use std::sync::{Mutex, MutexGuard, PoisonError};

use planthread_contracts::{MeasureDecl, Scope, SeenCell};
use planthread_kit::{
    Attempt, AttemptRecord, Batch, BoxFuture, Capabilities, Carriage, CellWrite, Class, Connector,
    ConnectorError, Cost, Discovery, Info, PackFile, Poll, RecordedBatch, Selection, Submission,
    Together,
    http::{Bounds, HttpStack},
};

use crate::{
    check::{discover, lines},
    client::Client,
    config::Config,
    grades::grades,
    pack::pack,
    read::read,
    recent::Recent,
    submit::{Known, STEP, submit},
};

/// What the verbs share.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) measures: Vec<MeasureDecl>,
    pub(crate) client: Client,
    /// What the models of twins can hold.
    pub(crate) known: Known,
    /// What was read of twins, until they are written.
    recent: Mutex<Recent>,
}

impl Context {
    pub(crate) fn recent(&self) -> MutexGuard<'_, Recent> {
        self.recent.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// One target: the twins of an instance, and the component that is ours.
#[derive(Debug)]
pub struct AzureDigitalTwins {
    context: Context,
    info: Info,
}

impl AzureDigitalTwins {
    /// A connector for `target`.
    ///
    /// # Errors
    /// `Fatal` for a named scope: a twin has one capacity.
    pub fn new(
        target: &str,
        config: Config,
        scope: &Scope,
        measures: Vec<MeasureDecl>,
        http: HttpStack,
        bounds: Bounds,
    ) -> Result<Self, ConnectorError> {
        if !scope.is_base() {
            let text = format!("a twin has no scopes, and this target's is {scope}");
            return Err(ConnectorError::new(Class::Fatal, "read settings", text)
                .cure("write `scope: base`; another `component` holds other values"));
        }
        let info = Info {
            name: crate::NAME,
            target: target.to_owned(),
            address: config.address(scope),
            capabilities: capabilities(&config, &measures),
            grades: grades(),
            sheet: lines(&config, &measures),
            agreement: None,
        };
        let client = Client::new(http, &config.host, &config.api_version, bounds);
        let context =
            Context { config, measures, client, known: Known::default(), recent: Mutex::default() };
        Ok(Self { context, info })
    }

    /// A PATCH has its effect when it is answered or never: what comes late finds
    /// another ETag once somebody wrote. What came of an unclear one, a read-back
    /// tells.
    fn poll(&self, attempt: &AttemptRecord) -> Poll {
        if attempt.notes.contains_key(STEP) {
            return Poll::Unknown { until: self.context.client.http().clock().now() };
        }
        Poll::NotTaken { why: "nothing of it was sent".to_owned() }
    }
}

/// Cells that one PATCH carries at most, about: 32 KB at 70 bytes for a key.
const CELLS_PER_PATCH: usize = 400;

fn capabilities(config: &Config, measures: &[MeasureDecl]) -> Capabilities {
    Capabilities {
        cells_per_batch: 50 * CELLS_PER_PATCH,
        groups_per_batch: 50 * CELLS_PER_PATCH,
        uniform_batches: false,
        measures: measures.to_vec(),
        names_rejected_rows: true,
        tells: false,
        lists_master_data: true,
        takes_from: None,
        side_by_side: 1,
        cost: Cost {
            overhead_requests: 0,
            overhead_ms: 0,
            cells_per_request: CELLS_PER_PATCH,
            groups_per_request: CELLS_PER_PATCH,
            // Nothing is published; a write and a read of a twin, as we assume.
            request_ms: 50,
            cell_us: 0,
            parallel_requests: config.parallel,
            cells_per_read: CELLS_PER_PATCH,
            read_ms: 50,
            parallel_reads: config.parallel,
        },
        carriage: Carriage {
            together: Together::Place,
            // The models of the twins.
            once: 1,
            ..Carriage::plain(
                "one PATCH a twin and one read of it: a request names one twin. A twin that was \
                 not read since the process began is read before",
            )
        },
    }
}

impl Connector for AzureDigitalTwins {
    fn info(&self) -> &Info {
        &self.info
    }

    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ConnectorError>> {
        Box::pin(discover(&self.context, &self.info.sheet))
    }

    fn submit<'a>(
        &'a self,
        batch: &'a Batch,
        attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Submission, ConnectorError>> {
        Box::pin(submit(&self.context, batch, attempt))
    }

    fn poll<'a>(
        &'a self,
        attempt: &'a AttemptRecord,
        _: &'a RecordedBatch,
    ) -> BoxFuture<'a, Result<Poll, ConnectorError>> {
        Box::pin(async { Ok(self.poll(attempt)) })
    }

    fn read<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> BoxFuture<'a, Result<Vec<SeenCell>, ConnectorError>> {
        Box::pin(read(&self.context, selection))
    }

    fn pack(&self, cells: &[CellWrite]) -> Result<Vec<PackFile>, ConnectorError> {
        pack(cells, &self.context.measures, &self.context.config)
    }
}
