//! Rough-cut load, where a plan's own load can't be read: what the plan makes of each
//! product, times the hours that a unit of it takes on each line (a bill of capacity).
//!
//! Hours of a line in a week are the sum over its plant's products of planned quantity ×
//! hours a unit: sensitive to the mix, blind to lead time. Nothing is guessed: a product
//! without a bill, a second row of the same thing and a number below zero are refused by
//! their line, and a week for which a plant's plan has no row is unknown, not empty.

use std::collections::{BTreeMap, BTreeSet};

use planthread_contracts::{Name, Period};
use rust_decimal::Decimal;

use super::{HOURS_SCALE, Line};

/// A file of a bill or of quantities can't be meant.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {reason}")]
pub struct RoughFault {
    /// Line of the file; the heading is 1.
    pub line: u64,
    /// What is wrong, and what would be right.
    pub reason: String,
}

/// Hours that a unit of each product takes, by plant, product and line.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Bill(BTreeMap<(Name, Name), BTreeMap<Name, Decimal>>);

impl Bill {
    /// Reads a bill from CSV: `plant`, `line`, `product`, `hours_per_unit`.
    ///
    /// # Errors
    /// The first row that can't be meant.
    pub fn read(text: &str) -> Result<Self, RoughFault> {
        let mut bill = Self::default();
        for (at, [plant, line, product, hours]) in
            rows(text, ["plant", "line", "product", "hours_per_unit"])?
        {
            let hours = number(at, "hours_per_unit", &hours)?;
            let of = bill.0.entry((plant.as_str().into(), product.as_str().into())).or_default();
            if of.insert(line.as_str().into(), hours).is_some() {
                let reason = format!("{product} on {line} at {plant} stands there twice");
                return Err(RoughFault { line: at, reason });
            }
        }
        Ok(bill)
    }

    /// The load of each line and week, in hours, of the quantities that `text` plans:
    /// CSV with `week`, `plant`, `product`, `quantity`.
    ///
    /// # Errors
    /// The first row that can't be meant, or whose product no bill has.
    pub fn load(&self, text: &str) -> Result<BTreeMap<(Line, Period), Decimal>, RoughFault> {
        let mut planned = BTreeSet::new();
        let mut load: BTreeMap<(Line, Period), Decimal> = BTreeMap::new();
        for (at, [week, plant, product, quantity]) in
            rows(text, ["week", "plant", "product", "quantity"])?
        {
            let fault = |reason| RoughFault { line: at, reason };
            let week: Period = week.parse().map_err(|error| fault(format!("{error}")))?;
            let quantity = number(at, "quantity", &quantity)?;
            let key = (Name::from(plant.as_str()), Name::from(product.as_str()));
            let lines = self.0.get(&key).ok_or_else(|| {
                fault(format!("{product} at {plant} has no bill: write the hours of a unit there"))
            })?;
            if !planned.insert((week, key)) {
                return Err(fault(format!("{product} at {plant} in {week} stands there twice")));
            }
            // Every line of the plant is planned in that week, if only with nothing.
            for line in self.lines(&plant) {
                load.entry((line, week)).or_default();
            }
            for (line, hours) in lines {
                let more = quantity.checked_mul(*hours);
                let line = Line { plant: plant.as_str().into(), line: line.clone() };
                let sum = load.entry((line, week)).or_default();
                *sum = more.and_then(|more| sum.checked_add(more)).ok_or_else(|| {
                    fault(format!("{quantity} units are more hours than a number holds"))
                })?;
            }
        }
        load.values_mut().for_each(|hours| *hours = hours.round_dp(HOURS_SCALE));
        Ok(load)
    }

    /// The lines of a plant.
    fn lines(&self, plant: &str) -> BTreeSet<Line> {
        let of = self.0.iter().filter(|((own, _), _)| *own == plant);
        let line = |line: &Name| Line { plant: plant.into(), line: line.clone() };
        of.flat_map(|(_, lines)| lines.keys().map(line)).collect()
    }
}

/// The rows of a table by the columns that are asked for, with the lines they stand on.
fn rows<const N: usize>(
    text: &str,
    columns: [&str; N],
) -> Result<Vec<(u64, [String; N])>, RoughFault> {
    let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(text.as_bytes());
    let broken = |line: u64, error: &csv::Error| {
        let line = error.position().map_or(line, csv::Position::line);
        RoughFault { line, reason: format!("is no CSV: {error}") }
    };
    let heading = reader.headers().map_err(|error| broken(1, &error))?.clone();
    let mut at = [0; N];
    for (place, column) in at.iter_mut().zip(columns) {
        *place = heading.iter().position(|own| own == column).ok_or_else(|| RoughFault {
            line: 1,
            reason: format!("has no column `{column}`: write {}", columns.join(",")),
        })?;
    }
    let mut found = Vec::new();
    for record in reader.records() {
        let record = record.map_err(|error| broken(2, &error))?;
        let line = record.position().map_or(0, csv::Position::line);
        let fields = at.map(|column| record.get(column).unwrap_or_default().to_owned());
        if let Some(empty) = fields.iter().position(String::is_empty) {
            let reason = format!("`{}` is empty", columns[empty]);
            return Err(RoughFault { line, reason });
        }
        found.push((line, fields));
    }
    Ok(found)
}

/// A number that is not below zero.
fn number(line: u64, column: &str, text: &str) -> Result<Decimal, RoughFault> {
    let number = text.parse::<Decimal>().ok().filter(|number| *number >= Decimal::ZERO);
    number.ok_or_else(|| RoughFault {
        line,
        reason: format!("`{column}` is `{text}`: write a number from 0, with a point"),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const BILL: &str = "plant,line,product,hours_per_unit\n1010,L1,A,2\n1010,L1,B,3\n1010,L2,B,0.5\n\
                        1010,L2,C,4\n1020,L9,A,1\n";

    fn load(quantities: &str) -> BTreeMap<(String, String), String> {
        let text = format!("week,plant,product,quantity\n{quantities}");
        let found = Bill::read(BILL).unwrap().load(&text).unwrap();
        let told = |((line, week), hours): ((Line, Period), Decimal)| {
            ((line.line.to_string(), week.to_string()), hours.normalize().to_string())
        };
        found.into_iter().map(told).collect()
    }

    /// Counted by hand: 100 × 2 h + 50 × 3 h on L1; 50 × 0.5 h + 25 × 4 h on L2.
    #[test]
    fn hours_follow_the_mix_line_by_line() {
        let found = load("2026-W49,1010,A,100\n2026-W49,1010,B,50\n2026-W49,1010,C,25\n");
        let of = |line: &str| found[&(line.to_owned(), "2026-W49".to_owned())].as_str();
        assert_eq!((of("L1"), of("L2"), found.len()), ("350", "125", 2));
    }

    #[test]
    fn a_plant_that_plans_a_week_plans_all_of_its_lines_and_no_other_week_or_plant() {
        let found = load("2026-W49,1010,A,10\n");
        let (week, other) = ("2026-W49".to_owned(), "2026-W50".to_owned());
        assert_eq!(found[&("L2".to_owned(), week.clone())], "0", "planned, with nothing");
        assert!(!found.contains_key(&("L9".to_owned(), week)), "another plant is not told");
        assert!(!found.contains_key(&("L1".to_owned(), other)), "no row is no zero");
    }

    #[test]
    fn what_can_t_be_meant_is_named_by_its_line() {
        let bill = |text: &str| Bill::read(text).unwrap_err();
        assert!(bill("plant,line,product\n").reason.contains("`hours_per_unit`"));
        let again = format!("{BILL}1010,L1,A,2\n");
        assert_eq!((bill(&again).line, bill(&again).reason.contains("twice")), (7, true));
        let quantities = |row: &str| {
            let text = format!("week,plant,product,quantity\n2026-W49,1010,A,1\n{row}\n");
            Bill::read(BILL).unwrap().load(&text).unwrap_err()
        };
        for (row, reason) in [
            ("2026-W49,1010,D,1", "has no bill"),
            ("2026-W49,1020,B,1", "has no bill"),
            ("2026-W49,1010,A,1", "twice"),
            ("2026-W49,1010,B,-1", "from 0"),
            ("2026-W49,1010,B,1'000", "from 0"),
            ("W49,1010,B,1", "is not a period"),
            ("2026-W49,1010,B,", "is empty"),
        ] {
            let found = quantities(row);
            assert!(found.line == 3 && found.reason.contains(reason), "{row}: {found}");
        }
    }

    proptest! {
        /// Twice the plan is twice the load, and the order of rows changes nothing.
        #[test]
        fn load_is_linear_in_the_plan(a in 0_u32..10_000, b in 0_u32..10_000, c in 0_u32..10_000) {
            let plan = |times: u32, turned: bool| {
                let mut rows = vec![("A", a), ("B", b), ("C", c)];
                if turned { rows.reverse(); }
                let row = |(product, made): (&str, u32)| format!("2026-W49,1010,{product},{}\n", made * times);
                rows.into_iter().map(row).collect::<String>()
            };
            prop_assert_eq!(load(&plan(1, false)), load(&plan(1, true)));
            let (once, twice) = (load(&plan(1, false)), load(&plan(2, false)));
            for (at, hours) in &once {
                let hours: Decimal = hours.parse().unwrap();
                prop_assert_eq!(twice[at].parse::<Decimal>().unwrap(), hours * Decimal::TWO);
            }
        }
    }
}
