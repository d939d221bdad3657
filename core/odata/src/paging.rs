//! All pages of a collection.
//!
//! A service that counts tells with its first page how many rows there are; one
//! that cuts pages itself gives the address of the next (`__next`). How far either
//! is believed stands in [`planthread_kit::http::paging`].

use std::future::Future;

use planthread_kit::{
    ConnectorError,
    http::{
        Bounds, Page,
        paging::{At, either},
    },
};
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

impl Paging {
    /// Reads all pages; `ask` brings the body of one.
    ///
    /// # Errors
    /// Those of `ask`. `Transient` when another number of rows came than was
    /// announced: the values changed meanwhile. `Drift` when the service
    /// offers more rows than can be, or repeats a page.
    pub async fn all<F, A>(&self, ask: F) -> Result<Vec<Vec<Value>>, ConnectorError>
    where
        F: Fn(At) -> A,
        A: Future<Output = Result<Value, ConnectorError>>,
    {
        let Self { step, size, parallel, rows_most, distinct } = *self;
        // A total that ends with a full page may be short of the truth.
        let bounds =
            Bounds { parallel, distinct, short_total: true, ..Bounds::new(size, ROWS_MOST) };
        let page = |at| {
            let body = ask(at);
            async move {
                let body = body.await?;
                let rows = answer::rows(step, &body)?;
                let total = answer::count(&body).and_then(|total| u64::try_from(total).ok());
                // An empty page ends the reading, whatever it names.
                let next = answer::next(&body).filter(|_| !rows.is_empty()).map(str::to_owned);
                Ok(Page { rows, total, next })
            }
        };
        either(step, bounds.at_most(rows_most), page).await
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::FutureExt as _;
    use planthread_kit::Class;
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
        let answer = |at: At| {
            asked.set(asked.get() + 1);
            let skip = match &at {
                At::Row { skip, .. } => *skip,
                At::Cursor(address) => address.parse().unwrap(),
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
        (result.map(|pages| pages.concat().len()).map_err(|error| error.class), asked.get())
    }

    const PAGING: Paging =
        Paging { step: "read", size: 10, parallel: 3, rows_most: ROWS_MOST, distinct: true };
    const MOVED: Class = Class::Transient { sent: planthread_kit::Sent::No };

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
        assert_eq!(read(asked_for, holds(100)), (Err(Class::Drift), 5), "more than there can be");
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
        assert_eq!(read(bounded, linked), (Err(Class::Drift), 3));
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
