//! The manual route: a CSV of cells with its end mark.
//!
//! No public material shows a layout, so this is the program's own default
//! (section 7): UTF-8, commas, a header, one row a cell. The end mark comes
//! beside the file, as `?done=ROWS:SHA256`: a file without it, or that differs
//! from it, was damaged or is not copied whole, and nothing of it is taken.

use std::sync::Arc;

use bytes::Bytes;
use http::{Request, Response};
use jiff::Timestamp;
use rust_decimal::Decimal;
use serde_json::json;

use super::O9;
use crate::sdk::{
    plan::planner::{answer, pack, refuse},
    simulator::Writer,
    web,
};

const HEADER: [&str; 6] = ["Version", "Resource", "Location", "Time", "Measure", "Value"];

impl O9 {
    pub(super) fn import(&mut self, at: Timestamp, request: &Request<Bytes>) -> Response<Bytes> {
        let (separator, _, text) = match pack(request) {
            Ok(found) => found,
            Err(refused) => return *refused,
        };
        let done = web::parameter(request, "done");
        match self.import_csv(at, text, separator, done.as_deref()) {
            Ok(written) => answer(200, &json!({ "written": written })),
            Err(reason) => refuse(&reason),
        }
    }

    /// Imports a file, whole or not at all.
    ///
    /// # Errors
    /// When the end mark is missing or differs, or a row can't be taken.
    pub(crate) fn import_csv(
        &mut self,
        at: Timestamp,
        text: &str,
        separator: u8,
        done: Option<&str>,
    ) -> Result<usize, String> {
        self.plan.fill(at, &self.sites);
        let done = done.ok_or("the end mark is missing: the file may not be copied whole")?;
        let (rows, digest) = done.split_once(':').ok_or("the end mark is not ROWS:SHA256")?;
        if web::digest(text) != digest.trim() {
            return Err("the file differs from its end mark: damaged, or not copied whole".into());
        }
        let mut reader =
            csv::ReaderBuilder::new().delimiter(separator).from_reader(text.as_bytes());
        let header = reader.headers().map_err(|error| error.to_string())?;
        if header.iter().ne(HEADER) {
            return Err(format!("the header must be {}", HEADER.join(",")));
        }
        let mut writes = Vec::new();
        for (n, record) in reader.records().enumerate() {
            let record = record.map_err(|error| error.to_string())?;
            let place = |reason: String| format!("line {}: {reason}", n + 2);
            let at_column = |column: usize| record.get(column).unwrap_or_default();
            let key = self.leaf(at, [0, 1, 2, 3].map(at_column)).map_err(place)?;
            let measure = self.plan.model.find(at_column(4)).filter(|found| {
                !self.plan.calculated(*found) && self.plan.assigned(&key.scope, *found)
            });
            let measure =
                measure.ok_or_else(|| place(format!("[{}] can't be written", at_column(4))))?;
            let value: Decimal = at_column(5)
                .parse()
                .map_err(|_| place(format!("{} is no number", at_column(5))))?;
            writes.push((key, measure, value));
        }
        if rows.trim().parse() != Ok(writes.len()) {
            return Err(format!("{} rows are there, the end mark says {rows}", writes.len()));
        }
        let writer = Arc::new(Writer::Job("file import".to_owned()));
        for (key, measure, value) in &writes {
            self.plan.store.set(at, key.clone(), *measure, Some(*value), &writer);
        }
        Ok(writes.len())
    }
}
