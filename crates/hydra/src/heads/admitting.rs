//! Looks at whom the heads meet: whoever says that it serves the network's protocol is dialled and asked for itself, once for all
//! heads, and taken in if it answers. Who cannot be dialled is known as a client is.

use std::{sync::Arc, time::Duration};

use dht::{Ask, Awaits};
use kad::{
    Contact, Key, Multiaddr, PeerId,
    answer::MAX_PROVIDER_ADDRESSES,
    fabric::{Introduced, Member},
    message::{Message, MessageType, MessageView},
    network::Network,
    table::ADMISSION_TIMEOUT,
};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::Seeker;

/// Looks at whom the heads meet, until they leave.
#[derive(Debug)]
pub(super) struct Admitting<M> {
    seeker: Seeker<M>,
    introduced: mpsc::Receiver<Introduced>,
    /// As many as [`Commons`](crate::Commons) lets begin.
    tests: JoinSet<bool>,
}

impl<M: Member> Admitting<M> {
    pub(super) fn new(seeker: Seeker<M>, introduced: mpsc::Receiver<Introduced>) -> Self {
        Self { seeker, introduced, tests: JoinSet::new() }
    }

    pub(super) async fn run(mut self) {
        loop {
            tokio::select! {
                Some(introduced) = self.introduced.recv() => self.meet(&introduced),
                Some(_) = self.tests.join_next() => {}
                else => return,
            }
        }
    }

    fn meet(&mut self, Introduced { peer, identify, .. }: &Introduced) {
        let state = &self.seeker.state;
        let (key, now) = (Key::of_peer(peer), state.now());
        let serves = identify.protocols.iter().any(|protocol| state.protocols.contains(protocol));
        // What is pushed leaves out what has not changed.
        if !serves && !identify.protocols.is_empty() {
            state.commons_mut().remove(&key);
        }
        let contact = self.seeker.admitted(*peer, &identify.listen_addrs);
        if contact.addrs.is_empty() && identify.listen_addrs.is_empty() && identify.protocols.is_empty() {
            return;
        }
        let is_to_be_tested = {
            let mut commons = state.commons_mut();
            commons.meet(&contact, now);
            serves && !contact.addrs.is_empty() && commons.begin_test(&key)
        };
        if is_to_be_tested {
            self.tests.spawn(self.seeker.clone().test(contact));
        }
    }
}

impl<M: Member> Seeker<M> {
    /// Tests a peer for all heads; whether it was taken in. [`Commons::begin_test`](crate::Commons::begin_test) comes before.
    pub(super) async fn test(self, contact: Contact) -> bool {
        let named = self.named(&contact).await;
        self.state.end_test(&contact, named)
    }

    /// How many peers somebody names who is asked for itself; `None` if it does not answer.
    pub(super) async fn named(&self, contact: &Contact) -> Option<usize> {
        let ask = self.find_node(&contact.peer, ADMISSION_TIMEOUT);
        let exchange = self.finder.pool().request(contact, ask, &CancellationToken::new(), || {}).await;
        let answer = exchange.answer().and_then(|answer| MessageView::decode(answer).ok());
        self.state.counters.tested(answer.as_ref().map(|_| exchange.took));
        answer.map(|answer| answer.closer_peers().count())
    }

    /// The question for a peer.
    pub(super) fn find_node(&self, peer: &PeerId, patience: Duration) -> Ask {
        let message = Message::new(MessageType::FindNode, peer.to_bytes()).encode();
        let protocols = Arc::clone(&self.state.protocols);
        Ask { protocols, message: Some(message.into()), awaits: Awaits::Message, patience }
    }

    /// Those of a peer's addresses that may be dialled, without the peer's id at their end.
    fn admitted(&self, peer: PeerId, addrs: &[Multiaddr]) -> Contact {
        let own = addrs.iter().filter_map(|addr| kad::answer::own_address(addr.clone(), &peer));
        let admitted = own.filter(|addr| self.finder.pool().network().admits(addr).is_ok());
        Contact { peer, addrs: admitted.take(MAX_PROVIDER_ADDRESSES).collect() }
    }
}
