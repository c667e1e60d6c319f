//! Nodes of ours that live in simulated networks, whose truth is known, in virtual time.

#![expect(clippy::expect_used, reason = "a test ends at the first error")]

mod departures;
mod joining;
mod leaving;
mod settlement;
mod together;

use std::{collections::BTreeSet, time::Duration};

use kad::{Key, PeerId, lookup::LookupKind};
use kadscope_dht::{Found, Node};
use testnet::SimNetwork;
use tokio_util::sync::CancellationToken;

/// A bucket of a table holds so many peers (go-libp2p-kad-dht, `amino.DefaultBucketSize`).
const K: usize = 20;

/// So many minutes.
const fn minutes(count: u64) -> Duration {
    Duration::from_secs(60 * count)
}

/// Who stands in a node's table.
fn listed(node: &Node<SimNetwork>) -> BTreeSet<PeerId> {
    node.table().into_iter().map(|contact| contact.peer).collect()
}

/// Where a node is among keys.
fn key(node: &Node<SimNetwork>) -> Key {
    Key::of_peer(&node.contact().peer)
}

/// What a node finds of a key.
async fn find(node: &Node<SimNetwork>, kind: LookupKind, key: &[u8]) -> Found {
    node.find(kind, key.to_vec(), &CancellationToken::new()).await
}
