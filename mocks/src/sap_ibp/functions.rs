//! Function imports: what `$metadata` declares, and what a call may name.
//!
//! One table serves both, so that the sandbox refuses what it doesn't declare.

use super::{
    behaviours::{Switch, Switches},
    query::Query,
    wire::Refusal,
};

/// One function import.
pub(super) struct Function {
    pub(super) name: &'static str,
    /// The verb of the declaration. Clients use another one for some.
    pub(super) verb: &'static str,
    /// Whether it answers with a collection.
    pub(super) many: bool,
    pub(super) parameters: Vec<&'static str>,
    /// Whether `$metadata` names it: the public export has no `commit`.
    pub(super) listed: bool,
}

fn function(
    name: &'static str,
    verb: &'static str,
    many: bool,
    parameters: &[&'static str],
) -> Function {
    Function { name, verb, many, parameters: parameters.to_vec(), listed: true }
}

/// Those of the planning service (section 3).
pub(super) fn planning(switches: Switches) -> Vec<Function> {
    let parallel = ["Transactionid", "PlanningArea", "VersionID", "ScenarioID"];
    let mut parallel = function("InitiateParallelProcess", "PUT", false, &parallel);
    if switches.on(Switch::TransactionName) {
        parallel.parameters.push("TransactionName");
    }
    let mut commit = function("commit", "POST", false, &["P_TransactionID"]);
    commit.listed = switches.on(Switch::CommitInMetadata);
    vec![
        function("getTransactionID", "GET", false, &[]),
        function("getExportResult", "GET", true, &["P_TransactionID"]),
        parallel,
        commit,
    ]
}

/// Those of the master data service (section 4).
pub(super) fn master(switches: Switches) -> Vec<Function> {
    let parallel = ["TransactionID", "MasterDataTypeID", "PlanningArea", "VersionID"];
    let mut parallel = function("InitiateParallelProcess", "PUT", false, &parallel);
    if switches.on(Switch::TransactionName) {
        parallel.parameters.push("TransactionName");
    }
    let id = ["TransactionID", "MasterDataTypeID", "PlanningArea", "VersionID"];
    vec![
        function("GetTransactionID", "GET", false, &id),
        function("Commit", "GET", false, &["P_TransactionID"]),
        function("GetExportResult", "GET", true, &["P_TransactionID"]),
        parallel,
    ]
}

/// Refuses a call that names a parameter which the function doesn't have.
pub(super) fn check(functions: &[Function], name: &str, query: &Query) -> Result<(), Refusal> {
    let declared = functions.iter().find(|function| function.name == name);
    match declared.and_then(|function| query.undeclared(&function.parameters)) {
        None => Ok(()),
        Some(odd) => {
            let text = format!("Function import {name} has no parameter '{odd}'");
            Err(Refusal::missing(text))
        }
    }
}
