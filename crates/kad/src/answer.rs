//! The answering rules of a DHT server, as go-libp2p-kad-dht follows them.
//!
//! A request is read and checked by [`Asked::read`]. What it leaves to do is the caller's, who knows peers and keeps
//! records ([`records`](crate::records)): to look something up, or to keep something. What goes into an answer, and in
//! which order, is decided here once for the testnet's virtual peers and for real ones.

mod entry;
mod offer;

pub use self::{
    entry::{MAX_ENTRY_BYTES, entry},
    offer::{MAX_PROVIDER_ADDRESSES, Provide, Put, own_address},
};
use crate::{
    key::Key,
    message::{K, MAX_MESSAGE_BYTES, MessageType, MessageView},
    protobuf::{DecodeError, varint_len, write_bytes, write_number},
    table::RoutingTable,
};

/// The longest key of a provider record, in bytes (go-libp2p-kad-dht, `handleAddProvider`, `handleGetProviders`).
pub const MAX_KEY_BYTES: usize = 80;

/// A peer that a server knows.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The bytes of its id.
    pub id: &'a [u8],
    /// Its entry in a message, as [`entry()`] makes it.
    pub entry: &'a [u8],
    /// Whether the entry has addresses.
    pub has_addresses: bool,
}

/// What a server found for a key.
#[derive(Debug, Clone, Default)]
pub struct Findings<'a> {
    /// The peer whose id is the key, if the server has heard of it.
    pub target: Option<Known<'a>>,
    /// The peers of its table closest to the key, the closest first. [`K`] and two more are enough: at most
    /// the server itself and the asker are left out, and the server does not stand in its own table.
    pub closest: Vec<Known<'a>>,
    /// Who provides the key. If they do not all fit into a message, the last ones are left out.
    pub providers: Vec<Known<'a>>,
    /// The encoded record (`record.pb.Record`) under the key.
    pub record: Option<&'a [u8]>,
}

impl<'a> Findings<'a> {
    /// What a routing table says of a key. A target that stands in no table, but is known with addresses all the same, is
    /// for the caller to add: the server itself, whoever asks, a client.
    pub fn in_table<T>(table: &'a RoutingTable<T>, key: &[u8], known: impl Fn(&'a T) -> Known<'a>) -> Self {
        let closest: Vec<_> =
            table.closest(&Key::of(key), K + 1).into_iter().map(|entry| known(&entry.peer)).collect();
        let target = closest.first().filter(|peer| peer.id == key).copied();
        Self { target, closest, ..Self::default() }
    }
}

/// What a server does with a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// It sends this message.
    Message(Vec<u8>),
    /// It sends nothing, and the stream stays open (`ADD_PROVIDER` has no answer).
    Nothing,
    /// It resets the stream: the protocol has no error message.
    Reset,
    /// It closes its half of the stream, and drops further requests on it. No rule asks for that.
    Close,
    /// It resets the connection. No rule asks for that.
    HangUp,
}

/// A request that was read, and what is left to do about it.
#[derive(Debug, Clone)]
pub enum Asked<'a> {
    /// Nothing: this is the answer.
    Answered(Answer),
    /// To look a key up. [`Query::answer`] makes the answer.
    Lookup(Query<'a>),
    /// To keep that the asker provides a key. The answer is [`Answer::Nothing`].
    Provide(Provide<'a>),
    /// To keep a value. [`Put::answer`] is the answer if it was kept, else [`Answer::Reset`].
    Put(Put<'a>),
}

impl<'a> Asked<'a> {
    /// Reads a request of the peer whose id has these bytes. An error says that it is no message; servers reset the
    /// stream then.
    pub fn read(request: &'a [u8], asker: &[u8]) -> Result<Self, DecodeError> {
        let bytes = request;
        let request = MessageView::decode(bytes)?;
        let (has_key, is_short) = (!request.key.is_empty(), request.key.len() <= MAX_KEY_BYTES);
        Ok(match request.kind {
            MessageType::FindNode | MessageType::GetValue if has_key => Self::Lookup(Query { request }),
            MessageType::GetProviders if has_key && is_short => Self::Lookup(Query { request }),
            MessageType::AddProvider if has_key && is_short => {
                Provide::of(&request, asker).map_or(Self::Answered(Answer::Reset), Self::Provide)
            }
            MessageType::PutValue => {
                Put::of(request, bytes)?.map_or(Self::Answered(Answer::Reset), Self::Put)
            }
            MessageType::Ping => Self::Answered(Answer::Message(echo(&request))),
            _ => Self::Answered(Answer::Reset),
        })
    }
}

/// A key to be looked up: FIND_NODE, GET_PROVIDERS or `GET_VALUE`.
#[derive(Debug, Clone, Copy)]
pub struct Query<'a> {
    request: MessageView<'a>,
}

impl<'a> Query<'a> {
    /// What is asked for beside the closest peers.
    pub const fn kind(&self) -> MessageType {
        self.request.kind
    }

    /// The key: never empty.
    pub const fn key(&self) -> &'a [u8] {
        self.request.key
    }

    /// The answer of the server with the id `own` to the peer `asker` (the bytes of both ids).
    ///
    /// It names the [`K`] closest peers, without the server and the asker. FIND_NODE names the target itself first, even if
    /// it is the server or the asker; of all that, only those with addresses, which its asker could not use otherwise:
    /// others do not move up for those who are left out. Its answer does not repeat the key, the other two do.
    pub fn answer(&self, own: &[u8], asker: &[u8], found: &Findings<'_>) -> Vec<u8> {
        let kind = self.kind();
        let is_find_node = kind == MessageType::FindNode;
        let target = found.target.filter(|_| is_find_node);
        let closest = found.closest.iter().filter(|peer| peer.id != own && peer.id != asker).take(K);
        let others = closest.filter(|peer| target.is_none_or(|target| target.id != peer.id));
        let mut out = Vec::with_capacity(64 + (K + 1) * 160);
        write_head(&mut out, kind, if is_find_node { &[] } else { self.key() });
        if let Some(record) = found.record.filter(|_| kind == MessageType::GetValue) {
            write_bytes(&mut out, 3, record);
        }
        for peer in target.iter().chain(others).filter(|peer| peer.has_addresses || !is_find_node) {
            write_bytes(&mut out, 8, peer.entry);
        }
        if kind == MessageType::GetProviders {
            for provider in &found.providers {
                let length = provider.entry.len();
                if out.len() + 1 + varint_len(length as u64) + length > MAX_MESSAGE_BYTES {
                    break;
                }
                write_bytes(&mut out, 9, provider.entry);
            }
        }
        out
    }
}

/// The request as its own answer, without the peers in it.
fn echo(request: &MessageView<'_>) -> Vec<u8> {
    let mut out = Vec::with_capacity(request.key.len() + 16);
    write_head(&mut out, request.kind, request.key);
    if let Some(record) = request.record() {
        write_bytes(&mut out, 3, record);
    }
    out
}

fn write_head(out: &mut Vec<u8>, kind: MessageType, key: &[u8]) {
    write_number(out, 1, kind.number());
    if !key.is_empty() {
        write_bytes(out, 2, key);
    }
}

#[cfg(test)]
mod tests;
