//! What is told of, written as Parsec writes it (0.4.0, `pkg/firehose`): a peer came or went, a peer asked for a record or announced one;
//! and of ours, an operation has ended.

use kad::{Multiaddr, PeerId};
use schema::Timestamp;
use serde::{Serialize, Serializer, ser::SerializeStruct as _};
use serde_json::{Value, json};

use crate::Operation;

kad::named! {
    /// What kind of event it is, by Parsec's names.
    pub enum ServerEventKind: serde {
        /// A peer is connected.
        Connect = "connect",
        /// A connection is over.
        Disconnect = "disconnect",
        /// A peer asked who provides something, or said that it does.
        DhtRpc = "dht_rpc",
        /// An operation has ended. Parsec has no such event.
        Operation = "operation",
    }
}

/// Whose events they are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventSource {
    /// The peer of the server.
    pub peer: PeerId,
    /// Its fleet.
    pub fleet: String,
    /// Where it is.
    pub region: String,
}

/// That what was asked for is on a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeniedMatch {
    /// Whether it is.
    pub is_denied: bool,
    /// On which list; empty if it is on none.
    pub source: String,
}

/// What happened.
#[derive(Debug, Clone, PartialEq)]
pub enum PeerEvent<'a> {
    /// A connection began, or is over.
    Connection {
        /// Whether it began.
        is_open: bool,
        /// The address of its other end.
        address: &'a Multiaddr,
        /// When it began.
        opened_at: Timestamp,
        /// Whether the peer opened it.
        is_inbound: bool,
        /// Its transport, by name.
        transport: &'a str,
        /// Names it, among those of the server.
        id: u64,
    },
    /// A request.
    DhtRpc {
        /// What it asked, by the name in the protocol: `ADD_PROVIDER` or `GET_PROVIDERS`.
        message_type: &'a str,
        /// About what: a multihash.
        multihash: &'a [u8],
        /// Whether that is on a list of what is denied.
        denied: DeniedMatch,
    },
    /// An operation of the server itself.
    Operation(&'a Operation),
}

/// An event, with who is at its other end.
#[derive(Debug, Clone, PartialEq)]
pub struct ServerEvent<'a> {
    /// Whose it is.
    pub source: &'a EventSource,
    /// When it was.
    pub at: Timestamp,
    /// Who else takes part; of an operation, nobody.
    pub remote: Option<PeerId>,
    /// Where that peer is, as far as is known.
    pub addresses: &'a [Multiaddr],
    /// What the peer calls its program; empty if nobody knows.
    pub agent: &'a str,
    /// What happened.
    pub what: PeerEvent<'a>,
}

impl PeerEvent<'_> {
    /// What kind of event it is.
    pub const fn kind(&self) -> ServerEventKind {
        match self {
            Self::Connection { is_open: true, .. } => ServerEventKind::Connect,
            Self::Connection { is_open: false, .. } => ServerEventKind::Disconnect,
            Self::DhtRpc { .. } => ServerEventKind::DhtRpc,
            Self::Operation(_) => ServerEventKind::Operation,
        }
    }

    fn payload(&self) -> Value {
        match self {
            Self::Connection { address, opened_at, is_inbound, transport, id, .. } => json!({
                "RemoteMaddr": address.to_string(),
                "OpenedAt": opened_at,
                "Direction": if *is_inbound { "inbound" } else { "outbound" },
                // Relayed connections are none of ours.
                "Limited": false,
                "ConnectionID": id.to_string(),
                "Transport": transport,
                "Address": address.to_string(),
            }),
            Self::DhtRpc { message_type, multihash, denied } => json!({
                "MessageType": message_type,
                "Multihash": multibase::encode(multibase::Base::Base58Btc, multihash).get(1..),
                "Match": denied.is_denied,
                "Source": denied.source,
            }),
            Self::Operation(operation) => serde_json::to_value(operation).unwrap_or_default(),
        }
    }
}

impl Serialize for ServerEvent<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let EventSource { peer, fleet, region } = self.source;
        let addresses: Vec<String> = self.addresses.iter().map(Multiaddr::to_string).collect();
        let mut event = serializer.serialize_struct("Event", 10)?;
        event.serialize_field("EventType", &self.what.kind())?;
        event.serialize_field("Timestamp", &self.at)?;
        event.serialize_field("RemotePeer", &self.remote.map(|peer| peer.to_string()).unwrap_or_default())?;
        event.serialize_field("RemoteMaddrs", &addresses)?;
        event.serialize_field("PartitionKey", &format!("{region}-{fleet}"))?;
        event.serialize_field("AgentVersion", self.agent)?;
        event.serialize_field("Fleet", fleet)?;
        event.serialize_field("LocalPeer", &peer.to_string())?;
        event.serialize_field("Region", region)?;
        event.serialize_field("Payload", &self.what.payload())?;
        event.end()
    }
}
