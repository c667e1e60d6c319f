//! Whom a peer of ours asks whether it can be reached: the peers that were met and say that they answer that, each asked
//! now and then. Pure: times are given.

use std::time::Duration;

use kad::{Contact, PeerId};
use tokio::time::Instant;

/// How many peers that can be asked are remembered.
const MAX_SERVERS: usize = 64;

/// The peers that can be asked, each with when it was asked last.
#[derive(Debug, Default)]
pub(super) struct Servers(Vec<(Contact, Option<Instant>)>);

impl Servers {
    /// Remembers a peer; `false` if it is known already, nobody knows where it is, or there are too many. Of more than are
    /// remembered the first ones stay.
    pub(super) fn meet(&mut self, contact: Contact) -> bool {
        let is_known = self.0.iter().any(|(known, _)| known.peer == contact.peer);
        let is_new = !is_known && !contact.addrs.is_empty() && self.0.len() < MAX_SERVERS;
        if is_new {
            self.0.push((contact, None));
        }
        is_new
    }

    /// Whom to ask now: who was not asked for the longest time, and nobody twice within `rest`.
    pub(super) fn choose(&mut self, now: Instant, rest: Duration) -> Option<Contact> {
        let rested = |asked: Option<Instant>| asked.is_none_or(|at| now.duration_since(at) >= rest);
        let free = self.0.iter_mut().filter(|(_, asked)| rested(*asked));
        let (server, asked) = free.min_by_key(|(_, asked)| *asked)?;
        *asked = Some(now);
        Some(server.clone())
    }

    /// Forgets a peer that does not answer as it says.
    pub(super) fn forget(&mut self, peer: &PeerId) {
        self.0.retain(|(known, _)| known.peer != *peer);
    }

    /// How many can be asked, now or after their rest.
    pub(super) const fn count(&self) -> usize {
        self.0.len()
    }
}
