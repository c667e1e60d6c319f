//! The sequence is that of hydra-booster, bit for bit.

use super::*;

/// Source: computed by two programs independently of each other, in Python and in Go, and seen of hydra-booster 0.7.4 itself.
const OF_ZEROES: [&str; 12] = [
    "12D3KooWBcfKctt29AayTY2tf1gBJm6Y6byQurYhx6QZwv4p3GQS",
    "12D3KooWChZWNvtp3je4fekLaDhHw1FfLrVioVCCcXofEqoxVna9",
    "12D3KooWEEVMhqqHk6gKQ8tjXZWndVeFs97Qvyxh5nJnNHx2pYZy",
    "12D3KooWCoUpgcNfq3Rzh4fCtbr6wYGTZrPX8Frasyoa4FkwS9FZ",
    "12D3KooWHUGzdqMfnxSuqMhLm3pHMf5qbeoZY5qgDHABRRYdCX5j",
    "12D3KooWPRWXnkLRiyjpVYekyw45ZuBQcL28Q6LZT3ZYQQX7w6a6",
    "12D3KooWKvk3qzxt8pEycCWAxYJH6vDw6E33oURfJmn5XGDuMwCA",
    "12D3KooWLZ3HRnhrsgq4vXW58VcruC28HrzCJtd61pmmN7wwWDUe",
    "12D3KooWMBvb7ALwAgx7zJP1LKjaYBwCHKVHUEF8vWP4PNeWeoqP",
    "12D3KooWCZb5jHz2EkcbuDqEvLqWResZXPgid5iykdSPNANFrXpM",
    "12D3KooWHTVzHLYDwSUm5BGfVzpWLfBcjYPSwU6r1qnumrDvG1Ub",
    "12D3KooWD1iwPxUATuzAnCia5Y7tY1H9JBpi5WWs3P2wirMMYAhY",
];

const INDEX_999: &str = "12D3KooWQrY9o2WiEudBRKADwfytJiHMct5nHdXVyDR9hGzsnGQx";

fn zeroes(choices: u32) -> HeadSequence {
    HeadSequence::new(HeadSeed::from_bytes([0; 32]), Choices::new(choices).unwrap())
}

fn ids(sequence: &mut HeadSequence, indices: std::ops::Range<u64>) -> Vec<String> {
    indices.map(|index| sequence.identity(index).unwrap().peer_id().to_string()).collect()
}

fn hex(bytes: &[u8]) -> String {
    multibase::Base::Base16Lower.encode(bytes)
}

#[test]
fn the_sequence_of_a_seed_is_the_original_bit_for_bit() {
    assert_eq!(ids(&mut zeroes(2), 0..12), OF_ZEROES);
}

#[test]
fn the_candidates_that_win_are_those_of_the_original() {
    let mut sequence = zeroes(2);
    sequence.identity(11).unwrap();
    assert_eq!(sequence.chosen, [2, 4, 5, 7, 10, 12, 14, 16, 17, 20, 21, 23]);
}

#[test]
fn keys_are_the_originals_to_the_last_bit() {
    let identity = zeroes(2).identity(0).unwrap();
    let keypair = identity.keypair.clone().try_into_ed25519().unwrap();
    assert_eq!(
        hex(keypair.secret().as_ref()),
        "9b12512814f961e780d30c441c4684a65cf4a28e597f878fa75fdedacd971c5f"
    );
    assert!(hex(Key::of_peer(&identity.peer_id()).as_bytes()).starts_with("dfff9674f77e7889"));
    let exported = multibase::Base::Base64Pad.encode(identity.keypair.to_protobuf_encoding().unwrap());
    assert_eq!(
        exported,
        "CAESQJsSUSgU+WHngNMMRBxGhKZc9KKOWX+Hj6df3trNlxxfGrfMk5PqES9DxxfVgWaNskW1yBtS4aHmgh2u4l1FCcs="
    );
}

#[test]
fn the_thousandth_identity_and_what_it_takes_are_the_originals() {
    let mut sequence = zeroes(2);
    assert_eq!(ids(&mut sequence, 999..1000), [INDEX_999]);
    assert_eq!((sequence.taken().depth(), sequence.candidates_used()), (15, 2000));
}

#[test]
fn any_set_of_indices_in_any_process_gives_the_same_identities() {
    let seed = HeadSeed::from_bytes([0; 32]);
    let of = |text: &str| identities(&seed, Choices::ORIGINAL, &text.parse().unwrap()).unwrap();
    let texts = |text: &str| -> Vec<(u64, String)> {
        of(text).iter().map(|identity| (identity.index, identity.peer_id().to_string())).collect()
    };
    let (even, odd) = (texts("0..12:2"), texts("1..12:2"));
    let mut all: Vec<_> = even.into_iter().chain(odd).collect();
    all.sort();
    assert_eq!(all.iter().map(|(_, id)| id.as_str()).collect::<Vec<_>>(), OF_ZEROES);
    assert_eq!(texts("999"), [(999, INDEX_999.to_owned())], "replayed from 0");
    assert_eq!(texts("11,3"), [(3, OF_ZEROES[3].to_owned()), (11, OF_ZEROES[11].to_owned())]);
}

#[test]
fn an_offset_is_where_the_sequence_is_after_so_many() {
    let seed = HeadSeed::from_bytes([7; 32]);
    let mut sequence = HeadSequence::new(seed.clone(), Choices::ORIGINAL);
    let ids = ids(&mut sequence, 0..120);
    let after = IndexSet::contiguous(100, 20).unwrap();
    let found = identities(&seed, Choices::ORIGINAL, &after).unwrap();
    let found: Vec<_> = found.iter().map(|identity| identity.peer_id().to_string()).collect();
    assert_eq!(found, ids[100..]);
}

#[test]
fn ten_thousand_identities_lie_apart_and_cost_two_candidates_each() {
    let mut balanced = zeroes(2);
    let mut random = zeroes(1);
    balanced.identity(9_999).unwrap();
    random.identity(9_999).unwrap();
    assert_eq!((balanced.taken().len(), balanced.candidates_used()), (10_000, 20_000));
    assert!(balanced.taken().depth() <= random.taken().depth());
}

/// The mean of the depths says how crowded it is where identities lie.
#[test]
fn more_choices_spread_them_better_and_each_count_is_a_sequence_of_its_own() {
    let mean = |choices| {
        let mut sequence = zeroes(choices);
        let depths = (0..500).map(|index| {
            let identity = sequence.identity(index).unwrap();
            sequence.taken().depth_of(&Key::of_peer(&identity.peer_id()))
        });
        f64::from(depths.sum::<u32>()) / 500.0
    };
    let (one, two, sixteen) = (mean(1), mean(2), mean(16));
    assert!(one > two && two > sixteen, "{one} {two} {sixteen}");
    assert_ne!(ids(&mut zeroes(16), 0..3), OF_ZEROES[..3]);
}

#[test]
fn who_is_not_of_the_sequence_is_chosen_around() {
    let (mut alone, mut beside) = (zeroes(2), zeroes(2));
    // Where the second candidate would lie: the first is chosen in its place.
    beside.reserve(&alone.identity(0).unwrap().peer_id());
    assert_ne!(ids(&mut beside, 0..1), OF_ZEROES[..1]);
    assert_eq!(beside.taken().len(), 2);
}

#[test]
fn a_choice_is_among_one_at_least() {
    assert_eq!(Choices::new(0), None);
    assert_eq!(Choices::new(Choices::MAX + 1), None);
    assert_eq!(Choices::new(2), Some(Choices::ORIGINAL));
}
