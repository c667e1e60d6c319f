//! The sockets of a wire testnet: one that listens, one that holds a port without listening, one that drops.

use std::{
    io,
    net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket},
    time::Duration,
};

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::WireError;
use crate::{address, world::Ports};

/// Where free ports are looked for: below the range from which systems take the ports of outgoing connections (on Linux
/// 32,768 to 60,999), which could be taken from under us.
const FIRST_PORT: u16 = 15_000;

/// The last port that is tried.
const LAST_PORT: u16 = 31_999;

/// The most connections that fill the queue of the dropping socket: Linux takes one more than its backlog.
const MAX_FILL: usize = 8;

/// How long an attempt to connect on loopback may take before it counts as dropped. One that is not dropped takes
/// microseconds.
const DROPPED_AFTER: Duration = Duration::from_millis(250);

/// The sockets on which peers listen: the same port of TCP and UDP.
#[derive(Debug)]
pub(super) struct Listening {
    pub(super) tcp: TcpListener,
    pub(super) udp: UdpSocket,
}

/// The sockets that are held while the testnet runs.
#[derive(Debug)]
pub(super) struct Sockets {
    pub(super) ports: Ports,
    /// A TCP port that is bound, not listened on: the kernel refuses connections, and gives the port to nobody else.
    _dead: Socket,
    _dropping: Dropping,
}

/// Sockets that say nothing.
#[derive(Debug)]
struct Dropping {
    _listener: Socket,
    /// What fills the listener's queue.
    _fill: Vec<TcpStream>,
    /// Takes datagrams that nobody reads.
    _udp: UdpSocket,
}

impl Sockets {
    /// Finds free ports, and takes them. What peers listen on is handed out.
    pub(super) async fn bind() -> Result<(Listening, Self), WireError> {
        let probe = address::ip(0);
        UdpSocket::bind((probe, 0))
            .map_err(|source| WireError::NoLoopbackRange { address: probe, source })?;
        let mut candidates = FIRST_PORT..=LAST_PORT;
        let (listen, listening) = free(&mut candidates, |addr| {
            Ok(Listening { udp: UdpSocket::bind(addr)?, tcp: net::serve::bind(addr)? })
        })?;
        // Held at one address, so that peers that come and go can listen at others.
        let hold = |addr: SocketAddr| bound(SocketAddr::from((Ipv4Addr::LOCALHOST, addr.port())));
        let (dead, dead_socket) = free(&mut candidates, hold)?;
        let (dropping, (dropper, udp)) = free(&mut candidates, |addr| {
            let socket = bound(addr)?;
            socket.listen(0)?;
            Ok((socket, UdpSocket::bind(addr)?))
        })?;
        let fill = fill(SocketAddr::from((Ipv4Addr::LOCALHOST, dropping))).await?;
        let dropping_sockets = Dropping { _listener: dropper, _fill: fill, _udp: udp };
        let ports = Ports { listen, dead, dropping };
        Ok((listening, Self { ports, _dead: dead_socket, _dropping: dropping_sockets }))
    }
}

/// The first free port for which `take` succeeds at the wildcard address, and what it made.
fn free<T>(
    candidates: &mut impl Iterator<Item = u16>,
    take: impl Fn(SocketAddr) -> io::Result<T>,
) -> Result<(u16, T), WireError> {
    for port in candidates {
        match take(SocketAddr::V4(SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, port))) {
            Ok(taken) => return Ok((port, taken)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
            Err(source) => return Err(WireError::Socket { what: "a listening socket", source }),
        }
    }
    Err(WireError::NoPorts { first: FIRST_PORT, last: LAST_PORT })
}

/// A TCP socket that is bound and does not listen. Without `SO_REUSEADDR`, so that nobody shares the port.
fn bound(addr: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, Some(Protocol::TCP))?;
    socket.bind(&addr.into())?;
    Ok(socket)
}

/// Fills the queue of a listening socket, until an attempt to connect gets no answer any more.
async fn fill(addr: SocketAddr) -> Result<Vec<TcpStream>, WireError> {
    let mut fill = Vec::new();
    while fill.len() < MAX_FILL {
        let socket =
            TcpSocket::new_v4().map_err(|source| WireError::Socket { what: "a filling socket", source })?;
        match tokio::time::timeout(DROPPED_AFTER, socket.connect(addr)).await {
            Ok(Ok(stream)) => fill.push(stream),
            Ok(Err(source)) => return Err(WireError::Socket { what: "the dropping socket", source }),
            Err(_) => return Ok(fill),
        }
    }
    Err(WireError::NoDropping)
}
