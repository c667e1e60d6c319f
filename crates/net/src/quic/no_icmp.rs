//! Where a system keeps no errors beside a socket: nobody listening at an address is silence there, found by a time-out.

use std::{
    io,
    net::{SocketAddr, UdpSocket},
    os::fd::AsRawFd,
};

/// See Linux's.
pub(super) const fn subscribe(_: &UdpSocket) -> io::Result<()> {
    Ok(())
}

/// There never is one.
pub(super) fn receive(_: &impl AsRawFd) -> io::Result<Option<(SocketAddr, io::Error)>> {
    Err(io::ErrorKind::WouldBlock.into())
}
