//! Pure: what `$metadata` answers to the lines of the sheet.

use planthread_contracts::{MeasureDecl, PeriodKind};
use planthread_kit::sheet::Report;
use planthread_odata::Edmx;

use super::sheet::{kinds, measure_id, time_id};
use crate::{
    config::{Config, Operation},
    metadata::{PlanningArea, label},
};

/// Compares the area and its operations with the configuration.
pub(crate) fn compare(
    area: &PlanningArea,
    edmx: &Edmx,
    config: &Config,
    measures: &[MeasureDecl],
    report: &mut Report,
) {
    attributes(area, config, report);
    for kind in kinds(measures) {
        time(area, config, kind, report);
    }
    for measure in measures {
        figure(area, measure, report);
    }
    transaction(area, config, report);
    operations(edmx, config, report);
}

fn attributes(area: &PlanningArea, config: &Config, report: &mut Report) {
    let names = &config.attributes;
    let product = names.product.as_ref().map(|name| ("attribute.product", name));
    let fixed = [("attribute.resource", &names.resource), ("attribute.location", &names.location)];
    for (line, name) in fixed.into_iter().chain(product) {
        match area.attribute(name) {
            Some(property) => report.tick(line, format!("{name}, `{}`", label(property))),
            None => report.fail(
                line,
                format!("{name} is no attribute of {}", config.planning_area),
                "add it to the planning area, or correct `attributes`",
            ),
        }
    }
}

/// That the field is there; which periods it names, values tell.
fn time(area: &PlanningArea, config: &Config, kind: PeriodKind, report: &mut Report) {
    let (line, field) = (time_id(kind), config.time_fields.of(kind));
    if area.time(field).is_none() {
        let known: Vec<String> =
            area.times.iter().map(|time| format!("{} `{}`", time.name, label(time))).collect();
        report.fail(
            &line,
            format!("{field} is no time field; there are {}", known.join(", ")),
            "correct `time_fields`, or declare the measures at a level that exists",
        );
    }
}

fn figure(area: &PlanningArea, measure: &MeasureDecl, report: &mut Report) {
    let line = measure_id(measure);
    let Some(property) = area.measure(&measure.surface) else {
        report.fail(
            &line,
            format!("{} is no key figure of the planning area", measure.surface),
            "create and activate the key figure, or correct `surface`",
        );
        return;
    };
    match property.scale {
        Some(scale) if scale < measure.scale => report.fail(
            &line,
            format!("{} keeps {scale} decimals, {} are declared", measure.surface, measure.scale),
            "raise the decimals of the key figure, or lower `scale`",
        ),
        _ => report.tick(&line, format!("{} is {}", measure.surface, property.declared())),
    }
}

fn transaction(area: &PlanningArea, config: &Config, report: &mut Report) {
    const LINE: &str = "area.transaction";
    let name = &config.planning_area;
    let navigation = config.navigation();
    match &area.transaction_navigation {
        Some(found) if *found == navigation => report.tick(LINE, format!("{name}Trans, {found}")),
        Some(found) => report.fail(
            LINE,
            format!("the rows of {name}Trans hang on {found}, not on {navigation}"),
            "set `operations.navigation`",
        ),
        None => report.fail(
            LINE,
            format!("{name}Trans is missing: the area can be read, not written"),
            "check the communication arrangement and FLEXQUERY",
        ),
    }
    if !area.has_messages {
        report.fail(
            LINE,
            format!("{name}Message is missing: rejected rows would have no reason"),
            "check the communication arrangement",
        );
    }
    let label = "TransactionName";
    let wanted = config.transaction.transaction_name.is_some();
    if wanted && !area.transaction_properties.iter().any(|property| property == label) {
        report.fail(
            LINE,
            format!("{name}Trans has no {label}"),
            "remove `transaction.transaction_name`: this tenant is older",
        );
    }
}

fn operations(edmx: &Edmx, config: &Config, report: &mut Report) {
    const LINE: &str = "operations";
    let used = &config.operations;
    let mut called = vec![&used.commit, &used.status];
    if config.transaction.id_from_service {
        called.push(&used.transaction_id);
    }
    if config.transaction.initiate_parallel_process {
        called.push(&used.initiate_parallel_process);
    }
    for operation in called {
        let (text, declared) = one_operation(edmx, operation);
        if declared { report.tick(LINE, text) } else { report.open(LINE, text) }
    }
}

/// A difference is no fault: real documents lack `commit` and declare other
/// verbs than those that work (§3). It is no proof either; a landing is.
fn one_operation(edmx: &Edmx, operation: &Operation) -> (String, bool) {
    let name = &operation.name;
    let verb = operation.verb.word();
    match edmx.functions.get(name) {
        None => (format!("{name} is not declared; called as {verb} all the same"), false),
        Some(function) if function.verb == verb => (format!("{name} is declared as {verb}"), true),
        Some(function) => {
            (format!("{name} is declared as {}, called as {verb}", function.verb), false)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{metadata::samples, samples::config};

    fn report(
        text: &str,
        config: &Config,
        measures: &[MeasureDecl],
    ) -> Vec<(String, bool, String)> {
        let edmx = Edmx::read(text).unwrap();
        let area = PlanningArea::find(&edmx, "ZPA").unwrap();
        let mut report = Report::default();
        compare(&area, &edmx, config, measures, &mut report);
        let lines = super::super::sheet::lines(config, measures, "");
        let found = report.findings(&lines);
        found.into_iter().map(|f| (f.line, f.ok, f.text)).collect()
    }

    fn of<'a>(found: &'a [(String, bool, String)], line: &str) -> (bool, &'a str) {
        let (_, ok, text) = found.iter().find(|(id, ..)| id == line).unwrap();
        (*ok, text)
    }

    #[test]
    fn names_levels_and_decimals_are_compared() {
        let mut measures = crate::samples::measures();
        measures.truncate(2);
        let text =
            samples::planning_with(&["TWINCAPALIVE"]).replace(r#"Scale="6""#, r#"Scale="0""#);
        let found = report(&text, &config(), &measures);
        assert_eq!(
            of(&found, "measure.live"),
            (false, "TWINCAPALIVE keeps 0 decimals, 2 are declared")
        );
        assert_eq!(
            of(&found, "measure.cut"),
            (false, "TWINCAPA is no key figure of the planning area")
        );
        assert_eq!(of(&found, "attribute.resource"), (true, "RESID, `RESID label`"));
        assert!(of(&found, "area.transaction").0);
        let (ok, text) = of(&found, "operations");
        assert!(
            ok && text.contains("commit is not declared")
                && text.contains("getExportResult is declared as GET")
        );
    }

    #[test]
    fn what_is_not_declared_is_named_with_what_is() {
        let mut config = config();
        config.time_fields.week = "PERIODID9_TSTAMP".to_owned();
        config.transaction.transaction_name = Some("Planthread".to_owned());
        config.operations.navigation = Some("NavX".to_owned());
        let found = report(&samples::planning(), &config, &crate::samples::measures());
        let (ok, text) = of(&found, "time.week");
        assert!(!ok && text.contains("PERIODID4_TSTAMP `Week (As Timestamp)`"), "{text}");
        let (ok, text) = of(&found, "area.transaction");
        assert!(!ok && text.contains("not on NavX") && text.contains("TransactionName"), "{text}");
    }
}
