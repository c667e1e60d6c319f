//! The place of one peer in a pool: the conversation with it, if there is one.

use std::sync::{
    Mutex as Lock, PoisonError,
    atomic::{AtomicU64, Ordering},
};

use tokio::sync::Mutex;

use crate::conversation::Conversation;

/// A peer's place.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// On a connection that we opened. Locked while the peer is dialled, so that it is dialled once.
    pub(super) talk: Mutex<Option<Conversation>>,
    /// On a connection that the peer opened, which takes no room of the pool's.
    accepted: Lock<Option<Conversation>>,
    /// The number of the last use.
    used: AtomicU64,
}

impl Place {
    /// Notes a use.
    pub(super) fn touch(&self, number: u64) {
        self.used.store(number, Ordering::Relaxed);
    }

    /// The number of the last use.
    pub(super) fn last_used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    /// The conversation on the connection that the peer opened last, as long as it stands.
    pub(super) fn accepted(&self) -> Option<Conversation> {
        let accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        accepted.as_ref().filter(|talk| !talk.is_over()).cloned()
    }

    /// Takes in a conversation on a connection that the peer opened.
    pub(super) fn accept(&self, talk: Conversation) {
        *self.accepted.lock().unwrap_or_else(PoisonError::into_inner) = Some(talk);
    }

    /// Whether a connection stands, whoever opened it. One that is being dialled does not yet.
    pub(super) fn is_open(&self) -> bool {
        self.is_dialled() || self.accepted().is_some()
    }

    /// Whether a connection stands that we opened.
    pub(super) fn is_dialled(&self) -> bool {
        self.talk.try_lock().is_ok_and(|talk| talk.as_ref().is_some_and(|talk| !talk.is_over()))
    }

    /// Takes the conversations out of it, on connections of either direction.
    pub(super) async fn vacate(&self) -> [Option<Conversation>; 2] {
        let accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner).take();
        [self.talk.lock().await.take(), accepted]
    }

    /// Lets the connection go: it ends after the requests under way.
    pub(super) fn hang_up(&self) {
        if let Ok(mut talk) = self.talk.try_lock() {
            *talk = None;
        }
    }

    /// Lets this connection go, if no other has taken its place meanwhile.
    pub(super) async fn leave(&self, old: &Conversation) {
        self.forget(old);
        let mut talk = self.talk.lock().await;
        if talk.as_ref().is_some_and(|talk| talk.is_same(old)) {
            *talk = None;
        }
    }

    /// Lets this connection go, if the peer has opened no other meanwhile.
    fn forget(&self, old: &Conversation) {
        let mut accepted = self.accepted.lock().unwrap_or_else(PoisonError::into_inner);
        if accepted.as_ref().is_some_and(|talk| talk.is_same(old)) {
            *accepted = None;
        }
    }
}
