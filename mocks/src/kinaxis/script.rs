//! Server scripts: the two that a customer installs (sections 4.6 and 8).

use bytes::Bytes;
use http::Request;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Kinaxis,
    behaviours::Switch,
    dates::Format,
    tables::PARENT,
    wire::{Answer, body, refused, reply},
};

/// A child of the planners' scenario.
#[derive(Debug, Clone, Default)]
pub(super) struct Child {
    /// Changes of the parent when it was made or committed.
    parent_changes: u64,
    /// How often it was committed.
    pub(super) commits: u64,
}

impl Kinaxis {
    /// Runs a script; a failed one answers 200 too.
    pub(super) fn script(
        &mut self,
        at: Timestamp,
        (scope, name): (&str, &str),
        request: &Request<Bytes>,
    ) -> Answer {
        let arguments = body(request)?;
        if !["Public", "Private"].contains(&scope) {
            return Err(refused(404, "No such script"));
        }
        let failed = |code: &str, text: &str| {
            json!({ "Console": "", "Value": "", "ScriptError": {
                "Code": code, "Message": text, "Console": "",
                "ScriptName": name, "ScriptScope": scope, "Line": 1, "Character": 1 } })
        };
        if self.on(Switch::ScriptFails) {
            return Ok(reply(200, &failed("JavascriptException", "The script was told to fail")));
        }
        let scenario = match &arguments["scenarioName"] {
            Value::String(name) => name.clone(),
            reference => reference["Name"].as_str().unwrap_or_default().to_owned(),
        };
        let done = match name {
            "EnsureScenario" => self.ensure(&scenario),
            "CommitScenario" => self.commit(at, &scenario),
            _ => return Err(refused(404, "No such script")),
        };
        Ok(reply(
            200,
            &match done {
                Ok(value) => json!({ "Console": "", "Value": value }),
                Err(text) => failed("JavascriptException", &text),
            },
        ))
    }

    fn ensure(&mut self, scenario: &str) -> Result<String, String> {
        if scenario.is_empty() {
            return Err("scenarioName is missing".to_owned());
        }
        if self.scope_of(scenario).is_some() {
            return Ok("exists".to_owned());
        }
        self.plan.model.scopes.push((scenario.to_owned(), scenario.to_owned()));
        self.add_child(scenario);
        Ok("created".to_owned())
    }

    /// Makes a child that holds what its parent holds.
    pub(super) fn add_child(&mut self, scenario: &str) {
        self.data.branch("", scenario);
        let child = Child { parent_changes: self.changes(""), commits: 0 };
        self.children.insert(scenario.to_owned(), child);
    }

    fn commit(&mut self, at: Timestamp, scenario: &str) -> Result<String, String> {
        if !self.children.contains_key(scenario) {
            return Err(format!("Scenario '{scenario}' does not exist, or has no parent"));
        }
        let way = self.way(at, "", Format::Iso);
        let rows = self.data.commit(&mut self.plan, &way, scenario);
        if self.on(Switch::CommitKeepsNothing) {
            self.children.remove(scenario);
            self.plan.model.scopes.retain(|(name, _)| name != scenario);
        } else {
            let parent_changes = self.changes("");
            let child = self.children.entry(scenario.to_owned()).or_default();
            (child.parent_changes, child.commits) = (parent_changes, child.commits + 1);
        }
        Ok(format!("committed {rows} rows to {PARENT}"))
    }

    fn changes(&self, scope: &str) -> u64 {
        self.data.changes.get(scope).copied().unwrap_or_default()
    }

    /// Whether the parent changed since a child was made or committed.
    pub(super) fn needs_update(&self, child: &Child) -> bool {
        self.changes("") != child.parent_changes
    }
}
