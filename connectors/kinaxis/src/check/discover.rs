//! Read only: is it reachable, are we allowed, and does it hold what the profile
//! says? A field is there when a read of it is answered.

use std::collections::{BTreeMap, BTreeSet};

use planthread_contracts::Owner;
use planthread_kit::{
    Class, ConnectorError, Discovery, EncodingDigest, SheetLine, SurfaceItem, SurfaceKind,
    http::Lane, sheet::Report,
};

use super::sheet::{LOGIN, MASTER, SCENARIO, SHEET, non_keyed, signed};
use crate::{
    config::{Family, Import, Layout, Route},
    context::Context,
    verbs::read,
    wire::Question,
};

/// What a look at the tenant finds, unless it is the last one.
type Looked<T> = Result<T, ConnectorError>;
/// A line of the sheet, and whose measure it is about.
type Line<'a> = (String, Option<&'a Owner>);

/// Looks at the tenant, line by line.
pub(crate) async fn discover(context: &Context, sheet: &[SheetLine]) -> Looked<Discovery> {
    let mut report = Report::default();
    let resources = master(context, &mut report).await?;
    let mut surface = Vec::new();
    for (number, layout) in context.layouts.iter().enumerate() {
        let found = table(context, number, &mut report).await?;
        let values = layout.values.iter().filter(|field| found.contains(field));
        surface.extend(values.map(|field| item(layout, field)));
        if !layout.keyed {
            let text = "nothing speaks against it; sending one row twice in a test scenario tells";
            report.sign(&non_keyed(layout), text);
        }
    }
    if let Route::Import(import) = &context.route {
        worksheets(context, import, &mut report).await?;
    }
    if let Some(gate) = &context.gate {
        gate.tick(context.clock().now(), &mut report);
    }
    for (id, _, text) in signed(context) {
        report.sign(id, format!("only the customer can say so: {text}"));
    }
    let names = surface.iter().map(|item: &SurfaceItem| item.name.as_bytes());
    let fingerprint = EncodingDigest::of(names).as_str().to_owned();
    let periods: BTreeSet<_> = context.layouts.iter().map(|layout| layout.level).collect();
    Ok(Discovery {
        resources: resources.keys().cloned().collect(),
        descriptions: resources
            .into_iter()
            .filter(|(_, text)| !text.is_empty())
            .map(|((name, _), text)| (name, text))
            .collect(),
        scopes: vec![context.client.scenario().to_owned()],
        periods: periods.into_iter().collect(),
        fingerprint,
        surface,
        findings: report.findings(sheet),
    })
}

/// What helps where the tenant refuses to read in the scenario.
const NO_SCENARIO: &str = "correct `scope`, or let somebody make and share that scenario";

/// Resources with their sites, and what people call them.
type Resources = BTreeMap<(String, String), String>;

/// The first read: it answers for login and scenario, too.
async fn master(context: &Context, report: &mut Report) -> Looked<Resources> {
    let family = context.config.table_family;
    let named = if family == Family::Constraint { 4 } else { 2 };
    let fields = &["Name", "Site.Value", "Description", "UnitOfMeasure.Value"][..named];
    let fields: Vec<_> = fields.iter().map(ToString::to_string).collect();
    let question = Question {
        scenario: context.client.scenario(),
        namespace: "Mfg",
        table: family.master(),
        fields: &fields,
        filter: None,
        lane: Lane::Sweep,
    };
    match context.client.rows(question).await {
        Ok(rows) => {
            report.tick(LOGIN, "it answers");
            report.tick(SCENARIO, "it is there; a landing tells whether it can be modified");
            if rows.is_empty() {
                report.fail(MASTER, "this user sees no row of it", "load the resources first");
            } else {
                let units: BTreeSet<_> = rows.iter().filter_map(|row| row.get(3)).collect();
                let units = units.into_iter().filter(|unit| !unit.is_empty());
                let units: String = units.map(|unit| format!(", in {unit}")).collect();
                report.tick(MASTER, format!("{} resources{units}", rows.len()));
            }
            let row = |row: Vec<String>| {
                let mut texts = row.into_iter();
                Some(((texts.next()?, texts.next()?), texts.next().unwrap_or_default()))
            };
            Ok(rows.into_iter().filter_map(row).collect())
        }
        Err(error) => {
            let auth = error.class == Class::Auth;
            let bare = error.class == Class::Drift && error.cure.is_none();
            let error = if bare { error.cure(NO_SCENARIO) } else { error };
            report.unread(if auth { LOGIN } else { SCENARIO }, error).map(|()| Resources::new())
        }
    }
}

/// The fields of a table that can be read. Where all of them are refused together, each
/// tells by itself: one that is not there says nothing of its neighbours.
async fn table(context: &Context, number: usize, report: &mut Report) -> Looked<Vec<String>> {
    let layout = &context.layouts[number];
    let place = (context.client.scenario(), number);
    let ask = async |fields: &[String]| read::stock(context, place, fields, [], Lane::Sweep).await;
    let (all, mut answers, mut found) = (layout.stored(), Vec::new(), Vec::new());
    match ask(&all).await {
        Err(error) if error.class == Class::Drift => {
            for field in all.chunks(1) {
                answers.push((field, ask(field).await));
            }
        }
        answer => answers.push((&all[..], answer)),
    }
    let told = |stock: &read::Stock| {
        let ours: usize = stock.ours.values().map(Vec::len).sum();
        format!("it can be read: {ours} rows of one period, {} others", stock.others.len())
    };
    for (fields, answer) in answers {
        for (line, owner) in fields.iter().flat_map(|field| lines(context, layout, field)) {
            match (&answer, owner) {
                (Err(error), _) => report.unread(&line, error.clone())?,
                (Ok(_), None) => report.tick(&line, "it can be read, and is no number"),
                (Ok(stock), Some(Owner::Other(_))) => report.tick(&line, told(stock)),
                (Ok(stock), Some(Owner::Bridge)) => {
                    report.open(&line, format!("{}; a landing tells the rest", told(stock)));
                }
            }
        }
        found.extend(answer.iter().flat_map(|_| fields).cloned());
    }
    Ok(found)
}

/// The lines of the sheet that a field answers, with the owner of its measure; the text of
/// a reason has none.
fn lines<'a>(context: &'a Context, layout: &Layout, field: &str) -> Vec<Line<'a>> {
    let surface = layout.surface(field);
    let mine = context.measures.iter().filter(|measure| measure.surface == surface);
    let mine: Vec<_> = mine.map(|one| (one.name.clone(), Some(&one.owner))).collect();
    if mine.is_empty() { vec![(surface, None)] } else { mine }
}

/// Whether the worksheets of an import are there; what they allow, their own
/// switches say.
async fn worksheets(context: &Context, import: &Import, report: &mut Report) -> Looked<()> {
    for layout in &context.layouts {
        let Some(sheet) = import.worksheet(layout) else { continue };
        let place = (import.workbook.as_str(), import.visibility);
        match context.client.worksheet(place, &import.site_group, &sheet.name).await {
            Ok(found) => {
                let columns = found.names.join(", ");
                let text =
                    format!("{} shows {columns}; its own switches tell what it takes", sheet.name);
                report.sign(SHEET, text);
            }
            Err(error) => report.unread(SHEET, error)?,
        }
    }
    Ok(())
}

fn item(layout: &Layout, field: &str) -> SurfaceItem {
    SurfaceItem {
        name: layout.surface(field),
        kind: SurfaceKind::Measure,
        label: format!("{field} of {}", layout.table),
        declared: "Quantity".to_owned(),
    }
}
