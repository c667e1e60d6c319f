//! The messages of `/ipfs/kad/1.0.0`: whole ones for building and testing, and a borrowed walk for reading many.
//!
//! Field numbers: <https://github.com/libp2p/specs/blob/master/kad-dht/README.md#rpc-messages>. Unknown fields are
//! left out and unknown numbers of a type survive, so that a newer peer is not an error.

use libp2p_identity::PeerId;
use multiaddr::Multiaddr;

use crate::{
    address::MAX_ADDRESS_BYTES,
    protobuf::{DecodeError, Fields, Value, write_bytes, write_number},
};

/// The protocol of the public IPFS network (Amino DHT).
pub const AMINO_PROTOCOL: &str = "/ipfs/kad/1.0.0";

/// The longest message that servers and clients take, in bytes (go-libp2p's `network.MessageSizeMax`).
pub const MAX_MESSAGE_BYTES: usize = 4 << 20;

/// The replication factor and bucket size of the network: at most this many peers answer a request.
pub const K: usize = 20;

/// The most peers that are taken from one answer: go-libp2p-kad-dht takes 2k.
pub const MAX_PEERS: usize = 2 * K;

/// The most addresses that are taken of one peer in one answer.
pub const MAX_ADDRESSES: usize = 64;

/// What a message asks for, or answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageType {
    /// Store a value.
    PutValue,
    /// Look a value up.
    GetValue,
    /// Announce that the sender provides a key.
    AddProvider,
    /// Look the providers of a key up.
    GetProviders,
    /// Look the closest peers to a key up.
    FindNode,
    /// Is anybody there? (Deprecated in favour of libp2p's ping, still answered.)
    Ping,
    /// A number that this version does not know.
    Unknown(i32),
}

impl MessageType {
    fn from_number(number: u64) -> Self {
        match number {
            0 => Self::PutValue,
            1 => Self::GetValue,
            2 => Self::AddProvider,
            3 => Self::GetProviders,
            4 => Self::FindNode,
            5 => Self::Ping,
            // An enum is a 32-bit number on the wire, whatever a varint could hold.
            other => Self::Unknown(i32::from_le_bytes(low_half(other))),
        }
    }

    /// The number on the wire.
    pub fn number(self) -> u64 {
        match self {
            Self::PutValue => 0,
            Self::GetValue => 1,
            Self::AddProvider => 2,
            Self::GetProviders => 3,
            Self::FindNode => 4,
            Self::Ping => 5,
            // Negative numbers are sign-extended to ten bytes.
            Self::Unknown(number) => i64::from(number).cast_unsigned(),
        }
    }
}

const fn low_half(number: u64) -> [u8; 4] {
    let [a, b, c, d, ..] = number.to_le_bytes();
    [a, b, c, d]
}

/// What the sender knows of its connection to a peer. Servers fill it in for information only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum ConnectionType {
    /// No connection, and none known to be possible.
    #[default]
    NotConnected,
    /// Connected now.
    Connected,
    /// Was connected recently.
    CanConnect,
    /// Could not be connected to.
    CannotConnect,
}

impl ConnectionType {
    const fn from_number(number: u64) -> Self {
        match number {
            1 => Self::Connected,
            2 => Self::CanConnect,
            3 => Self::CannotConnect,
            _ => Self::NotConnected,
        }
    }

    const fn number(self) -> u64 {
        match self {
            Self::NotConnected => 0,
            Self::Connected => 1,
            Self::CanConnect => 2,
            Self::CannotConnect => 3,
        }
    }
}

/// One peer in a message, as it stands there: nothing says yet that the bytes are an id or addresses.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Peer {
    /// The bytes of a peer id.
    pub id: Vec<u8>,
    /// The bytes of its addresses.
    pub addrs: Vec<Vec<u8>>,
    /// The sender's connection to it.
    pub connection: ConnectionType,
}

impl Peer {
    /// A peer and its addresses.
    pub fn new(id: &PeerId, addrs: &[Multiaddr]) -> Self {
        Self {
            id: id.to_bytes(),
            addrs: addrs.iter().map(Multiaddr::to_vec).collect(),
            connection: ConnectionType::default(),
        }
    }
}

/// A value under a key (`record.pb.Record`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// The key, `/ipns/...` or `/pk/...`.
    pub key: Vec<u8>,
    /// The value.
    pub value: Vec<u8>,
    /// When the receiver stored it, RFC 3339; empty on its way there.
    pub time_received: String,
}

/// A whole message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// What it asks for.
    pub kind: MessageType,
    /// The key that it is about: a multihash, the bytes of a peer id or a record's key.
    pub key: Vec<u8>,
    /// A value.
    pub record: Option<Record>,
    /// The closest peers that the answering server knows.
    pub closer_peers: Vec<Peer>,
    /// The providers of the key.
    pub provider_peers: Vec<Peer>,
}

impl Message {
    /// A message without record and peers.
    pub const fn new(kind: MessageType, key: Vec<u8>) -> Self {
        Self { kind, key, record: None, closer_peers: Vec::new(), provider_peers: Vec::new() }
    }

    /// The bytes of the message, without the length that goes before it on a stream.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64 + 128 * (self.closer_peers.len() + self.provider_peers.len()));
        write_number(&mut out, 1, self.kind.number());
        if !self.key.is_empty() {
            write_bytes(&mut out, 2, &self.key);
        }
        if let Some(record) = &self.record {
            write_bytes(&mut out, 3, &record.encode());
        }
        let mut scratch = Vec::with_capacity(128);
        for (field, peers) in [(8, &self.closer_peers), (9, &self.provider_peers)] {
            for peer in peers {
                scratch.clear();
                write_peer(&mut scratch, &peer.id, peer.addrs.iter().map(Vec::as_slice), peer.connection);
                write_bytes(&mut out, field, &scratch);
            }
        }
        out
    }

    /// Reads a whole message. Peers beyond [`MAX_PEERS`] in each list are left out.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut message = Self::new(MessageType::PutValue, Vec::new());
        for field in Fields::new(bytes) {
            match field? {
                (1, value) => message.kind = MessageType::from_number(value.varint()?),
                (2, value) => message.key = value.bytes()?.to_vec(),
                (3, value) => message.record = Some(Record::decode(value.bytes()?)?),
                (8, value) => push_peer(&mut message.closer_peers, value)?,
                (9, value) => push_peer(&mut message.provider_peers, value)?,
                _ => {}
            }
        }
        Ok(message)
    }
}

fn push_peer(peers: &mut Vec<Peer>, value: Value<'_>) -> Result<(), DecodeError> {
    let peer = PeerView::decode(value.bytes()?)?;
    if peers.len() < MAX_PEERS {
        let addrs = peer.addrs().map(<[u8]>::to_vec).collect();
        peers.push(Peer { id: peer.id.to_vec(), addrs, connection: peer.connection });
    }
    Ok(())
}

impl Record {
    /// The bytes of the record.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.key.len() + self.value.len() + 48);
        write_bytes(&mut out, 1, &self.key);
        write_bytes(&mut out, 2, &self.value);
        if !self.time_received.is_empty() {
            write_bytes(&mut out, 5, self.time_received.as_bytes());
        }
        out
    }

    /// Reads a record.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut record = Self::default();
        for field in Fields::new(bytes) {
            match field? {
                (1, value) => record.key = value.bytes()?.to_vec(),
                (2, value) => record.value = value.bytes()?.to_vec(),
                (5, value) => value.text()?.clone_into(&mut record.time_received),
                _ => {}
            }
        }
        Ok(record)
    }
}

/// Appends a FIND_NODE request for the peers closest to the key of `target`.
pub fn write_find_node(out: &mut Vec<u8>, target: &[u8]) {
    write_number(out, 1, MessageType::FindNode.number());
    write_bytes(out, 2, target);
}

/// Appends the bytes of one peer, without the tag and length of the field that it stands in.
pub fn write_peer<'a>(
    out: &mut Vec<u8>,
    id: &[u8],
    addrs: impl Iterator<Item = &'a [u8]>,
    connection: ConnectionType,
) {
    write_bytes(out, 1, id);
    for addr in addrs {
        write_bytes(out, 2, addr);
    }
    if connection != ConnectionType::NotConnected {
        write_number(out, 3, connection.number());
    }
}

/// A message that is read where it lies, without copying.
#[derive(Debug, Clone, Copy)]
pub struct MessageView<'a> {
    /// What it asks for.
    pub kind: MessageType,
    /// The key that it is about.
    pub key: &'a [u8],
    bytes: &'a [u8],
    closer: usize,
}

impl<'a> MessageView<'a> {
    /// Checks all of a message, the peers in it included, and copies nothing.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let mut view = Self { kind: MessageType::PutValue, key: &[], bytes, closer: 0 };
        for field in Fields::new(bytes) {
            match field? {
                (1, value) => view.kind = MessageType::from_number(value.varint()?),
                (2, value) => view.key = value.bytes()?,
                (number @ (8 | 9), value) => {
                    PeerView::decode(value.bytes()?)?;
                    view.closer += usize::from(number == 8);
                }
                _ => {}
            }
        }
        Ok(view)
    }

    /// The bytes of the record, unchecked; `None` if there is none. Of several the last counts, as protobuf says.
    pub fn record(&self) -> Option<&'a [u8]> {
        Fields::new(self.bytes)
            .filter_map(|field| match field {
                Ok((3, Value::Bytes(record))) => Some(record),
                _ => None,
            })
            .last()
    }

    /// The closest peers, at most [`MAX_PEERS`].
    pub fn closer_peers(&self) -> impl Iterator<Item = PeerView<'a>> + use<'a> {
        self.peers(8)
    }

    /// How many closest peers there are beyond [`MAX_PEERS`].
    pub const fn closer_peers_left_out(&self) -> usize {
        self.closer.saturating_sub(MAX_PEERS)
    }

    /// The providers, at most [`MAX_PEERS`].
    pub fn provider_peers(&self) -> impl Iterator<Item = PeerView<'a>> + use<'a> {
        self.peers(9)
    }

    /// The entries of [`Self::closer_peers`] as they were sent: who knows an entry already need not decode it again.
    pub fn closer_entries(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        self.entries(8)
    }

    fn peers(&self, list: u64) -> impl Iterator<Item = PeerView<'a>> + use<'a> {
        self.entries(list).filter_map(|entry| PeerView::decode(entry).ok())
    }

    fn entries(&self, list: u64) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        Fields::new(self.bytes)
            .filter_map(move |field| match field {
                Ok((number, Value::Bytes(entry))) if number == list => Some(entry),
                _ => None,
            })
            .take(MAX_PEERS)
    }
}

/// One peer of a message, read where it lies.
#[derive(Debug, Clone, Copy)]
pub struct PeerView<'a> {
    /// The bytes of a peer id, unchecked.
    pub id: &'a [u8],
    /// The sender's connection to it.
    pub connection: ConnectionType,
    bytes: &'a [u8],
    addrs: usize,
    long_addrs: usize,
}

impl<'a> PeerView<'a> {
    /// Checks all of an entry, and copies nothing.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, DecodeError> {
        let connection = ConnectionType::default();
        let mut view = Self { id: &[], connection, bytes, addrs: 0, long_addrs: 0 };
        for field in Fields::new(bytes) {
            match field? {
                (1, value) => view.id = value.bytes()?,
                (2, value) => {
                    let is_long = value.bytes()?.len() > MAX_ADDRESS_BYTES;
                    view.addrs += usize::from(!is_long);
                    view.long_addrs += usize::from(is_long);
                }
                (3, value) => view.connection = ConnectionType::from_number(value.varint()?),
                _ => {}
            }
        }
        Ok(view)
    }

    /// The whole entry as it was sent: two entries of the same bytes say the same.
    pub const fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The bytes of its addresses, unchecked: at most [`MAX_ADDRESSES`], none longer than [`MAX_ADDRESS_BYTES`].
    pub fn addrs(&self) -> impl Iterator<Item = &'a [u8]> + use<'a> {
        entry_addrs(self.bytes)
    }

    /// How many addresses there are beyond [`MAX_ADDRESSES`], those that are too long not counted.
    pub const fn addrs_left_out(&self) -> usize {
        self.addrs.saturating_sub(MAX_ADDRESSES)
    }

    /// How many addresses are longer than [`MAX_ADDRESS_BYTES`].
    pub const fn long_addrs(&self) -> usize {
        self.long_addrs
    }
}

/// The addresses in the bytes of one entry ([`PeerView::bytes`]), as [`PeerView::addrs`] gives them.
pub fn entry_addrs(entry: &[u8]) -> impl Iterator<Item = &[u8]> {
    Fields::new(entry)
        .filter_map(|field| match field {
            Ok((2, Value::Bytes(addr))) if addr.len() <= MAX_ADDRESS_BYTES => Some(addr),
            _ => None,
        })
        .take(MAX_ADDRESSES)
}

#[cfg(test)]
mod tests;
