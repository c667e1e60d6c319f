//! The answering rules of a DHT server, as go-libp2p-kad-dht follows them.
//!
//! Who knows peers and records supplies them; what goes into an answer, and in which order, is decided here once for
//! the testnet's virtual peers and for real ones.

use crate::{
    message::{K, MessageType, MessageView},
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
    /// Who provides the key.
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
}

/// Answers one request.
///
/// `own` and `asker` are the bytes of the ids of the server and of the peer that asks, `find` looks the key up.
/// Records to be stored (`PUT_VALUE`, `ADD_PROVIDER`) are the caller's: here they are only answered.
pub fn answer<'a>(
    request: &[u8],
    own: &[u8],
    asker: &[u8],
    find: impl FnOnce(MessageType, &[u8]) -> Found<'a>,
) -> Result<Answer, DecodeError> {
    let request = MessageView::decode(request)?;
    let key = request.key;
    Ok(match request.kind {
        MessageType::FindNode if key.is_empty() => Answer::Reset,
        MessageType::FindNode => Answer::Message(closer(&request, own, asker, &find(request.kind, key))),
        MessageType::GetProviders | MessageType::GetValue if key.is_empty() || key.len() > MAX_KEY_BYTES => {
            Answer::Reset
        }
        MessageType::GetProviders | MessageType::GetValue => {
            Answer::Message(closer(&request, own, asker, &find(request.kind, key)))
        }
        MessageType::AddProvider => Answer::Nothing,
        MessageType::Ping | MessageType::PutValue => Answer::Message(echo(&request)),
        MessageType::Unknown(_) => Answer::Reset,
    })
}

/// An answer with the closest peers. FIND_NODE names the target itself first, when it is known with addresses,
/// even if it is the server or the asker; peers without addresses are of no use to its asker and left out.
fn closer(request: &MessageView<'_>, own: &[u8], asker: &[u8], found: &Found<'_>) -> Vec<u8> {
    let is_find_node = request.kind == MessageType::FindNode;
    let target = found.target.filter(|target| is_find_node && target.has_addresses);
    let others = found.closest.iter().filter(|peer| {
        peer.id != own
            && peer.id != asker
            && (peer.has_addresses || !is_find_node)
            && target.is_none_or(|target| target.id != peer.id)
    });
    let mut out = Vec::with_capacity(64 + (K + 1) * 160);
    write_head(&mut out, request);
    if let Some(record) = found.record.filter(|_| request.kind == MessageType::GetValue) {
        write_bytes(&mut out, 3, record);
    }
    for peer in target.iter().chain(others.take(K)) {
        write_bytes(&mut out, 8, peer.entry);
    }
    if request.kind == MessageType::GetProviders {
        for provider in &found.providers {
            if out.len() + provider.entry.len() + 8 > crate::message::MAX_MESSAGE_BYTES {
                break;
            }
            write_bytes(&mut out, 9, provider.entry);
        }
    }
    out
}

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
mod tests {
    use super::*;
    use crate::message::{Message, Peer, Record, write_peer};

    fn entry(id: &[u8], addrs: &[&[u8]]) -> Vec<u8> {
        let mut out = Vec::new();
        write_peer(&mut out, id, addrs.iter().copied(), crate::message::ConnectionType::NotConnected);
        out
    }

    fn ids(peers: &[Peer]) -> Vec<&[u8]> {
        peers.iter().map(|p| p.id.as_slice()).collect()
    }

    #[test]
    fn find_node_names_the_target_first_and_leaves_out_server_asker_and_the_addressless() {
        let names: [&[u8]; 6] = [b"own", b"ask", b"near", b"mute", b"target", b"far"];
        let entries: Vec<_> =
            names.iter().map(|id| entry(id, if *id == b"mute" { &[] } else { &[b"addr"] })).collect();
        let known = |i: usize| Known { id: names[i], entry: &entries[i], has_addresses: i != 3 };
        let find = |_, _: &[u8]| Found {
            target: Some(known(4)),
            closest: (0..6).map(known).collect(),
            ..Found::default()
        };
        let request = Message::new(MessageType::FindNode, b"target".to_vec()).encode();
        let Ok(Answer::Message(reply)) = answer(&request, b"own", b"ask", find) else { panic!("no message") };
        let reply = Message::decode(&reply).expect("ours");
        assert_eq!(ids(&reply.closer_peers), [b"target".as_slice(), b"near", b"far"]);
        let request = Message::new(MessageType::GetProviders, b"target".to_vec()).encode();
        let Ok(Answer::Message(reply)) = answer(&request, b"own", b"ask", find) else { panic!("no message") };
        let reply = Message::decode(&reply).expect("ours");
        assert_eq!(ids(&reply.closer_peers), [b"near".as_slice(), b"mute", b"target", b"far"]);
    }

    #[test]
    fn at_most_k_peers_answer() {
        let names: Vec<[u8; 1]> = (0..30).map(|n| [n]).collect();
        let entries: Vec<_> = names.iter().map(|id| entry(id, &[b"addr"])).collect();
        let closest =
            names.iter().zip(&entries).map(|(id, entry)| Known { id, entry, has_addresses: true }).collect();
        let request = Message::new(MessageType::FindNode, b"key".to_vec()).encode();
        let reply = answer(&request, b"own", b"ask", |_, _| Found { closest, ..Found::default() });
        let Ok(Answer::Message(reply)) = reply else { panic!("no message") };
        assert_eq!(Message::decode(&reply).map(|m| m.closer_peers.len()), Ok(K));
    }

    #[test]
    fn put_value_and_ping_are_echoed_add_provider_is_not_and_the_unknown_resets() {
        let mut put = Message::new(MessageType::PutValue, b"/pk/x".to_vec());
        put.record = Some(Record { key: b"/pk/x".to_vec(), value: vec![1], time_received: String::new() });
        put.closer_peers = vec![Peer::default()];
        let reply = answer(&put.encode(), b"", b"", |_, _| Found::default());
        put.closer_peers.clear();
        assert_eq!(reply, Ok(Answer::Message(put.encode())));
        let of = |kind, key: &[u8]| {
            answer(&Message::new(kind, key.to_vec()).encode(), b"", b"", |_, _| Found::default())
        };
        assert_eq!(of(MessageType::AddProvider, b"k"), Ok(Answer::Nothing));
        assert_eq!(of(MessageType::Unknown(9), b"k"), Ok(Answer::Reset));
        assert_eq!(of(MessageType::FindNode, b""), Ok(Answer::Reset));
        assert_eq!(of(MessageType::GetProviders, &[1; MAX_KEY_BYTES + 1]), Ok(Answer::Reset));
        assert!(matches!(of(MessageType::Ping, b""), Ok(Answer::Message(_))));
        assert!(answer(&[0x0a], b"", b"", |_, _| Found::default()).is_err());
    }
}
