//! Version 1: messages, who is dialled back, what is believed.

use std::time::Duration;

use super::*;
use crate::autonat::Reachability;

fn addr(text: &str) -> Multiaddr {
    text.parse().expect("an address")
}

fn texts(addrs: &[Multiaddr]) -> Vec<String> {
    addrs.iter().map(ToString::to_string).collect()
}

fn is_public(addr: &Multiaddr) -> bool {
    let text = addr.to_string();
    !text.starts_with("/ip4/10.") && !text.contains("p2p-circuit") && text.contains("/tcp/")
}

#[test]
fn messages_read_back() {
    let id = PeerId::random();
    let request =
        DialBackRequest::new(&id, &[addr("/ip4/1.2.3.4/tcp/1"), addr("/ip4/1.2.3.4/udp/1/quic-v1")]);
    for message in [
        AutonatMessage::Request(request),
        AutonatMessage::Request(DialBackRequest::default()),
        AutonatMessage::Reply(DialBackReply::reached(&addr("/ip4/1.2.3.4/tcp/1"))),
        AutonatMessage::Reply(DialBackReply::failed(DialBackStatus::DialError, "dial failed")),
        AutonatMessage::Reply(DialBackReply::failed(DialBackStatus::Refused, "")),
        AutonatMessage::Reply(DialBackReply::failed(DialBackStatus::BadRequest, "x")),
        AutonatMessage::Reply(DialBackReply::failed(DialBackStatus::InternalError, "x")),
    ] {
        assert_eq!(AutonatMessage::decode(&message.encode()), Ok(message));
    }
    assert!(AutonatMessage::decode(&[8, 2]).is_err(), "there are two types");
    assert!(AutonatMessage::decode(&[8, 0, 0x12, 9]).is_err());
    assert_eq!(AutonatMessage::decode(&[]), Ok(AutonatMessage::Request(DialBackRequest::default())));
}

#[test]
fn only_the_address_that_was_seen_is_dialled_with_the_ports_that_are_named() {
    let asker = PeerId::random();
    let others = [
        "/ip4/1.2.3.4/tcp/4001",
        "/ip4/9.9.9.9/tcp/4001/p2p/",
        "/ip4/10.0.0.1/tcp/4002",
        "/dns4/x.org/tcp/1",
    ];
    let mut addrs: Vec<Multiaddr> =
        vec![addr(others[0]), addr(&format!("{}{asker}", others[1])), addr(others[2])];
    addrs.extend([addr(others[3]), addr("/ip6/2001:db8::1/tcp/4003"), addr("/ip4/1.2.3.4/udp/1/quic-v1")]);
    addrs.push(addr(&format!("/ip4/1.2.3.4/tcp/7/p2p/{}", PeerId::random())));
    addrs.push(addr(&format!("/ip4/1.2.3.4/tcp/8/p2p/{}/p2p-circuit", PeerId::random())));
    let seen = addr("/ip4/1.2.3.4/tcp/55555");
    let mut request = DialBackRequest::new(&asker, &addrs);
    request.addrs.extend([Vec::new(), vec![0xff; 9]]);
    let dialled = addresses_to_dial(&request, &asker, &seen, is_public).expect("dialled");
    let expected = [55_555, 4001, 4002, 4003].map(|port| format!("/ip4/1.2.3.4/tcp/{port}"));
    assert_eq!(texts(&dialled), expected);

    request.addrs = (1..100).map(|port| addr(&format!("/ip4/1.2.3.4/tcp/{port}")).to_vec()).collect();
    request.id = None;
    let dialled = addresses_to_dial(&request, &asker, &seen, is_public).expect("dialled");
    assert_eq!(dialled.len(), MAX_DIALLED);
}

#[test]
fn who_is_not_dialled_is_told_why() {
    let asker = PeerId::random();
    let status = |request: &DialBackRequest, seen: &str| {
        addresses_to_dial(request, &asker, &addr(seen), is_public).expect_err("refused").status
    };
    let own = DialBackRequest::new(&asker, &[addr("/ip4/1.2.3.4/tcp/1")]);
    assert_eq!(status(&own, "/ip4/10.0.0.1/tcp/1"), DialBackStatus::Refused);
    assert_eq!(
        status(&own, &format!("/ip4/1.2.3.4/tcp/1/p2p/{}/p2p-circuit", PeerId::random())),
        DialBackStatus::Refused
    );
    assert_eq!(status(&own, "/dns4/x.org/tcp/1"), DialBackStatus::Refused);
    let other = DialBackRequest::new(&PeerId::random(), &[]);
    assert_eq!(status(&other, "/ip4/1.2.3.4/tcp/1"), DialBackStatus::BadRequest);
    let none = DialBackRequest { id: Some(vec![1]), addrs: Vec::new() };
    assert_eq!(status(&none, "/ip4/1.2.3.4/tcp/1"), DialBackStatus::BadRequest);
}

#[test]
fn one_success_makes_public_and_a_belief_is_given_up_slowly() {
    use Reachability::{Private, Public, Unknown};
    let mut belief = Belief::default();
    // What is seen, whether that changes the belief, the belief, and how sure it is.
    for (step, (seen, changes, reachability, confidence)) in [
        (Unknown, false, Unknown, 0),
        (Private, true, Private, 0),
        (Private, false, Private, 1),
        (Public, true, Public, 0),
        (Public, false, Public, 1),
        (Public, false, Public, 2),
        (Public, false, Public, 3),
        (Public, false, Public, 3),
        (Private, false, Public, 2),
        (Unknown, false, Public, 1),
        (Private, false, Public, 0),
        (Private, true, Private, 0),
        (Unknown, true, Unknown, 0),
        (Public, true, Public, 0),
        (Unknown, true, Unknown, 0),
    ]
    .into_iter()
    .enumerate()
    {
        assert_eq!(belief.observe(seen), changes, "step {step}");
        assert_eq!((belief.reachability(), belief.confidence()), (reachability, confidence), "step {step}");
    }
    assert!(belief.hear(&DialBackReply::reached(&addr("/ip4/1.2.3.4/tcp/1"))));
    assert!(!belief.hear(&DialBackReply::failed(DialBackStatus::Refused, "")));
    assert_eq!(belief.reachability(), Public);
    assert!(belief.hear(&DialBackReply::failed(DialBackStatus::DialError, "")));
}

#[test]
fn who_is_sure_asks_seldom() {
    let (quiet, forced) = (SinceAsked::default(), SinceAsked { is_forced: true, has_inbound: false });
    let inbound = SinceAsked { is_forced: false, has_inbound: true };
    let mut belief = Belief::default();
    assert_eq!(
        (belief.asks_after(quiet), belief.asks_after(forced)),
        (RETRY_INTERVAL, Duration::from_secs(2))
    );
    for _ in 0..4 {
        assert_eq!(belief.asks_after(quiet), RETRY_INTERVAL);
        belief.observe(Reachability::Public);
    }
    assert_eq!(
        (belief.asks_after(forced), belief.asks_after(inbound)),
        (REFRESH_INTERVAL, 2 * REFRESH_INTERVAL)
    );
    belief.moved();
    assert_eq!((belief.confidence(), belief.asks_after(quiet)), (2, RETRY_INTERVAL));
    belief = Belief::default();
    for _ in 0..4 {
        belief.observe(Reachability::Private);
    }
    assert_eq!((belief.asks_after(quiet), belief.asks_after(inbound)), (REFRESH_INTERVAL, RETRY_INTERVAL));
}
