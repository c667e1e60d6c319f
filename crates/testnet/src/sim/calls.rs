//! Peers behind address translation: nobody can dial them, and they call the servers of ours that they have heard of. On such a
//! connection they ask, and answer what they are asked, until they hang up.
//!
//! They hear of a server of ours as soon as any peer of the world lists it, and each calls each of those at times of its own,
//! which the world's seed decides.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, time::Duration};

use kad::{
    answer::Answer,
    fabric::{AnyService, Request, Says, Service},
    identify::{IDENTIFY_PROTOCOL, MAX_IDENTIFY_BYTES},
    message::{MAX_MESSAGE_BYTES, Message, MessageType},
    network::Connection,
};
use multiaddr::Multiaddr;
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout},
};

use super::{Caller, SimConnection, dial::dial, ours::Ours};
use crate::{answers::Answers, state::State};

/// Answers for a peer behind address translation those whom it has called.
#[derive(Debug)]
struct Called {
    answers: Arc<Answers>,
    peer: u32,
}

impl Service for Called {
    async fn answer(&self, request: Request) -> Answer {
        // The network's protocol is the only one that it says it speaks.
        self.answers.answer(self.peer, &request.from.to_bytes(), &request.message)
    }
}

/// Makes the calls of all to a server of ours, until it leaves.
pub(super) async fn make(to: Caller) {
    let leaving = to.ours.leaving().clone();
    leaving.run_until_cancelled(make_all(to)).await;
}

async fn make_all(to: Caller) {
    let (memory, world) = (&to.shared.answers.memory, &to.shared.world);
    let began = Instant::now() - memory.age();
    let next = |peer: u32| Some(Reverse((world.next_call(peer, memory.age())?, peer)));
    let mut due: BinaryHeap<_> = world.callers().filter_map(next).collect();
    // A peer stays for a shorter time than there is between two of its calls: so there are never more than callers.
    let mut calls = JoinSet::new();
    while let Some(Reverse((at, peer))) = due.pop() {
        sleep_until(began + at).await;
        while calls.try_join_next().is_some() {}
        if let Some(addresses) = memory.listens(to.ours.id_bytes()) {
            calls.spawn(call(to.clone(), peer, addresses));
        }
        due.extend(next(peer));
    }
}

/// One call: who it is that was called, and whom it knows closest to the caller; then silence, until it hangs up.
async fn call(to: Caller, peer: u32, addresses: Vec<Multiaddr>) {
    let State::BehindNat(calls) = to.shared.world.state(peer) else { return };
    let id = to.shared.world.peer_id(peer);
    let Some(mut connection) = connect(&to, peer, &addresses).await else { return };
    let question = Message::new(MessageType::FindNode, id.to_bytes()).encode();
    let identify = connection.open(IDENTIFY_PROTOCOL, MAX_IDENTIFY_BYTES);
    connection.finish(identify);
    let kad = connection.open(&to.shared.world.scenario().protocol, MAX_MESSAGE_BYTES);
    connection.send(kad, &question);
    connection.finish(kad);
    let stays = async { while connection.next().await.is_ok() {} };
    timeout(Duration::from_secs(calls.stays_s.into()), stays).await.ok();
    connection.close().await;
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
    let says = Says {
        agent: world.agent(peer).to_owned(),
        kad_protocols: vec![world.scenario().protocol.clone()],
        addresses: world.addresses(peer),
    };
    let public = world.keypair(peer).public();
    let service = Arc::new(Called { answers: Arc::clone(&to.shared.answers), peer });
    let number = (to.shared.members.number(), world.region_of(peer));
    let who = (public.to_peer_id(), public.encode_protobuf());
    let ours = Ours::new(number, who, says, service as Arc<dyn AnyService>);
    match world.location(peer).ips().next() {
        Some(ip) => ours.at(ip, None),
        None => ours,
    }
}

#[cfg(test)]
mod tests;
