//! Which index of the sequence is whose.

use std::{collections::BTreeMap, time::Duration};

use kad::{Keypair, PeerId};
use thiserror::Error;

use super::kept::{KeptAllotments, KeptHolder};
use crate::identity::{HeadSequence, IdentityError, IndexSet};

/// How long indices are let for: longer than it takes to bring a machine back, so that it has its heads again.
pub const LEASE_TIME: Duration = Duration::from_secs(24 * 3600);

/// The most indices that are handed out at a time.
const MAX_HELD: usize = 65_535;

/// The longest name of a holder, in bytes.
const MAX_HOLDER_BYTES: usize = 200;

/// Who has an index.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Holder {
    /// A head of this process.
    Ourselves,
    /// Whoever was given its key.
    Key(PeerId),
    /// A hydra of this name, until then.
    Lease { name: String, until: Duration },
}

/// The identities of a sequence that somebody has.
#[derive(Debug)]
pub struct Allotments {
    sequence: HeadSequence,
    held: BTreeMap<u64, Holder>,
}

/// Why nothing is handed out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum AllotmentError {
    /// As many are out as there may be.
    #[error("{MAX_HELD} identities are out, and no more are handed out")]
    TooMany,
    /// The name says nothing, or is too long.
    #[error("a holder's name has 1 to {MAX_HOLDER_BYTES} bytes")]
    Name,
    /// Fewer than one index was asked for.
    #[error("a lease is of at least one index")]
    Nothing,
    /// No key could be made.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

impl Allotments {
    /// Of a sequence of which this process has these indices itself.
    pub fn new(sequence: HeadSequence, own: impl IntoIterator<Item = u64>) -> Self {
        let held = own.into_iter().map(|index| (index, Holder::Ourselves)).collect();
        Self { sequence, held }
    }

    /// By which sequence.
    pub fn sequence(&self) -> &HeadSequence {
        &self.sequence
    }

    /// Hands out the identity with the lowest free index, until somebody gives it back.
    pub fn hand_out(&mut self, now: Duration) -> Result<Keypair, AllotmentError> {
        let index = self.free(1, now)?.into_iter().next().ok_or(AllotmentError::TooMany)?;
        let identity = self.sequence.identity(index)?;
        self.held.insert(index, Holder::Key(identity.peer_id()));
        Ok(identity.keypair)
    }

    /// Takes an identity back whose key was handed out; `false` if it was not.
    pub fn give_back(&mut self, peer: &PeerId) -> bool {
        let before = self.held.len();
        self.held.retain(|_, holder| *holder != Holder::Key(*peer));
        self.held.len() < before
    }

    /// Lets so many indices to a holder for [`LEASE_TIME`]. Those that it has, it has again; more are the lowest free ones, and of too
    /// many the highest go back.
    pub fn lease(&mut self, name: &str, count: usize, now: Duration) -> Result<IndexSet, AllotmentError> {
        if name.is_empty() || name.len() > MAX_HOLDER_BYTES {
            return Err(AllotmentError::Name);
        }
        if count == 0 {
            return Err(AllotmentError::Nothing);
        }
        let is_its = |holder: &Holder| matches!(holder, Holder::Lease { name: its, .. } if its == name);
        let its = self.held.iter().filter(|(_, holder)| is_its(holder)).map(|(index, _)| *index);
        let mut indices: Vec<u64> = its.take(count).collect();
        indices.extend(self.free(count - indices.len(), now)?);
        self.release(name);
        let until = now.saturating_add(LEASE_TIME);
        let lease = |index: &u64| (*index, Holder::Lease { name: name.to_owned(), until });
        self.held.extend(indices.iter().map(lease));
        IndexSet::of(indices).map_err(|_| AllotmentError::TooMany)
    }

    /// Ends the lease of a holder; `false` if it has none.
    pub fn release(&mut self, name: &str) -> bool {
        let before = self.held.len();
        self.held.retain(|_, holder| !matches!(holder, Holder::Lease { name: its, .. } if its == name));
        self.held.len() < before
    }

    /// How many identities others have.
    pub fn handed_out(&self) -> usize {
        self.held.values().filter(|holder| **holder != Holder::Ourselves).count()
    }

    /// The lowest free indices, so many. What was let and not renewed is free, too.
    fn free(&mut self, count: usize, now: Duration) -> Result<Vec<u64>, AllotmentError> {
        self.held.retain(|_, holder| !matches!(holder, Holder::Lease { until, .. } if *until <= now));
        if self.held.len().saturating_add(count) > MAX_HELD {
            return Err(AllotmentError::TooMany);
        }
        Ok((0..).filter(|index| !self.held.contains_key(index)).take(count).collect())
    }

    /// What others have, to be kept; `None` if there is no seed that would give the same identities again.
    pub fn kept(&self) -> KeptAllotments {
        let holder = |(index, holder): (&u64, &Holder)| {
            let (peer, name, until) = match holder {
                Holder::Ourselves => return None,
                Holder::Key(peer) => (Some(peer.to_string()), None, None),
                Holder::Lease { name, until } => (None, Some(name.clone()), Some(until.as_secs())),
            };
            Some(KeptHolder { index: *index, peer, lease: name, until_s: until })
        };
        KeptAllotments {
            seed: self.sequence.seed().fingerprint(),
            choices: self.sequence.choices().count(),
            held: self.held.iter().filter_map(holder).collect(),
        }
    }

    /// Takes up again what was kept. Indices that this process has itself by now stay its own; `false` if what was kept is of
    /// another sequence.
    pub fn resume(&mut self, kept: KeptAllotments) -> bool {
        let sequence = &self.sequence;
        if (kept.seed, kept.choices) != (sequence.seed().fingerprint(), sequence.choices().count()) {
            return false;
        }
        for KeptHolder { index, peer, lease, until_s } in kept.held.into_iter().take(MAX_HELD) {
            let holder = match (peer.and_then(|peer| peer.parse().ok()), lease) {
                (Some(peer), _) => Holder::Key(peer),
                (None, Some(name)) => {
                    Holder::Lease { name, until: Duration::from_secs(until_s.unwrap_or_default()) }
                }
                (None, None) => continue,
            };
            self.held.entry(index).or_insert(holder);
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::identity::{Choices, HeadSeed};

    const NOW: Duration = Duration::from_secs(1_000_000);

    fn sequence() -> HeadSequence {
        HeadSequence::new(HeadSeed::from_bytes([3; 32]), Choices::ORIGINAL)
    }

    fn allotments(own: std::ops::Range<u64>) -> Allotments {
        Allotments::new(sequence(), own)
    }

    #[test]
    fn keys_are_of_the_servers_own_sequence_beside_its_heads() {
        let mut all = allotments(0..5);
        let mut alone = sequence();
        for index in 5..8 {
            let key = all.hand_out(NOW).unwrap();
            assert_eq!(key.public(), alone.identity(index).unwrap().keypair.public(), "{index}");
        }
        let sixth = alone.identity(6).unwrap();
        assert!(all.give_back(&sixth.peer_id()) && !all.give_back(&sixth.peer_id()));
        assert_eq!(
            all.hand_out(NOW).unwrap().public(),
            sixth.keypair.public(),
            "and again what was given back"
        );
        assert!(!all.give_back(&alone.identity(0).unwrap().peer_id()), "a head of its own is not given back");
    }

    #[test]
    fn leases_do_not_collide_and_a_holder_has_its_own_again() {
        let mut all = allotments(0..2);
        let text = |indices: IndexSet| indices.to_string();
        assert_eq!(text(all.lease("a", 3, NOW).unwrap()), "2..5");
        assert_eq!(text(all.lease("b", 2, NOW).unwrap()), "5..7");
        all.hand_out(NOW).unwrap();
        assert_eq!(text(all.lease("a", 3, NOW).unwrap()), "2..5", "after a restart");
        assert_eq!(text(all.lease("a", 4, NOW).unwrap()), "2..5,8");
        assert_eq!(text(all.lease("a", 1, NOW).unwrap()), "2");
        assert_eq!(text(all.lease("c", 2, NOW).unwrap()), "3..5", "what went back is free");
        assert!(all.release("b") && !all.release("b"));
        assert_eq!(all.lease("", 1, NOW), Err(AllotmentError::Name));
        assert_eq!(all.lease("d", 0, NOW), Err(AllotmentError::Nothing));
        assert_eq!(all.lease("d", usize::MAX, NOW), Err(AllotmentError::TooMany));
    }

    #[test]
    fn what_is_not_renewed_is_free_again() {
        let mut all = allotments(0..0);
        all.lease("gone", 2, NOW).unwrap();
        all.lease("alive", 1, NOW).unwrap();
        let later = NOW + LEASE_TIME / 2;
        all.lease("alive", 1, later).unwrap();
        let after = NOW + LEASE_TIME;
        assert_eq!(all.lease("new", 3, after).unwrap().to_string(), "0..2,3");
        assert_eq!(all.handed_out(), 4);
    }

    #[test]
    fn what_is_out_survives_a_restart_of_the_server() {
        let mut all = allotments(0..2);
        all.lease("a", 2, NOW).unwrap();
        let key = all.hand_out(NOW).unwrap();
        let kept = all.kept();
        let mut again = allotments(0..2);
        assert!(again.resume(kept.clone()));
        assert_eq!(again.lease("b", 1, NOW).unwrap().to_string(), "5");
        assert!(again.give_back(&key.public().to_peer_id()));
        let other = HeadSequence::new(HeadSeed::from_bytes([4; 32]), Choices::ORIGINAL);
        assert!(!Allotments::new(other, []).resume(kept), "of another seed it is not");
    }
}
