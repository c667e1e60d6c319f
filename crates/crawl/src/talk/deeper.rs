//! Further requests inside buckets that may hold more than one answer names, if the user wishes for whole tables.

use kad::Key;
use schema::{FurtherRequests, visit::PREFIXES};

use super::part::{Part, Rest};
use crate::found::{HeardPeers, NamedPeer, open_buckets};

/// The most further requests of one visit. A js-libp2p table, up to 20 peers in each of 64 leaves, takes about 130.
pub(super) const MAX_FURTHER: usize = 256;

/// How many of them go out at once.
const WAVE: usize = 16;

/// What is asked for after the prefixes, and what came of it.
#[derive(Debug)]
pub(super) struct Deeper {
    wished: bool,
    /// The buckets of which parts were made, as bits.
    begun: u16,
    parts: Vec<Part>,
    sent: usize,
    /// Buckets of which a part stays unread: bit `c` for that of prefix length `c`.
    unread: u16,
    /// How the requests went.
    pub(super) requests: FurtherRequests,
}

impl Deeper {
    /// Nothing asked yet. Unless it is `wished` for, nothing ever is.
    pub(super) fn new(wished: bool) -> Self {
        Self { wished, begun: 0, parts: Vec::new(), sent: 0, unread: 0, requests: FurtherRequests::default() }
    }

    /// The parts to ask for now, the first one last; none if all is read or the bound is reached.
    pub(super) fn next_wave(&mut self, own: &Key, found: &HeardPeers) -> Vec<Part> {
        if self.wished {
            self.begin(own, found);
        }
        let wave = WAVE.min(self.parts.len()).min(MAX_FURTHER - self.sent);
        self.sent += wave;
        self.parts.split_off(self.parts.len() - wave)
    }

    fn begin(&mut self, own: &Key, found: &HeardPeers) {
        let open = open_buckets(found.named()) & !self.begun;
        self.begun |= open;
        for bucket in (0..PREFIXES).filter(|bucket| open >> bucket & 1 == 1) {
            let named: Vec<u16> =
                found.named().iter().filter(|peer| peer.is_in(bucket)).map(|peer| peer.prefix16).collect();
            match Part::bucket(own, bucket) {
                Some(part) => self.take(part, part.rest(named.into_iter())),
                None => self.unread |= 1 << bucket,
            }
        }
    }

    /// The answer that `found` has taken in last was for this part.
    pub(super) fn answered(&mut self, part: Part, found: &HeardPeers) {
        self.requests.answered = self.requests.answered.saturating_add(1);
        let rest = part.rest(found.last().map(|&NamedPeer { prefix16, .. }| prefix16));
        self.take(part, rest);
    }

    /// The request for this part failed, or never left.
    pub(super) fn failed(&mut self, part: Part, has_left: bool) {
        self.requests.failed = self.requests.failed.saturating_add(u16::from(has_left));
        self.unread |= 1 << part.bucket;
    }

    fn take(&mut self, part: Part, rest: Rest) {
        self.parts.extend(rest.parts);
        self.unread |= u16::from(rest.is_beyond_reach) << part.bucket;
    }

    /// The buckets that may hold more than was read.
    pub(super) fn open_buckets(&self, found: &HeardPeers) -> u16 {
        let not_begun = open_buckets(found.named()) & !self.begun;
        self.parts.iter().fold(self.unread | not_begun, |open, part| open | 1 << part.bucket)
    }
}
