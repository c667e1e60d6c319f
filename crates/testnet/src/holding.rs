//! How a peer of a world holds the provider records that it is given, and what it still gives out of one.

use std::time::Duration;

use kad::records::Provided;

use crate::{
    scenario::holder::{AddressesSince, HolderShare},
    sightings::Sighting,
    world::World,
};

impl World {
    /// How a peer holds provider records; `None` for one that does as go-libp2p-kad-dht does, and for one that keeps
    /// nothing because it answers nothing.
    pub fn holder(&self, peer: u32) -> Option<&HolderShare> {
        let number = self.peers[peer as usize].holder?;
        self.scenario.holders.get(usize::from(number)).filter(|_| self.state(peer).is_honest_server())
    }

    /// The store of a peer, by the number of the first one whose it is: its own number, unless it shares one.
    pub fn store(&self, peer: u32) -> u32 {
        let shared = self.holder(peer).filter(|holder| holder.shared);
        let number = shared.and(self.peers[peer as usize].holder);
        let first = number.and_then(|number| self.stores.get(usize::from(number)));
        first.copied().flatten().unwrap_or(peer)
    }
}

/// For each kind of holders the first of its peers that answers truthfully; `None` for a kind without one.
pub(crate) fn stores(world: &World) -> Vec<Option<u32>> {
    let first = |number: usize| {
        world.peers().find(|&peer| {
            let is_of_it = world.peers[peer as usize].holder.is_some_and(|of| usize::from(of) == number);
            is_of_it && world.state(peer).is_honest_server()
        })
    };
    (0..world.scenario.holders.len()).map(first).collect()
}

impl HolderShare {
    /// Whether it is of interest when the provider was seen, and whether when it hung up.
    pub(crate) const fn watches(&self) -> bool {
        !matches!(self.addresses_since, AddressesSince::Announced)
    }

    /// Whether connections are watched.
    pub(crate) const fn watches_connections(&self) -> bool {
        matches!(self.addresses_since, AddressesSince::HungUp)
    }

    /// What is given out of a record at `now` by who saw its provider then; `None` if it is kept no longer.
    pub(crate) fn given(
        &self,
        record: Provided<'static>,
        seen: Sighting,
        now: Duration,
    ) -> Option<Provided<'static>> {
        if now.saturating_sub(record.received) > self.keep() {
            return None;
        }
        let since = match self.addresses_since {
            AddressesSince::Announced => record.received,
            AddressesSince::Seen => record.received.max(seen.asked),
            AddressesSince::HungUp if seen.open > 0 => now,
            AddressesSince::HungUp => record.received.max(seen.hung_up),
        };
        let is_located = !self.addresses().is_zero() && now.saturating_sub(since) <= self.addresses();
        Some(if is_located { record } else { record.without_addresses() })
    }
}
