//! A small evaluator, so that the tests recompute instead of trusting.

use std::collections::BTreeMap;

use planthread_domain::{calendar::round_half_even, derive::Explanation};
use rust_decimal::Decimal;

pub(crate) fn value(text: &str, names: &BTreeMap<String, Decimal>) -> Decimal {
    let mut parser = Parser { rest: text.trim(), names };
    let value = parser.sum();
    assert_eq!(parser.rest, "", "unread rest of `{text}`");
    value
}

/// Recomputes every step of `found`, exactly and as a person reads it; returns
/// the last one.
pub(crate) fn last_of(found: &Explanation) -> (String, Decimal) {
    let mut known: BTreeMap<String, Decimal> = BTreeMap::new();
    let mut last = (String::new(), Decimal::ZERO);
    for step in &found.steps {
        let exact = value(&step.formula, &known);
        assert_eq!(exact.round_dp(9), step.result.round_dp(9), "{found}");
        // What a person reads gives the same, to a hundredth of an hour; of
        // large numbers to a millionth.
        let by_hand = value(&found.in_numbers(step), &BTreeMap::new());
        let apart = Decimal::new(1, 2).max(step.result.abs() / Decimal::from(1_000_000));
        assert!((by_hand - step.result).abs() < apart, "{by_hand}: {found}");
        assert!(known.insert(step.name.clone(), exact).is_none(), "one name twice: {found}");
        last = (step.name.clone(), exact);
    }
    last
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
            return round_half_even(values[0], values[1].try_into().unwrap());
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
