//! Calls of peers behind address translation, on sockets: each leaves from the peer's own address, and is under its identity.

use std::sync::Arc;

use kad::network::Network;
use net::{Host, HostConfig, Identity, Names, NetError, Source};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::back_dialler::ip_of;
use crate::{
    Guest, World,
    answers::Answers,
    calls::{CallTimes, Called, says, talk},
};

/// The most calls at once, over all peers of a world. Each takes a descriptor as long as it lasts; one more is not made.
const MAX_CALLS: usize = 64;

/// Who calls.
#[derive(Debug, Clone)]
pub(super) struct Calling {
    world: Arc<World>,
    answers: Arc<Answers>,
    /// Whose limits all of them share.
    host: Host,
}

impl Calling {
    /// `None` for a world in which nobody is behind address translation.
    pub(super) fn new(world: &Arc<World>, answers: &Arc<Answers>) -> Result<Option<Self>, NetError> {
        if world.callers().next().is_none() {
            return Ok(None);
        }
        let mut config = HostConfig::new(Identity::generate()?, world.admitted());
        config.dials.max_connecting = MAX_CALLS;
        config.dials.names = Names::Unresolved;
        let host = Host::new(config)?;
        Ok(Some(Self { world: Arc::clone(world), answers: Arc::clone(answers), host }))
    }

    /// Makes all calls to all guests, until it is dropped.
    pub(super) async fn run(self) {
        let memory = &self.answers.memory;
        let age = memory.age();
        let began = Instant::now() - age;
        let mut calls = JoinSet::new();
        for (at, peer) in CallTimes::after(&self.world, age) {
            sleep_until(began + at).await;
            while calls.try_join_next().is_some() {}
            let room = MAX_CALLS - calls.len();
            for guest in memory.guests().into_iter().take(room) {
                calls.spawn(self.clone().call(peer, guest));
            }
        }
    }

    async fn call(self, peer: u32, guest: Guest) {
        let host = match self.host_of(peer) {
            Ok(host) => host,
            Err(error) => return tracing::debug!(%error, "a peer behind address translation cannot call"),
        };
        // Both ends are on one machine: what is between them passes before anything is heard.
        let there = guest.addresses.first().and_then(ip_of);
        sleep(there.map(|ip| self.world.rtt_from(self.world.region_at(ip), peer)).unwrap_or_default()).await;
        if let Some(connection) = host.connect(guest.id, guest.addresses).await.connection {
            talk(connection, &self.world, peer).await;
        }
    }

    fn host_of(&self, peer: u32) -> Result<Host, NetError> {
        let identity = Identity::new(self.world.keypair(peer))?;
        let location = self.world.location(peer);
        let service = Arc::new(Called::new(Arc::clone(&self.answers), peer));
        let source = Source::Own { ip4: location.ip4, ip6: location.ip6 };
        Ok(self.host.serving_beside(identity, &says(&self.world, peer), service, source))
    }
}

#[cfg(test)]
mod tests;
