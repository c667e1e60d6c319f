//! Who connects to a peer of ours: let in if there is room, asked to prove who it is, and then served or handed out.

use std::{
    future::{Future, poll_fn},
    net::{IpAddr, SocketAddr},
    pin::Pin,
    sync::{Arc, PoisonError},
    task::Poll,
    time::Duration,
};

use kad::{
    fabric::Accepted,
    failure::{Failure, FailureClass, Phase},
    network::{Connection, Endpoint, Security, Transport},
};
use quinn::{Incoming, ServerConfig};
use tokio::{
    net::{TcpListener, TcpStream},
    runtime::Handle,
    sync::mpsc,
    task::yield_now,
    time::{sleep, timeout},
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use super::{Resources, membership::Handed};
use crate::{
    carrier::Carrier,
    connection::AnyConnection,
    duplex::Duplex,
    error::NetError,
    failure::from_io,
    link::Link,
    persona::Persona,
    quic::{Configs, Dormant, QuicLink, shake_hands},
    registry::{HalfOpen, Peered, Ticket},
    session::Session,
    socket::Socket,
    tcp::poll_secured,
    ws::WebSocket,
};

/// A pause when the process is out of descriptors: accepting again at once would fail again at once.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// What takes the connections of one peer of ours.
#[derive(Debug)]
pub(super) struct Reception {
    pub(super) shared: Arc<Resources>,
    pub(super) number: u64,
    pub(super) persona: Arc<Persona>,
    /// Where connections are handed out; `None` where they are served here.
    pub(super) hand_out: Option<mpsc::Sender<Handed>>,
    pub(super) leaving: CancellationToken,
    pub(super) tasks: TaskTracker,
    /// Where connections are served.
    pub(super) runtime: Handle,
}

impl Reception {
    /// Accepts connections over TCP or WebSocket, until the peer leaves.
    pub(super) async fn listen(self: Arc<Self>, transport: Transport, listener: TcpListener) {
        let accepting = async {
            loop {
                let Ok((tcp, remote)) = listener.accept().await else {
                    sleep(ACCEPT_PAUSE).await;
                    continue;
                };
                let Some(place) = self.shared.registry.arrive(remote.ip()) else {
                    // A socket that is dropped with this option is reset.
                    tcp.set_zero_linger().ok();
                    continue;
                };
                let (this, remote, has_replaced) =
                    (Arc::clone(&self), canonical(remote), place.has_replaced());
                self.tasks.spawn(async move {
                    let opening = Box::pin(this.open_stream(transport, tcp, remote, place));
                    this.hold(opening).await;
                });
                if has_replaced {
                    // Those who were told to go have their turn, and give back their descriptors.
                    yield_now().await;
                }
            }
        };
        self.leaving.run_until_cancelled(accepting).await;
    }

    /// Accepts connections over QUIC, until the peer leaves, on one of the threads that receive.
    pub(super) fn listen_quic(
        self: Arc<Self>,
        socket: std::net::UdpSocket,
        at: SocketAddr,
    ) -> Result<(), NetError> {
        let shared = Arc::clone(&self.shared);
        let receiver = shared.receivers.next().map_err(NetError::Receive)?;
        let tasks = self.tasks.clone();
        let dormant = receiver.enter(|| Dormant::new(socket, at, tasks.clone()));
        let dormant = dormant.map_err(NetError::Receive)?;
        let listening = async move {
            let this = &self;
            let leaving = this.leaving.cancelled();
            dormant.listen(leaving, |incoming, local| this.arrived(incoming, local)).await;
        };
        tasks.spawn_on(listening, receiver.runtime());
        Ok(())
    }

    /// Somebody connects over QUIC.
    fn arrived(self: &Arc<Self>, incoming: Incoming, local: SocketAddr) {
        if self.shared.registry.is_crowded() && incoming.may_retry() {
            // Whoever only claims to be there does not hear of it, and takes no place. An error says that it has heard.
            incoming.retry().ok();
            return;
        }
        let Some(place) = self.shared.registry.arrive(incoming.remote_address().ip()) else {
            return incoming.refuse();
        };
        let (this, opener) = (Arc::clone(self), Arc::clone(self));
        // What arrived is large. In a box of its own it goes when the connection stands.
        let opening = Box::pin(async move { opener.open_quic(incoming, local, place).await });
        self.tasks.spawn_on(async move { this.hold(opening).await }, &self.runtime);
    }

    /// Holds a connection as long as it lasts, or hands it out.
    async fn hold(&self, opening: Pin<Box<impl Future<Output = Option<Handed>>>>) {
        let opened = self.leaving.run_until_cancelled(opening).await.flatten();
        // What is registered before this is told of the leaving; what is not ends here.
        let Some(mut accepted) = opened.filter(|_| !self.leaving.is_cancelled()) else { return };
        match &self.hand_out {
            None => while accepted.connection.next().await.is_ok() {},
            Some(hand_out) => {
                // What nobody takes is closed by the drop.
                let handed = timeout(self.shared.limits.handshake, hand_out.send(accepted));
                drop(self.leaving.run_until_cancelled(handed).await);
            }
        }
    }

    async fn open_stream(
        &self,
        transport: Transport,
        tcp: TcpStream,
        remote: SocketAddr,
        place: HalfOpen,
    ) -> Option<Handed> {
        let secured = timeout(self.shared.limits.handshake, self.secure(transport, tcp, remote));
        let mut link = place.replaced().run_until_cancelled(secured).await?.ok()?.ok()?;
        let security = link.security()?;
        let Some(ticket) = self.establish(&link, place) else {
            link.abort();
            return None;
        };
        let endpoint = endpoint(transport, security, remote);
        Some(self.accepted(ticket, link, |duplex| AnyConnection::tcp((endpoint, duplex))))
    }

    /// A connection whose peer has proved who it is.
    async fn secure(
        &self,
        transport: Transport,
        tcp: TcpStream,
        remote: SocketAddr,
    ) -> Result<Link, Failure> {
        tcp.set_nodelay(true).map_err(|error| from_io(Phase::Connect, &error))?;
        let identity = self.persona.identity();
        let socket = match transport {
            Transport::Tcp | Transport::Quic => Socket::Tcp(tcp),
            Transport::Ws => Socket::Ws(Box::new(Box::pin(WebSocket::accept(tcp, None)).await?)),
            Transport::Wss => {
                let none = Failure::new(Phase::Connect, FailureClass::LocalResources);
                let own = identity.tls().ok_or(none)?;
                Socket::Ws(Box::new(Box::pin(WebSocket::accept(tcp, Some((own, None)))).await?))
            }
        };
        let session = Session::listener(identity, Arc::clone(&self.persona.voice().protocols));
        let mut link = Link::new(socket, session, remote);
        match poll_fn(|cx| poll_secured(&mut link, cx)).await {
            Ok(()) => Ok(link),
            Err(failure) => {
                // A refusal leaves if it can at once.
                poll_fn(|cx| {
                    drop(link.poll_flush(cx));
                    Poll::Ready(())
                })
                .await;
                Err(failure)
            }
        }
    }

    async fn open_quic(&self, incoming: Incoming, local: SocketAddr, place: HalfOpen) -> Option<Handed> {
        let remote = canonical(incoming.remote_address());
        let config = self.config()?;
        let protocols = Arc::clone(&self.persona.voice().protocols);
        let shaken = timeout(self.shared.limits.handshake, shake_hands(incoming, config, protocols, local));
        let mut link: QuicLink = place.replaced().run_until_cancelled(shaken).await?.ok()?.ok()?;
        let Some(ticket) = self.establish(&link, place) else {
            link.abort();
            return None;
        };
        let endpoint = endpoint(Transport::Quic, Security::Tls, remote);
        Some(self.accepted(ticket, link, |duplex| AnyConnection::quic((endpoint, duplex))))
    }

    /// What our peer is to those who dial it over QUIC; `None` if no certificate can be made.
    fn config(&self) -> Option<Arc<ServerConfig>> {
        let mut configs = self.shared.configs.lock().unwrap_or_else(PoisonError::into_inner);
        if configs.is_none() {
            *configs = Some(Configs::new().ok()?);
        }
        configs.as_mut()?.get(self.persona.identity()).ok()
    }

    fn establish(&self, carrier: &impl Carrier, place: HalfOpen) -> Option<Ticket> {
        let persona = Arc::clone(&self.persona);
        let (peer, remote) = (carrier.peer()?, carrier.observed());
        place.establish(Peered { member: self.number, persona, peer, remote })
    }

    fn accepted<C: Carrier>(
        &self,
        ticket: Ticket,
        mut carrier: C,
        connection: impl FnOnce(Duplex<C>) -> AnyConnection,
    ) -> Handed {
        let (id, peer, remote) = (ticket.id(), ticket.peer(), ticket.remote());
        // Our peer may have said something else since the session began, and before it was told to whom.
        carrier.serve(&self.persona.voice().protocols);
        let duplex = Duplex::accepted(carrier, Arc::clone(&self.persona), self.shared.limits);
        Box::new(Accepted { id, peer, remote, connection: connection(duplex.registered(ticket)) })
    }
}

fn endpoint(transport: Transport, security: Security, remote: SocketAddr) -> Endpoint {
    let ip_version = if remote.is_ipv4() { 4 } else { 6 };
    Endpoint { address: 0, transport, security, ip_version, certificate: None, socket: remote }
}

/// An address of IPv4 as such, also where the socket is of IPv6.
fn canonical(addr: SocketAddr) -> SocketAddr {
    SocketAddr::new(IpAddr::to_canonical(&addr.ip()), addr.port())
}
