//! Likeness: whose figures are these? Each place keeps a short print of what is
//! wanted and of what it is held against, so that all of a target are compared
//! without being in memory.

use super::series::{Against, Series};

/// Parts of a print: weeks a quarter apart fall into the same part, neighbours
/// never do.
const PARTS: usize = 13;
/// Places that are compared with one, by how near their sums are.
const NEAR: usize = 8;

/// What is wanted at a place and what stands there, in few numbers.
#[derive(Debug, Clone)]
pub(super) struct Print {
    pub(super) place: usize,
    pub(super) against: Against,
    pub(super) mapped: bool,
    pub(super) waits: bool,
    wanted: [f64; PARTS],
    stands: [f64; PARTS],
}

/// Whose figures a place seems to get.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Alike {
    /// The place, and the other one.
    pub(super) place: usize,
    pub(super) other: usize,
    /// Whether the figures say so, or only can't tell.
    pub(super) told: bool,
}

impl Print {
    /// The print of a series; `None` where it has nothing to be held against.
    pub(super) fn of(place: usize, series: &Series) -> Option<Self> {
        let against = series.against()?;
        let (mut wanted, mut stands) = ([0.0; PARTS], [0.0; PARTS]);
        for (at, one, other) in series.pairs(against) {
            let part = usize::try_from(at.rem_euclid(PARTS as i64)).unwrap_or_default();
            wanted[part] += one;
            stands[part] += other;
        }
        let (mapped, waits) = (series.is_mapped(), series.waits());
        Some(Self { place, against, mapped, waits, wanted, stands })
    }

    fn sum(parts: &[f64; PARTS]) -> f64 {
        parts.iter().sum()
    }
}

/// How far two prints are apart, 0..1.
fn apart(a: &[f64; PARTS], b: &[f64; PARTS], factor: f64) -> f64 {
    let (mut differs, mut most) = (0.0, 0.0);
    for (a, b) in a.iter().zip(b) {
        let b = b * factor;
        differs += (a - b).abs();
        most += a.max(b);
    }
    if most > 0.0 { differs / most } else { 0.0 }
}

/// Compares every place that waits with those whose figures are near its own.
pub(super) fn compare(prints: &[Print]) -> Vec<Alike> {
    let mut alike = Vec::new();
    for against in [Against::Landed, Against::Own] {
        let of: Vec<&Print> = prints.iter().filter(|print| print.against == against).collect();
        // What the target assumes is higher than what is reached, by one factor.
        let factor = match against {
            Against::Landed => 1.0,
            Against::Own => {
                let both = of.iter().map(|p| (Print::sum(&p.wanted), Print::sum(&p.stands)));
                let rates = both.filter(|(w, s)| *w > 0.0 && *s > 0.0).map(|(w, s)| w / s);
                super::series::median(&mut rates.collect::<Vec<f64>>())
            }
        };
        let mut order: Vec<usize> = (0..of.len()).collect();
        order.sort_by(|a, b| {
            Print::sum(&of[*a].stands).total_cmp(&Print::sum(&of[*b].stands)).then(a.cmp(b))
        });
        for one in of.iter().filter(|print| print.waits) {
            alike.extend(nearest(one, &of, &order, factor));
        }
    }
    alike
}

fn nearest(one: &Print, of: &[&Print], order: &[usize], factor: f64) -> Option<Alike> {
    let sum = Print::sum(&one.wanted);
    let from = order.partition_point(|n| Print::sum(&of[*n].stands) * factor < sum);
    let near = &order[from.saturating_sub(NEAR)..(from + NEAR).min(order.len())];
    let own = apart(&one.wanted, &one.stands, factor);
    let others = near.iter().map(|n| of[*n]).filter(|other| other.place != one.place);
    let best = others
        .map(|other| (apart(&one.wanted, &other.stands, factor), other))
        .min_by(|a, b| a.0.total_cmp(&b.0))?;
    let (far, other) = best;
    let back = apart(&other.wanted, &one.stands, factor);
    let back_own = apart(&other.wanted, &other.stands, factor);
    let (moved, alike, times) = match one.against {
        Against::Landed => (0.05, 0.02, 4.0),
        Against::Own => (0.30, 0.12, 3.0),
    };
    let mutual = back * times < back_own && back < alike;
    let told = own > moved && far < alike && far * times < own && (mutual || one.mapped);
    // What only can't be told apart is worth a word.
    let blurred = match one.against {
        Against::Own => far <= own.mul_add(1.1, 0.02),
        Against::Landed => own > 0.002 && far * 1.5 < own,
    };
    (told || blurred).then_some(Alike { place: one.place, other: other.place, told })
}
