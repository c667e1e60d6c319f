//! Whether a provider has a block: asked by bitswap, not guessed from what it says that it speaks.
//!
//! The question goes out on a stream of ours, and the answer comes on one that the provider opens on the same connection.
//! So whoever asks is a peer of ours with a [`BlockDesk`] as its service: it takes what comes, and the questions wait there.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use kad::{
    Contact, PeerId,
    answer::Answer,
    bitswap::{BITSWAP_PROTOCOLS, BlockPresence, presence, want_have},
    fabric::{Attending, OtherProtocol, PeerStream, Request, Reset, Service},
    failure::{Failure, FailureClass, Phase},
    network::{Connection, Event, Network},
};
use tokio::{sync::mpsc, time::timeout};

use crate::pool::connection_of;

/// The longest message that is taken, in bytes: the answer to one want, or a block that is small enough to come instead
/// (Kubo: 1,024 bytes), beside other presences of a peer that puts many into one message.
const MAX_MESSAGE_BYTES: usize = 128 << 10;

/// How many messages of one provider may wait to be read.
const MAX_MESSAGES: usize = 16;

/// Takes what providers say. One for each peer of ours that asks; its clones would not hear of each other.
#[derive(Debug, Default)]
pub struct BlockDesk {
    asked: Mutex<HashMap<PeerId, mpsc::Sender<Vec<u8>>, RandomState>>,
}

impl BlockDesk {
    fn asked(&self) -> MutexGuard<'_, HashMap<PeerId, mpsc::Sender<Vec<u8>>, RandomState>> {
        // Nothing in it breaks halfway: what panicked elsewhere does not matter here.
        self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where what a provider says goes; `None` if it was not asked, or not any more.
    fn asker(&self, provider: &PeerId) -> Option<mpsc::Sender<Vec<u8>>> {
        self.asked().get(provider).cloned()
    }

    /// Asks a provider whether it has the block of a CID, given by its bytes. `patience` is for everything after the dial.
    /// An error is why that is not known: it could not be dialled, does not speak bitswap, or did not say. One provider is
    /// asked one thing at a time.
    pub async fn ask<N: Network>(
        &self,
        network: &N,
        whom: &Contact,
        cid: &[u8],
        patience: Duration,
    ) -> Result<BlockPresence, Failure> {
        let connection = connection_of(network.connect(whom.peer, whom.addrs.clone()).await)?;
        let (sender, mut heard) = mpsc::channel(MAX_MESSAGES);
        self.asked().insert(whom.peer, sender);
        let mut question = Question { connection, cid, name: 0 };
        let answer = timeout(patience, question.answer(&mut heard)).await;
        self.asked().remove(&whom.peer);
        question.connection.close().await;
        answer.unwrap_or_else(|_| Err(Failure::new(Phase::Request, FailureClass::Timeout)))
    }
}

impl Service for BlockDesk {
    /// It serves nothing of kad.
    async fn answer(&self, _: Request) -> Answer {
        Answer::Reset
    }

    fn others(&self) -> Vec<OtherProtocol> {
        let protocol =
            |name: &str| OtherProtocol { name: name.to_owned(), max_message_bytes: MAX_MESSAGE_BYTES };
        BITSWAP_PROTOCOLS.iter().copied().map(protocol).collect()
    }

    fn attend(&self, mut stream: PeerStream) -> Option<Attending> {
        let asker = self.asker(&stream.from)?;
        Some(Box::pin(async move {
            while let Some(message) = stream.hear().await {
                // Who says more than is read is not heard any more.
                asker.try_send(message).map_err(|_| Reset)?;
            }
            Ok(())
        }))
    }
}

/// A question under way.
struct Question<'a, C> {
    connection: C,
    cid: &'a [u8],
    /// The position of the name of bitswap that was proposed.
    name: usize,
}

impl<C: Connection> Question<'_, C> {
    async fn answer(&mut self, heard: &mut mpsc::Receiver<Vec<u8>>) -> Result<BlockPresence, Failure> {
        self.propose();
        loop {
            let message = tokio::select! {
                biased;
                Some(message) = heard.recv() => message,
                event = self.connection.next() => match event? {
                    Event::Ended(_, Some(failure)) => {
                        self.refused(failure)?;
                        continue;
                    }
                    Event::Message(_, message) => message,
                    Event::Accepted(_) | Event::Ended(_, None) => continue,
                },
            };
            let malformed = |_| Failure::new(Phase::Request, FailureClass::Malformed);
            if let Some(presence) = presence(&message, self.cid).map_err(malformed)? {
                return Ok(presence);
            }
        }
    }

    fn propose(&mut self) {
        let protocol = BITSWAP_PROTOCOLS.get(self.name).copied().unwrap_or_default();
        let stream = self.connection.open(protocol, MAX_MESSAGE_BYTES);
        self.connection.send(stream, &want_have(self.cid));
        self.connection.finish(stream);
    }

    /// The stream failed: the next older name is tried, where the peer does not know this one.
    fn refused(&mut self, failure: Failure) -> Result<(), Failure> {
        if failure.class != FailureClass::ProtocolNotSupported || self.name + 1 >= BITSWAP_PROTOCOLS.len() {
            return Err(failure);
        }
        self.name += 1;
        self.propose();
        Ok(())
    }
}
