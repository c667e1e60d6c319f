//! What a server of identities does, whatever it is asked by.

use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use kad::{Keypair, PeerId};

use super::{AllotmentError, Allotments, LEASE_TIME, LeaseAnswer, LeaseOrder};
use crate::state::{StateDirectory, StateError};

/// Hands out identities. Whatever changes is kept before it is answered, so that nothing is handed out twice after a crash.
pub struct IdgenServer {
    allotments: Mutex<Allotments>,
    /// `None` where nothing is kept.
    state: Option<Arc<StateDirectory>>,
    /// The time since the Unix epoch.
    now: Box<dyn Fn() -> Duration + Send + Sync>,
    /// Whether others can have the seed, and so make identities of indices.
    has_indices: bool,
}

/// Why a server does not do what it is asked for.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(transparent)]
    Allotment(#[from] AllotmentError),
    #[error(transparent)]
    State(#[from] StateError),
    #[error("this hydra has no seed that others could have, so indices say nothing")]
    NoSeed,
}

impl fmt::Debug for IdgenServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("IdgenServer").field("allotments", &self.allotments).finish_non_exhaustive()
    }
}

impl IdgenServer {
    /// One that keeps nothing, of a seed that nobody else has.
    pub fn new(allotments: Allotments, now: impl Fn() -> Duration + Send + Sync + 'static) -> Self {
        Self { allotments: Mutex::new(allotments), state: None, now: Box::new(now), has_indices: false }
    }

    /// One of a seed that others have, too: what was handed out before is taken up again from the directory, if there is one.
    pub fn of_shared_seed(
        mut allotments: Allotments,
        state: Option<Arc<StateDirectory>>,
        now: impl Fn() -> Duration + Send + Sync + 'static,
    ) -> Result<Self, StateError> {
        if let Some(state) = &state
            && let Some(kept) = state.allotments()?
            && !allotments.resume(kept)
        {
            return Err(state.of_another_seed());
        }
        Ok(Self { state, has_indices: true, ..Self::new(allotments, now) })
    }

    /// How many identities others have.
    pub fn handed_out(&self) -> usize {
        self.lock().handed_out()
    }

    pub(super) fn hand_out(&self) -> Result<Keypair, Refusal> {
        self.changed(|allotments, now| Ok(allotments.hand_out(now)?))
    }

    pub(super) fn give_back(&self, peer: &PeerId) -> Result<(), Refusal> {
        // Whoever gives back what is not out is told no more than others: it is not out now.
        self.changed(|allotments, _| Ok(allotments.give_back(peer))).map(|_| ())
    }

    pub(super) fn lease(&self, order: &LeaseOrder) -> Result<LeaseAnswer, Refusal> {
        if !self.has_indices {
            return Err(Refusal::NoSeed);
        }
        self.changed(|allotments, now| {
            let indices = allotments.lease(&order.holder, order.count, now)?;
            let (seed, choices) = (allotments.sequence().seed(), allotments.sequence().choices());
            let expires_in_s = LEASE_TIME.as_secs();
            Ok(LeaseAnswer { indices, expires_in_s, seed: seed.fingerprint(), choices: choices.count() })
        })
    }

    pub(super) fn release(&self, holder: &str) -> Result<(), Refusal> {
        self.changed(|allotments, _| Ok(allotments.release(holder))).map(|_| ())
    }

    /// Changes what is handed out, and keeps it. It waits for the disk.
    fn changed<T>(
        &self,
        change: impl FnOnce(&mut Allotments, Duration) -> Result<T, Refusal>,
    ) -> Result<T, Refusal> {
        let mut allotments = self.lock();
        let done = change(&mut allotments, (self.now)())?;
        if let Some(state) = &self.state {
            state.keep_allotments(&allotments.kept())?;
        }
        Ok(done)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Allotments> {
        self.allotments.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
