//! Tests the peers that a node meets, and takes in who passes: whoever says that it serves the network's protocol is asked
//! for itself, on the connection that stands.

use std::sync::Arc;

use kad::{
    Contact,
    fabric::Introduced,
    message::{Message, MessageType, MessageView},
    network::Network,
    table::ADMISSION_TIMEOUT,
};
use tokio::{sync::mpsc, task::JoinSet};
use tokio_util::sync::CancellationToken;

use super::Seeker;
use crate::conversation::{Ask, Awaits};

/// Tests whom the node meets, until it leaves.
#[derive(Debug)]
pub(super) struct Admitting<M> {
    seeker: Seeker<M>,
    introduced: mpsc::Receiver<Introduced>,
    /// As many as [`kad::table::TableTrials`] lets begin.
    tests: JoinSet<()>,
}

impl<M: Network> Admitting<M> {
    pub(super) fn new(seeker: Seeker<M>, introduced: mpsc::Receiver<Introduced>) -> Self {
        Self { seeker, introduced, tests: JoinSet::new() }
    }

    pub(super) async fn run(mut self) {
        loop {
            tokio::select! {
                biased;
                Some(introduced) = self.introduced.recv() => self.meet(&introduced),
                Some(_) = self.tests.join_next() => {}
                else => return,
            }
        }
    }

    fn meet(&mut self, Introduced { peer, identify, .. }: &Introduced) {
        let state = &self.seeker.state;
        let serves = identify.protocols.iter().any(|protocol| state.protocols.contains(protocol));
        // What is pushed leaves out what has not changed.
        if !serves && !identify.protocols.is_empty() {
            state.remove(peer);
        }
        let contact = self.seeker.admitted(*peer, &identify.listen_addrs);
        if contact.addrs.is_empty() {
            return;
        }
        state.meet(&contact);
        self.seeker.checks.met(contact.clone(), &identify.protocols);
        if serves && state.begin_test(peer) {
            let seeker = self.seeker.clone();
            self.tests.spawn(async move {
                let named = seeker.named(&contact).await;
                seeker.state.end_test(contact, named);
            });
        }
    }
}

impl<M: Network> Seeker<M> {
    /// How many peers somebody names who is asked for itself; `None` if it does not answer.
    pub(super) async fn named(&self, contact: &Contact) -> Option<usize> {
        let message = Message::new(MessageType::FindNode, contact.peer.to_bytes()).encode();
        let ask = Ask {
            protocols: Arc::clone(&self.state.protocols),
            message: Some(message.into()),
            awaits: Awaits::Message,
            patience: ADMISSION_TIMEOUT,
        };
        let exchange = self.finder.pool().request(contact, ask, &CancellationToken::new(), || {}).await;
        MessageView::decode(exchange.answer()?).ok().map(|answer| answer.closer_peers().count())
    }
}
