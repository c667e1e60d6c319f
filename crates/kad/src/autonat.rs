//! `AutoNAT`: peers tell each other whether they can be reached, by dialling back. Messages, whom to dial back and how
//! often, and what the answers together mean.
//!
//! [`v1`] asks whether a peer can be reached at all; the public network's clients become servers by its answers. [`v2`]
//! asks for single addresses, and proves by a number that was sent back that they were really dialled. Both are answered
//! within a [`DialBackBudget`]. Dialling, waiting and the choice of whom to ask are left to whoever has a network; which
//! addresses may be dialled comes in as a function. A peer that dials back for others never waits for less than
//! [`DIAL_BACK_TIMEOUT`] before it says that it failed: else it would be a scanner of ports for whoever asks.
//!
//! Sources: libp2p specification, `autonat/autonat-v1.md` and `autonat-v2.md`; go-libp2p, `p2p/host/autonat` and
//! `p2p/protocol/autonatv2`.

mod budget;
pub mod v1;
pub mod v2;

use std::time::Duration;

use multiaddr::{Multiaddr, Protocol};

pub use self::budget::{BudgetLimits, DialBackBudget};
use crate::named;

/// How long a dial back may take (go-libp2p, `autonat.defaults`, `dialTimeout`).
pub const DIAL_BACK_TIMEOUT: Duration = Duration::from_secs(15);

named! {
    /// Whether a peer or one of its addresses can be reached from everywhere.
    pub enum Reachability {
        /// Nobody has said so yet, or they contradict each other.
        Unknown = "unknown",
        /// It can.
        Public = "public",
        /// It cannot: it is behind address translation or a firewall.
        Private = "private",
    }
}

/// The IP address with which an address begins; `None` if it is reached by a name or through a relay.
fn direct_ip(addr: &Multiaddr) -> Option<Protocol<'_>> {
    let is_relayed = addr.iter().any(|part| part == Protocol::P2pCircuit);
    addr.iter().next().filter(|part| !is_relayed && matches!(part, Protocol::Ip4(_) | Protocol::Ip6(_)))
}
