//! Which family the planning area belongs to, and what is possible there. What
//! nobody has shown is not guessed: a landing shows it.

use crate::config::{Config, Family};
use planthread_kit::sheet::Report;

const LINE: &str = "model";

/// Answers the line about the family by what the configuration says.
pub(crate) fn answer(config: &Config, report: &mut Report) {
    let area = &config.planning_area;
    match config.family {
        None => report.sign(
            LINE,
            format!(
                "the family of {area} is not visible from outside; name it under `family`: SAPIBP1 \
                 (unified, time series), I_SAPIBP2 (harmonised; new implementations begin with it), \
                 or SAP7F (order-based)"
            ),
        ),
        Some(Family::Unified) => report.sign(
            LINE,
            "stated: SAPIBP1, unified; both services were stated to serve its time-series key figures",
        ),
        Some(Family::Harmonised) => report.open(
            LINE,
            "stated: I_SAPIBP2, harmonised. Its orders (stored by day, through real-time integration) \
             are not served. Whether its time-series key figures can be written is unconfirmed: \
             what the services offer stands in the other lines, land once and check again",
        ),
        Some(Family::OrderBased) => report.fail(
            LINE,
            "stated: SAP7F, order-based: it has no key figures that can be written through \
             these services",
            "name a planning area for time series, or one of the family I_SAPIBP2",
        ),
    }
}
