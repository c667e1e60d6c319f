//! The sockets of a wire testnet: those that listen, those that hold a port without listening, those that drop. Which
//! ports they are on is decided in `ports`.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket},
    time::Duration,
};

use kad::network::Transport;
use net::serve::{self, Interface};
use socket2::{Domain, Protocol, SockRef, Socket, Type};
use tokio::net::{TcpListener, TcpSocket, TcpStream};

use super::WireError;
use crate::{
    ground::{SLOTS, Sharing},
    state::State,
    world::World,
};

/// The most connections that fill the queue of the dropping socket: Linux takes one more than its backlog.
const MAX_FILL: usize = 8;

/// How long an attempt to connect on loopback may take before it counts as dropped. One that is not dropped takes
/// microseconds.
const DROPPED_AFTER: Duration = Duration::from_millis(250);

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
pub(super) struct Held(Vec<(Socket, Option<Dropping>)>);

/// Sockets that say nothing.
#[derive(Debug)]
struct Dropping {
    _listener: Socket,
    /// What fills the listener's queue.
    _fill: Vec<TcpStream>,
    /// Takes datagrams that nobody reads.
    _udp: UdpSocket,
}

/// Takes the ports of a world, as far as it has peers there. `None`: another program has taken one of them.
pub(super) async fn bind(world: &World) -> Result<Option<(Vec<Listening>, Held)>, WireError> {
    let mut listening = Vec::new();
    for (addr, transport) in doors(world) {
        let socket = listening_at(addr, transport, interface(world));
        let Some(socket) = unless_taken(socket, "a listening socket")? else { return Ok(None) };
        listening.push(socket);
    }
    let mut held = Held::default();
    for wildcard in wildcards(world) {
        let Some(silent) = silent(world, wildcard).await? else { return Ok(None) };
        held.0.push(silent);
    }
    Ok(Some((listening, held)))
}

/// By which interface peers are reached. In a namespace that nothing leaves there may be cables to other namespaces in it.
pub(super) fn interface(world: &World) -> Interface {
    match world.ports().sharing {
        Sharing::Slots if !world.is_public() => Interface::Loopback,
        // Bound to addresses of loopback, or alone.
        Sharing::Slots | Sharing::OneAddress { .. } => Interface::Any,
    }
}

/// The addresses at which all peers are reached who share a port: one of each family.
fn wildcards(world: &World) -> Vec<IpAddr> {
    match world.ports().sharing {
        Sharing::OneAddress { .. } => vec![Ipv4Addr::LOCALHOST.into()],
        Sharing::Slots if world.ground.has_v6() => {
            vec![Ipv4Addr::UNSPECIFIED.into(), Ipv6Addr::UNSPECIFIED.into()]
        }
        Sharing::Slots => vec![Ipv4Addr::UNSPECIFIED.into()],
    }
}

/// Where those listen who are always there.
fn doors(world: &World) -> Vec<(SocketAddr, Transport)> {
    let ports = world.ports();
    if let Sharing::OneAddress { .. } = ports.sharing {
        let there =
            world.peers().filter(|&peer| world.state(peer).listens() && world.cast.part(peer).is_none());
        let of = |peer| {
            let slot = world.location(peer).slot;
            let at = move |transport| (Ipv4Addr::LOCALHOST, ports.of(transport, slot)).into();
            world.carrier(peer).transports().map(move |transport| (at(transport), transport))
        };
        return there.flat_map(of).collect();
    }
    let wildcards = wildcards(world);
    let both = wildcards.len() > 1;
    let mut doors = Vec::new();
    for wildcard in wildcards {
        // Of TCP the socket of IPv6 serves both families.
        let is_served = |transport| transport != Transport::Quic && wildcard.is_ipv4() && both;
        let used = used(world).into_iter().filter(|(transport, _)| !is_served(*transport));
        doors.extend(
            used.map(|(transport, slot)| (SocketAddr::new(wildcard, ports.of(transport, slot)), transport)),
        );
    }
    doors
}

/// How many descriptors the sockets take that are for one peer each.
pub(super) fn own_files(world: &World) -> u64 {
    match world.ports().sharing {
        Sharing::OneAddress { .. } => doors(world).len() as u64,
        Sharing::Slots => 0,
    }
}

/// The sockets of one family that say nothing. `None`: another program has taken their ports.
async fn silent(world: &World, wildcard: IpAddr) -> Result<Option<(Socket, Option<Dropping>)>, WireError> {
    let ports = world.ports();
    // Held at one address, so that peers that come and go can listen at others.
    let made = bound(SocketAddr::new(loopback(wildcard), ports.dead), Interface::Any)
        .and_then(|dead| Ok((dead, dropping(SocketAddr::new(wildcard, ports.dropping), interface(world))?)));
    let Some((dead, (listener, udp))) = unless_taken(made, "a silent socket")? else { return Ok(None) };
    let drops = |peer| matches!(world.state(peer), State::Dropping | State::Firewalled | State::BehindNat(_));
    let dropping = match fill(SocketAddr::new(loopback(wildcard), ports.dropping)).await {
        Ok(fill) => Some(Dropping { _listener: listener, _fill: fill, _udp: udp }),
        Err(WireError::NoDropping) if !world.peers().any(drops) => None,
        Err(error) => return Err(error),
    };
    Ok(Some((dead, dropping)))
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

fn listening_at(addr: SocketAddr, transport: Transport, interface: Interface) -> io::Result<Listening> {
    match transport {
        Transport::Quic => serve::bind_quic_on(addr, interface).map(Listening::Quic),
        _ => serve::bind_on(addr, interface).map(|socket| Listening::Stream(transport, socket)),
    }
}

/// The transports and slots that anybody listens on.
fn used(world: &World) -> Vec<(Transport, u16)> {
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
        let slots = (0..u16::from(SLOTS)).zip(of_transport).filter(|(_, is_used)| **is_used);
        used.extend(slots.map(|(slot, _)| (transport, slot)));
    }
    used
}

/// A TCP socket that is bound and does not listen. Without `SO_REUSEADDR`, so that nobody shares the port.
pub(super) fn bound(addr: SocketAddr, interface: Interface) -> io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(true)?;
    }
    interface.keep(&SockRef::from(&socket))?;
    socket.bind(&addr.into())?;
    Ok(socket)
}

/// A listening socket that takes next to nobody, and a socket of the same port of UDP that nobody reads.
fn dropping(addr: SocketAddr, interface: Interface) -> io::Result<(Socket, UdpSocket)> {
    let listener = bound(addr, interface)?;
    // Not 0, which other systems take for as many as there may be.
    listener.listen(1)?;
    let udp = Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
    if addr.is_ipv6() {
        udp.set_only_v6(true)?;
    }
    interface.keep(&SockRef::from(&udp))?;
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
