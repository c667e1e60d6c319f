//! Connections that we open over TCP, and over WebSocket on it.

use std::{
    future::poll_fn,
    io,
    net::SocketAddr,
    sync::Arc,
    task::{Context, Poll},
};

use kad::{
    PeerId,
    failure::{Failure, FailureClass, Phase},
    network::{Endpoint, RoundTrip, RttSource, Security, Traffic, Transport},
};
use tokio::{
    net::{TcpSocket, TcpStream},
    time::{Instant, timeout_at},
};

use crate::{
    carrier::Carrier,
    duplex::Duplex,
    failure::from_io,
    link::Link,
    lost::LostBytes,
    persona::Persona,
    session::Session,
    socket::Socket,
    source::{Path, Source},
    tls::Roots,
    ws::{Destination, WebSocket},
};

/// Why a dial failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct NotDialled {
    pub(crate) failure: Failure,
    /// The peer spoke, but not Noise: one dial more, with TLS, may be worth it. A peer that is silent, or that resets
    /// before it says anything, has given no reason for that.
    pub(crate) may_speak_tls: bool,
}

impl From<Failure> for NotDialled {
    fn from(failure: Failure) -> Self {
        Self { failure, may_speak_tls: false }
    }
}

/// What a dial over TCP leads to.
pub(crate) type Dialled = (Endpoint, Duplex<Link>);

/// A peer of ours that dials.
#[derive(Debug)]
pub(crate) struct Dialer {
    persona: Arc<Persona>,
    /// By whom certificates of names are verified.
    roots: Roots,
    source: Source,
    lost: LostBytes,
}

impl Dialer {
    pub(crate) fn new(persona: Arc<Persona>, roots: Roots, source: Source) -> Self {
        Self { persona, roots, source, lost: LostBytes::default() }
    }

    /// The bytes of all attempts that became no connection.
    pub(crate) fn lost(&self) -> Traffic {
        self.lost.total()
    }

    /// Connects, and waits until the peer has proved who it is.
    pub(crate) async fn dial(
        &self,
        to: Destination<'_>,
        peer: PeerId,
        security: Security,
        deadline: Instant,
    ) -> Result<Dialled, NotDialled> {
        let mut phase = Phase::Connect;
        let result = timeout_at(deadline, self.connect(to, peer, security, &mut phase)).await;
        result.unwrap_or(Err(Failure::new(phase, FailureClass::Timeout).into()))
    }

    async fn connect(
        &self,
        to: Destination<'_>,
        peer: PeerId,
        security: Security,
        phase: &mut Phase,
    ) -> Result<Dialled, NotDialled> {
        let addr = to.target.addr();
        let path = self.source.path(addr)?;
        let started = Instant::now();
        let tcp = open(path).await.map_err(|error| not_connected(&error))?;
        if is_self_connected(&tcp, addr) {
            return Err(Failure::new(Phase::Connect, FailureClass::ConnectionRefused).into());
        }
        let mut endpoint = Endpoint {
            address: 0,
            transport: to.target.transport(),
            security,
            certificate: None,
            ip_version: if addr.is_ipv4() { 4 } else { 6 },
            socket: addr,
        };
        let handshake = RoundTrip { time: started.elapsed(), source: RttSource::Handshake };
        // Without this option the last small write of a visit would wait for an acknowledgement; it is an advice.
        tcp.set_nodelay(true).ok();
        let socket = match to.target.transport() {
            Transport::Tcp | Transport::Quic => Socket::Tcp(tcp),
            Transport::Ws | Transport::Wss => {
                // Few dials are of this kind; the others need not have room for it.
                Socket::Ws(Box::new(Box::pin(WebSocket::dial(tcp, &to, (peer, &self.roots))).await?))
            }
        };
        endpoint.certificate = socket.certificate();
        *phase = Phase::Secure;
        let (identity, protocols) = (self.persona.identity(), Arc::clone(&self.persona.voice().protocols));
        let session = match security {
            Security::Noise => Session::dialer(identity, Some(peer), protocols),
            Security::Tls => Session::tls_dialer(identity, Some(peer), protocols),
        }?;
        let mut link = Link::new(socket, session, addr);
        let mut losing = self.lost.of_attempt();
        let secured = poll_fn(|cx| {
            let secured = poll_secured(&mut link, cx);
            losing.traffic = link.traffic();
            secured
        });
        match secured.await {
            Ok(()) => {
                losing.nothing();
                Ok((endpoint, Duplex::dialled(link, Some(handshake), Arc::clone(&self.persona))))
            }
            Err(failure) => Err(NotDialled { may_speak_tls: link.is_noise_unanswered(), failure }),
        }
    }
}

/// Opens a connection that leaves from where it should.
async fn open(path: Path) -> io::Result<TcpStream> {
    let Some(from) = path.from else { return TcpStream::connect(path.to).await };
    let socket = if from.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    socket.bind(SocketAddr::new(from, 0))?;
    socket.connect(path.to).await
}

/// A reset while a connection is being opened is a refusal, and has its own error. What the system calls reset was open,
/// and reset before we looked.
fn not_connected(error: &io::Error) -> Failure {
    match from_io(Phase::Connect, error) {
        Failure { class: FailureClass::ConnectionReset, .. } => {
            Failure::new(Phase::Secure, FailureClass::ConnectionReset)
        }
        failure => failure,
    }
}

/// On loopback a dial to a port that nobody listens on can meet itself, when its own port happens to be that one.
fn is_self_connected(tcp: &TcpStream, addr: SocketAddr) -> bool {
    addr.ip().is_loopback() && tcp.local_addr().is_ok_and(|local| local == addr)
}

/// Shakes hands, in either role. The last message of a dialler stays queued, to leave together with the first requests.
pub(crate) fn poll_secured(link: &mut Link, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
    while link.peer().is_none() {
        match link.poll_receive(cx) {
            Poll::Ready(result) => result?,
            Poll::Pending => match link.poll_flush(cx) {
                Poll::Ready(Err(failure)) => return Poll::Ready(Err(failure)),
                Poll::Ready(Ok(_)) | Poll::Pending => return Poll::Pending,
            },
        }
    }
    Poll::Ready(Ok(()))
}
