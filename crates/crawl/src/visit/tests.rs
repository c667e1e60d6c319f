//! Rows as visits make them.

use std::time::Duration;

use kad::{
    Multiaddr,
    failure::{Failure, FailureClass, Phase},
    identify::{Identify, MAX_LISTEN_ADDRS},
    network::{Attempt, Transport},
};
use schema::{PeerNumber, Timestamp, VisitKind};

use super::*;
use crate::{
    talk::tests::{Habit, PEER, Script, manner},
    tally::Tally,
};

fn failed(phase: Phase, class: FailureClass) -> AddressVisit {
    AddressVisit {
        address: Multiaddr::empty().into(),
        started_after: None,
        took: None,
        outcome: AddressOutcome::Failed(Failure::new(phase, class)),
        resolved: Vec::new(),
    }
}

#[test]
fn the_address_that_came_furthest_speaks_for_the_peer() {
    let addresses = [
        failed(Phase::Connect, FailureClass::Timeout),
        failed(Phase::Secure, FailureClass::Timeout),
        failed(Phase::Connect, FailureClass::ConnectionRefused),
    ];
    assert_eq!(AddressVisit::furthest(&addresses), Some(Failure::new(Phase::Secure, FailureClass::Timeout)));
    assert_eq!(
        AddressVisit::furthest(&[addresses[0].clone(), addresses[2].clone()]),
        Some(Failure::new(Phase::Connect, FailureClass::ConnectionRefused))
    );
    assert_eq!(AddressVisit::furthest(&[]), None);
}

/// A network in which nobody is dialled, or one peer answers at its first address.
#[derive(Clone)]
struct Scripted(Option<fn() -> Script>);

impl Network for Scripted {
    type Connection = Script;

    fn local(&self) -> PeerId {
        PeerId::random()
    }

    fn admits(&self, _: &Multiaddr) -> Result<Option<Transport>, SkipReason> {
        self.0.map(|_| Some(Transport::Tcp)).ok_or(SkipReason::Private)
    }

    async fn connect_within(&self, _: PeerId, addrs: Vec<Multiaddr>, _: Option<Duration>) -> Dial<Script> {
        let outcome = || match self.0 {
            Some(_) => AddressOutcome::Connected,
            None => AddressOutcome::Skipped(SkipReason::Private),
        };
        let attempts = addrs.iter().map(|_| Attempt::untried(outcome())).collect();
        Dial { attempts, connection: self.0.map(|script| script()) }
    }
}

const MALFORMED: [u8; 3] = [0xff, 0xff, 1];

async fn visited(network: Scripted, addrs: Vec<Multiaddr>, malformed: Vec<Box<[u8]>>) -> (Visited, Tally) {
    let (peer, id, kind) = (PeerNumber(0), *PEER, VisitKind::First);
    let job = Job { peer, id, kind, wave: 3, is_brief: false, addrs, malformed };
    let visited = visit(network, job, &manner(&["/kad"])).await.expect("not cancelled");
    let mut tally = Tally::default();
    tally.add(&visited.visit);
    (visited, tally)
}

#[tokio::test(start_paused = true)]
async fn what_is_no_address_has_a_row_and_a_reason() {
    let malformed = vec![Box::from(MALFORMED), Box::default()];
    let (row, tally) = visited(Scripted(None), Vec::new(), malformed.clone()).await;
    let seen: Vec<_> =
        row.visit.met.addresses.iter().map(|a| (a.address.as_bytes(), a.outcome.clone())).collect();
    let skipped = AddressOutcome::Skipped(SkipReason::Malformed);
    assert_eq!(seen, [(&MALFORMED[..], skipped.clone()), (&[], skipped)]);
    assert_eq!(row.visit.fault(), Some("malformed"));
    assert_eq!(tally.errors(), [("only_malformed".to_owned(), 1)].into());
    assert_eq!(tally.addresses.by_name(), [("skipped_malformed".to_owned(), 2)].into());

    let addrs = vec!["/ip4/10.0.0.1/tcp/1".parse().expect("an address")];
    let (row, tally) = visited(Scripted(None), addrs, malformed).await;
    assert_eq!(row.visit.met.addresses.len(), 3);
    assert_eq!(tally.errors(), [("no_dialable_address".to_owned(), 1)].into());
}

#[tokio::test(start_paused = true)]
async fn what_identify_gives_as_addresses_is_kept_too_and_its_cuts_are_counted() {
    let network = Scripted(Some(|| {
        let listen = |port| format!("/ip4/127.0.0.1/tcp/{port}").parse().expect("an address");
        let listen_addrs = (1..300).map(listen).collect();
        let protocols = (0..600).map(|n| format!("/other/{n}")).collect();
        let agent_version = Some("x".repeat(300));
        let mut script = Script::new(Habit::AnswersAll);
        let said = Identify { listen_addrs, protocols, agent_version, ..Identify::default() };
        let first = Identify { malformed_addrs: vec![MALFORMED.into()], ..Identify::default() };
        script.identify = Some((vec![first.encode(), said.encode()], None));
        script
    }));
    let addrs = vec!["/ip4/127.0.0.1/tcp/1".parse().expect("an address")];
    let (row, _) = visited(network, addrs, Vec::new()).await;
    assert_eq!(row.visit.met.listen_addrs.len(), MAX_LISTEN_ADDRS);
    assert_eq!(row.visit.met.listen_addrs.last(), Some(&Address::Malformed(MALFORMED.into())));
    let expected = LeftOut { protocols: 88, listen_addrs: 44, long_texts: 1, ..LeftOut::default() };
    assert_eq!(row.left_out, expected);
}

#[test]
fn listen_addresses_are_kept_in_one_form_each_once() {
    let peer = PeerId::random();
    let (short, full) = ("/ip4/1.2.3.4/tcp/1", format!("/ip4/1.2.3.4/tcp/1/p2p/{peer}"));
    let listen_addrs = [full.as_str(), short, &full].map(|text| text.parse().expect("an address")).to_vec();
    let malformed_addrs = vec![MALFORMED.into(), MALFORMED.into()];
    let mut visit = Visit::begun(PeerNumber(0), VisitKind::First, Timestamp(0));
    introduce(&mut visit.met, Identify { listen_addrs, malformed_addrs, ..Identify::default() }, &peer);
    let short: Multiaddr = short.parse().expect("an address");
    assert_eq!(visit.met.listen_addrs, [short.into(), Address::Malformed(MALFORMED.into())]);
}

#[tokio::test(start_paused = true)]
async fn who_proved_its_identity_and_reset_the_connection_was_reached() {
    let network = Scripted(Some(|| {
        let mut script = Script::new(Habit::Refuses);
        script.identify = None;
        script
    }));
    let addrs = vec!["/ip4/127.0.0.1/tcp/1".parse().expect("an address")];
    let (row, tally) = visited(network, addrs, Vec::new()).await;
    assert!(row.visit.is_reachable() && row.visit.met.connect_error.is_none());
    let reset = Failure::new(Phase::Multiplex, FailureClass::ConnectionReset);
    assert_eq!(row.visit.crawl_error, Some(reset));
    assert_eq!((tally.reachable, tally.crawled, tally.unreachable()), (1, 0, 0));
    assert_eq!((tally.requests.sent, tally.requests.failed), (0, 0), "nothing was read by anybody");
    assert_eq!(tally.crawl_errors, [("connection_reset".to_owned(), 1)].into());
}

#[tokio::test(start_paused = true)]
async fn requests_that_never_left_are_not_counted() {
    let network = Scripted(Some(|| Script::new(Habit::Silent)));
    let addrs = vec!["/ip4/127.0.0.1/tcp/1".parse().expect("an address")];
    let (_, tally) = visited(network, addrs, Vec::new()).await;
    assert_eq!((tally.requests.sent, tally.requests.failed), (3, 3), "the first wave, and no more");
    assert_eq!(tally.request_errors, [("timeout".to_owned(), 3)].into());
}
