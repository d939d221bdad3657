//! All pages of a collection, with an end whatever the service announces.
//!
//! A service that counts tells with its first page how many rows there are;
//! the other pages are then read beside each other. Its word is not believed
//! beyond reason: an empty page ends the reading, rows beyond what was asked
//! for are refused before they are fetched, and a page that begins like the
//! one before it shows that `$skip` is not heard.

use std::future::Future;

use futures_util::{StreamExt as _, stream};
use planthread_kit::{Class, ConnectorError, Sent};
use serde_json::Value;

use crate::translate::decode;

/// How a collection is read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Paging {
    /// The step, for error texts.
    pub(crate) step: &'static str,
    /// Rows asked for in one page.
    pub(crate) size: usize,
    /// Pages that are read at the same time.
    pub(crate) parallel: usize,
    /// Rows that there can be at most.
    pub(crate) rows_most: usize,
    /// Whether no two rows are alike, so that a repeated one tells that
    /// `$skip` is not heard.
    pub(crate) distinct: bool,
}

/// Most rows of one collection, where nothing else bounds it.
pub(crate) const ROWS_MOST: usize = 20_000_000;

impl Paging {
    /// Reads all pages; `ask` brings the page that begins after so many rows.
    ///
    /// # Errors
    /// Those of `ask`. `Transient` when another number of rows came than was
    /// announced: the values changed meanwhile. `Drift` when the service
    /// announces more rows than can be, or repeats a page.
    pub(crate) async fn all<F, A>(&self, ask: F) -> Result<Vec<Vec<Value>>, ConnectorError>
    where
        F: Fn(usize) -> A,
        A: Future<Output = Result<Value, ConnectorError>>,
    {
        let first = ask(0).await?;
        let announced = decode::count(&first);
        let mut pages = vec![decode::rows(self.step, &first)?];
        match announced {
            Some(total) => self.counted(total, &mut pages, ask).await?,
            None => self.until_short(&mut pages, ask).await?,
        }
        Ok(pages)
    }

    async fn counted<F, A>(
        &self,
        total: usize,
        pages: &mut Vec<Vec<Value>>,
        ask: F,
    ) -> Result<(), ConnectorError>
    where
        F: Fn(usize) -> A,
        A: Future<Output = Result<Value, ConnectorError>>,
    {
        let first = rows(pages);
        if total > first {
            self.within(total)?;
        }
        if first == self.size {
            let rest = stream::iter(1..total.div_ceil(self.size)).map(|page| ask(page * self.size));
            let mut rest = std::pin::pin!(rest.buffered(self.parallel));
            while let Some(body) = rest.next().await {
                if self.keep(pages, &body?)? {
                    break;
                }
            }
        }
        let mut got = rows(pages);
        // A total that ends with a full page may be short of the truth.
        if got == total && got > 0 && got % self.size == 0 && got < self.rows_most {
            self.keep(pages, &ask(got).await?)?;
            got = rows(pages);
        }
        if got == total {
            return Ok(());
        }
        let text = format!("{got} rows came, {total} were announced");
        Err(ConnectorError::new(Class::Transient { sent: Sent::No }, self.step, text)
            .cure("read again: the values changed while they were read"))
    }

    async fn until_short<F, A>(
        &self,
        pages: &mut Vec<Vec<Value>>,
        ask: F,
    ) -> Result<(), ConnectorError>
    where
        F: Fn(usize) -> A,
        A: Future<Output = Result<Value, ConnectorError>>,
    {
        let mut ended = rows(pages) < self.size;
        while !ended && rows(pages) < self.rows_most {
            ended = self.keep(pages, &ask(rows(pages)).await?)?;
        }
        self.within(rows(pages))
    }

    /// Keeps a page; true when it is the last one.
    fn keep(&self, pages: &mut Vec<Vec<Value>>, body: &Value) -> Result<bool, ConnectorError> {
        let page = decode::rows(self.step, body)?;
        let before = pages.last().and_then(|page| page.first());
        if self.distinct && before.is_some() && before == page.first() {
            return Err(self.drift("a page begins like the one before it: `$skip` is not heard"));
        }
        let last = page.len() < self.size;
        pages.push(page);
        Ok(last)
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
            .cure("compare the configuration with the tenant: `planthread check`")
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

    /// Rows and requests of a service that holds `held` rows, says `count` and
    /// hears `$skip` or not.
    fn read(
        paging: Paging,
        held: usize,
        count: Option<u64>,
        deaf: bool,
    ) -> (Result<usize, Class>, usize) {
        let asked = Cell::new(0);
        let answer = |skip: usize| {
            asked.set(asked.get() + 1);
            let from = if deaf { 0 } else { skip };
            let rows: Vec<usize> = (from..held).take(paging.size).collect();
            let mut d = json!({"results": rows});
            if let (Some(count), 0) = (count, skip) {
                d["__count"] = json!(count.to_string());
            }
            async move { Ok(json!({"d": d})) }
        };
        let result = paging.all(answer).now_or_never().unwrap();
        let rows = result.map(|pages| pages.iter().map(Vec::len).sum());
        (rows.map_err(|error| error.class), asked.get())
    }

    const PAGING: Paging =
        Paging { step: "read", size: 10, parallel: 3, rows_most: ROWS_MOST, distinct: true };
    const MOVED: Class = Class::Transient { sent: Sent::No };

    #[test]
    fn an_empty_page_ends_whatever_was_announced() {
        let (rows, asked) = read(PAGING, 25, Some(20_000_000), false);
        assert_eq!(rows, Err(MOVED));
        assert!(asked <= 3 + PAGING.parallel, "{asked}");
        assert_eq!(read(PAGING, 25, Some(1_000_000_000_000), false), (Err(Class::Drift), 1));
        let asked_for = Paging { rows_most: 40, ..PAGING };
        assert_eq!(read(asked_for, 25, Some(41), false), (Err(Class::Drift), 1));
        assert_eq!(read(asked_for, 100, None, false), (Ok(40), 4), "nobody asked for more");
    }

    #[test]
    fn a_service_that_does_not_hear_where_to_begin_is_noticed() {
        assert_eq!(read(PAGING, 25, None, true), (Err(Class::Drift), 2));
        assert_eq!(read(PAGING, 25, Some(25), true).0, Err(Class::Drift));
    }

    proptest! {
        /// Every row comes once, with as few requests as there are pages (and
        /// one more where the last is full); where the count does not fit, the
        /// read fails after few requests.
        #[test]
        fn all_rows_or_an_error(held in 0usize..120, count in proptest::option::of(0u64..10_000_000)) {
            let pages = held / PAGING.size + 1;
            let (rows, asked) = read(PAGING, held, Some(held as u64), false);
            prop_assert_eq!((rows, asked), (Ok(held), pages));
            let (rows, asked) = read(PAGING, held, count, false);
            prop_assert!(rows == Ok(held) || (rows == Err(MOVED) && count != Some(held as u64)));
            prop_assert!(asked <= pages + PAGING.parallel, "{} of {}", asked, pages);
        }
    }
}
