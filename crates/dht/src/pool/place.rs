//! The place of one peer in a pool: the conversation with it, if there is one.

use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Mutex;

use crate::conversation::Conversation;

/// A peer's place.
#[derive(Debug, Default)]
pub(super) struct Place {
    /// Locked while the peer is dialled, so that it is dialled once.
    pub(super) talk: Mutex<Option<Conversation>>,
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

    /// Whether a connection stands. One that is being dialled does not yet.
    pub(super) fn is_open(&self) -> bool {
        self.talk.try_lock().is_ok_and(|talk| talk.as_ref().is_some_and(|talk| !talk.is_over()))
    }

    /// Lets the connection go: it ends after the requests under way.
    pub(super) fn hang_up(&self) {
        if let Ok(mut talk) = self.talk.try_lock() {
            *talk = None;
        }
    }

    /// Lets this connection go, if no other has taken its place meanwhile.
    pub(super) async fn leave(&self, old: &Conversation) {
        let mut talk = self.talk.lock().await;
        if talk.as_ref().is_some_and(|talk| talk.is_same(old)) {
            *talk = None;
        }
    }
}
