//! The addresses of one peer: where each was heard of, what came of it in this crawl, and which are dialled next.
//!
//! Whoever names many addresses of a peer must not hide it: an address that no visit has tried goes before all that
//! failed, and neither one source nor one transport takes all places of a dial, of the list, or of all tries.

use std::time::Duration;

use kad::{
    Multiaddr,
    failure::SkipReason,
    network::{AddressOutcome, Transport},
};
use schema::{AddressVisit, PeerNumber};

use crate::miss::turns_away;

/// The most addresses that are kept of one peer.
pub(super) const MAX_ADDRESSES: usize = 128;

/// How many addresses of a peer are tried in one crawl, over all its visits, before it is called unreachable.
pub(super) const MAX_TRIES: usize = 64;

/// How many of these may come from one source.
pub(super) const MAX_TRIES_OF_SOURCE: usize = 32;

/// Who named an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AddressSource {
    /// The user.
    Given,
    /// A visited peer.
    Peer(PeerNumber),
    /// Any of the peers that a walk asked.
    Walk,
}

/// Where and when something was heard of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hearsay {
    pub(crate) from: AddressSource,
    /// The age of the crawl.
    pub(crate) at: Duration,
}

/// What is known of an address in this crawl.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// It would not be dialled.
    Barred,
    /// It would be, and was not yet.
    Untried,
    /// Somebody there turned us away.
    TurnedAway,
    /// Dialled in vain.
    Failed,
}

/// One address.
#[derive(Debug)]
struct Entry {
    address: Multiaddr,
    source: AddressSource,
    /// `None` for a name, and for what is barred.
    transport: Option<Transport>,
    fate: Fate,
}

/// The addresses of one peer, in the order in which they were heard of.
#[derive(Debug, Default)]
pub(super) struct AddressBook {
    entries: Vec<Entry>,
    /// The address for which the next visit is made, if it is made for one.
    cause: Option<u8>,
}

impl AddressBook {
    /// Whether these bytes are one of the addresses.
    pub(super) fn has(&self, address: &[u8]) -> bool {
        self.entries.iter().any(|entry| entry.address.as_ref() == address)
    }

    /// Every address.
    pub(super) fn iter(&self) -> impl Iterator<Item = &Multiaddr> {
        self.entries.iter().map(|entry| &entry.address)
    }

    /// Takes an address in that is not there. Says whether one was left out for want of room: this one, or another.
    pub(super) fn add(
        &mut self,
        address: Multiaddr,
        source: AddressSource,
        admitted: Result<Option<Transport>, SkipReason>,
    ) -> bool {
        let fate = if admitted.is_ok() { Fate::Untried } else { Fate::Barred };
        let entry = Entry { address, source, transport: admitted.ok().flatten(), fate };
        if self.entries.len() < MAX_ADDRESSES {
            self.entries.push(entry);
            return false;
        }
        if let Some(place) = self.most_crowded(source) {
            self.entries[place] = entry;
        }
        true
    }

    /// The last untried address of the source that has the most of them, if it has more than `newcomer` would have.
    fn most_crowded(&self, newcomer: AddressSource) -> Option<usize> {
        let untried = |entry: &Entry| matches!(entry.fate, Fate::Untried | Fate::Barred);
        let of =
            |source| self.entries.iter().filter(|entry| entry.source == source && untried(entry)).count();
        let (place, count) = (0..self.entries.len())
            .filter(|&place| untried(&self.entries[place]))
            .map(|place| (place, of(self.entries[place].source)))
            .max_by_key(|&(_, count)| count)?;
        (count > of(newcomer) + 1).then_some(place)
    }

    /// Whether an address is still to be tried before the peer may be called unreachable.
    pub(super) fn is_due(&self) -> bool {
        self.entries.iter().any(|entry| self.is_entry_due(entry))
    }

    fn is_entry_due(&self, entry: &Entry) -> bool {
        let tried = |entry: &&Entry| matches!(entry.fate, Fate::TurnedAway | Fate::Failed);
        let all = || self.entries.iter().filter(tried);
        entry.fate == Fate::Untried
            && (self.entries.len() <= MAX_TRIES_OF_SOURCE
                || all().count() < MAX_TRIES
                    && all().filter(|tried| tried.source == entry.source).count() < MAX_TRIES_OF_SOURCE)
    }

    /// Notes that the next visit is made for this address.
    pub(super) fn set_cause(&mut self, address: &[u8]) {
        let place = self.entries.iter().position(|entry| entry.address.as_ref() == address);
        self.cause = place.and_then(|place| u8::try_from(place).ok());
    }

    /// All addresses, those first that the next visit is to dial: the one for which it is made, those that no visit has
    /// tried, those where somebody turned us away, and those that failed.
    pub(super) fn choose(&mut self) -> Vec<Multiaddr> {
        let cause = self.cause.take().map(usize::from);
        let (mut due, mut rest): (Vec<usize>, Vec<usize>) =
            (0..self.entries.len()).partition(|&place| self.is_entry_due(&self.entries[place]));
        let mut chosen = Chosen::default();
        while !due.is_empty() && chosen.places.len() < MAX_TRIES_OF_SOURCE {
            let crowding = |&position: &usize| {
                let place = due[position];
                (Some(place) != cause, chosen.like(&self.entries[place]))
            };
            let Some(position) = (0..due.len()).min_by_key(crowding) else { break };
            let place = due.remove(position);
            chosen.add(place, &self.entries[place]);
        }
        rest.append(&mut due);
        rest.sort_by_key(|&place| match self.entries[place].fate {
            Fate::TurnedAway => 0,
            Fate::Failed => 1,
            Fate::Untried => 2,
            Fate::Barred => 3,
        });
        chosen.places.extend(rest);
        chosen.places.into_iter().map(|place| self.entries[place].address.clone()).collect()
    }

    /// Notes what came of each address in a visit.
    pub(super) fn note(&mut self, visited: &[AddressVisit]) {
        for AddressVisit { address, outcome, .. } in visited {
            let fate = match outcome {
                AddressOutcome::Failed(failure) if turns_away(failure) => Fate::TurnedAway,
                AddressOutcome::Failed(_) => Fate::Failed,
                AddressOutcome::Skipped(reason) if *reason != SkipReason::OverLimit => Fate::Barred,
                _ => continue,
            };
            if let Some(entry) =
                self.entries.iter_mut().find(|entry| Some(&entry.address) == address.multiaddr())
            {
                entry.fate = fate;
            }
        }
    }
}

/// Addresses that were chosen, and how many of each kind.
#[derive(Default)]
struct Chosen {
    places: Vec<usize>,
    sources: Vec<AddressSource>,
    transports: Vec<Option<Transport>>,
}

impl Chosen {
    /// How many were chosen that are like this one: of the same source, and of the same transport.
    fn like(&self, entry: &Entry) -> usize {
        let sources = self.sources.iter().filter(|&&source| source == entry.source).count();
        sources + self.transports.iter().filter(|&&transport| transport == entry.transport).count()
    }

    fn add(&mut self, place: usize, entry: &Entry) {
        self.places.push(place);
        self.sources.push(entry.source);
        self.transports.push(entry.transport);
    }
}

#[cfg(test)]
mod tests {
    use kad::failure::{Failure, FailureClass, Phase};

    use super::*;

    const A: AddressSource = AddressSource::Peer(PeerNumber(1));
    const B: AddressSource = AddressSource::Peer(PeerNumber(2));

    fn tcp(port: u16) -> Multiaddr {
        format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap()
    }

    fn quic(port: u16) -> Multiaddr {
        format!("/ip4/127.0.0.1/udp/{port}/quic-v1").parse().unwrap()
    }

    fn add(
        book: &mut AddressBook,
        source: AddressSource,
        addrs: impl IntoIterator<Item = Multiaddr>,
    ) -> usize {
        let transport = |addr: &Multiaddr| {
            if addr.to_string().contains("udp") { Transport::Quic } else { Transport::Tcp }
        };
        addrs.into_iter().filter(|addr| book.add(addr.clone(), source, Ok(Some(transport(addr))))).count()
    }

    /// Dials the first eight, and none of them answers.
    fn visit(book: &mut AddressBook) -> Vec<Multiaddr> {
        let mut dialled = book.choose();
        dialled.truncate(8);
        let failure = Failure::new(Phase::Connect, FailureClass::ConnectionRefused);
        let outcome = AddressOutcome::Failed(failure);
        let of = |address: &Multiaddr| AddressVisit {
            address: address.clone().into(),
            started_after: None,
            took: None,
            outcome: outcome.clone(),
            resolved: Vec::new(),
        };
        book.note(&dialled.iter().map(of).collect::<Vec<_>>());
        dialled
    }

    #[test]
    fn what_was_not_tried_goes_first_and_the_cause_before_all() {
        let mut book = AddressBook::default();
        add(&mut book, A, (1..=20).map(tcp));
        assert_eq!(visit(&mut book), (1..=8).map(tcp).collect::<Vec<_>>());
        add(&mut book, B, [tcp(99)]);
        assert_eq!(visit(&mut book)[..3], [tcp(9), tcp(99), tcp(10)]);
        add(&mut book, A, [tcp(77)]);
        book.set_cause(tcp(77).as_ref());
        assert_eq!(visit(&mut book)[..2], [tcp(77), tcp(16)]);
        assert!(!book.is_due());
        assert_eq!(visit(&mut book)[0], tcp(1), "then those that failed");
    }

    #[test]
    fn no_transport_takes_all_places() {
        let mut book = AddressBook::default();
        add(&mut book, A, (1..=8).map(quic).chain([tcp(1)]));
        assert!(visit(&mut book).contains(&tcp(1)));
    }

    #[test]
    fn one_source_takes_neither_the_list_nor_all_tries() {
        let mut book = AddressBook::default();
        assert_eq!(add(&mut book, A, (1..=200).map(tcp)), 200 - MAX_ADDRESSES);
        let mut visits = 0;
        while book.is_due() {
            visit(&mut book);
            visits += 1;
        }
        assert_eq!(visits, MAX_TRIES_OF_SOURCE / 8);
        assert_eq!(add(&mut book, B, [tcp(999)]), 1);
        assert!(book.is_due() && book.has(tcp(999).as_ref()));
        assert_eq!(visit(&mut book)[0], tcp(999));
        for n in 0..100 {
            add(&mut book, AddressSource::Peer(PeerNumber(100 + n)), [quic(u16::try_from(n).unwrap() + 1)]);
            while book.is_due() {
                visit(&mut book);
                visits += 1;
            }
        }
        assert!(visits < MAX_TRIES, "{visits}");
        assert_eq!(book.iter().count(), MAX_ADDRESSES);
    }

    #[test]
    fn every_address_is_tried_before_the_end() {
        let mut book = AddressBook::default();
        add(&mut book, A, (1..=16).map(tcp).chain((1..=16).map(quic)));
        let mut tried: Vec<Multiaddr> = (0..4).flat_map(|_| visit(&mut book)).collect();
        assert!(!book.is_due());
        tried.sort_unstable();
        tried.dedup();
        assert_eq!(tried.len(), 32);
    }
}
