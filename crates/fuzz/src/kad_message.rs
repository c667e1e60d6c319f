//! Messages of `/ipfs/kad/1.0.0`: the view and the whole message agree, and what is written is read.

use kad::{
    address::MAX_ADDRESS_BYTES,
    message::{MAX_ADDRESSES, MAX_PEERS, Message, MessageView, Peer, PeerView},
};

/// Reads the bytes as a message, in both ways.
pub fn check(bytes: &[u8]) {
    let view = MessageView::decode(bytes);
    let whole = Message::decode(bytes);
    if let Ok(view) = &view {
        for peer in view.closer_peers().chain(view.provider_peers()) {
            assert!(peer.addrs().count() <= MAX_ADDRESSES);
            assert!(peer.addrs().all(|addr| addr.len() <= MAX_ADDRESS_BYTES));
            assert!(peer.addrs_left_out() == 0 || peer.addrs().count() == MAX_ADDRESSES);
        }
        assert!(view.closer_peers().count() <= MAX_PEERS);
        assert!(view.closer_peers_left_out() == 0 || view.closer_peers().count() == MAX_PEERS);
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
