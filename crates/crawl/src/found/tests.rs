//! Entries are kept once, cuts are counted, and what answers say of their table is judged.

use kad::{
    address::MAX_ADDRESS_BYTES,
    message::{K, MAX_ADDRESSES, MAX_PEERS, Message, MessageType, Peer},
};

use super::*;

fn answer(peers: Vec<Peer>) -> Vec<u8> {
    let mut message = Message::new(MessageType::FindNode, b"key".to_vec());
    message.closer_peers = peers;
    message.encode()
}

fn peer(id: &[u8], addr: &[u8]) -> Peer {
    Peer { id: id.to_vec(), addrs: vec![addr.to_vec()], ..Peer::default() }
}

fn found() -> HeardPeers {
    HeardPeers::new(b"own", Arc::default())
}

/// The first ids that share exactly `shared` bits with the answering peer, from the `n`-th on.
fn sharing(shared: u32, n: usize) -> impl Iterator<Item = Peer> {
    let ids = (0_u32..).map(u32::to_be_bytes);
    ids.filter(move |id| Key::of(id).common_prefix_len(&Key::of(b"own")) == shared)
        .skip(n)
        .map(|id| peer(&id, b"1"))
}

fn add(found: &mut HeardPeers, prefix: usize, peers: impl Iterator<Item = Peer>) {
    found.add(Some(prefix), &answer(peers.collect())).expect("whole");
}

#[test]
fn an_entry_is_kept_once_and_other_addresses_make_another_entry() {
    let mut found = found();
    assert_eq!(found.add(Some(0), &answer(vec![peer(b"a", b"1"), peer(b"b", b"1")])), Ok(2));
    let second = vec![peer(b"a", b"1"), peer(b"a", b"2"), peer(b"own", b"1"), Peer::default()];
    assert_eq!(found.add(Some(1), &answer(second)), Ok(4));
    let ids: Vec<&[u8]> = found.peers().map(|p| p.id).collect();
    assert_eq!(ids, [b"a".as_slice(), b"b", b"a", b"own", b""]);
    assert_eq!(found.named().len(), 3, "each peer once, and not the one that answers");
    let in_answers = |place: usize| [0, 1].map(|prefix| found.named()[place].is_in(prefix));
    assert_eq!((in_answers(0), in_answers(1), in_answers(2)), ([true, true], [true, false], [false, true]));
    assert_eq!(found.last().len(), 2);
    assert!(found.add(None, &[0x42, 9]).is_err());
}

#[test]
fn a_flood_is_cut_and_counted() {
    let mut found = found();
    for n in 0..40_u8 {
        let peers = (0..20).map(|m| peer(&[n, m], &[n; 1000])).collect();
        assert_eq!(found.add(None, &answer(peers)), Ok(20));
        let peers = (20..40).map(|m| peer(&[n, m], &[n; 1000])).collect();
        assert_eq!(found.add(None, &answer(peers)), Ok(20));
    }
    assert!(found.bytes.len() <= MAX_FOUND_BYTES);
    let left_out = found.left_out().over_visit_size;
    assert_eq!((left_out > 0, left_out + found.peers().count() as u64), (true, 1600));
}

#[test]
fn every_cut_is_counted_by_its_kind() {
    let mut found = found();
    // An answer of 100 peers.
    let crowd = answer((0..100_u8).map(|n| peer(&[n], b"1")).collect());
    assert_eq!(found.add(Some(0), &crowd), Ok(40));
    assert_eq!(found.left_out(), LeftOut { peers_in_answer: 60, ..LeftOut::default() });
    assert_eq!(found.add(Some(1), &crowd), Ok(40));
    assert_eq!(found.left_out().peers_in_answer, 2 * (100 - MAX_PEERS) as u64, "of each answer");
    // 100 addresses of one peer, and one of 1,100 bytes.
    let mut many = vec![vec![7; MAX_ADDRESS_BYTES]; 100];
    many.push(vec![7; 1100]);
    let many = answer(vec![Peer { id: b"a".to_vec(), addrs: many, ..Peer::default() }]);
    found.add(Some(2), &many).expect("whole");
    found.add(Some(3), &many).expect("whole");
    let expected = LeftOut {
        peers_in_answer: 120,
        addresses_of_peer: (100 - MAX_ADDRESSES) as u64,
        long_addresses: 1,
        ..LeftOut::default()
    };
    assert_eq!(found.left_out(), expected, "the same entry says it once");
}

#[test]
fn answers_agree_as_long_as_whoever_claims_all_names_all() {
    let mut found = found();
    add(&mut found, 0, sharing(0, 0).take(18).chain(sharing(2, 0).take(2)));
    add(&mut found, 1, sharing(1, 0).take(3).chain(sharing(2, 0).take(2)).chain(sharing(0, 0).take(15)));
    add(&mut found, 2, sharing(2, 0).take(2).chain(sharing(1, 0).take(3)));
    assert!(!contradict(found.named()));
    assert!(found.last().any(|peer| peer.is_beyond(2)) && !found.last().any(|peer| peer.is_beyond(1)));
    // One of no bucket that a claim was made for is no contradiction, one that shares enough bits is.
    let mut more = answer(sharing(0, 18).take(1).collect());
    found.add(None, &more).expect("whole");
    assert!(!contradict(found.named()));
    more = answer(sharing(9, 0).take(1).collect());
    found.add(None, &more).expect("whole");
    assert!(contradict(found.named()));
}

#[test]
fn an_earlier_answer_is_disproved_by_a_later_one() {
    let mut found = found();
    add(&mut found, 1, sharing(1, 0).take(2).chain(sharing(0, 0).take(18)));
    add(&mut found, 2, sharing(2, 0).take(20));
    assert!(contradict(found.named()), "the first claims that nobody shares two bits");
}

#[test]
fn a_bucket_is_open_where_a_full_answer_holds_nobody_else() {
    let mut found = found();
    add(&mut found, 0, sharing(0, 0).take(K));
    add(&mut found, 1, sharing(1, 0).take(K - 1));
    add(&mut found, 2, sharing(2, 0).take(K - 1).chain(sharing(0, 0).take(1)));
    add(&mut found, 3, sharing(3, 0).take(K - 1).chain(sharing(4, 0).take(1)));
    assert_eq!(open_buckets(found.named()), 0b0001);
    let mut own = self::found();
    let itself = peer(b"own", b"1");
    add(&mut own, 5, sharing(5, 0).take(K).chain([itself]));
    assert_eq!(open_buckets(own.named()), 0b10_0000);
}
