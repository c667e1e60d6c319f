//! What the walks of a crawl say, counted from their rows: how many there were, what they took, and how large the network is.
//!
//! The size is not taken from how often walks met the same peers. Who lies where peers are sparse is met more often than who lies in a
//! crowd, so meetings are no capture and recapture with equal chances. It is taken from how far from a key at random its closest peers
//! lie, which depends on how many peers there are alone ([`ManyLookups`]). How many of these answer says what share of the network does.

use kad::{Key, lookup::Termination, message::K, size::ManyLookups};
use schema::{CrawlWalk, PeerNumber};
use serde::{Deserialize, Serialize};

/// So few whole walks say nothing of a size: as few as go-libp2p-kad-dht asks for.
const MIN_WALKS: u64 = kad::size::MIN_LOOKUPS as u64;

/// How many of the nearest peers are looked at. Peers name the 20 that are closest to a key. Where some of these are left alone, a walk
/// knows those of the rest that lie farther by chance only, and whom it does not know would make the network look small. Half of them
/// are known for certain as long as half of the peers may be asked.
const CERTAIN: usize = K / 2;

/// What the walks of a crawl came to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
pub struct WalkSummary {
    /// Walks, those included that time cut short.
    pub walks: u64,
    /// Those that came to their end, and on which somebody answered.
    pub whole: u64,
    /// Requests that they decided to make. Those of visits are apart from them.
    pub asked: u64,
    /// Those of them that were answered.
    pub answered: u64,
    /// Dials that they made; those of visits are apart from them.
    pub dialled: u64,
    /// How many peers are named in the network, whether they answer or not; `None` if that cannot be told.
    pub named: Option<WalkedSize>,
    /// How many peers of it answer; likewise.
    pub answering: Option<WalkedSize>,
    /// Why there is no size; `None` if there is one.
    pub no_size_because: Option<NoWalkedSize>,
}

/// How many peers there likely are.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct WalkedSize {
    /// The number.
    pub peers: f64,
    /// Not fewer, with 95 % confidence.
    pub low: f64,
    /// Not more, likewise.
    pub high: f64,
    /// On how many walks that stands.
    pub n_walks: u64,
}

kad::named! {
    /// Why walks say nothing of the size of a network.
    pub enum NoWalkedSize: serde {
        /// Hardly any came to its end.
        TooFewWalks = "too_few_walks",
    }
}

/// Counts walks as they come.
#[derive(Debug, Default)]
pub(crate) struct RandomWalkTally {
    summary: WalkSummary,
    named: ManyLookups,
    answering: ManyLookups,
}

impl RandomWalkTally {
    /// Takes a walk in. `key_of` says where a peer lies; `None` if nobody has the number.
    pub(crate) fn add(&mut self, walk: &CrawlWalk, key_of: impl Fn(PeerNumber) -> Option<Key>) {
        let summary = &mut self.summary;
        summary.walks += 1;
        summary.asked += u64::from(walk.asked);
        summary.answered += u64::from(walk.answered);
        summary.dialled += u64::from(walk.dialled);
        if walk.closest.is_empty() || walk.ending == Termination::Cancelled {
            return;
        }
        summary.whole += 1;
        let target = Key::of(&walk.key);
        let mut near: Vec<(PeerNumber, Key)> =
            walk.nearest.iter().filter_map(|&peer| Some((peer, key_of(peer)?))).collect();
        near.sort_unstable_by_key(|(_, key)| key.distance(&target));
        near.truncate(CERTAIN);
        let answer = near.iter().filter(|(peer, _)| walk.closest.contains(peer)).count();
        if let Some((_, farthest)) = near.last() {
            self.named.add(&target, farthest, near.len());
            self.answering.add(&target, farthest, answer);
        }
    }

    /// What they came to.
    pub(crate) fn summary(&self) -> WalkSummary {
        let is_enough = self.summary.whole >= MIN_WALKS;
        let size = |many: &ManyLookups| {
            let likely = many.likely().filter(|_| is_enough)?;
            let (peers, low, high) = (tenths(likely.peers), tenths(likely.low), tenths(likely.high));
            Some(WalkedSize { peers, low, high, n_walks: many.lookups() })
        };
        WalkSummary {
            named: size(&self.named),
            answering: size(&self.answering),
            no_size_because: (!is_enough).then_some(NoWalkedSize::TooFewWalks),
            ..self.summary
        }
    }
}

/// To a tenth of a peer: further digits say nothing.
fn tenths(peers: f64) -> f64 {
    (peers * 10.0).round() / 10.0
}
