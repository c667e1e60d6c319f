//! A small crawler for the tests of both faces. It trusts its network where a real one must not.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet},
    time::Duration,
};

use kad::{
    failure::{FailureClass, Phase, furthest},
    identify::{IDENTIFY_PROTOCOL, Identify, MAX_IDENTIFY_BYTES},
    message::{MAX_MESSAGE_BYTES, MessageView, write_find_node},
    network::{AddressOutcome, Attempt, Connection, Event, Network, StreamId},
    preimage::{MAX_PREFIX_BITS, target_at},
};
use libp2p_identity::PeerId;
use multiaddr::Multiaddr;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::{LifeClock, Observed, ObservedDuring, ObservedPeer, VisitDuring, World};

/// Visits at once.
const PARALLEL: usize = 64;

/// The most addresses kept of a peer.
const MAX_ADDRESSES: usize = 4;

/// A peer, and where it is said to be.
pub(crate) type PeerAndAddresses = (PeerId, Vec<Multiaddr>);

/// What a visit brings.
#[derive(Default, Debug)]
pub(crate) struct PlainVisit {
    pub(crate) reachable: bool,
    /// What went wrong: of the connection or of the first request.
    pub(crate) class: Option<Cow<'static, str>>,
    pub(crate) phase: Option<Phase>,
    pub(crate) agent: Option<String>,
    pub(crate) protocols: Vec<String>,
    pub(crate) named: Vec<PeerAndAddresses>,
    /// From when until when it lasted.
    pub(crate) during: Option<(Instant, Instant)>,
}

/// Dials, identifies and asks for every prefix.
pub(crate) async fn visit<N: Network>(
    network: N,
    protocol: &str,
    peer: PeerAndAddresses,
    patience: Duration,
) -> PlainVisit {
    let (id, addrs) = peer;
    let dial = network.connect(id, addrs).await;
    let mut visit = PlainVisit::default();
    let Some(mut connection) = dial.connection else {
        visit.unreachable(&dial.attempts);
        return visit;
    };
    visit.reachable = true;
    let identify = connection.open(IDENTIFY_PROTOCOL, MAX_IDENTIFY_BYTES);
    let kad = connection.open(protocol, MAX_MESSAGE_BYTES);
    for length in 0..=MAX_PREFIX_BITS {
        let mut request = Vec::new();
        write_find_node(&mut request, &target_at(&kad::Key::of_peer(&id), length).expect("a target"));
        connection.send(kad, &request);
    }
    connection.finish(kad);
    let mut over = HashSet::new();
    while over.len() < 2 {
        match timeout(patience, connection.next()).await {
            Err(_) => {
                visit.class.get_or_insert(FailureClass::Timeout.name().into());
                break;
            }
            Ok(Err(failure)) => {
                visit.class = Some(failure.class.name().into());
                visit.phase = Some(failure.phase);
                break;
            }
            Ok(Ok(event)) => {
                over.extend(visit.take(event, identify));
            }
        }
    }
    connection.close().await;
    visit
}

impl PlainVisit {
    /// As crawlers do: the failure that says the most counts, and else why the first address was skipped.
    fn unreachable(&mut self, attempts: &[Attempt]) {
        if let Some(failure) = furthest(attempts.iter().filter_map(|attempt| attempt.outcome.failure())) {
            self.class = Some(failure.class.name().into());
            self.phase = Some(failure.phase);
            return;
        }
        for attempt in attempts {
            match &attempt.outcome {
                AddressOutcome::Skipped(reason) => drop(self.class.get_or_insert(reason.name().into())),
                other => panic!("no connection, but {other:?}"),
            }
        }
    }

    /// Notes what happened; the stream, if it is over.
    fn take(&mut self, event: Event, identify: StreamId) -> Option<StreamId> {
        match event {
            Event::Accepted(_) => {}
            Event::Ended(stream, failure) => {
                if let Some(failure) = failure.filter(|_| stream != identify) {
                    self.phase = Some(failure.phase);
                    self.class.get_or_insert(failure.class.name().into());
                }
                return Some(stream);
            }
            Event::Message(stream, message) if stream == identify => {
                let said = Identify::decode(&message).expect("identify");
                (self.agent, self.protocols) = (said.agent_version, said.protocols);
            }
            Event::Message(_, message) => match MessageView::decode(&message) {
                Ok(view) => self.named.extend(view.closer_peers().map(|peer| {
                    let addrs = peer.addrs().filter_map(|addr| Multiaddr::try_from(addr.to_vec()).ok());
                    (PeerId::from_bytes(peer.id).expect("an id"), addrs.collect())
                })),
                Err(_) => self.class = Some(FailureClass::Malformed.name().into()),
            },
        }
        None
    }
}

/// Crawls a network. Unreachable peers are tried again when all is said, if new addresses of them were learned.
pub(crate) async fn crawl<N: Network>(network: &N, world: &World, patience: Duration) -> Observed {
    let (peers, _) = crawl_all(network, world, patience).await;
    Observed { peers }
}

/// The same, with the times and the addresses of the visits.
pub(crate) async fn crawl_during<N: Network>(
    network: &N,
    world: &World,
    patience: Duration,
    clock: LifeClock,
) -> ObservedDuring {
    let (peers, looks) = crawl_all(network, world, patience).await;
    let visits = peers.into_iter().zip(looks).map(|(peer, look)| {
        let (during, dialled) = look.unwrap_or_default();
        VisitDuring { peer, during: during.map(|(from, to)| (clock.at(from), clock.at(to))), dialled }
    });
    ObservedDuring { visits: visits.collect() }
}

/// When a peer was visited last, and where.
type Look = Option<(Option<(Instant, Instant)>, Vec<Multiaddr>)>;

async fn crawl_all<N: Network>(
    network: &N,
    world: &World,
    patience: Duration,
) -> (Vec<ObservedPeer>, Vec<Look>) {
    let mut known: Vec<PeerAndAddresses> =
        world.bootstrap().iter().map(|&peer| (world.peer_id(peer), world.addresses(peer))).collect();
    let mut positions: HashMap<PeerId, u32> =
        (0..).zip(&known).map(|(index, (id, _))| (*id, index)).collect();
    let mut peers: Vec<ObservedPeer> = Vec::new();
    let mut tried: Vec<usize> = Vec::new();
    let mut looks: Vec<Look> = Vec::new();
    loop {
        let due = |index: &usize| match peers.get(*index) {
            Some(peer) => !peer.reachable && tried[*index] < known[*index].1.len(),
            None => true,
        };
        let queue: Vec<usize> = (0..known.len()).filter(due).collect();
        if queue.is_empty() {
            return (peers, looks);
        }
        tried.resize(known.len(), 0);
        for &index in &queue {
            tried[index] = known[index].1.len();
        }
        for (index, visit) in visit_all(network, world, &known, &queue, patience).await {
            let id = known[index].0;
            looks.resize(looks.len().max(index + 1), None);
            looks[index] = Some((visit.during, known[index].1[..tried[index]].to_vec()));
            let neighbors = visit.named.into_iter().map(|named| learn(named, &mut known, &mut positions));
            let neighbors = Some(neighbors.collect());
            let blank = ObservedPeer::heard_of(id);
            peers.resize(peers.len().max(index + 1), blank);
            peers[index] =
                ObservedPeer { id, reachable: visit.reachable, class: visit.class, neighbors, said: None };
        }
    }
}

/// Visits many peers, some at once; sorted by their positions.
async fn visit_all<N: Network>(
    network: &N,
    world: &World,
    known: &[PeerAndAddresses],
    queue: &[usize],
    patience: Duration,
) -> Vec<(usize, PlainVisit)> {
    let mut visits = JoinSet::new();
    let mut done = Vec::new();
    for &index in queue {
        if visits.len() >= PARALLEL {
            done.extend(visits.join_next().await.map(|visited| visited.expect("no panic")));
        }
        let (network, protocol) = (network.clone(), world.scenario().protocol.clone());
        let mut peer = known[index].clone();
        peer.1.truncate(MAX_ADDRESSES);
        visits.spawn(async move {
            let begun = Instant::now();
            let visit = visit(network, &protocol, peer, patience).await;
            (index, PlainVisit { during: Some((begun, Instant::now())), ..visit })
        });
    }
    while let Some(visited) = visits.join_next().await {
        done.push(visited.expect("no panic"));
    }
    done.sort_by_key(|(index, _)| *index);
    done
}

fn learn(
    named: PeerAndAddresses,
    known: &mut Vec<PeerAndAddresses>,
    positions: &mut HashMap<PeerId, u32>,
) -> u32 {
    let (id, addrs) = named;
    let position = *positions.entry(id).or_insert_with(|| {
        known.push((id, Vec::new()));
        u32::try_from(known.len() - 1).expect("fewer than 2^32")
    });
    let list = &mut known[position as usize].1;
    for addr in addrs {
        if !list.contains(&addr) && list.len() < MAX_ADDRESSES {
            list.push(addr);
        }
    }
    position
}
