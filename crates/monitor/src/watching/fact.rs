//! What becomes known of a peer, one thing at a time: what a [`NetworkView`](super::NetworkView) is told.

use std::time::Duration;

use kad::{PeerId, failure::FailureClass, network::Transport};
use schema::{NatClass, Timestamp};

/// One thing that became known of a peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WatchFact {
    /// Of whom.
    pub peer: PeerId,
    /// When it was so: of a look, when it ended; of a departure, when the peer was first found gone.
    pub at: Timestamp,
    /// What.
    pub news: WatchNews,
}

/// What became known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WatchNews {
    /// A look saw the peer up.
    Up(PeerSeen),
    /// A look failed, for this reason. Whether the peer is gone is not said by that.
    Failed(FailureClass),
    /// A look did not reach the peer, which is behind address translation or a firewall rather than down.
    BehindNat(NatClass),
    /// The peer is gone: so many looks failed that its stay is over.
    Gone,
    /// Looks have said nothing of the peer for so long that it is not known any more whether it is up.
    Lost,
}

/// What a look saw of a peer that was up.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PeerSeen {
    /// The shortest round trip; `None` if none was measured.
    pub rtt: Option<Duration>,
    /// The transport of the connection; `None` if it is not known.
    pub transport: Option<Transport>,
    /// What the peer calls its program, as it said it: not to be shown as it is. `None` if it did not say.
    pub agent: Option<Box<str>>,
}

impl WatchFact {
    /// What the peer calls its program, if that was said.
    pub(super) fn agent(&self) -> Option<&str> {
        match &self.news {
            WatchNews::Up(seen) => seen.agent.as_deref(),
            WatchNews::Failed(_) | WatchNews::BehindNat(_) | WatchNews::Gone | WatchNews::Lost => None,
        }
    }
}

impl WatchNews {
    /// Whether this is what one look brought, rather than what follows from several.
    pub(super) const fn is_look(&self) -> bool {
        !matches!(self, Self::Gone | Self::Lost)
    }
}
