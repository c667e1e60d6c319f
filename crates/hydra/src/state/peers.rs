//! Whom the heads knew: where a hydra begins that starts again.

use kad::{Contact, Multiaddr};
use serde::{Deserialize, Serialize};

use super::{StateDirectory, StateError, directory::StateFile};

const FILE: StateFile =
    StateFile { name: "peers.json", remedy: "remove it: the peers that were known are found again" };

/// The most peers that are kept: several tables' worth.
const MAX_PEERS: usize = 2000;

/// The most addresses of each.
const MAX_ADDRESSES: usize = 8;

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    peer: String,
    addresses: Vec<Multiaddr>,
}

impl StateDirectory {
    /// The peers that were known.
    pub fn peers(&self) -> Result<Vec<Contact>, StateError> {
        let written: Vec<Written> = self.read(FILE)?.unwrap_or_default();
        let contact = |Written { peer, addresses }: Written| {
            let peer = peer.parse().map_err(|_| self.damaged(FILE, "a peer id is none".to_owned()))?;
            Ok(Contact { peer, addrs: addresses })
        };
        written.into_iter().take(MAX_PEERS).map(contact).collect()
    }

    /// Keeps them from now on: the first 2,000, each with up to 8 addresses.
    pub fn keep_peers(&self, peers: &[Contact]) -> Result<(), StateError> {
        let written = peers.iter().take(MAX_PEERS).map(|contact| Written {
            peer: contact.peer.to_string(),
            addresses: contact.addrs.iter().take(MAX_ADDRESSES).cloned().collect(),
        });
        self.write(FILE, &written.collect::<Vec<_>>())
    }
}

#[cfg(test)]
mod tests {
    use kad::PeerId;

    use super::*;

    #[test]
    fn peers_come_back_and_no_more_than_there_is_room_for() {
        let place = tempfile::tempdir().unwrap();
        let state = StateDirectory::open(place.path()).unwrap();
        assert_eq!(state.peers().unwrap(), []);
        let address = |port: usize| format!("/ip4/127.0.0.1/tcp/{port}").parse().unwrap();
        let contact = |_| Contact { peer: PeerId::random(), addrs: (1..=9).map(address).collect() };
        let peers: Vec<_> = (0..=MAX_PEERS).map(contact).collect();
        state.keep_peers(&peers).unwrap();
        let back = state.peers().unwrap();
        assert_eq!(
            (back.len(), back[0].peer, back[0].addrs.len()),
            (MAX_PEERS, peers[0].peer, MAX_ADDRESSES)
        );
    }
}
