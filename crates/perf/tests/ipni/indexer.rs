//! An indexer: it takes announcements, fetches and verifies advertisements, keeps what they say in memory, and answers who has what. Each of
//! its stages can be delayed, refused or left out.

mod answers;
mod index;
mod ingest;

use std::{
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use http::{
    Access, HttpClient, HttpClientConfig, HttpUrl, Listening, Metrics, Readiness, Room, TakenAddress,
    axum::{Router, http::StatusCode},
};
use kadscope_perf::indexer::BlockCid;
use tokio::{sync::watch, task::JoinSet};

use index::Index;

/// What it does otherwise than an indexer that is well.
#[derive(Debug, Clone, Default)]
pub(crate) struct Whims {
    /// Before it fetches an advertisement.
    pub(crate) ad_delay: Duration,
    /// Before it fetches a chunk.
    pub(crate) entries_delay: Duration,
    /// Before what it has fetched is found.
    pub(crate) index_delay: Duration,
    /// It answers announcements with this status, and does nothing.
    pub(crate) announced: Option<u16>,
    /// It takes announcements, and does nothing.
    pub(crate) is_idle: bool,
    /// It fetches no chunks.
    pub(crate) skips_entries: bool,
    /// It asks as indexers did before there was a path.
    pub(crate) is_old: bool,
    /// It answers lookups with this status, and says when it may be asked again, in seconds.
    pub(crate) found: Option<(u16, Option<u64>)>,
    /// Before the body of an answer, when its head is there.
    pub(crate) body_delay: Duration,
    /// For how long something in front of it keeps that it has nobody.
    pub(crate) negative_time: Duration,
}

/// What all of it shares.
pub(crate) struct Shared {
    whims: Mutex<Whims>,
    index: Mutex<Index>,
    client: HttpClient,
    /// One chain at a time.
    turn: tokio::sync::Mutex<()>,
    ingesting: Mutex<JoinSet<()>>,
    /// Counts up with each advertisement that is done with.
    done: watch::Sender<u64>,
}

/// One that listens on loopback.
pub(crate) struct TestIndexer {
    pub(crate) shared: Arc<Shared>,
    listening: Listening,
}

impl TestIndexer {
    pub(crate) fn open() -> Self {
        let shared = Arc::new(Shared {
            whims: Mutex::default(),
            index: Mutex::default(),
            client: HttpClient::new(HttpClientConfig::default()).unwrap(),
            turn: tokio::sync::Mutex::default(),
            ingesting: Mutex::default(),
            done: watch::Sender::default(),
        });
        let readiness = Readiness::not_yet("");
        readiness.ready();
        let mut room = Room::new(Access::ThisMachine, readiness, Metrics::default());
        room.bounds.body_bytes = kadscope_perf::indexer::MAX_ANNOUNCEMENT_BYTES;
        room.routes = Router::new().merge(ingest::routes(&shared)).merge(answers::routes(&shared));
        let address: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let listening = room.open(TakenAddress::bind(address).unwrap()).unwrap();
        Self { shared, listening }
    }

    /// Where it is asked.
    pub(crate) fn url(&self) -> HttpUrl {
        format!("http://{}", self.listening.address()).parse().unwrap()
    }

    /// Changes what it does from now on.
    pub(crate) fn whims(&self, change: impl FnOnce(&mut Whims)) {
        change(&mut self.shared.whims.lock().unwrap());
    }

    /// How many multihashes it has of anybody.
    pub(crate) fn hashes(&self) -> usize {
        self.shared.index().hashes()
    }

    /// Why it has not taken advertisements, the oldest first.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.shared.index().complaints.clone()
    }

    /// Whether it has done with an advertisement.
    pub(crate) fn has_processed(&self, ad: &BlockCid) -> bool {
        self.shared.index().processed.contains(ad)
    }

    /// Waits until this holds, which is looked at whenever it has done with something.
    pub(crate) async fn until(&self, holds: impl Fn(&Self) -> bool) {
        let mut done = self.shared.done.subscribe();
        while !holds(self) {
            done.changed().await.unwrap();
        }
    }
}

impl Shared {
    pub(crate) fn index(&self) -> MutexGuard<'_, Index> {
        self.index.lock().unwrap()
    }

    fn now(&self) -> Whims {
        self.whims.lock().unwrap().clone()
    }
}

/// A status by its number.
fn status(number: u16) -> StatusCode {
    StatusCode::from_u16(number).unwrap()
}
