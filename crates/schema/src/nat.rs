//! Whether a peer that we could not reach hides behind address translation or a firewall, rather than being down. An
//! attribute beside reachability, computed from the evidence in a visit's row.

use kad::{failure::SkipReason, network::AddressOutcome};

use crate::Visit;

/// How many tables must say that their owner is connected to a peer before that counts: one could lie.
pub const MIN_CONNECTED_CLAIMS: u8 = 2;

kad::named! {
    /// Why an unreachable peer is not called down.
    pub enum NatClass {
        /// It can be reached through relays only. It may announce private addresses beside them.
        RelayedOnly = "relayed_only",
        /// It announces addresses of private networks or of its own machine only.
        PrivateOnly = "private_only",
        /// Dials from here failed, while at least [`MIN_CONNECTED_CLAIMS`] peers said that they are connected to it.
        NotFromHere = "not_from_here",
    }
}

impl NatClass {
    /// The class of a visited peer; `None` for one that was reached, and where nothing speaks for address
    /// translation.
    pub fn of(visit: &Visit) -> Option<Self> {
        if visit.is_reachable() {
            return None;
        }
        let skipped =
            |reason| visit.met.addresses.iter().any(|a| a.outcome == AddressOutcome::Skipped(reason));
        let was_dialled = visit.met.addresses.iter().any(|a| a.started_after.is_some());
        if was_dialled {
            (visit.connected_claims >= MIN_CONNECTED_CLAIMS).then_some(Self::NotFromHere)
        } else if skipped(SkipReason::Relayed) {
            Some(Self::RelayedOnly)
        } else {
            (skipped(SkipReason::Private) || skipped(SkipReason::Loopback)).then_some(Self::PrivateOnly)
        }
    }
}
