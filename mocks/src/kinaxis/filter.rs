//! Filter texts of a bulk read, as far as they are seen: `FIELD = 'A'` and
//! `FIELD IN ('A','B')`, joined by AND (sections 4.1 and 5).

use super::{data::Row, tables::Table};

/// Conditions that all must hold: a field, and the values it may have.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Filter(Vec<(usize, Vec<String>)>);

impl Filter {
    /// Reads a filter over the fields of `table`.
    ///
    /// # Errors
    /// Says what can't be read.
    pub(super) fn parse(text: &str, table: &Table, bracketed: bool) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() {
            return Ok(Self(Vec::new()));
        }
        let inside = text.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let text = match (bracketed, inside) {
            (true, Some(inside)) => inside.trim(),
            (false, None) => text,
            _ => return Err("the brackets of the filter are not as expected".to_owned()),
        };
        let conditions = text.split(" AND ").map(|one| condition(one.trim(), table));
        Ok(Self(conditions.collect::<Result<_, _>>()?))
    }

    pub(super) fn holds(&self, row: &Row) -> bool {
        self.0.iter().all(|(field, values)| values.contains(&row[*field]))
    }
}

fn condition(text: &str, table: &Table) -> Result<(usize, Vec<String>), String> {
    let wrong = || format!("'{text}' is no condition");
    let (name, values) = match text.split_once(" IN ") {
        Some((name, list)) => {
            let list = list.trim().strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
            let list = list.ok_or_else(wrong)?;
            (name, list.split(',').map(quoted).collect::<Option<Vec<_>>>())
        }
        None => {
            let (name, value) = text.split_once('=').ok_or_else(wrong)?;
            (name, quoted(value).map(|value| vec![value]))
        }
    };
    let field = table.find(name.trim()).ok_or_else(|| format!("no field {}", name.trim()))?;
    Ok((field, values.ok_or_else(wrong)?))
}

fn quoted(text: &str) -> Option<String> {
    let inside = text.trim().strip_prefix('\'')?.strip_suffix('\'')?;
    (!inside.contains('\'')).then(|| inside.to_owned())
}
