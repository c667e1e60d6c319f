//! Peers behind address translation: nobody can dial them, and they call the servers that they have heard of. On such a
//! connection they ask, and answer what they are asked, until they hang up.
//!
//! They hear of a server as soon as any peer of the world lists it, and each calls each of those at times of its own, which the
//! world's seed decides. How a connection comes about is for the faces of a world: `sim::calls` and `wire::calls`.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc, time::Duration};

use kad::{
    answer::Answer,
    fabric::{Request, Says, Service},
    identify::{IDENTIFY_PROTOCOL, MAX_IDENTIFY_BYTES},
    message::{MAX_MESSAGE_BYTES, Message, MessageType},
    network::Connection,
};
use tokio::time::timeout;

use crate::{World, answers::Answers, state::State};

/// Answers for a peer behind address translation those whom it has called.
#[derive(Debug)]
pub(crate) struct Called {
    answers: Arc<Answers>,
    peer: u32,
}

impl Called {
    pub(crate) const fn new(answers: Arc<Answers>, peer: u32) -> Self {
        Self { answers, peer }
    }
}

impl Service for Called {
    async fn answer(&self, request: Request) -> Answer {
        // The network's protocol is the only one that it says it speaks.
        self.answers.answer(self.peer, &request.from.to_bytes(), &request.message)
    }
}

/// What such a peer says of itself.
pub(crate) fn says(world: &World, peer: u32) -> Says {
    Says {
        agent: world.agent(peer).to_owned(),
        kad_protocols: vec![world.scenario().protocol.clone()],
        addresses: world.addresses(peer),
    }
}

/// One call: who it is that was called, and whom it knows closest to the caller; then silence, until it hangs up.
pub(crate) async fn talk(mut connection: impl Connection, world: &World, peer: u32) {
    let State::BehindNat(calls) = world.state(peer) else { return };
    let question = Message::new(MessageType::FindNode, world.peer_id(peer).to_bytes()).encode();
    let identify = connection.open(IDENTIFY_PROTOCOL, MAX_IDENTIFY_BYTES);
    connection.finish(identify);
    let kad = connection.open(&world.scenario().protocol, MAX_MESSAGE_BYTES);
    connection.send(kad, &question);
    connection.finish(kad);
    let stays = async { while connection.next().await.is_ok() {} };
    timeout(Duration::from_secs(calls.stays_s.into()), stays).await.ok();
    connection.close().await;
}

/// All calls of a world, the earliest first: when, since the network began, and whose. There is no end of them.
#[derive(Debug)]
pub(crate) struct CallTimes<'a> {
    world: &'a World,
    /// The next call of each.
    due: BinaryHeap<Reverse<(Duration, u32)>>,
}

impl<'a> CallTimes<'a> {
    /// Those after a time since the network began.
    pub(crate) fn after(world: &'a World, age: Duration) -> Self {
        let next = |peer| Some(Reverse((world.next_call(peer, age)?, peer)));
        Self { world, due: world.callers().filter_map(next).collect() }
    }
}

impl Iterator for CallTimes<'_> {
    type Item = (Duration, u32);

    fn next(&mut self) -> Option<(Duration, u32)> {
        let Reverse((at, peer)) = self.due.pop()?;
        self.due.extend(self.world.next_call(peer, at).map(|next| Reverse((next, peer))));
        Some((at, peer))
    }
}
