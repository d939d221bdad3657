//! What would go out under an agreement, or a draft of one: shown, and never sent.

use std::path::PathBuf;

use planthread_kit::{
    ConnectorError,
    agreement::{Agreement, AgreementStatus, Gate, State, Written},
};
use schemars::JsonSchema;
use serde::Serialize;

use super::{Bridge, standing};
use crate::failure::{Exit, Failure};

/// What would go out to a target.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Rendered {
    /// The configured target.
    pub target: String,
    /// How its agreement stands.
    pub agreement: AgreementStatus,
    /// Name of the draft that words the requests; none where the agreement does.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub draft: Option<String>,
    /// The cells that they carry: one cell group; none where nothing is to be written now.
    pub cells: Vec<String>,
    /// The requests, without what says who we are.
    pub requests: Vec<Written>,
}

/// An agreement in a file of its own, that may not be signed yet.
#[derive(Debug, Clone)]
pub struct Draft {
    /// The file.
    pub file: PathBuf,
    /// What it says.
    pub agreement: Agreement,
}

impl Bridge {
    /// The request that would carry the first cell group of the plan, as the agreement
    /// of a target words it, whether it holds or not, or a `draft` of one. Nothing of it
    /// goes out.
    ///
    /// # Errors
    /// When no agreement words a write, the draft is for something else, or it can't word
    /// this one.
    pub async fn render(
        &self,
        name: Option<&str>,
        draft: Option<&Draft>,
    ) -> Result<Rendered, Failure> {
        let target = self.target(name)?;
        let status = standing(&target, self.clock.now())?;
        let info = target.connector.info();
        let gate = info.agreement.as_ref();
        if !gate.is_some_and(Gate::is_worded) {
            let text = format!("{}: no agreement words its requests", target.name);
            return Err(Failure::usage(text).cure(format!(
                "the connector {} builds them by itself: `planthread agreement verify` says how \
                 the settings that it states stand",
                info.name
            )));
        }
        let foreign = draft.filter(|draft| draft.agreement.connector != info.name);
        if let Some(Draft { file, agreement }) = foreign {
            let reason = format!("it is for {}, and {} is not", agreement.connector, target.name);
            return Err(Failure::usage(format!("{}: {reason}", file.display()))
                .cure(format!("name a draft for the connector {}, or another target", info.name)));
        }
        let (cells, _) = self.first_group(&target).await?;
        let by = draft.map(|draft| &draft.agreement);
        if cells.is_empty() {
            let draft = by.map(|by| by.agreement.clone());
            let (cells, requests) = (Vec::new(), Vec::new());
            return Ok(Rendered { target: target.name, agreement: status, draft, cells, requests });
        }
        let requests = gate.map_or(Ok(None), |gate| gate.render(by, &cells));
        let requests = requests.map_err(|error| unworded(&target.name, draft, error))?;
        let requests = requests.ok_or_else(|| {
            let text = format!("{}: {status}: no agreement words a request", target.name);
            let cure = match status.state {
                State::Unverified => "name a draft: `planthread agreement render --draft FILE`",
                _ => status.cure.as_str(),
            };
            Failure::new(Exit::Held, text).cure(cure).explain("agreement")
        })?;
        Ok(Rendered {
            target: target.name,
            agreement: status,
            draft: draft.map(|draft| draft.agreement.agreement.clone()),
            cells: cells.iter().map(|cell| cell.key.to_string()).collect(),
            requests,
        })
    }
}

/// What an agreement can't word: what it says is at fault, and not this program.
fn unworded(target: &str, draft: Option<&Draft>, error: ConnectorError) -> Failure {
    let words = draft.map(|draft| draft.file.display().to_string());
    let words = words.unwrap_or_else(|| format!("{target}: its agreement"));
    let cure = error.cure.unwrap_or_default();
    Failure::usage(format!("{words}: {}", error.message)).cure(cure).explain("agreement")
}
