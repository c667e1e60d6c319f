//! What is said between a session and its owner: roles, protocols, events.

use kad::{failure::Failure, network::StreamId};

/// Which end of the connection we are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// We opened the connection.
    Dialer,
    /// The peer opened the connection.
    Listener,
}

/// What a listener offers to authenticate a peer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Securities {
    /// Noise and TLS, as the peer prefers.
    #[default]
    Any,
    /// Noise only.
    Noise,
    /// TLS only.
    Tls,
}

/// How messages follow each other on a stream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framing {
    /// Each message has its length before it, as an unsigned varint; longer messages than so many bytes end the stream.
    Prefixed(usize),
    /// All messages have this length, in bytes.
    Fixed(usize),
}

/// A protocol that peers may open streams for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Protocol {
    /// Its name, for example `/ipfs/ping/1.0.0`.
    pub name: Box<str>,
    /// How its messages come and go.
    pub framing: Framing,
}

impl AsRef<str> for Protocol {
    fn as_ref(&self) -> &str {
        &self.name
    }
}

/// What happens on a session.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SessionEvent {
    /// The peer opened a stream for the protocol at this position of the list given to the session.
    Opened(StreamId, usize),
    /// The peer agreed to the protocol of a stream of ours.
    Accepted(StreamId),
    /// A whole message.
    Message(StreamId, Vec<u8>),
    /// The peer sends no more on a stream that it opened; we still may.
    Finished(StreamId),
    /// The stream is over: `None` when the peer finished it in good order, else why.
    Ended(StreamId, Option<Failure>),
}
