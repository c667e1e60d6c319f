//! The closed names of a lookup: what it looks for, how it stands with a peer, and why it ended.

use crate::named;

named! {
    /// What a lookup looks for.
    pub enum LookupKind {
        /// The peers closest to a key.
        Closest = "closest",
        /// One peer: its search is over once somebody is connected to it.
        Peer = "peer",
        /// Those who provide a key.
        Providers = "providers",
        /// A value under a key.
        Value = "value",
    }
}

named! {
    /// How a lookup stands with a peer. The states are those of go-libp2p-kad-dht (`qpeerset.PeerState`).
    pub enum PeerState {
        /// Somebody named it, and it was not asked.
        Heard = "heard",
        /// It was asked, and nothing came yet.
        Waiting = "waiting",
        /// It answered.
        Queried = "queried",
        /// It was asked, and failed.
        Unreachable = "unreachable",
    }
}

named! {
    /// Why the search of a lookup ended. The reasons are those of go-libp2p-kad-dht (`LookupTerminationReason`).
    pub enum Termination {
        /// There was enough of what it looked for.
        Stopped = "stopped",
        /// Its caller gave it up.
        Cancelled = "cancelled",
        /// Everybody that it heard of was asked, and nobody is waited for.
        Starvation = "starvation",
        /// The closest peers all answered, and nobody named a closer one.
        Completed = "completed",
    }
}

named! {
    /// What follows when the search is over.
    pub enum FollowUp {
        /// Nothing: what is under way is given up.
        None = "none",
        /// Those of the k closest that were not asked are asked, and those that were are waited for. Everything else
        /// that is under way is given up.
        Rest = "rest",
        /// As in go-libp2p-kad-dht (`runLookupWithFollowup`): every request that is under way is waited for, whoever
        /// it went to. Then all of the k closest that had not answered when the search ended are asked, those among
        /// them that answered since a second time.
        Go = "go",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_finds_its_variant() {
        assert!(LookupKind::ALL.iter().all(|&kind| LookupKind::from_name(kind.name()) == Some(kind)));
        assert!(PeerState::ALL.iter().all(|&state| PeerState::from_name(state.name()) == Some(state)));
        assert!(Termination::ALL.iter().all(|&end| Termination::from_name(end.name()) == Some(end)));
        assert!(FollowUp::ALL.iter().all(|&rule| FollowUp::from_name(rule.name()) == Some(rule)));
    }
}
