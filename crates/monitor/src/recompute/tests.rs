//! Histories of a network in a store: two crawls beside a monitor that is stopped for a while, killed, and gone on with.

use std::{collections::BTreeMap, time::Duration};

use kad::{
    failure::{Failure, FailureClass, Phase},
    network::{AddressOutcome, Endpoint, Security, Transport},
};
use rand::{RngExt as _, SeedableRng as _, rngs::StdRng};
use schema::{
    AddressVisit, ConnectionInfo, GapCause, PeerSession, Row, RunEnd, RunId, RunStart, RunState, Timestamp,
    Tool, Visit, VisitKind,
};
use store::{RunFilter, Store, StoreUrl};

use super::*;
use crate::{
    days::{UptimePeriod, uptimes},
    evidence::evidence,
    gap::between_runs,
};

const PEERS: u8 = 40;
const MINUTE: i64 = 60_000_000;
/// The monitor's runs: minutes in which they look. The first one is killed.
const RUNS: [(i64, i64); 2] = [(0, 180), (200, 360)];
/// In these minutes the first one was stopped.
const STOPPED: (i64, i64) = (90, 100);

fn peer(n: u8) -> PeerId {
    let mut bytes = [n; 34];
    (bytes[0], bytes[1]) = (0x12, 32);
    PeerId::from_bytes(&bytes).unwrap()
}

fn at(minute: i64) -> Timestamp {
    Timestamp(1_795_000_000_000_000 + minute * MINUTE)
}

fn stopped() -> ObserverGap {
    ObserverGap { cause: GapCause::Stopped, from: at(STOPPED.0), until: at(STOPPED.1) }
}

/// A visit that found a peer, or met silence, over an address of its own.
fn visit(number: u8, kind: VisitKind, started_at: Timestamp, is_up: bool) -> Visit {
    let mut visit = Visit::begun(PeerNumber(number.into()), kind, started_at);
    let address: Multiaddr = format!("/ip4/192.0.2.{number}/tcp/4001").parse().unwrap();
    let silence = Failure::new(Phase::Connect, FailureClass::Timeout);
    visit.met.ended_at = started_at.after(Duration::from_millis(if is_up { 300 } else { 5_000 }));
    visit.met.addresses = vec![AddressVisit {
        address: address.into(),
        started_after: Some(Duration::ZERO),
        took: Some(Duration::from_millis(200)),
        outcome: if is_up { AddressOutcome::Connected } else { AddressOutcome::Failed(silence.clone()) },
        resolved: Vec::new(),
    }];
    let endpoint = Endpoint {
        address: 0,
        transport: Transport::Tcp,
        security: Security::Noise,
        certificate: None,
        ip_version: 4,
        socket: ([192, 0, 2, number], 4001).into(),
    };
    visit.met.connection = is_up.then(|| ConnectionInfo::of(&endpoint, None));
    visit.met.connect_error = (!is_up).then_some(silence);
    visit
}

/// The visits of every run in the order of their ends, each with the run: 0 and 1 are the monitor's, 2 and 3 are crawls.
fn history(seed: u64) -> Vec<(usize, Visit)> {
    let mut rng = StdRng::seed_from_u64(seed);
    let mut all = Vec::new();
    for n in 0..PEERS {
        // It comes and goes after an hour or so each.
        let changes: Vec<i64> = (0..8)
            .scan(0, |minute, _| {
                *minute += rng.random_range(20..120);
                Some(*minute)
            })
            .collect();
        let begins_up = rng.random_bool(0.5);
        let is_up = |minute: i64| {
            let past = changes.iter().filter(|&&change| change <= minute).count();
            (past % 2 == 0) == begins_up
        };
        let mut look = |run, kind, minute: i64| {
            let is_hindered = run == 0 && (STOPPED.0..STOPPED.1).contains(&minute);
            let is_lost = rng.random_bool(0.05);
            let started = at(minute).after(Duration::from_millis(rng.random_range(0..30_000)));
            all.push((run, visit(n, kind, started, is_up(minute) && !is_hindered && !is_lost)));
        };
        for (run, (from, until)) in RUNS.into_iter().enumerate() {
            for minute in (from..until).skip(usize::from(n % 7)).step_by(7) {
                look(run, VisitKind::Scheduled, minute);
            }
        }
        look(2, VisitKind::First, 30);
        look(3, VisitKind::First, 240);
    }
    all.sort_by_key(|(_, visit)| visit.met.ended_at);
    all
}

/// What a monitor keeps of it while it goes on, a list of rows for each run, and what it knows at the end.
fn monitored(visits: &[(usize, Visit)]) -> ([Vec<Row>; 4], Vec<PeerUptime>) {
    let rules = SessionRules::default();
    let mut uptimes = vec![PeerUptime::new(); usize::from(PEERS)];
    let (mut days, mut rows) = (DayBook::default(), [const { Vec::new() }; 4]);
    let last = visits.iter().filter(|(run, _)| *run == 0).map(|(_, visit)| visit.met.ended_at).max().unwrap();
    let mut gaps = vec![stopped(), between_runs(last, at(RUNS[1].0)).unwrap()];
    rows[0].push(stopped().into());
    for (run, visit) in visits {
        while gaps.first().is_some_and(|gap| gap.until <= visit.met.ended_at) {
            let gap = gaps.remove(0);
            days.gap(gap);
            for uptime in &mut uptimes {
                uptime.gap(&gap);
            }
            // What was counted is kept before the kill.
            rows[0].extend(days.take().map(Row::from));
        }
        let look = evidence(visit, rules.criterion).beside(&stopped());
        let uptime = &mut uptimes[visit.peer.0 as usize];
        let before = *uptime;
        let change = uptime.looked(&look, &rules);
        days.looked(visit.peer, &before, &look, &change);
        rows[*run].push(visit.clone().into());
        let seen = match change {
            SessionChange::Began => uptime.session(&rules),
            SessionChange::Ended(session) => Some(*session),
            _ => None,
        };
        let monitor = usize::from(visit.met.ended_at > last);
        rows[monitor].extend(seen.map(|seen| PeerSession { peer: visit.peer, seen, next_dial: None }.into()));
    }
    rows[1].extend(days.take().map(Row::from));
    (rows, uptimes)
}

/// Keeps these rows in a store, the first run without an end.
async fn kept(url: &StoreUrl, runs: [Vec<Row>; 4]) {
    kept_runs(url, runs.into_iter().enumerate().collect()).await;
}

/// The same of some of them.
async fn kept_runs(url: &StoreUrl, runs: Vec<(usize, Vec<Row>)>) {
    for (run, rows) in runs {
        let started_at = at([RUNS[0].0, RUNS[1].0, 30, 240][run]);
        let start = RunStart {
            id: RunId::new(started_at, [1; 10]),
            tool: if run < 2 { Tool::Monitor } else { Tool::Crawl },
            network: "test".to_owned(),
            started_at,
            version: String::new(),
            seed: 0,
            vantage: "here".to_owned(),
            parameters: serde_json::json!({}),
        };
        let store = Store::open(url).unwrap().unwrap();
        let writer = store.begin_run(&start).unwrap();
        let (sender, mut progress) = (writer.sender(), writer.progress());
        let count = rows.len() as u64;
        for row in (0..PEERS).map(|n| Row::Peer(PeerNumber(n.into()), peer(n))).chain(rows) {
            sender.send(row).await.unwrap();
        }
        drop(sender);
        progress.wait_for(|totals| totals.rows == count).await.unwrap();
        if run > 0 {
            let finished_at = at([0, 360, 35, 245][run]);
            let summary = serde_json::json!({});
            writer.finish(RunEnd { finished_at, state: RunState::Succeeded, summary }).await.unwrap();
        }
    }
}

fn place() -> (tempfile::TempDir, StoreUrl) {
    let directory = tempfile::tempdir().unwrap();
    let url = StoreUrl::Sqlite(directory.path().join("a.sqlite"));
    (directory, url)
}

fn scope() -> MonitorScope {
    MonitorScope { network: "test".to_owned(), apart: None }
}

fn compared(store: &Store) -> ComparedSessions {
    compare_sessions(store, &scope(), SessionRules::default(), 1000).unwrap()
}

fn recomputed(store: &Store) -> Recomputation {
    let rules = SessionRules::default();
    let mut fold = Recomputation::new(rules, 1000);
    for sight in NetworkHistory::open(store, &scope(), rules.criterion).unwrap() {
        fold.saw(&sight.unwrap());
    }
    fold
}

#[tokio::test]
async fn sessions_equal_their_recomputation_though_the_monitor_was_stopped_and_killed() {
    for seed in 0..5 {
        let (_directory, url) = place();
        let (rows, uptimes) = monitored(&history(seed));
        kept(&url, rows).await;
        let store = Store::open_existing(&url).unwrap();
        let ComparedSessions { equal, differing, differences, .. } = compared(&store);
        assert_eq!((differing, differences), (0, vec![]), "seed {seed}");
        assert!(equal > 2 * u64::from(PEERS), "{equal}");
        // What a monitor goes on with is what the one knew that was killed.
        let mut known = recomputed(&store).into_known();
        known.sort_by_key(|known| known.id.to_bytes());
        assert_eq!(known.len(), uptimes.len());
        for (n, (known, uptime)) in (0..).zip(known.iter().zip(&uptimes)) {
            assert_eq!((known.id, &known.uptime), (peer(n), uptime));
            assert_eq!(known.addresses, [format!("/ip4/192.0.2.{n}/tcp/4001").parse::<Multiaddr>().unwrap()]);
        }
    }
}

#[tokio::test]
async fn a_session_that_says_otherwise_than_its_visits_is_named() {
    let (_directory, url) = place();
    let (mut rows, _) = monitored(&history(1));
    let mut closed = rows[1].iter_mut().filter_map(|row| match row {
        Row::PeerSession(session) if session.seen.ended_by.is_some() => Some(session),
        _ => None,
    });
    closed.next().unwrap().seen.successes += 1;
    let shifted = closed.next().unwrap();
    shifted.seen.ended_by = shifted.seen.ended_by.map(|at| at.after(Duration::from_secs(1)));
    drop(closed);
    let lost = rows[1].iter().rposition(
        |row| matches!(row, Row::PeerSession(session) if session.seen.state == schema::SessionState::Open),
    );
    rows[1].remove(lost.unwrap());
    kept(&url, rows).await;
    let store = Store::open_existing(&url).unwrap();
    let ComparedSessions { differing, differences, .. } = compared(&store);
    let mut names: Vec<_> = differences.iter().map(|difference| difference.name).collect();
    names.sort_unstable();
    assert_eq!((differing, names), (3, vec!["ended_by", "session", "successful_dials"]), "{differences:?}");
}

#[tokio::test]
async fn uptime_is_the_same_before_and_after_visits_are_pruned() {
    let (_directory, url) = place();
    kept(&url, monitored(&history(2)).0).await;
    let mut store = Store::open_existing(&url).unwrap();
    let of_rows = |store: &Store| {
        let mut days: BTreeMap<u32, Vec<PeerDay>> = BTreeMap::new();
        for run in store.runs(&RunFilter::of(Tool::Monitor)).unwrap() {
            for day in store.rows::<PeerDay>(run.start.id).unwrap().map(Result::unwrap) {
                days.entry(day.peer.0).or_default().push(day);
            }
        }
        days.into_values()
            .flat_map(|days| UptimePeriod::ALL.iter().map(move |period| uptimes(&days, *period)))
            .collect::<Vec<_>>()
    };
    let before = of_rows(&store);
    let mut fold = recomputed(&store);
    let mut of_visits: BTreeMap<PeerId, Vec<PeerDay>> = BTreeMap::new();
    for (id, day) in fold.take_days() {
        of_visits.entry(id).or_default().push(day);
    }
    let of_visits = of_visits.values();
    let of_visits =
        of_visits.flat_map(|days| UptimePeriod::ALL.iter().map(move |period| uptimes(days, *period)));
    assert!(before.iter().flat_map(BTreeMap::values).any(|uptime| uptime.up > Duration::from_secs(3600)));
    assert_eq!(before, of_visits.collect::<Vec<_>>(), "the days of rows are those of the visits");
    assert!(store.prune(at(1_000_000)).unwrap().visits > 1000);
    assert_eq!(before, of_rows(&store));
}

/// The last rows of a run that is killed are lost, and its visits are not.
#[tokio::test]
async fn what_a_killed_monitor_did_not_come_to_say_is_known_to_the_next() {
    let (_directory, url) = place();
    let (mut rows, uptimes) = monitored(&history(3));
    let (mut lost, mut days) = (BTreeMap::new(), BTreeMap::new());
    let mut sessions = 0;
    // The last 25 sessions that began or ended are lost, and one row of days in two.
    rows[1].reverse();
    rows[1].retain(|row| match row {
        Row::PeerSession(session) => {
            sessions += 1;
            if sessions <= 25 {
                let closed = session.seen.state == schema::SessionState::Closed;
                *lost.entry((peer_of(session.peer), session.seen.first_successful)).or_default() |= closed;
            }
            sessions > 25
        }
        Row::PeerDay(day) if day.peer.0 % 2 == 0 => {
            days.insert((peer_of(day.peer), day.day), **day);
            false
        }
        _ => true,
    });
    rows[1].reverse();
    kept(&url, rows).await;
    let store = Store::open_existing(&url).unwrap();
    let recalled = recall(&store, &scope(), (SessionRules::default(), 1000), |_, _| true).unwrap().unwrap();
    let untold = &recalled.state.untold;
    let told: BTreeMap<_, _> = untold
        .sessions
        .iter()
        .map(|(peer, seen)| ((*peer, seen.first_successful), seen.state == schema::SessionState::Closed))
        .collect();
    assert_eq!((told, untold.sessions.len()), (lost.clone(), lost.len()));
    assert!(lost.values().any(|closed| *closed) && lost.values().any(|closed| !closed), "{lost:?}");
    let untold_days: BTreeMap<_, _> =
        untold.days.iter().map(|(peer, day)| ((*peer, day.day), *day)).collect();
    let nameless = |days: &BTreeMap<_, PeerDay>| -> Vec<_> {
        days.iter().map(|(key, day)| (*key, PeerDay { peer: PeerNumber(0), ..*day })).collect()
    };
    assert_eq!(nameless(&untold_days), nameless(&days));
    assert_eq!((recalled.last_seen, recalled.is_monitored), (Some(at(RUNS[1].1)), false));
    assert_eq!(recalled.state.peers.len(), uptimes.len());
}

fn peer_of(number: PeerNumber) -> PeerId {
    peer(u8::try_from(number.0).unwrap())
}

#[tokio::test]
async fn who_is_told_to_stop_reading_reads_no_further() {
    let (_directory, url) = place();
    kept(&url, monitored(&history(4)).0).await;
    let store = Store::open_existing(&url).unwrap();
    let mut asked = 0;
    let stopped = recall(&store, &scope(), (SessionRules::default(), 1000), |read, of| {
        asked += 1;
        assert!(of > 1000 && read < of);
        asked < 10
    });
    assert!(stopped.unwrap().is_none());
    assert_eq!(asked, 10);
}

/// Crawls before the first monitor say where peers are, and nothing else.
#[tokio::test]
async fn a_store_of_crawls_alone_says_where_to_look() {
    let (_directory, url) = place();
    let [_, _, crawl, _] = monitored(&history(5)).0;
    kept_runs(&url, vec![(2, crawl)]).await;
    let store = Store::open_existing(&url).unwrap();
    let recalled = recall(&store, &scope(), (SessionRules::default(), 1000), |_, _| true).unwrap().unwrap();
    assert_eq!((recalled.last_seen, recalled.state.untold.sessions.len()), (None, 0));
    let known = recalled.state.peers;
    assert_eq!(known.len(), usize::from(PEERS));
    assert!(known.iter().all(|known| known.addresses.len() == 1 && known.uptime == PeerUptime::new()));
}
