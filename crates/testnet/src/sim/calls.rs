//! Calls of peers behind address translation, in virtual time: to each server of ours, as long as it is there.

use std::sync::Arc;

use kad::fabric::AnyService;
use multiaddr::Multiaddr;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until},
};

use super::{Caller, SimConnection, dial::dial, ours::Ours};
use crate::calls::{CallTimes, Called, says, talk};

/// Makes the calls of all to a server of ours, until it leaves.
pub(super) async fn make(to: Caller) {
    let leaving = to.ours.leaving().clone();
    leaving.run_until_cancelled(make_all(to)).await;
}

async fn make_all(to: Caller) {
    let (memory, world) = (&to.shared.answers.memory, &to.shared.world);
    let age = memory.age();
    let began = Instant::now() - age;
    // A peer stays for a shorter time than there is between two of its calls: so there are never more than callers.
    let mut calls = JoinSet::new();
    for (at, peer) in CallTimes::after(world, age) {
        sleep_until(began + at).await;
        while calls.try_join_next().is_some() {}
        if let Some(addresses) = memory.listens(to.ours.id_bytes()) {
            calls.spawn(call(to.clone(), peer, addresses));
        }
    }
}

async fn call(to: Caller, peer: u32, addresses: Vec<Multiaddr>) {
    if let Some(connection) = connect(&to, peer, &addresses).await {
        talk(connection, &to.shared.world, peer).await;
    }
}

/// A connection that a peer of the world opens with one of ours.
async fn connect(to: &Caller, peer: u32, addresses: &[Multiaddr]) -> Option<SimConnection> {
    let from = Caller { shared: Arc::clone(&to.shared), ours: Arc::new(caller(to, peer)) };
    let (_, reached, took) = dial(&from, to.ours.id(), (addresses, None));
    sleep(took).await;
    let reached = reached?;
    let address = addresses.get(reached.address)?.clone();
    SimConnection::dialled(&from, reached, address)
}

/// A peer of the world as one that opens connections. Each call has one of its own: nobody finds it by its number.
fn caller(to: &Caller, peer: u32) -> Ours {
    let world = &to.shared.world;
    let public = world.keypair(peer).public();
    let service = Arc::new(Called::new(Arc::clone(&to.shared.answers), peer));
    let number = (to.shared.members.number(), world.region_of(peer));
    let who = (public.to_peer_id(), public.encode_protobuf());
    let ours = Ours::new(number, who, says(world, peer), service as Arc<dyn AnyService>);
    match world.location(peer).ips().next() {
        Some(ip) => ours.at(ip, None),
        None => ours,
    }
}

#[cfg(test)]
mod tests;
