//! Why fewer weeks are pooled than there are, or less is promised than they show.

use rust_decimal::Decimal;

use crate::derive::BackTest;

/// What is said behind the weeks of a pool, and what is taken off their share.
pub(super) fn words(test: Option<&BackTest>) -> (String, Option<Decimal>) {
    let Some(test) = test else { return (String::new(), None) };
    let mut said = String::new();
    let percent =
        |share: Decimal| format!("{} %", (share * Decimal::ONE_HUNDRED).round_dp(2).normalize());
    if test.weeks < test.of {
        said.push_str(&format!(
            " (the newest {} of {} weeks: over the last four weeks they foretold the next with an error of {}, all of them with {}, and all of them promised too much)",
            test.weeks,
            test.of,
            percent(test.error),
            percent(test.longest_error),
        ));
    }
    if test.lowered.is_zero() {
        return (said, None);
    }
    said.push_str(&format!(
        ", less what such a pool promised too much in {} of the last eight weeks ({})",
        test.promised,
        percent(test.lowered),
    ));
    (said, Some(test.lowered))
}
