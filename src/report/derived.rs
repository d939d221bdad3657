//! What the plant could do, and will: one line a resource and period.

use planthread_contracts::Status;
use planthread_domain::{
    derive::{Derivation, Explanation, Figures, Remark},
    project::CellExplanation,
};
use rust_decimal::{Decimal, prelude::ToPrimitive as _};
use schemars::JsonSchema;
use serde::{Serialize, Serializer};

use super::{TextTable, Tone, View};

/// One resource or line in one period, in hours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct DerivedLine {
    /// Resource or line of the plant.
    pub resource: String,
    /// The period.
    pub period: String,
    /// `past` is measured, `future` foretold, `current` both.
    pub phase: String,
    /// Hours that the calendar schedules, decided changes included.
    #[serde(serialize_with = "number")]
    #[schemars(with = "f64")]
    pub scheduled_hours: Decimal,
    /// Hours that people decided on top of the shifts, or took away.
    #[serde(serialize_with = "number")]
    #[schemars(with = "f64")]
    pub decided_hours: Decimal,
    /// Planned stops within scheduled hours.
    #[serde(serialize_with = "number")]
    #[schemars(with = "f64")]
    pub planned_hours: Decimal,
    /// Measured unplanned down within scheduled hours; `None` for a line, whose
    /// stops nobody measures: its output is.
    #[serde(serialize_with = "maybe_number")]
    #[schemars(with = "Option<f64>")]
    pub down_hours: Option<Decimal>,
    /// Expected unplanned down of the time that was not measured.
    #[serde(serialize_with = "maybe_number")]
    #[schemars(with = "Option<f64>")]
    pub expected_down_hours: Option<Decimal>,
    /// Scheduled − planned − down − expected down.
    #[serde(serialize_with = "maybe_number")]
    #[schemars(with = "Option<f64>")]
    pub attainable_hours: Option<Decimal>,
    /// Cautious attainable hours: less is not expected in 9 of 10 periods.
    #[serde(serialize_with = "maybe_number")]
    #[schemars(with = "Option<f64>")]
    pub low_hours: Option<Decimal>,
    /// Demonstrated availability, 0..1.
    #[serde(serialize_with = "maybe_number")]
    #[schemars(with = "Option<f64>")]
    pub availability: Option<Decimal>,
    /// Full weeks behind it.
    pub pooled_weeks: usize,
    /// Good parts.
    #[serde(serialize_with = "maybe_number")]
    #[schemars(with = "Option<f64>")]
    pub good_units: Option<Decimal>,
    /// Standard hours of the good output so far.
    #[serde(serialize_with = "maybe_number")]
    #[schemars(with = "Option<f64>")]
    pub output_standard_hours: Option<Decimal>,
    /// Good output in standard hours, corrected for load; ahead at the
    /// demonstrated rate.
    #[serde(serialize_with = "maybe_number", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub demonstrated_standard_hours: Option<Decimal>,
    /// Hours lost on top of planned stops, measured and expected.
    #[serde(serialize_with = "maybe_number", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub lost_hours: Option<Decimal>,
    /// Severity as a constraint, 0..1, where a twin told it.
    #[serde(serialize_with = "maybe_number", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub severity: Option<Decimal>,
    /// Expected hours lost to a foretold failure.
    #[serde(serialize_with = "maybe_number", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub hours_at_risk: Option<Decimal>,
    /// Of a line: output measured at its end, in its own standard hours.
    #[serde(serialize_with = "maybe_number", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub measured_output_hours: Option<Decimal>,
    /// Of a line: what its machines compose to.
    #[serde(serialize_with = "maybe_number", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub composed_bound_hours: Option<Decimal>,
    /// Of a line: bound − measured.
    #[serde(serialize_with = "maybe_number", skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<f64>")]
    pub difference_hours: Option<Decimal>,
    /// Of a line: the stage that sets the bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limiting_stage: Option<String>,
    /// `actual`, `demonstrated`, `forecast`, ...
    pub basis: String,
    /// How far the figures can be trusted.
    pub status: String,
    /// Instant of the truth behind them.
    pub as_of: String,
    /// What is doubtful about the time of the period, or was set aside.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub doubts: Vec<String>,
}

/// Hours as a JSON number: these are figures to look at and to compare, while
/// the cells that land keep their exact decimals.
fn number<S: Serializer>(value: &Decimal, serializer: S) -> Result<S::Ok, S::Error> {
    match (value.is_integer(), value.to_i64(), value.to_f64()) {
        (true, Some(whole), _) => serializer.serialize_i64(whole),
        (_, _, Some(number)) => serializer.serialize_f64(number),
        _ => serializer.collect_str(value),
    }
}

fn maybe_number<S: Serializer>(value: &Option<Decimal>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(value) => number(value, serializer),
        None => serializer.serialize_none(),
    }
}

/// Decimals that people read; the cell itself is rounded once, by its measure.
const SHOWN: u32 = 4;

impl From<&Figures> for DerivedLine {
    fn from(figures: &Figures) -> Self {
        let short = |value: Decimal| value.round_dp(SHOWN).normalize();
        let line = figures.line.as_ref();
        Self {
            resource: figures.resource.to_string(),
            period: figures.period.to_string(),
            phase: word(&figures.phase),
            scheduled_hours: short(figures.scheduled_hours()),
            decided_hours: short(figures.decided_hours()),
            planned_hours: short(figures.planned_maintenance_hours()),
            down_hours: line.is_none().then(|| short(figures.down_hours())),
            expected_down_hours: figures.expected_down_hours.map(short),
            attainable_hours: figures.attainable_hours.map(short),
            low_hours: figures.low_hours.as_ref().map(|low| short(low.value)),
            availability: figures.demonstrated.as_ref().map(|pool| pool.availability.round_dp(8)),
            pooled_weeks: figures.demonstrated.as_ref().map_or(0, |pool| pool.weeks.len()),
            good_units: figures.good_units.map(short),
            output_standard_hours: figures.output_standard_hours.map(short),
            demonstrated_standard_hours: figures.demonstrated_standard_hours.map(short),
            lost_hours: figures.lost_hours().map(short),
            severity: figures.severity.as_ref().map(|severity| short(severity.value)),
            hours_at_risk: figures.risk.as_ref().map(|risk| short(risk.hours_at_risk)),
            measured_output_hours: line.and_then(|line| line.measured_output_hours).map(short),
            composed_bound_hours: line.and_then(|line| line.composed_bound_hours).map(short),
            difference_hours: line.and_then(|line| line.difference_hours).map(short),
            limiting_stage: line.and_then(|line| line.limiting_stage.clone()),
            basis: word(&figures.basis),
            status: figures.status.word().to_owned(),
            as_of: figures.as_of.to_string(),
            doubts: Vec::new(),
        }
    }
}

impl DerivedLine {
    /// With what is doubtful about its time.
    fn with_doubts(mut self, figures: &Figures, remarks: &[Remark]) -> Self {
        let inside = |one: &&Remark| {
            one.resource == figures.resource && one.start < figures.end && figures.start < one.end
        };
        for remark in remarks.iter().filter(inside) {
            if !self.doubts.contains(&remark.words) {
                self.doubts.push(remark.words.clone());
            }
        }
        self
    }
}

/// The word under which a value stands in files.
fn word<T: Serialize>(value: &T) -> String {
    serde_json::to_value(value)
        .ok()
        .and_then(|value| value.as_str().map(str::to_owned))
        .unwrap_or_default()
}

/// What was derived of one resource or line.
#[derive(Debug, Serialize, JsonSchema)]
pub struct Derived {
    /// Period by period.
    pub lines: Vec<DerivedLine>,
}

impl Derived {
    /// The view of a derivation of one resource or line.
    #[must_use]
    pub fn of(derivation: &Derivation) -> Self {
        let line = |one| DerivedLine::from(one).with_doubts(one, &derivation.remarks);
        Self { lines: derivation.figures.iter().map(line).collect() }
    }
}

impl Derived {
    /// Writes all periods of a resource as one table.
    pub fn write(&self, text_table: &mut TextTable) {
        resource(text_table, &self.lines);
    }
}

impl View for DerivedLine {
    const OUTPUT: &'static str = "derive";

    fn write(&self, text_table: &mut TextTable) {
        resource(text_table, std::slice::from_ref(self));
    }
}

fn resource(text_table: &mut TextTable, lines: &[DerivedLine]) {
    let Some(first) = lines.first() else { return };
    let availability = first
        .availability
        .map(|share| {
            let percent = (share * Decimal::ONE_HUNDRED).round_dp(2);
            format!(", demonstrated availability {percent} % over {} weeks", first.pooled_weeks)
        })
        .unwrap_or_default();
    text_table.line(text_table.tint(Tone::Bold, &format!("{}{availability}", first.resource)));
    let number = |value: Option<Decimal>| {
        value.map_or("-".to_owned(), |value| format!("{:.2}", value.round_dp(2)))
    };
    let rows: Vec<[String; 9]> = lines
        .iter()
        .map(|line| {
            [
                line.period.clone(),
                line.phase.clone(),
                number(Some(line.scheduled_hours)),
                number(Some(line.planned_hours)),
                number(line.down_hours),
                number(line.expected_down_hours),
                number(line.attainable_hours),
                number(line.low_hours),
                line.status.clone(),
            ]
        })
        .collect();
    text_table.table(
        ["period", "", "scheduled", "planned", "down", "expected", "attainable", "low", "status"],
        &rows,
    );
    let mut said: Vec<&str> = Vec::new();
    for words in lines.iter().flat_map(|line| &line.doubts) {
        if !said.contains(&words.as_str()) {
            said.push(words);
            text_table.line(format!("  Note: {words}."));
        }
    }
    text_table.line("");
}

/// The arithmetic of one number, in words.
#[derive(Debug, Serialize, JsonSchema)]
#[serde(transparent)]
pub struct Explained(pub Explanation);

/// The arithmetic of what a measure holds, place by place.
#[derive(Debug, Serialize, JsonSchema)]
pub struct ExplainedCells {
    /// Place by place.
    pub cells: Vec<CellExplanation>,
}

/// Whether a status asks for attention.
#[must_use]
pub const fn tone(status: Status) -> Tone {
    match status {
        Status::Live => Tone::Good,
        Status::Planner | Status::Held | Status::Assumed => Tone::Warn,
        Status::Conflicting => Tone::Bad,
        Status::Unknown => Tone::Dim,
    }
}

impl View for Explained {
    const OUTPUT: &'static str = "derive explain";

    fn write(&self, text_table: &mut TextTable) {
        text_table.line(self.0.to_string());
    }
}

impl View for ExplainedCells {
    const OUTPUT: &'static str = "derive explain measure";

    fn write(&self, text_table: &mut TextTable) {
        for cell in &self.cells {
            for figure in cell.figures.iter().chain([&cell.landed]) {
                text_table.line(figure.to_string());
            }
        }
    }
}
