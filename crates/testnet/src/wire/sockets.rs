//! The sockets of a wire testnet: those that listen, those that hold a port without listening, those that drop.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use kad::network::Transport;
use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::WireError;
use crate::{
    ground::{Ports, SLOTS},
    world::World,
};

/// Where free ports are looked for: below the range from which systems take the ports of outgoing connections (on Linux
/// 32,768 to 60,999), which could be taken from under us.
pub(super) const FIRST_PORT: u16 = 15_000;

/// The last port that is tried.
pub(super) const LAST_PORT: u16 = 31_999;

/// The most connections that fill the queue of the dropping socket: Linux takes one more than its backlog.
const MAX_FILL: usize = 8;

/// How long an attempt to connect on loopback may take before it counts as dropped. One that is not dropped takes
/// microseconds.
const DROPPED_AFTER: Duration = Duration::from_millis(250);

/// An address that is local only where all of 127.0.0.0/8 is.
const PROBE: Ipv4Addr = Ipv4Addr::new(127, 1, 0, 0);

/// A socket on which peers listen, and the transport that they speak there.
#[derive(Debug)]
pub(super) enum Listening {
    /// TCP, or WebSocket on it.
    Stream(Transport, TcpListener),
    /// QUIC.
    Quic(UdpSocket),
}

/// The sockets that are held while the testnet runs: of each family one that refuses and one that drops.
#[derive(Debug, Default)]
pub(super) struct Held(Vec<(Socket, Dropping)>);

/// Sockets that say nothing.
#[derive(Debug)]
struct Dropping {
    _listener: Socket,
    /// What fills the listener's queue.
    _fill: Vec<TcpStream>,
    /// Takes datagrams that nobody reads.
    _udp: UdpSocket,
}

/// Finds ports that are free on loopback. They are not taken yet: another program may be faster.
pub(super) fn free_ports() -> Result<Ports, WireError> {
    UdpSocket::bind((PROBE, 0)).map_err(|source| WireError::NoLoopbackRange { address: PROBE, source })?;
    let mut candidates = FIRST_PORT..=LAST_PORT;
    let mut free = || -> Result<u16, WireError> {
        for port in candidates.by_ref() {
            let addr = SocketAddr::from((Ipv4Addr::UNSPECIFIED, port));
            match bound(addr).and_then(|tcp| Ok((tcp, UdpSocket::bind(addr)?))) {
                Ok(_) => return Ok(port),
                Err(error) if error.kind() == io::ErrorKind::AddrInUse => {}
                Err(source) => return Err(WireError::Socket { what: "a listening socket", source }),
            }
        }
        Err(WireError::NoPorts { first: FIRST_PORT, last: LAST_PORT })
    };
    Ok(Ports { listen: free()?, ws: free()?, wss: free()?, dead: free()?, dropping: free()? })
}

/// Takes the ports of a world, as far as it has peers there. `None`: another program has taken one of them.
pub(super) async fn bind(world: &World) -> Result<Option<(Vec<Listening>, Held)>, WireError> {
    let ports = world.ports();
    let mut listening = Vec::new();
    let mut held = Held::default();
    let v6 = world.ground.has_v6().then_some(IpAddr::V6(Ipv6Addr::UNSPECIFIED));
    for wildcard in [IpAddr::V4(Ipv4Addr::UNSPECIFIED)].into_iter().chain(v6) {
        // Of TCP the socket of IPv6 serves both families.
        let is_served = |transport| transport != Transport::Quic && wildcard.is_ipv4() && v6.is_some();
        for (transport, slot) in used(world).into_iter().filter(|(transport, _)| !is_served(*transport)) {
            let addr = SocketAddr::new(wildcard, ports.of(transport, slot));
            let Some(socket) = unless_taken(listening_at(addr, transport), "a listening socket")? else {
                return Ok(None);
            };
            listening.push(socket);
        }
        // Held at one address, so that peers that come and go can listen at others.
        let silent = bound(SocketAddr::new(loopback(wildcard), ports.dead))
            .and_then(|dead| Ok((dead, dropping(SocketAddr::new(wildcard, ports.dropping))?)));
        let Some((dead, (listener, udp))) = unless_taken(silent, "a silent socket")? else {
            return Ok(None);
        };
        let fill = fill(SocketAddr::new(loopback(wildcard), ports.dropping)).await?;
        held.0.push((dead, Dropping { _listener: listener, _fill: fill, _udp: udp }));
    }
    Ok(Some((listening, held)))
}

const fn loopback(of_family: IpAddr) -> IpAddr {
    match of_family {
        IpAddr::V4(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
    }
}

/// What was made; `None` if its port is another program's.
fn unless_taken<T>(made: io::Result<T>, what: &'static str) -> Result<Option<T>, WireError> {
    match made {
        Ok(made) => Ok(Some(made)),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(None),
        Err(source) => Err(WireError::Socket { what, source }),
    }
}

fn listening_at(addr: SocketAddr, transport: Transport) -> io::Result<Listening> {
    match transport {
        Transport::Quic => net::serve::bind_quic(addr).map(Listening::Quic),
        _ => net::serve::bind(addr).map(|socket| Listening::Stream(transport, socket)),
    }
}

/// The transports and slots that anybody listens on.
fn used(world: &World) -> Vec<(Transport, u8)> {
    let mut used = Vec::new();
    let all = [Transport::Tcp, Transport::Quic, Transport::Ws, Transport::Wss];
    let mut speaks = [[false; SLOTS as usize]; 4];
    for peer in world.peers().filter(|&peer| world.state(peer).listens()) {
        let (slot, carrier) = (usize::from(world.location(peer).slot), world.carrier(peer));
        for (of_transport, transport) in speaks.iter_mut().zip(all) {
            of_transport[slot] |= carrier.speaks(transport);
        }
    }
    for (of_transport, transport) in speaks.iter().zip(all) {
        let slots = (0..SLOTS).zip(of_transport).filter(|(_, is_used)| **is_used);
        used.extend(slots.map(|(slot, _)| (transport, slot)));
    }
    used
}

/// A TCP socket that is bound and does not listen. Without `SO_REUSEADDR`, so that nobody shares the port.
fn bound(addr: SocketAddr) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    socket.bind(&addr.into())?;
    Ok(socket)
}

/// A listening socket that takes next to nobody, and a socket of the same port of UDP that nobody reads.
fn dropping(addr: SocketAddr) -> io::Result<(Socket, UdpSocket)> {
    let listener = bound(addr)?;
    listener.listen(0)?;
    let udp = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    if addr.is_ipv6() {
        udp.set_only_v6(true)?;
    }
    udp.bind(&addr.into())?;
    Ok((listener, udp.into()))
}

/// Fills the queue of a listening socket, until an attempt to connect gets no answer any more.
async fn fill(addr: SocketAddr) -> Result<Vec<TcpStream>, WireError> {
    let what = "a filling socket";
    let mut fill = Vec::new();
    while fill.len() < MAX_FILL {
        let socket = if addr.is_ipv6() { TcpSocket::new_v6() } else { TcpSocket::new_v4() };
        let socket = socket.map_err(|source| WireError::Socket { what, source })?;
        match tokio::time::timeout(DROPPED_AFTER, socket.connect(addr)).await {
            Ok(Ok(stream)) => fill.push(stream),
            Ok(Err(source)) => return Err(WireError::Socket { what: "the dropping socket", source }),
            Err(_) => return Ok(fill),
        }
    }
    Err(WireError::NoDropping)
}
