//! Answers of delegated routing over HTTP (`/routing/v1`): who provides a key, by somebody who says so. What is asked, and what of the
//! answer those who speak Bitswap can use; asking is left to whoever has sockets.
//!
//! Source: Delegated Routing V1 HTTP API, <https://specs.ipfs.tech/routing/http-routing-v1/>.

mod reader;

use multiaddr::{Multiaddr, Protocol};
use multibase::Base;
use serde_json::Value;

pub use self::reader::{BadRoutingAnswer, RoutingAnswerForm, RoutingAnswerReader};
use crate::{PeerId, failure::SkipReason, gateway::Gateway, named, peer_id, policy::Addresses, written};

/// What is asked for in `Accept`: a record a line rather than all at once.
pub const ACCEPTED_FORMS: &str = "application/x-ndjson, application/json;q=0.9";

/// Providers that are read of one answer; the specification advises 100 at most.
pub const MAX_FOUND: usize = 1000;

/// Addresses that are read of one record.
const MAX_RECORD_ADDRS: usize = 64;

/// Content, as CID version 1 has it.
const RAW: u8 = 0x55;

/// What a provider has to speak to be of use.
const BITSWAP: &str = "transport-bitswap";

named! {
    /// Why a record of an answer is left out.
    pub enum UnusedRecord {
        /// It is no record, or names no peer.
        Malformed = "malformed",
        /// It is of a schema that says nothing of who speaks Bitswap.
        Schema = "schema",
        /// Its provider speaks something else than Bitswap.
        Protocol = "protocol",
        /// It has no address that others could use.
        Address = "address",
        /// There are more than are read.
        Excess = "excess",
    }
}

/// A provider that somebody says to have a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoutedProvider {
    /// The peer.
    pub peer: PeerId,
    /// Where it is, without its id; one address at least, each once.
    pub addrs: Vec<Multiaddr>,
}

/// What was answered: providers in the order in which they came, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoutingAnswer {
    /// Those that can be used.
    pub providers: Vec<RoutedProvider>,
    /// How many records were left out, by [`UnusedRecord::ALL`].
    pub left_out: [u64; UnusedRecord::ALL.len()],
}

/// The path that is asked for a key's providers, below the base of a service; `None` if the key is no multihash.
pub fn providers_path(key: &[u8]) -> Option<String> {
    if !written::is_multihash(key) {
        return None;
    }
    let cid = multibase::encode(Base::Base32Lower, [&[1, RAW], key].concat());
    Some(format!("routing/v1/providers/{cid}"))
}

impl RoutingAnswer {
    /// Whether it names somebody who can be used.
    pub fn has_somebody(&self) -> bool {
        !self.providers.is_empty()
    }

    fn add(&mut self, record: &Value, addresses: Addresses) {
        match provider(record, addresses) {
            Ok(found) => self.join(found),
            Err(left_out) => self.leave_out(left_out),
        }
    }

    fn join(&mut self, found: RoutedProvider) {
        let is_full = self.providers.len() >= MAX_FOUND;
        match self.providers.iter_mut().find(|known| known.peer == found.peer) {
            Some(known) => {
                let new: Vec<_> =
                    found.addrs.into_iter().filter(|addr| !known.addrs.contains(addr)).collect();
                known.addrs.extend(new.into_iter().take(MAX_RECORD_ADDRS.saturating_sub(known.addrs.len())));
            }
            None if is_full => self.leave_out(UnusedRecord::Excess),
            None => self.providers.push(found),
        }
    }

    fn leave_out(&mut self, left_out: UnusedRecord) {
        if let Some(count) = self.left_out.get_mut(left_out as usize) {
            *count += 1;
        }
    }
}

/// The provider that a record names.
fn provider(record: &Value, addresses: Addresses) -> Result<RoutedProvider, UnusedRecord> {
    let text = |field: &str| record.get(field).and_then(Value::as_str);
    let list =
        |field: &str| record.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let speaks_bitswap = match text("Schema").ok_or(UnusedRecord::Malformed)? {
        // Who does not say what it speaks may speak Bitswap.
        "peer" => list("Protocols").is_empty() || list("Protocols").iter().any(|name| name == BITSWAP),
        "bitswap" => text("Protocol").is_none_or(|name| name == BITSWAP),
        "graphsync-filecoinv1" => false,
        _ => return Err(UnusedRecord::Schema),
    };
    if !speaks_bitswap {
        return Err(UnusedRecord::Protocol);
    }
    let peer: PeerId = text("ID").and_then(|id| id.parse().ok()).ok_or(UnusedRecord::Malformed)?;
    if !peer_id::is_possible(&peer) {
        return Err(UnusedRecord::Malformed);
    }
    let mut addrs = Vec::new();
    for addr in list("Addrs").iter().take(MAX_RECORD_ADDRS) {
        let addr =
            addr.as_str().and_then(|text| text.parse().ok()).and_then(|addr| usable(addr, &peer, addresses));
        addrs.extend(addr.filter(|addr| !addrs.contains(addr)));
    }
    if addrs.is_empty() { Err(UnusedRecord::Address) } else { Ok(RoutedProvider { peer, addrs }) }
}

/// An address without the peer's own id at its end, if anybody could dial it, or find out whether: transports that are not ours are
/// others'.
fn usable(mut addr: Multiaddr, peer: &PeerId, addresses: Addresses) -> Option<Multiaddr> {
    use SkipReason::{Name, Relayed, TransportNotSupported};
    let may_be_dialled = match addresses.target(&addr, peer) {
        Ok(_) | Err(Name | Relayed) => true,
        Err(TransportNotSupported) => Gateway::of(&addr).is_none(),
        Err(_) => false,
    };
    if matches!(addr.iter().last(), Some(Protocol::P2p(last)) if last == *peer) && addr.iter().count() > 1 {
        drop(addr.pop());
    }
    may_be_dialled.then_some(addr)
}
