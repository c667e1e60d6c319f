//! What a peer of ours is on all its connections: who it is, what it says of itself, and what answers for it.

use std::{
    fmt,
    future::Future,
    pin::Pin,
    sync::{Arc, OnceLock, PoisonError, RwLock},
};

use kad::{
    PeerId,
    answer::Answer,
    fabric::{Notice, Request, Says, Service},
};

use crate::{
    identity::Identity,
    introduction::{Introduction, protocols},
    quic::ClientTls,
    session::Protocol,
};

/// An answer under way.
pub(crate) type Answering = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// A [`Service`] whose type is forgotten: connections of all peers of ours are of one kind.
pub(crate) trait AnyService: Send + Sync {
    /// [`Service::answer`].
    fn answer(self: Arc<Self>, request: Request) -> Answering;

    /// [`Service::asks`].
    fn asks(&self, from: PeerId) -> bool;

    /// [`Service::notice`].
    fn notice(&self, notice: Notice);
}

impl<S: Service> AnyService for S {
    fn answer(self: Arc<Self>, request: Request) -> Answering {
        Box::pin(async move { Service::answer(&*self, request).await })
    }

    fn asks(&self, from: PeerId) -> bool {
        Service::asks(self, from)
    }

    fn notice(&self, notice: Notice) {
        Service::notice(self, notice);
    }
}

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
    /// What says this.
    pub(crate) fn of(identity: &Identity, says: &Says) -> Self {
        let kad: Vec<&str> = says.kad_protocols.iter().map(String::as_str).collect();
        let protocols = protocols(&kad);
        let introduction = Introduction::new(identity, &says.agent, &protocols, &says.addresses);
        Self { introduction, protocols }
    }
}

/// A peer of ours.
pub(crate) struct Persona {
    identity: Identity,
    voice: RwLock<Arc<Voice>>,
    service: Arc<dyn AnyService>,
    /// Made when it is first needed; `None` if the key cannot sign a certificate.
    client_tls: OnceLock<Option<ClientTls>>,
}

impl fmt::Debug for Persona {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Persona").field("identity", &self.identity).finish_non_exhaustive()
    }
}

impl Persona {
    pub(crate) fn new(identity: Identity, voice: Voice, service: Arc<dyn AnyService>) -> Self {
        let voice = RwLock::new(Arc::new(voice));
        Self { identity, voice, service, client_tls: OnceLock::new() }
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
    pub(crate) fn say(&self, voice: Voice) {
        *self.voice.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(voice);
    }

    pub(crate) const fn service(&self) -> &Arc<dyn AnyService> {
        &self.service
    }

    /// What it is to those whom it dials over QUIC; `None` if no certificate can be made.
    pub(crate) fn client_tls(&self) -> Option<&ClientTls> {
        self.client_tls.get_or_init(|| ClientTls::new(self.identity.keypair()).ok()).as_ref()
    }
}
