//! What a consultant adds on the target's own screens, so that a planner sees there how
//! far a number can be trusted: alert rules, a format for each status, formulas for a
//! spreadsheet, and the place of the landing in the job chain.
//!
//! It names the measures as the target calls them. Where a tool keeps its alerts and
//! formats is the tool's own documentation, and not repeated here.

use planthread_contracts::{Carries, MeasureDecl, Owner, Status, Unit};
use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::Serialize;

use super::{TextTable, gap::words};
use crate::config::Target;

/// Weeks that an alert looks ahead.
const WEEKS_AHEAD: u32 = 13;
/// Hours of one line in one period from which a shortage is worth an alert, as in a digest.
const HOURS: i64 = 4;

/// What is added on the screens of one target.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Screens {
    /// Alert rules.
    pub alerts: Vec<AlertRule>,
    /// How each status is shown.
    pub statuses: Vec<StatusFormat>,
    /// Formulas for a spreadsheet, each of the cell `A1` that shows a measure.
    pub formulas: Vec<Formula>,
    /// The job chain, in order: the landing is proven before the plan is calculated.
    pub chain: Vec<String>,
}

/// One alert rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct AlertRule {
    /// What it tells.
    pub tells: String,
    /// When it does, in the measures of the target.
    pub when: String,
    /// Weeks from today that it looks at.
    pub weeks_ahead: u32,
}

/// How one status is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StatusFormat {
    /// The value of the status measure.
    pub code: u8,
    /// What it means, in the words of every other screen.
    pub word: String,
    /// A sign that stands beside the colour, for whoever does not see it.
    pub sign: String,
    /// The colour.
    pub colour: String,
}

/// One formula.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Formula {
    /// What it shows.
    pub shows: String,
    /// The measure that stands in `A1`.
    pub of: String,
    /// The formula, with English function names and commas.
    pub formula: String,
}

impl Screens {
    /// What is added on the screens of `target`.
    #[must_use]
    pub fn of(target: &Target) -> Self {
        let surface = |carries: Carries| {
            let mut ours = target.measures.iter().filter(|one| one.owner == Owner::Bridge);
            ours.find(|one| one.carries == carries).map(|one| one.surface.as_str())
        };
        let has_status = surface(Carries::Status).is_some();
        Self {
            alerts: alerts(target, &surface),
            statuses: if has_status { Status::ALL.map(format).into() } else { Vec::new() },
            formulas: formulas(&surface),
            chain: chain(target),
        }
    }

    pub(super) fn write(&self, text_table: &mut TextTable) {
        text_table.line("").line("On the target's own screens, for whoever plans there:");
        for alert in &self.alerts {
            text_table
                .line(format!("[ ] An alert, {} weeks ahead: {}", alert.weeks_ahead, alert.tells));
            text_table.line(format!("    {}", alert.when));
        }
        if !self.statuses.is_empty() {
            text_table
                .line("[ ] A format for the status; in a total the worst of its parts stands:");
            let row = |one: &StatusFormat| {
                [one.code.to_string(), one.sign.clone(), one.word.clone(), one.colour.clone()]
            };
            let rows: Vec<[String; 4]> = self.statuses.iter().map(row).collect();
            text_table.table(["    value", "sign", "word", "colour"], &rows);
        }
        if !self.formulas.is_empty() {
            text_table
                .line("[ ] Formulas for a spreadsheet; A1 stands for the cell of the measure:");
            for one in &self.formulas {
                text_table.line(format!("    {} ({}):", one.shows, one.of));
                text_table.line(format!("      {}", one.formula));
            }
        }
        text_table.line("[ ] The job chain, in this order:");
        for (number, step) in self.chain.iter().enumerate() {
            text_table.line(format!("    {}. {step}", number + 1));
        }
    }
}

fn alerts<'a>(target: &Target, surface: &impl Fn(Carries) -> Option<&'a str>) -> Vec<AlertRule> {
    let mut rules = Vec::new();
    let mut rule = |tells: &str, when: String| {
        rules.push(AlertRule { tells: tells.to_owned(), when, weeks_ahead: WEEKS_AHEAD });
    };
    // Figures in two units are no rule: a screen would compare the bare numbers.
    let alike = |a: &MeasureDecl, b: &MeasureDecl| a.unit == b.unit && a.level == b.level;
    let firm = target.measures.iter().find(|one| one.carries == Carries::PlanCut);
    if let Some((load, firm)) = target.load().zip(firm).filter(|(load, firm)| alike(load, firm)) {
        let least = Unit::Hour.convert(Decimal::from(HOURS), load.unit).unwrap_or_default();
        let (load, firm, least, unit) =
            (&load.surface, &firm.surface, least.normalize(), load.unit.code());
        rule(
            "load above what is firm for this cycle",
            format!("{load} - {firm} >= {least} {unit}, in one line and period"),
        );
    }
    if let Some(status) = surface(Carries::Status) {
        let held = Status::Held.code();
        rule("what a line can do is not measured", format!("{status} >= {held}"));
    }
    if let Some(until) = surface(Carries::ValidUntil) {
        rule("a value has run out", format!("{until} < today, as yyyymmdd"));
    }
    rules
}

fn format(status: Status) -> StatusFormat {
    let (sign, colour) = match status {
        Status::Live => ("+", "green"),
        Status::Planner => ("P", "blue"),
        Status::Held => ("~", "amber"),
        Status::Assumed => ("~", "amber, hatched"),
        Status::Conflicting => ("!", "red"),
        Status::Unknown => ("?", "grey, hatched"),
    };
    StatusFormat {
        code: status.code(),
        word: words::status(status).to_owned(),
        sign: sign.to_owned(),
        colour: colour.to_owned(),
    }
}

/// A day that stands in `A1` as the number `yyyymmdd`.
const DAY: &str = "DATE(INT(A1/10000),MOD(INT(A1/100),100),MOD(A1,100))";

fn formulas<'a>(surface: &impl Fn(Carries) -> Option<&'a str>) -> Vec<Formula> {
    let codes = Status::ALL.map(|status| format!("\"{}\"", words::status(status))).join(",");
    let all = [
        (Carries::Status, "the status in words", format!("CHOOSE(A1,{codes})")),
        (Carries::AsOf, "the day of the truth, to be shown as a date", DAY.to_owned()),
        (Carries::AsOf, "its age in days", format!("TODAY()-{DAY}")),
        (
            Carries::ValidUntil,
            "whether it still holds",
            format!("IF({DAY}<TODAY(),\"old\",\"holds\")"),
        ),
        (
            Carries::Covered,
            "how much of a total is measured, of B1 lines and periods",
            "A1&\" of \"&B1".to_owned(),
        ),
    ];
    let formula = |(carries, shows, formula): (Carries, &str, String)| {
        Some(Formula {
            shows: shows.to_owned(),
            of: surface(carries)?.to_owned(),
            formula: format!("=IF(A1=\"\",\"\",{formula})"),
        })
    };
    all.into_iter().filter_map(formula).collect()
}

fn chain(target: &Target) -> Vec<String> {
    let owner = |one: Option<&MeasureDecl>| match one.map(|one| &one.owner) {
        Some(Owner::Other(owner)) => Some(owner.clone()),
        _ => None,
    };
    let load = owner(target.assumed()).map(|owner| format!("{owner} (what the plan assumes)"));
    let land = "planthread run --once --finish-by TIME: it ends by TIME. 0 means that \
                everything that the bridge may send stands in the target; cells that a planner \
                locked keep the planner's figure. 1 means that something is to be looked at, such \
                as values that the target refused; 3 that some are missing, and it names them by \
                week";
    let run = owner(target.load()).unwrap_or_else(|| "the calculation of the plan".to_owned());
    let run =
        format!("{run}, on 0 alone; on 1 or 3 a person decides whether it may begin without them");
    load.into_iter().chain([land.to_owned(), run]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{config, registry, starter};

    fn screens(connector: &str) -> Screens {
        let registered = registry::TARGETS.iter().find(|one| one.target.name == connector).unwrap();
        let at = std::path::Path::new("/srv/planthread.yaml");
        let loaded = config::parse(&starter::config(&[registered]), at, None).unwrap();
        Screens::of(loaded.config.targets.values().next().unwrap())
    }

    #[test]
    fn a_rule_names_the_measures_of_the_target_and_none_that_it_lacks() {
        let ibp = screens("sap-ibp");
        let rules: Vec<&str> = ibp.alerts.iter().map(|one| one.when.as_str()).collect();
        let shortage = "CAPADEMAND - TWINCAPA >= 4 HUR, in one line and period";
        assert_eq!(rules, [shortage, "TWINSTATUS >= 3", "TWINVALIDTO < today, as yyyymmdd"]);
        assert!(
            ibp.chain[0].starts_with("nightly ERP load") && ibp.chain[2].contains("on 0 alone")
        );
        // A twin holds no load: nothing is compared with it.
        let twins = screens("azure-digital-twins");
        let rules: Vec<&str> = twins.alerts.iter().map(|one| one.when.as_str()).collect();
        assert_eq!(rules, ["status >= 3", "validUntil < today, as yyyymmdd"]);
        assert_eq!(twins.chain.len(), 2);
    }

    #[test]
    fn codes_of_the_formula_are_those_that_land() {
        let screens = screens("sap-ibp");
        let formula = &screens.formulas[0].formula;
        let list = formula.split_once("CHOOSE(A1,").unwrap().1.trim_end_matches("))");
        for (word, format) in list.split(',').zip(&screens.statuses) {
            assert_eq!(word.trim_matches('"'), format.word);
        }
        let codes: Vec<u8> = screens.statuses.iter().map(|one| one.code).collect();
        assert_eq!(codes, [1, 2, 3, 4, 5, 6], "CHOOSE counts from 1");
        let first = |code: usize| screens.statuses[code - 1].colour.contains("green");
        assert!((2..=6).all(|code| !first(code)) && first(1), "green is for what was measured");
    }
}
