//! Faults and distances of the virtual peers of a testnet: a layer around connections that knows nothing of what is said
//! on them beyond their phases.
//!
//! `carrier` makes a connection misbehave while it is served, `ending` ends one in the way of a disrupted peer. What happens
//! before there is a session is done where connections are accepted, in [`serve`](crate::serve).

mod carrier;
mod ending;

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use kad::failure::Phase;

pub(crate) use self::{
    carrier::Faulty,
    ending::{disrupt_link, disrupt_socket},
};
use crate::session::Securities;

/// What a disrupted head says instead of a protocol. It begins with no line of multistream-select and no field of
/// protobuf, but with a whole message of Noise that does not decrypt, so that nobody waits for more.
const GARBAGE: [u8; 64] = {
    let mut garbage = [0xff; 64];
    [garbage[0], garbage[1]] = [0, 32];
    garbage
};

/// A fault of a head, for testnets.
///
/// | phase | when it happens |
/// |---|---|
/// | `Dns`, `Connect` | the connection was accepted |
/// | `Secure` | the peer's first bytes came; none of ours was sent |
/// | `Multiplex` | the peer is authenticated; its proposal of a multiplexer stays without an answer |
/// | `Stream` | the multiplexer was agreed on; proposals on streams stay without an answer |
/// | `Identify` | instead of the answer to identify (the stream, not the connection, is disrupted) |
/// | `Request` | instead of the answer to the first request |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Disruption {
    /// When.
    pub phase: Phase,
    /// What.
    pub action: Action,
}

/// What a disrupted head does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Resets the connection (in phase `Identify` the stream).
    Reset,
    /// Closes the connection in good order (in phase `Identify` the stream).
    Close,
    /// Says nothing more, and keeps the connection open.
    Silence,
    /// Sends bytes that are no protocol (in phases `Identify` and `Request` a message that does not decode).
    Garbage,
}

/// How far away a head seems.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Pace {
    /// Before the first bytes are sent on a connection, on top of `flight`.
    pub accept: Duration,
    /// Before each flight of bytes is sent.
    pub flight: Duration,
}

/// How far away a head seems to whom, by the address that they come from.
#[derive(Clone)]
pub(crate) struct PathDelay(Arc<dyn Fn(IpAddr) -> Duration + Send + Sync>);

impl PathDelay {
    pub(crate) fn new(by: impl Fn(IpAddr) -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(by))
    }

    /// For whoever comes from there.
    pub(crate) fn from(&self, ip: IpAddr) -> Duration {
        (self.0)(ip)
    }
}

impl fmt::Debug for PathDelay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PathDelay").finish_non_exhaustive()
    }
}

/// All that is wrong with a head.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Faults {
    pub(crate) disruption: Option<Disruption>,
    pub(crate) pace: Pace,
    /// What it offers to secure connections over TCP and WebSocket.
    pub(crate) securities: Securities,
}

impl Faults {
    /// What it does in one of these phases.
    pub(crate) fn action_in(&self, phases: &[Phase]) -> Option<Action> {
        self.disruption
            .filter(|disruption| phases.contains(&disruption.phase))
            .map(|disruption| disruption.action)
    }
}
