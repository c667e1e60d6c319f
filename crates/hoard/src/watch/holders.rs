//! Where holders are and what they say, as they were looked at last.

use std::collections::HashMap;

use kad::PeerId;
use schema::{HolderAnswer, Whereabouts};

const PLACES: usize = Whereabouts::ALL.len();
const ANSWERS: usize = HolderAnswer::ALL.len();

/// Holders by where they are and what they say of the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HolderStates([[u64; ANSWERS]; PLACES]);

impl Default for HolderStates {
    fn default() -> Self {
        Self([[0; ANSWERS]; PLACES])
    }
}

impl HolderStates {
    /// How many of them are in a state for which this holds.
    pub fn count(&self, holds: impl Fn(Whereabouts, HolderAnswer) -> bool) -> u64 {
        self.iter()
            .filter(|&(whereabouts, answer, _)| holds(whereabouts, answer))
            .map(|(_, _, count)| count)
            .sum()
    }

    /// Every state, and how many holders are in it.
    pub fn iter(&self) -> impl Iterator<Item = (Whereabouts, HolderAnswer, u64)> + '_ {
        let place = |(&whereabouts, counts): (&Whereabouts, &'_ [u64; ANSWERS])| {
            let counts = *counts;
            HolderAnswer::ALL.iter().zip(counts).map(move |(&answer, count)| (whereabouts, answer, count))
        };
        Whereabouts::ALL.iter().zip(&self.0).flat_map(place)
    }

    fn at(&mut self, state: HolderState) -> Option<&mut u64> {
        self.0.get_mut(usize::from(state.place))?.get_mut(usize::from(state.answer))
    }
}

/// A state, by its places in the lists of names.
#[derive(Debug, Clone, Copy)]
struct HolderState {
    place: u8,
    answer: u8,
}

impl HolderState {
    fn of(whereabouts: Whereabouts, answer: HolderAnswer) -> Self {
        let place = Whereabouts::ALL.iter().position(|&of| of == whereabouts);
        let said = HolderAnswer::ALL.iter().position(|&of| of == answer);
        let byte = |at: Option<usize>| at.and_then(|at| u8::try_from(at).ok()).unwrap_or(u8::MAX);
        Self { place: byte(place), answer: byte(said) }
    }
}

/// The holders of each key as they were seen last: two bytes for each of them.
#[derive(Debug, Default)]
pub(super) struct LastSeen(HashMap<u64, Box<[HolderState]>>);

impl LastSeen {
    /// The holders of a key were seen so. One that was seen several times is as it was seen last.
    pub(super) fn see(
        &mut self,
        key: u64,
        seen: &[(PeerId, Whereabouts, HolderAnswer)],
        states: &mut HolderStates,
    ) {
        // A round that saw nobody says nothing new.
        if seen.is_empty() {
            return;
        }
        let last: HashMap<PeerId, HolderState> = seen
            .iter()
            .map(|&(peer, whereabouts, answer)| (peer, HolderState::of(whereabouts, answer)))
            .collect();
        self.forget(key, states);
        for &state in last.values() {
            if let Some(count) = states.at(state) {
                *count += 1;
            }
        }
        self.0.insert(key, last.into_values().collect());
    }

    /// The key is watched no more.
    pub(super) fn forget(&mut self, key: u64, states: &mut HolderStates) {
        for &state in self.0.remove(&key).iter().flatten() {
            if let Some(count) = states.at(state) {
                *count = count.saturating_sub(1);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_holder_counts_once_as_it_was_seen_last() {
        let (mut last, mut states) = (LastSeen::default(), HolderStates::default());
        let [one, two] = [PeerId::random(), PeerId::random()];
        let (same, with) = (Whereabouts::SameAddress, HolderAnswer::WithAddresses);
        let seen = [(one, same, with), (two, same, with), (one, same, HolderAnswer::IdOnly)];
        last.see(1, &seen, &mut states);
        assert_eq!((states.count(|_, answer| answer == with), states.count(|_, _| true)), (1, 2));
        last.see(1, &[(one, Whereabouts::Gone, HolderAnswer::Unreached)], &mut states);
        last.see(1, &[], &mut states);
        assert_eq!(states.count(|whereabouts, _| whereabouts == Whereabouts::Gone), 1);
        last.forget(1, &mut states);
        last.forget(1, &mut states);
        assert_eq!(states, HolderStates::default());
    }
}
