//! A peer and where it is.

use libp2p_identity::PeerId;
use multiaddr::Multiaddr;

/// A peer and the addresses at which it may be found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// Its id.
    pub peer: PeerId,
    /// Its addresses, in the order in which they are to be tried; none, if it is known by its id alone.
    pub addrs: Vec<Multiaddr>,
}
