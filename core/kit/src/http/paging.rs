//! Reading a listing page by page, within bounds.
//!
//! A count that the target announces is a claim. It decides how many pages are
//! asked for, but never more than the question can have and never more than the
//! settings allow; a short page ends a counted listing; and at the end the rows
//! that came are held against the claim.

use std::{collections::BTreeSet, future::Future};

use futures_util::{StreamExt as _, stream};

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
    /// Whether no two rows are alike, so that a page which begins like the one
    /// before it tells that the position is not heard.
    pub distinct: bool,
    /// Whether a total that ends with a full page may be short of the truth: one
    /// page more is asked for then.
    pub short_total: bool,
}

impl Bounds {
    /// Pages of `size` rows, one at a time, at most `pages_max` of them.
    #[must_use]
    pub const fn new(size: usize, pages_max: usize) -> Self {
        let (rows_max, distinct, short_total) = (None, false, false);
        Self { size, parallel: 1, rows_max, pages_max, distinct, short_total }
    }

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

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page<T> {
    /// Its rows; where a cursor leads on, a page may be empty.
    pub rows: Vec<T>,
    /// Rows of the whole listing, where the target says.
    pub total: Option<u64>,
    /// What the next page is asked for with, where the target says; `None` at the
    /// end.
    pub next: Option<String>,
}

/// Which page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum At {
    /// The one that begins after `skip` rows, of `top` rows.
    Row {
        /// Rows before it.
        skip: usize,
        /// Rows that it is asked for.
        top: usize,
    },
    /// The one that another page named.
    Cursor(String),
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
    T: PartialEq,
    F: Fn(usize, usize) -> A,
    A: Future<Output = Result<Page<T>, ConnectorError>>,
{
    let first = fetch(0, bounds.size).await?;
    let mut listing = Listing::new(operation, bounds);
    listing.keep(first.rows)?;
    listing.by_position(first.total, &fetch).await?;
    listing.end(first.total)
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
    T: PartialEq,
    F: Fn(Option<String>) -> A,
    A: Future<Output = Result<Page<T>, ConnectorError>>,
{
    let first = fetch(None).await?;
    let mut listing = Listing::new(operation, bounds);
    listing.keep(first.rows)?;
    listing.linked(first.next, &|cursor| fetch(Some(cursor))).await?;
    listing.end(first.total)
}

/// Reads a listing of a target that cuts its pages itself where it wants to: the
/// first page tells whether a cursor leads on, or positions do.
///
/// # Errors
/// Those of [`counted`] and [`by_cursor`].
pub async fn either<T, F, A>(
    operation: &'static str,
    bounds: Bounds,
    fetch: F,
) -> Result<Vec<Vec<T>>, ConnectorError>
where
    T: PartialEq,
    F: Fn(At) -> A,
    A: Future<Output = Result<Page<T>, ConnectorError>>,
{
    let first = fetch(At::Row { skip: 0, top: bounds.size }).await?;
    let mut listing = Listing::new(operation, bounds);
    listing.keep(first.rows)?;
    match first.next {
        None => {
            listing.by_position(first.total, &|skip, top| fetch(At::Row { skip, top })).await?;
        }
        next => listing.linked(next, &|cursor| fetch(At::Cursor(cursor))).await?,
    }
    listing.end(first.total)
}

/// What came of a listing so far.
struct Listing<T> {
    operation: &'static str,
    bounds: Bounds,
    pages: Vec<Vec<T>>,
    got: usize,
}

impl<T: PartialEq> Listing<T> {
    const fn new(operation: &'static str, bounds: Bounds) -> Self {
        Self { operation, bounds, pages: Vec::new(), got: 0 }
    }

    /// Keeps a page; answers how many rows it has.
    fn keep(&mut self, page: Vec<T>) -> Result<usize, ConnectorError> {
        let before = self.pages.last().and_then(|page| page.first());
        if self.bounds.distinct && before.is_some() && before == page.first() {
            let text = "a page begins like the one before it: the position is not heard";
            return Err(ConnectorError::new(Class::Drift, self.operation, text)
                .cure("compare the configuration with the target: `planthread check`"));
        }
        let rows = page.len();
        self.got += rows;
        self.pages.push(page);
        Ok(rows)
    }

    async fn by_position<F, A>(
        &mut self,
        total: Option<u64>,
        fetch: &F,
    ) -> Result<(), ConnectorError>
    where
        F: Fn(usize, usize) -> A,
        A: Future<Output = Result<Page<T>, ConnectorError>>,
    {
        match total {
            Some(total) => self.announced(total, fetch).await,
            None => self.until_short(fetch).await,
        }
    }

    /// The other pages of a listing of `total` rows. A target that gives fewer rows
    /// than asked for is followed in its own steps.
    async fn announced<F, A>(&mut self, total: u64, fetch: &F) -> Result<(), ConnectorError>
    where
        F: Fn(usize, usize) -> A,
        A: Future<Output = Result<Page<T>, ConnectorError>>,
    {
        let (step, Bounds { size, rows_max, .. }) = (self.got, self.bounds);
        let rows = usize::try_from(total).unwrap_or(usize::MAX);
        let pages = rows.div_ceil(step.max(1));
        if rows_max.is_some_and(|most| rows > most) || (step > 0 && pages > self.bounds.pages_max) {
            return Err(self.beyond(&format!("{total} rows are announced")));
        }
        if step == 0 {
            return Ok(());
        }
        let rest = (1..pages).map(|page| fetch(page * step, step.min(size)));
        let mut rest = std::pin::pin!(stream::iter(rest).buffered(self.bounds.parallel.max(1)));
        while let Some(page) = rest.next().await {
            if self.keep(page?.rows)? < step {
                return Ok(());
            }
        }
        let whole = if self.pages.len() > 1 { step } else { size };
        let more = self.bounds.short_total && rows_max.is_none_or(|most| rows < most);
        if more && self.got == rows && rows.is_multiple_of(whole) {
            self.keep(fetch(rows, size).await?.rows)?;
        }
        Ok(())
    }

    async fn until_short<F, A>(&mut self, fetch: &F) -> Result<(), ConnectorError>
    where
        F: Fn(usize, usize) -> A,
        A: Future<Output = Result<Page<T>, ConnectorError>>,
    {
        let size = self.bounds.size;
        let mut last = self.got;
        while last >= size.max(1) {
            if self.pages.len() >= self.bounds.pages(size) {
                return Err(self.beyond(&format!("{} rows came, and there are more", self.got)));
            }
            last = self.keep(fetch(self.got, size).await?.rows)?;
        }
        Ok(())
    }

    async fn linked<F, A>(
        &mut self,
        mut next: Option<String>,
        fetch: &F,
    ) -> Result<(), ConnectorError>
    where
        F: Fn(String) -> A,
        A: Future<Output = Result<Page<T>, ConnectorError>>,
    {
        let mut seen = BTreeSet::new();
        while let Some(cursor) = next {
            let pages = self.pages.len();
            if !seen.insert(cursor.clone()) {
                let text = format!("a cursor repeats after {pages} pages: the listing has no end");
                return Err(ConnectorError::new(Class::Drift, self.operation, text)
                    .cure("ask the target's vendor: each page must name another"));
            }
            let most = self.bounds.rows_max;
            if most.is_some_and(|most| self.got > most) || pages >= self.bounds.pages_max {
                return Err(self.beyond(&format!("{} rows came, and there are more", self.got)));
            }
            let page = fetch(cursor).await?;
            self.keep(page.rows)?;
            next = page.next;
        }
        Ok(())
    }

    /// The pages, if they are what was announced.
    fn end(self, total: Option<u64>) -> Result<Vec<Vec<T>>, ConnectorError> {
        let got = self.got;
        if self.bounds.rows_max.is_some_and(|most| got > most) {
            return Err(self.beyond(&format!("{got} rows came")));
        }
        match total {
            Some(total) if u64::try_from(got) != Ok(total) => {
                let text = format!("{got} rows came, {total} were announced");
                let class = Class::Transient { sent: Sent::No };
                Err(ConnectorError::new(class, self.operation, text)
                    .cure("read again: the rows moved while they were read"))
            }
            _ => Ok(self.pages),
        }
    }

    /// More came, or is announced, than the question can have.
    fn beyond(&self, found: &str) -> ConnectorError {
        let text = match self.bounds.rows_max {
            Some(most) => format!("{found}; at most {most} were asked for"),
            None => format!("{found}; at most {} pages are read", self.bounds.pages_max),
        };
        ConnectorError::new(Class::Drift, self.operation, text).cure(
            "the target counts otherwise than it answers, or holds finer rows than declared; a \
             listing that is really so long needs a higher `http.pages_max`",
        )
    }
}

#[cfg(test)]
mod tests {
    use std::{cell::RefCell, future::ready};

    use proptest::prelude::*;

    use super::*;
    use crate::testing::clock;

    const BOUNDS: Bounds = Bounds { parallel: 4, ..Bounds::new(10, 50) };

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
                ready(Ok(Page { rows, total: self.claim, next: None }))
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
            ready(Ok(Page { rows: vec![(); usize::from(at != 1)], total: None, next }))
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
            let bounds = Bounds { parallel: 3, ..Bounds::new(size, 10_000) }.at_most(rows);
            let cap = if told { cap } else { size };
            let target = Target::new(rows, cap, told.then_some(rows as u64));
            prop_assert_eq!(target.read(bounds).unwrap(), (0..rows).collect::<Vec<_>>());
            let needed = rows.div_ceil(size.min(cap)).max(1);
            prop_assert!(*target.asked.borrow() <= needed + usize::from(!told));
        }
    }
}
