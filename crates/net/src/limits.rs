//! The bounds of time and number that those who listen set to those who dial.

use std::time::Duration;

/// Bounds of a listening side.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ListenLimits {
    /// The most connections at once; further ones are reset on arrival.
    pub connections: usize,
    /// How long a peer may take to prove who it is.
    pub handshake: Duration,
    /// How long a stream may be without a message.
    pub idle_stream: Duration,
    /// How long a connection may be without a stream.
    pub idle_connection: Duration,
}

impl Default for ListenLimits {
    fn default() -> Self {
        Self {
            connections: 16_384,
            handshake: Duration::from_secs(15),
            idle_stream: Duration::from_secs(60),
            idle_connection: Duration::from_secs(300),
        }
    }
}
