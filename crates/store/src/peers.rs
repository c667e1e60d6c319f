//! The peers of a run by their numbers.

use kad::PeerId;
use schema::PeerNumber;

/// The peers of one run.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peers(Vec<(PeerNumber, PeerId)>);

impl Peers {
    /// From peers in the order of their numbers.
    pub(crate) fn new(ascending: Vec<(PeerNumber, PeerId)>) -> Self {
        Self(ascending)
    }

    /// The peer of a number; `None` if the run has no such number.
    pub fn get(&self, number: PeerNumber) -> Option<PeerId> {
        // Numbers are given from 0 without gaps: nearly always the number is the position.
        let position = usize::try_from(number.0).ok()?;
        match self.0.get(position) {
            Some(&(found, peer)) if found == number => Some(peer),
            _ => self.0.binary_search_by_key(&number, |&(n, _)| n).ok().map(|position| self.0[position].1),
        }
    }

    /// How many there are.
    pub const fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them, in the order in which they were first heard of.
    pub fn iter(&self) -> impl Iterator<Item = (PeerNumber, PeerId)> + '_ {
        self.0.iter().copied()
    }
}
