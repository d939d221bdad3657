//! All pages of a collection, with an end whatever the service announces.
//!
//! A service that counts tells with its first page how many rows there are;
//! the other pages are then read beside each other. One that cuts pages itself
//! gives the address of the next (`__next`); they come one after the other.
//! Nobody's word is believed beyond reason: an empty page ends the reading,
//! rows beyond what was asked for are refused before they are fetched, and a
//! page that begins like the one before it shows that `$skip` is not heard.

use std::future::Future;

use futures_util::{StreamExt as _, stream};
use planthread_kit::{Class, ConnectorError, Sent};
use serde_json::Value;

use crate::answer;

/// How a collection is read.
#[derive(Debug, Clone, Copy)]
pub struct Paging {
    /// The step, for error texts.
    pub step: &'static str,
    /// Rows asked for in one page (`$top`).
    pub size: usize,
    /// Pages that are read at the same time.
    pub parallel: usize,
    /// Rows that there can be at most.
    pub rows_most: usize,
    /// Whether no two rows are alike, so that a repeated one tells that
    /// `$skip` is not heard.
    pub distinct: bool,
}

/// Most rows of one collection, where nothing else bounds it.
pub const ROWS_MOST: usize = 20_000_000;

/// Which page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Page {
    /// The one that begins after so many rows (`$skip`).
    After(usize),
    /// The one at this address, which the service gave.
    At(String),
}

type Pages = Vec<Vec<Value>>;

impl Paging {
    /// Reads all pages; `ask` brings the body of one.
    ///
    /// # Errors
    /// Those of `ask`. `Transient` when another number of rows came than was
    /// announced: the values changed meanwhile. `Drift` when the service
    /// offers more rows than can be, or repeats a page.
    pub async fn all<F, A>(&self, ask: F) -> Result<Pages, ConnectorError>
    where
        F: Fn(Page) -> A,
        A: Future<Output = Result<Value, ConnectorError>>,
    {
        let first = ask(Page::After(0)).await?;
        let mut pages = vec![answer::rows(self.step, &first)?];
        let announced = answer::count(&first);
        if let Some(total) = announced.filter(|total| *total > rows(&pages)) {
            self.within(total)?;
        }
        match (answer::next(&first), announced) {
            (Some(next), _) => self.linked(next.to_owned(), &mut pages, &ask).await?,
            (None, Some(total)) => self.counted(total, &mut pages, &ask).await?,
            (None, None) => self.until_short(&mut pages, &ask).await?,
        }
        self.within(rows(&pages))?;
        match (announced, rows(&pages)) {
            (Some(total), got) if got != total => {
                let text = format!("{got} rows came, {total} were announced");
                Err(ConnectorError::new(Class::Transient { sent: Sent::No }, self.step, text)
                    .cure("read again: the values changed while they were read"))
            }
            _ => Ok(pages),
        }
    }

    /// The other pages of a collection of `total` rows. A service that cuts
    /// its pages shorter than asked is followed in its own steps.
    async fn counted<F, A>(
        &self,
        total: usize,
        pages: &mut Pages,
        ask: &F,
    ) -> Result<(), ConnectorError>
    where
        F: Fn(Page) -> A,
        A: Future<Output = Result<Value, ConnectorError>>,
    {
        let step = rows(pages);
        if step == 0 {
            return Ok(());
        }
        let rest = stream::iter(1..total.div_ceil(step)).map(|page| ask(Page::After(page * step)));
        let mut rest = std::pin::pin!(rest.buffered(self.parallel));
        while let Some(body) = rest.next().await {
            if self.keep(pages, &body?)? < step {
                return Ok(());
            }
        }
        // A total that ends with a full page may be short of the truth.
        let whole = if pages.len() > 1 { step } else { self.size };
        if rows(pages) == total && total.is_multiple_of(whole) && total < self.rows_most {
            self.keep(pages, &ask(Page::After(total)).await?)?;
        }
        Ok(())
    }

    async fn until_short<F, A>(&self, pages: &mut Pages, ask: &F) -> Result<(), ConnectorError>
    where
        F: Fn(Page) -> A,
        A: Future<Output = Result<Value, ConnectorError>>,
    {
        let mut last = rows(pages);
        while last >= self.size && rows(pages) < self.rows_most {
            last = self.keep(pages, &ask(Page::After(rows(pages))).await?)?;
        }
        Ok(())
    }

    async fn linked<F, A>(
        &self,
        first: String,
        pages: &mut Pages,
        ask: &F,
    ) -> Result<(), ConnectorError>
    where
        F: Fn(Page) -> A,
        A: Future<Output = Result<Value, ConnectorError>>,
    {
        let mut next = Some(first);
        while let Some(address) = next.take() {
            if rows(pages) >= self.rows_most {
                return Err(self.drift("the service goes on beyond what was asked for"));
            }
            let body = ask(Page::At(address.clone())).await?;
            if self.keep(pages, &body)? > 0 {
                next = answer::next(&body).map(str::to_owned);
            }
            if next.as_ref() == Some(&address) {
                return Err(self.drift("a page names itself as the next"));
            }
        }
        Ok(())
    }

    /// Keeps a page; answers how many rows it has.
    fn keep(&self, pages: &mut Pages, body: &Value) -> Result<usize, ConnectorError> {
        let page = answer::rows(self.step, body)?;
        let before = pages.last().and_then(|page| page.first());
        if self.distinct && before.is_some() && before == page.first() {
            return Err(self.drift("a page begins like the one before it: `$skip` is not heard"));
        }
        let rows = page.len();
        pages.push(page);
        Ok(rows)
    }

    fn within(&self, rows: usize) -> Result<(), ConnectorError> {
        let most = self.rows_most;
        if rows <= most {
            return Ok(());
        }
        Err(self.drift(&format!("{rows} rows are offered, at most {most} can be there")))
    }

    fn drift(&self, text: &str) -> ConnectorError {
        ConnectorError::new(Class::Drift, self.step, text)
            .cure("compare the configuration with the target: `planthread check`")
    }
}

fn rows(pages: &[Vec<Value>]) -> usize {
    pages.iter().map(Vec::len).sum()
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::FutureExt as _;
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    /// A service that holds rows and may say strange things about them.
    #[derive(Debug, Clone, Copy, Default)]
    struct Odd {
        held: usize,
        /// What it announces.
        count: Option<u64>,
        /// Whether it does not hear `$skip`.
        deaf: bool,
        /// Rows that it gives in a page at most, with `__next` or without.
        cap: Option<usize>,
        links: bool,
    }

    /// Rows or class of error, and requests.
    fn read(paging: Paging, odd: Odd) -> (Result<usize, Class>, usize) {
        let asked = Cell::new(0);
        let answer = |page: Page| {
            asked.set(asked.get() + 1);
            let skip = match &page {
                Page::After(rows) => *rows,
                Page::At(address) => address.parse().unwrap(),
            };
            let size = odd.cap.unwrap_or(paging.size).min(paging.size);
            let rows: Vec<usize> = (if odd.deaf { 0 } else { skip }..odd.held).take(size).collect();
            let mut d = json!({"results": rows});
            if odd.links && skip + size < odd.held {
                d["__next"] = json!((skip + size).to_string());
            }
            if let (Some(count), 0) = (odd.count, skip) {
                d["__count"] = json!(count.to_string());
            }
            async move { Ok(json!({"d": d})) }
        };
        let result = paging.all(answer).now_or_never().unwrap();
        (result.map(|pages| rows(&pages)).map_err(|error| error.class), asked.get())
    }

    const PAGING: Paging =
        Paging { step: "read", size: 10, parallel: 3, rows_most: ROWS_MOST, distinct: true };
    const MOVED: Class = Class::Transient { sent: Sent::No };

    fn holds(held: usize) -> Odd {
        Odd { held, ..Odd::default() }
    }

    #[test]
    fn an_empty_page_ends_whatever_was_announced() {
        let says = |count| Odd { count: Some(count), ..holds(25) };
        let (rows, asked) = read(PAGING, says(20_000_000));
        assert_eq!(rows, Err(MOVED));
        assert!(asked <= 3 + PAGING.parallel, "{asked}");
        assert_eq!(read(PAGING, says(1_000_000_000_000)), (Err(Class::Drift), 1));
        let asked_for = Paging { rows_most: 40, ..PAGING };
        assert_eq!(read(asked_for, says(41)), (Err(Class::Drift), 1));
        assert_eq!(read(asked_for, holds(100)), (Ok(40), 4), "nobody asked for more");
        assert_eq!(read(PAGING, Odd { count: Some(7), ..holds(0) }), (Err(MOVED), 1));
    }

    #[test]
    fn a_service_that_does_not_hear_where_to_begin_is_noticed() {
        let deaf = Odd { deaf: true, ..holds(25) };
        assert_eq!(read(PAGING, deaf), (Err(Class::Drift), 2));
        assert_eq!(read(PAGING, Odd { count: Some(25), ..deaf }).0, Err(Class::Drift));
    }

    #[test]
    fn pages_that_the_service_cuts_are_followed() {
        let capped = Odd { cap: Some(4), count: Some(25), ..holds(25) };
        assert_eq!(read(PAGING, capped).0, Ok(25));
        let linked = Odd { cap: Some(4), links: true, ..holds(25) };
        assert_eq!(read(PAGING, linked), (Ok(25), 7));
        let bounded = Paging { rows_most: 8, ..PAGING };
        assert_eq!(read(bounded, linked), (Err(Class::Drift), 2));
    }

    proptest! {
        /// Every row comes once, with as few requests as there are pages (and
        /// one more where the last is full); where the count does not fit, the
        /// read fails after few requests.
        #[test]
        fn all_rows_or_an_error(
            held in 0usize..120,
            count in proptest::option::of(0u64..10_000_000),
            cap in proptest::option::of(1usize..12),
            links in any::<bool>(),
        ) {
            let whole = held / PAGING.size + 1;
            let honest = Odd { count: Some(held as u64), ..holds(held) };
            prop_assert_eq!(read(PAGING, honest), (Ok(held), whole));
            prop_assert_eq!(read(PAGING, Odd { cap, links, ..honest }).0, Ok(held));
            let odd = Odd { count, cap, links, ..honest };
            let (rows, asked) = read(PAGING, odd);
            // A page that is cut without a word, where nothing else speaks.
            let silent = cap.is_some() && !links && count.is_none_or(|n| n <= 12);
            prop_assert!(
                rows == Ok(held) || (rows == Err(MOVED) && count != Some(held as u64)) || silent
            );
            let most = held / cap.unwrap_or(PAGING.size).min(PAGING.size) + 1 + PAGING.parallel;
            prop_assert!(asked <= most, "{} of {}", asked, most);
        }
    }
}
