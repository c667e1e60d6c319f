//! What the answers of one lookup say: who is closer, who provides the key, and what is under it.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use kad::{
    Multiaddr, PeerId,
    failure::{Failure, FailureClass, Phase},
    lookup::{Candidate, Lookup, LookupKind, Trace},
    message::{MessageView, PeerView, Record},
};

use crate::addresses::KnownAddresses;

/// The most providers that are kept with all that was said of them.
const MAX_PROVIDERS: usize = 1024;

/// The most values that are kept.
const MAX_VALUES: usize = 64;

/// The most addresses of one provider that are kept; of more the first ones are.
const MAX_ADDRESSES: usize = 64;

/// An address that was given of a provider, and by whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenAddress {
    /// The address.
    pub addr: Multiaddr,
    /// Whose records it came with, by the numbers of the peers in the trace.
    pub by: Vec<Candidate>,
}

/// A provider, and who said so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Provider {
    /// Who it is.
    pub peer: PeerId,
    /// The addresses that were given with records, also those that may not be dialled.
    pub given: Vec<GivenAddress>,
    /// Who has a record of it, by the number of the peer in the trace, and whether addresses came with it.
    pub holders: Vec<(Candidate, bool)>,
    /// When it was first heard of, from the start of the lookup.
    pub heard_at: Duration,
}

impl Provider {
    /// The addresses alone.
    pub fn addrs(&self) -> Vec<Multiaddr> {
        self.given.iter().map(|given| given.addr.clone()).collect()
    }

    fn note_address(&mut self, addr: Multiaddr, holder: Candidate) {
        let has_room = self.given.len() < MAX_ADDRESSES;
        match self.given.iter_mut().find(|given| given.addr == addr) {
            Some(given) if given.by.contains(&holder) => {}
            Some(given) => given.by.push(holder),
            None if has_room => self.given.push(GivenAddress { addr, by: vec![holder] }),
            None => {}
        }
    }
}

/// A value that holds, and who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FoundValue {
    /// Who gave it.
    pub holder: Candidate,
    /// The value.
    pub value: Vec<u8>,
    /// When it came, from the start of the lookup.
    pub at: Duration,
}

/// What was read so far.
pub(super) struct Reading<H> {
    pub(super) addresses: KnownAddresses,
    pub(super) providers: Vec<Provider>,
    pub(super) values: Vec<FoundValue>,
    holds: H,
    /// The ids of peers that are not heard of.
    ignored: Arc<BTreeSet<Vec<u8>>>,
}

impl<H: Fn(&[u8]) -> bool> Reading<H> {
    pub(super) const fn new(addresses: KnownAddresses, holds: H, ignored: Arc<BTreeSet<Vec<u8>>>) -> Self {
        Self { addresses, providers: Vec::new(), values: Vec::new(), holds, ignored }
    }

    /// Takes the answer to a request in. An error says that it is none.
    pub(super) fn take(
        &mut self,
        answer: &[u8],
        (rpc, candidate, now): (usize, Candidate, Duration),
        (lookup, trace): (&mut Lookup, &mut Trace),
        admits: &impl Fn(&Multiaddr) -> bool,
    ) -> Result<(), Failure> {
        let malformed = |_| Failure::new(Phase::Request, FailureClass::Malformed);
        let view = MessageView::decode(answer).map_err(malformed)?;
        if trace.kind == LookupKind::Value
            && let Some(record) = view.record()
        {
            let record = Record::decode(record).map_err(malformed)?;
            self.take_value(record, (rpc, candidate, now), (lookup, trace));
        }
        let providers: Vec<PeerView<'_>> = match trace.kind {
            LookupKind::Providers => view.provider_peers().collect(),
            _ => Vec::new(),
        };
        for provider in &providers {
            self.take_provider(provider, candidate, now);
            lookup.provider(provider.id, provider.addrs().next().is_some());
        }
        // Whom nobody would dial is not asked.
        let mut closer = Vec::with_capacity(kad::message::K);
        for peer in view.closer_peers().filter(|peer| !self.ignored.contains(peer.id)) {
            if self.addresses.learn(&peer, admits) || peer.id == &*trace.own {
                closer.push(peer);
            }
        }
        let said = |peer: &PeerView<'_>| peer.addrs().next().is_some();
        trace.answered(
            rpc,
            now,
            closer.iter().map(|peer| (peer.id, said(peer))),
            providers.iter().map(|peer| (peer.id, said(peer))),
        );
        lookup.answered(candidate, closer.iter().map(|peer| peer.id));
        Ok(())
    }

    /// A value counts if it holds. What does not hold is no fault of the rest of the answer.
    fn take_value(
        &mut self,
        record: Record,
        (rpc, holder, at): (usize, Candidate, Duration),
        (lookup, trace): (&mut Lookup, &mut Trace),
    ) {
        if record.key == *trace.preimage && (self.holds)(&record.value) {
            lookup.value();
            trace.value(rpc);
            if self.values.len() < MAX_VALUES {
                self.values.push(FoundValue { holder, value: record.value, at });
            }
        }
    }

    fn take_provider(&mut self, entry: &PeerView<'_>, holder: Candidate, heard_at: Duration) {
        let Ok(peer) = PeerId::from_bytes(entry.id) else { return };
        let known = self.providers.iter().position(|provider| provider.peer == peer);
        let position = match known {
            Some(position) => position,
            None if self.providers.len() >= MAX_PROVIDERS => return,
            None => {
                self.providers.push(Provider { peer, given: Vec::new(), holders: Vec::new(), heard_at });
                self.providers.len() - 1
            }
        };
        let provider = &mut self.providers[position];
        // By Go's rules some are asked twice.
        let gives_addresses = entry.addrs().next().is_some();
        match provider.holders.iter_mut().find(|(known, _)| *known == holder) {
            Some((_, before)) => *before |= gives_addresses,
            None => provider.holders.push((holder, gives_addresses)),
        }
        for addr in entry.addrs().filter_map(|bytes| Multiaddr::try_from(bytes.to_vec()).ok()) {
            provider.note_address(addr, holder);
        }
    }
}
