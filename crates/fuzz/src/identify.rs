//! The identify message: bounded, and what is written is read.

use kad::identify::{Excess, Identify, MAX_LISTEN_ADDRS, MAX_PROTOCOLS, MAX_TEXT_BYTES};

/// Reads the bytes as one message, and as two.
pub fn check(bytes: &[u8]) {
    let Ok(identify) = Identify::decode(bytes) else { return };
    bounded(&identify);
    let written = identify.encode();
    let expected = Identify { excess: Excess::default(), ..identify.clone() };
    assert_eq!(Identify::decode(&written), Ok(expected));

    let mut twice = identify;
    assert!(twice.merge(bytes).is_ok());
    bounded(&twice);
}

fn bounded(identify: &Identify) {
    let (kept, excess) = (identify.listen_addrs.len() + identify.malformed_addrs.len(), identify.excess);
    assert!(kept <= MAX_LISTEN_ADDRS && (excess.listen_addrs == 0 || kept == MAX_LISTEN_ADDRS));
    assert!(excess.protocols == 0 || identify.protocols.len() == MAX_PROTOCOLS);
    assert!(identify.protocols.len() <= MAX_PROTOCOLS);
    let texts = identify.protocols.iter().chain(&identify.agent_version).chain(&identify.protocol_version);
    assert!(texts.into_iter().all(|text| text.len() <= MAX_TEXT_BYTES));
}
