//! The listening sockets of one peer of ours.

use std::{
    io,
    net::{IpAddr, SocketAddr},
};

use kad::{Multiaddr, network::Transport};
use multiaddr::Protocol;
use socket2::SockRef;
use tokio::net::{TcpListener, TcpSocket};

use crate::{error::NetError, quic::bind_quic, quic_multiaddr, tcp_multiaddr, ws_multiaddr, wss_multiaddr};

/// How many connections may wait to be accepted; the system may allow fewer.
const BACKLOG: u32 = 1024;

/// A bound socket.
#[derive(Debug)]
pub(super) enum Socket {
    /// TCP, or WebSocket on it.
    Stream(Transport, TcpListener),
    /// QUIC, and where.
    Quic(std::net::UdpSocket, SocketAddr),
}

/// Opens a socket to listen on; with the address that it has.
pub(super) fn open(address: &Multiaddr) -> Result<(Socket, Multiaddr), NetError> {
    let (transport, addr) = listenable(address).ok_or_else(|| NetError::NotListenable(address.clone()))?;
    let opened = if transport == Transport::Quic { open_quic(addr) } else { open_stream(transport, addr) };
    let (socket, addr) = opened.map_err(|source| NetError::Listen { address: address.clone(), source })?;
    let opened = match transport {
        Transport::Tcp => tcp_multiaddr(addr),
        Transport::Quic => quic_multiaddr(addr),
        Transport::Ws => ws_multiaddr(addr),
        Transport::Wss => wss_multiaddr(addr),
    };
    Ok((socket, opened))
}

fn open_quic(addr: SocketAddr) -> io::Result<(Socket, SocketAddr)> {
    let socket = bind_quic(addr)?;
    let addr = socket.local_addr()?;
    Ok((Socket::Quic(socket, addr), addr))
}

fn open_stream(transport: Transport, addr: SocketAddr) -> io::Result<(Socket, SocketAddr)> {
    let socket = if addr.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
    if addr.is_ipv6() {
        // Addresses of IPv4 are listened on where they are asked for.
        SockRef::from(&socket).set_only_v6(true)?;
    }
    socket.set_reuseaddr(true)?;
    socket.bind(addr)?;
    let listener = socket.listen(BACKLOG)?;
    let addr = listener.local_addr()?;
    Ok((Socket::Stream(transport, listener), addr))
}

/// What is to be spoken, and where; `None` for an address that is not one to listen on.
fn listenable(address: &Multiaddr) -> Option<(Transport, SocketAddr)> {
    let mut parts = address.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => IpAddr::V4(ip),
        Protocol::Ip6(ip) => IpAddr::V6(ip),
        _ => return None,
    };
    let (transport, port) = match (parts.next()?, parts.next(), parts.next()) {
        (Protocol::Tcp(port), None, None) => (Transport::Tcp, port),
        (Protocol::Tcp(port), Some(Protocol::Ws(_)), None) => (Transport::Ws, port),
        (Protocol::Tcp(port), Some(Protocol::Wss(_)), None)
        | (Protocol::Tcp(port), Some(Protocol::Tls), Some(Protocol::Ws(_))) => (Transport::Wss, port),
        (Protocol::Udp(port), Some(Protocol::QuicV1), None) => (Transport::Quic, port),
        _ => return None,
    };
    parts.next().is_none().then_some((transport, SocketAddr::new(ip, port)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_what_is_listened_on() {
        for (text, expected) in [
            ("/ip4/127.0.0.1/tcp/1", Some(Transport::Tcp)),
            ("/ip6/::/udp/1/quic-v1", Some(Transport::Quic)),
            ("/ip4/0.0.0.0/tcp/1/ws", Some(Transport::Ws)),
            ("/ip4/0.0.0.0/tcp/1/tls/ws", Some(Transport::Wss)),
            ("/ip4/0.0.0.0/tcp/1/wss", Some(Transport::Wss)),
            ("/ip4/127.0.0.1/udp/1", None),
            ("/ip4/127.0.0.1/udp/1/quic", None),
            ("/dns4/a.b/tcp/1", None),
            ("/ip4/127.0.0.1/tcp/1/tls", None),
            ("/ip4/127.0.0.1", None),
        ] {
            let address = text.parse().unwrap();
            assert_eq!(listenable(&address).map(|(transport, _)| transport), expected, "{text}");
        }
    }
}
