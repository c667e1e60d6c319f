//! Ports for a network on loopback: a few for all peers, or some for each.

use std::{
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket},
};

use net::serve::Interface;
use socket2::{Domain, SockRef, Socket, Type};

use super::{WireError, sockets::bound};
use crate::{
    ground::{Ports, Sharing},
    world::World,
};

/// Where free ports are looked for: below the range from which systems take the ports of outgoing connections (on Linux
/// 32,768 to 60,999), which could be taken from under us.
pub(super) const FIRST_PORT: u16 = 15_000;

/// The last port that is tried.
pub(super) const LAST_PORT: u16 = 31_999;

/// An address that is local only where all of 127.0.0.0/8 is.
const PROBE: Ipv4Addr = Ipv4Addr::new(127, 1, 0, 0);

/// Whether peers can have addresses of their own on loopback: whether all of 127.0.0.0/8 is local, and a socket that
/// listens at all addresses can be kept from answering others.
pub(super) fn has_loopback_range() -> bool {
    let kept = Socket::new(Domain::IPV4, Type::DGRAM, None)
        .and_then(|socket| Interface::Loopback.keep(&SockRef::from(&socket)));
    kept.is_ok() && UdpSocket::bind((PROBE, 0)).is_ok()
}

/// Which ports stand in for those that are not known yet.
pub(super) const fn placeholder(one_address: bool) -> Ports {
    let sharing = if one_address { Sharing::OneAddress { step: 1 } } else { Sharing::Slots };
    Ports { sharing, ..Ports::STANDARD }
}

/// Finds ports that are free on loopback, for a world that shares them in this way. They are not taken yet: another
/// program may be faster.
pub(super) fn free_ports(world: &World) -> Result<Ports, WireError> {
    match world.ports().sharing {
        Sharing::Slots => of_all(),
        Sharing::OneAddress { .. } => of_each(world),
    }
}

fn of_all() -> Result<Ports, WireError> {
    let mut candidates = FIRST_PORT..=LAST_PORT;
    let mut free = || -> Result<u16, WireError> {
        for port in candidates.by_ref() {
            if is_free(Ipv4Addr::UNSPECIFIED.into(), port)? {
                return Ok(port);
            }
        }
        Err(no_ports(5))
    };
    let sharing = Sharing::Slots;
    Ok(Ports { listen: free()?, ws: free()?, wss: free()?, dead: free()?, dropping: free()?, sharing })
}

/// As many ports in a row as the world's sites need.
fn of_each(world: &World) -> Result<Ports, WireError> {
    let speaks_websocket = |peer| world.carrier(peer).speaks_websocket();
    let (sites, websocket) = (world.sites(), world.peers().any(speaks_websocket));
    let mut first = FIRST_PORT;
    let ports = |first| {
        let ports = Ports::of_one_address(first, sites, websocket)?;
        (ports.dropping <= LAST_PORT).then_some(ports)
    };
    let needed = sites.saturating_mul(if websocket { 3 } else { 1 }).saturating_add(2);
    let mut found = ports(first).ok_or_else(|| no_ports(needed))?;
    let mut port = first;
    while port <= found.dropping {
        if is_free(Ipv4Addr::LOCALHOST.into(), port)? {
            port += 1;
            continue;
        }
        first = port + 1;
        found = ports(first).ok_or_else(|| no_ports(needed))?;
        port = first;
    }
    Ok(found)
}

const fn no_ports(needed: u32) -> WireError {
    WireError::NoPorts { needed, first: FIRST_PORT, last: LAST_PORT }
}

/// Whether nobody has a port, of TCP or of UDP.
fn is_free(ip: IpAddr, port: u16) -> Result<bool, WireError> {
    let addr = SocketAddr::new(ip, port);
    match bound(addr, Interface::Any).and_then(|tcp| Ok((tcp, UdpSocket::bind(addr)?))) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::AddrInUse => Ok(false),
        Err(source) => Err(WireError::Socket { what: "a listening socket", source }),
    }
}
