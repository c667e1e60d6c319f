//! What a peer says of itself, as rows have it.

use kad::{Address, PeerId, identify::Identify};
use schema::Encounter;

use crate::{bare::bare, summary::LeftOut};

/// Puts what this peer said of itself into the encounter in which it did, and says what was left out of it.
pub fn introduce(met: &mut Encounter, mut identify: Identify, peer: &PeerId) -> LeftOut {
    identify.protocols.sort_unstable();
    identify.protocols.dedup();
    met.agent_version = Some(identify.agent_version.unwrap_or_default());
    met.protocols = identify.protocols;
    let listed = identify.listen_addrs.into_iter().map(|address| bare(address, peer).into());
    for address in listed.chain(identify.malformed_addrs.into_iter().map(Address::Malformed)) {
        if !met.listen_addrs.contains(&address) {
            met.listen_addrs.push(address);
        }
    }
    LeftOut {
        protocols: identify.excess.protocols.into(),
        listen_addrs: identify.excess.listen_addrs.into(),
        long_addresses: identify.excess.long_addrs.into(),
        long_texts: identify.excess.texts.into(),
        ..LeftOut::default()
    }
}
