//! A session on a socket of TCP or WebSocket: reads into a buffer that all connections of a thread share, and writes all that is
//! pending at once, when a read would block.

use std::{
    cell::RefCell,
    net::SocketAddr,
    pin::Pin,
    sync::Arc,
    task::{Context, Poll, ready},
};

use kad::{
    Multiaddr, PeerId,
    failure::{Failure, FailureClass, Phase},
    network::{RoundTrip, RttSource, Security, StreamId, Traffic, Transport},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use crate::{
    carrier::Carrier,
    failure::from_io,
    introduction::{tcp_multiaddr, ws_multiaddr, wss_multiaddr},
    session::{Framing, Protocol, Session, SessionEvent},
    socket::Socket,
    tcp_info::min_rtt,
};

/// What one read takes at the most, in bytes.
const READ_BYTES: usize = 64 * 1024;

/// What may wait for the socket before no more is read, in bytes.
const MAX_BACKLOG_BYTES: usize = 256 * 1024;

thread_local! {
    /// Nothing stays in it between two reads, so one for each thread is enough.
    static READ_BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// A session and its socket.
#[derive(Debug)]
pub(crate) struct Link {
    socket: Socket,
    remote: SocketAddr,
    session: Session,
    /// Bytes ready for the socket, of which `written` are gone.
    out: Vec<u8>,
    written: usize,
    traffic: Traffic,
}

impl Link {
    pub(crate) fn new(socket: Socket, session: Session, remote: SocketAddr) -> Self {
        Self { socket, remote, session, out: Vec::new(), written: 0, traffic: Traffic::default() }
    }

    /// Whether the connection is over because the peer does not speak Noise, as far as one can tell.
    pub(crate) fn is_noise_unanswered(&self) -> bool {
        self.session.is_noise_unanswered()
    }

    fn place(&self, addr: SocketAddr) -> Multiaddr {
        match self.socket.transport() {
            Transport::Ws => ws_multiaddr(addr),
            Transport::Wss => wss_multiaddr(addr),
            Transport::Tcp | Transport::Quic => tcp_multiaddr(addr),
        }
    }

    /// How the connection is made, once the peer has proved who it is.
    pub(crate) fn security(&self) -> Option<Security> {
        self.session.security()
    }

    /// Gives the socket back; what was queued is lost.
    pub(crate) fn into_socket(self) -> Socket {
        self.socket
    }
}

impl Carrier for Link {
    fn peer(&self) -> Option<PeerId> {
        self.session.peer()
    }

    fn phase(&self) -> Phase {
        self.session.phase()
    }

    fn observed(&self) -> Multiaddr {
        self.place(self.remote)
    }

    fn local(&self) -> Multiaddr {
        match self.socket.tcp().local_addr() {
            Ok(addr) => self.place(SocketAddr::new(addr.ip().to_canonical(), addr.port())),
            Err(_) => Multiaddr::empty(),
        }
    }

    fn serve(&mut self, protocols: &Arc<[Protocol]>) {
        self.session.serve(protocols);
    }

    fn round_trip(&self) -> Option<RoundTrip> {
        let time = min_rtt(self.socket.tcp())?;
        Some(RoundTrip { time, source: RttSource::TcpInfo })
    }

    fn traffic(&self) -> Traffic {
        self.traffic
    }

    fn poll_event(&mut self) -> Option<SessionEvent> {
        self.session.poll_event()
    }

    fn open(&mut self, protocol: &str, framing: Framing) -> StreamId {
        self.session.open(protocol, framing)
    }

    fn send(&mut self, stream: StreamId, message: &[u8]) {
        self.session.send(stream, message);
    }

    fn finish(&mut self, stream: StreamId) {
        self.session.finish(stream);
    }

    fn reset(&mut self, stream: StreamId) {
        self.session.reset(stream);
    }

    fn say_goodbye(&mut self) {
        self.session.go_away();
    }

    fn abort(&mut self) {
        // A socket that is dropped with this option is reset. Without it, it is closed.
        self.socket.tcp().set_zero_linger().ok();
    }

    fn queued_bytes(&self) -> usize {
        self.out.len() - self.written + self.session.queued_bytes()
    }

    fn held_bytes(&self) -> usize {
        self.queued_bytes() + self.session.held_bytes()
    }

    fn is_congested(&self) -> bool {
        self.out.len() - self.written + self.session.pending_bytes() > MAX_BACKLOG_BYTES
    }

    fn poll_receive(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Failure>> {
        READ_BUFFER.with_borrow_mut(|buffer| {
            buffer.resize(READ_BYTES, 0);
            let mut read = ReadBuf::new(buffer);
            if let Err(error) = ready!(Pin::new(&mut self.socket).poll_read(cx, &mut read)) {
                return Poll::Ready(Err(from_io(self.session.phase(), &error)));
            }
            let bytes = read.filled_mut();
            if bytes.is_empty() {
                return Poll::Ready(Err(self.session.closed()));
            }
            self.traffic.received_bytes += bytes.len() as u64;
            Poll::Ready(self.session.receive(bytes))
        })
    }

    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, Failure>> {
        let mut any = false;
        loop {
            if self.written == self.out.len() {
                self.out.clear();
                self.written = 0;
                self.session.transmit(&mut self.out)?;
                if self.out.is_empty() {
                    // An idle connection holds no buffer.
                    self.out = Vec::new();
                    let flushed = ready!(Pin::new(&mut self.socket).poll_flush(cx));
                    flushed.map_err(|error| from_io(self.session.phase(), &error))?;
                    return Poll::Ready(Ok(any));
                }
            }
            let pending = self.out.get(self.written..).unwrap_or_default();
            let phase = self.session.phase();
            match ready!(Pin::new(&mut self.socket).poll_write(cx, pending)) {
                Ok(0) => return Poll::Ready(Err(Failure::new(phase, FailureClass::ConnectionClosed))),
                Ok(bytes) => {
                    any = true;
                    self.written += bytes;
                    self.traffic.sent_bytes += bytes as u64;
                }
                Err(error) => return Poll::Ready(Err(from_io(phase, &error))),
            }
        }
    }
}
