//! What can go wrong on our side. What goes wrong with peers is a [`Failure`](kad::failure::Failure), and no error.

use std::io;

use kad::Multiaddr;

/// An error of ours.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// An identity could not be made of a key.
    #[error("no identity can be made: the key cannot sign, or the system has no randomness")]
    Identity,
    /// A certificate could not be made of a key.
    #[error("no certificate can be made: the key cannot sign, or the system has no randomness")]
    Certificate,
    /// That address is none that we can listen on: not an IP address with TCP, QUIC or WebSocket on it.
    #[error("{0} is no address to listen on")]
    NotListenable(Multiaddr),
    /// A socket could not be had to listen on.
    #[error("cannot listen on {address}: {source}")]
    Listen {
        /// The address.
        address: Multiaddr,
        /// What the system says.
        source: io::Error,
    },
    /// A thread that receives, or what it drives, could not be started.
    #[error("cannot receive over QUIC: {0}")]
    Receive(#[source] io::Error),
}
