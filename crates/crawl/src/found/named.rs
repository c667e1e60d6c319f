//! What answers tell of the table that they come from: whether they agree, and what they may have left unread. Pure.
//!
//! A server answers with the peers of its table closest to the target. For a target that shares `c` bits with the
//! server, all peers that share `c` bits or more are closer than any that shares fewer. So an answer for prefix `c` that
//! names one that shares fewer claims to have named all that share `c` or more.

use kad::{Key, message::K};
use schema::visit::PREFIXES;

/// A peer in the answers of another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct NamedPeer {
    /// The first of its entries.
    pub(super) entry: u32,
    /// The first 16 bits of its key.
    pub(crate) prefix16: u16,
    /// How many leading bits it shares with the answering peer, at most 255.
    shared: u8,
    /// In the answers for which prefixes it stands: bit `c` for prefix length `c`.
    answers: u16,
}

impl NamedPeer {
    /// A peer with this entry, in no answer yet, of which it is not known where it lies.
    pub(super) const fn new(entry: u32) -> Self {
        Self { entry, prefix16: 0, shared: 0, answers: 0 }
    }

    /// It has this id and lies where keys begin with `prefix16`; the answering peer lies at `own`.
    pub(super) fn locate(&mut self, own: &Key, id: &[u8], prefix16: u16) {
        let shared = match (prefix16 ^ own.prefix16()).leading_zeros() {
            // One of 65,536.
            u16::BITS => Key::of(id).common_prefix_len(own),
            shared => shared,
        };
        self.prefix16 = prefix16;
        self.shared = u8::try_from(shared).unwrap_or(u8::MAX);
    }

    /// It stands in the answer for this prefix.
    pub(super) const fn note(&mut self, prefix: usize) {
        self.answers |= 1 << prefix;
    }

    /// Whether it shares fewer bits with the answering peer than the target of this prefix does.
    pub(crate) fn is_beyond(&self, prefix: usize) -> bool {
        usize::from(self.shared) < prefix
    }

    /// Whether it stands in the answer for this prefix.
    pub(crate) const fn is_in(&self, prefix: usize) -> bool {
        self.answers >> prefix & 1 == 1
    }

    /// The prefixes that are no longer than what it shares: those whose answers have to name it if they claim all.
    fn prefixes(&self) -> u16 {
        let shared = usize::from(self.shared).min(PREFIXES - 1);
        u16::MAX >> (PREFIXES - 1 - shared)
    }
}

/// Whether answers contradict each other: one claims to have named all that share `c` bits or more, and leaves out one
/// of them that another answer names.
pub(crate) fn contradict(named: &[NamedPeer]) -> bool {
    let claims = named.iter().fold(0, |claims, peer| claims | (peer.answers & !peer.prefixes()));
    named.iter().any(|peer| claims & peer.prefixes() & !peer.answers != 0)
}

/// The buckets that may hold more than their answers named: bit `c` for that of prefix length `c`. An answer is full
/// and holds nobody but peers of the bucket, so it may have been cut there; of the last prefix, nobody but peers that
/// share as many bits or more, for which there are no targets.
pub(crate) fn open_buckets(named: &[NamedPeer]) -> u16 {
    let mut sizes = [0; PREFIXES];
    let mut closed = 0;
    for peer in named {
        let own = usize::from(peer.shared).min(PREFIXES - 1);
        closed |= peer.answers & !(1 << own);
        let answers = (0..PREFIXES).filter(|&prefix| peer.is_in(prefix));
        answers.for_each(|prefix| sizes[prefix] += 1);
    }
    let full = (0..PREFIXES).filter(|&prefix| sizes[prefix] >= K);
    full.fold(0, |full, prefix| full | 1 << prefix) & !closed
}
