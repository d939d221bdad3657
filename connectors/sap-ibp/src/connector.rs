//! The six verbs, each one line: what they do stands in `verbs` and `check`.

use planthread_contracts::{DesiredCell, MeasureDecl, Owner, Scope, SeenCell};
use planthread_kit::{
    Attempt, AttemptRecord, Batch, BoxFuture, Capabilities, Connector, ConnectorError, Discovery,
    Info, PackFile, PushOutcome, Selection, Settlement, http::HttpStack,
};

use crate::{
    check::{discover::discover, sheet},
    config::Config,
    cost::cost,
    grades::grades,
    pack::pack,
    verbs::{push::push, read::read, settle::settle},
    wire::client::Client,
};

/// One target: a planning area and the version that holds our scope.
#[derive(Debug)]
pub struct SapIbp {
    pub(crate) config: Config,
    pub(crate) scope: Scope,
    pub(crate) measures: Vec<MeasureDecl>,
    pub(crate) client: Client,
    pub(crate) info: Info,
}

impl SapIbp {
    /// A connector for `target`, whose own cells live in `scope`.
    ///
    /// # Errors
    /// `Fatal` when settings and measures don't fit each other.
    pub fn new(
        target: &str,
        config: Config,
        scope: Scope,
        measures: Vec<MeasureDecl>,
        http: HttpStack,
    ) -> Result<Self, ConnectorError> {
        config.validate(&measures)?;
        let version = config.version_of(&scope, &scope);
        let info = Info {
            name: crate::NAME,
            target: target.to_owned(),
            capabilities: capabilities(&config, &measures),
            grades: grades(),
            sheet: sheet::lines(&config, &measures, version),
        };
        let client = Client::new(&config, http);
        Ok(Self { config, scope, measures, client, info })
    }
}

fn capabilities(config: &Config, measures: &[MeasureDecl]) -> Capabilities {
    let ours = measures.iter().filter(|measure| measure.owner == Owner::Bridge).count();
    Capabilities {
        // Rows bound a transaction; cells of one group share a row.
        cells_per_batch: config.transaction.segment_rows * ours.max(1),
        measures: measures.to_vec(),
        idempotent_upsert: true,
        settles: true,
        names_rejected_rows: true,
        // Emptying a cell needs an unconfirmed flag (§6.3); zero is a value.
        clears: false,
        published_requests_per_minute: None,
        cost: cost(config),
    }
}

impl Connector for SapIbp {
    fn info(&self) -> &Info {
        &self.info
    }

    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ConnectorError>> {
        Box::pin(discover(self))
    }

    fn push<'a>(
        &'a self,
        batch: &'a Batch,
        attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<PushOutcome, ConnectorError>> {
        Box::pin(push(self, batch, attempt))
    }

    fn settle<'a>(
        &'a self,
        attempt: &'a AttemptRecord,
    ) -> BoxFuture<'a, Result<Settlement, ConnectorError>> {
        Box::pin(settle(self, attempt))
    }

    fn read<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> BoxFuture<'a, Result<Vec<SeenCell>, ConnectorError>> {
        Box::pin(read(self, selection))
    }

    fn pack(&self, cells: &[DesiredCell]) -> Result<Vec<PackFile>, ConnectorError> {
        let version =
            |scope: &str| self.config.version_of(&Scope::named(scope), &self.scope).to_owned();
        pack(cells, &self.measures, &self.config, version)
    }
}
