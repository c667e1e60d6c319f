//! One look at one key, as far as a report counts it: what its holders did, what its lookups gave.

use std::collections::HashMap;

use kad::{Key, PeerId};
use schema::{HoardLookup, HolderAnswer};

use crate::study::{Study, StudyHolder, StudyKey, StudyPeer, StudyRound, StudySight};

/// Everybody in a study: where they lie, and by which numbers they go.
pub(super) struct PeerBook {
    keys: Vec<Key>,
    numbers: HashMap<PeerId, StudyPeer>,
}

impl PeerBook {
    pub(super) fn of(study: &Study) -> Self {
        Self {
            keys: study.peers.iter().map(Key::of_peer).collect(),
            numbers: study.peers.iter().copied().zip((0..).map(StudyPeer)).collect(),
        }
    }

    /// Where somebody lies; `None` for a number of another study.
    pub(super) fn key(&self, peer: StudyPeer) -> Option<&Key> {
        self.keys.get(usize::try_from(peer.0).ok()?)
    }

    /// By which number somebody goes; `None` if the study names nobody of that id.
    pub(super) fn number(&self, peer: &PeerId) -> Option<StudyPeer> {
        self.numbers.get(peer).copied()
    }
}

/// One look: a round of one key, and what it saw of each holder.
pub(super) struct Look<'a> {
    pub(super) key: &'a StudyKey,
    pub(super) round: &'a StudyRound,
    /// Every holder with the last sight that the round had of it, the one closest to the key first.
    pub(super) sights: Vec<(&'a StudyHolder, &'a StudySight)>,
}

/// Every look at a key, from the first round on.
pub(super) fn looks(key: &StudyKey) -> impl Iterator<Item = Look<'_>> {
    key.rounds.iter().map(move |round| {
        let sights = key.holders.iter().filter_map(|holder| Some((holder, last_sight(holder, round.round)?)));
        Look { key, round, sights: sights.collect() }
    })
}

/// The last sight of a holder in a round: of several (a record is read back twice) the last says what came of it.
fn last_sight(holder: &StudyHolder, round: u32) -> Option<&StudySight> {
    let end = holder.sights.partition_point(|sight| sight.round <= round);
    holder.sights.get(end.checked_sub(1)?).filter(|sight| sight.round == round)
}

impl Look<'_> {
    /// Seconds from the beginning of the publication to this look. The publication itself was looked at when it was read back.
    pub(super) fn age(&self) -> f64 {
        let read_back = || self.sights.iter().map(|(_, sight)| sight.after()).max();
        let of_publication = (self.round.round == 0).then(read_back).flatten();
        of_publication.unwrap_or(self.round.began_after).as_secs_f64()
    }

    /// Whether every holder was asked.
    pub(super) fn is_whole(&self) -> bool {
        self.sights.len() == self.key.holders.len()
            && self.sights.iter().all(|(_, sight)| sight.answer != HolderAnswer::Unasked)
    }
}

/// The closest peers that a round found, at most `k` of them and nobody if its lookup failed; `None` without a lookup that went on to
/// its end.
pub(super) fn closest(round: &StudyRound, k: usize) -> Option<&[StudyPeer]> {
    let lookup = round.lookup(HoardLookup::Closest).or_else(|| round.lookup(HoardLookup::Exhaustive))?;
    Some(first(&lookup.closest, k))
}

/// The first of them, at most `k`.
pub(super) fn first(closest: &[StudyPeer], k: usize) -> &[StudyPeer] {
    closest.get(..k).unwrap_or(closest)
}
