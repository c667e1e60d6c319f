//! What a view counts is what a recount of the facts finds, and each mistake of the instrument that it takes up is a test.

mod recount;

use std::time::Duration;

use kad::{PeerId, failure::FailureClass, network::Transport};
use proptest::prelude::*;
use schema::{NatClass, Timestamp};

use self::recount::recount;
use super::*;

/// 2026-11-21 at noon, and at its end.
const NOON: Timestamp = Timestamp(1_795_262_400_000_000);
const MIDNIGHT: Timestamp = Timestamp(NOON.0 + 12 * 3_600_000_000);

fn after(seconds: u64) -> Timestamp {
    NOON.after(Duration::from_secs(seconds))
}

/// The peer of a number, the same each time.
fn peer(number: u32) -> PeerId {
    let mut bytes = vec![0, 4];
    bytes.extend(number.to_be_bytes());
    PeerId::from_bytes(&bytes).unwrap()
}

fn up() -> WatchNews {
    WatchNews::Up(PeerSeen::default())
}

fn fact(number: u32, at: Timestamp, news: WatchNews) -> WatchFact {
    WatchFact { peer: peer(number), at, news }
}

fn view() -> NetworkView {
    NetworkView::new(NOON, DEFAULT_WATCHED_PEERS)
}

fn noted(facts: impl IntoIterator<Item = (u32, u64, WatchNews)>) -> NetworkView {
    let mut view = view();
    for (number, seconds, news) in facts {
        view.note(&fact(number, after(seconds), news));
    }
    view
}

/// The time of a peer was not stored, so one that could be reached was counted anew each time that it was met.
#[test]
fn a_peer_that_is_met_again_is_not_counted_again() {
    let counts = noted((0..50).map(|time| (1, time, up()))).counts(after(50));
    assert_eq!((counts.active, counts.seen_today, counts.arrived_in_run), (1, 1, 0));
}

/// The counter of those that left began again near 500, as the list was changed while it was read.
#[test]
fn the_count_of_those_that_left_goes_beyond_500_and_never_back() {
    let mut view = view();
    let mut last = 0;
    for number in 0..2000 {
        view.note(&fact(number, after(u64::from(number)), up()));
        if number >= 100 {
            view.note(&fact(number - 100, after(u64::from(number)), WatchNews::Gone));
            let left = view.counts(after(u64::from(number))).left_in_run;
            assert_eq!(left, last + 1);
            last = left;
        }
    }
    let counts = view.counts(after(2000));
    assert_eq!(
        (counts.left_in_run, counts.gone_today, counts.active, counts.seen_today),
        (1900, 1900, 100, 2000)
    );
}

/// Each dial that failed was held for address translation, so that nobody who failed ever left.
#[test]
fn a_look_that_fails_is_no_address_translation() {
    let failed = |class| WatchNews::Failed(class);
    let view = noted([
        (1, 0, failed(FailureClass::Timeout)),
        (2, 0, failed(FailureClass::ConnectionRefused)),
        (3, 0, WatchNews::BehindNat(NatClass::RelayedOnly)),
        (4, 0, up()),
        (4, 1, failed(FailureClass::Timeout)),
        (4, 0, WatchNews::Gone),
    ]);
    let counts = view.counts(after(2));
    assert_eq!((counts.behind_nat, counts.left_in_run, counts.active), (1, 1, 0));
    assert_eq!(counts.nat_rate, Some(1.0));
    assert_eq!(counts.failures, [("connection_refused", 1), ("timeout", 2)].into());
    assert_eq!(
        counts.looks,
        counts.answered_looks + counts.nat_looks + counts.failures.values().sum::<u64>()
    );
}

/// The count of a day began at the total of all days.
#[test]
fn a_day_begins_at_nobody_and_those_that_stay_are_seen_once_they_are_looked_at() {
    let mut view = view();
    for number in 0..10 {
        view.note(&fact(number, after(1), up()));
    }
    view.tick(MIDNIGHT);
    let counts = view.counts(MIDNIGHT);
    assert_eq!((counts.active, counts.seen_today, counts.gone_today, counts.daily_churn), (10, 0, 0, None));
    view.note(&fact(1, MIDNIGHT.after(Duration::from_secs(5)), up()));
    view.note(&fact(2, MIDNIGHT.after(Duration::from_secs(6)), WatchNews::Gone));
    // Found out today of yesterday.
    view.note(&fact(3, Timestamp(MIDNIGHT.0 - 1), WatchNews::Gone));
    let counts = view.counts(MIDNIGHT);
    assert_eq!((counts.seen_today, counts.gone_today, counts.left_in_run), (1, 1, 2));
    assert_eq!(counts.daily_churn, Some(1.0));
}

/// What was kept was wiped at each start.
#[test]
fn a_view_that_is_told_what_was_kept_of_today_goes_on_counting() {
    let facts = [(1, 0, up()), (2, 0, up()), (3, 0, up()), (3, 60, WatchNews::Gone)];
    let mut view = noted(facts);
    view.begin(after(600));
    let counts = view.counts(after(600));
    assert_eq!((counts.active, counts.unconfirmed, counts.seen_today, counts.gone_today), (0, 2, 3, 1));
    assert_eq!((counts.left_in_run, counts.looks), (0, 0));
    view.note(&fact(1, after(610), up()));
    view.note(&fact(2, after(620), WatchNews::Gone));
    let counts = view.counts(after(700));
    assert_eq!((counts.active, counts.unconfirmed, counts.seen_today, counts.gone_today), (1, 0, 3, 2));
    assert_eq!((counts.left_in_run, counts.arrived_in_run), (1, 0));
}

#[test]
fn what_was_between_two_runs_is_nobodys_stay() {
    let mut view = noted([(1, 0, up()), (1, 100, up()), (2, 0, up())]);
    view.begin(after(10_000));
    view.note(&fact(1, after(10_000), up()));
    view.note(&fact(1, after(10_050), up()));
    view.note(&fact(1, after(10_070), WatchNews::Gone));
    // 100 s before, and 50 s and half of 20 s after; peer 2 was seen for no time.
    assert_eq!(view.counts(after(10_100)).mean_stay_s, Some(160.0));
}

/// Whoever a day brings nothing, in the midst of a run or before it, has nothing to show.
#[test]
fn a_day_without_anything_is_empty() {
    let mut view = noted([(1, 0, up())]);
    view.tick(MIDNIGHT.after(Duration::from_secs(3 * 86_400)));
    let counts = view.counts(MIDNIGHT);
    assert_eq!((counts.seen_today, counts.gone_today, counts.daily_churn), (0, 0, None));
    assert_eq!((counts.mean_stay_s, counts.rtt), (None, None));
}

#[test]
fn who_is_new_has_arrived_once_everybody_was_seen() {
    let mut view = noted([(1, 0, up())]);
    view.swept();
    view.note(&fact(2, after(1), up()));
    view.note(&fact(1, after(2), WatchNews::Gone));
    view.note(&fact(1, after(3), up()));
    let counts = view.counts(after(4));
    assert_eq!((counts.arrived_in_run, counts.arrived_today, counts.active), (2, 2, 2));
    let newest: Vec<_> = view.arrivals().map(|passing| passing.peer).collect();
    assert_eq!(newest, [peer(1), peer(2)]);
}

#[test]
fn stays_end_half_way_and_the_mean_is_the_time_for_each_departure() {
    let mut view = noted([(1, 0, up()), (1, 100, up()), (2, 0, up()), (2, 300, up())]);
    assert_eq!(view.counts(after(300)).mean_stay_s, None);
    view.note(&fact(1, after(140), WatchNews::Gone));
    assert_eq!(view.counts(after(300)).mean_stay_s, Some(120.0 + 300.0));
    assert_eq!(view.departures().next().unwrap().stay, Some(Duration::from_secs(120)));
}

#[test]
fn numbers_are_of_those_that_are_up() {
    let seen = |rtt_ms, transport, agent: &str| {
        let rtt = Some(Duration::from_millis(rtt_ms));
        WatchNews::Up(PeerSeen { rtt, transport: Some(transport), agent: Some(agent.into()) })
    };
    let view = noted([
        (1, 0, seen(10, Transport::Tcp, "a")),
        (2, 0, seen(20, Transport::Quic, "b")),
        (3, 0, seen(30, Transport::Quic, "b")),
        (4, 0, seen(1000, Transport::Wss, "c")),
        (4, 1, WatchNews::Gone),
    ]);
    let counts = view.counts(after(2));
    assert_eq!(counts.transports, [("quic", 2), ("tcp", 1)].into());
    assert_eq!(counts.rtt.map(|rtt| (rtt.peers, rtt.median_us, rtt.p90_us)), Some((3, 20_000, 30_000)));
    let agents: Vec<_> = view.agents(9).into_iter().map(|(name, count)| (name.to_string(), count)).collect();
    assert_eq!(agents, [("b".to_owned(), 2), ("a".to_owned(), 1)]);
    assert_eq!(view.agents(1).len(), 1);
}

#[test]
fn a_list_is_sorted_searched_and_cut() {
    let seen = |rtt_ms, agent: &str| {
        WatchNews::Up(PeerSeen {
            rtt: Some(Duration::from_millis(rtt_ms)),
            transport: Some(Transport::Tcp),
            agent: Some(agent.into()),
        })
    };
    let view = noted([
        (1, 0, seen(30, "kubo/0.30")),
        (2, 5, seen(10, "Kubo/0.29")),
        (3, 9, seen(20, "hermes")),
        (4, 3, WatchNews::BehindNat(NatClass::RelayedOnly)),
        (1, 60, seen(30, "kubo/0.30")),
        (3, 61, WatchNews::Gone),
    ]);
    let query = |order, search| NodeQuery { order, is_reversed: false, search, skip: 0, take: 10 };
    let of = |query: NodeQuery<'_>| {
        let list = view.list(&query);
        (list.matching, list.lines.iter().map(|line| line.peer).collect::<Vec<_>>())
    };
    let peers = |numbers: &[u32]| numbers.iter().map(|number| peer(*number)).collect::<Vec<_>>();
    assert_eq!(of(query(NodeOrder::LastSeen, "")), (4, peers(&[1, 3, 2, 4])));
    assert_eq!(of(query(NodeOrder::Rtt, "")), (4, peers(&[2, 3, 1, 4])));
    assert_eq!(of(query(NodeOrder::Stay, "")), (4, peers(&[1, 2, 3, 4])));
    assert_eq!(of(query(NodeOrder::Agent, "")), (4, peers(&[2, 3, 1, 4])));
    assert_eq!(of(query(NodeOrder::Standing, "")), (4, peers(&[1, 2, 3, 4])));
    let reversed = NodeQuery { is_reversed: true, ..query(NodeOrder::Rtt, "") };
    assert_eq!(of(reversed), (4, peers(&[1, 3, 2, 4])), "what is not known stays last");
    assert_eq!(of(query(NodeOrder::Peer, "KUBO")), (2, peers(&[1, 2])));
    assert_eq!(of(query(NodeOrder::Peer, "relayed")), (1, peers(&[4])));
    let third = peer(3).to_base58();
    assert_eq!(of(query(NodeOrder::Peer, &third)), (1, peers(&[3])));
    let page = NodeQuery { skip: 1, take: 2, ..query(NodeOrder::LastSeen, "") };
    assert_eq!(of(page), (4, peers(&[3, 2])));
    assert_eq!(of(NodeQuery { skip: 9, ..page }), (4, vec![]));
    assert_eq!(NodeOrder::ALL.iter().fold(NodeOrder::Rtt, |order, _| order.next()), NodeOrder::Rtt);
}

/// A table of so many entries: a key, a value and a byte for each bucket, of which one in eight stays free.
#[test]
fn a_hundred_thousand_peers_take_17_mb() {
    let entry = size_of::<(PeerId, KnownNode)>() + 1;
    let buckets = (DEFAULT_WATCHED_PEERS * 8 / 7).next_power_of_two();
    assert!(size_of::<KnownNode>() <= 48);
    assert!(entry * buckets <= 17_000_000, "{entry} bytes in {buckets} buckets");
}

#[test]
fn who_is_gone_makes_room_and_who_counts_today_does_not() {
    let mut view = NetworkView::new(NOON, 32);
    for number in 0..32 {
        view.note(&fact(number, after(1), up()));
    }
    view.note(&fact(0, after(2), WatchNews::Gone));
    view.note(&fact(100, after(3), up()));
    let counts = view.counts(after(3));
    assert_eq!((counts.known, counts.seen_today, counts.uncounted_looks), (32, 32, 1));
    view.tick(MIDNIGHT);
    view.note(&fact(100, MIDNIGHT, up()));
    let counts = view.counts(MIDNIGHT);
    assert_eq!((counts.known, counts.active, counts.seen_today), (32, 32, 1));
}

/// One fact, or one of the turns of the view itself.
#[derive(Debug, Clone)]
enum Step {
    Fact { peer: u32, later_s: u64, news: WatchNews },
    Swept,
    Begin,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let seen =
        (proptest::option::of(1_u64..500), 0_usize..4, 0_u32..5).prop_map(|(rtt, transport, agent)| {
            WatchNews::Up(PeerSeen {
                rtt: rtt.map(Duration::from_millis),
                transport: Transport::ALL.get(transport).copied(),
                agent: (agent > 0).then(|| format!("agent/{agent}").into()),
            })
        });
    let news = prop_oneof![
        4 => seen,
        2 => Just(WatchNews::Gone),
        1 => Just(WatchNews::Lost),
        1 => (0..FailureClass::ALL.len()).prop_map(|class| WatchNews::Failed(FailureClass::ALL[class])),
        1 => (0..NatClass::ALL.len()).prop_map(|class| WatchNews::BehindNat(NatClass::ALL[class])),
    ];
    // Often enough over midnight: half a day is 43,200 s.
    let later = prop_oneof![8 => 0_u64..120, 1 => 0_u64..40_000];
    let fact = (0_u32..12, later, news).prop_map(|(peer, later_s, news)| Step::Fact { peer, later_s, news });
    proptest::collection::vec(prop_oneof![30 => fact, 1 => Just(Step::Swept), 1 => Just(Step::Begin)], 0..200)
}

proptest! {
    /// Whatever becomes known, in whatever order, the numbers are what is counted from the list of facts; and no count goes back.
    #[test]
    fn counts_are_what_a_recount_finds(steps in steps()) {
        let mut view = view();
        let (mut at, mut told) = (NOON, Vec::new());
        let mut before = view.counts(NOON);
        for step in steps {
            match &step {
                Step::Fact { peer: number, later_s, news } => {
                    at = at.after(Duration::from_secs(*later_s));
                    view.note(&fact(*number, at, news.clone()));
                    view.tick(at);
                }
                Step::Swept => view.swept(),
                Step::Begin => view.begin(at),
            }
            told.push((at, step));
            let counts = view.counts(at);
            prop_assert_eq!(&counts, &recount(&told));
            if !matches!(told.last(), Some((_, Step::Begin))) {
                prop_assert!(counts.left_in_run >= before.left_in_run);
                prop_assert!(day_of(counts.at) > day_of(before.at) || counts.gone_today >= before.gone_today);
            }
            before = counts;
        }
    }
}
