//! Rows of a belly in a database that others may write: an entry of the peer in the row, as others can read it, or none.

use kad::message::MessageView;
use store::decoders::{belly_rank, belly_row};

/// Reads the bytes as the parts of a row about a provider, and as the rank of a value.
pub fn check(bytes: &[u8]) {
    let rank = belly_rank(bytes);
    assert!(rank.is_none_or(|rank| rank == bytes), "a rank is written as another one");
    let Some((&[key_len, id_len], rest)) = bytes.split_first_chunk() else { return };
    let Some((&received, rest)) = rest.split_first_chunk() else { return };
    let Some((&lifetime, rest)) = rest.split_first_chunk() else { return };
    let (key, rest) = rest.split_at(rest.len().min(key_len.into()));
    let (id, addrs) = rest.split_at(rest.len().min(id_len.into()));
    let times = (i64::from_le_bytes(received), i32::from_le_bytes(lifetime));
    let Some(entry) = belly_row(key, (id, addrs), times, key_len % 2 == 0) else { return };
    let length = u8::try_from(id.len()).unwrap_or_default();
    assert!(entry == [&[0x0a, length], id, addrs].concat(), "the entry is made of something else");
    // As it stands in an answer: a provider in a message.
    let mut message = vec![0x4a];
    kad::protobuf::write_varint(&mut message, entry.len() as u64);
    message.extend_from_slice(&entry);
    let named: Vec<_> = MessageView::decode(&message)
        .iter()
        .flat_map(MessageView::provider_peers)
        .map(|peer| peer.id.to_vec())
        .collect();
    assert!(named == [id.to_vec()], "others read another provider in it");
}
