//! `AutoNAT`: messages read back as they are written, nobody is dialled but the asker, and nothing is believed unproven.

use std::time::Duration;

use kad::{
    Multiaddr, PeerId,
    autonat::{
        Reachability,
        v1::{self, AutonatMessage, DialBackReply, DialBackRequest, MAX_DIALLED},
        v2::{
            self, AddressRecord, CheckMessage, CheckReply, CheckRequest, Checked, DataMeter, DialBack,
            MAX_DATA_BYTES, MIN_DATA_BYTES, plan_check,
        },
    },
};

/// Who asks: an identity multihash, as short as a peer id can be.
const ASKER: &[u8] = &[0, 1, b'a'];

/// Where it was seen: `/ip4/1.2.3.4/tcp/1`.
const SEEN: &[u8] = &[4, 1, 2, 3, 4, 6, 0, 1];

/// The host of that address.
const HOST: &[u8] = &[4, 1, 2, 3, 4];

/// Reads the bytes as a message of each version, and does what it asks for.
pub fn check(bytes: &[u8]) {
    match AutonatMessage::decode(bytes) {
        Ok(AutonatMessage::Request(request)) => {
            dial_back(&request);
            let message = AutonatMessage::Request(request);
            assert_eq!(AutonatMessage::decode(&message.encode()), Ok(message));
        }
        Ok(AutonatMessage::Reply(reply)) => believe(&reply),
        Err(_) => {}
    }
    if let Ok(message) = CheckMessage::decode(bytes) {
        let again = message.encode();
        assert_eq!(CheckMessage::decode(&again), Ok(message.clone()));
        match &message {
            CheckMessage::Request(request) => plan(request),
            CheckMessage::Reply(reply) => judge(*reply),
            CheckMessage::Demand(demand) => {
                let request = CheckRequest { addrs: vec![SEEN.to_vec()], nonce: 1 };
                let sent = request.parts(demand).map_or(0, |parts| parts.map(|part| part as u64).sum());
                assert!(sent <= MAX_DATA_BYTES && (sent == 0 || sent == demand.bytes));
            }
            CheckMessage::Data(data) => drop(DataMeter::new(MIN_DATA_BYTES).take(data.len())),
        }
    }
    if let Ok(dial_back) = DialBack::decode(bytes) {
        assert_eq!(DialBack::decode(&dial_back.encode()), Ok(dial_back));
    }
}

fn parties() -> Option<(PeerId, Multiaddr)> {
    Some((PeerId::from_bytes(ASKER).ok()?, Multiaddr::try_from(SEEN.to_vec()).ok()?))
}

fn dial_back(request: &DialBackRequest) {
    let Some((asker, seen)) = parties() else { unreachable!("a constant") };
    if let Ok(dialled) = v1::addresses_to_dial(request, &asker, &seen, |_| true) {
        assert!((1..=MAX_DIALLED).contains(&dialled.len()) && dialled[0] == seen);
        assert!(dialled.iter().all(|addr| addr.as_ref().starts_with(HOST)), "a third party is dialled");
        assert!(dialled.iter().enumerate().all(|(index, addr)| !dialled[..index].contains(addr)));
        assert!(request.id.as_ref().is_none_or(|id| id == ASKER));
    }
    assert!(v1::addresses_to_dial(request, &asker, &seen, |_| false).is_err());
}

fn believe(reply: &DialBackReply) {
    let mut belief = v1::Belief::default();
    let is_changed = belief.hear(reply);
    assert_eq!(is_changed, belief.reachability() != Reachability::Unknown);
    assert!((0..9).all(|_| !belief.hear(reply)) && belief.confidence() <= v1::MAX_CONFIDENCE);
}

fn plan(request: &CheckRequest) {
    let Some((_, seen)) = parties() else { unreachable!("a constant") };
    assert!(request.addrs.len() <= v2::MAX_ADDRESSES);
    let Some(plan) = plan_check(request, &seen, request.nonce, |_| true) else { return };
    assert_eq!(request.addrs.get(plan.index as usize).map(Vec::as_slice), Some(plan.address.as_ref()));
    match plan.demand {
        Some(demand) => {
            assert!(demand.address == plan.index && (MIN_DATA_BYTES..MAX_DATA_BYTES).contains(&demand.bytes));
            assert!(request.parts(&demand).is_ok(), "more is demanded than anybody sends");
        }
        None => assert!(plan.address.as_ref().starts_with(HOST), "a third party is dialled for nothing"),
    }
}

fn judge(reply: CheckReply) {
    let Some((_, seen)) = parties() else { unreachable!("a constant") };
    let request = CheckRequest { addrs: vec![SEEN.to_vec(); 3], nonce: 1 };
    let unproven = request.check(reply, None);
    assert!(!matches!(unproven, Ok(Checked::Address(_, Reachability::Public))));
    if let Ok(Checked::Address(index, reachability)) = request.check(reply, Some(&seen)) {
        let mut record = AddressRecord::default();
        (0..5).for_each(|_| record.dialled(reachability, Duration::ZERO));
        assert!(index < 3 && record.reachability(Duration::ZERO) == reachability);
    }
}
