//! A small evaluator, so that the tests recompute instead of trusting.

use std::collections::BTreeMap;

use rust_decimal::{Decimal, RoundingStrategy};

pub(crate) fn value(text: &str, names: &BTreeMap<String, Decimal>) -> Decimal {
    let mut parser = Parser { rest: text.trim(), names };
    let value = parser.sum();
    assert_eq!(parser.rest, "", "unread rest of `{text}`");
    value
}

struct Parser<'a> {
    rest: &'a str,
    names: &'a BTreeMap<String, Decimal>,
}

impl Parser<'_> {
    fn eat(&mut self, token: &str) -> bool {
        let found = self.rest.strip_prefix(token).map(str::trim_start);
        self.rest = found.unwrap_or(self.rest);
        found.is_some()
    }

    fn sum(&mut self) -> Decimal {
        let mut value = self.product();
        loop {
            if self.eat("+") {
                value += self.product();
            } else if self.eat("-") {
                value -= self.product();
            } else {
                return value;
            }
        }
    }

    fn product(&mut self) -> Decimal {
        let mut value = self.atom();
        loop {
            if self.eat("*") {
                value *= self.atom();
            } else if self.eat("/") {
                value /= self.atom();
            } else {
                return value;
            }
        }
    }

    fn list(&mut self) -> Vec<Decimal> {
        let mut values = vec![self.sum()];
        while self.eat(",") {
            values.push(self.sum());
        }
        assert!(self.eat(")"));
        values
    }

    fn atom(&mut self) -> Decimal {
        if self.eat("min(") {
            return self.list().into_iter().min().unwrap();
        }
        if self.eat("max(") {
            return self.list().into_iter().max().unwrap();
        }
        if self.eat("round(") {
            let values = self.list();
            let decimals = values[1].try_into().unwrap();
            return values[0]
                .round_dp_with_strategy(decimals, RoundingStrategy::MidpointNearestEven);
        }
        if self.eat("(") {
            let value = self.sum();
            assert!(self.eat(")"));
            return value;
        }
        if self.eat("-") {
            return -self.atom();
        }
        let end = self
            .rest
            .find(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'))
            .unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest.trim_start();
        word.parse().unwrap_or_else(|_| self.names[word])
    }
}
