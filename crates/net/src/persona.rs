//! What a peer of ours is on all its connections: who it is, what it says of itself, and what answers for it.

use std::{
    fmt,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use kad::{
    PeerId,
    answer::Answer,
    fabric::{AnyService, OtherProtocol, Request, Says, Service},
};

use crate::{
    identity::Identity,
    introduction::{Introduction, protocols},
    quic::ClientTls,
    session::Protocol,
};

/// Answers for a peer that serves nothing.
#[derive(Debug)]
pub(crate) struct Nothing;

impl Service for Nothing {
    async fn answer(&self, _: Request) -> Answer {
        Answer::Reset
    }
}

/// What a peer says of itself, and the protocols that others may open streams for.
#[derive(Debug)]
pub(crate) struct Voice {
    pub(crate) introduction: Introduction,
    pub(crate) protocols: Arc<[Protocol]>,
}

impl Voice {
    /// What says this, of a peer that serves `others` beside kad.
    pub(crate) fn of(identity: &Identity, says: &Says, others: &[OtherProtocol]) -> Self {
        let kad: Vec<&str> = says.kad_protocols.iter().map(String::as_str).collect();
        let protocols = protocols(others, &kad);
        let introduction = Introduction::new(identity, &says.agent, &protocols, &says.addresses);
        Self { introduction, protocols }
    }
}

/// A peer of ours.
pub(crate) struct Persona {
    identity: Identity,
    voice: RwLock<Arc<Voice>>,
    service: Arc<dyn AnyService>,
    /// What the service attends to. It never changes, so that the number of a protocol says which it is.
    others: Box<[OtherProtocol]>,
    /// Made when it is first needed; `None` if the key cannot sign a certificate.
    client_tls: OnceLock<Option<ClientTls>>,
}

impl fmt::Debug for Persona {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Persona").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Persona {
    /// A peer with what it says, given what its service attends to.
    pub(crate) fn new(
        identity: Identity,
        service: Arc<dyn AnyService>,
        voice: impl FnOnce(&Identity, &[OtherProtocol]) -> Voice,
    ) -> Self {
        let others = service.others().into_boxed_slice();
        let voice = RwLock::new(Arc::new(voice(&identity, &others)));
        Self { identity, voice, service, others, client_tls: OnceLock::new() }
    }

    pub(crate) const fn identity(&self) -> &Identity {
        &self.identity
    }

    pub(crate) fn peer_id(&self) -> PeerId {
        self.identity.peer_id()
    }

    /// What it says now.
    pub(crate) fn voice(&self) -> Arc<Voice> {
        Arc::clone(&self.voice.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// It says something else from now on.
    pub(crate) fn say(&self, says: &Says) {
        let voice = Voice::of(&self.identity, says, &self.others);
        *self.voice.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(voice);
    }

    pub(crate) const fn service(&self) -> &Arc<dyn AnyService> {
        &self.service
    }

    /// The protocols beside kad.
    pub(crate) const fn others(&self) -> &[OtherProtocol] {
        &self.others
    }

    /// What it is to those whom it dials over QUIC; `None` if no certificate can be made.
    pub(crate) fn client_tls(&self) -> Option<&ClientTls> {
        self.client_tls.get_or_init(|| ClientTls::new(self.identity.keypair()).ok()).as_ref()
    }
}
