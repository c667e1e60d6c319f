//! Version 2: messages, which address is dialled and for how much, what a reply proves, what checks together say.

use std::time::Duration;

use multiaddr::Multiaddr;
use proptest::prelude::*;

use super::*;
use crate::autonat::Reachability;

fn addr(text: &str) -> Multiaddr {
    text.parse().expect("an address")
}

fn request(addrs: &[&str]) -> CheckRequest {
    CheckRequest::new(&addrs.iter().map(|text| addr(text)).collect::<Vec<_>>(), 7)
}

fn is_public(addr: &Multiaddr) -> bool {
    !addr.to_string().starts_with("/ip4/10.")
}

proptest! {
    #[test]
    fn messages_read_back(
        addrs in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..20), 0..9),
        nonce: u64, address: u32, bytes: u64, data: Vec<u8>,
    ) {
        prop_assert_eq!(DialBack::decode(&DialBack { nonce }.encode()), Ok(DialBack { nonce }));
        for message in [
            CheckMessage::Request(CheckRequest { addrs, nonce }),
            CheckMessage::Reply(CheckReply { status: CheckStatus::Dialled, address, dialled: DialStatus::Reached }),
            CheckMessage::Reply(CheckReply { status: CheckStatus::Dialled, address, dialled: DialStatus::DialError }),
            CheckMessage::Reply(CheckReply::failed(CheckStatus::Rejected)),
            CheckMessage::Demand(DataDemand { address, bytes }),
            CheckMessage::Data(&data),
        ] {
            let bytes = message.encode();
            prop_assert_eq!(CheckMessage::decode(&bytes), Ok(message));
        }
    }

    #[test]
    fn all_that_is_demanded_is_sent_and_counted(bytes in 0..=MAX_DATA_BYTES) {
        let request = request(&["/ip4/1.2.3.4/tcp/1"]);
        let mut meter = DataMeter::new(bytes);
        let (mut sent, mut is_all) = (0, bytes == 0);
        for part in request.parts(&DataDemand { address: 0, bytes }).expect("a fair demand") {
            prop_assert!(!is_all && part <= DATA_CHUNK_BYTES);
            sent += part as u64;
            is_all = meter.take(part).expect("enough");
        }
        prop_assert!(is_all && sent == bytes);
    }
}

#[test]
fn a_message_of_none_and_a_number_of_another_type_are_refused() {
    assert!(CheckMessage::decode(&[]).is_err() && CheckMessage::decode(&[0x2a, 0]).is_err());
    assert_eq!(DialBack::decode(&[]), Ok(DialBack { nonce: 0 }));
    assert!(DialBack::decode(&[0x08, 1]).is_err() && DialBack::decode(&[0x09, 1, 2]).is_err());
    assert!(DialBack::decode(&[0x0d, 1, 2, 3, 4]).is_err() && DialBack::decode(&[0x0b]).is_err());
}

#[test]
fn the_first_address_that_may_be_dialled_is_and_another_ip_costs() {
    let seen = addr("/ip4/1.2.3.4/tcp/55555");
    let plan = |addrs: &[&str], random| plan_check(&request(addrs), &seen, random, is_public);
    let own = plan(&["/ip4/10.0.0.1/tcp/1", "/ip4/1.2.3.4/udp/1/quic-v1", "/ip4/9.9.9.9/tcp/1"], 5)
        .expect("a plan");
    assert_eq!(
        (own.index, own.address.to_string().as_str(), own.demand),
        (1, "/ip4/1.2.3.4/udp/1/quic-v1", None)
    );
    assert_eq!(plan(&["/ip4/10.0.0.1/tcp/1"], 5), None);
    for other in ["/ip4/9.9.9.9/tcp/1", "/ip6/2001:db8::1/tcp/1", "/dns4/x.org/tcp/1"] {
        let demand = |random| plan(&[other], random).and_then(|plan| plan.demand).map(|demand| demand.bytes);
        assert_eq!(
            (demand(0), demand(69_999), demand(70_000)),
            (Some(30_000), Some(99_999), Some(30_000)),
            "{other}"
        );
    }
    let mut many = request(&["/ip4/10.0.0.1/tcp/1"; 50]);
    many.addrs.push(addr("/ip4/1.2.3.4/tcp/1").to_vec());
    assert_eq!(plan_check(&many, &seen, 0, is_public), None);
    many.addrs[0] = vec![0xff];
    many.addrs.swap(1, 50);
    assert_eq!(plan_check(&many, &seen, 0, is_public).map(|plan| plan.index), Some(1));
}

#[test]
fn crumbs_end_a_request() {
    let mut meter = DataMeter::new(250);
    assert_eq!((meter.take(100), meter.take(99)), (Ok(false), Err(TooLittleData)));
    assert_eq!((meter.take(51), meter.take(0)), (Ok(true), Ok(true)));
    let request = request(&["/ip4/1.2.3.4/tcp/1"]);
    assert_eq!(request.parts(&DataDemand { address: 1, bytes: 9 }).err(), Some(BadCheck::Address));
    assert_eq!(
        request.parts(&DataDemand { address: 0, bytes: MAX_DATA_BYTES + 1 }).err(),
        Some(BadCheck::Demand)
    );
}

#[test]
fn a_reply_is_believed_as_far_as_it_is_proven() {
    let request =
        request(&["/ip4/1.2.3.4/tcp/1", "/dns4/x.org/tcp/1/tls/sni/x.org/ws", "/ip4/1.2.3.4/udp/1/quic-v1"]);
    let reply = |address, dialled| CheckReply { status: CheckStatus::Dialled, address, dialled };
    let check = |address, dialled, local: Option<&str>| {
        request.check(reply(address, dialled), local.map(addr).as_ref())
    };
    let public = |address| Ok(Checked::Address(address, Reachability::Public));
    assert_eq!(check(0, DialStatus::Reached, Some("/ip4/10.0.0.1/tcp/4001")), public(0));
    assert_eq!(check(0, DialStatus::DialBackError, Some("/ip4/10.0.0.1/tcp/4001")), public(0));
    assert_eq!(check(1, DialStatus::Reached, Some("/ip4/10.0.0.1/tcp/4001/wss")), public(1));
    assert_eq!(check(2, DialStatus::DialError, None), Ok(Checked::Address(2, Reachability::Private)));
    for local in
        [None, Some("/ip6/::1/tcp/4001"), Some("/ip4/10.0.0.1/udp/1/quic-v1"), Some("/ip4/10.0.0.1/tcp/1/ws")]
    {
        assert_eq!(check(0, DialStatus::Reached, local), Err(BadCheck::Proof), "{local:?}");
        assert_eq!(check(0, DialStatus::DialBackError, local), Err(BadCheck::Proof), "{local:?}");
    }
    assert_eq!(check(1, DialStatus::Reached, Some("/ip6/::1/tcp/4001/wss")), Err(BadCheck::Proof));
    assert_eq!(check(0, DialStatus::Unused, None), Err(BadCheck::Dial));
    assert_eq!(check(3, DialStatus::DialError, None), Err(BadCheck::Address));
    let failed = |status| request.check(CheckReply::failed(status), None);
    assert_eq!(
        (failed(CheckStatus::Refused), failed(CheckStatus::Rejected)),
        (Ok(Checked::Refused), Ok(Checked::Nothing))
    );
}

#[test]
fn an_address_is_checked_until_its_outcomes_agree() {
    use Reachability::{Private, Public, Unknown};
    let at = |minutes: u64| Duration::from_secs(60 * minutes);
    let mut record = AddressRecord::default();
    assert_eq!((record.reachability(at(0)), record.checks_due(at(0))), (Unknown, 3));
    for (minute, seen, reachability, due) in [
        (0, Public, Unknown, 2),
        (1, Unknown, Unknown, 2),
        (2, Public, Public, 1),
        (3, Public, Public, 0),
        (4, Private, Public, 1),
        (5, Public, Public, 0),
    ] {
        record.dialled(seen, at(minute));
        assert_eq!(
            (record.reachability(at(minute)), record.checks_due(at(minute))),
            (reachability, due),
            "{minute}"
        );
    }
    assert_eq!((record.checks_due(at(65)), record.checks_due(at(66))), (0, 1), "an hour later once more");
    for minute in 70..74 {
        record.dialled(Private, at(minute));
    }
    assert_eq!((record.reachability(at(74)), record.checks_due(at(74))), (Private, 0));
    assert_eq!(record.reachability(at(74 + 300)), Unknown, "five hours later nothing counts");
}

#[test]
fn nobody_is_asked_for_ever() {
    let at = Duration::from_secs;
    let mut record = AddressRecord::default();
    for second in 0..10 {
        let seen = if second % 2 == 0 { Reachability::Public } else { Reachability::Private };
        assert!(record.checks_due(at(second)) > 0);
        record.dialled(seen, at(second));
    }
    assert_eq!(record.checks_due(at(600)), 0);
    assert!(record.checks_due(at(601)) > 0);
    for second in 601..606 {
        assert!(record.checks_due(at(second)) > 0);
        record.refused(at(second));
    }
    assert_eq!((record.checks_due(at(606)), record.checks_due(at(1204))), (0, 0));
    assert!(record.checks_due(at(1205)) > 0);
}
