//! The sequence of identities that a seed begins: each is the one among some candidates that lies where the fewest others are.

use kad::{Key, Keypair, PeerId};
use serde::Serialize;
use thiserror::Error;

use super::{HeadSeed, IndexSet, MAX_INDEX, Spread, candidate::Candidate};

/// Among how many candidates each identity is chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Choices(u32);

impl Choices {
    /// As in hydra-booster.
    pub const ORIGINAL: Self = Self(2);

    /// The most: each costs a key, and beyond 16 hardly anything is gained.
    pub const MAX: u32 = 256;

    /// So many; `None` if that is 0, or more than [`Choices::MAX`].
    pub const fn new(count: u32) -> Option<Self> {
        if count >= 1 && count <= Self::MAX { Some(Self(count)) } else { None }
    }

    /// How many.
    pub const fn count(self) -> u32 {
        self.0
    }
}

/// An identity of a head.
#[derive(Debug, Clone)]
pub struct HeadIdentity {
    /// Its place in the sequence, from 0.
    pub index: u64,
    /// Its key.
    pub keypair: Keypair,
}

impl HeadIdentity {
    /// Who it is to others.
    pub fn peer_id(&self) -> PeerId {
        self.keypair.public().to_peer_id()
    }
}

/// Why there is no identity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum IdentityError {
    /// The primitives refused to work.
    #[error("no key could be made: the cryptographic library failed")]
    Crypto,
    /// All 2^32 - 1 candidates of the seed are used up.
    #[error("the sequence of this seed is at its end")]
    Exhausted,
}

/// The sequence of identities of a seed, as far as it was wanted.
#[derive(Debug, Clone)]
pub struct HeadSequence {
    seed: HeadSeed,
    choices: Choices,
    /// The number of the last candidate that was looked at.
    used: u32,
    /// The number of the candidate that each index took, from index 0.
    chosen: Vec<u32>,
    taken: Spread,
}

impl HeadSequence {
    /// From its beginning.
    pub fn new(seed: HeadSeed, choices: Choices) -> Self {
        Self { seed, choices, used: 0, chosen: Vec::new(), taken: Spread::default() }
    }

    /// The identity with an index. Those before it are chosen first, as far as they are not: some 10 us for each of their candidates.
    pub fn identity(&mut self, index: u64) -> Result<HeadIdentity, IdentityError> {
        let position = usize::try_from(index.min(MAX_INDEX)).unwrap_or(usize::MAX);
        while self.chosen.len() <= position {
            self.choose()?;
        }
        let number = self.chosen.get(position).copied().unwrap_or_default();
        Ok(HeadIdentity { index, keypair: Candidate::of(&self.seed, number)?.keypair()? })
    }

    /// Counts the place of a peer that is not of this sequence as taken, so that it is chosen around. What comes then is no longer the
    /// sequence of the seed alone.
    pub fn reserve(&mut self, peer: &PeerId) {
        self.taken.insert(Key::of_peer(peer));
    }

    /// By which seed.
    pub const fn seed(&self) -> &HeadSeed {
        &self.seed
    }

    /// Among how many candidates each is chosen.
    pub const fn choices(&self) -> Choices {
        self.choices
    }

    /// The places that are taken.
    pub const fn taken(&self) -> &Spread {
        &self.taken
    }

    /// How many candidates were looked at.
    pub const fn candidates_used(&self) -> u32 {
        self.used
    }

    /// Takes the candidate that lies in the emptiest place; of two that are alike, the later one.
    fn choose(&mut self) -> Result<(), IdentityError> {
        let mut best = self.candidate()?;
        for _ in 1..self.choices.count() {
            let other = self.candidate()?;
            if other.depth <= best.depth {
                best = other;
            }
        }
        self.taken.insert(best.place);
        self.chosen.push(best.number);
        Ok(())
    }

    /// The next candidate whose place is not taken.
    fn candidate(&mut self) -> Result<Placed, IdentityError> {
        loop {
            self.used = self.used.checked_add(1).ok_or(IdentityError::Exhausted)?;
            let place = Candidate::of(&self.seed, self.used)?.place;
            if !self.taken.contains(&place) {
                return Ok(Placed { number: self.used, place, depth: self.taken.depth_of(&place) });
            }
        }
    }
}

/// A candidate, and how crowded it is where it would lie.
#[derive(Clone, Copy)]
struct Placed {
    number: u32,
    place: Key,
    depth: u32,
}

/// The identities with these indices, in their order.
pub fn identities(
    seed: &HeadSeed,
    choices: Choices,
    indices: &IndexSet,
) -> Result<Vec<HeadIdentity>, IdentityError> {
    let mut sequence = HeadSequence::new(seed.clone(), choices);
    indices.iter().map(|index| sequence.identity(index)).collect()
}

#[cfg(test)]
mod tests;
