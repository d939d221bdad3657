//! Statements from tokens. What is not in the grammar is refused with its place.

use rust_decimal::Decimal;

use super::{
    Set, Statement,
    lexer::{Token, tokens},
};
use crate::o9::model::WORKING_VIEW;

/// Reads all statements of a text.
pub(in crate::o9) fn parse(text: &str) -> Result<Vec<Statement>, String> {
    let mut parser = Parser { tokens: tokens(text)?, at: 0 };
    let mut statements = Vec::new();
    while parser.at < parser.tokens.len() {
        statements.push(parser.statement()?);
    }
    match statements.is_empty() {
        true => Err("there is no statement".to_owned()),
        false => Ok(statements),
    }
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Parser {
    fn statement(&mut self) -> Result<Statement, String> {
        let found = match self.word()?.to_ascii_lowercase().as_str() {
            "select" => self.select()?,
            "update" => self.update()?,
            "scope" => self.scope(false)?,
            "cartesian" => {
                self.keyword("scope")?;
                self.scope(true)?
            }
            "exec" => {
                self.keyword("procedure")?;
                let name = self.name()?;
                let parameters = match self.next()? {
                    Token::Json(text) => text,
                    other => return Err(format!("{other:?} instead of parameters")),
                };
                Statement::Procedure { name, parameters }
            }
            "save" => {
                self.signs("()")?;
                Statement::Save
            }
            other => return Err(format!("`{other}` is not understood here")),
        };
        self.signs(";")?;
        Ok(found)
    }

    fn select(&mut self) -> Result<Statement, String> {
        if self.is_word("CurrentUser") {
            self.at += 1;
            self.signs("()")?;
            return Ok(Statement::CurrentUser);
        }
        self.signs("(")?;
        let sets = self.sets('*')?;
        self.axis("row")?;
        self.signs(",({")?;
        let mut measures = vec![self.measure()?];
        while self.is_sign(',') {
            self.at += 1;
            measures.push(self.measure()?);
        }
        self.signs("})")?;
        self.axis("column")?;
        let mut limit = None;
        if self.is_word("limit") {
            self.at += 1;
            let text = self.word()?;
            limit = Some(text.parse().map_err(|_| format!("limit {text} is no number"))?);
        }
        Ok(Statement::Select { sets, measures, limit })
    }

    fn update(&mut self) -> Result<Statement, String> {
        let measure = self.measure()?;
        self.signs("@(")?;
        let sets = self.sets(',')?;
        self.signs("=")?;
        let values = vec![(measure, self.number()?)];
        Ok(Statement::Write { sets, values, upserts: true, cartesian: false })
    }

    fn scope(&mut self, cartesian: bool) -> Result<Statement, String> {
        self.signs(":(")?;
        let sets = self.sets('*')?;
        self.signs(";")?;
        let mut values = Vec::new();
        while !self.is_word("end") {
            let measure = self.measure()?;
            self.signs("=")?;
            values.push((measure, self.number()?));
            self.signs(";")?;
        }
        self.at += 1;
        self.keyword("scope")?;
        Ok(Statement::Write { sets, values, upserts: cartesian, cartesian })
    }

    /// Sets up to the closing parenthesis, which is taken.
    fn sets(&mut self, between: char) -> Result<Vec<Set>, String> {
        let mut sets = vec![self.set()?];
        while self.is_sign(between) {
            self.at += 1;
            sets.push(self.set()?);
        }
        self.signs(")")?;
        Ok(sets)
    }

    fn set(&mut self) -> Result<Set, String> {
        if self.is_sign('&') {
            self.at += 1;
            let name = self.word()?;
            let known = ["CWV", "CurrentWorkingView"].contains(&name.as_str());
            let members = known.then(|| vec![WORKING_VIEW.to_owned()]);
            let members = members.ok_or_else(|| format!("there is no set &{name}"))?;
            let (dimension, level) = ("Version".to_owned(), "Version Name".to_owned());
            return Ok(Set { dimension, level, members: Some(members) });
        }
        let dimension = self.name()?;
        self.signs(".")?;
        let level = self.name()?;
        let mut members = None;
        if self.is_sign('.') {
            self.at += 1;
            members =
                Some(if self.is_word("filter") { self.filter()? } else { vec![self.name()?] });
        }
        Ok(Set { dimension, level, members })
    }

    /// `filter(#.Name == [m])` or `filter(#.Name in {[m],[m]})`; a single `=` is
    /// taken, too.
    fn filter(&mut self) -> Result<Vec<String>, String> {
        self.keyword("filter")?;
        self.signs("(#.")?;
        self.keyword("Name")?;
        let mut members = Vec::new();
        if self.is_word("in") {
            self.at += 1;
            self.signs("{")?;
            members.push(self.name()?);
            while self.is_sign(',') {
                self.at += 1;
                members.push(self.name()?);
            }
            self.signs("}")?;
        } else {
            self.signs("=")?;
            if self.is_sign('=') {
                self.at += 1;
            }
            members.push(self.name()?);
        }
        self.signs(")")?;
        Ok(members)
    }

    fn measure(&mut self) -> Result<String, String> {
        self.keyword("Measure")?;
        self.signs(".")?;
        self.name()
    }

    fn axis(&mut self, axis: &str) -> Result<(), String> {
        self.keyword("on")?;
        self.keyword(axis)
    }

    fn number(&mut self) -> Result<Decimal, String> {
        let text = self.word()?;
        text.parse().map_err(|_| format!("`{text}` is no constant number"))
    }

    fn next(&mut self) -> Result<Token, String> {
        let token = self.tokens.get(self.at).cloned().ok_or("the statement ends too early")?;
        self.at += 1;
        Ok(token)
    }

    fn word(&mut self) -> Result<String, String> {
        match self.next()? {
            Token::Word(word) => Ok(word),
            other => Err(format!("{other:?} instead of a word")),
        }
    }

    fn name(&mut self) -> Result<String, String> {
        match self.next()? {
            Token::Name(name) => Ok(name),
            other => Err(format!("{other:?} instead of a name in brackets")),
        }
    }

    fn keyword(&mut self, keyword: &str) -> Result<(), String> {
        let word = self.word()?;
        match word.eq_ignore_ascii_case(keyword) {
            true => Ok(()),
            false => Err(format!("`{word}` instead of `{keyword}`")),
        }
    }

    fn signs(&mut self, signs: &str) -> Result<(), String> {
        for sign in signs.chars() {
            match self.next()? {
                Token::Sign(found) if found == sign => {}
                other => return Err(format!("{other:?} instead of `{sign}`")),
            }
        }
        Ok(())
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.tokens.get(self.at), Some(Token::Word(text)) if text.eq_ignore_ascii_case(word))
    }

    fn is_sign(&self, sign: char) -> bool {
        self.tokens.get(self.at) == Some(&Token::Sign(sign))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(dimension: &str, level: &str, members: &[&str]) -> Set {
        let members = (!members.is_empty()).then(|| members.iter().map(|m| (*m).into()).collect());
        Set { dimension: dimension.into(), level: level.into(), members }
    }

    #[test]
    fn the_forms_of_the_fact_sheet() {
        let read = "Select (&CWV * [Resource].[Resource].filter(#.Name in {[L 1],[L2]}) * \
            [Time].[Week]) on row, ({Measure.[Capacity Override], Measure.[X]}) on column limit 5;";
        assert_eq!(
            parse(read).unwrap(),
            [Statement::Select {
                sets: vec![
                    set("Version", "Version Name", &[WORKING_VIEW]),
                    set("Resource", "Resource", &["L 1", "L2"]),
                    set("Time", "Week", &[]),
                ],
                measures: vec!["Capacity Override".to_owned(), "X".to_owned()],
                limit: Some(5),
            }]
        );
        let write = "update Measure.[M]@([Time].[Week].[W03-2026],[Resource].[Resource].filter(#.Name == [L1])) = -36.5; save();";
        let parsed = parse(write).unwrap();
        let values = vec![("M".to_owned(), "-36.5".parse().unwrap())];
        let sets = vec![set("Time", "Week", &["W03-2026"]), set("Resource", "Resource", &["L1"])];
        assert_eq!(
            parsed,
            [Statement::Write { sets, values, upserts: true, cartesian: false }, Statement::Save]
        );
        let scope =
            "cartesian scope:([Time].[Week]); Measure.[A] = 1; Measure.[B] = 2.0; end scope;";
        let Statement::Write { values, cartesian, .. } = &parse(scope).unwrap()[0] else {
            panic!()
        };
        assert!(*cartesian && values.len() == 2);
        assert_eq!(parse("select CurrentUser();").unwrap(), [Statement::CurrentUser]);
        let call = r#"exec procedure [P] {"a": {"b": "}"}};"#;
        let Statement::Procedure { parameters, .. } = &parse(call).unwrap()[0] else { panic!() };
        assert_eq!(parameters, r#"{"a": {"b": "}"}}"#);
    }

    #[test]
    fn everything_else_is_refused_with_its_place() {
        for (text, says) in [
            ("", "no statement"),
            ("drop [Resource];", "`drop`"),
            ("select ([A].[B]) on row", "too early"),
            ("update Measure.[M]@([A].[B]) = Measure.[N];", "constant number"),
            ("select ([A", "not closed"),
            ("select ([A].[B].filter(#.Name in {[x}])) on row;", "instead of"),
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.contains(says), "{text}: {error}");
        }
    }
}
