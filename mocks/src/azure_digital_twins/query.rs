//! A part of the query language: what the fact sheet names (section 1.7).
//!
//! `SELECT * | COUNT() | T`, `FROM DIGITALTWINS [T]`, `WHERE` with comparisons,
//! `AND`, `OR`, `NOT`, `IN`, `IS_OF_MODEL`, the `IS_` and text functions. Joins
//! and projections are absent. Names are case sensitive: a wrong one finds
//! nothing and is no error.

use serde_json::Value;

use super::models::Models;

/// A question.
#[derive(Debug)]
pub(super) struct Query {
    pub(super) count: bool,
    alias: Option<String>,
    filter: Option<Expr>,
}

#[derive(Debug)]
enum Expr {
    And(Box<Self>, Box<Self>),
    Or(Box<Self>, Box<Self>),
    Not(Box<Self>),
    Compare(Vec<String>, &'static str, Value),
    In(Vec<String>, Vec<Value>, bool),
    OfModel(String, bool),
    Is(&'static str, Vec<String>),
    Text(&'static str, Vec<String>, String),
}

#[derive(Debug, Clone, PartialEq)]
enum Token {
    Word(String),
    Literal(Value),
    Sign(&'static str),
}

const SIGNS: [&str; 12] = ["!=", "<=", ">=", "=", "<", ">", "(", ")", ",", ".", "*", ";"];
const IS: [&str; 6] = ["IS_DEFINED", "IS_NULL", "IS_NUMBER", "IS_STRING", "IS_BOOL", "IS_OBJECT"];
const TEXT: [&str; 3] = ["STARTSWITH", "ENDSWITH", "CONTAINS"];

/// Reads a question.
pub(super) fn parse(text: &str) -> Result<Query, String> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0 };
    parser.keyword("SELECT")?;
    let count = parser.take_word("COUNT");
    let selected = match () {
        () if count => {
            parser.sign("(")?;
            parser.sign(")")?;
            None
        }
        () if parser.take("*") => None,
        () => Some(parser.word()?),
    };
    parser.keyword("FROM")?;
    parser.keyword("DIGITALTWINS")?;
    let mut alias = None;
    if !parser.done() && !parser.is_word("WHERE") {
        alias = Some(parser.word()?);
    }
    if let Some(selected) = selected
        && alias.as_ref() != Some(&selected)
    {
        return Err(format!("`{selected}` is no collection of this query"));
    }
    let mut query = Query { count, alias, filter: None };
    if parser.take_word("WHERE") {
        query.filter = Some(parser.or(&query)?);
    }
    parser.take(";");
    if !parser.done() {
        return Err("unexpected text at the end of the query".to_owned());
    }
    Ok(query)
}

impl Query {
    /// Whether a twin is one of those asked for.
    pub(super) fn finds(&self, twin: &Value, models: &Models) -> bool {
        self.filter.as_ref().is_none_or(|filter| filter.holds(twin, models))
    }
}

impl Expr {
    fn holds(&self, twin: &Value, models: &Models) -> bool {
        match self {
            Self::And(a, b) => a.holds(twin, models) && b.holds(twin, models),
            Self::Or(a, b) => a.holds(twin, models) || b.holds(twin, models),
            Self::Not(inner) => !inner.holds(twin, models),
            Self::Compare(path, sign, wanted) => {
                at(twin, path).is_some_and(|value| compared(value, sign, wanted))
            }
            Self::In(path, list, positive) => {
                at(twin, path).is_some_and(|value| list.contains(value) == *positive)
            }
            Self::OfModel(model, exact) => {
                let own = twin["$metadata"]["$model"].as_str().unwrap_or_default();
                models.is_of(own, model, *exact)
            }
            Self::Is(kind, path) => {
                let value = at(twin, path);
                match *kind {
                    "IS_DEFINED" => value.is_some(),
                    "IS_NULL" => value.is_some_and(Value::is_null),
                    "IS_NUMBER" => value.is_some_and(Value::is_number),
                    "IS_STRING" => value.is_some_and(Value::is_string),
                    "IS_BOOL" => value.is_some_and(Value::is_boolean),
                    _ => value.is_some_and(Value::is_object),
                }
            }
            Self::Text(kind, path, part) => {
                let Some(text) = at(twin, path).and_then(Value::as_str) else { return false };
                match *kind {
                    "STARTSWITH" => text.starts_with(part.as_str()),
                    "ENDSWITH" => text.ends_with(part.as_str()),
                    _ => text.contains(part.as_str()),
                }
            }
        }
    }
}

fn at<'a>(twin: &'a Value, path: &[String]) -> Option<&'a Value> {
    path.iter().try_fold(twin, |value, name| value.get(name))
}

fn compared(value: &Value, sign: &str, wanted: &Value) -> bool {
    let order = match (value, wanted) {
        (Value::Number(a), Value::Number(b)) => {
            a.as_f64().and_then(|a| a.partial_cmp(&b.as_f64()?))
        }
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (a, b) if a == b => Some(std::cmp::Ordering::Equal),
        _ => return sign == "!=",
    };
    order.is_some_and(|order| match sign {
        "=" => order.is_eq(),
        "!=" => order.is_ne(),
        "<" => order.is_lt(),
        "<=" => order.is_le(),
        ">" => order.is_gt(),
        _ => order.is_ge(),
    })
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn done(&self) -> bool {
        self.at >= self.tokens.len()
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.tokens.get(self.at), Some(Token::Word(own)) if own.eq_ignore_ascii_case(word))
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is = self.is_word(word);
        self.at += usize::from(is);
        is
    }

    fn keyword(&mut self, word: &str) -> Result<(), String> {
        if self.take_word(word) { Ok(()) } else { Err(format!("{word} is expected")) }
    }

    fn take(&mut self, sign: &str) -> bool {
        let is = matches!(self.tokens.get(self.at), Some(Token::Sign(own)) if *own == sign);
        self.at += usize::from(is);
        is
    }

    fn sign(&mut self, sign: &str) -> Result<(), String> {
        if self.take(sign) { Ok(()) } else { Err(format!("`{sign}` is expected")) }
    }

    fn word(&mut self) -> Result<String, String> {
        let found = match self.tokens.get(self.at) {
            Some(Token::Word(word)) => word.clone(),
            _ => return Err("a name is expected".to_owned()),
        };
        self.at += 1;
        Ok(found)
    }

    fn literal(&mut self) -> Result<Value, String> {
        let found = match self.tokens.get(self.at) {
            Some(Token::Literal(value)) => value.clone(),
            Some(Token::Word(word)) if word == "true" || word == "false" => {
                Value::Bool(word == "true")
            }
            Some(Token::Word(word)) if word == "null" => Value::Null,
            _ => return Err("a value is expected".to_owned()),
        };
        self.at += 1;
        Ok(found)
    }

    /// A path, without the alias of the collection.
    fn path(&mut self, query: &Query) -> Result<Vec<String>, String> {
        let mut path = vec![self.word()?];
        while self.take(".") {
            path.push(self.word()?);
        }
        if query.alias.as_ref() == path.first() {
            path.remove(0);
        }
        Ok(path)
    }

    fn or(&mut self, query: &Query) -> Result<Expr, String> {
        let mut left = self.and(query)?;
        while self.take_word("OR") {
            left = Expr::Or(Box::new(left), Box::new(self.and(query)?));
        }
        Ok(left)
    }

    fn and(&mut self, query: &Query) -> Result<Expr, String> {
        let mut left = self.one(query)?;
        while self.take_word("AND") {
            left = Expr::And(Box::new(left), Box::new(self.one(query)?));
        }
        Ok(left)
    }

    fn one(&mut self, query: &Query) -> Result<Expr, String> {
        if self.take_word("NOT") {
            return Ok(Expr::Not(Box::new(self.one(query)?)));
        }
        if self.take("(") {
            let inner = self.or(query)?;
            self.sign(")")?;
            return Ok(inner);
        }
        if self.take_word("IS_OF_MODEL") {
            return self.of_model(query);
        }
        if let Some(kind) = IS.into_iter().find(|kind| self.is_word(kind)) {
            self.at += 1;
            self.sign("(")?;
            let path = self.path(query)?;
            self.sign(")")?;
            return Ok(Expr::Is(kind, path));
        }
        if let Some(kind) = TEXT.into_iter().find(|kind| self.is_word(kind)) {
            self.at += 1;
            self.sign("(")?;
            let path = self.path(query)?;
            self.sign(",")?;
            let part = self.literal()?.as_str().unwrap_or_default().to_owned();
            self.sign(")")?;
            return Ok(Expr::Text(kind, path, part));
        }
        let path = self.path(query)?;
        for (word, positive) in [("IN", true), ("NIN", false)] {
            if self.take_word(word) {
                return Ok(Expr::In(path, self.listed()?, positive));
            }
        }
        let sign = SIGNS[..6].iter().find(|sign| self.take(sign));
        let sign = sign.ok_or("a comparison is expected")?;
        Ok(Expr::Compare(path, sign, self.literal()?))
    }

    fn listed(&mut self) -> Result<Vec<Value>, String> {
        self.sign("(")?;
        let mut all = vec![self.literal()?];
        while self.take(",") {
            all.push(self.literal()?);
        }
        self.sign(")")?;
        Ok(all)
    }

    fn of_model(&mut self, query: &Query) -> Result<Expr, String> {
        self.sign("(")?;
        if let Ok(alias) = self.word() {
            if query.alias.as_ref() != Some(&alias) {
                return Err(format!("`{alias}` is no collection of this query"));
            }
            self.sign(",")?;
        }
        let model = self.literal()?.as_str().unwrap_or_default().to_owned();
        let exact = self.take(",") && self.take_word("exact");
        self.sign(")")?;
        Ok(Expr::OfModel(model, exact))
    }
}

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim_start();
    while let Some(first) = rest.chars().next() {
        let taken = if first == '\'' {
            let end = rest[1..].find('\'').ok_or("a text does not end")? + 1;
            found.push(Token::Literal(Value::String(rest[1..end].to_owned())));
            end + 1
        } else if first.is_ascii_digit() || first == '-' {
            let end = rest[1..].find(|c: char| !c.is_ascii_digit() && c != '.' && c != 'e');
            let end = end.map_or(rest.len(), |end| end + 1);
            let number = serde_json::from_str(&rest[..end]).map_err(|error| error.to_string())?;
            found.push(Token::Literal(number));
            end
        } else if let Some(inner) = rest.strip_prefix("[[") {
            let end = inner.find("]]").ok_or("`[[` does not end")?;
            found.push(Token::Word(inner[..end].to_owned()));
            end + 4
        } else if first.is_ascii_alphabetic() || first == '_' || first == '$' {
            let end = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '$');
            let end = end.unwrap_or(rest.len());
            found.push(Token::Word(rest[..end].to_owned()));
            end
        } else {
            let sign = SIGNS.into_iter().find(|sign| rest.starts_with(sign));
            let sign = sign.ok_or_else(|| format!("unexpected `{first}`"))?;
            found.push(Token::Sign(sign));
            sign.len()
        };
        rest = rest[taken..].trim_start();
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn finds_by_value_and_says_what_is_wrong() {
        let twin = json!({ "$dtId": "LINE-1", "n": 2.5, "c": { "k": "x" } });
        let models = Models::default();
        for (text, finds) in [
            ("SELECT * FROM digitaltwins", true),
            ("SELECT T FROM DIGITALTWINS T WHERE T.$dtId = 'LINE-1' AND n > 2", true),
            ("SELECT * FROM DIGITALTWINS WHERE $dtId IN ('A', 'LINE-1')", true),
            ("SELECT * FROM DIGITALTWINS WHERE NOT STARTSWITH($dtId, 'LINE')", false),
            ("SELECT * FROM DIGITALTWINS T WHERE T.c.[[k]] != 'y' OR N = 1", true),
            ("SELECT * FROM DIGITALTWINS WHERE IS_DEFINED(missing)", false),
        ] {
            assert_eq!(parse(text).unwrap().finds(&twin, &models), finds, "{text}");
        }
        for text in ["foo", "SELECT * FROM DIGITALTWINS WHERE", "SELECT X FROM DIGITALTWINS T"] {
            assert!(parse(text).is_err(), "{text}");
        }
    }
}
