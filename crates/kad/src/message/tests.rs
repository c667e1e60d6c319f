//! Messages read back as they were written, and nothing that a peer sends makes a decoder fall over.

use proptest::prelude::*;

use super::*;

fn peer() -> impl Strategy<Value = Peer> {
    let addrs = prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..6);
    let connection = prop::sample::select(vec![
        ConnectionType::NotConnected,
        ConnectionType::Connected,
        ConnectionType::CanConnect,
        ConnectionType::CannotConnect,
    ]);
    (prop::collection::vec(any::<u8>(), 0..40), addrs, connection).prop_map(|(id, addrs, connection)| Peer {
        id,
        addrs,
        connection,
    })
}

fn message() -> impl Strategy<Value = Message> {
    let record = (any::<Vec<u8>>(), any::<Vec<u8>>(), any::<String>())
        .prop_map(|(key, value, time_received)| Record { key, value, time_received });
    (
        (-3..300_i64).prop_map(|n| MessageType::from_number(n.cast_unsigned())),
        any::<Vec<u8>>(),
        prop::option::of(record),
        prop::collection::vec(peer(), 0..5),
        prop::collection::vec(peer(), 0..5),
    )
        .prop_map(|(kind, key, record, closer_peers, provider_peers)| Message {
            kind,
            key,
            record,
            closer_peers,
            provider_peers,
        })
}

proptest! {
    #[test]
    fn a_message_reads_back(message in message()) {
        let bytes = message.encode();
        prop_assert_eq!(Message::decode(&bytes), Ok(message.clone()));
        let view = MessageView::decode(&bytes).expect("whole");
        prop_assert_eq!((view.kind, view.key), (message.kind, message.key.as_slice()));
        let ids: Vec<_> = view.closer_peers().map(|p| p.id.to_vec()).collect();
        prop_assert_eq!(ids, message.closer_peers.iter().map(|p| p.id.clone()).collect::<Vec<_>>());
        prop_assert!(view.closer_entries().eq(view.closer_peers().map(|p| p.bytes())));
        for (seen, sent) in view.provider_peers().zip(&message.provider_peers) {
            prop_assert_eq!(seen.addrs().map(<[u8]>::to_vec).collect::<Vec<_>>(), sent.addrs.clone());
            prop_assert_eq!(seen.connection, sent.connection);
        }
    }

    #[test]
    fn both_readers_agree_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(message) = Message::decode(&bytes) {
            let view = MessageView::decode(&bytes).expect("the whole decoder took it");
            prop_assert_eq!(view.closer_peers().count(), message.closer_peers.len());
        }
    }
}

#[test]
fn the_bytes_of_a_find_node_request_are_those_of_other_implementations() {
    let mut bytes = Vec::new();
    write_find_node(&mut bytes, b"abc");
    assert_eq!(bytes, [0x08, 4, 0x12, 3, b'a', b'b', b'c']);
    assert_eq!(Message::new(MessageType::FindNode, b"abc".to_vec()).encode(), bytes);
}

#[test]
fn unknown_types_and_fields_survive() {
    // Type 17, an unknown field 99, and cluster level 10 of the IPFS message.
    let bytes = [0x08, 17, 0x9a, 6, 1, b'x', 0x50, 3, 0x12, 1, b'k'];
    let message = Message::decode(&bytes).expect("a newer peer's message");
    assert_eq!(message.kind, MessageType::Unknown(17));
    assert_eq!(message.key, b"k");
}

#[test]
fn a_long_list_is_cut() {
    let mut message = Message::new(MessageType::FindNode, Vec::new());
    let addrs = vec![vec![1]; MAX_ADDRESSES + 5];
    message.closer_peers = vec![Peer { id: vec![7], addrs, ..Peer::default() }; MAX_PEERS + 9];
    let bytes = message.encode();
    assert_eq!(Message::decode(&bytes).map(|m| m.closer_peers.len()), Ok(MAX_PEERS));
    let view = MessageView::decode(&bytes).expect("whole");
    assert_eq!(view.closer_peers().count(), MAX_PEERS);
    assert_eq!(view.closer_peers().next().map(|p| p.addrs().count()), Some(MAX_ADDRESSES));
    assert_eq!(view.closer_peers_left_out(), 9);
    assert!(view.closer_peers().all(|peer| (peer.addrs_left_out(), peer.long_addrs()) == (5, 0)));
}

#[test]
fn what_is_too_long_takes_no_place_of_what_is_not() {
    let mut message = Message::new(MessageType::FindNode, Vec::new());
    let long = vec![vec![1; MAX_ADDRESS_BYTES + 1]; 3];
    let addrs = [long, vec![vec![1; MAX_ADDRESS_BYTES]; MAX_ADDRESSES + 2]].concat();
    message.closer_peers = vec![Peer { id: vec![7], addrs, ..Peer::default() }];
    message.provider_peers = vec![Peer::default(); 9];
    let bytes = message.encode();
    let view = MessageView::decode(&bytes).expect("whole");
    let peer = view.closer_peers().next().expect("one");
    assert_eq!((peer.addrs().count(), peer.addrs_left_out(), peer.long_addrs()), (MAX_ADDRESSES, 2, 3));
    assert_eq!(view.closer_peers_left_out(), 0);
}

#[test]
fn a_field_of_the_wrong_type_is_refused() {
    assert_eq!(Message::decode(&[0x0a, 1, 4]), Err(DecodeError::WrongType));
    assert_eq!(Message::decode(&[0x40, 1]), Err(DecodeError::WrongType));
    assert!(MessageView::decode(&[0x40, 1]).is_err());
    assert!(MessageView::decode(&[0x42, 3, 0x0a, 9, 1]).is_err(), "an id longer than its peer");
}
