//! The values of conversion attributes: a unit that the tenant does not know is
//! no error of a read, its rows just are not there (§7, B).

use std::collections::BTreeSet;

use planthread_kit::{ConnectorError, sheet::Report};
use planthread_odata::Edmx;

use super::{catalogue, master, sheet::conversion_id};
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
    held: &BTreeSet<String>,
    report: &mut Report,
) -> Result<(), ConnectorError> {
    for measure in &ibp.measures {
        for (attribute, value) in ibp.config.options(&measure.name).conversions {
            let line = conversion_id(measure, &attribute);
            let came = held.contains(&measure.name);
            match holders(ibp, edmx, &attribute).await {
                Ok(types) if types.is_empty() && came => {
                    report.tick(&line, format!("values come back with {value}"));
                }
                Ok(types) if types.is_empty() => report.open(
                    &line,
                    format!(
                        "no type with values of {attribute} is exposed: not proven yet, land once \
                         and check again"
                    ),
                ),
                Ok(types) => look_up(ibp, &types, (&attribute, &value), &line, report).await?,
                Err(error) => report.unread(&line, error)?,
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
    types: &[MasterType],
    (attribute, value): (&str, &String),
    line: &str,
    report: &mut Report,
) -> Result<(), ConnectorError> {
    let (mut found, mut names) = (BTreeSet::new(), Vec::new());
    for master in types {
        match master::rows(ibp, master, &[attribute]).await {
            Ok(rows) => {
                names.push(master.name.as_str());
                found.extend(rows.concat());
            }
            Err(error) => return report.unread(line, error),
        }
    }
    let names = names.join(", ");
    if !found.contains(value) {
        let more = if found.len() > NAMED { ", ..." } else { "" };
        let list = found.into_iter().take(NAMED).collect::<Vec<_>>().join(", ");
        report.fail(
            line,
            format!("{value} is not among the values of {names}: {list}{more}"),
            "set `measures.<name>.conversions` to the unit of storage: with an unknown value a read \
             shows no rows at all",
        );
    } else if types.len() > 1 {
        report.sign(line, format!("{value} stands in one of {names}; which is this area's?"));
    } else {
        report.tick(line, format!("{value} stands in {names}"));
    }
    Ok(())
}

/// The types of this area that hold the values: their names end like the
/// attribute without `ID`, or with `CURRENCYTO` for money.
async fn holders(
    ibp: &Context,
    edmx: Option<&Edmx>,
    attribute: &str,
) -> Result<Vec<MasterType>, ConnectorError> {
    let Some(edmx) = edmx else { return Ok(Vec::new()) };
    catalogue::own(ibp, edmx, holding(edmx, attribute)).await
}

fn holding(edmx: &Edmx, attribute: &str) -> Vec<MasterType> {
    let suffix = match attribute {
        "CURRTOID" => "CURRENCYTO",
        other => other.strip_suffix("ID").unwrap_or(other),
    };
    metadata::master_types(edmx)
        .filter(|(master, entity)| master.name.ends_with(suffix) && entity.has(attribute))
        .map(|(master, _)| master)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metadata::samples;

    #[test]
    fn types_are_found_by_the_end_of_their_names() {
        let edmx = Edmx::read(&samples::master_data()).unwrap();
        let names = |attribute| {
            let found = holding(&edmx, attribute).into_iter().map(|master| master.name);
            found.collect::<Vec<_>>()
        };
        assert_eq!(names("CURRTOID"), ["PTCURRENCYTO"]);
        assert_eq!(names("UOMTOID"), ["PTUOMTO"], "a value help is no master data");
        assert!(names("LANGUAGE").is_empty());
    }
}
