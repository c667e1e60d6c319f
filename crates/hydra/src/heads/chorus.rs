//! All heads as one who dials: each peer is dialled by the head that is nearest to it, which is the one that it should know.

use std::{
    future::Future,
    sync::{
        Arc, PoisonError, RwLock, RwLockReadGuard,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use kad::{
    Key, Multiaddr, PeerId,
    fabric::Member,
    failure::SkipReason,
    network::{AddressOutcome, Attempt, Dial, Network, Transport},
};

/// The heads that have joined, as a network. All clones are one.
#[derive(Debug, Clone)]
pub(super) struct Chorus<M> {
    /// Who looks things up is never asked: any of the heads, as none of them is dialled.
    local: PeerId,
    voices: Arc<RwLock<Vec<Voice<M>>>>,
    dials: Arc<AtomicU64>,
}

#[derive(Debug)]
struct Voice<M> {
    key: Key,
    member: M,
}

impl<M: Member> Chorus<M> {
    /// Nobody yet; `local` will be one of them.
    pub(super) fn new(local: PeerId) -> Self {
        Self { local, voices: Arc::default(), dials: Arc::default() }
    }

    /// A head has joined.
    pub(super) fn enter(&self, member: M) {
        let voice = Voice { key: Key::of_peer(&member.local()), member };
        self.voices.write().unwrap_or_else(PoisonError::into_inner).push(voice);
    }

    /// All heads leave: whoever they are is given back, and nobody dials any more.
    pub(super) fn leave(&self) -> Vec<M> {
        let mut voices = self.voices.write().unwrap_or_else(PoisonError::into_inner);
        voices.drain(..).map(|voice| voice.member).collect()
    }

    /// The head at a key; `None` once it has left.
    pub(super) fn at(&self, key: &Key) -> Option<M> {
        self.voices().iter().find(|voice| voice.key == *key).map(|voice| voice.member.clone())
    }

    /// Who dials a peer; `None` if it is a head, or all have left.
    fn nearest(&self, peer: &PeerId) -> Option<M> {
        let place = Key::of_peer(peer);
        let voices = self.voices();
        let nearest = voices.iter().min_by_key(|voice| voice.key.distance(&place))?;
        (nearest.key != place).then(|| nearest.member.clone())
    }

    /// How many peers were dialled.
    pub(super) fn dials(&self) -> u64 {
        self.dials.load(Ordering::Relaxed)
    }

    fn voices(&self) -> RwLockReadGuard<'_, Vec<Voice<M>>> {
        self.voices.read().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<M: Member> Network for Chorus<M> {
    type Connection = M::Connection;

    fn local(&self) -> PeerId {
        self.local
    }

    fn admits(&self, address: &Multiaddr) -> Result<Option<Transport>, SkipReason> {
        let voices = self.voices();
        voices.first().map_or(Err(SkipReason::TransportNotSupported), |voice| voice.member.admits(address))
    }

    fn connect_within(
        &self,
        peer: PeerId,
        addrs: Vec<Multiaddr>,
        at_most: Option<Duration>,
    ) -> impl Future<Output = Dial<Self::Connection>> + Send {
        let (nearest, dials) = (self.nearest(&peer), Arc::clone(&self.dials));
        async move {
            if let Some(member) = nearest {
                dials.fetch_add(1, Ordering::Relaxed);
                member.connect_within(peer, addrs, at_most).await
            } else {
                let untried = |_| Attempt::untried(AddressOutcome::NotTried);
                Dial { attempts: addrs.iter().map(untried).collect(), connection: None }
            }
        }
    }
}
