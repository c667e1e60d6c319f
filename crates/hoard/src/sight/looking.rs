//! Dials a holder and asks it, over a connection that is made for it and closed behind it.
//!
//! No lookup shares that connection: what a dial takes is a dial's time, whoever else is connected to the holder, and nobody loses a
//! connection by it.

use std::{sync::Arc, time::Duration};

use dht::{ApartAsk, ApartQuestion, AskedApart, RequestPace, TalkLimits, ask_apart, dial_failure};
use kad::{
    Contact, Multiaddr, PeerId,
    failure::{Failure, FailureClass, Phase},
    message::{K, Message, MessageType, MessageView, PeerView},
    network::{Attempt, Endpoint, Network},
};
use schema::HolderAnswer;
use tokio::{
    sync::Semaphore,
    time::{Instant, sleep},
};
use tokio_util::sync::CancellationToken;

use super::{HolderDial, HolderSaid, NamedProvider, ReachedAt, answer_of_failure, rules::is_mismatch};
use crate::{AgentBook, InFlight};

/// The most providers of one answer that are told by name: as many as servers of go-libp2p-kad-dht give. Of more it is told how many.
const MAX_NAMED: usize = 2 * K;

/// How holders are dialled and asked.
#[derive(Debug, Clone)]
pub struct SightTerms {
    /// How long a dial may take. Default 10 s, as CID Hoarder's.
    pub dial: Duration,
    /// How long an answer is awaited. Default 10 s, as Go's.
    pub answer: Duration,
    /// How often a holder is dialled at its first addresses where nobody listens there or the connection is reset. Default 1, as CID
    /// Hoarder's of 2023; that of RFM17 made 3.
    pub attempts: u8,
    /// How long it is left alone before it is dialled again. Default 5 s.
    pub again_after: Duration,
    /// After how long a holder is asked again what its program is. Default a day; zero is every time.
    pub identify_after: Duration,
    /// How many holders are dialled and asked at a time, whatever their keys. Default 256. At least 1.
    pub at_once: usize,
    /// The longest answer that is taken, in bytes. Default 512 KiB, as lookups take.
    pub answer_bytes: usize,
}

impl Default for SightTerms {
    fn default() -> Self {
        Self {
            dial: Duration::from_secs(10),
            answer: Duration::from_secs(10),
            attempts: 1,
            again_after: Duration::from_secs(5),
            identify_after: Duration::from_secs(86_400),
            at_once: 256,
            answer_bytes: TalkLimits::default().message_bytes,
        }
    }
}

/// Looks at holders. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Looking<N> {
    pub(crate) network: N,
    pub(crate) protocols: Arc<[String]>,
    pub(crate) terms: Arc<SightTerms>,
    pub(crate) agents: Arc<AgentBook>,
    pub(crate) room: Arc<Semaphore>,
    pub(crate) in_flight: Arc<InFlight>,
    /// How many dials a second there are, with the requests of lookups.
    pub(crate) pace: Option<Arc<RequestPace>>,
}

/// What holders of a key are asked.
#[derive(Debug, Clone)]
pub(crate) struct RecordAsk {
    /// GET_PROVIDERS for the key.
    pub(crate) message: Arc<[u8]>,
    /// Whose record it is.
    pub(crate) provider: PeerId,
}

/// What came of dialling a holder, and of asking it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Look {
    pub(crate) began: Instant,
    /// `None` if it was given up before.
    pub(crate) dial: Option<HolderDial>,
    pub(crate) round_trip: Option<Duration>,
    pub(crate) agent: Option<Arc<str>>,
    pub(crate) said: HolderSaid,
}

impl RecordAsk {
    pub(crate) fn new(key: &[u8], provider: PeerId) -> Self {
        let message = Message::new(MessageType::GetProviders, key.to_vec()).encode().into();
        Self { message, provider }
    }
}

impl Look {
    pub(crate) fn given_up(began: Instant) -> Self {
        let said = HolderSaid::nothing(HolderAnswer::Unasked);
        Self { began, dial: None, round_trip: None, agent: None, said }
    }

    pub(crate) fn is_reached(&self) -> bool {
        self.dial.as_ref().is_some_and(|dial| dial.connected.is_some())
    }
}

impl<N: Network> Looking<N> {
    /// Dials a holder at these addresses and asks it there; where nobody listens or the connection is reset, as often as `attempts` says.
    /// Ends by itself, and soon once it is cancelled: nothing of it stays behind.
    pub(crate) async fn look(
        &self,
        to: Contact,
        ask: &RecordAsk,
        attempts: u8,
        cancel: &CancellationToken,
    ) -> Look {
        let waited = cancel.run_until_cancelled(self.room.acquire()).await;
        let began = Instant::now();
        let Some(Ok(_room)) = waited else { return Look::given_up(began) };
        let _under_way = self.in_flight.request();
        let mut look = Look::given_up(began);
        for times in 1..=attempts.max(1) {
            let next = self.once(&to, ask, cancel).await;
            // The one before it was made, whatever became of this one.
            let Some(mut dial) = next.dial else { break };
            dial.times = times;
            look = Look { began, dial: Some(dial), ..next };
            let again = look.dial.as_ref().and_then(|dial| dial.failure.as_ref()).is_some_and(is_tried_again);
            if !again || times == attempts {
                break;
            }
            if cancel.run_until_cancelled(sleep(self.terms.again_after)).await.is_none() {
                break;
            }
        }
        look
    }

    async fn once(&self, to: &Contact, ask: &RecordAsk, cancel: &CancellationToken) -> Look {
        if let Some(pace) = &self.pace
            && cancel.run_until_cancelled(pace.turn()).await.is_none()
        {
            return Look::given_up(Instant::now());
        }
        let began = Instant::now();
        let question = ApartQuestion {
            protocols: Arc::clone(&self.protocols),
            ask: ApartAsk::Message(Arc::clone(&ask.message)),
            dial_within: self.terms.dial,
            patience: self.terms.answer,
            answer_bytes: self.terms.answer_bytes,
            identifies: self.agents.is_old(&to.peer, self.terms.identify_after),
        };
        let asked = cancel.run_until_cancelled(ask_apart(&self.network, to, &question)).await;
        let Some(AskedApart { attempts, dial_took, said }) = asked else { return Look::given_up(began) };
        let dial = told(to, attempts, said.as_ref().map(|said| &said.endpoint), dial_took);
        let Some(answered) = said else {
            let said = HolderSaid::nothing(HolderAnswer::Unreached);
            return Look { dial: Some(dial), said, ..Look::given_up(began) };
        };
        let introduced = answered.introduced.and_then(|introduced| introduced.said?.agent_version);
        Look {
            began,
            dial: Some(dial),
            round_trip: answered.round_trip.map(|trip| trip.time),
            agent: introduced.map(|agent| self.agents.note(to.peer, &agent)),
            said: said_of(answered.answer, &ask.provider, answered.took),
        }
    }
}

/// What a dial came to.
fn told(to: &Contact, attempts: Vec<Attempt>, at: Option<&Endpoint>, took: Duration) -> HolderDial {
    let connected = at.and_then(|at| {
        let address = to.addrs.get(at.address)?.clone();
        Some(ReachedAt { address, socket: at.socket, transport: at.transport })
    });
    let failure = at.is_none().then(|| {
        // That somebody else is there says more than that nobody is elsewhere.
        let other = attempts.iter().filter_map(|attempt| attempt.outcome.failure()).find(|f| is_mismatch(f));
        other.cloned().unwrap_or_else(|| dial_failure(&attempts))
    });
    let outcomes = attempts.into_iter().map(|attempt| attempt.outcome);
    let attempts: Vec<(Multiaddr, _)> = to.addrs.iter().cloned().zip(outcomes).collect();
    HolderDial { attempts, connected, failure, took, times: 1 }
}

/// Where another dial may do better, as CID Hoarder has it.
const fn is_tried_again(failure: &Failure) -> bool {
    matches!(failure.class, FailureClass::ConnectionRefused | FailureClass::ConnectionReset)
}

/// What a holder said of the record of a provider.
fn said_of(answer: Result<Vec<u8>, Failure>, provider: &PeerId, took: Duration) -> HolderSaid {
    let malformed = |_| Failure::new(Phase::Request, FailureClass::Malformed);
    let read = answer.and_then(|message| {
        MessageView::decode(&message).map(|view| read(&view, provider)).map_err(malformed)
    });
    let read = read.unwrap_or_else(|failure| {
        let answer = answer_of_failure(&failure);
        HolderSaid { error: Some(failure), ..HolderSaid::nothing(answer) }
    });
    HolderSaid { took: Some(took), ..read }
}

fn read(view: &MessageView<'_>, provider: &PeerId) -> HolderSaid {
    let count = |number: usize| u16::try_from(number).unwrap_or(u16::MAX);
    let own = provider.to_bytes();
    let addresses = |entry: &PeerView<'_>| entry.addrs().count();
    let (mut has, mut given, mut others) = (false, 0, 0);
    let mut providers = Vec::new();
    for entry in view.provider_peers() {
        if entry.id == own {
            has = true;
            given = given.max(addresses(&entry));
        } else {
            others += 1;
        }
        if providers.len() < MAX_NAMED
            && let Ok(peer) = PeerId::from_bytes(entry.id)
        {
            providers.push(NamedProvider { peer, addresses: count(addresses(&entry)) });
        }
    }
    let answer = match (has, given) {
        (false, _) => HolderAnswer::WithoutRecord,
        (true, 0) => HolderAnswer::IdOnly,
        (true, _) => HolderAnswer::WithAddresses,
    };
    HolderSaid {
        provider_addresses: count(given),
        other_providers: count(others),
        closer: count(view.closer_peers().count()),
        providers,
        ..HolderSaid::nothing(answer)
    }
}

#[cfg(test)]
mod tests {
    use kad::message::Peer;

    use super::*;

    #[test]
    fn a_peer_that_claims_any_number_of_providers_and_addresses_is_bounded() {
        let address: Multiaddr = "/ip4/192.0.2.1/tcp/4001".parse().expect("an address");
        let provider = PeerId::random();
        let mut message = Message::new(MessageType::GetProviders, Vec::new());
        message.provider_peers = vec![Peer::new(&provider, &vec![address; 10_000])];
        let others = std::iter::repeat_with(PeerId::random).take(10_000);
        message.provider_peers.extend(others.map(|peer| Peer::new(&peer, &[])));
        let said = said_of(Ok(message.encode()), &provider, Duration::ZERO);
        assert_eq!(said.answer, HolderAnswer::WithAddresses);
        assert!(said.providers.len() <= MAX_NAMED && said.provider_addresses <= 64, "{said:?}");
        assert!(usize::from(said.other_providers) < MAX_NAMED, "no more is read of one answer");
    }

    #[test]
    fn a_record_without_addresses_and_none_at_all_are_told_apart() {
        let provider = PeerId::random();
        let said = |peers: Vec<Peer>| {
            let mut message = Message::new(MessageType::GetProviders, Vec::new());
            message.provider_peers = peers;
            said_of(Ok(message.encode()), &provider, Duration::ZERO)
        };
        assert_eq!(said(vec![Peer::new(&provider, &[])]).answer, HolderAnswer::IdOnly);
        let other = said(vec![Peer::new(&PeerId::random(), &[])]);
        assert_eq!((other.answer, other.other_providers), (HolderAnswer::WithoutRecord, 1));
        assert_eq!(said(Vec::new()).answer, HolderAnswer::WithoutRecord);
    }
}
