//! One peer looked at through one of its addresses: whether it can be dialled, who it says it is, whether it answers.
//!
//! Reachable is who proved its identity: a connection stands (see `identifying`). All else is what was said on it.

#[cfg(test)]
mod tests;

use std::{sync::Arc, time::Duration};

use kad::{
    Contact, Multiaddr, PeerId,
    failure::{Failure, FailureClass, Phase},
    message::{Message, MessageType, MessageView},
    network::{AddressOutcome, Attempt, Connection, Dial, Endpoint, Network, RoundTrip, Traffic},
};
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};

use crate::{
    conversation::{Ask, Awaits, Broken, Conversation, Meter, TalkLimits},
    identifying::{Identified, identify},
};

/// How many addresses of one peer are probed at a time.
const MAX_PROBES: usize = 4;

/// What a probe asks, and how long it waits.
#[derive(Debug, Clone)]
pub struct Probing {
    /// The names of the network's kad protocol, in the order in which they are tried.
    pub protocols: Arc<[String]>,
    /// How long each answer is awaited.
    pub patience: Duration,
    /// Bounds of the conversation.
    pub limits: TalkLimits,
}

/// What came of a probe of one address.
#[derive(Debug, Clone, PartialEq)]
pub struct Probe {
    /// The address.
    pub address: Multiaddr,
    /// When it began.
    pub began: Instant,
    /// How long it took, until the connection was closed.
    pub took: Duration,
    /// What came of the dial.
    pub attempt: Attempt,
    /// What was said; `None` without a connection.
    pub said: Option<Heard>,
    /// What went over the connection.
    pub traffic: Traffic,
}

/// What a peer said on a connection that was made to look at it.
#[derive(Debug, Clone, PartialEq)]
pub struct Heard {
    /// How it was reached.
    pub endpoint: Endpoint,
    /// The shortest round trip that was seen; `None` if none was.
    pub round_trip: Option<RoundTrip>,
    /// Who it says it is.
    pub introduced: Identified,
    /// How long it took to answer a ping of kad, which every server answers.
    pub pong: Result<Duration, Failure>,
    /// How many peers it named when it was asked for those closest to itself: none is an answer, too.
    pub named: Result<usize, Failure>,
}

impl Heard {
    /// Whether it is a server of the network: it answers who it was asked for.
    pub const fn is_server(&self) -> bool {
        self.named.is_ok()
    }
}

/// Dials a peer at one address only, and asks it three things at once. It ends by itself.
pub async fn probe<N: Network>(network: &N, peer: PeerId, address: Multiaddr, probing: &Probing) -> Probe {
    let began = Instant::now();
    let Dial { attempts, connection } = network.connect(peer, vec![address.clone()]).await;
    let untried = || Attempt::untried(AddressOutcome::NotTried);
    let attempt = attempts.into_iter().next().unwrap_or_else(untried);
    let Some(connection) = connection else {
        let (took, traffic) = (began.elapsed(), Traffic::default());
        return Probe { address, began, took, attempt, said: None, traffic };
    };
    let endpoint = connection.endpoint().clone();
    let meter = Arc::new(Meter::default());
    let talk = Conversation::begin(connection, probing.limits, Arc::clone(&meter), ());
    let identify = talk.ask(identify(probing.patience));
    let asked = Instant::now();
    let pong = async {
        let answer = talk.ask(request(probing, MessageType::Ping, Vec::new())).await;
        answer.map(|_| asked.elapsed())
    };
    let named = talk.ask(request(probing, MessageType::FindNode, peer.to_bytes()));
    let (identify, pong, named) = tokio::join!(identify, pong, named);
    let introduced = Identified::of(identify.map_err(Broken::into_failure), peer);
    let pong = pong.map_err(Broken::into_failure);
    let named = named.map_err(Broken::into_failure).and_then(|messages| count(&messages));
    let round_trip = talk.round_trip().await;
    let said = Some(Heard { endpoint, round_trip, introduced, pong, named });
    Probe { address, began, took: began.elapsed(), attempt, said, traffic: meter.traffic() }
}

impl Probe {
    /// One of an address over which nothing was heard: what came of it is known now.
    pub(crate) fn unheard(address: Multiaddr, outcome: AddressOutcome) -> Self {
        let attempt = Attempt::untried(outcome);
        let (began, took) = (Instant::now(), Duration::ZERO);
        Self { address, began, took, attempt, said: None, traffic: Traffic::default() }
    }
}

/// Probes a peer through each of its addresses apart, a few at a time. The probes are in the order of the addresses.
pub async fn probe_all<N: Network>(network: &N, contact: &Contact, probing: &Probing) -> Vec<Probe> {
    let mut probes = Vec::new();
    probe_into(&mut probes, network, contact, probing).await;
    in_order(probes, contact)
}

/// The same within a time: a probe that is not over then has come to nothing.
pub async fn probe_all_within<N: Network>(
    network: &N,
    contact: &Contact,
    probing: &Probing,
    at_most: Duration,
) -> Vec<Probe> {
    let mut probes = Vec::new();
    // What is under way ends with the future.
    timeout(at_most, probe_into(&mut probes, network, contact, probing)).await.ok();
    in_order(probes, contact)
}

/// Adds the probes as they end, each with the position of its address.
async fn probe_into<N: Network>(
    probes: &mut Vec<(usize, Probe)>,
    network: &N,
    contact: &Contact,
    probing: &Probing,
) {
    let mut under_way = JoinSet::new();
    for (position, address) in contact.addrs.iter().cloned().enumerate() {
        if under_way.len() >= MAX_PROBES {
            probes.extend(under_way.join_next().await.and_then(Result::ok));
        }
        let (network, peer, probing) = (network.clone(), contact.peer, probing.clone());
        under_way.spawn(async move { (position, probe(&network, peer, address, &probing).await) });
    }
    while let Some(done) = under_way.join_next().await {
        probes.extend(done.ok());
    }
}

/// A probe for each address, in their order.
fn in_order(mut probes: Vec<(usize, Probe)>, contact: &Contact) -> Vec<Probe> {
    for (position, address) in contact.addrs.iter().enumerate() {
        if probes.iter().all(|(known, _)| *known != position) {
            let late = Failure::new(Phase::Connect, FailureClass::Timeout);
            probes.push((position, Probe::unheard(address.clone(), AddressOutcome::Failed(late))));
        }
    }
    probes.sort_unstable_by_key(|&(position, _)| position);
    probes.into_iter().map(|(_, probe)| probe).collect()
}

fn request(probing: &Probing, kind: MessageType, key: Vec<u8>) -> Ask {
    let message = Some(Message::new(kind, key).encode().into());
    Ask {
        protocols: Arc::clone(&probing.protocols),
        message,
        awaits: Awaits::Message,
        patience: probing.patience,
    }
}

fn count(messages: &[Vec<u8>]) -> Result<usize, Failure> {
    let malformed = || Failure::new(Phase::Request, FailureClass::Malformed);
    let answer = messages.first().ok_or_else(malformed)?;
    MessageView::decode(answer).map(|view| view.closer_peers().count()).map_err(|_| malformed())
}
