//! Publishes to one indexer and looks up at it.
//!
//! An announcement goes to the indexer by HTTP. Gossip is not spoken here: who publishes to one indexer tells it directly.

use std::{
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError, Weak,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use delegated::RoutingService;
use http::{HttpClient, HttpClientConfig, HttpError, HttpRequest};
use kad::{Keypair, Multiaddr, PeerId};
use multiaddr::Protocol;
use schema::ConnectionPolicy;
use sha2::{Digest as _, Sha256};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep, timeout_at},
};

use super::{
    announcement::Announcement,
    availability::{Polling, until_available},
    block::{BadBlock, BlockCid},
    chain::AdvertisementChain,
    config::{IndexerConfig, IndexerError},
    entries::probes,
    outcome::{IndexerFarewell, IndexerLookup, IndexerPublication},
    publisher::{Publisher, WatchedBlock},
    step::{IndexerStage, IndexerStep, StepFailure, StepFailureClass},
};

/// How long an announcement may take. Source: go-libipni, `announce/httpsender`.
const MAX_ANNOUNCE_TIME: Duration = Duration::from_secs(60);

/// The longest answer to an announcement that is read, in bytes.
const MAX_ANSWER_BYTES: usize = 64 << 10;

/// Publishes to an indexer and looks up at it. Cheap to clone.
#[derive(Debug, Clone)]
pub struct IndexerClient(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    /// How connections to the indexer are made.
    http: HttpClientConfig,
    /// Those that are kept, and lookups on them.
    warm: Asking,
    config: IndexerConfig,
    peer: PeerId,
    publisher: Publisher,
    announced: Multiaddr,
    began: Instant,
    /// Contexts that were begun: each has another id.
    contexts: AtomicU64,
    /// Takes back what is old; ends with this.
    collecting: Mutex<JoinSet<()>>,
}

/// Connections to the indexer.
#[derive(Debug, Clone)]
struct Asking {
    client: HttpClient,
    service: RoutingService,
}

/// A publication on its way.
struct Underway {
    asking: Asking,
    began: Instant,
    deadline: Instant,
    steps: Vec<IndexerStep>,
}

/// What was published: the id of its context, and its two blocks.
struct Advertised {
    context_id: Vec<u8>,
    blocks: [WatchedBlock; 2],
}

impl IndexerClient {
    /// Serves an empty chain, signed by this key, and publishes nothing yet. What is old is taken back from now on. It must be called
    /// within a runtime. Connections to the indexer are made by `http`, whose `agent` says who asks.
    pub fn open(http: HttpClientConfig, key: Keypair, config: IndexerConfig) -> Result<Self, IndexerError> {
        let peer = key.public().to_peer_id();
        let addresses = config.addresses.iter().map(ToString::to_string).collect();
        let chain = AdvertisementChain::new(key, addresses, &config.topic);
        let publisher = Publisher::open(chain, config.publisher)?;
        let announced = announced(config.announced.clone(), publisher.address(), peer)?;
        let shared = Arc::new(Shared {
            warm: Asking::new(&http, &config)?,
            http,
            config,
            peer,
            publisher,
            announced,
            began: Instant::now(),
            contexts: AtomicU64::default(),
            collecting: Mutex::default(),
        });
        shared.collecting().spawn(collect(Arc::downgrade(&shared), shared.config.collect_every));
        Ok(Self(shared))
    }

    /// Publishes a multihash, with what the indexer is asked for to see that it has it, step by step until one fails. Unless the connections
    /// are warm, none that is kept is used: who publishes stays the same.
    pub async fn publish(
        &self,
        key: &[u8],
        within: Duration,
        policy: ConnectionPolicy,
    ) -> IndexerPublication {
        let began = Instant::now();
        let asking = self.0.asking(policy);
        let mut underway = Underway { asking, began, deadline: began + within, steps: Vec::new() };
        // Which step failed stands in the steps.
        drop(self.0.publish(key, &mut underway).await);
        IndexerPublication { steps: underway.steps, took: began.elapsed() }
    }

    /// Who provides a multihash by what the indexer says.
    pub async fn retrieve(&self, key: &[u8], within: Duration, policy: ConnectionPolicy) -> IndexerLookup {
        let asking = self.0.asking(policy);
        let began = Instant::now();
        let reply = asking.service.ask_within(key, within).await;
        IndexerLookup { reply, took: began.elapsed() }
    }

    /// Where advertisements are served.
    pub fn publisher(&self) -> SocketAddr {
        self.0.publisher.address()
    }

    /// How much is published and was not taken back.
    pub fn published(&self) -> usize {
        self.0.publisher.look(AdvertisementChain::published)
    }

    /// Takes back all that is published, gives the indexer time to fetch that, and serves nothing any more.
    pub async fn close(&self) -> IndexerFarewell {
        self.0.collecting().abort_all();
        let farewell = self.0.take_back(Duration::MAX).await;
        self.0.publisher.close().await;
        farewell
    }
}

/// Takes back what is old, again and again.
async fn collect(shared: Weak<Shared>, every: Duration) {
    loop {
        sleep(every).await;
        let Some(shared) = shared.upgrade() else { return };
        if let Some(then) = shared.began.elapsed().checked_sub(shared.config.lifetime) {
            let farewell = shared.take_back(then).await;
            if farewell.removed > 0 {
                tracing::debug!(?farewell, "what is old was taken back from the indexer");
            }
        }
    }
}

impl Shared {
    fn collecting(&self) -> std::sync::MutexGuard<'_, JoinSet<()>> {
        self.collecting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// By connections that are kept, or by new ones.
    fn asking(&self, policy: ConnectionPolicy) -> Asking {
        match policy {
            ConnectionPolicy::Warm => self.warm.clone(),
            // What could be made once can be made again.
            ConnectionPolicy::Cold | ConnectionPolicy::Fresh => {
                Asking::new(&self.http, &self.config).unwrap_or_else(|_| self.warm.clone())
            }
        }
    }

    async fn publish(&self, key: &[u8], underway: &mut Underway) -> Result<(), Failed> {
        let polling = Polling { interval: self.config.interval, time: self.config.availability_time };
        let advertised = match self.advertise(key, polling.questions()) {
            Ok((head, advertised)) => {
                self.announce(&underway.asking.client, &head, underway.deadline).await.map(|()| advertised)
            }
            Err(bad) => Err(bad.into()),
        };
        let Advertised { context_id, blocks } =
            underway.note(IndexerStage::Announce, underway.began.elapsed(), advertised)?;
        let by = underway.deadline.min(underway.began + self.config.index_time);
        let mut is_indexed = Ok(());
        for (stage, block) in [IndexerStage::IndexAd, IndexerStage::IndexEntries].into_iter().zip(&blocks) {
            let (took, asked) = match timeout_at(by, block.asked()).await {
                Ok(asked) => (asked - underway.began, Ok(())),
                Err(_) => (underway.began.elapsed(), Err(StepFailure::new(StepFailureClass::NotAsked, ""))),
            };
            // Both are noted: the first that is missing says why.
            is_indexed = is_indexed.and(underway.note(stage, took, asked));
        }
        is_indexed?;
        let sought = (key, self.peer, context_id.as_slice());
        let asked = until_available(
            &underway.asking.client,
            &self.config.indexer,
            sought,
            polling,
            underway.deadline,
        )
        .await;
        underway.note(IndexerStage::Availability, underway.began.elapsed(), asked)
    }

    /// Puts a multihash and its probes into the chain. Returns the head that then is to be announced.
    fn advertise(&self, key: &[u8], questions: usize) -> Result<(BlockCid, Advertised), BadBlock> {
        let context_id = self.context_id();
        let mut hashes = probes(key, questions);
        hashes.insert(0, key.to_vec());
        let now = self.began.elapsed();
        let (published, watched) = self.publisher.change(
            |chain| chain.publish(context_id.clone(), &hashes, now),
            |published| {
                let both =
                    |published: &super::PublishedAd| vec![published.ad.clone(), published.entries.clone()];
                published.as_ref().map(both).unwrap_or_default()
            },
        );
        let head = published?.ad;
        let blocks = <[WatchedBlock; 2]>::try_from(watched).map_err(|_| BadBlock::Malformed)?;
        Ok((head, Advertised { context_id, blocks }))
    }

    /// An id of a context that no other has, as Parsec writes it: `parsec-NUMBER`.
    fn context_id(&self) -> Vec<u8> {
        let number = self.contexts.fetch_add(1, Relaxed);
        let mut hash = Sha256::new();
        hash.update(self.config.seed.to_be_bytes());
        hash.update(number.to_be_bytes());
        let number =
            hash.finalize().iter().take(8).fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
        format!("parsec-{number}").into_bytes()
    }

    /// Tells the indexer of a head. That it has taken it says nothing of whether it comes.
    async fn announce(
        &self,
        client: &HttpClient,
        head: &BlockCid,
        deadline: Instant,
    ) -> Result<(), StepFailure> {
        let announcement = Announcement {
            cid: head.clone(),
            addrs: vec![self.announced.clone()],
            extra: Vec::new(),
            first_said_by: None,
        };
        let wrong = |error: HttpError| StepFailure::new(StepFailureClass::Refused, error.to_string());
        let url = self.config.indexer.below(&self.config.announce_path).map_err(wrong)?;
        let request = HttpRequest::put(url, announcement.encode());
        let request = request.header("content-type", "application/octet-stream").map_err(wrong)?;
        let time = deadline.saturating_duration_since(Instant::now()).min(MAX_ANNOUNCE_TIME);
        let answer = client.send(request.within(time).at_most(MAX_ANSWER_BYTES)).await;
        let answer = answer.map_err(|failure| StepFailure::from(&failure))?;
        if matches!(answer.status, 200 | 204) {
            Ok(())
        } else {
            Err(StepFailure::of_status(answer.status, &answer.text()))
        }
    }

    /// Takes back what was published until then, tells the indexer, and waits until it has asked for all of that, or the time is up.
    async fn take_back(&self, then: Duration) -> IndexerFarewell {
        let (removals, watched) =
            self.publisher.change(|chain| chain.remove_until(then), |cids| cids.clone().unwrap_or_default());
        let removed = watched.len();
        let newest = match removals {
            Ok(removals) => removals.last().cloned(),
            Err(bad) => return IndexerFarewell { failure: Some(bad.into()), ..IndexerFarewell::default() },
        };
        let Some(newest) = newest else { return IndexerFarewell::default() };
        let deadline = Instant::now() + self.config.farewell_time;
        if let Err(failure) = self.announce(&self.warm.client, &newest, deadline).await {
            return IndexerFarewell { removed, fetched: 0, failure: Some(failure) };
        }
        for block in &watched {
            if timeout_at(deadline, block.asked()).await.is_err() {
                break;
            }
        }
        let fetched = watched.iter().filter(|block| block.was_asked()).count();
        IndexerFarewell { removed, fetched, failure: None }
    }
}

impl Asking {
    fn new(http: &HttpClientConfig, config: &IndexerConfig) -> Result<Self, HttpError> {
        let client = HttpClient::new(http.clone())?;
        let service = RoutingService::new(client.clone(), config.service());
        Ok(Self { client, service })
    }
}

/// A step failed, and is noted.
struct Failed;

impl Underway {
    /// Notes a step. If the time of the whole operation was up, that is why it failed.
    fn note<T>(
        &mut self,
        stage: IndexerStage,
        took: Duration,
        done: Result<T, StepFailure>,
    ) -> Result<T, Failed> {
        let is_over = Instant::now() >= self.deadline;
        let (done, failure) = match done {
            Ok(done) => (Ok(done), None),
            Err(failure) if is_over => {
                (Err(Failed), Some(StepFailure { class: StepFailureClass::Deadline, ..failure }))
            }
            Err(failure) => (Err(Failed), Some(failure)),
        };
        self.steps.push(IndexerStep { stage, took, failure });
        done
    }
}

/// Where an indexer is told to fetch: with the id of who signs, as announcements by HTTP have it.
fn announced(said: Option<Multiaddr>, listens: SocketAddr, peer: PeerId) -> Result<Multiaddr, IndexerError> {
    let mut addr = match said {
        Some(said) => said,
        None if listens.ip().is_unspecified() => return Err(IndexerError::Unspecified { address: listens }),
        None => Multiaddr::from(listens.ip()).with(Protocol::Tcp(listens.port())).with(Protocol::Http),
    };
    if !matches!(addr.iter().last(), Some(Protocol::P2p(_))) {
        addr.push(Protocol::P2p(peer));
    }
    Ok(addr)
}
