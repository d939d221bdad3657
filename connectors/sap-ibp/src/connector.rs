//! The six verbs, each one line: what they do stands in `verbs` and `check`.

use planthread_contracts::{MeasureDecl, Owner, Scope, SeenCell};
use planthread_kit::{
    Attempt, AttemptRecord, Batch, BoxFuture, Capabilities, CellWrite, Connector, ConnectorError,
    Discovery, Info, PackFile, Poll, RecordedBatch, Selection, Submission, http::HttpStack,
    target::SettingsFault,
};

use crate::{
    check::{discover::discover, sheet},
    config::Config,
    context::Context,
    cost::{carriage, cost},
    grades::grades,
    pack::pack,
    verbs::{poll::poll, read::read, submit::submit},
};

/// One target: a planning area and the version that holds our scope.
#[derive(Debug)]
pub(crate) struct SapIbp {
    context: Context,
    info: Info,
}

impl SapIbp {
    /// A connector for `target`, whose own cells live in `scope`.
    ///
    /// # Errors
    /// When settings and measures don't fit each other, or a named
    /// scope would land in the base version.
    pub(crate) fn new(
        target: &str,
        config: Config,
        scope: Scope,
        measures: Vec<MeasureDecl>,
        http: HttpStack,
    ) -> Result<Self, SettingsFault> {
        config.validate(&measures)?;
        if !scope.is_base() && config.version.as_deref() == Some("") {
            let reason = format!("is empty: scope {scope} would land in the base version");
            return Err(
                SettingsFault::new("version", reason).cure("name its version, or remove the field")
            );
        }
        let version = config.version_of(&scope, &scope);
        let info = Info {
            name: crate::NAME,
            target: target.to_owned(),
            address: config.address(&scope),
            capabilities: capabilities(&config, &measures),
            grades: grades(),
            sheet: sheet::lines(&config, &measures, version),
            agreement: None,
        };
        Ok(Self { context: Context::new(config, scope, measures, http), info })
    }
}

fn capabilities(config: &Config, measures: &[MeasureDecl]) -> Capabilities {
    let ours = measures.iter().filter(|measure| measure.owner == Owner::Bridge).count();
    Capabilities {
        // Rows bound a transaction; cells of one group share a row.
        cells_per_batch: config.transaction.segment_rows * ours.max(1),
        groups_per_batch: config.transaction.segment_rows,
        // The list of columns belongs to the transaction (§3).
        uniform_batches: true,
        measures: measures.to_vec(),
        names_rejected_rows: true,
        tells: false,
        lists_master_data: true,
        takes_from: None,
        side_by_side: 1,
        cost: cost(config, measures),
        carriage: carriage(config, measures),
    }
}

impl Connector for SapIbp {
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
        let Context { config, scope: own, measures, .. } = &self.context;
        let version = |scope: &str| config.version_of(&Scope::named(scope), own).to_owned();
        pack(cells, measures, config, version)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::{config, measures, silent};

    fn new(config: Config, scope: Scope) -> Result<SapIbp, SettingsFault> {
        SapIbp::new("ibp", config, scope, measures(), silent())
    }

    #[test]
    fn a_named_scope_never_lands_in_the_base_version() {
        let mut config = config();
        config.version = Some(String::new());
        let error = new(config.clone(), Scope::named("TWIN")).unwrap_err();
        assert!(error.to_string().contains("TWIN"), "{error}");
        assert!(new(config, Scope::base()).is_ok());
    }

    #[test]
    fn what_it_is_says_nothing_secret_and_needs_no_network() {
        let ibp = new(config(), Scope::base()).unwrap();
        assert!(!format!("{ibp:?}").contains("hunter2"));
        let info = ibp.info();
        assert_eq!((info.name, info.target.as_str()), ("sap-ibp", "ibp"));
        assert_eq!(info.capabilities.cells_per_batch, 80_000, "20,000 rows of four measures");
        assert!(info.grades.iter().any(|grade| grade.behaviour.contains("out of scope")));
    }
}
