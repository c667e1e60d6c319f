//! What peers call their programs, as far as anybody of a run was told: by a crawl, or by those that it has met.
//!
//! A program is renewed while a study lasts, so what is known of it grows old: whoever looks at a peer asks it again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use kad::PeerId;
use tokio::time::Instant;

/// The most peers whose programs are kept in mind: several times as many as the largest network known has servers. Of more, nothing
/// is kept.
const MAX_PEERS: usize = 1 << 18;

/// The longest name of a program that is kept, in bytes.
const MAX_AGENT_BYTES: usize = 256;

/// What peers call their programs. One for a whole run: who looks at peers shares it.
#[derive(Debug, Default)]
pub struct AgentBook {
    known: Mutex<HashMap<PeerId, Heard>>,
}

#[derive(Debug)]
struct Heard {
    agent: Arc<str>,
    at: Instant,
}

impl AgentBook {
    /// What a peer calls its program, as it was told last; `None` if nobody was told.
    pub fn of(&self, peer: &PeerId) -> Option<Arc<str>> {
        self.known().get(peer).map(|heard| Arc::clone(&heard.agent))
    }

    /// Whether nobody was told for so long, or never.
    pub fn is_old(&self, peer: &PeerId, after: Duration) -> bool {
        self.known().get(peer).is_none_or(|heard| heard.at.elapsed() >= after)
    }

    /// A peer said what it calls its program. Gives what is kept of it.
    pub fn note(&self, peer: PeerId, agent: &str) -> Arc<str> {
        let end = (0..=MAX_AGENT_BYTES.min(agent.len())).rev().find(|&end| agent.is_char_boundary(end));
        let agent: Arc<str> = agent[..end.unwrap_or(0)].into();
        let mut known = self.known();
        if known.len() < MAX_PEERS || known.contains_key(&peer) {
            known.insert(peer, Heard { agent: Arc::clone(&agent), at: Instant::now() });
        }
        agent
    }

    /// Everybody whose program's name is as asked for.
    pub fn those(&self, is_asked_for: impl Fn(&str) -> bool) -> Vec<PeerId> {
        self.known().iter().filter(|(_, heard)| is_asked_for(&heard.agent)).map(|(peer, _)| *peer).collect()
    }

    fn known(&self) -> MutexGuard<'_, HashMap<PeerId, Heard>> {
        // Nothing in it breaks halfway: what panicked elsewhere does not matter here.
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_a_program_is_called_is_what_was_said_last_and_grows_old() {
        let (book, peer) = (AgentBook::default(), PeerId::random());
        let day = Duration::from_secs(86_400);
        assert!(book.of(&peer).is_none() && book.is_old(&peer, day));
        book.note(peer, "kubo/0.18.0");
        assert!(!book.is_old(&peer, day) && book.is_old(&peer, Duration::ZERO));
        tokio::time::advance(day).await;
        assert!(book.is_old(&peer, day));
        book.note(peer, "kubo/0.40.0");
        assert_eq!(book.of(&peer).as_deref(), Some("kubo/0.40.0"), "an upgrade is seen");
        assert_eq!(book.note(peer, &"ü".repeat(200)).len(), MAX_AGENT_BYTES);
    }
}
