//! Why less is promised than the weeks of a pool show.

use rust_decimal::Decimal;

use crate::derive::{Account, Decline};

/// What is said behind the weeks of a pool, and what is taken off their share.
pub(super) fn words(decline: Option<&Decline>) -> (String, Option<Decimal>) {
    let Some(decline) = decline else { return (String::new(), None) };
    let percent =
        |share: Decimal| format!("{} %", (share * Decimal::ONE_HUNDRED).round_dp(1).normalize());
    let account = |words: &str, one: &Account| {
        let (weight, next) = (percent(one.weight), percent(one.share));
        format!("{words} (weight {weight}: {next} comes next)")
    };
    let kinds = [("fell at once", &decline.fell), ("falls week by week", &decline.falling)];
    // One part in a thousand moves no figure that anybody reads.
    let counting = kinds.into_iter().filter(|(_, one)| one.weight >= Decimal::new(1, 3));
    let counting: Vec<String> = counting.map(|(words, one)| account(words, one)).collect();
    let points = (decline.lowered * Decimal::ONE_HUNDRED).round_dp(1).normalize();
    let said = format!(
        ", less {points} points, because over the last {} full weeks it {}",
        decline.weeks,
        counting.join(" or "),
    );
    (said, Some(decline.lowered))
}
