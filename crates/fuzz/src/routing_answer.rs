//! Answers of delegated routing: whatever comes is read alike in whatever pieces, and nobody is found whom nobody could dial.

use kad::{
    delegated::{MAX_FOUND, RoutingAnswer, RoutingAnswerForm, RoutingAnswerReader},
    policy::Addresses,
};

/// Reads what follows the first byte, whose lowest bit says the form and whose others the size of the pieces.
pub fn check(bytes: &[u8]) {
    let Some((&first, answer)) = bytes.split_first() else { return };
    let form = if first & 1 == 0 { RoutingAnswerForm::Lines } else { RoutingAnswerForm::Object };
    let whole = read(form, answer, answer.len());
    let step = usize::from(first >> 1);
    assert_eq!(whole, read(form, answer, step), "an answer depends on its pieces");
    let Some(whole) = whole else { return };
    assert!(whole.providers.len() <= MAX_FOUND && whole.peers.len() <= MAX_FOUND);
    assert!(whole.tally.peers <= whole.tally.records && whole.tally.with_addresses <= whole.tally.records);
    for (at, found) in whole.providers.iter().enumerate() {
        assert!(!found.addrs.is_empty(), "{} has no address", found.peer);
        assert!(
            whole.providers.iter().skip(at + 1).all(|other| other.peer != found.peer),
            "a peer is there twice"
        );
        for addr in &found.addrs {
            assert!(
                found.addrs.iter().filter(|other| *other == addr).count() == 1,
                "an address is there twice"
            );
        }
    }
}

fn read(form: RoutingAnswerForm, answer: &[u8], step: usize) -> Option<RoutingAnswer> {
    let mut reader = RoutingAnswerReader::new(form, Addresses::Public);
    for piece in answer.chunks(step.max(1)) {
        reader.push(piece).ok()?;
    }
    reader.finish().ok()
}
