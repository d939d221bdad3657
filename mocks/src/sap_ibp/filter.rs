//! `$filter`: comparisons with eq, ne, gt, ge, lt, le and startswith, joined by and,
//! or, brackets.

use jiff::{Timestamp, civil::DateTime};
use rust_decimal::Decimal;

/// A literal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    Text(String),
    Number(Decimal),
    Date(DateTime),
    Instant(Timestamp),
    Bool(bool),
    Null,
}

/// A comparison operator.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
    /// Of texts only.
    StartsWith,
}

impl Op {
    fn of(word: &str) -> Option<Self> {
        Some(match word {
            "eq" => Self::Eq,
            "ne" => Self::Ne,
            "gt" => Self::Gt,
            "ge" => Self::Ge,
            "lt" => Self::Lt,
            "le" => Self::Le,
            _ => return None,
        })
    }

    /// Whether `left` and `right` are in this relation.
    pub(super) fn holds<T: PartialOrd>(self, left: &T, right: &T) -> bool {
        match self {
            Self::Eq => left == right,
            Self::Ne => left != right,
            Self::Gt => left > right,
            Self::Ge => left >= right,
            Self::Lt => left < right,
            Self::Le => left <= right,
            Self::StartsWith => false,
        }
    }

    /// Whether two texts are in this relation.
    pub(super) fn holds_text(self, left: &str, right: &str) -> bool {
        match self {
            Self::StartsWith => left.starts_with(right),
            _ => self.holds(&left, &right),
        }
    }

    /// Its word.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Eq => "eq",
            Self::Ne => "ne",
            Self::Gt => "gt",
            Self::Ge => "ge",
            Self::Lt => "lt",
            Self::Le => "le",
            Self::StartsWith => "startswith",
        }
    }
}

/// One comparison.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Comparison {
    pub(super) field: String,
    pub(super) op: Op,
    pub(super) literal: Literal,
}

/// A filter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Filter {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Compare(Comparison),
}

impl Filter {
    /// Parses the text of `$filter`.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let tokens = tokens(text)?;
        let mut parser = Parser { tokens: &tokens };
        let filter = parser.or()?;
        match parser.tokens.first() {
            None => Ok(filter),
            Some(token) => Err(format!("Invalid token '{}' in $filter", token.text())),
        }
    }

    /// Evaluates it, given the truth of single comparisons.
    pub(super) fn holds(&self, compare: &impl Fn(&Comparison) -> bool) -> bool {
        match self {
            Self::And(left, right) => left.holds(compare) && right.holds(compare),
            Self::Or(left, right) => left.holds(compare) || right.holds(compare),
            Self::Compare(comparison) => compare(comparison),
        }
    }

    /// Calls `visit` for each comparison.
    pub(super) fn each(&self, visit: &mut impl FnMut(&Comparison)) {
        match self {
            Self::And(left, right) | Self::Or(left, right) => {
                left.each(visit);
                right.each(visit);
            }
            Self::Compare(comparison) => visit(comparison),
        }
    }

    /// The parts that are joined by `and` at the top.
    pub(super) fn conjuncts(self) -> Vec<Self> {
        match self {
            Self::And(left, right) => {
                let mut parts = left.conjuncts();
                parts.extend(right.conjuncts());
                parts
            }
            Self::Or(..) | Self::Compare(_) => vec![self],
        }
    }
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Token {
    Open,
    Close,
    Comma,
    Word(String),
    Literal(Literal),
}

impl Token {
    fn text(&self) -> String {
        match self {
            Self::Open => "(".into(),
            Self::Close => ")".into(),
            Self::Comma => ",".into(),
            Self::Word(word) => word.clone(),
            Self::Literal(literal) => format!("{literal:?}"),
        }
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut tokens = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let (token, after) = match first {
            '(' => (Token::Open, &rest[1..]),
            ')' => (Token::Close, &rest[1..]),
            ',' => (Token::Comma, &rest[1..]),
            '\'' => {
                let (text, after) = string(rest)?;
                (Token::Literal(Literal::Text(text)), after)
            }
            _ => word(rest)?,
        };
        tokens.push(token);
        rest = after.trim_start();
    }
    Ok(tokens)
}

/// A quoted string at the start of `text`; `''` is a quote.
fn string(text: &str) -> Result<(String, &str), String> {
    let mut value = String::new();
    let mut rest = text.strip_prefix('\'').ok_or("a string literal is expected")?;
    loop {
        let (part, after) =
            rest.split_once('\'').ok_or_else(|| format!("Unterminated string in {text}"))?;
        value.push_str(part);
        match after.strip_prefix('\'') {
            Some(next) => {
                value.push('\'');
                rest = next;
            }
            None => return Ok((value, after)),
        }
    }
}

fn word(text: &str) -> Result<(Token, &str), String> {
    let end = text.find([' ', '(', ')', ',', '\'']).unwrap_or(text.len());
    let (word, rest) = text.split_at(end);
    if rest.starts_with('\'') {
        let (inner, after) = string(rest)?;
        let literal = match word {
            "datetime" => inner.parse().ok().map(Literal::Date),
            "datetimeoffset" => inner.parse().ok().map(Literal::Instant),
            _ => None,
        };
        let literal = literal.ok_or_else(|| format!("Invalid literal {word}'{inner}'"))?;
        return Ok((Token::Literal(literal), after));
    }
    let digits = word.trim_end_matches(['L', 'l', 'M', 'm']);
    let token = match word {
        "true" => Token::Literal(Literal::Bool(true)),
        "false" => Token::Literal(Literal::Bool(false)),
        "null" => Token::Literal(Literal::Null),
        _ if word.starts_with(|c: char| c.is_ascii_digit() || c == '-') => {
            let number = digits.parse().map_err(|_| format!("Invalid number {word}"))?;
            Token::Literal(Literal::Number(number))
        }
        _ => Token::Word(word.to_owned()),
    };
    Ok((token, rest))
}

struct Parser<'a> {
    tokens: &'a [Token],
}

impl Parser<'_> {
    fn next(&mut self) -> Option<Token> {
        let (first, rest) = self.tokens.split_first()?;
        self.tokens = rest;
        Some(first.clone())
    }

    fn accept(&mut self, keyword: &str) -> bool {
        let found = matches!(self.tokens.first(), Some(Token::Word(word)) if word == keyword);
        if found {
            self.tokens = &self.tokens[1..];
        }
        found
    }

    fn or(&mut self) -> Result<Filter, String> {
        let mut left = self.and()?;
        while self.accept("or") {
            left = Filter::Or(Box::new(left), Box::new(self.and()?));
        }
        Ok(left)
    }

    fn and(&mut self) -> Result<Filter, String> {
        let mut left = self.one()?;
        while self.accept("and") {
            left = Filter::And(Box::new(left), Box::new(self.one()?));
        }
        Ok(left)
    }

    fn one(&mut self) -> Result<Filter, String> {
        match self.next() {
            Some(Token::Open) => {
                let inner = self.or()?;
                match self.next() {
                    Some(Token::Close) => Ok(inner),
                    _ => Err("')' expected in $filter".into()),
                }
            }
            Some(Token::Word(word)) if word == "startswith" => self.starts_with(),
            Some(Token::Word(field)) => {
                let op = match self.next() {
                    Some(Token::Word(word)) => Op::of(&word),
                    _ => None,
                };
                let op = op.ok_or_else(|| format!("comparison expected after {field}"))?;
                match self.next() {
                    Some(Token::Literal(literal)) => {
                        Ok(Filter::Compare(Comparison { field, op, literal }))
                    }
                    _ => Err(format!("literal expected after {field} {}", op.word())),
                }
            }
            _ => Err("$filter is incomplete".into()),
        }
    }

    /// `(ATTRIBUTE,'text')`, and `eq true` behind it or not.
    fn starts_with(&mut self) -> Result<Filter, String> {
        let parts = [self.next(), self.next(), self.next(), self.next(), self.next()];
        let [
            Some(Token::Open),
            Some(Token::Word(field)),
            Some(Token::Comma),
            Some(Token::Literal(literal @ Literal::Text(_))),
            Some(Token::Close),
        ] = parts
        else {
            return Err("startswith needs an attribute and a string: startswith(A,'x')".into());
        };
        if self.accept("eq") && self.next() != Some(Token::Literal(Literal::Bool(true))) {
            return Err("startswith can be compared with true only".into());
        }
        Ok(Filter::Compare(Comparison { field, op: Op::StartsWith, literal }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn and_binds_more_than_or() {
        let filter = Filter::parse("A eq 1 or B eq 2 and (C eq 3 or D eq 4)").unwrap();
        let truth = |names: &str| filter.holds(&|c: &Comparison| names.contains(&c.field));
        assert!(truth("A") && truth("BC") && truth("BD"));
        assert!(!truth("B") && !truth("CD"));
    }

    #[test]
    fn literals_of_every_kind() {
        let filter = Filter::parse(
            "A eq 'it''s' and B ge datetime'2026-01-05T00:00:00' and C lt -12.5M and D eq 3L \
             and E gt datetimeoffset'2026-01-05T00:00:00Z' and F eq null",
        )
        .unwrap();
        let mut seen = Vec::new();
        filter.each(&mut |comparison| seen.push(comparison.literal.clone()));
        assert_eq!(seen[0], Literal::Text("it's".into()));
        assert_eq!(seen[1], Literal::Date(jiff::civil::date(2026, 1, 5).at(0, 0, 0, 0)));
        assert_eq!(seen[2], Literal::Number("-12.5".parse().unwrap()));
        assert_eq!((seen.len(), &seen[5]), (6, &Literal::Null));
    }

    #[test]
    fn a_beginning_is_compared_with_a_text() {
        for text in ["startswith(A,'LI') and B eq 1", "startswith( A , 'LI' ) eq true and B eq 1"] {
            let filter = Filter::parse(text).unwrap();
            let mut seen = Vec::new();
            filter.each(&mut |c| seen.push((c.field.clone(), c.op)));
            assert_eq!(seen, [("A".into(), Op::StartsWith), ("B".into(), Op::Eq)], "{text}");
        }
        assert!(Op::StartsWith.holds_text("LINE-1", "LI") && !Op::StartsWith.holds_text("L", "LI"));
    }

    #[test]
    fn garbage_is_refused() {
        for text in [
            "",
            "A",
            "A eq",
            "A is 1",
            "(A eq 1",
            "A eq 'x",
            "A eq 1 B",
            "A eq date'1'",
            "startswith(A,1)",
            "startswith(A 'x')",
            "startswith(A,'x') eq false",
        ] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
    }
}
