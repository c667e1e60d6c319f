//! The answering rules of a DHT server, as go-libp2p-kad-dht follows them.
//!
//! A request is read and checked by [`Asked::read`]. What it leaves to do is the caller's, who knows peers and keeps
//! records ([`records`](crate::records)): to look something up, or to keep something. What goes into an answer, and in
//! which order, is decided here once for the testnet's virtual peers and for real ones.

mod offer;

pub use self::offer::{MAX_PROVIDER_ADDRESSES, Provide, Put, own_address};
use crate::{
    message::{K, MAX_MESSAGE_BYTES, MessageType, MessageView},
    protobuf::{DecodeError, write_bytes, write_number},
};

/// The longest key of a provider record, in bytes.
pub const MAX_KEY_BYTES: usize = 80;

/// A peer that a server knows.
#[derive(Debug, Clone, Copy)]
pub struct Known<'a> {
    /// The bytes of its id.
    pub id: &'a [u8],
    /// Its entry in a message, as [`write_peer`](crate::message::write_peer) makes it.
    pub entry: &'a [u8],
    /// Whether the entry has addresses.
    pub has_addresses: bool,
}

/// What a server found for a key.
#[derive(Debug, Clone, Default)]
pub struct Found<'a> {
    /// The peer whose id is the key, if the server has heard of it.
    pub target: Option<Known<'a>>,
    /// The peers of its table closest to the key, the closest first. [`K`] and two more are enough: at most
    /// the server itself and the asker are left out.
    pub closest: Vec<Known<'a>>,
    /// Who provides the key. If they do not all fit into a message, the last ones are left out.
    pub providers: Vec<Known<'a>>,
    /// The encoded record (`record.pb.Record`) under the key.
    pub record: Option<&'a [u8]>,
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
    /// To look a key up. [`Lookup::answer`] makes the answer.
    Lookup(Lookup<'a>),
    /// To keep that the asker provides a key. The answer is [`Answer::Nothing`].
    Provide(Provide<'a>),
    /// To keep a value. [`Put::answer`] is the answer if it was kept, else [`Answer::Reset`].
    Put(Put<'a>),
}

impl<'a> Asked<'a> {
    /// Reads a request of the peer whose id has these bytes. An error says that it is no message; servers reset the
    /// stream then.
    pub fn read(request: &'a [u8], asker: &[u8]) -> Result<Self, DecodeError> {
        let request = MessageView::decode(request)?;
        let is_short = !request.key.is_empty() && request.key.len() <= MAX_KEY_BYTES;
        Ok(match request.kind {
            MessageType::FindNode if !request.key.is_empty() => Self::Lookup(Lookup { request }),
            MessageType::GetProviders | MessageType::GetValue if is_short => Self::Lookup(Lookup { request }),
            MessageType::AddProvider if is_short => {
                Provide::of(&request, asker).map_or(Self::Answered(Answer::Reset), Self::Provide)
            }
            MessageType::PutValue => Put::of(request)?.map_or(Self::Answered(Answer::Reset), Self::Put),
            MessageType::Ping => Self::Answered(Answer::Message(echo(&request))),
            _ => Self::Answered(Answer::Reset),
        })
    }
}

/// A key to be looked up: FIND_NODE, GET_PROVIDERS or `GET_VALUE`.
#[derive(Debug, Clone, Copy)]
pub struct Lookup<'a> {
    request: MessageView<'a>,
}

impl<'a> Lookup<'a> {
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
    /// FIND_NODE names the target itself first, when it is known with addresses, even if it is the server or the asker;
    /// peers without addresses are of no use to its asker and left out.
    pub fn answer(&self, own: &[u8], asker: &[u8], found: &Found<'_>) -> Vec<u8> {
        let kind = self.kind();
        let is_find_node = kind == MessageType::FindNode;
        let target = found.target.filter(|target| is_find_node && target.has_addresses);
        let others = found.closest.iter().filter(|peer| {
            peer.id != own
                && peer.id != asker
                && (peer.has_addresses || !is_find_node)
                && target.is_none_or(|target| target.id != peer.id)
        });
        let mut out = Vec::with_capacity(64 + (K + 1) * 160);
        write_head(&mut out, &self.request);
        if let Some(record) = found.record.filter(|_| kind == MessageType::GetValue) {
            write_bytes(&mut out, 3, record);
        }
        for peer in target.iter().chain(others.take(K)) {
            write_bytes(&mut out, 8, peer.entry);
        }
        if kind == MessageType::GetProviders {
            for provider in &found.providers {
                if out.len() + provider.entry.len() + 8 > MAX_MESSAGE_BYTES {
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
    write_head(&mut out, request);
    if let Some(record) = request.record() {
        write_bytes(&mut out, 3, record);
    }
    out
}

fn write_head(out: &mut Vec<u8>, request: &MessageView<'_>) {
    write_number(out, 1, request.kind.number());
    if !request.key.is_empty() {
        write_bytes(out, 2, request.key);
    }
}

#[cfg(test)]
mod tests;
