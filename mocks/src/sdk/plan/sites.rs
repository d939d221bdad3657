//! Which resources stand where, in a sandbox whose master data is no more than that.

use std::collections::{BTreeMap, BTreeSet};

use super::Places;
use crate::sdk::ShapeResource;

/// Resources at their locations, with what people call them.
#[derive(Debug, Clone, Default)]
pub struct Sites(BTreeMap<(String, String), String>);

impl Sites {
    /// These resources.
    pub fn of(resources: impl IntoIterator<Item = ShapeResource>) -> Self {
        let pair = |one: ShapeResource| ((one.resource, one.location), one.description);
        Self(resources.into_iter().map(pair).collect())
    }

    /// Adds a resource, or describes it anew.
    pub fn add(&mut self, resource: &str, location: &str, description: &str) {
        self.0.insert((resource.to_owned(), location.to_owned()), description.to_owned());
    }

    /// Resource and location, and the description.
    pub fn described(&self) -> impl Iterator<Item = (&(String, String), &String)> {
        self.0.iter()
    }

    /// All resources.
    #[must_use]
    pub fn resources(&self) -> BTreeSet<&str> {
        self.0.keys().map(|(resource, _)| resource.as_str()).collect()
    }

    /// All locations.
    #[must_use]
    pub fn locations(&self) -> BTreeSet<&str> {
        self.0.keys().map(|(_, location)| location.as_str()).collect()
    }
}

impl Places for Sites {
    fn pairs(&self, _: &str) -> Vec<(String, String)> {
        self.0.keys().cloned().collect()
    }

    fn has_pair(&self, _: &str, resource: &str, location: &str) -> bool {
        self.0.contains_key(&(resource.to_owned(), location.to_owned()))
    }

    fn resource(&self, id: &str) -> &str {
        self.0.iter().find(|((own, _), _)| own == id).map_or("", |(_, text)| text)
    }

    fn location(&self, id: &str) -> &str {
        match id {
            "1010" => "Plant Regensburg",
            "1020" => "Plant Dresden",
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_stands_where_it_was_put() {
        let mut sites = Sites::of(ShapeResource::demo(3));
        sites.add("PRESS", "2000", "Press");
        assert_eq!(sites.pairs("")[0], ("LINE-1".to_owned(), "1010".to_owned()));
        assert!(sites.has_pair("", "LINE-2", "1020") && !sites.has_pair("", "LINE-2", "1010"));
        assert!(sites.resources().contains("PRESS") && !sites.resources().contains("LINE-4"));
        assert_eq!(sites.locations().into_iter().collect::<Vec<_>>(), ["1010", "1020", "2000"]);
        assert_eq!((sites.resource("PRESS"), sites.location("2000")), ("Press", ""));
    }
}
