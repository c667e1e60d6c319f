//! Where looks stand on the axis of ages: each round by itself, or where rounds overlap in age, each look by its own.

use std::collections::BTreeMap;

/// The places of the looks of one arm.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct AgeBins {
    /// The round of each place, if looks stand with their round.
    rounds: Vec<u32>,
    /// Else the age at which each place but the last ends.
    ends: Option<Vec<f64>>,
}

/// At which ages the looks of one round were.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct RoundAges {
    /// The age that was planned, in seconds: the mean of all keys.
    planned: f64,
    count: f64,
    /// The lowest actual age, in seconds.
    low: f64,
    /// The highest.
    high: f64,
}

/// The ages of every round.
#[derive(Debug, Clone, Default)]
pub(super) struct Ages(BTreeMap<u32, RoundAges>);

impl Ages {
    /// Takes one look: its round, and the planned and the actual age in seconds.
    pub(super) fn add(&mut self, round: u32, planned: f64, age: f64) {
        let first = RoundAges { planned: 0.0, count: 0.0, low: age, high: age };
        let ages = self.0.entry(round).or_insert(first);
        ages.count += 1.0;
        ages.planned += (planned - ages.planned) / ages.count;
        (ages.low, ages.high) = (ages.low.min(age), ages.high.max(age));
    }

    /// The places: a place for each round, by its looks' ages if any two rounds overlap in these.
    pub(super) fn bins(&self) -> AgeBins {
        let ages: Vec<&RoundAges> = self.0.values().collect();
        let overlap = ages.windows(2).any(|pair| pair[0].high >= pair[1].low);
        let ends = overlap.then(|| {
            let mut planned: Vec<f64> = ages.iter().map(|ages| ages.planned).collect();
            planned.sort_by(f64::total_cmp);
            planned.windows(2).map(|pair| f64::midpoint(pair[0], pair[1])).collect()
        });
        AgeBins { rounds: self.0.keys().copied().collect(), ends }
    }
}

impl AgeBins {
    /// How many places there are.
    pub(super) const fn len(&self) -> usize {
        self.rounds.len()
    }

    /// Whether looks stand by their own ages, since rounds overlap.
    pub(super) const fn is_by_age(&self) -> bool {
        self.ends.is_some()
    }

    /// The number of the place of a look; `None` of a round that is not among them.
    pub(super) fn place(&self, round: u32, age: f64) -> Option<usize> {
        match &self.ends {
            None => self.rounds.binary_search(&round).ok(),
            Some(ends) => Some(ends.partition_point(|end| *end <= age)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounds_that_do_not_overlap_are_places_of_their_own() {
        let mut ages = Ages::default();
        for (round, age) in [(0, 10.0), (1, 181.0), (1, 200.0), (2, 361.0)] {
            ages.add(round, f64::from(round) * 180.0, age);
        }
        let bins = ages.bins();
        assert_eq!((bins.len(), bins.is_by_age()), (3, false));
        assert_eq!(bins.place(1, 359.0), Some(1));
        assert_eq!(bins.place(7, 0.0), None);
    }

    #[test]
    fn a_look_that_was_late_by_a_round_stands_where_its_age_is() {
        let mut ages = Ages::default();
        for (round, age) in [(0, 0.0), (1, 180.0), (1, 370.0), (2, 360.0), (3, 540.0)] {
            ages.add(round, f64::from(round) * 180.0, age);
        }
        let bins = ages.bins();
        assert!(bins.is_by_age());
        assert_eq!(
            (bins.place(1, 180.0), bins.place(1, 370.0), bins.place(2, 360.0)),
            (Some(1), Some(2), Some(2))
        );
        assert_eq!((bins.place(3, 9e9), bins.place(0, -1.0)), (Some(3), Some(0)));
    }
}
