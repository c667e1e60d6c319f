//! Which interfaces a listening socket hears.

use std::io;

use socket2::SockRef;

/// Where packets may come from that a socket is to hear.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Interface {
    /// Anywhere.
    Any,
    /// This machine alone: to all others the port is closed. Linux has this since 5.7 without privileges; elsewhere it
    /// is an error.
    Loopback,
}

impl Interface {
    /// Keeps a socket that is not bound yet to this interface.
    pub fn keep(self, socket: &SockRef<'_>) -> io::Result<()> {
        match self {
            Self::Any => Ok(()),
            Self::Loopback => keep_to_loopback(socket),
        }
    }
}

#[cfg(target_os = "linux")]
fn keep_to_loopback(socket: &SockRef<'_>) -> io::Result<()> {
    socket.bind_device(Some(b"lo"))
}

#[cfg(not(target_os = "linux"))]
fn keep_to_loopback(_: &SockRef<'_>) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}
