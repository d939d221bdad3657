//! Whose a refused cell is.

use planthread_contracts::{CellKey, MeasureDecl, Owner};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{Target, locate::Faults, value_checks::declared};

/// Who is asked about cells that were refused, and in `gap` about figures, as people know
/// them. A measure of somebody else is theirs in `gap`, unless an entry names the measure. Of a list the first entry
/// that fits a cell counts; one without `resource`, `location` and `measure` fits all.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct CellOwner {
    /// Who is asked: a person, a team, or where their messages go.
    pub owner: String,
    /// Only the cells of this resource, as the target calls it.
    #[serde(default)]
    pub resource: Option<String>,
    /// Only the cells of this location, as the target calls it.
    #[serde(default)]
    pub location: Option<String>,
    /// Only the cells of this measure, by our name for it.
    #[serde(default)]
    pub measure: Option<String>,
}

impl CellOwner {
    fn fits(&self, key: &CellKey) -> bool {
        self.fits_at(&key.resource, &key.location, &key.measure)
    }

    fn fits_at(&self, resource: &str, location: &str, measure: &str) -> bool {
        let is = |said: &Option<String>, own: &str| said.as_ref().is_none_or(|said| said == own);
        is(&self.resource, resource) && is(&self.location, location) && is(&self.measure, measure)
    }
}

impl Target {
    /// Who is asked about `key`, where somebody is named.
    #[must_use]
    pub fn owner_of(&self, key: &CellKey) -> Option<&str> {
        self.owners.iter().find(|one| one.fits(key)).map(|one| one.owner.as_str())
    }

    /// Who is asked about a figure of the measure `decl` at `resource` and `location`,
    /// whatever its period. What somebody else owns is theirs, unless an entry names the
    /// measure itself.
    #[must_use]
    pub fn owner_at(&self, decl: &MeasureDecl, resource: &str, location: &str) -> Option<&str> {
        let ours = decl.owner == Owner::Bridge;
        let fits = |one: &&CellOwner| {
            one.fits_at(resource, location, &decl.name) && (ours || one.measure.is_some())
        };
        self.owners.iter().find(fits).map(|one| one.owner.as_str())
    }

    /// Who is asked about the target as a whole, where somebody is named.
    #[must_use]
    pub fn owner(&self) -> Option<&str> {
        let fits_all = |one: &&CellOwner| {
            one.resource.is_none() && one.location.is_none() && one.measure.is_none()
        };
        self.owners.iter().find(fits_all).map(|one| one.owner.as_str())
    }
}

/// Owners that nobody is, and names that no cell has: such an entry would never fit.
pub(super) fn check(name: &str, target: &Target, faults: &mut Faults<'_>) {
    let rows = &target.mapping.rows;
    for (at, one) in target.owners.iter().enumerate() {
        let field = |field: &str| format!("targets.{name}.owners[{at}].{field}");
        if one.owner.trim().is_empty() {
            faults.add(field("owner"), "it names nobody", "write who is asked");
        }
        let unknown = |said: &Option<String>, is: &dyn Fn(&str) -> bool| {
            said.clone().filter(|said| !is(said))
        };
        if let Some(said) = unknown(&one.measure, &|m| target.measures.iter().any(|d| d.name == m))
        {
            faults.add(
                field("measure"),
                format!("`{said}` is no declared measure"),
                declared(target),
            );
        }
        let cure = "write it as under `mapping.rows`, or remove the line";
        if let Some(said) = unknown(&one.resource, &|r| rows.iter().any(|row| row.resource == r)) {
            faults.add(field("resource"), format!("nothing is mapped to `{said}`"), cure);
        }
        if let Some(said) = unknown(&one.location, &|l| rows.iter().any(|row| row.location == l)) {
            faults.add(field("location"), format!("nothing is mapped to `{said}`"), cure);
        }
    }
}
