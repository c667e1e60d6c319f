//! What a peer believes of its own reachability, and when it asks again.

use std::time::Duration;

use super::{DialBackReply, DialBackStatus};
use crate::autonat::Reachability;

/// How sure a peer can be (go-libp2p, `autonat.maxConfidence`).
pub const MAX_CONFIDENCE: u8 = 3;

/// How long a peer waits before it asks for the first time (go-libp2p, `autonat.defaults`, as the other two).
pub const BOOT_DELAY: Duration = Duration::from_secs(15);

/// How long between questions of a peer that is not sure. Nobody is asked twice within this time.
pub const RETRY_INTERVAL: Duration = Duration::from_secs(90);

/// How long between questions of one that is.
pub const REFRESH_INTERVAL: Duration = Duration::from_secs(15 * 60);

/// How long until the next question where one was refused, or somebody new can be asked, and nothing is known yet.
const HURRIED: Duration = Duration::from_secs(2);

/// What a peer believes of itself, as go-libp2p has it: one success makes it public at once; to give a belief up, it
/// takes as many contradictions as were agreements before, and one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Belief {
    reachability: Reachability,
    confidence: u8,
}

impl Default for Belief {
    /// Nothing is known.
    fn default() -> Self {
        Self { reachability: Reachability::Unknown, confidence: 0 }
    }
}

/// What has happened since a peer last asked.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SinceAsked {
    /// The last question was refused, or a peer that can be asked was met.
    pub is_forced: bool,
    /// A stranger from a public address has connected.
    pub has_inbound: bool,
}

impl Belief {
    /// Takes a reply in; `true` if the belief has changed. A refusal says nothing: somebody else is to be asked.
    pub fn hear(&mut self, reply: &DialBackReply) -> bool {
        match reply.status {
            DialBackStatus::Reached => self.observe(Reachability::Public),
            DialBackStatus::DialError => self.observe(Reachability::Private),
            DialBackStatus::Refused => false,
            DialBackStatus::BadRequest | DialBackStatus::InternalError => self.observe(Reachability::Unknown),
        }
    }

    /// Takes in what one question showed; `Unknown` if it came to nothing. `true` if the belief has changed.
    pub const fn observe(&mut self, seen: Reachability) -> bool {
        let is_same = matches!(
            (self.reachability, seen),
            (Reachability::Public, Reachability::Public) | (Reachability::Private, Reachability::Private)
        );
        if is_same {
            self.confidence =
                if self.confidence < MAX_CONFIDENCE { self.confidence + 1 } else { MAX_CONFIDENCE };
            return false;
        }
        if self.confidence > 0 && !matches!(seen, Reachability::Public) {
            self.confidence -= 1;
            return false;
        }
        let was_unknown = matches!(self.reachability, Reachability::Unknown);
        let is_unknown = matches!(seen, Reachability::Unknown);
        (self.reachability, self.confidence) = (seen, 0);
        !(was_unknown && is_unknown)
    }

    /// The peer has an address that it did not have before: it is less sure, so that it asks soon.
    pub const fn moved(&mut self) {
        if self.confidence == MAX_CONFIDENCE {
            self.confidence -= 1;
        }
    }

    /// What it believes.
    pub const fn reachability(&self) -> Reachability {
        self.reachability
    }

    /// How sure it is: up to [`MAX_CONFIDENCE`].
    pub const fn confidence(&self) -> u8 {
        self.confidence
    }

    /// How long after its last question it asks again.
    pub const fn asks_after(&self, since: SinceAsked) -> Duration {
        match self.reachability {
            Reachability::Unknown if since.is_forced => HURRIED,
            Reachability::Unknown => RETRY_INTERVAL,
            _ if self.confidence < MAX_CONFIDENCE => RETRY_INTERVAL,
            Reachability::Private if since.has_inbound => RETRY_INTERVAL,
            Reachability::Public if since.has_inbound => REFRESH_INTERVAL.saturating_mul(2),
            _ => REFRESH_INTERVAL,
        }
    }
}
