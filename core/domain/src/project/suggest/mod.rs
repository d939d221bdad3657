//! Which resource of the target a resource of the plant might be: by words and
//! numbers of their names, and only where one candidate stands out.
//!
//! Nothing is mapped by itself: a person decides on every row. A wrong proposal
//! costs more than none, so two that are equally good are none.

mod likeness;
mod name;
mod scheme;
mod words;

#[cfg(test)]
mod habits;

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::Serialize;

use super::coverage::coverage;
use crate::model::{Mapping, Plant};
use likeness::{Weights, likeness, words_alike};
use name::{Name, Part, parts};
use words::is_general;

/// Least likeness of a proposal.
const LEAST: f64 = 0.6;
/// How far a proposal stands out from what else it might be.
const MARGIN: f64 = 0.06;
/// Fewest digits of a location that are looked for inside other numbers.
const PLACE_DIGITS: usize = 3;

/// A row that the mapping might want.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, JsonSchema)]
pub struct Suggestion {
    /// The plant's resource or line.
    pub source: String,
    /// The target's resource.
    pub resource: String,
    /// The target's location.
    pub location: String,
    /// Whether the names are equal but for case, punctuation and leading zeros;
    /// otherwise they are alike. A person decides in any case.
    pub exact: bool,
    /// How alike they are, in percent.
    pub likeness: u8,
}

/// Suggests rows for sources that land nowhere, by likeness of names; the exact
/// ones first. `target` are the (resource, location) pairs that it has,
/// `descriptions` what it calls its resources, where it does.
#[must_use]
pub fn suggest(
    plant: &Plant,
    mapping: &Mapping,
    target: &[(String, String)],
    descriptions: &BTreeMap<String, String>,
) -> Vec<Suggestion> {
    let open = coverage(plant, mapping, target);
    let sides =
        Sides::new(mapping, target, &open.unmapped_sources, &open.unmapped_targets, descriptions);
    let chosen = sides.choose();
    let mut found: Vec<_> = chosen.iter().map(|(s, t, score)| sides.row(*s, *t, *score)).collect();
    found.extend(scheme::families(&sides, &chosen));
    found.sort_by(|a, b| {
        let key = |one: &Suggestion| (!one.exact, one.source.clone());
        key(a).cmp(&key(b))
    });
    found
}

/// A resource of the plant that lands nowhere yet.
#[derive(Debug)]
struct Source {
    id: String,
    name: Name,
    /// Where it stands, as far as its name says so; empty is anywhere.
    places: BTreeSet<String>,
}

/// A pair of the target that nothing lands on.
#[derive(Debug)]
struct Offer {
    resource: String,
    location: String,
    name: Name,
    described: Option<Name>,
}

/// Both sides, read.
#[derive(Debug)]
struct Sides {
    sources: Vec<Source>,
    offers: Vec<Offer>,
    source_weights: Weights,
    offer_weights: Weights,
    described_weights: Weights,
}

impl Sides {
    fn new(
        mapping: &Mapping,
        target: &[(String, String)],
        sources: &[String],
        offers: &[(String, String)],
        descriptions: &BTreeMap<String, String>,
    ) -> Self {
        let places = Places::of(mapping, target);
        let source = |id: &String| {
            let mut name = Name::read(id, &places.numbers);
            let stands = places.of_name(&name);
            name.without(|word| places.words.contains_key(word));
            Source { id: id.clone(), name, places: stands }
        };
        let offer = |(resource, location): &(String, String)| {
            let read = |text: &str| {
                let mut name = Name::read(text, &places.numbers);
                name.without(|word| places.words.contains_key(word));
                name
            };
            let described = descriptions.get(resource).map(|text| read(text));
            let (resource, location) = (resource.clone(), location.clone());
            Offer { name: read(&resource), described, resource, location }
        };
        let sources: Vec<_> = sources.iter().map(source).collect();
        let offers: Vec<_> = offers.iter().map(offer).collect();
        Self {
            source_weights: Weights::of(sources.iter().map(|source| &source.name)),
            offer_weights: Weights::of(offers.iter().map(|offer| &offer.name)),
            described_weights: Weights::of(offers.iter().filter_map(|o| o.described.as_ref())),
            sources,
            offers,
        }
    }

    /// The proposals that stand out for both of their sides: equal names first,
    /// then, among what is left, those that are alike.
    fn choose(&self) -> Vec<(usize, usize, f64)> {
        let index = Index::of(&self.offers);
        let all: Vec<Vec<(usize, f64)>> = self
            .sources
            .iter()
            .map(|source| {
                let scored = index.candidates(&source.name).into_iter();
                let scored = scored.map(|t| (t, self.score(source, &self.offers[t])));
                scored.filter(|(_, score)| *score > 0.0).collect()
            })
            .collect();
        let exact: Vec<Vec<_>> = all
            .iter()
            .map(|of| of.iter().copied().filter(|(_, score)| is_exact(*score)).collect())
            .collect();
        let mut chosen = stand_out(&exact);
        let taken: BTreeSet<_> = chosen.iter().map(|(s, ..)| *s).collect();
        let used: BTreeSet<_> = chosen.iter().map(|(_, t, _)| *t).collect();
        let rest: Vec<Vec<_>> = all
            .into_iter()
            .enumerate()
            .map(|(s, mut of)| {
                of.retain(|(t, _)| !taken.contains(&s) && !used.contains(t));
                of
            })
            .collect();
        chosen.extend(stand_out(&rest));
        chosen
    }

    fn score(&self, source: &Source, offer: &Offer) -> f64 {
        if !source.places.is_empty() && !source.places.contains(&offer.location) {
            return 0.0;
        }
        let own = (&source.name, &self.source_weights);
        if source.name.plain == offer.name.plain && !source.name.plain.is_empty() {
            return 1.0;
        }
        let by_name = likeness(own, (&offer.name, &self.offer_weights));
        let described = offer.described.as_ref();
        let described = described.map(|name| likeness(own, (name, &self.described_weights)));
        // Only equal names are certain.
        by_name.max(described.unwrap_or(0.0)).min(0.99)
    }

    fn row(&self, source: usize, offer: usize, score: f64) -> Suggestion {
        let (source, offer) = (&self.sources[source], &self.offers[offer]);
        let percent = (score * 100.0).round().clamp(0.0, 100.0);
        Suggestion {
            source: source.id.clone(),
            resource: offer.resource.clone(),
            location: offer.location.clone(),
            exact: is_exact(score),
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "0 to 100"
            )]
            likeness: percent as u8,
        }
    }
}

/// Pairs of which each is the best of the other, by a margin to the next.
fn stand_out(scored: &[Vec<(usize, f64)>]) -> Vec<(usize, usize, f64)> {
    let mut best = Vec::new();
    for (s, of) in scored.iter().enumerate() {
        let mut of = of.clone();
        of.sort_by(|a, b| b.1.total_cmp(&a.1));
        let next = of.get(1).map_or(0.0, |(_, score)| *score);
        if let Some((t, score)) = of.first() {
            best.push((s, *t, *score, next));
        }
    }
    let mut wanted: BTreeMap<usize, Vec<f64>> = BTreeMap::new();
    for (_, t, score, _) in &best {
        wanted.entry(*t).or_default().push(*score);
    }
    best.retain(|(_, t, score, next)| {
        let nearest = wanted[t].iter().filter(|other| score - **other < MARGIN).count();
        *score >= LEAST && score - next >= MARGIN && nearest == 1
    });
    best.into_iter().map(|(s, t, score, _)| (s, t, score)).collect()
}

fn is_exact(score: f64) -> bool {
    score >= 1.0
}

/// What names of the plant say of places.
#[derive(Debug, Default)]
struct Places {
    /// Locations that are numbers.
    numbers: BTreeSet<String>,
    /// Words that stand for one place, with the locations that they mean.
    words: BTreeMap<String, BTreeSet<String>>,
    /// Every location by its number.
    by_number: BTreeMap<String, BTreeSet<String>>,
}

impl Places {
    fn of(mapping: &Mapping, target: &[(String, String)]) -> Self {
        let mut places = Self::default();
        for location in target.iter().map(|(_, location)| location).collect::<BTreeSet<_>>() {
            for part in parts(location) {
                match part {
                    Part::Number(digits) if digits.len() >= PLACE_DIGITS => {
                        places.by_number.entry(digits).or_default().insert(location.clone());
                    }
                    Part::Word(word) if word.chars().count() >= 2 => {
                        places.words.entry(word).or_default().insert(location.clone());
                    }
                    Part::Number(_) | Part::Word(_) => {}
                }
            }
        }
        // A word of every location tells them apart no more than none.
        places.words.retain(|_, locations| locations.len() == 1);
        places.numbers = places.by_number.keys().cloned().collect();
        places.learn(mapping);
        places
    }

    /// Words of sources that always land at one place, whatever else they say.
    fn learn(&mut self, mapping: &Mapping) {
        let mut seen: BTreeMap<String, (BTreeSet<&str>, BTreeSet<String>)> = BTreeMap::new();
        for row in &mapping.rows {
            let name = Name::read(&row.source, &self.numbers);
            for word in &name.words {
                let (at, beside) = seen.entry(word.text.clone()).or_default();
                at.insert(&row.location);
                let others = name.words.iter().filter(|other| other.text != word.text);
                beside.extend(others.map(|other| other.text.clone()));
            }
        }
        for (word, (at, beside)) in seen {
            if at.len() == 1 && beside.len() >= 2 {
                self.words.entry(word).or_default().extend(at.into_iter().map(str::to_owned));
            }
        }
    }

    /// Where a name says that its resource stands.
    fn of_name(&self, name: &Name) -> BTreeSet<String> {
        let numbers = name.numbers.iter().filter(|number| number.code);
        let by_number = numbers.filter_map(|number| self.by_number.get(&number.text));
        let by_word = name.words.iter().filter_map(|word| self.words.get(&word.text));
        by_number.chain(by_word).flatten().cloned().collect()
    }
}

/// Finds the offers that may be alike, without looking at each.
struct Index<'a> {
    by_number: BTreeMap<&'a str, Vec<usize>>,
    numberless: Vec<usize>,
    by_word: BTreeMap<&'a str, (&'a name::Word, Vec<usize>)>,
}

impl<'a> Index<'a> {
    fn of(offers: &'a [Offer]) -> Self {
        let (mut by_number, mut by_word) = (BTreeMap::new(), BTreeMap::new());
        let mut numberless = Vec::new();
        for (t, offer) in offers.iter().enumerate() {
            for name in [Some(&offer.name), offer.described.as_ref()].into_iter().flatten() {
                for number in name.own() {
                    by_number.entry(number).or_insert_with(Vec::new).push(t);
                }
                if name.own().is_empty() {
                    numberless.push(t);
                }
                for word in name.words.iter().filter(|word| !is_general(&word.text)) {
                    let entry = by_word.entry(&*word.text).or_insert_with(|| (word, Vec::new()));
                    entry.1.push(t);
                }
            }
        }
        Self { by_number, numberless, by_word }
    }

    /// Offers that share a number with `name` or have none; by words where `name`
    /// has no number.
    fn candidates(&self, name: &Name) -> BTreeSet<usize> {
        let own = name.own();
        if own.is_empty() {
            let alike = |word: &&name::Word| name.words.iter().any(|w| words_alike(w, word) > 0.0);
            let words = self.by_word.values().filter(|(word, _)| alike(word));
            return words.flat_map(|(_, offers)| offers.iter().copied()).collect();
        }
        let shared = own.iter().filter_map(|number| self.by_number.get(number));
        shared.flatten().chain(&self.numberless).copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixture;

    fn pairs(names: &[(&str, &str)]) -> Vec<(String, String)> {
        names.iter().map(|(r, l)| ((*r).to_owned(), (*l).to_owned())).collect()
    }

    /// Proposals for a plant of these resources.
    fn rows(
        sources: &[&str],
        target: &[(&str, &str)],
        described: &[(&str, &str)],
    ) -> Vec<Suggestion> {
        let (mut plant, mut mapping) = (fixture::plant(), fixture::mapping());
        let one = plant.resources[0].clone();
        plant.lines.clear();
        plant.resources = sources
            .iter()
            .map(|id| crate::model::Resource { id: (*id).to_owned(), ..one.clone() })
            .collect();
        mapping.rows.clear();
        suggest(&plant, &mapping, &pairs(target), &pairs(described).into_iter().collect())
    }

    #[test]
    fn only_names_that_are_alike_are_suggested() {
        let target = pairs(&[("R-1", "1010"), ("R-9", "1010"), ("line", "1010")]);
        let found = suggest(&fixture::plant(), &fixture::mapping(), &target, &BTreeMap::new());
        assert_eq!(found.len(), 1);
        assert_eq!((found[0].source.as_str(), found[0].exact), ("LINE", true));
    }

    #[test]
    fn two_that_are_equally_good_are_none() {
        assert!(rows(&["press-1"], &[("PRESS-1", "1010"), ("PRESS-1", "1020")], &[]).is_empty());
        assert!(rows(&["press"], &[("PRESS-1", "1010"), ("PRESS-2", "1010")], &[]).is_empty());
        assert!(rows(&["press-1", "press_01"], &[("PRESS1", "1010")], &[]).is_empty());
    }

    #[test]
    fn a_name_that_says_its_place_goes_there() {
        let target = [("PRESS-1", "1010"), ("PRESS-1", "1020")];
        let found = rows(&["press-1-1020"], &target, &[]);
        assert_eq!((found.len(), found[0].location.as_str()), (1, "1020"));
        let target = [("PRESS-1", "RGB"), ("PRESS-1", "DRS")];
        let found = rows(&["rgb-press-1"], &target, &[]);
        assert_eq!((found.len(), found[0].location.as_str()), (1, "RGB"));
    }

    #[test]
    fn a_description_speaks_for_an_opaque_name() {
        let target = [("10004711", "1010"), ("10004712", "1010")];
        let described = [("10004711", "Presse 1"), ("10004712", "Presse 2")];
        let found = rows(&["press-2", "press-1", "press-3"], &target, &described);
        let found: Vec<_> = found.iter().map(|row| (&*row.source, &*row.resource)).collect();
        assert_eq!(found, [("press-1", "10004711"), ("press-2", "10004712")]);
    }
}
