//! Master data behind refused cells: read at most once a day while one waits, as
//! `discover` reads it, so that what was refused for it goes out again by itself.

use planthread_engine::ledger::{self, MasterAsked, MasterData};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Bridge, OpenTarget, agreement::looked};
use crate::failure::Failure;

/// What came of a reading of a target's master data.
#[derive(Debug, Clone, Default, Serialize, JsonSchema)]
pub struct MasterRead {
    /// Refused cells that go out again with the next plan.
    pub again: u64,
    /// Why it could not be read, or not as a whole.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub unread: String,
}

/// Why a target is not asked.
const UNABLE: &str = "its connector can't list master data: send the cells again with `retry`";

impl Bridge {
    /// Reads the master data of `target`, where a cell that it refused waits and the last
    /// reading is a day old; `None` where it is not.
    ///
    /// # Errors
    /// When the state can't be read or written. What the target says stands in the answer.
    pub(super) async fn read_master(
        &self,
        target: &OpenTarget,
    ) -> Result<Option<MasterRead>, Failure> {
        let asked = asked(target);
        if !ledger::master_due(&self.reader()?, &target.name, &asked, self.clock.now())? {
            return Ok(None);
        }
        self.in_turn()?;
        let read = if target.connector.info().capabilities.lists_master_data {
            let _doing = self.board.doing(&target.name, "reading its master data");
            let found = target.offers().await;
            self.keep_quotas()?;
            let found = found.map_err(|error| error.to_string());
            match found {
                Ok(mut found) => {
                    looked(target, &mut found, self.clock.now())?;
                    Ok(MasterData::of(&asked, &found))
                }
                Err(reason) => Err(reason),
            }
        } else {
            Err(UNABLE.to_owned())
        };
        let unread = match &read {
            Ok((_, said)) | Err(said) => said.clone(),
        };
        let now = self.clock.now();
        let again = ledger::master_looked(&self.state, &target.name, asked, read, now)?;
        Ok(Some(MasterRead { again, unread }))
    }
}

/// What the mapping of `target` names.
fn asked(target: &OpenTarget) -> MasterAsked {
    let config = &target.config;
    let rows = config.mapping.rows.iter();
    MasterAsked {
        places: rows.map(|row| (row.resource.clone(), row.location.clone())).collect(),
        surfaces: config.measures.iter().map(|measure| measure.surface.clone()).collect(),
        scope: target.scope.name().to_owned(),
    }
}
