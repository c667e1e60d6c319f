//! Messages of `/ipfs/kad/1.0.0`: the view and the whole message agree, what is written is read, an answer is a message.

use kad::{
    answer::{Answer, Asked, Found, Known, MAX_KEY_BYTES, MAX_PROVIDER_ADDRESSES},
    message::{MAX_ADDRESS_BYTES, MAX_ADDRESSES, MAX_PEERS, Message, MessageView, Peer, PeerView},
    records::MAX_VALUE_BYTES,
};

/// Who asks: an identity multihash, as short as a peer id can be.
const ASKER: &[u8] = &[0, 1, b'a'];

/// Reads the bytes as a message, in both ways, and as a request to answer.
pub fn check(bytes: &[u8]) {
    let view = MessageView::decode(bytes);
    let whole = Message::decode(bytes);
    if let Ok(view) = &view {
        for peer in view.closer_peers().chain(view.provider_peers()) {
            assert!(peer.addrs().count() <= MAX_ADDRESSES);
            assert!(peer.addrs().all(|addr| addr.len() <= MAX_ADDRESS_BYTES));
        }
        assert!(view.closer_peers().count() <= MAX_PEERS);
        assert!(view.provider_peers().count() <= MAX_PEERS);
    }
    match (&view, &whole) {
        (Ok(view), Ok(whole)) => agree(view, whole),
        // The view does not look into the record.
        (Ok(_) | Err(_), Err(_)) => {}
        (Err(error), Ok(_)) => assert!(whole.is_err(), "only the view refuses: {error}"),
    }
    if let Ok(whole) = whole {
        assert_eq!(Message::decode(&whole.encode()), Ok(whole));
    }
    respond(bytes, view.is_ok());
}

fn agree(view: &MessageView<'_>, whole: &Message) {
    assert_eq!((view.kind, view.key), (whole.kind, whole.key.as_slice()));
    assert_eq!(view.record().is_some(), whole.record.is_some());
    same_peers(view.closer_peers(), &whole.closer_peers);
    same_peers(view.provider_peers(), &whole.provider_peers);
}

fn same_peers<'a>(views: impl Iterator<Item = PeerView<'a>>, peers: &[Peer]) {
    let mut peers = peers.iter();
    for view in views {
        let peer = peers.next();
        assert_eq!(peer.map(|peer| peer.id.as_slice()), Some(view.id));
        assert_eq!(peer.map(|peer| peer.connection), Some(view.connection));
        assert!(peer.is_some_and(|peer| peer.addrs.iter().map(Vec::as_slice).eq(view.addrs())));
    }
    assert_eq!(peers.next(), None);
}

/// A server answers every message, and its answer is about the same key. What it is to keep has bounds.
fn respond(bytes: &[u8], decodes: bool) {
    let entry = [0x0a, 1, b'n', 0x12, 1, 4];
    let near = Known { id: b"n", entry: &entry, has_addresses: true };
    let reply = match Asked::read(bytes, ASKER) {
        Ok(Asked::Lookup(lookup)) => {
            lookup.answer(b"own", ASKER, &Found { closest: vec![near], ..Found::default() })
        }
        Ok(Asked::Put(put)) => {
            assert!(put.key().len() > "/pk/".len() && put.value().len() <= MAX_VALUE_BYTES);
            put.answer()
        }
        Ok(Asked::Provide(provide)) => {
            assert!((1..=MAX_KEY_BYTES).contains(&provide.key().len()));
            return assert!((1..=MAX_PROVIDER_ADDRESSES).contains(&provide.addrs().len()));
        }
        Ok(Asked::Answered(Answer::Message(reply))) => reply,
        Ok(Asked::Answered(Answer::Nothing | Answer::Reset)) => return,
        // The view does not look into the record.
        Err(_) => return assert!(!decodes || Message::decode(bytes).is_err()),
    };
    let (request, reply) = (MessageView::decode(bytes), MessageView::decode(&reply));
    let about = |view: &MessageView<'_>| (view.kind, view.key.to_vec());
    assert_eq!(reply.as_ref().map(about), request.as_ref().map(about));
}
