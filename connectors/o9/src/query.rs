//! Pure: IBPL statements that read.
//!
//! Names come from settings, maps and selections, and each was checked: one that
//! holds a bracket or a quote is refused (§5). The comparison of names is `==`
//! or `in`, as the vendor's page has it (corrections).

use planthread_kit::agreement::Slot;

use crate::{config::Config, read::Question};

/// A name in brackets.
fn bracketed(name: &str) -> Result<String, String> {
    Slot::Member(name.to_owned()).text().map(|name| format!("[{name}]"))
}

/// Members of a level: all, or those named.
fn set(dimension: &str, level: &str, members: &[&str]) -> Result<String, String> {
    let level = format!("{}.{}", bracketed(dimension)?, bracketed(level)?);
    let members: Vec<String> =
        members.iter().map(|name| bracketed(name)).collect::<Result<_, _>>()?;
    Ok(match members.as_slice() {
        [] => level,
        [one] => format!("{level}.filter(#.Name == {one})"),
        all => format!("{level}.filter(#.Name in {{{}}})", all.join(",")),
    })
}

/// A question as one statement. `above` leaves out the resources, so that the
/// target adds them up.
pub(crate) fn select(
    config: &Config,
    question: &Question<'_>,
    above: bool,
) -> Result<String, String> {
    let members =
        [&[question.version][..], &question.resources, &question.locations, &question.buckets];
    let mut sets = Vec::new();
    for ((slot, dimension, level), members) in config.grain().into_iter().zip(members) {
        if !(above && slot == "resource") {
            sets.push(set(dimension, level, members)?);
        }
    }
    let measures: Vec<String> = question
        .measures
        .iter()
        .map(|name| bracketed(name).map(|name| format!("Measure.{name}")))
        .collect::<Result<_, _>>()?;
    Ok(format!("select ({}) on row, ({{{}}}) on column;", sets.join(" * "), measures.join(", ")))
}

/// Who the key is: a harmless question (§5).
pub(crate) const WHO: &str = "select CurrentUser();";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::samples::config;

    fn question<'a>(resource: &'a str, weeks: &[&'a str]) -> Question<'a> {
        Question {
            version: "TwinSignals",
            resources: vec![resource],
            locations: Vec::new(),
            buckets: weeks.to_vec(),
            measures: vec!["Capacity Override"],
        }
    }

    #[test]
    fn a_question_as_the_fact_sheet_has_it() {
        let asked = question("LINE-1", &["202649A", "202650A"]);
        insta::assert_snapshot!(select(&config(), &asked, false).unwrap());
        assert!(!select(&config(), &asked, true).unwrap().contains("LINE-1"));
    }

    #[test]
    fn a_name_that_ends_the_bracket_is_refused() {
        for name in ["L1] on row;", "L1'", "", " L1"] {
            assert!(select(&config(), &question(name, &[]), false).is_err(), "{name}");
        }
    }
}
