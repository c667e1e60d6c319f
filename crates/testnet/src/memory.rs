//! What the peers of a world have learned since their testnet began: records that were given to them, and guests who
//! asked them. Empty it costs nothing, however many peers there are, and no request waits for it.
//!
//! The only place of the answers that reads the clock: tokio's, so that days pass in virtual time as on sockets.

use std::{
    sync::{
        Arc, Mutex, MutexGuard, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use kad::{
    answer::{Provide, Put, Query, own_address},
    fabric::Introduced,
    failure::SkipReason,
    message::MessageType,
    policy::Addresses,
    records::{Provided, Providers, Values},
};
use multiaddr::{Multiaddr, Protocol};
use tokio::time::Instant;

use crate::{
    guests::{Guest, GuestSaid, Guests, Listed},
    scenario::holder::HolderShare,
    sightings::Sightings,
};

/// When every testnet begins by its own calendar, which records are dated by: 2026-01-01T00:00:00Z, since the Unix epoch.
/// The same scenario gives the same bytes on any day.
const BEGINNING: Duration = Duration::from_secs(1_767_225_600);

/// What all peers of a world have learned.
#[derive(Debug)]
pub(crate) struct Memory {
    began: Instant,
    /// Which addresses of others are kept and given out: those that can be dialled where the world is.
    admitted: Addresses,
    records: Learned<Records>,
    sightings: Learned<Sightings>,
    guests: Learned<Guests>,
}

/// The records of all peers.
#[derive(Debug, Default)]
struct Records {
    providers: Providers,
    values: Values,
}

/// What a peer has under a key.
#[derive(Debug, Default)]
pub(crate) struct Kept {
    /// Who provides it.
    pub(crate) providers: Vec<Provided<'static>>,
    /// The encoded record.
    pub(crate) record: Option<Vec<u8>>,
}

impl Memory {
    /// Nothing yet. `protocol` is the network's; addresses are kept as far as they are `admitted`.
    pub(crate) fn new(protocol: &str, admitted: Addresses) -> Self {
        Self {
            began: Instant::now(),
            admitted,
            records: Learned::new(Records::default()),
            sightings: Learned::new(Sightings::default()),
            guests: Learned::new(Guests::new(protocol)),
        }
    }

    /// A peer keeps that the asker provides a key.
    pub(crate) fn provide(&self, peer: u32, asker: &[u8], provide: &Provide<'_>) {
        let addrs: Vec<Multiaddr> =
            provide.addrs().iter().filter(|addr| self.admits(addr)).cloned().collect();
        let now = self.date();
        self.records.change(|records| records.providers.add(peer, provide.key(), (asker, &addrs), now));
    }

    /// A peer keeps a value, unless it has expired or the peer has a better one: whether it does.
    pub(crate) fn put(&self, peer: u32, put: &Put<'_>) -> bool {
        let now = self.date();
        self.records.change(|records| records.values.put(peer, put.key(), &put.value(), now))
    }

    /// What a peer that is such a holder has under the key that it is asked for.
    pub(crate) fn kept(&self, peer: u32, holder: Option<&HolderShare>, lookup: &Query<'_>) -> Kept {
        let mut kept = Kept::default();
        let (key, kind) = (lookup.key(), lookup.kind());
        if let Some(records) = self.records.any().filter(|_| kind != MessageType::FindNode) {
            let now = self.date();
            if kind == MessageType::GetProviders {
                kept.providers = self.providers(&records.providers, (peer, holder), key, now);
            } else {
                kept.record = records.values.get(peer, key, now).map(<[u8]>::to_vec);
            }
        }
        kept
    }

    /// Whether a peer keeps that this one provides a key, whatever it would say of it to whom.
    pub(crate) fn keeps(&self, peer: u32, key: &[u8], provider: &[u8]) -> bool {
        let now = self.date();
        let records = self.records.any();
        records.is_some_and(|records| {
            records.providers.get(peer, key, now).any(|record| *record.id == *provider)
        })
    }

    fn providers(
        &self,
        providers: &Providers,
        (peer, holder): (u32, Option<&HolderShare>),
        key: &[u8],
        now: Duration,
    ) -> Vec<Provided<'static>> {
        let Some(holder) = holder else {
            return providers.get(peer, key, now).map(Provided::into_owned).collect();
        };
        let sightings = self.sightings.any();
        let seen = |id: &[u8]| sightings.as_ref().map_or_else(Default::default, |all| all.get(peer, id));
        let given = |record: Provided<'_>| {
            let seen = seen(&record.id);
            holder.given(record.into_owned(), seen, now)
        };
        providers.records(peer, key, now).filter_map(given).collect()
    }

    /// A holder that remembers it was asked something.
    pub(crate) fn seen(&self, peer: u32, asker: &[u8]) {
        let now = self.date();
        self.sightings.change(|sightings| sightings.asked(peer, asker, now));
    }

    /// The same, for the first time on a connection that is watched.
    pub(crate) fn opened(&self, peer: u32, asker: &[u8]) {
        let now = self.date();
        self.sightings.change(|sightings| sightings.opened(peer, asker, now));
    }

    /// Such a connection is over.
    pub(crate) fn closed(&self, peer: u32, asker: &[u8]) {
        let now = self.date();
        self.sightings.change(|sightings| sightings.closed(peer, asker, now));
    }

    /// Whether a peer that asks should say who it is.
    pub(crate) fn is_of_interest(&self, asker: &kad::PeerId) -> bool {
        self.guests.lock().is_of_interest(asker, self.began.elapsed())
    }

    /// Somebody who has asked a peer says who it is.
    pub(crate) fn met(&self, peer: u32, introduced: Introduced) {
        let Introduced { peer: id, identify, .. } = introduced;
        let mut addresses: Vec<Multiaddr> = Vec::new();
        for addr in identify.listen_addrs.into_iter().filter_map(|addr| own_address(addr, &id)) {
            if self.admits(&addr) && !addresses.contains(&addr) {
                addresses.push(addr);
            }
        }
        let said = GuestSaid { id, addresses, protocols: identify.protocols, agent: identify.agent_version };
        let now = self.began.elapsed();
        // A client is remembered for a while, but is not a guest: nobody needs to look for it.
        if self.guests.lock().met(peer, said, now) {
            self.guests.is_any.store(true, Ordering::Release);
        }
    }

    /// A peer was asked something. Whom it lists beside those in its table.
    pub(crate) fn heard(&self, peer: u32, asker: &[u8]) -> Vec<Arc<Listed>> {
        let now = self.began.elapsed();
        self.guests.any().map_or_else(Vec::new, |mut guests| {
            guests.heard(peer, asker, now);
            guests.of_peer(peer, now)
        })
    }

    /// Where a guest listens; `None` for somebody whom nobody lists.
    pub(crate) fn listens(&self, guest: &[u8]) -> Option<Vec<Multiaddr>> {
        self.guests.any()?.addresses(guest, self.began.elapsed())
    }

    /// How long it has been learning.
    pub(crate) fn age(&self) -> Duration {
        self.began.elapsed()
    }

    /// All guests.
    pub(crate) fn guests(&self) -> Vec<Guest> {
        self.guests.lock().all(self.began.elapsed())
    }

    /// Whether an address is one of the world's kind. What is spoken there may be unknown to us: others may speak it.
    fn admits(&self, addr: &Multiaddr) -> bool {
        let is_ip = matches!(addr.iter().next(), Some(Protocol::Ip4(_) | Protocol::Ip6(_)));
        is_ip && matches!(self.admitted.socket(addr), Ok(_) | Err(SkipReason::TransportNotSupported))
    }

    /// The time since the Unix epoch, by the world's calendar.
    fn date(&self) -> Duration {
        BEGINNING + self.began.elapsed()
    }
}

/// Something that is empty in most testnets: whether it is, is known without waiting.
#[derive(Debug)]
struct Learned<T> {
    is_any: AtomicBool,
    all: Mutex<T>,
}

impl<T> Learned<T> {
    const fn new(none: T) -> Self {
        Self { is_any: AtomicBool::new(false), all: Mutex::new(none) }
    }

    fn lock(&self) -> MutexGuard<'_, T> {
        // Nothing in it breaks halfway: what panicked elsewhere does not matter here.
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What there is, if there ever was anything.
    fn any(&self) -> Option<MutexGuard<'_, T>> {
        self.is_any.load(Ordering::Acquire).then(|| self.lock())
    }

    fn change<R>(&self, change: impl FnOnce(&mut T) -> R) -> R {
        let changed = change(&mut self.lock());
        self.is_any.store(true, Ordering::Release);
        changed
    }
}

#[cfg(test)]
mod tests;
