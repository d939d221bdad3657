//! The sheet for the customer's consultant: tables, scenario, user, and what only
//! she can say.

use planthread_contracts::{MeasureDecl, Owner};
use planthread_kit::{SheetLine, agreement::Gate, sheet::line};

use crate::{
    config::{EffectiveOut, Family, Layout, RateBasis, Route},
    context::Context,
};

/// Where users are kept.
const USERS: &str = "web service users";
pub(crate) const LOGIN: &str = "login";
pub(crate) const SCENARIO: &str = "scenario";
pub(crate) const MASTER: &str = "resources";
pub(crate) const SHEET: &str = "import";

/// Lines that no reading answers: id, and what they say.
pub(crate) fn signed(context: &Context) -> Vec<(&'static str, &'static str, String)> {
    let Context { config, layouts, route, .. } = context;
    let family = match config.table_family {
        Family::Constraint => {
            "Constraint and ConstraintAvailable, not WorkCenter and CapacityOverride"
        }
        Family::Crp => "WorkCenter and CapacityOverride, not Constraint and ConstraintAvailable",
    };
    let basis = match config.rate_basis {
        RateBasis::Period => "the quantity of the whole period of its row",
        RateBasis::Day => "a quantity a day",
    };
    let end = match config.effective_out {
        EffectiveOut::Inclusive => "the last day on which a row holds",
        EffectiveOut::Exclusive => "the first day on which a row no longer holds",
    };
    let session = match config.one_session {
        true => "It may have one session only, and nobody else uses it",
        false => "It may have several sessions at the same time",
    };
    let mut lines = vec![
        ("family", "planning", format!("The plan reads {family}")),
        ("rate_basis", "planning", format!("A rate is {basis}, in the resource's own unit")),
        ("effective_out", "planning", format!("EffectiveOutDate is {end}")),
        ("overlap", "planning", "A row of one period goes before a standard row".to_owned()),
        ("user", USERS, format!("The user is neither administrator nor planner. {session}")),
        ("edition", "web services guide", format!("It is of edition {}", config.guide_edition)),
        ("totals", "workbooks", "Worksheets add our fields up as declared, or not".to_owned()),
    ];
    lines.extend(config.scenario.ensure.iter().map(|script| {
        let (script, scenario) = (&script.name, context.client.scenario());
        ("ensure", "scripts", format!("Script {script} makes {scenario} where it is not there"))
    }));
    if let Route::Commit(commit) = route {
        let (script, from) = (&commit.script.name, &commit.from);
        let text =
            format!("Script {script} commits {from} to its parent, keeps it, and does no more");
        lines.push(("commit", "scripts", text));
    }
    if let Route::Load(load) = route {
        let alone = if load.full() { "; its tables hold nothing but our rows" } else { "" };
        let file = |one: &Layout| format!("{}.tab: {}", one.table, one.columns().join(", "));
        let files = layouts.iter().map(file).collect::<Vec<_>>().join("; ");
        let (source, how) = (&load.source, &load.operation);
        let text = format!("Data source {source} maps columns by place, {files}; as {how}{alone}");
        lines.push(("data_source", "data sources and mapping", text));
    }
    lines
}

/// What must be true before the first landing.
pub(crate) fn lines(context: &Context) -> Vec<SheetLine> {
    let Context { config, measures, layouts, route, .. } = context;
    let scenario = context.client.scenario();
    let master = config.table_family.master();
    let mut lines = vec![
        line(LOGIN, USERS, "The user may log in, and may use web services"),
        line(SCENARIO, "scenarios", format!("{scenario} is there, and the user may modify it")),
        line(MASTER, "data model", format!("Mfg::{master} holds resources and sites")),
    ];
    for measure in measures {
        let MeasureDecl { surface, unit, scale, .. } = measure;
        let mut one = line(
            measure.name.clone(),
            "data model",
            format!("{surface} is there, in {unit}, with {scale} decimals"),
        );
        if measure.owner == Owner::Bridge {
            one.landing = vec![measure.name.clone()];
        }
        lines.push(one);
    }
    for layout in layouts {
        if let Some(reason) = layout.reason_surface() {
            let text = format!("{reason} is a text of some 250 signs");
            lines.push(line(reason, "data model", text));
        }
    }
    for layout in layouts.iter().filter(|layout| !layout.keyed) {
        let text = format!(
            "{} has no unique key: sent again, a row acts as in the profile",
            layout.full()
        );
        lines.push(line(non_keyed(layout), "data model", text));
    }
    if let Route::Import(_) = route {
        lines.push(line(
            SHEET,
            "workbooks",
            "The worksheets allow import: insert and modify on, delete and auto-create off",
        ));
    }
    lines.extend(context.gate.iter().map(|_| Gate::line()));
    lines.extend(signed(context).into_iter().map(|(id, place, text)| line(id, place, text)));
    lines
}

pub(crate) fn non_keyed(layout: &Layout) -> String {
    format!("non_keyed.{}", layout.table)
}
