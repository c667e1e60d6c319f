//! Answers peers: any number of heads (virtual peers) behind one listening socket.
//!
//! [`listen`] (and [`listen_ws`], [`listen_wss`], [`listen_quic`]) accepts connections and asks a closure which [`Head`] was reached at the socket's local address;
//! [`serve_connection`] talks to one peer. Identify and ping are answered here, requests of kad by the head's
//! [`Service`], which can also ask whoever sends requests who it is ([`Service::asks`]). A head can be made to misbehave at any phase ([`Disruption`]) or to be far away ([`Pace`]), from some
//! further than from others ([`Head::with_distance`]).
//!
//! Peers of ours with sockets of their own, which also dial, are on a [fabric](crate::SocketFabric).

mod accept;
mod connection;
mod quic;

use std::{net::IpAddr, sync::Arc, time::Duration};

use kad::{Multiaddr, PeerId, fabric::AnyService};

pub use accept::{bind, bind_on, listen, listen_ws, listen_wss};
pub use connection::serve_connection;
pub use kad::{
    answer::Answer,
    fabric::{Attending, Introduced, Notice, OtherProtocol, PeerStream, Request, Service},
};
pub use quic::{listen_quic, listen_quic_on};

pub use crate::{
    faults::{Action, Disruption, Pace},
    interface::Interface,
    limits::ListenLimits,
    quic::{Receivers, bind_quic, bind_quic_on},
};

use crate::{
    faults::{Faults, PathDelay},
    identity::Identity,
    introduction::{Introduction, protocols},
    persona::{Persona, Voice},
    session::Securities,
    tls::NamedCertificate,
};

/// What heads of one kind have in common.
#[derive(Debug, Clone)]
pub struct HeadProfile {
    agent: String,
    kad_protocols: Vec<String>,
}

impl HeadProfile {
    /// An agent string and the names of the kad protocols that are served.
    pub fn new(agent: &str, kad_protocols: &[&str]) -> Self {
        let kad_protocols = kad_protocols.iter().copied().map(str::to_owned).collect();
        Self { agent: agent.to_owned(), kad_protocols }
    }
}

/// One peer that is served here.
#[derive(Debug)]
pub struct Head<S> {
    persona: Arc<Persona>,
    service: Arc<S>,
    faults: Faults,
    distance: Option<PathDelay>,
    certificate: Option<NamedCertificate>,
}

impl<S: Service> Head<S> {
    /// A head that announces `listen_addrs` and answers by `service`.
    pub fn new(identity: Identity, profile: &HeadProfile, listen_addrs: &[Multiaddr], service: S) -> Self {
        let service = Arc::new(service);
        let voice = |identity: &Identity, others: &[OtherProtocol]| {
            let kad: Vec<&str> = profile.kad_protocols.iter().map(String::as_str).collect();
            let protocols = protocols(others, &kad);
            let introduction = Introduction::new(identity, &profile.agent, &protocols, listen_addrs);
            Voice { introduction, protocols }
        };
        let persona = Persona::new(identity, Arc::clone(&service) as Arc<dyn AnyService>, voice);
        let (faults, distance, certificate) = (Faults::default(), None, None);
        Self { persona: Arc::new(persona), service, faults, distance, certificate }
    }

    /// The same head, but misbehaving.
    #[must_use]
    pub fn with_disruption(mut self, disruption: Disruption) -> Self {
        self.faults.disruption = Some(disruption);
        self
    }

    /// The same head, but slow.
    #[must_use]
    pub fn with_pace(mut self, pace: Pace) -> Self {
        self.faults.pace = pace;
        self
    }

    /// The same head, but so far away from whoever comes from an address: each flight of its bytes is later by that, on top of its
    /// [`Pace`].
    #[must_use]
    pub fn with_distance(mut self, from: impl Fn(IpAddr) -> Duration + Send + Sync + 'static) -> Self {
        self.distance = Some(PathDelay::new(from));
        self
    }

    /// What is wrong with it, for whoever comes from there.
    fn faults_toward(&self, remote: IpAddr) -> Faults {
        let mut faults = self.faults;
        if let Some(distance) = &self.distance {
            faults.pace.flight += distance.from(remote);
        }
        faults
    }

    /// The same head, but with only this to secure connections over TCP and WebSocket. QUIC has TLS always.
    #[must_use]
    pub fn with_securities(mut self, securities: Securities) -> Self {
        self.faults.securities = securities;
        self
    }

    /// The same head, but showing this certificate below a secure WebSocket instead of libp2p's own.
    #[must_use]
    pub fn with_certificate(mut self, certificate: Option<NamedCertificate>) -> Self {
        self.certificate = certificate;
        self
    }

    /// The head's peer id.
    pub fn peer_id(&self) -> PeerId {
        self.persona.peer_id()
    }

    /// What answers the requests.
    pub fn service(&self) -> &S {
        &self.service
    }
}
