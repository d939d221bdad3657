//! OEE as ISO 22400-2 elements: sums of seconds and counts, never only ratios.
//!
//! Ratios can't be aggregated, sums can. Everything derived here comes from
//! summed elements, so that availability × effectiveness × quality is the OEE
//! at every level. Effectiveness is what many call performance; quality is
//! weighted by standard time, not by pieces.
//!
//! Once kept, the good quantities feed the good output of the resource. The delay
//! time feeds no figure: it does not say when in the window the time lies.

use rust_decimal::Decimal;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::Window;
use crate::{
    EquipmentRef, Quality, TwinSource, Unit,
    violation::{Check, Violation},
};

/// What was made of one product in the window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OeeOutput {
    /// The product; absent when the source doesn't tell products apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product: Option<String>,
    /// Unit of `pq` and `gq`; `pri_s` is per one of it.
    pub unit: Unit,
    /// PRI, planned run time per unit, in seconds, above 0.
    #[schemars(range(min = 0))]
    pub pri_s: Decimal,
    /// PQ, produced quantity.
    #[schemars(range(min = 0))]
    pub pq: Decimal,
    /// GQ, good quantity.
    #[schemars(range(min = 0))]
    pub gq: Decimal,
}

/// ISO 22400-2 elements of one resource and window.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Oee {
    /// The equipment.
    pub resource: EquipmentRef,
    /// The window in which the elements were counted.
    pub window: Window,
    /// PBT, planned busy time, in seconds.
    #[schemars(range(min = 0))]
    pub pbt_s: Decimal,
    /// APT, actual production time (value adding only), in seconds.
    #[schemars(range(min = 0))]
    pub apt_s: Decimal,
    /// AUST, actual unit setup time, in seconds; absent when not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub aust_s: Option<Decimal>,
    /// ADET, actual unit delay time (malfunctions and minor stops during
    /// orders), in seconds; absent when not known. Not the ISO *down time*,
    /// which means "no order".
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0))]
    pub adet_s: Option<Decimal>,
    /// Quantities, one entry a product.
    pub output: Vec<OeeOutput>,
    /// Whether `gq` counts reworked units; absent when the source can't say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub good_includes_rework: Option<bool>,
    /// The twin.
    pub source: TwinSource,
    /// How well the window was seen.
    pub quality: Quality,
}

/// Why a ratio has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Undefined {
    /// PBT is 0: a shut plant has no availability, not one of 100 %.
    #[error("no planned time")]
    NoPlannedTime,
    /// APT is 0.
    #[error("no production time")]
    NoProductionTime,
    /// Nothing was produced.
    #[error("no production")]
    NoProduction,
    /// The result leaves the range of a decimal.
    #[error("out of range")]
    OutOfRange,
}

/// Sums of elements over any set of resources, windows and products.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ElementSums {
    /// Σ PBT in seconds.
    pub pbt_s: Decimal,
    /// Σ APT in seconds.
    pub apt_s: Decimal,
    /// Σ PRI × PQ in seconds: standard time of everything produced.
    pub standard_s: Decimal,
    /// Σ PRI × GQ in seconds: standard time of what is good.
    pub good_standard_s: Decimal,
    /// Σ AUST in seconds; `None` as soon as one part is not known.
    pub aust_s: Option<Decimal>,
    /// Σ ADET in seconds; `None` as soon as one part is not known.
    pub adet_s: Option<Decimal>,
}

impl ElementSums {
    /// The sums of nothing.
    pub const ZERO: Self = Self {
        pbt_s: Decimal::ZERO,
        apt_s: Decimal::ZERO,
        standard_s: Decimal::ZERO,
        good_standard_s: Decimal::ZERO,
        aust_s: Some(Decimal::ZERO),
        adet_s: Some(Decimal::ZERO),
    };

    /// Adds another set of sums.
    ///
    /// # Errors
    ///
    /// [`Undefined::OutOfRange`].
    pub fn plus(self, other: Self) -> Result<Self, Undefined> {
        let add = |a: Decimal, b: Decimal| a.checked_add(b).ok_or(Undefined::OutOfRange);
        Ok(Self {
            pbt_s: add(self.pbt_s, other.pbt_s)?,
            apt_s: add(self.apt_s, other.apt_s)?,
            standard_s: add(self.standard_s, other.standard_s)?,
            good_standard_s: add(self.good_standard_s, other.good_standard_s)?,
            aust_s: self.aust_s.zip(other.aust_s).map(|(a, b)| add(a, b)).transpose()?,
            adet_s: self.adet_s.zip(other.adet_s).map(|(a, b)| add(a, b)).transpose()?,
        })
    }

    /// Sums the elements of many records.
    ///
    /// # Errors
    ///
    /// [`Undefined::OutOfRange`].
    pub fn over<'a>(records: impl IntoIterator<Item = &'a Oee>) -> Result<Self, Undefined> {
        records.into_iter().try_fold(Self::ZERO, |sum, one| sum.plus(one.sums()?))
    }

    /// APT / PBT.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoPlannedTime`].
    pub fn availability(&self) -> Result<Decimal, Undefined> {
        divide(self.apt_s, self.pbt_s, Undefined::NoPlannedTime)
    }

    /// PRI × PQ / APT; above 1 when the planned run time is too slow.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoProductionTime`].
    pub fn effectiveness(&self) -> Result<Decimal, Undefined> {
        divide(self.standard_s, self.apt_s, Undefined::NoProductionTime)
    }

    /// PRI × GQ / PRI × PQ.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoProduction`].
    pub fn quality_ratio(&self) -> Result<Decimal, Undefined> {
        divide(self.good_standard_s, self.standard_s, Undefined::NoProduction)
    }

    /// PRI × GQ / PBT, by the direct form: 0 when time was planned and nothing
    /// was made, although the components have no value then.
    ///
    /// # Errors
    ///
    /// [`Undefined::NoPlannedTime`].
    pub fn oee(&self) -> Result<Decimal, Undefined> {
        divide(self.good_standard_s, self.pbt_s, Undefined::NoPlannedTime)
    }
}

fn divide(above: Decimal, below: Decimal, when_zero: Undefined) -> Result<Decimal, Undefined> {
    if below.is_zero() {
        return Err(when_zero);
    }
    above.checked_div(below).ok_or(Undefined::OutOfRange)
}

impl Oee {
    /// The sums of this record.
    ///
    /// # Errors
    ///
    /// [`Undefined::OutOfRange`].
    pub fn sums(&self) -> Result<ElementSums, Undefined> {
        let times = ElementSums {
            pbt_s: self.pbt_s,
            apt_s: self.apt_s,
            aust_s: self.aust_s,
            adet_s: self.adet_s,
            ..ElementSums::ZERO
        };
        self.output.iter().try_fold(times, |sum, made| {
            let standard = |quantity| made.pri_s.checked_mul(quantity).ok_or(Undefined::OutOfRange);
            sum.plus(ElementSums {
                standard_s: standard(made.pq)?,
                good_standard_s: standard(made.gq)?,
                ..ElementSums::ZERO
            })
        })
    }

    /// All broken rules.
    #[must_use]
    pub fn validate(&self) -> Vec<Violation> {
        let mut check = Check::default();
        check.part("resource", self.resource.validate());
        check.part("window", self.window.validate());
        check.not_negative("pbt_s", self.pbt_s);
        check.not_negative("apt_s", self.apt_s);
        check.opt_not_negative("aust_s", self.aust_s);
        check.opt_not_negative("adet_s", self.adet_s);
        for (i, made) in self.output.iter().enumerate() {
            let at = |field: &str| format!("output[{i}].{field}");
            check.opt_text(&at("product"), made.product.as_deref());
            check.positive(&at("pri_s"), made.pri_s);
            check.not_negative(&at("pq"), made.pq);
            check.not_negative(&at("gq"), made.gq);
            if !made.unit.is_output() {
                check.fail(
                    &at("unit"),
                    format!("{} does not count what is produced", made.unit),
                    "use H87, KGM, TNE or LTR",
                );
            }
        }
        if self.sums().is_err() {
            check.fail("output", "products of the elements are out of range", "check the units");
        }
        check.part("source", self.source.validate());
        check.part("quality", self.quality.validate());
        check.done()
    }

    /// What is kept as it came, but hard to believe: more production than
    /// planned time, an effectiveness above 1, more good than produced, more
    /// planned time of a work unit than its window has.
    #[must_use]
    pub fn doubts(&self) -> Vec<Violation> {
        let mut check = Check::default();
        if self.apt_s > self.pbt_s {
            check.fail("apt_s", "exceeds pbt_s", "check for overlapping records");
        }
        if self.resource.level.depth() >= 4 && self.pbt_s > self.window.seconds().into() {
            check.fail("pbt_s", "exceeds the window", "check the unit: seconds are expected");
        }
        for (i, made) in self.output.iter().enumerate() {
            if made.gq > made.pq {
                check.fail(
                    &format!("output[{i}].gq"),
                    "exceeds pq",
                    "a late correction belongs to the window in which it was produced",
                );
            }
        }
        if self.sums().and_then(|sums| sums.effectiveness()).is_ok_and(|e| e > Decimal::ONE) {
            check.fail(
                "output",
                "effectiveness is above 1",
                "the planned run time is too slow, or its unit is wrong",
            );
        }
        check.done()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    fn record(pbt: &str, apt: &str, made: &[(&str, &str, &str)]) -> Oee {
        let mut oee: Oee = serde_json::from_str(
            r#"{"resource":{"id":"M1","level":"work_cell"},"pbt_s":1,"apt_s":1,"output":[],
            "window":{"start":"2026-10-18T22:00:00Z","end":"2026-10-25T23:00:00Z"},
            "source":{"twin_id":"t","twin_kind":"asset","observed_until":"2026-10-25T23:00:00Z"},
            "quality":{"coverage":1,"worst":"good"}}"#,
        )
        .unwrap();
        (oee.pbt_s, oee.apt_s) = (d(pbt), d(apt));
        oee.output = made
            .iter()
            .map(|(pri, pq, gq)| OeeOutput {
                product: None,
                unit: Unit::Piece,
                pri_s: d(pri),
                pq: d(pq),
                gq: d(gq),
            })
            .collect();
        oee
    }

    fn all(sums: &ElementSums) -> [Decimal; 4] {
        [sums.availability(), sums.effectiveness(), sums.quality_ratio(), sums.oee()]
            .map(|ratio| ratio.unwrap().round_dp(6).normalize())
    }

    #[test]
    fn law_7_two_machines_are_summed_never_averaged() {
        let one = record("400", "320", &[("0.5", "600", "588")]);
        let two = record("100", "40", &[("0.5", "60", "48")]);
        assert_eq!(all(&one.sums().unwrap()), ["0.8", "0.9375", "0.98", "0.735"].map(d));
        assert_eq!(all(&two.sums().unwrap()), ["0.4", "0.75", "0.8", "0.24"].map(d));
        let both = ElementSums::over([&one, &two]).unwrap();
        assert_eq!(both.aust_s, None, "an unknown setup time stays unknown");
        assert_eq!(all(&both), ["0.72", "0.916667", "0.963636", "0.636"].map(d));
    }

    #[test]
    fn two_products_on_one_machine_weigh_by_standard_time() {
        let made = record("480", "330", &[("1.0", "200", "190"), ("0.25", "400", "300")]);
        let [_, effectiveness, quality, oee] = all(&made.sums().unwrap());
        assert_eq!([effectiveness, quality, oee], ["0.909091", "0.883333", "0.552083"].map(d));
        let [a, e, q, direct] = [
            made.sums().unwrap().availability(),
            made.sums().unwrap().effectiveness(),
            made.sums().unwrap().quality_ratio(),
            made.sums().unwrap().oee(),
        ]
        .map(Result::unwrap);
        assert_eq!((a * e * q).round_dp(20), direct.round_dp(20), "the product telescopes");
    }

    #[test]
    fn zero_denominators_have_a_reason() {
        let shut = record("0", "0", &[]).sums().unwrap();
        assert_eq!(shut.availability(), Err(Undefined::NoPlannedTime));
        assert_eq!(shut.oee(), Err(Undefined::NoPlannedTime));
        assert_eq!(shut.effectiveness(), Err(Undefined::NoProductionTime));
        let idle = record("100", "0", &[]).sums().unwrap();
        assert_eq!(idle.quality_ratio(), Err(Undefined::NoProduction));
        assert_eq!(idle.oee(), Ok(Decimal::ZERO));
    }

    #[test]
    fn the_implausible_is_kept_and_named() {
        let fast = record("400", "320", &[("0.5", "1600", "1601")]);
        assert_eq!(fast.validate(), []);
        let doubts: Vec<_> = fast.doubts().into_iter().map(|doubt| doubt.path).collect();
        assert_eq!(doubts, ["output[0].gq", "output"]);
        assert_eq!(fast.sums().unwrap().effectiveness(), Ok(d("2.5")), "never clamped");
    }

    #[test]
    fn huge_numbers_are_refused_not_panicked_on() {
        let max = Decimal::MAX.to_string();
        let huge = record(&max, &max, &[(&max, &max, &max), (&max, &max, &max)]);
        assert_eq!(huge.validate()[0].path, "output");
        assert_eq!(huge.sums(), Err(Undefined::OutOfRange));
    }
}
