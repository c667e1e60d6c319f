//! What happens when more is asked than can be done: a ladder of degradation, and a share for each remote.
//!
//! Deciding is apart from measuring: whoever watches hands in [`Measures`], and what was decided is read on the way of every
//! answer by one atomic. A request is [admitted](LoadControl::admit) to a [rung](Rung), or shed for a [reason](ShedReason);
//! each is counted by its type, and the counts add up. What a rung means for an answer is carried out by whoever answers.

mod climb;
mod counts;
mod ladder;
mod rung;
mod shares;
mod tally;
#[cfg(test)]
mod tests;

use std::{
    net::IpAddr,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU16, AtomicU32, Ordering},
    },
    time::Duration,
};

use kad::{Multiaddr, PeerId, message::MessageType};
use multiaddr::Protocol;

use self::{climb::Climb, counts::Counting, shares::Shares, tally::RemoteTally};
pub use self::{
    climb::Measures,
    counts::{AskedType, LoadCounts, TypeCounts},
    ladder::{BadLadder, Ladder, RungRule, Thresholds},
    rung::{Allowed, Rung},
    shares::ShareConfig,
};

kad::named! {
    /// Why a request was not answered.
    pub enum ShedReason {
        /// Everybody's requests are refused.
        Refused = "refused",
        /// The asker had its share.
        Share = "share",
        /// We serve no more, and have said so.
        Declined = "declined",
    }
}

/// How a hydra behaves under load.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LoadConfig {
    /// When which rung is in force.
    pub ladder: Ladder,
    /// What one remote may ask while any is.
    pub shares: ShareConfig,
    /// How much memory there is for the process, in bytes; `None`: as much as the control group that it is in has, if that has
    /// a limit.
    pub memory_bytes: Option<u64>,
}

/// What changed by a look at the [`Measures`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RungChange {
    /// The rung before.
    pub from: Rung,
    /// The rung now.
    pub to: Rung,
}

/// What was decided about load, and what became of requests by it. All clones are one.
#[derive(Debug, Clone)]
pub struct LoadControl(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    /// [`Allowed`], packed.
    allowed: AtomicU16,
    /// How many requests a second a remote may ask; [`u32::MAX`] while nobody is held to that.
    level: AtomicU32,
    tally: RemoteTally,
    counting: Counting,
    deciding: Mutex<(Climb, Shares)>,
}

impl LoadControl {
    /// Nothing was measured yet: the best rung is in force.
    pub fn new(config: LoadConfig) -> Self {
        let inner = Inner {
            allowed: AtomicU16::new(Allowed::ALL.packed()),
            level: AtomicU32::new(u32::MAX),
            tally: RemoteTally::new(),
            counting: Counting::default(),
            deciding: Mutex::new((Climb::new(config.ladder), Shares::new(config.shares))),
        };
        Self(Arc::new(inner))
    }

    /// The rung in force: the last of the ladder whose thresholds are exceeded.
    pub fn rung(&self) -> Rung {
        self.allowed().rung()
    }

    /// What may be done for a request now.
    pub fn allowed(&self) -> Allowed {
        Allowed::unpacked(self.0.allowed.load(Ordering::Relaxed))
    }

    /// How many requests a second one remote may ask at the moment; `None` while nobody is held to a share.
    pub fn share(&self) -> Option<u32> {
        Some(self.0.level.load(Ordering::Relaxed)).filter(|level| *level != u32::MAX)
    }

    /// Takes what was measured at `now` (any clock that does not go back), and decides. To be called several times a second:
    /// what remotes asked is forgotten by these calls. `None` if the rung stays.
    pub fn note(&self, measures: &Measures, now: Duration) -> Option<RungChange> {
        let inner = &*self.0;
        let mut deciding = inner.deciding.lock().unwrap_or_else(PoisonError::into_inner);
        let (climb, shares) = &mut *deciding;
        let (from, allowed) = (self.rung(), climb.note(measures, now));
        let level = shares.note(allowed.rung() != Rung::Belly, &inner.tally, now);
        inner.level.store(level.unwrap_or(u32::MAX), Ordering::Relaxed);
        inner.allowed.store(allowed.packed(), Ordering::Relaxed);
        let to = allowed.rung();
        (from != to).then_some(RungChange { from, to })
    }

    /// Admits a request of a peer that is seen at `remote`, and counts what becomes of it. Whoever is over its share while
    /// there is overload gets closer peers only, and nothing from there on. Where there are no records, none are taken.
    pub fn admit(&self, kind: MessageType, from: &PeerId, remote: &Multiaddr) -> Result<Allowed, ShedReason> {
        let (inner, allowed) = (&*self.0, self.allowed());
        let is_within = inner.tally.take(from, ip_of(remote), inner.level.load(Ordering::Relaxed));
        let is_to_keep = matches!(kind, MessageType::AddProvider | MessageType::PutValue);
        let decided = match is_within {
            _ if !allowed.serves() => Err(ShedReason::Declined),
            _ if !allowed.answers() || (is_to_keep && !allowed.has_records()) => Err(ShedReason::Refused),
            true => Ok(allowed),
            false if allowed.has_records() && !is_to_keep => Ok(allowed.without_records()),
            false => Err(ShedReason::Share),
        };
        inner.counting.count(kind, decided.map(Allowed::rung));
        decided
    }

    /// The answer to a request that was admitted to `rung` had to do without what the belly was asked for: it counts as one
    /// of closer peers only.
    pub fn fell(&self, kind: MessageType, rung: Rung) {
        self.0.counting.fell(kind, rung);
    }

    /// What became of all requests so far.
    pub fn counts(&self) -> LoadCounts {
        self.0.counting.counts()
    }
}

/// The IP address at the beginning of an address.
fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next()? {
        Protocol::Ip4(ip) => Some(ip.into()),
        Protocol::Ip6(ip) => Some(ip.into()),
        _ => None,
    }
}
