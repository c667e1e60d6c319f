//! Life on sockets: what the log says happened is what a dialler meets, then and afterwards.

use std::sync::Mutex;

use kad::{
    failure::FailureClass,
    network::{AddressOutcome, Connection, Dial, Network},
};
use net::{Addresses, Host as Dialler, HostConfig, Identity};
use tokio::sync::mpsc;

use super::*;
use crate::{Scenario, Truth, WireTestnet, crawler::crawl_during, event_log, life::EventKind};

/// How long the tests wait for what never comes. On loopback what comes takes milliseconds, but the machine may be busy.
const PATIENCE: Duration = Duration::from_secs(2);

fn dialler() -> Dialler {
    let mut config = HostConfig::new(Identity::generate().expect("an identity"), Addresses::Loopback);
    config.dials.dial_timeout = PATIENCE;
    Dialler::new(config).expect("a host")
}

/// A file that a test reads as it is written: the lines of the log.
struct Lines(mpsc::Sender<String>);

impl io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        for line in String::from_utf8_lossy(bytes).lines() {
            self.0.try_send(line.to_owned()).map_err(io::Error::other)?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn scenario(text: &str) -> Scenario {
    Scenario::parse(text, "test").expect("a scenario")
}

/// Sessions and absences of about three seconds each, never much shorter.
const STEADY: &str = "up = { law = 'weibull', median_s = 3.0, shape = 15.0 }\n\
                      down = { law = 'weibull', median_s = 3.0, shape = 15.0 }\n";

async fn dial(host: &Dialler, world: &World, event: &LifeEvent) -> Dial<impl Connection> {
    host.connect(world.peer_id(event.peer), world.addresses_at(event.peer, event.place)).await
}

/// Dials a peer to which something just happened.
async fn meet(host: Dialler, world: Arc<World>, event: LifeEvent) {
    let dial = dial(&host, &world, &event).await;
    let is_quic = world.carrier(event.peer).speaks(Transport::Quic);
    assert_eq!(dial.connection.is_some(), event.kind.comes(), "{event:?} {:?}", dial.attempts);
    for attempt in dial.attempts.iter().filter(|_| !event.kind.comes()) {
        let AddressOutcome::Failed(failure) = &attempt.outcome else { panic!("{attempt:?}") };
        // A refusal of UDP is an ICMP message, which not every socket hears.
        let late = is_quic && failure.class == FailureClass::Timeout;
        assert!(late || failure.class == FailureClass::ConnectionRefused, "{failure:?}");
    }
}

#[tokio::test]
async fn the_observer_is_never_away_on_sockets() {
    let scenario = Scenario::parse("peers = 9\n[[life.outages]]\nfrom_s = 1\nlasts_s = 1", "test");
    let refused = WireTestnet::start(&scenario.expect("a scenario")).await.expect_err("refused");
    assert!(matches!(refused, WireError::VirtualOnly), "{refused}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_event_is_met_by_whoever_dials_next() {
    let text = format!(
        "peers = 12\nbootstrap = 4\n[transports]\ntcp = 0.6\nquic = 0.2\nboth = 0.2\n\
         [[life.classes]]\nname = 'a'\nshare = 0.5\n{STEADY}moves = {{ share = 0.5, addresses = 2 }}\n\
         [[life.classes]]\nname = 'b'\nshare = 0.5\n{STEADY}rotates = {{ share = 1.0, ids = 2 }}"
    );
    let (lines, mut written) = mpsc::channel(1024);
    let outlets = LifeOutlets { log: Some(Box::new(Lines(lines))), ..LifeOutlets::default() };
    let testnet = WireTestnet::start_with(&scenario(&text), outlets).await.expect("a testnet");
    let (world, host) = (Arc::clone(testnet.world()), dialler());
    let (mut kinds, mut log) = (Vec::new(), String::new());
    let mut dials = JoinSet::new();
    while kinds.len() < 20 {
        let line = written.recv().await.expect("a line");
        log = log + &line + "\n";
        let event = event_log::parse(&world, &line).expect("an event").0;
        kinds.push(event.kind);
        dials.spawn(meet(host.clone(), Arc::clone(&world), event));
    }
    while let Some(done) = dials.join_next().await {
        done.expect("each event is met");
    }
    let history = event_log::read(&world, log.as_bytes());
    assert_eq!(history.expect("events").expect("a life").len(), kinds.len());
    for kind in [EventKind::Up, EventKind::Down, EventKind::Moved, EventKind::Rotated] {
        assert!(kinds.contains(&kind), "{kind:?} is not in {kinds:?}");
    }
    testnet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_ends_with_the_session_of_its_peer() {
    for transport in ["tcp", "quic"] {
        let text = format!(
            "peers = 2\nbootstrap = 1\n[transports]\n{transport} = 1.0\n\
             [[life.classes]]\nname = 'a'\nshare = 1.0\n{}",
            STEADY.replace("3.0", "1.0")
        );
        let (lines, mut written) = mpsc::channel(64);
        let outlets = LifeOutlets { log: Some(Box::new(Lines(lines))), ..LifeOutlets::default() };
        let testnet = WireTestnet::start_with(&scenario(&text), outlets).await.expect("a testnet");
        let world = Arc::clone(testnet.world());
        let come = loop {
            let event = event_log::parse(&world, &written.recv().await.expect("a line")).expect("an event").0;
            if event.kind.comes() {
                break event;
            }
        };
        let host = dialler();
        let mut connection = dial(&host, &world, &come).await.connection.expect("it is there");
        let failure = connection.next().await.expect_err("nothing was asked");
        assert!(
            [FailureClass::ConnectionReset, FailureClass::ConnectionClosed].contains(&failure.class),
            "{failure:?}"
        );
        let went = event_log::parse(&world, &written.recv().await.expect("a line")).expect("an event").0;
        assert_eq!((went.peer, went.kind.comes()), (come.peer, false));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crawl_of_sockets_that_come_and_go_is_right_at_some_moment_of_each_visit() {
    let restless = "peers = 70\n[[regions]]\nname = 'far'\nshare = 1.0\nrtt_ms = { far = 100 }\n[life]\nlearn_s = 0.6\nforget_s = 2\n\
        [[life.classes]]\nname = 'a'\nshare = 0.6\nmoves = { share = 0.4, addresses = 3 }\n\
        up = { law = 'weibull', median_s = 4, shape = 0.8 }\ndown = { law = 'exponential', median_s = 3 }\n\
        [[life.classes]]\nname = 'b'\nshare = 0.2\nrotates = { share = 1.0, ids = 3 }\n\
        up = { law = 'exponential', median_s = 3 }\ndown = { law = 'exponential', median_s = 0.5 }";
    let testnet = WireTestnet::start(&scenario(restless)).await.expect("a testnet");
    let clock = testnet.life_clock().expect("a clock");
    let truth = Truth::of(Arc::clone(testnet.world()));
    let host = dialler();
    while testnet.history().expect("a history").len() < 80 {
        let observed = crawl_during(&host, testnet.world(), PATIENCE, clock).await;
        let history = testnet.history().expect("a history");
        // What the machine may be late by, in opening and closing sockets.
        let slack = clock.stretch(Duration::from_millis(250));
        let verdict = truth.judge_during(&history, &observed, slack);
        assert!(verdict.is_right() && verdict.visits_beyond == 0, "{verdict:#?}");
        assert!(verdict.visits > 30 && verdict.edges > 400 && verdict.edges_expected > 100, "{verdict:?}");
    }
    testnet.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn routes_are_asked_for_and_without_them_only_refusal_is_possible() {
    let text = format!(
        "peers = 30\n[[life.classes]]\nname = 'far'\nshare = 1.0\nabsence = 'unreachable'\n{STEADY}\
         moves = {{ share = 1.0, addresses = 2 }}"
    );
    let error = WireTestnet::start(&scenario(&text)).await.expect_err("no routes").to_string();
    assert!(
        error.contains("`far`") && error.contains("`unreachable`") && error.contains("`refused`"),
        "{error}"
    );
    let changes: Arc<Mutex<HashMap<IpAddr, PacketFate>>> = Arc::default();
    let seen = Arc::clone(&changes);
    let routes = move |change: RouteChange| -> Rerouted {
        seen.lock().expect("no panic").insert(change.ip, change.reach);
        Ok(())
    };
    let (lines, mut written) = mpsc::channel(64);
    let outlets = LifeOutlets {
        log: Some(Box::new(Lines(lines))),
        routes: Some(Box::new(routes)),
        ..LifeOutlets::default()
    };
    let testnet = WireTestnet::start_with(&scenario(&text), outlets).await.expect("a testnet");
    let world = Arc::clone(testnet.world());
    for _ in 0..5 {
        let event = event_log::parse(&world, &written.recv().await.expect("a line")).expect("an event").0;
        let ip = world.location_at(event.peer, event.place).ips().next().expect("an address");
        let reach = if event.kind.comes() { PacketFate::Local } else { PacketFate::Unreachable };
        assert_eq!(changes.lock().expect("no panic").get(&ip), Some(&reach));
    }
    // Nobody is at two places: half of the addresses at least are closed.
    let closed =
        changes.lock().expect("no panic").values().filter(|reach| **reach != PacketFate::Local).count();
    assert!(closed >= 25, "{closed} of 50 addresses");
}

#[test]
fn more_sockets_than_the_process_may_open_are_an_error() {
    let class = format!("[[life.classes]]\nname = 'all'\nshare = 1.0\n{STEADY}");
    let both = World::generate(&scenario(&format!("peers = 30\n[transports]\nboth = 1.0\n{class}")));
    let needed = 25 * 2;
    assert_eq!(most_files(&both), needed);
    let rotating = format!("peers = 45\n{class}rotates = {{ share = 1.0, ids = 4 }}");
    assert_eq!(most_files(&World::generate(&scenario(&rotating))), 10);
    let check = |may_open| check(&both, &LifeOutlets::default(), may_open);
    assert!(check(RESERVED_FILES + needed).is_ok() && check(open_files()).is_ok());
    let error = check(RESERVED_FILES + needed - 1).expect_err("one is missing").to_string();
    assert!(error.contains("ulimit") && error.contains(&needed.to_string()), "{error}");
}
