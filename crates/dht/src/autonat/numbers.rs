//! The numbers of version 2 that come back: whoever dials a peer of ours for a check gives it the check's number there.
//!
//! It comes on a connection of its own, from a peer that nobody knows; the number alone says which check it is of.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use foldhash::fast::RandomState;
use hashbrown::HashMap;
use kad::{
    Multiaddr,
    autonat::v2::{DIAL_BACK_PROTOCOL, DialBack, MAX_DIAL_BACK_BYTES},
    fabric::{Attending, OtherProtocol, PeerStream, Reset},
};
use tokio::sync::oneshot;

/// Hears the numbers that come back: a part of the service of a peer of ours that asks by version 2.
#[derive(Debug, Default)]
pub struct NumberDesk {
    awaited: Mutex<HashMap<u64, oneshot::Sender<Multiaddr>, RandomState>>,
}

/// A number that is awaited, until this is dropped.
#[derive(Debug)]
pub(super) struct AwaitedNumber<'a> {
    desk: &'a NumberDesk,
    number: u64,
    /// The address of ours to which it came.
    pub(super) came_to: oneshot::Receiver<Multiaddr>,
}

impl Drop for AwaitedNumber<'_> {
    fn drop(&mut self) {
        self.desk.awaited().remove(&self.number);
    }
}

impl NumberDesk {
    /// What numbers come on.
    pub fn protocol() -> OtherProtocol {
        OtherProtocol { name: DIAL_BACK_PROTOCOL.to_owned(), max_message_bytes: MAX_DIAL_BACK_BYTES }
    }

    /// Takes a number, and says that it was heard; `None` if the stream is for another protocol. A number that nobody awaits
    /// is not heard: the stream is reset.
    pub fn attend(self: &Arc<Self>, mut stream: PeerStream) -> Option<Attending> {
        if stream.protocol != DIAL_BACK_PROTOCOL {
            return None;
        }
        let this = Arc::clone(self);
        Some(Box::pin(async move {
            let message = stream.hear().await.ok_or(Reset)?;
            let number = DialBack::decode(&message).map_err(|_| Reset)?.nonce;
            let asker = this.awaited().remove(&number).ok_or(Reset)?;
            asker.send(stream.local.clone()).map_err(|_| Reset)?;
            stream.say(DialBack::heard().to_vec()).await;
            Ok(())
        }))
    }

    /// Awaits a number from now on.
    pub(super) fn expect(&self, number: u64) -> AwaitedNumber<'_> {
        let (sender, came_to) = oneshot::channel();
        self.awaited().insert(number, sender);
        AwaitedNumber { desk: self, number, came_to }
    }

    fn awaited(&self) -> MutexGuard<'_, HashMap<u64, oneshot::Sender<Multiaddr>, RandomState>> {
        // Nothing in it breaks halfway: what panicked elsewhere does not matter here.
        self.awaited.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
