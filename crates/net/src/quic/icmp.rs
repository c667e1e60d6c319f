//! What ICMP says of datagrams that were sent: the system keeps it in a queue of errors beside the socket.
//!
//! Without it, nobody listening at an address looks like silence, and takes a whole time-out to find out.

use std::{
    io::{self, IoSliceMut},
    net::{SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket},
    os::fd::{AsFd, AsRawFd},
};

use nix::{
    cmsg_space,
    sys::socket::{
        ControlMessageOwned, MsgFlags, SockaddrStorage, recvmsg, setsockopt,
        sockopt::{Ipv4RecvErr, Ipv6RecvErr},
    },
};

/// Room for all that comes beside a datagram: the error, who sent it, and what quinn asks for of each datagram.
const CONTROL_BYTES: usize = 512;

/// Asks the system to keep the errors of a socket.
pub(super) fn subscribe(socket: &UdpSocket) -> io::Result<()> {
    match socket.local_addr()? {
        SocketAddr::V4(_) => setsockopt(&socket.as_fd(), Ipv4RecvErr, &true)?,
        SocketAddr::V6(_) => setsockopt(&socket.as_fd(), Ipv6RecvErr, &true)?,
    }
    Ok(())
}

/// Takes one error off the queue, with the address that the datagram was sent to; `None` for one of another kind.
/// An error of the call itself says that the queue is empty (`WouldBlock`), or cannot be read.
pub(super) fn receive(socket: &impl AsRawFd) -> io::Result<Option<(SocketAddr, io::Error)>> {
    let mut control = cmsg_space!([u8; CONTROL_BYTES]);
    // The datagram itself comes back as well, and is of no use.
    let mut datagram = [0; 64];
    let mut buffers = [IoSliceMut::new(&mut datagram)];
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let message = recvmsg::<SockaddrStorage>(socket.as_raw_fd(), &mut buffers, Some(&mut control), flags)?;
    let number = message.cmsgs().ok().and_then(|mut parts| {
        parts.find_map(|part| match part {
            ControlMessageOwned::Ipv4RecvErr(error, _) | ControlMessageOwned::Ipv6RecvErr(error, _) => {
                i32::try_from(error.ee_errno).ok()
            }
            _ => None,
        })
    });
    let addr = message.address.as_ref().and_then(socket_addr);
    Ok(addr.zip(number.map(io::Error::from_raw_os_error)))
}

fn socket_addr(storage: &SockaddrStorage) -> Option<SocketAddr> {
    let v4 = storage.as_sockaddr_in().map(|addr| SocketAddr::V4(SocketAddrV4::from(*addr)));
    v4.or_else(|| storage.as_sockaddr_in6().map(|addr| SocketAddr::V6(SocketAddrV6::from(*addr))))
}
