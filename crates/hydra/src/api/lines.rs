//! The lines of the API, with the names and the order that hydra-booster gave them.

use std::time::Duration;

use kad::{Contact, Multiaddr, PeerId, fabric::Direction, protobuf::write_varint};
use multibase::Base;
use serde::{Serialize, Serializer};
use store::ListedProvider;

use crate::SwarmSaying;

/// Where provider records stand in the datastores of Go's libraries (go-libp2p-kad-dht, `providers.ProvidersKeyPrefix`).
const PROVIDERS: &str = "/providers/";

/// The time that says that a record has no end of its own there: the zero of Go's `time.Time`.
const NO_TIME: &str = "0001-01-01T00:00:00Z";

/// A peer and its addresses (go-libp2p, `peer.AddrInfo`).
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct AddrInfo {
    #[serde(rename = "ID", serialize_with = "as_text")]
    pub(super) id: PeerId,
    #[serde(serialize_with = "all_as_text")]
    pub(super) addrs: Vec<Multiaddr>,
}

impl From<Contact> for AddrInfo {
    fn from(contact: Contact) -> Self {
        Self { id: contact.peer, addrs: contact.addrs }
    }
}

/// A connection of a head.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SwarmLine {
    /// The head.
    #[serde(rename = "ID", serialize_with = "as_text")]
    pub(super) id: PeerId,
    pub(super) peer: SwarmPeerLine,
}

/// The other end of it.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct SwarmPeerLine {
    #[serde(rename = "ID", serialize_with = "as_text")]
    pub(super) id: PeerId,
    #[serde(serialize_with = "as_text")]
    pub(super) addr: Multiaddr,
    /// 1 if the peer opened it, 2 if the head did.
    direction: u8,
}

impl SwarmPeerLine {
    /// A peer, where it is seen, and who opened the connection, as go-libp2p numbers that (`network.Direction`).
    pub(super) const fn new(id: PeerId, addr: Multiaddr, direction: Direction) -> Self {
        let direction = match direction {
            Direction::Inbound => 1,
            Direction::Outbound => 2,
        };
        Self { id, addr, direction }
    }
}

/// A peer that a head knows.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct PeerLine<'a> {
    pub(super) addr_info: AddrInfo,
    #[serde(rename = "HeadID", serialize_with = "as_text")]
    pub(super) head_id: PeerId,
    pub(super) agent_version: &'a str,
    pub(super) protocols: &'a [String],
}

impl<'a> PeerLine<'a> {
    /// A peer, the head that it stands with, and what it said, if anything.
    pub(super) fn new(peer: Contact, head_id: PeerId, saying: Option<&'a SwarmSaying>) -> Self {
        let (agent_version, protocols) =
            saying.map_or(("", &[][..]), |saying| (saying.agent.as_str(), saying.protocols.as_slice()));
        Self { addr_info: peer.into(), head_id, agent_version, protocols }
    }
}

/// A record as it stood in the datastore of hydra-booster.
#[derive(Debug, Serialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct RecordLine {
    key: String,
    value: String,
    expiration: &'static str,
    size: usize,
}

impl From<&ListedProvider> for RecordLine {
    fn from(record: &ListedProvider) -> Self {
        let [key, id] = [&record.key, &record.id].map(|bytes| Base::Base32Upper.encode(bytes));
        let value = go_varint(record.received);
        Self {
            key: format!("{PROVIDERS}{key}/{id}"),
            value: Base::Base64Pad.encode(&value),
            expiration: NO_TIME,
            size: value.len(),
        }
    }
}

/// When a record came: its nanoseconds since the Unix epoch as Go's `binary.PutVarint` writes signed numbers.
fn go_varint(received: Duration) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(10);
    let nanoseconds = u64::try_from(received.as_nanos()).unwrap_or(u64::MAX >> 1);
    write_varint(&mut bytes, nanoseconds << 1);
    bytes
}

fn as_text<S: Serializer>(value: &impl ToString, to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&value.to_string())
}

fn all_as_text<S: Serializer>(values: &[Multiaddr], to: S) -> Result<S::Ok, S::Error> {
    to.collect_seq(values.iter().map(ToString::to_string))
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: &str = "12D3KooWBcfKctt29AayTY2tf1gBJm6Y6byQurYhx6QZwv4p3GQS";
    const HEAD: &str = "12D3KooWChZWNvtp3je4fekLaDhHw1FfLrVioVCCcXofEqoxVna9";

    fn peer(text: &str) -> PeerId {
        text.parse().unwrap()
    }

    fn json(line: &impl Serialize) -> String {
        serde_json::to_string(line).unwrap()
    }

    #[test]
    fn lines_are_those_of_hydra_booster() {
        let addrs = ["/ip4/127.0.0.1/tcp/35207", "/ip4/127.0.0.1/udp/48437/quic-v1"];
        let addrs: Vec<Multiaddr> = addrs.iter().map(|addr| addr.parse().unwrap()).collect();
        let contact = Contact { peer: peer(PEER), addrs: addrs.clone() };
        let info = format!(
            r#"{{"ID":"{PEER}","Addrs":["/ip4/127.0.0.1/tcp/35207","/ip4/127.0.0.1/udp/48437/quic-v1"]}}"#
        );
        assert_eq!(json(&AddrInfo::from(contact.clone())), info);
        let nowhere = Contact { peer: peer(PEER), addrs: Vec::new() };
        assert_eq!(json(&AddrInfo::from(nowhere.clone())), format!(r#"{{"ID":"{PEER}","Addrs":[]}}"#));
        for (direction, number) in [(Direction::Inbound, 1), (Direction::Outbound, 2)] {
            let end = SwarmPeerLine::new(peer(PEER), addrs[0].clone(), direction);
            let expected = format!(
                r#"{{"ID":"{HEAD}","Peer":{{"ID":"{PEER}","Addr":"/ip4/127.0.0.1/tcp/35207","Direction":{number}}}}}"#
            );
            assert_eq!(json(&SwarmLine { id: peer(HEAD), peer: end }), expected);
        }
        let saying =
            SwarmSaying { agent: "kubo/0.42.0".to_owned(), protocols: vec!["/ipfs/kad/1.0.0".to_owned()] };
        assert_eq!(
            json(&PeerLine::new(contact, peer(HEAD), Some(&saying))),
            format!(
                r#"{{"AddrInfo":{info},"HeadID":"{HEAD}","AgentVersion":"kubo/0.42.0","Protocols":["/ipfs/kad/1.0.0"]}}"#
            )
        );
        let silent = format!(
            r#"{{"AddrInfo":{{"ID":"{PEER}","Addrs":[]}},"HeadID":"{HEAD}","AgentVersion":"","Protocols":[]}}"#
        );
        assert_eq!(json(&PeerLine::new(nowhere, peer(HEAD), None)), silent);
    }

    #[test]
    fn a_record_stands_as_in_its_datastore() {
        // The value that was seen in a running hydra-booster, and read by Python: ((n >> 1) ^ -(n & 1)) of the varint.
        let received = Duration::from_nanos(1_795_229_334_381_999_776);
        let record = ListedProvider {
            key: [&[0x12, 0x20][..], &[0xff; 32]].concat(),
            id: peer(PEER).to_bytes(),
            entry: Vec::new(),
            received,
            lifetime: Duration::ZERO,
            is_fetched: false,
        };
        let line: serde_json::Value = serde_json::from_str(&json(&RecordLine::from(&record))).unwrap();
        let key = line["Key"].as_str().unwrap();
        assert!(key.starts_with("/providers/CIQP7777777"), "{key}");
        // A multihash is 55 characters of base32, an id of Ed25519 61, in all 128: as many as there.
        assert_eq!((key.len(), key.split('/').count()), (128, 4));
        assert_eq!((line["Expiration"].as_str(), line["Size"].as_u64()), (Some(NO_TIME), Some(9)));
        assert_eq!(line["Value"], "wNqZ463k9+kx");
        let text = json(&RecordLine::from(&record));
        assert!(
            text.ends_with(r#""Value":"wNqZ463k9+kx","Expiration":"0001-01-01T00:00:00Z","Size":9}"#),
            "{text}"
        );
    }
}
