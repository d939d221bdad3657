//! Pure: rows of texts whose columns have names, as a sheet of a target shows them.

use crate::{Class, ConnectorError};

/// What was read of a sheet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NamedColumns {
    /// Names of the columns.
    pub names: Vec<String>,
    /// Values of each row, in that order.
    pub rows: Vec<Vec<String>>,
}

impl NamedColumns {
    /// Where the column of this name stands, in every row.
    ///
    /// # Errors
    /// `Drift` for `step` when there is none, or a row is shorter or longer.
    pub fn column(&self, step: &'static str, name: &str) -> Result<usize, ConnectorError> {
        let found = self.names.iter().position(|column| column == name);
        let whole = self.rows.iter().all(|row| row.len() == self.names.len());
        found.filter(|_| whole).ok_or_else(|| {
            let text = format!("there is no column {name} in every row");
            ConnectorError::new(Class::Drift, step, text)
                .cure("compare the columns that the target shows with those of the settings")
        })
    }

    /// The columns of these names, in this order.
    ///
    /// # Errors
    /// As [`Self::column`].
    pub fn select(
        &self,
        step: &'static str,
        names: &[String],
    ) -> Result<Vec<Vec<String>>, ConnectorError> {
        let places = names.iter().map(|name| self.column(step, name));
        let places = places.collect::<Result<Vec<_>, _>>()?;
        let row = |row: &Vec<String>| places.iter().map(|&place| row[place].clone()).collect();
        Ok(self.rows.iter().map(row).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.to_owned()).collect()
    }

    #[test]
    fn columns_are_found_by_name_and_only_in_whole_rows() {
        let names = texts(&["A", "B", "C"]);
        let sheet = NamedColumns { names: names.clone(), rows: vec![texts(&["1", "2", "3"])] };
        assert_eq!(sheet.select("read", &texts(&["C", "A"])).unwrap(), [texts(&["3", "1"])]);
        let error = sheet.select("read", &texts(&["A", "D"])).unwrap_err();
        assert!(error.class == Class::Drift && error.message.contains("column D"), "{error}");
        let short = NamedColumns { names, rows: vec![texts(&["1", "2"])] };
        assert_eq!(short.column("read", "A").unwrap_err().class, Class::Drift);
    }
}
