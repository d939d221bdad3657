//! What the parts of the connector share: settings, measures, and the way to
//! the two services. Verbs and checks get it instead of the connector, which
//! calls them.

use std::{
    collections::BTreeSet,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use planthread_contracts::{MeasureDecl, Scope};
use planthread_kit::{Clock, http::HttpStack};
use planthread_odata::{Service, Times};

use crate::{config::Config, wire::refusal::DIALECT};

/// One target: a planning area and the version that holds our scope.
#[derive(Debug)]
pub(crate) struct Context {
    pub(crate) config: Config,
    /// The scope that our own cells live in.
    pub(crate) scope: Scope,
    pub(crate) measures: Vec<MeasureDecl>,
    /// PLANNING_DATA_API_SRV
    pub(crate) planning: Service,
    /// MASTER_DATA_API_SRV
    pub(crate) master_data: Service,
    /// Lists of columns of which the service has taken rows in this process.
    taken: Mutex<BTreeSet<String>>,
}

impl Context {
    pub(crate) fn new(
        config: Config,
        scope: Scope,
        measures: Vec<MeasureDecl>,
        http: HttpStack,
    ) -> Self {
        let times = &config.timeouts;
        let times = Times {
            get: Duration::from_secs(times.get_seconds),
            post: Duration::from_secs(times.post_seconds),
            metadata: Duration::from_secs(times.metadata_seconds),
        };
        let service =
            |root: &str, http| Service::new(http, format!("{}{root}", config.host), times, DIALECT);
        let planning = service(&config.services.planning, http.clone());
        let master_data = service(&config.services.master_data, http);
        Self { config, scope, measures, planning, master_data, taken: Mutex::default() }
    }

    pub(crate) fn clock(&self) -> &dyn Clock {
        self.planning.clock()
    }

    /// Keeps that the service has taken rows of these columns.
    pub(crate) fn took(&self, columns: impl IntoIterator<Item = String>) {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner).extend(columns);
    }

    /// Whether the service has taken a row of each of these columns: then each of them
    /// can be written.
    pub(crate) fn has_taken<'a>(&self, mut columns: impl Iterator<Item = &'a str>) -> bool {
        let taken = self.taken.lock().unwrap_or_else(PoisonError::into_inner);
        columns.all(|column| taken.contains(column))
    }

    /// The version that holds our scope; empty for the base version.
    pub(crate) fn version(&self) -> &str {
        self.config.version_of(&self.scope, &self.scope)
    }
}
