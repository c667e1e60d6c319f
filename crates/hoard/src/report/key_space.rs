//! Where the keys of an arm lie in the space of keys, and how evenly: where records go.

use kad::Key;

use super::numbers::{KeySpaceNumbers, KeySpacePart};
use crate::study::StudyKey;

/// Into so many parts the space is divided, as by RFM 17.
const PARTS: usize = 256;

/// 2 to the power of 64.
const TWO_64: f64 = 18_446_744_073_709_551_616.0;

/// The places of keys, as they come: the first 64 bits of each.
#[derive(Debug, Default)]
pub(super) struct KeySpaceTally {
    places: Vec<u64>,
}

impl KeySpaceTally {
    pub(super) fn take(&mut self, key: &StudyKey) {
        let key = Key::of(&key.key);
        self.places.push(key.as_bytes().first_chunk().map_or(0, |first| u64::from_be_bytes(*first)));
    }

    pub(super) fn numbers(mut self) -> KeySpaceNumbers {
        self.places.sort_unstable();
        let mut parts = vec![0; PARTS];
        for place in &self.places {
            let [part, ..] = place.to_be_bytes();
            parts[usize::from(part)] += 1;
        }
        let part =
            |(number, keys): (usize, &u64)| KeySpacePart { at: number as f64 / PARTS as f64, keys: *keys };
        // Of those with as many the first one.
        let fewest = parts.iter().enumerate().min_by_key(|(_, keys)| **keys).map(part);
        let most = parts.iter().enumerate().rev().max_by_key(|(_, keys)| **keys).map(part);
        let (n, distance) = (self.places.len() as f64, uneven_by(&self.places));
        KeySpaceNumbers {
            mean: n / PARTS as f64,
            fewest: fewest.filter(|_| distance.is_some()),
            most: most.filter(|_| distance.is_some()),
            uneven_by: distance,
            even_within: distance.map(|_| even_within(n)),
            parts,
        }
    }
}

/// How far the distribution of sorted places is from an even one: A. N. Kolmogorov's distance. `None` of none.
fn uneven_by(sorted: &[u64]) -> Option<f64> {
    let n = sorted.len() as f64;
    let far = |(number, place): (usize, &u64)| {
        let (before, with) = (number as f64 / n, (number + 1) as f64 / n);
        let place = *place as f64 / TWO_64;
        (place - before).max(with - place)
    };
    sorted.iter().enumerate().map(far).max_by(f64::total_cmp)
}

/// Of 100 sets of so many keys that are drawn evenly, 95 are no farther from it. Source: M. A. Stephens, "EDF Statistics for Goodness of Fit
/// and Some Comparisons", Journal of the American Statistical Association 69 (1974), table 1A.
fn even_within(n: f64) -> f64 {
    1.358 / (n.sqrt() + 0.12 + 0.11 / n.sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Of places in parts of 1,024.
    fn of(places: impl IntoIterator<Item = u64>) -> KeySpaceNumbers {
        KeySpaceTally { places: places.into_iter().map(|place| place << 54).collect() }.numbers()
    }

    fn is(value: f64, expected: f64) -> bool {
        (value - expected).abs() < 1e-12
    }

    #[test]
    fn parts_and_distances_are_those_of_a_few_places() {
        let numbers = of([768, 512, 513]);
        assert_eq!((numbers.parts.len(), numbers.parts.iter().sum::<u64>()), (256, 3));
        assert_eq!((numbers.parts[128], numbers.parts[192]), (2, 1));
        let (fewest, most) = (numbers.fewest.unwrap(), numbers.most.unwrap());
        assert!((fewest.keys, most.keys) == (0, 2) && is(fewest.at, 0.0) && is(most.at, 0.5));
        assert!(is(numbers.uneven_by.unwrap(), 0.5), "half of the space is passed before the first");
        assert!(is(numbers.mean, 3.0 / 256.0));
    }

    #[test]
    fn even_places_are_within_what_even_draws_are_and_others_are_not() {
        let even = of(0..1024);
        assert!(even.uneven_by.unwrap() < 0.001 && even.even_within.unwrap() > 0.04);
        assert_eq!((even.fewest.unwrap().keys, even.most.unwrap().keys), (4, 4));
        let uneven = of((0..1024).map(|number| number * number / 1024));
        assert!(uneven.uneven_by.unwrap() > uneven.even_within.unwrap());
    }

    #[test]
    fn keys_lie_where_their_records_go() {
        let mut tally = KeySpaceTally::default();
        let key = StudyKey::published(vec![0x12, 0x20, 7], 0, kad::PeerId::random(), schema::Timestamp(0));
        tally.take(&key);
        let first = f64::from(Key::of(&key.key).as_bytes()[0]);
        assert!(is(tally.numbers().most.unwrap().at, first / 256.0));
    }

    #[test]
    fn no_key_has_no_place() {
        let numbers = of([]);
        assert_eq!((numbers.fewest, numbers.uneven_by, numbers.even_within), (None, None, None));
    }
}
