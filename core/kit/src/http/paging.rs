//! Reading a listing page by page, within bounds.
//!
//! A count that the target announces is a claim. It decides how many pages are
//! asked for, but never more than the question can have and never more than the
//! settings allow; an empty page ends a listing; and at the end the rows that
//! came are held against the claim.

use std::{
    collections::BTreeSet,
    future::{Future, ready},
};

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::{Class, ConnectorError, Sent};

/// How much of a listing may be read, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// Rows that a page is asked for; at least 1.
    pub size: usize,
    /// Pages that are read at the same time, once their number is known.
    pub parallel: usize,
    /// Most rows that the question can have, where the asker knows.
    pub rows_max: Option<usize>,
    /// Most pages whatever the question is.
    pub pages_max: usize,
}

impl Bounds {
    /// The same bounds for a question of at most `rows` rows.
    #[must_use]
    pub const fn at_most(self, rows: usize) -> Self {
        Self { rows_max: Some(rows), ..self }
    }

    /// Pages that may be asked for when each brings `step` rows: one more than
    /// the rows need, so that a listing which does not end shows.
    fn pages(&self, step: usize) -> usize {
        let asked = self.rows_max.map_or(usize::MAX, |rows| rows.div_ceil(step.max(1)) + 1);
        asked.min(self.pages_max).max(1)
    }
}

/// One page of a listing that is read by position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Its rows.
    pub rows: Vec<T>,
    /// Rows of the whole listing, where the target says.
    pub total: Option<u64>,
}

/// One page of a listing that is read by cursor.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CursorPage<T> {
    /// Its rows; a page may be empty though another follows.
    pub rows: Vec<T>,
    /// What the next page is asked for with; `None` at the end.
    pub next: Option<String>,
}

/// Reads a listing by position: `fetch(skip, top)` asks for one page.
///
/// The first page tells how many rows there are and how many the target gives
/// at once, the others are read side by side. Without a count, a page that is
/// shorter than asked for is the last.
///
/// # Errors
/// Those of `fetch`. `Transient` when other than the announced rows came: they
/// moved while they were read. `Drift` when more are announced or come than
/// were asked for.
pub async fn counted<T, F, A>(
    operation: &'static str,
    bounds: Bounds,
    fetch: F,
) -> Result<Vec<Vec<T>>, ConnectorError>
where
    F: Fn(usize, usize) -> A,
    A: Future<Output = Result<Page<T>, ConnectorError>>,
{
    let first = fetch(0, bounds.size).await?;
    let step = first.rows.len();
    let Some(total) = first.total else {
        return uncounted(operation, bounds, first.rows, fetch).await;
    };
    let mut pages = vec![first.rows];
    let needed = total.div_ceil(u64::try_from(step.max(1)).unwrap_or(u64::MAX));
    let needed = usize::try_from(needed).unwrap_or(usize::MAX);
    let allowed = bounds.pages(step);
    if step > 0 {
        let rest = (1..needed.min(allowed)).map(|page| fetch(page * step, step.min(bounds.size)));
        let rest = stream::iter(rest)
            .buffered(bounds.parallel.max(1))
            .map_ok(|page| page.rows)
            .try_take_while(|rows| ready(Ok(!rows.is_empty())));
        pages.extend(rest.try_collect::<Vec<_>>().await?);
    }
    let got: usize = pages.iter().map(Vec::len).sum();
    if needed > allowed {
        return Err(beyond(operation, bounds, &format!("{total} rows are announced, {got} came")));
    }
    if u64::try_from(got) != Ok(total) {
        let text = format!("{got} rows came, {total} were announced");
        let class = Class::Transient { sent: Sent::No };
        return Err(ConnectorError::new(class, operation, text)
            .cure("read again: the rows moved while they were read"));
    }
    Ok(pages)
}

async fn uncounted<T, F, A>(
    operation: &'static str,
    bounds: Bounds,
    first: Vec<T>,
    fetch: F,
) -> Result<Vec<Vec<T>>, ConnectorError>
where
    F: Fn(usize, usize) -> A,
    A: Future<Output = Result<Page<T>, ConnectorError>>,
{
    let mut got = first.len();
    let mut last = got;
    let mut pages = vec![first];
    while last >= bounds.size.max(1) {
        if pages.len() >= bounds.pages(bounds.size) {
            return Err(beyond(operation, bounds, &format!("{got} rows came, and there are more")));
        }
        let next = fetch(got, bounds.size).await?.rows;
        last = next.len();
        got += last;
        pages.push(next);
    }
    Ok(pages)
}

/// Reads a listing by cursor: `fetch(None)` asks for the first page, then each
/// page names the next.
///
/// # Errors
/// Those of `fetch`. `Drift` when a cursor comes a second time, because the
/// listing would never end, and when more rows or pages come than were asked
/// for.
pub async fn by_cursor<T, F, A>(
    operation: &'static str,
    bounds: Bounds,
    fetch: F,
) -> Result<Vec<Vec<T>>, ConnectorError>
where
    F: Fn(Option<String>) -> A,
    A: Future<Output = Result<CursorPage<T>, ConnectorError>>,
{
    let (mut seen, mut pages, mut got) = (BTreeSet::new(), Vec::new(), 0);
    let mut cursor = None;
    loop {
        let page = fetch(cursor).await?;
        got += page.rows.len();
        pages.push(page.rows);
        let Some(next) = page.next else { return Ok(pages) };
        if !seen.insert(next.clone()) {
            let text =
                format!("a cursor repeats after {} pages: the listing has no end", pages.len());
            return Err(ConnectorError::new(Class::Drift, operation, text)
                .cure("ask the target's vendor: each page must name another"));
        }
        if bounds.rows_max.is_some_and(|most| got > most) || pages.len() >= bounds.pages_max {
            return Err(beyond(operation, bounds, &format!("{got} rows came, and there are more")));
        }
        cursor = Some(next);
    }
}

/// More came, or is announced, than the question can have.
fn beyond(operation: &'static str, bounds: Bounds, found: &str) -> ConnectorError {
    let text = match bounds.rows_max {
        Some(most) => format!("{found}; at most {most} were asked for"),
        None => format!("{found}; at most {} pages are read", bounds.pages_max),
    };
    ConnectorError::new(Class::Drift, operation, text).cure(
        "the target counts otherwise than it answers, or holds finer rows than declared; a listing \
         that is really so long needs a higher `http.pages_max`",
    )
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, future::ready};

    use proptest::prelude::*;

    use super::*;
    use crate::testing::clock;

    const BOUNDS: Bounds = Bounds { size: 10, parallel: 4, rows_max: None, pages_max: 50 };

    /// A target with `rows` rows that gives at most `cap` at once and announces
    /// `claim`.
    struct Target {
        rows: usize,
        cap: usize,
        claim: Option<u64>,
        asked: RefCell<usize>,
    }

    impl Target {
        fn new(rows: usize, cap: usize, claim: Option<u64>) -> Self {
            Self { rows, cap, claim, asked: RefCell::new(0) }
        }

        fn read(&self, bounds: Bounds) -> Result<Vec<usize>, ConnectorError> {
            let fetch = |skip: usize, top: usize| {
                *self.asked.borrow_mut() += 1;
                let to = (skip + top.min(self.cap)).min(self.rows);
                let rows = (skip.min(self.rows)..to).collect();
                ready(Ok(Page { rows, total: self.claim }))
            };
            clock().block_on(counted("list", bounds, fetch)).map(|pages| pages.concat())
        }
    }

    #[test]
    fn a_total_that_is_a_multiple_of_the_page_asks_for_no_page_too_many() {
        let target = Target::new(30, 10, Some(30));
        assert_eq!(target.read(BOUNDS).unwrap().len(), 30);
        assert_eq!(*target.asked.borrow(), 3);
        let untold = Target::new(30, 10, None);
        assert_eq!(untold.read(BOUNDS).unwrap().len(), 30);
        assert_eq!(*untold.asked.borrow(), 4, "only an empty page says that there is no more");
    }

    #[test]
    fn a_count_of_a_trillion_costs_a_handful_of_requests() {
        for rows in [0, 7, 30, 35] {
            let target = Target::new(rows, 10, Some(1_000_000_000_000));
            let error = target.read(BOUNDS.at_most(40)).unwrap_err();
            assert!(error.message.contains("1000000000000"), "{error}");
            let asked = *target.asked.borrow();
            assert!(asked <= rows.div_ceil(10) + BOUNDS.parallel + 1, "{asked} for {rows} rows");
        }
        // Also where nobody knows how many rows the question can have.
        let target = Target::new(12, 10, Some(1_000_000_000_000));
        assert_eq!(target.read(BOUNDS).unwrap_err().class, Class::Drift);
        assert!(*target.asked.borrow() <= 2 + BOUNDS.parallel);
    }

    #[test]
    fn rows_that_moved_are_read_again() {
        let error = Target::new(25, 10, Some(26)).read(BOUNDS).unwrap_err();
        assert_eq!(error.class, Class::Transient { sent: Sent::No });
        let fewer = Target::new(26, 10, Some(25)).read(BOUNDS).unwrap_err();
        assert_eq!(fewer.class, Class::Transient { sent: Sent::No });
    }

    #[test]
    fn a_listing_without_count_or_end_stops_at_its_bounds() {
        let endless = Target::new(usize::MAX / 2, 10, None);
        assert_eq!(endless.read(BOUNDS).unwrap_err().class, Class::Drift);
        assert_eq!(*endless.asked.borrow(), BOUNDS.pages_max);
        let asked = Target::new(usize::MAX / 2, 10, None);
        assert!(asked.read(BOUNDS.at_most(25)).unwrap_err().message.contains("at most 25"));
        assert_eq!(*asked.asked.borrow(), 4);
    }

    fn follow(cursors: &[Option<&str>]) -> Result<usize, ConnectorError> {
        let asked = RefCell::new(0);
        let fetch = |cursor: Option<String>| {
            let at = *asked.borrow();
            *asked.borrow_mut() += 1;
            assert_eq!(cursor.is_none(), at == 0);
            let next = cursors[at.min(cursors.len() - 1)].map(str::to_owned);
            // The second page is empty, and not the last.
            ready(Ok(CursorPage { rows: vec![(); usize::from(at != 1)], next }))
        };
        let pages = clock().block_on(by_cursor("list", BOUNDS.at_most(5), fetch));
        pages.map(|pages| pages.concat().len())
    }

    #[test]
    fn a_cursor_leads_to_the_end_or_is_refused() {
        assert_eq!(follow(&[Some("a"), Some("b"), None]).unwrap(), 2);
        let error = follow(&[Some("a"), Some("b"), Some("a")]).unwrap_err();
        assert!(error.message.contains("repeats"), "{error}");
        let long: Vec<String> = (0..20).map(|at| at.to_string()).collect();
        let long: Vec<Option<&str>> = long.iter().map(|at| Some(at.as_str())).collect();
        assert!(follow(&long).unwrap_err().message.contains("at most 5"));
    }

    proptest! {
        #[test]
        fn every_row_comes_once_whatever_the_page_is(
            rows in 0_usize..200, size in 1_usize..40, cap in 1_usize..40, told: bool,
        ) {
            let bounds = Bounds { size, parallel: 3, rows_max: Some(rows), pages_max: 10_000 };
            let cap = if told { cap } else { size };
            let target = Target::new(rows, cap, told.then_some(rows as u64));
            prop_assert_eq!(target.read(bounds).unwrap(), (0..rows).collect::<Vec<_>>());
            let needed = rows.div_ceil(size.min(cap)).max(1);
            prop_assert!(*target.asked.borrow() <= needed + usize::from(!told));
        }
    }
}
