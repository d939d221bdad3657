//! Read-back: cells at the level at which they were written (§6.7, §7).

use std::collections::BTreeSet;

use planthread_contracts::SeenCell;
use planthread_kit::rows::RowKey;
use planthread_kit::{Class, ConnectorError, Selection, Sent, http::Lane};
use planthread_odata::Paging;
use serde_json::Value;

use crate::{
    context::Context,
    translate::{
        decode,
        question::{Question, questions},
    },
};

const READ: &str = "read values";

/// Reads the cells of `selection` that the service holds. Cells without a row
/// are not in the answer: whether that means zero is the measure's
/// declaration to say, not the service's.
pub(crate) async fn read(
    ibp: &Context,
    selection: &Selection,
) -> Result<Vec<SeenCell>, ConnectorError> {
    let version = ibp.config.version_of(&selection.scope, &ibp.scope);
    let mut seen = Vec::new();
    for question in questions(selection, &ibp.measures, &ibp.config, version)? {
        let pages = pages(ibp, &question, selection.lane).await?;
        for (place, row) in placed(ibp, &question, &pages)? {
            let scope = selection.scope.name();
            let cells = decode::cells(&row, &place, &question, &selection.target, scope)?;
            seen.extend(cells.into_iter().filter(|cell| selection.contains(&cell.key)));
        }
    }
    seen.sort_by(|a, b| a.key.cmp(&b.key));
    Ok(seen)
}

/// All pages of a question.
pub(crate) async fn pages(
    ibp: &Context,
    question: &Question,
    lane: Lane,
) -> Result<Vec<Vec<Value>>, ConnectorError> {
    let reading = &ibp.config.reading;
    let paging = Paging {
        step: READ,
        size: reading.page_size,
        parallel: reading.parallel,
        rows_most: question.rows_most,
        distinct: true,
    };
    let ask = |page| {
        let path = ibp.planning.path_of(READ, page, |skip| question.page(paging.size, skip));
        async move { ibp.planning.read(READ, lane, &path?).await }
    };
    paging.all(ask).await
}

/// Rows with their places. One place may have one row: two on the same page
/// mean that the key figure is stored below the declared level, two on
/// different pages that rows moved while they were read.
pub(crate) fn placed(
    ibp: &Context,
    question: &Question,
    pages: &[Vec<Value>],
) -> Result<Vec<(RowKey, Value)>, ConnectorError> {
    let mut all = BTreeSet::new();
    let mut rows = Vec::new();
    for page in pages {
        let mut here = BTreeSet::new();
        for row in page {
            let place = decode::place(row, question, &ibp.config)?;
            if !here.insert(place.clone()) {
                return Err(finer(question, &place));
            }
            if !all.insert(place.clone()) {
                return Err(moved("the same row came on two pages".to_owned()));
            }
            rows.push((place, row.clone()));
        }
    }
    Ok(rows)
}

fn finer(question: &Question, place: &RowKey) -> ConnectorError {
    let text = format!(
        "two rows for {}@{} in {}: one of {} is stored at a finer level than declared",
        place.resource,
        place.location,
        place.period,
        question.select.join(", ")
    );
    ConnectorError::new(Class::Drift, READ, text)
        .cure("correct `level`, `time_fields` or `by_product` of these measures")
}

fn moved(text: String) -> ConnectorError {
    ConnectorError::new(Class::Transient { sent: Sent::No }, READ, text)
        .cure("read again: the values changed while they were read")
}
