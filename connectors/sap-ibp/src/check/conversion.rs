//! The values of conversion attributes: a unit that the tenant does not know is
//! no error of a read, its rows just are not there (§7, B).

use std::collections::BTreeSet;

use planthread_kit::{Class, ConnectorError};
use planthread_odata::Edmx;

use super::{master, report::Report, sheet::conversion_id};
use crate::{
    context::Context,
    metadata::{self, MasterType},
};

/// Values that are named in a finding.
const NAMED: usize = 20;

/// Looks each configured value up in the types that hold such values, and at
/// what came back with it: `held` are the measures that hold values.
pub(crate) async fn known(
    ibp: &Context,
    edmx: Option<&Edmx>,
    version: &str,
    held: &BTreeSet<String>,
    report: &mut Report,
) -> Result<(), ConnectorError> {
    for measure in &ibp.measures {
        for (attribute, value) in ibp.config.options(&measure.name).conversions {
            let line = conversion_id(measure, &attribute);
            let came = held.contains(&measure.name);
            match edmx.and_then(|edmx| holder(edmx, &attribute)) {
                Some(master) => {
                    look_up(ibp, &master, version, (&attribute, &value), &line, report).await?
                }
                None if came => report.tick(&line, format!("values come back with {value}")),
                None => report.open(
                    &line,
                    format!(
                        "no type with values of {attribute} is exposed: not proven yet, land once \
                         and check again"
                    ),
                ),
            }
            if !came && !held.is_empty() {
                let text = format!(
                    "other key figures hold values and {} shows none with {attribute} {value}: \
                     where rows of it were accepted, this value is the likely cause",
                    measure.surface
                );
                report.open(&line, text);
            }
        }
    }
    Ok(())
}

async fn look_up(
    ibp: &Context,
    master: &MasterType,
    version: &str,
    (attribute, value): (&str, &String),
    line: &str,
    report: &mut Report,
) -> Result<(), ConnectorError> {
    let name = &master.name;
    let found = match master::rows(ibp, master, &[attribute], version).await {
        Ok(found) => found.concat(),
        Err(error) if error.class == Class::Drift => {
            report.open(line, format!("{name} can't be read: {}", error.message));
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    if found.contains(value) {
        report.tick(line, format!("{value} stands in {name}"));
        return Ok(());
    }
    let more = if found.len() > NAMED { ", ..." } else { "" };
    let list = found[..found.len().min(NAMED)].join(", ");
    report.fail(
        line,
        format!("{value} is not among the values of {name}: {list}{more}"),
        "set `measures.<name>.conversions` to the unit of storage: with an unknown value a read \
         shows no rows at all",
    );
    Ok(())
}

/// The type that holds the values: its name ends like the attribute without
/// `ID`, or `CURRENCYTO` for money.
fn holder(edmx: &Edmx, attribute: &str) -> Option<MasterType> {
    let suffix = match attribute {
        "CURRTOID" => "CURRENCYTO",
        other => other.strip_suffix("ID").unwrap_or(other),
    };
    let holds = |set: &&String| {
        set.ends_with(suffix) && edmx.type_of(set).is_some_and(|entity| entity.has(attribute))
    };
    edmx.sets.keys().find(holds).and_then(|set| metadata::named(edmx, set))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::samples;

    #[test]
    fn types_are_found_by_the_end_of_their_names() {
        let edmx = Edmx::read(&samples::master_data()).unwrap();
        assert_eq!(holder(&edmx, "CURRTOID").unwrap().name, "PTCURRENCYTO");
        assert_eq!(holder(&edmx, "UOMTOID").unwrap().name, "PTUOMTO");
        assert_eq!(holder(&edmx, "LANGUAGE"), None);
    }
}
