//! What a virtual peer does to whoever dials it: the closed list of states, with their stable names.

use std::fmt;

kad::named! {
    /// The moment at which a fault strikes. Each names what the peer did last in good order: nothing, or the step before.
    pub enum Stage: serde {
        /// As soon as the connection is accepted, before a byte is read.
        Accept = "accept",
        /// Within the handshake that authenticates.
        Secure = "secure",
        /// When the peer is authenticated and the multiplexer is to be agreed on.
        Multiplex = "multiplex",
        /// When a stream is opened, before its protocol is agreed on.
        Stream = "stream",
        /// When a request has come.
        Request = "request",
    }
}

/// How often a peer that nobody can dial calls a server that it has heard of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Calls {
    /// From the beginning of one call to that of the next, in seconds.
    pub every_s: u32,
    /// How long it stays connected, in seconds: less than that.
    pub stays_s: u32,
}

/// What a peer does.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Answers as a DHT server does.
    Online,
    /// Nobody listens at its address: the host refuses.
    Refusing,
    /// Attempts to connect are dropped without a word.
    Dropping,
    /// There is no route to its addresses. In a world of public addresses only.
    Unroutable,
    /// Attempts to connect from here are dropped, while every peer that knows it says that it is connected to it.
    Firewalled,
    /// Behind address translation: attempts to connect are dropped, and every peer that knows it says that it is connected to
    /// it. It calls others, and whoever it has called can ask it meanwhile.
    BehindNat(Calls),
    /// Says nothing more from this stage on, and keeps the connection open.
    Silent(Stage),
    /// Resets the connection at this stage; at [`Stage::Request`] the stream only.
    Reset(Stage),
    /// Sends each answer this many milliseconds after its request came.
    Slow(u16),
    /// Proves another identity than the one that is announced.
    WrongPeerId,
    /// Speaks libp2p, but not the network's protocol.
    WrongProtocol,
    /// Sends random bytes instead of a handshake ([`Stage::Secure`]) or of answers ([`Stage::Request`]).
    Garbage(Stage),
    /// Sends answers longer than the protocol allows.
    Oversize,
    /// Fills each answer with this many peers that do not exist, never the same ones twice.
    Inventing(u16),
    /// Is announced with a list of this many addresses; the first is real.
    Crowded(u16),
    /// Listens, but is announced with private addresses only.
    PrivateOnly,
    /// Is announced with addresses only that the IANA reserved for special purposes.
    SpecialPurposeOnly,
    /// Is announced with addresses through a relay only.
    RelayedOnly,
    /// About half of the peers that know it announce an address at which it is no longer.
    StaleAddress,
    /// Left the network; still in the tables of others. Its host refuses.
    Departed,
}

impl State {
    /// Every name that a scenario may use.
    pub const NAMES: &'static [&'static str] = &[
        "online",
        "refusing",
        "dropping",
        "unroutable",
        "firewalled",
        "behind_nat",
        "silent",
        "reset",
        "slow",
        "wrong_peer_id",
        "wrong_protocol",
        "garbage",
        "oversize",
        "inventing",
        "crowded",
        "private_only",
        "special_purpose_only",
        "relayed_only",
        "stale_address",
    ];

    /// The stable name, without its parameter.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Online => "online",
            Self::Refusing => "refusing",
            Self::Dropping => "dropping",
            Self::Unroutable => "unroutable",
            Self::Firewalled => "firewalled",
            Self::BehindNat(_) => "behind_nat",
            Self::Silent(_) => "silent",
            Self::Reset(_) => "reset",
            Self::Slow(_) => "slow",
            Self::WrongPeerId => "wrong_peer_id",
            Self::WrongProtocol => "wrong_protocol",
            Self::Garbage(_) => "garbage",
            Self::Oversize => "oversize",
            Self::Inventing(_) => "inventing",
            Self::Crowded(_) => "crowded",
            Self::PrivateOnly => "private_only",
            Self::SpecialPurposeOnly => "special_purpose_only",
            Self::RelayedOnly => "relayed_only",
            Self::StaleAddress => "stale_address",
            Self::Departed => "departed",
        }
    }

    /// The stage at which it strikes; `None` for a state without one.
    pub const fn stage(self) -> Option<Stage> {
        match self {
            Self::Silent(stage) | Self::Reset(stage) | Self::Garbage(stage) => Some(stage),
            _ => None,
        }
    }

    /// Whether anybody listens at its addresses.
    pub(crate) const fn listens(self) -> bool {
        !matches!(
            self,
            Self::Refusing
                | Self::Departed
                | Self::Dropping
                | Self::Firewalled
                | Self::BehindNat(_)
                | Self::Unroutable
        )
    }

    /// Whether it has a routing table, and tells of it whoever can ask.
    pub(crate) const fn keeps_table(self) -> bool {
        self.is_honest_server() || matches!(self, Self::BehindNat(_))
    }

    /// Whether the peer answers requests truthfully, once it is reached.
    pub const fn is_honest_server(self) -> bool {
        matches!(self, Self::Online | Self::Slow(_) | Self::Crowded(_) | Self::StaleAddress)
    }
}

impl fmt::Display for State {
    /// The name, and the stage where there is one: `reset at secure`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.stage() {
            Some(stage) => write!(f, "{} at {}", self.name(), stage.name()),
            None => f.write_str(self.name()),
        }
    }
}
