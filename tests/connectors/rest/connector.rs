//! The six verbs.

use std::collections::{BTreeMap, BTreeSet};

use planthread_contracts::{CellKey, MeasureDecl, Period, PeriodKind, RowOutcome, SeenCell};
use planthread_kit::{
    Attempt, AttemptRecord, Batch, BoxFuture, Capabilities, Carriage, CellWrite, Connector,
    ConnectorError, Cost, Discovery, Info, PackFile, Poll, PushOutcome, RecordedBatch, Selection,
    Submission, SurfaceItem, SurfaceKind,
    delimited::Delimited,
    http::Lane,
    probe::{Axis, judge, observe_cells},
    rows::Table,
    sheet::{Report, line},
    target::TargetContext,
};
use serde_json::Value;

use super::{
    client::Client,
    config::Config,
    mapping::{cells, encode, results, writes},
};

/// The step that can take effect, noted before the first write.
const STEP: &str = "step";
const ABOUT: &str = "about";

#[derive(Debug)]
pub(super) struct Rest {
    client: Client,
    info: Info,
    scope: String,
    rows_per_write: usize,
    places: usize,
}

impl Rest {
    pub(super) fn new(context: &TargetContext<'_>, config: &Config, client: Client) -> Self {
        let info = Info {
            name: "rest",
            target: context.target.to_owned(),
            address: config.address(&context.scope),
            capabilities: capabilities(config, context.measures),
            grades: Vec::new(),
            sheet: std::iter::once(line(ABOUT, "the interface", "It answers this token"))
                .chain(context.measures.iter().flat_map(lines_of))
                .collect(),
            agreement: None,
        };
        let scope = context.scope.name().to_owned();
        Self {
            client,
            info,
            scope,
            rows_per_write: config.rows_per_write,
            places: config.places_max,
        }
    }

    fn measures(&self) -> &[MeasureDecl] {
        &self.info.capabilities.measures
    }

    async fn submit(&self, batch: &Batch, attempt: &Attempt) -> Result<Submission, ConnectorError> {
        let nothing = ConnectorError::took_nothing;
        let grouped = encode(batch.cells(), self.measures()).map_err(nothing)?;
        let mut rows = grouped.outcomes(batch.cells().len(), &RowOutcome::Unproven);
        let writes = writes(&grouped.tables, self.rows_per_write);
        if !writes.is_empty() {
            attempt.note(STEP, "writing").map_err(nothing)?;
        }
        for (part, write) in writes.iter().enumerate() {
            let answer = self.client.write(attempt.id().as_str(), part, write).await;
            results(write, &answer.map_err(|error| error.of_write(part))?, &mut rows);
        }
        let now = self.client.http().clock().now();
        let receipt = attempt.receipt(format!("{} parts", writes.len()), now);
        Ok(Submission::Done(PushOutcome::new(receipt, rows)))
    }

    /// A write has its effect when it is answered or never: what came of an
    /// unclear one, a read-back tells at once.
    fn poll(&self, attempt: &AttemptRecord) -> Poll {
        if attempt.notes.contains_key(STEP) {
            return Poll::Unknown { until: self.client.http().clock().now() };
        }
        Poll::NotTaken { why: "nothing of it was sent".to_owned() }
    }

    async fn read(&self, selection: &Selection) -> Result<Vec<SeenCell>, ConnectorError> {
        let (from, to) = (selection.from, selection.to);
        // The interface knows its places, so a question has an end.
        let periods = std::iter::successors(Some(from), |at| Some(at.next()));
        let periods = periods.take_while(|at| *at <= to).count();
        let places = self.places.max(selection.resources.len());
        let question = format!("from={from}&to={to}");
        let mut seen = self.cells(selection.lane, &question, places * periods).await?;
        seen.retain(|cell| selection.contains(&cell.key));
        seen.sort_by(|a, b| a.key.cmp(&b.key));
        Ok(seen)
    }

    async fn cells(
        &self,
        lane: Lane,
        question: &str,
        most: usize,
    ) -> Result<Vec<SeenCell>, ConnectorError> {
        let rows = self.client.rows(lane, question, most).await?;
        let place = (self.info.target.as_str(), self.scope.as_str());
        let all: Result<Vec<_>, _> =
            rows.iter().map(|row| cells(row, place, self.measures())).collect();
        Ok(all?.concat())
    }

    async fn discover(&self) -> Result<Discovery, ConnectorError> {
        let about = self.client.about().await?;
        let mut report = Report::default();
        report.tick(ABOUT, "it answers");
        let names = |list: &str, field: &str| -> Vec<String> {
            let items = about[list].as_array().into_iter().flatten();
            items.filter_map(|item| item[field].as_str()).map(str::to_owned).collect()
        };
        let offered: BTreeSet<String> = names("measures", "name").into_iter().collect();
        for measure in self.measures() {
            match offered.contains(&measure.surface) {
                true => report.tick(&measure.name, "it is offered"),
                false => report.fail(&measure.name, "it is not offered", "create it there"),
            }
        }
        self.probe(&mut report).await?;
        let surface = offered.into_iter().map(|name| SurfaceItem {
            label: name.clone(),
            name,
            kind: SurfaceKind::Measure,
            declared: "number".to_owned(),
        });
        let strings = |value: &Value| value.as_str().map(str::to_owned);
        Ok(Discovery {
            surface: surface.collect(),
            resources: names("places", "resource")
                .into_iter()
                .zip(names("places", "location"))
                .collect(),
            scopes: about["scopes"].as_array().into_iter().flatten().filter_map(strings).collect(),
            descriptions: BTreeMap::new(),
            periods: vec![PeriodKind::Week],
            fingerprint: about["measures"].to_string(),
            findings: report.findings(&self.info.sheet),
        })
    }

    /// Reads ten weeks as they are stored, by location, and by month.
    async fn probe(&self, report: &mut Report) -> Result<(), ConnectorError> {
        let today = self.client.http().clock().now().to_zoned(jiff::tz::TimeZone::UTC).date();
        let from = Period::containing(PeriodKind::Week, today);
        let to = (1..10).fold(from, |period, _| period.next());
        let span = format!("from={from}&to={to}");
        let stored = self.cells(Lane::Sweep, &span, 10 * self.places).await?;
        for (axis, by) in [(Axis::Resources, "location"), (Axis::Time, "month")] {
            let coarse =
                self.cells(Lane::Sweep, &format!("{span}&by={by}"), 10 * self.places).await?;
            for measure in self.measures() {
                let both = (stored.as_slice(), coarse.as_slice());
                let found = observe_cells(measure, axis, both, |key| coarser(key, axis));
                judge(&adds(measure), measure, axis, found, report);
            }
        }
        Ok(())
    }
}

/// The coarser cell to which a cell of either read belongs.
fn coarser(key: &CellKey, axis: Axis) -> (String, String, Period) {
    match axis {
        Axis::Resources => (String::new(), key.location.to_string(), key.period),
        Axis::Time => {
            let month = Period::containing(PeriodKind::Month, key.period.start());
            (key.resource.to_string(), key.location.to_string(), month)
        }
    }
}

fn adds(measure: &MeasureDecl) -> String {
    format!("{}.aggregation", measure.name)
}

fn lines_of(measure: &MeasureDecl) -> [planthread_kit::SheetLine; 2] {
    let surface = &measure.surface;
    [
        line(measure.name.clone(), "measures", format!("{surface} is offered")),
        line(adds(measure), "measures", format!("{surface} adds up as declared")),
    ]
}

fn capabilities(config: &Config, measures: &[MeasureDecl]) -> Capabilities {
    let cells = config.rows_per_write * measures.len().max(1);
    Capabilities {
        cells_per_batch: 50 * cells,
        groups_per_batch: 50 * config.rows_per_write,
        uniform_batches: false,
        measures: measures.to_vec(),
        names_rejected_rows: true,
        tells: false,
        lists_master_data: true,
        takes_from: None,
        side_by_side: config.jobs,
        cost: Cost {
            overhead_requests: 0,
            overhead_ms: 0,
            cells_per_request: cells,
            groups_per_request: config.rows_per_write,
            request_ms: 50,
            cell_us: 100,
            parallel_requests: 1,
            cells_per_read: config.page_size * measures.len().max(1),
            read_ms: 50,
            parallel_reads: 3,
        },
        carriage: Carriage::plain("one request for so many rows"),
    }
}

impl Connector for Rest {
    fn info(&self) -> &Info {
        &self.info
    }

    fn discover(&self) -> BoxFuture<'_, Result<Discovery, ConnectorError>> {
        Box::pin(self.discover())
    }

    fn submit<'a>(
        &'a self,
        batch: &'a Batch,
        attempt: &'a Attempt,
    ) -> BoxFuture<'a, Result<Submission, ConnectorError>> {
        Box::pin(self.submit(batch, attempt))
    }

    fn poll<'a>(
        &'a self,
        attempt: &'a AttemptRecord,
        _: &'a RecordedBatch,
    ) -> BoxFuture<'a, Result<Poll, ConnectorError>> {
        Box::pin(async { Ok(self.poll(attempt)) })
    }

    fn read<'a>(
        &'a self,
        selection: &'a Selection,
    ) -> BoxFuture<'a, Result<Vec<SeenCell>, ConnectorError>> {
        Box::pin(self.read(selection))
    }

    fn pack(&self, cells: &[CellWrite]) -> Result<Vec<PackFile>, ConnectorError> {
        let tables = encode(cells, self.measures())?.tables;
        tables.iter().enumerate().map(|(number, table)| file(number, table)).collect()
    }
}

/// One table as a file for the manual route.
fn file(number: usize, table: &Table<String>) -> Result<PackFile, ConnectorError> {
    let keys = ["RESOURCE", "LOCATION", "PERIOD"].map(str::to_owned);
    let header: Vec<String> = keys.into_iter().chain(table.columns.names.clone()).collect();
    let rows = table.rows.iter().map(|row| {
        let key = [
            row.key.resource.to_string(),
            row.key.location.to_string(),
            row.key.period.to_string(),
        ];
        key.into_iter().chain(row.values.clone()).collect()
    });
    let bytes = Delimited::TSV.write(&header, rows)?;
    Ok(PackFile { name: format!("rows-{}.tsv", number + 1), bytes, rows: table.rows.len() })
}
