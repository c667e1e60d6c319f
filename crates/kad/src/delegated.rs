//! Answers of delegated routing over HTTP (`/routing/v1`): who provides a key, by somebody who says so. What is asked, and what of the
//! answer those who speak Bitswap can use; asking is left to whoever has sockets.
//!
//! Source: Delegated Routing V1 HTTP API, <https://specs.ipfs.tech/routing/http-routing-v1/>.

mod filters;
mod reader;

use multiaddr::{Multiaddr, Protocol};
use multibase::Base;
use serde_json::Value;

pub use self::{
    filters::{BadFilter, RoutingFilters},
    reader::{BadRoutingAnswer, RoutingAnswerForm, RoutingAnswerReader},
};
use crate::{PeerId, failure::SkipReason, gateway::Gateway, named, peer_id, policy::Addresses, written};

/// What is asked for in `Accept`: a record a line rather than all at once.
pub const ACCEPTED_FORMS: &str = "application/x-ndjson, application/json;q=0.9";

/// The same where nothing but a record a line will do, since it is to be seen when each comes.
pub const LINES_ALONE: &str = "application/x-ndjson";

/// Providers that are read of one answer; the specification advises 100 at most.
pub const MAX_FOUND: usize = 1000;

/// Addresses that are read of one record.
const MAX_RECORD_ADDRS: usize = 64;

/// Content, as CID version 1 has it.
const RAW: u8 = 0x55;

/// How a multihash of SHA-256 begins: all that a CID of version 0 can be of.
const SHA2_256: [u8; 2] = [0x12, 32];

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

/// How many records came, of use or not.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecordTally {
    /// All of them, and what is none.
    pub records: u64,
    /// Those of the schema `peer` that name one and pass the filter of protocols, with or without addresses.
    pub peers: u64,
    /// Those that list an address, whether anybody could dial it or not.
    pub with_addresses: u64,
}

/// What was answered: providers in the order in which they came, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RoutingAnswer {
    /// Those that can be used.
    pub providers: Vec<RoutedProvider>,
    /// Whom records of the schema `peer` name that pass the filter of protocols, with or without addresses, each once; [`MAX_FOUND`]
    /// at most.
    pub peers: Vec<PeerId>,
    /// What came, of use or not.
    pub tally: RecordTally,
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

/// The same by a CID of version 0 where there is one: what is kept on the way to a service goes by the text of the path.
pub fn providers_path_v0(key: &[u8]) -> Option<String> {
    if key.len() == SHA2_256.len() + 32 && key.starts_with(&SHA2_256) {
        return Some(format!("routing/v1/providers/{}", Base::Base58Btc.encode(key)));
    }
    providers_path(key)
}

impl RoutingAnswer {
    /// Whether it names somebody who can be used.
    pub fn has_somebody(&self) -> bool {
        !self.providers.is_empty()
    }

    fn add(&mut self, record: &Value, addresses: Addresses, filters: &RoutingFilters) {
        self.tally.records += 1;
        self.tally.with_addresses += u64::from(!list(record, "Addrs").is_empty());
        let found = named_peer(record, filters).and_then(|peer| {
            if text(record, "Schema") == Some("peer") {
                self.name(peer);
            }
            let addrs = usable_addrs(record, &peer, addresses);
            if addrs.is_empty() { Err(UnusedRecord::Address) } else { Ok(RoutedProvider { peer, addrs }) }
        });
        match found {
            Ok(found) => self.join(found),
            Err(left_out) => self.leave_out(left_out),
        }
    }

    fn add_malformed(&mut self) {
        self.tally.records += 1;
        self.leave_out(UnusedRecord::Malformed);
    }

    fn name(&mut self, peer: PeerId) {
        self.tally.peers += 1;
        if self.peers.len() < MAX_FOUND && !self.peers.contains(&peer) {
            self.peers.push(peer);
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

fn text<'a>(record: &'a Value, field: &str) -> Option<&'a str> {
    record.get(field).and_then(Value::as_str)
}

fn list<'a>(record: &'a Value, field: &str) -> &'a [Value] {
    record.get(field).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

/// The peer that a record names, if it passes the filter of protocols.
fn named_peer(record: &Value, filters: &RoutingFilters) -> Result<PeerId, UnusedRecord> {
    let passes = match text(record, "Schema").ok_or(UnusedRecord::Malformed)? {
        "peer" => filters.passes(list(record, "Protocols").iter().filter_map(Value::as_str)),
        // Who does not say what it speaks speaks what the schema is called by.
        "bitswap" => filters.passes([text(record, "Protocol").unwrap_or(filters::BITSWAP)].into_iter()),
        "graphsync-filecoinv1" => filters.passes([filters::GRAPHSYNC].into_iter()),
        _ => return Err(UnusedRecord::Schema),
    };
    if !passes {
        return Err(UnusedRecord::Protocol);
    }
    let peer: PeerId = text(record, "ID").and_then(|id| id.parse().ok()).ok_or(UnusedRecord::Malformed)?;
    if peer_id::is_possible(&peer) { Ok(peer) } else { Err(UnusedRecord::Malformed) }
}

/// The addresses of a record that others could use, each once.
fn usable_addrs(record: &Value, peer: &PeerId, addresses: Addresses) -> Vec<Multiaddr> {
    let mut addrs = Vec::new();
    for addr in list(record, "Addrs").iter().take(MAX_RECORD_ADDRS) {
        let addr =
            addr.as_str().and_then(|text| text.parse().ok()).and_then(|addr| usable(addr, peer, addresses));
        addrs.extend(addr.filter(|addr| !addrs.contains(addr)));
    }
    addrs
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
