//! The six verbs, each one line: what they do stands in `verbs` and `check`.

use planthread_contracts::SeenCell;
use planthread_kit::{
    Attempt, AttemptRecord, Batch, BoxFuture, Capabilities, CellWrite, Connector, ConnectorError,
    Discovery, Info, PackFile, Poll, RecordedBatch, Selection, Submission,
    http::HttpStack,
    target::{SettingsFault, TargetContext},
};

use crate::{
    check::{discover::discover, sheet},
    config::{Config, Route},
    context::Context,
    cost::{carriage, cost, rows_per_request},
    grades::grades,
    pack::pack,
    verbs::{poll::poll, read::read, submit::submit},
};

/// One target: a company, and the scenario that holds our scope.
#[derive(Debug)]
pub struct Kinaxis {
    context: Context,
    info: Info,
}

impl Kinaxis {
    /// A connector for `target`.
    ///
    /// # Errors
    /// When settings and measures don't fit each other, or the scope is base and
    /// the route is no commit: nothing is written into the planners' own scenario.
    pub fn new(
        target: &TargetContext<'_>,
        config: Config,
        http: HttpStack,
    ) -> Result<Self, SettingsFault> {
        let context = Context::new(target, config, http)?;
        let info = Info {
            name: crate::NAME,
            target: target.target.to_owned(),
            address: context.config.address(&context.scope),
            capabilities: capabilities(&context),
            agreement: context.gate.clone(),
            grades: grades(),
            sheet: sheet::lines(&context),
        };
        Ok(Self { context, info })
    }
}

fn capabilities(context: &Context) -> Capabilities {
    let rows = rows_per_request(context);
    Capabilities {
        cells_per_batch: rows * context.measures.len().max(1),
        groups_per_batch: rows,
        uniform_batches: false,
        measures: context.measures.clone(),
        // A tally counts refused rows and names none (§17); the history of a data
        // load names lines.
        names_rejected_rows: matches!(&context.route, Route::Load(load) if load.history.is_some()),
        lists_master_data: true,
        takes_from: match &context.route {
            Route::Commit(commit) => Some(commit.from.clone()),
            _ => None,
        },
        tells: !matches!(&context.route, Route::Commit(_))
            && context.layouts.iter().any(|layout| layout.reason.is_some()),
        side_by_side: 1,
        cost: cost(context),
        carriage: carriage(context),
    }
}

impl Connector for Kinaxis {
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
        batch: &'a RecordedBatch,
    ) -> BoxFuture<'a, Result<Poll, ConnectorError>> {
        Box::pin(poll(&self.context, attempt, batch))
    }

    fn read<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> BoxFuture<'a, Result<Vec<SeenCell>, ConnectorError>> {
        Box::pin(read(&self.context, selection))
    }

    fn pack(&self, cells: &[CellWrite]) -> Result<Vec<PackFile>, ConnectorError> {
        let Context { config, layouts, measures, .. } = &self.context;
        pack(config, layouts, measures, cells)
    }
}
