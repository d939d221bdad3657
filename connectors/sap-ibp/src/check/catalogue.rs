//! The catalogue of master data types: a tenant has several planning areas,
//! with types of their own that are keyed alike.

use std::collections::{BTreeMap, BTreeSet};

use planthread_kit::ConnectorError;
use planthread_odata::Edmx;

use super::master::read;
use crate::{context::Context, metadata::MasterType};

/// The set that says which type belongs to which area and version (§4).
pub(super) const SET: &str = "VersionSpecificMasterDataTypes";

/// Of types that are keyed alike, those that can be the area's own: the ones
/// that the catalogue lists for it, or else the ones that it lists for nobody
/// (simple types are not in it).
pub(super) async fn own(
    ibp: &Context,
    edmx: &Edmx,
    types: Vec<MasterType>,
) -> Result<Vec<MasterType>, ConnectorError> {
    if types.len() < 2 || !edmx.sets.contains_key(SET) {
        return Ok(types);
    }
    let rows = read(ibp, SET, &["MasterDataTypeID", "PlanningAreaID"], "").await?;
    let mut areas: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for row in &rows {
        if let [name, area] = row.as_slice() {
            areas.entry(name).or_default().insert(area);
        }
    }
    Ok(of_area(types, &areas, &ibp.config.planning_area))
}

fn of_area(
    types: Vec<MasterType>,
    areas: &BTreeMap<&str, BTreeSet<&str>>,
    area: &str,
) -> Vec<MasterType> {
    let listed = |master: &MasterType| areas.get(master.name.as_str());
    let (ours, others): (Vec<_>, Vec<_>) = types
        .into_iter()
        .partition(|master| listed(master).is_some_and(|areas| areas.contains(area)));
    if ours.is_empty() {
        return others.into_iter().filter(|master| listed(master).is_none()).collect();
    }
    ours
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_of_another_area_is_never_chosen() {
        let types = |names: &[&str]| -> Vec<MasterType> {
            let of = |name: &&str| MasterType { name: (*name).to_owned(), version_specific: true };
            names.iter().map(of).collect()
        };
        let areas = BTreeMap::from([
            ("AS1RESLOC", BTreeSet::from(["AS1"])),
            ("ZPARESLOC", BTreeSet::from(["AS1", "ZPA"])),
        ]);
        let chosen = |names: &[&str]| of_area(types(names), &areas, "ZPA");
        assert_eq!(chosen(&["AS1RESLOC", "ZPARESLOC"]), types(&["ZPARESLOC"]));
        assert_eq!(chosen(&["AS1RESLOC", "ZRES", "YRES"]), types(&["ZRES", "YRES"]));
        assert!(chosen(&["AS1RESLOC"]).is_empty());
    }
}
