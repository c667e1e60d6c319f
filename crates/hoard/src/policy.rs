//! What a caller of a lookup for providers makes of its answers, by rules that can be changed: replayed on the answers of one walk.
//!
//! Rules differ in when the walk is over and in what the caller is told, not in whom the walk asks: whom it asks until it is over does not
//! hang on who provides the key. So a walk that was never cut short has those of all rules as its beginnings. What the caller does next is
//! in `savings`.

use std::{
    collections::{HashMap, hash_map::Entry},
    hash::Hash,
    time::Duration,
};

kad::named! {
    /// Whether a provider is told of again once somebody gives addresses of it: go-libp2p-kad-dht before and after its
    /// pull request 802 (2022).
    pub enum PeerSetRule: serde {
        /// Each provider is told of once, as it was first named.
        Before = "before",
        /// Who was first named without addresses is told of a second time, with the first addresses that come.
        After = "after",
    }
}

kad::named! {
    /// A rule by which a caller takes the answers of a walk, without its numbers.
    pub enum PolicyRule: serde {
        /// The first answer that names the provider is the last.
        FirstAnswer = "first_answer",
        /// As go-libp2p-kad-dht before its pull request 802.
        PeerSetBefore = "peer_set_before",
        /// As go-libp2p-kad-dht since then.
        PeerSetAfter = "peer_set_after",
        /// The walk goes on until somebody gives addresses.
        WaitForAddresses = "wait_for_addresses",
    }
}

/// The providers that a caller was told of, as `findProvidersAsyncRoutine` of go-libp2p-kad-dht keeps them.
#[derive(Debug, Clone)]
pub struct PeerSet<P> {
    rule: PeerSetRule,
    /// How many there are to be; 0 is all there are.
    count: usize,
    /// Who was told of, and whether with addresses.
    known: HashMap<P, bool>,
}

impl<P: Copy + Eq + Hash> PeerSet<P> {
    /// Nobody yet, of so many that are wanted: 0 is all there are.
    pub fn new(rule: PeerSetRule, count: usize) -> Self {
        Self { rule, count, known: HashMap::new() }
    }

    /// An answer names a provider: whether the caller is told of it. Addresses are never merged, and are news only as long as more
    /// providers are wanted.
    pub fn try_add(&mut self, provider: P, has_addresses: bool) -> bool {
        if self.is_full() {
            return false;
        }
        match self.known.entry(provider) {
            Entry::Vacant(place) => {
                place.insert(has_addresses);
                true
            }
            Entry::Occupied(mut known) => {
                let is_news = self.rule == PeerSetRule::After && has_addresses && !known.get();
                *known.get_mut() |= is_news;
                is_news
            }
        }
    }

    /// Whether as many providers are known as are wanted: the walk is over then.
    pub fn is_full(&self) -> bool {
        self.count != 0 && self.known.len() >= self.count
    }
}

/// How a caller takes the answers of a walk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// The first answer that names the provider is the last.
    FirstAnswer,
    /// As go-libp2p-kad-dht.
    PeerSet {
        /// Before its change or after it.
        rule: PeerSetRule,
        /// How many providers are wanted: 0 is all there are.
        count: usize,
    },
    /// The walk goes on until somebody gives addresses of the provider.
    WaitForAddresses {
        /// No longer than this after the provider was first named.
        at_most: Duration,
    },
}

/// What a caller was told of one provider. Times count from the walk's start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PolicyReading {
    /// When it was told of the provider; `None` if it never was.
    pub named_after: Option<Duration>,
    /// When it was told of addresses; `None` if it never was.
    pub addresses_after: Option<Duration>,
    /// When it had addresses, or knew that the walk would bring it none: then it stops the walk.
    pub settled_after: Duration,
}

impl PolicyReading {
    const fn begun(ended: Duration) -> Self {
        Self { named_after: None, addresses_after: None, settled_after: ended }
    }

    /// What RFM17.1 calls the result: 0 nothing, 1 the id alone, 2 the id and addresses.
    pub const fn combo(&self) -> u8 {
        match (self.named_after, self.addresses_after) {
            (_, Some(_)) => 2,
            (Some(_), None) => 1,
            (None, None) => 0,
        }
    }

    fn tell(&mut self, after: Duration, has_addresses: bool) {
        self.named_after.get_or_insert(after);
        if has_addresses {
            self.addresses_after.get_or_insert(after);
        }
    }

    const fn settle(mut self, after: Duration) -> Self {
        self.settled_after = after;
        self
    }
}

impl Policy {
    /// Which rule it is.
    pub const fn rule(self) -> PolicyRule {
        match self {
            Self::FirstAnswer => PolicyRule::FirstAnswer,
            Self::PeerSet { rule: PeerSetRule::Before, .. } => PolicyRule::PeerSetBefore,
            Self::PeerSet { rule: PeerSetRule::After, .. } => PolicyRule::PeerSetAfter,
            Self::WaitForAddresses { .. } => PolicyRule::WaitForAddresses,
        }
    }

    /// Its stable name, which says nothing of its numbers.
    pub const fn name(self) -> &'static str {
        self.rule().name()
    }

    /// What a caller is told of one provider, of the answers of a walk in the order in which they came: when each came, whom it named,
    /// and whether with addresses. `ended` is when the walk was over.
    pub fn read<P: Copy + Eq + Hash, M: IntoIterator<Item = (P, bool)>>(
        self,
        provider: P,
        answers: impl IntoIterator<Item = (Duration, M)>,
        ended: Duration,
    ) -> PolicyReading {
        match self {
            Self::FirstAnswer => read_until(provider, answers, ended, Duration::ZERO),
            Self::WaitForAddresses { at_most } => read_until(provider, answers, ended, at_most),
            Self::PeerSet { rule, count } => {
                read_peer_set(provider, answers, ended, PeerSet::new(rule, count))
            }
        }
    }
}

/// The walk ends when addresses are known, or so long after the provider was first named.
fn read_until<P: Copy + Eq, M: IntoIterator<Item = (P, bool)>>(
    provider: P,
    answers: impl IntoIterator<Item = (Duration, M)>,
    ended: Duration,
    patience: Duration,
) -> PolicyReading {
    let mut reading = PolicyReading::begun(ended);
    for (after, mentions) in answers {
        if let Some(named) = reading.named_after
            && (patience.is_zero() || after > named + patience)
        {
            break;
        }
        for (_, has_addresses) in mentions.into_iter().filter(|(named, _)| *named == provider) {
            reading.tell(after, has_addresses);
        }
        if reading.addresses_after.is_some() {
            return reading.settle(after);
        }
    }
    let patient = reading.named_after.map_or(ended, |named| ended.min(named + patience));
    reading.settle(patient)
}

fn read_peer_set<P: Copy + Eq + Hash, M: IntoIterator<Item = (P, bool)>>(
    provider: P,
    answers: impl IntoIterator<Item = (Duration, M)>,
    ended: Duration,
    mut set: PeerSet<P>,
) -> PolicyReading {
    let mut reading = PolicyReading::begun(ended);
    for (after, mentions) in answers {
        for (named, has_addresses) in mentions {
            if set.try_add(named, has_addresses) && named == provider {
                reading.tell(after, has_addresses);
            }
        }
        let is_last_word = set.rule == PeerSetRule::Before && reading.named_after.is_some();
        if set.is_full() || is_last_word || reading.addresses_after.is_some() {
            return reading.settle(after);
        }
    }
    reading
}

#[cfg(test)]
mod tests;
