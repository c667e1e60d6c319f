//! Puts what others say into the belly, where it lives shorter than what providers say themselves, and never replaces that.

use std::time::Duration;

use kad::{answer::entry, delegated::RoutingAnswer, message::ConnectionType};
use store::{Belly, NewProvider};

/// Keeps whom an answer names as providers of a key, with their addresses, for a lifetime from `now` on, since the Unix epoch. Returns how
/// many are new.
pub fn keep_found(
    belly: &Belly,
    key: &[u8],
    answer: &RoutingAnswer,
    lifetime: Duration,
    now: Duration,
) -> usize {
    let entries: Vec<_> = answer
        .providers
        .iter()
        .map(|found| {
            let id = found.peer.to_bytes();
            let addrs = found.addrs.iter().map(AsRef::as_ref);
            let entry = entry(&id, addrs, ConnectionType::NotConnected);
            (id, entry)
        })
        .collect();
    let providers: Vec<_> = entries.iter().filter_map(|(id, entry)| NewProvider::new(id, entry)).collect();
    belly.add_fetched(key, &providers, lifetime, now)
}
