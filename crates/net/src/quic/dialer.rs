//! Dials peers over QUIC.

use std::{
    future::{Future, poll_fn},
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    pin::{Pin, pin},
    sync::{
        Arc, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    task::Poll,
};

use kad::{
    PeerId,
    failure::{Failure, FailureClass, Phase},
    network::{Endpoint, Security, Transport},
};
use quinn::{ClientConfig, TokioRuntime, TransportConfig};
use tokio::{
    sync::Semaphore,
    time::{Instant, timeout_at},
};
use tokio_util::task::AbortOnDropHandle;

use super::{
    dials::Watch,
    fault::{lost, not_begun},
    link::QuicLink,
    receiver::Receiver,
    socket::{SharedSocket, bind},
    transport::{dialled, endpoint},
};
use crate::{
    duplex::Duplex, failure::from_io, interface::Interface, persona::Persona, source::Path, tls::ServerProof,
};

/// The name that quinn asks for. It is never sent.
const SERVER_NAME: &str = "libp2p";

/// How many sockets share the load where the system grants only small buffers.
const MANY_SOCKETS: usize = 8;

/// The most sockets at once that are each bound to an address for one dial. Those that are over wait for the last farewell.
const MAX_BOUND: usize = 64;

/// Dials peers over QUIC, from a few sockets that all its connections share. The sockets are opened by the first dial
/// that needs them. A dial that is to leave from a certain address has a socket of its own.
#[derive(Debug)]
pub(crate) struct QuicDialer {
    transport: Arc<TransportConfig>,
    receiver: OnceLock<Receiver>,
    ipv4: Box<[OnceLock<Local>]>,
    ipv6: Box<[OnceLock<Local>]>,
    sockets: usize,
    turn: AtomicUsize,
    bound: Arc<Semaphore>,
}

/// One socket and its endpoint.
#[derive(Debug)]
struct Local {
    endpoint: quinn::Endpoint,
    socket: Arc<SharedSocket>,
    _icmp: AbortOnDropHandle<()>,
}

impl QuicDialer {
    /// The most descriptors of one: its sockets of both versions of IP, and what the thread takes that drives them.
    pub(crate) const MAX_DESCRIPTORS: usize = 2 * MANY_SOCKETS + 4;

    /// A dialler with so many sockets for each version of IP: as many as there are threads to serve them. Where their
    /// buffers are small, it uses more.
    pub(crate) fn new(sockets: usize) -> Self {
        let none = || (0..sockets.max(MANY_SOCKETS)).map(|_| OnceLock::new()).collect();
        Self {
            transport: dialled(),
            receiver: OnceLock::new(),
            ipv4: none(),
            ipv6: none(),
            sockets: sockets.max(1),
            turn: AtomicUsize::new(0),
            bound: Arc::new(Semaphore::new(MAX_BOUND)),
        }
    }

    /// Connects for one of our peers, and waits until the other has proved who it is.
    pub(crate) async fn dial(
        &self,
        path: Path,
        peer: PeerId,
        deadline: Instant,
        persona: &Arc<Persona>,
    ) -> Result<(Endpoint, Duplex<QuicLink>), Failure> {
        let (addr, bound) = (path.to, self.bound(path.from, deadline).await?);
        let local = match &bound {
            Some(bound) => &bound.local,
            None => self.local(addr).map_err(|error| from_io(Phase::Connect, &error))?,
        };
        let proof = ServerProof::of(peer);
        let config = self.client_config(&proof, persona)?;
        let watch = local.socket.watch(addr);
        let connecting =
            local.endpoint.connect_with(config, addr, SERVER_NAME).map_err(|error| not_begun(&error))?;
        let connected = timeout_at(deadline, established(connecting, watch, &proof)).await;
        let connection = connected.map_err(|_| Failure::new(proof.phase(), FailureClass::Timeout))??;
        let endpoint = Endpoint {
            address: 0,
            transport: Transport::Quic,
            security: Security::Tls,
            ip_version: if addr.is_ipv4() { 4 } else { 6 },
            certificate: None,
            socket: addr,
        };
        let link = QuicLink::new(connection, peer, Arc::clone(&persona.voice().protocols));
        Ok((endpoint, Duplex::dialled(link, None, Arc::clone(persona))))
    }

    fn client_config(&self, proof: &Arc<ServerProof>, persona: &Persona) -> Result<ClientConfig, Failure> {
        let tls = persona.client_tls().and_then(|tls| tls.config(proof).ok());
        let tls = tls.ok_or(Failure::new(Phase::Connect, FailureClass::LocalResources))?;
        let mut config = ClientConfig::new(Arc::new(tls));
        config.transport_config(Arc::clone(&self.transport));
        Ok(config)
    }

    /// A socket for one dial that is to leave from an address, once there is room for it; `None` if any will do.
    async fn bound(&self, from: Option<IpAddr>, deadline: Instant) -> Result<Option<Bound<'_>>, Failure> {
        let Some(from) = from else { return Ok(None) };
        let place = timeout_at(deadline, Arc::clone(&self.bound).acquire_owned()).await.ok();
        // The semaphore is never closed.
        let place = place.and_then(Result::ok);
        let place = place.ok_or(Failure::new(Phase::Connect, FailureClass::LocalResources))?;
        let open = |receiver: &Receiver| {
            receiver.enter(|| {
                let socket = bind(SocketAddr::new(from, 0), Interface::Any)?;
                Local::over(SharedSocket::for_one_dial(socket, place)?)
            })
        };
        let opened = self.receiver().and_then(|receiver| Ok(Bound { local: open(receiver)?, receiver }));
        opened.map(Some).map_err(|error| from_io(Phase::Connect, &error))
    }

    /// The socket whose turn it is.
    fn local(&self, remote: SocketAddr) -> io::Result<&Local> {
        let (locals, any) = match remote {
            SocketAddr::V4(_) => (&self.ipv4, IpAddr::V4(Ipv4Addr::UNSPECIFIED)),
            SocketAddr::V6(_) => (&self.ipv6, IpAddr::V6(Ipv6Addr::UNSPECIFIED)),
        };
        let receiver = self.receiver()?;
        let first = Local::of(locals, 0, any, receiver)?;
        let sockets = if first.socket.has_large_buffer() { self.sockets } else { locals.len() };
        Local::of(locals, self.turn.fetch_add(1, Ordering::Relaxed) % sockets, any, receiver)
    }

    fn receiver(&self) -> io::Result<&Receiver> {
        if let Some(receiver) = self.receiver.get() {
            return Ok(receiver);
        }
        // Of two dials that are the first at the same time, one starts a thread for nothing.
        let receiver = Receiver::start()?;
        Ok(self.receiver.get_or_init(|| receiver))
    }
}

impl Local {
    /// The socket in that place, opened if it is not yet.
    fn of<'a>(
        locals: &'a [OnceLock<Self>],
        place: usize,
        any: IpAddr,
        receiver: &Receiver,
    ) -> io::Result<&'a Self> {
        let cell = locals.get(place).ok_or(io::ErrorKind::NotFound)?;
        if let Some(local) = cell.get() {
            return Ok(local);
        }
        // Of two dials that are the first at the same time, one opens a socket for nothing.
        let addr = SocketAddr::new(any, 0);
        let (_, local) = receiver.drive(|| {
            let local = Self::over(SharedSocket::for_dials(bind(addr, Interface::Any)?)?)?;
            Ok((local.endpoint.clone(), local))
        })?;
        Ok(cell.get_or_init(|| local))
    }

    /// An endpoint over a socket. Needs the reactor that is to drive it.
    fn over(socket: Arc<SharedSocket>) -> io::Result<Self> {
        let shared = Arc::clone(&socket) as Arc<dyn quinn::AsyncUdpSocket>;
        let runtime = Arc::new(TokioRuntime);
        let endpoint = quinn::Endpoint::new_with_abstract_socket(endpoint(), None, shared, runtime)?;
        let icmp = AbortOnDropHandle::new(tokio::spawn(Arc::clone(&socket).listen_for_icmp()));
        Ok(Self { endpoint, socket, _icmp: icmp })
    }
}

/// A socket for one dial. When that is over it lives on as long as the connection, if one came of it.
#[derive(Debug)]
struct Bound<'a> {
    local: Local,
    receiver: &'a Receiver,
}

impl Drop for Bound<'_> {
    fn drop(&mut self) {
        self.receiver.close(self.local.endpoint.clone());
    }
}

/// Waits until the handshake is over, or the network says that there is nobody to shake hands with.
async fn established(
    connecting: quinn::Connecting,
    mut watch: Watch<'_>,
    proof: &ServerProof,
) -> Result<quinn::Connection, Failure> {
    let mut connecting = pin!(connecting);
    poll_fn(|cx| {
        if let Poll::Ready(result) = Pin::as_mut(&mut connecting).poll(cx) {
            let failed = |error| proof.failure().unwrap_or_else(|| lost(proof.phase(), &error));
            return Poll::Ready(result.map_err(failed));
        }
        watch.poll(cx).map(Err)
    })
    .await
}
