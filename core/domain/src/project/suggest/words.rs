//! Words of names: what is left of them when people shorten, inflect and
//! translate.
//!
//! Only words of the trade are known here, of no customer: each tongue's word
//! for the same kind of machine stands for one idea.

/// Words for the same kind of machine, by their beginnings.
#[rustfmt::skip]
const IDEAS: [(&str, &[&str]); 20] = [
    ("press", &["press", "pres", "prs", "stanz", "stamp", "umform"]),
    ("weld", &["weld", "wld", "schweis", "schwss"]),
    ("paint", &["paint", "pnt", "lack", "spray"]),
    ("assemble", &["assem", "assy", "montag", "mont", "asm"]),
    ("mill", &["mill", "fras"]),
    ("turn", &["turn", "lathe", "dreh"]),
    ("grind", &["grind", "grd", "schleif", "slf", "schlf"]),
    ("drill", &["drill", "bohr"]),
    ("saw", &["saw", "sage"]),
    ("pack", &["pack", "verpack", "vpck"]),
    ("oven", &["oven", "furnace", "ofen", "hart"]),
    ("wash", &["wash", "wasch", "reinig"]),
    ("inspect", &["inspect", "insp", "pruf", "test", "qual"]),
    ("laser", &["laser", "lsr"]),
    ("robot", &["robot", "rob", "rbt"]),
    ("bend", &["bend", "bieg", "abkant"]),
    ("mould", &["mould", "mold", "spritz", "inject"]),
    ("line", &["line", "lini", "ln", "stras"]),
    ("cell", &["cell", "zell"]),
    ("bench", &["bench", "stand", "platz", "pl"]),
];

/// Words that any resource may carry.
#[rustfmt::skip]
const GENERAL: [&str; 24] = [
    "wc", "ap", "arbpl", "arbeitsplatz", "work", "workcenter", "workcentre", "center", "centre",
    "res", "resource", "ressource", "eq", "equipment", "machine", "mach", "maschine", "masch",
    "mc", "anlage", "anl", "station", "stn", "unit",
];

/// Most letters of a short form that is a word by itself.
const SHORT: usize = 3;
/// Fewest letters of either half of a word that is two.
const HALF: usize = 2;

/// A word in lower case without accents, with one spelling of umlauts.
pub(super) fn folded(word: &str) -> String {
    let mut plain = String::with_capacity(word.len());
    for sign in word.chars().flat_map(char::to_lowercase) {
        match sign {
            'ä' | 'à' | 'á' | 'â' | 'å' | 'æ' => plain.push('a'),
            'ö' | 'ò' | 'ó' | 'ô' | 'ø' => plain.push('o'),
            'ü' | 'ù' | 'ú' | 'û' => plain.push('u'),
            'è' | 'é' | 'ê' | 'ë' => plain.push('e'),
            'ì' | 'í' | 'î' | 'ï' => plain.push('i'),
            'ß' => plain.push_str("ss"),
            'ç' => plain.push('c'),
            'ñ' => plain.push('n'),
            other => plain.push(other),
        }
    }
    // `ae` is how an umlaut is written where there is no key for it.
    for (pair, single) in [("ae", "a"), ("oe", "o"), ("ue", "u")] {
        plain = plain.replace(pair, single);
    }
    plain
}

/// Whether a word says nothing about which resource it is.
pub(super) fn is_general(word: &str) -> bool {
    GENERAL.contains(&word)
}

/// The idea behind a word; the longest beginning wins. A short one is a whole
/// word: what follows it would be another.
pub(super) fn idea(word: &str) -> Option<&'static str> {
    let begins = |start: &&&str| match start.len() {
        ..=SHORT => word == **start,
        _ => word.starts_with(**start),
    };
    let fits = |(idea, starts): &(&'static str, &[&str])| {
        let longest = starts.iter().filter(begins).map(|start| start.len());
        longest.max().map(|length| (length, *idea))
    };
    IDEAS.iter().filter_map(fits).max().map(|(_, idea)| idea)
}

/// Cuts a word that is two, as in `schweissroboter` or `hydprs`: before a known
/// word, where the first half is known as well or the second is no more than it.
pub(super) fn halves(word: &str) -> Option<(&str, &str)> {
    let starts = || IDEAS.iter().flat_map(|(_, starts)| starts.iter().copied()).chain(GENERAL);
    let whole = |half: &str| starts().any(|start| start == half);
    let cuts = word.char_indices().map(|(at, _)| at).skip(HALF + 1);
    cuts.map(|at| word.split_at(at)).find(|(head, tail)| {
        let begins = starts().any(|start| start.len() >= 3 && tail.starts_with(start));
        tail.len() >= HALF && (whole(tail) || (begins && idea(head).is_some()))
    })
}

/// How alike two folded words are, 0 to 1: the same, a beginning, the
/// consonants, some letters in their order, a slip of one key.
pub(super) fn alike(a: &str, b: &str) -> f64 {
    if a == b {
        return 1.0;
    }
    let (short, long) = if a.len() <= b.len() { (a, b) } else { (b, a) };
    if short.is_empty() || short.chars().next() != long.chars().next() {
        return 0.0;
    }
    if long.starts_with(short) {
        return [0.0, 0.4, 0.6, 0.8].get(short.len()).copied().unwrap_or(0.9);
    }
    let (bones, others) = (skeleton(short), skeleton(long));
    if bones == others && bones.len() >= 2 {
        return 0.9;
    }
    if short.len() >= 5 && one_slip(short, long) {
        return 0.85;
    }
    if bones.len() >= 3 && others.starts_with(&bones) {
        // What the longer one says beyond is not explained.
        #[expect(clippy::cast_precision_loss, reason = "letters of a word")]
        return 0.8 * (bones.len() as f64 / others.len() as f64).sqrt();
    }
    match short.len() {
        3 | 4 if in_order(short, long) => 0.6,
        5.. if in_order(short, long) => 0.75,
        _ => 0.0,
    }
}

/// First letter and consonants, doubled ones once.
fn skeleton(word: &str) -> String {
    let mut bones = String::with_capacity(word.len());
    for (n, sign) in word.chars().enumerate() {
        let vowel = matches!(sign, 'a' | 'e' | 'i' | 'o' | 'u' | 'y');
        if (n == 0 || !vowel) && !bones.ends_with(sign) {
            bones.push(sign);
        }
    }
    bones
}

/// Whether the letters of `short` stand in `long`, in their order.
fn in_order(short: &str, long: &str) -> bool {
    let mut rest = long.chars();
    short.chars().all(|sign| rest.any(|other| other == sign))
}

/// Whether one letter more, less or another makes one word of the other.
fn one_slip(short: &str, long: &str) -> bool {
    let (short, long): (Vec<char>, Vec<char>) = (short.chars().collect(), long.chars().collect());
    let same = short.iter().zip(&long).take_while(|(a, b)| a == b).count();
    match long.len() - short.len() {
        0 => short[same..].iter().skip(1).eq(long[same..].iter().skip(1)),
        1 => short[same..] == long[same + 1..],
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn umlauts_have_one_spelling() {
        assert_eq!(folded("SÄGE"), folded("Saege"));
        assert_eq!(folded("Größe"), folded("GROESSE"));
    }

    #[test]
    fn words_are_shortened_in_many_ways() {
        for (short, long, least) in [
            ("prs", "press", 0.9),
            ("mont", "montage", 0.9),
            ("lackierung", "lackirung", 0.85),
            ("h", "hall", 0.4),
            ("hrdng", "hardening", 0.9),
            ("asy", "assembly", 0.6),
            ("assyln", "assemblyline", 0.7),
        ] {
            assert!(alike(short, long) >= least, "{short} {long}: {}", alike(short, long));
            assert!((alike(short, long) - alike(long, short)).abs() < 1e-9);
        }
        for (one, other) in [("press", "weld"), ("saw", "sander"), ("", "a"), ("paint", "pool")] {
            assert!(alike(one, other) < 0.5, "{one} {other}");
        }
    }

    #[test]
    fn a_word_that_is_two_is_cut() {
        for (word, halves_of) in [
            ("schweissroboter", Some(("schweiss", "roboter"))),
            ("robcell", Some(("rob", "cell"))),
            ("hydprs", Some(("hyd", "prs"))),
            ("waschanlage", Some(("wasch", "anlage"))),
            ("prufstand", Some(("pruf", "stand"))),
            ("compressor", None),
            ("press", None),
            ("assembly", None),
        ] {
            assert_eq!(halves(word), halves_of, "{word}");
        }
    }

    #[test]
    fn tongues_share_ideas() {
        for (one, other) in
            [("schweissen", "welding"), ("frasmaschine", "mill"), ("lackiererei", "paint")]
        {
            assert_eq!(idea(one), idea(other), "{one} {other}");
        }
        assert_eq!(idea("warehouse"), None);
    }
}
