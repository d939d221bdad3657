//! Pure: what an answer with 200 proves.
//!
//! A failure hides in three places: `Results.Status`, `ErrorRowCount`, and
//! `ScriptError` (§13.1). A client was seen to take a partial success with up to
//! ten bad rows for a success; here nothing but the full count is one.

use planthread_kit::{ConnectorError, Tally, http::said::listed, redact};
use serde_json::Value;

use crate::wire::drift;

/// Characters of the vendor's text that are kept.
const KEPT: usize = 300;

/// `Results` of `complete` (§4.2).
pub(crate) fn results(answer: &Value) -> Result<Tally, ConnectorError> {
    let results = &answer["Results"];
    let word = results["Status"].as_str().unwrap_or_default();
    let counts = ["InsertedRowCount", "ModifiedRowCount", "UnchangedRowCount", "DeleteRowCount"];
    Ok(Tally {
        word: redact::up_to(word, KEPT),
        good: sum(results, &counts)?,
        errors: count(results, "ErrorRowCount")?,
        success: word == "Success",
    })
}

/// An import (§4.5): `Success`, and the counts of its one worksheet.
pub(crate) fn import(answer: &Value) -> Result<Tally, ConnectorError> {
    let success = answer["Success"].as_bool().unwrap_or(false);
    let sheet = answer.pointer("/Worksheets/0");
    let said = [Some(&answer["Errors"]), sheet.map(|sheet| &sheet["Errors"])];
    // One object, or a list of them (corrections).
    let said: Vec<String> = said.into_iter().flatten().flat_map(|one| listed(one, 3)).collect();
    let word = if success { "Success" } else { "Failure" };
    let word =
        if said.is_empty() { word.to_owned() } else { format!("{word}: {}", said.join("; ")) };
    let word = redact::up_to(&word, KEPT);
    let Some(sheet) = sheet else {
        if success {
            return Err(drift("import rows", "it says success, and names no worksheet"));
        }
        return Ok(Tally { word, good: 0, errors: 0, success });
    };
    let counts = ["InsertedRowCount", "ModifiedRowCount", "UnchangedRowCount"];
    let (good, errors) = (sum(sheet, &counts)?, count(sheet, "ErrorRowCount")?);
    Ok(Tally { word, good, errors, success })
}

/// The value of a script; a failed one answers 200 as well (§4.6).
pub(crate) fn script(answer: &Value) -> Result<String, ConnectorError> {
    let error = &answer["ScriptError"];
    if error.is_null() {
        return Ok(redact::up_to(answer["Value"].as_str().unwrap_or_default(), KEPT));
    }
    let text = redact::up_to(error["Message"].as_str().unwrap_or("it failed without a text"), KEPT);
    let failed = drift("run script", &text).cure("look at the script's console at the target");
    Err(match error["Code"].as_str() {
        Some(code) => failed.vendor_code(code),
        None => failed,
    })
}

fn sum(of: &Value, names: &[&str]) -> Result<u64, ConnectorError> {
    names.iter().try_fold(0_u64, |sum, name| Ok(sum.saturating_add(count(of, name)?)))
}

fn count(of: &Value, name: &str) -> Result<u64, ConnectorError> {
    of[name].as_u64().ok_or_else(|| drift("read counts", &format!("{name} is no count")))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn done(status: &str, good: u64, errors: u64) -> Value {
        json!({ "Results": { "Status": status, "InsertedRowCount": good, "ModifiedRowCount": 0,
            "DeleteRowCount": 0, "ErrorRowCount": errors, "UnchangedRowCount": 0 } })
    }

    #[test]
    fn only_the_full_count_of_a_success_is_whole() {
        let whole = |status, good, errors| results(&done(status, good, errors)).unwrap().whole(3);
        assert!(whole("Success", 3, 0));
        for (status, good, errors) in [
            ("Success", 2, 0),
            ("Success", 4, 0),
            ("Success", 2, 1),
            ("Partial Success", 2, 1),
            ("Partial Success", 3, 0),
            ("Failure", 0, 3),
            ("success", 3, 0),
        ] {
            assert!(!whole(status, good, errors), "{status} {good} {errors}");
        }
        assert!(results(&done("Failure", 0, 0)).unwrap().failed());
        assert!(!results(&done("Failure", 0, 3)).unwrap().failed());
        assert!(results(&json!({ "Results": { "Status": "Success" } })).is_err());
    }

    #[test]
    fn errors_are_read_as_one_object_and_as_a_list() {
        let error = json!({ "Code": "E1", "Message": "no right" });
        for errors in [error.clone(), json!([error])] {
            let tally =
                import(&json!({ "Success": false, "Errors": errors, "Worksheets": [] })).unwrap();
            assert_eq!(tally.word, "Failure: E1: no right");
            assert!(tally.failed());
        }
        let sheet = json!({ "InsertedRowCount": 2, "ModifiedRowCount": 0, "UnchangedRowCount": 0,
            "ErrorRowCount": 1, "Errors": null });
        let tally =
            import(&json!({ "Success": true, "Errors": null, "Worksheets": [sheet] })).unwrap();
        assert_eq!((tally.good, tally.errors, tally.whole(3)), (2, 1, false));
        assert!(import(&json!({ "Success": true, "Worksheets": [] })).is_err());
    }

    #[test]
    fn a_failed_script_is_found_inside_its_200() {
        let failed = json!({ "Console": "", "Value": "x",
            "ScriptError": { "Code": "JavascriptException", "Message": "exists" } });
        let error = script(&failed).unwrap_err();
        assert_eq!(error.vendor_code.as_deref(), Some("JavascriptException"));
        assert_eq!(script(&json!({ "Console": "", "Value": "made" })).unwrap(), "made");
    }
}
