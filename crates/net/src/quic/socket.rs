//! The UDP sockets under QUIC.
//!
//! All connections of an endpoint share one receive buffer. Where it overflows, datagrams are lost, and a handshake
//! that lost one looks like a dead peer for a second or more: the buffer is made as large as the system allows.

use std::{
    future::Future,
    io::{self, IoSliceMut},
    net::SocketAddr,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, ready},
    thread,
};

use quinn::{
    AsyncUdpSocket, UdpPoller,
    udp::{RecvMeta, Transmit, UdpSocketState},
};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::{io::Interest, net::UdpSocket, sync::OwnedSemaphorePermit};

use super::{
    dials::{Dials, Watch},
    icmp,
};
use crate::interface::Interface;

/// The buffers that are asked for in each direction, in bytes. The system's own limits may allow less.
const BUFFER_BYTES: usize = 8 * 1024 * 1024;

/// A receive buffer that hundreds of connections can share, in bytes as Linux counts them (it doubles what is asked for).
/// Linux grants 425,984 to the unprivileged where nobody raised `net.core.rmem_max`: with 100 visits at once on loopback
/// such a buffer lost a datagram in every second visit.
const ENOUGH_BYTES: usize = 4 * 1024 * 1024;

/// A bound socket with large buffers.
pub(super) fn bind(addr: SocketAddr, interface: Interface) -> io::Result<std::net::UdpSocket> {
    let socket = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.set_nonblocking(true)?;
    interface.keep(&SockRef::from(&socket))?;
    socket.bind(&addr.into())?;
    let socket = socket.into();
    enlarge(&socket)?;
    Ok(socket)
}

/// Gives a socket buffers that are as large as the system allows, up to [`BUFFER_BYTES`]. With the usual ones
/// (212,992 bytes on Linux) 500 diallers at once lost one datagram of a hundred, many at the same moment and the same
/// ones again when all sent again; now and then a visit lost each of its attempts.
pub(super) fn enlarge(socket: &std::net::UdpSocket) -> io::Result<()> {
    let socket = SockRef::from(socket);
    // The first way is for the privileged, and knows no limit.
    if !force_recv_buffer(&socket) {
        socket.set_recv_buffer_size(BUFFER_BYTES)?;
    }
    socket.set_send_buffer_size(BUFFER_BYTES)
}

/// Gives a socket the receive buffer that is asked for, whatever the system's limit; whether that was possible.
#[cfg(target_os = "linux")]
fn force_recv_buffer(socket: &SockRef<'_>) -> bool {
    rustix::net::sockopt::set_socket_recv_buffer_size_force(&**socket, BUFFER_BYTES).is_ok()
}

/// Linux alone has a way.
#[cfg(not(target_os = "linux"))]
const fn force_recv_buffer(_: &SockRef<'_>) -> bool {
    false
}

/// Tells the system to put no datagrams together.
#[cfg(target_os = "linux")]
fn receive_singly(socket: &UdpSocket) -> io::Result<()> {
    use nix::sys::socket::{setsockopt, sockopt::UdpGroSegment};
    Ok(setsockopt(socket, UdpGroSegment, &false)?)
}

/// Linux alone does.
#[cfg(not(target_os = "linux"))]
const fn receive_singly(_: &UdpSocket) -> io::Result<()> {
    Ok(())
}

/// A socket that all connections of an endpoint share. It knows which dials are under way, and tells them what the network
/// says of their addresses.
#[derive(Debug)]
pub(super) struct SharedSocket {
    io: UdpSocket,
    state: UdpSocketState,
    dials: Dials,
    /// The last send did not fit into the system's buffer.
    full: AtomicBool,
    /// Nothing was left when the socket was last read.
    drained: AtomicBool,
    has_large_buffer: bool,
    /// How many datagrams one read may bring.
    receive_segments: usize,
    /// How many datagrams one write may take.
    transmit_segments: usize,
    /// Of a socket that is one of a bounded number; `None` for all others.
    place: Option<OwnedSemaphorePermit>,
}

/// How many datagrams one write of a peer of ours takes. Each connection keeps a buffer for as many.
const PEERS_TRANSMIT_SEGMENTS: usize = 1;

impl SharedSocket {
    /// A socket with the buffers of [`enlarge`]. Needs tokio's reactor.
    pub(super) fn new(socket: std::net::UdpSocket) -> io::Result<Arc<Self>> {
        Self::open(socket).map(Arc::new)
    }

    fn open(socket: std::net::UdpSocket) -> io::Result<Self> {
        let state = UdpSocketState::new((&socket).into())?;
        let has_large_buffer = SockRef::from(&socket).recv_buffer_size()? >= ENOUGH_BYTES;
        let io = UdpSocket::from_std(socket)?;
        let (full, drained) = (AtomicBool::new(false), AtomicBool::new(true));
        let (receive_segments, transmit_segments) = (state.gro_segments(), state.max_gso_segments());
        let dials = Dials::default();
        Ok(Self {
            io,
            state,
            dials,
            full,
            drained,
            has_large_buffer,
            receive_segments,
            transmit_segments,
            place: None,
        })
    }

    /// The same for one peer of ours. An endpoint has a buffer for as many datagrams as a read may bring, times 32: with what
    /// the system would put together that is 3 MiB, which is too much for one of a thousand. A connection has one for as many
    /// as a write may take, and keeps it: with the ten that quinn would put together these are 13 KiB.
    pub(super) fn for_one_peer(socket: std::net::UdpSocket) -> io::Result<Arc<Self>> {
        Self::open_singly(socket).map(Arc::new)
    }

    fn open_singly(socket: std::net::UdpSocket) -> io::Result<Self> {
        let mut shared = Self::open(socket)?;
        if shared.receive_segments > 1 {
            receive_singly(&shared.io)?;
            shared.receive_segments = 1;
        }
        shared.transmit_segments = shared.transmit_segments.min(PEERS_TRANSMIT_SEGMENTS);
        Ok(shared)
    }

    /// The same for a single dial, which is one of a bounded number: its place is free when the socket is closed.
    pub(super) fn for_one_dial(
        socket: std::net::UdpSocket,
        place: OwnedSemaphorePermit,
    ) -> io::Result<Arc<Self>> {
        icmp::subscribe(&socket)?;
        let mut shared = Self::open_singly(socket)?;
        shared.place = Some(place);
        Ok(Arc::new(shared))
    }

    /// Waits until there is something to read, or to be told.
    pub(super) async fn readable(&self) -> io::Result<()> {
        self.io.readable().await
    }

    /// The same for dials, which want to hear of errors. [`Self::listen_for_icmp`] has to run beside it.
    pub(super) fn for_dials(socket: std::net::UdpSocket) -> io::Result<Arc<Self>> {
        icmp::subscribe(&socket)?;
        Self::new(socket)
    }

    /// Whether the system granted enough room for what many connections receive at once.
    pub(super) const fn has_large_buffer(&self) -> bool {
        self.has_large_buffer
    }

    /// Reports errors about that address until the watch is dropped.
    pub(super) fn watch(&self, addr: SocketAddr) -> Watch<'_> {
        self.dials.watch(addr)
    }

    /// Hands out what ICMP says of addresses, until it is dropped.
    pub(super) async fn listen_for_icmp(self: Arc<Self>) {
        while self.io.ready(Interest::ERROR).await.is_ok() {
            let drained = self.io.try_io(Interest::ERROR, || self.drain_errors());
            if drained.is_err_and(|error| error.kind() != io::ErrorKind::WouldBlock) {
                tracing::debug!("a socket for QUIC has no queue of errors");
                return;
            }
        }
    }

    /// Reports all errors in the queue. Its end is an error: `WouldBlock`.
    fn drain_errors(&self) -> io::Result<()> {
        loop {
            if let Some((addr, error)) = icmp::receive(&self.io)? {
                self.dials.report(addr, &error);
            }
        }
    }

    /// Lets others run before the socket is read, so that it is read once for all that comes meanwhile: the system wakes
    /// the reading thread for each datagram if it can, at the cost of a tenth of a visit. Where a core is idle this takes no
    /// time; where the buffer is small it must not wait.
    fn gather(&self) {
        if self.has_large_buffer && self.drained.swap(false, Ordering::Relaxed) {
            thread::yield_now();
        }
    }

    fn send_once(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        self.io.try_io(Interest::WRITABLE, || self.state.try_send((&self.io).into(), transmit))
    }
}

impl AsyncUdpSocket for SharedSocket {
    fn create_io_poller(self: Arc<Self>) -> Pin<Box<dyn UdpPoller>> {
        Box::pin(Poller { socket: self, waiting: None })
    }

    fn try_send(&self, transmit: &Transmit<'_>) -> io::Result<()> {
        // An error can be the late one of another datagram, which took the place of this one's sending.
        match self.send_once(transmit).or_else(|_| self.send_once(transmit)) {
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                self.full.store(true, Ordering::Relaxed);
                Err(error)
            }
            Err(error) => {
                self.dials.report(transmit.destination, &error);
                Ok(())
            }
            Ok(()) => Ok(()),
        }
    }

    fn poll_recv(
        &self,
        cx: &mut Context<'_>,
        buffers: &mut [IoSliceMut<'_>],
        meta: &mut [RecvMeta],
    ) -> Poll<io::Result<usize>> {
        loop {
            ready!(self.io.poll_recv_ready(cx))?;
            self.gather();
            let receive = || self.state.recv((&self.io).into(), buffers, meta);
            match self.io.try_io(Interest::READABLE, receive) {
                Ok(count) => return Poll::Ready(Ok(count)),
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                    self.drained.store(true, Ordering::Relaxed);
                }
                // That of a datagram sent before, which is told through the error queue.
                Err(_) => {}
            }
        }
    }

    fn local_addr(&self) -> io::Result<SocketAddr> {
        self.io.local_addr()
    }

    fn max_transmit_segments(&self) -> usize {
        // The system may have refused what it said that it could.
        self.transmit_segments.min(self.state.max_gso_segments())
    }

    fn max_receive_segments(&self) -> usize {
        self.receive_segments
    }

    fn may_fragment(&self) -> bool {
        self.state.may_fragment()
    }
}

type Writable = Pin<Box<dyn Future<Output = io::Result<()>> + Send + Sync>>;

/// Waits for room in the system's buffer, which is nearly never needed.
struct Poller {
    socket: Arc<SharedSocket>,
    waiting: Option<Writable>,
}

impl std::fmt::Debug for Poller {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Poller").finish_non_exhaustive()
    }
}

impl UdpPoller for Poller {
    fn poll_writable(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.waiting.is_none() && !self.socket.full.load(Ordering::Relaxed) {
            return Poll::Ready(Ok(()));
        }
        let socket = Arc::clone(&self.socket);
        let wait = || -> Writable { Box::pin(async move { socket.io.writable().await }) };
        let result = ready!(self.waiting.get_or_insert_with(wait).as_mut().poll(cx));
        self.waiting = None;
        self.socket.full.store(false, Ordering::Relaxed);
        Poll::Ready(result)
    }
}
