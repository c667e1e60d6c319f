//! One listening TCP socket for all addresses, a UDP socket for each, and who asks them.

use std::{
    io::{self, Read as _, Write as _},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, TcpStream, UdpSocket},
    thread,
    time::Duration,
};

/// How long an answer is waited for. Longer than the second after which a dial would be repeated.
const PATIENCE: Duration = Duration::from_millis(1500);

/// Echoes whatever comes until the program ends, over TCP for every local address of the same family.
pub(crate) fn serve_tcp(family: IpAddr) -> u16 {
    let any = if family.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { IpAddr::V6(Ipv6Addr::UNSPECIFIED) };
    let listener = TcpListener::bind((any, 0)).expect("a port");
    let port = listener.local_addr().expect("bound").port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.expect("accepted");
            thread::spawn(move || io::copy(&mut stream.try_clone().expect("a second handle"), &mut stream));
        }
    });
    port
}

/// The same over UDP at one address.
pub(crate) fn serve_udp(at: IpAddr) -> u16 {
    let socket = UdpSocket::bind((at, 0)).expect("a local address");
    let port = socket.local_addr().expect("bound").port();
    thread::spawn(move || {
        let mut datagram = [0; 16];
        loop {
            let Ok((len, from)) = socket.recv_from(&mut datagram) else { continue };
            socket.send_to(&datagram[..len], from).ok();
        }
    });
    port
}

/// Connects over TCP.
pub(crate) fn connect(to: SocketAddr) -> io::Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&to, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    Ok(stream)
}

/// A UDP socket that sends there.
pub(crate) fn socket(to: SocketAddr) -> io::Result<UdpSocket> {
    let any: IpAddr = if to.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    let socket = UdpSocket::bind((any, 0))?;
    socket.connect(to)?;
    socket.set_read_timeout(Some(PATIENCE))?;
    Ok(socket)
}

/// Whether what is said comes back; an error of kind `WouldBlock` if nothing does.
pub(crate) fn is_echoed(mut stream: &TcpStream) -> io::Result<()> {
    stream.write_all(b"?")?;
    stream.read_exact(&mut [0])
}

/// The same over UDP.
pub(crate) fn is_echoed_by_udp(to: SocketAddr) -> io::Result<()> {
    let socket = socket(to)?;
    socket.send(b"?")?;
    socket.recv(&mut [0; 16]).map(drop)
}
