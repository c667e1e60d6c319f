//! Protocols beside kad on a peer of ours: which, and what is said on one stream of them.
//!
//! Kad's requests have one answer each, and a [`Service`](super::Service) gives it. Other protocols are dialogues: what is
//! said next hangs on what came before. So a stream of theirs is handed to the service whole, as a [`PeerStream`], and
//! whoever carries the connection has the other end of it, the [`Carried`]. Neither of them waits for more than the other
//! one: the carrier delivers what came and polls, and takes what was said.

use std::{
    collections::VecDeque,
    future::{Future, poll_fn},
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Poll, Waker},
};

use libp2p_identity::PeerId;
use multiaddr::Multiaddr;

/// A protocol beside kad that a peer of ours serves. Its messages have their length before them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtherProtocol {
    /// Its name.
    pub name: String,
    /// The longest message that is taken from a peer, in bytes.
    pub max_message_bytes: usize,
}

/// The stream is to be reset: what came on it broke the rules of its protocol, or ended too early.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reset;

/// What is done about a stream as long as it lasts. Our half is closed when it ends well.
pub type Attending = Pin<Box<dyn Future<Output = Result<(), Reset>> + Send>>;

/// A stream that a peer opened for a protocol beside kad.
#[derive(Debug)]
pub struct PeerStream {
    /// Who opened it, authenticated.
    pub from: PeerId,
    /// Where the peer is seen.
    pub remote: Multiaddr,
    /// The address of ours at which it is connected; empty where that is not known.
    pub local: Multiaddr,
    /// The name of the protocol.
    pub protocol: String,
    said: Arc<Mutex<Said>>,
}

/// The end of a [`PeerStream`] that whoever carries the connection has.
#[derive(Debug)]
pub struct Carried {
    said: Arc<Mutex<Said>>,
}

/// What was said on a stream and not taken yet.
#[derive(Debug, Default)]
struct Said {
    /// By the peer. Its carrier bounds how much there is, since it reads no more when much [waits](Carried::waiting).
    by_peer: VecDeque<Vec<u8>>,
    /// By us: one message, which the carrier takes before there is room for the next.
    by_us: Option<Vec<u8>>,
    /// The peer says no more.
    is_finished: bool,
    /// Who waits for the peer to say something.
    listener: Option<Waker>,
    /// Who waits for room.
    speaker: Option<Waker>,
}

/// Nothing in it breaks halfway: what panicked elsewhere does not matter here.
fn locked(said: &Mutex<Said>) -> MutexGuard<'_, Said> {
    said.lock().unwrap_or_else(PoisonError::into_inner)
}

impl PeerStream {
    /// A stream of a protocol on which nothing was said, and its other end. `remote` and `local` are where the peer and we
    /// are.
    pub fn new(from: PeerId, protocol: String, (remote, local): (Multiaddr, Multiaddr)) -> (Self, Carried) {
        let said = Arc::new(Mutex::new(Said::default()));
        let carried = Carried { said: Arc::clone(&said) };
        (Self { from, remote, local, protocol, said }, carried)
    }

    /// The next message of the peer; `None` once it says no more. Cancel-safe.
    pub async fn hear(&mut self) -> Option<Vec<u8>> {
        poll_fn(|cx| {
            let mut said = locked(&self.said);
            match said.by_peer.pop_front() {
                Some(message) => Poll::Ready(Some(message)),
                None if said.is_finished => Poll::Ready(None),
                None => {
                    said.listener = Some(cx.waker().clone());
                    Poll::Pending
                }
            }
        })
        .await
    }

    /// Says something, once there is room for it. What was said last before the end is sent, too.
    pub async fn say(&mut self, message: Vec<u8>) {
        let mut message = Some(message);
        poll_fn(|cx| {
            let mut said = locked(&self.said);
            if said.by_us.is_none() {
                said.by_us = message.take();
                return Poll::Ready(());
            }
            said.speaker = Some(cx.waker().clone());
            Poll::Pending
        })
        .await;
    }
}

impl Carried {
    /// The peer said this.
    pub fn deliver(&self, message: Vec<u8>) {
        let mut said = locked(&self.said);
        said.by_peer.push_back(message);
        wake(said.listener.take());
    }

    /// The peer says no more.
    pub fn finish(&self) {
        let mut said = locked(&self.said);
        said.is_finished = true;
        wake(said.listener.take());
    }

    /// What is to be sent to the peer now.
    pub fn take(&self) -> Option<Vec<u8>> {
        let mut said = locked(&self.said);
        let message = said.by_us.take();
        if message.is_some() {
            wake(said.speaker.take());
        }
        message
    }

    /// How many messages of the peer were not heard yet.
    pub fn waiting(&self) -> usize {
        locked(&self.said).by_peer.len()
    }

    /// Whether it is the peer's turn: somebody waits for it to say something.
    pub fn is_awaited(&self) -> bool {
        locked(&self.said).listener.is_some()
    }
}

fn wake(waker: Option<Waker>) {
    if let Some(waker) = waker {
        waker.wake();
    }
}

#[cfg(test)]
mod tests {
    use std::task::Context;

    use super::*;

    fn stream() -> (PeerStream, Carried) {
        let places = (Multiaddr::empty(), Multiaddr::empty());
        PeerStream::new(PeerId::random(), "/p".to_owned(), places)
    }

    #[test]
    fn what_is_said_comes_in_order_and_there_is_room_for_one_message() {
        let (mut stream, carried) = stream();
        let mut attending = Box::pin(async move {
            while let Some(message) = stream.hear().await {
                stream.say(message.clone()).await;
                stream.say(message).await;
            }
        });
        let mut cx = Context::from_waker(Waker::noop());
        let mut poll = || attending.as_mut().poll(&mut cx).is_ready();
        assert!(!poll() && carried.is_awaited() && carried.take().is_none());
        carried.deliver(vec![1]);
        carried.deliver(vec![2]);
        carried.finish();
        assert!(!carried.is_awaited() && carried.waiting() == 2);
        for (said, waiting, is_last) in [(1, 1, false), (1, 0, false), (2, 0, false), (2, 0, true)] {
            assert_eq!(poll(), is_last);
            assert_eq!((carried.take(), carried.waiting()), (Some(vec![said]), waiting));
            assert_eq!(carried.take(), None);
        }
    }
}
